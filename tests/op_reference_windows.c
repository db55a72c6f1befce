/* References for products, convolutions and pooling. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "op_reference.h"
#include "ops/attributes.h"

/* ---- products ---- */

/* The offset of the matrix of a batched operand that belongs to matrix `batch` of the result. */
static int64_t matrix_offset(tg_shape operand, tg_shape result, int64_t batch)
{
    int64_t index[TG_MAX_RANK];
    int64_t elements = operand.dims[operand.rank - 2] * operand.dims[operand.rank - 1];
    operand.rank -= 2;
    result.rank -= 2;
    unravel(result, batch, index);
    return broadcast_offset(operand, result, index) * elements;
}

static void matmul_reference(const tg_work *work, const double *const *in, double *out, double *scale)
{
    const tg_matmul_attributes *attributes = work->attributes;
    tg_shape a = work->inputs[0].shape, b = work->inputs[1].shape, c = work->output.shape;
    int64_t m = c.dims[c.rank - 2], n = c.dims[c.rank - 1], k = a.dims[a.rank - (attributes->transpose_a ? 2 : 1)];
    int64_t batches = extent_product(c, 0, c.rank - 2);
    for (int64_t at = 0; at < batches * m * n; at++) {
        int64_t batch = at / (m * n), row = at / n % m, column = at % n;
        const double *x = in[0] + matrix_offset(a, c, batch), *y = in[1] + matrix_offset(b, c, batch);
        out[at] = 0;
        for (int64_t i = 0; i < k; i++) {
            double term = x[attributes->transpose_a ? i * m + row : row * k + i] *
                          y[attributes->transpose_b ? column * k + i : i * n + column];
            out[at] += term;
            scale[at] += fabs(term);
        }
    }
}

static void lookup_matmul_reference(const tg_work *work, const double *const *in, double *out, double *scale)
{
    const tg_lookup_attributes *attributes = work->attributes;
    int64_t m = work->output.shape.dims[0], n = work->output.shape.dims[1], k = work->inputs[2].shape.dims[0];
    for (int64_t at = 0; at < m * n; at++) {
        out[at] = 0;
        for (int64_t i = 0; i < k; i++) {
            double byte = in[1][attributes->transpose_x ? i * m + at / n : at / n * k + i];
            double term = in[0][(int)byte] * in[2][i * n + at % n];
            out[at] += term;
            scale[at] += fabs(term);
        }
    }
}

/* ---- convolutions ---- */

static int64_t offset4(tg_shape s, int64_t a, int64_t b, int64_t c, int64_t d)
{
    return ((a * s.dims[1] + b) * s.dims[2] + c) * s.dims[3] + d;
}

static void add_term(double *out, double *scale, int64_t at, double term)
{
    out[at] += term;
    scale[at] += fabs(term);
}

/* The three operands of y = conv2d(x, kernel). The one that is wanted has `out`; the others have `in`. */
typedef struct operand {
    tg_shape shape;
    const double *in;
    double *out;
} operand;

/* A zero of the padding may be left out or multiplied: beside a NaN the result is then the sum of the other terms, or NaN. */
static void meet_padding(bool *may_be_nan, int64_t at, double other) { may_be_nan[at] |= isnan(other); }

/* The gradient in x seen as a convolution has padding everywhere around the gradient in y and, with strides, within it. */
static void meet_padding_in_gradient(operand x, operand kernel, bool *may_be_nan)
{
    int64_t weights = tg_shape_count(kernel.shape), elements = tg_shape_count(x.shape), channels = x.shape.dims[3];
    for (int64_t k = 0; k < weights; k++)
        for (int64_t i = k / kernel.shape.dims[3] % channels; isnan(kernel.in[k]) && i < elements; i += channels)
            may_be_nan[i] = true;
}

/* Visits each product of an x and a weight. */
static void visit_products(const tg_conv2d_attributes *a, operand x, operand kernel, operand y, double *scale, bool *may_be_nan)
{
    tg_shape terms = {
        6, {y.shape.dims[0], y.shape.dims[1], y.shape.dims[2], y.shape.dims[3], kernel.shape.dims[0], kernel.shape.dims[1]}};
    int64_t count = tg_shape_count(terms), i[6], channels = x.shape.dims[3];
    for (int64_t t = 0; t < count; t++) {
        unravel(terms, t, i);
        int64_t row = i[1] * a->stride[0] + i[4] * a->dilation[0] - a->pad_before[0];
        int64_t column = i[2] * a->stride[1] + i[5] * a->dilation[1] - a->pad_before[1];
        bool padding = row < 0 || row >= x.shape.dims[1] || column < 0 || column >= x.shape.dims[2];
        int64_t at_y = offset4(y.shape, i[0], i[1], i[2], i[3]);
        for (int64_t channel = 0; channel < channels; channel++) {
            int64_t at_x = offset4(x.shape, i[0], row, column, channel), at_k = offset4(kernel.shape, i[4], i[5], channel, i[3]);
            if (padding && y.out)
                meet_padding(may_be_nan, at_y, kernel.in[at_k]);
            else if (padding && kernel.out)
                meet_padding(may_be_nan, at_k, y.in[at_y]);
            else if (padding)
                continue;
            else if (y.out)
                add_term(y.out, scale, at_y, x.in[at_x] * kernel.in[at_k]);
            else if (x.out)
                add_term(x.out, scale, at_x, y.in[at_y] * kernel.in[at_k]);
            else
                add_term(kernel.out, scale, at_k, y.in[at_y] * x.in[at_x]);
        }
    }
}

static void convolve(const tg_conv2d_attributes *a, operand x, operand kernel, operand y, double *scale)
{
    int64_t results = tg_shape_count(y.out ? y.shape : x.out ? x.shape : kernel.shape);
    bool *may_be_nan = calloc((size_t)results + 1, 1);
    if (x.out)
        meet_padding_in_gradient(x, kernel, may_be_nan);
    visit_products(a, x, kernel, y, scale, may_be_nan);
    for (int64_t i = 0; i < results; i++)
        scale[i] = may_be_nan[i] ? -(scale[i] + DBL_MIN) : scale[i];
    free(may_be_nan);
}

static void clear(const tg_work *work, double *out) { memset(out, 0, (size_t)tg_shape_count(work->output.shape) * sizeof *out); }

static operand given(const tg_work *work, const double *const *in, int i)
{
    return (operand){.shape = work->inputs[i].shape, .in = in[i]};
}
static operand wanted(const tg_work *work, double *out) { return (operand){.shape = work->output.shape, .out = out}; }

static void conv2d_reference(const tg_work *work, const double *const *in, double *out, double *scale)
{
    clear(work, out);
    convolve(work->attributes, given(work, in, 0), given(work, in, 1), wanted(work, out), scale);
}

static void conv2d_input_gradient_reference(const tg_work *work, const double *const *in, double *out, double *scale)
{
    clear(work, out);
    convolve(&((const tg_conv2d_gradient_attributes *)work->attributes)->conv, wanted(work, out), given(work, in, 1),
             given(work, in, 0), scale);
}

static void conv2d_kernel_gradient_reference(const tg_work *work, const double *const *in, double *out, double *scale)
{
    clear(work, out);
    convolve(&((const tg_conv2d_gradient_attributes *)work->attributes)->conv, given(work, in, 0), wanted(work, out),
             given(work, in, 1), scale);
}

/* One pooled element, at its place of the output: visits each tap and channel that it meets. What is put nowhere may be left out or, as a
   zero at the first place, multiplied. */
static void visit_taken(const tg_conv2d_attributes *a, operand x, operand kernel, double y, const int64_t *out, int64_t filter,
                        bool nowhere, double *scale, bool *may_be_nan)
{
    int64_t channels = x.shape.dims[3], taps = kernel.shape.dims[0] * kernel.shape.dims[1];
    for (int64_t t = 0; t < taps * channels; t++) {
        int64_t i = t / channels / kernel.shape.dims[1], j = t / channels % kernel.shape.dims[1], channel = t % channels;
        int64_t row = out[1] * a->stride[0] + i * a->dilation[0] - a->pad_before[0];
        int64_t column = out[2] * a->stride[1] + j * a->dilation[1] - a->pad_before[1];
        int64_t at_x = offset4(x.shape, out[0], row, column, channel), at_k = offset4(kernel.shape, i, j, channel, filter);
        bool padding = row < 0 || row >= x.shape.dims[1] || column < 0 || column >= x.shape.dims[2];
        if (padding && kernel.out)
            meet_padding(may_be_nan, at_k, y);
        else if (nowhere && !padding && kernel.out)
            meet_padding(may_be_nan, at_k, x.in[at_x]);
        else if (padding || nowhere)
            continue;
        else if (x.out)
            add_term(x.out, scale, at_x, y * kernel.in[at_k]);
        else
            add_term(kernel.out, scale, at_k, y * x.in[at_x]);
    }
}

static void convolve_unpooled(const tg_conv2d_unpooled_attributes *a, operand x, operand kernel, operand y, operand argmax,
                              double *scale)
{
    const tg_pool2d_attributes *pool = &a->unpool.pool;
    int64_t count = tg_shape_count(y.shape), results = tg_shape_count(x.out ? x.shape : kernel.shape), i[4];
    bool *may_be_nan = calloc((size_t)results + 1, 1);
    for (int64_t at = 0; at < count; at++) {
        int64_t place = (int64_t)argmax.in[at];
        bool nowhere = place >= pool->window[0] * pool->window[1];
        place = nowhere ? 0 : place;
        unravel(y.shape, at, i);
        int64_t out[3] = {i[0], i[1] * pool->stride[0] + place / pool->window[1],
                          i[2] * pool->stride[1] + place % pool->window[1]};
        visit_taken(&a->gradient.conv, x, kernel, nowhere ? 0 : y.in[at], out, i[3], nowhere, scale, may_be_nan);
    }
    for (int64_t e = 0; e < results; e++)
        scale[e] = may_be_nan[e] ? -(scale[e] + DBL_MIN) : scale[e];
    free(may_be_nan);
}

static void conv2d_input_gradient_unpooled_reference(const tg_work *work, const double *const *in, double *out, double *scale)
{
    clear(work, out);
    convolve_unpooled(work->attributes, wanted(work, out), given(work, in, 2), given(work, in, 0), given(work, in, 1), scale);
}

static void conv2d_kernel_gradient_unpooled_reference(const tg_work *work, const double *const *in, double *out, double *scale)
{
    clear(work, out);
    convolve_unpooled(work->attributes, given(work, in, 0), wanted(work, out), given(work, in, 1), given(work, in, 2), scale);
}

/* ---- pooling ---- */

/* Visits each pair of a pooled element and a place of its window: the offsets in the pooled and in the large tensor, and the
   place's number. */
typedef void (*window_fn)(const double *const *in, double *out, double *scale, int64_t pooled, int64_t large, int64_t place,
                          int64_t places);

static void for_each_place(const tg_pool2d_attributes *a, tg_shape large, tg_shape pooled, const double *const *in, double *out,
                           double *scale, window_fn visit)
{
    int64_t count = tg_shape_count(pooled), places = a->window[0] * a->window[1], i[4];
    for (int64_t at = 0; at < count; at++)
        for (int64_t place = 0; place < places; place++) {
            unravel(pooled, at, i);
            int64_t row = i[1] * a->stride[0] + place / a->window[1], column = i[2] * a->stride[1] + place % a->window[1];
            visit(in, out, scale, at, offset4(large, i[0], row, column, i[3]), place, places);
        }
}

static void take_max(const double *const *in, double *out, double *scale, int64_t pooled, int64_t large, int64_t place,
                     int64_t places)
{
    double x = in[0][large];
    (void)scale, (void)places;
    if (place == 0 || isnan(x) || (!isnan(out[pooled]) && x > out[pooled]))
        out[pooled] = x;
}

static void take_argmax(const double *const *in, double *out, double *best, int64_t pooled, int64_t large, int64_t place,
                        int64_t places)
{
    double x = in[0][large];
    (void)places;
    if (place == 0 || (!isnan(best[pooled]) && (isnan(x) || x > best[pooled]))) {
        best[pooled] = x;
        out[pooled] = (double)place;
    }
}

static void take_mean(const double *const *in, double *out, double *scale, int64_t pooled, int64_t large, int64_t place,
                      int64_t places)
{
    (void)place;
    add_term(out, scale, pooled, in[0][large] / (double)places);
}

static void take_at(const double *const *in, double *out, double *scale, int64_t pooled, int64_t large, int64_t place,
                    int64_t places)
{
    (void)scale, (void)places;
    if (in[1][pooled] == (double)place)
        out[pooled] = in[0][large];
}

static void spread_at(const double *const *in, double *out, double *scale, int64_t pooled, int64_t large, int64_t place,
                      int64_t places)
{
    (void)places;
    if (in[1][pooled] == (double)place)
        add_term(out, scale, large, in[0][pooled]);
}

static void spread_mean(const double *const *in, double *out, double *scale, int64_t pooled, int64_t large, int64_t place,
                        int64_t places)
{
    (void)place;
    add_term(out, scale, large, in[0][pooled] / (double)places);
}

static void pool(const tg_work *work, const double *const *in, double *out, double *scale, window_fn visit)
{
    clear(work, out);
    for_each_place(work->attributes, work->inputs[0].shape, work->output.shape, in, out, scale, visit);
}

static void unpool(const tg_work *work, const double *const *in, double *out, double *scale, window_fn visit)
{
    clear(work, out);
    for_each_place(&((const tg_unpool2d_attributes *)work->attributes)->pool, work->output.shape, work->inputs[0].shape, in, out,
                   scale, visit);
}

static void max_pool2d_reference(const tg_work *work, const double *const *in, double *out, double *scale)
{
    pool(work, in, out, scale, take_max);
}

static void max_pool2d_argmax_reference(const tg_work *work, const double *const *in, double *out, double *scale)
{
    pool(work, in, out, scale, take_argmax);
}

/* What the error of a window by Winograd's algorithm is measured by: the sum over channels of max |x| in its 4x4 tile times sum |k|. */
static void winograd_scale(const tg_conv2d_attributes *a, operand x, operand kernel, tg_shape pooled, double *scale)
{
    for (int64_t at = 0; at < tg_shape_count(pooled); at++) {
        int64_t i[4];
        unravel(pooled, at, i);
        scale[at] = 0;
        for (int64_t channel = 0; channel < x.shape.dims[3]; channel++) {
            double largest = 0, sum = 0;
            for (int64_t place = 0; place < 16; place++) {
                int64_t row = 2 * i[1] + place / 4 - a->pad_before[0], column = 2 * i[2] + place % 4 - a->pad_before[1];
                bool inside = row >= 0 && row < x.shape.dims[1] && column >= 0 && column < x.shape.dims[2];
                largest = fmax(largest, inside ? fabs(x.in[offset4(x.shape, i[0], row, column, channel)]) : 0);
            }
            for (int64_t place = 0; place < 9; place++)
                sum += fabs(kernel.in[offset4(kernel.shape, place / 3, place % 3, channel, i[3])]);
            scale[at] += largest * sum;
        }
    }
}

/* The convolution's output by its reference, then its maxima: `scale` gets what their sums are made of. */
static void conv2d_pool_reference(const tg_work *work, const double *const *in, double *out, double *scale, bool positions)
{
    const tg_conv2d_pool2d_attributes *a = work->attributes;
    tg_shape y = work->output.shape;
    for (int axis = 0; axis < 2; axis++)
        y.dims[1 + axis] = 1 + (work->inputs[0].shape.dims[1 + axis] + a->conv.pad_before[axis] + a->conv.pad_after[axis] -
                                (work->inputs[1].shape.dims[axis] - 1) * a->conv.dilation[axis] - 1) /
                                   a->conv.stride[axis];
    size_t bytes = (size_t)(tg_shape_count(y) + 1) * sizeof(double);
    double *image = calloc(1, bytes), *terms = calloc(1, bytes);
    convolve(&a->conv, given(work, in, 0), given(work, in, 1), (operand){.shape = y, .out = image}, terms);
    clear(work, out);
    const double *const images[] = {image}, *const sums[] = {terms};
    for_each_place(&a->pool, y, work->output.shape, images, out, scale, positions ? take_argmax : take_max);
    if (a->winograd && !positions)
        winograd_scale(&a->conv, given(work, in, 0), given(work, in, 1), work->output.shape, scale);
    else if (!positions)
        for_each_place(&a->pool, y, work->output.shape, sums, scale, NULL, take_max);
    free(image);
    free(terms);
}

static void conv2d_max_pool2d_reference(const tg_work *work, const double *const *in, double *out, double *scale)
{
    conv2d_pool_reference(work, in, out, scale, false);
}

static void conv2d_max_pool2d_argmax_reference(const tg_work *work, const double *const *in, double *out, double *scale)
{
    conv2d_pool_reference(work, in, out, scale, true);
}

static void pool_gather2d_reference(const tg_work *work, const double *const *in, double *out, double *scale)
{
    pool(work, in, out, scale, take_at);
}

static void avg_pool2d_reference(const tg_work *work, const double *const *in, double *out, double *scale)
{
    pool(work, in, out, scale, take_mean);
}

static void unpool2d_reference(const tg_work *work, const double *const *in, double *out, double *scale)
{
    unpool(work, in, out, scale, spread_at);
}

static void avg_unpool2d_reference(const tg_work *work, const double *const *in, double *out, double *scale)
{
    unpool(work, in, out, scale, spread_mean);
}

/* clang-format off */
#define NAMED(name) {#name, name##_reference}
const named_reference window_references[] = {
    NAMED(matmul), NAMED(lookup_matmul), NAMED(conv2d), NAMED(conv2d_input_gradient), NAMED(conv2d_kernel_gradient), NAMED(conv2d_max_pool2d), NAMED(conv2d_max_pool2d_argmax), NAMED(max_pool2d),
    NAMED(max_pool2d_argmax), NAMED(pool_gather2d), NAMED(avg_pool2d), NAMED(unpool2d), NAMED(avg_unpool2d),
    NAMED(conv2d_input_gradient_unpooled), NAMED(conv2d_kernel_gradient_unpooled), {NULL, NULL}};
/* clang-format on */
