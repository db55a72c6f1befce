#include "train/rate_finder.h"

#include <math.h>

#include "train/model_graph.h"
#include "train/permutation.h"

tg_rate_finder_options tg_rate_finder_defaults(void)
{
    return (tg_rate_finder_options){
        .lowest = 1e-6, .highest = 10, .steps = 701, .batch = 128, .smoothing = 0.95, .stop_factor = 4};
}

/* ---- the suggestion ---- */

static int least_smoothed(const tg_rate_point *points, int count)
{
    int least = -1;
    for (int i = 0; i < count; i++)
        if (!isnan(points[i].smoothed) && (least < 0 || points[i].smoothed < points[least].smoothed))
            least = i;
    return least;
}

/* The slope of the line that fits the points [first, end) best. */
static double slope_of(const tg_rate_point *points, int first, int end)
{
    double n = end - first, x = 0, y = 0, xx = 0, xy = 0;
    for (int i = first; i < end; i++) {
        x += log(points[i].rate) / n;
        y += points[i].smoothed / n;
    }
    for (int i = first; i < end; i++) {
        double dx = log(points[i].rate) - x;
        xx += dx * dx;
        xy += dx * (points[i].smoothed - y);
    }
    return xx > 0 ? xy / xx : 0;
}

int tg_rate_suggest(const tg_rate_point *points, int count)
{
    int least = least_smoothed(points, count), reach = count / 40 > 1 ? count / 40 : 1, steepest = -1;
    double fall = 0;
    for (int i = count / 10 > reach ? count / 10 : reach; i <= least; i++) {
        double slope = slope_of(points, i - reach, i + reach + 1 < count ? i + reach + 1 : count);
        if (slope < fall) {
            fall = slope;
            steepest = i;
        }
    }
    return steepest;
}

/* ---- what a sweep must leave as it was ---- */

static tg_status restore(tg_variables *variables, const tg_variables *before)
{
    tg_status status = TG_OK;
    tg_variables_hold(before);
    for (int i = 0; status == TG_OK && i < tg_variables_count(before); i++) {
        const tg_variable_info *variable = tg_variables_at(before, i);
        status = tg_variables_write(variables, variable->name, tg_variables_values(before, variable),
                                    (size_t)tg_type_bytes(variable->type));
    }
    tg_variables_release(before);
    tg_variables_set_step(variables, tg_variables_step(before));
    return status;
}

/* ---- the sweep ---- */

/* The rows of the steps: one order after another, of each as many whole batches as it has. */
typedef struct rows_order {
    int32_t *order;
    int64_t count, next;
    uint64_t round;
} rows_order;

static const int32_t *next_batch(rows_order *rows, const tg_rate_finder_options *options)
{
    if (rows->round == 0 || rows->next + options->batch > rows->count) {
        tg_permutation(options->seed, "rate_finder/order", ++rows->round, rows->order, (int32_t)rows->count);
        rows->next = 0;
    }
    rows->next += options->batch;
    return rows->order + rows->next - options->batch;
}

/* Trains a step and adds its point. */
static tg_status sweep_step(tg_model *model, tg_rows data, const tg_rate_finder_options *options, const int32_t *indices,
                            tg_rate_sweep *sweep)
{
    tg_rate_point *point = &sweep->points[sweep->count];
    double share = (double)sweep->count / (options->steps - 1), kept = options->smoothing;
    double sum = sweep->count ? point[-1].smoothed * (1 - pow(kept, sweep->count)) : 0;
    tg_scores scores;
    point->rate = options->lowest * pow(options->highest / options->lowest, share);
    tg_model_set_learning_rate(model, point->rate);
    tg_status status = tg_model_reset_scores(model);
    if (status == TG_OK)
        status = tg_model_train(model, data, indices, options->batch);
    if (status == TG_OK)
        status = tg_model_read_scores(model, &scores);
    if (status != TG_OK)
        return status;
    point->loss = scores.loss;
    point->smoothed = (kept * sum + (1 - kept) * scores.loss) / (1 - pow(kept, sweep->count + 1));
    sweep->count++;
    sweep->least = least_smoothed(sweep->points, sweep->count);
    return TG_OK;
}

static tg_status run_sweep(tg_model *model, tg_rows data, const tg_rate_finder_options *options, rows_order *rows,
                           tg_rate_sweep *sweep)
{
    tg_status status = TG_OK;
    while (status == TG_OK && sweep->count < options->steps && !sweep->diverged) {
        status = sweep_step(model, data, options, next_batch(rows, options), sweep);
        if (status == TG_ERROR_NONFINITE) {
            sweep->diverged = true;
            return TG_OK;
        }
        if (status == TG_OK && options->on_step && !options->on_step(options->user, sweep->count, options->steps))
            status = tg_model_fail(model, TG_ERROR_STOPPED, "the sweep of learning rates was stopped by a callback");
        if (status == TG_OK)
            sweep->diverged = sweep->least < 0 || !(sweep->points[sweep->count - 1].smoothed <=
                                                    options->stop_factor * sweep->points[sweep->least].smoothed);
    }
    return status;
}

static tg_status check_options(tg_model *model, const tg_rate_finder_options *o)
{
    bool sound = o->lowest > 0 && o->highest > o->lowest && isfinite(o->highest) && o->steps >= 2 && o->smoothing >= 0 &&
                 o->smoothing < 1 && o->stop_factor > 1;
    return sound ? TG_OK
                 : tg_model_fail(
                       model, TG_ERROR_ARGUMENT,
                       "a sweep of learning rates takes 2 steps or more from a rate above 0 to a higher one, smoothing in "
                       "[0, 1) and a stop factor above 1");
}

tg_status tg_find_learning_rate(tg_model *model, tg_rows data, tg_rate_finder_options options, tg_rate_sweep *sweep)
{
    tg_variables *variables = tg_model_variables(model);
    *sweep = (tg_rate_sweep){.context = tg_variables_context(variables), .suggested = -1, .least = -1};
    if (data.count > 0 && options.batch > data.count)
        options.batch = data.count;
    tg_status status = check_options(model, &options);
    if (status == TG_OK)
        status = tg_model_prepare(model, data, options.batch);
    if (status != TG_OK)
        return status;
    double rate = tg_model_learning_rate(model);
    size_t bytes = (size_t)data.count * sizeof(int32_t);
    rows_order rows = {.order = tg_allocate(sweep->context, bytes), .count = data.count};
    sweep->capacity = options.steps;
    sweep->points = tg_allocate(sweep->context, (size_t)options.steps * sizeof *sweep->points);
    tg_variables *before = tg_variables_cast(variables, tg_variables_float(variables));
    if (!rows.order || !sweep->points || !before) {
        status = tg_model_fail(model, TG_ERROR_MEMORY, NULL);
    } else {
        status = run_sweep(model, data, &options, &rows, sweep);
        tg_status restored = restore(variables, before);
        if (status == TG_OK && restored != TG_OK)
            status = tg_model_fail(model, restored, NULL);
    }
    sweep->suggested = tg_rate_suggest(sweep->points, sweep->count);
    tg_model_set_learning_rate(model, rate);
    tg_variables_free(before);
    tg_release(sweep->context, rows.order, bytes);
    if (status != TG_OK)
        tg_rate_sweep_free(sweep);
    return status;
}

void tg_rate_sweep_free(tg_rate_sweep *sweep)
{
    tg_release(sweep->context, sweep->points, (size_t)sweep->capacity * sizeof *sweep->points);
    *sweep = (tg_rate_sweep){.context = sweep->context, .suggested = -1, .least = -1};
}
