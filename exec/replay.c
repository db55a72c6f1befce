#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "exec/compile.h"
#include "exec/float_mode.h"

/* What the floats of a tensor are like. */
typedef struct range {
    int64_t first_bad; /* -1: all are finite */
    double bad;
    double min, max, mean;
} range;

static double element(tg_dtype dtype, const void *values, int64_t i)
{
    switch (dtype) {
    case TG_F32: return ((const float *)values)[i];
    case TG_F64: return ((const double *)values)[i];
    case TG_I32: return ((const int32_t *)values)[i];
    default: return ((const uint8_t *)values)[i];
    }
}

static range measure(tg_type type, const void *values)
{
    range seen = {.first_bad = -1, .min = INFINITY, .max = -INFINITY};
    int64_t count = tg_shape_count(type.shape);
    double sum = 0;
    for (int64_t i = 0; i < count; i++) {
        double value = element(type.dtype, values, i);
        if (!isfinite(value) && seen.first_bad < 0) {
            seen.first_bad = i;
            seen.bad = value;
        }
        seen.min = value < seen.min ? value : seen.min;
        seen.max = value > seen.max ? value : seen.max;
        sum += value;
    }
    seen.mean = count ? sum / (double)count : 0;
    return seen;
}

/* Appends to a text that is cut off at its end. */
static void TG_PRINTF(3, 4) append(char *text, size_t size, const char *format, ...)
{
    size_t length = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text + length, size - length, format, arguments);
    va_end(arguments);
}

/* " [0, 17]": where an element stands in its tensor. */
static void append_index(char *text, size_t size, tg_shape shape, int64_t at)
{
    int64_t index[TG_MAX_RANK];
    for (int32_t axis = shape.rank - 1; axis >= 0; axis--) {
        index[axis] = at % shape.dims[axis];
        at /= shape.dims[axis];
    }
    append(text, size, " [");
    for (int32_t axis = 0; axis < shape.rank; axis++)
        append(text, size, "%s%lld", axis ? ", " : "", (long long)index[axis]);
    append(text, size, "]");
}

static const char *bad_text(double bad) { return isnan(bad) ? "NaN" : bad < 0 ? "-infinity" : "infinity"; }

/* Where a node's value lies while it is alive. */
static const void *address(const tg_plan *replay, int32_t id)
{
    const tg_ref *held = &replay->held[id];
    const tg_buffer *buffer = &replay->steps.buffers[held->buffer];
    return (const char *)replay->bases[buffer->region] + buffer->offset + held->offset;
}

static void blame(const tg_plan *replay, const tg_node *node, const range *seen, tg_nonfinite *found)
{
    char label[200];
    found->node = replay->origin[node->id];
    snprintf(found->message, sizeof found->message, "%s %s %s at", tg_node_label(node, label, sizeof label),
             node->n_inputs ? "gives" : "holds", bad_text(seen->bad));
    append_index(found->message, sizeof found->message, node->type.shape, seen->first_bad);
    if (node->where.file)
        append(found->message, sizeof found->message, " (%s:%d)", node->where.file, node->where.line);
    for (int32_t i = 0; i < node->n_inputs; i++) {
        const tg_node *in = tg_graph_node(replay->graph, node->inputs[i]);
        range theirs = measure(in->type, address(replay, in->id));
        append(found->message, sizeof found->message, "%s %s from %g to %g, mean %g",
               i ? "," : "; its inputs:", tg_node_label(in, label, sizeof label), theirs.min, theirs.max, theirs.mean);
    }
}

/* Looks at a node's values, which have just been made from those of its inputs. True if it is the first to go wrong. */
static bool look(const tg_plan *replay, int32_t id, tg_nonfinite *found)
{
    const tg_node *node = tg_graph_node(replay->graph, id);
    if (!tg_dtype_is_float(node->type.dtype))
        return false;
    range seen = measure(node->type, address(replay, id));
    if (seen.first_bad < 0)
        return false;
    for (int32_t i = 0; i < node->n_inputs; i++) {
        const tg_node *in = tg_graph_node(replay->graph, node->inputs[i]);
        if (tg_dtype_is_float(in->type.dtype) && measure(in->type, address(replay, in->id)).first_bad >= 0)
            return false;
    }
    blame(replay, node, &seen, found);
    return true;
}

static tg_status run_step(const tg_plan *replay, const tg_step *step, uint64_t counter)
{
    void *scratch = tg_workspace_scratch(replay->workspace, 0);
    for (int phase = step->first_phase; phase < step->first_phase + step->phases; phase++) {
        int64_t n_tasks = tg_step_tasks(step, phase);
        for (int64_t task = 0; task < n_tasks; task++) {
            tg_status status = tg_step_run(step, phase, task, counter, scratch);
            if (status != TG_OK)
                return status;
        }
    }
    return TG_OK;
}

/* Leaves first, then step by step; the workspace and the variables are held. */
static tg_status search(tg_plan *replay, tg_nonfinite *found)
{
    tg_status status = tg_plan_point(replay);
    if (status != TG_OK)
        return status;
    for (int32_t id = 0; id < tg_graph_count(replay->graph); id++)
        if (replay->region_of[id] && look(replay, id, found))
            return TG_OK;
    uint64_t counter = tg_variables_step(replay->variables);
    for (int32_t s = 0; s < replay->steps.count; s++) {
        const tg_step *step = replay->steps.at[s];
        const tg_node *node = tg_graph_node(replay->graph, step->node);
        char label[400];
        status = run_step(replay, step, counter);
        if (status != TG_OK)
            return tg_plan_fail(replay, status, node->where, "%s failed: %s", tg_node_label(node, label, sizeof label),
                                tg_status_text(status));
        if (step->kind != TG_STEP_COPY && look(replay, step->node, found))
            return TG_OK;
    }
    return TG_OK;
}

static tg_plan *make_replay(tg_plan *plan, tg_failure *why)
{
    tg_compile_request request = plan->request;
    request.options = (tg_compile_options){.plan_memory = plan->request.options.plan_memory};
    request.commits = false;
    request.replay = request.own_workspace = true;
    tg_plan *replay = tg_plan_make(&request, why);
    for (int32_t i = 0; replay && i < plan->n_inputs; i++)
        replay->inputs[i].fed = plan->inputs[i].fed; /* both list the recorded graph's */
    return replay;
}

tg_status tg_find_nonfinite(tg_plan *plan, tg_nonfinite *found)
{
    *found = (tg_nonfinite){.node = -1};
    if (!plan)
        return TG_ERROR_ARGUMENT;
    tg_failure why;
    tg_plan *replay = make_replay(plan, &why);
    if (!replay)
        return tg_plan_fail(plan, why.status, why.where, "%s", why.text);
    tg_workspace_enter(replay->workspace);
    tg_variables_lock(replay->variables, false);
    tg_float_mode before = tg_float_mode_enter(tg_variables_float(replay->variables) != TG_F64);
    tg_status status = search(replay, found);
    tg_float_mode_leave(before);
    tg_variables_unlock(replay->variables, false);
    tg_workspace_exit(replay->workspace);
    if (status != TG_OK)
        tg_plan_fail(plan, status, (tg_where){NULL, 0}, "%s", tg_plan_error(replay));
    tg_plan_free(replay);
    return status;
}
