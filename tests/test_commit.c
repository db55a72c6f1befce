/* Assigns, and what a failed run leaves alone. */
#include <math.h>

#include "graph/rebuild.h"
#include "plan_fixture.h"

/* ---- assigns ---- */

START_TEST(variables_swap)
{
    tg_tensor a = state("a", 3, 0), b = state("b", 3, 0);
    SMALL_2(small_assign, a, b);
    SMALL_2(small_assign, b, a);
    tg_plan *plan = compiled(tg_compile_roots(graph, NULL, 0, tg_compile_defaults(context)));
    set_variable("a", (float[]){1, 2, 3}, 3);
    set_variable("b", (float[]){4, 5, 6}, 3);
    ok(tg_run(plan), plan);
    check_variable("a", (float[]){4, 5, 6}, 3);
    check_variable("b", (float[]){1, 2, 3}, 3);
    tg_plan_free(plan);
}
END_TEST

START_TEST(variables_swap_computed)
{
    tg_tensor a = state("a", 3, 0), b = state("b", 3, 0), one = tg_scalar(a, 1);
    SMALL_2(small_assign, a, SMALL_2(small_add, b, one));
    SMALL_2(small_assign, b, SMALL_2(small_add, a, one));
    tg_plan *plan = compiled(tg_compile_roots(graph, NULL, 0, tg_compile_defaults(context)));
    set_variable("a", (float[]){1, 2, 3}, 3);
    set_variable("b", (float[]){4, 5, 6}, 3);
    ok(tg_run(plan), plan);
    check_variable("a", (float[]){5, 6, 7}, 3);
    check_variable("b", (float[]){2, 3, 4}, 3);
    tg_plan_free(plan);
}
END_TEST

/* Reads of the variable that are not element for element: a broadcast of a part of it, a reversal, a shift. */
START_TEST(assigns_of_other_places_of_itself)
{
    tg_tensor a = state("a", 4, 0), value;
    float expected[3][4] = {{3, 4, 5, 6}, {5, 5, 5, 5}, {1, 3, 5, 7}};
    if (_i == 0)
        value = SMALL_2(small_add, a, small_take_rows(a, 1, 1));
    else if (_i == 1)
        value = SMALL_2(small_add, a, SMALL_1(small_reverse, a));
    else
        value = SMALL_2(
            small_add, a,
            small_shaped(&small_reshape, graph,
                         SMALL_2(small_add, small_take_rows(SMALL_2(small_add, a, tg_scalar(a, 0)), 0, 4), tg_scalar(a, -1)),
                         TG_SHAPE(4)));
    SMALL_2(small_assign, a, value);
    tg_plan *plan = compiled(tg_compile_roots(graph, NULL, 0, tg_compile_defaults(context)));
    set_variable("a", (float[]){1, 2, 3, 4}, 4);
    ok(tg_run(plan), plan);
    check_variable("a", expected[_i], 4);
    tg_plan_free(plan);
}
END_TEST

/* m = m + g; w = w - m_new + m_old: the group writes m while it still has to read what m was. */
START_TEST(old_and_new_values_mix)
{
    tg_tensor g = vector("g", 3), m = state("m", 3, 0), w = state("w", 3, 0);
    tg_tensor m_new = SMALL_2(small_add, m, g);
    tg_tensor w_new =
        SMALL_2(small_add, SMALL_2(small_add, w, SMALL_1(small_neg, m_new)), SMALL_2(small_mul, m, tg_scalar(m, 10)));
    SMALL_2(small_assign, m, m_new);
    SMALL_2(small_assign, w, w_new);
    tg_plan *plan = compiled(tg_compile_roots(graph, NULL, 0, tg_compile_defaults(context)));
    ck_assert_int_le(tg_plan_describe(plan).steps, 2); /* the check of g, and one pass over both variables */
    set_variable("m", (float[]){1, 2, 3}, 3);
    set_variable("w", (float[]){100, 200, 300}, 3);
    ok(tg_feed(plan, g, (float[]){5, 6, 7}, 12), plan);
    ok(tg_run(plan), plan);
    check_variable("m", (float[]){6, 8, 10}, 3);
    check_variable("w", (float[]){104, 212, 320}, 3);
    tg_plan_free(plan);
}
END_TEST

START_TEST(one_value_for_several_variables)
{
    tg_tensor a = state("a", 3, 1), b = state("b", 3, 2), c = state("c", 3, 3), sum = SMALL_2(small_add, a, b);
    SMALL_2(small_assign, a, sum);
    SMALL_2(small_assign, b, sum);
    tg_tensor kept = tg_keep(SMALL_2(small_mul, sum, c));
    SMALL_2(small_assign, c, kept);
    tg_plan *plan = compiled(tg_compile_roots(graph, NULL, 0, tg_compile_defaults(context)));
    ok(tg_run(plan), plan);
    check_variable("a", (float[]){3, 3, 3}, 3);
    check_variable("b", (float[]){3, 3, 3}, 3);
    check_variable("c", (float[]){9, 9, 9}, 3);
    ck_assert(((const float *)tg_values(plan, kept))[2] == 9);
    tg_plan_free(plan);
}
END_TEST

START_TEST(assigned_values_can_be_used)
{
    tg_tensor v = state("v", 2, 1), x = vector("x", 2);
    tg_tensor set = SMALL_2(small_assign, v, SMALL_2(small_add, v, x)), y = SMALL_2(small_mul, set, v);
    tg_plan *plan = compiled(tg_compile(graph, y));
    ok(tg_feed(plan, x, (float[]){2, 3}, 8), plan);
    ok(tg_run(plan), plan);
    ck_assert(((const float *)tg_values(plan, y))[0] == 3 && ((const float *)tg_values(plan, y))[1] == 4);
    check_variable("v", (float[]){3, 4}, 2);
    ok(tg_run(plan), plan);
    ck_assert(((const float *)tg_values(plan, y))[0] == 15);
    tg_plan_free(plan);
}
END_TEST

START_TEST(a_second_assign_does_not_compile)
{
    tg_tensor v = state("v", 2, 1), x = vector("x", 2);
    SMALL_2(small_assign, v, x);
    if (_i == 0)
        SMALL_2(small_assign, v, SMALL_1(small_neg, x));
    else
        SMALL_2(small_assign, x, x);
    ck_assert_ptr_null(tg_compile(graph, x));
    ck_assert_ptr_nonnull(
        strstr(tg_graph_error(graph), _i == 0 ? "\"v\" is assigned a second time" : "first input is no variable"));
    ck_assert_ptr_nonnull(strstr(tg_graph_error(graph), "test_commit.c:"));
}
END_TEST

START_TEST(steps_and_generations_advance)
{
    tg_tensor v = state("v", 2, 0);
    tg_tensor now = small_shaped(&small_step, graph, tg_none(), TG_SHAPE(2));
    SMALL_2(small_assign, v, SMALL_2(small_add, v, now));
    tg_plan *plan = compiled(tg_compile(graph, now));
    uint64_t generation = tg_variables_generation(variables);
    for (int run = 0; run < 4; run++) {
        ok(tg_run(plan), plan);
        ck_assert(*(const float *)tg_values(plan, now) == (float)run);
    }
    ck_assert_uint_eq(tg_variables_step(variables), 4);
    ck_assert_uint_gt(tg_variables_generation(variables), generation);
    check_variable("v", (float[]){6, 6}, 2);
    tg_plan_free(plan);
}
END_TEST

/* ---- failure ---- */

START_TEST(a_failed_run_changes_nothing)
{
    tg_tensor x = tg_input(graph, "x", TG_F32, TG_SHAPE(64, 50)),
              v = tg_state(graph, "v", TG_F32, TG_SHAPE(64, 50), (tg_init){.a = 1});
    tg_tensor y = SMALL_1(small_picky, x), root = SMALL_1(small_sum, y);
    SMALL_2(small_assign, v, SMALL_2(small_add, v, y));
    tg_plan *plan = compiled(tg_compile(graph, root));
    static float good[64 * 50], bad[64 * 50];
    for (int i = 0; i < 64 * 50; i++)
        good[i] = bad[i] = 1;
    bad[50 * 40] = bad[50 * 60] = -1;
    ok(tg_feed(plan, x, good, sizeof good), plan);
    ok(tg_run(plan), plan);
    ok(tg_feed(plan, x, bad, sizeof bad), plan);
    uint64_t generation = tg_variables_generation(variables);
    for (int run = 0; run < 50; run++) {
        ck_assert_int_eq(tg_run(plan), TG_ERROR_RANGE);
        ck_assert_ptr_nonnull(strstr(tg_plan_error(plan), "small_picky failed"));
        ck_assert_ptr_nonnull(strstr(tg_plan_error(plan), "test_commit.c:"));
    }
    ck_assert(((float *)tg_variable_data(tg_variables_find(variables, "v")))[0] == 2 &&
              ((float *)tg_variable_data(tg_variables_find(variables, "v")))[3199] == 2);
    ck_assert(*(const float *)tg_values(plan, root) == 3200); /* of the last run that succeeded */
    ck_assert_uint_eq(tg_variables_step(variables), 1);
    ck_assert_uint_eq(tg_variables_generation(variables), generation);
    ok(tg_feed(plan, x, good, sizeof good), plan);
    ok(tg_run(plan), plan);
    ck_assert(((float *)tg_variable_data(tg_variables_find(variables, "v")))[0] == 3);
    tg_plan_free(plan);
}
END_TEST

/* Several steps of one stage fail: the first of them is reported, by any number of threads. */
START_TEST(the_same_error_every_time)
{
    char first[1024] = "";
    const int threads[] = {1, 2, 3, 7};
    for (int t = 0; t < LENGTH(threads); t++) {
        tg_context *machine = harness_context(threads[t]);
        tg_variables *store = tg_variables_new(machine, 1);
        tg_graph *g = tg_graph_new(store, TG_TRAINING);
        tg_tensor sums[6];
        static float values[512 * 64];
        for (int i = 0; i < LENGTH(values); i++)
            values[i] = i % (64 * 100) == 64 * 70 ? -1 : 1;
        for (int i = 0; i < 6; i++) {
            char name[16];
            snprintf(name, sizeof name, "x%d", i);
            tg_tensor x = tg_input(g, name, TG_F32, TG_SHAPE(512, 64));
            sums[i] = SMALL_1(small_sum, tg_name(SMALL_1(small_picky, x), name));
            ck_assert_int_eq(tg_bind(x, values, sizeof values), TG_OK);
        }
        tg_plan *plan = tg_compile_roots(g, sums, 6, tg_compile_defaults(machine));
        ck_assert_ptr_nonnull(plan);
        for (int run = 0; run < 100; run++) {
            ck_assert_int_eq(tg_run(plan), TG_ERROR_RANGE);
            if (!*first)
                strcpy(first, tg_plan_error(plan));
            ck_assert_str_eq(tg_plan_error(plan), first);
        }
        ck_assert_ptr_nonnull(strstr(first, "\"x0\""));
        tg_plan_free(plan);
        tg_graph_free(g);
        tg_variables_free(store);
        tg_context_free(machine);
    }
}
END_TEST

START_TEST(nothing_infinite_reaches_a_variable)
{
    tg_tensor x = vector("x", 3), v = state("v", 3, 1);
    tg_tensor g = tg_name(SMALL_1(small_sqrt, x), "root"), loss = SMALL_1(small_sum, SMALL_2(small_mul, g, tg_scalar(g, 0)));
    SMALL_2(small_assign, v, SMALL_2(small_add, v, g));
    tg_compile_options options = tg_compile_defaults(context);
    options.check_finite = _i < 2;
    tg_plan *plan = compiled(tg_compile_roots(graph, &loss, 1, options));
    const float values[2][3] = {{4, -1, 9}, {4, INFINITY, 9}};
    ok(tg_feed(plan, x, values[_i & 1], sizeof values[0]), plan);
    if (_i < 2) {
        ck_assert_int_eq(tg_run(plan), TG_ERROR_NONFINITE);
        ck_assert_ptr_nonnull(strstr(tg_plan_error(plan), "is not finite"));
        check_variable("v", (float[]){1, 1, 1}, 3);
    } else {
        ok(tg_run(plan), plan);
        ck_assert(!isfinite(((float *)tg_variable_data(tg_variables_find(variables, "v")))[1]));
    }
    tg_plan_free(plan);
}
END_TEST

START_TEST(the_first_bad_node_is_named)
{
    tg_tensor x = tg_input(graph, "x", TG_F32, TG_SHAPE(2, 3)),
              v = tg_state(graph, "v", TG_F32, TG_SHAPE(2, 3), (tg_init){.a = 1});
    tg_layer_begin(graph, "Dense", NULL, false);
    tg_tensor bad = tg_name(SMALL_1(small_sqrt, SMALL_2(small_add, x, v)), "roots");
    int line = __LINE__ - 1;
    tg_layer_end(bad);
    tg_tensor later = SMALL_2(small_add, SMALL_1(small_neg, bad), x);
    SMALL_2(small_assign, v, later);
    tg_plan *plan = compiled(tg_compile(graph, SMALL_1(small_sum, later)));
    const float values[] = {1, 2, 3, 4, -5, 6};
    tg_nonfinite found;
    ok(tg_feed(plan, x, values, sizeof values), plan);
    ck_assert_int_eq(tg_run(plan), TG_ERROR_NONFINITE);
    ok(tg_find_nonfinite(plan, &found), plan);
    ck_assert_int_eq(found.node, bad.id);
    char expected[300];
    snprintf(expected, sizeof expected,
             "small_sqrt \"roots\" of layer dense gives NaN at [1, 1] (%s:%d); its inputs: small_add of layer dense from -4 to "
             "7, mean 2.83333",
             __FILE__, line);
    ck_assert_str_eq(found.message, expected);
    check_variable("v", (float[]){1, 1, 1, 1, 1, 1}, 6);
    const float fine[] = {1, 2, 3, 4, 5, 6}, infinite[] = {1, 2, INFINITY, 4, 5, 6};
    ok(tg_feed(plan, x, fine, sizeof fine), plan);
    ok(tg_find_nonfinite(plan, &found), plan);
    ck_assert_int_eq(found.node, -1);
    ck_assert_str_eq(found.message, "");
    ok(tg_feed(plan, x, infinite, sizeof infinite), plan);
    ok(tg_find_nonfinite(plan, &found), plan);
    ck_assert_int_eq(found.node, x.id);
    ck_assert_ptr_nonnull(strstr(found.message, "input \"x\" holds infinity at [0, 2]"));
    tg_plan_free(plan);
}
END_TEST

/* The replay runs with the step's own counter. */
START_TEST(replay_repeats_the_failed_step)
{
    tg_tensor v = state("v", 2, 0), now = small_shaped(&small_step, graph, tg_none(), TG_SHAPE(2));
    tg_tensor bad = SMALL_1(small_sqrt, SMALL_2(small_add, tg_scalar(v, 2), SMALL_1(small_neg, now))); /* from step 3 on */
    SMALL_2(small_assign, v, SMALL_1(small_reverse, bad));
    tg_plan *plan = compiled(tg_compile_roots(graph, NULL, 0, tg_compile_defaults(context)));
    tg_nonfinite found;
    for (int run = 0; run < 3; run++) {
        ok(tg_run(plan), plan);
        ok(tg_find_nonfinite(plan, &found), plan);
        ck_assert_int_eq(found.node, run < 2 ? -1 : bad.id); /* it looks at the next step */
    }
    ck_assert_int_eq(tg_run(plan), TG_ERROR_NONFINITE);
    ok(tg_find_nonfinite(plan, &found), plan);
    ck_assert_int_eq(found.node, bad.id);
    tg_plan_free(plan);
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("commit");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, variables_swap);
    tcase_add_test(tests, variables_swap_computed);
    tcase_add_loop_test(tests, assigns_of_other_places_of_itself, 0, 3);
    tcase_add_test(tests, old_and_new_values_mix);
    tcase_add_test(tests, one_value_for_several_variables);
    tcase_add_test(tests, assigned_values_can_be_used);
    tcase_add_loop_test(tests, a_second_assign_does_not_compile, 0, 2);
    tcase_add_test(tests, steps_and_generations_advance);
    tcase_add_test(tests, a_failed_run_changes_nothing);
    tcase_add_test(tests, the_same_error_every_time);
    tcase_add_loop_test(tests, nothing_infinite_reaches_a_variable, 0, 4);
    tcase_add_test(tests, the_first_bad_node_is_named);
    tcase_add_test(tests, replay_repeats_the_failed_step);
    return harness_run("commit", tests);
}
