#include "contraction.h"
#include "ops/attributes.h"
#include "ops/kernel_set.h"
#include "ops/kernels/matmul.h"
#include "ops/op_entries.h"
#include "ops/ops.h"
#include "workbench.h"

typedef struct product {
    int64_t m, k, n;
    bool transpose_a, transpose_b;
} product;

static contraction begin(tg_isa isa, const product *p, const tg_matmul_attributes *attributes, const void *a, const void *b,
                         tg_dtype dtype)
{
    tg_shape left = p->transpose_a ? TG_SHAPE(p->k, p->m) : TG_SHAPE(p->m, p->k);
    tg_shape right = p->transpose_b ? TG_SHAPE(p->n, p->k) : TG_SHAPE(p->k, p->n);
    return (contraction){
        .op = &tg_op_matmul, .isa = isa, .inputs = {{dtype, left}, {dtype, right}}, .values = {a, b}, .attributes = attributes};
}

static int64_t a_at(const product *p, int64_t row, int64_t k) { return p->transpose_a ? k * p->m + row : row * p->k + k; }
static int64_t b_at(const product *p, int64_t k, int64_t column)
{
    return p->transpose_b ? column * p->k + k : k * p->n + column;
}

/* One chain for each element, from +0 in order of k, and +0 at the end. */
static float *chains(tg_isa isa, const product *p, const float *a, const float *b)
{
    float *c = malloc((size_t)(p->m * p->n + 1) * sizeof *c);
    for (int64_t i = 0; i < p->m * p->n; i++) {
        float sum = 0;
        for (int64_t k = 0; k < p->k; k++)
            sum = contraction_term(isa, a[a_at(p, i / p->n, k)], b[b_at(p, k, i % p->n)], sum);
        c[i] = sum + 0.0f;
    }
    return c;
}

static void expect_close(tg_isa isa, const product *p, const float *a, const float *b, const float *got)
{
    for (int64_t i = 0; i < p->m * p->n; i++) {
        double sum = 0, scale = 0;
        for (int64_t k = 0; k < p->k; k++) {
            double term = (double)a[a_at(p, i / p->n, k)] * b[b_at(p, k, i % p->n)];
            sum += term;
            scale += fabs(term);
        }
        ck_assert_msg(fabs(got[i] - sum) <= tg_op_matmul.tolerance * 0x1p-23 * scale,
                      "%s, %lldx%lldx%lld: element %lld is %.9g, not %.9g", tg_isa_name(isa), (long long)p->m, (long long)p->k,
                      (long long)p->n, (long long)i, got[i], sum);
    }
}

static void check_product(tg_isa isa, const product *p)
{
    tg_matmul_attributes attributes = {p->transpose_a, p->transpose_b};
    float *a = contraction_draw(TG_SHAPE(p->m * p->k), 1), *b = contraction_draw(TG_SHAPE(p->k * p->n), 2);
    contraction c = begin(isa, p, &attributes, a, b, TG_F32);
    float *expected = chains(isa, p, a, b);
    contraction_check(&c, expected, "one chain in order of k");
    expect_close(isa, p, a, b, expected);
    free(a);
    free(b);
    free(expected);
}

/* On both sides of each width, each tile and each block of every instruction set. */
START_TEST(products_are_one_chain_for_each_element)
{
    static const int64_t m[] = {1, 2, 5, 6, 7, 12, 13, 25, 64}, n[] = {1, 3, 4, 7, 10, 16, 17, 33, 50, 64, 65, 100},
                         k[] = {1, 2, 9, 50};
    for (size_t i = 0; i < sizeof m / sizeof *m; i++)
        for (size_t j = 0; j < sizeof n / sizeof *n; j++)
            for (int t = 0; t < 4; t++)
                check_product((tg_isa)_i, &(product){m[i], k[(i + j) % 4], n[j], t & 1, t >> 1});
}
END_TEST

START_TEST(long_and_wide_products_are_cut_without_a_trace)
{
    static const product products[] = {{3, 1025, 20, false, false},  {20, 2100, 5, true, false},   {9, 1500, 300, false, false},
                                       {40, 1030, 257, true, true},  {9, 20, 520, true, false},    {8, 33, 1100, false, false},
                                       {70, 3, 700, false, true},    {400, 2, 100, false, false},  {700, 9, 1, true, false},
                                       {700, 9, 1, true, true},      {900, 30, 10, true, false},   {160, 2100, 3, true, false},
                                       {600, 5, 530, false, false},  {1, 784, 100, false, false},  {128, 100, 50, false, false},
                                       {513, 7, 2050, false, false}, {1030, 6, 2050, true, false}, {514, 5, 2050, false, true}};
    for (size_t i = 0; i < sizeof products / sizeof *products; i++)
        check_product((tg_isa)_i, &products[i]);
}
END_TEST

static float *run_plan(const tg_matmul_plan *plan, const float *a, const float *b)
{
    float *c = malloc((size_t)(plan->size.m * plan->size.n) * sizeof *c);
    float *packed = malloc((size_t)(tg_matmul_packed(plan) + 1) * sizeof *packed);
    float *scratch = malloc((size_t)(tg_matmul_scratch(plan) + 1) * sizeof *scratch);
    for (int64_t i = 0; i < plan->panels.count && plan->pack_right; i++)
        tg_matmul_pack(plan, b, packed, i);
    for (int64_t task = 0; task < plan->row_tasks * plan->column_tasks; task++)
        tg_matmul_run(plan, (tg_matmul_left){.floats = a}, plan->pack_right ? packed : b, c, task, scratch);
    free(packed);
    free(scratch);
    return c;
}

/* Over several blocks of k, and panels with idle columns. */
START_TEST(panels_packed_late_are_those_packed_before)
{
    bool strongest = _i + 1 == TG_ISA_COUNT || !tg_isa_available((tg_isa)(_i + 1)); /* the others would take long */
    const tg_matmul_size size = {.m = 1024, .n = 1930, .k = strongest ? 1030 : 30, .transpose_a = true, .transpose_b = true};
    tg_matmul_plan before = tg_matmul_plan_make(tg_kernels_for((tg_isa)_i), size, 1e7), late = before;
    tg_matmul_plan_pack_late(&late);
    ck_assert(before.pack_right && late.pack_late && !late.pack_right && (late.depth < size.k) == strongest);
    float *a = contraction_draw(TG_SHAPE(size.m, size.k), 1), *b = contraction_draw(TG_SHAPE(size.n, size.k), 2);
    float *expected = run_plan(&before, a, b), *got = run_plan(&late, a, b);
    ck_assert_mem_eq(got, expected, (size_t)(size.m * size.n) * sizeof *got);
    free(a);
    free(b);
    free(expected);
    free(got);
}
END_TEST

START_TEST(nothing_is_summed_to_zeros)
{
    static const product products[] = {
        {3, 0, 5, false, false}, {20, 0, 300, true, true}, {0, 4, 5, false, false}, {4, 4, 0, false, true}};
    for (size_t i = 0; i < sizeof products / sizeof *products; i++)
        check_product((tg_isa)_i, &products[i]);
}
END_TEST

/* A run flushes what is too small to zero, and keeps its sign. */
START_TEST(sums_never_end_in_minus_zero)
{
    workbench w = workbench_open_on((tg_isa)_i, 1, TG_F32);
    tg_tensor tiny = tg_full(tg_constant(w.graph, TG_F32, TG_SCALAR, &(float){0}, sizeof(float)), TG_SHAPE(5, 1), 0x1p-100);
    double *got = workbench_eval(tg_matmul(tiny, tg_full(tiny, TG_SHAPE(1, 17), -0x1p-40)));
    for (int i = 0; i < 5 * 17; i++)
        ck_assert_msg(got[i] == 0 && !signbit(got[i]), "element %d is %g", i, got[i]);
    free(got);
    workbench_close(&w);
}
END_TEST

/* A tile reads whole vectors beyond a row's end, but their values stay out of the result. */
START_TEST(a_nan_stays_in_its_row_and_column)
{
    product p = {14, 30, 21, false, false};
    tg_matmul_attributes attributes = {0, 0};
    float *a = contraction_draw(TG_SHAPE(p.m * p.k), 1), *b = contraction_draw(TG_SHAPE(p.k * p.n), 2);
    a[7 * p.k + 3] = NAN;
    b[29 * p.n + 20] = INFINITY;
    contraction c = begin((tg_isa)_i, &p, &attributes, a, b, TG_F32);
    float *got = contraction_run(&c, false);
    for (int64_t i = 0; i < p.m * p.n; i++)
        ck_assert_msg(isfinite(got[i]) == (i / p.n != 7 && i % p.n != 20), "element %lld is %g", (long long)i, got[i]);
    free(a);
    free(b);
    free(got);
}
END_TEST

START_TEST(batches_broadcast)
{
    workbench w = workbench_open_on((tg_isa)_i, 2, TG_F32);
    tg_tensor a = workbench_random(&w, TG_F32, TG_SHAPE(2, 1, 5, 7), -1, 1, 1),
              b = workbench_random(&w, TG_F32, TG_SHAPE(3, 7, 18), -1, 1, 2);
    double *left = workbench_eval(a), *right = workbench_eval(b), *got = workbench_eval(tg_matmul(a, b));
    for (int64_t at = 0; at < 2 * 3 * 5 * 18; at++) {
        int64_t column = at % 18, row = at / 18 % 5, i = at / 90 / 3, j = at / 90 % 3;
        double sum = 0;
        for (int64_t k = 0; k < 7; k++)
            sum += left[(i * 5 + row) * 7 + k] * right[(j * 7 + k) * 18 + column];
        ck_assert_double_eq_tol(got[at], sum, 1e-5);
    }
    free(left);
    free(right);
    free(got);
    workbench_close(&w);
}
END_TEST

START_TEST(f64_keeps_f64)
{
    product p = {5, 40, 9, true, true};
    tg_matmul_attributes attributes = {1, 1};
    float *a = contraction_draw(TG_SHAPE(p.m * p.k), 1), *b = contraction_draw(TG_SHAPE(p.k * p.n), 2);
    double *left = contraction_widen(a, p.m * p.k), *right = contraction_widen(b, p.k * p.n);
    left[0] += 0x1p-50;
    contraction c = begin(TG_ISA_BASELINE, &p, &attributes, left, right, TG_F64);
    double *got = contraction_run(&c, false), sum = 0;
    for (int64_t k = 0; k < p.k; k++)
        sum += left[a_at(&p, 0, k)] * right[b_at(&p, k, 0)];
    ck_assert_double_eq(got[0], sum);
    free(a);
    free(b);
    free(left);
    free(right);
    free(got);
}
END_TEST

static void expect_error(tg_tensor (*record)(tg_graph *graph), const char *words)
{
    workbench w = workbench_open(TG_F32);
    ck_assert(!tg_ok(record(w.graph)));
    ck_assert_msg(strstr(tg_graph_error(w.graph), words) != NULL, "\"%s\" lacks \"%s\"", tg_graph_error(w.graph), words);
    workbench_close(&w);
}

static tg_tensor product_of(tg_graph *g, tg_shape a, tg_dtype a_type, tg_shape b, tg_matmul_options options)
{
    return tg_matmul_with(tg_input(g, "a", a_type, a), tg_input(g, "b", TG_F32, b), options);
}

static tg_tensor of_mismatch(tg_graph *g)
{
    return product_of(g, TG_SHAPE(3, 4), TG_F32, TG_SHAPE(5, 4), (tg_matmul_options){0});
}
static tg_tensor of_transposed(tg_graph *g)
{
    return product_of(g, TG_SHAPE(3, 4), TG_F32, TG_SHAPE(5, 4), (tg_matmul_options){.transpose_a = true, .transpose_b = true});
}
static tg_tensor of_vector(tg_graph *g) { return product_of(g, TG_SHAPE(3, 4), TG_F32, TG_SHAPE(4), (tg_matmul_options){0}); }
static tg_tensor of_batches(tg_graph *g)
{
    return product_of(g, TG_SHAPE(2, 3, 4), TG_F32, TG_SHAPE(3, 4, 5), (tg_matmul_options){0});
}
static tg_tensor of_integers(tg_graph *g)
{
    return product_of(g, TG_SHAPE(3, 4), TG_I32, TG_SHAPE(4, 5), (tg_matmul_options){0});
}

START_TEST(mistakes_are_told_in_words)
{
    expect_error(of_mismatch, "the left side has 4 columns, but the right side has 5 rows");
    expect_error(of_transposed, "the left side, transposed, has 3 columns, but the right side, transposed, has 4 rows");
    expect_error(of_vector, "operand 1 has rank 1");
    expect_error(of_batches, "the axes before the last two do not broadcast");
    expect_error(of_integers, "the operands are i32 and f32");
}
END_TEST

START_TEST(transposed_operands_are_read_where_they_lie)
{
    workbench w = workbench_open(TG_F32);
    tg_tensor a = workbench_random(&w, TG_F32, TG_SHAPE(2, 9, 5), -1, 1, 1),
              b = workbench_random(&w, TG_F32, TG_SHAPE(2, 7, 9), -1, 1, 2);
    tg_tensor y = tg_matmul(tg_transpose(a, TG_AXES(0, 2, 1)), tg_transpose(b, TG_AXES(0, 2, 1)));
    tg_tensor direct = tg_matmul_with(a, b, (tg_matmul_options){true, true}), elsewhere = tg_transpose(a, TG_AXES(1, 0, 2));
    tg_plan *plan = tg_compile(w.graph, y, direct);
    ck_assert_ptr_nonnull(plan);
    ck_assert_int_eq(contraction_count_op(plan, &tg_op_transpose), 0);
    ck_assert_int_eq(contraction_count_op(plan, &tg_op_matmul), 1);
    ck_assert_int_eq(tg_run(plan), TG_OK);
    ck_assert_int_eq(memcmp(tg_values(plan, y), tg_values(plan, direct), 2 * 5 * 7 * sizeof(float)), 0);
    tg_plan_free(plan);
    plan = tg_compile(w.graph, tg_matmul(elsewhere, workbench_random(&w, TG_F32, TG_SHAPE(5, 3), -1, 1, 3)));
    ck_assert_int_eq(contraction_count_op(plan, &tg_op_transpose), 1);
    tg_plan_free(plan);
    workbench_close(&w);
}
END_TEST

/* A layer on a sequence: its kernel's gradient is one product over all steps of all sequences. */
START_TEST(a_shared_right_side_has_one_product_as_its_gradient)
{
    workbench w = workbench_open(TG_F64);
    tg_tensor x = workbench_random(&w, TG_F64, TG_SHAPE(3, 4, 5), -1, 1, 1),
              k = workbench_random(&w, TG_F64, TG_SHAPE(5, 6), -1, 1, 2);
    tg_tensor weights = workbench_random(&w, TG_F64, TG_SHAPE(3, 4, 6), -1, 1, 3);
    tg_tensor gradient = tg_gradient(tg_sum(tg_mul(tg_matmul(x, k), weights), TG_ALL_AXES), k);
    double *in = workbench_eval(x), *g = workbench_eval(weights), *got = workbench_eval(gradient);
    for (int at = 0; at < 5 * 6; at++) {
        double sum = 0;
        for (int row = 0; row < 3 * 4; row++)
            sum += in[row * 5 + at / 6] * g[row * 6 + at % 6];
        ck_assert_double_eq_tol(got[at], sum, 1e-13);
    }
    tg_plan *plan = tg_compile(w.graph, gradient);
    ck_assert_int_eq(contraction_count_op(plan, &tg_op_matmul), 1);
    ck_assert_int_eq(contraction_count_op(plan, &tg_op_sum), 0);
    tg_plan_free(plan);
    free(in);
    free(g);
    free(got);
    workbench_close(&w);
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("matmul");
    contraction_add_for_each_set(tests, products_are_one_chain_for_each_element);
    contraction_add_for_each_set(tests, long_and_wide_products_are_cut_without_a_trace);
    contraction_add_for_each_set(tests, panels_packed_late_are_those_packed_before);
    contraction_add_for_each_set(tests, nothing_is_summed_to_zeros);
    contraction_add_for_each_set(tests, sums_never_end_in_minus_zero);
    contraction_add_for_each_set(tests, a_nan_stays_in_its_row_and_column);
    contraction_add_for_each_set(tests, batches_broadcast);
    tcase_add_test(tests, f64_keeps_f64);
    tcase_add_test(tests, mistakes_are_told_in_words);
    tcase_add_test(tests, transposed_operands_are_read_where_they_lie);
    tcase_add_test(tests, a_shared_right_side_has_one_product_as_its_gradient);
    return harness_run("matmul", tests);
}
