/* Activation functions. gelu and silu fall before they rise, and softplus is rounded so that it falls here and there: none of
   the three is declared increasing. */
#include "ops/pointwise.h"

#include <math.h>
#include <stdio.h>

#include "graph/number_text.h"
#include "ops/attributes.h"

TG_DEFINE_UNARY(FLOAT, sigmoid, "y = 1 / (1 + exp(-x))", tg_mul(g, tg_mul(y, tg_sub(tg_scalar(y, 1), y))),
                .traits = TG_POINTWISE | TG_MONOTONE, .increasing_in = 1, .tolerance = 3)

static tg_tensor relu_relu(const tg_rewrite_args *args)
{
    return tg_ok(tg_operand(args->inputs[0], &tg_op_relu, 0)) ? args->inputs[0] : tg_none();
}

static const tg_rewrite_rule relu_rules[] = {{"relu(relu(x)) -> relu(x)", TG_EXACT, 0, relu_relu}};
TG_DEFINE_UNARY(FLOAT, relu, "y = max(x, 0)", tg_select(tg_greater(y, tg_scalar(y, 0)), g, tg_scalar(g, 0)),
                .traits = TG_POINTWISE | TG_MONOTONE | TG_SECOND_DERIVATIVE_ZERO, .increasing_in = 1, .tolerance = 0,
                TG_REWRITES(relu_rules))

/* Phi(x) + x phi(x), Phi and phi being the normal distribution's integral and density. Below -1, where 1 + erf cancels, Phi is y / x. */
static tg_tensor gelu_slope(tg_tensor x, tg_tensor y)
{
    tg_tensor half = tg_scalar(x, 0.5), below = tg_less(x, tg_scalar(x, -1));
    tg_tensor integral = tg_add(half, tg_mul(half, tg_erf(tg_mul(x, tg_scalar(x, 0.70710678118654752440)))));
    tg_tensor tail = tg_div(y, tg_select(below, x, tg_scalar(x, 1)));
    tg_tensor density = tg_mul(tg_exp(tg_mul(tg_square(x), tg_scalar(x, -0.5))), tg_scalar(x, 0.39894228040143267794));
    return tg_add(tg_select(below, tail, integral), tg_mul(x, density));
}
TG_DEFINE_UNARY(FLOAT, gelu, "y = x Phi(x)", tg_mul(g, gelu_slope(x, y)), .traits = TG_POINTWISE, .tolerance = 4)

/* s + y (1 - s) with s = sigmoid(x). */
static tg_tensor silu_slope(tg_tensor x, tg_tensor y)
{
    tg_tensor s = tg_sigmoid(x);
    return tg_add(s, tg_mul(y, tg_sub(tg_scalar(s, 1), s)));
}
TG_DEFINE_UNARY(FLOAT, silu, "y = x / (1 + exp(-x))", tg_mul(g, silu_slope(x, y)), .traits = TG_POINTWISE, .tolerance = 3)

TG_DEFINE_UNARY(FLOAT, softplus, "y = log(1 + exp(x))", tg_mul(g, tg_sigmoid(x)), .traits = TG_POINTWISE, .tolerance = 3)

/* ---- with a parameter ---- */

static bool leaky_relu_shape(tg_infer *infer) { return tg_shape_parameter(infer, "the slope"); }

static void leaky_relu_gradient(const tg_gradient_args *args, tg_tensor *result)
{
    const tg_leaky_relu_attributes *a = args->attributes;
    tg_tensor y = args->output, g = args->gradient;
    result[0] = tg_select(tg_greater(y, tg_scalar(y, 0)), g, tg_mul(g, tg_scalar(g, a->slope)));
}

static void leaky_relu_describe(const void *attributes, char *text, size_t size)
{
    tg_format(text, size, "slope %g", ((const tg_leaky_relu_attributes *)attributes)->slope);
}

TG_BLOCK_FLOAT(leaky_relu)
const tg_op tg_op_leaky_relu = {.name = "leaky_relu",
                                .formula = "y = x > 0 ? x : slope x",
                                .traits = TG_POINTWISE | TG_MONOTONE | TG_SECOND_DERIVATIVE_ZERO,
                                .increasing_in = 1,
                                .min_inputs = 1,
                                .max_inputs = 1,
                                .tolerance = 1,
                                .shape = leaky_relu_shape,
                                .gradient = leaky_relu_gradient,
                                .flops = tg_flops_pointwise,
                                .describe = leaky_relu_describe,
                                .block = leaky_relu_block};

tg_tensor tg_leaky_relu_at(tg_where where, tg_tensor x, double slope)
{
    tg_leaky_relu_attributes attributes = {slope};
    return tg_apply_at(where, x.graph, &tg_op_leaky_relu, &x, 1, &attributes, sizeof attributes);
}

static bool elu_shape(tg_infer *infer) { return tg_shape_parameter(infer, "alpha"); }

/* alpha exp(x) below 0, which y + alpha is too, but far below 0 that cancels. exp() sees no x above 0, where it may overflow. */
static void elu_gradient(const tg_gradient_args *args, tg_tensor *result)
{
    const tg_elu_attributes *a = args->attributes;
    tg_tensor x = args->inputs[0], g = args->gradient, zero = tg_scalar(x, 0), positive = tg_greater(x, zero);
    tg_tensor slope = tg_mul(tg_exp(tg_select(positive, zero, x)), tg_scalar(x, a->alpha));
    result[0] = tg_select(positive, g, tg_mul(g, slope));
}

static void elu_describe(const void *attributes, char *text, size_t size)
{
    tg_format(text, size, "alpha %g", ((const tg_elu_attributes *)attributes)->alpha);
}

TG_BLOCK_FLOAT(elu)
const tg_op tg_op_elu = {.name = "elu",
                         .formula = "y = x > 0 ? x : alpha (exp(x) - 1)",
                         .traits = TG_POINTWISE | TG_MONOTONE,
                         .increasing_in = 1,
                         .min_inputs = 1,
                         .max_inputs = 1,
                         .tolerance = 3,
                         .shape = elu_shape,
                         .gradient = elu_gradient,
                         .flops = tg_flops_pointwise,
                         .describe = elu_describe,
                         .block = elu_block};

tg_tensor tg_elu_at(tg_where where, tg_tensor x, double alpha)
{
    tg_elu_attributes attributes = {alpha};
    return tg_apply_at(where, x.graph, &tg_op_elu, &x, 1, &attributes, sizeof attributes);
}
