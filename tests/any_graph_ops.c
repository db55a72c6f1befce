/* The ops of random graphs, but for windows. */
#include <stdio.h>
#include <string.h>

#include "any_graph.h"
#include "harness.h"
#include "ops/attributes.h"
#include "ops/op_entries.h"

/* A shape that broadcasts to this one: axes dropped from the left, extents of 1 instead of others. */
static tg_shape smaller(any_graph *g, tg_shape shape)
{
    int32_t dropped = any_below(g, 3) == 0 ? (int32_t)any_below(g, (uint32_t)shape.rank + 1) : 0;
    tg_shape result = {.rank = shape.rank - dropped};
    bool shrinks = any_below(g, 2);
    for (int32_t axis = 0; axis < result.rank; axis++)
        result.dims[axis] = shrinks && any_below(g, 2) ? 1 : shape.dims[axis + dropped];
    return result;
}

static tg_tensor operand(any_graph *g, tg_tensor beside)
{
    static const double numbers[] = {0, 1, -1, 2, 0.5, 3, -0.0, 4};
    if (any_below(g, 4) == 0)
        return tg_scalar(beside, numbers[any_below(g, sizeof numbers / sizeof *numbers)]);
    return any_shaped(g, smaller(g, tg_tensor_shape(beside)));
}

/* ---- pointwise ---- */

static tg_tensor whole_unary(any_graph *g, tg_tensor x)
{
    switch (any_below(g, 9)) {
    case 0: return tg_neg(x);
    case 1: return tg_abs(x);
    case 2: return tg_sign(x);
    case 3: return tg_relu(x);
    case 4: return tg_stop_gradient(x);
    case 5: return tg_square(tg_sign(x));
    case 6: return tg_leaky_relu(x, 0.5);
    case 7: return tg_cast(tg_cast(x, TG_I32), TG_FLOAT);
    default: return tg_cast(tg_cast(x, TG_F64), TG_FLOAT);
    }
}

static tg_tensor smooth_unary(any_graph *g, tg_tensor x)
{
    tg_tensor half = tg_scalar(x, 0.5), positive = tg_add(tg_square(x), half);
    switch (any_below(g, 17)) {
    case 0: return tg_neg(x);
    case 1: return tg_exp(tg_tanh(x));
    case 2: return tg_log(positive);
    case 3: return tg_sqrt(positive);
    case 4: return tg_square(tg_tanh(x));
    case 5: return tg_sin(x);
    case 6: return tg_cos(x);
    case 7: return tg_tanh(x);
    case 8: return tg_reciprocal(positive);
    case 9: return tg_rsqrt(positive);
    case 10: return tg_erf(x);
    case 11: return tg_sigmoid(x);
    case 12: return tg_gelu(x);
    case 13: return tg_silu(x);
    case 14: return tg_softplus(x);
    case 15: return tg_pow(positive, any_below(g, 2) ? tg_tanh(x) : tg_scalar(x, 2.0 - any_below(g, 4)));
    default: return tg_mul(tg_tanh(x), tg_scalar(x, 1 - 2.0 * any_below(g, 2)));
    }
}

/* Rounds to nothing that a whole number is not, or is differentiable; else any. */
static tg_tensor unary(any_graph *g, tg_tensor x)
{
    if (g->kind == ANY_WHOLE)
        return whole_unary(g, x);
    if (g->kind == ANY_SMOOTH)
        return smooth_unary(g, x);
    switch (any_below(g, 4)) {
    case 0: return whole_unary(g, x);
    case 1: return tg_elu(x, 0.5);
    default: return smooth_unary(g, x);
    }
}

static tg_tensor compare(any_graph *g, tg_tensor a, tg_tensor b)
{
    switch (any_below(g, 6)) {
    case 0: return tg_equal(a, b);
    case 1: return tg_not_equal(a, b);
    case 2: return tg_less(a, b);
    case 3: return tg_less_equal(a, b);
    case 4: return tg_greater(a, b);
    default: return tg_greater_equal(a, b);
    }
}

static tg_tensor binary(any_graph *g, tg_tensor a, tg_tensor b)
{
    bool smooth = g->kind == ANY_SMOOTH, whole = g->kind == ANY_WHOLE;
    tg_tensor swapped[2] = {any_below(g, 2) ? a : b, a};
    tg_tensor left = swapped[0], right = left.id == a.id ? b : a;
    switch (any_below(g, 12)) {
    case 0: return tg_add(left, right);
    case 1: return tg_sub(left, right);
    case 2: return tg_mul(whole ? tg_sign(left) : left, right);
    case 3: return tg_add(a, tg_mul(tg_sub(b, a), tg_scalar(a, 0.5)));
    case 4: return smooth ? tg_sub(a, b) : tg_maximum(left, right);
    case 5: return smooth ? tg_add(a, b) : tg_minimum(left, right);
    case 6: return smooth ? tg_mul(a, b) : compare(g, left, right);
    case 7: return tg_select(g->bytes.at[0], any_shaped(g, TG_SHAPE(3, 1, 2)), tg_scalar(a, 1));
    case 8: return smooth ? tg_sub(a, b) : tg_select(compare(g, left, right), left, right);
    case 9: return tg_lerp(a, b, tg_scalar(a, 2));
    case 10: return whole ? tg_add(a, tg_neg(b)) : tg_div(left, tg_add(tg_square(right), tg_scalar(a, 1)));
    default: {
        if (whole)
            return tg_mul(tg_neg(a), tg_neg(tg_sign(b)));
        tg_tensor v = tg_square(b), rate = tg_scalar(a, 0.25), below = tg_add(tg_sqrt(tg_add(v, rate)), rate);
        return any_below(g, 2) ? tg_adaptive_step(a, b, rate, tg_add(v, rate), 0.5) : tg_sub(a, tg_div(tg_mul(b, rate), below));
    }
    }
}

tg_tensor any_pointwise(any_graph *g)
{
    tg_tensor x = any_float(g);
    return any_below(g, 2) ? unary(g, x) : binary(g, x, operand(g, x));
}

/* ---- layout ---- */

static tg_tensor permuted(any_graph *g, tg_tensor x)
{
    int32_t rank = tg_tensor_shape(x).rank, axes[TG_MAX_RANK];
    for (int32_t i = 0; i < rank; i++)
        axes[i] = i;
    for (int32_t i = rank - 1; i > 0; i--) {
        int32_t other = (int32_t)any_below(g, (uint32_t)i + 1), kept = axes[i];
        axes[i] = axes[other];
        axes[other] = kept;
    }
    return tg_transpose(x, tg_axes_make(rank, axes));
}

/* The same number of elements with axes joined, split or of extent 1. */
static tg_tensor reshaped(any_graph *g, tg_tensor x)
{
    tg_shape from = tg_tensor_shape(x), to = {0};
    for (int32_t axis = 0; axis < from.rank; axis++) {
        if (to.rank < 5 && any_below(g, 3) == 0)
            to.dims[to.rank++] = 1;
        if (to.rank > 0 && any_below(g, 3) == 0)
            to.dims[to.rank - 1] *= from.dims[axis];
        else if (from.dims[axis] != 1 || to.rank < 5)
            to.dims[to.rank++] = from.dims[axis];
    }
    return tg_reshape(x, to);
}

static tg_tensor padded(any_graph *g, tg_tensor x, int axis)
{
    double value = any_below(g, 3) ? 0 : 1;
    if (any_below(g, 2))
        return tg_pad(x, axis, any_below(g, 3), any_below(g, 3), value);
    tg_pad_attributes a = {.axis = axis, .before = any_below(g, 2), .after = any_below(g, 2), .interior = any_below(g, 3)};
    return tg_apply(g->graph, &tg_op_pad, &x, 1, &a, sizeof a);
}

tg_tensor any_layout(any_graph *g)
{
    tg_tensor x = any_below(g, 8) ? any_float(g) : any_below(g, 2) ? g->bytes.at[0] : g->whole.at[0];
    tg_shape shape = tg_tensor_shape(x);
    uint32_t what = any_below(g, 8);
    if (what == 0)
        return reshaped(g, x);
    if (what == 1)
        return any_shaped(g, any_shape(g));
    if (what == 2)
        return permuted(g, x);
    if (shape.rank == 0 || what == 3) {
        tg_shape wide = {.rank = shape.rank < 5 ? shape.rank + 1 : shape.rank};
        memcpy(wide.dims + (wide.rank - shape.rank), shape.dims, (size_t)shape.rank * sizeof *shape.dims);
        wide.dims[0] = wide.rank > shape.rank ? any_extent(g) : wide.dims[0];
        return tg_broadcast_to(x, wide);
    }
    int axis = (int)any_below(g, (uint32_t)shape.rank);
    int64_t extent = shape.dims[axis];
    if (what == 4)
        return tg_flip(x, any_below(g, 2) ? TG_AXES(axis) : TG_ALL_AXES);
    if (what == 5)
        return padded(g, x, axis);
    if (what == 6) {
        tg_tensor parts[3] = {x, unary(g, tg_cast(x, TG_FLOAT)), x};
        parts[0] = parts[2] = tg_cast(x, TG_FLOAT);
        return tg_concat(parts, 1 + (int)any_below(g, 3), axis);
    }
    int64_t start = (int64_t)any_below(g, (uint32_t)extent + 1),
            stop = start + (int64_t)any_below(g, (uint32_t)(extent - start) + 1);
    return tg_slice(x, axis, start, stop, 1 + any_below(g, 3));
}

/* ---- reductions ---- */

static bool is_reducible(tg_shape shape, uint32_t mask)
{
    for (int32_t axis = 0; axis < shape.rank; axis++)
        if (mask >> axis & 1 && shape.dims[axis] == 0)
            return false;
    return true;
}

static tg_tensor along_axis(any_graph *g, tg_tensor x, int axis)
{
    bool smooth = g->kind == ANY_SMOOTH;
    if (tg_tensor_shape(x).dims[axis] == 0 || g->kind == ANY_WHOLE || (smooth || any_below(g, 2)))
        return g->kind == ANY_WHOLE ? tg_sum(x, TG_AXES(axis))
                                    : (any_below(g, 2) ? tg_softmax(x, axis) : tg_log_softmax(x, axis));
    return any_below(g, 2) ? tg_argmax(x, axis) : tg_argmin(x, axis);
}

tg_tensor any_reduction(any_graph *g)
{
    tg_tensor x = any_float(g);
    tg_shape shape = tg_tensor_shape(x);
    if (shape.rank > 0 && any_below(g, 4) == 0) {
        int axis = (int)any_below(g, (uint32_t)shape.rank);
        bool positions = g->kind == ANY_WHOLE && shape.dims[axis] > 0 && any_below(g, 2);
        return positions ? (any_below(g, 2) ? tg_argmax(x, axis) : tg_argmin(x, axis)) : along_axis(g, x, axis);
    }
    uint32_t mask = any_below(g, 3) ? any_below(g, 1u << shape.rank) : (1u << shape.rank) - 1;
    int32_t list[TG_MAX_RANK], n = 0;
    for (int32_t axis = 0; axis < shape.rank; axis++)
        if (mask >> axis & 1)
            list[n++] = axis;
    tg_axes axes = tg_axes_make(n, list);
    bool keep = any_below(g, 2);
    uint32_t what = any_below(g, 6);
    if (!is_reducible(shape, mask) || what < 2 || (g->kind == ANY_WHOLE && what == 2))
        return keep ? tg_sum_keep(x, axes) : tg_sum(x, axes);
    if (what == 2)
        return keep ? tg_mean_keep(x, axes) : tg_mean(x, axes);
    if (g->kind == ANY_SMOOTH)
        return keep ? tg_logsumexp_keep(x, axes) : tg_logsumexp(x, axes);
    if (what == 3 || what == 4)
        return keep ? tg_max_keep(x, axes) : tg_max(x, axes);
    return keep ? tg_min_keep(x, axes) : tg_min(x, axes);
}

/* ---- by index, losses, random numbers ---- */

static tg_tensor loss(any_graph *g)
{
    int64_t n = 1 + any_below(g, 5), classes = 1 + any_below(g, 7);
    tg_tensor logits = any_shaped(g, TG_SHAPE(n, classes)), labels = any_indices(g, TG_I32, TG_SHAPE(n), (uint32_t)classes);
    if (g->kind == ANY_WHOLE)
        return tg_mean_absolute_error(logits, tg_one_hot(labels, classes, TG_FLOAT));
    switch (any_below(g, 4)) {
    case 0: return tg_cross_entropy(logits, tg_softmax(any_shaped(g, TG_SHAPE(n, classes)), 1));
    case 1: return tg_cross_entropy(logits, tg_one_hot(labels, classes, TG_FLOAT));
    case 2: return tg_mean_squared_error(logits, any_shaped(g, TG_SHAPE(n, classes)));
    default: return tg_cross_entropy(logits, labels);
    }
}

tg_tensor any_index(any_graph *g)
{
    tg_tensor x = any_float(g);
    tg_shape shape = tg_tensor_shape(x), indices = TG_SHAPE(1 + any_below(g, 4));
    char name[16];
    snprintf(name, sizeof name, "r%d", g->names++);
    uint32_t rows = shape.rank > 0 ? (uint32_t)shape.dims[0] : 0;
    switch (any_below(g, 6)) {
    case 0: return rows == 0 ? loss(g) : tg_gather(any_below(g, 2) ? x : unary(g, x), any_indices(g, TG_I32, indices, rows));
    case 1: return rows == 0 ? loss(g) : tg_scatter_add(x, any_indices(g, TG_I32, TG_SHAPE(rows), 3), 3);
    case 2: return tg_one_hot(any_indices(g, TG_I32, indices, 5), 5, TG_FLOAT);
    case 3:
        if (g->kind == ANY_WHOLE)
            return tg_sign(tg_random_uniform(g->graph, name, TG_FLOAT, indices, 0.5, 1));
        return any_below(g, 2) ? tg_random_uniform(g->graph, name, TG_FLOAT, indices, -1, 1)
                               : tg_random_normal(g->graph, name, TG_FLOAT, indices, 0, 1);
    default: return loss(g);
    }
}

/* ---- products ---- */

/* Of bytes: what compiling makes a lookup_matmul of. */
static tg_tensor byte_product(any_graph *g)
{
    enum { K = 64, N = 12 };
    tg_tensor x = any_indices(g, TG_U8, TG_SHAPE(3, K), g->kind == ANY_WHOLE ? 3 : 256), b = any_shaped(g, TG_SHAPE(K, N));
    tg_tensor scaled = tg_mul(tg_cast(x, TG_FLOAT), tg_scalar(b, 0.5));
    if (any_below(g, 3))
        return tg_matmul(any_below(g, 2) ? scaled : unary(g, scaled), b);
    return tg_lookup_matmul(any_shaped(g, TG_SHAPE(256)), x, b, false);
}

tg_tensor any_product(any_graph *g)
{
    if (any_below(g, 5) == 0)
        return byte_product(g);
    int64_t m = any_extent(g), k = any_extent(g), n = any_extent(g), many = 1 + any_below(g, 3);
    tg_matmul_options options = {.transpose_a = any_below(g, 2), .transpose_b = any_below(g, 2)};
    int64_t a[2] = {options.transpose_a ? k : m, options.transpose_a ? m : k};
    int64_t b[2] = {options.transpose_b ? n : k, options.transpose_b ? k : n};
    bool wide_a = any_below(g, 3) == 0, wide_b = any_below(g, 3) == 0;
    tg_tensor left = any_shaped(g, wide_a ? TG_SHAPE(many, a[0], a[1]) : TG_SHAPE(a[0], a[1]));
    tg_tensor right = any_shaped(g, wide_b ? TG_SHAPE(many, b[0], b[1]) : TG_SHAPE(b[0], b[1]));
    if (any_below(g, 3) == 0 && !wide_a) {
        options.transpose_a = !options.transpose_a;
        left = tg_transpose(left, TG_ALL_AXES);
    }
    return tg_matmul_with(left, right, options);
}
