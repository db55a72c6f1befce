#include "exec/walk.h"
#include "pass_fixture.h"

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
    tg_tensor a = matrix("a", 5, 7), t = SMALL_1(small_neg, a),
              root = SMALL_2(small_add, SMALL_1(small_square, t), SMALL_1(small_reverse, t));
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
    tg_tensor a = matrix("a", 50, 60), t = tg_keep(SMALL_1(small_neg, a)), u = tg_keep(SMALL_1(small_square, t)),
              root = SMALL_2(small_add, u, t);
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
    tg_tensor wide =
        small_shaped(&small_reshape, graph, small_shaped(&small_broadcast, graph, row, TG_SHAPE(6, 8)), TG_SHAPE(48));
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
    tg_tensor a = matrix("a", 33, 20), w = matrix("w", 20, 51), bias = matrix("bias", 1, 51), column = matrix("column", 33, 1),
              full = matrix("full", 33, 51);
    static float x[5][33 * 51];
    const tg_tensor inputs[] = {a, w, bias, column, full};
    for (int i = 0; i < 5; i++) {
        fill(x[i], 33 * 51, 0.01f * (float)(i + 1));
        ck_assert_int_eq(tg_bind(inputs[i], x[i], (size_t)tg_type_bytes(tg_tensor_type(inputs[i]))), TG_OK);
    }
    tg_tensor product = SMALL_2(small_matmul, a, w), z = SMALL_2(small_add, product, bias);
    tg_tensor y = SMALL_2(small_mul, SMALL_2(small_add, SMALL_1(small_square, z), full), column);
    tg_tensor root = _i == 0   ? y
                     : _i == 1 ? SMALL_3(small_where, SMALL_2(small_less, z, full), y, z)
                               : SMALL_2(small_less, z, full);
    tg_plan *plan = compile(root, all_on());
    ck_assert_int_eq(tg_plan_describe(plan).steps, 1);
    ck_assert_int_eq(group_of(plan, &small_matmul), group_of(plan, _i == 0 ? &small_square : &small_less));
    check_against_plain(root, plan);
    tg_plan_free(plan);
}
END_TEST

START_TEST(a_product_that_is_read_as_it_is_has_no_epilogue)
{
    tg_tensor a = matrix("a", 8, 9), w = matrix("w", 9, 10), product = SMALL_2(small_matmul, a, w),
              root = SMALL_1(small_square, product);
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

/* ---- twins ---- */

/* y = x, whose twin gives -x along with it. Each may run alone. */
static tg_status twins_run(const tg_work *work, const tg_buffers *buffers, float sign)
{
    int64_t n = tg_shape_count(work->output.shape);
    const float *x = buffers->inputs[0];
    for (int64_t i = 0; i < n; i++) {
        ((float *)buffers->output)[i] = sign * x[i];
        if (buffers->twin)
            ((float *)buffers->twin)[i] = -x[i];
    }
    tg_finish(buffers, 0, n);
    return TG_OK;
}
static tg_status first_twin_run(const tg_work *work, const tg_buffers *buffers, int phase, int64_t task, void *scratch)
{
    (void)phase, (void)task, (void)scratch;
    return twins_run(work, buffers, 1);
}
static tg_status second_twin_run(const tg_work *work, const tg_buffers *buffers, int phase, int64_t task, void *scratch)
{
    (void)phase, (void)task, (void)scratch;
    ck_assert_ptr_null(buffers->twin);
    return twins_run(work, buffers, -1);
}
static const tg_op second_twin = {.name = "second",
                                  .traits = TG_CONTRACTION,
                                  .min_inputs = 1,
                                  .max_inputs = 1,
                                  .shape = tg_shape_pointwise,
                                  .run = second_twin_run};
static const tg_op first_twin = {.name = "first",
                                 .traits = TG_CONTRACTION,
                                 .min_inputs = 1,
                                 .max_inputs = 1,
                                 .shape = tg_shape_pointwise,
                                 .run = first_twin_run,
                                 .twin = &second_twin};

/* Without and with an epilogue at the first one, and with pointwise ops that come after the second: those stay apart. */
START_TEST(twins_run_together)
{
    tg_tensor x = matrix("x", 9, 11);
    static float values[99];
    fill(values, 99, 1);
    ck_assert_int_eq(tg_bind(x, values, sizeof values), TG_OK);
    tg_tensor first = SMALL_1(first_twin, x), squared = SMALL_1(small_square, first), second = SMALL_1(second_twin, x);
    tg_tensor root = _i == 0   ? SMALL_2(small_add, SMALL_1(small_reverse, first), SMALL_1(small_reverse, second))
                     : _i == 1 ? SMALL_2(small_add, SMALL_1(small_reverse, squared), SMALL_1(small_reverse, second))
                               : SMALL_2(small_add, squared, SMALL_1(small_neg, second));
    tg_keep(second);
    tg_plan *plan = compile(root, all_on());
    static const int steps[] = {4, 4, 2};
    ck_assert_int_eq(tg_plan_describe(plan).steps, steps[_i]);
    ck_assert_int_eq(group_of(plan, &first_twin), _i == 1 ? 0 : -1);
    ck_assert_int_eq(group_of(plan, &second_twin), group_of(plan, &first_twin));
    check_against_plain(root, plan);
    for (int i = 0; i < 99; i++)
        if (((const float *)tg_values(plan, second))[i] != -values[i])
            ck_abort_msg("element %d", i);
    tg_plan_free(plan);
}
END_TEST

/* The second one first, and of another input. */
START_TEST(no_twins)
{
    tg_tensor x = matrix("x", 3, 5), z = matrix("z", 3, 5);
    static float values[2][15];
    fill(values[0], 15, 1);
    fill(values[1], 15, 0.5f);
    ck_assert_int_eq(tg_bind(x, values[0], sizeof values[0]), TG_OK);
    ck_assert_int_eq(tg_bind(z, values[1], sizeof values[1]), TG_OK);
    tg_tensor second = _i == 0 ? SMALL_1(second_twin, x) : tg_none(), first = SMALL_1(first_twin, x);
    if (_i == 1)
        second = SMALL_1(second_twin, z);
    tg_tensor root = SMALL_2(small_mul, SMALL_1(small_reverse, first), SMALL_1(small_reverse, second));
    tg_plan *plan = compile(root, all_on());
    ck_assert_int_eq(tg_plan_describe(plan).steps, 5);
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
        {TG_SCALAR, TG_SHAPE(4, 5)},
        {TG_SHAPE(5), TG_SHAPE(4, 5)},
        {TG_SHAPE(4, 1), TG_SHAPE(4, 5)},
        {TG_SHAPE(1, 1), TG_SHAPE(4, 5)},
        {TG_SHAPE(3, 1, 5), TG_SHAPE(3, 4, 5)},
        {TG_SHAPE(1, 4, 1), TG_SHAPE(3, 4, 5)},
        {TG_SHAPE(3, 4, 1, 1), TG_SHAPE(3, 4, 2, 2)},
        {TG_SHAPE(2, 1, 3, 1, 2), TG_SHAPE(2, 2, 3, 2, 2)},
        {TG_SHAPE(1, 3, 1, 2), TG_SHAPE(2, 2, 3, 2, 2)},
        {TG_SHAPE(7, 1), TG_SHAPE(7, 1)},
    };
    uint64_t wide[64], got[256];
    for (int i = 0; i < 64; i++)
        wide[i] = 0x0101010101010101u * (uint64_t)(i + 1);
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        int64_t n = tg_shape_count(cases[c].to), wrong = 0;
        for (int32_t size = 1; size <= 8; size = size == 1 ? 4 : 2 * size) {
            const tg_dtype dtype = size == 1 ? TG_U8 : size == 4 ? TG_I32 : TG_F64;
            tg_walk walk = tg_walk_make((tg_type){dtype, cases[c].from}, cases[c].to);
            unsigned char from[64 * 8];
            for (int i = 0; i < 64; i++)
                memcpy(from + i * size, &wide[i], (size_t)size);
            for (int64_t first = 0; first < n; first++)
                for (int64_t count = 1; count <= n - first; count++) {
                    memset(got, 0, sizeof got);
                    tg_walk_fill(&walk, from, got, first, count);
                    for (int64_t i = 0; i < count; i++)
                        wrong += memcmp((char *)got + i * size, from + plain_index(cases[c].from, cases[c].to, first + i) * size,
                                        (size_t)size) != 0;
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
    int32_t a = tg_program_read(program, 0, (tg_type){TG_F32, shape}, shape),
            b = tg_program_read(program, 1, (tg_type){TG_F32, TG_SHAPE(COLUMNS)}, shape);
    int32_t c = tg_program_read(program, 2, (tg_type){TG_F32, TG_SHAPE(ROWS, 1)}, shape),
            d = tg_program_read(program, 3, (tg_type){TG_F32, TG_SCALAR}, shape);
    ck_assert_int_eq(tg_program_read(program, 1, (tg_type){TG_F32, TG_SHAPE(1, COLUMNS)}, shape), b);
    int32_t t = tg_program_emit(program, (tg_instruction){small_fma_f32, NULL, 3, (int32_t[]){a, d, b}, -1, TG_F32, false, -1});
    int32_t u = tg_program_emit(program, (tg_instruction){small_mul_f32, NULL, 2, (int32_t[]){t, c}, 5, TG_F32, false, -1});
    int32_t f = tg_program_emit(program, (tg_instruction){small_less_f32, NULL, 2, (int32_t[]){u, a}, 6, TG_U8, false, -1});
    tg_program_emit(program, (tg_instruction){small_where_f32, NULL, 3, (int32_t[]){f, t, b}, 4, TG_F32, false, -1});
    ck_assert(tg_program_finish(program));
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
    tg_program_emit(program, (tg_instruction){NULL, NULL, 1, &from, 1, TG_F32, false, -1});
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
    TCase *tests = harness_case("fusion");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_chain_is_one_step);
    tcase_add_test(tests, a_value_read_elsewhere_stays_out);
    tcase_add_test(tests, kept_members_are_outputs_of_their_group);
    tcase_add_test(tests, views_and_identities_cost_nothing);
    tcase_add_test(tests, long_chains_are_cut);
    tcase_add_test(tests, wide_groups);
    tcase_add_loop_test(tests, a_product_takes_its_epilogue, 0, 3);
    tcase_add_loop_test(tests, a_product_that_is_read_as_it_is_has_no_epilogue, 0, 2);
    tcase_add_test(tests, two_products_one_group);
    tcase_add_loop_test(tests, twins_run_together, 0, 3);
    tcase_add_loop_test(tests, no_twins, 0, 2);
    tcase_add_test(tests, walks_broadcast);
    tcase_add_test(tests, programs_run_in_any_spans);
    tcase_add_test(tests, a_program_that_only_spreads);
    return harness_run("fusion", tests);
}
