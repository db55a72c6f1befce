/* Lines about training's progress, as Keras writes them. */
#ifndef TG_TRAIN_PROGRESS_H
#define TG_TRAIN_PROGRESS_H

#include <stdio.h>

#include "graph/status.h"

TG_BEGIN_DECLS

typedef struct tg_progress_value {
    const char *name; /**< "val_loss" */
    double value;
} tg_progress_value;

typedef struct tg_progress {
    int64_t step, steps;     /**< steps 0: not known, as Keras writes "12/Unknown" */
    double seconds;          /**< since the epoch began */
    double seconds_per_step; /**< of a training step */
    int n_values;
    const tg_progress_value *values;
} tg_progress;

/** Keras's verbose=2 line: "391/391 - 0s - 1ms/step - accuracy: 0.7918 - loss: 0.9677\n". TG_ERROR_IO if `out` fails. */
TG_API TG_MUST_USE tg_status tg_progress_line(FILE *out, const tg_progress *progress);
/** Keras's time per step: "1ms/step", "834us/step", "2s/step". Writes at most `size` bytes with the zero and returns `text`. */
TG_API char *tg_step_time_text(double seconds, char *text, size_t size);
/** Keras's figures: four decimals, or "9.8765e-04" where fewer than four digits would show. The same. */
TG_API char *tg_figure_text(double value, char *text, size_t size);

TG_END_DECLS

#endif
