#include <math.h>
#include <string.h>

#include "autodiff/autodiff.h"
#include "exec/plan.h"
#include "harness.h"
#include "ops/ops.h"
#include "train/layers.h"
#include "train/regularizers.h"

static tg_context *context;
static tg_variables *variables;
static tg_graph *graph;
static tg_tensor x;

static void setup(void)
{
    context = harness_context(1);
    variables = tg_variables_new(context, 1);
    graph = tg_graph_new(variables, TG_TRAINING);
    x = tg_input(graph, "x", TG_F32, TG_SHAPE(2, 3));
}

static void teardown(void)
{
    tg_graph_free(graph);
    tg_variables_free(variables);
    tg_context_free(context);
}

/* A dense layer whose kernel is `value` everywhere and whose bias is 7. */
static tg_tensor layer(tg_tensor in, int64_t units, double value)
{
    tg_dense_options options = tg_dense_defaults(units, NULL);
    options.kernel = (tg_initializer){.kind = TG_CONSTANT, .a = value};
    options.bias = (tg_initializer){.kind = TG_CONSTANT, .a = 7};
    return tg_dense_with(in, options);
}

START_TEST(kernels_count_and_biases_do_not)
{
    float penalty, none;
    tg_tensor before = tg_l2_penalty(x, 0.5);
    layer(layer(x, 4, 2), 5, 0.5);
    ck_assert_int_eq(tg_eval(before, &none, sizeof none), TG_OK);
    ck_assert_float_eq(none, 0);
    ck_assert_int_eq(tg_eval(tg_l2_penalty(x, 0.5), &penalty, sizeof penalty), TG_OK);
    ck_assert_float_eq(penalty, 0.5f * (12 * 4 + 20 * 0.25f));
}
END_TEST

START_TEST(the_gradient_is_twice_factor_times_weight)
{
    layer(x, 4, 2);
    tg_tensor penalty = tg_l2_penalty(x, 0.25), kernel = tg_none(), gradient;
    float values[12];
    for (int32_t id = 0; id < tg_graph_count(graph); id++) {
        const tg_variable_info *info = tg_node_variable(graph, tg_graph_node(graph, id));
        if (info && strcmp(info->name, "dense/kernel") == 0)
            kernel = (tg_tensor){graph, id};
    }
    ck_assert(tg_gradients(penalty, &kernel, 1, &gradient));
    ck_assert_int_eq(tg_eval(gradient, values, sizeof values), TG_OK);
    for (int i = 0; i < 12; i++)
        ck_assert_float_eq(values[i], 2 * 0.25f * 2);
}
END_TEST

START_TEST(a_wrong_factor_is_told)
{
    ck_assert(!tg_ok(tg_l2_penalty(x, -1)));
    ck_assert_msg(strstr(tg_graph_error(graph), "l2: the factor must be 0 or more, not -1") != NULL, "%s", tg_graph_error(graph));
    ck_assert(!tg_ok(tg_l2_penalty(tg_l2_penalty(x, NAN), 1)));
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("regularizers");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, kernels_count_and_biases_do_not);
    tcase_add_test(tests, the_gradient_is_twice_factor_times_weight);
    tcase_add_test(tests, a_wrong_factor_is_told);
    return harness_run("regularizers", tests);
}
