#include "train/metrics.h"

#include <stdio.h>
#include <string.h>

#include "ops/ops.h"

#define MAX_NAME 400

/* The full name of a metric's state, or of its layer where `what` is NULL. */
static bool full_name(const char *name, const char *what, char full[MAX_NAME])
{
    int length = snprintf(full, MAX_NAME, "metrics/%s%s%s", name, what ? "/" : "", what ? what : "");
    return length > 0 && length < MAX_NAME;
}

/* Opens the metric's layer, whose scope names its states. */
static bool begin(tg_where where, tg_graph *graph, const char *name)
{
    char full[MAX_NAME];
    if (full_name(name, NULL, full))
        tg_layer_begin_at(where, graph, "Metric", full, false);
    else
        tg_graph_fail(graph, where, "metric: the name \"%.40s...\" is too long", name);
    return !tg_graph_error(graph);
}

/* The state `what` of the open metric plus `term`, assigned. */
static tg_tensor accumulate(tg_where where, const char *what, tg_tensor term)
{
    tg_tensor state = tg_state_at(where, term.graph, what, TG_F64, tg_tensor_shape(term), (tg_init){TG_INIT_CONSTANT, 0, 0});
    return tg_assign_at(where, state, tg_add_at(where, state, term));
}

/* The running mean, in the open layer. */
static tg_tensor running_mean(tg_where where, tg_tensor values)
{
    double count = (double)tg_shape_count(tg_tensor_shape(values));
    tg_tensor sum = tg_sum_at(where, tg_cast_at(where, values, TG_F64), TG_ALL_AXES);
    tg_tensor total = accumulate(where, "total", sum);
    return tg_div_at(where, total, accumulate(where, "count", tg_scalar_at(where, sum, count)));
}

tg_tensor tg_metric_mean_at(tg_where where, tg_tensor values, const char *name)
{
    if (!tg_ok(values) || !begin(where, values.graph, name))
        return (tg_tensor){values.graph, -1};
    return tg_layer_end(running_mean(where, values));
}

/* Class indices, i32 [n], from either form of labels; a poisoned handle where they do not suit the scores. */
static tg_tensor classes_of(tg_where where, const char *what, tg_tensor scores, tg_tensor labels)
{
    tg_type s = tg_tensor_type(scores), l = tg_tensor_type(labels);
    char scores_text[128], labels_text[128];
    bool rows = s.shape.rank == 2 && l.shape.rank >= 1 && l.shape.dims[0] == s.shape.dims[0];
    if (rows && l.shape.rank == 1 && !tg_dtype_is_float(l.dtype))
        return tg_cast_at(where, labels, TG_I32);
    if (rows && tg_shape_equal(s.shape, l.shape) && tg_dtype_is_float(l.dtype))
        return tg_argmax_at(where, labels, -1);
    return tg_graph_fail(scores.graph, where,
                         "%s: scores must be [n, c] and labels integers [n] or floats [n, c], not %s and %s %s", what,
                         tg_shape_text(s.shape, scores_text, sizeof scores_text), tg_dtype_name(l.dtype),
                         tg_shape_text(l.shape, labels_text, sizeof labels_text));
}

tg_tensor tg_metric_accuracy_at(tg_where where, tg_tensor scores, tg_tensor labels, const char *name)
{
    if (!tg_ok(scores) || !tg_ok(labels) || !begin(where, scores.graph, name))
        return (tg_tensor){scores.graph, -1};
    tg_tensor classes = classes_of(where, "accuracy", scores, labels);
    return tg_layer_end(running_mean(where, tg_equal_at(where, tg_argmax_at(where, scores, -1), classes)));
}

tg_tensor tg_metric_confusion_at(tg_where where, tg_tensor scores, tg_tensor labels, const char *name)
{
    if (!tg_ok(scores) || !tg_ok(labels) || !begin(where, scores.graph, name))
        return (tg_tensor){scores.graph, -1};
    tg_tensor classes = classes_of(where, "confusion", scores, labels);
    int64_t c = tg_ok(classes) ? tg_tensor_shape(scores).dims[1] : 1;
    tg_tensor chosen = tg_one_hot_at(where, tg_argmax_at(where, scores, -1), c, TG_F64);
    return tg_layer_end(accumulate(where, "matrix", tg_scatter_add_at(where, chosen, classes, c)));
}

static const char *const parts[] = {"total", "count", "matrix"};

tg_status tg_metric_reset(tg_variables *variables, const char *name)
{
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        char full[MAX_NAME];
        if (!full_name(name, parts[i], full))
            return TG_ERROR_ARGUMENT;
        const tg_variable_info *info = tg_variables_find(variables, full);
        if (!info)
            continue;
        size_t bytes = (size_t)tg_type_bytes(info->type);
        void *zeros = tg_allocate_zero(tg_variables_context(variables), bytes);
        if (!zeros)
            return TG_ERROR_MEMORY;
        tg_status status = tg_variables_write(variables, full, zeros, bytes);
        tg_release(tg_variables_context(variables), zeros, bytes);
        if (status != TG_OK)
            return status;
    }
    return TG_OK;
}

static tg_status read_f64(const tg_variables *variables, const char *name, const char *part, double *values, size_t count)
{
    char full[MAX_NAME];
    return full_name(name, part, full) ? tg_variables_read(variables, full, values, count * sizeof *values) : TG_ERROR_ARGUMENT;
}

tg_status tg_metric_read_mean(const tg_variables *variables, const char *name, double *mean)
{
    double total = 0, count = 0;
    tg_status status = read_f64(variables, name, "total", &total, 1);
    if (status == TG_OK)
        status = read_f64(variables, name, "count", &count, 1);
    if (status == TG_OK)
        *mean = count > 0 ? total / count : 0;
    return status;
}

tg_status tg_metric_read_confusion(const tg_variables *variables, const char *name, int64_t *counts, int32_t classes)
{
    size_t n = (size_t)classes * (size_t)classes;
    tg_context *context = tg_variables_context(variables);
    double *values = tg_allocate(context, n * sizeof *values);
    if (!values)
        return TG_ERROR_MEMORY;
    tg_status status = read_f64(variables, name, "matrix", values, n);
    for (size_t i = 0; i < n && status == TG_OK; i++)
        counts[i] = (int64_t)values[i];
    tg_release(context, values, n * sizeof *values);
    return status;
}
