#include "train/layers.h"

#include <stdio.h>
#include <string.h>

#include "ops/ops.h"

/* ---- activations ---- */

static tg_tensor selu(tg_where where, tg_tensor x)
{
    tg_tensor elu = tg_elu_at(where, x, 1.67326324235437728);
    return tg_mul_at(where, elu, tg_scalar_at(where, elu, 1.05070098735548049));
}

static tg_tensor softsign(tg_where where, tg_tensor x)
{
    tg_tensor magnitude = tg_abs_at(where, x);
    return tg_div_at(where, x, tg_add_at(where, magnitude, tg_scalar_at(where, x, 1)));
}

static const char *const activation_names[TG_ACTIVATION_COUNT] = {
    [TG_ACTIVATION_LINEAR] = "linear",
    [TG_ACTIVATION_SIGMOID] = "sigmoid",
    [TG_ACTIVATION_RELU] = "relu",
    [TG_ACTIVATION_TANH] = "tanh",
    [TG_ACTIVATION_LEAKY_RELU] = "leaky_relu",
    [TG_ACTIVATION_ELU] = "elu",
    [TG_ACTIVATION_SELU] = "selu",
    [TG_ACTIVATION_GELU] = "gelu",
    [TG_ACTIVATION_SILU] = "silu",
    [TG_ACTIVATION_SOFTPLUS] = "softplus",
    [TG_ACTIVATION_SOFTSIGN] = "softsign",
    [TG_ACTIVATION_EXPONENTIAL] = "exponential",
    [TG_ACTIVATION_SOFTMAX] = "softmax",
    [TG_ACTIVATION_LOG_SOFTMAX] = "log_softmax",
};

const char *tg_activation_name(tg_activation_kind kind)
{
    return (unsigned)kind < TG_ACTIVATION_COUNT ? activation_names[kind] : NULL;
}

tg_activation_kind tg_activation_find(const char *name)
{
    int kind = 0;
    while (kind < TG_ACTIVATION_COUNT && strcmp(activation_names[kind], name) != 0)
        kind++;
    return (tg_activation_kind)kind;
}

tg_tensor tg_activate_at(tg_where where, tg_tensor x, tg_activation_kind kind)
{
    switch (kind) {
    case TG_ACTIVATION_LINEAR: return x;
    case TG_ACTIVATION_SIGMOID: return tg_sigmoid_at(where, x);
    case TG_ACTIVATION_RELU: return tg_relu_at(where, x);
    case TG_ACTIVATION_TANH: return tg_tanh_at(where, x);
    case TG_ACTIVATION_LEAKY_RELU: return tg_leaky_relu_at(where, x, 0.2);
    case TG_ACTIVATION_ELU: return tg_elu_at(where, x, 1);
    case TG_ACTIVATION_SELU: return selu(where, x);
    case TG_ACTIVATION_GELU: return tg_gelu_at(where, x);
    case TG_ACTIVATION_SILU: return tg_silu_at(where, x);
    case TG_ACTIVATION_SOFTPLUS: return tg_softplus_at(where, x);
    case TG_ACTIVATION_SOFTSIGN: return softsign(where, x);
    case TG_ACTIVATION_EXPONENTIAL: return tg_exp_at(where, x);
    case TG_ACTIVATION_SOFTMAX: return tg_softmax_at(where, x, -1);
    case TG_ACTIVATION_LOG_SOFTMAX: return tg_log_softmax_at(where, x, -1);
    case TG_ACTIVATION_COUNT: break;
    }
    return tg_graph_fail(x.graph, where, "activation: there is no kind %d", (int)kind);
}

tg_tensor tg_activation_layer_at(tg_where where, tg_tensor x, tg_activation_kind kind, const char *name)
{
    if (!tg_ok(x))
        return x;
    tg_layer_begin_at(where, x.graph, "Activation", name, false);
    return tg_layer_end(tg_activate_at(where, x, kind));
}

/* ---- layers with weights ---- */

/* Where a layer's weights are declared. */
typedef struct declarer {
    tg_where where;
    tg_graph *graph;
    bool shared;
} declarer;

static tg_tensor weight(const declarer *d, const char *name, tg_shape shape, tg_initializer initializer)
{
    tg_init init = tg_initializer_for(initializer, shape);
    return d->shared ? tg_shared_variable_at(d->where, d->graph, name, TG_FLOAT, shape, init)
                     : tg_variable_at(d->where, d->graph, name, TG_FLOAT, shape, init);
}

static tg_tensor add_bias(const declarer *d, tg_tensor x, int64_t extent, tg_initializer initializer)
{
    return tg_add_at(d->where, x, weight(d, "bias", TG_SHAPE(extent), initializer));
}

tg_dense_options tg_dense_defaults(int64_t units, const char *name)
{
    return (tg_dense_options){
        .units = units,
        .name = name,
        .use_bias = true,
        .kernel = tg_initializer_defaults(TG_GLOROT_UNIFORM),
        .bias = tg_initializer_defaults(TG_ZEROS),
    };
}

tg_tensor tg_dense_with_at(tg_where where, tg_tensor x, tg_dense_options options)
{
    if (!tg_ok(x))
        return x;
    tg_shape shape = tg_tensor_shape(x);
    char text[128];
    if (shape.rank < 2)
        return tg_graph_fail(x.graph, where, "dense: x must be [..., in] of rank 2 or more, not %s",
                             tg_shape_text(shape, text, sizeof text));
    if (options.units < 1)
        return tg_graph_fail(x.graph, where, "dense: units must be 1 or more, not %lld", (long long)options.units);
    declarer d = {where, x.graph, options.shared};
    tg_layer_begin_at(where, x.graph, "Dense", options.name, options.shared);
    tg_tensor kernel = weight(&d, "kernel", TG_SHAPE(shape.dims[shape.rank - 1], options.units), options.kernel);
    tg_tensor y = tg_matmul_at(where, x, kernel);
    if (options.use_bias)
        y = add_bias(&d, y, options.units, options.bias);
    return tg_layer_end(tg_activate_at(where, y, options.activation));
}

tg_tensor tg_dense_at(tg_where where, tg_tensor x, int64_t units, const char *name)
{
    return tg_dense_with_at(where, x, tg_dense_defaults(units, name));
}

tg_conv2d_layer_options tg_conv2d_layer_defaults(int64_t filters, int64_t size, const char *name)
{
    return (tg_conv2d_layer_options){
        .filters = filters,
        .size = {size, size},
        .stride = {1, 1},
        .dilation = {1, 1},
        .name = name,
        .use_bias = true,
        .kernel = tg_initializer_defaults(TG_GLOROT_UNIFORM),
        .bias = tg_initializer_defaults(TG_ZEROS),
    };
}

/* The sentence that says what is wrong with the options for x; "" if nothing is. */
static void check_conv2d(tg_shape x, const tg_conv2d_layer_options *options, char *text, size_t size)
{
    char shape[128];
    text[0] = 0;
    if (x.rank != 4)
        snprintf(text, size, "x must be [n, height, width, channels], not %s", tg_shape_text(x, shape, sizeof shape));
    else if (options->filters < 1)
        snprintf(text, size, "filters must be 1 or more, not %lld", (long long)options->filters);
    else if (options->size[0] < 1 || options->size[1] < 1)
        snprintf(text, size, "the kernel's size must be 1x1 or more, not %lldx%lld", (long long)options->size[0],
                 (long long)options->size[1]);
    else if (options->padding == TG_PADDING_SAME && (options->dilation[0] > 1 || options->dilation[1] > 1))
        snprintf(text, size, "same padding takes no dilation");
}

tg_tensor tg_conv2d_layer_with_at(tg_where where, tg_tensor x, tg_conv2d_layer_options options)
{
    if (!tg_ok(x))
        return x;
    tg_shape shape = tg_tensor_shape(x);
    char wrong[256];
    check_conv2d(shape, &options, wrong, sizeof wrong);
    if (wrong[0])
        return tg_graph_fail(x.graph, where, "conv2d layer: %s", wrong);

    tg_conv2d_options how = {.stride = {options.stride[0], options.stride[1]},
                             .dilation = {options.dilation[0], options.dilation[1]}};
    if (options.padding == TG_PADDING_SAME)
        how = tg_same_padding(how, shape.dims[1], shape.dims[2], options.size[0], options.size[1]);
    declarer d = {where, x.graph, options.shared};
    tg_layer_begin_at(where, x.graph, "Conv2D", options.name, options.shared);
    tg_shape kernel_shape = TG_SHAPE(options.size[0], options.size[1], shape.dims[3], options.filters);
    tg_tensor kernel = weight(&d, "kernel", kernel_shape, options.kernel);
    tg_tensor y = tg_conv2d_at(where, x, kernel, how);
    if (options.use_bias)
        y = add_bias(&d, y, options.filters, options.bias);
    return tg_layer_end(tg_activate_at(where, y, options.activation));
}

tg_tensor tg_conv2d_layer_at(tg_where where, tg_tensor x, int64_t filters, int64_t size, const char *name)
{
    return tg_conv2d_layer_with_at(where, x, tg_conv2d_layer_defaults(filters, size, name));
}

/* ---- layers without weights ---- */

tg_tensor tg_max_pool2d_layer_at(tg_where where, tg_tensor x, int64_t size, const char *name)
{
    if (!tg_ok(x))
        return x;
    tg_layer_begin_at(where, x.graph, "MaxPooling2D", name, false);
    return tg_layer_end(tg_max_pool2d_at(where, x, size));
}

tg_tensor tg_avg_pool2d_layer_at(tg_where where, tg_tensor x, int64_t size, const char *name)
{
    if (!tg_ok(x))
        return x;
    tg_layer_begin_at(where, x.graph, "AveragePooling2D", name, false);
    return tg_layer_end(tg_avg_pool2d_at(where, x, size));
}

tg_tensor tg_global_avg_pool2d_layer_at(tg_where where, tg_tensor x, const char *name)
{
    if (!tg_ok(x))
        return x;
    tg_layer_begin_at(where, x.graph, "GlobalAveragePooling2D", name, false);
    return tg_layer_end(tg_global_avg_pool2d_at(where, x));
}

tg_tensor tg_flatten_layer_at(tg_where where, tg_tensor x, const char *name)
{
    if (!tg_ok(x))
        return x;
    tg_shape shape = tg_tensor_shape(x);
    if (shape.rank < 1)
        return tg_graph_fail(x.graph, where, "flatten: x must have a batch axis, and is a scalar");
    int64_t rest = 1;
    for (int i = 1; i < shape.rank; i++)
        rest *= shape.dims[i];
    tg_layer_begin_at(where, x.graph, "Flatten", name, false);
    return tg_layer_end(tg_reshape_at(where, x, TG_SHAPE(shape.dims[0], rest)));
}

tg_tensor tg_dropout_layer_at(tg_where where, tg_tensor x, double rate, const char *name)
{
    if (!tg_ok(x))
        return x;
    tg_layer_begin_at(where, x.graph, "Dropout", name, false);
    return tg_layer_end(tg_dropout_at(where, x, "mask", rate));
}
