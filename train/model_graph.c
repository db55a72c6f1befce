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

/* Inputs for all rows, of which the batch's are taken by index. */
static void take_batch(const tg_model_options *options, tg_model_key key, tg_model_graph *r, tg_tensor *x, tg_tensor *y)
{
    tg_layer_begin(r->graph, "Batch", "batch", false);
    r->x = tg_input(r->graph, "x", options->input.dtype, rows_of(options->input.shape, key.rows));
    r->y = tg_input(r->graph, "y", options->target.dtype, rows_of(options->target.shape, key.rows));
    r->indices = tg_input(r->graph, "indices", TG_I32, TG_SHAPE(key.batch));
    *y = tg_gather(r->y, r->indices);
    *x = tg_layer_end(tg_gather(r->x, r->indices));
}

static void record_inputs(const tg_model_options *options, tg_model_key key, tg_model_graph *r, tg_tensor *x, tg_tensor *y)
{
    if (key.rows > 0 && key.stage != TG_STAGE_PREDICTION) {
        take_batch(options, key, r, x, y);
        return;
    }
    *x = r->x = tg_input(r->graph, "x", options->input.dtype, rows_of(options->input.shape, key.batch));
    if (key.stage != TG_STAGE_PREDICTION)
        *y = r->y = tg_input(r->graph, "y", options->target.dtype, rows_of(options->target.shape, key.batch));
}

/* `figures`, or a poisoned handle if they are not one for each row. */
static tg_tensor check_figures(const char *what, tg_tensor figures, int64_t batch)
{
    tg_shape shape = tg_tensor_shape(figures);
    char text[128];
    if (tg_ok(figures) && (shape.rank != 1 || shape.dims[0] != batch))
        return tg_graph_fail(figures.graph, TG_HERE, "model: the %s must be one for each row, [%lld], not %s", what,
                             (long long)batch, tg_shape_text(shape, text, sizeof text));
    return figures;
}

/* Each row's loss; their mean goes to *mean. */
static tg_tensor record_loss(const tg_model_options *options, int64_t batch, tg_tensor outputs, tg_tensor y, tg_tensor *mean)
{
    *mean = (tg_tensor){outputs.graph, -1};
    if (!tg_ok(outputs) || !tg_ok(y))
        return *mean;
    tg_layer_begin(outputs.graph, "Loss", "loss", false);
    tg_tensor losses = check_figures("loss", options->loss(outputs, y, options->user), batch);
    *mean = tg_layer_end((tg_tensor){outputs.graph, tg_mean(losses, TG_ALL_AXES).id}); /* closed whatever the loss gave */
    return losses;
}

/* False if the model's own metric gave no tensor. */
static bool record_metrics(const tg_model_options *options, tg_model_key key, tg_tensor outputs, tg_tensor y, tg_tensor losses)
{
    bool good = true;
    tg_metric_mean(losses, TG_MODEL_LOSS);
    if (options->metric && tg_ok(outputs) && tg_ok(y)) {
        tg_tensor figures = check_figures("metric", options->metric(outputs, y, options->user), key.batch);
        good = tg_ok(tg_metric_mean(figures, TG_MODEL_METRIC));
    }
    if (options->classes > 0)
        tg_metric_accuracy(outputs, y, TG_MODEL_ACCURACY);
    if (options->classes > 0 && key.stage == TG_STAGE_EVALUATION)
        tg_metric_confusion(outputs, y, TG_MODEL_CONFUSION);
    return good;
}

/* `what`, of `classes` classes unless that is 0, must have a row for each of the batch's. */
static void check_outputs(const char *what, tg_tensor outputs, int64_t batch, int32_t classes)
{
    tg_shape shape = tg_tensor_shape(outputs);
    char text[128];
    if (!tg_ok(outputs))
        return;
    tg_shape_text(shape, text, sizeof text);
    if (shape.rank < 1 || shape.dims[0] != batch)
        tg_graph_fail(outputs.graph, TG_HERE, "model: %s must have the batch's %lld rows, not the shape %s", what,
                      (long long)batch, text);
    else if (classes > 0 && (shape.rank != 2 || shape.dims[1] != classes))
        tg_graph_fail(outputs.graph, TG_HERE, "model: %s for %d classes must be [%lld, %d], not %s", what, (int)classes,
                      (long long)batch, (int)classes, text);
}

static bool record_stages(const tg_model_options *options, tg_model_key key, tg_model_graph *recorded)
{
    tg_tensor x = tg_none(), y = tg_none();
    record_inputs(options, key, recorded, &x, &y);
    tg_tensor outputs = tg_ok(x) ? options->network(x, options->user) : x;
    if (!tg_graph_error(recorded->graph) && !tg_graph_expect_closed(recorded->graph))
        return false;
    check_outputs("the network's outputs", outputs, key.batch, options->classes);
    if (key.stage == TG_STAGE_PREDICTION) {
        recorded->output = tg_ok(outputs) && options->predict ? options->predict(outputs, options->user) : outputs;
        check_outputs("the predictions", recorded->output, key.batch, 0);
        return tg_ok(recorded->output);
    }

    tg_tensor losses = record_loss(options, key.batch, outputs, y, &recorded->output);
    if (key.stage == TG_STAGE_TRAINING) {
        tg_optimizer optimizer = options->optimizer;
        recorded->rate = optimizer.rate = tg_input(recorded->graph, "learning_rate", TG_F64, TG_SCALAR);
        if (!tg_minimize(recorded->output, optimizer))
            return false;
    }
    bool measured = key.stage == TG_STAGE_LOSS || record_metrics(options, key, outputs, y, losses);
    return measured && tg_ok(recorded->output);
}

static bool record(const tg_model_options *options, tg_model_key key, tg_model_graph *recorded)
{
    return record_stages(options, key, recorded) && tg_graph_expect_closed(recorded->graph);
}

bool tg_model_graph_record(tg_variables *variables, const tg_model_options *options, tg_model_key key, tg_model_graph *recorded)
{
    *recorded = (tg_model_graph){NULL, tg_none(), tg_none(), tg_none(), tg_none(), tg_none()};
    recorded->graph = tg_graph_new(variables, is_training(key.stage) ? TG_TRAINING : TG_EVALUATION);
    if (!recorded->graph)
        return false;
    bool done = record(options, key, recorded);
    if (!done && !tg_graph_error(recorded->graph))
        tg_graph_fail(recorded->graph, (tg_where){NULL, 0},
                      "model: its network, loss, metric or predict function gave no tensor of the graph that it was called for");
    return done;
}
