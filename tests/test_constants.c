/* Who owns a constant's bytes. */
#include "exec/plan.h"
#include "graph/rebuild.h"
#include "harness.h"
#include "ops/ops.h"

enum { COUNT = 1 << 18 };

static float values[COUNT];

static void set_up(void)
{
    for (int i = 0; i < COUNT; i++)
        values[i] = (float)i;
}

static tg_tensor large(tg_graph *graph) { return tg_constant(graph, TG_F32, TG_SHAPE(COUNT), values, sizeof values); }

/* Passes rebuild the tape, but not its constants. */
START_TEST(compiling_copies_no_constant)
{
    tg_context *context = harness_context(1);
    tg_variables *variables = tg_variables_new(context, 1);
    tg_graph *graph = tg_graph_new(variables, TG_TRAINING);
    tg_tensor y = tg_sum(large(graph), TG_ALL_AXES);
    size_t before, peak;
    before = tg_context_memory(context, NULL);
    ck_assert_uint_ge(before, sizeof values);
    tg_compile_options options = tg_compile_defaults(context);
    options.simplify = _i & 1;
    options.rounds = options.fuse = true;
    tg_plan *plan = tg_compile_roots(graph, &y, 1, options);
    ck_assert_ptr_nonnull(plan);
    tg_context_memory(context, &peak);
    ck_assert_uint_lt(peak, before + sizeof values / 2);
    ck_assert_int_eq(tg_run(plan), TG_OK);
    tg_plan_free(plan);
    tg_graph_free(graph);
    tg_variables_free(variables);
    ck_assert_uint_lt(tg_context_memory(context, NULL), sizeof values);
    tg_context_free(context);
}
END_TEST

START_TEST(a_copy_outlives_the_graph_that_it_was_made_from)
{
    tg_context *context = harness_context(1), *other = harness_context(1);
    tg_variables *variables = tg_variables_new(context, 1), *others = tg_variables_new(other, 1);
    tg_graph *first = tg_graph_new(variables, TG_TRAINING), *second = tg_graph_new_like(first);
    tg_graph *elsewhere = tg_graph_new(others, TG_TRAINING);
    tg_tensor x = large(first);
    tg_tensor copy = tg_graph_copy_node(second, first, tg_tensor_node(x), NULL);
    tg_tensor apart = tg_graph_copy_node(elsewhere, first, tg_tensor_node(x), NULL);
    ck_assert(tg_ok(copy) && tg_ok(apart));
    ck_assert_ptr_eq(tg_tensor_node(copy)->attributes, tg_tensor_node(x)->attributes);
    ck_assert_ptr_ne(tg_tensor_node(apart)->attributes, tg_tensor_node(x)->attributes);
    tg_graph_free(first);
    ck_assert_mem_eq(tg_node_constant(tg_tensor_node(copy)), values, sizeof values);
    tg_graph_free(second);
    tg_variables_free(variables);
    ck_assert_uint_eq(tg_context_memory(context, NULL), 0);
    tg_context_free(context);
    ck_assert_mem_eq(tg_node_constant(tg_tensor_node(apart)), values, sizeof values);
    tg_graph_free(elsewhere);
    tg_variables_free(others);
    tg_context_free(other);
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("constants");
    tcase_add_checked_fixture(tests, set_up, NULL);
    tcase_add_loop_test(tests, compiling_copies_no_constant, 0, 2);
    tcase_add_test(tests, a_copy_outlives_the_graph_that_it_was_made_from);
    return harness_run("constants", tests);
}
