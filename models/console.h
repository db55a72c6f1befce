/* What the MNIST programs say: text for people, the results alone, or JSON lines. */
#ifndef MODELS_CONSOLE_H
#define MODELS_CONSOLE_H

#include "exec/plan.h"
#include "train/fit.h"
#include "train/gradient_check.h"
#include "train/mnist.h"
#include "train/progress_bar.h"

typedef enum console_style {
    STYLE_FULL,
    STYLE_QUIET, /**< results alone */
    STYLE_JSON
} console_style;

typedef struct console {
    const char *program; /**< begins each message on standard error */
    console_style style;
    bool ascii;          /**< the locale's encoding is not UTF-8 */
    bool unread_is_fine; /**< where nobody reads standard output any more, the rest of it goes nowhere, and that is no failure */
    bool unread;         /**< it ended with that, which is not to be said */
    bool output_lost;    /**< standard output failed, and that has been said unless it is unread */
    int write_error;     /**< the first errno of it that is known; 0: none */
    bool color;          /**< standard output is a terminal, and $NO_COLOR is not set */
    bool rate;           /**< epochs are shown with their learning rate */
    bool redraw;         /**< epochs are shown by a progress bar: set it for a terminal and the full style alone */
    tg_progress_bar bar;
} console;

/** What a run was, for its results. */
typedef struct run_facts {
    const char *model; /**< "fcnn" */
    const tg_context *context;
    const tg_mnist *data;
    uint64_t seed;
    const char *const *classes; /**< their names; NULL: digits */
} run_facts;

/** The full style. Call it before any file is opened and before anything is written to standard output, which it gives a large
    buffer. */
console console_make(const char *program);
/** One sentence on standard error: "program: ...". */
void console_complain(const console *c, const char *format, ...) TG_PRINTF(2, 3);
/** Whether all that was written has reached standard output; complains once if not. A reader that has closed its end of a pipe is no
    reason to complain: see `unread_is_fine`. */
bool console_flushed(console *c);
/** Whether standard output can be written to at all, which is to be asked before work is done for its sake; complains if not. */
bool console_ready(console *c);
/** The exit status of a program whose own is `code`: as if SIGPIPE had ended it, if it failed since nobody reads its output. */
int console_status(const console *c, int code);

/** Columns of the terminal; if standard output is none: more than any line has. */
int console_columns(void);

/** A line for people: nothing in other styles. */
void console_say(const console *c, const char *format, ...) TG_PRINTF(2, 3);
/** Version, instruction set, threads, source of the data; a loud word if that is synthetic. */
void console_start(const console *c, const run_facts *facts);
/** The shapes of the three parts; `flat`: also as the network takes them. */
void console_shapes(const console *c, const tg_rows parts[3], bool flat);
/** The first `count` images with their labels, by the names of the classes if there are any, as many beside one another as the window
    is wide. */
void console_samples(const console *c, tg_rows images, int count, const char *const *classes);
/** The model's table. */
void console_summary(const console *c, const char *model, tg_tensor output);
void console_memory(const console *c, int64_t batch, tg_plan_info info);
void console_epoch_begin(console *c, int epoch, int epochs);
/** To be called after each step: whether console_step() is due. */
bool console_step_due(console *c);
/** Redraws the progress bar with the scores so far. */
void console_step(console *c, const tg_fit_step *step, tg_scores scores);
void console_epoch(console *c, const tg_fit_epoch *epoch);
/** A table of the worst elements of the variables. */
void console_gradients(const console *c, const tg_variables *variables, const tg_model_check *check, int64_t images);
/** Ends the line of an epoch that is not. */
void console_epoch_leave(console *c);
/** Keras's line about an evaluation of `steps` batches. */
void console_evaluation(const console *c, int64_t steps, double seconds, tg_scores scores);
/** What must be said with every result of drawn digits; NULL of others. */
const char *console_synthetic_note(const run_facts *facts);
void console_results(const console *c, const run_facts *facts, tg_scores scores, const int64_t *confusion);

#endif
