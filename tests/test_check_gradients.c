/* The gradient checker must find what is wrong, and only that. */
#include "autodiff/check.h"

#include <math.h>
#include <string.h>

#include "failing_allocator.h"
#include "harness.h"
#include "ops/ops.h"

static tg_context *context;
static tg_variables *variables;
static tg_graph *graph;

static void setup(void)
{
    context = harness_context(1);
    tg_variables *plain = tg_variables_new(context, 7);
    variables = tg_variables_cast(plain, TG_F64);
    tg_variables_free(plain);
    graph = tg_graph_new(variables, TG_TRAINING);
}

static void teardown(void)
{
    tg_graph_free(graph);
    tg_variables_free(variables);
    tg_context_free(context);
}

static tg_tensor weight(const char *name, tg_shape shape)
{
    return tg_variable(graph, name, TG_FLOAT, shape, (tg_init){TG_INIT_UNIFORM, 0.5, 2});
}

static void check(tg_tensor loss, const tg_tensor *x, int n, tg_gradient_worst *worst, bool expected)
{
    bool passed;
    tg_status status = tg_check_gradients(loss, x, NULL, n, (tg_check_options){0}, worst, &passed);
    ck_assert_msg(!status, "%s: %s", tg_status_text(status), tg_graph_error(graph) ? tg_graph_error(graph) : "");
    ck_assert_msg(passed == expected, "error %g", worst[0].error);
}

/* ---- a product, by four rules of which one is right ---- */

static void product_block(void *out, const void *const *inputs, int64_t n, const void *attributes)
{
    (void)attributes;
    for (int64_t i = 0; i < n; i++)
        ((double *)out)[i] = ((const double *)inputs[0])[i] * ((const double *)inputs[1])[i];
}

static tg_block_fn product_for(const tg_work *work) { return work->output.dtype == TG_F64 ? product_block : NULL; }

static void right_rule(const tg_gradient_args *args, tg_tensor *result)
{
    for (int i = 0; i < 2; i++)
        result[i] = args->wanted[i] ? tg_mul(args->gradient, args->inputs[1 - i]) : tg_none();
}

static void flipped_sign(const tg_gradient_args *args, tg_tensor *result)
{
    right_rule(args, result);
    result[1] = tg_neg(result[1]);
}

static void factor_of_two(const tg_gradient_args *args, tg_tensor *result)
{
    right_rule(args, result);
    result[1] = tg_mul(result[1], tg_scalar(result[1], 2));
}

/* Takes the first element where the sum over the broadcast axis belongs. */
static void missing_broadcast_sum(const tg_gradient_args *args, tg_tensor *result)
{
    right_rule(args, result);
    if (tg_tensor_shape(result[1]).rank > tg_tensor_shape(args->inputs[1]).rank)
        result[1] = tg_reshape(tg_slice(result[1], 0, 0, 1, 1), tg_tensor_shape(args->inputs[1]));
}

#define PRODUCT(rule)                                                                                  \
    {                                                                                                  \
        .name = #rule, .formula = "y = a b", .traits = TG_POINTWISE, .min_inputs = 2, .max_inputs = 2, \
        .shape = tg_shape_pointwise, .gradient = rule, .block = product_for                            \
    }
static const tg_op right = PRODUCT(right_rule), sign = PRODUCT(flipped_sign), factor = PRODUCT(factor_of_two),
                   broadcast = PRODUCT(missing_broadcast_sum);

/* The worst error in b of sum(op(a, b)^2), a [3, 4], b [4]. */
static tg_gradient_worst check_product(const tg_op *op, bool expected)
{
    tg_gradient_worst worst[2];
    tg_tensor x[2] = {weight("a", TG_SHAPE(3, 4)), weight("b", TG_SHAPE(4))};
    check(tg_sum(tg_square(tg_apply(graph, op, x, 2, NULL, 0)), TG_ALL_AXES), x, 2, worst, expected);
    ck_assert_str_eq(worst[0].variable, "a");
    ck_assert_str_eq(worst[1].variable, "b");
    ck_assert_double_le(worst[0].error, 1e-6);
    ck_assert_int_eq(worst[0].checked, 12);
    ck_assert_int_eq(worst[1].checked, 4);
    ck_assert_int_eq(worst[1].kinks, 0);
    return worst[1];
}

START_TEST(right_gradients_pass) { ck_assert_double_le(check_product(&right, true).error, 1e-6); }
END_TEST

START_TEST(a_flipped_sign_is_caught)
{
    tg_gradient_worst worst = check_product(&sign, false);
    ck_assert_double_eq_tol(worst.recorded, -worst.numeric, 1e-5);
    ck_assert_double_ge(worst.error, 1);
}
END_TEST

START_TEST(a_factor_of_two_is_caught)
{
    tg_gradient_worst worst = check_product(&factor, false);
    ck_assert_double_eq_tol(worst.recorded, 2 * worst.numeric, 1e-5);
    ck_assert_double_eq_tol(worst.error, 0.5, 1e-6);
}
END_TEST

START_TEST(a_missing_broadcast_sum_is_caught)
{
    tg_gradient_worst worst = check_product(&broadcast, false);
    ck_assert_double_lt(worst.recorded, worst.numeric);
    ck_assert_int_ge(worst.element, 0);
}
END_TEST

START_TEST(the_worst_element_is_found)
{
    tg_tensor x = weight("x", TG_SHAPE(5)), wrong = tg_constant(graph, TG_F64, TG_SHAPE(5), (double[]){1, 1, 1, 4, 3}, 40);
    tg_gradient_worst worst;
    bool passed;
    ck_assert_int_eq(tg_check_gradients(tg_sum(x, TG_ALL_AXES), &x, &wrong, 1, (tg_check_options){0}, &worst, &passed), TG_OK);
    ck_assert(!passed);
    ck_assert_int_eq(worst.element, 3);
    ck_assert_double_eq(worst.recorded, 4);
    ck_assert_double_eq_tol(worst.numeric, 1, 1e-6);
    ck_assert_double_eq_tol(worst.error, 0.75, 1e-6);
}
END_TEST

START_TEST(nan_is_an_error)
{
    tg_tensor x = weight("x", TG_SHAPE(2)), wrong = tg_constant(graph, TG_F64, TG_SHAPE(2), (double[]){NAN, 1}, 16);
    tg_gradient_worst worst;
    bool passed;
    ck_assert_int_eq(tg_check_gradients(tg_sum(x, TG_ALL_AXES), &x, &wrong, 1, (tg_check_options){0}, &worst, &passed), TG_OK);
    ck_assert(!passed);
    ck_assert_int_eq(worst.element, 0);
    ck_assert(isinf(worst.error));
}
END_TEST

START_TEST(kinks_are_left_out)
{
    const double values[] = {-1, 0, 1, 3e-7};
    tg_tensor x = weight("x", TG_SHAPE(4));
    tg_gradient_worst worst;
    ck_assert_int_eq(tg_variables_write(variables, "x", values, sizeof values), TG_OK);
    check(tg_sum(tg_abs(x), TG_ALL_AXES), &x, 1, &worst, true);
    ck_assert_int_eq(worst.kinks, 2);
    ck_assert_int_eq(worst.checked, 2);
}
END_TEST

START_TEST(curvature_is_no_kink)
{
    const double values[] = {0.01, 0.02, -0.03};
    tg_tensor x = weight("x", TG_SHAPE(3)), y = tg_sin(tg_mul(x, tg_scalar(x, 1000)));
    tg_gradient_worst worst;
    ck_assert_int_eq(tg_variables_write(variables, "x", values, sizeof values), TG_OK);
    check(tg_sum(y, TG_ALL_AXES), &x, 1, &worst, true);
    ck_assert_int_eq(worst.kinks, 0);
    ck_assert_int_eq(worst.checked, 3);
}
END_TEST

START_TEST(some_elements_are_enough)
{
    tg_tensor x = weight("x", TG_SHAPE(1000));
    tg_gradient_worst worst;
    bool passed;
    ck_assert_int_eq(tg_check_gradients(tg_sum(tg_square(x), TG_ALL_AXES), &x, NULL, 1, (tg_check_options){.max_elements = 7},
                                        &worst, &passed),
                     TG_OK);
    ck_assert(passed);
    ck_assert_int_eq(worst.checked, 7);
}
END_TEST

START_TEST(an_empty_variable_passes)
{
    tg_tensor x = weight("x", TG_SHAPE(0, 3));
    tg_gradient_worst worst;
    check(tg_sum(x, TG_ALL_AXES), &x, 1, &worst, true);
    ck_assert_int_eq(worst.element, -1);
    ck_assert_int_eq(worst.checked, 0);
}
END_TEST

/* Neither the variables nor what the graph assigns change, and the loss may depend on what an assign returns. */
START_TEST(checking_changes_nothing)
{
    double before[3], after[3], count;
    tg_tensor x = weight("x", TG_SHAPE(3)),
              counter = tg_state(graph, "counter", TG_FLOAT, TG_SCALAR, (tg_init){TG_INIT_CONSTANT, 0, 0});
    tg_tensor counted = tg_assign(counter, tg_add(counter, tg_scalar(counter, 1)));
    tg_gradient_worst worst;
    ck_assert_int_eq(tg_variables_read(variables, "x", before, sizeof before), TG_OK);
    check(tg_mul(counted, tg_sum(tg_square(x), TG_ALL_AXES)), &x, 1, &worst, true);
    ck_assert_int_eq(tg_variables_read(variables, "x", after, sizeof after), TG_OK);
    ck_assert_int_eq(tg_variables_read(variables, "counter", &count, sizeof count), TG_OK);
    ck_assert_mem_eq(before, after, sizeof before);
    ck_assert_double_eq(count, 0);
    ck_assert_int_eq(tg_variables_step(variables), 0);
}
END_TEST

START_TEST(inputs_must_be_bound)
{
    tg_tensor x = weight("x", TG_SHAPE(2)), data = tg_input(graph, "data", TG_FLOAT, TG_SHAPE(2));
    tg_tensor loss = tg_sum(tg_mul(x, data), TG_ALL_AXES);
    tg_gradient_worst worst;
    bool passed;
    ck_assert_int_eq(tg_check_gradients(loss, &x, NULL, 1, (tg_check_options){0}, &worst, &passed), TG_ERROR_UNFED);
    ck_assert(!passed);
    const double values[] = {3, 4};
    ck_assert_int_eq(tg_bind(data, values, sizeof values), TG_OK);
    check(loss, &x, 1, &worst, true);
}
END_TEST

static void expect_refusal(tg_tensor loss, tg_tensor x, const char *part)
{
    tg_gradient_worst worst;
    bool passed = true;
    ck_assert_int_eq(tg_check_gradients(loss, &x, NULL, 1, (tg_check_options){0}, &worst, &passed), TG_ERROR_GRAPH);
    ck_assert(!passed);
    ck_assert_msg(strstr(tg_graph_error(graph), part), "%s", tg_graph_error(graph));
}

START_TEST(the_loss_is_a_scalar)
{
    tg_tensor x = weight("x", TG_SHAPE(2));
    expect_refusal(tg_square(x), x, "must be an f64 scalar");
}
END_TEST

START_TEST(only_variables_are_moved)
{
    tg_tensor x = tg_square(weight("x", TG_SHAPE(2)));
    expect_refusal(tg_sum(x, TG_ALL_AXES), x, "x 0 is no f64 variable");
}
END_TEST

START_TEST(cut_paths_are_told)
{
    tg_tensor x = weight("x", TG_SHAPE(2));
    expect_refusal(tg_sum(tg_stop_gradient(x), TG_ALL_AXES), x, "stop_gradient");
}
END_TEST

static tg_status check_with(failing_allocator *memory)
{
    tg_context_options options = harness_options();
    options.threads = 1;
    options.allocator = failing_allocator_interface(memory);
    tg_context *c = tg_context_new(options);
    tg_variables *plain = tg_variables_new(c, 1), *v = plain ? tg_variables_cast(plain, TG_F64) : NULL;
    tg_graph *g = tg_graph_new(v, TG_TRAINING);
    tg_status status = TG_ERROR_MEMORY;
    if (g) {
        tg_tensor x = tg_variable(g, "x", TG_FLOAT, TG_SHAPE(2), (tg_init){TG_INIT_CONSTANT, 1, 0});
        tg_gradient_worst worst;
        bool passed;
        status = tg_check_gradients(tg_sum(tg_square(x), TG_ALL_AXES), &x, NULL, 1, (tg_check_options){0}, &worst, &passed);
        ck_assert(passed == !status);
    }
    tg_graph_free(g);
    tg_variables_free(v);
    tg_variables_free(plain);
    tg_context_free(c);
    return status;
}

START_TEST(every_allocation_may_fail)
{
    failing_allocator memory = {0};
    ck_assert_int_eq(check_with(&memory), TG_OK);
    long requests = memory.requests;
    for (long refuse = 1; refuse <= requests; refuse++) {
        memory = (failing_allocator){.refuse = refuse};
        tg_status status = check_with(&memory);
        ck_assert_msg(status == TG_ERROR_MEMORY || status == TG_ERROR_GRAPH, "request %ld of %ld: %s", refuse, requests,
                      tg_status_text(status));
        ck_assert_int_eq(memory.live, 0);
    }
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("check_gradients");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, right_gradients_pass);
    tcase_add_test(tests, a_flipped_sign_is_caught);
    tcase_add_test(tests, a_factor_of_two_is_caught);
    tcase_add_test(tests, a_missing_broadcast_sum_is_caught);
    tcase_add_test(tests, the_worst_element_is_found);
    tcase_add_test(tests, nan_is_an_error);
    tcase_add_test(tests, kinks_are_left_out);
    tcase_add_test(tests, curvature_is_no_kink);
    tcase_add_test(tests, some_elements_are_enough);
    tcase_add_test(tests, an_empty_variable_passes);
    tcase_add_test(tests, checking_changes_nothing);
    tcase_add_test(tests, inputs_must_be_bound);
    tcase_add_test(tests, the_loss_is_a_scalar);
    tcase_add_test(tests, only_variables_are_moved);
    tcase_add_test(tests, cut_paths_are_told);
    tcase_add_test(tests, every_allocation_may_fail);
    return harness_run("check_gradients", tests);
}
