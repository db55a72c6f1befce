/* What the families of pointwise ops share: definitions of entries that differ only in formula, gradient and lane functions, and
   helpers for their rules. */
#ifndef TG_OPS_POINTWISE_H
#define TG_OPS_POINTWISE_H

#include "ops/kernel_set.h"
#include "ops/kernels/plain_lanes.h"
#include "ops/op_entries.h"
#include "ops/ops.h"

/* Shape rules, by the dtypes that the op takes: floats; f32, f64 and i32; all. The operands have one dtype and broadcast. */
#define TG_SHAPE_FLOAT tg_shape_pointwise
#define TG_SHAPE_NUMBER tg_shape_number
#define TG_SHAPE_ANY tg_shape_any
bool tg_shape_number(tg_infer *infer);
bool tg_shape_any(tg_infer *infer);
/** Floats, with an attribute, a double, that is finite and not negative: else the message calls it by `name`. */
bool tg_shape_parameter(tg_infer *infer, const char *name);

/* The op's lane function for each of these dtypes. */
#define TG_BLOCK_FLOAT(name)                                    \
    static tg_block_fn name##_block(const tg_work *work)        \
    {                                                           \
        switch (work->inputs[0].dtype) {                        \
        case TG_F64: return tg_plain_##name##_f64;              \
        default: return tg_kernels_for(work->isa)->lane_##name; \
        }                                                       \
    }
#define TG_BLOCK_NUMBER(name)                                   \
    static tg_block_fn name##_block(const tg_work *work)        \
    {                                                           \
        switch (work->inputs[0].dtype) {                        \
        case TG_F64: return tg_plain_##name##_f64;              \
        case TG_I32: return tg_plain_##name##_i32;              \
        default: return tg_kernels_for(work->isa)->lane_##name; \
        }                                                       \
    }
#define TG_BLOCK_ANY(name)                                      \
    static tg_block_fn name##_block(const tg_work *work)        \
    {                                                           \
        switch (work->inputs[work->n_inputs - 1].dtype) {       \
        case TG_F64: return tg_plain_##name##_f64;              \
        case TG_I32: return tg_plain_##name##_i32;              \
        case TG_U8: return tg_plain_##name##_u8;                \
        default: return tg_kernels_for(work->isa)->lane_##name; \
        }                                                       \
    }

/* The entry of y = f(x) and the function that records it. `rule` is its gradient: an expression in x, y and g, the gradient in y.
   The rest are further members of tg_op. */
#define TG_DEFINE_UNARY(kind, op_name, text, rule, ...)                                                      \
    TG_BLOCK_##kind(op_name) static void op_name##_gradient(const tg_gradient_args *args, tg_tensor *result) \
    {                                                                                                        \
        tg_tensor x = args->inputs[0], y = args->output, g = args->gradient;                                 \
        (void)x, (void)y, (void)g;                                                                           \
        result[0] = rule;                                                                                    \
    }                                                                                                        \
    const tg_op tg_op_##op_name = {.name = #op_name,                                                         \
                                   .formula = text,                                                          \
                                   .min_inputs = 1,                                                          \
                                   .max_inputs = 1,                                                          \
                                   .shape = TG_SHAPE_##kind,                                                 \
                                   .gradient = op_name##_gradient,                                           \
                                   .flops = tg_flops_pointwise,                                              \
                                   .block = op_name##_block,                                                 \
                                   __VA_ARGS__};                                                             \
    tg_tensor tg_##op_name##_at(tg_where where, tg_tensor x)                                                 \
    {                                                                                                        \
        return tg_apply_at(where, x.graph, &tg_op_##op_name, &x, 1, NULL, 0);                                \
    }

/* The same of y = f(a, b); the gradients are expressions in a, b, y and g. */
#define TG_DEFINE_BINARY(kind, op_name, text, rule_a, rule_b, ...)                                           \
    TG_BLOCK_##kind(op_name) static void op_name##_gradient(const tg_gradient_args *args, tg_tensor *result) \
    {                                                                                                        \
        tg_tensor a = args->inputs[0], b = args->inputs[1], y = args->output, g = args->gradient;            \
        (void)a, (void)b, (void)y, (void)g;                                                                  \
        if (args->wanted[0])                                                                                 \
            result[0] = rule_a;                                                                              \
        if (args->wanted[1])                                                                                 \
            result[1] = rule_b;                                                                              \
    }                                                                                                        \
    const tg_op tg_op_##op_name = {.name = #op_name,                                                         \
                                   .formula = text,                                                          \
                                   .min_inputs = 2,                                                          \
                                   .max_inputs = 2,                                                          \
                                   .shape = TG_SHAPE_##kind,                                                 \
                                   .gradient = op_name##_gradient,                                           \
                                   .flops = tg_flops_pointwise,                                              \
                                   .block = op_name##_block,                                                 \
                                   __VA_ARGS__};                                                             \
    tg_tensor tg_##op_name##_at(tg_where where, tg_tensor a, tg_tensor b)                                    \
    {                                                                                                        \
        return tg_apply_at(where, a.graph, &tg_op_##op_name, (tg_tensor[]){a, b}, 2, NULL, 0);               \
    }

/** Members of an entry with rewrites. */
#define TG_REWRITES(rules) .rewrites = rules, .n_rewrites = (int32_t)(sizeof(rules) / sizeof *(rules))

/** One operation for each element of the result. */
double tg_flops_pointwise(const tg_work *work);

/** Whether t is a constant of one element with this value. */
bool tg_is_scalar(tg_tensor t, double value);
/** Input i of t's node if `op` made it; tg_none() otherwise. */
tg_tensor tg_operand(tg_tensor t, const tg_op *op, int i);
/** t where it is of the type of the node that a rule is asked to replace; tg_none() otherwise. */
tg_tensor tg_as_result(const tg_rewrite_args *args, tg_tensor t);

#endif
