#include "plan_fixture.h"

/* ---- feed, run, read ---- */

START_TEST(computes)
{
    tg_tensor a = vector("a", 3), b = vector("b", 3);
    tg_tensor y = SMALL_2(small_mul, SMALL_2(small_add, a, b), tg_scalar(a, 2));
    tg_plan *plan = compiled(tg_compile(graph, y));
    const float x1[] = {1, 2, 3}, x2[] = {10, 20, 30};
    float got[3];
    ok(tg_feed(plan, a, x1, sizeof x1), plan);
    ok(tg_feed(plan, b, x2, sizeof x2), plan);
    ck_assert_ptr_null(tg_values(plan, y));
    ck_assert_int_eq(tg_read(plan, y, got, sizeof got), TG_ERROR_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(tg_plan_error(plan), "has not run"));
    ok(tg_run(plan), plan);
    ok(tg_read(plan, y, got, sizeof got), plan);
    ck_assert(got[0] == 22 && got[1] == 44 && got[2] == 66);
    ck_assert_mem_eq(tg_values(plan, y), got, sizeof got);
    tg_plan_free(plan);
}
END_TEST

START_TEST(feeding_checks)
{
    tg_tensor a = vector("a", 3), unused = vector("unused", 5), y = SMALL_1(small_neg, a);
    tg_graph *other = tg_graph_new(variables, TG_TRAINING);
    tg_tensor foreign = tg_input(other, "a", TG_F32, TG_SHAPE(3));
    tg_plan *plan = compiled(tg_compile(graph, y));
    const float values[5] = {0};
    ck_assert_int_eq(tg_feed(plan, a, values, 16), TG_ERROR_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(tg_plan_error(plan), "\"a\" [3] f32 takes 12 bytes, not 16"));
    ck_assert_int_eq(tg_feed(plan, a, NULL, 12), TG_ERROR_ARGUMENT);
    ck_assert_int_eq(tg_feed(plan, y, values, 12), TG_ERROR_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(tg_plan_error(plan), "small_neg is no input"));
    ck_assert_int_eq(tg_feed(plan, foreign, values, 12), TG_ERROR_ARGUMENT);
    ck_assert_int_eq(tg_feed(plan, tg_none(), values, 12), TG_ERROR_ARGUMENT);
    ok(tg_feed(plan, unused, values, 20), plan);
    ck_assert_int_eq(tg_feed(plan, unused, values, 12), TG_ERROR_ARGUMENT);
    tg_plan_free(plan);
    tg_graph_free(other);
}
END_TEST

START_TEST(unfed_input_is_named)
{
    tg_tensor x = tg_input(graph, "x", TG_F32, TG_SHAPE(128, 784));
    int line = __LINE__ - 1;
    tg_plan *plan = compiled(tg_compile(graph, SMALL_1(small_neg, x)));
    ck_assert_int_eq(tg_run(plan), TG_ERROR_UNFED);
    char expected[300];
    snprintf(expected, sizeof expected,
             "input \"x\" [128, 784] f32 was not fed: call tg_feed(plan, x, ...) before tg_run() (%s:%d)", __FILE__, line);
    ck_assert_str_eq(tg_plan_error(plan), expected);
    tg_plan_free(plan);
}
END_TEST

START_TEST(bound_inputs_need_no_feeding)
{
    tg_tensor a = vector("a", 2), y = SMALL_1(small_neg, a);
    tg_plan *plan = compiled(tg_compile(graph, y));
    const float bound[] = {1, 2}, fed[] = {3, 4};
    ck_assert_int_eq(tg_bind(a, bound, sizeof bound), TG_OK); /* after compiling: it is the graph's, and the plan asks for it */
    ok(tg_run(plan), plan);
    ck_assert(((const float *)tg_values(plan, y))[1] == -2);
    ok(tg_feed(plan, a, fed, sizeof fed), plan);
    ok(tg_run(plan), plan);
    ck_assert(((const float *)tg_values(plan, y))[1] == -4);
    tg_plan_free(plan);
}
END_TEST

START_TEST(bad_roots_do_not_compile)
{
    tg_graph *other = tg_graph_new(variables, TG_TRAINING);
    tg_tensor foreign = tg_input(other, "a", TG_F32, TG_SHAPE(3));
    if (_i == 0) {
        ck_assert_ptr_null(tg_compile(graph, foreign));
        ck_assert_ptr_nonnull(strstr(tg_graph_error(graph), "root 0 belongs to another graph"));
    } else if (_i == 3) {
        ck_assert_ptr_null(tg_compile_roots(graph, NULL, 2, tg_compile_defaults(context)));
        ck_assert_ptr_nonnull(strstr(tg_graph_error(graph), "2 roots at NULL"));
    } else if (_i == 1) {
        ck_assert_ptr_null(tg_compile(graph, vector("a", 2), tg_none()));
        ck_assert_ptr_nonnull(strstr(tg_graph_error(graph), "root 1 is no tensor"));
    } else {
        tg_tensor broken = SMALL_2(small_add, vector("a", 2), vector("b", 3));
        const char *first = tg_graph_error(graph);
        ck_assert_ptr_nonnull(first);
        ck_assert_ptr_null(tg_compile(graph, broken));
        ck_assert_ptr_eq(tg_graph_error(graph), first);
    }
    tg_graph_free(other);
}
END_TEST

/* What follows tg_compile() without a look at what it gave. */
START_TEST(no_plan_fails)
{
    tg_tensor x = tg_input(NULL, "x", TG_F32, TG_SHAPE(2));
    tg_plan *none = tg_compile(NULL, x);
    float value[2] = {0};
    tg_nonfinite found;
    ck_assert_ptr_null(none);
    ck_assert_int_eq(tg_feed(none, x, value, sizeof value), TG_ERROR_ARGUMENT);
    ck_assert_int_eq(tg_run(none), TG_ERROR_ARGUMENT);
    ck_assert_int_eq(tg_read(none, x, value, sizeof value), TG_ERROR_ARGUMENT);
    ck_assert_ptr_null(tg_values(none, x));
    ck_assert_int_eq(tg_find_nonfinite(none, &found), TG_ERROR_ARGUMENT);
    ck_assert_int_eq(found.node, -1);
    ck_assert_ptr_nonnull(strstr(tg_plan_error(none), "there is no plan"));
    ck_assert_ptr_null(tg_plan_graph(none));
    ck_assert_int_eq(tg_plan_group(none, 0), -1);
    ck_assert_int_eq(tg_plan_describe(none).nodes, 0);
    tg_plan_free(none);
}
END_TEST

/* Roots that no step computes: each has memory of its own all the same. */
START_TEST(any_tensor_can_be_root)
{
    tg_tensor a = vector("a", 4), v = state("v", 4, 5), c = tg_scalar(a, 7), whole = SMALL_1(small_neg, a);
    tg_tensor part = small_take_rows(whole, 1, 2), of_input = small_take_rows(a, 2, 2), set = SMALL_2(small_assign, v, whole);
    tg_plan *plan = compiled(tg_compile(graph, a, v, c, part, of_input, set, part));
    float values[] = {1, 2, 3, 4};
    ok(tg_feed(plan, a, values, sizeof values), plan);
    ok(tg_run(plan), plan);
    values[0] = 100; /* the plan reads what it was fed only while it runs */
    const float *read = tg_values(plan, a);
    ck_assert(read[0] == 1 && read[3] == 4);
    ck_assert(*(const float *)tg_values(plan, v) == 5); /* at the start of the run */
    ck_assert(*(const float *)tg_values(plan, c) == 7);
    read = tg_values(plan, part);
    ck_assert(read[0] == -2 && read[1] == -3);
    read = tg_values(plan, of_input);
    ck_assert(read[0] == 3 && read[1] == 4);
    read = tg_values(plan, set);
    ck_assert(read[0] == -1 && read[3] == -4);
    check_variable("v", (float[]){-1, -2, -3, -4}, 4);
    tg_plan_free(plan);
}
END_TEST

START_TEST(kept_tensors_can_be_read)
{
    tg_tensor a = vector("a", 2), middle = tg_keep(SMALL_1(small_neg, a)), lost = SMALL_1(small_square, middle),
              y = SMALL_1(small_neg, lost);
    tg_tensor aside = tg_keep(SMALL_2(small_add, a, a)); /* nothing depends on it */
    tg_plan *plan = compiled(tg_compile(graph, y));
    const float values[] = {3, 4};
    float got[2];
    ok(tg_feed(plan, a, values, sizeof values), plan);
    ok(tg_run(plan), plan);
    ok(tg_read(plan, middle, got, sizeof got), plan);
    ck_assert(got[0] == -3 && got[1] == -4);
    ok(tg_read(plan, aside, got, sizeof got), plan);
    ck_assert(got[0] == 6 && got[1] == 8);
    ck_assert_int_eq(tg_read(plan, lost, got, sizeof got), TG_ERROR_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(tg_plan_error(plan), "neither a root of the plan nor kept"));
    ck_assert_ptr_null(tg_values(plan, lost));
    ck_assert_int_eq(tg_read(plan, middle, got, 4), TG_ERROR_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(tg_plan_error(plan), "has 8 bytes, not 4"));
    tg_plan_free(plan);
}
END_TEST

START_TEST(the_graph_may_grow_afterwards)
{
    tg_layer_begin(graph, "Part", NULL, false);
    tg_tensor a = vector("a", 2), y = SMALL_1(small_neg, a);
    tg_plan *plan = compiled(tg_compile(graph, y));
    tg_tensor later = tg_keep(SMALL_1(small_sqrt, tg_layer_end(y)));
    for (int i = 0; i < 100; i++)
        later = SMALL_1(small_neg, later);
    const float values[] = {3, 4};
    float got[2];
    ok(tg_feed(plan, a, values, sizeof values), plan);
    ok(tg_run(plan), plan);
    ok(tg_read(plan, y, got, sizeof got), plan);
    ck_assert(got[0] == -3 && got[1] == -4);
    ck_assert_int_eq(tg_read(plan, later, got, sizeof got), TG_ERROR_ARGUMENT);
    tg_nonfinite found;
    ok(tg_find_nonfinite(plan, &found), plan);
    ck_assert_int_eq(found.node, -1);
    tg_plan_free(plan);
}
END_TEST

START_TEST(empty_tensors_run)
{
    tg_tensor a = vector("a", 0), y = SMALL_2(small_add, SMALL_1(small_neg, a), tg_scalar(a, 1)), s = SMALL_1(small_sum, y),
              v = state("v", 0, 1);
    SMALL_2(small_assign, v, y);
    tg_plan *plan = compiled(tg_compile(graph, y, s));
    ok(tg_feed(plan, a, NULL, 0), plan);
    ok(tg_run(plan), plan);
    ok(tg_read(plan, y, NULL, 0), plan);
    ck_assert_ptr_nonnull(tg_values(plan, y));
    ck_assert(*(const float *)tg_values(plan, s) == 0);
    tg_plan_free(plan);
}
END_TEST

START_TEST(a_plan_describes_itself)
{
    tg_tensor a = tg_input(graph, "a", TG_F32, TG_SHAPE(32, 48)),
              w = tg_state(graph, "w", TG_F32, TG_SHAPE(48, 16), (tg_init){.a = 1});
    tg_tensor y = SMALL_1(small_square, SMALL_2(small_matmul, a, w)), loss = SMALL_1(small_sum, SMALL_1(small_reverse, y));
    tg_plan *plan = compiled(tg_compile(graph, loss));
    tg_plan_info info = tg_plan_describe(plan);
    ck_assert_int_eq(info.nodes, 6);
    ck_assert_int_eq(info.steps, 4); /* one of them prepares w */
    ck_assert_double_eq(info.flops, 2.0 * 32 * 48 * 16 + 32 * 16);
    ck_assert_uint_eq(info.variable_bytes, 48 * 16 * 4);
    ck_assert_uint_gt(info.root_bytes, 0);
    ck_assert_uint_ge(info.unplanned_bytes, 2 * 32 * 16 * 4);
    ck_assert_int_ge(info.stages, 1);
    ck_assert_int_eq(tg_graph_count(tg_plan_graph(plan)), 6);
    tg_plan_free(plan);
}
END_TEST

/* ---- large graphs ---- */

START_TEST(a_long_chain)
{
    tg_tensor x = vector("x", 5), y = x;
    for (int i = 0; i < 100000; i++)
        y = _i == 0 ? SMALL_1(small_neg, y) : SMALL_1(small_reverse, y);
    tg_plan *plan = compiled(tg_compile(graph, y));
    ok(tg_feed(plan, x, (float[]){1, 2, 3, 4, 5}, 20), plan);
    ok(tg_run(plan), plan);
    ck_assert(((const float *)tg_values(plan, y))[1] == 2);
    if (tg_compile_defaults(context).plan_memory)
        ck_assert_uint_le(tg_plan_describe(plan).workspace_bytes, 100000);
    tg_plan_free(plan);
}
END_TEST

START_TEST(many_graphs_in_one)
{
    static tg_tensor roots[1000];
    static float x[1000][8];
    for (int i = 0; i < 1000; i++) {
        char name[16];
        snprintf(name, sizeof name, "x%d", i);
        tg_tensor y = vector(name, 8);
        x[i][3] = (float)i;
        ck_assert_int_eq(tg_bind(y, x[i], sizeof x[i]), TG_OK);
        for (int j = 0; j < 50; j++)
            y = SMALL_1(small_reverse, SMALL_1(small_neg, y));
        roots[i] = y;
    }
    tg_plan *plan = compiled(tg_compile_roots(graph, roots, 1000, tg_compile_defaults(context)));
    ok(tg_run(plan), plan);
    for (int i = 0; i < 1000; i++)
        ck_assert(((const float *)tg_values(plan, roots[i]))[3] == (float)i);
    if (tg_compile_defaults(context).plan_memory)
        ck_assert_uint_lt(tg_plan_describe(plan).workspace_bytes, tg_plan_describe(plan).unplanned_bytes / 10);
    tg_plan_free(plan);
}
END_TEST

/* ---- eval ---- */

START_TEST(eval_gives_any_tensor)
{
    tg_tensor x = vector("x", 3), v = state("v", 3, 2), y = SMALL_2(small_mul, x, v), z = SMALL_1(small_neg, y);
    tg_tensor set = SMALL_2(small_assign, v, z);
    float got[3];
    const float bound[] = {1, 2, 3};
    ck_assert_int_eq(tg_eval(y, got, sizeof got), TG_ERROR_UNFED);
    ck_assert_int_eq(tg_bind(x, bound, sizeof bound), TG_OK);
    ck_assert_int_eq(tg_eval(y, got, sizeof got), TG_OK);
    ck_assert(got[0] == 2 && got[2] == 6);
    ck_assert_int_eq(tg_eval(z, got, sizeof got), TG_OK);
    ck_assert(got[2] == -6);
    ck_assert_int_eq(tg_eval(set, got, sizeof got), TG_OK);
    ck_assert(got[2] == -6);
    ck_assert_int_eq(tg_eval(v, got, sizeof got), TG_OK);
    ck_assert(got[2] == 2);
    check_variable("v", (float[]){2, 2, 2}, 3);
    ck_assert_int_eq(tg_eval(y, got, 8), TG_ERROR_ARGUMENT);
    ck_assert_int_eq(tg_eval(tg_none(), got, sizeof got), TG_ERROR_ARGUMENT);
    SMALL_2(small_add, x, vector("four", 4));
    ck_assert_int_eq(tg_eval(y, got, sizeof got), TG_ERROR_GRAPH);
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("plan");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, computes);
    tcase_add_test(tests, feeding_checks);
    tcase_add_test(tests, unfed_input_is_named);
    tcase_add_test(tests, bound_inputs_need_no_feeding);
    tcase_add_loop_test(tests, bad_roots_do_not_compile, 0, 4);
    tcase_add_test(tests, no_plan_fails);
    tcase_add_test(tests, any_tensor_can_be_root);
    tcase_add_test(tests, kept_tensors_can_be_read);
    tcase_add_test(tests, the_graph_may_grow_afterwards);
    tcase_add_test(tests, empty_tensors_run);
    tcase_add_test(tests, a_plan_describes_itself);
    tcase_add_loop_test(tests, a_long_chain, 0, 2);
    tcase_add_test(tests, many_graphs_in_one);
    tcase_add_test(tests, eval_gives_any_tensor);
    return harness_run("plan", tests);
}
