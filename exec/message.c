#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "exec/compile.h"
#include "graph/safe_text.h"

char *tg_node_label(const tg_node *node, char *text, size_t size)
{
    bool named = node->name && *node->name, scoped = node->scope && *node->scope;
    snprintf(text, size, "%s%s%s%s%s%s", node->op->name, named ? " \"" : "", named ? node->name : "", named ? "\"" : "",
             scoped ? " of layer " : "", scoped ? node->scope : "");
    return tg_make_safe(text, size);
}

char *tg_element_text(tg_shape shape, int64_t at, char *text, size_t size)
{
    int64_t index[TG_MAX_RANK];
    size_t length = (size_t)snprintf(text, size, "[");
    for (int32_t axis = shape.rank - 1; axis >= 0; axis--) {
        index[axis] = at % shape.dims[axis];
        at /= shape.dims[axis];
    }
    for (int32_t axis = 0; axis < shape.rank && length < size; axis++)
        length += (size_t)snprintf(text + length, size - length, "%s%lld", axis ? ", " : "", (long long)index[axis]);
    if (length < size)
        snprintf(text + length, size - length, "]");
    return text;
}

/* Which input an op that has an index_extent takes its indices from; -1: none could be it. */
static int32_t index_input(const tg_step *step)
{
    for (int32_t i = 0; i < step->work.n_inputs; i++)
        if (step->work.inputs[i].dtype == TG_I32 && (step->op->not_differentiable >> i & 1))
            return i;
    return -1;
}

char *tg_step_reason(const tg_step *step, tg_status status, char *text, size_t size)
{
    snprintf(text, size, "%s", tg_status_text(status));
    int32_t input = status == TG_ERROR_RANGE && step->op && step->op->index_extent ? index_input(step) : -1;
    if (input < 0)
        return text;
    const int32_t *indices = step->pointers[input];
    tg_shape shape = step->work.inputs[input].shape;
    int64_t extent = step->op->index_extent(&step->work), count = tg_shape_count(shape);
    for (int64_t i = 0; i < count; i++) {
        char at[160];
        if (indices[i] >= 0 && indices[i] < extent)
            continue;
        snprintf(text, size, "index %d at %s is out of range: there are %lld, from 0", (int)indices[i],
                 tg_element_text(shape, i, at, sizeof at), (long long)extent);
        break;
    }
    return text;
}

tg_status tg_plan_fail(const tg_plan *plan, tg_status status, tg_where where, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    tg_vmessage(plan->error, TG_PLAN_ERROR_BYTES, format, arguments);
    va_end(arguments);
    size_t length = strlen(plan->error);
    if (where.file)
        snprintf(plan->error + length, TG_PLAN_ERROR_BYTES - length, " (%s:%d)", where.file, where.line);
    return status;
}
