#include "pass_fixture.h"

/* ---- order ---- */

START_TEST(dead_code_goes)
{
    tg_tensor a = matrix("a", 2, 2), unused = matrix("unused", 2, 2), y = SMALL_1(small_neg, a);
    SMALL_1(small_sqrt, SMALL_2(small_add, unused, y));
    for (int simplify = 0; simplify < 2; simplify++) {
        tg_plan *plan = compile(y, (tg_compile_options){.simplify = simplify});
        ck_assert_int_eq(tg_graph_count(tg_plan_graph(plan)), 2);
        ck_assert_int_eq(count_ops(plan, &small_sqrt), 0);
        tg_plan_free(plan);
    }
}
END_TEST

START_TEST(places_and_names_survive)
{
    tg_layer_begin(graph, "Dense", NULL, false);
    tg_tensor a = matrix("a", 2, 2), y = tg_layer_end(tg_name(SMALL_1(small_neg, a), "turned"));
    int line = __LINE__ - 1;
    tg_plan *plan = compile(SMALL_2(small_add, y, SMALL_1(small_neg, a)), all_on());
    const tg_node *node = find_op(plan, &small_neg);
    ck_assert_str_eq(node->name, "turned");
    ck_assert_str_eq(node->scope, "dense");
    ck_assert_int_eq(node->where.line, line);
    ck_assert_int_eq(tg_graph_layer_count(tg_plan_graph(plan)), 1);
    const tg_layer_info *layer = tg_graph_layer(tg_plan_graph(plan), 0);
    ck_assert_int_eq(layer->output, node->id);
    tg_plan_free(plan);
}
END_TEST

/* ---- simplify ---- */

START_TEST(equal_nodes_stand_once)
{
    tg_tensor a = matrix("a", 2, 2), b = matrix("b", 2, 2);
    tg_tensor first = SMALL_2(small_mul, SMALL_2(small_add, a, b), tg_scalar(a, 3)),
              second = SMALL_2(small_mul, SMALL_2(small_add, a, b), tg_scalar(a, 3));
    tg_tensor other = SMALL_2(small_mul, SMALL_2(small_add, b, a), tg_scalar(a, 3)), y = SMALL_3(small_fma, first, second, other);
    tg_tensor rows =
        SMALL_2(small_add, small_take_rows(y, 0, 1), SMALL_2(small_add, small_take_rows(y, 1, 1), small_take_rows(y, 0, 1)));
    tg_plan *plan = compile(rows, all_on());
    ck_assert_int_eq(count_ops(plan, &small_mul), 2);
    ck_assert_int_eq(count_ops(plan, &tg_op_constant), 1);
    ck_assert_int_eq(count_ops(plan, &small_rows), 2); /* the attributes differ */
    tg_plan_free(plan);
    plan = compile(rows, (tg_compile_options){.fuse = true});
    ck_assert_int_eq(count_ops(plan, &small_mul), 3);
    tg_plan_free(plan);
}
END_TEST

START_TEST(merged_handles_can_be_read)
{
    tg_tensor a = matrix("a", 1, 2), first = tg_keep(SMALL_1(small_neg, a)), second = tg_keep(SMALL_1(small_neg, a)),
              y = SMALL_2(small_add, first, second);
    const float values[] = {1, 2};
    ck_assert_int_eq(tg_bind(a, values, sizeof values), TG_OK);
    tg_plan *plan = compile(y, all_on());
    ck_assert_int_eq(count_ops(plan, &small_neg), 1);
    ck_assert_int_eq(tg_run(plan), TG_OK);
    ck_assert_ptr_eq(tg_values(plan, first), tg_values(plan, second));
    ck_assert(((const float *)tg_values(plan, second))[1] == -2);
    tg_plan_free(plan);
}
END_TEST

/* double(x) is x + x by an EXACT rule, and 2 x by a ROUNDS one that comes first. */
static tg_tensor double_to_mul(const tg_rewrite_args *args)
{
    return SMALL_2(small_mul, args->inputs[0], tg_scalar(args->inputs[0], 2));
}
static tg_tensor double_to_add(const tg_rewrite_args *args) { return SMALL_2(small_add, args->inputs[0], args->inputs[0]); }
static const tg_rewrite_rule double_rules[] = {{"double(x) -> 2 x", TG_ROUNDS, 1, double_to_mul},
                                               {"double(x) -> x + x", TG_EXACT, 0, double_to_add}};
static const tg_op doubled = {.name = "double",
                              .traits = TG_POINTWISE,
                              .min_inputs = 1,
                              .max_inputs = 1,
                              .shape = tg_shape_pointwise,
                              .block = small_square_block,
                              .rewrites = double_rules,
                              .n_rewrites = 2};

START_TEST(rules_apply_by_class)
{
    tg_tensor a = matrix("a", 2, 2), y = SMALL_1(doubled, SMALL_1(doubled, a));
    const struct {
        bool simplify, rounds;
        int kept, added, multiplied;
    } expected[] = {{false, false, 2, 0, 0}, {false, true, 2, 0, 0}, {true, false, 0, 2, 0}, {true, true, 0, 0, 2}};
    for (int i = 0; i < 4; i++) {
        tg_plan *plan = compile(y, (tg_compile_options){.simplify = expected[i].simplify, .rounds = expected[i].rounds});
        ck_assert_int_eq(count_ops(plan, &doubled), expected[i].kept);
        ck_assert_int_eq(count_ops(plan, &small_add), expected[i].added);
        ck_assert_int_eq(count_ops(plan, &small_mul), expected[i].multiplied);
        tg_plan_free(plan);
    }
}
END_TEST

/* A rule whose result calls for it again, without end: the depth is bounded. */
static tg_tensor around(const tg_rewrite_args *args);
static const tg_rewrite_rule endless_rules[] = {{"endless(x) -> -endless(-x)", TG_EXACT, 0, around}};
static const tg_op endless = {.name = "endless",
                              .traits = TG_POINTWISE,
                              .min_inputs = 1,
                              .max_inputs = 1,
                              .shape = tg_shape_pointwise,
                              .block = small_neg_block,
                              .rewrites = endless_rules,
                              .n_rewrites = 1};
static tg_tensor around(const tg_rewrite_args *args)
{
    return SMALL_1(small_neg, SMALL_1(endless, SMALL_1(small_neg, args->inputs[0])));
}

START_TEST(endless_rules_end)
{
    tg_tensor a = matrix("a", 1, 2), y = SMALL_1(endless, a);
    const float values[] = {1, 2};
    ck_assert_int_eq(tg_bind(a, values, sizeof values), TG_OK);
    tg_plan *plan = compile(y, all_on());
    ck_assert_int_le(tg_graph_count(tg_plan_graph(plan)), 200);
    ck_assert_int_eq(tg_run(plan), TG_OK);
    ck_assert(((const float *)tg_values(plan, y))[1] == -2);
    tg_plan_free(plan);
}
END_TEST

static tg_tensor to_sum(const tg_rewrite_args *args) { return SMALL_1(small_sum, args->inputs[0]); }
static const tg_rewrite_rule mistyped_rules[] = {{"mistyped(x) -> sum(x)", TG_EXACT, 0, to_sum}};
static const tg_op mistyped = {.name = "mistyped",
                               .traits = TG_POINTWISE,
                               .min_inputs = 1,
                               .max_inputs = 1,
                               .shape = tg_shape_pointwise,
                               .block = small_neg_block,
                               .rewrites = mistyped_rules,
                               .n_rewrites = 1};

START_TEST(a_rule_that_changes_the_type_is_named)
{
    tg_tensor y = SMALL_1(mistyped, matrix("a", 2, 2));
    ck_assert_ptr_null(tg_compile(graph, y));
    ck_assert_ptr_nonnull(
        strstr(tg_graph_error(graph), "mistyped: the rewrite rule \"mistyped(x) -> sum(x)\" changes the result's type"));
    ck_assert_ptr_nonnull(strstr(tg_graph_error(graph), "test_passes.c:"));
}
END_TEST

/* A rule that gives back its input: the node's handle stands for that. */
static tg_tensor to_input(const tg_rewrite_args *args) { return args->inputs[0]; }
static const tg_rewrite_rule nothing_rules[] = {{"nothing(x) -> x", TG_EXACT, 0, to_input}};
static const tg_op nothing = {.name = "nothing",
                              .min_inputs = 1,
                              .max_inputs = 1,
                              .shape = small_same_shape,
                              .run = small_reverse_run,
                              .tasks = small_reverse_tasks,
                              .rewrites = nothing_rules,
                              .n_rewrites = 1};

START_TEST(a_rule_may_drop_a_node)
{
    tg_tensor a = matrix("a", 1, 3), y = tg_keep(SMALL_1(nothing, a)), unread = matrix("b", 1, 3);
    tg_plan *plan = compile(SMALL_2(small_add, y, y), all_on());
    const float values[] = {1, 2, 3};
    ck_assert_int_eq(count_ops(plan, &nothing), 0);
    ck_assert_int_eq(tg_feed(plan, a, values, sizeof values), TG_OK);
    ck_assert_int_eq(tg_feed(plan, unread, values, sizeof values), TG_OK);
    ck_assert_int_eq(tg_run(plan), TG_OK);
    ck_assert(((const float *)tg_values(plan, y))[2] == 3);
    tg_plan_free(plan);
}
END_TEST

/* An op without a function for what it was recorded with. */
static tg_block_fn no_block(const tg_work *work)
{
    (void)work;
    return NULL;
}
static const tg_op blockless = {.name = "blockless",
                                .traits = TG_POINTWISE,
                                .min_inputs = 1,
                                .max_inputs = 1,
                                .shape = tg_shape_pointwise,
                                .block = no_block};
static const tg_op runless = {.name = "runless", .min_inputs = 1, .max_inputs = 1, .shape = small_same_shape};

START_TEST(what_cannot_run_does_not_compile)
{
    tg_tensor a = matrix("a", 2, 3), y = _i == 0 ? SMALL_1(blockless, a) : SMALL_1(runless, a);
    ck_assert_ptr_null(tg_compile(graph, y));
    ck_assert_ptr_nonnull(strstr(tg_graph_error(graph),
                                 _i == 0 ? "blockless has no function that computes [2, 3] f32 (" : "runless has no function"));
    ck_assert_ptr_nonnull(strstr(tg_graph_error(graph), "test_passes.c:"));
}
END_TEST

/* Looking at a value, one learns why it cannot be computed. */
START_TEST(what_cannot_run_cannot_be_looked_at)
{
    float values[6];
    tg_tensor y = _i == 0 ? SMALL_1(blockless, matrix("a", 2, 3)) : SMALL_1(mistyped, matrix("a", 2, 3));
    ck_assert_int_eq(tg_eval(y, values, sizeof values), TG_ERROR_GRAPH);
    ck_assert_ptr_nonnull(tg_graph_error(graph));
    ck_assert_ptr_nonnull(strstr(tg_graph_error(graph), _i == 0 ? "blockless has no function" : "changes the result's type"));
    ck_assert_ptr_nonnull(strstr(tg_graph_error(graph), "test_passes.c:"));
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("passes");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, dead_code_goes);
    tcase_add_test(tests, places_and_names_survive);
    tcase_add_test(tests, equal_nodes_stand_once);
    tcase_add_test(tests, merged_handles_can_be_read);
    tcase_add_test(tests, rules_apply_by_class);
    tcase_add_test(tests, endless_rules_end);
    tcase_add_test(tests, a_rule_that_changes_the_type_is_named);
    tcase_add_test(tests, a_rule_may_drop_a_node);
    tcase_add_loop_test(tests, what_cannot_run_does_not_compile, 0, 2);
    tcase_add_loop_test(tests, what_cannot_run_cannot_be_looked_at, 0, 2);
    return harness_run("passes", tests);
}
