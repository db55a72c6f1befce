/* The fit loop: epochs of shuffled batches, validation after each, and callbacks that watch and may stop it. */
#ifndef TG_TRAIN_FIT_H
#define TG_TRAIN_FIT_H

#include "train/model.h"
#include "train/schedule.h"

TG_BEGIN_DECLS

/** A finished step. */
typedef struct tg_fit_step {
    int epoch; /**< from 1 */
    int epochs;
    int64_t step, steps; /**< from 1; of the epoch */
} tg_fit_step;

/** A finished epoch. */
typedef struct tg_fit_epoch {
    int epoch; /**< from 1 */
    int epochs;
    int64_t steps;
    double learning_rate; /**< of its last step */
    double seconds;       /**< of the training batches alone */
    double total_seconds; /**< with validation */
    tg_scores train;      /**< running means over the epoch's batches, as in Keras: of the weights as they changed */
    tg_scores validation; /**< after the epoch; 0 without validation data */
} tg_fit_epoch;

typedef struct tg_fit_options {
    int epochs;
    int64_t batch;      /**< rows of a step; the last of an epoch takes what remains */
    bool in_order;      /**< do not shuffle */
    uint64_t seed;      /**< of the order of rows, with the epoch's number */
    tg_rows validation; /**< count 0: none */
    /** Sets the model's learning rate before each step, counted from the first epoch on; NULL: nobody does but the callbacks. */
    const tg_schedule *schedule;
    /** Where to go on with a run that was stopped: the epoch, from 1 (0: 1), and how many of its steps were done. The model's
        variables must be as they were there, which tg_checkpoint_resume() sees to; then every bit to come is the same. */
    int first_epoch;
    int64_t first_step;
    /** Called before an epoch, after a step, and after an epoch; NULL: not. Returning false stops the loop there. To cancel from a
        signal handler or another thread, set a flag of your own and let on_step look at it. */
    bool (*on_begin)(void *user, int epoch, int epochs);
    bool (*on_step)(void *user, const tg_fit_step *step);
    bool (*on_epoch)(void *user, const tg_fit_epoch *epoch);
    void *user;
} tg_fit_options;

/** 10 epochs of batches of 128, shuffled. */
TG_API tg_fit_options tg_fit_defaults(void);

/** Trains. TG_ERROR_STOPPED if a callback stopped it, TG_ERROR_NONFINITE if a step diverged (nothing of that step was kept, and
    tg_model_find_nonfinite() tells where); other failures as in tg_model_train(). tg_model_error() has the sentence. */
TG_API TG_MUST_USE tg_status tg_fit(tg_model *model, tg_rows train, tg_fit_options options);

TG_END_DECLS

#endif
