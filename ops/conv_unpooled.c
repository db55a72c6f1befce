/* A convolution's two gradients where the output's gradient is unpooled: max-pooling lets one value through for each window, so three
   of four products of the plain form, with 2x2 windows, have a zero in them. Defined by the plain form, as which they also have
   their gradients. */
#include "ops/conv.h"

#include <string.h>

#include "ops/op_entries.h"
#include "ops/pool.h"

/* The type of unpool2d's result. */
static bool unpooled_type(tg_infer *infer, tg_type y, tg_type argmax, tg_type *result)
{
    const tg_conv2d_unpooled_attributes *a = infer->attributes;
    tg_infer unpool = {.n_inputs = 2, .inputs = (tg_type[]){y, argmax}, .attributes = &a->unpool};
    if (!tg_op_unpool2d.shape(&unpool))
        return tg_infer_fail(infer, "%s", unpool.message);
    *result = unpool.result;
    return true;
}

/* As the plain form has it. */
static bool gradient_type(tg_infer *infer, const tg_op *op, tg_type first, tg_type second)
{
    const tg_conv2d_unpooled_attributes *a = infer->attributes;
    tg_infer gradient = {.n_inputs = 2, .inputs = (tg_type[]){first, second}, .attributes = &a->gradient};
    if (!op->shape(&gradient))
        return tg_infer_fail(infer, "%s", gradient.message);
    infer->result = gradient.result;
    return true;
}

static bool kernel_gradient_shape(tg_infer *infer)
{
    tg_type unpooled;
    if (!unpooled_type(infer, infer->inputs[1], infer->inputs[2], &unpooled) ||
        !gradient_type(infer, &tg_op_conv2d_kernel_gradient, infer->inputs[0], unpooled))
        return false;
    tg_work work = {
        .n_inputs = infer->n_inputs, .inputs = infer->inputs, .output = infer->result, .attributes = infer->attributes};
    int64_t floats = tg_conv2d_kernel_gradient_unpooled_image(&work);
    return floats <= INT32_MAX ||
           tg_infer_fail(
               infer, "an image of %lld floats with its padding is more than 2^31 - 1: take conv2d_kernel_gradient of unpool2d",
               (long long)floats);
}

static bool input_gradient_shape(tg_infer *infer)
{
    tg_type unpooled;
    return unpooled_type(infer, infer->inputs[0], infer->inputs[1], &unpooled) &&
           gradient_type(infer, &tg_op_conv2d_input_gradient, unpooled, infer->inputs[2]);
}

/* ---- gradients ---- */

static tg_tensor unpool(const tg_conv2d_unpooled_attributes *a, tg_tensor y, tg_tensor argmax)
{
    return tg_unpool2d(y, argmax, a->unpool.extent[0], a->unpool.extent[1], tg_pool2d_options_of(&a->unpool.pool));
}

/* z = kernel_gradient(x, unpool(y)): x' = input_gradient(unpool(y), z'), y' = gather(x * z'). */
static void kernel_gradient_gradient(const tg_gradient_args *args, tg_tensor *result)
{
    const tg_conv2d_unpooled_attributes *a = args->attributes;
    tg_tensor x = args->inputs[0], y = args->inputs[1], argmax = args->inputs[2], dz = args->gradient;
    tg_conv2d_options options = tg_conv2d_options_of(&a->gradient.conv);
    tg_shape in = tg_tensor_shape(x);
    if (args->wanted[0])
        result[0] = tg_conv2d_input_gradient(unpool(a, y, argmax), dz, in.dims[1], in.dims[2], options);
    if (args->wanted[1])
        result[1] = tg_pool_gather2d(tg_conv2d(x, dz, options), argmax, tg_pool2d_options_of(&a->unpool.pool));
}

/* z = input_gradient(unpool(y), k): y' = gather(z' * k), k' = kernel_gradient(z', unpool(y)). */
static void input_gradient_gradient(const tg_gradient_args *args, tg_tensor *result)
{
    const tg_conv2d_unpooled_attributes *a = args->attributes;
    tg_tensor y = args->inputs[0], argmax = args->inputs[1], k = args->inputs[2], dz = args->gradient;
    tg_conv2d_options options = tg_conv2d_options_of(&a->gradient.conv);
    tg_shape kernel = tg_tensor_shape(k);
    if (args->wanted[0])
        result[0] = tg_pool_gather2d(tg_conv2d(dz, k, options), argmax, tg_pool2d_options_of(&a->unpool.pool));
    if (args->wanted[2])
        result[2] = tg_conv2d_kernel_gradient(dz, unpool(a, y, argmax), kernel.dims[0], kernel.dims[1], options);
}

/* ---- entries ---- */

static void describe(const void *attributes, char *text, size_t size)
{
    const tg_conv2d_unpooled_attributes *a = attributes;
    tg_pool2d_describe(&a->unpool.pool, text, size);
    size_t used = size > 0 ? strlen(text) : 0;
    if (used + 2 >= size)
        return;
    memcpy(text + used, ", ", 3);
    tg_conv2d_describe(&a->gradient.conv, text + used + 2, size - used - 2);
    if (!text[used + 2])
        text[used] = '\0';
}

const tg_op tg_op_conv2d_input_gradient_unpooled = {
    .name = "conv2d_input_gradient_unpooled",
    .formula = "x[n, s i + d p, s j + d q, c] = sum y[n,v,w,f] k[p,q,c,f], (i, j) the place of y[n,v,w,f]",
    .traits = TG_CONTRACTION,
    .not_differentiable = 2,
    .min_inputs = 3,
    .max_inputs = 3,
    .tolerance = 8,
    .shape = input_gradient_shape,
    .gradient = input_gradient_gradient,
    .flops = tg_conv2d_input_gradient_unpooled_flops,
    .describe = describe,
    .run = tg_conv2d_input_gradient_unpooled_run,
    .phases = tg_conv2d_unpooled_phases,
    .tasks = tg_conv2d_input_gradient_unpooled_tasks,
    .scratch_bytes = tg_conv2d_input_gradient_unpooled_scratch,
    .shared_bytes = tg_conv2d_input_gradient_unpooled_shared,
    .prepares = tg_conv2d_input_gradient_unpooled_prepares,
};

const tg_op tg_op_conv2d_kernel_gradient_unpooled = {
    .name = "conv2d_kernel_gradient_unpooled",
    .formula = "k[p,q,c,f] = sum x[n, s i + d p, s j + d q, c] y[n,v,w,f], (i, j) the place of y[n,v,w,f]",
    .traits = TG_CONTRACTION,
    .not_differentiable = 4,
    .min_inputs = 3,
    .max_inputs = 3,
    .tolerance = 8,
    .shape = kernel_gradient_shape,
    .gradient = kernel_gradient_gradient,
    .flops = tg_conv2d_kernel_gradient_unpooled_flops,
    .describe = describe,
    .run = tg_conv2d_kernel_gradient_unpooled_run,
    .phases = tg_conv2d_unpooled_phases,
    .tasks = tg_conv2d_kernel_gradient_unpooled_tasks,
    .scratch_bytes = tg_conv2d_kernel_gradient_unpooled_scratch,
    .shared_bytes = tg_conv2d_kernel_gradient_unpooled_shared,
};

/* ---- recording ---- */

static tg_conv2d_unpooled_attributes attributes_of(const tg_conv2d_unpooled_options *options)
{
    return (tg_conv2d_unpooled_attributes){
        .gradient = {tg_conv2d_normalised(options->conv), {options->extent[0], options->extent[1]}},
        .unpool = {tg_pool2d_normalised(options->pool), {options->unpooled[0], options->unpooled[1]}}};
}

tg_tensor tg_conv2d_input_gradient_unpooled_at(tg_where where, tg_tensor y, tg_tensor argmax, tg_tensor kernel,
                                               tg_conv2d_unpooled_options options)
{
    tg_conv2d_unpooled_attributes attributes = attributes_of(&options);
    return tg_apply_at(where, y.graph, &tg_op_conv2d_input_gradient_unpooled, (tg_tensor[]){y, argmax, kernel}, 3, &attributes,
                       sizeof attributes);
}

tg_tensor tg_conv2d_kernel_gradient_unpooled_at(tg_where where, tg_tensor x, tg_tensor y, tg_tensor argmax,
                                                tg_conv2d_unpooled_options options)
{
    tg_conv2d_unpooled_attributes attributes = attributes_of(&options);
    return tg_apply_at(where, x.graph, &tg_op_conv2d_kernel_gradient_unpooled, (tg_tensor[]){x, y, argmax}, 3, &attributes,
                       sizeof attributes);
}
