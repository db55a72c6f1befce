/* The lane functions on every instruction set: exact values, special values, independence of place, bounds, monotonicity. */
#define _GNU_SOURCE
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "harness.h"
#include "ops/kernel_set.h"
#include "ops/op_entries.h"
#include "ops/ops.h"
#include "vector_checks.h"

#define BLOCK 1024

typedef struct reference_row {
    double exact;
    float a, b;
} reference_row;
typedef struct reference_table {
    const tg_op *op;
    const reference_row *rows;
    size_t count;
} reference_table;
#include "reference/pointwise.inc"

static const double slope = 0.25, alpha = 0.75; /* as in the tables */

static const void *attributes_of(const tg_op *op) { return op == &tg_op_leaky_relu ? &slope : op == &tg_op_elu ? &alpha : NULL; }

/* The op's lane function for inputs of these dtypes and an output of its shape rule's dtype. */
static tg_block_fn block_of(const tg_op *op, int n_inputs, const tg_dtype *dtypes, const void *attributes, tg_isa isa,
                            tg_dtype *output)
{
    tg_type types[4];
    for (int i = 0; i < n_inputs; i++)
        types[i] = (tg_type){dtypes[i], TG_SHAPE(BLOCK)};
    tg_infer infer = {.n_inputs = n_inputs, .inputs = types, .attributes = attributes};
    ck_assert_msg(op->shape(&infer), "%s: %s", op->name, infer.message);
    tg_work work = {.n_inputs = n_inputs, .inputs = types, .output = infer.result, .attributes = attributes, .isa = isa};
    *output = infer.result.dtype;
    return op->block(&work);
}

static tg_block_fn float_block(const tg_op *op, tg_dtype dtype, tg_isa isa)
{
    const tg_dtype dtypes[] = {dtype, dtype};
    tg_dtype output;
    return block_of(op, op->min_inputs, dtypes, attributes_of(op), isa, &output);
}

/* The next instruction set that runs here, from `isa` on; TG_ISA_COUNT if there is none. */
static tg_isa available_from(int isa)
{
    while (isa < TG_ISA_COUNT && !tg_isa_available((tg_isa)isa))
        isa++;
    return (tg_isa)isa;
}
#define FOR_EACH_SET(isa) for (tg_isa isa = available_from(0); isa < TG_ISA_COUNT; isa = available_from((int)isa + 1))

START_TEST(every_set_has_its_table)
{
    FOR_EACH_SET(isa)
    ck_assert_str_eq(tg_kernels_for(isa)->set, tg_isa_name(isa));
    ck_assert_int_ne(available_from(0), TG_ISA_COUNT);
    ck_assert_ptr_null(tg_kernels_for(TG_ISA_COUNT));
}
END_TEST

START_TEST(vectors_do_what_the_header_says)
{
    FOR_EACH_SET(isa)
    {
        int line = vector_checks(isa);
        ck_assert_msg(line == 0, "%s: line %d of vector_checks.c", tg_isa_name(isa), line);
    }
}
END_TEST

/* ---- values ---- */

/* |got - exact| <= tolerance eps max(|exact|, least normal); what is below the normal range may come out as 0. */
static bool close_enough(double got, double exact, double tolerance, bool single)
{
    double eps = single ? FLT_EPSILON : DBL_EPSILON, least = single ? FLT_MIN : DBL_MIN, rounded = single ? (float)exact : exact;
    if (isnan(exact) || isnan(got) || isinf(rounded) || isinf(got) || tolerance == 0)
        return isnan(exact) ? isnan(got) : got == rounded;
    return fabs(got - exact) <= tolerance * eps * fmax(fabs(exact), least) || (fabs(exact) < least && fabs(got) <= least);
}

static void check_row(const reference_table *table, const reference_row *row, double got, bool single, const char *where)
{
    double tolerance = table->op->tolerance == 0 ? 0 : table->op->tolerance + !single; /* in f64 `exact` itself is rounded */
    ck_assert_msg(close_enough(got, row->exact, tolerance, single), "%s %s(%a, %a) is %a, not %a", where, table->op->name,
                  (double)row->a, (double)row->b, got, row->exact);
}

START_TEST(f32_values_are_exact_within_tolerance)
{
    static float a[BLOCK], b[BLOCK], y[BLOCK];
    const void *const inputs[] = {a, b};
    FOR_EACH_SET(isa)
    {
        for (size_t t = 0; t < sizeof tables / sizeof *tables; t++) {
            ck_assert_uint_le(tables[t].count, BLOCK);
            for (size_t i = 0; i < tables[t].count; i++)
                a[i] = tables[t].rows[i].a, b[i] = tables[t].rows[i].b;
            float_block(tables[t].op, TG_F32, isa)(y, inputs, (int64_t)tables[t].count, attributes_of(tables[t].op));
            for (size_t i = 0; i < tables[t].count; i++)
                check_row(&tables[t], &tables[t].rows[i], y[i], true, tg_isa_name(isa));
        }
    }
}
END_TEST

START_TEST(f64_values_are_exact_within_tolerance)
{
    static double a[BLOCK], b[BLOCK], y[BLOCK];
    const void *const inputs[] = {a, b};
    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++) {
        for (size_t i = 0; i < tables[t].count; i++)
            a[i] = tables[t].rows[i].a, b[i] = tables[t].rows[i].b;
        float_block(tables[t].op, TG_F64, TG_ISA_BASELINE)(y, inputs, (int64_t)tables[t].count, attributes_of(tables[t].op));
        for (size_t i = 0; i < tables[t].count; i++)
            check_row(&tables[t], &tables[t].rows[i], y[i], false, "f64");
    }
}
END_TEST

START_TEST(odd_functions_keep_the_sign_of_zero)
{
    const tg_op *const odd[] = {&tg_op_sin, &tg_op_tanh, &tg_op_erf, &tg_op_sign, &tg_op_sqrt};
    const float a[] = {-0.0f, 0.0f};
    float y[2];
    FOR_EACH_SET(isa)
    {
        for (size_t k = 0; k < sizeof odd / sizeof *odd; k++) {
            float_block(odd[k], TG_F32, isa)(y, (const void *const[]){a}, 2, NULL);
            ck_assert_msg(y[0] == 0 && signbit(y[0]) && y[1] == 0 && !signbit(y[1]), "%s %s", tg_isa_name(isa), odd[k]->name);
        }
    }
}
END_TEST

START_TEST(comparisons_are_those_of_c)
{
    static const float values[] = {0.0f, -0.0f, 1, -1, 2, FLT_MIN, FLT_MAX, -FLT_MAX, INFINITY, -INFINITY, NAN};
    enum { N = sizeof values / sizeof *values };
    const tg_op *const ops[] = {&tg_op_equal,      &tg_op_not_equal, &tg_op_less,
                                &tg_op_less_equal, &tg_op_greater,   &tg_op_greater_equal};
    float a[N * N], b[N * N];
    uint8_t y[N * N];
    for (int i = 0; i < N * N; i++)
        a[i] = values[i / N], b[i] = values[i % N];
    FOR_EACH_SET(isa)
    {
        for (int k = 0; k < 6; k++) {
            float_block(ops[k], TG_F32, isa)(y, (const void *const[]){a, b}, N * N, NULL);
            for (int i = 0; i < N * N; i++) {
                const bool truth[] = {a[i] == b[i], a[i] != b[i], a[i]<b[i], a[i] <= b[i], a[i]> b[i], a[i] >= b[i]};
                ck_assert_msg(y[i] == truth[k], "%s %s(%g, %g) is %d", tg_isa_name(isa), ops[k]->name, (double)a[i], (double)b[i],
                              y[i]);
            }
        }
    }
}
END_TEST

START_TEST(nan_passes_through)
{
    static float inputs[2][BLOCK], y[BLOCK];
    FOR_EACH_SET(isa)
    {
        for (size_t t = 0; t < sizeof tables / sizeof *tables; t++) {
            const tg_op *op = tables[t].op;
            for (int spoiled = 0; spoiled < op->min_inputs; spoiled++) {
                for (int i = 0; i < 2 * BLOCK; i++)
                    inputs[i / BLOCK][i % BLOCK] = i / BLOCK == spoiled ? NAN : 1.5f;
                float_block(op, TG_F32, isa)(y, (const void *const[]){inputs[0], inputs[1]}, 37, attributes_of(op));
                for (int i = 0; i < 37; i++)
                    ck_assert_msg(isnan(y[i]), "%s %s loses a NaN of input %d", tg_isa_name(isa), op->name, spoiled);
            }
        }
    }
}
END_TEST

/* ---- place ---- */

/* Memory that ends where access faults. */
typedef struct guarded {
    unsigned char *pages, *end;
    size_t bytes;
} guarded;

static guarded guarded_make(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    guarded g = {.bytes = 5 * page};
    while (g.bytes - page < BLOCK * sizeof(double))
        g.bytes += page;
    g.pages = mmap(NULL, g.bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(g.pages, MAP_FAILED);
    g.end = g.pages + g.bytes - page;
    ck_assert_int_eq(mprotect(g.end, page, PROT_NONE), 0);
    return g;
}

/* One call's operands: values that exercise every branch of every function, all NaNs alike. */
static void fill(tg_dtype dtype, int input, void *values)
{
    static const float special[] = {0.0f, -0.0f, 0.3f,  -0.7f,  1,        -1,        3,   -5,     30,      -30,    95,   -95,
                                    1e5f, -2e9f, 1e30f, -1e30f, INFINITY, -INFINITY, NAN, 1e-30f, -1e-30f, 0.999f, 0.62f};
    enum { COUNT = sizeof special / sizeof *special };
    for (int i = 0; i < BLOCK; i++) {
        float x = special[(i * (input + 3) + i / COUNT) % COUNT];
        switch (dtype) {
        case TG_F32: ((float *)values)[i] = x; break;
        case TG_F64: ((double *)values)[i] = x; break;
        case TG_I32: ((int32_t *)values)[i] = i * 40503 * (input + 1) ^ i << 20; break;
        default: ((uint8_t *)values)[i] = (uint8_t)(i * 7 + i / 256) & (i & 8 ? 0 : 255); break;
        }
    }
}

typedef struct call {
    const char *name;
    tg_block_fn block;
    const void *attributes;
    int n_inputs;
    size_t sizes[4], size; /* of an element of inputs and output */
    double inputs[4][BLOCK], whole[BLOCK];
} call;

/* Elements [first, first + n) alone, on memory where nothing lies behind them. */
static void check_part(const call *c, const guarded *memory, int first, int n)
{
    const void *inputs[4];
    for (int i = 0; i < c->n_inputs; i++) {
        unsigned char *to = memory[i].end - (size_t)n * c->sizes[i];
        memcpy(to, (const char *)c->inputs[i] + (size_t)first * c->sizes[i], (size_t)n * c->sizes[i]);
        inputs[i] = to;
    }
    unsigned char *out = memory[4].end - (size_t)n * c->size;
    out[-1] = 0xa5;
    c->block(out, inputs, n, c->attributes);
    const char *expected = (const char *)c->whole + (size_t)first * c->size;
    ck_assert_msg(memcmp(out, expected, (size_t)n * c->size) == 0, "%s: other bits for %d elements from %d on", c->name, n,
                  first);
    ck_assert_msg(out[-1] == 0xa5, "%s: writes before its block", c->name);
    for (int i = 0; i < c->n_inputs; i++) {
        if (c->sizes[i] != c->size)
            continue;
        memcpy(out, inputs[i], (size_t)n * c->size);
        const void *aliased[4];
        memcpy(aliased, inputs, sizeof aliased);
        aliased[i] = out;
        c->block(out, aliased, n, c->attributes);
        ck_assert_msg(memcmp(out, expected, (size_t)n * c->size) == 0, "%s: other bits in place of input %d", c->name, i);
    }
}

static void check_places(const tg_op *op, const tg_sample *sample, tg_dtype working_float, tg_isa isa, const guarded *memory)
{
    static call c;
    tg_dtype dtypes[4], output;
    for (int i = 0; i < sample->n_inputs; i++)
        dtypes[i] = sample->inputs[i].dtype == TG_FLOAT ? working_float : sample->inputs[i].dtype;
    c = (call){.name = op->name, .attributes = sample->attributes, .n_inputs = sample->n_inputs};
    c.block = block_of(op, sample->n_inputs, dtypes, sample->attributes, isa, &output);
    c.size = tg_dtype_size(output);
    for (int i = 0; i < c.n_inputs; i++) {
        c.sizes[i] = tg_dtype_size(dtypes[i]);
        fill(dtypes[i], i, c.inputs[i]);
    }
    c.block(c.whole, (const void *const[]){c.inputs[0], c.inputs[1], c.inputs[2], c.inputs[3]}, BLOCK, c.attributes);
    for (int n = 0; n <= 35; n++)
        check_part(&c, memory, (n * 29) % 700, n);
    check_part(&c, memory, 0, BLOCK);
    check_part(&c, memory, 511, 257);
}

START_TEST(bits_do_not_depend_on_place)
{
    guarded memory[5];
    int count;
    const tg_op_entry *entries = tg_op_entries(&count);
    for (int i = 0; i < 5; i++)
        memory[i] = guarded_make();
    for (int e = 0; e < count; e++)
        for (int s = 0; s < entries[e].n_samples && entries[e].op->block && entries[e].op != &tg_op_broadcast_to; s++)
            FOR_EACH_SET(isa)
            {
                check_places(entries[e].op, &entries[e].samples[s], TG_F32, isa, memory);
                check_places(entries[e].op, &entries[e].samples[s], TG_F64, isa, memory);
            }
    for (int i = 0; i < 5; i++)
        munmap(memory[i].pages, memory[i].bytes);
}
END_TEST

/* ---- integers and casts ---- */

START_TEST(i32_wraps_around)
{
    const tg_dtype dtypes[] = {TG_I32, TG_I32};
    const int32_t a[] = {INT32_MAX, INT32_MIN, 65536, -7}, b[] = {1, 1, 65536, 3};
    const struct {
        const tg_op *op;
        int32_t expected[4];
    } cases[] = {{&tg_op_add, {INT32_MIN, INT32_MIN + 1, 131072, -4}},
                 {&tg_op_sub, {INT32_MAX - 1, INT32_MAX, 0, -10}},
                 {&tg_op_mul, {INT32_MAX, INT32_MIN, 0, -21}},
                 {&tg_op_neg, {-INT32_MAX, INT32_MIN, -65536, 7}},
                 {&tg_op_abs, {INT32_MAX, INT32_MIN, 65536, 7}},
                 {&tg_op_sign, {1, -1, 1, -1}},
                 {&tg_op_square, {1, 0, 0, 49}},
                 {&tg_op_maximum, {INT32_MAX, 1, 65536, 3}},
                 {&tg_op_minimum, {1, INT32_MIN, 65536, -7}}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        int32_t y[4];
        tg_dtype output;
        block_of(cases[k].op, cases[k].op->min_inputs, dtypes, NULL, TG_ISA_BASELINE, &output)(y, (const void *const[]){a, b}, 4,
                                                                                               NULL);
        ck_assert_int_eq(output, TG_I32);
        for (int i = 0; i < 4; i++)
            ck_assert_msg(y[i] == cases[k].expected[i], "%s of %d, %d is %d", cases[k].op->name, a[i], b[i], y[i]);
    }
}
END_TEST

static void cast_to(tg_dtype from, tg_dtype to, const void *values, int n, void *result, tg_isa isa)
{
    int32_t attributes = (int32_t)to;
    tg_dtype output;
    block_of(&tg_op_cast, 1, &from, &attributes, isa, &output)(result, &values, n, &attributes);
    ck_assert_int_eq(output, to);
}

START_TEST(casts_to_integers_truncate_and_saturate)
{
    const float x[] = {2.9f,  -2.9f, -0.5f,    255.5f,    256, 2147483520.0f, 2147483648.0f, -2147483648.0f,
                       -3e9f, 1e30f, INFINITY, -INFINITY, NAN};
    enum { N = sizeof x / sizeof *x };
    const int32_t whole[N] = {2,         -2,        0,         255,       256,       2147483520, INT32_MAX,
                              INT32_MIN, INT32_MIN, INT32_MAX, INT32_MAX, INT32_MIN, 0};
    const uint8_t bytes[N] = {2, 0, 0, 255, 255, 255, 255, 0, 0, 255, 255, 0, 0};
    double wide[N], exact[] = {2147483647.0, 2147483646.9, -2147483648.9};
    int32_t y[N];
    uint8_t u[N];
    for (int i = 0; i < N; i++)
        wide[i] = x[i];
    cast_to(TG_F32, TG_I32, x, N, y, TG_ISA_BASELINE);
    ck_assert_mem_eq(y, whole, sizeof whole);
    cast_to(TG_F64, TG_I32, wide, N, y, TG_ISA_BASELINE);
    ck_assert_mem_eq(y, whole, sizeof whole);
    cast_to(TG_F32, TG_U8, x, N, u, TG_ISA_BASELINE);
    ck_assert_mem_eq(u, bytes, sizeof bytes);
    cast_to(TG_F64, TG_U8, wide, N, u, TG_ISA_BASELINE);
    ck_assert_mem_eq(u, bytes, sizeof bytes);
    cast_to(TG_F64, TG_I32, exact, 3, y, TG_ISA_BASELINE);
    ck_assert(y[0] == INT32_MAX && y[1] == INT32_MAX - 1 && y[2] == INT32_MIN);
    cast_to(TG_I32, TG_U8, (const int32_t[]){-1, 0, 255, 256, INT32_MIN}, 5, u, TG_ISA_BASELINE);
    ck_assert(u[0] == 0 && u[1] == 0 && u[2] == 255 && u[3] == 255 && u[4] == 0);
}
END_TEST

START_TEST(casts_to_floats_round_once)
{
    uint8_t bytes[256];
    int32_t whole[256];
    float y[256];
    double wide[256];
    for (int i = 0; i < 256; i++)
        bytes[i] = (uint8_t)i, whole[i] = (i - 128) * 16777213;
    FOR_EACH_SET(isa)
    {
        cast_to(TG_U8, TG_F32, bytes, 256, y, isa);
        for (int i = 0; i < 256; i++)
            ck_assert(y[i] == (float)i);
        cast_to(TG_I32, TG_F32, whole, 256, y, isa);
        for (int i = 0; i < 256; i++)
            ck_assert_msg(y[i] == (float)whole[i], "%s: %d becomes %.9g", tg_isa_name(isa), whole[i], (double)y[i]);
        cast_to(TG_I32, TG_F64, whole, 256, wide, isa);
        for (int i = 0; i < 256; i++)
            ck_assert(wide[i] == whole[i]);
        cast_to(TG_F64, TG_F32, (const double[]){1 + 0x1p-25, 1e300, -1e-300}, 3, y, isa);
        ck_assert(y[0] == 1 && y[1] == INFINITY && y[2] == 0);
    }
}
END_TEST

/* ---- monotonicity ---- */

#if defined(__SANITIZE_ADDRESS__)
#define SLOW 1
#elif defined(__has_feature)
#define SLOW __has_feature(address_sanitizer)
#else
#define SLOW 0
#endif

/* Float number i: 0 is 0, 1 the least above it, -1 the least below, and so on. */
static void floats_from(int32_t i, uint32_t *bits)
{
    for (int32_t k = 0; k < BLOCK; k++)
        bits[k] = i + k < 0 ? (uint32_t) - (i + k) | 0x80000000u : (uint32_t)(i + k);
}

static int32_t number_of(float x)
{
    int32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

/* Successive floats [first, last), in blocks that overlap by one, `stride` blocks apart. */
static void check_rising(const tg_op *op, tg_block_fn block, int64_t first, int64_t last, int64_t stride, const char *set)
{
    static uint32_t x[BLOCK];
    static float y[BLOCK];
    const void *const inputs[] = {x};
    for (int64_t i = first; i < last; i += (BLOCK - 1) * stride) {
        int64_t n = last - i < BLOCK ? last - i : BLOCK;
        floats_from((int32_t)i, x);
        block(y, inputs, n, attributes_of(op));
        int falls = 0;
        for (int64_t k = 1; k < n; k++)
            falls += !(y[k - 1] <= y[k]);
        for (int64_t k = 1; k < n && falls; k++) {
            float at;
            memcpy(&at, &x[k], sizeof at);
            ck_assert_msg(y[k - 1] <= y[k], "%s %s(%a) is %a, below %a", set, op->name, (double)at, (double)y[k],
                          (double)y[k - 1]);
        }
    }
}

/* All floats with $TG_EXHAUSTIVE; else all from 2^-12 to 2^7 and their negatives, and of the rest 1 block in 64. */
START_TEST(increasing_functions_never_fall)
{
    const int64_t largest = number_of(FLT_MAX), stride = getenv("TG_EXHAUSTIVE") ? 1 : SLOW ? 6000 : 64;
    const int64_t low = number_of(0x1p-12f), high = number_of(0x1p7f), dense = SLOW ? stride : 1;
    int count, checked = 0;
    const tg_op_entry *entries = tg_op_entries(&count);
    for (int e = 0; e < count; e++) {
        const tg_op *op = entries[e].op;
        if (!op->block || op->max_inputs != 1 || !(op->increasing_in & 1) || op->traits & TG_IDENTITY)
            continue;
        checked++;
        FOR_EACH_SET(isa)
        {
            tg_block_fn block = float_block(op, TG_F32, isa);
            check_rising(op, block, -largest, -high, stride, tg_isa_name(isa));
            check_rising(op, block, -high, -low, dense, tg_isa_name(isa));
            check_rising(op, block, -low, low, stride, tg_isa_name(isa));
            check_rising(op, block, low, high, dense, tg_isa_name(isa));
            check_rising(op, block, high, largest + 1, stride, tg_isa_name(isa));
        }
    }
    ck_assert_int_ge(checked, 6);
}
END_TEST

START_TEST(functions_that_fall_do_not_claim_otherwise)
{
    const tg_op *const others[] = {&tg_op_gelu, &tg_op_silu,   &tg_op_softplus, &tg_op_log,
                                   &tg_op_sqrt, &tg_op_square, &tg_op_sin,      &tg_op_neg};
    for (size_t k = 0; k < sizeof others / sizeof *others; k++)
        ck_assert_msg(others[k]->increasing_in == 0, "%s", others[k]->name);
    ck_assert_uint_eq(tg_op_add.increasing_in, 3);
    ck_assert_uint_eq(tg_op_sub.increasing_in, 1);
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("lanes");
    tcase_add_test(tests, every_set_has_its_table);
    tcase_add_test(tests, vectors_do_what_the_header_says);
    tcase_add_test(tests, f32_values_are_exact_within_tolerance);
    tcase_add_test(tests, f64_values_are_exact_within_tolerance);
    tcase_add_test(tests, odd_functions_keep_the_sign_of_zero);
    tcase_add_test(tests, comparisons_are_those_of_c);
    tcase_add_test(tests, nan_passes_through);
    tcase_add_test(tests, bits_do_not_depend_on_place);
    tcase_add_test(tests, i32_wraps_around);
    tcase_add_test(tests, casts_to_integers_truncate_and_saturate);
    tcase_add_test(tests, casts_to_floats_round_once);
    tcase_add_test(tests, increasing_functions_never_fall);
    tcase_add_test(tests, functions_that_fall_do_not_claim_otherwise);
    return harness_run("lanes", tests);
}
