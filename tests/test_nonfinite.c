/* A run whose updates would overflow changes nothing, and the node that made it is named; what may be infinite is declared. */
#include "autodiff/autodiff.h"
#include "ops/ops.h"
#include "store_snapshot.h"
#include "train/optimizers.h"

static tg_context *context;
static tg_variables *variables;
static tg_graph *graph;

static void begin(int threads)
{
    context = harness_context(threads);
    variables = tg_variables_new(context, 1);
    graph = tg_graph_new(variables, TG_TRAINING);
}

static void end(void)
{
    tg_graph_free(graph);
    tg_variables_free(variables);
    tg_context_free(context);
}

static tg_tensor weights(int64_t n, double value)
{
    return tg_variable(graph, "w", TG_F32, TG_SHAPE(n), (tg_init){TG_INIT_CONSTANT, value, 0});
}

static tg_plan *compiled(const tg_tensor *roots, int n, tg_compile_options with)
{
    tg_plan *plan = tg_compile_roots(graph, roots, n, with);
    ck_assert_msg(plan != NULL, "%s", tg_graph_error(graph));
    return plan;
}

static tg_tensor record_overflow(int which, tg_optimizer *optimizer)
{
    tg_tensor w = weights(5, which == 0 ? 0 : 3);
    *optimizer = which >= 2 ? tg_adam_defaults() : tg_sgd_defaults();
    switch (which) {
    case 0: return tg_sum(tg_sqrt(tg_abs(w)), TG_ALL_AXES); /* a slope of 0 / 0 */
    case 1: optimizer->learning_rate = 1e38; return tg_sum(tg_square(w), TG_ALL_AXES);
    default: return tg_sum(tg_mul(w, tg_scalar(w, 1e30)), TG_ALL_AXES); /* a second moment of 1e57 */
    }
}

START_TEST(an_update_that_overflows_is_refused)
{
    begin(2);
    tg_optimizer optimizer;
    tg_tensor loss = record_overflow(_i / 6, &optimizer);
    ck_assert(tg_minimize(loss, optimizer));
    void *kept = snapshot(variables);
    tg_plan *plan = compiled(&loss, 1, options[_i % 6]);
    const char *culprits[] = {"div gives infinity", "mul of layer sgd gives infinity", "square of layer adam gives infinity"};
    for (int run = 0; run < 3; run++) {
        ck_assert_int_eq(tg_run(plan), TG_ERROR_NONFINITE);
        ck_assert_ptr_nonnull(strstr(tg_plan_error(plan), "no variable was changed"));
        ck_assert_ptr_nonnull(strstr(tg_plan_error(plan), "test_nonfinite.c:"));
        check_unchanged(variables, kept, culprits[_i / 6]);
        tg_nonfinite found;
        ck_assert_int_eq(tg_find_nonfinite(plan, &found), TG_OK);
        ck_assert_msg(strncmp(found.message, culprits[_i / 6], strlen(culprits[_i / 6])) == 0, "%s", found.message);
    }
    tg_plan_free(plan);
    free(kept);
    end();
}
END_TEST

/* One element of many, at any place, with any number of threads: nothing of the rest is written. */
START_TEST(one_element_of_many_is_enough)
{
    enum { N = 100003 };
    static float start[N], g[N], after[N];
    const int places[] = {0, 5, 1023, 1024, 16384, 70001, N - 1};
    begin((int[]){1, 2, 7}[_i]);
    tg_tensor w = weights(N, 0), x = tg_input(graph, "g", TG_F32, TG_SHAPE(N));
    tg_assign(w, tg_sub(w, tg_mul(x, tg_scalar(x, 4))));
    tg_plan *plan = compiled(NULL, 0, tg_compile_defaults(context));
    for (int i = 0; i < N; i++)
        start[i] = g[i] = (float)(i % 7);
    ck_assert_int_eq(tg_feed(plan, x, g, sizeof g), TG_OK);
    for (size_t p = 0; p < sizeof places / sizeof *places; p++)
        for (int large = 0; large < 2; large++) {
            ck_assert_int_eq(tg_variables_write(variables, "w", start, sizeof start), TG_OK);
            g[places[p]] = 1.5e38F; /* times 4: an infinity */
            ck_assert_int_eq(tg_run(plan), TG_ERROR_NONFINITE);
            ck_assert_ptr_nonnull(strstr(tg_plan_error(plan), "the new value of variable \"w\" is not finite"));
            ck_assert_int_eq(tg_variables_read(variables, "w", after, sizeof after), TG_OK);
            ck_assert(memcmp(start, after, sizeof start) == 0);
            g[places[p]] = large ? 5e37F : 1; /* finite both ways; the first is beyond what bounds are asked about */
            ck_assert_int_eq(tg_run(plan), TG_OK);
            ck_assert_int_eq(tg_variables_read(variables, "w", after, sizeof after), TG_OK);
            for (int i = 0; i < N; i++)
                ck_assert(after[i] == start[i] - 4 * g[i]);
            g[places[p]] = start[places[p]];
        }
    tg_plan_free(plan);
    end();
}
END_TEST

/* The store follows what a variable lies between from run to run: it grows until it overflows, and however it was changed. */
START_TEST(a_variable_that_grows_stops_before_it_overflows)
{
    begin(1);
    tg_tensor w = weights(100, 1);
    tg_assign(w, tg_mul(w, tg_scalar(w, 2)));
    tg_plan *plan = compiled(NULL, 0, options[_i]);
    float values[100];
    for (int run = 1; run <= 127; run++)
        ck_assert_msg(tg_run(plan) == TG_OK, "run %d: %s", run, tg_plan_error(plan));
    ck_assert_int_eq(tg_run(plan), TG_ERROR_NONFINITE);
    ck_assert_int_eq(tg_variables_read(variables, "w", values, sizeof values), TG_OK);
    ck_assert(values[0] == 0x1p127F && values[99] == 0x1p127F);
    for (int i = 0; i < 100; i++)
        values[i] = 1;
    ck_assert_int_eq(tg_variables_write(variables, "w", values, sizeof values), TG_OK);
    ck_assert_int_eq(tg_run(plan), TG_OK);
    values[50] = -3e38F;
    ck_assert_int_eq(tg_variables_write(variables, "w", values, sizeof values), TG_OK);
    ck_assert_int_eq(tg_run(plan), TG_ERROR_NONFINITE);
    values[50] = NAN; /* already there */
    ck_assert_int_eq(tg_variables_write(variables, "w", values, sizeof values), TG_OK);
    ck_assert_int_eq(tg_run(plan), TG_ERROR_NONFINITE);
    tg_nonfinite found;
    ck_assert_int_eq(tg_find_nonfinite(plan, &found), TG_OK);
    ck_assert_ptr_nonnull(strstr(found.message, "variable \"w\" holds NaN at [50]"));
    tg_plan_free(plan);
    end();
}
END_TEST

/* A negative second moment, which no step makes but a file may bring: its root is a NaN. */
START_TEST(bounds_tell_signs)
{
    begin(1);
    tg_tensor w = weights(64, 1), loss = tg_sum(tg_square(w), TG_ALL_AXES);
    ck_assert(tg_minimize(loss, tg_adam_defaults()));
    tg_plan *plan = compiled(&loss, 1, options[_i]);
    float moment[64];
    ck_assert_int_eq(tg_run(plan), TG_OK);
    ck_assert_int_eq(tg_variables_read(variables, "adam/w/velocity", moment, sizeof moment), TG_OK);
    moment[63] = -1;
    ck_assert_int_eq(tg_variables_write(variables, "adam/w/velocity", moment, sizeof moment), TG_OK);
    ck_assert_int_eq(tg_run(plan), TG_ERROR_NONFINITE);
    tg_nonfinite found;
    ck_assert_int_eq(tg_find_nonfinite(plan, &found), TG_OK);
    ck_assert_msg(strncmp(found.message, "sqrt of layer adam gives NaN at [63]", 36) == 0, "%s", found.message);
    ck_assert_uint_eq(tg_variables_step(variables), 1);
    tg_plan_free(plan);
    end();
}
END_TEST

/* ---- what may be infinite ---- */

START_TEST(a_variable_may_be_allowed_anything)
{
    begin(1);
    tg_tensor low = tg_state(graph, "low", TG_F32, TG_SHAPE(3), (tg_init){TG_INIT_CONSTANT, INFINITY, 0});
    tg_tensor other = tg_state(graph, "other", TG_F32, TG_SHAPE(3), (tg_init){TG_INIT_CONSTANT, 1, 0});
    tg_tensor x = tg_input(graph, "x", TG_F32, TG_SHAPE(3));
    ck_assert(tg_variables_allows_nonfinite(variables, "low") && !tg_variables_allows_nonfinite(variables, "other"));
    tg_tensor least = tg_assign(low, tg_minimum(low, x));
    tg_assign(other, tg_add(other, tg_exp(tg_neg(least))));
    float values[3] = {INFINITY, 2, 3}, kept[3];
    tg_plan *plan = compiled(NULL, 0, options[_i]);
    ck_assert_int_eq(tg_feed(plan, x, values, sizeof values), TG_OK);
    ck_assert_int_eq(tg_run(plan), TG_OK); /* exp(-infinity) is 0 */
    ck_assert_int_eq(tg_variables_read(variables, "low", kept, sizeof kept), TG_OK);
    ck_assert(isinf(kept[0]) && kept[1] == 2 && kept[2] == 3);
    values[0] = -INFINITY;
    ck_assert_int_eq(tg_run(plan), TG_ERROR_NONFINITE); /* exp(infinity) goes to `other` */
    ck_assert_ptr_nonnull(strstr(tg_plan_error(plan), "not finite"));
    tg_plan_free(plan);

    ck_assert(tg_variables_allow_nonfinite(variables, "other", true));
    ck_assert(!tg_variables_allow_nonfinite(variables, "nothing", true));
    plan = compiled(NULL, 0, options[_i]);
    ck_assert_int_eq(tg_feed(plan, x, values, sizeof values), TG_OK);
    ck_assert_int_eq(tg_run(plan), TG_OK);
    tg_plan_free(plan);
    tg_variables *copy = tg_variables_cast(variables, TG_F64);
    ck_assert(tg_variables_allows_nonfinite(copy, "low") && tg_variables_allows_nonfinite(copy, "other"));
    tg_variables_free(copy);

    ck_assert(tg_variables_allow_nonfinite(variables, "low", false));
    plan = compiled(NULL, 0, options[_i]);
    ck_assert_int_eq(tg_feed(plan, x, values, sizeof values), TG_OK);
    ck_assert_int_eq(tg_run(plan), TG_ERROR_NONFINITE);
    tg_plan_free(plan);
    end();
}
END_TEST

/* Copied as they are: a constant, another variable that may hold anything, a part of an input. */
START_TEST(copies_are_checked_too)
{
    begin(1);
    tg_tensor w = weights(4, 1), value, x = tg_input(graph, "x", TG_F32, TG_SHAPE(6));
    const float infinite[] = {1, 2, 3, INFINITY, 5, 6};
    if (_i % 3 == 0)
        value = tg_constant(graph, TG_F32, TG_SHAPE(4), infinite, 16);
    else if (_i % 3 == 1)
        value = tg_state(graph, "v", TG_F32, TG_SHAPE(4), (tg_init){TG_INIT_CONSTANT, -INFINITY, 0});
    else
        value = tg_reshape(tg_slice(x, 0, 0, 4, 1), TG_SHAPE(4));
    tg_assign(w, value);
    void *kept = snapshot(variables);
    tg_plan *plan = compiled(NULL, 0, options[_i / 3]);
    ck_assert_int_eq(tg_feed(plan, x, infinite, sizeof infinite), TG_OK);
    ck_assert_int_eq(tg_run(plan), TG_ERROR_NONFINITE);
    check_unchanged(variables, kept, "copies");
    const char *culprits[] = {"constant holds infinity at [3]", "assign gives -infinity at [0]",
                              "input \"x\" holds infinity at [3]"};
    tg_nonfinite found;
    ck_assert_int_eq(tg_find_nonfinite(plan, &found), TG_OK);
    ck_assert_msg(strncmp(found.message, culprits[_i % 3], strlen(culprits[_i % 3])) == 0, "%s", found.message);
    tg_plan_free(plan);
    free(kept);
    end();
}
END_TEST

/* What lies beside the part that is written, or that is a root, may be anything, and is not to blame for the rest. */
START_TEST(parts_are_checked_by_themselves)
{
    begin(1);
    tg_tensor w = weights(2, 1), u = tg_state(graph, "u", TG_F32, TG_SHAPE(2), (tg_init){TG_INIT_CONSTANT, 1, 0});
    tg_tensor x = tg_input(graph, "x", TG_F32, TG_SHAPE(6)), y = tg_input(graph, "y", TG_F32, TG_SHAPE(2));
    tg_tensor part = tg_slice(_i % 2 ? tg_log(x) : x, 0, 2, 4, 1), root = tg_slice(x, 0, 0, 2, 1), log = tg_log(y);
    tg_assign(w, part);
    tg_assign(u, log);
    tg_plan *plan = compiled(&root, 1, options[_i / 2]);
    float values[] = {1, 2, 3, 4, NAN, -1}, logs[] = {1, 2};
    ck_assert_int_eq(tg_feed(plan, x, values, sizeof values), TG_OK);
    ck_assert_int_eq(tg_feed(plan, y, logs, sizeof logs), TG_OK);
    ck_assert_msg(tg_run(plan) == TG_OK, "%s", tg_plan_error(plan));
    tg_nonfinite found;
    logs[1] = 0;
    ck_assert_int_eq(tg_run(plan), TG_ERROR_NONFINITE);
    ck_assert_int_eq(tg_find_nonfinite(plan, &found), TG_OK);
    ck_assert_msg(found.node == log.id, "%s", found.message);
    logs[1] = 1;
    values[3] = INFINITY;
    ck_assert_int_eq(tg_run(plan), TG_ERROR_NONFINITE);
    ck_assert_int_eq(tg_find_nonfinite(plan, &found), TG_OK);
    ck_assert_msg(strncmp(found.message, "input \"x\" holds", 15) == 0, "%s", found.message);
    ck_assert_uint_eq(tg_variables_step(variables), 1);
    tg_plan_free(plan);
    end();
}
END_TEST

/* An infinity that goes nowhere is not to blame. */
START_TEST(what_leads_nowhere_is_not_named)
{
    begin(1);
    tg_tensor w = weights(4, 1), x = tg_input(graph, "x", TG_F32, TG_SHAPE(4));
    tg_tensor hidden = tg_log(x), shown = tg_select(tg_greater(x, tg_scalar(x, 0)), hidden, tg_scalar(x, 0));
    tg_tensor bad = tg_mul(tg_add(w, shown), tg_scalar(x, 3e38));
    tg_assign(w, bad);
    tg_plan *plan = compiled(NULL, 0, options[_i]);
    const float values[] = {0, 1, 100, 0};
    ck_assert_int_eq(tg_feed(plan, x, values, sizeof values), TG_OK);
    ck_assert_int_eq(tg_run(plan), TG_ERROR_NONFINITE);
    tg_nonfinite found;
    ck_assert_int_eq(tg_find_nonfinite(plan, &found), TG_OK);
    ck_assert_msg(found.node == bad.id, "%s", found.message);
    ck_assert_ptr_nonnull(strstr(found.message, "mul gives infinity at [2]"));
    tg_plan_free(plan);
    end();
}
END_TEST

/* Winograd's transform adds pixels before the kernel makes them small: what overflows is no op of the recorded graph. */
START_TEST(a_node_that_compiling_made_is_named)
{
    begin(2);
    static float pixels[6 * 6 * 32];
    for (int i = 0; i < 6 * 6 * 32; i++)
        pixels[i] = i / 32 % 2 ? 3e38F : -3e38F;
    tg_tensor x = tg_input(graph, "x", TG_F32, TG_SHAPE(1, 6, 6, 32)), w = weights(4, 1);
    tg_tensor kernel = tg_variable(graph, "k", TG_F32, TG_SHAPE(3, 3, 32, 32), (tg_init){TG_INIT_CONSTANT, 1e-38, 0});
    tg_tensor y = tg_max_pool2d(tg_conv2d(x, kernel, (tg_conv2d_options){{0}}), 2), loss = tg_sum(y, TG_ALL_AXES);
    tg_assign(w, tg_add(w, tg_scalar(w, 1)));
    tg_compile_options exact = tg_compile_defaults(context);
    exact.rounds = false;
    tg_plan *plans[2] = {compiled(&loss, 1, tg_compile_defaults(context)), compiled(&loss, 1, exact)};
    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(tg_feed(plans[i], x, pixels, sizeof pixels), TG_OK);
    tg_nonfinite found;
    ck_assert_int_eq(tg_run(plans[1]), TG_OK);
    ck_assert_int_eq(tg_find_nonfinite(plans[1], &found), TG_OK);
    ck_assert_int_eq(found.node, -1);
    ck_assert_int_eq(tg_run(plans[0]), TG_ERROR_NONFINITE);
    ck_assert_int_eq(tg_find_nonfinite(plans[0], &found), TG_OK);
    ck_assert_int_eq(found.node, y.id);
    ck_assert_msg(strncmp(found.message, "conv2d_max_pool2d gives ", 24) == 0 && strstr(found.message, "options.rounds = false"),
                  "%s", found.message);
    ck_assert_int_eq(tg_feed(plans[0], x, pixels, sizeof pixels), TG_OK);
    pixels[0] = INFINITY;
    ck_assert_int_eq(tg_find_nonfinite(plans[0], &found), TG_OK);
    ck_assert_int_eq(found.node, x.id);
    for (int i = 0; i < 2; i++)
        tg_plan_free(plans[i]);
    end();
}
END_TEST

int main(void)
{
    const int all = (int)(sizeof options / sizeof *options);
    TCase *tests = harness_case("nonfinite");
    tcase_add_loop_test(tests, an_update_that_overflows_is_refused, 0, 3 * all);
    tcase_add_loop_test(tests, one_element_of_many_is_enough, 0, 3);
    tcase_add_loop_test(tests, a_variable_that_grows_stops_before_it_overflows, 0, all);
    tcase_add_loop_test(tests, bounds_tell_signs, 0, all);
    tcase_add_loop_test(tests, a_variable_may_be_allowed_anything, 0, all);
    tcase_add_loop_test(tests, copies_are_checked_too, 0, 3 * all);
    tcase_add_loop_test(tests, parts_are_checked_by_themselves, 0, 2 * all);
    tcase_add_loop_test(tests, what_leads_nowhere_is_not_named, 0, all);
    tcase_add_test(tests, a_node_that_compiling_made_is_named);
    return harness_run("nonfinite", tests);
}
