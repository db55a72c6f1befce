#include "train/model.h"

#include <stdio.h>
#include <string.h>

#include "train/metrics.h"
#include "train/model_plans.h"
#include "train/run_failure.h"

#define EVALUATION_BATCH 256

struct tg_model {
    tg_variables *variables;
    tg_model_options options;
    tg_where where;
    double rate;
    tg_model_plans plans;
    pthread_mutex_t words; /* of `error`, which any thread may write */
    char error[TG_MODEL_ERROR];
    char batch_error[TG_MODEL_ERROR]; /* what the plan of the last batch that failed said; predictions leave it alone */
};

tg_status tg_model_fail(tg_model *model, tg_status status, const char *text)
{
    pthread_mutex_lock(&model->words);
    snprintf(model->error, sizeof model->error, "%s", text && *text ? text : tg_status_text(status));
    pthread_mutex_unlock(&model->words);
    return status;
}

static tg_status fail_run(tg_model *model, const tg_compiled_stage *step, tg_status status)
{
    char text[TG_MODEL_ERROR];
    tg_model_plans_note(&model->plans, step);
    return tg_model_fail(model, status, tg_run_failure_text(step->plan, text, sizeof text));
}

/* Says more of a run that failed with TG_ERROR_RANGE, where it was for a row of this data. */
static tg_status explain_range(tg_model *model, tg_batch batch, tg_status status)
{
    char row[200], text[TG_MODEL_ERROR];
    if (status != TG_ERROR_RANGE || !tg_label_range_text(&model->options, batch, row, sizeof row))
        return status;
    snprintf(text, sizeof text, "model: %s: %.700s", row, model->batch_error);
    return tg_model_fail(model, status, text);
}

static bool begin_locks(tg_model *model)
{
    if (pthread_mutex_init(&model->words, NULL) != 0)
        return false;
    if (tg_model_plans_begin(&model->plans))
        return true;
    pthread_mutex_destroy(&model->words);
    return false;
}

tg_model *tg_model_new_at(tg_where where, tg_variables *variables, tg_model_options options)
{
    if (!variables || !options.network || !options.loss || options.evaluation_batch < 0 || options.classes < 0)
        return NULL;
    tg_model *model = tg_allocate_zero(tg_variables_context(variables), sizeof *model);
    if (!model)
        return NULL;
    tg_dtype working = tg_variables_float(variables);
    if (options.input.dtype == TG_FLOAT)
        options.input.dtype = working;
    if (options.target.dtype == TG_FLOAT)
        options.target.dtype = working;
    if (options.evaluation_batch == 0)
        options.evaluation_batch = EVALUATION_BATCH;
    model->variables = variables;
    model->options = options;
    model->where = where;
    model->rate = options.optimizer.learning_rate;
    model->plans = (tg_model_plans){.variables = variables, .options = &model->options, .where = where, .rate = &model->rate};
    if (begin_locks(model))
        return model;
    tg_release(tg_variables_context(variables), model, sizeof *model);
    return NULL;
}

void tg_model_free(tg_model *model)
{
    if (!model)
        return;
    tg_model_plans_end(&model->plans);
    pthread_mutex_destroy(&model->words);
    tg_release(tg_variables_context(model->variables), model, sizeof *model);
}

const char *tg_model_error(const tg_model *model) { return model->error; }

tg_variables *tg_model_variables(const tg_model *model) { return model->variables; }

const tg_model_options *tg_model_options_of(const tg_model *model) { return &model->options; }

tg_where tg_model_where(const tg_model *model) { return model->where; }

double tg_model_learning_rate(const tg_model *model) { return model->rate; }

void tg_model_set_learning_rate(tg_model *model, double rate) { model->rate = rate; }

/* ---- plans ---- */

/* To be given back. NULL, with the model's error and *status set. */
static tg_compiled_stage *take(tg_model *model, tg_model_key key, tg_status *status)
{
    char message[TG_MODEL_ERROR];
    tg_compiled_stage *plan = tg_model_plans_take(&model->plans, key, status, message);
    if (!plan)
        tg_model_fail(model, *status, message);
    return plan;
}

static void give_back(tg_model *model, tg_compiled_stage *plan) { tg_model_plans_give_back(&model->plans, plan); }

/* ---- batches ---- */

tg_status tg_model_check_cancelled(tg_model *model)
{
    if (!model->options.cancel || !tg_cancel_requested(model->options.cancel))
        return TG_OK;
    return tg_model_fail(model, TG_ERROR_STOPPED, "the model's work was cancelled");
}

int64_t tg_batch_size(const tg_batch *batch) { return batch->indices ? batch->index_count : batch->rows.count; }

tg_status tg_model_check_source(tg_model *model, const tg_source *source)
{
    if (source && source->next && source->steps >= 0)
        return TG_OK;
    return tg_model_fail(model, TG_ERROR_ARGUMENT, "a data source must have a function `next`, and steps from 0");
}

tg_status tg_model_begin_epoch(tg_model *model, const tg_source *source, int epoch, int64_t step)
{
    char message[TG_MESSAGE_SIZE] = "";
    tg_status status = source->begin ? source->begin(source->user, epoch, step, message) : TG_OK;
    return status == TG_OK ? TG_OK : tg_model_fail(model, status, message);
}

tg_status tg_model_next_batch(tg_model *model, const tg_source *source, int64_t step, tg_batch *batch)
{
    char message[TG_MESSAGE_SIZE] = "";
    *batch = (tg_batch){.indices = NULL};
    if (source->steps > 0 && step >= source->steps)
        return TG_OK;
    tg_status status = tg_model_check_cancelled(model);
    if (status != TG_OK)
        return status;
    status = source->next(source->user, batch, message);
    if (status != TG_OK)
        return tg_model_fail(model, status, message);
    if (tg_batch_size(batch) != 0 || (source->steps == 0 && step > 0))
        return TG_OK;
    snprintf(message, sizeof message, "the data source ended its epoch after %lld steps", (long long)step);
    if (source->steps > 0)
        snprintf(message, sizeof message, "the data source ended its epoch after %lld of %lld steps", (long long)step,
                 (long long)source->steps);
    return tg_model_fail(model, TG_ERROR_ARGUMENT, message);
}

static tg_status check_rows(tg_model *model, tg_rows data, int64_t batch, bool needs_targets)
{
    if (data.count < 0 || data.count > INT32_MAX || (data.count > 0 && (!data.x || (needs_targets && !data.y))))
        return tg_model_fail(model, TG_ERROR_ARGUMENT, "model: the data must have x, y and at most 2147483647 rows");
    if (batch < 1 || batch > data.count)
        return tg_model_fail(model, TG_ERROR_ARGUMENT,
                             "model: a batch must have at least one row, and no more than the data has");
    return TG_OK;
}

static const void *row_at(tg_type row, const void *rows, int64_t i)
{
    return (const char *)rows + (size_t)i * (size_t)tg_type_bytes(row);
}

/* Feeds rows [first, first + count) of the data to a graph's inputs; y only where it has one. */
static tg_status feed_rows(tg_model *model, const tg_compiled_stage *step, tg_rows data, int64_t first, int64_t count)
{
    tg_type x = model->options.input, y = model->options.target;
    tg_status status = tg_feed(step->plan, step->ends.x, row_at(x, data.x, first), (size_t)(count * tg_type_bytes(x)));
    if (status == TG_OK && step->ends.y.graph)
        status = tg_feed(step->plan, step->ends.y, row_at(y, data.y, first), (size_t)(count * tg_type_bytes(y)));
    return status;
}

/* Feeds and runs; a failure is the model's. */
static tg_status run_rows(tg_model *model, const tg_compiled_stage *step, tg_rows data, int64_t first, int64_t count)
{
    tg_status status = feed_rows(model, step, data, first, count);
    if (status == TG_OK)
        status = tg_run(step->plan);
    return status == TG_OK ? TG_OK : fail_run(model, step, status);
}

/* Runs what a stage does with a batch. */
static tg_status run_batch(tg_model *model, tg_model_stage stage, tg_batch batch)
{
    int64_t size = tg_batch_size(&batch);
    tg_status status = check_rows(model, batch.rows, size, true);
    if (status != TG_OK)
        return status;
    tg_compiled_stage *step = take(model, (tg_model_key){stage, batch.indices ? batch.rows.count : 0, size}, &status);
    if (!step)
        return status;
    if (batch.indices)
        memcpy(step->indices, batch.indices, (size_t)size * sizeof(int32_t));
    status = run_rows(model, step, batch.rows, 0, batch.rows.count);
    if (status != TG_OK)
        snprintf(model->batch_error, sizeof model->batch_error, "%s", tg_plan_error(step->plan));
    give_back(model, step);
    return explain_range(model, batch, status);
}

/* ---- training ---- */

/* Its plan, to be given back. */
static tg_compiled_stage *take_training(tg_model *model, tg_rows data, int64_t batch, tg_status *status)
{
    *status = check_rows(model, data, batch, true);
    return *status == TG_OK ? take(model, (tg_model_key){TG_STAGE_TRAINING, data.count, batch}, status) : NULL;
}

static tg_status prepare(tg_model *model, tg_rows data, int64_t batch)
{
    tg_status status;
    tg_compiled_stage *step = take_training(model, data, batch, &status);
    if (step)
        give_back(model, step);
    return status;
}

tg_status tg_model_prepare(tg_model *model, tg_rows data, int64_t batch)
{
    tg_status status = prepare(model, data, batch);
    return status == TG_OK && data.count % batch ? prepare(model, data, data.count % batch) : status;
}

tg_status tg_model_train(tg_model *model, tg_rows data, const int32_t *indices, int64_t batch)
{
    if (!indices)
        return tg_model_fail(model, TG_ERROR_ARGUMENT, "model: the indices of the rows to train on are NULL");
    return tg_model_train_batch(model, (tg_batch){data, indices, batch});
}

tg_status tg_model_train_batch(tg_model *model, tg_batch batch) { return run_batch(model, TG_STAGE_TRAINING, batch); }

/* ---- scores ---- */

tg_status tg_model_reset_scores(tg_model *model)
{
    static const char *const metrics[] = {TG_MODEL_LOSS, TG_MODEL_ACCURACY, TG_MODEL_METRIC, TG_MODEL_CONFUSION};
    for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++) {
        tg_status status = tg_metric_reset(model->variables, metrics[i]);
        if (status != TG_OK)
            return tg_model_fail(model, status, NULL);
    }
    return TG_OK;
}

tg_status tg_model_read_scores(tg_model *model, tg_scores *scores)
{
    *scores = (tg_scores){.loss = 0};
    tg_status status = tg_metric_read_mean(model->variables, TG_MODEL_LOSS, &scores->loss);
    if (status == TG_OK && model->options.classes > 0)
        status = tg_metric_read_mean(model->variables, TG_MODEL_ACCURACY, &scores->accuracy);
    if (status == TG_OK && model->options.metric)
        status = tg_metric_read_mean(model->variables, TG_MODEL_METRIC, &scores->metric);
    return status == TG_OK ? TG_OK : tg_model_fail(model, status, "model: there are no scores before the first step");
}

/* What the training scores have come to, to be put back. A state that is not there yet counts as 0. */
static const char *const training_states[] = {"metrics/" TG_MODEL_LOSS "/total",     "metrics/" TG_MODEL_LOSS "/count",
                                              "metrics/" TG_MODEL_ACCURACY "/total", "metrics/" TG_MODEL_ACCURACY "/count",
                                              "metrics/" TG_MODEL_METRIC "/total",   "metrics/" TG_MODEL_METRIC "/count"};
enum { TRAINING_STATES = sizeof training_states / sizeof *training_states };

static void keep_scores(const tg_model *model, double kept[TRAINING_STATES])
{
    for (int i = 0; i < TRAINING_STATES; i++)
        if (tg_variables_read(model->variables, training_states[i], &kept[i], sizeof kept[i]) != TG_OK)
            kept[i] = 0;
}

static void put_scores_back(tg_model *model, const double kept[TRAINING_STATES])
{
    for (int i = 0; i < TRAINING_STATES; i++)
        (void)!tg_variables_write(model->variables, training_states[i], &kept[i], sizeof kept[i]); /* those that are there */
}

static int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

/* The scores of an epoch of batches, into the store. */
static tg_status evaluate_epoch(tg_model *model, const tg_source *source)
{
    tg_batch batch = {.indices = NULL};
    tg_status status = tg_model_reset_scores(model);
    if (status == TG_OK)
        status = tg_model_begin_epoch(model, source, 1, 0);
    for (int64_t step = 0; status == TG_OK; step++) {
        status = tg_model_next_batch(model, source, step, &batch);
        if (status != TG_OK || tg_batch_size(&batch) == 0)
            return status;
        status = run_batch(model, TG_STAGE_EVALUATION, batch);
    }
    return status;
}

tg_status tg_model_evaluate_source(tg_model *model, const tg_source *source, tg_scores *scores, int64_t *confusion)
{
    double kept[TRAINING_STATES];
    if (confusion && model->options.classes == 0)
        return tg_model_fail(model, TG_ERROR_ARGUMENT, "model: only a classifier has a confusion matrix");
    tg_status status = tg_model_check_source(model, source);
    if (status != TG_OK)
        return status;
    keep_scores(model, kept);
    uint64_t step = tg_variables_step(model->variables);
    status = evaluate_epoch(model, source);
    tg_variables_set_step(model->variables, step);
    if (status == TG_OK)
        status = tg_model_read_scores(model, scores);
    if (status == TG_OK && confusion) {
        status = tg_metric_read_confusion(model->variables, TG_MODEL_CONFUSION, confusion, model->options.classes);
        if (status != TG_OK)
            tg_model_fail(model, status, NULL);
    }
    if (status != TG_OK)
        put_scores_back(model, kept);
    return status;
}

/* Rows in their order, lent where they lie. */
typedef struct slices {
    const tg_model *model;
    tg_rows rows;
    int64_t first, batch;
} slices;

static tg_status next_slice(void *user, tg_batch *batch, char *message)
{
    slices *s = user;
    (void)message;
    batch->rows = (tg_rows){.x = row_at(s->model->options.input, s->rows.x, s->first),
                            .y = row_at(s->model->options.target, s->rows.y, s->first),
                            .count = smaller(s->batch, s->rows.count - s->first)};
    s->first += s->batch;
    return TG_OK;
}

tg_status tg_model_evaluate(tg_model *model, tg_rows data, tg_scores *scores, int64_t *confusion)
{
    slices s = {.model = model, .rows = data, .batch = smaller(model->options.evaluation_batch, data.count)};
    tg_status status = check_rows(model, data, s.batch, true);
    if (status != TG_OK)
        return status;
    tg_source source = {.next = next_slice, .steps = (data.count + s.batch - 1) / s.batch, .user = &s};
    status = tg_model_evaluate_source(model, &source, scores, confusion);
    return explain_range(model, (tg_batch){.rows = data}, status);
}

/* ---- prediction ---- */

tg_status tg_model_prediction(tg_model *model, tg_type *type)
{
    tg_status status;
    tg_compiled_stage *one = take(model, (tg_model_key){TG_STAGE_PREDICTION, 0, 1}, &status);
    if (!one)
        return status;
    tg_type rows = tg_tensor_type(one->ends.output);
    give_back(model, one);
    *type = (tg_type){.dtype = rows.dtype, .shape = tg_shape_make(rows.shape.rank - 1, rows.shape.dims + 1)};
    return TG_OK;
}

/* Predicts rows [first, first + batch) of x into `predictions`, which begins with row 0's. */
static tg_status predict_batch(tg_model *model, const void *x, int64_t first, int64_t batch, void *predictions)
{
    tg_status status;
    tg_compiled_stage *step = take(model, (tg_model_key){TG_STAGE_PREDICTION, 0, batch}, &status);
    if (!step)
        return status;
    status = run_rows(model, step, (tg_rows){.x = x, .count = first + batch}, first, batch);
    if (status == TG_OK) {
        size_t bytes = (size_t)tg_type_bytes(tg_tensor_type(step->ends.output)), row = bytes / (size_t)batch;
        status = tg_read(step->plan, step->ends.output, (char *)predictions + (size_t)first * row, bytes);
        status = status == TG_OK ? TG_OK : fail_run(model, step, status);
    }
    give_back(model, step);
    return status;
}

tg_status tg_model_predict(tg_model *model, const void *x, int64_t count, void *predictions, size_t bytes)
{
    tg_type row = {.dtype = TG_F32};
    tg_status status = tg_model_prediction(model, &row);
    if (status != TG_OK)
        return status;
    if (count < 0 || bytes != (size_t)(count * tg_type_bytes(row)))
        return tg_model_fail(model, TG_ERROR_ARGUMENT,
                             "model: the bytes for predictions are not count rows of what tg_model_prediction() says");
    for (int64_t first = 0, batch; status == TG_OK && first < count; first += batch) {
        batch = smaller(model->options.evaluation_batch, count - first);
        status = tg_model_check_cancelled(model);
        if (status == TG_OK)
            status = predict_batch(model, x, first, batch, predictions);
    }
    return status;
}

/* ---- looking inside ---- */

tg_status tg_model_find_nonfinite(tg_model *model, tg_nonfinite *found)
{
    const tg_compiled_stage *failed = tg_model_plans_failed(&model->plans);
    if (!failed)
        return tg_model_fail(model, TG_ERROR_ARGUMENT, "model: no run has failed");
    tg_status status = tg_find_nonfinite(failed->plan, found);
    return status == TG_OK ? TG_OK : tg_model_fail(model, status, tg_plan_error(failed->plan));
}

const tg_graph *tg_model_failed_graph(const tg_model *model)
{
    const tg_compiled_stage *failed = tg_model_plans_failed((tg_model_plans *)&model->plans); /* for its lock */
    return failed ? failed->ends.graph : NULL;
}

tg_graph *tg_model_record(tg_model *model, tg_model_stage stage, int64_t rows, int64_t batch, tg_tensor *output)
{
    tg_model_graph ends;
    if (tg_model_graph_record(model->variables, &model->options, model->where, (tg_model_key){stage, rows, batch}, &ends)) {
        if (output)
            *output = ends.output;
        return ends.graph;
    }
    tg_model_fail(model, TG_ERROR_MEMORY, ends.graph ? tg_graph_error(ends.graph) : NULL);
    tg_graph_free(ends.graph);
    return NULL;
}

const tg_plan *tg_model_plan(tg_model *model, tg_rows data, int64_t batch)
{
    tg_status status;
    tg_compiled_stage *step = take_training(model, data, batch, &status);
    const tg_plan *plan = step ? step->plan : NULL;
    if (step)
        give_back(model, step);
    return plan;
}

tg_status tg_model_profile(tg_model *model, tg_rows data, int64_t batch, bool on)
{
    tg_status status;
    tg_compiled_stage *step = take_training(model, data, batch, &status);
    if (!step)
        return status;
    status = tg_plan_profile(step->plan, on);
    give_back(model, step);
    return status == TG_OK ? TG_OK : tg_model_fail(model, status, NULL);
}
