/* Arithmetic, comparisons, choice and casts. Of the integers, i32 has add, sub, mul, neg, abs, sign and square, wrapping around as
   NumPy's do; u8 has none of these, since its sums would wrap at 256; both have maximum, minimum, comparisons, where, casts. */
#include "ops/pointwise.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "graph/rebuild.h"
#include "ops/attributes.h"
#include "ops/rewrites.h"

/* ---- shared by the families ---- */

/* One dtype from input `first` on; all inputs broadcast. */
static bool broadcast(tg_infer *infer, int first)
{
    infer->result = infer->inputs[first];
    for (int i = 0; i < infer->n_inputs; i++) {
        if (i >= first && infer->inputs[i].dtype != infer->result.dtype)
            return tg_infer_fail(infer, "the operands have the dtypes %s and %s: cast one of them",
                                 tg_dtype_name(infer->result.dtype), tg_dtype_name(infer->inputs[i].dtype));
        if (!tg_shape_broadcast(infer->result.shape, infer->inputs[i].shape, &infer->result.shape))
            return tg_infer_fail(infer, "the shapes do not broadcast: extents must be equal, or one of them 1, from the right");
    }
    return true;
}

bool tg_shape_any(tg_infer *infer) { return broadcast(infer, 0); }

bool tg_shape_number(tg_infer *infer)
{
    for (int i = 0; i < infer->n_inputs; i++)
        if (infer->inputs[i].dtype == TG_U8)
            return tg_infer_fail(infer, "operand %d is u8, which has no arithmetic: cast it", i);
    return broadcast(infer, 0);
}

bool tg_shape_parameter(tg_infer *infer, const char *name)
{
    double value = *(const double *)infer->attributes;
    if (!(value >= 0) || isinf(value))
        return tg_infer_fail(infer, "%s %g must be finite and not negative", name, value);
    return tg_shape_pointwise(infer);
}

double tg_flops_pointwise(const tg_work *work) { return (double)tg_shape_count(work->output.shape); }

bool tg_is_scalar(tg_tensor t, double value)
{
    const tg_node *node = tg_tensor_node(t);
    double found;
    return node && tg_node_scalar(node, &found) && found == value;
}

tg_tensor tg_operand(tg_tensor t, const tg_op *op, int i)
{
    const tg_node *node = tg_tensor_node(t);
    return node && node->op == op ? (tg_tensor){t.graph, node->inputs[i]} : tg_none();
}

tg_tensor tg_as_result(const tg_rewrite_args *args, tg_tensor t)
{
    return tg_ok(t) && tg_type_equal(tg_tensor_type(t), args->type) ? t : tg_none();
}

/* What is zero but for pooled elements stays so. */
#define UNPOOLED_OPERAND                                                             \
    {                                                                                \
        "f(unpool2d(y)) -> unpool2d(f(y))", TG_EXACT, 0, tg_rewrite_unpooled_operand \
    }

/* ---- arithmetic ---- */

static tg_tensor add_zero(const tg_rewrite_args *args)
{
    for (int i = 0; i < 2; i++)
        if (tg_is_scalar(args->inputs[i], 0))
            return tg_as_result(args, args->inputs[1 - i]);
    return tg_none();
}

static tg_tensor add_negative(const tg_rewrite_args *args)
{
    for (int i = 0; i < 2; i++) {
        tg_tensor x = tg_operand(args->inputs[i], &tg_op_neg, 0);
        if (tg_ok(x))
            return tg_sub(args->inputs[1 - i], x);
    }
    return tg_none();
}

static const tg_rewrite_rule add_rules[] = {{"x + 0 -> x", TG_EXACT, 0, add_zero},
                                            {"a + (-b) -> a - b", TG_EXACT, 0, add_negative},
                                            UNPOOLED_OPERAND,
                                            {"a + (b - a) t -> lerp(a, b, t)", TG_EXACT, 0, tg_rewrite_lerp}};
TG_DEFINE_BINARY(NUMBER, add, "y = a + b", g, g, .traits = TG_POINTWISE | TG_MONOTONE | TG_SECOND_DERIVATIVE_ZERO,
                 .increasing_in = 3, .tolerance = 1, TG_REWRITES(add_rules))

static tg_tensor sub_zero(const tg_rewrite_args *args)
{
    return tg_is_scalar(args->inputs[1], 0) ? tg_as_result(args, args->inputs[0]) : tg_none();
}

static tg_tensor zero_sub(const tg_rewrite_args *args)
{
    tg_tensor x = tg_as_result(args, args->inputs[1]);
    return tg_ok(x) && tg_is_scalar(args->inputs[0], 0) ? tg_neg(x) : tg_none();
}

static tg_tensor sub_negative(const tg_rewrite_args *args)
{
    tg_tensor x = tg_operand(args->inputs[1], &tg_op_neg, 0);
    return tg_ok(x) ? tg_add(args->inputs[0], x) : tg_none();
}

/* Exponents of gradients. The difference of two floats, rounded to double, rounds to float as the exact one does; of what would be
   flushed to zero in a run, nothing is recorded. */
static tg_tensor sub_constants(const tg_rewrite_args *args)
{
    double a, b;
    if (!tg_dtype_is_float(args->type.dtype) || args->type.shape.rank != 0 ||
        !tg_node_scalar(tg_tensor_node(args->inputs[0]), &a) || !tg_node_scalar(tg_tensor_node(args->inputs[1]), &b))
        return tg_none();
    double difference = a - b;
    bool plain = difference == 0 || (fabs(difference) >= FLT_MIN && fabs(difference) <= FLT_MAX);
    return plain ? tg_scalar(args->inputs[0], difference) : tg_none();
}

static const tg_rewrite_rule sub_rules[] = {
    {"constant - constant -> constant", TG_EXACT, 0, sub_constants},
    {"x - 0 -> x", TG_EXACT, 0, sub_zero},
    {"0 - x -> -x", TG_EXACT, 0, zero_sub},
    {"a - (-b) -> a + b", TG_EXACT, 0, sub_negative},
    UNPOOLED_OPERAND,
    {"w - m r / (sqrt(v) + e) -> adaptive_step(w, m, r, v)", TG_EXACT, 0, tg_rewrite_adaptive_step}};
TG_DEFINE_BINARY(NUMBER, sub, "y = a - b", g, tg_neg(g), .traits = TG_POINTWISE | TG_MONOTONE | TG_SECOND_DERIVATIVE_ZERO,
                 .increasing_in = 1, .tolerance = 1, TG_REWRITES(sub_rules))

static tg_tensor mul_one(const tg_rewrite_args *args)
{
    for (int i = 0; i < 2; i++)
        if (tg_is_scalar(args->inputs[i], 1))
            return tg_as_result(args, args->inputs[1 - i]);
    return tg_none();
}

static tg_tensor mul_minus_one(const tg_rewrite_args *args)
{
    for (int i = 0; i < 2; i++) {
        tg_tensor x = tg_as_result(args, args->inputs[1 - i]);
        if (tg_ok(x) && tg_is_scalar(args->inputs[i], -1))
            return tg_neg(x);
    }
    return tg_none();
}

static tg_tensor mul_negatives(const tg_rewrite_args *args)
{
    tg_tensor a = tg_operand(args->inputs[0], &tg_op_neg, 0), b = tg_operand(args->inputs[1], &tg_op_neg, 0);
    return tg_ok(a) && tg_ok(b) ? tg_mul(a, b) : tg_none();
}

static tg_tensor mul_itself(const tg_rewrite_args *args)
{
    return args->inputs[0].id == args->inputs[1].id ? tg_square(args->inputs[0]) : tg_none();
}

static const tg_rewrite_rule mul_rules[] = {{"x 1 -> x", TG_EXACT, 0, mul_one},
                                            {"x (-1) -> -x", TG_EXACT, 0, mul_minus_one},
                                            {"(-a) (-b) -> a b", TG_EXACT, 0, mul_negatives},
                                            {"x x -> x^2", TG_EXACT, 0, mul_itself},
                                            UNPOOLED_OPERAND};
TG_DEFINE_BINARY(NUMBER, mul, "y = a b", tg_mul(g, b), tg_mul(g, a), .traits = TG_POINTWISE | TG_MONOTONE, .tolerance = 1,
                 TG_REWRITES(mul_rules))

static tg_tensor div_one(const tg_rewrite_args *args)
{
    return tg_is_scalar(args->inputs[1], 1) ? tg_as_result(args, args->inputs[0]) : tg_none();
}

static tg_tensor one_div(const tg_rewrite_args *args)
{
    tg_tensor x = tg_as_result(args, args->inputs[1]);
    return tg_ok(x) && tg_is_scalar(args->inputs[0], 1) ? tg_reciprocal(x) : tg_none();
}

/* By a power of two whose reciprocal is a normal float. */
static tg_tensor div_power(const tg_rewrite_args *args)
{
    double divisor;
    int exponent;
    if (!tg_node_scalar(tg_tensor_node(args->inputs[1]), &divisor) || fabs(frexp(divisor, &exponent)) != 0.5 ||
        abs(exponent) > 120)
        return tg_none();
    return tg_mul(args->inputs[0], tg_scalar(args->inputs[1], 1 / divisor));
}

static const tg_rewrite_rule div_rules[] = {{"x / 1 -> x", TG_EXACT, 0, div_one},
                                            {"1 / x -> reciprocal(x)", TG_EXACT, 0, one_div},
                                            {"x / 2^k -> x 2^-k", TG_EXACT, 0, div_power}};
TG_DEFINE_BINARY(FLOAT, div, "y = a / b", tg_div(g, b), tg_neg(tg_div(tg_mul(g, y), b)), .traits = TG_POINTWISE | TG_MONOTONE,
                 .tolerance = 1, TG_REWRITES(div_rules))

/* ---- the larger and the smaller ---- */

/* g for the side that wins, half of it at a tie. */
static tg_tensor winner_share(tg_tensor g, tg_tensor wins, tg_tensor loses)
{
    return tg_select(wins, g, tg_select(loses, tg_scalar(g, 0), tg_mul(g, tg_scalar(g, 0.5))));
}

static tg_tensor same_operands(const tg_rewrite_args *args)
{
    return args->inputs[0].id == args->inputs[1].id ? args->inputs[0] : tg_none();
}

static tg_tensor maximum_zero(const tg_rewrite_args *args)
{
    for (int i = 0; i < 2 && tg_dtype_is_float(args->type.dtype); i++) {
        tg_tensor x = tg_as_result(args, args->inputs[1 - i]);
        if (tg_ok(x) && tg_is_scalar(args->inputs[i], 0))
            return tg_relu(x);
    }
    return tg_none();
}

static const tg_rewrite_rule maximum_rules[] = {{"maximum(x, x) -> x", TG_EXACT, 0, same_operands},
                                                {"maximum(x, 0) -> relu(x)", TG_EXACT, 0, maximum_zero}};
TG_DEFINE_BINARY(ANY, maximum, "y = max(a, b)", winner_share(g, tg_greater(a, b), tg_less(a, b)),
                 winner_share(g, tg_greater(b, a), tg_less(b, a)),
                 .traits = TG_POINTWISE | TG_MONOTONE | TG_SECOND_DERIVATIVE_ZERO, .increasing_in = 3, .tolerance = 0,
                 TG_REWRITES(maximum_rules))

static const tg_rewrite_rule minimum_rules[] = {{"minimum(x, x) -> x", TG_EXACT, 0, same_operands}};
TG_DEFINE_BINARY(ANY, minimum, "y = min(a, b)", winner_share(g, tg_less(a, b), tg_greater(a, b)),
                 winner_share(g, tg_less(b, a), tg_greater(b, a)),
                 .traits = TG_POINTWISE | TG_MONOTONE | TG_SECOND_DERIVATIVE_ZERO, .increasing_in = 3, .tolerance = 0,
                 TG_REWRITES(minimum_rules))

/* ---- signs ---- */

static tg_tensor neg_neg(const tg_rewrite_args *args) { return tg_operand(args->inputs[0], &tg_op_neg, 0); }

static tg_tensor neg_sub(const tg_rewrite_args *args)
{
    tg_tensor a = tg_operand(args->inputs[0], &tg_op_sub, 0), b = tg_operand(args->inputs[0], &tg_op_sub, 1);
    return tg_ok(a) ? tg_sub(b, a) : tg_none();
}

static const tg_rewrite_rule neg_rules[] = {
    {"-(-x) -> x", TG_EXACT, 0, neg_neg}, {"-(a - b) -> b - a", TG_EXACT, 0, neg_sub}, UNPOOLED_OPERAND};
TG_DEFINE_UNARY(NUMBER, neg, "y = -x", tg_neg(g), .traits = TG_POINTWISE | TG_MONOTONE | TG_SECOND_DERIVATIVE_ZERO,
                .tolerance = 0, TG_REWRITES(neg_rules))

static tg_tensor abs_neg(const tg_rewrite_args *args)
{
    tg_tensor x = tg_operand(args->inputs[0], &tg_op_neg, 0);
    return tg_ok(x) ? tg_abs(x) : tg_none();
}

static tg_tensor abs_abs(const tg_rewrite_args *args)
{
    return tg_ok(tg_operand(args->inputs[0], &tg_op_abs, 0)) ? args->inputs[0] : tg_none();
}

static const tg_rewrite_rule abs_rules[] = {{"|-x| -> |x|", TG_EXACT, 0, abs_neg}, {"||x|| -> |x|", TG_EXACT, 0, abs_abs}};
TG_DEFINE_UNARY(NUMBER, abs, "y = |x|", tg_mul(g, tg_sign(x)), .traits = TG_POINTWISE | TG_MONOTONE | TG_SECOND_DERIVATIVE_ZERO,
                .tolerance = 0, TG_REWRITES(abs_rules))

TG_DEFINE_UNARY(NUMBER, sign, "y = sign(x)", tg_full(x, tg_tensor_shape(x), 0),
                .traits = TG_POINTWISE | TG_SECOND_DERIVATIVE_ZERO, .increasing_in = 1, .tolerance = 0)

/* ---- comparisons ---- */

static bool comparison_shape(tg_infer *infer)
{
    bool ok = broadcast(infer, 0);
    infer->result.dtype = TG_U8;
    return ok;
}

#define COMPARISON(op_name, text)                                                              \
    TG_BLOCK_ANY(op_name)                                                                      \
    const tg_op tg_op_##op_name = {.name = #op_name,                                           \
                                   .formula = text,                                            \
                                   .traits = TG_POINTWISE,                                     \
                                   .min_inputs = 2,                                            \
                                   .max_inputs = 2,                                            \
                                   .shape = comparison_shape,                                  \
                                   .flops = tg_flops_pointwise,                                \
                                   .block = op_name##_block};                                  \
    tg_tensor tg_##op_name##_at(tg_where where, tg_tensor a, tg_tensor b)                      \
    {                                                                                          \
        return tg_apply_at(where, a.graph, &tg_op_##op_name, (tg_tensor[]){a, b}, 2, NULL, 0); \
    }
COMPARISON(equal, "y = (a = b)")
COMPARISON(not_equal, "y = (a != b)")
COMPARISON(less, "y = (a < b)")
COMPARISON(less_equal, "y = (a <= b)")
COMPARISON(greater, "y = (a > b)")
COMPARISON(greater_equal, "y = (a >= b)")

/* ---- choice ---- */

static bool where_shape(tg_infer *infer)
{
    if (infer->inputs[0].dtype != TG_U8)
        return tg_infer_fail(infer, "the condition is %s, not u8: compare it with something",
                             tg_dtype_name(infer->inputs[0].dtype));
    return broadcast(infer, 1);
}

static void where_gradient(const tg_gradient_args *args, tg_tensor *result)
{
    tg_tensor condition = args->inputs[0], g = args->gradient;
    if (args->wanted[1])
        result[1] = tg_select(condition, g, tg_scalar(g, 0));
    if (args->wanted[2])
        result[2] = tg_select(condition, tg_scalar(g, 0), g);
}

static tg_tensor where_same(const tg_rewrite_args *args)
{
    return args->inputs[1].id == args->inputs[2].id ? tg_as_result(args, args->inputs[1]) : tg_none();
}

TG_BLOCK_ANY(where)
static const tg_rewrite_rule where_rules[] = {{"c ? x : x -> x", TG_EXACT, 0, where_same}, UNPOOLED_OPERAND};
const tg_op tg_op_where = {.name = "where",
                           .formula = "y = c ? a : b",
                           .traits = TG_POINTWISE | TG_MONOTONE | TG_SECOND_DERIVATIVE_ZERO,
                           .increasing_in = 6,
                           .not_differentiable = 1,
                           .min_inputs = 3,
                           .max_inputs = 3,
                           .tolerance = 0,
                           .shape = where_shape,
                           .gradient = where_gradient,
                           TG_REWRITES(where_rules),
                           .flops = tg_flops_pointwise,
                           .block = where_block};

tg_tensor tg_where_at(tg_where where, tg_tensor condition, tg_tensor a, tg_tensor b)
{
    return tg_apply_at(where, a.graph, &tg_op_where, (tg_tensor[]){condition, a, b}, 3, NULL, 0);
}

/* ---- casts ---- */

static tg_dtype cast_target(const void *attributes) { return (tg_dtype)((const tg_cast_attributes *)attributes)->dtype; }

static bool cast_shape(tg_infer *infer)
{
    infer->result = (tg_type){cast_target(infer->attributes), infer->inputs[0].shape};
    return (unsigned)infer->result.dtype < TG_DTYPE_COUNT ||
           tg_infer_fail(infer, "dtype %d does not exist", (int)infer->result.dtype);
}

static void cast_gradient(const tg_gradient_args *args, tg_tensor *result)
{
    result[0] = tg_cast(args->gradient, tg_tensor_dtype(args->inputs[0]));
}

/* Whether each value of `from` is one of `to`. */
static bool holds(tg_dtype to, tg_dtype from) { return to == TG_F64 || from == TG_U8 || to == from; }

static tg_tensor cast_wider(const tg_rewrite_args *args)
{
    tg_tensor x = tg_operand(args->inputs[0], &tg_op_cast, 0);
    bool lossless = tg_ok(x) && holds(tg_tensor_dtype(args->inputs[0]), tg_tensor_dtype(x));
    return lossless ? tg_cast(x, args->type.dtype) : tg_none();
}

static tg_block_fn cast_block(const tg_work *work)
{
    const tg_kernels *kernels = tg_kernels_for(work->isa);
    /* clang-format off */
    const tg_block_fn blocks[TG_DTYPE_COUNT][TG_DTYPE_COUNT] = {
        [TG_F32] = {[TG_F32] = tg_plain_copy_4, [TG_F64] = tg_plain_cast_f32_f64,
                    [TG_I32] = tg_plain_cast_f32_i32, [TG_U8] = tg_plain_cast_f32_u8},
        [TG_F64] = {[TG_F32] = tg_plain_cast_f64_f32, [TG_F64] = tg_plain_copy_8,
                    [TG_I32] = tg_plain_cast_f64_i32, [TG_U8] = tg_plain_cast_f64_u8},
        [TG_I32] = {[TG_F32] = kernels->lane_cast_from_i32, [TG_F64] = tg_plain_cast_i32_f64,
                    [TG_I32] = tg_plain_copy_4, [TG_U8] = tg_plain_cast_i32_u8},
        [TG_U8] = {[TG_F32] = kernels->lane_cast_from_u8, [TG_F64] = tg_plain_cast_u8_f64,
                   [TG_I32] = tg_plain_cast_u8_i32, [TG_U8] = tg_plain_copy_1}};
    /* clang-format on */
    return blocks[work->inputs[0].dtype][work->output.dtype];
}

static void cast_describe(const void *attributes, char *text, size_t size)
{
    snprintf(text, size, "to %s", tg_dtype_name(cast_target(attributes)));
}

static const tg_rewrite_rule cast_rules[] = {{"cast(cast(x, wider)) -> cast(x)", TG_EXACT, 0, cast_wider}};
const tg_op tg_op_cast = {.name = "cast",
                          .formula = "y = x",
                          .traits = TG_POINTWISE | TG_MONOTONE | TG_SECOND_DERIVATIVE_ZERO,
                          .min_inputs = 1,
                          .max_inputs = 1,
                          .tolerance = 1,
                          .shape = cast_shape,
                          .gradient = cast_gradient,
                          TG_REWRITES(cast_rules),
                          .flops = tg_flops_pointwise,
                          .describe = cast_describe,
                          .block = cast_block};

tg_tensor tg_cast_at(tg_where where, tg_tensor x, tg_dtype dtype)
{
    if (!tg_ok(x))
        return x;
    tg_cast_attributes attributes = {dtype == TG_FLOAT ? (int32_t)tg_variables_float(tg_graph_variables(x.graph))
                                                       : (int32_t)dtype};
    if (attributes.dtype == (int32_t)tg_tensor_dtype(x))
        return x;
    return tg_apply_at(where, x.graph, &tg_op_cast, &x, 1, &attributes, sizeof attributes);
}

/* ---- stop_gradient ---- */

static tg_tensor drop(const tg_rewrite_args *args) { return args->inputs[0]; }

static tg_block_fn copy_block(const tg_work *work)
{
    switch (tg_dtype_size(work->output.dtype)) {
    case 1: return tg_plain_copy_1;
    case 4: return tg_plain_copy_4;
    default: return tg_plain_copy_8;
    }
}

static const tg_rewrite_rule stop_gradient_rules[] = {{"stop_gradient(x) -> x", TG_EXACT, 0, drop}};
const tg_op tg_op_stop_gradient = {.name = "stop_gradient",
                                   .formula = "y = x",
                                   .traits = TG_POINTWISE | TG_IDENTITY | TG_CUTS_GRADIENT,
                                   .increasing_in = 1,
                                   .min_inputs = 1,
                                   .max_inputs = 1,
                                   .tolerance = 0,
                                   .shape = tg_shape_any,
                                   TG_REWRITES(stop_gradient_rules),
                                   .block = copy_block};

tg_tensor tg_stop_gradient_at(tg_where where, tg_tensor x)
{
    return tg_apply_at(where, x.graph, &tg_op_stop_gradient, &x, 1, NULL, 0);
}
