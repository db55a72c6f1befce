#include "train/fit.h"

#include <time.h>

#include "train/model_graph.h"
#include "train/permutation.h"

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

tg_fit_options tg_fit_defaults(void) { return (tg_fit_options){.epochs = 10, .batch = 128}; }

static tg_status stopped(tg_model *model) { return tg_model_fail(model, TG_ERROR_STOPPED, "training was stopped by a callback"); }

/* The batches of one epoch; of the first only those that are not done yet, whose scores go on. */
static tg_status run_steps(tg_model *model, tg_rows train, const tg_fit_options *options, const int32_t *order,
                           tg_fit_epoch *epoch)
{
    int64_t done = epoch->epoch == options->first_epoch ? options->first_step : 0;
    tg_status status = done > 0 ? TG_OK : tg_model_reset_scores(model);
    for (int64_t step = done; status == TG_OK && step < epoch->steps; step++) {
        int64_t first = step * options->batch, left = train.count - first;
        if (options->schedule)
            tg_model_set_learning_rate(model, tg_schedule_rate(options->schedule, (epoch->epoch - 1) * epoch->steps + step));
        status = tg_model_train(model, train, order + first, left < options->batch ? left : options->batch);
        tg_fit_step report = {epoch->epoch, epoch->epochs, step + 1, epoch->steps};
        if (status == TG_OK && options->on_step && !options->on_step(options->user, &report))
            status = stopped(model);
    }
    return status;
}

static tg_status run_epoch(tg_model *model, tg_rows train, const tg_fit_options *options, int32_t *order, tg_fit_epoch *epoch)
{
    if (options->on_begin && !options->on_begin(options->user, epoch->epoch, epoch->epochs))
        return stopped(model);
    if (!options->in_order)
        tg_permutation(options->seed, "fit/order", (uint64_t)epoch->epoch, order, (int32_t)train.count);
    double start = now();
    tg_status status = run_steps(model, train, options, order, epoch);
    epoch->seconds = now() - start;
    epoch->learning_rate = tg_model_learning_rate(model);
    if (status == TG_OK)
        status = tg_model_read_scores(model, &epoch->train);
    if (status == TG_OK && options->validation.count > 0)
        status = tg_model_evaluate(model, options->validation, &epoch->validation, NULL);
    epoch->total_seconds = now() - start;
    if (status == TG_OK && options->on_epoch && !options->on_epoch(options->user, epoch))
        status = stopped(model);
    return status;
}

tg_status tg_fit(tg_model *model, tg_rows train, tg_fit_options options)
{
    if (train.count > 0 && options.batch > train.count)
        options.batch = train.count;
    tg_status status = tg_model_prepare(model, train, options.batch);
    if (status != TG_OK)
        return status;
    int64_t steps = (train.count + options.batch - 1) / options.batch;
    if (options.first_epoch < 0 || options.first_step < 0 || options.first_step > steps)
        return tg_model_fail(model, TG_ERROR_ARGUMENT, "training can only go on from an epoch, and a step of it, that it has");
    if (options.first_epoch == 0)
        options.first_epoch = 1;
    tg_context *context = tg_variables_context(tg_model_variables(model));
    size_t bytes = (size_t)train.count * sizeof(int32_t);
    int32_t *order = tg_allocate(context, bytes);
    if (!order)
        return tg_model_fail(model, TG_ERROR_MEMORY, NULL);
    for (int32_t i = 0; i < train.count; i++)
        order[i] = i;
    for (int epoch = options.first_epoch; status == TG_OK && epoch <= options.epochs; epoch++) {
        tg_fit_epoch report = {.epoch = epoch, .epochs = options.epochs, .steps = steps};
        status = run_epoch(model, train, &options, order, &report);
    }
    tg_release(context, order, bytes);
    return status;
}
