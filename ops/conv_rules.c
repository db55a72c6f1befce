/* Rewrites of convolutions: zeros around an image become padding, and what is cut off or known to be zero is not computed. */
#include "ops/conv.h"

#include "ops/op_entries.h"
#include "ops/pool.h"
#include "ops/rewrites.h"

/* Positions start, start + step, ..., `count` of them, along the height (axis 0) or width (axis 1) of an image. */
typedef struct stretch {
    int axis;
    int64_t start, step, count;
} stretch;

/* The same convolution, computing only a stretch of its output. */
static tg_conv2d_attributes take(tg_conv2d_attributes a, stretch s, tg_shape in, int64_t kernel)
{
    a.pad_before[s.axis] -= s.start * a.stride[s.axis];
    a.stride[s.axis] *= s.count > 1 ? s.step : 1;
    int64_t padded = (s.count - 1) * a.stride[s.axis] + tg_conv2d_reach(kernel, a.dilation[s.axis]);
    a.pad_after[s.axis] = padded - in.dims[1 + s.axis] - a.pad_before[s.axis];
    return a;
}

/* A pad with zeros along height or width: its input, and where that lies in it. Else tg_none(). */
static tg_tensor unpad(tg_tensor image, stretch *s)
{
    const tg_node *node = tg_tensor_node(image);
    if (!node || node->op != &tg_op_pad)
        return tg_none();
    const tg_pad_attributes *pad = node->attributes;
    tg_tensor x = {image.graph, node->inputs[0]};
    if (pad->value != 0 || pad->axis < 1 || pad->axis > 2 || tg_tensor_shape(x).dims[pad->axis] == 0)
        return tg_none();
    *s = (stretch){(int)pad->axis - 1, pad->before, pad->interior + 1, tg_tensor_shape(x).dims[pad->axis]};
    return x;
}

/* The input of a convolution as its padding's part. */
static tg_tensor unpad_input(tg_tensor image, tg_conv2d_attributes *a)
{
    stretch s = {0};
    tg_tensor x = unpad(image, &s);
    if (x.id < 0 || s.step != 1)
        return tg_none();
    a->pad_before[s.axis] += s.start;
    a->pad_after[s.axis] += tg_tensor_shape(image).dims[1 + s.axis] - s.start - s.count;
    return x;
}

/* An unpooled gradient without the rows and columns that no window reaches, and what it covers of the whole. */
static tg_tensor trim_unpooled(tg_tensor image, stretch *s)
{
    const tg_node *node = tg_tensor_node(image);
    if (!node || (node->op != &tg_op_unpool2d && node->op != &tg_op_avg_unpool2d))
        return tg_none();
    tg_unpool2d_attributes a = *(const tg_unpool2d_attributes *)node->attributes;
    tg_tensor inputs[2] = {{image.graph, node->inputs[0]}, {image.graph, node->inputs[node->n_inputs - 1]}};
    for (int axis = 0; axis < 2; axis++) {
        int64_t reached = (tg_tensor_shape(inputs[0]).dims[1 + axis] - 1) * a.pool.stride[axis] + a.pool.window[axis];
        if (reached >= a.extent[axis])
            continue;
        *s = (stretch){axis, 0, 1, reached};
        a.extent[axis] = reached;
        return tg_apply(image.graph, node->op, inputs, node->n_inputs, &a, sizeof a);
    }
    return tg_none();
}

static tg_tensor rewrite_padded_input(const tg_rewrite_args *args)
{
    tg_conv2d_attributes a = *(const tg_conv2d_attributes *)args->attributes;
    tg_tensor x = unpad_input(args->inputs[0], &a);
    return x.id < 0 ? x : tg_conv2d(x, args->inputs[1], tg_conv2d_options_of(&a));
}

static tg_tensor with_gradient_stretch(const tg_rewrite_args *args, tg_tensor gradient, stretch s)
{
    const tg_conv2d_gradient_attributes *a = args->attributes;
    if (gradient.id < 0)
        return gradient;
    if (args->op == &tg_op_conv2d_input_gradient) {
        tg_conv2d_attributes conv = take(a->conv, s, args->type.shape, tg_tensor_shape(args->inputs[1]).dims[s.axis]);
        return tg_conv2d_input_gradient(gradient, args->inputs[1], a->extent[0], a->extent[1], tg_conv2d_options_of(&conv));
    }
    tg_conv2d_attributes conv = take(a->conv, s, tg_tensor_shape(args->inputs[0]), a->extent[s.axis]);
    return tg_conv2d_kernel_gradient(args->inputs[0], gradient, a->extent[0], a->extent[1], tg_conv2d_options_of(&conv));
}

static tg_tensor gradient_of(const tg_rewrite_args *args) { return args->inputs[args->op == &tg_op_conv2d_kernel_gradient]; }

static tg_tensor rewrite_padded_gradient(const tg_rewrite_args *args)
{
    stretch s = {0};
    tg_tensor gradient = unpad(gradient_of(args), &s);
    return with_gradient_stretch(args, gradient, s);
}

static tg_tensor rewrite_unpooled_gradient(const tg_rewrite_args *args)
{
    stretch s = {0};
    tg_tensor gradient = trim_unpooled(gradient_of(args), &s);
    return with_gradient_stretch(args, gradient, s);
}

/* The bound of what adds up the same terms in another order. */
#define REORDERED 16

/* The unpooling of an operand in whose windows most is zero; NULL if it is none. Where windows overlap, the plain form adds values of several before
   it multiplies; where they are large, each place has too few values to work on. */
static const tg_node *sparse_unpooling(tg_tensor image)
{
    enum { MOST_PLACES = 16 };
    const tg_node *node = tg_tensor_node(image);
    if (!node || node->op != &tg_op_unpool2d)
        return NULL;
    const tg_pool2d_attributes *a = &((const tg_unpool2d_attributes *)node->attributes)->pool;
    int64_t places = a->window[0] * a->window[1];
    return tg_pool2d_is_disjoint(a) && places > 1 && places <= MOST_PLACES ? node : NULL;
}

/* Whether the kernel gradient's pooled form takes these: not images that 32 bits cannot count. */
static bool is_countable(const tg_rewrite_args *args, const tg_unpool2d_attributes *unpool, tg_tensor y, tg_tensor argmax)
{
    tg_conv2d_unpooled_attributes a = {*(const tg_conv2d_gradient_attributes *)args->attributes, *unpool};
    tg_type inputs[] = {tg_tensor_type(args->inputs[0]), tg_tensor_type(y), tg_tensor_type(argmax)};
    tg_infer infer = {.n_inputs = 3, .inputs = inputs, .attributes = &a};
    return tg_op_conv2d_kernel_gradient_unpooled.shape(&infer);
}

static tg_tensor rewrite_sparse_gradient(const tg_rewrite_args *args)
{
    const tg_conv2d_gradient_attributes *a = args->attributes;
    const tg_node *node = sparse_unpooling(gradient_of(args));
    if (!node)
        return tg_none();
    const tg_unpool2d_attributes *unpool = node->attributes;
    tg_tensor y = {args->graph, node->inputs[0]}, argmax = {args->graph, node->inputs[1]};
    tg_conv2d_unpooled_options options = {.conv = tg_conv2d_options_of(&a->conv),
                                          .pool = tg_pool2d_options_of(&unpool->pool),
                                          .unpooled = {unpool->extent[0], unpool->extent[1]},
                                          .extent = {a->extent[0], a->extent[1]}};
    if (args->op == &tg_op_conv2d_input_gradient)
        return tg_conv2d_input_gradient_unpooled(y, argmax, args->inputs[1], options);
    return is_countable(args, unpool, y, argmax) ? tg_conv2d_kernel_gradient_unpooled(args->inputs[0], y, argmax, options)
                                                 : tg_none();
}

static tg_tensor rewrite_padded_kernel_input(const tg_rewrite_args *args)
{
    tg_conv2d_gradient_attributes a = *(const tg_conv2d_gradient_attributes *)args->attributes;
    tg_tensor x = unpad_input(args->inputs[0], &a.conv);
    return x.id < 0 ? x : tg_conv2d_kernel_gradient(x, args->inputs[1], a.extent[0], a.extent[1], tg_conv2d_options_of(&a.conv));
}

tg_tensor tg_rewrite_slice_conv2d(const tg_rewrite_args *args)
{
    const tg_node *node = tg_tensor_node(args->inputs[0]);
    const tg_slice_attributes *slice = args->attributes;
    if (node->op != &tg_op_conv2d || slice->axis < 1 || slice->axis > 2 || slice->count == 0)
        return tg_none();
    tg_tensor x = {args->graph, node->inputs[0]}, kernel = {args->graph, node->inputs[1]};
    stretch s = {(int)slice->axis - 1, slice->start, slice->step, slice->count};
    tg_conv2d_attributes a =
        take(*(const tg_conv2d_attributes *)node->attributes, s, tg_tensor_shape(x), tg_tensor_shape(kernel).dims[s.axis]);
    return tg_conv2d(x, kernel, tg_conv2d_options_of(&a));
}

const tg_rewrite_rule tg_conv2d_rules[TG_CONV2D_RULES] = {
    {.name = "conv2d(pad(x), k) -> conv2d(x, k) with padding", .kind = TG_EXACT, .apply = rewrite_padded_input},
};

const tg_rewrite_rule tg_conv2d_input_gradient_rules[TG_CONV2D_INPUT_GRADIENT_RULES] = {
    {.name = "conv2d_input_gradient(pad(y), k) -> conv2d_input_gradient(y, k) with less padding",
     .kind = TG_EXACT,
     .apply = rewrite_padded_gradient},
    {.name = "conv2d_input_gradient(unpool2d(y), k) without what no window reaches",
     .kind = TG_EXACT,
     .apply = rewrite_unpooled_gradient},
    {.name = "conv2d_input_gradient(unpool2d(y, i), k) -> conv2d_input_gradient_unpooled(y, i, k)",
     .kind = TG_ROUNDS,
     .bound = REORDERED,
     .apply = rewrite_sparse_gradient},
};

const tg_rewrite_rule tg_conv2d_kernel_gradient_rules[TG_CONV2D_KERNEL_GRADIENT_RULES] = {
    {.name = "conv2d_kernel_gradient(x, pad(y)) -> conv2d_kernel_gradient(x, y) with less padding",
     .kind = TG_EXACT,
     .apply = rewrite_padded_gradient},
    {.name = "conv2d_kernel_gradient(x, unpool2d(y)) without what no window reaches",
     .kind = TG_EXACT,
     .apply = rewrite_unpooled_gradient},
    {.name = "conv2d_kernel_gradient(pad(x), y) -> conv2d_kernel_gradient(x, y) with padding",
     .kind = TG_EXACT,
     .apply = rewrite_padded_kernel_input},
    {.name = "conv2d_kernel_gradient(x, unpool2d(y, i)) -> conv2d_kernel_gradient_unpooled(x, y, i)",
     .kind = TG_ROUNDS,
     .bound = REORDERED,
     .apply = rewrite_sparse_gradient},
};
