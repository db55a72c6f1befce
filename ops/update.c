/* What optimizers' updates become: each step of these formulas rounds as the op of its own does that it stands for. */
#include <math.h>
#include <stdio.h>

#include "graph/number_text.h"
#include "graph/rebuild.h"
#include "ops/attributes.h"
#include "ops/pointwise.h"
#include "ops/rewrites.h"

/* ---- a + (b - a) t ---- */

static void lerp_gradient(const tg_gradient_args *args, tg_tensor *result)
{
    tg_tensor a = args->inputs[0], b = args->inputs[1], t = args->inputs[2], g = args->gradient;
    if (args->wanted[0])
        result[0] = tg_sub(g, tg_mul(g, t));
    if (args->wanted[1])
        result[1] = tg_mul(g, t);
    if (args->wanted[2])
        result[2] = tg_mul(g, tg_sub(b, a));
}

static double lerp_flops(const tg_work *work) { return 3 * tg_flops_pointwise(work); }

TG_BLOCK_FLOAT(lerp)
const tg_op tg_op_lerp = {.name = "lerp",
                          .formula = "y = a + (b - a) t",
                          .traits = TG_POINTWISE | TG_MONOTONE,
                          .min_inputs = 3,
                          .max_inputs = 3,
                          .tolerance = 2,
                          .shape = tg_shape_pointwise,
                          .gradient = lerp_gradient,
                          .flops = lerp_flops,
                          .block = lerp_block};

tg_tensor tg_lerp_at(tg_where where, tg_tensor a, tg_tensor b, tg_tensor t)
{
    return tg_apply_at(where, a.graph, &tg_op_lerp, (tg_tensor[]){a, b, t}, 3, NULL, 0);
}

/* x where t is its product with a number of rank 0, which becomes *number; else tg_none(). */
static tg_tensor without_number(tg_tensor t, tg_tensor *number)
{
    for (int i = 0; i < 2; i++) {
        *number = tg_operand(t, &tg_op_mul, i);
        if (tg_ok(*number) && tg_tensor_shape(*number).rank == 0)
            return tg_operand(t, &tg_op_mul, 1 - i);
    }
    return tg_none();
}

tg_tensor tg_rewrite_lerp(const tg_rewrite_args *args)
{
    for (int i = 0; i < 2; i++) {
        tg_tensor a = args->inputs[i], share, difference = without_number(args->inputs[1 - i], &share);
        tg_tensor b = tg_operand(difference, &tg_op_sub, 0), from = tg_operand(difference, &tg_op_sub, 1);
        if (tg_ok(b) && from.id == a.id && tg_dtype_is_float(args->type.dtype))
            return tg_as_result(args, tg_lerp(a, b, share));
    }
    return tg_none();
}

/* ---- w - m r / (sqrt(v) + e) ---- */

static bool adaptive_step_shape(tg_infer *infer) { return tg_shape_parameter(infer, "epsilon"); }

/* With d = sqrt(v) + e: 1, -r / d, -m / d, and m r / (2 sqrt(v) d^2). */
static void adaptive_step_gradient(const tg_gradient_args *args, tg_tensor *result)
{
    double epsilon = ((const tg_adaptive_step_attributes *)args->attributes)->epsilon;
    tg_tensor m = args->inputs[1], rate = args->inputs[2], root = tg_sqrt(args->inputs[3]);
    tg_tensor share = tg_div(args->gradient, tg_add(root, tg_scalar(root, epsilon)));
    if (args->wanted[0])
        result[0] = args->gradient;
    if (args->wanted[1])
        result[1] = tg_neg(tg_mul(share, rate));
    if (args->wanted[2])
        result[2] = tg_neg(tg_mul(share, m));
    if (args->wanted[3]) {
        tg_tensor below = tg_mul(tg_scalar(root, 2), tg_mul(root, tg_add(root, tg_scalar(root, epsilon))));
        result[3] = tg_div(tg_mul(share, tg_mul(m, rate)), below);
    }
}

static double adaptive_step_flops(const tg_work *work) { return 5 * tg_flops_pointwise(work); }

static void adaptive_step_describe(const void *attributes, char *text, size_t size)
{
    tg_format(text, size, "e = %g", ((const tg_adaptive_step_attributes *)attributes)->epsilon);
}

TG_BLOCK_FLOAT(adaptive_step)
const tg_op tg_op_adaptive_step = {.name = "adaptive_step",
                                   .formula = "y = w - m r / (sqrt(v) + e)",
                                   .traits = TG_POINTWISE | TG_MONOTONE,
                                   .min_inputs = 4,
                                   .max_inputs = 4,
                                   .tolerance = 3,
                                   .shape = adaptive_step_shape,
                                   .gradient = adaptive_step_gradient,
                                   .flops = adaptive_step_flops,
                                   .describe = adaptive_step_describe,
                                   .block = adaptive_step_block};

tg_tensor tg_adaptive_step_at(tg_where where, tg_tensor w, tg_tensor m, tg_tensor rate, tg_tensor v, double epsilon)
{
    tg_adaptive_step_attributes attributes = {epsilon};
    return tg_apply_at(where, w.graph, &tg_op_adaptive_step, (tg_tensor[]){w, m, rate, v}, 4, &attributes, sizeof attributes);
}

tg_tensor tg_rewrite_adaptive_step(const tg_rewrite_args *args)
{
    tg_tensor rate, below = tg_operand(args->inputs[1], &tg_op_div, 1);
    tg_tensor m = without_number(tg_operand(args->inputs[1], &tg_op_div, 0), &rate);
    for (int i = 0; i < 2 && tg_ok(m) && tg_ok(below); i++) {
        double epsilon;
        tg_tensor v = tg_operand(tg_operand(below, &tg_op_add, i), &tg_op_sqrt, 0), e = tg_operand(below, &tg_op_add, 1 - i);
        if (tg_ok(v) && tg_node_scalar(tg_tensor_node(e), &epsilon) && epsilon >= 0 && !isinf(epsilon))
            return tg_as_result(args, tg_adaptive_step(args->inputs[0], m, rate, v, epsilon));
    }
    return tg_none();
}
