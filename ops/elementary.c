/* Powers, exponentials, logarithms, trigonometric and error functions. log and sqrt are not declared increasing: of a negative
   argument they make a NaN, which a maximum over their results takes, and a maximum over their arguments hides. */
#include "ops/pointwise.h"

#include <math.h>

#include "graph/rebuild.h"

#define TWO_OVER_ROOT_PI 1.12837916709551257390

/* ---- powers ---- */

static tg_tensor both(tg_tensor a, tg_tensor b) { return tg_minimum(a, b); }
static tg_tensor either(tg_tensor a, tg_tensor b) { return tg_maximum(a, b); }

/* The value of an exponent that is a constant, or one less than another, as gradient rules record them. */
static bool constant_exponent(tg_tensor b, double *value)
{
    tg_tensor from = tg_operand(b, &tg_op_sub, 0), less = tg_operand(b, &tg_op_sub, 1);
    double minuend, subtrahend;
    if (!tg_ok(from) || !tg_node_scalar(tg_tensor_node(less), &subtrahend))
        return tg_node_scalar(tg_tensor_node(b), value);
    if (!constant_exponent(from, &minuend))
        return false;
    *value = minuend - subtrahend;
    return true;
}

/* b a^(b - 1). It is 0 where a^b is 1 for every a, or 0 around a: there 0 meets an infinite power, or an infinite b meets 0. */
static tg_tensor pow_slope(tg_tensor a, tg_tensor b, tg_tensor y)
{
    double constant;
    tg_tensor zero = tg_scalar(b, 0), one = tg_scalar(b, 1);
    if (constant_exponent(b, &constant) && constant != 0 && isfinite(constant))
        return tg_mul(b, tg_pow(a, tg_sub(b, one)));
    tg_tensor always_one = both(tg_equal(a, zero), tg_equal(b, zero));
    tg_tensor always_zero = both(tg_equal(tg_abs(b), tg_scalar(b, INFINITY)), tg_equal(y, zero));
    tg_tensor flat = either(always_one, always_zero);
    return tg_mul(tg_select(flat, zero, b), tg_pow(tg_select(flat, one, a), tg_sub(b, one)));
}

/* log a, but 0 where it is infinite and meets a^b = 0, and at a = b = 0. */
static tg_tensor pow_log(tg_tensor a, tg_tensor b)
{
    tg_tensor zero = tg_scalar(a, 0);
    tg_tensor vanishes =
        either(both(tg_equal(a, zero), tg_greater_equal(b, zero)), both(tg_equal(a, tg_scalar(a, INFINITY)), tg_less(b, zero)));
    return tg_log(tg_select(vanishes, tg_scalar(a, 1), a));
}

static tg_tensor pow_one(const tg_rewrite_args *args)
{
    return tg_is_scalar(args->inputs[1], 1) ? tg_as_result(args, args->inputs[0]) : tg_none();
}

static tg_tensor pow_constant(const tg_rewrite_args *args)
{
    tg_tensor x = tg_as_result(args, args->inputs[0]);
    double exponent;
    if (!tg_ok(x) || !tg_node_scalar(tg_tensor_node(args->inputs[1]), &exponent))
        return tg_none();
    return exponent == 2 ? tg_square(x) : exponent == 0.5 ? tg_sqrt(x) : exponent == -1 ? tg_reciprocal(x) : tg_none();
}

static const tg_rewrite_rule pow_rules[] = {{"x^1 -> x", TG_EXACT, 0, pow_one},
                                            {"x^2, x^(1/2), x^-1 -> square, sqrt, reciprocal", TG_ROUNDS, 2, pow_constant}};
TG_DEFINE_BINARY(FLOAT, pow, "y = a^b", tg_mul(g, pow_slope(a, b, y)), tg_mul(tg_mul(g, y), pow_log(a, b)),
                 .traits = TG_POINTWISE, .tolerance = 1, TG_REWRITES(pow_rules))

static tg_tensor square_sign(const tg_rewrite_args *args)
{
    tg_tensor negated = tg_operand(args->inputs[0], &tg_op_neg, 0), sized = tg_operand(args->inputs[0], &tg_op_abs, 0);
    return tg_ok(negated) ? tg_square(negated) : tg_ok(sized) ? tg_square(sized) : tg_none();
}

static const tg_rewrite_rule square_rules[] = {{"(-x)^2, |x|^2 -> x^2", TG_EXACT, 0, square_sign}};
TG_DEFINE_UNARY(NUMBER, square, "y = x^2", tg_mul(g, tg_mul(x, tg_scalar(x, 2))), .traits = TG_POINTWISE | TG_MONOTONE,
                .tolerance = 1, TG_REWRITES(square_rules))
TG_DEFINE_UNARY(FLOAT, sqrt, "y = sqrt(x)", tg_div(tg_mul(g, tg_scalar(g, 0.5)), y), .traits = TG_POINTWISE | TG_MONOTONE,
                .tolerance = 1)
TG_DEFINE_UNARY(FLOAT, reciprocal, "y = 1 / x", tg_neg(tg_mul(g, tg_square(y))), .traits = TG_POINTWISE | TG_MONOTONE,
                .tolerance = 1)
TG_DEFINE_UNARY(FLOAT, rsqrt, "y = 1 / sqrt(x)", tg_mul(tg_mul(g, tg_scalar(g, -0.5)), tg_mul(y, tg_square(y))),
                .traits = TG_POINTWISE | TG_MONOTONE, .tolerance = 1)

/* ---- transcendental ---- */

TG_DEFINE_UNARY(FLOAT, exp, "y = exp(x)", tg_mul(g, y), .traits = TG_POINTWISE | TG_MONOTONE, .increasing_in = 1, .tolerance = 1)
TG_DEFINE_UNARY(FLOAT, log, "y = log(x)", tg_div(g, x), .traits = TG_POINTWISE | TG_MONOTONE, .tolerance = 1)
TG_DEFINE_UNARY(FLOAT, sin, "y = sin(x)", tg_mul(g, tg_cos(x)), .traits = TG_POINTWISE, .tolerance = 2)

static tg_tensor cos_sign(const tg_rewrite_args *args)
{
    tg_tensor x = tg_operand(args->inputs[0], &tg_op_neg, 0);
    return tg_ok(x) ? tg_cos(x) : tg_none();
}

static const tg_rewrite_rule cos_rules[] = {{"cos(-x) -> cos(x)", TG_EXACT, 0, cos_sign}};
TG_DEFINE_UNARY(FLOAT, cos, "y = cos(x)", tg_neg(tg_mul(g, tg_sin(x))), .traits = TG_POINTWISE, .tolerance = 2,
                TG_REWRITES(cos_rules))
TG_DEFINE_UNARY(FLOAT, tanh, "y = tanh(x)", tg_mul(g, tg_sub(tg_scalar(y, 1), tg_square(y))),
                .traits = TG_POINTWISE | TG_MONOTONE, .increasing_in = 1, .tolerance = 2)
TG_DEFINE_UNARY(FLOAT, erf, "y = erf(x)", tg_mul(g, tg_mul(tg_exp(tg_neg(tg_square(x))), tg_scalar(x, TWO_OVER_ROOT_PI))),
                .traits = TG_POINTWISE | TG_MONOTONE, .tolerance = 2)
