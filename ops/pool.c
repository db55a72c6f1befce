/* Pooling over windows of NHWC images. The gradient of taking maxima is putting back at their positions, whose own is taking there. */
#include "ops/pool.h"

#include <stdio.h>

#include "ops/kernel_set.h"
#include "ops/op_entries.h"

enum { TASK_ELEMENTS = 1 << 15 };

static const int64_t largest = INT64_C(1) << 30;

/* ---- shapes ---- */

static bool check_image(tg_infer *infer, int i, const char *name)
{
    const tg_type *type = &infer->inputs[i];
    return type->shape.rank == 4 ||
           tg_infer_fail(infer, "%s has rank %d, but pooling takes images [n, height, width, channels]", name, type->shape.rank);
}

static bool check_float(tg_infer *infer)
{
    tg_dtype dtype = infer->inputs[0].dtype;
    return tg_dtype_is_float(dtype) || tg_infer_fail(infer, "it takes floats, not %s: cast it", tg_dtype_name(dtype));
}

/* The pooled height and width. */
static bool pooled_extents(tg_infer *infer, const tg_pool2d_attributes *a, const int64_t in[2], int64_t out[2])
{
    for (int axis = 0; axis < 2; axis++) {
        if (a->window[axis] < 1 || a->window[axis] > largest || a->stride[axis] < 1 || a->stride[axis] > largest)
            return tg_infer_fail(infer, "the window is %lldx%lld with stride %lldx%lld, but each must lie in [1, 2^30]",
                                 (long long)a->window[0], (long long)a->window[1], (long long)a->stride[0],
                                 (long long)a->stride[1]);
        out[axis] = (in[axis] - a->window[axis]) / a->stride[axis] + 1;
    }
    if (a->window[0] <= in[0] && a->window[1] <= in[1])
        return true;
    return tg_infer_fail(infer, "the %lldx%lld window is larger than the %lldx%lld image", (long long)a->window[0],
                         (long long)a->window[1], (long long)in[0], (long long)in[1]);
}

static bool pool_shape(tg_infer *infer)
{
    const tg_type *x = &infer->inputs[0];
    infer->result = *x;
    return check_image(infer, 0, "x") &&
           pooled_extents(infer, infer->attributes, &x->shape.dims[1], &infer->result.shape.dims[1]);
}

static bool float_pool_shape(tg_infer *infer) { return check_float(infer) && pool_shape(infer); }

static bool check_argmax(tg_infer *infer, tg_shape pooled)
{
    const tg_type *argmax = &infer->inputs[1];
    if (argmax->dtype != TG_U8)
        return tg_infer_fail(infer, "the argmax is %s, not u8", tg_dtype_name(argmax->dtype));
    char text[160];
    return tg_shape_equal(argmax->shape, pooled) ||
           tg_infer_fail(infer, "the argmax must be of the pooled shape %s", tg_shape_text(pooled, text, sizeof text));
}

static bool check_positions(tg_infer *infer, const tg_pool2d_attributes *a)
{
    return tg_pool2d_has_positions(a) ||
           tg_infer_fail(infer, "the %lldx%lld window has more than the 256 positions that a u8 argmax can name",
                         (long long)a->window[0], (long long)a->window[1]);
}

static bool argmax_shape(tg_infer *infer)
{
    bool ok = float_pool_shape(infer) && check_positions(infer, infer->attributes);
    infer->result.dtype = TG_U8;
    return ok;
}

static bool gather_shape(tg_infer *infer)
{
    return pool_shape(infer) && check_positions(infer, infer->attributes) && check_argmax(infer, infer->result.shape);
}

bool tg_pool2d_infer(tg_infer *infer, const tg_pool2d_attributes *a, bool positions)
{
    int64_t in[2] = {infer->result.shape.dims[1], infer->result.shape.dims[2]};
    return pooled_extents(infer, a, in, &infer->result.shape.dims[1]) && (!positions || check_positions(infer, a));
}

/* For both ops that go from pooled elements to an image. */
static bool spread_shape(tg_infer *infer)
{
    const tg_unpool2d_attributes *a = infer->attributes;
    const int64_t *dims = infer->inputs[0].shape.dims;
    int64_t out[2] = {0};
    if (!check_float(infer) || !check_image(infer, 0, "y") || !pooled_extents(infer, &a->pool, a->extent, out))
        return false;
    if (dims[1] != out[0] || dims[2] != out[1])
        return tg_infer_fail(infer, "y is %lldx%lld, but an image of %lldx%lld is pooled to %lldx%lld", (long long)dims[1],
                             (long long)dims[2], (long long)a->extent[0], (long long)a->extent[1], (long long)out[0],
                             (long long)out[1]);
    infer->result = infer->inputs[0];
    infer->result.shape.dims[1] = a->extent[0];
    infer->result.shape.dims[2] = a->extent[1];
    return true;
}

static bool unpool_shape(tg_infer *infer)
{
    const tg_unpool2d_attributes *a = infer->attributes;
    return spread_shape(infer) && check_positions(infer, &a->pool) && check_argmax(infer, infer->inputs[0].shape);
}

/* ---- gradients ---- */

static void max_pool_gradient(const tg_gradient_args *args, tg_tensor *result)
{
    tg_pool2d_options options = tg_pool2d_options_of(args->attributes);
    tg_tensor x = args->inputs[0];
    tg_shape shape = tg_tensor_shape(x);
    result[0] = tg_unpool2d(args->gradient, tg_max_pool2d_argmax(x, options), shape.dims[1], shape.dims[2], options);
}

static void unpool_gradient(const tg_gradient_args *args, tg_tensor *result)
{
    const tg_unpool2d_attributes *a = args->attributes;
    result[0] = tg_pool_gather2d(args->gradient, args->inputs[1], tg_pool2d_options_of(&a->pool));
}

static void gather_gradient(const tg_gradient_args *args, tg_tensor *result)
{
    tg_shape shape = tg_tensor_shape(args->inputs[0]);
    result[0] =
        tg_unpool2d(args->gradient, args->inputs[1], shape.dims[1], shape.dims[2], tg_pool2d_options_of(args->attributes));
}

static void avg_pool_gradient(const tg_gradient_args *args, tg_tensor *result)
{
    tg_shape shape = tg_tensor_shape(args->inputs[0]);
    result[0] = tg_avg_unpool2d(args->gradient, shape.dims[1], shape.dims[2], tg_pool2d_options_of(args->attributes));
}

static void avg_unpool_gradient(const tg_gradient_args *args, tg_tensor *result)
{
    const tg_unpool2d_attributes *a = args->attributes;
    result[0] = tg_avg_pool2d_with(args->gradient, tg_pool2d_options_of(&a->pool));
}

/* ---- running ---- */

tg_pool_size tg_pool2d_size_of(const tg_pool2d_attributes *a, const tg_shape *image, const tg_shape *pooled)
{
    return (tg_pool_size){.channels = image->dims[3],
                          .in = {image->dims[1], image->dims[2]},
                          .out = {pooled->dims[1], pooled->dims[2]},
                          .window = {a->window[0], a->window[1]},
                          .stride = {a->stride[0], a->stride[1]}};
}

static int64_t rows_of(const tg_work *work) { return work->output.shape.dims[0] * work->output.shape.dims[1]; }

/* Rows of the result, with what they read of the larger side. */
static int64_t rows_per_task(const tg_work *work)
{
    int64_t result = tg_shape_count(work->output.shape), operand = tg_shape_count(work->inputs[0].shape), rows = rows_of(work);
    int64_t each = (result > operand ? result : operand) / (rows > 0 ? rows : 1);
    return 1 + TASK_ELEMENTS / (each + 1);
}

static int64_t pool_tasks(const tg_work *work, int phase)
{
    (void)phase;
    int64_t rows = rows_of(work), per_task = rows_per_task(work);
    return tg_shape_count(work->output.shape) == 0 ? 0 : (rows + per_task - 1) / per_task;
}

static double pool_flops(const tg_work *work)
{
    const tg_pool2d_attributes *a = work->attributes;
    return (double)tg_shape_count(work->output.shape) * (double)a->window[0] * (double)a->window[1];
}

static double unpool_flops(const tg_work *work) { return (double)tg_shape_count(work->output.shape); }

static tg_pool part_of(const tg_work *work, const tg_buffers *buffers, const tg_pool_size *size, int64_t task)
{
    int64_t per_task = rows_per_task(work), rows = rows_of(work), end = (task + 1) * per_task;
    return (tg_pool){.size = size,
                     .from = buffers->inputs[0],
                     .argmax = work->n_inputs > 1 ? buffers->inputs[1] : NULL,
                     .to = buffers->output,
                     .positions = buffers->twin,
                     .first = task * per_task,
                     .end = end < rows ? end : rows};
}

typedef void pool_fn(const tg_pool *pool);

/* One part of a node that goes from the image to pooled elements, or back. */
static tg_status run_pool(const tg_work *work, const tg_buffers *buffers, int64_t task, pool_fn *fast, pool_fn *plain)
{
    tg_pool_size size = tg_pool2d_size_of(work->attributes, &work->inputs[0].shape, &work->output.shape);
    tg_pool part = part_of(work, buffers, &size, task);
    (work->inputs[0].dtype == TG_F32 ? fast : plain)(&part);
    return TG_OK;
}

static tg_status run_spread(const tg_work *work, const tg_buffers *buffers, int64_t task, pool_fn *fast, pool_fn *plain)
{
    const tg_unpool2d_attributes *a = work->attributes;
    tg_pool_size size = tg_pool2d_size_of(&a->pool, &work->output.shape, &work->inputs[0].shape);
    tg_pool part = part_of(work, buffers, &size, task);
    (work->inputs[0].dtype == TG_F32 ? fast : plain)(&part);
    return TG_OK;
}

#define RUN(name, run_part, kernel, plain)                                                                              \
    static tg_status name##_run(const tg_work *work, const tg_buffers *buffers, int phase, int64_t task, void *scratch) \
    {                                                                                                                   \
        (void)phase, (void)scratch;                                                                                     \
        return run_part(work, buffers, task, tg_kernels_for(work->isa)->kernel, plain);                                 \
    }
RUN(max_pool, run_pool, max_pool, tg_max_pool_f64)
RUN(argmax, run_pool, max_pool_argmax, tg_max_pool_argmax_f64)
RUN(avg_pool, run_pool, avg_pool, tg_avg_pool_f64)
RUN(unpool, run_spread, unpool, tg_unpool_f64)
RUN(avg_unpool, run_spread, avg_unpool, tg_avg_unpool_f64)
#undef RUN

static tg_status gather_run(const tg_work *work, const tg_buffers *buffers, int phase, int64_t task, void *scratch)
{
    (void)phase, (void)scratch;
    tg_pool_size size = tg_pool2d_size_of(work->attributes, &work->inputs[0].shape, &work->output.shape);
    tg_pool part = part_of(work, buffers, &size, task);
    int64_t element = (int64_t)tg_dtype_size(work->output.dtype);
    if (element == sizeof(float))
        tg_kernels_for(work->isa)->pool_gather(&part);
    else
        tg_pool_gather_plain(&part, element);
    return TG_OK;
}

/* ---- entries ---- */

void tg_pool2d_describe(const tg_pool2d_attributes *a, char *text, size_t size)
{
    int n = snprintf(text, size, "window %lldx%lld", (long long)a->window[0], (long long)a->window[1]);
    if ((a->stride[0] != a->window[0] || a->stride[1] != a->window[1]) && n > 0 && (size_t)n < size)
        snprintf(text + n, size - (size_t)n, ", stride %lldx%lld", (long long)a->stride[0], (long long)a->stride[1]);
}

static void pool_describe(const void *attributes, char *text, size_t size) { tg_pool2d_describe(attributes, text, size); }

#define POOL .min_inputs = 1, .max_inputs = 1, .describe = pool_describe, .tasks = pool_tasks
#define POOL_BY_ARGMAX .min_inputs = 2, .max_inputs = 2, .not_differentiable = 2, .describe = pool_describe, .tasks = pool_tasks

const tg_op tg_op_max_pool2d = {.name = "max_pool2d",
                                .formula = "y[n,i,j,c] = max of x over a window",
                                .traits = TG_SECOND_DERIVATIVE_ZERO,
                                POOL,
                                .tolerance = 0,
                                .shape = float_pool_shape,
                                .gradient = max_pool_gradient,
                                .rewrites = tg_max_pool2d_rules,
                                .n_rewrites = TG_MAX_POOL2D_RULES,
                                .flops = pool_flops,
                                .run = max_pool_run,
                                .twin = &tg_op_max_pool2d_argmax};

const tg_op tg_op_max_pool2d_argmax = {.name = "max_pool2d_argmax",
                                       .formula = "y[n,i,j,c] = where in a window x is greatest",
                                       .traits = TG_CUTS_GRADIENT,
                                       POOL,
                                       .shape = argmax_shape,
                                       .rewrites = tg_argmax_pool2d_rules,
                                       .n_rewrites = TG_ARGMAX_POOL2D_RULES,
                                       .flops = pool_flops,
                                       .run = argmax_run};

const tg_op tg_op_unpool2d = {.name = "unpool2d",
                              .formula = "x = y, each at its place in a window",
                              .traits = TG_SECOND_DERIVATIVE_ZERO,
                              POOL_BY_ARGMAX,
                              .tolerance = 4,
                              .shape = unpool_shape,
                              .gradient = unpool_gradient,
                              .flops = unpool_flops,
                              .run = unpool_run};

const tg_op tg_op_pool_gather2d = {.name = "pool_gather2d",
                                   .formula = "y[n,i,j,c] = x at its place in a window",
                                   .traits = TG_SECOND_DERIVATIVE_ZERO,
                                   POOL_BY_ARGMAX,
                                   .tolerance = 0,
                                   .shape = gather_shape,
                                   .gradient = gather_gradient,
                                   .rewrites = tg_pool_gather2d_rules,
                                   .n_rewrites = TG_POOL_GATHER2D_RULES,
                                   .flops = pool_flops,
                                   .run = gather_run};

const tg_op tg_op_avg_pool2d = {.name = "avg_pool2d",
                                .formula = "y[n,i,j,c] = mean of x over a window",
                                .traits = TG_SECOND_DERIVATIVE_ZERO,
                                POOL,
                                .tolerance = 4,
                                .shape = float_pool_shape,
                                .gradient = avg_pool_gradient,
                                .flops = pool_flops,
                                .run = avg_pool_run};

const tg_op tg_op_avg_unpool2d = {.name = "avg_unpool2d",
                                  .formula = "x = y / window, over each window",
                                  .traits = TG_SECOND_DERIVATIVE_ZERO,
                                  POOL,
                                  .tolerance = 4,
                                  .shape = spread_shape,
                                  .gradient = avg_unpool_gradient,
                                  .flops = unpool_flops,
                                  .run = avg_unpool_run};

/* ---- recording ---- */

tg_pool2d_attributes tg_pool2d_normalised(tg_pool2d_options options)
{
    tg_pool2d_attributes a;
    for (int axis = 0; axis < 2; axis++) {
        a.window[axis] = options.window[axis];
        a.stride[axis] = options.stride[axis] ? options.stride[axis] : options.window[axis];
    }
    return a;
}

static tg_pool2d_options square(int64_t size) { return (tg_pool2d_options){.window = {size, size}}; }

static tg_tensor record_pool(tg_where where, const tg_op *op, tg_tensor x, tg_pool2d_options options)
{
    tg_pool2d_attributes attributes = tg_pool2d_normalised(options);
    return tg_apply_at(where, x.graph, op, &x, 1, &attributes, sizeof attributes);
}

tg_tensor tg_max_pool2d_with_at(tg_where where, tg_tensor x, tg_pool2d_options options)
{
    return record_pool(where, &tg_op_max_pool2d, x, options);
}

tg_tensor tg_max_pool2d_at(tg_where where, tg_tensor x, int64_t size) { return tg_max_pool2d_with_at(where, x, square(size)); }

tg_tensor tg_max_pool2d_argmax_at(tg_where where, tg_tensor x, tg_pool2d_options options)
{
    return record_pool(where, &tg_op_max_pool2d_argmax, x, options);
}

tg_tensor tg_avg_pool2d_with_at(tg_where where, tg_tensor x, tg_pool2d_options options)
{
    return record_pool(where, &tg_op_avg_pool2d, x, options);
}

tg_tensor tg_avg_pool2d_at(tg_where where, tg_tensor x, int64_t size) { return tg_avg_pool2d_with_at(where, x, square(size)); }

tg_tensor tg_unpool2d_at(tg_where where, tg_tensor y, tg_tensor argmax, int64_t height, int64_t width, tg_pool2d_options options)
{
    tg_unpool2d_attributes attributes = {tg_pool2d_normalised(options), {height, width}};
    return tg_apply_at(where, y.graph, &tg_op_unpool2d, (tg_tensor[]){y, argmax}, 2, &attributes, sizeof attributes);
}

tg_tensor tg_avg_unpool2d_at(tg_where where, tg_tensor y, int64_t height, int64_t width, tg_pool2d_options options)
{
    tg_unpool2d_attributes attributes = {tg_pool2d_normalised(options), {height, width}};
    return tg_apply_at(where, y.graph, &tg_op_avg_unpool2d, &y, 1, &attributes, sizeof attributes);
}

tg_tensor tg_pool_gather2d_at(tg_where where, tg_tensor x, tg_tensor argmax, tg_pool2d_options options)
{
    tg_pool2d_attributes attributes = tg_pool2d_normalised(options);
    return tg_apply_at(where, x.graph, &tg_op_pool_gather2d, (tg_tensor[]){x, argmax}, 2, &attributes, sizeof attributes);
}

tg_tensor tg_global_avg_pool2d_at(tg_where where, tg_tensor x)
{
    if (tg_ok(x) && tg_tensor_shape(x).rank != 4)
        return tg_graph_fail(x.graph, where,
                             "global_avg_pool2d: x has rank %d, but pooling takes images [n, height, width, channels]",
                             tg_tensor_shape(x).rank);
    return tg_mean_at(where, x, TG_AXES(1, 2));
}
