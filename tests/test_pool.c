#include "contraction.h"
#include "ops/attributes.h"
#include "ops/kernel_set.h"
#include "ops/op_entries.h"
#include "ops/ops.h"
#include "workbench.h"

/* ---- kernels against loops over definitions ---- */

typedef struct geometry {
    int64_t images;
    tg_pool_size size;
} geometry;

static int64_t image_at(const geometry *g, int64_t n, int64_t y, int64_t x, int64_t c)
{
    return ((n * g->size.in[0] + y) * g->size.in[1] + x) * g->size.channels + c;
}

static int64_t image_count(const geometry *g) { return g->images * g->size.in[0] * g->size.in[1] * g->size.channels; }
static int64_t pooled_count(const geometry *g) { return g->images * g->size.out[0] * g->size.out[1] * g->size.channels; }

/* Where in the image position i of the window of pooled element e lies. */
static int64_t window_at(const geometry *g, int64_t e, int64_t i)
{
    const tg_pool_size *s = &g->size;
    int64_t c = e % s->channels, x = e / s->channels % s->out[1], y = e / s->channels / s->out[1] % s->out[0];
    return image_at(g, e / s->channels / s->out[1] / s->out[0], y * s->stride[0] + i / s->window[1],
                    x * s->stride[1] + i % s->window[1], c);
}

static int64_t positions(const geometry *g) { return g->size.window[0] * g->size.window[1]; }

/* The first NaN, or the first of the greatest. */
static int64_t best_of(const geometry *g, const float *x, int64_t e)
{
    int64_t best = 0;
    for (int64_t i = 0; i < positions(g) && !isnan(x[window_at(g, e, best)]); i++)
        if (isnan(x[window_at(g, e, i)]) || x[window_at(g, e, i)] > x[window_at(g, e, best)])
            best = i;
    return best;
}

typedef struct results {
    float *maxima, *gathered, *means, *unpooled, *spread;
    uint8_t *argmax;
} results;

static results reserve(const geometry *g)
{
    size_t image = (size_t)image_count(g) * sizeof(float) + 1, pooled = (size_t)pooled_count(g) * sizeof(float) + 1;
    return (results){malloc(pooled), malloc(pooled), malloc(pooled), calloc(image, 1), calloc(image, 1), malloc(pooled)};
}

static void release(results *r)
{
    free(r->maxima);
    free(r->gathered);
    free(r->means);
    free(r->unpooled);
    free(r->spread);
    free(r->argmax);
}

/* y is taken and put back at `argmax`. */
static results by_definition(const geometry *g, const float *x, const float *y, const uint8_t *argmax)
{
    results r = reserve(g);
    for (int64_t e = 0; e < pooled_count(g); e++) {
        r.argmax[e] = (uint8_t)best_of(g, x, e);
        r.maxima[e] = x[window_at(g, e, r.argmax[e])];
        r.gathered[e] = argmax[e] < positions(g) ? x[window_at(g, e, argmax[e])] : 0;
        float sum = 0;
        for (int64_t i = 0; i < positions(g); i++) {
            sum += x[window_at(g, e, i)];
            r.spread[window_at(g, e, i)] += y[e] / (float)positions(g);
        }
        r.means[e] = sum / (float)positions(g);
        if (argmax[e] < positions(g))
            r.unpooled[window_at(g, e, argmax[e])] += y[e];
    }
    return r;
}

/* In two parts, as two tasks would. */
static void run(const geometry *g, void (*kernel)(const tg_pool *), const void *from, const uint8_t *argmax, void *to,
                int64_t rows)
{
    kernel(&(tg_pool){&g->size, from, argmax, to, 0, rows / 3});
    kernel(&(tg_pool){&g->size, from, argmax, to, rows / 3, rows});
}

static results by_kernels(const geometry *g, const tg_kernels *kernels, const float *x, const float *y, const uint8_t *argmax)
{
    results r = reserve(g);
    int64_t pooled_rows = g->images * g->size.out[0], image_rows = g->images * g->size.in[0];
    run(g, kernels->max_pool, x, NULL, r.maxima, pooled_rows);
    run(g, kernels->max_pool_argmax, x, NULL, r.argmax, pooled_rows);
    run(g, kernels->pool_gather, x, argmax, r.gathered, pooled_rows);
    run(g, kernels->avg_pool, x, NULL, r.means, pooled_rows);
    run(g, kernels->unpool, y, argmax, r.unpooled, image_rows);
    run(g, kernels->avg_unpool, y, NULL, r.spread, image_rows);
    return r;
}

static void expect_equal(const float *got, const float *expected, int64_t n, const char *what, const geometry *g, const char *set)
{
    for (int64_t i = 0; i < n; i++)
        ck_assert_msg(got[i] == expected[i] || (isnan(got[i]) && isnan(expected[i])),
                      "%s on %s, %lldx%lldx%lld by %lldx%lld: element %lld is %.9g, not %.9g", what, set,
                      (long long)g->size.in[0], (long long)g->size.in[1], (long long)g->size.channels,
                      (long long)g->size.window[0], (long long)g->size.window[1], (long long)i, got[i], expected[i]);
}

static void check_pooling(const tg_kernels *kernels, geometry g)
{
    for (int axis = 0; axis < 2; axis++)
        g.size.out[axis] = (g.size.in[axis] - g.size.window[axis]) / g.size.stride[axis] + 1;
    float *x = contraction_draw(TG_SHAPE(image_count(&g)), 1), *y = contraction_draw(TG_SHAPE(pooled_count(&g)), 2);
    uint8_t *argmax = malloc((size_t)pooled_count(&g) + 1);
    for (int64_t i = 0; i < image_count(&g); i++) /* ties, and here and there a NaN or an infinity */
        x[i] = i % 37 == 5 ? NAN : i % 41 == 7 ? -INFINITY : roundf(x[i] * 3) / 3;
    for (int64_t i = 0; i < pooled_count(&g); i++)
        argmax[i] = (uint8_t)(i * 7 % (positions(&g) + 1)); /* also one that is no position */
    results expected = by_definition(&g, x, y, argmax), got = by_kernels(&g, kernels, x, y, argmax);
    expect_equal(got.maxima, expected.maxima, pooled_count(&g), "max_pool", &g, kernels->set);
    expect_equal(got.gathered, expected.gathered, pooled_count(&g), "pool_gather", &g, kernels->set);
    expect_equal(got.means, expected.means, pooled_count(&g), "avg_pool", &g, kernels->set);
    expect_equal(got.unpooled, expected.unpooled, image_count(&g), "unpool", &g, kernels->set);
    expect_equal(got.spread, expected.spread, image_count(&g), "avg_unpool", &g, kernels->set);
    ck_assert_int_eq(memcmp(got.argmax, expected.argmax, (size_t)pooled_count(&g)), 0);
    release(&expected);
    release(&got);
    free(x);
    free(y);
    free(argmax);
}

START_TEST(kernels_keep_to_the_definitions)
{
    static const tg_pool_size sizes[] = {
        {.in = {4, 6}, .window = {2, 2}, .stride = {2, 2}}, {.in = {5, 7}, .window = {2, 2}, .stride = {2, 2}},
        {.in = {6, 5}, .window = {3, 2}, .stride = {1, 1}}, {.in = {7, 7}, .window = {3, 3}, .stride = {2, 2}},
        {.in = {9, 8}, .window = {2, 1}, .stride = {3, 2}}, {.in = {3, 3}, .window = {3, 3}, .stride = {3, 3}},
        {.in = {2, 2}, .window = {1, 1}, .stride = {1, 1}}, {.in = {17, 16}, .window = {16, 15}, .stride = {1, 1}},
        {.in = {5, 6}, .window = {2, 3}, .stride = {2, 1}}, {.in = {4, 5}, .window = {2, 2}, .stride = {9, 2}}};
    static const int64_t channels[] = {1, 3, 4, 5, 16, 19, 33};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (size_t c = 0; c < sizeof channels / sizeof *channels; c++) {
            geometry g = {2, sizes[i]};
            g.size.channels = channels[c];
            check_pooling(tg_kernels_for((tg_isa)_i), g);
        }
}
END_TEST

/* ---- ops ---- */

START_TEST(ties_go_to_the_first)
{
    for (int wide = 0; wide < 2; wide++) {
        workbench w = workbench_open(wide ? TG_F64 : TG_F32);
        tg_dtype dtype = wide ? TG_F64 : TG_F32;
        const double values[] = {1, 2, 0, -0.0, 2, 1, 0, 0, -3, NAN, 5, INFINITY, NAN, 7, INFINITY, 5};
        tg_tensor x = workbench_values(&w, dtype, TG_SHAPE(1, 4, 4, 1), values);
        tg_pool2d_options by_two = {.window = {2, 2}};
        tg_tensor argmax = tg_max_pool2d_argmax(x, by_two), y = tg_max_pool2d(x, 2);
        workbench_expect(argmax, 0, 1, 0, 1, 1);
        workbench_expect(y, 0, 2, 0, NAN, INFINITY);
        tg_tensor g = workbench_values(&w, dtype, TG_SHAPE(1, 2, 2, 1), (const double[]){1, 2, 3, 4});
        tg_tensor gradients[1];
        ck_assert(tg_gradients_with(y, &x, 1, gradients, (tg_gradient_options){.seed = g}));
        workbench_expect(gradients[0], 0, 0, 1, 2, 0, 0, 0, 0, 0, 0, 3, 0, 4, 0, 0, 0, 0);
        workbench_close(&w);
    }
}
END_TEST

START_TEST(overlapping_windows_add_their_gradients)
{
    workbench w = workbench_open(TG_F32);
    tg_tensor x = workbench_values(&w, TG_F32, TG_SHAPE(1, 1, 5, 1), (const double[]){1, 3, 2, 9, 4});
    tg_tensor y = tg_max_pool2d_with(x, (tg_pool2d_options){.window = {1, 3}, .stride = {1, 1}});
    tg_tensor z = tg_avg_pool2d_with(x, (tg_pool2d_options){.window = {1, 2}, .stride = {1, 1}});
    workbench_expect(y, 0, 3, 9, 9);
    workbench_expect(tg_gradient(tg_sum(y, TG_ALL_AXES), x), 0, 0, 1, 0, 2, 0);
    workbench_expect(z, 0, 2, 2.5, 5.5, 6.5);
    workbench_expect(tg_gradient(tg_sum(z, TG_ALL_AXES), x), 0, 0.5, 1, 1, 1, 0.5);
    workbench_expect(tg_global_avg_pool2d(x), 1e-6, 3.8);
    workbench_close(&w);
}
END_TEST

/* Larger windows than an argmax can describe have no gradient, but a maximum and a mean. */
START_TEST(windows_may_be_large)
{
    workbench w = workbench_open(TG_F32);
    tg_tensor x = tg_reshape(workbench_count_up(&w, TG_F32, TG_SHAPE(800)), TG_SHAPE(1, 20, 20, 2));
    workbench_expect(tg_max_pool2d(x, 20), 0, 798, 799);
    workbench_expect(tg_avg_pool2d(x, 20), 0, 399, 400);
    workbench_close(&w);
}
END_TEST

static void expect_error(const workbench *w, tg_tensor poisoned, const char *words)
{
    ck_assert(!tg_ok(poisoned));
    ck_assert_msg(strstr(tg_graph_error(w->graph), words) != NULL, "\"%s\" lacks \"%s\"", tg_graph_error(w->graph), words);
}

static tg_tensor of_window(tg_graph *g) { return tg_max_pool2d(tg_input(g, "x", TG_F32, TG_SHAPE(1, 4, 5, 1)), 5); }
static tg_tensor of_nothing(tg_graph *g) { return tg_avg_pool2d(tg_input(g, "x", TG_F32, TG_SHAPE(1, 4, 5, 1)), 0); }
static tg_tensor of_rank(tg_graph *g) { return tg_max_pool2d(tg_input(g, "x", TG_F32, TG_SHAPE(4, 5)), 2); }
static tg_tensor of_global_rank(tg_graph *g) { return tg_global_avg_pool2d(tg_input(g, "x", TG_F32, TG_SHAPE(4, 5))); }
static tg_tensor of_integers(tg_graph *g) { return tg_max_pool2d(tg_input(g, "x", TG_U8, TG_SHAPE(1, 4, 4, 1)), 2); }
static tg_tensor of_large_gradient(tg_graph *g)
{
    tg_tensor x = tg_input(g, "x", TG_F32, TG_SHAPE(1, 20, 20, 1));
    return tg_gradient(tg_sum(tg_max_pool2d(x, 17), TG_ALL_AXES), x);
}
static tg_tensor of_extents(tg_graph *g)
{
    tg_tensor y = tg_input(g, "y", TG_F32, TG_SHAPE(1, 2, 2, 1)), argmax = tg_input(g, "i", TG_U8, TG_SHAPE(1, 2, 2, 1));
    return tg_unpool2d(y, argmax, 4, 6, (tg_pool2d_options){.window = {2, 2}});
}
/* An argmax of 255 in a window of 4: elements of the image or zeros come out, on each instruction set. */
START_TEST(positions_beyond_the_window_reach_no_other_memory)
{
    const double far[16] = {255, 4, 255, 4, 255, 4, 255, 4, 255, 4, 255, 4, 255, 4, 255, 4};
    const tg_pool2d_options options = {.window = {2, 2}};
    for (int isa = 0; isa < TG_ISA_COUNT; isa++)
        for (int dtype = TG_F32; tg_isa_available((tg_isa)isa) && dtype <= TG_F64; dtype++) {
            workbench b = workbench_open_on((tg_isa)isa, 1, (tg_dtype)dtype);
            tg_tensor argmax = workbench_values(&b, TG_U8, TG_SHAPE(1, 2, 2, 4), far);
            tg_tensor x = workbench_random(&b, (tg_dtype)dtype, TG_SHAPE(1, 4, 4, 4), 1, 1, 3);
            tg_tensor y = workbench_random(&b, (tg_dtype)dtype, TG_SHAPE(1, 2, 2, 4), 1, 1, 4);
            tg_tensor made[] = {tg_pool_gather2d(x, argmax, options), tg_unpool2d(y, argmax, 4, 4, options)};
            for (int r = 0; r < 2; r++) {
                int64_t n = tg_shape_count(tg_tensor_shape(made[r]));
                double *values = workbench_eval(made[r]);
                for (int64_t i = 0; i < n; i++)
                    ck_assert_msg(values[i] == 0 || values[i] == 1, "%g at %d of result %d", values[i], (int)i, r);
                free(values);
            }
            workbench_close(&b);
        }
}
END_TEST

static tg_tensor of_positions(tg_graph *g)
{
    tg_tensor x = tg_input(g, "x", TG_F32, TG_SHAPE(1, 4, 4, 1)), argmax = tg_input(g, "i", TG_I32, TG_SHAPE(1, 2, 2, 1));
    return tg_pool_gather2d(x, argmax, (tg_pool2d_options){.window = {2, 2}});
}

START_TEST(mistakes_are_told_in_words)
{
    static const struct {
        tg_tensor (*record)(tg_graph *graph);
        const char *words;
    } cases[] = {{of_window, "the 5x5 window is larger than the 4x5 image"},
                 {of_nothing, "the window is 0x0 with stride 0x0, but each must lie in [1, 2^30]"},
                 {of_rank, "x has rank 2"},
                 {of_global_rank, "x has rank 2"},
                 {of_integers, "it takes floats, not u8"},
                 {of_large_gradient, "the 17x17 window has more than the 256 positions that a u8 argmax can name"},
                 {of_extents, "y is 2x2, but an image of 4x6 is pooled to 2x3"},
                 {of_positions, "the argmax is i32, not u8"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        workbench w = workbench_open(TG_F32);
        expect_error(&w, cases[i].record(w.graph), cases[i].words);
        workbench_close(&w);
    }
}
END_TEST

/* ---- rewrites ---- */

/* convolution, bias, `activation`, pooling: as a layer of a network, with its gradients in x, kernel and bias. */
typedef struct layer {
    workbench w;
    tg_tensor roots[4];
    tg_plan *best, *exact, *plain; /* with all rules, with those that round nothing, with none */
} layer;

static layer layer_open(tg_isa isa, tg_tensor (*activation)(tg_where where, tg_tensor x), tg_pool2d_options pooling)
{
    layer l = {.w = workbench_open_on(isa, 1, TG_F32)};
    tg_tensor x = workbench_random(&l.w, TG_F32, TG_SHAPE(2, 9, 9, 3), -1, 1, 1),
              k = workbench_random(&l.w, TG_F32, TG_SHAPE(3, 3, 3, 5), -1, 1, 2);
    tg_tensor b = workbench_random(&l.w, TG_F32, TG_SHAPE(5), -1, 1, 3), of[3] = {x, k, b};
    l.roots[0] = tg_max_pool2d_with(activation(TG_HERE, tg_add(tg_conv2d(x, k, (tg_conv2d_options){0}), b)), pooling);
    tg_tensor weights = workbench_random(&l.w, TG_F32, tg_tensor_shape(l.roots[0]), -1, 1, 4);
    ck_assert(tg_gradients(tg_sum(tg_mul(l.roots[0], weights), TG_ALL_AXES), of, 3, &l.roots[1]));
    tg_compile_options options = tg_compile_defaults(l.w.context);
    options.fuse = false;
    l.best = tg_compile_roots(l.w.graph, l.roots, 4, options);
    options.rounds = false;
    l.exact = tg_compile_roots(l.w.graph, l.roots, 4, options);
    options.simplify = false;
    l.plain = tg_compile_roots(l.w.graph, l.roots, 4, options);
    ck_assert_msg(l.best && l.exact && l.plain, "%s", tg_graph_error(l.w.graph));
    return l;
}

static void layer_close(layer *l)
{
    tg_plan_free(l->best);
    tg_plan_free(l->exact);
    tg_plan_free(l->plain);
    workbench_close(&l->w);
}

/* Rules that round nothing change no value. */
static void layer_run(const layer *l)
{
    ck_assert_int_eq(tg_run(l->exact), TG_OK);
    ck_assert_int_eq(tg_run(l->plain), TG_OK);
    for (int i = 0; i < 4; i++) {
        const float *got = tg_values(l->exact, l->roots[i]), *expected = tg_values(l->plain, l->roots[i]);
        for (int64_t e = 0; e < tg_shape_count(tg_tensor_shape(l->roots[i])); e++)
            ck_assert_msg(got[e] == expected[e], "root %d, element %lld: %.9g, not %.9g", i, (long long)e, got[e], expected[e]);
    }
}

/* The most elements that a pointwise op of the plan works on. */
static int64_t largest_pointwise(const tg_plan *plan)
{
    int64_t largest = 0;
    const tg_graph *graph = tg_plan_graph(plan);
    for (int32_t i = 0; i < tg_graph_count(graph); i++) {
        const tg_node *node = tg_graph_node(graph, i);
        int64_t count = tg_shape_count(node->type.shape);
        if (node->op->traits & TG_POINTWISE && count > largest)
            largest = count;
    }
    return largest;
}

/* The one node of an op. */
static const tg_node *only_node(const tg_plan *plan, const tg_op *op)
{
    const tg_graph *graph = tg_plan_graph(plan);
    const tg_node *found = NULL;
    for (int32_t i = 0; i < tg_graph_count(graph); i++)
        if (tg_graph_node(graph, i)->op == op) {
            ck_assert_msg(!found, "%s stands twice", op->name);
            found = tg_graph_node(graph, i);
        }
    ck_assert_msg(found, "there is no %s", op->name);
    return found;
}

/* Bias and activation, forward and backward, work on pooled elements; the convolution computes only what windows read, and is pooled
   at once. */
START_TEST(increasing_activations_work_on_pooled_elements)
{
    static tg_tensor (*const activations[])(tg_where, tg_tensor) = {tg_sigmoid_at, tg_relu_at, tg_tanh_at};
    for (size_t i = 0; i < sizeof activations / sizeof *activations; i++) {
        layer l = layer_open((tg_isa)_i, activations[i], (tg_pool2d_options){.window = {3, 2}});
        ck_assert_int_eq(largest_pointwise(l.best), 2 * 2 * 3 * 5);
        ck_assert_int_eq(contraction_count_op(l.best, &tg_op_pool_gather2d), 0);
        ck_assert_int_eq(contraction_count_op(l.best, &tg_op_conv2d), 0);
        ck_assert(tg_shape_equal(only_node(l.best, &tg_op_conv2d_max_pool2d)->type.shape, TG_SHAPE(2, 2, 3, 5)));
        ck_assert(tg_shape_equal(only_node(l.best, &tg_op_conv2d_max_pool2d_argmax)->type.shape, TG_SHAPE(2, 2, 3, 5)));
        only_node(l.best, &tg_op_conv2d_kernel_gradient_unpooled);
        only_node(l.best, &tg_op_conv2d_input_gradient_unpooled);
        ck_assert_int_eq(contraction_count_op(l.best, &tg_op_unpool2d), 0); /* the convolution's gradients take it as it was */
        layer_run(&l);
        layer_close(&l);
    }
}
END_TEST

/* One that falls first is not moved, but its gradient works on what is taken. */
START_TEST(other_activations_stay_before_pooling)
{
    layer l = layer_open((tg_isa)_i, tg_silu_at, (tg_pool2d_options){.window = {2, 2}});
    const tg_node *pooled = only_node(l.best, &tg_op_max_pool2d), *argmax = only_node(l.best, &tg_op_max_pool2d_argmax);
    ck_assert_ptr_eq(tg_graph_node(tg_plan_graph(l.best), pooled->inputs[0])->op, &tg_op_silu);
    ck_assert_int_eq(argmax->inputs[0], pooled->inputs[0]);
    ck_assert_int_eq(contraction_count_op(l.best, &tg_op_unpool2d), 0);
    ck_assert(tg_shape_equal(only_node(l.best, &tg_op_conv2d)->type.shape, TG_SHAPE(2, 6, 6, 5)));
    layer_run(&l);
    layer_close(&l);
}
END_TEST

START_TEST(overlapping_windows_keep_one_convolution)
{
    layer l = layer_open((tg_isa)_i, tg_sigmoid_at, (tg_pool2d_options){.window = {3, 3}, .stride = {2, 3}});
    only_node(l.best, &tg_op_conv2d);
    layer_run(&l);
    layer_close(&l);
}
END_TEST

static tg_tensor add_one(tg_tensor x) { return tg_add(x, tg_scalar(x, 1)); }
static tg_tensor rectify(tg_tensor x) { return tg_relu(x); }
static tg_tensor saturate(tg_tensor x) { return tg_sigmoid(tg_mul(x, tg_scalar(x, 1e3))); }

/* Increasing functions that make ties: without `rounds` the first of the equal elements is taken, and gets the gradient; with it one of them. */
START_TEST(positions_at_ties_keep_to_their_class)
{
    static tg_tensor (*const functions[])(tg_tensor) = {add_one, rectify, saturate};
    static const double windows[][4] = {{0, 1e-9, 0, 0}, {-3, -2, -1, -2}, {0.1, 0.2, 0.4, 0.3}};
    for (int rounds = 0; rounds < 2; rounds++)
        for (int f = 0; f < 3; f++) {
            workbench w = workbench_open_on((tg_isa)_i, 1, TG_F32);
            tg_tensor x = workbench_values(&w, TG_F32, TG_SHAPE(1, 2, 2, 1), windows[f]), y = functions[f](x);
            tg_tensor roots[3] = {tg_max_pool2d(y, 2), tg_max_pool2d_argmax(y, (tg_pool2d_options){.window = {2, 2}})};
            roots[2] = tg_gradient(tg_max_pool2d(y, 2), y);
            tg_compile_options options = tg_compile_defaults(w.context);
            options.rounds = rounds;
            tg_plan *plan = tg_compile_roots(w.graph, roots, 3, options);
            ck_assert_msg(plan && !tg_run(plan), "%s", tg_graph_error(w.graph));
            float values[4];
            ck_assert_int_eq(tg_eval(y, values, sizeof values), TG_OK);
            uint8_t place = *(const uint8_t *)tg_values(plan, roots[1]);
            ck_assert(*(const float *)tg_values(plan, roots[0]) == values[0]);
            ck_assert_int_lt(place, 4);
            ck_assert(values[place] == values[0]);
            ck_assert(rounds || place == 0);
            ck_assert(rounds || *(const float *)tg_values(plan, roots[2]) == 1);
            tg_plan_free(plan);
            workbench_close(&w);
        }
}
END_TEST

/* What differs within a window cannot be pooled with x. */
START_TEST(operands_that_vary_in_a_window_stay_before_pooling)
{
    workbench w = workbench_open(TG_F32);
    tg_tensor x = workbench_random(&w, TG_F32, TG_SHAPE(2, 4, 4, 3), -1, 1, 1);
    const tg_shape shapes[] = {TG_SHAPE(2, 4, 4, 3), TG_SHAPE(4, 1, 1), TG_SHAPE(1, 4, 1), TG_SHAPE(4, 4, 3)};
    const tg_shape even[] = {TG_SHAPE(3), TG_SHAPE(2, 1, 1, 3), TG_SHAPE(1, 1, 1), TG_SCALAR};
    for (int i = 0; i < 4; i++) {
        tg_plan *plan = tg_compile(w.graph, tg_max_pool2d(tg_add(x, workbench_random(&w, TG_F32, shapes[i], -1, 1, 2)), 2));
        ck_assert_int_eq(tg_shape_count(only_node(plan, &tg_op_add)->type.shape), 2 * 4 * 4 * 3);
        tg_plan_free(plan);
        plan = tg_compile(w.graph, tg_max_pool2d(tg_sub(x, workbench_random(&w, TG_F32, even[i], -1, 1, 3)), 2));
        ck_assert_int_eq(tg_shape_count(only_node(plan, &tg_op_sub)->type.shape), 2 * 2 * 2 * 3);
        tg_plan_free(plan);
        plan = tg_compile(w.graph, tg_max_pool2d(tg_sub(workbench_random(&w, TG_F32, even[i], -1, 1, 4), x), 2));
        ck_assert_int_eq(tg_shape_count(only_node(plan, &tg_op_sub)->type.shape), 2 * 4 * 4 * 3);
        tg_plan_free(plan);
    }
    workbench_close(&w);
}
END_TEST

START_TEST(what_was_unpooled_is_taken_back_as_it_was)
{
    workbench w = workbench_open(TG_F32);
    tg_tensor y = workbench_random(&w, TG_F32, TG_SHAPE(1, 2, 2, 3), -1, 1, 1),
              argmax = workbench_random(&w, TG_U8, TG_SHAPE(1, 2, 2, 3), 0, 4, 2);
    tg_pool2d_options by_two = {.window = {2, 2}};
    tg_tensor unpooled = tg_unpool2d(y, argmax, 4, 4, by_two), sum = tg_add(unpooled, tg_neg(unpooled));
    tg_tensor again = tg_pool_gather2d(unpooled, argmax, by_two);
    tg_plan *plan = tg_compile(w.graph, tg_exp(again), tg_mul(unpooled, tg_scalar(y, 3)), sum);
    ck_assert_int_eq(contraction_count_op(plan, &tg_op_pool_gather2d), 0);
    ck_assert_int_eq(largest_pointwise(plan), 2 * 2 * 3);
    tg_plan_free(plan);
    workbench_close(&w);
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("pool");
    contraction_add_for_each_set(tests, kernels_keep_to_the_definitions);
    tcase_add_test(tests, ties_go_to_the_first);
    tcase_add_test(tests, windows_may_be_large);
    tcase_add_test(tests, overlapping_windows_add_their_gradients);
    tcase_add_test(tests, positions_beyond_the_window_reach_no_other_memory);
    tcase_add_test(tests, mistakes_are_told_in_words);
    contraction_add_for_each_set(tests, increasing_activations_work_on_pooled_elements);
    contraction_add_for_each_set(tests, other_activations_stay_before_pooling);
    contraction_add_for_each_set(tests, overlapping_windows_keep_one_convolution);
    contraction_add_for_each_set(tests, positions_at_ties_keep_to_their_class);
    tcase_add_test(tests, operands_that_vary_in_a_window_stay_before_pooling);
    tcase_add_test(tests, what_was_unpooled_is_taken_back_as_it_was);
    return harness_run("pool", tests);
}
