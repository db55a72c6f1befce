#include "models/course.h"

course course_make(const settings *s, double rate, int64_t steps)
{
    bool whole = s->schedule == TG_SCHEDULE_COSINE || s->schedule == TG_SCHEDULE_ONE_CYCLE;
    int64_t left = s->epochs * steps - s->warmup;
    course c = {.scheduled = s->schedule != TG_SCHEDULE_CONSTANT || s->warmup > 0,
                .stops = s->early_stopping >= 0,
                .reduces = s->reduce_on_plateau >= 0,
                .schedule = {.kind = (tg_schedule_kind)s->schedule,
                             .rate = rate,
                             .decay_steps = whole ? (left > 1 ? left : 1) : s->decay_epochs * steps,
                             .decay_rate = s->decay_rate,
                             .warmup_steps = s->warmup},
                .stopping = tg_early_stopping_make((int)s->early_stopping),
                .plateau = tg_plateau_make((int)s->reduce_on_plateau)};
    return c;
}

/* Keeps the weights of the best epoch; false if that is impossible, or if training should stop. */
static bool look_for_stop(course *c, tg_model *model, const tg_fit_epoch *epoch)
{
    tg_early_stopping_answer answer = tg_early_stopping_look(&c->stopping, epoch->epoch, epoch->validation.loss);
    if (answer == TG_EPOCH_BEST && c->best)
        tg_weights_update(c->best);
    else if (answer == TG_EPOCH_BEST)
        c->best = tg_weights_copy(tg_model_variables(model));
    c->failed = !c->best && answer == TG_EPOCH_BEST;
    if (answer == TG_EPOCH_STOP)
        c->stopped = epoch->epoch;
    return !c->failed && !c->stopped;
}

static void look_for_plateau(course *c, const console *out, tg_model *model, const tg_fit_epoch *epoch)
{
    double rate = tg_model_learning_rate(model);
    double next = tg_plateau_look(&c->plateau, epoch->epoch, epoch->validation.loss, rate);
    tg_model_set_learning_rate(model, next);
    if (next < rate)
        console_say(out, "Epoch %d: ReduceLROnPlateau reducing learning rate to %.6g.", epoch->epoch, next);
}

bool course_epoch(course *c, const console *out, tg_model *model, const tg_fit_epoch *epoch)
{
    c->last = epoch->epoch;
    if (c->reduces)
        look_for_plateau(c, out, model, epoch);
    return !c->stops || look_for_stop(c, model, epoch);
}

void course_again(course *c, double rate, const tg_history *history)
{
    for (int i = 0; i < history->count; i++) {
        double figure = history->rows[i].val_loss;
        c->last = i + 1;
        if (c->reduces)
            rate = tg_plateau_look(&c->plateau, c->last, figure, rate);
        if (c->stops && tg_early_stopping_look(&c->stopping, c->last, figure) == TG_EPOCH_STOP)
            c->stopped = c->last;
    }
}

tg_status course_end(course *c, const console *out)
{
    if (c->stopped)
        console_say(out, "Epoch %d: early stopping", c->stopped);
    if (!c->best || c->stopping.best.epoch == c->last)
        return TG_OK;
    console_say(out, "Restoring model weights from the end of the best epoch: %d.", c->stopping.best.epoch);
    return tg_weights_restore(c->best);
}

void course_free(course *c)
{
    tg_weights_free(c->best);
    c->best = NULL;
}
