/* A convolution whose output is max-pooled at once, so that it never goes to memory (ops/conv_pool_run.c). */
#include <stdio.h>
#include <string.h>

#include "ops/conv.h"
#include "ops/op_entries.h"
#include "ops/pool.h"

/* ---- shapes ---- */

static bool both_are(const int64_t pair[2], int64_t value) { return pair[0] == value && pair[1] == value; }

static bool suits_winograd(const tg_conv2d_pool2d_attributes *a, const tg_shape *kernel)
{
    return both_are(kernel->dims, 3) && both_are(a->conv.stride, 1) && both_are(a->conv.dilation, 1) &&
           both_are(a->pool.window, 2) && both_are(a->pool.stride, 2);
}

static bool conv_pool_shape(tg_infer *infer)
{
    const tg_conv2d_pool2d_attributes *a = infer->attributes;
    if (!tg_conv2d_infer(infer, &a->conv) || !tg_pool2d_infer(infer, &a->pool, true))
        return false;
    return !a->winograd || suits_winograd(a, &infer->inputs[1].shape) ||
           tg_infer_fail(infer, "Winograd's algorithm is for 3x3 kernels, strides and dilations of 1, and 2x2 windows");
}

static bool conv_pool_argmax_shape(tg_infer *infer)
{
    bool ok = conv_pool_shape(infer);
    infer->result.dtype = TG_U8;
    return ok;
}

/* The convolution's output. */
tg_shape tg_conv2d_pool_image(const tg_conv2d_attributes *a, const tg_shape *x, const tg_shape *kernel)
{
    return TG_SHAPE(x->dims[0], tg_conv2d_out(a, 0, x->dims[1], kernel->dims[0]),
                    tg_conv2d_out(a, 1, x->dims[2], kernel->dims[1]), kernel->dims[3]);
}

/* ---- gradient: those of the convolution, at the maxima ---- */

static void conv_pool_gradient(const tg_gradient_args *args, tg_tensor *result)
{
    const tg_conv2d_pool2d_attributes *a = args->attributes;
    tg_tensor x = args->inputs[0], k = args->inputs[1];
    tg_shape in = tg_tensor_shape(x), kernel = tg_tensor_shape(k), image = tg_conv2d_pool_image(&a->conv, &in, &kernel);
    tg_conv2d_options conv = tg_conv2d_options_of(&a->conv);
    tg_pool2d_options pool = tg_pool2d_options_of(&a->pool);
    tg_tensor argmax = tg_conv2d_max_pool2d_argmax(x, k, conv, pool);
    tg_tensor g = tg_unpool2d(args->gradient, argmax, image.dims[1], image.dims[2], pool);
    if (args->wanted[0])
        result[0] = tg_conv2d_input_gradient(g, k, in.dims[1], in.dims[2], conv);
    if (args->wanted[1])
        result[1] = tg_conv2d_kernel_gradient(x, g, kernel.dims[0], kernel.dims[1], conv);
}

/* ---- a rewrite ---- */

enum { LEAST_CHANNELS = 16 }; /* of fewer, the transforms cost more than they spare */

static tg_tensor rewrite_winograd(const tg_rewrite_args *args)
{
    tg_conv2d_pool2d_attributes a = *(const tg_conv2d_pool2d_attributes *)args->attributes;
    tg_shape kernel = tg_tensor_shape(args->inputs[1]);
    if (a.winograd || tg_tensor_dtype(args->inputs[0]) != TG_F32 || !suits_winograd(&a, &kernel) ||
        kernel.dims[2] < LEAST_CHANNELS || kernel.dims[3] < LEAST_CHANNELS)
        return tg_none();
    a.winograd = 1;
    return tg_apply(args->graph, args->op, args->inputs, args->n_inputs, &a, sizeof a);
}

static const tg_rewrite_rule conv_pool_rules[] = {
    {.name = "conv2d_max_pool2d(x, k) by Winograd's algorithm, 3x3 and 2x2",
     .kind = TG_NORMWISE,
     .bound = 8,
     .apply = rewrite_winograd},
};

/* ---- entries ---- */

static void conv_pool_describe(const void *attributes, char *text, size_t size)
{
    const tg_conv2d_pool2d_attributes *a = attributes;
    tg_conv2d_describe(&a->conv, text, size);
    size_t at = size > 0 ? strlen(text) : 0;
    if (at > 0 && at + 2 < size)
        at += (size_t)snprintf(text + at, size - at, ", ");
    tg_pool2d_describe(&a->pool, text + at, size - at);
    at += size > at ? strlen(text + at) : 0;
    if (a->winograd && at < size)
        snprintf(text + at, size - at, ", winograd");
}

#define CONV_POOL                                                                                                              \
    .min_inputs = 2, .max_inputs = 2, .rewrites = conv_pool_rules,                                                             \
    .n_rewrites = sizeof conv_pool_rules / sizeof *conv_pool_rules, .flops = tg_conv2d_pool_flops,                             \
    .describe = conv_pool_describe, .run = tg_conv2d_pool_run, .phases = tg_conv2d_pool_phases, .tasks = tg_conv2d_pool_tasks, \
    .scratch_bytes = tg_conv2d_pool_scratch, .shared_bytes = tg_conv2d_pool_shared, .prepares = tg_conv2d_pool_prepares

const tg_op tg_op_conv2d_max_pool2d = {.name = "conv2d_max_pool2d",
                                       .formula = "y = max_pool2d(conv2d(x, k))",
                                       .traits = TG_CONTRACTION,
                                       .tolerance = 8,
                                       .shape = conv_pool_shape,
                                       .gradient = conv_pool_gradient,
                                       .twin = &tg_op_conv2d_max_pool2d_argmax,
                                       CONV_POOL};

const tg_op tg_op_conv2d_max_pool2d_argmax = {.name = "conv2d_max_pool2d_argmax",
                                              .formula = "y = max_pool2d_argmax(conv2d(x, k))",
                                              .traits = TG_CONTRACTION | TG_CUTS_GRADIENT,
                                              .shape = conv_pool_argmax_shape,
                                              CONV_POOL};

/* ---- recording ---- */

static tg_tensor record(tg_where where, const tg_op *op, tg_tensor inputs[2], tg_conv2d_options conv, tg_pool2d_options pool)
{
    tg_conv2d_pool2d_attributes attributes = {tg_conv2d_normalised(conv), tg_pool2d_normalised(pool), 0};
    return tg_apply_at(where, inputs[0].graph, op, inputs, 2, &attributes, sizeof attributes);
}

tg_tensor tg_conv2d_max_pool2d_at(tg_where where, tg_tensor x, tg_tensor kernel, tg_conv2d_options conv, tg_pool2d_options pool)
{
    return record(where, &tg_op_conv2d_max_pool2d, (tg_tensor[]){x, kernel}, conv, pool);
}

tg_tensor tg_conv2d_max_pool2d_argmax_at(tg_where where, tg_tensor x, tg_tensor kernel, tg_conv2d_options conv,
                                         tg_pool2d_options pool)
{
    return record(where, &tg_op_conv2d_max_pool2d_argmax, (tg_tensor[]){x, kernel}, conv, pool);
}
