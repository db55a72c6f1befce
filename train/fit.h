/* The fit loop: epochs of batches, validation after each, and callbacks that watch and may stop it. */
#ifndef TG_TRAIN_FIT_H
#define TG_TRAIN_FIT_H

#include "train/model.h"
#include "train/schedule.h"

TG_BEGIN_DECLS

/** A finished step. */
typedef struct tg_fit_step {
    int epoch; /**< from 1 */
    int epochs;
    int64_t step, steps; /**< from 1; of the epoch. Steps 0: not known */
    int64_t run_step;    /**< from 1; of the run, with what was done before it was resumed */
} tg_fit_step;

/** A finished epoch. */
typedef struct tg_fit_epoch {
    int epoch; /**< from 1 */
    int epochs;
    int64_t steps;        /**< that it had */
    double learning_rate; /**< of its last step */
    double seconds;       /**< of the training batches alone */
    double total_seconds; /**< with validation */
    tg_scores train;      /**< running means over the epoch's batches, as in Keras: of the weights as they changed */
    tg_scores validation; /**< after the epoch; 0 without validation data */
} tg_fit_epoch;

/** A run that is over. */
typedef struct tg_fit_end {
    tg_status status; /**< what tg_fit() will return: TG_OK, TG_ERROR_STOPPED, TG_ERROR_NONFINITE, ... */
    tg_fit_step
        last; /**< the last finished step; step 0: the epoch had none yet. An epoch's last step may be without validation */
    double seconds;
} tg_fit_end;

typedef struct tg_fit_options {
    int epochs;
    int64_t batch;                      /**< of tg_fit(): rows of a step; the last of an epoch takes what remains */
    bool in_order;                      /**< of tg_fit(): do not shuffle */
    uint64_t seed;                      /**< of tg_fit(): of the order of rows, with the epoch's number */
    tg_rows validation;                 /**< count 0: none */
    const tg_source *validation_source; /**< the same from a source, instead of these; NULL: none */
    /** Sets the model's learning rate before each step, counted from the first epoch on; NULL: nobody does but the callbacks. */
    const tg_schedule *schedule;
    /** The loss has exploded, and training ends, where the mean over an epoch's steps has this many times the magnitude of that of the
        first step, or of 1 if that was smaller. 0: 1e6; INFINITY: never. */
    double divergence;
    /** Where to go on with a run that was stopped: the epoch, from 1 (0: 1), and how many of its steps were done. The model's
        variables must be as they were there, which tg_checkpoint_resume() sees to; then every bit to come is the same. */
    int first_epoch;
    int64_t first_step;
    int64_t steps_before; /**< steps of the run up to there: looked at only where the length of an epoch is not known */
    /** NULL: not called. In this order: on_begin before an epoch; on_step after each of its steps, when the variables are those of
        the step; then, after validation, on_epoch. Returning false stops the loop there. on_end comes last and once, however the
        run ends, unless its arguments were refused. All are called by the thread that called tg_fit(). To stop from another
        thread or a signal handler, see tg_model_options.cancel: the step under way is finished, on_step included; a validation
        is given up, and the run can go on from the epoch's last step. */
    bool (*on_begin)(void *user, int epoch, int epochs);
    bool (*on_step)(void *user, const tg_fit_step *step);
    bool (*on_epoch)(void *user, const tg_fit_epoch *epoch);
    void (*on_end)(void *user, const tg_fit_end *end);
    void *user;
} tg_fit_options;

/** 10 epochs of batches of 128, shuffled. */
TG_API tg_fit_options tg_fit_defaults(void);

/** Trains. TG_ERROR_STOPPED if a callback stopped it or it was cancelled, TG_ERROR_NONFINITE if a step diverged (nothing of that
    step was kept, and tg_model_find_nonfinite() tells where), TG_ERROR_DIVERGED if the loss exploded (the epoch is trained, and neither
    validated nor told to on_epoch); other failures as in tg_model_train(). tg_model_error() has the
    sentence. */
TG_API TG_MUST_USE tg_status tg_fit(tg_model *model, tg_rows train, tg_fit_options options);
/** The same on the batches of a source, whose failures also end it; tg_fit() is this on a tg_rows_source_new(). TG_ERROR_ARGUMENT if
    it is to go on from a place and the source cannot. */
TG_API TG_MUST_USE tg_status tg_fit_source(tg_model *model, const tg_source *train, tg_fit_options options);

TG_END_DECLS

#endif
