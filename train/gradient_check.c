#include "train/gradient_check.h"

#include <stdio.h>

#include "train/model_graph.h"
#include "train/run_failure.h"

/* The loss in f64, with all that its graph borrows. */
typedef struct double_loss {
    tg_context *context;
    tg_variables *variables; /* the copy */
    tg_model_graph ends;
    double *x, *y; /* rows converted from f32, or NULL */
    size_t x_bytes, y_bytes;
    int32_t *indices;
    size_t index_bytes;
    tg_tensor *weights; /* [count] */
    size_t weight_bytes;
    int count;
} double_loss;

static void release(double_loss *d)
{
    tg_graph_free(d->ends.graph);
    tg_release(d->context, d->x, d->x_bytes);
    tg_release(d->context, d->y, d->y_bytes);
    tg_release(d->context, d->indices, d->index_bytes);
    tg_release(d->context, d->weights, d->weight_bytes);
    tg_variables_free(d->variables);
}

/* Gives an input its rows, which were stored as `row`. */
static tg_status bind_rows(double_loss *d, tg_tensor input, tg_type row, const void *rows, double **held, size_t *bytes)
{
    size_t size = (size_t)tg_type_bytes(tg_tensor_type(input));
    if (row.dtype != TG_F32)
        return tg_bind(input, rows, size);
    double *values = *held = tg_allocate(d->context, size);
    if (!values)
        return TG_ERROR_MEMORY;
    *bytes = size;
    for (size_t i = 0; i < size / sizeof *values; i++)
        values[i] = ((const float *)rows)[i];
    return tg_bind(input, values, size);
}

static tg_status bind_all(double_loss *d, const tg_model_options *options, tg_rows data, int64_t batch)
{
    d->index_bytes = (size_t)batch * sizeof *d->indices;
    d->indices = tg_allocate(d->context, d->index_bytes);
    if (!d->indices)
        return TG_ERROR_MEMORY;
    for (int32_t i = 0; i < batch; i++)
        d->indices[i] = i;
    tg_status status = tg_bind(d->ends.indices, d->indices, d->index_bytes);
    if (status == TG_OK)
        status = bind_rows(d, d->ends.x, options->input, data.x, &d->x, &d->x_bytes);
    return status == TG_OK ? bind_rows(d, d->ends.y, options->target, data.y, &d->y, &d->y_bytes) : status;
}

/* The node's variable, if it is one to be checked; those that are no floats have no gradient. */
static const tg_variable_info *weight_at(const tg_graph *graph, int32_t id)
{
    const tg_variable_info *variable = tg_node_variable(graph, tg_graph_node(graph, id));
    return variable && variable->trainable && tg_dtype_is_float(variable->type.dtype) ? variable : NULL;
}

static bool collect_weights(double_loss *d)
{
    tg_graph *graph = d->ends.graph;
    for (int32_t id = 0; id < tg_graph_count(graph); id++)
        d->count += weight_at(graph, id) != NULL;
    d->weight_bytes = (size_t)d->count * sizeof *d->weights;
    d->weights = tg_allocate(d->context, d->weight_bytes);
    for (int32_t id = 0, n = 0; d->weights && n < d->count; id++)
        if (weight_at(graph, id))
            d->weights[n++] = (tg_tensor){graph, id};
    return d->weights;
}

static tg_status record(double_loss *d, const tg_model *model, tg_rows data, int64_t batch)
{
    const tg_model_options *options = tg_model_options_of(model);
    tg_model_options recorded = *options;
    if (recorded.input.dtype == TG_F32)
        recorded.input.dtype = TG_F64;
    if (recorded.target.dtype == TG_F32)
        recorded.target.dtype = TG_F64;
    d->variables = tg_variables_cast(tg_model_variables(model), TG_F64);
    if (!d->variables)
        return TG_ERROR_MEMORY;
    if (!tg_model_graph_record(d->variables, &recorded, tg_model_where(model), (tg_model_key){TG_STAGE_LOSS, batch, batch},
                               &d->ends))
        return d->ends.graph && tg_graph_error(d->ends.graph) ? TG_ERROR_GRAPH : TG_ERROR_MEMORY;
    tg_status status = bind_all(d, options, data, batch);
    return status == TG_OK && !collect_weights(d) ? TG_ERROR_MEMORY : status;
}

/* The names of the copy's variables end with it. */
static void name_after_model(tg_model_check *check, const tg_variables *variables)
{
    for (int i = 0; i < check->count; i++)
        check->worst[i].variable = tg_variables_find(variables, check->worst[i].variable)->name;
}

/* Makes the variables that the loss takes, which a model has not before its first plan. */
static bool declare_variables(tg_model *model, int64_t batch)
{
    tg_graph *graph = tg_model_record(model, TG_STAGE_LOSS, batch, batch, NULL);
    tg_graph_free(graph);
    return graph;
}

static void explain(tg_model *model, const double_loss *d, tg_rows checked, tg_status status)
{
    char row[200], text[256];
    snprintf(text, sizeof text, "%s", "");
    if (status == TG_ERROR_RANGE && tg_label_range_text(tg_model_options_of(model), (tg_batch){.rows = checked}, row, sizeof row))
        snprintf(text, sizeof text, "model: %s", row);
    const char *error = d->ends.graph ? tg_graph_error(d->ends.graph) : NULL;
    tg_model_fail(model, status, error ? error : text);
}

tg_status tg_model_check_gradients(tg_model *model, tg_rows data, int64_t batch, tg_check_options options, tg_model_check *check)
{
    tg_variables *variables = tg_model_variables(model);
    double_loss d = {.context = tg_variables_context(variables)};
    *check = (tg_model_check){.context = d.context};
    if (!data.x || !data.y || batch < 1 || batch > data.count || batch > INT32_MAX)
        return tg_model_fail(model, TG_ERROR_ARGUMENT,
                             "model: gradients are checked on at least one row with a target, and no more than there are");
    if (!declare_variables(model, batch))
        return TG_ERROR_GRAPH;
    tg_status status = record(&d, model, data, batch);
    if (status == TG_OK) {
        check->worst = tg_allocate_zero(d.context, (size_t)d.count * sizeof *check->worst);
        check->count = check->worst ? d.count : 0;
        status = check->worst ? tg_check_gradients(d.ends.output, d.weights, NULL, d.count, options, check->worst, &check->passed)
                              : TG_ERROR_MEMORY;
    }
    if (status == TG_OK) {
        name_after_model(check, variables);
    } else {
        explain(model, &d, (tg_rows){data.x, data.y, batch}, status);
        tg_model_check_free(check);
    }
    release(&d);
    return status;
}

void tg_model_check_free(tg_model_check *check)
{
    tg_release(check->context, check->worst, (size_t)check->count * sizeof *check->worst);
    *check = (tg_model_check){.context = check->context};
}
