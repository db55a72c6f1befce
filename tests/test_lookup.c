#include "autodiff/autodiff.h"
#include "contraction.h"
#include "ops/attributes.h"
#include "ops/kernel_set.h"
#include "ops/kernels/skip_run.h"
#include "ops/op_entries.h"
#include "workbench.h"

typedef struct product {
    int64_t m, k, n;
    bool transposed;
} product;

/* Bytes of which this share is not 0. */
static uint8_t *draw_bytes(int64_t n, double share, uint64_t seed)
{
    uint8_t *bytes = calloc((size_t)n + 1, 1);
    for (int64_t i = 0; i < n; i++) {
        uint32_t bits[4];
        tg_philox(seed, 0, (uint64_t)i, bits);
        if (tg_philox_uniform(bits[0]) < share)
            bytes[i] = (uint8_t)(1 + bits[1] % 255);
    }
    return bytes;
}

static int64_t x_at(const product *p, int64_t row, int64_t k) { return p->transposed ? k * p->m + row : row * p->k + k; }

/* One chain of all terms for each element, from +0 in order of k, and +0 at the end. */
static float *chains(tg_isa isa, const product *p, const float *table, const uint8_t *x, const float *b)
{
    float *c = malloc((size_t)(p->m * p->n + 1) * sizeof *c);
    for (int64_t i = 0; i < p->m * p->n; i++) {
        float sum = 0;
        for (int64_t k = 0; k < p->k; k++)
            sum = contraction_term(isa, table[x[x_at(p, i / p->n, k)]], b[k * p->n + i % p->n], sum);
        c[i] = sum + 0.0f;
    }
    return c;
}

static void check_values(tg_isa isa, const product *p, const float *table, const uint8_t *x, const float *b, const char *what)
{
    tg_lookup_attributes attributes = {p->transposed};
    contraction c = {.op = &tg_op_lookup_matmul,
                     .isa = isa,
                     .n_inputs = 3,
                     .inputs = {{TG_F32, TG_SHAPE(256)},
                                {TG_U8, p->transposed ? TG_SHAPE(p->k, p->m) : TG_SHAPE(p->m, p->k)},
                                {TG_F32, TG_SHAPE(p->k, p->n)}},
                     .values = {table, x, b},
                     .attributes = &attributes};
    float *expected = chains(isa, p, table, x, b);
    contraction_check(&c, expected, what);
    free(expected);
}

static bool pays(tg_isa isa, const product *p, const float *table, const uint8_t *x)
{
    tg_matmul_size size = {.m = p->m, .n = p->n, .k = p->k, .transpose_a = p->transposed, .lookup = true};
    tg_skip_plan plan = tg_skip_plan_make(tg_kernels_for(isa), size);
    return tg_skip_pays(&plan, x, table);
}

/* On both sides of blocks, masks, panels and pairs of rows. */
static const product products[] = {{1, 64, 1, false},      {2, 65, 17, false},    {33, 130, 100, false}, {3, 128, 129, false},
                                   {70, 784, 100, false},  {16, 70, 7, false},    {64, 64, 16, true},    {65, 128, 100, true},
                                   {129, 63, 33, true},    {300, 128, 100, true}, {5, 200, 300, true},   {70, 65, 530, true},
                                   {40, 80, 600, false},   {3, 7, 5, false},      {1, 1, 1, true},       {1, 784, 100, false},
                                   {33, 1100, 210, false}, {2, 100, 2100, false}};
enum { PRODUCTS = sizeof products / sizeof *products };

START_TEST(skipping_changes_no_bit)
{
    static const double shares[] = {0, 0.02, 0.19, 0.3, 1};
    float *table = contraction_draw(TG_SHAPE(256), 7);
    table[0] = 0;
    for (int i = 0; i < PRODUCTS; i++)
        for (size_t s = 0; s < sizeof shares / sizeof *shares; s++) {
            const product *p = &products[i];
            uint8_t *x = draw_bytes(p->m * p->k, shares[s], 3);
            float *b = contraction_draw(TG_SHAPE(p->k * p->n), 2);
            ck_assert_int_eq(pays((tg_isa)_i, p, table, x), shares[s] < 0.5 && p->m * p->k >= 64);
            check_values((tg_isa)_i, p, table, x, b, "a sum of all terms");
            free(x);
            free(b);
        }
    free(table);
}
END_TEST

/* Rows full of zeros beside rows without any: with the right side prepared, each task takes its own way. */
START_TEST(rows_of_both_kinds_keep_their_bits)
{
    const product p = {200, 90, 210, false};
    float *table = contraction_draw(TG_SHAPE(256), 7), *b = contraction_draw(TG_SHAPE(p.k * p.n), 2);
    table[0] = 0;
    uint8_t *x = draw_bytes(p.m * p.k, 0.1, 6), *full = draw_bytes(p.m * p.k, 1, 6);
    memcpy(x + 70 * p.k, full, (size_t)(60 * p.k));
    check_values((tg_isa)_i, &p, table, x, b, "rows of both kinds");
    free(x);
    free(full);
    free(table);
    free(b);
}
END_TEST

/* 0 times them is NaN, which a skipped term would hide. */
START_TEST(a_nan_and_an_infinity_are_not_hidden)
{
    static const float evils[] = {NAN, INFINITY, -INFINITY};
    float *table = contraction_draw(TG_SHAPE(256), 7);
    table[0] = 0;
    for (int i = 0; i < PRODUCTS; i++)
        for (int e = 0; e < 3; e++) {
            const product *p = &products[i];
            uint8_t *x = draw_bytes(p->m * p->k, 0.1, 4);
            float *b = contraction_draw(TG_SHAPE(p->k * p->n), 2);
            b[(p->k - 1) * p->n + p->n / 2] = evils[e];
            b[p->k / 3 * p->n] = evils[(e + 1) % 3];
            check_values((tg_isa)_i, p, table, x, b, "a right side that is not finite");
            free(x);
            free(b);
        }
    free(table);
}
END_TEST

START_TEST(a_byte_0_that_stands_for_no_zero_is_skipped_nowhere)
{
    static const float zeros[] = {0.5F, NAN, -0.0F};
    const product p = {66, 130, 35, true};
    uint8_t *x = draw_bytes(p.m * p.k, 0.1, 5);
    float *table = contraction_draw(TG_SHAPE(256), 7), *b = contraction_draw(TG_SHAPE(p.k * p.n), 2);
    for (int i = 0; i < 3; i++) {
        table[0] = zeros[i];
        ck_assert_int_eq(pays((tg_isa)_i, &p, table, x), i == 2);
        check_values((tg_isa)_i, &p, table, x, b, "another zero");
    }
    table[9] = INFINITY;
    check_values((tg_isa)_i, &p, table, x, b, "an infinity in the table");
    free(x);
    free(table);
    free(b);
}
END_TEST

/* ---- the rule ---- */

/* A layer on bytes: x / 255 by w, and w's gradient, from a product with itself. */
typedef struct layer {
    workbench w;
    tg_tensor roots[2];
} layer;

static layer open_layer(int threads, double share, bool nan)
{
    enum { ROWS = 48, PIXELS = 150, UNITS = 30 };
    layer l = {.w = workbench_open_on(TG_ISA_BEST, threads, TG_F32)};
    uint8_t *bytes = draw_bytes(ROWS * PIXELS, share, 8);
    float *values = contraction_draw(TG_SHAPE(PIXELS * UNITS), 9);
    if (nan)
        values[3 * UNITS + 4] = NAN;
    tg_tensor x = tg_constant(l.w.graph, TG_U8, TG_SHAPE(ROWS, 10, 15), bytes, ROWS * PIXELS);
    tg_tensor w = tg_constant(l.w.graph, TG_F32, TG_SHAPE(PIXELS, UNITS), values, PIXELS * UNITS * sizeof *values);
    tg_tensor scaled = tg_cast(x, TG_F32);
    tg_tensor a = tg_reshape(tg_div(scaled, tg_scalar(scaled, 255)), TG_SHAPE(ROWS, PIXELS));
    l.roots[0] = tg_sigmoid(tg_matmul(a, w));
    ck_assert(tg_gradients(tg_sum(tg_square(l.roots[0]), TG_ALL_AXES), &w, 1, &l.roots[1]));
    free(bytes);
    free(values);
    return l;
}

/* The bytes of both roots; the products of bytes that the plan has. */
static char *run_layer(layer *l, bool simplify, size_t *bytes, int *lookups)
{
    tg_compile_options options = tg_compile_defaults(l->w.context);
    options.simplify = simplify;
    options.check_finite = false;
    tg_plan *plan = tg_compile_roots(l->w.graph, l->roots, 2, options);
    ck_assert_msg(plan != NULL, "%s", tg_graph_error(l->w.graph));
    ck_assert_int_eq(tg_run(plan), TG_OK);
    *lookups = contraction_count_op(plan, &tg_op_lookup_matmul);
    size_t first = (size_t)tg_type_bytes(tg_tensor_type(l->roots[0])),
           second = (size_t)tg_type_bytes(tg_tensor_type(l->roots[1]));
    char *values = malloc(*bytes = first + second);
    memcpy(values, tg_values(plan, l->roots[0]), first);
    memcpy(values + first, tg_values(plan, l->roots[1]), second);
    tg_plan_free(plan);
    return values;
}

START_TEST(products_of_scaled_bytes_become_products_of_bytes)
{
    static const int threads[] = {1, 2, 3, 7};
    static const double shares[] = {0.2, 1};
    for (int i = 0; i < 2; i++)
        for (int t = 0; t < 4; t++) {
            int none, both;
            size_t bytes;
            layer l = open_layer(threads[t], shares[i], false);
            char *plain = run_layer(&l, false, &bytes, &none), *fast = run_layer(&l, true, &bytes, &both);
            ck_assert_int_eq(none, 0);
            ck_assert_int_eq(both, 2);
            ck_assert_msg(memcmp(plain, fast, bytes) == 0, "the bits differ on %d threads", threads[t]);
            free(plain);
            free(fast);
            workbench_close(&l.w);
        }
}
END_TEST

START_TEST(the_rule_keeps_a_nan)
{
    layer l = open_layer(2, 0.2, true);
    int lookups;
    size_t bytes;
    float *values = (float *)(void *)run_layer(&l, true, &bytes, &lookups);
    for (int row = 0; row < 48; row++)
        for (int unit = 0; unit < 30; unit++)
            ck_assert_int_eq(isnan(values[row * 30 + unit]) != 0, unit == 4);
    free(values);
    workbench_close(&l.w);
}
END_TEST

START_TEST(other_products_stay_what_they_are)
{
    workbench w = workbench_open(TG_F32);
    tg_tensor x = workbench_random(&w, TG_U8, TG_SHAPE(32, 100), 0, 3, 1), f = tg_cast(x, TG_F32), d = tg_cast(x, TG_F64);
    tg_tensor right = workbench_random(&w, TG_F32, TG_SHAPE(100, 32), -1, 1, 2), narrow = tg_slice(right, 1, 0, 9, 1);
    tg_tensor mask = workbench_random(&w, TG_F32, TG_SHAPE(32, 100), -1, 1, 3);
    ck_assert_int_eq(workbench_nodes(tg_matmul(f, right), "lookup_matmul", true), 1);
    ck_assert_int_eq(workbench_nodes(tg_matmul(tg_sqrt(f), right), "lookup_matmul", true), 1);
    ck_assert_int_eq(workbench_nodes(tg_matmul(tg_add(f, tg_sqrt(f)), right), "lookup_matmul", true), 0);
    ck_assert_int_eq(workbench_nodes(tg_matmul(tg_mul(f, mask), right), "lookup_matmul", true), 0);
    ck_assert_int_eq(workbench_nodes(tg_matmul(f, narrow), "lookup_matmul", true), 0);
    ck_assert_int_eq(workbench_nodes(tg_matmul(tg_slice(f, 0, 0, 1, 1), right), "lookup_matmul", true), 1);
    tg_matmul_options a_transposed = {.transpose_a = true};
    tg_tensor few = tg_slice(f, 0, 0, 15, 1), many = tg_slice(f, 0, 0, 16, 1);
    ck_assert_int_eq(workbench_nodes(tg_matmul_with(few, tg_slice(right, 0, 0, 15, 1), a_transposed), "lookup_matmul", true), 0);
    ck_assert_int_eq(workbench_nodes(tg_matmul_with(many, tg_slice(right, 0, 0, 16, 1), a_transposed), "lookup_matmul", true), 1);
    ck_assert_int_eq(workbench_nodes(tg_matmul(d, tg_cast(right, TG_F64)), "lookup_matmul", true), 0);
    tg_matmul_options b_transposed = {.transpose_b = true};
    ck_assert_int_eq(workbench_nodes(tg_matmul_with(f, mask, b_transposed), "lookup_matmul", true), 0);
    workbench_close(&w);
}
END_TEST

/* What a plan that leaves w alone predicts, for new bytes and new weights: the bits of one that simplifies nothing. */
START_TEST(prepared_weights_follow_the_variable)
{
    enum { PIXELS = 200, UNITS = 48 };
    static const int64_t rows[] = {1, 3, 15, 100};
    static const int threads[] = {1, 2, 7, 3};
    for (int i = 0; i < 4; i++) {
        workbench w = workbench_open_on((tg_isa)_i, threads[i], TG_F32);
        tg_tensor weights = tg_variable(w.graph, "w", TG_F32, TG_SHAPE(PIXELS, UNITS), (tg_init){.a = 0});
        tg_tensor x = tg_input(w.graph, "x", TG_U8, TG_SHAPE(rows[i], PIXELS)), scaled = tg_cast(x, TG_F32);
        tg_tensor y = tg_sigmoid(tg_matmul(tg_div(scaled, tg_scalar(scaled, 255)), weights));
        tg_compile_options plain = tg_compile_defaults(w.context);
        plain.simplify = false;
        tg_plan *fast = tg_compile(w.graph, y), *slow = tg_compile_roots(w.graph, &y, 1, plain);
        ck_assert_msg(fast && slow, "%s", tg_graph_error(w.graph));
        ck_assert_int_eq(contraction_count_op(fast, &tg_op_lookup_matmul), 1);
        size_t bytes = (size_t)(rows[i] * UNITS) * sizeof(float);
        for (int run = 0; run < 6; run++) {
            uint8_t *values = draw_bytes(rows[i] * PIXELS, run % 2 ? 0.2 : 0.9, (uint64_t)run);
            float *b = contraction_draw(TG_SHAPE(PIXELS * UNITS), 100 + (uint64_t)i + (uint64_t)run / 3);
            ck_assert_int_eq(tg_variables_write(w.variables, "w", b, sizeof *b * PIXELS * UNITS), TG_OK);
            for (int again = 0; again < 2; again++) {
                ck_assert_int_eq(tg_feed(fast, x, values, (size_t)(rows[i] * PIXELS)), TG_OK);
                ck_assert_int_eq(tg_run(fast), TG_OK);
            }
            ck_assert_int_eq(tg_feed(slow, x, values, (size_t)(rows[i] * PIXELS)), TG_OK);
            ck_assert_int_eq(tg_run(slow), TG_OK);
            ck_assert_mem_eq(tg_values(fast, y), tg_values(slow, y), bytes);
            free(values);
            free(b);
        }
        tg_plan_free(fast);
        tg_plan_free(slow);
        workbench_close(&w);
    }
}
END_TEST

/* The rule records while it reads the chain's nodes: it must not matter how many nodes stand before them. */
START_TEST(the_rule_works_at_any_place_on_the_tape)
{
    enum { MOST = 130, K = 64, N = 16 };
    uint8_t *bytes = draw_bytes(2 * K, 0.5, 3);
    float *expected = NULL;
    for (int before = 0; before <= MOST; before++) {
        workbench w = workbench_open(TG_F32);
        tg_tensor x = tg_input(w.graph, "x", TG_U8, TG_SHAPE(2, K)), one = tg_input(w.graph, "one", TG_F32, TG_SHAPE(2, N));
        float ones[2 * N] = {0};
        ck_assert_int_eq(tg_bind(x, bytes, 2 * K), TG_OK);
        ck_assert_int_eq(tg_bind(one, ones, sizeof ones), TG_OK);
        tg_tensor filler = one, b = workbench_random(&w, TG_F32, TG_SHAPE(K, N), -1, 1, 5);
        for (int i = 0; i < before; i++)
            filler = tg_add(filler, one);
        tg_tensor scaled = tg_div(tg_cast(x, TG_F32), tg_scalar(one, 255)), shifted = tg_sub(scaled, tg_scalar(one, 0.5));
        tg_tensor y = tg_add(filler, tg_matmul(tg_square(tg_mul(shifted, tg_scalar(one, 3))), b));
        ck_assert_int_eq(workbench_nodes(y, "lookup_matmul", true), 1);
        float *values = workbench_bytes(y);
        if (expected)
            ck_assert_mem_eq(values, expected, sizeof ones);
        free(expected);
        expected = values;
        workbench_close(&w);
    }
    free(expected);
    free(bytes);
}
END_TEST

START_TEST(wrong_operands_are_named)
{
    workbench w = workbench_open(TG_F32);
    tg_tensor table = workbench_random(&w, TG_F32, TG_SHAPE(255), 0, 1, 1),
              x = workbench_random(&w, TG_U8, TG_SHAPE(3, 4), 0, 9, 1), b = workbench_random(&w, TG_F32, TG_SHAPE(4, 5), 0, 1, 1);
    workbench_expect_error(&w, tg_lookup_matmul(table, x, b, false), "an element for each byte: [256]");
    table = workbench_random(&w, TG_F32, TG_SHAPE(256), 0, 1, 1);
    x = workbench_random(&w, TG_U8, TG_SHAPE(3, 4), 0, 9, 1);
    b = workbench_random(&w, TG_F32, TG_SHAPE(4, 5), 0, 1, 1);
    workbench_expect_error(&w, tg_lookup_matmul(table, x, b, true),
                           "the left side, transposed, has 3 columns, but the right side has 4 rows");
    workbench_close(&w);
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("lookup");
    contraction_add_for_each_set(tests, skipping_changes_no_bit);
    contraction_add_for_each_set(tests, rows_of_both_kinds_keep_their_bits);
    contraction_add_for_each_set(tests, a_nan_and_an_infinity_are_not_hidden);
    contraction_add_for_each_set(tests, a_byte_0_that_stands_for_no_zero_is_skipped_nowhere);
    tcase_add_test(tests, products_of_scaled_bytes_become_products_of_bytes);
    tcase_add_test(tests, the_rule_keeps_a_nan);
    tcase_add_test(tests, other_products_stay_what_they_are);
    contraction_add_for_each_set(tests, prepared_weights_follow_the_variable);
    tcase_add_test(tests, the_rule_works_at_any_place_on_the_tape);
    tcase_add_test(tests, wrong_operands_are_named);
    return harness_run("lookup", tests);
}
