#include "autodiff/autodiff.h"

#include <string.h>

#include "autodiff/inspect.h"
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

static tg_tensor vector(int64_t n, const double *values)
{
    return tg_constant(graph, TG_F64, TG_SHAPE(n), values, (size_t)n * sizeof *values);
}
#define VECTOR(...) vector(sizeof((double[]){__VA_ARGS__}) / sizeof(double), (double[]){__VA_ARGS__})

static tg_tensor number(double value) { return tg_constant(graph, TG_F64, TG_SCALAR, &value, sizeof value); }

static void expect_values(tg_tensor tensor, int64_t n, const double *expected)
{
    double values[64];
    ck_assert_msg(tg_ok(tensor), "%s", tg_graph_error(graph));
    ck_assert_int_eq(tg_shape_count(tg_tensor_shape(tensor)), n);
    ck_assert_int_eq(tg_eval(tensor, values, (size_t)n * sizeof *values), TG_OK);
    for (int64_t i = 0; i < n; i++)
        ck_assert_double_eq_tol(values[i], expected[i], 1e-12);
}
#define EXPECT(tensor, ...) expect_values(tensor, sizeof((double[]){__VA_ARGS__}) / sizeof(double), (double[]){__VA_ARGS__})

static void expect_error(const char *part)
{
    const char *error = tg_graph_error(graph);
    ck_assert_ptr_nonnull(error);
    ck_assert_msg(strstr(error, part), "\"%s\" lacks \"%s\"", error, part);
}

/* ---- ops with faulty rules ---- */

static void no_gradient(const tg_gradient_args *args, tg_tensor *result) { (void)args, (void)result; }

static void wide_gradient(const tg_gradient_args *args, tg_tensor *result) { result[0] = tg_sum(args->gradient, TG_ALL_AXES); }

static int calls;
static bool wanted[2];

static void counting_gradient(const tg_gradient_args *args, tg_tensor *result)
{
    calls++;
    for (int i = 0; i < args->n_inputs; i++) {
        wanted[i] = args->wanted[i];
        result[i] = args->wanted[i] ? args->gradient : tg_none();
    }
}

#define FAULTY(rule)                                                                                 \
    {                                                                                                \
        .name = #rule, .formula = "y = a", .traits = TG_POINTWISE, .min_inputs = 1, .max_inputs = 2, \
        .shape = tg_shape_pointwise, .gradient = rule                                                \
    }
static const tg_op without_rule = {.name = "without_rule",
                                   .formula = "y = a",
                                   .traits = TG_POINTWISE,
                                   .min_inputs = 1,
                                   .max_inputs = 2,
                                   .shape = tg_shape_pointwise};
static const tg_op gives_nothing = FAULTY(no_gradient), gives_too_little = FAULTY(wide_gradient),
                   counting = FAULTY(counting_gradient);

static tg_tensor apply(const tg_op *op, tg_tensor a) { return tg_apply(graph, op, &a, 1, NULL, 0); }

/* ---- values ---- */

START_TEST(product_and_sine)
{
    tg_tensor x = number(2), y = number(3), d[2];
    ck_assert(tg_gradients(tg_add(tg_mul(x, y), tg_square(x)), (tg_tensor[]){x, y}, 2, d));
    EXPECT(d[0], 7);
    EXPECT(d[1], 2);
}
END_TEST

START_TEST(branches_are_summed)
{
    tg_tensor x = VECTOR(1, 2, 3), h = tg_square(x);
    EXPECT(tg_gradient(tg_add(tg_add(h, x), tg_mul(h, h)), x), 2 + 1 + 4, 4 + 1 + 32, 6 + 1 + 108);
}
END_TEST

START_TEST(broadcasts_are_summed_back)
{
    tg_tensor a = tg_reshape(VECTOR(1, 2, 3), TG_SHAPE(3, 1)), b = VECTOR(10, 20, 30, 40), s = number(2), d[3];
    tg_tensor y = tg_mul(tg_mul(a, b), s); /* [3, 4] */
    ck_assert(tg_gradients(y, (tg_tensor[]){a, b, s}, 3, d));
    EXPECT(d[0], 200, 200, 200);
    EXPECT(d[1], 12, 12, 12, 12);
    EXPECT(d[2], 600);
    ck_assert(tg_shape_equal(tg_tensor_shape(d[0]), TG_SHAPE(3, 1)));
}
END_TEST

START_TEST(any_tensor_is_an_x)
{
    tg_tensor x = VECTOR(1, 2), h = tg_square(x), y = tg_square(h), d[4];
    ck_assert(tg_gradients(y, (tg_tensor[]){x, h, y, x}, 4, d));
    EXPECT(d[0], 4, 32);
    EXPECT(d[1], 2, 8);
    EXPECT(d[2], 1, 1);
    ck_assert_int_eq(d[3].id, d[0].id);
}
END_TEST

START_TEST(a_seed_weights_the_outputs)
{
    tg_tensor x = VECTOR(1, 2), d;
    ck_assert(tg_gradients_with(tg_square(x), &x, 1, &d, (tg_gradient_options){.seed = VECTOR(10, 100)}));
    EXPECT(d, 20, 400);
}
END_TEST

START_TEST(gradients_have_gradients)
{
    tg_tensor x = VECTOR(1, 2), y = tg_mul(tg_square(x), x), first = tg_gradient(y, x), second = tg_gradient(first, x);
    EXPECT(first, 3, 12);
    EXPECT(second, 6, 12);
    EXPECT(tg_gradient(second, x), 6, 6);
}
END_TEST

START_TEST(long_chains_take_linear_time)
{
    tg_tensor x = number(1), y = x;
    for (int i = 0; i < 50000; i++)
        y = tg_neg(y);
    int32_t recorded = tg_graph_count(graph);
    EXPECT(tg_gradient(y, x), 1);
    ck_assert_int_lt(tg_graph_count(graph), 2 * recorded + 10);
}
END_TEST

START_TEST(an_f32_graph_has_f32_gradients)
{
    tg_tensor x = tg_constant(graph, TG_F32, TG_SHAPE(2), (float[]){1, 2}, 8), d = tg_gradient(tg_square(x), x);
    ck_assert_int_eq(tg_tensor_dtype(d), TG_F32);
    d = tg_gradient(tg_sum(tg_square(tg_cast(x, TG_F64)), TG_ALL_AXES), x);
    ck_assert_int_eq(tg_tensor_dtype(d), TG_F32);
}
END_TEST

/* ---- the tape ---- */

START_TEST(gradient_nodes_stand_where_their_forward_nodes_do)
{
    tg_layer_begin(graph, "Dense", NULL, false);
    tg_tensor x = VECTOR(1, 2), y = tg_square_at((tg_where){"net.c", 42}, x);
    tg_layer_end(y);
    int32_t recorded = tg_graph_count(graph);
    ck_assert(tg_ok(tg_gradient(y, x)));
    ck_assert_int_gt(tg_graph_count(graph), recorded);
    for (int32_t id = recorded; id < tg_graph_count(graph); id++) {
        const tg_node *node = tg_graph_node(graph, id);
        ck_assert_int_eq(node->forward, y.id);
        ck_assert_int_eq(node->where.line, 42);
        ck_assert_str_eq(node->scope, "dense");
    }
    const tg_node *after = tg_tensor_node(tg_neg(x));
    ck_assert_int_eq(after->forward, -1);
    ck_assert_str_eq(after->scope, "");
}
END_TEST

START_TEST(only_nodes_between_x_and_y_are_differentiated)
{
    tg_tensor x = VECTOR(1, 2), other = apply(&counting, VECTOR(3, 4));
    tg_tensor beside = apply(&counting, x), on_path = tg_apply(graph, &counting, (tg_tensor[]){x, other}, 2, NULL, 0);
    ck_assert(tg_ok(beside));
    ck_assert(tg_ok(tg_gradient(on_path, x)));
    ck_assert_int_eq(calls, 1);
    ck_assert(wanted[0]);
    ck_assert(!wanted[1]);
}
END_TEST

/* ---- what cannot be differentiated ---- */

START_TEST(a_cut_is_named_with_its_place)
{
    tg_tensor x = VECTOR(1, 2), cut = tg_stop_gradient_at((tg_where){"net.c", 42}, tg_square(x));
    ck_assert(!tg_ok(tg_gradient(tg_sum(cut, TG_ALL_AXES), x)));
    expect_error("stop_gradient (net.c:42) cuts the path at its input 0");
    expect_error("since it cuts gradients by definition");
    expect_error("test_autodiff.c");
}
END_TEST

START_TEST(integers_cut)
{
    tg_tensor x = VECTOR(1, 2), y = tg_cast(tg_cast_at((tg_where){"net.c", 42}, tg_square(x), TG_I32), TG_F64);
    ck_assert(!tg_ok(tg_gradient(y, x)));
    expect_error("cast (net.c:42)");
    expect_error("its result is an integer");
}
END_TEST

START_TEST(a_cut_beside_another_path_is_none)
{
    tg_tensor x = VECTOR(1, 2);
    EXPECT(tg_gradient(tg_mul(tg_stop_gradient(x), x), x), 1, 2);
}
END_TEST

START_TEST(zeros_only_where_allowed)
{
    tg_tensor x = VECTOR(1, 2), y = tg_square(VECTOR(1, 2, 3)), d;
    ck_assert(tg_gradients_with(y, &x, 1, &d, (tg_gradient_options){.allow_zero = true}));
    EXPECT(d, 0, 0);
    ck_assert(tg_gradients_with(tg_stop_gradient(x), &x, 1, &d, (tg_gradient_options){.allow_zero = true}));
    EXPECT(d, 0, 0);
    tg_tensor late = VECTOR(5);
    ck_assert(!tg_gradients(y, &late, 1, &d));
    expect_error("does not depend on constant (");
    ck_assert(!tg_ok(d));
}
END_TEST

START_TEST(a_missing_rule_is_always_an_error)
{
    tg_tensor x = VECTOR(1, 2), d, y = tg_add(apply(&without_rule, x), x);
    ck_assert(!tg_gradients_with(y, &x, 1, &d, (tg_gradient_options){.allow_zero = true}));
    expect_error("without_rule (");
    expect_error("has no gradient rule");
}
END_TEST

START_TEST(rules_must_give_gradients)
{
    tg_tensor x = VECTOR(1, 2);
    ck_assert(!tg_ok(tg_gradient(apply(&gives_nothing, x), x)));
    expect_error("gave nothing for input 0");
}
END_TEST

START_TEST(rules_must_give_the_inputs_shape)
{
    tg_tensor x = VECTOR(1, 2);
    ck_assert(!tg_ok(tg_gradient(apply(&gives_too_little, x), x)));
    expect_error("gave f64 [] for input 0, which is f64 [2]");
}
END_TEST

START_TEST(integers_have_no_gradients)
{
    tg_tensor x = VECTOR(1, 2);
    ck_assert(!tg_ok(tg_gradient(tg_less(x, x), x)));
    expect_error("only floats have gradients");
}
END_TEST

START_TEST(seeds_must_fit)
{
    tg_tensor x = VECTOR(1, 2), d;
    ck_assert(!tg_gradients_with(tg_square(x), &x, 1, &d, (tg_gradient_options){.seed = VECTOR(1, 2, 3)}));
    expect_error("of y's type, f64 [2]");
}
END_TEST

START_TEST(poison_passes_through)
{
    tg_tensor x = VECTOR(1, 2), d;
    ck_assert(!tg_ok(tg_gradient(tg_none(), x)));
    ck_assert_ptr_null(tg_graph_error(graph));
    ck_assert(!tg_gradients(x, (tg_tensor[]){tg_none()}, 1, &d));
    expect_error("x 0 is no tensor of this graph");
    ck_assert(!tg_ok(tg_jvp(tg_none(), &x, &x, 1)));
    ck_assert(!tg_hvp(tg_none(), &x, &x, 1, &d));
}
END_TEST

/* ---- products ---- */

START_TEST(jacobian_times_vector)
{
    tg_tensor a = VECTOR(1, 2), b = VECTOR(3, 4);
    tg_tensor y = tg_mul(tg_square(a), b); /* dy = 2ab da + a^2 db */
    EXPECT(tg_jvp(y, (tg_tensor[]){a, b}, (tg_tensor[]){VECTOR(1, 10), VECTOR(100, 1000)}, 2), 6 + 100, 160 + 4000);
    EXPECT(tg_jvp(a, &a, (tg_tensor[]){VECTOR(5, 6)}, 1), 5, 6);
    EXPECT(tg_jvp(tg_sum(y, TG_ALL_AXES), &b, (tg_tensor[]){VECTOR(1, 1)}, 1), 5);
}
END_TEST

START_TEST(jacobian_of_a_linear_map_is_itself)
{
    tg_tensor x = VECTOR(1, 2, 3);
    EXPECT(tg_jvp(tg_mul(x, tg_scalar(x, 2)), &x, (tg_tensor[]){VECTOR(1, 2, 4)}, 1), 2, 4, 8);
}
END_TEST

START_TEST(hessian_times_vector)
{
    tg_tensor a = VECTOR(1, 2), b = VECTOR(3, 4), products[2];
    tg_tensor y = tg_sum(tg_mul(tg_square(a), b), TG_ALL_AXES); /* d2y/da2 = 2b, d2y/da db = 2a, d2y/db2 = 0 */
    ck_assert(tg_hvp(y, (tg_tensor[]){a, b}, (tg_tensor[]){VECTOR(1, 1), VECTOR(10, 10)}, 2, products));
    EXPECT(products[0], 6 + 20, 8 + 40);
    EXPECT(products[1], 2, 4);
}
END_TEST

START_TEST(hessian_of_a_linear_map_is_zero)
{
    tg_tensor x = VECTOR(1, 2), product;
    ck_assert(tg_hvp(tg_sum(tg_mul(x, tg_scalar(x, 3)), TG_ALL_AXES), &x, (tg_tensor[]){VECTOR(1, 1)}, 1, &product));
    EXPECT(product, 0, 0);
}
END_TEST

START_TEST(hessians_are_of_scalars)
{
    tg_tensor x = VECTOR(1, 2), product;
    ck_assert(!tg_hvp(x, &x, &x, 1, &product));
    expect_error("y must be a scalar, not [2]");
}
END_TEST

START_TEST(directions_must_fit)
{
    tg_tensor x = VECTOR(1, 2);
    ck_assert(!tg_ok(tg_jvp(tg_square(x), &x, (tg_tensor[]){VECTOR(1, 2, 3)}, 1)));
    expect_error("direction 0");
}
END_TEST

/* ---- looking inside ---- */

START_TEST(any_tensor_can_be_printed)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    tg_tensor x = VECTOR(1, 2), y = tg_square(x);
    ck_assert_int_eq(tg_print(out, y), TG_OK);
    ck_assert_int_eq(tg_print(out, tg_gradient(y, x)), TG_OK);
    ck_assert_int_eq(tg_print(out, tg_none()), TG_ERROR_ARGUMENT);
    ck_assert_int_eq(tg_print(out, tg_input(graph, "fed", TG_F32, TG_SCALAR)), TG_ERROR_UNFED);
    ck_assert_int_eq(tg_print(out, tg_add(x, VECTOR(1, 2, 3))), TG_ERROR_GRAPH);
    fclose(out);
    ck_assert_str_eq(text, "[1. 4.]\n[2. 4.]\n");
    free(text);
}
END_TEST

/* ---- memory ---- */

static bool differentiate_all(failing_allocator *memory)
{
    tg_context_options options = harness_options();
    options.threads = 1;
    options.allocator = failing_allocator_interface(memory);
    tg_context *c = tg_context_new(options);
    tg_variables *v = tg_variables_new(c, 1);
    tg_graph *g = tg_graph_new(v, TG_TRAINING);
    bool ok = g != NULL;
    if (ok) {
        tg_tensor x = tg_input(g, "x", TG_F32, TG_SHAPE(3)), y = tg_sum(tg_square(x), TG_ALL_AXES), product;
        ok = tg_ok(tg_gradient(y, x)) && tg_ok(tg_jvp(y, &x, &x, 1)) && tg_hvp(y, &x, &x, 1, &product);
        ck_assert(ok == !tg_graph_error(g));
    }
    tg_graph_free(g);
    tg_variables_free(v);
    tg_context_free(c);
    return ok;
}

START_TEST(every_allocation_may_fail)
{
    failing_allocator memory = {0};
    ck_assert(differentiate_all(&memory));
    long requests = memory.requests;
    ck_assert_int_eq(memory.live, 0);
    for (long refuse = 1; refuse <= requests; refuse++) {
        memory = (failing_allocator){.refuse = refuse};
        ck_assert(!differentiate_all(&memory));
        ck_assert_int_eq(memory.live, 0);
    }
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("autodiff");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, product_and_sine);
    tcase_add_test(tests, branches_are_summed);
    tcase_add_test(tests, broadcasts_are_summed_back);
    tcase_add_test(tests, any_tensor_is_an_x);
    tcase_add_test(tests, a_seed_weights_the_outputs);
    tcase_add_test(tests, gradients_have_gradients);
    tcase_add_test(tests, long_chains_take_linear_time);
    tcase_add_test(tests, an_f32_graph_has_f32_gradients);
    tcase_add_test(tests, gradient_nodes_stand_where_their_forward_nodes_do);
    tcase_add_test(tests, only_nodes_between_x_and_y_are_differentiated);
    tcase_add_test(tests, a_cut_is_named_with_its_place);
    tcase_add_test(tests, integers_cut);
    tcase_add_test(tests, a_cut_beside_another_path_is_none);
    tcase_add_test(tests, zeros_only_where_allowed);
    tcase_add_test(tests, a_missing_rule_is_always_an_error);
    tcase_add_test(tests, rules_must_give_gradients);
    tcase_add_test(tests, rules_must_give_the_inputs_shape);
    tcase_add_test(tests, integers_have_no_gradients);
    tcase_add_test(tests, seeds_must_fit);
    tcase_add_test(tests, poison_passes_through);
    tcase_add_test(tests, jacobian_times_vector);
    tcase_add_test(tests, jacobian_of_a_linear_map_is_itself);
    tcase_add_test(tests, hessian_times_vector);
    tcase_add_test(tests, hessian_of_a_linear_map_is_zero);
    tcase_add_test(tests, hessians_are_of_scalars);
    tcase_add_test(tests, directions_must_fit);
    tcase_add_test(tests, any_tensor_can_be_printed);
    tcase_add_test(tests, every_allocation_may_fail);
    return harness_run("autodiff", tests);
}
