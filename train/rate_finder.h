/* A learning-rate finder: the loss of one step after another while the learning rate grows by equal factors, and the rate at which it
   fell fastest. Smith 2015, "Cyclical learning rates for training neural networks" (arXiv:1506.01186), section 3.3, with the
   exponential sweep, the smoothing and the rule for stopping of fastai's LRFinder. */
#ifndef TG_TRAIN_RATE_FINDER_H
#define TG_TRAIN_RATE_FINDER_H

#include "train/model.h"

TG_BEGIN_DECLS

/** A step of the sweep. */
typedef struct tg_rate_point {
    double rate;
    double loss; /**< mean of the step's batch, before its update */
    double
        smoothed; /**< by the t-th loss: s_t / (1 - smoothing^t), where s_t = smoothing s_{t-1} + (1 - smoothing) loss and s_0 = 0 */
} tg_rate_point;

typedef struct tg_rate_finder_options {
    double lowest, highest; /**< the first rate, above 0, and the last, above that */
    int steps;              /**< of the whole sweep, 2 or more */
    int64_t batch;          /**< rows of each step, which are drawn anew when they are used up; at most all are taken */
    uint64_t seed;          /**< of the order of rows */
    double smoothing;       /**< of losses, in [0, 1) */
    double stop_factor;     /**< the sweep ends when a smoothed loss exceeds the least so far by this factor, above 1 */
    /** Called after a step, with the number of those done; NULL: not. Returning false ends the sweep with TG_ERROR_STOPPED. */
    bool (*on_step)(void *user, int step, int steps);
    void *user;
} tg_rate_finder_options;

/** Rates from 1e-6 to 10, 100 steps to each factor of 10, batches of 128, smoothing 0.95, stop factor 4 as fastai's. (fastai takes 100
    steps from 1e-7 on, which are too few for networks that begin on a plateau, as deep ones with sigmoids do.) */
TG_API tg_rate_finder_options tg_rate_finder_defaults(void);

/** A finished sweep. */
typedef struct tg_rate_sweep {
    tg_context *context;
    tg_rate_point *points; /**< in order of their rates */
    int count, capacity;
    int suggested; /**< the point that tg_rate_suggest() chose; -1: none */
    int least;     /**< the point with the least smoothed loss; -1: there are no points */
    bool diverged; /**< it ended before the last step: by stop_factor, or because a loss or gradient was not finite */
} tg_rate_sweep;

/** Where the smoothed loss falls fastest: of the points after the first tenth and up to the least smoothed loss, the one around which
    a straight line, by least squares over the logarithm of the rate, through the points at most count / 40 away (1 at least) falls
    most. -1 if none falls. fastai's `steep` takes the slope between two neighbours, which follows the noise of single batches. */
TG_API int tg_rate_suggest(const tg_rate_point *points, int count);

/** Sweeps. Divergence is how a sweep should end: no error. Afterwards, also on failure, every variable of the store has the bits that
    it had (or its initial value, if it was not there), as have the store's step and the model's learning rate. The same bits for any
    number of threads. Failures are those of tg_model_train() and TG_ERROR_STOPPED, with tg_model_error(); there is then nothing to
    free. */
TG_API TG_MUST_USE tg_status tg_find_learning_rate(tg_model *model, tg_rows data, tg_rate_finder_options options,
                                                   tg_rate_sweep *sweep);
/** Gives the points back to the context. A second call is fine. */
TG_API void tg_rate_sweep_free(tg_rate_sweep *sweep);

TG_END_DECLS

#endif
