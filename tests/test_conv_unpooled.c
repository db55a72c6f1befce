/* A convolution's gradients of an unpooled operand, in pooled form. */
#include <float.h>

#include "contraction.h"
#include "ops/op_entries.h"
#include "ops/ops.h"
#include "workbench.h"

/* A layer: convolution, then max-pooling. */
typedef struct layer {
    int64_t images, in[2], channels, kernel[2], filters, window[2];
    tg_conv2d_options conv;
} layer;

static int64_t out_extent(const layer *l, int axis)
{
    int64_t stride = l->conv.stride[axis] ? l->conv.stride[axis] : 1,
            dilation = l->conv.dilation[axis] ? l->conv.dilation[axis] : 1;
    return (l->in[axis] + l->conv.pad_before[axis] + l->conv.pad_after[axis] - (l->kernel[axis] - 1) * dilation - 1) / stride + 1;
}

static tg_shape pooled_shape(const layer *l)
{
    return TG_SHAPE(l->images, out_extent(l, 0) / l->window[0], out_extent(l, 1) / l->window[1], l->filters);
}

typedef struct operands {
    tg_tensor x, k, y;
} operands;

static operands draw(workbench *w, const layer *l)
{
    return (operands){workbench_random(w, TG_F32, TG_SHAPE(l->images, l->in[0], l->in[1], l->channels), -1, 1, 1),
                      workbench_random(w, TG_F32, TG_SHAPE(l->kernel[0], l->kernel[1], l->channels, l->filters), -1, 1, 2),
                      workbench_random(w, TG_F32, pooled_shape(l), -1, 1, 3)};
}

static operands absolute(operands o) { return (operands){tg_abs(o.x), tg_abs(o.k), tg_abs(o.y)}; }

/* The kernel's gradient, then the input's. */
static void record_gradients(workbench *w, const layer *l, operands o, tg_tensor *roots)
{
    tg_tensor argmax = workbench_random(w, TG_U8, pooled_shape(l), 0, (double)(l->window[0] * l->window[1]), 4);
    tg_tensor g =
        tg_unpool2d(o.y, argmax, out_extent(l, 0), out_extent(l, 1), (tg_pool2d_options){.window = {l->window[0], l->window[1]}});
    roots[0] = tg_conv2d_kernel_gradient(o.x, g, l->kernel[0], l->kernel[1], l->conv);
    roots[1] = tg_conv2d_input_gradient(g, o.k, l->in[0], l->in[1], l->conv);
    ck_assert_msg(tg_ok(roots[0]) && tg_ok(roots[1]), "%s", tg_graph_error(w->graph));
}

static tg_plan *compile(workbench *w, const tg_tensor *roots, bool rounds)
{
    tg_compile_options options = tg_compile_defaults(w->context);
    options.rounds = rounds;
    options.check_finite = false;
    tg_plan *plan = tg_compile_roots(w->graph, roots, 2, options);
    ck_assert_msg(plan, "%s", tg_graph_error(w->graph));
    ck_assert_int_eq(tg_run(plan), TG_OK);
    return plan;
}

static double bound_of(const tg_op *op)
{
    for (int32_t i = 0; i < op->n_rewrites; i++)
        if (op->rewrites[i].kind == TG_ROUNDS)
            return op->rewrites[i].bound;
    ck_abort_msg("%s has no rule that rounds", op->name);
    return 0;
}

/* Plain and in pooled form, within the rules' bounds: the sums of |terms| are what the same graph makes of absolute values. */
static void expect_close(workbench *w, const layer *l, int number)
{
    tg_tensor roots[2], scales[2];
    operands o = draw(w, l);
    record_gradients(w, l, o, roots);
    record_gradients(w, l, absolute(o), scales);
    tg_plan *sparse = compile(w, roots, true), *dense = compile(w, roots, false), *scale = compile(w, scales, false);
    ck_assert_int_eq(contraction_count_op(sparse, &tg_op_unpool2d), 0);
    ck_assert_int_eq(contraction_count_op(sparse, &tg_op_conv2d_kernel_gradient_unpooled), 1);
    ck_assert_int_eq(contraction_count_op(sparse, &tg_op_conv2d_input_gradient_unpooled), 1);
    ck_assert_int_eq(contraction_count_op(dense, &tg_op_unpool2d), 1);
    static const tg_op *const ops[2] = {&tg_op_conv2d_kernel_gradient, &tg_op_conv2d_input_gradient};
    for (int r = 0; r < 2; r++) {
        const float *got = tg_values(sparse, roots[r]), *expected = tg_values(dense, roots[r]),
                    *terms = tg_values(scale, scales[r]);
        for (int64_t i = 0; i < tg_shape_count(tg_tensor_shape(roots[r])); i++)
            ck_assert_msg(fabs((double)got[i] - expected[i]) <= bound_of(ops[r]) * FLT_EPSILON * terms[i],
                          "layer %d, %s, element %lld: %.9g, not %.9g", number, ops[r]->name, (long long)i, got[i], expected[i]);
    }
    tg_plan_free(sparse);
    tg_plan_free(dense);
    tg_plan_free(scale);
}

static const layer layers[] = {
    {2, {13, 13}, 32, {3, 3}, 64, {2, 2}, {.stride = {1, 1}}},                         /* rows that no window reads */
    {3, {28, 28}, 1, {3, 3}, 32, {2, 2}, {.stride = {1, 1}}},                          /* vectors along the filters */
    {1, {9, 10}, 17, {3, 3}, 33, {2, 2}, {.stride = {1, 1}}},                          /* nothing fills a vector */
    {2, {11, 12}, 3, {3, 3}, 5, {3, 3}, {.stride = {1, 1}}},                           /* nine places */
    {2, {12, 12}, 8, {5, 5}, 16, {2, 2}, {.stride = {1, 1}}},                          /* more taps than registers */
    {2, {12, 11}, 1, {5, 5}, 8, {2, 2}, {.stride = {1, 1}}},                           /* the same, selected */
    {2, {7, 8}, 4, {3, 3}, 6, {2, 2}, {.pad_before = {1, 1}, .pad_after = {1, 1}}},    /* padded */
    {2, {15, 16}, 2, {3, 2}, 6, {2, 2}, {.stride = {2, 1}, .dilation = {1, 3}}},       /* strides and gaps */
    {2, {9, 9}, 3, {2, 2}, 70, {2, 3}, {.pad_before = {-1, 2}, .pad_after = {0, -1}}}, /* crops; two words of filters */
    {2, {8, 9}, 160, {4, 3}, 9, {4, 4}, {.pad_before = {0, 1}}},                       /* many channels and places */
    {20, {6, 6}, 1, {1, 1}, 40, {1, 2}, {.stride = {1, 1}}},                           /* one tap */
};

START_TEST(pooled_form_is_within_the_bound)
{
    for (size_t i = 0; i < sizeof layers / sizeof *layers; i++) {
        workbench w = workbench_open_on((tg_isa)_i, 2, TG_F32);
        expect_close(&w, &layers[i], (int)i);
        workbench_close(&w);
    }
}
END_TEST

/* The bits of `threads` threads. */
static void run_on(tg_isa isa, int threads, const layer *l, float *values)
{
    workbench w = workbench_open_on(isa, threads, TG_F32);
    tg_tensor roots[2];
    record_gradients(&w, l, draw(&w, l), roots);
    tg_plan *plan = compile(&w, roots, true);
    for (int r = 0; r < 2; r++) {
        int64_t count = tg_shape_count(tg_tensor_shape(roots[r]));
        memcpy(values, tg_values(plan, roots[r]), (size_t)count * sizeof *values);
        values += count;
    }
    tg_plan_free(plan);
    workbench_close(&w);
}

START_TEST(threads_change_no_bit)
{
    static const layer large = {33, {13, 13}, 32, {3, 3}, 64, {2, 2}, {.stride = {1, 1}}};
    enum { COUNT = 9 * 32 * 64 + 33 * 13 * 13 * 32 };
    float *one = malloc(COUNT * sizeof *one), *more = malloc(COUNT * sizeof *more);
    run_on((tg_isa)_i, 1, &large, one);
    run_on((tg_isa)_i, 3, &large, more);
    ck_assert(memcmp(one, more, COUNT * sizeof *one) == 0);
    free(one);
    free(more);
}
END_TEST

/* ---- where the rule does not apply ---- */

static int pooled_ops(const tg_plan *plan)
{
    return contraction_count_op(plan, &tg_op_conv2d_kernel_gradient_unpooled) +
           contraction_count_op(plan, &tg_op_conv2d_input_gradient_unpooled);
}

START_TEST(overlapping_average_and_single_places_stay_plain)
{
    workbench w = workbench_open(TG_F32);
    tg_tensor x = workbench_random(&w, TG_F32, TG_SHAPE(1, 9, 9, 2), -1, 1, 1);
    tg_tensor k = workbench_random(&w, TG_F32, TG_SHAPE(3, 3, 2, 4), -1, 1, 2);
    tg_tensor y = workbench_random(&w, TG_F32, TG_SHAPE(1, 3, 3, 4), -1, 1, 3), argmax, g[3];
    argmax = workbench_random(&w, TG_U8, TG_SHAPE(1, 3, 3, 4), 0, 9, 4);
    g[0] = tg_unpool2d(y, argmax, 7, 7, (tg_pool2d_options){.window = {3, 3}, .stride = {2, 2}});
    g[1] = tg_avg_unpool2d(y, 7, 7, (tg_pool2d_options){.window = {2, 2}});
    g[2] = tg_unpool2d(workbench_random(&w, TG_F32, TG_SHAPE(1, 7, 7, 4), -1, 1, 3),
                       workbench_random(&w, TG_U8, TG_SHAPE(1, 7, 7, 4), 0, 1, 4), 7, 7, (tg_pool2d_options){.window = {1, 1}});
    const tg_conv2d_options plain = {.stride = {1, 1}};
    for (int i = 0; i < 3; i++) {
        tg_tensor roots[2] = {tg_conv2d_kernel_gradient(x, g[i], 3, 3, plain), tg_conv2d_input_gradient(g[i], k, 9, 9, plain)};
        tg_plan *plan = compile(&w, roots, true);
        ck_assert_msg(pooled_ops(plan) == 0, "gradient %d", i);
        tg_plan_free(plan);
    }
    workbench_close(&w);
}
END_TEST

/* ---- NaN and infinity ---- */

/* An image of zeros except for one pixel; a gradient that is not finite at one pooled element whose window is blank. */
static void expect_not_hidden(tg_isa isa, float value)
{
    enum { SIDE = 12, POOLED = 5, FILTERS = 19, BAD = (0 * POOLED + 1) * FILTERS + 7 };
    static const layer l = {1, {SIDE, SIDE}, 1, {3, 3}, FILTERS, {2, 2}, {.stride = {1, 1}}};
    float image[SIDE * SIDE] = {0}, pooled[POOLED * POOLED * FILTERS];
    image[SIDE * SIDE - 1] = 1;
    for (int i = 0; i < POOLED * POOLED * FILTERS; i++)
        pooled[i] = i == BAD ? value : 0.5f;
    workbench w = workbench_open_on(isa, 1, TG_F32);
    tg_tensor x = tg_input(w.graph, "image", TG_F32, TG_SHAPE(1, SIDE, SIDE, 1)), roots[2];
    tg_tensor y = tg_input(w.graph, "pooled", TG_F32, TG_SHAPE(1, POOLED, POOLED, FILTERS));
    ck_assert_int_eq(tg_bind(x, image, sizeof image), TG_OK);
    ck_assert_int_eq(tg_bind(y, pooled, sizeof pooled), TG_OK);
    record_gradients(&w, &l, (operands){x, draw(&w, &l).k, y}, roots);
    tg_plan *plan = compile(&w, roots, true);
    ck_assert_int_eq(pooled_ops(plan), 2);
    const float *kernel = tg_values(plan, roots[0]);
    for (int i = 0; i < 9 * FILTERS; i++)
        ck_assert_msg(isnan(kernel[i]) == (i % FILTERS == BAD % FILTERS), "%s, %g: element %d is %g", tg_isa_name(isa), value, i,
                      kernel[i]);
    const float *input = tg_values(plan, roots[1]);
    bool found = false;
    for (int i = 0; i < SIDE * SIDE; i++)
        found |= !isfinite(input[i]);
    ck_assert_msg(found, "%s: the input gradient hides %g", tg_isa_name(isa), value);
    tg_plan_free(plan);
    workbench_close(&w);
}

START_TEST(blank_windows_hide_nothing)
{
    expect_not_hidden((tg_isa)_i, NAN);
    expect_not_hidden((tg_isa)_i, INFINITY);
}
END_TEST

/* ---- errors ---- */

START_TEST(mistakes_are_told_in_words)
{
    workbench w = workbench_open(TG_F32);
    tg_tensor x = tg_input(w.graph, "x", TG_F32, TG_SHAPE(1, 6, 6, 2)), y = tg_input(w.graph, "y", TG_F32, TG_SHAPE(1, 2, 2, 3));
    tg_tensor argmax = tg_input(w.graph, "argmax", TG_U8, TG_SHAPE(1, 2, 2, 3));
    tg_conv2d_unpooled_options options = {.pool = {.window = {2, 2}}, .unpooled = {5, 4}, .extent = {3, 3}};
    ck_assert(!tg_ok(tg_conv2d_kernel_gradient_unpooled(x, y, argmax, options)));
    ck_assert_msg(strstr(tg_graph_error(w.graph), "the gradient is 5x4, but the convolution's output is 4x4") != NULL, "%s",
                  tg_graph_error(w.graph));
    workbench_close(&w);
}
END_TEST

/* What the pooled form's rule makes of the kernel gradient of one image that is a square of `extent`, padded and of one channel. */
static tg_tensor pooled_form(workbench *w, tg_dtype dtype, int64_t extent, int64_t padding)
{
    int64_t pooled = (extent + 2 * padding - 2) / 2;
    const tg_op *op = &tg_op_conv2d_kernel_gradient;
    tg_tensor x = tg_input(w->graph, "x", dtype, TG_SHAPE(1, extent, extent, 1));
    tg_tensor y = tg_input(w->graph, "y", dtype, TG_SHAPE(1, pooled, pooled, 1));
    tg_tensor argmax = tg_input(w->graph, "argmax", TG_U8, TG_SHAPE(1, pooled, pooled, 1));
    tg_conv2d_options conv = {.pad_before = {padding, padding}, .pad_after = {padding, padding}};
    int64_t out = extent + 2 * padding - 2;
    tg_tensor g = tg_unpool2d(y, argmax, out, out, (tg_pool2d_options){.window = {2, 2}});
    tg_tensor gradient = tg_conv2d_kernel_gradient(x, g, 3, 3, conv);
    ck_assert_msg(tg_ok(gradient), "%s", tg_graph_error(w->graph));
    const tg_node *node = tg_tensor_node(gradient);
    tg_rewrite_args args = {.graph = w->graph, .op = op, .inputs = (tg_tensor[]){x, g}, .n_inputs = 2, .type = node->type};
    args.attributes = node->attributes;
    args.attribute_bytes = node->attribute_bytes;
    for (int32_t i = 0; i < op->n_rewrites; i++)
        if (op->rewrites[i].kind == TG_ROUNDS)
            return op->rewrites[i].apply(&args);
    return tg_none();
}

/* 46340 squared is just below 2^31, and nothing is run. */
START_TEST(images_that_32_bits_cannot_count_are_left_alone)
{
    static const struct {
        tg_dtype dtype;
        int64_t extent, padding;
        bool fits;
    } cases[] = {{TG_F32, 46340, 0, true},
                 {TG_F32, 46341, 0, false},
                 {TG_F32, 46340, 1, false},
                 {TG_F32, 46338, 1, true},
                 {TG_F64, 46341, 0, true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        workbench w = workbench_open(TG_F32);
        tg_tensor made = pooled_form(&w, cases[i].dtype, cases[i].extent, cases[i].padding);
        ck_assert_ptr_null(tg_graph_error(w.graph));
        ck_assert_msg(tg_ok(made) == cases[i].fits, "case %zu", i);
        workbench_close(&w);
    }
    workbench w = workbench_open(TG_F32);
    tg_tensor x = tg_input(w.graph, "x", TG_F32, TG_SHAPE(1, 46341, 46341, 1)),
              y = tg_input(w.graph, "y", TG_F32, TG_SHAPE(1, 2, 2, 1)),
              argmax = tg_input(w.graph, "argmax", TG_U8, TG_SHAPE(1, 2, 2, 1));
    tg_conv2d_unpooled_options options = {.pool.window = {2, 2}, .unpooled = {46339, 46339}, .extent = {3, 3}};
    options.pool.stride[0] = options.pool.stride[1] = 30000;
    workbench_expect_error(&w, tg_conv2d_kernel_gradient_unpooled(x, y, argmax, options),
                           "an image of 2147488281 floats with its padding is more than 2^31 - 1");
    workbench_close(&w);
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("conv_unpooled");
    contraction_add_for_each_set(tests, pooled_form_is_within_the_bound);
    contraction_add_for_each_set(tests, threads_change_no_bit);
    contraction_add_for_each_set(tests, blank_windows_hide_nothing);
    tcase_add_test(tests, overlapping_average_and_single_places_stay_plain);
    tcase_add_test(tests, mistakes_are_told_in_words);
    tcase_add_test(tests, images_that_32_bits_cannot_count_are_left_alone);
    return harness_run("conv_unpooled", tests);
}
