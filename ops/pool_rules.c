/* Rewrites of pooling. Values that a window does not take need not be computed: what commutes with taking is done afterwards, on fewer
   values, and what no window reads is cut off where that spares work. */
#include "ops/pool.h"

#include <string.h>

#include "graph/rebuild.h"
#include "ops/op_entries.h"
#include "ops/rewrites.h"

enum { MOST_INPUTS = 8, DEEPEST_CHAIN = 16 };

/* Whether an operand of an image of this shape is the same everywhere in a window: broadcast along height and width. */
static bool is_even(tg_shape operand, tg_shape image)
{
    for (int axis = 1; axis <= 2; axis++) {
        int own = axis - (image.rank - operand.rank);
        if (own >= 0 && operand.dims[own] != 1)
            return false;
    }
    return true;
}

/* ---- f(x, ...) pooled is f of x pooled ---- */

/* How a rule pools an operand of the image's shape. */
typedef struct pooling {
    const tg_op *op;
    const void *attributes;
    size_t attribute_bytes;
    tg_tensor argmax; /* or tg_none() */
} pooling;

static tg_tensor pool(const pooling *p, tg_tensor x)
{
    return tg_apply(x.graph, p->op, (tg_tensor[]){x, p->argmax}, p->argmax.id < 0 ? 1 : 2, p->attributes, p->attribute_bytes);
}

/* Records `node`, a pointwise op on images, on operands pooled where they are images and as they are where they are even. tg_none() if
   an operand is neither. `images` gets a bit for each that is an image. */
static tg_tensor pool_operands(const tg_rewrite_args *args, const tg_node *node, const pooling *p, uint32_t allowed)
{
    const tg_op *op = node->op;
    const void *attributes = node->attributes;
    size_t attribute_bytes = node->attribute_bytes;
    tg_shape image = node->type.shape;
    tg_tensor operands[MOST_INPUTS];
    int32_t n = node->n_inputs, pooled = 0;
    bool is_image[MOST_INPUTS];
    if (!(op->traits & TG_POINTWISE) || n > MOST_INPUTS)
        return tg_none();
    for (int32_t i = 0; i < n; i++) {
        operands[i] = (tg_tensor){args->graph, node->inputs[i]};
        tg_shape shape = tg_tensor_shape(operands[i]);
        is_image[i] = tg_shape_equal(shape, image);
        pooled += is_image[i];
        if (is_image[i] ? !(allowed >> i & 1) : !is_even(shape, image))
            return tg_none();
    }
    if (pooled == 0 || (p->argmax.id < 0 && pooled > 1)) /* a maximum of sums is not the sum of maxima */
        return tg_none();
    for (int32_t i = 0; i < n; i++)
        if (is_image[i])
            operands[i] = pool(p, operands[i]);
    return tg_apply(args->graph, op, operands, n, attributes, attribute_bytes);
}

static tg_tensor rewrite_max_of_increasing(const tg_rewrite_args *args)
{
    const tg_node *node = tg_tensor_node(args->inputs[0]);
    pooling p = {args->op, args->attributes, args->attribute_bytes, tg_none()};
    return pool_operands(args, node, &p, node->op->increasing_in);
}

/* What is greatest stays so, but f may make others equal to it. */
static tg_tensor rewrite_argmax_of_increasing(const tg_rewrite_args *args)
{
    const tg_node *node = tg_tensor_node(args->inputs[0]);
    tg_tensor image = tg_none();
    if (!(node->op->traits & TG_POINTWISE))
        return tg_none();
    for (int32_t i = 0; i < node->n_inputs; i++) {
        tg_tensor operand = {args->graph, node->inputs[i]};
        tg_shape shape = tg_tensor_shape(operand);
        bool is_image = tg_shape_equal(shape, node->type.shape);
        if (is_image ? image.id >= 0 || !(node->op->increasing_in >> i & 1) : !is_even(shape, node->type.shape))
            return tg_none();
        image = is_image ? operand : image;
    }
    return image.id < 0 ? image : tg_apply(args->graph, args->op, &image, 1, args->attributes, args->attribute_bytes);
}

static tg_tensor rewrite_gather_of_pointwise(const tg_rewrite_args *args)
{
    pooling p = {args->op, args->attributes, args->attribute_bytes, args->inputs[1]};
    return pool_operands(args, tg_tensor_node(args->inputs[0]), &p, UINT32_MAX);
}

/* ---- what is known of the positions ---- */

static bool same_pooling(const tg_pool2d_attributes *a, const tg_pool2d_attributes *b) { return memcmp(a, b, sizeof *a) == 0; }

/* The same of a convolution whose output is pooled at once. */
static tg_tensor gather_of_pooled_convolution(const tg_rewrite_args *args, const tg_node *argmax)
{
    const tg_conv2d_pool2d_attributes *a = argmax->attributes;
    const tg_node *image = tg_tensor_node(args->inputs[0]);
    if (image->op != &tg_op_conv2d || image->inputs[0] != argmax->inputs[0] || image->inputs[1] != argmax->inputs[1] ||
        memcmp(image->attributes, &a->conv, sizeof a->conv) != 0 || !same_pooling(&a->pool, args->attributes))
        return tg_none();
    tg_tensor inputs[2] = {{args->graph, argmax->inputs[0]}, {args->graph, argmax->inputs[1]}};
    return tg_apply(args->graph, &tg_op_conv2d_max_pool2d, inputs, 2, a, sizeof *a);
}

static tg_tensor rewrite_gather_of_maxima(const tg_rewrite_args *args)
{
    const tg_node *argmax = tg_tensor_node(args->inputs[1]);
    if (argmax->op == &tg_op_conv2d_max_pool2d_argmax)
        return gather_of_pooled_convolution(args, argmax);
    if (argmax->op != &tg_op_max_pool2d_argmax || argmax->inputs[0] != args->inputs[0].id ||
        !same_pooling(argmax->attributes, args->attributes))
        return tg_none();
    return tg_max_pool2d_with(args->inputs[0], tg_pool2d_options_of(args->attributes));
}

/* What was put at the positions where it is taken. */
static tg_tensor rewrite_gather_of_unpooled(const tg_rewrite_args *args)
{
    const tg_node *node = tg_tensor_node(args->inputs[0]);
    if (node->op != &tg_op_unpool2d || node->inputs[1] != args->inputs[1].id)
        return tg_none();
    const tg_unpool2d_attributes *a = node->attributes;
    return same_pooling(&a->pool, args->attributes) && tg_pool2d_is_disjoint(&a->pool) ? (tg_tensor){args->graph, node->inputs[0]}
                                                                                       : tg_none();
}

/* ---- what no window reads ---- */

/* Whether cutting rows or columns off an image spares work: it is a convolution, or comes from one by pointwise ops. */
static bool is_cut_cheaply(tg_tensor x, int depth)
{
    const tg_node *node = tg_tensor_node(x);
    if (node->op == &tg_op_conv2d)
        return true;
    if (!(node->op->traits & TG_POINTWISE) || depth == 0)
        return false;
    bool any = false;
    for (int32_t i = 0; i < node->n_inputs; i++) {
        tg_tensor operand = {x.graph, node->inputs[i]};
        if (is_even(tg_tensor_shape(operand), node->type.shape))
            continue;
        if (!is_cut_cheaply(operand, depth - 1))
            return false;
        any = true;
    }
    return any;
}

/* Only where windows do not overlap: else the gradient works on whole images, and would have the convolution computed twice. */
static tg_tensor rewrite_margin(const tg_rewrite_args *args)
{
    const tg_pool2d_attributes *a = args->attributes;
    if (!tg_pool2d_is_disjoint(a))
        return tg_none();
    tg_tensor inputs[2] = {args->inputs[0], args->inputs[args->n_inputs - 1]};
    tg_shape in = tg_tensor_shape(inputs[0]);
    int64_t read[2];
    for (int axis = 0; axis < 2; axis++)
        read[axis] = (args->type.shape.dims[1 + axis] - 1) * a->stride[axis] + a->window[axis];
    if ((read[0] == in.dims[1] && read[1] == in.dims[2]) || !is_cut_cheaply(inputs[0], DEEPEST_CHAIN))
        return tg_none();
    inputs[0] = tg_slice(tg_slice(inputs[0], 1, 0, read[0], 1), 2, 0, read[1], 1);
    return tg_apply(args->graph, args->op, inputs, args->n_inputs, args->attributes, args->attribute_bytes);
}

/* ---- a convolution is pooled at once ---- */

/* Only where windows do not overlap, as above. */
static tg_tensor pool_convolution(const tg_rewrite_args *args, const tg_op *op)
{
    const tg_node *node = tg_tensor_node(args->inputs[0]);
    const tg_pool2d_attributes *pool = args->attributes;
    if (node->op != &tg_op_conv2d || !tg_pool2d_is_disjoint(pool) || !tg_pool2d_has_positions(pool))
        return tg_none();
    tg_conv2d_pool2d_attributes attributes = {*(const tg_conv2d_attributes *)node->attributes, *pool, 0};
    tg_tensor inputs[2] = {{args->graph, node->inputs[0]}, {args->graph, node->inputs[1]}};
    return tg_apply(args->graph, op, inputs, 2, &attributes, sizeof attributes);
}

static tg_tensor rewrite_max_of_convolution(const tg_rewrite_args *args)
{
    return pool_convolution(args, &tg_op_conv2d_max_pool2d);
}

static tg_tensor rewrite_argmax_of_convolution(const tg_rewrite_args *args)
{
    return pool_convolution(args, &tg_op_conv2d_max_pool2d_argmax);
}

/* ---- an unpooled operand: f has only the pooled elements to work on ---- */

static bool is_zero(tg_tensor t)
{
    double value;
    return tg_node_scalar(tg_tensor_node(t), &value) && value == 0;
}

/* The unpooling by which operand i is zero outside what was put; NULL if it is none. */
static const tg_node *unpooling(const tg_rewrite_args *args, int i)
{
    const tg_node *node = tg_tensor_node(args->inputs[i]);
    if (node->op != &tg_op_unpool2d || !tg_shape_equal(node->type.shape, args->type.shape))
        return NULL;
    return tg_pool2d_is_disjoint(&((const tg_unpool2d_attributes *)node->attributes)->pool) ? node : NULL;
}

/* Whether operand i is zero wherever `node`'s result is zero by its positions. */
static bool is_zero_with(const tg_rewrite_args *args, int i, const tg_node *node)
{
    const tg_node *own = unpooling(args, i);
    return is_zero(args->inputs[i]) || (own && own->inputs[1] == node->inputs[1] &&
                                        memcmp(own->attributes, node->attributes, sizeof(tg_unpool2d_attributes)) == 0);
}

/* The unpooling that the result is zero with. */
static const tg_node *result_unpooling(const tg_rewrite_args *args)
{
    const tg_node *first = unpooling(args, 0), *second = args->n_inputs > 1 ? unpooling(args, 1) : NULL;
    const tg_node *third = args->n_inputs > 2 ? unpooling(args, 2) : NULL;
    if (args->op == &tg_op_mul)
        return first ? first : second;
    if (args->op == &tg_op_neg)
        return first;
    if (args->op == &tg_op_add || args->op == &tg_op_sub)
        return first && second && is_zero_with(args, 1, first) ? first : NULL;
    if (args->op == &tg_op_where) {
        const tg_node *branch = second ? second : third;
        return branch && is_zero_with(args, 1, branch) && is_zero_with(args, 2, branch) ? branch : NULL;
    }
    return NULL;
}

tg_tensor tg_rewrite_unpooled_operand(const tg_rewrite_args *args)
{
    enum { MOST = 3 };
    const tg_node *node = args->n_inputs <= MOST ? result_unpooling(args) : NULL;
    if (!node)
        return tg_none();
    const tg_unpool2d_attributes *a = node->attributes;
    tg_tensor argmax = {args->graph, node->inputs[1]}, operands[MOST];
    for (int32_t i = 0; i < args->n_inputs; i++) {
        tg_shape shape = tg_tensor_shape(args->inputs[i]);
        if (!tg_shape_equal(shape, args->type.shape) && !is_even(shape, args->type.shape))
            return tg_none();
    }
    for (int32_t i = 0; i < args->n_inputs; i++) {
        bool is_image = tg_shape_equal(tg_tensor_shape(args->inputs[i]), args->type.shape);
        operands[i] = is_image ? tg_pool_gather2d(args->inputs[i], argmax, tg_pool2d_options_of(&a->pool)) : args->inputs[i];
    }
    tg_tensor pooled = tg_apply(args->graph, args->op, operands, args->n_inputs, args->attributes, args->attribute_bytes);
    return tg_unpool2d(pooled, argmax, a->extent[0], a->extent[1], tg_pool2d_options_of(&a->pool));
}

#define MARGIN(op)                                                                                 \
    {                                                                                              \
        .name = op " reads only what its windows cover", .kind = TG_EXACT, .apply = rewrite_margin \
    }

const tg_rewrite_rule tg_max_pool2d_rules[TG_MAX_POOL2D_RULES] = {
    {.name = "max_pool2d(f(x)) -> f(max_pool2d(x)), f increasing", .kind = TG_EXACT, .apply = rewrite_max_of_increasing},
    MARGIN("max_pool2d"),
    {.name = "max_pool2d(conv2d(x, k)) -> conv2d_max_pool2d(x, k)", .kind = TG_EXACT, .apply = rewrite_max_of_convolution},
};

const tg_rewrite_rule tg_argmax_pool2d_rules[TG_ARGMAX_POOL2D_RULES] = {
    {.name = "max_pool2d_argmax(f(x)) -> max_pool2d_argmax(x), f increasing",
     .kind = TG_TIES,
     .apply = rewrite_argmax_of_increasing},
    MARGIN("max_pool2d_argmax"),
    {.name = "max_pool2d_argmax(conv2d(x, k)) -> conv2d_max_pool2d_argmax(x, k)",
     .kind = TG_EXACT,
     .apply = rewrite_argmax_of_convolution},
};

const tg_rewrite_rule tg_pool_gather2d_rules[TG_POOL_GATHER2D_RULES] = {
    {.name = "pool_gather2d(x, max_pool2d_argmax(x)) -> max_pool2d(x)", .kind = TG_EXACT, .apply = rewrite_gather_of_maxima},
    {.name = "pool_gather2d(unpool2d(y, i), i) -> y", .kind = TG_EXACT, .apply = rewrite_gather_of_unpooled},
    {.name = "pool_gather2d(f(x), i) -> f(pool_gather2d(x, i))", .kind = TG_EXACT, .apply = rewrite_gather_of_pointwise},
    MARGIN("pool_gather2d"),
};
