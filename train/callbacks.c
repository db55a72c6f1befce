#include "train/callbacks.h"

#include <math.h>
#include <string.h>

/* ---- early stopping and plateaus ---- */

/* Whether the figure is the best so far, and then keeps it. The first one is, unless it is a NaN. */
static bool improves(tg_best *best, int epoch, double figure)
{
    bool better = best->larger ? figure - best->min_delta > best->value : figure + best->min_delta < best->value;
    if (isnan(figure) || (best->epoch > 0 && !better))
        return false;
    best->value = figure;
    best->epoch = epoch;
    return true;
}

tg_early_stopping tg_early_stopping_make(int patience) { return (tg_early_stopping){.patience = patience}; }

tg_early_stopping_answer tg_early_stopping_look(tg_early_stopping *stopping, int epoch, double figure)
{
    if (epoch <= stopping->start_from_epoch)
        return TG_EPOCH_WAIT;
    stopping->best.wait++;
    if (improves(&stopping->best, epoch, figure)) {
        stopping->best.wait = 0;
        return TG_EPOCH_BEST;
    }
    return stopping->best.wait >= stopping->patience ? TG_EPOCH_STOP : TG_EPOCH_WAIT;
}

tg_plateau tg_plateau_make(int patience)
{
    return (tg_plateau){.factor = 0.1, .patience = patience, .best = {.min_delta = 1e-4}};
}

double tg_plateau_look(tg_plateau *plateau, int epoch, double figure, double rate)
{
    if (plateau->cooling > 0) {
        plateau->cooling--;
        plateau->best.wait = 0;
    }
    if (improves(&plateau->best, epoch, figure)) {
        plateau->best.wait = 0;
        return rate;
    }
    if (plateau->cooling > 0 || ++plateau->best.wait < plateau->patience || rate <= plateau->smallest)
        return rate;
    plateau->cooling = plateau->cooldown;
    plateau->best.wait = 0;
    rate *= plateau->factor;
    return rate > plateau->smallest ? rate : plateau->smallest;
}

/* ---- copies of weights ---- */

struct tg_weights {
    tg_variables *variables;
    int count; /* of the store's variables at the time of the first copy */
    size_t bytes;
    char *values; /* of the trainable ones among them, one after another */
};

/* The size of the i-th variable's value; 0 if it is not trainable. */
static size_t weight_bytes(const tg_variables *variables, int i)
{
    const tg_variable_info *variable = tg_variables_at(variables, i);
    return variable->trainable ? (size_t)tg_type_bytes(variable->type) : 0;
}

void tg_weights_update(tg_weights *weights)
{
    char *to = weights->values;
    tg_variables_hold(weights->variables); /* all of one moment */
    for (int i = 0; i < weights->count; i++) {
        size_t bytes = weight_bytes(weights->variables, i);
        if (bytes > 0)
            memcpy(to, tg_variables_values(weights->variables, tg_variables_at(weights->variables, i)), bytes);
        to += bytes;
    }
    tg_variables_release(weights->variables);
}

tg_weights *tg_weights_copy(tg_variables *variables)
{
    tg_context *context = tg_variables_context(variables);
    tg_weights *weights = tg_allocate_zero(context, sizeof *weights);
    if (!weights)
        return NULL;
    weights->variables = variables;
    weights->count = tg_variables_count(variables);
    for (int i = 0; i < weights->count; i++)
        weights->bytes += weight_bytes(variables, i);
    weights->values = tg_allocate(context, weights->bytes);
    if (!weights->values) {
        tg_weights_free(weights);
        return NULL;
    }
    tg_weights_update(weights);
    return weights;
}

tg_status tg_weights_restore(const tg_weights *weights)
{
    const char *from = weights->values;
    tg_status status = TG_OK;
    for (int i = 0; status == TG_OK && i < weights->count; i++) {
        size_t bytes = weight_bytes(weights->variables, i);
        if (bytes > 0)
            status = tg_variables_write(weights->variables, tg_variables_at(weights->variables, i)->name, from, bytes);
        from += bytes;
    }
    return status;
}

void tg_weights_free(tg_weights *weights)
{
    if (!weights)
        return;
    tg_context *context = tg_variables_context(weights->variables);
    tg_release(context, weights->values, weights->bytes);
    tg_release(context, weights, sizeof *weights);
}
