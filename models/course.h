/* What changes a training's course by the flags: the learning rate's schedule, early stopping, reductions on a plateau. */
#ifndef MODELS_COURSE_H
#define MODELS_COURSE_H

#include "models/console.h"
#include "models/settings.h"
#include "train/callbacks.h"
#include "train/history.h"

typedef struct course {
    bool scheduled; /**< `schedule` is to be followed */
    bool stops, reduces;
    tg_schedule schedule;
    tg_early_stopping stopping;
    tg_plateau plateau;
    tg_weights *best; /**< of the best epoch, if `stops` and there was one */
    int stopped;      /**< the epoch after which training was stopped; 0: it was not */
    int last;         /**< the epoch that was seen last */
    bool failed;      /**< memory is out */
} course;

/** The course for training with this rate, in epochs of `steps` steps. */
course course_make(const settings *s, double rate, int64_t steps);
/** To be called after each epoch, when its line is written: false if training should stop. */
bool course_epoch(course *c, const console *out, tg_model *model, const tg_fit_epoch *epoch);
/** To be called instead for epochs that an earlier run had: all but `best` is then as it was after them. `rate`: before them. */
void course_again(course *c, double rate, const tg_history *history);
/** To be called after the last: brings the best epoch's weights back, as Keras's restore_best_weights does. */
TG_MUST_USE tg_status course_end(course *c, const console *out);
void course_free(course *c);

#endif
