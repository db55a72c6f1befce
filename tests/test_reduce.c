#include <float.h>

#include "op_reference.h"
#include "ops/kernel_set.h"
#include "ops/kernels/softmax.h"
#include "workbench.h"

/* ---- kernels ---- */

static void expect_bits(const float *got, const float *expected, int64_t n, const char *what, tg_isa isa, int64_t rows,
                        int64_t length)
{
    ck_assert_msg(memcmp(got, expected, (size_t)n * sizeof *got) == 0,
                  "%s of [%lld, %lld] on %s: other bits than the plain kernel's", what, (long long)rows, (long long)length,
                  tg_isa_name(isa));
}

static void compare_with_plain(tg_isa isa, tg_reduce_kind kind, const float *x, int64_t rows, int64_t n, float *got,
                               float *expected)
{
    const tg_kernels *kernels = tg_kernels_for(isa);
    kernels->reduce_rows(kind, x, rows, n, n, got);
    tg_reduce_rows_f32(kind, x, rows, n, n, expected);
    expect_bits(got, expected, rows, "rows", isa, rows, n);
    if (n == 0)
        return;
    kernels->reduce_columns(kind, x, rows, n, n, got);
    tg_reduce_columns_f32(kind, x, rows, n, n, expected);
    expect_bits(got, expected, n, "columns", isa, rows, n);
}

START_TEST(kernels_give_the_plain_order_s_bits)
{
    static const int64_t lengths[] = {0,  1,  2,  3,  4,  5,   7,    8,    9,    10,   15,   16,
                                      17, 31, 32, 33, 47, 100, 1023, 1024, 1025, 4096, 5000, 9001};
    enum { MOST = 300 * 1030 };
    double *draw = workbench_draw(MOST, -1, 1, 3);
    float *x = malloc(MOST * sizeof *x), *got = malloc(MOST * sizeof *got), *expected = malloc(MOST * sizeof *expected);
    for (int i = 0; i < MOST; i++)
        x[i] = (float)draw[i];
    for (int isa = 0; isa < TG_ISA_COUNT; isa++)
        for (int kind = TG_REDUCE_SUM; tg_isa_available((tg_isa)isa) && kind <= TG_REDUCE_MIN; kind++)
            for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++)
                for (int64_t rows = 0; rows < 9; rows++) {
                    x[40] = rows == 8 ? NAN : 0.5f;
                    compare_with_plain((tg_isa)isa, (tg_reduce_kind)kind, x, rows, lengths[i], got, expected);
                    if (rows > 0 && lengths[i] > 0 && lengths[i] < 1030)
                        compare_with_plain((tg_isa)isa, (tg_reduce_kind)kind, x, 33 * rows, lengths[i], got, expected);
                }
    free(draw);
    free(x);
    free(got);
    free(expected);
}
END_TEST

/* A row's softmax does not depend on its neighbours, and on every set it is the f64 kernel's within a few roundings. */
START_TEST(softmax_kernels_agree_with_f64)
{
    static const int64_t lengths[] = {1, 2, 5, 10, 16, 17, 100, 1500};
    enum { ROWS = 19, MOST = ROWS * 1500 };
    double *x64 = workbench_draw(MOST, -9, 9, 4), *expected = malloc(MOST * sizeof *expected);
    float *x = malloc(MOST * sizeof *x), *got = malloc(MOST * sizeof *got), *alone = malloc(MOST * sizeof *alone);
    for (int i = 0; i < MOST; i++)
        x64[i] = x[i] = (float)x64[i];
    for (int isa = 0; isa < TG_ISA_COUNT; isa++)
        for (size_t k = 0; tg_isa_available((tg_isa)isa) && k < sizeof lengths / sizeof *lengths; k++) {
            const tg_kernels *kernels = tg_kernels_for((tg_isa)isa);
            int64_t n = lengths[k];
            kernels->softmax(x, ROWS, n, got);
            tg_softmax_f64(x64, ROWS, n, expected);
            for (int64_t i = 0; i < ROWS * n; i++)
                ck_assert_double_le(fabs(got[i] - expected[i]), 32 * FLT_EPSILON * expected[i]);
            kernels->softmax(x + 7 * n, 1, n, alone);
            ck_assert_mem_eq(alone, got + 7 * n, (size_t)n * sizeof *got);
            kernels->log_softmax(x, ROWS, n, got);
            tg_log_softmax_f64(x64, ROWS, n, expected);
            for (int64_t i = 0; i < ROWS * n; i++)
                ck_assert_double_le(fabs(got[i] - expected[i]), 4 * FLT_EPSILON * (10 + fabs(expected[i])));
            kernels->logsumexp(x, ROWS, n, got);
            tg_logsumexp_f64(x64, ROWS, n, expected);
            for (int64_t i = 0; i < ROWS; i++)
                ck_assert_double_le(fabs(got[i] - expected[i]), 4 * FLT_EPSILON * (10 + fabs(expected[i])));
            kernels->logsumexp(x + 18 * n, 1, n, alone);
            ck_assert_float_eq(alone[0], got[18]);
        }
    free(x64);
    free(expected);
    free(x);
    free(got);
    free(alone);
}
END_TEST

/* ---- values over any axes ---- */

typedef struct expected {
    double *sum, *scale, *max, *min;
    int64_t count, terms;
} expected;

static expected expect_reductions(const double *x, tg_shape shape, uint32_t mask)
{
    expected e = {.count = 1, .terms = 1};
    int64_t n = tg_shape_count(shape), index[TG_MAX_RANK];
    for (int axis = 0; axis < shape.rank; axis++)
        *(mask >> axis & 1 ? &e.terms : &e.count) *= shape.dims[axis];
    double **const arrays[] = {&e.sum, &e.scale, &e.max, &e.min};
    for (int k = 0; k < 4; k++)
        *arrays[k] = calloc((size_t)e.count + 1, sizeof(double));
    for (int64_t i = 0; i < e.count; i++)
        e.max[i] = -INFINITY, e.min[i] = INFINITY;
    for (int64_t i = 0; i < n; i++) {
        int64_t at = 0;
        unravel(shape, i, index);
        for (int axis = 0; axis < shape.rank; axis++)
            at = mask >> axis & 1 ? at : at * shape.dims[axis] + index[axis];
        e.sum[at] += x[i];
        e.scale[at] += fabs(x[i]);
        e.max[at] = fmax(e.max[at], x[i]);
        e.min[at] = fmin(e.min[at], x[i]);
    }
    return e;
}

static void free_expected(expected *e)
{
    free(e->sum);
    free(e->scale);
    free(e->max);
    free(e->min);
}

static tg_axes axes_of(uint32_t mask)
{
    tg_axes axes = {0};
    for (int axis = 0; axis < TG_MAX_RANK; axis++)
        if (mask >> axis & 1)
            axes.axes[axes.count++] = axis;
    return axes;
}

typedef struct results {
    double *values[4]; /* sum, mean, max, min */
    void *sum_bytes;
} results;

static results run_reductions(workbench *b, tg_tensor x, uint32_t mask)
{
    tg_axes axes = axes_of(mask);
    tg_tensor roots[4] = {tg_sum(x, axes), tg_mean(x, axes), tg_max(x, axes), tg_min(x, axes)};
    tg_plan *plan = tg_compile_roots(b->graph, roots, 4, tg_compile_defaults(b->context));
    ck_assert_msg(plan, "%s", tg_graph_error(b->graph));
    ck_assert_int_eq(tg_run(plan), TG_OK);
    results r = {{NULL}, NULL};
    for (int k = 0; k < 4; k++) {
        tg_type type = tg_tensor_type(roots[k]);
        int64_t n = tg_shape_count(type.shape);
        r.values[k] = malloc((size_t)(n + 1) * sizeof(double));
        for (int64_t i = 0; i < n; i++)
            r.values[k][i] = case_element(type.dtype, tg_values(plan, roots[k]), i);
    }
    size_t bytes = (size_t)tg_type_bytes(tg_tensor_type(roots[0]));
    r.sum_bytes = malloc(bytes + 1);
    ck_assert_int_eq(tg_read(plan, roots[0], r.sum_bytes, bytes), TG_OK);
    tg_plan_free(plan);
    return r;
}

/* The sum's bits are kept in *bits by the first call, and compared by later ones. */
static void check_reductions(tg_isa isa, int threads, tg_dtype dtype, tg_shape shape, uint32_t mask, void **bits)
{
    workbench b = workbench_open_on(isa, threads, dtype);
    double *draw = workbench_draw(tg_shape_count(shape), -1, 2, 5);
    for (int64_t i = 0; i < tg_shape_count(shape); i++)
        draw[i] = (float)draw[i];
    expected e = expect_reductions(draw, shape, mask);
    results r = run_reductions(&b, workbench_values(&b, dtype, shape, draw), mask);
    double eps = dtype == TG_F32 ? FLT_EPSILON : DBL_EPSILON;
    for (int64_t i = 0; i < e.count; i++) {
        ck_assert_double_le(fabs(r.values[0][i] - e.sum[i]), (64 + (dtype == TG_F32 ? 0 : (double)e.terms)) * eps * e.scale[i]);
        ck_assert_double_le(fabs(r.values[1][i] * (double)e.terms - r.values[0][i]), 2 * eps * fabs(r.values[0][i]));
        ck_assert_double_eq(r.values[2][i], e.max[i]);
        ck_assert_double_eq(r.values[3][i], e.min[i]);
    }
    if (*bits)
        ck_assert_mem_eq(r.sum_bytes, *bits, (size_t)e.count * tg_dtype_size(dtype));
    free(*bits ? r.sum_bytes : NULL);
    *bits = *bits ? *bits : r.sum_bytes;
    for (int k = 0; k < 4; k++)
        free(r.values[k]);
    free(draw);
    free_expected(&e);
    workbench_close(&b);
}

START_TEST(any_axes_agree_with_loops)
{
    const tg_shape shapes[] = {TG_SHAPE(5408, 32),      TG_SHAPE(128, 100), TG_SHAPE(70001),     TG_SHAPE(3, 40000),
                               TG_SHAPE(2500, 3),       TG_SHAPE(5, 1100),  TG_SHAPE(2, 90, 50), TG_SHAPE(4, 3, 17, 5),
                               TG_SHAPE(2, 3, 2, 3, 5), TG_SHAPE(1, 7, 1),  TG_SHAPE(9, 1, 20),  TG_SCALAR,
                               TG_SHAPE(20, 15, 2, 33), TG_SHAPE(90, 1100)};
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
        for (uint32_t mask = 0; mask < 1u << shapes[s].rank; mask++) {
            void *bits = NULL, *bits64 = NULL;
            for (int isa = 0; isa < TG_ISA_COUNT; isa++)
                if (tg_isa_available((tg_isa)isa))
                    check_reductions((tg_isa)isa, 1, TG_F32, shapes[s], mask, &bits);
            check_reductions(TG_ISA_BEST, 1, TG_F64, shapes[s], mask, &bits64);
            free(bits);
            free(bits64);
        }
}
END_TEST

START_TEST(any_number_of_threads_gives_the_same_bits)
{
    const struct {
        tg_shape shape;
        uint32_t mask;
    } cases[] = {{TG_SHAPE(21632, 32), 1},
                 {TG_SHAPE(70001), 1},
                 {TG_SHAPE(3, 40000), 3},
                 {TG_SHAPE(90, 1100), 1},
                 {TG_SHAPE(40, 30, 2, 70), 5}};
    const int threads[] = {1, 2, 3, 7};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        void *bits = NULL, *bits64 = NULL;
        for (int k = 0; k < 4; k++) {
            check_reductions(TG_ISA_BEST, threads[k], TG_F32, cases[c].shape, cases[c].mask, &bits);
            check_reductions(TG_ISA_BEST, threads[k], TG_F64, cases[c].shape, cases[c].mask, &bits64);
        }
        free(bits);
        free(bits64);
    }
}
END_TEST

START_TEST(results_have_numpy_s_shapes)
{
    workbench b = workbench_open(TG_F32);
    tg_tensor x = workbench_count_up(&b, TG_F32, TG_SHAPE(2, 3, 4));
    workbench_expect_shape(tg_sum(x, TG_AXES(1)), TG_SHAPE(2, 4));
    workbench_expect_shape(tg_sum_keep(x, TG_AXES(1)), TG_SHAPE(2, 1, 4));
    workbench_expect_shape(tg_mean(x, TG_AXES(-1, 0)), TG_SHAPE(3));
    workbench_expect_shape(tg_mean_keep(x, TG_AXES(-1, 0)), TG_SHAPE(1, 3, 1));
    workbench_expect_shape(tg_max(x, TG_ALL_AXES), TG_SCALAR);
    workbench_expect_shape(tg_min_keep(x, TG_ALL_AXES), TG_SHAPE(1, 1, 1));
    workbench_expect_shape(tg_logsumexp(x, TG_AXES(0, 2)), TG_SHAPE(3));
    workbench_expect_shape(tg_logsumexp_keep(x, TG_AXES(1)), TG_SHAPE(2, 1, 4));
    workbench_expect_shape(tg_argmax(x, -2), TG_SHAPE(2, 4));
    workbench_expect_shape(tg_softmax(x, 0), TG_SHAPE(2, 3, 4));
    /* numpy: a = arange(24).reshape(2, 3, 4); a.sum((0, 2)), a.mean(1), a.max(0)[1], a.argmin(2) */
    workbench_expect(tg_sum(x, TG_AXES(0, 2)), 0, 60, 92, 124);
    workbench_expect(tg_mean(x, TG_AXES(1)), 0, 4, 5, 6, 7, 16, 17, 18, 19);
    workbench_expect(tg_slice(tg_max(x, TG_AXES(0)), 0, 1, 2, 1), 0, 16, 17, 18, 19);
    workbench_expect(tg_argmin(x, 2), 0, 0, 0, 0, 0, 0, 0);
    workbench_expect(tg_argmax(x, 1), 0, 2, 2, 2, 2, 2, 2, 2, 2);
    workbench_close(&b);
}
END_TEST

START_TEST(nothing_sums_to_nothing)
{
    workbench b = workbench_open(TG_F32);
    tg_tensor none = workbench_count_up(&b, TG_F32, TG_SHAPE(2, 0));
    workbench_expect(tg_sum(none, TG_AXES(1)), 0, 0, 0);
    workbench_expect(tg_mean(none, TG_AXES(1)), 0, NAN, NAN);
    workbench_expect(tg_logsumexp(none, TG_AXES(1)), 0, -INFINITY, -INFINITY);
    workbench_expect(tg_sum(none, TG_ALL_AXES), 0, 0);
    workbench_expect_shape(tg_max(none, TG_AXES(0)), TG_SHAPE(0));
    workbench_expect_shape(tg_sum(none, TG_AXES(0)), TG_SHAPE(0));
    workbench_close(&b);
}
END_TEST

START_TEST(integers_are_summed_and_compared)
{
    workbench b = workbench_open(TG_F32);
    const double counts[] = {2147483647, -5, 3, -2147483648.0, 7, 0}, bytes[] = {0, 255, 3, 4};
    tg_tensor x = workbench_values(&b, TG_I32, TG_SHAPE(2, 3), counts), u = workbench_values(&b, TG_U8, TG_SHAPE(2, 2), bytes);
    workbench_expect(tg_sum(x, TG_AXES(0)), 0, -1, 2, 3);
    workbench_expect(tg_max(x, TG_AXES(1)), 0, 2147483647, 7);
    workbench_expect(tg_min(x, TG_AXES(0)), 0, -2147483648.0, -5, 0);
    workbench_expect(tg_max(u, TG_AXES(0)), 0, 3, 255);
    workbench_expect(tg_min(u, TG_ALL_AXES), 0, 0);
    workbench_expect(tg_argmax(u, 1), 0, 1, 1);
    workbench_expect(tg_argmin(x, 1), 0, 1, 0);
    workbench_close(&b);
}
END_TEST

START_TEST(nan_and_ties_go_as_said)
{
    workbench b = workbench_open(TG_F32);
    const double values[] = {1, NAN, 5, NAN, 4, 4, 2, 4};
    tg_tensor x = workbench_values(&b, TG_F32, TG_SHAPE(2, 4), values);
    workbench_expect(tg_max(x, TG_AXES(1)), 0, NAN, 4);
    workbench_expect(tg_min(x, TG_AXES(1)), 0, NAN, 2);
    workbench_expect(tg_argmax(x, 1), 0, 1, 0);
    workbench_expect(tg_argmin(x, 1), 0, 1, 2);
    workbench_expect(tg_argmax(x, 0), 0, 1, 0, 0, 0);
    workbench_expect(tg_softmax(x, 1), 1e-6, NAN, NAN, NAN, NAN, 0.3189452, 0.3189452, 0.0431646, 0.3189452);
    const double ties[] = {4, 4, 2, 4, 0, -3, -3, 1};
    tg_tensor y = tg_variable(b.graph, "y", TG_F32, TG_SHAPE(2, 4), (tg_init){TG_INIT_CONSTANT, 0, 0});
    float bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (float)ties[i];
    ck_assert_int_eq(tg_variables_write(b.variables, "y", bytes, sizeof bytes), TG_OK);
    const double third = (double)(1 / 3.0f);
    workbench_expect(tg_gradient(tg_sum(tg_max(y, TG_AXES(1)), TG_ALL_AXES), y), 0, third, third, 0, third, 0, 0, 0, 1);
    workbench_expect(tg_gradient(tg_sum(tg_min(y, TG_AXES(1)), TG_ALL_AXES), y), 0, 0, 0, 1, 0, 0, 0.5, 0.5, 0);
    workbench_close(&b);
}
END_TEST

START_TEST(logsumexp_and_softmax_are_stable_along_any_axes)
{
    workbench b = workbench_open(TG_F32);
    const double values[] = {1000, 1001, -1000, -1001, 0, 1, -INFINITY, -INFINITY, -INFINITY, INFINITY};
    tg_tensor x = workbench_values(&b, TG_F32, TG_SHAPE(5, 2), values);
    const double two = 1 + log1p(exp(-1)); /* log(e^0 + e^1) */
    workbench_expect(tg_logsumexp(x, TG_AXES(1)), 1e-4, 1000 + two, -1001 + two, two, -INFINITY, INFINITY);
    workbench_expect(tg_logsumexp(tg_slice(x, 0, 0, 3, 1), TG_ALL_AXES), 1e-4, 1000 + two);
    tg_tensor y = workbench_random(&b, TG_F32, TG_SHAPE(3, 4, 5), -3, 3, 6);
    double *soft = workbench_eval(tg_softmax(y, 1)), *logs = workbench_eval(tg_log_softmax(y, -2)), *plain = workbench_eval(y);
    double *lse = workbench_eval(tg_logsumexp(y, TG_AXES(0, 2)));
    double totals[4] = {0};
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 5; k++) {
            double sum = 0;
            for (int j = 0; j < 4; j++)
                sum += exp(plain[i * 20 + j * 5 + k]);
            for (int j = 0; j < 4; j++) {
                double x_j = plain[i * 20 + j * 5 + k];
                ck_assert_double_le(fabs(soft[i * 20 + j * 5 + k] - exp(x_j) / sum), 1e-6);
                ck_assert_double_le(fabs(logs[i * 20 + j * 5 + k] - (x_j - log(sum))), 2e-6);
                totals[j] += exp(x_j);
            }
        }
    for (int j = 0; j < 4; j++)
        ck_assert_double_le(fabs(lse[j] - log(totals[j])), 2e-6);
    /* scipy.special.softmax([1, 2, 3]) */
    const double three[] = {1, 2, 3};
    workbench_expect(tg_softmax(workbench_values(&b, TG_F64, TG_SHAPE(3), three), 0), 1e-15, 0.09003057317038046,
                     0.24472847105479764, 0.6652409557748218);
    workbench_expect(tg_softmax(tg_slice(x, 0, 0, 2, 1), -1), 1e-6, 0.2689414, 0.7310586, 0.7310586, 0.2689414);
    free(soft);
    free(logs);
    free(plain);
    free(lse);
    workbench_close(&b);
}
END_TEST

START_TEST(sum_to_shape_undoes_broadcasting)
{
    workbench b = workbench_open(TG_F32);
    tg_tensor x = workbench_count_up(&b, TG_F32, TG_SHAPE(2, 3, 2));
    ck_assert_int_eq(tg_sum_to_shape(x, TG_SHAPE(2, 3, 2)).id, x.id);
    workbench_expect(tg_sum_to_shape(x, TG_SHAPE(3, 2)), 0, 6, 8, 10, 12, 14, 16);
    workbench_expect(tg_sum_to_shape(x, TG_SHAPE(3, 1)), 0, 14, 22, 30);
    workbench_expect(tg_sum_to_shape(x, TG_SHAPE(2, 1, 2)), 0, 6, 9, 24, 27);
    workbench_expect(tg_sum_to_shape(x, TG_SHAPE(1)), 0, 66);
    workbench_expect(tg_sum_to_shape(x, TG_SCALAR), 0, 66);
    workbench_expect_error(&b, tg_sum_to_shape(x, TG_SHAPE(2, 3)), "[2, 3] does not broadcast to [2, 3, 2]");
    x = workbench_count_up(&b, TG_F32, TG_SHAPE(2, 3));
    workbench_expect_error(&b, tg_sum_to_shape(x, TG_SHAPE(1, 2, 3)), "does not broadcast");
    workbench_close(&b);
}
END_TEST

START_TEST(mistakes_are_named)
{
    workbench b = workbench_open(TG_F32);
#define X(dtype, ...) workbench_count_up(&b, dtype, TG_SHAPE(__VA_ARGS__))
    workbench_expect_error(&b, tg_sum(X(TG_F32, 2, 3), TG_AXES(2)), "sum of [2, 3] f32: an axis is out of range");
    workbench_expect_error(&b, tg_mean(X(TG_F32, 2, 3), TG_AXES(1, -1)), "named twice");
    workbench_expect_error(&b, tg_softmax(X(TG_F32, 2, 3), 2), "softmax of [2, 3] f32: the axis is out of range");
    workbench_expect_error(&b, tg_logsumexp(X(TG_F32, 2, 3), TG_AXES(-3)), "logsumexp of [2, 3] f32");
    workbench_expect_error(&b, tg_argmax(X(TG_F32, 2, 3), -3), "argmax of [2, 3] f32: the axis is out of range");
    workbench_expect_error(&b, tg_sum(X(TG_U8, 2, 3), TG_ALL_AXES), "a sum of u8 would overflow");
    workbench_expect_error(&b, tg_mean(X(TG_I32, 2, 3), TG_ALL_AXES), "cast to a float");
    workbench_expect_error(&b, tg_max(X(TG_F32, 2, 0), TG_AXES(1)), "axis 1 has no elements to choose from");
    workbench_expect_error(&b, tg_argmin(X(TG_F32, 0, 2), 0), "axis 0 has no elements to choose from");
    workbench_expect_error(&b, tg_softmax(X(TG_I32, 2, 3), 1), "i32 is no float");
    workbench_expect_error(&b, tg_logsumexp(X(TG_I32, 2, 3), TG_AXES(0)), "i32 is no float");
#undef X
    ck_assert(!tg_ok(tg_sum(tg_none(), TG_ALL_AXES)));
    ck_assert(!tg_ok(tg_logsumexp(tg_none(), TG_AXES(0))));
    ck_assert(!tg_ok(tg_softmax(tg_none(), 0)));
    workbench_close(&b);
}
END_TEST

START_TEST(rewrites_leave_less_to_do)
{
    workbench b = workbench_open(TG_F32);
    tg_tensor x = workbench_random(&b, TG_F32, TG_SHAPE(3, 1, 4, 5), -1, 1, 8);
    ck_assert_int_eq(workbench_nodes(tg_sum(x, TG_AXES(1)), "sum", false), 0);
    ck_assert_int_eq(workbench_nodes(tg_max(x, TG_AXES(1)), "reduce_max", false), 0);
    ck_assert_int_eq(workbench_nodes(tg_mean_keep(x, TG_AXES(1)), "mean", false), 0);
    tg_tensor twice = tg_sum_keep(tg_sum(x, TG_AXES(0)), TG_AXES(1));
    ck_assert_int_eq(workbench_nodes(twice, "sum", false), 2);
    ck_assert_int_eq(workbench_nodes(twice, "sum", true), 1);
    double *once = workbench_eval(tg_sum(x, TG_AXES(0, 1, 2))), *both = workbench_eval(twice);
    for (int i = 0; i < 5; i++)
        ck_assert_double_le(fabs(once[i] - both[i]), 1e-5);
    tg_tensor kept = tg_sum(tg_sum_keep(x, TG_AXES(3)), TG_AXES(2, 3));
    ck_assert_int_eq(workbench_nodes(kept, "sum", true), 1);
    double *whole = workbench_eval(tg_sum(x, TG_AXES(2, 3))), *parts = workbench_eval(kept);
    for (int i = 0; i < 3; i++)
        ck_assert_double_le(fabs(whole[i] - parts[i]), 1e-5);
    free(once);
    free(both);
    free(whole);
    free(parts);
    workbench_close(&b);
}
END_TEST

START_TEST(sums_pass_by_zeros)
{
    workbench b = workbench_open(TG_F32);
    tg_tensor y = workbench_random(&b, TG_F32, TG_SHAPE(2, 3, 3, 4), 1, 2, 12),
              places = workbench_random(&b, TG_U8, TG_SHAPE(2, 3, 3, 4), 0, 4, 13);
    tg_tensor wide = tg_unpool2d(y, places, 7, 6, (tg_pool2d_options){.window = {2, 2}}), padded = tg_pad(y, 1, 2, 1, 0);
    tg_tensor sums[] = {tg_sum(wide, TG_AXES(1, 2)), tg_sum_keep(wide, TG_AXES(0, 1, 2)), tg_sum(padded, TG_AXES(0, 1))};
    tg_tensor plain[] = {tg_sum(y, TG_AXES(1, 2)), tg_sum_keep(y, TG_AXES(0, 1, 2)), tg_sum(y, TG_AXES(0, 1))};
    const char *const gone[] = {"unpool2d", "unpool2d", "pad"};
    for (int k = 0; k < 3; k++) {
        ck_assert_int_eq(workbench_nodes(sums[k], gone[k], false), 1);
        ck_assert_int_eq(workbench_nodes(sums[k], gone[k], true), 0);
        double *through = workbench_eval(sums[k]), *direct = workbench_eval(plain[k]);
        for (int64_t i = 0; i < tg_shape_count(tg_tensor_shape(plain[k])); i++)
            ck_assert_double_le(fabs(through[i] - direct[i]), 1e-5);
        free(through);
        free(direct);
    }
    /* Not where only one of height and width is summed, nor with another value than 0, nor along another axis. */
    ck_assert_int_eq(workbench_nodes(tg_sum(wide, TG_AXES(0, 1)), "unpool2d", true), 1);
    ck_assert_int_eq(workbench_nodes(tg_sum(tg_pad(y, 1, 2, 1, 3), TG_AXES(1)), "pad", true), 1);
    ck_assert_int_eq(workbench_nodes(tg_sum(padded, TG_AXES(0)), "pad", true), 1);
    workbench_close(&b);
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("reduce");
    tcase_add_test(tests, kernels_give_the_plain_order_s_bits);
    tcase_add_test(tests, softmax_kernels_agree_with_f64);
    tcase_add_test(tests, any_axes_agree_with_loops);
    tcase_add_test(tests, any_number_of_threads_gives_the_same_bits);
    tcase_add_test(tests, results_have_numpy_s_shapes);
    tcase_add_test(tests, nothing_sums_to_nothing);
    tcase_add_test(tests, integers_are_summed_and_compared);
    tcase_add_test(tests, nan_and_ties_go_as_said);
    tcase_add_test(tests, logsumexp_and_softmax_are_stable_along_any_axes);
    tcase_add_test(tests, sum_to_shape_undoes_broadcasting);
    tcase_add_test(tests, mistakes_are_named);
    tcase_add_test(tests, rewrites_leave_less_to_do);
    tcase_add_test(tests, sums_pass_by_zeros);
    return harness_run("reduce", tests);
}
