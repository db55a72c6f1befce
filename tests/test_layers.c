#include <math.h>
#include <stdio.h>
#include <string.h>

#include "exec/plan.h"
#include "graph/rebuild.h"
#include "harness.h"
#include "ops/ops.h"
#include "train/layers.h"

static tg_context *context;
static tg_variables *variables;
static tg_graph *graph;

static void setup(void)
{
    context = harness_context(1);
    variables = tg_variables_new(context, 7);
    graph = tg_graph_new(variables, TG_TRAINING);
}

static void teardown(void)
{
    tg_graph_free(graph);
    tg_variables_free(variables);
    tg_context_free(context);
}

static tg_tensor input(tg_shape shape) { return tg_input(graph, "x", TG_FLOAT, shape); }

static void assert_variable(const char *name, tg_shape shape)
{
    const tg_variable_info *info = tg_variables_find(variables, name);
    ck_assert_msg(info != NULL, "no variable %s", name);
    ck_assert(tg_shape_equal(info->type.shape, shape));
    ck_assert_int_eq(info->type.dtype, TG_F32);
    ck_assert(info->trainable);
}

static void assert_layer(int i, const char *kind, const char *name, tg_tensor output)
{
    const tg_layer_info *layer = tg_graph_layer(graph, i);
    ck_assert_ptr_nonnull(layer);
    ck_assert_str_eq(layer->kind, kind);
    ck_assert_str_eq(layer->name, name);
    ck_assert_int_eq(layer->output, output.id);
}

static void assert_error(const char *part)
{
    ck_assert_ptr_nonnull(tg_graph_error(graph));
    ck_assert_msg(strstr(tg_graph_error(graph), part) != NULL, "\"%s\" lacks \"%s\"", tg_graph_error(graph), part);
    ck_assert_ptr_nonnull(strstr(tg_graph_error(graph), "test_layers.c:"));
}

START_TEST(dense_is_a_product_and_a_bias)
{
    const float x[] = {1, 2, 3, 4, 5, 6}, kernel[] = {1, 0, 0, 1, 2, -1}, bias[] = {10, 20};
    float y[4];
    tg_tensor in = input(TG_SHAPE(2, 3)), out = tg_dense(in, 2, "d");
    ck_assert_int_eq(tg_variables_write(variables, "d/kernel", kernel, sizeof kernel), TG_OK);
    ck_assert_int_eq(tg_variables_write(variables, "d/bias", bias, sizeof bias), TG_OK);
    ck_assert_int_eq(tg_bind(in, x, sizeof x), TG_OK);
    ck_assert_int_eq(tg_eval(out, y, sizeof y), TG_OK);
    const float expected[] = {1 + 6 + 10, 2 - 3 + 20, 4 + 12 + 10, 5 - 6 + 20};
    ck_assert_mem_eq(y, expected, sizeof y);
    assert_layer(0, "Dense", "d", out);
}
END_TEST

START_TEST(layers_are_numbered_and_declare_keras_s_variables)
{
    tg_tensor h = input(TG_SHAPE(4, 28, 28, 1));
    tg_tensor out[6];
    out[0] = h = tg_conv2d_layer(h, 32, 3, NULL);
    out[1] = h = tg_activation_layer(h, TG_ACTIVATION_SIGMOID, NULL);
    out[2] = h = tg_max_pool2d_layer(h, 2, NULL);
    out[3] = h = tg_flatten_layer(h, NULL);
    out[4] = h = tg_dense(h, 10, NULL);
    out[5] = tg_dense(h, 5, NULL);
    ck_assert_ptr_null(tg_graph_error(graph));
    assert_layer(0, "Conv2D", "conv2d", out[0]);
    assert_layer(1, "Activation", "activation", out[1]);
    assert_layer(2, "MaxPooling2D", "max_pooling2d", out[2]);
    assert_layer(3, "Flatten", "flatten", out[3]);
    assert_layer(4, "Dense", "dense", out[4]);
    assert_layer(5, "Dense", "dense_1", out[5]);
    ck_assert(tg_shape_equal(tg_tensor_shape(out[0]), TG_SHAPE(4, 26, 26, 32)));
    ck_assert(tg_shape_equal(tg_tensor_shape(out[2]), TG_SHAPE(4, 13, 13, 32)));
    ck_assert(tg_shape_equal(tg_tensor_shape(out[3]), TG_SHAPE(4, 5408)));
    assert_variable("conv2d/kernel", TG_SHAPE(3, 3, 1, 32));
    assert_variable("conv2d/bias", TG_SHAPE(32));
    assert_variable("dense/kernel", TG_SHAPE(5408, 10));
    assert_variable("dense_1/bias", TG_SHAPE(5));
    ck_assert_int_eq(tg_variables_count(variables), 6);
}
END_TEST

START_TEST(kernels_begin_glorot_uniform_and_biases_at_zero)
{
    tg_dense(input(TG_SHAPE(1, 200)), 100, "d");
    const float *kernel = tg_variable_data(tg_variables_find(variables, "d/kernel")),
                *bias = tg_variable_data(tg_variables_find(variables, "d/bias"));
    double limit = sqrt(6.0 / 300), largest = 0;
    for (int i = 0; i < 200 * 100; i++)
        largest = fmax(largest, fabs(kernel[i]));
    ck_assert(largest <= limit && largest > 0.999 * limit);
    for (int i = 0; i < 100; i++)
        ck_assert_float_eq(bias[i], 0);
}
END_TEST

START_TEST(options_are_obeyed)
{
    tg_dense_options options = tg_dense_defaults(3, "d");
    options.use_bias = false;
    options.kernel = (tg_initializer){.kind = TG_CONSTANT, .a = 0.5};
    tg_tensor y = tg_dense_with(input(TG_SHAPE(2, 5, 4)), options);
    ck_assert(tg_shape_equal(tg_tensor_shape(y), TG_SHAPE(2, 5, 3)));
    ck_assert_ptr_null(tg_variables_find(variables, "d/bias"));
    ck_assert_float_eq(((const float *)tg_variable_data(tg_variables_find(variables, "d/kernel")))[11], 0.5f);
}
END_TEST

START_TEST(same_padding_keeps_extents)
{
    tg_conv2d_layer_options options = tg_conv2d_layer_defaults(8, 3, NULL);
    options.padding = TG_PADDING_SAME;
    tg_tensor x = input(TG_SHAPE(1, 7, 6, 2));
    ck_assert(tg_shape_equal(tg_tensor_shape(tg_conv2d_layer_with(x, options)), TG_SHAPE(1, 7, 6, 8)));
    options.stride[0] = options.stride[1] = 2;
    ck_assert(tg_shape_equal(tg_tensor_shape(tg_conv2d_layer_with(x, options)), TG_SHAPE(1, 4, 3, 8)));
    options.padding = TG_PADDING_VALID;
    ck_assert(tg_shape_equal(tg_tensor_shape(tg_conv2d_layer_with(x, options)), TG_SHAPE(1, 3, 2, 8)));
    ck_assert_ptr_null(tg_graph_error(graph));
}
END_TEST

START_TEST(a_shared_layer_uses_its_weights_again)
{
    tg_dense_options options = tg_dense_defaults(4, "twin");
    options.shared = true;
    tg_tensor x = input(TG_SHAPE(2, 4));
    tg_tensor y = tg_dense_with(tg_dense_with(x, options), options);
    ck_assert(tg_ok(y));
    ck_assert_int_eq(tg_variables_count(variables), 2);
}
END_TEST

START_TEST(dropout_is_a_layer_in_both_modes)
{
    tg_graph *evaluation = tg_graph_new(variables, TG_EVALUATION);
    tg_tensor x = tg_input(evaluation, "x", TG_FLOAT, TG_SHAPE(2, 4));
    ck_assert_int_eq(tg_dropout_layer(x, 0.5, NULL).id, x.id);
    ck_assert_int_eq(tg_graph_layer_count(evaluation), 1);
    tg_graph_free(evaluation);
    tg_tensor y = input(TG_SHAPE(2, 4)), dropped = tg_dropout_layer(y, 0.5, NULL);
    ck_assert(tg_ok(dropped) && dropped.id != y.id);
    assert_layer(0, "Dropout", "dropout", dropped);
}
END_TEST

START_TEST(pooling_layers_have_their_shapes)
{
    tg_tensor x = input(TG_SHAPE(2, 9, 8, 3));
    ck_assert(tg_shape_equal(tg_tensor_shape(tg_avg_pool2d_layer(x, 2, NULL)), TG_SHAPE(2, 4, 4, 3)));
    ck_assert(tg_shape_equal(tg_tensor_shape(tg_global_avg_pool2d_layer(x, NULL)), TG_SHAPE(2, 3)));
    ck_assert_str_eq(tg_graph_layer(graph, 0)->name, "average_pooling2d");
    ck_assert_str_eq(tg_graph_layer(graph, 1)->name, "global_average_pooling2d");
}
END_TEST

/* Keras's formulas at -1.5 and 0.75, computed by Python in f64; softmax and log_softmax over the pair. */
static const struct {
    tg_activation_kind kind;
    double values[2];
} activations[] = {
    {TG_ACTIVATION_LINEAR, {-1.5, 0.75}},
    {TG_ACTIVATION_SIGMOID, {0.18242552380635635, 0.679178699175393}},
    {TG_ACTIVATION_RELU, {0, 0.75}},
    {TG_ACTIVATION_TANH, {-0.9051482536448664, 0.6351489523872873}},
    {TG_ACTIVATION_LEAKY_RELU, {-0.3, 0.75}},
    {TG_ACTIVATION_ELU, {-0.7768698398515702, 0.75}},
    {TG_ACTIVATION_SELU, {-1.3658143533672527, 0.7880257405166103}},
    {TG_ACTIVATION_GELU, {-0.10021080190328713, 0.5800294857173488}},
    {TG_ACTIVATION_SILU, {-0.2736382857095345, 0.5093840243815448}},
    {TG_ACTIVATION_SOFTPLUS, {0.2014132779827524, 1.1368710061148999}},
    {TG_ACTIVATION_SOFTSIGN, {-0.6, 0.42857142857142855}},
    {TG_ACTIVATION_EXPONENTIAL, {0.22313016014842982, 2.117000016612675}},
    {TG_ACTIVATION_SOFTMAX, {0.09534946489910949, 0.9046505351008906}},
    {TG_ACTIVATION_LOG_SOFTMAX, {-2.350206558916747, -0.10020655891674712}},
};

START_TEST(activations_have_keras_s_values)
{
    const double x[] = {-1.5, 0.75};
    ck_assert_uint_eq(sizeof activations / sizeof *activations, TG_ACTIVATION_COUNT);
    for (int i = 0; i < TG_ACTIVATION_COUNT; i++) {
        double y[2];
        tg_graph *each = tg_graph_new(variables, TG_EVALUATION);
        tg_tensor in = tg_constant(each, TG_F64, TG_SHAPE(1, 2), x, sizeof x);
        ck_assert_int_eq(tg_eval(tg_activate(in, activations[i].kind), y, sizeof y), TG_OK);
        for (int k = 0; k < 2; k++)
            ck_assert_double_eq_tol(y[k], activations[i].values[k], 1e-13);
        tg_graph_free(each);
    }
}
END_TEST

START_TEST(activations_are_found_by_name)
{
    for (int kind = 0; kind < TG_ACTIVATION_COUNT; kind++)
        ck_assert_int_eq(tg_activation_find(tg_activation_name((tg_activation_kind)kind)), kind);
    ck_assert_str_eq(tg_activation_name(TG_ACTIVATION_LEAKY_RELU), "leaky_relu");
    ck_assert_int_eq(tg_activation_find("Sigmoid"), TG_ACTIVATION_COUNT);
    ck_assert_ptr_null(tg_activation_name(TG_ACTIVATION_COUNT));
}
END_TEST

START_TEST(mistakes_are_told_with_their_place)
{
    static const struct {
        int layer;
        tg_shape shape;
        const char *part;
    } cases[] = {
        {0, {1, {4}}, "dense: x must be [..., in] of rank 2 or more, not [4]"},
        {1, {2, {4, 4}}, "dense: units must be 1 or more, not 0"},
        {2, {3, {4, 4, 1}}, "conv2d layer: x must be [n, height, width, channels], not [4, 4, 1]"},
        {3, {4, {1, 4, 4, 1}}, "conv2d layer: the kernel's size must be 1x1 or more, not 0x0"},
        {4, {4, {1, 4, 4, 1}}, "conv2d layer: filters must be 1 or more, not -2"},
        {5, {0}, "flatten: x must have a batch axis, and is a scalar"},
        {6, {4, {1, 4, 4, 1}}, "conv2d layer: same padding takes no dilation"},
        {7, {2, {4, 4}}, "activation: there is no kind 99"},
    };
    tg_conv2d_layer_options dilated = tg_conv2d_layer_defaults(2, 3, NULL);
    dilated.padding = TG_PADDING_SAME;
    dilated.dilation[0] = 2;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tg_graph_free(graph);
        graph = tg_graph_new(variables, TG_TRAINING);
        tg_tensor x = input(cases[i].shape), y;
        switch (cases[i].layer) {
        case 0: y = tg_dense(x, 3, NULL); break;
        case 1: y = tg_dense(x, 0, NULL); break;
        case 2: y = tg_conv2d_layer(x, 3, 3, NULL); break;
        case 3: y = tg_conv2d_layer(x, 3, 0, NULL); break;
        case 4: y = tg_conv2d_layer(x, -2, 3, NULL); break;
        case 5: y = tg_flatten_layer(x, NULL); break;
        case 6: y = tg_conv2d_layer_with(x, dilated); break;
        default: y = tg_activation_layer(x, (tg_activation_kind)99, NULL);
        }
        ck_assert(!tg_ok(y));
        assert_error(cases[i].part);
    }
}
END_TEST

START_TEST(a_poisoned_tensor_flows_through)
{
    tg_tensor bad = tg_dense(input(TG_SHAPE(4)), 3, NULL);
    char first[512];
    snprintf(first, sizeof first, "%s", tg_graph_error(graph));
    bad = tg_dense(tg_activation_layer(bad, TG_ACTIVATION_RELU, NULL), 3, NULL);
    bad = tg_dropout_layer(tg_flatten_layer(tg_max_pool2d_layer(tg_conv2d_layer(bad, 1, 1, NULL), 2, NULL), NULL), 0.5, NULL);
    ck_assert(!tg_ok(tg_global_avg_pool2d_layer(tg_avg_pool2d_layer(bad, 2, NULL), NULL)));
    ck_assert_str_eq(tg_graph_error(graph), first);
    ck_assert(!tg_ok(tg_dense(tg_none(), 3, NULL)));
}
END_TEST

START_TEST(a_name_used_twice_is_an_error)
{
    tg_tensor x = input(TG_SHAPE(2, 4));
    tg_dense(x, 3, "d");
    ck_assert(!tg_ok(tg_dense(x, 3, "d")));
    assert_error("\"d\" exists already");
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("layers");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, dense_is_a_product_and_a_bias);
    tcase_add_test(tests, layers_are_numbered_and_declare_keras_s_variables);
    tcase_add_test(tests, kernels_begin_glorot_uniform_and_biases_at_zero);
    tcase_add_test(tests, options_are_obeyed);
    tcase_add_test(tests, same_padding_keeps_extents);
    tcase_add_test(tests, a_shared_layer_uses_its_weights_again);
    tcase_add_test(tests, dropout_is_a_layer_in_both_modes);
    tcase_add_test(tests, pooling_layers_have_their_shapes);
    tcase_add_test(tests, activations_have_keras_s_values);
    tcase_add_test(tests, activations_are_found_by_name);
    tcase_add_test(tests, mistakes_are_told_with_their_place);
    tcase_add_test(tests, a_poisoned_tensor_flows_through);
    tcase_add_test(tests, a_name_used_twice_is_an_error);
    return harness_run("layers", tests);
}
