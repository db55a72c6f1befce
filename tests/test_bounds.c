/* Bounds of pointwise ops: whatever lies within the inputs' bounds gives what lies within the result's, and is finite. */
#include <math.h>
#include <string.h>

#include "exec/bounds.h"
#include "exec/finite.h"
#include "exec/float_mode.h"
#include "harness.h"
#include "ops/op_entries.h"
#include "ops/ops.h"

enum { BOXES = 400, POINTS = 96 };

static uint64_t seed;
static double uniform(void)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (double)(seed >> 11) * 0x1p-53;
}

/* A number of any size, most of them near 1. */
static double any_number(tg_dtype dtype)
{
    if (!tg_dtype_is_float(dtype))
        return floor(uniform() * (dtype == TG_U8 ? 256 : 2000)) - (dtype == TG_U8 ? 0 : 1000);
    double kind = uniform(), exponent = kind < 0.6 ? 8 * uniform() - 6 : 76 * uniform() - 38;
    double value = kind < 0.05 ? 0 : (uniform() < 0.5 ? -1 : 1) * pow(10, exponent);
    return dtype == TG_F32 ? (double)(float)value : value;
}

static tg_interval any_interval(tg_dtype dtype)
{
    double a = any_number(dtype), b = any_number(dtype), kind = uniform();
    if (kind < 0.2)
        b = a;
    else if (kind < 0.4)
        b = -a > 0 || tg_dtype_is_float(dtype) ? fabs(b) : b;
    return a < b ? (tg_interval){a, b} : (tg_interval){b, a};
}

typedef union samples {
    float f32[POINTS];
    double f64[POINTS];
    int32_t i32[POINTS];
    uint8_t u8[POINTS];
} samples;

/* An end, or anything between. */
static double inner(tg_interval interval)
{
    double kind = uniform(), share = uniform();
    double value = kind < 0.2   ? interval.low
                   : kind < 0.4 ? interval.high
                   : kind < 0.5 ? 0
                                : interval.low + (interval.high - interval.low) * (kind < 0.7 ? pow(share, 20) : share);
    return value < interval.low ? interval.low : value > interval.high ? interval.high : value;
}

static void put(samples *to, tg_dtype dtype, int i, double value)
{
    if (dtype == TG_F32)
        to->f32[i] = (float)value;
    else if (dtype == TG_F64)
        to->f64[i] = value;
    else if (dtype == TG_I32)
        to->i32[i] = (int32_t)value;
    else
        to->u8[i] = (uint8_t)value;
}

/* Runs the op on numbers within the box. */
static void check_box(const tg_op *op, const tg_bounded_op *bounded, tg_interval result, const char *set)
{
    samples inputs[TG_BOUNDED_INPUTS], output;
    const void *arguments[TG_BOUNDED_INPUTS];
    for (int a = 0; a < bounded->n_inputs; a++) {
        arguments[a] = &inputs[a];
        for (int i = 0; i < POINTS; i++)
            put(&inputs[a], bounded->dtypes[a], i, inner(bounded->inputs[a]));
    }
    bool twice = bounded->dtype == TG_F64;
    for (int a = 0; a < bounded->n_inputs; a++)
        twice = twice || bounded->dtypes[a] == TG_F64;
    tg_float_mode before = tg_float_mode_enter(!twice); /* as during a run */
    bounded->block(&output, arguments, POINTS, bounded->attributes);
    tg_float_mode_leave(before);
    for (int i = 0; i < POINTS && tg_dtype_is_float(bounded->dtype); i++) {
        double value = bounded->dtype == TG_F32 ? (double)output.f32[i] : output.f64[i];
        ck_assert_msg(isfinite(value) && value >= result.low && value <= result.high,
                      "%s, %s: %.9g is not within [%.9g, %.9g], inputs 0 and 1 within [%.9g, %.9g] and [%.9g, %.9g]", op->name,
                      set, value, result.low, result.high, bounded->inputs[0].low, bounded->inputs[0].high,
                      bounded->inputs[1].low, bounded->inputs[1].high);
    }
}

/* Of a sample's types; how many boxes had bounds. */
static int check_op(const tg_op *op, const tg_sample *sample, tg_dtype working, tg_isa isa)
{
    tg_type types[4];
    tg_bounded_op bounded = {
        .attributes = sample->attributes, .monotone = op->traits & TG_MONOTONE, .n_inputs = sample->n_inputs};
    for (int a = 0; a < sample->n_inputs; a++) {
        bounded.dtypes[a] = sample->inputs[a].dtype == TG_FLOAT ? working : sample->inputs[a].dtype;
        types[a] = (tg_type){bounded.dtypes[a], TG_SHAPE(POINTS)};
    }
    tg_infer infer = {.n_inputs = sample->n_inputs, .inputs = types, .attributes = sample->attributes};
    ck_assert_msg(op->shape(&infer), "%s: %s", op->name, infer.message);
    tg_work work = {
        .n_inputs = sample->n_inputs, .inputs = types, .output = infer.result, .attributes = sample->attributes, .isa = isa};
    bounded.dtype = infer.result.dtype;
    bounded.block = op->block(&work);
    int found = 0;
    for (int box = 0; box < BOXES; box++) {
        tg_interval result;
        for (int a = 0; a < bounded.n_inputs; a++)
            bounded.inputs[a] = any_interval(bounded.dtypes[a]);
        if (!tg_find_bounds(&bounded, &result))
            continue;
        found++;
        check_box(op, &bounded, result, tg_isa_name(isa));
    }
    return found;
}

START_TEST(results_lie_within_their_bounds)
{
    int count, n_ops = 0;
    const tg_op_entry *entries = tg_op_entries(&count);
    for (int isa = 0; isa < TG_ISA_COUNT; isa++)
        for (int e = 0; e < count && tg_isa_available((tg_isa)isa); e++) {
            const tg_op_entry *entry = &entries[e];
            if (!(entry->op->traits & TG_MONOTONE))
                continue;
            ck_assert_msg(entry->op->traits & TG_POINTWISE && entry->op->max_inputs <= TG_BOUNDED_INPUTS, "%s", entry->op->name);
            n_ops++;
            for (int s = 0; s < entry->n_samples; s++)
                for (int working = TG_F32; working <= TG_F64; working++) {
                    seed = 1000 * (uint64_t)e + (uint64_t)s;
                    int found = check_op(entry->op, &entry->samples[s], (tg_dtype)working, (tg_isa)isa);
                    ck_assert_msg(found >= BOXES / 20, "%s: %d boxes have bounds", entry->op->name, found);
                }
        }
    ck_assert_int_ge(n_ops, 20);
}
END_TEST

START_TEST(what_is_not_known_has_no_bounds)
{
    tg_interval result;
    tg_type types[] = {{TG_F32, TG_SHAPE(8)}, {TG_F32, TG_SHAPE(8)}};
    tg_work work = {.n_inputs = 2, .inputs = types, .output = types[0], .isa = TG_ISA_BASELINE};
    const struct {
        const tg_op *op;
        bool monotone;
        tg_interval a, b;
        bool bounded;
    } cases[] = {
        {&tg_op_add, true, {-1, 2}, {3, 4}, true},           {&tg_op_add, false, {-1, 2}, {3, 4}, false},
        {&tg_op_add, true, {-1, 3e38}, {0, 3e38}, false},    {&tg_op_div, true, {1, 2}, {1, 4}, true},
        {&tg_op_div, true, {1, 2}, {0, 4}, false},           {&tg_op_div, true, {1, 2}, {-1, 4}, false},
        {&tg_op_div, true, {0, 0}, {-1, 4}, false},          {&tg_op_sqrt, true, {0, 4}, {0, 0}, true},
        {&tg_op_sqrt, true, {-1e-20, 4}, {0, 0}, false},     {&tg_op_square, true, {-1e19, 1e18}, {0, 0}, true},
        {&tg_op_square, true, {-1e20, 1e18}, {0, 0}, false}, {&tg_op_exp, true, {-1000, 80}, {0, 0}, true},
        {&tg_op_exp, true, {-1000, 90}, {0, 0}, false},      {&tg_op_mul, true, {NAN, NAN}, {1, 1}, false},
        {&tg_op_relu, true, {0, INFINITY}, {0, 0}, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tg_bounded_op op = {.block = cases[i].op->block(&work),
                            .monotone = cases[i].monotone,
                            .n_inputs = cases[i].op->min_inputs,
                            .dtype = TG_F32,
                            .inputs = {cases[i].a, cases[i].b}};
        ck_assert_msg(tg_find_bounds(&op, &result) == cases[i].bounded, "case %zu", i);
    }
    /* Zero inside of an interval counts. */
    tg_bounded_op square = {
        .block = tg_op_square.block(&work), .monotone = true, .n_inputs = 1, .dtype = TG_F32, .inputs = {{-2, 3}}};
    ck_assert(tg_find_bounds(&square, &result) && result.low == 0 && result.high >= 9 && result.high < 9.001);
}
END_TEST

START_TEST(floats_fall_into_classes)
{
    float single[1000];
    double twice[1000];
    const struct {
        double value;
        tg_finite single, twice;
    } cases[] = {{0, TG_SMALL, TG_SMALL},           {-1e12, TG_SMALL, TG_SMALL},
                 {0x1p40, TG_LARGE, TG_SMALL},      {-3e38, TG_LARGE, TG_SMALL},
                 {1e39, TG_NONFINITE, TG_SMALL},    {-0x1p300, TG_NONFINITE, TG_LARGE},
                 {1e308, TG_NONFINITE, TG_LARGE},   {-INFINITY, TG_NONFINITE, TG_NONFINITE},
                 {NAN, TG_NONFINITE, TG_NONFINITE}, {-NAN, TG_NONFINITE, TG_NONFINITE}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++)
        for (int at = 0; at < 1000; at += 37) {
            for (int i = 0; i < 1000; i++)
                single[i] = (float)(twice[i] = i == at ? cases[c].value : -1);
            ck_assert_int_eq(tg_finite_class(TG_F32, single, 1000), cases[c].single);
            ck_assert_int_eq(tg_finite_class(TG_F64, twice, 1000), cases[c].twice);
            ck_assert_int_eq(tg_finite_class(TG_F32, single, at), TG_SMALL);
        }
    ck_assert_int_eq(tg_finite_class(TG_I32, single, 1000), TG_SMALL);
    ck_assert_double_eq(tg_small_limit(TG_F32), 0x1p40);
    ck_assert_double_eq(tg_small_limit(TG_F64), 0x1p300);
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("bounds");
    tcase_add_test(tests, results_lie_within_their_bounds);
    tcase_add_test(tests, what_is_not_known_has_no_bounds);
    tcase_add_test(tests, floats_fall_into_classes);
    return harness_run("bounds", tests);
}
