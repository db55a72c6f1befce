#include <string.h>

#include "exec/compile.h"
#include "exec/walk.h"
#include "harness.h"
#include "small_ops.h"

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
    tg_context_free(context);
}

static tg_tensor matrix(const char *name, int64_t rows, int64_t columns)
{
    return tg_input(graph, name, TG_F32, TG_SHAPE(rows, columns));
}

static tg_plan *compile(tg_tensor root, tg_compile_options options)
{
    tg_plan *plan = tg_compile_roots(graph, &root, 1, options);
    ck_assert_msg(plan != NULL, "%s", tg_graph_error(graph));
    return plan;
}

static tg_compile_options all_on(void)
{
    return tg_compile_defaults(context);
}

static int count_ops(const tg_plan *plan, const tg_op *op)
{
    int n = 0;
    for (int32_t id = 0; id < tg_graph_count(tg_plan_graph(plan)); id++)
        n += tg_graph_node(tg_plan_graph(plan), id)->op == op;
    return n;
}

static const tg_node *find_op(const tg_plan *plan, const tg_op *op)
{
    for (int32_t id = 0; id < tg_graph_count(tg_plan_graph(plan)); id++)
        if (tg_graph_node(tg_plan_graph(plan), id)->op == op)
            return tg_graph_node(tg_plan_graph(plan), id);
    return NULL;
}

/* The group of the only node with this op. */
static int32_t group_of(const tg_plan *plan, const tg_op *op)
{
    ck_assert_int_eq(count_ops(plan, op), 1);
    return tg_plan_group(plan, find_op(plan, op)->id);
}

static void fill(float *values, int64_t n, float scale)
{
    for (int64_t i = 0; i < n; i++)
        values[i] = (float)(i * 29 % 97 - 48) * scale;
}

/* Runs with the inputs bound, and compares the root bit by bit with what the plan gives without any pass. */
static void check_against_plain(tg_tensor root, const tg_plan *plan)
{
    static float expected[1 << 16];
    size_t bytes = (size_t)tg_type_bytes(tg_tensor_type(root));
    ck_assert_uint_le(bytes, sizeof expected);
    tg_plan *plain = compile(root, (tg_compile_options){.simplify = false});
    ck_assert_int_eq(tg_run(plain), TG_OK);
    ck_assert_int_eq(tg_read(plain, root, expected, bytes), TG_OK);
    tg_plan_free(plain);
    ck_assert_int_eq(tg_run((tg_plan *)plan), TG_OK);
    ck_assert_mem_eq(tg_values(plan, root), expected, bytes);
}

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
    tg_tensor first = SMALL_2(small_mul, SMALL_2(small_add, a, b), tg_scalar(a, 3)), second = SMALL_2(small_mul, SMALL_2(small_add, a, b), tg_scalar(a, 3));
    tg_tensor other = SMALL_2(small_mul, SMALL_2(small_add, b, a), tg_scalar(a, 3)), y = SMALL_3(small_fma, first, second, other);
    tg_tensor rows = SMALL_2(small_add, small_take_rows(y, 0, 1), SMALL_2(small_add, small_take_rows(y, 1, 1), small_take_rows(y, 0, 1)));
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
    tg_tensor a = matrix("a", 1, 2), first = tg_keep(SMALL_1(small_neg, a)), second = tg_keep(SMALL_1(small_neg, a)), y = SMALL_2(small_add, first, second);
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
static tg_tensor double_to_add(const tg_rewrite_args *args)
{
    return SMALL_2(small_add, args->inputs[0], args->inputs[0]);
}
static const tg_rewrite_rule double_rules[] = {{"double(x) -> 2 x", TG_ROUNDS, 1, double_to_mul}, {"double(x) -> x + x", TG_EXACT, 0, double_to_add}};
static const tg_op doubled = {.name = "double", .traits = TG_POINTWISE, .min_inputs = 1, .max_inputs = 1, .shape = tg_shape_pointwise,
                              .block = small_square_block, .rewrites = double_rules, .n_rewrites = 2};

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
static const tg_op endless = {.name = "endless", .traits = TG_POINTWISE, .min_inputs = 1, .max_inputs = 1, .shape = tg_shape_pointwise,
                              .block = small_neg_block, .rewrites = endless_rules, .n_rewrites = 1};
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

static tg_tensor to_sum(const tg_rewrite_args *args)
{
    return SMALL_1(small_sum, args->inputs[0]);
}
static const tg_rewrite_rule mistyped_rules[] = {{"mistyped(x) -> sum(x)", TG_EXACT, 0, to_sum}};
static const tg_op mistyped = {.name = "mistyped", .traits = TG_POINTWISE, .min_inputs = 1, .max_inputs = 1, .shape = tg_shape_pointwise,
                            .block = small_neg_block, .rewrites = mistyped_rules, .n_rewrites = 1};

START_TEST(a_rule_that_changes_the_type_is_named)
{
    tg_tensor y = SMALL_1(mistyped, matrix("a", 2, 2));
    ck_assert_ptr_null(tg_compile(graph, y));
    ck_assert_ptr_nonnull(strstr(tg_graph_error(graph), "mistyped: the rewrite rule \"mistyped(x) -> sum(x)\" changes the result's type"));
    ck_assert_ptr_nonnull(strstr(tg_graph_error(graph), "test_passes.c:"));
}
END_TEST

/* A rule that gives back its input: the node's handle stands for that. */
static tg_tensor to_input(const tg_rewrite_args *args)
{
    return args->inputs[0];
}
static const tg_rewrite_rule nothing_rules[] = {{"nothing(x) -> x", TG_EXACT, 0, to_input}};
static const tg_op nothing = {.name = "nothing", .min_inputs = 1, .max_inputs = 1, .shape = small_same_shape, .run = small_reverse_run,
                              .tasks = small_reverse_tasks, .rewrites = nothing_rules, .n_rewrites = 1};

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

/* ---- fuse ---- */

START_TEST(a_chain_is_one_step)
{
    tg_tensor a = matrix("a", 30, 40), b = matrix("b", 1, 40);
    static float x[1200], y[40];
    fill(x, 1200, 0.1f);
    fill(y, 40, 0.2f);
    ck_assert_int_eq(tg_bind(a, x, sizeof x), TG_OK);
    ck_assert_int_eq(tg_bind(b, y, sizeof y), TG_OK);
    tg_tensor t = SMALL_1(small_neg, SMALL_2(small_mul, SMALL_2(small_add, a, b), tg_scalar(a, 0.5)));
    tg_tensor root = SMALL_3(small_where, SMALL_2(small_less, a, t), t, SMALL_1(small_square, b));
    tg_plan *plan = compile(root, all_on());
    ck_assert_int_eq(tg_plan_describe(plan).steps, 2); /* b's square has another shape */
    ck_assert_int_eq(group_of(plan, &small_less), group_of(plan, &small_where));
    ck_assert_int_eq(group_of(plan, &small_add), 0);
    ck_assert_int_eq(group_of(plan, &small_square), -1);
    check_against_plain(root, plan);
    tg_plan_free(plan);
}
END_TEST

/* t is read by a group and by a reversal: it must be made before both. */
START_TEST(a_value_read_elsewhere_stays_out)
{
    tg_tensor a = matrix("a", 5, 7), t = SMALL_1(small_neg, a), root = SMALL_2(small_add, SMALL_1(small_square, t), SMALL_1(small_reverse, t));
    static float x[35];
    fill(x, 35, 1);
    ck_assert_int_eq(tg_bind(a, x, sizeof x), TG_OK);
    tg_plan *plan = compile(root, all_on());
    ck_assert_int_eq(group_of(plan, &small_neg), -1);
    ck_assert_int_eq(group_of(plan, &small_square), group_of(plan, &small_add));
    check_against_plain(root, plan);
    tg_plan_free(plan);
}
END_TEST

/* What is kept is written out by the way. */
START_TEST(kept_members_are_outputs_of_their_group)
{
    tg_tensor a = matrix("a", 50, 60), t = tg_keep(SMALL_1(small_neg, a)), u = tg_keep(SMALL_1(small_square, t)), root = SMALL_2(small_add, u, t);
    static float x[3000];
    fill(x, 3000, 1);
    ck_assert_int_eq(tg_bind(a, x, sizeof x), TG_OK);
    tg_plan *plan = compile(root, all_on());
    ck_assert_int_eq(tg_plan_describe(plan).steps, 1);
    check_against_plain(root, plan);
    for (int i = 0; i < 3000; i++)
        if (((const float *)tg_values(plan, t))[i] != -x[i] || ((const float *)tg_values(plan, u))[i] != x[i] * x[i])
            ck_abort_msg("element %d", i);
    tg_plan_free(plan);
}
END_TEST

START_TEST(views_and_identities_cost_nothing)
{
    tg_tensor a = matrix("a", 6, 8), flat = small_shaped(&small_reshape, graph, SMALL_1(small_neg, a), TG_SHAPE(48));
    tg_tensor same = small_shaped(&small_broadcast, graph, flat, TG_SHAPE(1, 48)), row = matrix("b", 1, 8);
    tg_tensor wide = small_shaped(&small_reshape, graph, small_shaped(&small_broadcast, graph, row, TG_SHAPE(6, 8)), TG_SHAPE(48));
    tg_tensor root = SMALL_2(small_mul, SMALL_1(small_square, same), wide);
    static float x[48], y[8];
    fill(x, 48, 1);
    fill(y, 8, 1);
    ck_assert_int_eq(tg_bind(a, x, sizeof x), TG_OK);
    ck_assert_int_eq(tg_bind(row, y, sizeof y), TG_OK);
    tg_plan *plan = compile(root, all_on());
    ck_assert_int_eq(tg_plan_describe(plan).steps, 1);
    ck_assert_double_eq(tg_plan_describe(plan).flops, 3 * 48);
    check_against_plain(root, plan);
    tg_plan_free(plan);
}
END_TEST

START_TEST(long_chains_are_cut)
{
    tg_tensor a = matrix("a", 40, 50), y = a;
    static float x[2000];
    fill(x, 2000, 0.01f);
    ck_assert_int_eq(tg_bind(a, x, sizeof x), TG_OK);
    for (int i = 0; i < 1000; i++)
        y = SMALL_3(small_fma, y, tg_scalar(a, 0.5), i % 3 ? a : small_take_rows(a, i % 40, 1));
    tg_plan *plan = compile(y, all_on());
    ck_assert_int_lt(tg_plan_describe(plan).steps, 30);
    check_against_plain(y, plan);
    tg_plan_free(plan);
}
END_TEST

/* Values that all live until the end: registers, and the length of a block, are chosen for it. */
START_TEST(wide_groups)
{
    tg_tensor a = matrix("a", 60, 50), kept[40], y = a;
    static float x[3000];
    fill(x, 3000, 0.01f);
    ck_assert_int_eq(tg_bind(a, x, sizeof x), TG_OK);
    for (int i = 0; i < 40; i++)
        kept[i] = y = SMALL_3(small_fma, y, tg_scalar(a, 0.5), a);
    for (int i = 0; i < 40; i++)
        y = SMALL_2(small_add, y, SMALL_2(small_mul, kept[i], small_take_rows(a, i, 1)));
    tg_plan *plan = compile(y, all_on());
    ck_assert_int_eq(tg_plan_describe(plan).steps, 1);
    check_against_plain(y, plan);
    tg_plan_free(plan);
}
END_TEST

/* ---- epilogues ---- */

START_TEST(a_product_takes_its_epilogue)
{
    tg_tensor a = matrix("a", 33, 20), w = matrix("w", 20, 51), bias = matrix("bias", 1, 51), column = matrix("column", 33, 1), full = matrix("full", 33, 51);
    static float x[5][33 * 51];
    const tg_tensor inputs[] = {a, w, bias, column, full};
    for (int i = 0; i < 5; i++) {
        fill(x[i], 33 * 51, 0.01f * (float)(i + 1));
        ck_assert_int_eq(tg_bind(inputs[i], x[i], (size_t)tg_type_bytes(tg_tensor_type(inputs[i]))), TG_OK);
    }
    tg_tensor product = SMALL_2(small_matmul, a, w), z = SMALL_2(small_add, product, bias);
    tg_tensor y = SMALL_2(small_mul, SMALL_2(small_add, SMALL_1(small_square, z), full), column);
    tg_tensor root = _i == 0 ? y : _i == 1 ? SMALL_3(small_where, SMALL_2(small_less, z, full), y, z) : SMALL_2(small_less, z, full);
    tg_plan *plan = compile(root, all_on());
    ck_assert_int_eq(tg_plan_describe(plan).steps, 1);
    ck_assert_int_eq(group_of(plan, &small_matmul), group_of(plan, _i == 0 ? &small_square : &small_less));
    check_against_plain(root, plan);
    tg_plan_free(plan);
}
END_TEST

START_TEST(a_product_that_is_read_as_it_is_has_no_epilogue)
{
    tg_tensor a = matrix("a", 8, 9), w = matrix("w", 9, 10), product = SMALL_2(small_matmul, a, w), root = SMALL_1(small_square, product);
    static float x[90], y[90];
    fill(x, 90, 0.1f);
    fill(y, 90, 0.2f);
    ck_assert_int_eq(tg_bind(a, x, 72 * 4), TG_OK);
    ck_assert_int_eq(tg_bind(w, y, sizeof y), TG_OK);
    if (_i == 0)
        tg_keep(product);
    else
        root = SMALL_2(small_add, root, SMALL_1(small_reverse, product));
    tg_plan *plan = compile(root, all_on());
    ck_assert_int_eq(group_of(plan, &small_matmul), -1);
    check_against_plain(root, plan);
    tg_plan_free(plan);
}
END_TEST

START_TEST(two_products_one_group)
{
    tg_tensor a = matrix("a", 8, 9), w = matrix("w", 9, 10), v = matrix("v", 9, 10);
    static float x[3][90];
    for (int i = 0; i < 3; i++)
        fill(x[i], 90, 0.1f * (float)(i + 1));
    ck_assert_int_eq(tg_bind(a, x[0], 72 * 4), TG_OK);
    ck_assert_int_eq(tg_bind(w, x[1], sizeof x[1]), TG_OK);
    ck_assert_int_eq(tg_bind(v, x[2], sizeof x[2]), TG_OK);
    tg_tensor root = SMALL_2(small_add, SMALL_2(small_matmul, a, w), SMALL_1(small_square, SMALL_2(small_matmul, a, v)));
    tg_plan *plan = compile(root, all_on());
    ck_assert_int_eq(tg_plan_describe(plan).steps, 2);
    check_against_plain(root, plan);
    tg_plan_free(plan);
}
END_TEST

/* ---- walks and programs ---- */

/* NumPy's rule, element by element. */
static int64_t plain_index(tg_shape from, tg_shape to, int64_t at)
{
    int64_t index = 0, stride = 1;
    for (int32_t axis = 0; axis < to.rank; axis++) {
        int64_t extent = to.dims[to.rank - 1 - axis], own = axis < from.rank ? from.dims[from.rank - 1 - axis] : 1;
        index += own == 1 ? 0 : at % extent * stride;
        stride *= own;
        at /= extent;
    }
    return index;
}

START_TEST(walks_broadcast)
{
    const struct {
        tg_shape from, to;
    } cases[] = {
        {TG_SCALAR, TG_SHAPE(4, 5)}, {TG_SHAPE(5), TG_SHAPE(4, 5)}, {TG_SHAPE(4, 1), TG_SHAPE(4, 5)}, {TG_SHAPE(1, 1), TG_SHAPE(4, 5)},
        {TG_SHAPE(3, 1, 5), TG_SHAPE(3, 4, 5)}, {TG_SHAPE(1, 4, 1), TG_SHAPE(3, 4, 5)}, {TG_SHAPE(3, 4, 1, 1), TG_SHAPE(3, 4, 2, 2)},
        {TG_SHAPE(2, 1, 3, 1, 2), TG_SHAPE(2, 2, 3, 2, 2)}, {TG_SHAPE(1, 3, 1, 2), TG_SHAPE(2, 2, 3, 2, 2)}, {TG_SHAPE(7, 1), TG_SHAPE(7, 1)},
    };
    uint64_t wide[64], got[256];
    for (int i = 0; i < 64; i++)
        wide[i] = 0x0101010101010101u * (uint64_t)(i + 1);
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        tg_walk walk = tg_walk_make(cases[c].from, cases[c].to);
        int64_t n = tg_shape_count(cases[c].to), wrong = 0;
        for (int32_t size = 1; size <= 8; size = size == 1 ? 4 : 2 * size) {
            unsigned char from[64 * 8];
            for (int i = 0; i < 64; i++)
                memcpy(from + i * size, &wide[i], (size_t)size);
            for (int64_t first = 0; first < n; first++)
                for (int64_t count = 1; count <= n - first; count++) {
                    memset(got, 0, sizeof got);
                    tg_walk_fill(&walk, from, size, got, first, count);
                    for (int64_t i = 0; i < count; i++)
                        wrong += memcmp((char *)got + i * size, from + plain_index(cases[c].from, cases[c].to, first + i) * size, (size_t)size) != 0;
                    wrong += ((unsigned char *)got)[count * size] != 0;
                }
        }
        ck_assert_msg(wrong == 0, "case %d", (int)c);
    }
}
END_TEST

/* One program over all kinds of operands, run in spans that begin and end anywhere. */
START_TEST(programs_run_in_any_spans)
{
    enum { ROWS = 40, COLUMNS = 60, N = ROWS * COLUMNS };
    static float full[N], row[COLUMNS], column[ROWS], scalar[1] = {3}, out[N], kept[N];
    static uint8_t flags[N];
    fill(full, N, 0.5f);
    fill(row, COLUMNS, 0.25f);
    fill(column, ROWS, 0.125f);
    tg_pool pool = tg_pool_make(context);
    tg_program *program = tg_program_new(&pool, N, 8, 16);
    tg_shape shape = TG_SHAPE(ROWS, COLUMNS);
    int32_t a = tg_program_read(program, 0, (tg_type){TG_F32, shape}, shape), b = tg_program_read(program, 1, (tg_type){TG_F32, TG_SHAPE(COLUMNS)}, shape);
    int32_t c = tg_program_read(program, 2, (tg_type){TG_F32, TG_SHAPE(ROWS, 1)}, shape), d = tg_program_read(program, 3, (tg_type){TG_F32, TG_SCALAR}, shape);
    ck_assert_int_eq(tg_program_read(program, 1, (tg_type){TG_F32, TG_SHAPE(1, COLUMNS)}, shape), b);
    int32_t t = tg_program_emit(program, (tg_instruction){small_fma_f32, NULL, 3, (int32_t[]){a, d, b}, -1, 4});
    int32_t u = tg_program_emit(program, (tg_instruction){small_mul_f32, NULL, 2, (int32_t[]){t, c}, 5, 4});
    int32_t f = tg_program_emit(program, (tg_instruction){small_less_f32, NULL, 2, (int32_t[]){u, a}, 6, 1});
    tg_program_emit(program, (tg_instruction){small_where_f32, NULL, 3, (int32_t[]){f, t, b}, 4, 4});
    ck_assert(tg_program_finish(program));
    ck_assert_int_eq(tg_program_length(program), 4);
    ck_assert(!tg_program_overwrites(program, 0, 5)); /* a is read again afterwards */
    ck_assert(tg_program_overwrites(program, 0, 4));
    ck_assert(!tg_program_overwrites(program, 1, 4));
    ck_assert(!tg_program_overwrites(program, 0, 6)); /* other elements */
    void *scratch = tg_pool_take(&pool, 1, tg_program_scratch(program));
    void *pointers[] = {full, row, column, scalar, out, kept, flags};
    const int64_t cuts[] = {0, 1, 59, 60, 61, 200, 1024, 1800, 1801, 2399, N};
    tg_program_begin(program, pointers, scratch);
    for (int i = 10; i > 0; i--)
        tg_program_span(program, pointers, scratch, cuts[i - 1], cuts[i] - cuts[i - 1]);
    int wrong = 0;
    for (int i = 0; i < N; i++) {
        float ft = full[i] * 3 + row[i % COLUMNS], fu = ft * column[i / COLUMNS];
        wrong += kept[i] != fu || flags[i] != (fu < full[i]) || out[i] != (flags[i] ? ft : row[i % COLUMNS]);
    }
    ck_assert_int_eq(wrong, 0);
    tg_pool_free(&pool);
}
END_TEST

START_TEST(a_program_that_only_spreads)
{
    static float row[70], out[30 * 70];
    fill(row, 70, 1);
    tg_pool pool = tg_pool_make(context);
    tg_program *program = tg_program_new(&pool, 30 * 70, 1, 1);
    int32_t from = tg_program_read(program, 0, (tg_type){TG_F32, TG_SHAPE(70)}, TG_SHAPE(30, 70));
    tg_program_emit(program, (tg_instruction){NULL, NULL, 1, &from, 1, 4});
    ck_assert(tg_program_finish(program));
    void *scratch = tg_pool_take(&pool, 1, tg_program_scratch(program)), *pointers[] = {row, out};
    int64_t task = tg_program_task(program);
    for (int64_t first = 0; first < 30 * 70; first += task) {
        tg_program_begin(program, pointers, scratch);
        tg_program_span(program, pointers, scratch, first, 30 * 70 - first < task ? 30 * 70 - first : task);
    }
    for (int i = 0; i < 30; i++)
        ck_assert_mem_eq(out + i * 70, row, sizeof row);
    tg_pool_free(&pool);
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
    tcase_add_test(tests, a_chain_is_one_step);
    tcase_add_test(tests, a_value_read_elsewhere_stays_out);
    tcase_add_test(tests, kept_members_are_outputs_of_their_group);
    tcase_add_test(tests, views_and_identities_cost_nothing);
    tcase_add_test(tests, long_chains_are_cut);
    tcase_add_test(tests, wide_groups);
    tcase_add_loop_test(tests, a_product_takes_its_epilogue, 0, 3);
    tcase_add_loop_test(tests, a_product_that_is_read_as_it_is_has_no_epilogue, 0, 2);
    tcase_add_test(tests, two_products_one_group);
    tcase_add_test(tests, walks_broadcast);
    tcase_add_test(tests, programs_run_in_any_spans);
    tcase_add_test(tests, a_program_that_only_spreads);
    return harness_run("passes", tests);
}
