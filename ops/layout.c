/* The same elements elsewhere: reshape, transpose, broadcast_to, flip, full. What cuts and joins stands in ops/slice.c. */
#include <stdio.h>
#include <string.h>

#include "ops/attributes.h"
#include "ops/axes.h"
#include "ops/kernels/copy.h"
#include "ops/op_entries.h"
#include "ops/ops.h"

#define RULES(rules) .rewrites = rules, .n_rewrites = sizeof rules / sizeof *rules

static tg_shape_attributes attributes_of_shape(tg_shape shape)
{
    tg_shape_attributes a = {.rank = shape.rank};
    for (int32_t axis = 0; axis < shape.rank && axis < TG_MAX_RANK; axis++)
        a.dims[axis] = shape.dims[axis];
    return a;
}

static tg_shape shape_of_attributes(const void *attributes)
{
    const tg_shape_attributes *a = attributes;
    tg_shape shape = {.rank = (int32_t)a->rank};
    memcpy(shape.dims, a->dims, sizeof shape.dims);
    return shape;
}

static void describe_shape(const void *attributes, char *text, size_t size)
{
    tg_shape_text(shape_of_attributes(attributes), text, size);
}

/* The node that `x` names, if `op` recorded it; else NULL. */
static const tg_node *made_by(tg_tensor x, const tg_op *op)
{
    const tg_node *node = tg_tensor_node(x);
    return node->op == op ? node : NULL;
}

/* ---- reshape ---- */

static bool shape_reshape(tg_infer *infer)
{
    tg_shape shape = shape_of_attributes(infer->attributes);
    char text[200];
    tg_shape_text(shape, text, sizeof text);
    if (!tg_shape_valid(shape))
        return tg_infer_fail(infer, "%s is no shape that it can have (one extent may be -1)", text);
    if (tg_shape_count(shape) != tg_shape_count(infer->inputs[0].shape))
        return tg_infer_fail(infer, "%s has %lld elements, not %lld", text, (long long)tg_shape_count(shape),
                             (long long)tg_shape_count(infer->inputs[0].shape));
    infer->result = (tg_type){infer->inputs[0].dtype, shape};
    return true;
}

static void gradient_reshape(const tg_gradient_args *args, tg_tensor *result)
{
    result[0] = tg_reshape(args->gradient, tg_tensor_shape(args->inputs[0]));
}

static int64_t view_whole(const tg_work *work)
{
    (void)work;
    return 0;
}

static tg_tensor rewrite_reshape(const tg_rewrite_args *args)
{
    const tg_node *inner = made_by(args->inputs[0], &tg_op_reshape);
    if (inner)
        return tg_reshape((tg_tensor){args->graph, inner->inputs[0]}, args->type.shape);
    return tg_shape_equal(tg_tensor_shape(args->inputs[0]), args->type.shape) ? args->inputs[0] : tg_none();
}

/* One element everywhere stays so in any shape. */
static tg_tensor rewrite_reshape_of_broadcast(const tg_rewrite_args *args)
{
    const tg_node *inner = made_by(args->inputs[0], &tg_op_broadcast_to);
    tg_tensor x = inner ? (tg_tensor){args->graph, inner->inputs[0]} : tg_none();
    return inner && tg_shape_count(tg_tensor_shape(x)) == 1 ? tg_broadcast_to(tg_reshape(x, TG_SCALAR), args->type.shape)
                                                            : tg_none();
}

static const tg_rewrite_rule reshape_rules[] = {
    {"reshape(reshape(x)) -> reshape(x), or x", TG_EXACT, 0, rewrite_reshape},
    {"reshape(broadcast_to(x)) -> broadcast_to(x) where x is one element", TG_EXACT, 0, rewrite_reshape_of_broadcast},
};

const tg_op tg_op_reshape = {.name = "reshape",
                             .formula = "y = x, reshaped",
                             .traits = TG_SECOND_DERIVATIVE_ZERO,
                             .min_inputs = 1,
                             .max_inputs = 1,
                             .shape = shape_reshape,
                             .gradient = gradient_reshape,
                             RULES(reshape_rules),
                             .describe = describe_shape,
                             .view = view_whole};

/* The extent that -1 stands for, put in its place; without one, or if nothing fits, the shape as it is. */
static tg_shape resolve(tg_shape shape, int64_t count)
{
    int64_t known = 1;
    int unknown = -1, unknowns = 0;
    for (int axis = 0; axis < shape.rank && axis < TG_MAX_RANK; axis++)
        if (shape.dims[axis] == -1)
            unknown = axis, unknowns++;
    if (unknowns != 1)
        return shape;
    shape.dims[unknown] = 1;
    known = tg_shape_valid(shape) ? tg_shape_count(shape) : 0;
    shape.dims[unknown] = known > 0 && count % known == 0 ? count / known : -1;
    return shape;
}

tg_tensor tg_reshape_at(tg_where where, tg_tensor x, tg_shape shape)
{
    tg_type type = tg_tensor_type(x);
    tg_shape_attributes a = attributes_of_shape(resolve(shape, tg_shape_count(type.shape)));
    if (tg_ok(x) && tg_shape_equal(shape_of_attributes(&a), type.shape))
        return x;
    return tg_apply_at(where, x.graph, &tg_op_reshape, &x, 1, &a, sizeof a);
}

/* ---- broadcast_to ---- */

static bool shape_broadcast_to(tg_infer *infer)
{
    tg_shape shape = shape_of_attributes(infer->attributes), wide;
    if (!tg_shape_valid(shape) || !tg_shape_broadcast(infer->inputs[0].shape, shape, &wide) || !tg_shape_equal(wide, shape)) {
        char text[200];
        return tg_infer_fail(infer, "it does not broadcast to %s", tg_shape_text(shape, text, sizeof text));
    }
    infer->result = (tg_type){infer->inputs[0].dtype, shape};
    return true;
}

/* dx = dy, which the driver sums to x's shape. */
static void gradient_broadcast_to(const tg_gradient_args *args, tg_tensor *result) { result[0] = args->gradient; }

static void copy_1(void *out, const void *const *inputs, int64_t n, const void *attributes)
{
    (void)attributes;
    if (out != inputs[0])
        memcpy(out, inputs[0], (size_t)n);
}

static void copy_4(void *out, const void *const *inputs, int64_t n, const void *attributes)
{
    copy_1(out, inputs, 4 * n, attributes);
}

static void copy_8(void *out, const void *const *inputs, int64_t n, const void *attributes)
{
    copy_1(out, inputs, 8 * n, attributes);
}

static tg_block_fn block_copy(const tg_work *work)
{
    size_t element = tg_dtype_size(work->output.dtype);
    return element == 1 ? copy_1 : element == 4 ? copy_4 : copy_8;
}

/* Whether b is a with extents of 1 before it. */
static bool only_leads(tg_shape a, tg_shape b)
{
    int32_t more = b.rank - a.rank;
    for (int32_t axis = 0; axis < b.rank && more >= 0; axis++)
        if (b.dims[axis] != (axis < more ? 1 : a.dims[axis - more]))
            return false;
    return more >= 0;
}

static tg_tensor rewrite_broadcast_to(const tg_rewrite_args *args)
{
    const tg_node *node = tg_tensor_node(args->inputs[0]);
    if (tg_shape_equal(node->type.shape, args->type.shape))
        return args->inputs[0];
    if (node->op != &tg_op_broadcast_to && node->op != &tg_op_reshape)
        return tg_none();
    tg_tensor x = {args->graph, node->inputs[0]};
    if (node->op == &tg_op_reshape && !only_leads(tg_tensor_shape(x), node->type.shape))
        return tg_none();
    return tg_broadcast_to(x, args->type.shape);
}

static const tg_rewrite_rule broadcast_to_rules[] = {
    {"broadcast_to(broadcast_to(x)) -> broadcast_to(x), or x", TG_EXACT, 0, rewrite_broadcast_to},
};

const tg_op tg_op_broadcast_to = {.name = "broadcast_to",
                                  .formula = "y = x, broadcast",
                                  .traits = TG_POINTWISE | TG_IDENTITY | TG_SECOND_DERIVATIVE_ZERO,
                                  .min_inputs = 1,
                                  .max_inputs = 1,
                                  .shape = shape_broadcast_to,
                                  .gradient = gradient_broadcast_to,
                                  RULES(broadcast_to_rules),
                                  .describe = describe_shape,
                                  .block = block_copy};

tg_tensor tg_broadcast_to_at(tg_where where, tg_tensor x, tg_shape shape)
{
    tg_shape_attributes a = attributes_of_shape(shape);
    if (tg_ok(x) && tg_shape_equal(tg_tensor_shape(x), shape))
        return x;
    return tg_apply_at(where, x.graph, &tg_op_broadcast_to, &x, 1, &a, sizeof a);
}

tg_tensor tg_full_at(tg_where where, tg_tensor like, tg_shape shape, double value)
{
    return tg_broadcast_to_at(where, tg_scalar_at(where, like, value), shape);
}

/* ---- transpose and flip: copies by strides ---- */

static tg_copy copy_of_output(const tg_work *work)
{
    tg_copy copy = {.rank = work->output.shape.rank, .element = (int64_t)tg_dtype_size(work->output.dtype)};
    memcpy(copy.dims, work->output.shape.dims, sizeof copy.dims);
    return copy;
}

static void input_strides(const tg_work *work, int64_t strides[TG_MAX_RANK])
{
    int64_t stride = (int64_t)tg_dtype_size(work->inputs[0].dtype);
    for (int axis = work->inputs[0].shape.rank - 1; axis >= 0; axis--) {
        strides[axis] = stride;
        stride *= work->inputs[0].shape.dims[axis];
    }
}

static tg_copy copy_of_transpose(const tg_work *work)
{
    const tg_transpose_attributes *a = work->attributes;
    tg_copy copy = copy_of_output(work);
    int64_t strides[TG_MAX_RANK];
    input_strides(work, strides);
    for (int axis = 0; axis < copy.rank; axis++)
        copy.strides[axis] = strides[a->axes[axis]];
    tg_copy_simplify(&copy);
    return copy;
}

static tg_copy copy_of_flip(const tg_work *work)
{
    const tg_flip_attributes *a = work->attributes;
    tg_copy copy = copy_of_output(work);
    input_strides(work, copy.strides);
    for (int axis = 0; axis < copy.rank; axis++)
        if (a->axes >> axis & 1 && copy.dims[axis] > 0) {
            copy.offset += (copy.dims[axis] - 1) * copy.strides[axis];
            copy.strides[axis] = -copy.strides[axis];
        }
    tg_copy_simplify(&copy);
    return copy;
}

static int64_t tasks_transpose(const tg_work *work, int phase)
{
    (void)phase;
    tg_copy copy = copy_of_transpose(work);
    return tg_copy_tasks(&copy);
}

static tg_status run_transpose(const tg_work *work, const tg_buffers *buffers, int phase, int64_t task, void *scratch)
{
    (void)phase, (void)scratch;
    tg_copy copy = copy_of_transpose(work);
    tg_copy_run(&copy, buffers->inputs[0], buffers->output, task);
    return TG_OK;
}

static int64_t tasks_flip(const tg_work *work, int phase)
{
    (void)phase;
    tg_copy copy = copy_of_flip(work);
    return tg_copy_tasks(&copy);
}

static tg_status run_flip(const tg_work *work, const tg_buffers *buffers, int phase, int64_t task, void *scratch)
{
    (void)phase, (void)scratch;
    tg_copy copy = copy_of_flip(work);
    tg_copy_run(&copy, buffers->inputs[0], buffers->output, task);
    return TG_OK;
}

static bool shape_transpose(tg_infer *infer)
{
    const tg_transpose_attributes *a = infer->attributes;
    tg_type x = infer->inputs[0];
    uint32_t seen = 0;
    if (a->rank != x.shape.rank)
        return tg_infer_fail(infer, "a permutation of its %d axes is needed, not of %d", x.shape.rank, a->rank);
    infer->result = x;
    for (int32_t axis = 0; axis < x.shape.rank; axis++) {
        if (a->axes[axis] < 0 || a->axes[axis] >= x.shape.rank || seen >> a->axes[axis] & 1)
            return tg_infer_fail(infer, "the axes are no permutation of 0 to %d", x.shape.rank - 1);
        seen |= 1u << a->axes[axis];
        infer->result.shape.dims[axis] = x.shape.dims[a->axes[axis]];
    }
    return true;
}

static tg_axes permutation_of(const void *attributes)
{
    const tg_transpose_attributes *a = attributes;
    return tg_axes_make(a->rank, a->axes);
}

static void gradient_transpose(const tg_gradient_args *args, tg_tensor *result)
{
    tg_axes forward = permutation_of(args->attributes), back = forward;
    for (int32_t axis = 0; axis < forward.count; axis++)
        back.axes[forward.axes[axis]] = axis;
    result[0] = tg_transpose(args->gradient, back);
}

static tg_tensor rewrite_transpose_of_transpose(const tg_rewrite_args *args)
{
    const tg_node *node = made_by(args->inputs[0], &tg_op_transpose);
    if (!node)
        return tg_none();
    tg_axes outer = permutation_of(args->attributes), inner = permutation_of(node->attributes);
    tg_axes both = outer;
    for (int32_t axis = 0; axis < both.count; axis++)
        both.axes[axis] = inner.axes[outer.axes[axis]];
    return tg_transpose((tg_tensor){args->graph, node->inputs[0]}, both);
}

static tg_tensor rewrite_transpose_to_reshape(const tg_rewrite_args *args)
{
    const tg_transpose_attributes *a = args->attributes;
    int32_t before = -1;
    for (int32_t axis = 0; axis < args->type.shape.rank; axis++) {
        if (args->type.shape.dims[axis] == 1)
            continue;
        if (a->axes[axis] < before)
            return tg_none();
        before = a->axes[axis];
    }
    return tg_reshape(args->inputs[0], args->type.shape);
}

static const tg_rewrite_rule transpose_rules[] = {
    {"transpose(transpose(x)) -> transpose(x), or x", TG_EXACT, 0, rewrite_transpose_of_transpose},
    {"transpose that moves extents of 1 -> reshape", TG_EXACT, 0, rewrite_transpose_to_reshape},
};

static void describe_transpose(const void *attributes, char *text, size_t size)
{
    const tg_transpose_attributes *a = attributes;
    size_t at = (size_t)snprintf(text, size, "axes");
    for (int32_t axis = 0; axis < a->rank && at < size; axis++)
        at += (size_t)snprintf(text + at, size - at, "%s %d", axis ? "," : "", a->axes[axis]);
}

const tg_op tg_op_transpose = {.name = "transpose",
                               .formula = "y = x, axes permuted",
                               .traits = TG_SECOND_DERIVATIVE_ZERO,
                               .min_inputs = 1,
                               .max_inputs = 1,
                               .shape = shape_transpose,
                               .gradient = gradient_transpose,
                               RULES(transpose_rules),
                               .describe = describe_transpose,
                               .run = run_transpose,
                               .tasks = tasks_transpose};

tg_tensor tg_transpose_at(tg_where where, tg_tensor x, tg_axes permutation)
{
    int32_t rank = tg_tensor_shape(x).rank;
    tg_transpose_attributes a = {.rank = permutation.count < 0 ? rank : permutation.count};
    bool moves = a.rank != rank;
    for (int32_t axis = 0; axis < a.rank && axis < TG_MAX_RANK; axis++) {
        int32_t from = permutation.count < 0 ? rank - 1 - axis : permutation.axes[axis];
        a.axes[axis] = from < 0 ? from + rank : from;
        moves |= a.axes[axis] != axis;
    }
    if (tg_ok(x) && !moves)
        return x;
    return tg_apply_at(where, x.graph, &tg_op_transpose, &x, 1, &a, sizeof a);
}

/* ---- flip ---- */

static bool shape_flip(tg_infer *infer)
{
    const tg_flip_attributes *a = infer->attributes;
    infer->result = infer->inputs[0];
    return !(a->axes >> infer->inputs[0].shape.rank) || tg_infer_fail(infer, "an axis is out of range");
}

static tg_axes flipped(const void *attributes) { return tg_axes_of_mask(((const tg_flip_attributes *)attributes)->axes); }

static void gradient_flip(const tg_gradient_args *args, tg_tensor *result)
{
    result[0] = tg_flip(args->gradient, flipped(args->attributes));
}

static tg_tensor rewrite_flip(const tg_rewrite_args *args)
{
    uint32_t axes = ((const tg_flip_attributes *)args->attributes)->axes, needed = axes;
    for (int32_t axis = 0; axis < args->type.shape.rank; axis++)
        if (args->type.shape.dims[axis] == 1)
            needed &= ~(1u << axis);
    const tg_node *inner = made_by(args->inputs[0], &tg_op_flip);
    if (inner) {
        uint32_t both = axes ^ ((const tg_flip_attributes *)inner->attributes)->axes;
        return tg_flip((tg_tensor){args->graph, inner->inputs[0]}, tg_axes_of_mask(both));
    }
    return needed != axes ? tg_flip(args->inputs[0], tg_axes_of_mask(needed)) : tg_none();
}

static const tg_rewrite_rule flip_rules[] = {
    {"flip(flip(x)) -> flip(x), or x", TG_EXACT, 0, rewrite_flip},
};

static void describe_flip(const void *attributes, char *text, size_t size)
{
    tg_axes axes = flipped(attributes);
    size_t at = (size_t)snprintf(text, size, "axes");
    for (int32_t i = 0; i < axes.count && at < size; i++)
        at += (size_t)snprintf(text + at, size - at, "%s %d", i ? "," : "", axes.axes[i]);
}

const tg_op tg_op_flip = {.name = "flip",
                          .formula = "y = x, axes reversed",
                          .traits = TG_SECOND_DERIVATIVE_ZERO,
                          .min_inputs = 1,
                          .max_inputs = 1,
                          .shape = shape_flip,
                          .gradient = gradient_flip,
                          RULES(flip_rules),
                          .describe = describe_flip,
                          .run = run_flip,
                          .tasks = tasks_flip};

tg_tensor tg_flip_at(tg_where where, tg_tensor x, tg_axes axes)
{
    tg_flip_attributes a;
    if (!tg_check_axes(where, tg_op_flip.name, x, axes, &a.axes))
        return tg_poisoned(x);
    if (tg_ok(x) && a.axes == 0)
        return x;
    return tg_apply_at(where, x.graph, &tg_op_flip, &x, 1, &a, sizeof a);
}
