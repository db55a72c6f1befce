/* Learning-rate schedules: the rate of each step, in Keras's forms. */
#ifndef TG_TRAIN_SCHEDULE_H
#define TG_TRAIN_SCHEDULE_H

#include "graph/status.h"

TG_BEGIN_DECLS

/** What a schedule does to its rate r, with t steps done since the warm-up and d = decay_steps. */
typedef enum tg_schedule_kind {
    TG_SCHEDULE_CONSTANT,    /**< r */
    TG_SCHEDULE_STEP,        /**< r decay_rate^floor(t / d): Keras's ExponentialDecay with staircase */
    TG_SCHEDULE_EXPONENTIAL, /**< r decay_rate^(t / d): Keras's ExponentialDecay */
    /** r ((1 - alpha) (1 + cos(pi min(t, d) / d)) / 2 + alpha): Keras's CosineDecay; Loshchilov & Hutter 2017 without restarts */
    TG_SCHEDULE_COSINE,
    /** From r / 25 up to r in the first 0.3 d steps and down to r / 250000 in the rest, both along a half wave of the cosine:
        Smith & Topin 2018, as PyTorch's OneCycleLR has it (Keras has none). Its warm-up is its own. */
    TG_SCHEDULE_ONE_CYCLE,
    TG_SCHEDULE_COUNT
} tg_schedule_kind;

/** A schedule. The step that is the (t + 1)-th of training has the rate tg_schedule_rate(t). */
typedef struct tg_schedule {
    tg_schedule_kind kind;
    double rate;         /**< the rate that the schedule starts from, or rises to */
    int64_t decay_steps; /**< d, 1 or more; no matter for the constant */
    double decay_rate;   /**< step and exponential */
    double alpha;        /**< cosine: the smallest share of the rate */
    int64_t
        warmup_steps; /**< the rate first rises linearly from 0, as with Keras's warmup_target and warmup_steps; 0: it does not */
} tg_schedule;

/** The rate of the step before which `step` steps were done. */
TG_API double tg_schedule_rate(const tg_schedule *schedule, int64_t step);

/** "constant", "step", "exponential", "cosine", "one-cycle"; NULL if out of range. */
TG_API const char *tg_schedule_name(tg_schedule_kind kind);

TG_END_DECLS

#endif
