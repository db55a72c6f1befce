/* Keras's callbacks that look at a figure after each epoch: EarlyStopping and ReduceLROnPlateau, and a copy of the best weights.
   They are plain state, to be called from tg_fit_options.on_epoch; a checkpoint may keep them as they are. */
#ifndef TG_TRAIN_CALLBACKS_H
#define TG_TRAIN_CALLBACKS_H

#include "graph/variables.h"

TG_BEGIN_DECLS

/** The best figure so far. */
typedef struct tg_best {
    bool larger;      /**< larger figures are better, as accuracies are; else smaller ones, as losses are */
    double min_delta; /**< a figure must be better by more than this */
    double value;
    int epoch; /**< that had it, from 1; 0: none yet */
    int wait;  /**< epochs since then, as the callback counts them */
} tg_best;

/** Keras's EarlyStopping: training stops when `patience` epochs in a row were no better. */
typedef struct tg_early_stopping {
    int patience;
    int start_from_epoch; /**< so many epochs are not looked at */
    tg_best best;
} tg_early_stopping;

typedef enum tg_early_stopping_answer {
    TG_EPOCH_BEST, /**< the best so far: worth keeping the weights */
    TG_EPOCH_WAIT, /**< no better, or not looked at */
    TG_EPOCH_STOP  /**< no better, and patience is over */
} tg_early_stopping_answer;

/** Keras's defaults but for patience: smaller figures are better, min_delta 0. */
TG_API tg_early_stopping tg_early_stopping_make(int patience);
/** To be called once after each epoch, from 1, with its figure. A NaN is never better, nor the best if it is the first. */
TG_API tg_early_stopping_answer tg_early_stopping_look(tg_early_stopping *stopping, int epoch, double figure);

/** Keras's ReduceLROnPlateau: the learning rate is multiplied by `factor` when `patience` epochs in a row were no better. */
typedef struct tg_plateau {
    double factor;
    int patience;
    double smallest; /**< the rate does not go below it */
    int cooldown;    /**< epochs after a reduction that do not count */
    int cooling;     /**< how many of them are left */
    tg_best best;
} tg_plateau;

/** Keras's defaults but for patience: factor 0.1, smallest rate 0, no cooldown, smaller figures are better, min_delta 1e-4. */
TG_API tg_plateau tg_plateau_make(int patience);
/** To be called once after each epoch, from 1, with its figure and rate: the rate of the next epoch. */
TG_API double tg_plateau_look(tg_plateau *plateau, int epoch, double figure, double rate);

/** A copy of all trainable variables of a store. */
typedef struct tg_weights tg_weights;

/** Copies them. NULL if memory is out. The store must outlive the copy. */
TG_API tg_weights *tg_weights_copy(tg_variables *variables);
/** Copies them anew, over the former copy. The store must have the same variables as then, and may have more, which are left
    out. */
TG_API void tg_weights_update(tg_weights *weights);
/** Writes them back. */
TG_API TG_MUST_USE tg_status tg_weights_restore(const tg_weights *weights);
TG_API void tg_weights_free(tg_weights *weights);

TG_END_DECLS

#endif
