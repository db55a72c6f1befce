/* Reductions over any axes: sum, mean, max, min. How they run stands in ops/reduction.c. */
#include <stdio.h>

#include "ops/attributes.h"
#include "ops/axes.h"
#include "ops/op_entries.h"
#include "ops/ops.h"
#include "ops/reduction.h"

static const tg_reduce_attributes *attributes_of(const void *attributes) { return attributes; }

/* ---- shapes ---- */

static bool shape_reduced(tg_infer *infer)
{
    const tg_reduce_attributes *a = attributes_of(infer->attributes);
    tg_type x = infer->inputs[0];
    if (a->axes >> x.shape.rank)
        return tg_infer_fail(infer, "an axis is out of range");
    infer->result = (tg_type){x.dtype, tg_shape_reduced(x.shape, a->axes, a->keep)};
    return true;
}

static bool shape_sum(tg_infer *infer)
{
    if (infer->inputs[0].dtype == TG_U8)
        return tg_infer_fail(infer, "a sum of u8 would overflow: cast to i32 or a float");
    return shape_reduced(infer);
}

static bool shape_mean(tg_infer *infer)
{
    if (!tg_dtype_is_float(infer->inputs[0].dtype))
        return tg_infer_fail(infer, "the mean of %s is no %s: cast to a float", tg_dtype_name(infer->inputs[0].dtype),
                             tg_dtype_name(infer->inputs[0].dtype));
    return shape_reduced(infer);
}

static bool shape_extreme(tg_infer *infer)
{
    tg_shape shape = infer->inputs[0].shape;
    for (int32_t axis = 0; axis < shape.rank; axis++)
        if (attributes_of(infer->attributes)->axes >> axis & 1 && shape.dims[axis] == 0)
            return tg_infer_fail(infer, "axis %d has no elements to choose from", axis);
    return shape_reduced(infer);
}

static void describe_axes(const void *attributes, char *text, size_t size)
{
    const tg_reduce_attributes *a = attributes_of(attributes);
    tg_axes axes = tg_axes_of_mask(a->axes);
    size_t at = (size_t)snprintf(text, size, "axes");
    for (int32_t i = 0; i < axes.count && at < size; i++)
        at += (size_t)snprintf(text + at, size - at, "%s %d", i ? "," : "", axes.axes[i]);
    if (at < size)
        snprintf(text + at, size - at, "%s%s", axes.count ? "" : " none", a->keep ? ", kept" : "");
}

/* ---- gradients ---- */

/* `t`, of the output's shape, as it broadcasts to the input's: with extent 1 where axes were reduced, unless these lead. */
static tg_tensor keep_axes(const tg_gradient_args *args, tg_tensor t)
{
    uint32_t axes = attributes_of(args->attributes)->axes;
    bool lead = (axes & (axes + 1)) == 0;
    return lead ? t : tg_reshape(t, tg_shape_reduced(tg_tensor_shape(args->inputs[0]), axes, true));
}

/* dx = dy for each term. */
static void gradient_sum(const tg_gradient_args *args, tg_tensor *result)
{
    result[0] = tg_broadcast_to(keep_axes(args, args->gradient), tg_tensor_shape(args->inputs[0]));
}

/* dx = dy / n for each term. */
static void gradient_mean(const tg_gradient_args *args, tg_tensor *result)
{
    tg_shape shape = tg_tensor_shape(args->inputs[0]);
    tg_axes axes = tg_axes_of_mask(attributes_of(args->attributes)->axes);
    double terms = 1;
    for (int32_t i = 0; i < axes.count; i++)
        terms *= (double)shape.dims[axes.axes[i]];
    tg_tensor share = tg_mul(keep_axes(args, args->gradient), tg_scalar(args->gradient, 1 / terms));
    result[0] = tg_broadcast_to(share, shape);
}

/* dx = dy / (number of ties) where x = y, else 0. */
static void gradient_extreme(const tg_gradient_args *args, tg_tensor *result)
{
    tg_tensor x = args->inputs[0];
    tg_tensor tie = tg_cast(tg_equal(x, keep_axes(args, args->output)), tg_tensor_dtype(x));
    tg_tensor ties = tg_sum_keep(tie, tg_axes_of_mask(attributes_of(args->attributes)->axes));
    result[0] = tg_mul(tie, tg_div(keep_axes(args, args->gradient), ties));
}

/* ---- rewrites ---- */

static tg_tensor rewrite_extents_of_one(const tg_rewrite_args *args)
{
    tg_shape shape = tg_tensor_shape(args->inputs[0]);
    for (int32_t axis = 0; axis < shape.rank; axis++)
        if (attributes_of(args->attributes)->axes >> axis & 1 && shape.dims[axis] != 1)
            return tg_none();
    return tg_reshape(args->inputs[0], args->type.shape);
}

/* The mask, over the inner sum's input, of the axes that either sum reduces. */
static uint32_t joined_axes(const tg_reduce_attributes *inner, uint32_t outer, int32_t rank)
{
    uint32_t joined = inner->axes;
    for (int32_t axis = 0, position = 0; axis < rank; axis++) {
        bool there = inner->keep || !(inner->axes >> axis & 1);
        if (there && outer >> position & 1)
            joined |= 1u << axis;
        position += there;
    }
    return joined;
}

static tg_tensor rewrite_sum_of_sum(const tg_rewrite_args *args)
{
    const tg_node *node = tg_tensor_node(args->inputs[0]);
    if (node->op != &tg_op_sum)
        return tg_none();
    tg_tensor x = {args->graph, node->inputs[0]};
    uint32_t joined = joined_axes(node->attributes, attributes_of(args->attributes)->axes, tg_tensor_shape(x).rank);
    return tg_reshape(tg_sum(x, tg_axes_of_mask(joined)), args->type.shape);
}

/* Unpooling puts each value at one place of its image's channel: sums over height and width are those of the values. */
static tg_tensor rewrite_sum_of_unpool(const tg_rewrite_args *args)
{
    enum { HEIGHT_AND_WIDTH = 1 << 1 | 1 << 2 };
    const tg_node *node = tg_tensor_node(args->inputs[0]);
    const tg_reduce_attributes *a = args->attributes;
    if (node->op != &tg_op_unpool2d || (a->axes & HEIGHT_AND_WIDTH) != HEIGHT_AND_WIDTH)
        return tg_none();
    tg_tensor pooled = {args->graph, node->inputs[0]};
    return tg_apply(args->graph, args->op, &pooled, 1, a, sizeof *a);
}

/* Zeros add nothing. */
static tg_tensor rewrite_sum_of_pad(const tg_rewrite_args *args)
{
    const tg_node *node = tg_tensor_node(args->inputs[0]);
    const tg_reduce_attributes *a = args->attributes;
    const tg_pad_attributes *pad = node->attributes;
    if (node->op != &tg_op_pad || pad->value != 0 || !(a->axes >> pad->axis & 1))
        return tg_none();
    tg_tensor x = {args->graph, node->inputs[0]};
    return tg_apply(args->graph, args->op, &x, 1, a, sizeof *a);
}

/* Two orders of the same terms: each is within half of this, see the entry's tolerance. */
#define REORDERED 512

static const tg_rewrite_rule extent_rules[] = {
    {"reduction over extents of 1 -> reshape", TG_EXACT, 0, rewrite_extents_of_one},
};
static const tg_rewrite_rule sum_rules[] = {
    {"sum over extents of 1 -> reshape", TG_EXACT, 0, rewrite_extents_of_one},
    {"sum(sum(x)) -> sum(x)", TG_ROUNDS, REORDERED, rewrite_sum_of_sum},
    {"sum(unpool2d(y)) -> sum(y)", TG_ROUNDS, REORDERED, rewrite_sum_of_unpool},
    {"sum(pad(x)) -> sum(x)", TG_ROUNDS, REORDERED, rewrite_sum_of_pad},
};
#define RULES(rules) .rewrites = rules, .n_rewrites = sizeof rules / sizeof *rules

/* ---- entries ---- */

static double flops_reduce(const tg_work *work) { return (double)tg_shape_count(work->inputs[0].shape); }

static tg_status run_sum(const tg_work *work, const tg_buffers *buffers, int phase, int64_t task, void *scratch)
{
    (void)scratch;
    tg_reduction_run(work, buffers, phase, task, TG_REDUCE_SUM, false);
    return TG_OK;
}

static tg_status run_mean(const tg_work *work, const tg_buffers *buffers, int phase, int64_t task, void *scratch)
{
    (void)scratch;
    tg_reduction_run(work, buffers, phase, task, TG_REDUCE_SUM, true);
    return TG_OK;
}

static tg_status run_max(const tg_work *work, const tg_buffers *buffers, int phase, int64_t task, void *scratch)
{
    (void)scratch;
    tg_reduction_run(work, buffers, phase, task, TG_REDUCE_MAX, false);
    return TG_OK;
}

static tg_status run_min(const tg_work *work, const tg_buffers *buffers, int phase, int64_t task, void *scratch)
{
    (void)scratch;
    tg_reduction_run(work, buffers, phase, task, TG_REDUCE_MIN, false);
    return TG_OK;
}

#define REDUCTION                                                                                                            \
    .traits = TG_SECOND_DERIVATIVE_ZERO, .min_inputs = 1, .max_inputs = 1, .flops = flops_reduce, .describe = describe_axes, \
    .phases = tg_reduction_phases, .tasks = tg_reduction_tasks, .shared_bytes = tg_reduction_shared_bytes

/* tolerance: a lane adds at most 64 terms in a block and 128 blocks in a unit, folds 16 lanes, and does so once for each factor
   of 2^15 terms. */
const tg_op tg_op_sum = {.name = "sum",
                         .formula = "y = sum of x",
                         REDUCTION,
                         .tolerance = 256,
                         .shape = shape_sum,
                         .gradient = gradient_sum,
                         RULES(sum_rules),
                         .run = run_sum};
const tg_op tg_op_mean = {.name = "mean",
                          .formula = "y = (sum of x) / n",
                          REDUCTION,
                          .tolerance = 256,
                          .shape = shape_mean,
                          .gradient = gradient_mean,
                          RULES(extent_rules),
                          .run = run_mean};
const tg_op tg_op_reduce_max = {.name = "reduce_max",
                                .formula = "y = max of x",
                                REDUCTION,
                                .shape = shape_extreme,
                                .gradient = gradient_extreme,
                                RULES(extent_rules),
                                .run = run_max};
const tg_op tg_op_reduce_min = {.name = "reduce_min",
                                .formula = "y = min of x",
                                REDUCTION,
                                .shape = shape_extreme,
                                .gradient = gradient_extreme,
                                RULES(extent_rules),
                                .run = run_min};

static tg_tensor reduce(tg_where where, const tg_op *op, tg_tensor x, tg_axes axes, bool keep)
{
    tg_reduce_attributes a = {.keep = keep};
    if (!tg_check_axes(where, op->name, x, axes, &a.axes))
        return tg_poisoned(x);
    return tg_apply_at(where, x.graph, op, &x, 1, &a, sizeof a);
}

#define DEFINE_REDUCTION(name)                                                                                                   \
    tg_tensor tg_##name##_at(tg_where where, tg_tensor x, tg_axes axes) { return reduce(where, &tg_op_##name, x, axes, false); } \
    tg_tensor tg_##name##_keep_at(tg_where where, tg_tensor x, tg_axes axes)                                                     \
    {                                                                                                                            \
        return reduce(where, &tg_op_##name, x, axes, true);                                                                      \
    }
DEFINE_REDUCTION(sum)
DEFINE_REDUCTION(mean)
DEFINE_REDUCTION(reduce_max)
DEFINE_REDUCTION(reduce_min)

tg_tensor tg_sum_to_shape_at(tg_where where, tg_tensor x, tg_shape shape)
{
    tg_shape from = tg_tensor_shape(x), wide;
    if (!tg_ok(x) || tg_shape_equal(from, shape))
        return x;
    if (!tg_shape_valid(shape) || !tg_shape_broadcast(from, shape, &wide) || !tg_shape_equal(wide, from)) {
        char text[2][200];
        return tg_graph_fail(x.graph, where, "sum_to_shape: %s does not broadcast to %s",
                             tg_shape_text(shape, text[0], sizeof text[0]), tg_shape_text(from, text[1], sizeof text[1]));
    }
    uint32_t mask = 0;
    for (int32_t axis = 0, added = from.rank - shape.rank; axis < from.rank; axis++)
        if (axis < added || (shape.dims[axis - added] == 1 && from.dims[axis] != 1))
            mask |= 1u << axis;
    return tg_reshape_at(where, tg_sum_at(where, x, tg_axes_of_mask(mask)), shape);
}
