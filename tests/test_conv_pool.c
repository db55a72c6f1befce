/* Convolutions whose output is pooled at once: the direct path is exact, Winograd's within its bound. */
#include <float.h>

#include "contraction.h"
#include "ops/attributes.h"
#include "ops/op_entries.h"
#include "workbench.h"

static const tg_pool2d_options by_two = {.window = {2, 2}};

/* Maxima and positions of conv2d(x, k), pooled, as a plan with these rewrites finds them. */
typedef struct pooled {
    tg_tensor maxima, positions;
    tg_plan *plan;
} pooled;

static pooled pooled_run(workbench *w, tg_tensor x, tg_tensor k, tg_conv2d_options conv, bool rounds)
{
    tg_tensor y = tg_conv2d(x, k, conv);
    pooled p = {.maxima = tg_max_pool2d(y, 2), .positions = tg_max_pool2d_argmax(y, by_two)};
    tg_compile_options options = tg_compile_defaults(w->context);
    options.rounds = rounds;
    p.plan = tg_compile_roots(w->graph, (tg_tensor[]){p.maxima, p.positions}, 2, options);
    ck_assert_msg(p.plan, "%s", tg_graph_error(w->graph));
    ck_assert_int_eq(tg_run(p.plan), TG_OK);
    return p;
}

/* How many nodes of a plan go by Winograd's algorithm. */
static int count_winograd(const tg_plan *plan)
{
    int count = 0;
    const tg_graph *graph = tg_plan_graph(plan);
    for (int32_t i = 0; i < tg_graph_count(graph); i++) {
        const tg_node *node = tg_graph_node(graph, i);
        if (node->op == &tg_op_conv2d_max_pool2d || node->op == &tg_op_conv2d_max_pool2d_argmax)
            count += ((const tg_conv2d_pool2d_attributes *)node->attributes)->winograd != 0;
    }
    return count;
}

/* x with this many zeros more, or rows or columns less, at both ends of an axis. */
static tg_tensor padded(tg_tensor x, int axis, int64_t before, int64_t after)
{
    int64_t extent = tg_tensor_shape(x).dims[axis];
    tg_tensor cut = tg_slice(x, axis, before < 0 ? -before : 0, after < 0 ? extent + after : extent, 1);
    return tg_pad(cut, axis, before > 0 ? before : 0, after > 0 ? after : 0, 0);
}

/* What the rule states for each window: its bound times eps times the sum over channels of max |x| in the 4x4 tile times sum |k|. */
static double *bounds(tg_tensor x, tg_tensor k, tg_conv2d_options conv)
{
    const tg_rewrite_rule *rule = &tg_op_conv2d_max_pool2d.rewrites[0];
    ck_assert_int_eq(rule->kind, TG_NORMWISE);
    tg_tensor whole = padded(tg_abs(x), 1, conv.pad_before[0], conv.pad_after[0]);
    whole = padded(whole, 2, conv.pad_before[1], conv.pad_after[1]);
    tg_tensor tiles = tg_max_pool2d_with(whole, (tg_pool2d_options){.window = {4, 4}, .stride = {2, 2}});
    tg_tensor sums = tg_conv2d(tiles, tg_sum_keep(tg_abs(k), TG_AXES(0, 1)), (tg_conv2d_options){{0}});
    double *bound = workbench_eval(sums);
    for (int64_t i = 0; i < tg_shape_count(tg_tensor_shape(sums)); i++)
        bound[i] *= rule->bound * FLT_EPSILON;
    return bound;
}

/* How the pixels are drawn. */
typedef enum picture { POSITIVE, SIGNED, ONE_IS_HUGE, MOSTLY_BLANK, PICTURES } picture;

static tg_tensor draw_picture(workbench *w, tg_shape shape, picture kind)
{
    int64_t count = tg_shape_count(shape);
    double *values = workbench_draw(count, kind == SIGNED ? -1 : 0, 1, 1);
    for (int64_t i = 0; i < count && kind == MOSTLY_BLANK; i++)
        values[i] = i / (7 * shape.dims[3]) % 3 == 0 ? values[i] : 0;
    if (kind == ONE_IS_HUGE)
        values[count / 2] = 1e6;
    tg_tensor x = workbench_values(w, TG_F32, shape, values);
    free(values);
    return x;
}

/* Direct and by Winograd's algorithm. */
static void expect_within_bounds(workbench *w, tg_tensor x, tg_tensor k, tg_conv2d_options conv)
{
    pooled exact = pooled_run(w, x, k, conv, false), fast = pooled_run(w, x, k, conv, true);
    ck_assert_int_eq(count_winograd(exact.plan), 0);
    ck_assert_int_eq(count_winograd(fast.plan), 2);
    double *bound = bounds(x, k, conv);
    tg_shape shape = tg_tensor_shape(fast.maxima);
    tg_tensor positions =
        tg_constant(w->graph, TG_U8, shape, tg_values(fast.plan, fast.positions), (size_t)tg_shape_count(shape));
    double *taken = workbench_eval(tg_pool_gather2d(tg_conv2d(x, k, conv), positions, by_two));
    const float *y = tg_values(fast.plan, fast.maxima), *expected = tg_values(exact.plan, exact.maxima);
    for (int64_t i = 0; i < tg_shape_count(shape); i++)
        ck_assert_msg(fabs((double)y[i] - expected[i]) <= bound[i] && expected[i] - taken[i] <= 2 * bound[i],
                      "element %lld: %.9g and at its place %.9g, not %.9g within %.3g", (long long)i, y[i], taken[i], expected[i],
                      bound[i]);
    free(bound);
    free(taken);
    tg_plan_free(exact.plan);
    tg_plan_free(fast.plan);
}

START_TEST(winograd_keeps_its_bound)
{
    static const struct {
        tg_shape x, kernel;
        tg_conv2d_options conv;
    } cases[] = {{{4, {5, 13, 13, 32}}, {4, {3, 3, 32, 64}}, {{0}}},
                 {{4, {1, 6, 6, 32}}, {4, {3, 3, 32, 32}}, {{0}}},
                 {{4, {2, 7, 10, 17}}, {4, {3, 3, 17, 33}}, {{0}}},
                 {{4, {3, 8, 7, 16}}, {4, {3, 3, 16, 16}}, {.pad_before = {1, 1}, .pad_after = {1, 1}}},
                 {{4, {1, 9, 8, 16}}, {4, {3, 3, 16, 130}}, {.pad_before = {-1, 2}, .pad_after = {0, -2}}}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++)
        for (int p = 0; p < PICTURES; p++) {
            workbench w = workbench_open_on((tg_isa)_i, 2, TG_F32);
            tg_tensor x = draw_picture(&w, cases[c].x, (picture)p), k = workbench_random(&w, TG_F32, cases[c].kernel, -1, 1, 2);
            expect_within_bounds(&w, x, k, cases[c].conv);
            workbench_close(&w);
        }
}
END_TEST

/* In an even image, inside which all outputs are one sum, the first place wins as it does in the exact sum. */
START_TEST(winograd_keeps_exact_ties)
{
    workbench w = workbench_open_on((tg_isa)_i, 1, TG_F32);
    tg_tensor k = workbench_random(&w, TG_F32, TG_SHAPE(3, 3, 16, 16), -1, 1, 2);
    for (int value = 0; value < 3; value++) {
        pooled p = pooled_run(&w, tg_full(k, TG_SHAPE(1, 6, 6, 16), value), k, (tg_conv2d_options){{0}}, true);
        ck_assert_int_eq(count_winograd(p.plan), 2);
        for (int i = 0; i < 2 * 2 * 16; i++)
            ck_assert_int_eq(((const uint8_t *)tg_values(p.plan, p.positions))[i], 0);
        tg_plan_free(p.plan);
    }
    workbench_close(&w);
}
END_TEST

START_TEST(others_go_the_direct_way)
{
    static const struct {
        tg_shape kernel;
        tg_conv2d_options conv;
    } cases[] = {{{4, {5, 5, 32, 32}}, {{0}}},
                 {{4, {3, 3, 32, 32}}, {.stride = {2, 1}}},
                 {{4, {3, 3, 32, 32}}, {.dilation = {1, 2}}},
                 {{4, {3, 3, 32, 4}}, {{0}}}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        workbench w = workbench_open(TG_F32);
        tg_tensor x = workbench_random(&w, TG_F32, TG_SHAPE(1, 12, 12, 32), 0, 1, 1),
                  k = workbench_random(&w, TG_F32, cases[c].kernel, -1, 1, 2);
        pooled p = pooled_run(&w, x, k, cases[c].conv, true);
        ck_assert_int_eq(count_winograd(p.plan), 0);
        ck_assert_int_eq(contraction_count_op(p.plan, &tg_op_conv2d_max_pool2d), 1);
        ck_assert_int_eq(tg_plan_describe(p.plan).steps,
                         3); /* maxima and positions come together; then each is copied out of the prologue */
        tg_plan_free(p.plan);
        workbench_close(&w);
    }
}
END_TEST

/* Windows of zeros are not summed, unless the kernel has a NaN or an infinity, which they would multiply. */
START_TEST(blank_windows_give_the_same)
{
    static const double special[] = {0.5, NAN, INFINITY};
    for (int s = 0; s < 3; s++)
        for (int channels = 1; channels <= 2; channels++) {
            workbench w = workbench_open_on((tg_isa)_i, 1, TG_F32);
            int64_t pixels = (int64_t)2 * 11 * 12 * channels;
            double *values = workbench_draw(pixels, -1, 1, 1), *weights = workbench_draw((int64_t)9 * channels * 37, -1, 1, 2);
            for (int64_t i = 0; i < pixels; i++)
                values[i] = i / channels % 12 > 3 && i / channels / 12 % 11 > 1 ? 0 : values[i];
            weights[40] = special[s];
            tg_tensor x = workbench_values(&w, TG_F32, TG_SHAPE(2, 11, 12, channels), values),
                      k = workbench_values(&w, TG_F32, TG_SHAPE(3, 3, channels, 37), weights);
            tg_tensor y = tg_conv2d(x, k, (tg_conv2d_options){{0}}), maxima = tg_max_pool2d(y, 2),
                      positions = tg_max_pool2d_argmax(y, by_two);
            tg_plan *plain =
                tg_compile_roots(w.graph, (tg_tensor[]){maxima, positions}, 2, (tg_compile_options){.simplify = false});
            pooled fast = pooled_run(&w, x, k, (tg_conv2d_options){{0}}, true);
            ck_assert_int_eq(tg_run(plain), TG_OK);
            ck_assert_int_eq(contraction_count_op(fast.plan, &tg_op_conv2d), 0);
            ck_assert_int_eq(contraction_count_op(plain, &tg_op_conv2d), 1);
            const float *got = tg_values(fast.plan, fast.maxima), *expected = tg_values(plain, maxima);
            const uint8_t *at = tg_values(fast.plan, fast.positions), *expected_at = tg_values(plain, positions);
            for (int64_t i = 0; i < tg_shape_count(tg_tensor_shape(maxima)); i++)
                ck_assert_msg((got[i] == expected[i] || (isnan(got[i]) && isnan(expected[i]))) && at[i] == expected_at[i] &&
                                  !signbit(got[i]) == !signbit(expected[i]),
                              "element %lld is %g at %d, not %g at %d", (long long)i, got[i], at[i], expected[i], expected_at[i]);
            free(values);
            free(weights);
            tg_plan_free(plain);
            tg_plan_free(fast.plan);
            workbench_close(&w);
        }
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("conv_pool");
    contraction_add_for_each_set(tests, winograd_keeps_its_bound);
    contraction_add_for_each_set(tests, winograd_keeps_exact_ties);
    contraction_add_for_each_set(tests, blank_windows_give_the_same);
    tcase_add_test(tests, others_go_the_direct_way);
    return harness_run("conv_pool", tests);
}
