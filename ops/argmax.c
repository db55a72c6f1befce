/* argmax and argmin along one axis. */
#include <stdio.h>

#include "ops/attributes.h"
#include "ops/axes.h"
#include "ops/kernels/argmax.h"
#include "ops/op_entries.h"
#include "ops/ops.h"

enum { TASK_ELEMENTS = 1 << 13 };

static int axis_of(const void *attributes) { return ((const tg_axis_attributes *)attributes)->axis; }

static bool shape_argmax(tg_infer *infer)
{
    int axis = axis_of(infer->attributes);
    tg_shape shape = infer->inputs[0].shape;
    if (axis < 0 || axis >= shape.rank)
        return tg_infer_fail(infer, "axis %d is out of range", axis);
    if (shape.dims[axis] == 0)
        return tg_infer_fail(infer, "axis %d has no elements to choose from", axis);
    if (shape.dims[axis] > INT32_MAX)
        return tg_infer_fail(infer, "axis %d has more elements than an i32 index can name", axis);
    infer->result = (tg_type){TG_I32, tg_shape_reduced(shape, 1u << axis, false)};
    return true;
}

static int64_t lines_per_task(const tg_work *work)
{
    int64_t length = work->inputs[0].shape.dims[axis_of(work->attributes)];
    return length < TASK_ELEMENTS ? TASK_ELEMENTS / length : 1;
}

static int64_t tasks_argmax(const tg_work *work, int phase)
{
    (void)phase;
    int64_t lines = tg_shape_count(work->output.shape), each = lines_per_task(work);
    return lines > each ? (lines + each - 1) / each : 1;
}

static tg_status run(const tg_work *work, const tg_buffers *buffers, int64_t task, bool least)
{
    static tg_argmax_fn *const functions[TG_DTYPE_COUNT] = {
        [TG_F32] = tg_argmax_f32, [TG_F64] = tg_argmax_f64, [TG_I32] = tg_argmax_i32, [TG_U8] = tg_argmax_u8};
    int axis = axis_of(work->attributes);
    tg_shape shape = work->inputs[0].shape;
    int64_t lines = tg_shape_count(work->output.shape), each = lines_per_task(work), first = task * each;
    functions[work->inputs[0].dtype](buffers->inputs[0], shape.dims[axis], tg_shape_product(shape, axis + 1, shape.rank), first,
                                     lines - first < each ? lines : first + each, least, buffers->output);
    return TG_OK;
}

static tg_status run_argmax(const tg_work *work, const tg_buffers *buffers, int phase, int64_t task, void *scratch)
{
    (void)phase, (void)scratch;
    return run(work, buffers, task, false);
}

static tg_status run_argmin(const tg_work *work, const tg_buffers *buffers, int phase, int64_t task, void *scratch)
{
    (void)phase, (void)scratch;
    return run(work, buffers, task, true);
}

static void describe_axis(const void *attributes, char *text, size_t size)
{
    snprintf(text, size, "axis %d", axis_of(attributes));
}

#define ARGMAX                                                                                                      \
    .traits = TG_CUTS_GRADIENT, .min_inputs = 1, .max_inputs = 1, .shape = shape_argmax, .describe = describe_axis, \
    .tasks = tasks_argmax

const tg_op tg_op_argmax = {.name = "argmax", .formula = "y = the first i with x[i] = max of x", ARGMAX, .run = run_argmax};
const tg_op tg_op_argmin = {.name = "argmin", .formula = "y = the first i with x[i] = min of x", ARGMAX, .run = run_argmin};

static tg_tensor record(tg_where where, const tg_op *op, tg_tensor x, int axis)
{
    tg_axis_attributes a;
    if (!tg_check_axis(where, op->name, x, axis, &a.axis))
        return tg_poisoned(x);
    return tg_apply_at(where, x.graph, op, &x, 1, &a, sizeof a);
}

tg_tensor tg_argmax_at(tg_where where, tg_tensor x, int axis) { return record(where, &tg_op_argmax, x, axis); }

tg_tensor tg_argmin_at(tg_where where, tg_tensor x, int axis) { return record(where, &tg_op_argmin, x, axis); }
