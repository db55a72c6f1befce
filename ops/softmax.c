/* Softmax, log-softmax and logsumexp. Their kernels take contiguous rows, so other axes are transposed to the end first. */
#include "ops/kernels/softmax.h"
#include "ops/attributes.h"
#include "ops/axes.h"
#include "ops/kernel_set.h"
#include "ops/op_entries.h"
#include "ops/ops.h"
#include "ops/rows.h"

enum { TASK_ELEMENTS = 1 << 12 }; /* each an exponential, or more */

static int64_t rows_of(tg_shape shape) { return tg_shape_product(shape, 0, shape.rank - 1); }

static int64_t rows_per_task(int64_t length) { return length < TASK_ELEMENTS ? TASK_ELEMENTS / (length ? length : 1) : 1; }

int64_t tg_row_tasks(const tg_work *work, int phase)
{
    (void)phase;
    tg_shape shape = work->inputs[0].shape;
    int64_t rows = rows_of(shape), each = rows_per_task(shape.dims[shape.rank - 1]);
    return rows > each ? (rows + each - 1) / each : 1;
}

tg_row_range tg_row_task(const tg_work *work, int64_t task)
{
    tg_shape shape = work->inputs[0].shape;
    int64_t length = shape.dims[shape.rank - 1], rows = rows_of(shape), each = rows_per_task(length), first = task * each;
    return (tg_row_range){.first = first, .count = rows - first < each ? rows - first : each, .length = length};
}

static bool shape_rows(tg_infer *infer)
{
    if (!tg_dtype_is_float(infer->inputs[0].dtype))
        return tg_infer_fail(infer, "%s is no float: cast it", tg_dtype_name(infer->inputs[0].dtype));
    if (infer->inputs[0].shape.rank == 0)
        return tg_infer_fail(infer, "a scalar has no axis");
    infer->result = infer->inputs[0];
    return true;
}

static bool shape_logsumexp(tg_infer *infer)
{
    if (!shape_rows(infer))
        return false;
    infer->result.shape.dims[--infer->result.shape.rank] = 0;
    return true;
}

/* ---- gradients ---- */

/* dx = y (dy - sum of dy y). */
static void gradient_softmax(const tg_gradient_args *args, tg_tensor *result)
{
    tg_tensor y = args->output;
    tg_tensor mean = tg_sum_keep(tg_mul(args->gradient, y), TG_AXES(-1));
    result[0] = tg_mul(y, tg_sub(args->gradient, mean));
}

/* dx = dy - softmax(x) (sum of dy). */
static void gradient_log_softmax(const tg_gradient_args *args, tg_tensor *result)
{
    tg_tensor total = tg_sum_keep(args->gradient, TG_AXES(-1));
    result[0] = tg_sub(args->gradient, tg_mul(tg_softmax(args->inputs[0], -1), total));
}

/* dx = dy softmax(x). */
static void gradient_logsumexp(const tg_gradient_args *args, tg_tensor *result)
{
    tg_shape shape = tg_tensor_shape(args->inputs[0]);
    tg_tensor dy = tg_reshape(args->gradient, tg_shape_reduced(shape, 1u << (shape.rank - 1), true));
    result[0] = tg_mul(tg_softmax(args->inputs[0], -1), dy);
}

/* ---- running ---- */

typedef void rows_f32(const float *x, int64_t rows, int64_t n, float *out);
typedef void rows_f64(const double *x, int64_t rows, int64_t n, double *out);

/* `width`: elements of the output for each row. */
static void run_rows(const tg_work *work, const tg_buffers *buffers, int64_t task, int64_t width, rows_f32 *f32, rows_f64 *f64)
{
    tg_row_range r = tg_row_task(work, task);
    int64_t from = r.first * r.length, to = r.first * width;
    if (work->output.dtype == TG_F32)
        f32((const float *)buffers->inputs[0] + from, r.count, r.length, (float *)buffers->output + to);
    else
        f64((const double *)buffers->inputs[0] + from, r.count, r.length, (double *)buffers->output + to);
}

static tg_status run_softmax(const tg_work *work, const tg_buffers *buffers, int phase, int64_t task, void *scratch)
{
    (void)phase, (void)scratch;
    int64_t width = work->output.shape.dims[work->output.shape.rank - 1];
    run_rows(work, buffers, task, width, tg_kernels_for(work->isa)->softmax, tg_softmax_f64);
    return TG_OK;
}

static tg_status run_log_softmax(const tg_work *work, const tg_buffers *buffers, int phase, int64_t task, void *scratch)
{
    (void)phase, (void)scratch;
    int64_t width = work->output.shape.dims[work->output.shape.rank - 1];
    run_rows(work, buffers, task, width, tg_kernels_for(work->isa)->log_softmax, tg_log_softmax_f64);
    return TG_OK;
}

static tg_status run_logsumexp(const tg_work *work, const tg_buffers *buffers, int phase, int64_t task, void *scratch)
{
    (void)phase, (void)scratch;
    run_rows(work, buffers, task, 1, tg_kernels_for(work->isa)->logsumexp, tg_logsumexp_f64);
    return TG_OK;
}

/* ---- entries ---- */

/* A maximum, a subtraction, an exponential (counted as 10) and a sum for each element. */
static double flops_rows(const tg_work *work) { return 13 * (double)tg_shape_count(work->inputs[0].shape); }

/* tolerance: x - max is rounded, which exp makes relative; sums of positive terms are far within it. */
#define ROWS .min_inputs = 1, .max_inputs = 1, .tolerance = 256, .flops = flops_rows, .tasks = tg_row_tasks

const tg_op tg_op_softmax = {.name = "softmax",
                             .formula = "y = exp(x) / sum of exp(x)",
                             ROWS,
                             .shape = shape_rows,
                             .gradient = gradient_softmax,
                             .run = run_softmax};
const tg_op tg_op_log_softmax = {.name = "log_softmax",
                                 .formula = "y = x - log(sum of exp(x))",
                                 ROWS,
                                 .shape = shape_rows,
                                 .gradient = gradient_log_softmax,
                                 .run = run_log_softmax};
const tg_op tg_op_logsumexp = {.name = "logsumexp",
                               .formula = "y = log(sum of exp(x))",
                               ROWS,
                               .shape = shape_logsumexp,
                               .gradient = gradient_logsumexp,
                               .run = run_logsumexp};

/* An op on rows along any axis: exchanged with the last, and back. */
static tg_tensor along(tg_where where, const tg_op *op, tg_tensor x, int axis)
{
    tg_axes swap = {.count = tg_tensor_shape(x).rank};
    int32_t at;
    if (!tg_check_axis(where, op->name, x, axis, &at))
        return tg_poisoned(x);
    if (!tg_ok(x) || at == swap.count - 1)
        return tg_apply_at(where, x.graph, op, &x, 1, NULL, 0);
    for (int32_t i = 0; i < swap.count; i++)
        swap.axes[i] = i == at ? swap.count - 1 : i == swap.count - 1 ? at : i;
    tg_tensor last = tg_transpose_at(where, x, swap);
    return tg_transpose_at(where, tg_apply_at(where, x.graph, op, &last, 1, NULL, 0), swap);
}

tg_tensor tg_softmax_at(tg_where where, tg_tensor x, int axis) { return along(where, &tg_op_softmax, x, axis); }

tg_tensor tg_log_softmax_at(tg_where where, tg_tensor x, int axis) { return along(where, &tg_op_log_softmax, x, axis); }

/* x with the axes of the mask joined to one, at the end. */
static tg_tensor join_last(tg_where where, tg_tensor x, uint32_t mask)
{
    tg_shape shape = tg_tensor_shape(x), joined = tg_shape_reduced(shape, mask, false);
    tg_axes order = {0};
    int64_t length = 1;
    for (int reduced = 0; reduced <= 1; reduced++)
        for (int32_t axis = 0; axis < shape.rank; axis++)
            if ((int)(mask >> axis & 1) == reduced) {
                order.axes[order.count++] = axis;
                length *= reduced ? shape.dims[axis] : 1;
            }
    joined.dims[joined.rank++] = length;
    return tg_reshape_at(where, tg_transpose_at(where, x, order), joined);
}

static tg_tensor logsumexp(tg_where where, tg_tensor x, tg_axes axes, bool keep)
{
    uint32_t mask;
    if (!tg_check_axes(where, tg_op_logsumexp.name, x, axes, &mask))
        return tg_poisoned(x);
    if (tg_ok(x) && mask == 0 && tg_dtype_is_float(tg_tensor_dtype(x)))
        return x;
    tg_tensor rows = mask ? join_last(where, x, mask) : x;
    tg_tensor y = tg_apply_at(where, x.graph, &tg_op_logsumexp, &rows, 1, NULL, 0);
    return keep ? tg_reshape_at(where, y, tg_shape_reduced(tg_tensor_shape(x), mask, true)) : y;
}

tg_tensor tg_logsumexp_at(tg_where where, tg_tensor x, tg_axes axes) { return logsumexp(where, x, axes, false); }

tg_tensor tg_logsumexp_keep_at(tg_where where, tg_tensor x, tg_axes axes) { return logsumexp(where, x, axes, true); }
