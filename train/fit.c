#include "train/fit.h"

#include <math.h>

#include "exec/clock.h"
#include "graph/number_text.h"
#include "train/model_graph.h"

/* What a loss that explodes soon passes, and one that recovers does not. */
#define DIVERGENCE 1e6

static double now(void) { return 1e-9 * (double)tg_clock(); }

tg_fit_options tg_fit_defaults(void) { return (tg_fit_options){.epochs = 10, .batch = 128}; }

typedef struct fit {
    tg_model *model;
    const tg_source *source;
    const tg_fit_options *options;
    tg_fit_step last;
    bool measured;
    double first_loss; /* of the first step, once measured */
} fit;

static tg_status stopped(fit *f) { return tg_model_fail(f->model, TG_ERROR_STOPPED, "training was stopped by a callback"); }

/* Of a run that goes on within an epoch it is the epoch's mean so far. */
static tg_status note_first_loss(fit *f)
{
    tg_scores scores;
    if (f->measured)
        return TG_OK;
    tg_status status = tg_model_read_scores(f->model, &scores);
    f->measured = true;
    f->first_loss = status == TG_OK ? scores.loss : 0;
    return status;
}

static tg_status check_loss(fit *f, double loss)
{
    char text[200];
    double factor = f->options->divergence > 0 ? f->options->divergence : DIVERGENCE, first = fabs(f->first_loss);
    if (!f->measured || !(fabs(loss) > factor * (first > 1 ? first : 1)))
        return TG_OK;
    tg_format(text, sizeof text,
              "the mean loss of epoch %d is %.3g, more than %g times that of the first step, %.3g: try a lower learning rate",
              f->last.epoch, loss, factor, f->first_loss);
    return tg_model_fail(f->model, TG_ERROR_DIVERGED, text);
}

static tg_status run_step(fit *f, tg_batch batch)
{
    const tg_fit_options *options = f->options;
    if (options->schedule)
        tg_model_set_learning_rate(f->model, tg_schedule_rate(options->schedule, f->last.run_step));
    tg_status status = tg_model_train_batch(f->model, batch);
    if (status != TG_OK)
        return status;
    f->last.step++;
    f->last.run_step++;
    status = note_first_loss(f);
    if (status != TG_OK)
        return status;
    return options->on_step && !options->on_step(options->user, &f->last) ? stopped(f) : TG_OK;
}

/* The batches of one epoch; of the first only those that are not done yet, whose scores go on. */
static tg_status run_steps(fit *f)
{
    tg_batch batch = {.indices = NULL};
    tg_status status = tg_model_begin_epoch(f->model, f->source, f->last.epoch, f->last.step);
    if (status == TG_OK && f->last.step == 0)
        status = tg_model_reset_scores(f->model);
    while (status == TG_OK) {
        status = tg_model_next_batch(f->model, f->source, f->last.step, &batch);
        if (status != TG_OK || tg_batch_size(&batch) == 0)
            return status;
        status = run_step(f, batch);
    }
    return status;
}

static tg_status validate(fit *f, tg_scores *scores)
{
    const tg_fit_options *options = f->options;
    if (options->validation_source)
        return tg_model_evaluate_source(f->model, options->validation_source, scores, NULL);
    return options->validation.count > 0 ? tg_model_evaluate(f->model, options->validation, scores, NULL) : TG_OK;
}

static tg_status run_epoch(fit *f)
{
    const tg_fit_options *options = f->options;
    tg_fit_epoch epoch = {.epoch = f->last.epoch, .epochs = f->last.epochs};
    tg_status status = tg_model_check_cancelled(f->model);
    if (status != TG_OK)
        return status;
    if (options->on_begin && !options->on_begin(options->user, epoch.epoch, epoch.epochs))
        return stopped(f);
    double start = now();
    status = run_steps(f);
    epoch.steps = f->last.step;
    epoch.seconds = now() - start;
    epoch.learning_rate = tg_model_learning_rate(f->model);
    if (status == TG_OK)
        status = tg_model_read_scores(f->model, &epoch.train);
    if (status == TG_OK)
        status = check_loss(f, epoch.train.loss);
    if (status == TG_OK)
        status = validate(f, &epoch.validation);
    epoch.total_seconds = now() - start;
    if (status == TG_OK && options->on_epoch && !options->on_epoch(options->user, &epoch))
        status = stopped(f);
    return status;
}

static tg_status check_place(tg_model *model, const tg_source *source, const tg_fit_options *options)
{
    int64_t most = source->steps > 0 ? source->steps : INT64_MAX;
    if (options->first_epoch < 0 || options->first_step < 0 || options->first_step > most || options->steps_before < 0)
        return tg_model_fail(model, TG_ERROR_ARGUMENT, "training can only go on from an epoch, and a step of it, that it has");
    if (!(options->divergence >= 0))
        return tg_model_fail(model, TG_ERROR_ARGUMENT, "the factor by which the loss may grow must be 0 or more");
    if (!source->begin && (options->first_epoch > 1 || options->first_step > 0))
        return tg_model_fail(model, TG_ERROR_ARGUMENT,
                             "training cannot go on from a place: the data source has no function `begin` that finds it");
    return TG_OK;
}

tg_status tg_fit_source(tg_model *model, const tg_source *train, tg_fit_options options)
{
    tg_status status = tg_model_check_source(model, train);
    if (status == TG_OK)
        status = check_place(model, train, &options);
    if (status != TG_OK)
        return status;
    double start = now();
    int first = options.first_epoch > 0 ? options.first_epoch : 1;
    int64_t before = train->steps > 0 ? (first - 1) * train->steps + options.first_step : options.steps_before;
    fit f = {.model = model,
             .source = train,
             .options = &options,
             .last = {first, options.epochs, options.first_step, train->steps, before}};
    for (int epoch = first; status == TG_OK && epoch <= options.epochs; epoch++) {
        f.last.step = epoch == first ? options.first_step : 0;
        f.last.epoch = epoch;
        status = run_epoch(&f);
    }
    tg_fit_end end = {status, f.last, now() - start};
    if (options.on_end)
        options.on_end(options.user, &end);
    return status;
}

tg_status tg_fit(tg_model *model, tg_rows train, tg_fit_options options)
{
    tg_context *context = tg_variables_context(tg_model_variables(model));
    if (train.count > 0 && options.batch > train.count)
        options.batch = train.count;
    tg_status status = tg_model_prepare(model, train, options.batch);
    if (status != TG_OK)
        return status;
    tg_source *source = tg_rows_source_new(context, train, options.batch, options.in_order, options.seed);
    if (!source)
        return tg_model_fail(model, TG_ERROR_MEMORY, NULL);
    status = tg_fit_source(model, source, options);
    tg_rows_source_free(source);
    return status;
}
