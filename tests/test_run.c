/* What a run must not depend on, and what it must leave alone: threads, passes, memory, the float state. */
#include <fenv.h>
#include <float.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "failing_allocator.h"
#include "graph/rebuild.h"
#include "plan_fixture.h"
#include "random_graph.h"

/* ---- the same bits ---- */

typedef struct outcome {
    float roots[1 + 2 * RANDOM_ROWS * RANDOM_COLUMNS];
    float variables[RANDOM_VARIABLES][RANDOM_ROWS * RANDOM_COLUMNS];
} outcome;

static bool same_bits(const void *a, const void *b) { return memcmp(a, b, sizeof(outcome)) == 0; }

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
        memcpy(out->variables[i], tg_variable_data(tg_variables_at(store, i)), sizeof out->variables[i]);
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
        ck_assert_msg(same_bits(&all, &some), "graph %d, option %d off", _i, off);
    }
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
static const tg_op rounding = {.name = "rounding",
                               .min_inputs = 1,
                               .max_inputs = 1,
                               .shape = small_same_shape,
                               .run = rounding_run,
                               .tasks = rounding_tasks};

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

int main(void)
{
    TCase *tests = harness_case("run");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, threads_do_not_change_bits, 0, 10);
    tcase_add_loop_test(tests, passes_do_not_change_bits, 0, 20);
    tcase_add_test(tests, running_allocates_nothing);
    tcase_add_loop_test(tests, any_allocation_may_fail, 0, 2);
    tcase_add_test(tests, threads_share_a_context);
    tcase_add_loop_test(tests, float_state_is_set_and_restored, 0, 2);
    return harness_run("run", tests);
}
