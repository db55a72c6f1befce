/* What runs only when variables change: steps of the prologue, and first phases that prepare an operand there. */
#include <float.h>
#include <math.h>
#include <stdatomic.h>

#include "graph/rebuild.h"
#include "plan_fixture.h"

static atomic_int prologue_runs;

static tg_status counting_run(const tg_work *work, const tg_buffers *buffers, int phase, int64_t task, void *scratch)
{
    atomic_fetch_add(&prologue_runs, 1);
    (void)phase, (void)task, (void)scratch;
    memcpy(buffers->output, buffers->inputs[0], (size_t)tg_type_bytes(work->output));
    return TG_OK;
}
static const tg_op counting = {
    .name = "counting", .min_inputs = 1, .max_inputs = 1, .shape = small_same_shape, .run = counting_run};

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

/* A plan that adds 1 to a variable, on a graph of its own. */
static tg_plan *count_up(const char *name, tg_graph **own)
{
    *own = tg_graph_new(variables, TG_TRAINING);
    tg_tensor v = tg_state(*own, name, TG_F32, TG_SHAPE(2), (tg_init){.a = 1});
    tg_tensor next = SMALL_2(small_assign, v, SMALL_2(small_add, v, tg_scalar(v, 1)));
    tg_plan *plan = tg_compile(*own, next);
    ck_assert_msg(plan != NULL, "%s", tg_graph_error(*own));
    return plan;
}

START_TEST(prologue_minds_no_other_plans_variables)
{
    tg_tensor w = state("w", 2, 1), x = vector("x", 2), y = SMALL_2(small_add, SMALL_1(counting, w), x);
    tg_plan *plan = compiled(tg_compile(graph, y));
    tg_graph *graphs[2];
    tg_plan *others = count_up("other", &graphs[0]), *ours = count_up("w", &graphs[1]);
    ok(tg_feed(plan, x, (float[]){0, 0}, 8), plan);
    for (int run = 0; run < 3; run++) {
        ok(tg_run(plan), plan);
        ok(tg_run(others), others);
    }
    ck_assert_int_eq(atomic_load(&prologue_runs), 1);
    for (int run = 0; run < 3; run++) {
        ok(tg_run(ours), ours);
        ok(tg_run(plan), plan);
        ck_assert(((const float *)tg_values(plan, y))[1] == (float)(2 + run));
    }
    ck_assert_int_eq(atomic_load(&prologue_runs), 4);
    tg_variables_touch(variables);
    ok(tg_run(plan), plan);
    ck_assert_int_eq(atomic_load(&prologue_runs), 5);
    tg_plan_free(plan);
    tg_plan_free(others);
    tg_plan_free(ours);
    tg_graph_free(graphs[0]);
    tg_graph_free(graphs[1]);
}
END_TEST

/* ---- what is prepared ---- */

/* small_matmul, which counts the columns that it prepares. */
static tg_status packing_run(const tg_work *work, const tg_buffers *buffers, int phase, int64_t task, void *scratch)
{
    if (phase == 0)
        atomic_fetch_add(&prologue_runs, 1);
    return small_matmul_run(work, buffers, phase, task, scratch);
}
static const tg_op packing = {.name = "packing",
                              .traits = TG_CONTRACTION,
                              .min_inputs = 2,
                              .max_inputs = 2,
                              .shape = small_matmul_shape,
                              .run = packing_run,
                              .phases = small_matmul_phases,
                              .tasks = small_matmul_tasks,
                              .shared_bytes = small_matmul_shared,
                              .prepares = small_matmul_prepares,
                              .scratch_bytes = small_matmul_scratch};

static tg_tensor matrix_state(const char *name, int64_t rows, int64_t columns)
{
    return tg_state(graph, name, TG_F32, TG_SHAPE(rows, columns), (tg_init){.a = 1});
}

static void check_first(const tg_plan *plan, tg_tensor root, float expected)
{
    float got = *(const float *)tg_values(plan, root);
    ck_assert_msg(got == expected, "%g, not %g", (double)got, (double)expected);
}

/* Fused and not, with memory planned and not: another x needs no new preparation, another w does. */
START_TEST(what_a_variable_is_prepared_to_follows_it)
{
    tg_compile_options options = tg_compile_defaults(context);
    options.fuse = _i & 1;
    options.plan_memory = _i & 2;
    tg_tensor x = tg_input(graph, "x", TG_F32, TG_SHAPE(3, 2)), w = matrix_state("w", 2, 4), v = matrix_state("v", 4, 5);
    tg_tensor doubled = SMALL_2(small_mul, v, tg_scalar(v, 2));
    tg_tensor y = SMALL_1(small_square, SMALL_2(packing, SMALL_2(packing, x, w), doubled));
    tg_plan *plan = compiled(tg_compile_roots(graph, &y, 1, options));
    for (int run = 0; run < 6; run++) {
        float values[6] = {(float)run, 1, 1, 1, 1, 1}, weights[8] = {1, 1, 1, 1, 1, 1, 1, 1};
        if (run >= 4)
            weights[0] = 3;
        if (run == 4)
            set_variable("w", weights, 8);
        ok(tg_feed(plan, x, values, sizeof values), plan);
        ok(tg_run(plan), plan);
        ck_assert_int_eq(atomic_load(&prologue_runs), run < 4 ? 4 + 5 : 2 * (4 + 5));
        float first = (float)run * weights[0] + 1, others = (float)run + 1, sum = 2 * (first + 3 * others);
        check_first(plan, y, sum * sum);
    }
    tg_plan_free(plan);
}
END_TEST

/* What changes in each run is prepared in each: an input, what follows from one, a variable that the plan assigns. What does not change
   at all is no part of a run. */
START_TEST(what_changes_is_not_prepared_beforehand)
{
    static const int expected[] = {6, 6, 6, 2};
    tg_tensor x = _i == 3 ? matrix_state("x", 3, 2) : tg_input(graph, "x", TG_F32, TG_SHAPE(3, 2)), w;
    tg_tensor right = w = _i == 2 ? matrix_state("w", 2, 2) : tg_input(graph, "w", TG_F32, TG_SHAPE(2, 2));
    if (_i == 1)
        right = SMALL_1(small_neg, SMALL_1(small_neg, w));
    if (_i == 2)
        SMALL_2(small_assign, w, SMALL_2(small_mul, w, tg_scalar(w, 2)));
    if (_i == 3)
        right = matrix_state("v", 2, 2);
    tg_tensor y = SMALL_2(packing, x, right);
    tg_plan *plan = compiled(tg_compile(graph, y));
    for (int run = 0; run < 3; run++) {
        const float power = (float)(1 << run), values[6] = {1, 1, 1, 1, 1, 1}, weights[4] = {power, power, power, power};
        if (_i != 3)
            ok(tg_feed(plan, x, values, sizeof values), plan);
        if (_i < 2)
            ok(tg_feed(plan, w, weights, sizeof weights), plan);
        ok(tg_run(plan), plan);
        check_first(plan, y, _i == 3 ? 2 : 2 * power);
    }
    ck_assert_int_eq(atomic_load(&prologue_runs), expected[_i]);
    tg_plan_free(plan);
}
END_TEST

/* A run that fails after the prologue; the next one makes it anew, and a replay goes through all phases of the one node. */
START_TEST(a_failed_run_is_prepared_again)
{
    tg_tensor x = tg_input(graph, "x", TG_F32, TG_SHAPE(2, 2)), w = matrix_state("w", 2, 2);
    tg_tensor picky = SMALL_1(small_picky, x), y = SMALL_2(packing, picky, w);
    tg_plan *plan = compiled(tg_compile(graph, y));
    ok(tg_feed(plan, x, (float[]){1, 1, -1, 1}, 16), plan);
    ck_assert_int_eq(tg_run(plan), TG_ERROR_RANGE);
    ok(tg_feed(plan, x, (float[]){1, 1, 1, 1}, 16), plan);
    ok(tg_run(plan), plan);
    ok(tg_run(plan), plan);
    check_first(plan, y, 2);
    ck_assert_int_eq(atomic_load(&prologue_runs), 2 * 2);
    tg_nonfinite found;
    set_variable("w", (float[]){1, INFINITY, 1, 1}, 4);
    ok(tg_find_nonfinite(plan, &found), plan);
    ck_assert_int_eq(found.node, w.id);
    set_variable("w", (float[]){FLT_MAX, 1, FLT_MAX, 1}, 4);
    ok(tg_find_nonfinite(plan, &found), plan);
    ck_assert_int_eq(found.node, y.id);
    tg_plan_free(plan);
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("prologue");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, prologue_runs_when_variables_change);
    tcase_add_test(tests, prologue_of_a_plan_that_assigns);
    tcase_add_test(tests, prologue_minds_no_other_plans_variables);
    tcase_add_loop_test(tests, what_a_variable_is_prepared_to_follows_it, 0, 4);
    tcase_add_loop_test(tests, what_changes_is_not_prepared_beforehand, 0, 4);
    tcase_add_test(tests, a_failed_run_is_prepared_again);
    return harness_run("prologue", tests);
}
