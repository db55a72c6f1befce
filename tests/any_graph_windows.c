/* The ops of random graphs that look through windows: convolutions and pooling. */
#include "any_graph.h"
#include "harness.h"

static tg_pool2d_options any_pooling(any_graph *g, tg_shape image)
{
    tg_pool2d_options pool = {.window = {2, 2}};
    for (int axis = 0; axis < 2; axis++) {
        pool.window[axis] = any_below(g, 3) ? 2 : 1 + any_below(g, 3);
        pool.window[axis] = pool.window[axis] > image.dims[1 + axis] ? 1 : pool.window[axis];
    }
    if (any_below(g, 3) == 0)
        for (int axis = 0; axis < 2; axis++)
            pool.stride[axis] = 1 + any_below(g, 3);
    return pool;
}

/* Of 16 channels and more, as Winograd's algorithm wants them, in one of a few. */
static tg_tensor any_convolution(any_graph *g)
{
    bool deep = any_below(g, 6) == 0;
    int64_t h = 3 + any_below(g, 6), w = 3 + any_below(g, 6), c = deep ? 16 : 1 + any_below(g, 4),
            f = deep ? 17 : 1 + any_below(g, 5);
    int64_t kh = deep ? 3 : 1 + any_below(g, 3), kw = deep ? 3 : 1 + any_below(g, 3);
    tg_tensor x = any_shaped(g, TG_SHAPE(any_below(g, 12) ? 1 + any_below(g, 2) : 0, h, w, c));
    tg_tensor kernel = any_shaped(g, TG_SHAPE(kh, kw, c, f));
    if (g->kind == ANY_WHOLE)
        kernel = tg_sign(kernel);
    if (any_below(g, 4) == 0)
        x = tg_pad(x, 1 + (int)any_below(g, 2), any_below(g, 3), any_below(g, 3), 0);
    tg_conv2d_options options = {.pad_before = {any_below(g, 2), any_below(g, 2)},
                                 .pad_after = {any_below(g, 2), any_below(g, 2)}};
    if (!deep && any_below(g, 3) == 0)
        options.stride[any_below(g, 2)] = 1 + any_below(g, 3);
    if (kh < 3 && any_below(g, 4) == 0)
        options.dilation[0] = 2;
    tg_tensor y = tg_conv2d(x, kernel, options);
    return any_below(g, 2) ? y : tg_add(y, any_shaped(g, TG_SHAPE(f)));
}

static tg_tensor increasing(any_graph *g, tg_tensor x)
{
    switch (any_below(g, 7)) {
    case 0: return tg_relu(x);
    case 1: return g->kind == ANY_REAL ? tg_sigmoid(tg_mul(x, tg_scalar(x, 64))) : tg_neg(x);
    case 2: return tg_add(x, tg_scalar(x, 1));
    case 3: return g->kind == ANY_REAL ? tg_tanh(x) : x;
    case 4: return tg_mul(x, tg_scalar(x, 0.5));
    default: return x;
    }
}

static tg_tensor image(any_graph *g)
{
    tg_tensor last = g->floats.at[g->floats.n - 1];
    tg_shape shape = tg_tensor_shape(last);
    if (shape.rank == 4 && shape.dims[1] > 0 && shape.dims[2] > 0)
        return last;
    int64_t h = 1 + any_below(g, 6), w = 1 + any_below(g, 6), c = 1 + any_below(g, 3);
    return any_shaped(g, TG_SHAPE(1 + any_below(g, 2), h, w, c));
}

static tg_tensor pooled(any_graph *g, tg_tensor x)
{
    tg_shape in = tg_tensor_shape(x), out;
    tg_pool2d_options pool = any_pooling(g, in);
    if (g->kind == ANY_SMOOTH)
        return any_below(g, 2) ? tg_avg_pool2d_with(x, pool) : tg_global_avg_pool2d(x);
    tg_tensor argmax = tg_max_pool2d_argmax(x, pool);
    out = tg_tensor_shape(argmax);
    switch (any_below(g, 8)) {
    case 0: return argmax;
    case 1: return tg_pool_gather2d(any_below(g, 2) ? x : increasing(g, x), argmax, pool);
    case 2: return tg_unpool2d(any_shaped(g, out), argmax, in.dims[1], in.dims[2], pool);
    case 3: return tg_avg_pool2d_with(x, pool);
    case 4: return tg_avg_unpool2d(any_shaped(g, out), in.dims[1], in.dims[2], pool);
    case 5: return tg_slice(tg_max_pool2d_with(x, pool), 1, 0, 1, 1);
    default: return tg_max_pool2d_with(x, pool);
    }
}

/* A convolution's gradients, of one that is unpooled at times, and the forms that compiling records. */
static tg_tensor gradient_of_convolution(any_graph *g)
{
    bool sparse = g->kind != ANY_SMOOTH && any_below(g, 2);
    tg_tensor x = any_shaped(g, TG_SHAPE(1, 6, 7, 2)), k = any_shaped(g, TG_SHAPE(3, 2, 2, 3)),
              y = any_shaped(g, TG_SHAPE(1, 4, 6, 3));
    tg_conv2d_options conv = {.stride = {1, 1}};
    tg_pool2d_options pool = {.window = {2, 2}};
    tg_tensor argmax = any_indices(g, TG_U8, TG_SHAPE(1, 2, 3, 3), 4), small = any_shaped(g, TG_SHAPE(1, 2, 3, 3));
    if (g->kind == ANY_WHOLE)
        k = tg_sign(k), y = tg_sign(y), small = tg_sign(small);
    if (sparse)
        y = tg_unpool2d(small, argmax, 4, 6, pool);
    tg_conv2d_unpooled_options direct = {.conv = conv, .pool = pool, .unpooled = {4, 6}, .extent = {3, 2}};
    tg_conv2d_unpooled_options of_input = {.conv = conv, .pool = pool, .unpooled = {4, 6}, .extent = {6, 7}};
    switch (any_below(g, 6)) {
    case 0: return tg_conv2d_kernel_gradient_unpooled(x, small, argmax, direct);
    case 1: return tg_conv2d_input_gradient_unpooled(small, argmax, k, of_input);
    case 2:
    case 3: return tg_conv2d_input_gradient(y, k, 6, 7, conv);
    default: return tg_conv2d_kernel_gradient(x, y, 3, 2, conv);
    }
}

static tg_tensor pooled_at_once(any_graph *g)
{
    tg_tensor x = any_shaped(g, TG_SHAPE(1, 6, 5, 2)), k = any_shaped(g, TG_SHAPE(2, 2, 2, 3));
    if (g->kind == ANY_WHOLE)
        k = tg_sign(k);
    tg_conv2d_options conv = {.pad_before = {1, 0}};
    tg_pool2d_options pool = {.window = {2, 2}};
    return any_below(g, 2) ? tg_conv2d_max_pool2d(x, k, conv, pool) : tg_conv2d_max_pool2d_argmax(x, k, conv, pool);
}

tg_tensor any_window(any_graph *g)
{
    bool smooth = g->kind == ANY_SMOOTH;
    switch (any_below(g, 8)) {
    case 0:
    case 1: return any_convolution(g);
    case 2: return gradient_of_convolution(g);
    case 3: return smooth ? any_convolution(g) : pooled_at_once(g);
    case 4:
    case 5: {
        tg_tensor x = any_convolution(g);
        tg_shape shape = tg_tensor_shape(x);
        return shape.dims[1] == 0 || shape.dims[2] == 0 ? x : pooled(g, smooth ? x : increasing(g, x));
    }
    default: return pooled(g, smooth ? image(g) : increasing(g, image(g)));
    }
}
