#include "train/model_graph.h"

#include "graph/rebuild.h"
#include "ops/ops.h"
#include "train/metrics.h"

/* With too many axes for one more it is no valid shape, of which the input's message tells. */
static tg_shape rows_of(tg_shape row, int64_t count)
{
    tg_shape shape = {.rank = row.rank + 1, .dims = {count}};
    for (int i = 0; i < row.rank && i + 1 < TG_MAX_RANK; i++)
        shape.dims[i + 1] = row.dims[i];
    return shape;
}

static bool is_training(tg_model_stage stage) { return stage == TG_STAGE_LOSS || stage == TG_STAGE_TRAINING; }

/* One call of tg_model_graph_record(). */
typedef struct recording {
    tg_where where; /* of the model: where its own nodes come from */
    const tg_model_options *options;
    tg_model_key key;
    tg_model_graph *ends;
} recording;

static tg_tensor input_rows(const recording *r, const char *name, tg_type row, int64_t count)
{
    return tg_input_at(r->where, r->ends->graph, name, row.dtype, rows_of(row.shape, count));
}

/* Inputs for all rows, of which the batch's are taken by index. */
static void take_batch(const recording *r, tg_tensor *x, tg_tensor *y)
{
    tg_model_graph *ends = r->ends;
    tg_layer_begin_at(r->where, ends->graph, "Batch", "batch", false);
    ends->x = input_rows(r, "x", r->options->input, r->key.rows);
    ends->y = input_rows(r, "y", r->options->target, r->key.rows);
    ends->indices = tg_input_at(r->where, ends->graph, "indices", TG_I32, TG_SHAPE(r->key.batch));
    *y = tg_gather_at(r->where, ends->y, ends->indices);
    *x = tg_layer_end(tg_gather_at(r->where, ends->x, ends->indices));
}

static void record_inputs(const recording *r, tg_tensor *x, tg_tensor *y)
{
    if (r->key.rows > 0 && r->key.stage != TG_STAGE_PREDICTION) {
        take_batch(r, x, y);
        return;
    }
    *x = r->ends->x = input_rows(r, "x", r->options->input, r->key.batch);
    if (r->key.stage != TG_STAGE_PREDICTION)
        *y = r->ends->y = input_rows(r, "y", r->options->target, r->key.batch);
}

/* `figures`, or a poisoned handle if they are not one for each row. */
static tg_tensor check_figures(const char *what, tg_tensor figures, int64_t batch)
{
    tg_shape shape = tg_tensor_shape(figures);
    char text[128];
    if (tg_ok(figures) && (shape.rank != 1 || shape.dims[0] != batch))
        return tg_graph_fail(figures.graph, tg_tensor_node(figures)->where,
                             "model: the %s must be one for each row, [%lld], not %s", what, (long long)batch,
                             tg_shape_text(shape, text, sizeof text));
    return figures;
}

/* Each row's loss; their mean is the output. */
static tg_tensor record_loss(const recording *r, tg_tensor outputs, tg_tensor y)
{
    r->ends->output = (tg_tensor){outputs.graph, -1};
    if (!tg_ok(outputs) || !tg_ok(y))
        return r->ends->output;
    tg_layer_begin_at(r->where, outputs.graph, "Loss", "loss", false);
    tg_tensor losses = check_figures("loss", r->options->loss(outputs, y, r->options->user), r->key.batch);
    r->ends->output = tg_layer_end(
        (tg_tensor){outputs.graph, tg_mean_at(r->where, losses, TG_ALL_AXES).id}); /* closed whatever the loss gave */
    return losses;
}

/* False if the model's own metric gave no tensor. */
static bool record_metrics(const recording *r, tg_tensor outputs, tg_tensor y, tg_tensor losses)
{
    const tg_model_options *options = r->options;
    bool good = true;
    tg_metric_mean_at(r->where, losses, TG_MODEL_LOSS);
    if (options->metric && tg_ok(outputs) && tg_ok(y)) {
        tg_tensor figures = check_figures("metric", options->metric(outputs, y, options->user), r->key.batch);
        good = tg_ok(tg_metric_mean_at(r->where, figures, TG_MODEL_METRIC));
    }
    if (options->classes > 0)
        tg_metric_accuracy_at(r->where, outputs, y, TG_MODEL_ACCURACY);
    if (options->classes > 0 && r->key.stage == TG_STAGE_EVALUATION)
        tg_metric_confusion_at(r->where, outputs, y, TG_MODEL_CONFUSION);
    return good;
}

/* `what`, of `classes` classes unless that is 0, must have a row for each of the batch's. */
static void check_outputs(const char *what, tg_tensor outputs, int64_t batch, int32_t classes)
{
    tg_shape shape = tg_tensor_shape(outputs);
    char text[128];
    if (!tg_ok(outputs))
        return;
    tg_where where = tg_tensor_node(outputs)->where;
    tg_shape_text(shape, text, sizeof text);
    if (shape.rank < 1 || shape.dims[0] != batch)
        tg_graph_fail(outputs.graph, where, "model: %s must have the batch's %lld rows, not the shape %s", what, (long long)batch,
                      text);
    else if (classes > 0 && (shape.rank != 2 || shape.dims[1] != classes))
        tg_graph_fail(outputs.graph, where, "model: %s for %d classes must be [%lld, %d], not %s", what, (int)classes,
                      (long long)batch, (int)classes, text);
}

static bool record_stages(const recording *r)
{
    const tg_model_options *options = r->options;
    tg_model_graph *ends = r->ends;
    tg_tensor x = tg_none(), y = tg_none();
    record_inputs(r, &x, &y);
    tg_tensor outputs = tg_ok(x) ? options->network(x, options->user) : x;
    if (!tg_graph_error(ends->graph) && !tg_graph_expect_closed(ends->graph))
        return false;
    check_outputs("the network's outputs", outputs, r->key.batch, options->classes);
    if (r->key.stage == TG_STAGE_PREDICTION) {
        ends->output = tg_ok(outputs) && options->predict ? options->predict(outputs, options->user) : outputs;
        check_outputs("the predictions", ends->output, r->key.batch, 0);
        return tg_ok(ends->output);
    }

    tg_tensor losses = record_loss(r, outputs, y);
    if (r->key.stage == TG_STAGE_TRAINING) {
        tg_optimizer optimizer = options->optimizer;
        ends->rate = optimizer.rate = tg_input_at(r->where, ends->graph, "learning_rate", TG_F64, TG_SCALAR);
        if (!tg_minimize_at(r->where, ends->output, optimizer))
            return false;
    }
    bool measured = r->key.stage == TG_STAGE_LOSS || record_metrics(r, outputs, y, losses);
    return measured && tg_ok(ends->output);
}

static bool record(const recording *r) { return record_stages(r) && tg_graph_expect_closed(r->ends->graph); }

bool tg_model_graph_record(tg_variables *variables, const tg_model_options *options, tg_where where, tg_model_key key,
                           tg_model_graph *recorded)
{
    *recorded = (tg_model_graph){NULL, tg_none(), tg_none(), tg_none(), tg_none(), tg_none()};
    recorded->graph = tg_graph_new(variables, is_training(key.stage) ? TG_TRAINING : TG_EVALUATION);
    if (!recorded->graph)
        return false;
    bool done = record(&(recording){where, options, key, recorded});
    if (!done && !tg_graph_error(recorded->graph))
        tg_graph_fail(recorded->graph, where,
                      "model: its network, loss, metric or predict function gave no tensor of the graph that it was called for");
    return done;
}
