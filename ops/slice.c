/* What cuts and joins along one axis: slice, pad, concat. A slice with a step is the transpose of a pad with an interior. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "graph/number_text.h"
#include "ops/attributes.h"
#include "ops/axes.h"
#include "ops/kernels/copy.h"
#include "ops/op_entries.h"
#include "ops/ops.h"
#include "ops/rewrites.h"

#define RULES(rules) .rewrites = rules, .n_rewrites = sizeof rules / sizeof *rules

enum { TASK_BYTES = 1 << 16 };

static const tg_slice_attributes *slice_of(const void *attributes) { return attributes; }

static const tg_pad_attributes *pad_of(const void *attributes) { return attributes; }

static tg_tensor record_slice(tg_where where, tg_tensor x, tg_slice_attributes a)
{
    return tg_apply_at(where, x.graph, &tg_op_slice, &x, 1, &a, sizeof a);
}

static tg_tensor record_pad(tg_where where, tg_tensor x, tg_pad_attributes a)
{
    return tg_apply_at(where, x.graph, &tg_op_pad, &x, 1, &a, sizeof a);
}

/* ---- slice ---- */

static bool shape_slice(tg_infer *infer)
{
    const tg_slice_attributes *a = slice_of(infer->attributes);
    tg_type x = infer->inputs[0];
    if (a->axis < 0 || a->axis >= x.shape.rank)
        return tg_infer_fail(infer, "axis %lld is out of range", (long long)a->axis);
    int64_t extent = x.shape.dims[a->axis];
    if (a->step < 1)
        return tg_infer_fail(infer, "the step is %lld, but must be positive (see flip)", (long long)a->step);
    bool fits = a->start >= 0 && a->count >= 0 && a->start <= extent && (a->count == 0 || a->start < extent);
    if (!fits || (a->count > 1 && (extent - 1 - a->start) / a->step < a->count - 1))
        return tg_infer_fail(infer, "%lld elements from %lld by %lld do not lie in axis %lld", (long long)a->count,
                             (long long)a->start, (long long)a->step, (long long)a->axis);
    infer->result = x;
    infer->result.shape.dims[a->axis] = a->count;
    return true;
}

/* dx = dy with zeros before, between and after. */
static void gradient_slice(const tg_gradient_args *args, tg_tensor *result)
{
    const tg_slice_attributes *a = slice_of(args->attributes);
    int64_t covered = a->count > 0 ? (a->count - 1) * a->step + 1 : 0;
    int64_t after = tg_tensor_shape(args->inputs[0]).dims[a->axis] - a->start - covered;
    tg_pad_attributes pad = {.axis = a->axis, .before = a->start, .after = after, .interior = a->step - 1};
    result[0] = record_pad(TG_HERE, args->gradient, pad);
}

static tg_copy copy_of_slice(const tg_work *work)
{
    const tg_slice_attributes *a = slice_of(work->attributes);
    tg_copy copy = {.rank = work->output.shape.rank, .element = (int64_t)tg_dtype_size(work->output.dtype)};
    int64_t stride = copy.element;
    for (int axis = copy.rank - 1; axis >= 0; axis--) {
        copy.dims[axis] = work->output.shape.dims[axis];
        copy.strides[axis] = stride;
        stride *= work->inputs[0].shape.dims[axis];
    }
    copy.offset = a->start * copy.strides[a->axis];
    copy.strides[a->axis] *= a->step;
    tg_copy_simplify(&copy);
    return copy;
}

/* Rows that follow one another, of an axis that nothing but extents of 1 leads. */
static int64_t view_slice(const tg_work *work)
{
    const tg_slice_attributes *a = slice_of(work->attributes);
    tg_shape shape = work->inputs[0].shape;
    if (tg_shape_product(shape, 0, (int)a->axis) != 1 || (a->step != 1 && a->count > 1))
        return -1;
    return a->start * tg_shape_product(shape, (int)a->axis + 1, shape.rank) * (int64_t)tg_dtype_size(work->inputs[0].dtype);
}

static int64_t tasks_slice(const tg_work *work, int phase)
{
    (void)phase;
    tg_copy copy = copy_of_slice(work);
    return tg_copy_tasks(&copy);
}

static tg_status run_slice(const tg_work *work, const tg_buffers *buffers, int phase, int64_t task, void *scratch)
{
    (void)phase, (void)scratch;
    tg_copy copy = copy_of_slice(work);
    tg_copy_run(&copy, buffers->inputs[0], buffers->output, task);
    return TG_OK;
}

static tg_tensor rewrite_whole_slice(const tg_rewrite_args *args)
{
    return tg_shape_equal(tg_tensor_shape(args->inputs[0]), args->type.shape) ? args->inputs[0] : tg_none();
}

static tg_tensor rewrite_slice_of_slice(const tg_rewrite_args *args)
{
    const tg_node *node = tg_tensor_node(args->inputs[0]);
    const tg_slice_attributes *outer = slice_of(args->attributes), *inner = slice_of(node->attributes);
    if (node->op != &tg_op_slice || inner->axis != outer->axis)
        return tg_none();
    tg_slice_attributes both = {.axis = outer->axis,
                                .start = inner->start + outer->start * inner->step,
                                .count = outer->count,
                                .step = outer->count > 1 ? outer->step * inner->step : 1};
    if (outer->count == 0)
        both.start = 0;
    return record_slice(TG_HERE, (tg_tensor){args->graph, node->inputs[0]}, both);
}

/* Elements that the pad took from x, and none of its own. */
static tg_tensor rewrite_slice_of_pad(const tg_rewrite_args *args)
{
    const tg_node *node = tg_tensor_node(args->inputs[0]);
    const tg_slice_attributes *a = slice_of(args->attributes);
    const tg_pad_attributes *pad = pad_of(node->attributes);
    if (node->op != &tg_op_pad || pad->axis != a->axis || a->count == 0)
        return tg_none();
    tg_tensor x = {args->graph, node->inputs[0]};
    int64_t every = pad->interior + 1, start = a->start - pad->before, step = a->count > 1 ? a->step : every;
    if (start < 0 || start % every != 0 || step % every != 0 ||
        start / every + (a->count - 1) * (step / every) >= tg_tensor_shape(x).dims[a->axis])
        return tg_none();
    return record_slice(TG_HERE, x,
                        (tg_slice_attributes){.axis = a->axis, .start = start / every, .count = a->count, .step = step / every});
}

static tg_tensor rewrite_slice_of_concat(const tg_rewrite_args *args)
{
    const tg_node *node = tg_tensor_node(args->inputs[0]);
    const tg_slice_attributes *a = slice_of(args->attributes);
    if (node->op != &tg_op_concat || ((const tg_axis_attributes *)node->attributes)->axis != a->axis || a->count == 0)
        return tg_none();
    int64_t first = a->start, last = a->start + (a->count - 1) * a->step;
    for (int32_t i = 0; i < node->n_inputs; i++) {
        tg_tensor part = {args->graph, node->inputs[i]};
        int64_t extent = tg_tensor_shape(part).dims[a->axis];
        if (first >= 0 && last < extent)
            return record_slice(TG_HERE, part, (tg_slice_attributes){a->axis, first, a->count, a->step});
        first -= extent;
        last -= extent;
    }
    return tg_none();
}

/* The part of an operand that a slice of the result of `rank` axes reads: all of it where it is broadcast along the axis. */
static tg_tensor slice_operand(tg_tensor x, int32_t rank, tg_slice_attributes a)
{
    tg_shape shape = tg_tensor_shape(x);
    a.axis -= rank - shape.rank;
    return a.axis < 0 || shape.dims[a.axis] == 1 ? x : record_slice(TG_HERE, x, a);
}

static tg_tensor rewrite_slice_of_pointwise(const tg_rewrite_args *args)
{
    enum { MOST = 8 };
    const tg_node *node = tg_tensor_node(args->inputs[0]);
    const tg_slice_attributes *a = slice_of(args->attributes);
    const tg_op *op = node->op;
    const void *attributes = node->attributes;
    size_t attribute_bytes = node->attribute_bytes;
    int32_t n = node->n_inputs, rank = args->type.shape.rank;
    tg_tensor operands[MOST];
    if (!(op->traits & TG_POINTWISE) || n > MOST || node->type.shape.dims[a->axis] == 1)
        return tg_none();
    for (int32_t i = 0; i < n; i++)
        operands[i] = (tg_tensor){args->graph, node->inputs[i]};
    for (int32_t i = 0; i < n; i++)
        operands[i] = slice_operand(operands[i], rank, *a);
    if (op == &tg_op_broadcast_to)
        return tg_broadcast_to(operands[0], args->type.shape);
    return tg_apply(args->graph, op, operands, n, attributes, attribute_bytes);
}

static const tg_rewrite_rule slice_rules[] = {
    {"slice of all of x -> x", TG_EXACT, 0, rewrite_whole_slice},
    {"slice(slice(x)) -> slice(x)", TG_EXACT, 0, rewrite_slice_of_slice},
    {"slice(pad(x)) -> slice(x)", TG_EXACT, 0, rewrite_slice_of_pad},
    {"slice(concat(x, y)) -> slice(x)", TG_EXACT, 0, rewrite_slice_of_concat},
    {"slice(f(x, y)) -> f(slice(x), slice(y))", TG_EXACT, 0, rewrite_slice_of_pointwise},
    {"slice(conv2d(x, k)) -> conv2d(x, k) of what the slice takes", TG_EXACT, 0, tg_rewrite_slice_conv2d},
};

static void describe_slice(const void *attributes, char *text, size_t size)
{
    const tg_slice_attributes *a = slice_of(attributes);
    snprintf(text, size, "axis %lld, %lld from %lld, step %lld", (long long)a->axis, (long long)a->count, (long long)a->start,
             (long long)a->step);
}

const tg_op tg_op_slice = {.name = "slice",
                           .formula = "y = x[start : stop : step]",
                           .traits = TG_SECOND_DERIVATIVE_ZERO,
                           .min_inputs = 1,
                           .max_inputs = 1,
                           .shape = shape_slice,
                           .gradient = gradient_slice,
                           RULES(slice_rules),
                           .describe = describe_slice,
                           .view = view_slice,
                           .run = run_slice,
                           .tasks = tasks_slice};

static int64_t clip(int64_t position, int64_t extent)
{
    position += position < 0 ? extent : 0;
    return position < 0 ? 0 : position > extent ? extent : position;
}

tg_tensor tg_slice_at(tg_where where, tg_tensor x, int axis, int64_t start, int64_t stop, int64_t step)
{
    int32_t at;
    if (!tg_check_axis(where, tg_op_slice.name, x, axis, &at))
        return tg_poisoned(x);
    int64_t extent = tg_ok(x) ? tg_tensor_shape(x).dims[at] : 0, first = clip(start, extent), last = clip(stop, extent);
    int64_t count = last > first && step > 0 ? (last - first - 1) / step + 1 : 0;
    return record_slice(where, x, (tg_slice_attributes){at, first, count, count == 1 && step > 0 ? 1 : step});
}

/* ---- pad ---- */

/* The bytes of `value` in a dtype; false if an integer dtype does not have it. */
static bool encode(tg_dtype dtype, double value, void *bytes)
{
    float single = (float)value;
    if (!tg_dtype_is_float(dtype) && !(value >= (dtype == TG_I32 ? INT32_MIN : 0) &&
                                       value <= (dtype == TG_I32 ? INT32_MAX : UINT8_MAX) && value == floor(value)))
        return false;
    int32_t whole = dtype == TG_I32 ? (int32_t)value : 0;
    uint8_t byte = dtype == TG_U8 ? (uint8_t)value : 0;
    const void *const from[TG_DTYPE_COUNT] = {[TG_F32] = &single, [TG_F64] = &value, [TG_I32] = &whole, [TG_U8] = &byte};
    memcpy(bytes, from[dtype], tg_dtype_size(dtype));
    return true;
}

static bool shape_pad(tg_infer *infer)
{
    const tg_pad_attributes *a = pad_of(infer->attributes);
    const int64_t most = (int64_t)1 << 60;
    tg_type x = infer->inputs[0];
    char bytes[8];
    if (a->axis < 0 || a->axis >= x.shape.rank)
        return tg_infer_fail(infer, "axis %lld is out of range", (long long)a->axis);
    int64_t extent = x.shape.dims[a->axis], gaps = extent > 1 ? extent - 1 : 0;
    if (a->before < 0 || a->after < 0 || a->interior < 0)
        return tg_infer_fail(infer, "it cannot add fewer than 0 elements (see slice)");
    if (a->before > most || a->after > most || a->interior > most / (gaps + 1))
        return tg_infer_fail(infer, "%lld and %lld are more elements than a tensor can have", (long long)a->before,
                             (long long)a->after);
    if (!encode(x.dtype, a->value, bytes))
        return tg_infer_fail(infer, "%s has no value %g", tg_dtype_name(x.dtype), a->value);
    infer->result = x;
    infer->result.shape.dims[a->axis] = a->before + extent + gaps * a->interior + a->after;
    return true;
}

static void gradient_pad(const tg_gradient_args *args, tg_tensor *result)
{
    const tg_pad_attributes *a = pad_of(args->attributes);
    int64_t count = tg_tensor_shape(args->inputs[0]).dims[a->axis];
    result[0] = record_slice(TG_HERE, args->gradient, (tg_slice_attributes){a->axis, a->before, count, a->interior + 1});
}

/* An axis in rows: `row` bytes of what follows it, `extent` rows of x in each of `outer` groups of `padded`. */
typedef struct pad_rows {
    int64_t outer, extent, padded, row, rows_per_task;
} pad_rows;

static pad_rows rows_of_pad(const tg_work *work)
{
    int axis = (int)pad_of(work->attributes)->axis;
    tg_shape from = work->inputs[0].shape, to = work->output.shape;
    pad_rows r = {.outer = tg_shape_product(to, 0, axis),
                  .extent = from.dims[axis],
                  .padded = to.dims[axis],
                  .row = tg_shape_product(to, axis + 1, to.rank) * (int64_t)tg_dtype_size(work->output.dtype)};
    r.rows_per_task = r.row < TASK_BYTES ? TASK_BYTES / (r.row ? r.row : 1) : 1;
    return r;
}

static int64_t tasks_pad(const tg_work *work, int phase)
{
    (void)phase;
    pad_rows r = rows_of_pad(work);
    int64_t rows = r.outer * r.padded;
    return rows > r.rows_per_task ? (rows + r.rows_per_task - 1) / r.rows_per_task : 1;
}

/* How many rows from `at` on, in one group, are alike: x's from *from on, or (*from is -1) the value. */
static int64_t stretch(const tg_pad_attributes *a, const pad_rows *r, int64_t at, int64_t *from)
{
    int64_t every = a->interior + 1, inside = at - a->before, covered = r->extent > 0 ? (r->extent - 1) * every + 1 : 0;
    *from = -1;
    if (inside < 0)
        return -inside;
    if (inside >= covered)
        return r->padded - at;
    if (inside % every != 0)
        return every - inside % every;
    *from = inside / every;
    return a->interior == 0 ? covered - inside : 1;
}

static tg_status run_pad(const tg_work *work, const tg_buffers *buffers, int phase, int64_t task, void *scratch)
{
    (void)phase, (void)scratch;
    const tg_pad_attributes *a = pad_of(work->attributes);
    pad_rows r = rows_of_pad(work);
    int64_t element = (int64_t)tg_dtype_size(work->output.dtype), rows = r.outer * r.padded, at = task * r.rows_per_task;
    int64_t stop = rows - at < r.rows_per_task ? rows : at + r.rows_per_task;
    char value[8];
    encode(work->output.dtype, a->value, value);
    while (at < stop) {
        int64_t from, count = stretch(a, &r, at % r.padded, &from);
        char *to = (char *)buffers->output + at * r.row;
        count = count < stop - at ? count : stop - at;
        if (from < 0)
            tg_fill(to, count * r.row / element, element, value);
        else
            memcpy(to, (const char *)buffers->inputs[0] + (at / r.padded * r.extent + from) * r.row, (size_t)(count * r.row));
        at += count;
    }
    return TG_OK;
}

static tg_tensor rewrite_pad(const tg_rewrite_args *args)
{
    const tg_node *node = tg_tensor_node(args->inputs[0]);
    const tg_pad_attributes *outer = pad_of(args->attributes), *inner = pad_of(node->attributes);
    if (tg_shape_equal(node->type.shape, args->type.shape))
        return args->inputs[0];
    if (node->op != &tg_op_pad || inner->axis != outer->axis || outer->interior != 0 ||
        memcmp(&inner->value, &outer->value, sizeof outer->value) != 0)
        return tg_none();
    tg_pad_attributes both = *inner;
    both.before += outer->before;
    both.after += outer->after;
    return record_pad(TG_HERE, (tg_tensor){args->graph, node->inputs[0]}, both);
}

static const tg_rewrite_rule pad_rules[] = {
    {"pad(pad(x)) -> pad(x); pad by nothing -> x", TG_EXACT, 0, rewrite_pad},
};

static void describe_pad(const void *attributes, char *text, size_t size)
{
    const tg_pad_attributes *a = pad_of(attributes);
    int at = tg_format(text, size, "axis %lld, %lld before, %lld after, value %g", (long long)a->axis, (long long)a->before,
                       (long long)a->after, a->value);
    if (a->interior && at > 0 && (size_t)at < size)
        snprintf(text + at, size - (size_t)at, ", %lld between", (long long)a->interior);
}

const tg_op tg_op_pad = {.name = "pad",
                         .formula = "y = x, with a value around it",
                         .traits = TG_SECOND_DERIVATIVE_ZERO,
                         .min_inputs = 1,
                         .max_inputs = 1,
                         .shape = shape_pad,
                         .gradient = gradient_pad,
                         RULES(pad_rules),
                         .describe = describe_pad,
                         .run = run_pad,
                         .tasks = tasks_pad};

tg_tensor tg_pad_at(tg_where where, tg_tensor x, int axis, int64_t before, int64_t after, double value)
{
    int32_t at;
    if (!tg_check_axis(where, tg_op_pad.name, x, axis, &at))
        return tg_poisoned(x);
    return record_pad(where, x, (tg_pad_attributes){.axis = at, .before = before, .after = after, .value = value});
}

/* ---- concat ---- */

static bool shape_concat(tg_infer *infer)
{
    const tg_axis_attributes *a = infer->attributes;
    tg_type x = infer->inputs[0];
    if (a->axis < 0 || a->axis >= x.shape.rank)
        return tg_infer_fail(infer, "axis %d is out of range", a->axis);
    infer->result = x;
    for (int32_t i = 1; i < infer->n_inputs; i++) {
        tg_type part = infer->inputs[i];
        if (part.dtype != x.dtype || part.shape.rank != x.shape.rank)
            return tg_infer_fail(infer, "part %d differs from part 0 in dtype or rank", i);
        for (int32_t axis = 0; axis < x.shape.rank; axis++)
            if (axis != a->axis && part.shape.dims[axis] != x.shape.dims[axis])
                return tg_infer_fail(infer, "part %d has extent %lld in axis %d, part 0 has %lld", i,
                                     (long long)part.shape.dims[axis], axis, (long long)x.shape.dims[axis]);
        infer->result.shape.dims[a->axis] += part.shape.dims[a->axis];
        if (!tg_shape_valid(infer->result.shape))
            return tg_infer_fail(infer, "together they have more elements than a tensor can have");
    }
    return true;
}

static void gradient_concat(const tg_gradient_args *args, tg_tensor *result)
{
    int32_t axis = ((const tg_axis_attributes *)args->attributes)->axis;
    int64_t start = 0;
    for (int32_t i = 0; i < args->n_inputs; i++) {
        int64_t stop = start + tg_tensor_shape(args->inputs[i]).dims[axis];
        if (args->wanted[i])
            result[i] = tg_slice(args->gradient, axis, start, stop, 1);
        start = stop;
    }
}

static int64_t tasks_concat(const tg_work *work, int phase)
{
    (void)phase;
    int64_t bytes = tg_type_bytes(work->output);
    return bytes > TASK_BYTES ? (bytes + TASK_BYTES - 1) / TASK_BYTES : 1;
}

/* The output is rows of bytes, each the parts' rows one after another; a task is a stretch of it. */
static tg_status run_concat(const tg_work *work, const tg_buffers *buffers, int phase, int64_t task, void *scratch)
{
    (void)phase, (void)scratch;
    int axis = ((const tg_axis_attributes *)work->attributes)->axis;
    tg_shape shape = work->output.shape;
    int64_t each = tg_shape_product(shape, axis + 1, shape.rank) * (int64_t)tg_dtype_size(work->output.dtype);
    int64_t row = shape.dims[axis] * each, at = task * TASK_BYTES, bytes = tg_type_bytes(work->output);
    int64_t stop = bytes - at < TASK_BYTES ? bytes : at + TASK_BYTES;
    if (at >= stop)
        return TG_OK;
    int64_t start = at - at % row; /* of the part, in the output */
    for (int32_t part = 0; at < stop; part = (part + 1) % work->n_inputs) {
        int64_t width = work->inputs[part].shape.dims[axis] * each, inside = at - start;
        if (inside < width) {
            int64_t count = width - inside < stop - at ? width - inside : stop - at;
            const char *from = (const char *)buffers->inputs[part] + start / row * width + inside;
            memcpy((char *)buffers->output + at, from, (size_t)count);
            at += count;
        }
        start += width;
    }
    return TG_OK;
}

static tg_tensor rewrite_concat_of_one(const tg_rewrite_args *args) { return args->n_inputs == 1 ? args->inputs[0] : tg_none(); }

static const tg_rewrite_rule concat_rules[] = {
    {"concat(x) -> x", TG_EXACT, 0, rewrite_concat_of_one},
};

static void describe_concat(const void *attributes, char *text, size_t size)
{
    snprintf(text, size, "axis %d", ((const tg_axis_attributes *)attributes)->axis);
}

const tg_op tg_op_concat = {.name = "concat",
                            .formula = "y = the inputs, joined",
                            .traits = TG_SECOND_DERIVATIVE_ZERO,
                            .min_inputs = 1,
                            .max_inputs = INT32_MAX,
                            .shape = shape_concat,
                            .gradient = gradient_concat,
                            RULES(concat_rules),
                            .describe = describe_concat,
                            .run = run_concat,
                            .tasks = tasks_concat};

tg_tensor tg_concat_at(tg_where where, const tg_tensor *parts, int n, int axis)
{
    tg_axis_attributes a = {0};
    tg_tensor first = n > 0 ? parts[0] : tg_none();
    if (!tg_check_axis(where, tg_op_concat.name, first, axis, &a.axis))
        return tg_poisoned(first);
    return tg_apply_at(where, first.graph, &tg_op_concat, parts, n > 0 ? n : 0, &a, sizeof a);
}
