#include "exec/plan.h"

#include <fenv.h>
#include <float.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "failing_allocator.h"
#include "harness.h"
#include "random_graph.h"

#define LENGTH(array) ((int)(sizeof(array) / sizeof *(array)))

static tg_context *context;
static tg_variables *variables;
static tg_graph *graph;

static void set_up(void)
{
    context = harness_context(2);
    variables = tg_variables_new(context, 1);
    graph = tg_graph_new(variables, TG_TRAINING);
    ck_assert_ptr_nonnull(graph);
}

static void tear_down(void)
{
    tg_graph_free(graph);
    tg_variables_free(variables);
    ck_assert_uint_ge(tg_context_memory(context, NULL), 0);
    tg_context_free(context);
}

static void ok(tg_status status, const tg_plan *plan)
{
    ck_assert_msg(status == TG_OK, "%s: %s", tg_status_text(status), plan ? tg_plan_error(plan) : "");
}

static tg_plan *compiled(tg_plan *plan)
{
    ck_assert_msg(plan != NULL, "%s", tg_graph_error(graph));
    return plan;
}

static tg_tensor vector(const char *name, int64_t n)
{
    return tg_input(graph, name, TG_F32, TG_SHAPE(n));
}

static tg_tensor state(const char *name, int64_t n, double value)
{
    return tg_state(graph, name, TG_F32, TG_SHAPE(n), (tg_init){.a = value});
}

static void check_variable(const char *name, const float *expected, int n)
{
    float values[64];
    ck_assert_int_eq(tg_variables_read(variables, name, values, (size_t)n * sizeof(float)), TG_OK);
    for (int i = 0; i < n; i++)
        ck_assert_msg(values[i] == expected[i], "%s[%d] = %g, not %g", name, i, (double)values[i], (double)expected[i]);
}

static void set_variable(const char *name, const float *values, int n)
{
    ck_assert_int_eq(tg_variables_write(variables, name, values, (size_t)n * sizeof(float)), TG_OK);
}

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
    snprintf(expected, sizeof expected, "input \"x\" [128, 784] f32 was not fed: call tg_feed(plan, x, ...) before tg_run() (%s:%d)", __FILE__, line);
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
    tg_tensor a = vector("a", 2), middle = tg_keep(SMALL_1(small_neg, a)), lost = SMALL_1(small_square, middle), y = SMALL_1(small_neg, lost);
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
    tg_tensor a = vector("a", 0), y = SMALL_2(small_add, SMALL_1(small_neg, a), tg_scalar(a, 1)), s = SMALL_1(small_sum, y), v = state("v", 0, 1);
    SMALL_2(small_assign, v, y);
    tg_plan *plan = compiled(tg_compile(graph, y, s));
    ok(tg_feed(plan, a, "", 0), plan);
    ok(tg_run(plan), plan);
    ok(tg_read(plan, y, NULL, 0), plan);
    ck_assert_ptr_nonnull(tg_values(plan, y));
    ck_assert(*(const float *)tg_values(plan, s) == 0);
    tg_plan_free(plan);
}
END_TEST

/* ---- the same bits ---- */

typedef struct outcome {
    float roots[1 + 2 * RANDOM_ROWS * RANDOM_COLUMNS];
    float variables[RANDOM_VARIABLES][RANDOM_ROWS * RANDOM_COLUMNS];
} outcome;

/* Three runs of a random graph on a store of its own. */
static void run_random(tg_context *machine, uint64_t seed, tg_compile_options options, outcome *out)
{
    tg_variables *store = tg_variables_new(machine, 7);
    random_graph made = random_graph_make(store, seed, 60);
    ck_assert_msg(!tg_graph_error(made.graph), "%s", tg_graph_error(made.graph));
    float x[RANDOM_ROWS * RANDOM_COLUMNS];
    for (int i = 0; i < LENGTH(x); i++)
        x[i] = (float)((i * 37) % 101) / 50 - 1;
    tg_plan *plan = tg_compile_roots(made.graph, made.roots, 3, options);
    ck_assert_msg(plan != NULL, "%s", tg_graph_error(made.graph));
    ok(tg_feed(plan, made.x, x, sizeof x), plan);
    for (int run = 0; run < 3; run++)
        ok(tg_run(plan), plan);
    float *at = out->roots;
    for (int i = 0; i < 3; at += tg_shape_count(tg_tensor_shape(made.roots[i])), i++)
        ok(tg_read(plan, made.roots[i], at, (size_t)tg_type_bytes(tg_tensor_type(made.roots[i]))), plan);
    for (int i = 0; i < RANDOM_VARIABLES; i++)
        memcpy(out->variables[i], tg_variables_at(store, i)->data, sizeof out->variables[i]);
    tg_plan_free(plan);
    tg_graph_free(made.graph);
    tg_variables_free(store);
}

START_TEST(threads_do_not_change_bits)
{
    static outcome one, many;
    const int threads[] = {2, 3, 7};
    tg_context *alone = harness_context(1);
    run_random(alone, (uint64_t)_i, tg_compile_defaults(alone), &one);
    for (int i = 0; i < LENGTH(threads); i++) {
        tg_context *machine = harness_context(threads[i]);
        run_random(machine, (uint64_t)_i, tg_compile_defaults(machine), &many);
        ck_assert_mem_eq(&one, &many, sizeof one);
        tg_context_free(machine);
    }
    tg_context_free(alone);
}
END_TEST

START_TEST(passes_do_not_change_bits)
{
    static outcome all, some;
    run_random(context, (uint64_t)_i, tg_compile_defaults(context), &all);
    for (int off = 0; off < 5; off++) {
        tg_compile_options options = tg_compile_defaults(context);
        options.simplify = off != 0;
        options.fuse = off != 1;
        options.plan_memory = off != 2;
        options.check_finite = off != 3;
        if (off == 4)
            options = (tg_compile_options){.simplify = false};
        run_random(context, (uint64_t)_i, options, &some);
        ck_assert_msg(memcmp(&all, &some, sizeof all) == 0, "graph %d, option %d off", _i, off);
    }
}
END_TEST

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
        value = SMALL_2(small_add, a, small_shaped(&small_reshape, graph,
                        SMALL_2(small_add, small_take_rows(SMALL_2(small_add, a, tg_scalar(a, 0)), 0, 4), tg_scalar(a, -1)), TG_SHAPE(4)));
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
    tg_tensor w_new = SMALL_2(small_add, SMALL_2(small_add, w, SMALL_1(small_neg, m_new)), SMALL_2(small_mul, m, tg_scalar(m, 10)));
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
    ck_assert_ptr_nonnull(strstr(tg_graph_error(graph), _i == 0 ? "\"v\" is assigned a second time" : "first input is no variable"));
    ck_assert_ptr_nonnull(strstr(tg_graph_error(graph), "test_plan.c:"));
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
    tg_tensor x = tg_input(graph, "x", TG_F32, TG_SHAPE(64, 50)), v = tg_state(graph, "v", TG_F32, TG_SHAPE(64, 50), (tg_init){.a = 1});
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
        ck_assert_ptr_nonnull(strstr(tg_plan_error(plan), "test_plan.c:"));
    }
    ck_assert(((float *)tg_variables_find(variables, "v")->data)[0] == 2 && ((float *)tg_variables_find(variables, "v")->data)[3199] == 2);
    ck_assert(*(const float *)tg_values(plan, root) == 3200); /* of the last run that succeeded */
    ck_assert_uint_eq(tg_variables_step(variables), 1);
    ck_assert_uint_eq(tg_variables_generation(variables), generation);
    ok(tg_feed(plan, x, good, sizeof good), plan);
    ok(tg_run(plan), plan);
    ck_assert(((float *)tg_variables_find(variables, "v")->data)[0] == 3);
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
        ck_assert(!isfinite(((float *)tg_variables_find(variables, "v")->data)[1]));
    }
    tg_plan_free(plan);
}
END_TEST

START_TEST(the_first_bad_node_is_named)
{
    tg_tensor x = tg_input(graph, "x", TG_F32, TG_SHAPE(2, 3)), v = tg_state(graph, "v", TG_F32, TG_SHAPE(2, 3), (tg_init){.a = 1});
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
             "small_sqrt \"roots\" of layer dense gives NaN at [1, 1] (%s:%d); its inputs: small_add of layer dense from -4 to 7, mean 2.83333", __FILE__, line);
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

/* ---- prologue ---- */

static atomic_int prologue_runs;

static tg_status counting_run(const tg_work *work, const tg_buffers *buffers, int phase, int64_t task, void *scratch)
{
    atomic_fetch_add(&prologue_runs, 1);
    (void)phase, (void)task, (void)scratch;
    memcpy(buffers->output, buffers->inputs[0], (size_t)tg_type_bytes(work->output));
    return TG_OK;
}
static const tg_op counting = {.name = "counting", .min_inputs = 1, .max_inputs = 1, .shape = small_same_shape, .run = counting_run};

START_TEST(prologue_runs_when_variables_change)
{
    tg_tensor w = state("w", 3, 2), x = vector("x", 3);
    tg_tensor packed = SMALL_1(counting, SMALL_2(small_mul, w, tg_scalar(w, 10))), y = SMALL_2(small_add, packed, x);
    tg_plan *plan = compiled(tg_compile(graph, y, packed));
    ok(tg_feed(plan, x, (float[]){1, 2, 3}, 12), plan);
    for (int run = 0; run < 3; run++)
        ok(tg_run(plan), plan);
    ck_assert_int_eq(atomic_load(&prologue_runs), 1);
    ck_assert(((const float *)tg_values(plan, y))[2] == 23);
    set_variable("w", (float[]){1, 2, 3}, 3);
    for (int run = 0; run < 3; run++)
        ok(tg_run(plan), plan);
    ck_assert_int_eq(atomic_load(&prologue_runs), 2);
    ck_assert(((const float *)tg_values(plan, y))[2] == 33);
    ck_assert(((const float *)tg_values(plan, packed))[0] == 10);
    tg_plan_free(plan);
}
END_TEST

/* What this plan assigns is no prologue's; what it leaves alone is, and its own commits do not make it run again. */
START_TEST(prologue_of_a_plan_that_assigns)
{
    tg_tensor w = state("w", 2, 1), frozen = state("frozen", 2, 5);
    tg_tensor moved = SMALL_1(counting, w), fixed = SMALL_1(counting, frozen);
    SMALL_2(small_assign, w, SMALL_2(small_add, moved, fixed));
    tg_plan *plan = compiled(tg_compile(graph, w));
    for (int run = 0; run < 4; run++)
        ok(tg_run(plan), plan);
    ck_assert_int_eq(atomic_load(&prologue_runs), 4 + 1);
    check_variable("w", (float[]){21, 21}, 2);
    tg_plan_free(plan);
}
END_TEST

/* ---- memory ---- */

START_TEST(running_allocates_nothing)
{
    failing_allocator counts = {.requests = 0};
    tg_context_options options = harness_options();
    options.threads = 2;
    options.allocator = failing_allocator_interface(&counts);
    tg_context *machine = tg_context_new(options);
    tg_variables *store = tg_variables_new(machine, 1);
    random_graph made = random_graph_make(store, 3, 60);
    tg_plan *plan = tg_compile_roots(made.graph, made.roots, 3, tg_compile_defaults(machine));
    static float x[RANDOM_ROWS * RANDOM_COLUMNS];
    ok(tg_feed(plan, made.x, x, sizeof x), plan);
    long before = counts.requests;
    for (int run = 0; run < 5; run++)
        ok(tg_run(plan), plan);
    ck_assert_int_eq(counts.requests, before);
    tg_plan_free(plan);
    tg_graph_free(made.graph);
    tg_variables_free(store);
    tg_context_free(machine);
    ck_assert_int_eq(counts.live, 0);
}
END_TEST

/* Compiles with the n-th allocation failing; if there is none such, runs, and replays with each of that's failing. Returns whether
   there is none such. */
static bool survive(long n, bool simplify)
{
    failing_allocator counts = {.requests = 0};
    tg_context_options options = harness_options();
    options.threads = 2;
    options.allocator = failing_allocator_interface(&counts);
    tg_context *machine = tg_context_new(options);
    tg_variables *store = tg_variables_new(machine, 1);
    random_graph made = random_graph_make(store, 5, 25);
    ck_assert_ptr_null(tg_graph_error(made.graph));
    tg_compile_options compile = tg_compile_defaults(machine);
    compile.simplify = simplify;
    counts.refuse = counts.requests + n;
    tg_plan *plan = tg_compile_roots(made.graph, made.roots, 3, compile);
    bool untouched = counts.requests < counts.refuse;
    ck_assert(untouched == (plan != NULL));
    if (!plan)
        ck_assert_ptr_nonnull(tg_graph_error(made.graph));
    if (plan) {
        static float x[RANDOM_ROWS * RANDOM_COLUMNS];
        ok(tg_feed(plan, made.x, x, sizeof x), plan);
        ok(tg_run(plan), plan);
        tg_nonfinite found;
        for (long at = 1; counts.refuse = counts.requests + at, tg_find_nonfinite(plan, &found) != TG_OK; at++)
            ck_assert_str_ne(tg_plan_error(plan), "");
        ck_assert_int_eq(found.node, -1);
    }
    tg_plan_free(plan);
    tg_graph_free(made.graph);
    tg_variables_free(store);
    tg_context_free(machine);
    ck_assert_msg(counts.live == 0, "allocation %ld: %ld leaked", n, counts.live);
    return untouched;
}

START_TEST(any_allocation_may_fail)
{
    long n = 1;
    while (!survive(n, _i == 0))
        n++;
    ck_assert_int_gt(n, 5);
}
END_TEST

/* Plans of one context in several threads: one runs at a time, in the workspace that all share. */
typedef struct runner {
    tg_context *machine;
    uint64_t seed;
    outcome seen;
} runner;

static void *run_beside(void *arg)
{
    runner *self = arg;
    for (int i = 0; i < 5; i++)
        run_random(self->machine, self->seed, tg_compile_defaults(self->machine), &self->seen);
    return NULL;
}

START_TEST(threads_share_a_context)
{
    static runner runners[3];
    static outcome expected;
    pthread_t threads[3];
    for (int i = 0; i < 3; i++) {
        runners[i] = (runner){.machine = context, .seed = (uint64_t)i};
        ck_assert_int_eq(pthread_create(&threads[i], NULL, run_beside, &runners[i]), 0);
    }
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
    for (int i = 0; i < 3; i++) {
        run_random(context, (uint64_t)i, tg_compile_defaults(context), &expected);
        ck_assert_mem_eq(&expected, &runners[i].seen, sizeof expected);
    }
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

/* ---- the thread's floating-point state ---- */

static atomic_int rounding_seen;

static tg_status rounding_run(const tg_work *work, const tg_buffers *buffers, int phase, int64_t task, void *scratch)
{
    (void)phase, (void)scratch;
    if (fegetround() != FE_TONEAREST)
        atomic_fetch_add(&rounding_seen, 1);
    int64_t n = tg_shape_count(work->output.shape) / 64;
    for (int64_t i = task * n; i < task * n + n; i++)
        if (work->output.dtype == TG_F32)
            ((float *)buffers->output)[i] = ((const float *)buffers->inputs[0])[i] * 0.5f;
        else
            ((double *)buffers->output)[i] = ((const double *)buffers->inputs[0])[i] * 0.5;
    return TG_OK;
}
static int64_t rounding_tasks(const tg_work *work, int phase)
{
    (void)work, (void)phase;
    return 64;
}
static const tg_op rounding = {.name = "rounding", .min_inputs = 1, .max_inputs = 1, .shape = small_same_shape, .run = rounding_run, .tasks = rounding_tasks};

START_TEST(float_state_is_set_and_restored)
{
    const int n = 1 << 18;
    tg_variables *store = _i == 0 ? variables : tg_variables_cast(variables, TG_F64);
    tg_graph *g = tg_graph_new(store, TG_TRAINING);
    tg_tensor x = tg_input(g, "x", TG_FLOAT, TG_SHAPE(n)), y = SMALL_1(rounding, x);
    void *values = calloc((size_t)n, 8);
    for (int i = 0; i < n; i++)
        if (_i == 0)
            ((float *)values)[i] = FLT_MIN;
        else
            ((double *)values)[i] = DBL_MIN;
    tg_plan *plan = tg_compile(g, y);
    ck_assert_ptr_nonnull(plan);
    ok(tg_feed(plan, x, values, (size_t)tg_type_bytes(tg_tensor_type(x))), plan);
    ck_assert_int_eq(fesetround(FE_UPWARD), 0);
    ok(tg_run(plan), plan);
    ck_assert_int_eq(fegetround(), FE_UPWARD);
    fesetround(FE_TONEAREST);
    ck_assert_int_eq(atomic_load(&rounding_seen), 0);
    volatile float tiny = FLT_MIN;
    ck_assert(tiny * 0.5f > 0); /* the caller's subnormals are back */
    for (int i = 0; i < n; i += 1000) {
        if (_i == 1)
            ck_assert(((const double *)tg_values(plan, y))[i] == DBL_MIN / 2);
#if defined(__SSE__) || defined(__aarch64__)
        else
            ck_assert(((const float *)tg_values(plan, y))[i] == 0);
#endif
    }
    tg_plan_free(plan);
    tg_graph_free(g);
    if (_i == 1)
        tg_variables_free(store);
    free(values);
}
END_TEST

START_TEST(a_plan_describes_itself)
{
    tg_tensor a = tg_input(graph, "a", TG_F32, TG_SHAPE(32, 48)), w = tg_state(graph, "w", TG_F32, TG_SHAPE(48, 16), (tg_init){.a = 1});
    tg_tensor y = SMALL_1(small_square, SMALL_2(small_matmul, a, w)), loss = SMALL_1(small_sum, SMALL_1(small_reverse, y));
    tg_plan *plan = compiled(tg_compile(graph, loss));
    tg_plan_info info = tg_plan_describe(plan);
    ck_assert_int_eq(info.nodes, 6);
    ck_assert_int_eq(info.steps, 3);
    ck_assert_double_eq(info.flops, 2.0 * 32 * 48 * 16 + 32 * 16);
    ck_assert_uint_eq(info.variable_bytes, 48 * 16 * 4);
    ck_assert_uint_gt(info.root_bytes, 0);
    ck_assert_uint_ge(info.unplanned_bytes, 2 * 32 * 16 * 4);
    ck_assert_int_ge(info.stages, 1);
    ck_assert_int_eq(tg_graph_count(tg_plan_graph(plan)), 6);
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
    tcase_add_loop_test(tests, bad_roots_do_not_compile, 0, 3);
    tcase_add_test(tests, any_tensor_can_be_root);
    tcase_add_test(tests, kept_tensors_can_be_read);
    tcase_add_test(tests, the_graph_may_grow_afterwards);
    tcase_add_test(tests, empty_tensors_run);
    tcase_add_loop_test(tests, threads_do_not_change_bits, 0, 10);
    tcase_add_loop_test(tests, passes_do_not_change_bits, 0, 20);
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
    tcase_add_test(tests, prologue_runs_when_variables_change);
    tcase_add_test(tests, prologue_of_a_plan_that_assigns);
    tcase_add_test(tests, running_allocates_nothing);
    tcase_add_loop_test(tests, any_allocation_may_fail, 0, 2);
    tcase_add_test(tests, threads_share_a_context);
    tcase_add_loop_test(tests, a_long_chain, 0, 2);
    tcase_add_test(tests, many_graphs_in_one);
    tcase_add_loop_test(tests, float_state_is_set_and_restored, 0, 2);
    tcase_add_test(tests, a_plan_describes_itself);
    tcase_add_test(tests, eval_gives_any_tensor);
    return harness_run("plan", tests);
}
