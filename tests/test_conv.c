#include "contraction.h"
#include "ops/attributes.h"
#include "ops/op_entries.h"
#include "ops/ops.h"
#include "workbench.h"

typedef struct geometry {
    int64_t images, in[2], channels, kernel[2], filters;
    tg_conv2d_attributes a;
} geometry;

static int64_t out_extent(const geometry *g, int axis)
{
    int64_t spans = (g->kernel[axis] - 1) * g->a.dilation[axis] + 1;
    return (g->in[axis] + g->a.pad_before[axis] + g->a.pad_after[axis] - spans) / g->a.stride[axis] + 1;
}

static tg_shape in_shape(const geometry *g) { return TG_SHAPE(g->images, g->in[0], g->in[1], g->channels); }
static tg_shape kernel_shape(const geometry *g) { return TG_SHAPE(g->kernel[0], g->kernel[1], g->channels, g->filters); }
static tg_shape out_shape(const geometry *g) { return TG_SHAPE(g->images, out_extent(g, 0), out_extent(g, 1), g->filters); }

/* Where output position o meets the input by kernel position i along an axis; -1 outside. */
static int64_t meets(const geometry *g, int axis, int64_t o, int64_t i)
{
    int64_t p = o * g->a.stride[axis] + i * g->a.dilation[axis] - g->a.pad_before[axis];
    return p >= 0 && p < g->in[axis] ? p : -1;
}

/* The output position that meets input position p by kernel position i; -1 if none does. */
static int64_t met_by(const geometry *g, int axis, int64_t p, int64_t i)
{
    for (int64_t o = 0; o < out_extent(g, axis); o++)
        if (meets(g, axis, o, i) == p)
            return o;
    return -1;
}

static int64_t at4(const tg_shape *s, int64_t a, int64_t b, int64_t c, int64_t d)
{
    return ((a * s->dims[1] + b) * s->dims[2] + c) * s->dims[3] + d;
}

/* ---- chains: for each element of a result one sum, from +0 in the documented order of its terms ---- */

static float output_chain(tg_isa isa, const geometry *g, const float *x, const float *k, const int64_t *at)
{
    tg_shape in = in_shape(g), kernel = kernel_shape(g);
    float sum = 0;
    for (int64_t i = 0; i < g->kernel[0]; i++)
        for (int64_t j = 0; j < g->kernel[1]; j++) {
            int64_t row = meets(g, 0, at[1], i), column = meets(g, 1, at[2], j);
            for (int64_t c = 0; c < g->channels && row >= 0 && column >= 0; c++)
                sum = contraction_term(isa, x[at4(&in, at[0], row, column, c)], k[at4(&kernel, i, j, c, at[3])], sum);
        }
    return sum;
}

/* In order of the output's pixels, so from the kernel's last position on. */
static float input_gradient_chain(tg_isa isa, const geometry *g, const float *y, const float *k, const int64_t *at)
{
    tg_shape out = out_shape(g), kernel = kernel_shape(g);
    float sum = 0;
    for (int64_t i = g->kernel[0] - 1; i >= 0; i--)
        for (int64_t j = g->kernel[1] - 1; j >= 0; j--) {
            int64_t row = met_by(g, 0, at[1], i), column = met_by(g, 1, at[2], j);
            for (int64_t f = 0; f < g->filters && row >= 0 && column >= 0; f++)
                sum = contraction_term(isa, y[at4(&out, at[0], row, column, f)], k[at4(&kernel, i, j, at[3], f)], sum);
        }
    return sum;
}

/* In at most 16 chunks of images, each with a chain of its own. */
static float kernel_gradient_chain(tg_isa isa, const geometry *g, const float *x, const float *y, const int64_t *at)
{
    tg_shape in = in_shape(g), out = out_shape(g);
    int64_t chunks = g->images < 16 ? g->images : 16;
    float total = 0;
    for (int64_t chunk = 0; chunk < chunks; chunk++) {
        float sum = 0;
        for (int64_t n = g->images * chunk / chunks; n < g->images * (chunk + 1) / chunks; n++)
            for (int64_t pixel = 0; pixel < out.dims[1] * out.dims[2]; pixel++) {
                int64_t oy = pixel / out.dims[2], ox = pixel % out.dims[2], row = meets(g, 0, oy, at[0]),
                        column = meets(g, 1, ox, at[1]);
                if (row >= 0 && column >= 0)
                    sum = contraction_term(isa, x[at4(&in, n, row, column, at[2])], y[at4(&out, n, oy, ox, at[3])], sum);
            }
        total = chunk == 0 ? sum : total + sum;
    }
    return total;
}

typedef float chain(tg_isa isa, const geometry *g, const float *left, const float *right, const int64_t *at);

static float *chains(tg_isa isa, const geometry *g, tg_shape shape, chain *each, const float *left, const float *right)
{
    int64_t n = tg_shape_count(shape);
    float *result = malloc((size_t)(n + 1) * sizeof *result);
    for (int64_t i = 0; i < n; i++) {
        int64_t at[4], rest = i;
        for (int axis = 3; axis >= 0; axis--) {
            at[axis] = rest % shape.dims[axis];
            rest /= shape.dims[axis];
        }
        result[i] = each(isa, g, left, right, at) + 0.0f;
    }
    return result;
}

static void check_conv(tg_isa isa, const geometry *g)
{
    float *x = contraction_draw(in_shape(g), 1), *k = contraction_draw(kernel_shape(g), 2),
          *y = contraction_draw(out_shape(g), 3);
    tg_conv2d_gradient_attributes of_input = {g->a, {g->in[0], g->in[1]}}, of_kernel = {g->a, {g->kernel[0], g->kernel[1]}};
    tg_type in = {TG_F32, in_shape(g)}, kernel = {TG_F32, kernel_shape(g)}, out = {TG_F32, out_shape(g)};
    struct {
        const tg_op *op;
        const void *attributes;
        tg_type inputs[2], result;
        const float *values[2];
        chain *chain;
    } cases[3] = {{&tg_op_conv2d, &g->a, {in, kernel}, out, {x, k}, output_chain},
                  {&tg_op_conv2d_input_gradient, &of_input, {out, kernel}, in, {y, k}, input_gradient_chain},
                  {&tg_op_conv2d_kernel_gradient, &of_kernel, {in, out}, kernel, {x, y}, kernel_gradient_chain}};
    for (int i = 0; i < 3; i++) {
        contraction c = {.op = cases[i].op,
                         .isa = isa,
                         .inputs = {cases[i].inputs[0], cases[i].inputs[1]},
                         .values = {cases[i].values[0], cases[i].values[1]},
                         .attributes = cases[i].attributes};
        float *expected = chains(isa, g, cases[i].result.shape, cases[i].chain, cases[i].values[0], cases[i].values[1]);
        contraction_check(&c, expected, "one chain in order");
        ck_assert(tg_type_equal(c.output, cases[i].result));
        free(expected);
    }
    free(x);
    free(k);
    free(y);
}

#define PLAIN                            \
    {                                    \
        {1, 1}, {1, 1}, {0, 0}, { 0, 0 } \
    }

START_TEST(products_are_one_chain_for_each_element)
{
    static const geometry cases[] = {
        {2, {6, 7}, 3, {3, 3}, 5, PLAIN},
        {1, {28, 28}, 1, {3, 3}, 32, PLAIN},
        {2, {13, 13}, 32, {3, 3}, 64, PLAIN},
        {1, {9, 30}, 7, {1, 1}, 70, PLAIN},
        {3, {1, 1}, 5, {1, 1}, 17, PLAIN},
        {1, {5, 40}, 2, {5, 4}, 130, PLAIN},
        {19, {4, 5}, 2, {2, 3}, 3, PLAIN},
        {2, {6, 7}, 3, {3, 3}, 33, {{1, 1}, {1, 1}, {1, 1}, {1, 1}}},
        {2, {6, 7}, 3, {5, 4}, 9, {{1, 1}, {1, 1}, {4, 3}, {2, 5}}},
        {2, {9, 8}, 3, {3, 2}, 33, {{2, 2}, {1, 1}, {0, 0}, {0, 0}}},
        {2, {9, 8}, 3, {3, 2}, 7, {{2, 3}, {1, 1}, {1, 2}, {2, 1}}},
        {1, {9, 8}, 17, {3, 3}, 20, {{1, 1}, {2, 2}, {2, 1}, {1, 2}}},
        {2, {9, 8}, 3, {3, 2}, 20, {{3, 2}, {2, 3}, {1, 1}, {1, 1}}},
        {2, {12, 12}, 2, {3, 4}, 5, {{4, 2}, {2, 4}, {2, 3}, {1, 5}}},
        {2, {9, 8}, 3, {3, 2}, 20, {{2, 2}, {1, 1}, {-1, -2}, {-2, -1}}},
        {1, {7, 7}, 3, {2, 2}, 4, {{1, 1}, {1, 1}, {-1, 2}, {3, -2}}},
        {1, {5, 5}, 2, {2, 2}, 3, {{5, 4}, {1, 1}, {0, 0}, {0, 0}}},
        {1, {5, 5}, 2, {2, 2}, 3, {{4, 6}, {2, 2}, {0, 0}, {0, 0}}},
        {1, {3, 3}, 2, {2, 2}, 3, {{50, 7}, {1, 1}, {1, 0}, {0, 2}}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_conv((tg_isa)_i, &cases[i]);
}
END_TEST

/* More terms than are summed at a time, and more channels than one panel of columns. */
START_TEST(deep_and_wide_convolutions_are_cut_without_a_trace)
{
    static const geometry cases[] = {{1, {4, 5}, 700, {3, 2}, 9, PLAIN},
                                     {1, {4, 4}, 9, {2, 2}, 700, PLAIN},
                                     {2, {24, 23}, 3, {3, 3}, 8, {{1, 1}, {1, 1}, {1, 1}, {1, 1}}},
                                     {1, {3, 700}, 2, {2, 3}, 5, PLAIN}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_conv((tg_isa)_i, &cases[i]);
}
END_TEST

START_TEST(nothing_is_summed_to_zeros)
{
    static const geometry cases[] = {{0, {4, 5}, 2, {3, 2}, 9, PLAIN},
                                     {2, {4, 5}, 0, {3, 2}, 9, PLAIN},
                                     {2, {4, 5}, 2, {3, 2}, 0, PLAIN},
                                     {2, {0, 3}, 2, {2, 2}, 3, {{1, 1}, {1, 1}, {1, 1}, {1, 1}}}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_conv((tg_isa)_i, &cases[i]);
}
END_TEST

/* The f64 loops against the chains, whose terms are exact in f32: few bits, few terms. */
START_TEST(f64_is_the_same_sum)
{
    static const geometry g = {2, {9, 8}, 3, {3, 2}, 5, {{2, 3}, {2, 1}, {1, 2}, {2, 1}}};
    float *x = contraction_draw(in_shape(&g), 1), *k = contraction_draw(kernel_shape(&g), 2),
          *y = contraction_draw(out_shape(&g), 3);
    float *draws[3] = {x, k, y};
    tg_shape shapes[3] = {in_shape(&g), kernel_shape(&g), out_shape(&g)};
    double *wide[3];
    for (int i = 0; i < 3; i++) {
        for (int64_t e = 0; e < tg_shape_count(shapes[i]); e++)
            draws[i][e] = rintf(draws[i][e] * 32);
        wide[i] = contraction_widen(draws[i], tg_shape_count(shapes[i]));
    }
    tg_conv2d_gradient_attributes of_input = {g.a, {g.in[0], g.in[1]}}, of_kernel = {g.a, {g.kernel[0], g.kernel[1]}};
    struct {
        const tg_op *op;
        const void *attributes;
        int left, right, result;
        chain *chain;
    } cases[3] = {{&tg_op_conv2d, &g.a, 0, 1, 2, output_chain},
                  {&tg_op_conv2d_input_gradient, &of_input, 2, 1, 0, input_gradient_chain},
                  {&tg_op_conv2d_kernel_gradient, &of_kernel, 0, 2, 1, kernel_gradient_chain}};
    for (int i = 0; i < 3; i++) {
        contraction c = {.op = cases[i].op,
                         .isa = TG_ISA_BASELINE,
                         .attributes = cases[i].attributes,
                         .inputs = {{TG_F64, shapes[cases[i].left]}, {TG_F64, shapes[cases[i].right]}},
                         .values = {wide[cases[i].left], wide[cases[i].right]}};
        double *got = contraction_run(&c, true);
        float *expected =
            chains(TG_ISA_BASELINE, &g, shapes[cases[i].result], cases[i].chain, draws[cases[i].left], draws[cases[i].right]);
        for (int64_t e = 0; e < tg_shape_count(c.output.shape); e++)
            ck_assert_double_eq(got[e], (double)expected[e]);
        free(got);
        free(expected);
    }
    for (int i = 0; i < 3; i++) {
        free(draws[i]);
        free(wide[i]);
    }
}
END_TEST

/* ---- errors ---- */

static tg_tensor image(tg_graph *g, const char *name, int64_t n, int64_t h, int64_t w, int64_t c)
{
    return tg_input(g, name, TG_F32, TG_SHAPE(n, h, w, c));
}

static tg_tensor of_large_kernel(tg_graph *g)
{
    return tg_conv2d(image(g, "x", 1, 3, 3, 1), image(g, "k", 5, 5, 1, 2), (tg_conv2d_options){0});
}
static tg_tensor of_dilated_kernel(tg_graph *g)
{
    return tg_conv2d(image(g, "x", 1, 3, 4, 1), image(g, "k", 2, 3, 1, 2),
                     (tg_conv2d_options){.dilation = {3, 2}, .pad_after = {0, 1}});
}
static tg_tensor of_channels(tg_graph *g)
{
    return tg_conv2d(image(g, "x", 1, 3, 3, 4), image(g, "k", 2, 2, 3, 2), (tg_conv2d_options){0});
}
static tg_tensor of_rank(tg_graph *g)
{
    return tg_conv2d(tg_input(g, "x", TG_F32, TG_SHAPE(3, 3)), image(g, "k", 2, 2, 3, 2), (tg_conv2d_options){0});
}
static tg_tensor of_stride(tg_graph *g)
{
    return tg_conv2d(image(g, "x", 1, 3, 3, 3), image(g, "k", 2, 2, 3, 2), (tg_conv2d_options){.stride = {1, -2}});
}
static tg_tensor of_padding(tg_graph *g)
{
    return tg_conv2d(image(g, "x", 1, 3, 3, 3), image(g, "k", 2, 2, 3, 2), (tg_conv2d_options){.pad_before = {INT64_MAX, 0}});
}
static tg_tensor of_empty_kernel(tg_graph *g)
{
    return tg_conv2d(image(g, "x", 1, 3, 3, 3), image(g, "k", 2, 0, 3, 2), (tg_conv2d_options){0});
}
static tg_tensor of_dtype(tg_graph *g)
{
    return tg_conv2d(tg_input(g, "x", TG_U8, TG_SHAPE(1, 3, 3, 3)), image(g, "k", 2, 2, 3, 2), (tg_conv2d_options){0});
}
static tg_tensor of_gradient_extents(tg_graph *g)
{
    return tg_conv2d_input_gradient(image(g, "y", 1, 3, 3, 2), image(g, "k", 2, 2, 3, 2), 5, 4, (tg_conv2d_options){0});
}
static tg_tensor of_filters(tg_graph *g)
{
    return tg_conv2d_input_gradient(image(g, "y", 1, 4, 3, 5), image(g, "k", 2, 2, 3, 2), 5, 4, (tg_conv2d_options){0});
}
static tg_tensor of_images(tg_graph *g)
{
    return tg_conv2d_kernel_gradient(image(g, "x", 2, 5, 4, 3), image(g, "y", 1, 4, 3, 2), 2, 2, (tg_conv2d_options){0});
}

START_TEST(mistakes_are_told_in_words)
{
    static const struct {
        tg_tensor (*record)(tg_graph *graph);
        const char *words;
    } cases[] = {{of_large_kernel, "the 5x5 kernel spans 5x5, more than the padded input's 3x3"},
                 {of_dilated_kernel, "the 2x3 kernel, dilated, spans 4x5, more than the padded input's 3x5"},
                 {of_channels, "x and the kernel have 4 and 3 channels"},
                 {of_rank, "x has rank 2"},
                 {of_stride, "the stride of -2 along the width is out of range"},
                 {of_padding, "the padding before of 9223372036854775807 along the height is out of range"},
                 {of_empty_kernel, "the kernel's width is 0"},
                 {of_dtype, "x is u8 and the kernel is f32"},
                 {of_gradient_extents, "the gradient is 3x3, but the convolution's output is 4x3"},
                 {of_filters, "the gradient and the kernel have 5 and 2 filters"},
                 {of_images, "x and the gradient have 2 and 1 images"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        workbench w = workbench_open(TG_F32);
        ck_assert(!tg_ok(cases[i].record(w.graph)));
        ck_assert_msg(strstr(tg_graph_error(w.graph), cases[i].words) != NULL, "\"%s\" lacks \"%s\"", tg_graph_error(w.graph),
                      cases[i].words);
        workbench_close(&w);
    }
}
END_TEST

/* TensorFlow's "SAME": ceil(extent / stride) outputs, the odd zero below and right. */
START_TEST(same_padding_keeps_extents)
{
    tg_conv2d_options a = tg_same_padding((tg_conv2d_options){0}, 7, 8, 3, 4);
    ck_assert_int_eq(a.pad_before[0], 1);
    ck_assert_int_eq(a.pad_after[0], 1);
    ck_assert_int_eq(a.pad_before[1], 1);
    ck_assert_int_eq(a.pad_after[1], 2);
    a = tg_same_padding((tg_conv2d_options){.stride = {2, 3}, .dilation = {2, 1}}, 7, 9, 3, 2);
    ck_assert_int_eq(a.pad_before[0], 2);
    ck_assert_int_eq(a.pad_after[0], 2);
    ck_assert_int_eq(a.pad_before[1], 0);
    ck_assert_int_eq(a.pad_after[1], 0);
    workbench w = workbench_open(TG_F32);
    tg_shape shape = tg_tensor_shape(tg_conv2d(image(w.graph, "x", 1, 7, 9, 2), image(w.graph, "k", 3, 2, 2, 5), a));
    ck_assert(tg_shape_equal(shape, TG_SHAPE(1, 4, 3, 5)));
    workbench_close(&w);
}
END_TEST

/* ---- rewrites ---- */

static tg_tensor draw(workbench *w, tg_shape shape, uint64_t seed) { return workbench_random(w, TG_F32, shape, -1, 1, seed); }

/* The roots have equal values with and without exact simplification. Returns the plan with it. */
static tg_plan *expect_same(workbench *w, const tg_tensor *roots, int n)
{
    tg_compile_options options = tg_compile_defaults(w->context);
    options.rounds = false;
    tg_plan *simple = tg_compile_roots(w->graph, roots, n, options);
    options.simplify = options.fuse = false;
    tg_plan *plain = tg_compile_roots(w->graph, roots, n, options);
    ck_assert_msg(simple && plain, "%s", tg_graph_error(w->graph));
    ck_assert_int_eq(tg_run(simple), TG_OK);
    ck_assert_int_eq(tg_run(plain), TG_OK);
    for (int i = 0; i < n; i++) {
        const float *got = tg_values(simple, roots[i]), *expected = tg_values(plain, roots[i]);
        for (int64_t e = 0; e < tg_shape_count(tg_tensor_shape(roots[i])); e++)
            ck_assert_msg(got[e] == expected[e], "root %d, element %lld: %.9g, not %.9g", i, (long long)e, got[e], expected[e]);
    }
    tg_plan_free(plain);
    return simple;
}

START_TEST(zeros_around_an_image_become_padding)
{
    workbench w = workbench_open_on((tg_isa)_i, 1, TG_F32);
    tg_tensor x = draw(&w, TG_SHAPE(2, 5, 6, 3), 1), k = draw(&w, TG_SHAPE(3, 2, 3, 4), 2);
    tg_tensor padded = tg_pad(tg_pad(x, 1, 2, 1, 0), 2, 0, 3, 0);
    tg_tensor y = tg_conv2d(padded, k, (tg_conv2d_options){.stride = {2, 1}, .pad_before = {-1, 1}});
    tg_tensor roots[2] = {y, tg_conv2d_kernel_gradient(padded, draw(&w, tg_tensor_shape(y), 3), 3, 2,
                                                       (tg_conv2d_options){.stride = {2, 1}, .pad_before = {-1, 1}})};
    tg_plan *plan = expect_same(&w, roots, 2);
    ck_assert_int_eq(contraction_count_op(plan, &tg_op_pad), 0);
    tg_plan_free(plan);
    tg_tensor ones = tg_conv2d(tg_pad(x, 1, 1, 1, 1), k, (tg_conv2d_options){0});
    plan = tg_compile(w.graph, ones);
    ck_assert_int_eq(contraction_count_op(plan, &tg_op_pad), 1);
    tg_plan_free(plan);
    workbench_close(&w);
}
END_TEST

/* A slice of the output is not computed elsewhere, nor are its gradients. */
START_TEST(a_slice_moves_into_the_convolution_and_its_gradients)
{
    workbench w = workbench_open_on((tg_isa)_i, 1, TG_F32);
    tg_tensor x = draw(&w, TG_SHAPE(2, 11, 12, 3), 1), k = draw(&w, TG_SHAPE(3, 3, 3, 4), 2);
    tg_tensor y = tg_conv2d(x, k, (tg_conv2d_options){.stride = {1, 2}, .pad_before = {1, 2}, .pad_after = {2, 0}});
    tg_tensor part = tg_slice(tg_slice(y, 1, 1, 10, 3), 2, 1, 5, 1);
    tg_tensor loss = tg_sum(tg_mul(part, draw(&w, tg_tensor_shape(part), 3)), TG_ALL_AXES), of[2] = {x, k}, roots[3] = {part};
    ck_assert(tg_gradients(loss, of, 2, &roots[1]));
    tg_plan *plan = expect_same(&w, roots, 3);
    ck_assert_int_eq(contraction_count_op(plan, &tg_op_slice), 0);
    ck_assert_int_eq(contraction_count_op(plan, &tg_op_pad), 0);
    tg_plan_free(plan);
    workbench_close(&w);
}
END_TEST

START_TEST(gradients_skip_what_no_window_reaches)
{
    workbench w = workbench_open_on((tg_isa)_i, 1, TG_F32);
    tg_tensor x = draw(&w, TG_SHAPE(2, 7, 8, 3), 1), k = draw(&w, TG_SHAPE(3, 3, 3, 4), 2);
    tg_tensor argmax = workbench_random(&w, TG_U8, TG_SHAPE(2, 2, 3, 4), 0, 4, 3), pooled = draw(&w, TG_SHAPE(2, 2, 3, 4), 4);
    tg_tensor g = tg_unpool2d(pooled, argmax, 5, 6, (tg_pool2d_options){.window = {2, 2}});
    tg_tensor h = tg_avg_unpool2d(pooled, 5, 6, (tg_pool2d_options){.window = {2, 2}});
    tg_conv2d_options plain = {0};
    tg_tensor roots[4] = {tg_conv2d_input_gradient(g, k, 7, 8, plain), tg_conv2d_kernel_gradient(x, g, 3, 3, plain),
                          tg_conv2d_input_gradient(h, k, 7, 8, plain), tg_conv2d_kernel_gradient(x, h, 3, 3, plain)};
    tg_plan *plan = expect_same(&w, roots, 4);
    const tg_graph *graph = tg_plan_graph(plan);
    int unpooled = 0;
    for (int32_t i = 0; i < tg_graph_count(graph); i++) {
        const tg_node *node = tg_graph_node(graph, i);
        if (node->op == &tg_op_unpool2d || node->op == &tg_op_avg_unpool2d) {
            ck_assert(tg_shape_equal(node->type.shape, TG_SHAPE(2, 4, 6, 4)));
            unpooled++;
        }
    }
    ck_assert_int_eq(unpooled, 2);
    tg_plan_free(plan);
    workbench_close(&w);
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("conv");
    contraction_add_for_each_set(tests, products_are_one_chain_for_each_element);
    contraction_add_for_each_set(tests, deep_and_wide_convolutions_are_cut_without_a_trace);
    contraction_add_for_each_set(tests, nothing_is_summed_to_zeros);
    tcase_add_test(tests, f64_is_the_same_sum);
    tcase_add_test(tests, mistakes_are_told_in_words);
    tcase_add_test(tests, same_padding_keeps_extents);
    contraction_add_for_each_set(tests, zeros_around_an_image_become_padding);
    contraction_add_for_each_set(tests, a_slice_moves_into_the_convolution_and_its_gradients);
    contraction_add_for_each_set(tests, gradients_skip_what_no_window_reaches);
    return harness_run("conv", tests);
}
