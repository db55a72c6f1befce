/* References that walk along axes: reductions, softmax, layout and indices. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "op_reference.h"
#include "ops/attributes.h"

/* ---- reductions ---- */

/* The offset in the output of the input's element `index`: reduced axes do not count. */
static int64_t reduced_offset(tg_shape from, uint32_t axes, const int64_t *index)
{
    int64_t offset = 0;
    for (int axis = 0; axis < from.rank; axis++)
        if (!(axes >> axis & 1))
            offset = offset * from.dims[axis] + index[axis];
    return offset;
}

typedef void (*combine_fn)(double *result, double *scale, double x);

static void combine_sum(double *result, double *scale, double x)
{
    *result += x;
    *scale += fabs(x);
}

static void combine_max(double *result, double *scale, double x)
{
    (void)scale;
    *result = isnan(x) || isnan(*result) ? NAN : fmax(*result, x);
}

static void combine_min(double *result, double *scale, double x)
{
    (void)scale;
    *result = isnan(x) || isnan(*result) ? NAN : fmin(*result, x);
}

static void reduce(const tg_work *work, const double *x, double *output, double *scale, double first, combine_fn combine)
{
    const tg_reduce_attributes *attributes = work->attributes;
    int64_t count = tg_shape_count(work->inputs[0].shape), results = tg_shape_count(work->output.shape), index[TG_MAX_RANK];
    for (int64_t i = 0; i < results; i++)
        output[i] = first;
    for (int64_t i = 0; i < count; i++) {
        unravel(work->inputs[0].shape, i, index);
        int64_t at = reduced_offset(work->inputs[0].shape, attributes->axes, index);
        combine(&output[at], &scale[at], x[i]);
    }
}

static void sum_reference(const tg_work *work, const double *const *in, double *out, double *scale)
{
    reduce(work, in[0], out, scale, 0, combine_sum);
}

static void mean_reference(const tg_work *work, const double *const *in, double *out, double *scale)
{
    int64_t results = tg_shape_count(work->output.shape);
    double n = results ? (double)tg_shape_count(work->inputs[0].shape) / (double)results : 0;
    sum_reference(work, in, out, scale);
    for (int64_t i = 0; i < results; i++) {
        out[i] /= n;
        scale[i] /= n;
    }
}

static void reduce_max_reference(const tg_work *work, const double *const *in, double *out, double *scale)
{
    reduce(work, in[0], out, scale, -INFINITY, combine_max);
}

static void reduce_min_reference(const tg_work *work, const double *const *in, double *out, double *scale)
{
    reduce(work, in[0], out, scale, INFINITY, combine_min);
}

/* Calls `line` for each line along the axis of the attributes, or the last: n elements, `stride` apart in the input, the line's
   number being `at`. */
typedef void (*line_fn)(const double *x, int64_t n, int64_t stride, double *output, double *scale, int64_t at);

static void for_each_line(const tg_work *work, const double *x, double *output, double *scale, line_fn line, bool keeps_axis)
{
    const tg_axis_attributes *attributes = work->attributes;
    tg_shape shape = work->inputs[0].shape;
    int axis = attributes ? attributes->axis : shape.rank - 1;
    int64_t outer = extent_product(shape, 0, axis), n = shape.dims[axis], inner = extent_product(shape, axis + 1, shape.rank);
    for (int64_t o = 0; o < outer; o++)
        for (int64_t i = 0; i < inner; i++) {
            int64_t start = o * n * inner + i;
            line(x + start, n, inner, output, scale, keeps_axis ? start : o * inner + i);
        }
}

static double line_max(const double *x, int64_t n, int64_t stride, double *sum)
{
    double max = -INFINITY;
    for (int64_t k = 0; k < n; k++)
        max = isnan(x[k * stride]) || isnan(max) ? NAN : fmax(max, x[k * stride]);
    *sum = 0;
    for (int64_t k = 0; k < n; k++)
        *sum += exp(x[k * stride] - max);
    return max;
}

static void softmax_line(const double *x, int64_t n, int64_t stride, double *output, double *scale, int64_t at)
{
    double sum, max = line_max(x, n, stride, &sum);
    for (int64_t k = 0; k < n; k++) {
        output[at + k * stride] = exp(x[k * stride] - max) / sum;
        scale[at + k * stride] = output[at + k * stride] * (1 + fabs(x[k * stride] - max));
    }
}

static void log_softmax_line(const double *x, int64_t n, int64_t stride, double *output, double *scale, int64_t at)
{
    double sum, max = line_max(x, n, stride, &sum);
    for (int64_t k = 0; k < n; k++) {
        output[at + k * stride] = x[k * stride] - max - log(sum);
        scale[at + k * stride] = 1 + fabs(x[k * stride]) + fabs(max) + log(sum);
    }
}

static void logsumexp_line(const double *x, int64_t n, int64_t stride, double *output, double *scale, int64_t at)
{
    double sum, max = line_max(x, n, stride, &sum);
    output[at] = isinf(max) ? max : max + log(sum);
    scale[at] = isfinite(max) ? 1 + fabs(max) + log(sum) : 0;
}

static void argmax_line(const double *x, int64_t n, int64_t stride, double *output, double *scale, int64_t at)
{
    int64_t best = 0;
    (void)scale;
    for (int64_t k = 1; k < n && !isnan(x[best * stride]); k++)
        if (isnan(x[k * stride]) || x[k * stride] > x[best * stride])
            best = k;
    output[at] = (double)best;
}

static void argmin_line(const double *x, int64_t n, int64_t stride, double *output, double *scale, int64_t at)
{
    int64_t best = 0;
    (void)scale;
    for (int64_t k = 1; k < n && !isnan(x[best * stride]); k++)
        if (isnan(x[k * stride]) || x[k * stride] < x[best * stride])
            best = k;
    output[at] = (double)best;
}

static void softmax_reference(const tg_work *work, const double *const *in, double *out, double *scale)
{
    for_each_line(work, in[0], out, scale, softmax_line, true);
}

static void log_softmax_reference(const tg_work *work, const double *const *in, double *out, double *scale)
{
    for_each_line(work, in[0], out, scale, log_softmax_line, true);
}

static void logsumexp_reference(const tg_work *work, const double *const *in, double *out, double *scale)
{
    for_each_line(work, in[0], out, scale, logsumexp_line, false);
}

static void argmax_reference(const tg_work *work, const double *const *in, double *out, double *scale)
{
    for_each_line(work, in[0], out, scale, argmax_line, false);
}

static void argmin_reference(const tg_work *work, const double *const *in, double *out, double *scale)
{
    for_each_line(work, in[0], out, scale, argmin_line, false);
}

/* clang-format off */
#define NAMED(name) {#name, name##_reference}
const named_reference reduction_references[] = {
    NAMED(sum), NAMED(mean), NAMED(reduce_max), NAMED(reduce_min), NAMED(logsumexp), NAMED(softmax), NAMED(log_softmax),
    NAMED(argmax), NAMED(argmin), {NULL, NULL}};
/* clang-format on */

/* ---- layout ---- */

static void copy_reference(const tg_work *work, const double *const *in, double *out, double *scale)
{
    (void)scale;
    memcpy(out, in[0], (size_t)tg_shape_count(work->output.shape) * sizeof *out);
}

static void assign_reference(const tg_work *work, const double *const *in, double *out, double *scale)
{
    copy_reference(work, in + 1, out, scale);
}

/* For each element of the output, `source` turns its index into the input's; false: the element is `fill`. */
typedef bool (*source_fn)(const tg_work *work, const int64_t *index, int64_t *from);

static void move(const tg_work *work, const double *x, double *out, source_fn source, double fill)
{
    int64_t count = tg_shape_count(work->output.shape), index[TG_MAX_RANK], from[TG_MAX_RANK];
    for (int64_t i = 0; i < count; i++) {
        unravel(work->output.shape, i, index);
        memcpy(from, index, sizeof from);
        out[i] = source(work, index, from) ? x[broadcast_offset(work->inputs[0].shape, work->inputs[0].shape, from)] : fill;
    }
}

static bool transpose_source(const tg_work *work, const int64_t *index, int64_t *from)
{
    for (int axis = 0; axis < work->output.shape.rank; axis++)
        from[((const tg_transpose_attributes *)work->attributes)->axes[axis]] = index[axis];
    return true;
}

static bool slice_source(const tg_work *work, const int64_t *index, int64_t *from)
{
    const tg_slice_attributes *a = work->attributes;
    from[a->axis] = a->start + a->step * index[a->axis];
    return true;
}

static bool pad_source(const tg_work *work, const int64_t *index, int64_t *from)
{
    const tg_pad_attributes *a = work->attributes;
    int64_t at = index[a->axis] - a->before, extent = work->inputs[0].shape.dims[a->axis];
    if (at < 0 || at % (a->interior + 1) || at / (a->interior + 1) >= extent)
        return false;
    from[a->axis] = at / (a->interior + 1);
    return true;
}

static bool flip_source(const tg_work *work, const int64_t *index, int64_t *from)
{
    for (int axis = 0; axis < work->output.shape.rank; axis++)
        if (((const tg_flip_attributes *)work->attributes)->axes >> axis & 1)
            from[axis] = work->output.shape.dims[axis] - 1 - index[axis];
    return true;
}

static void transpose_reference(const tg_work *work, const double *const *in, double *out, double *scale)
{
    (void)scale;
    move(work, in[0], out, transpose_source, 0);
}

static void slice_reference(const tg_work *work, const double *const *in, double *out, double *scale)
{
    (void)scale;
    move(work, in[0], out, slice_source, 0);
}

static void pad_reference(const tg_work *work, const double *const *in, double *out, double *scale)
{
    (void)scale;
    move(work, in[0], out, pad_source, ((const tg_pad_attributes *)work->attributes)->value);
}

static void flip_reference(const tg_work *work, const double *const *in, double *out, double *scale)
{
    (void)scale;
    move(work, in[0], out, flip_source, 0);
}

static void concat_reference(const tg_work *work, const double *const *in, double *out, double *scale)
{
    int axis = ((const tg_axis_attributes *)work->attributes)->axis;
    tg_shape shape = work->output.shape;
    int64_t outer = extent_product(shape, 0, axis), inner = extent_product(shape, axis + 1, shape.rank);
    (void)scale;
    for (int64_t o = 0; o < outer; o++)
        for (int k = 0; k < work->n_inputs; k++) {
            int64_t run = work->inputs[k].shape.dims[axis] * inner;
            memcpy(out, in[k] + o * run, (size_t)run * sizeof *out);
            out += run;
        }
}

/* ---- by index ---- */

static void gather_reference(const tg_work *work, const double *const *in, double *out, double *scale)
{
    int64_t row = extent_product(work->inputs[0].shape, 1, work->inputs[0].shape.rank), n = tg_shape_count(work->inputs[1].shape);
    (void)scale;
    for (int64_t i = 0; i < n; i++)
        memcpy(out + i * row, in[0] + (int64_t)in[1][i] * row, (size_t)row * sizeof *out);
}

static void scatter_add_reference(const tg_work *work, const double *const *in, double *out, double *scale)
{
    int64_t row = extent_product(work->output.shape, 1, work->output.shape.rank), n = tg_shape_count(work->inputs[1].shape);
    memset(out, 0, (size_t)tg_shape_count(work->output.shape) * sizeof *out);
    for (int64_t i = 0; i < n * row; i++) {
        int64_t at = (int64_t)in[1][i / row] * row + i % row;
        out[at] += in[0][i];
        scale[at] += fabs(in[0][i]);
    }
}

static void one_hot_reference(const tg_work *work, const double *const *in, double *out, double *scale)
{
    int64_t depth = ((const tg_one_hot_attributes *)work->attributes)->depth, count = tg_shape_count(work->output.shape);
    (void)scale;
    for (int64_t i = 0; i < count; i++)
        out[i] = in[0][i / depth] == (double)(i % depth);
}

/* clang-format off */
const named_reference layout_references[] = {
    {"reshape", copy_reference}, NAMED(assign), NAMED(transpose), NAMED(slice), NAMED(pad), NAMED(flip), NAMED(concat),
    NAMED(gather), NAMED(scatter_add), NAMED(one_hot), {NULL, NULL}};
/* clang-format on */
