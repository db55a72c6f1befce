/* Keras's verbose=1 progress bar, fitted to the terminal it is drawn on:
   "391/391 ━━━━━━━━━━━━━━━━━━━━ 0s 1ms/step - accuracy: 0.9134 - loss: 0.3295 - val_accuracy: 0.9314 - val_loss: 0.2486". */
#ifndef TG_TRAIN_PROGRESS_BAR_H
#define TG_TRAIN_PROGRESS_BAR_H

#include "train/progress.h"

TG_BEGIN_DECLS

typedef struct tg_bar_look {
    int width;  /**< of the window, in columns: a line takes one fewer, so that no terminal wraps it */
    bool ascii; /**< = and - for the bar's Unicode lines */
    bool color; /**< bold figures and a green bar, as Keras has them */
} tg_bar_look;

/** Bytes for any bar with up to 8 values. */
#define TG_BAR_SIZE 2048

/** Lays out the bar into `text` (cut at `size` with its zero) and returns `text`. Before the last step the time is what
    remains, by seconds_per_step, and values that do not fit are left out; at the last it is progress->seconds, and what does
    not fit goes to further lines. The bar itself has 20 columns, down to 10 where that makes room for a value, and fewer in a
    very narrow window. Without a known number of steps there is no bar, and the time is progress->seconds: finish with steps equal
    to step. */
TG_API char *tg_bar_text(const tg_progress *progress, tg_bar_look look, char *text, size_t size);

/** A bar on a terminal. */
typedef struct tg_progress_bar {
    FILE *out;
    tg_bar_look look;    /**< its width is found anew for each drawing */
    double begun, first; /**< when the bar began and when its first step ended, in seconds of a steady clock; first 0: not yet */
    double drawn;        /**< when it was drawn last */
    bool open;           /**< the cursor is on its line */
} tg_progress_bar;

/** Whether `out` is a terminal that can redraw a line ($TERM is not "dumb"). */
TG_API bool tg_terminal_can_redraw(FILE *out);
/** Columns of the terminal `out`; 80 if it does not tell. */
TG_API int tg_terminal_width(FILE *out);

/** A bar that begins now. Draws nothing yet. */
TG_API tg_progress_bar tg_progress_bar_begin(FILE *out, tg_bar_look look);
/** To be called after each step: whether a twentieth of a second has passed since the last drawing. Looks at the clock, no
    more. */
TG_API bool tg_progress_bar_due(tg_progress_bar *bar);
/** Draws the bar over its last drawing, also after the window has changed its width; times are the bar's own. Leaves the cursor
    at the line's begin, so that a window made narrower wraps nothing that will not be erased. TG_ERROR_IO if `out` fails. */
TG_API TG_MUST_USE tg_status tg_progress_bar_draw(tg_progress_bar *bar, int64_t step, int64_t steps,
                                                  const tg_progress_value *values, int n_values);
/** Draws the bar for the last time, with the times in `progress`, and ends its line. */
TG_API TG_MUST_USE tg_status tg_progress_bar_finish(tg_progress_bar *bar, const tg_progress *progress);
/** Ends the line of a bar that is not finished, as it was drawn last. */
TG_API void tg_progress_bar_leave(tg_progress_bar *bar);

TG_END_DECLS

#endif
