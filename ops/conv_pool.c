/* A convolution whose output is max-pooled at once: rows of it are computed into scratch memory, from which the windows are taken while
   they are in the first-level cache. */
#include <stdio.h>
#include <string.h>

#include "ops/conv.h"
#include "ops/kernel_set.h"
#include "ops/kernels/integers.h"
#include "ops/kernels/winograd.h"
#include "ops/op_entries.h"
#include "ops/pool.h"

enum {
    UNIT_ELEMENTS = 4096, /* of the convolution's output, about, that are in scratch memory at a time */
    MOST_TASKS = 64,
    LEAST_TASK_FLOPS = 1 << 18
};

/* ---- shapes ---- */

static bool both_are(const int64_t pair[2], int64_t value) { return pair[0] == value && pair[1] == value; }

static bool suits_winograd(const tg_conv2d_pool2d_attributes *a, const tg_shape *kernel)
{
    return both_are(kernel->dims, 3) && both_are(a->conv.stride, 1) && both_are(a->conv.dilation, 1) &&
           both_are(a->pool.window, 2) && both_are(a->pool.stride, 2);
}

static bool conv_pool_shape(tg_infer *infer)
{
    const tg_conv2d_pool2d_attributes *a = infer->attributes;
    if (!tg_conv2d_infer(infer, &a->conv) || !tg_pool2d_infer(infer, &a->pool, true))
        return false;
    return !a->winograd || suits_winograd(a, &infer->inputs[1].shape) ||
           tg_infer_fail(infer, "Winograd's algorithm is for 3x3 kernels, strides and dilations of 1, and 2x2 windows");
}

static bool conv_pool_argmax_shape(tg_infer *infer)
{
    bool ok = conv_pool_shape(infer);
    infer->result.dtype = TG_U8;
    return ok;
}

/* The convolution's output. */
static tg_shape image_shape(const tg_conv2d_attributes *a, const tg_shape *x, const tg_shape *kernel)
{
    return TG_SHAPE(x->dims[0], tg_conv2d_out(a, 0, x->dims[1], kernel->dims[0]),
                    tg_conv2d_out(a, 1, x->dims[2], kernel->dims[1]), kernel->dims[3]);
}

/* ---- gradient: those of the convolution, at the maxima ---- */

static void conv_pool_gradient(const tg_gradient_args *args, tg_tensor *result)
{
    const tg_conv2d_pool2d_attributes *a = args->attributes;
    tg_tensor x = args->inputs[0], k = args->inputs[1];
    tg_shape in = tg_tensor_shape(x), kernel = tg_tensor_shape(k), image = image_shape(&a->conv, &in, &kernel);
    tg_conv2d_options conv = tg_conv2d_options_of(&a->conv);
    tg_pool2d_options pool = tg_pool2d_options_of(&a->pool);
    tg_tensor argmax = tg_conv2d_max_pool2d_argmax(x, k, conv, pool);
    tg_tensor g = tg_unpool2d(args->gradient, argmax, image.dims[1], image.dims[2], pool);
    if (args->wanted[0])
        result[0] = tg_conv2d_input_gradient(g, k, in.dims[1], in.dims[2], conv);
    if (args->wanted[1])
        result[1] = tg_conv2d_kernel_gradient(x, g, kernel.dims[0], kernel.dims[1], conv);
}

/* ---- running ---- */

/* Units are stretches of one image's pooled rows; a task takes some, one after the other. */
typedef struct conv_pool {
    tg_conv_size conv;
    tg_pool_size pool;
    int64_t rows, units_per_image, units_per_task; /* rows: pooled ones of the longest unit */
} conv_pool;

static bool is_fast(const tg_work *work) { return work->inputs[0].dtype == TG_F32; }

static conv_pool conv_pool_of(const tg_work *work)
{
    const tg_conv2d_pool2d_attributes *a = work->attributes;
    const tg_shape *x = &work->inputs[0].shape, *kernel = &work->inputs[1].shape;
    tg_shape image = image_shape(&a->conv, x, kernel);
    conv_pool c = {.conv = tg_conv2d_size_of(&a->conv, x, kernel, &image),
                   .pool = tg_pool2d_size_of(&a->pool, &image, &work->output.shape)};
    int64_t row_elements = c.conv.out[1] * c.conv.filters, rows = c.pool.out[0];
    int64_t at_once = tg_most(1, UNIT_ELEMENTS / tg_most(1, row_elements * c.pool.stride[0]));
    c.units_per_image = tg_ceil_div(rows, at_once);
    c.rows = tg_ceil_div(rows, tg_most(1, c.units_per_image));
    double units = (double)(c.conv.images * c.units_per_image), most_tasks = tg_conv_flops(&c.conv) / LEAST_TASK_FLOPS;
    c.units_per_task = 1 + (int64_t)(units / (most_tasks < MOST_TASKS ? most_tasks + 1 : MOST_TASKS));
    return c;
}

/* Rows of the convolution's output that `rows` pooled rows read, with those between. */
static int64_t image_rows(const conv_pool *c, int64_t rows) { return (rows - 1) * c->pool.stride[0] + c->pool.window[0]; }

static tg_conv_sweep sweep_of(const tg_work *work, const conv_pool *c)
{
    tg_conv_sweep sweep = tg_conv_sweep_make(tg_kernels_for(work->isa), &c->conv, false);
    sweep.most_rows = image_rows(c, c->rows);
    return sweep;
}

static double conv_pool_flops(const tg_work *work)
{
    conv_pool c = conv_pool_of(work);
    double taken = (double)tg_shape_count(work->output.shape) * (double)(c.pool.window[0] * c.pool.window[1]);
    return tg_conv_flops(&c.conv) + taken;
}

static bool is_winograd(const tg_work *work)
{
    return is_fast(work) && ((const tg_conv2d_pool2d_attributes *)work->attributes)->winograd;
}

static tg_winograd winograd_of(const tg_work *work, const conv_pool *c)
{
    return tg_winograd_make(tg_kernels_for(work->isa), &c->conv, c->pool.out);
}

static int conv_pool_phases(const tg_work *work) { return is_fast(work) ? 2 : 1; }

static int64_t conv_pool_tasks(const tg_work *work, int phase)
{
    if (tg_shape_count(work->output.shape) == 0)
        return 0;
    conv_pool c = conv_pool_of(work);
    if (is_fast(work) && phase == 0)
        return sweep_of(work, &c).panels.count;
    if (is_winograd(work)) {
        tg_winograd w = winograd_of(work, &c);
        return tg_winograd_tasks(&w);
    }
    return tg_ceil_div(c.conv.images * c.units_per_image, c.units_per_task);
}

/* Bytes of a unit's part of the convolution's output, whole cache lines, and of its maxima where only their places are wanted. */
static size_t image_bytes(const tg_work *work, const conv_pool *c)
{
    size_t bytes = (size_t)(image_rows(c, c->rows) * c->conv.out[1] * c->conv.filters) * tg_dtype_size(work->inputs[0].dtype);
    return (bytes + 63) & ~(size_t)63;
}

static size_t conv_pool_scratch(const tg_work *work)
{
    conv_pool c = conv_pool_of(work);
    tg_conv_sweep sweep = sweep_of(work, &c);
    tg_winograd w = winograd_of(work, &c);
    if (is_winograd(work))
        return (size_t)tg_winograd_scratch(&w) * sizeof(float);
    return image_bytes(work, &c) + (is_fast(work) ? tg_conv_sweep_scratch(&sweep) : 0);
}

static size_t conv_pool_shared(const tg_work *work)
{
    conv_pool c = conv_pool_of(work);
    tg_conv_sweep sweep = sweep_of(work, &c);
    tg_winograd w = winograd_of(work, &c);
    int64_t floats = is_winograd(work) ? tg_winograd_packed(&w) : is_fast(work) ? tg_conv_sweep_packed(&sweep) : 0;
    return (size_t)floats * sizeof(float);
}

/* The convolution's output that pooled rows [first, first + rows) of an image read, to scratch memory. */
static void convolve(const tg_work *work, const tg_buffers *buffers, const conv_pool *c, int64_t image, int64_t first,
                     int64_t rows, char *scratch)
{
    int64_t top = first * c->pool.stride[0], end = top + image_rows(c, rows);
    if (!is_fast(work)) {
        top += image * c->conv.out[0];
        end += image * c->conv.out[0];
        tg_conv_plain(&c->conv, buffers->inputs[0], buffers->inputs[1], (double *)scratch, top, end);
        return;
    }
    tg_conv_sweep sweep = sweep_of(work, c);
    tg_conv_stretch stretch = {.source = buffers->inputs[0],
                               .packed = buffers->shared,
                               .image = image,
                               .first = top,
                               .end = end,
                               .target = (float *)scratch};
    tg_conv_sweep_run(&sweep, &stretch, scratch + image_bytes(work, c));
}

/* Pooled rows [first, first + rows) of an image. */
static void run_unit(const tg_work *work, const tg_buffers *buffers, const conv_pool *c, int64_t image, int64_t first,
                     int64_t rows, char *scratch)
{
    const tg_kernels *kernels = tg_kernels_for(work->isa);
    int64_t row_elements = c->pool.out[1] * c->pool.channels, at = (image * c->pool.out[0] + first) * row_elements;
    tg_pool_size size = c->pool;
    size.in[0] = image_rows(c, rows);
    size.out[0] = rows;
    tg_pool part = {.size = &size,
                    .from = scratch,
                    .to = (char *)buffers->output + (size_t)at * tg_dtype_size(work->output.dtype),
                    .positions = buffers->twin ? (uint8_t *)buffers->twin + at : NULL,
                    .end = rows};
    convolve(work, buffers, c, image, first, rows, scratch);
    if (work->output.dtype == TG_U8)
        (is_fast(work) ? kernels->max_pool_argmax : tg_max_pool_argmax_f64)(&part);
    else
        (is_fast(work) ? kernels->max_pool : tg_max_pool_f64)(&part);
    tg_finish(buffers, at, rows * row_elements);
}

static void run_winograd(const tg_work *work, const tg_buffers *buffers, const conv_pool *c, int phase, int64_t task,
                         float *scratch)
{
    tg_winograd w = winograd_of(work, c);
    bool positions = work->output.dtype == TG_U8;
    int64_t first, end;
    if (phase == 0) {
        tg_winograd_pack(&w, buffers->inputs[1], buffers->shared, task);
        return;
    }
    tg_winograd_run(&w, buffers->inputs[0], buffers->shared, positions ? NULL : buffers->output,
                    positions ? buffers->output : buffers->twin, task, scratch);
    tg_winograd_windows(&w, task, &first, &end);
    tg_finish(buffers, first * w.conv.filters, (end - first) * w.conv.filters);
}

static tg_status conv_pool_run(const tg_work *work, const tg_buffers *buffers, int phase, int64_t task, void *scratch)
{
    conv_pool c = conv_pool_of(work);
    if (is_winograd(work)) {
        run_winograd(work, buffers, &c, phase, task, scratch);
        return TG_OK;
    }
    if (is_fast(work) && phase == 0) {
        tg_conv_sweep sweep = sweep_of(work, &c);
        tg_conv_sweep_pack(&sweep, buffers->inputs[1], buffers->shared, task);
        return TG_OK;
    }
    int64_t units = c.conv.images * c.units_per_image, first = task * c.units_per_task;
    for (int64_t unit = first; unit < first + c.units_per_task && unit < units; unit++) {
        int64_t part = unit % c.units_per_image, row = c.pool.out[0] * part / c.units_per_image;
        int64_t rows = c.pool.out[0] * (part + 1) / c.units_per_image - row;
        run_unit(work, buffers, &c, unit / c.units_per_image, row, rows, scratch);
    }
    return TG_OK;
}

/* ---- a rewrite ---- */

enum { LEAST_CHANNELS = 16 }; /* of fewer, the transforms cost more than they spare */

static tg_tensor rewrite_winograd(const tg_rewrite_args *args)
{
    tg_conv2d_pool2d_attributes a = *(const tg_conv2d_pool2d_attributes *)args->attributes;
    tg_shape kernel = tg_tensor_shape(args->inputs[1]);
    if (a.winograd || tg_tensor_dtype(args->inputs[0]) != TG_F32 || !suits_winograd(&a, &kernel) ||
        kernel.dims[2] < LEAST_CHANNELS || kernel.dims[3] < LEAST_CHANNELS)
        return tg_none();
    a.winograd = 1;
    return tg_apply(args->graph, args->op, args->inputs, args->n_inputs, &a, sizeof a);
}

static const tg_rewrite_rule conv_pool_rules[] = {
    {.name = "conv2d_max_pool2d(x, k) by Winograd's algorithm, 3x3 and 2x2",
     .kind = TG_ROUNDS,
     .bound = 8,
     .apply = rewrite_winograd},
};

/* ---- entries ---- */

static void conv_pool_describe(const void *attributes, char *text, size_t size)
{
    const tg_conv2d_pool2d_attributes *a = attributes;
    tg_conv2d_describe(&a->conv, text, size);
    size_t at = size > 0 ? strlen(text) : 0;
    if (at > 0 && at + 2 < size)
        at += (size_t)snprintf(text + at, size - at, ", ");
    tg_pool2d_describe(&a->pool, text + at, size - at);
    at += size > at ? strlen(text + at) : 0;
    if (a->winograd && at < size)
        snprintf(text + at, size - at, ", winograd");
}

#define CONV_POOL                                                                                                             \
    .min_inputs = 2, .max_inputs = 2, .rewrites = conv_pool_rules,                                                            \
    .n_rewrites = sizeof conv_pool_rules / sizeof *conv_pool_rules, .flops = conv_pool_flops, .describe = conv_pool_describe, \
    .run = conv_pool_run, .phases = conv_pool_phases, .tasks = conv_pool_tasks, .scratch_bytes = conv_pool_scratch,           \
    .shared_bytes = conv_pool_shared

const tg_op tg_op_conv2d_max_pool2d = {.name = "conv2d_max_pool2d",
                                       .formula = "y = max_pool2d(conv2d(x, k))",
                                       .traits = TG_CONTRACTION,
                                       .tolerance = 8,
                                       .shape = conv_pool_shape,
                                       .gradient = conv_pool_gradient,
                                       .twin = &tg_op_conv2d_max_pool2d_argmax,
                                       CONV_POOL};

const tg_op tg_op_conv2d_max_pool2d_argmax = {.name = "conv2d_max_pool2d_argmax",
                                              .formula = "y = max_pool2d_argmax(conv2d(x, k))",
                                              .traits = TG_CONTRACTION | TG_CUTS_GRADIENT,
                                              .shape = conv_pool_argmax_shape,
                                              CONV_POOL};

/* ---- recording ---- */

static tg_tensor record(tg_where where, const tg_op *op, tg_tensor inputs[2], tg_conv2d_options conv, tg_pool2d_options pool)
{
    tg_conv2d_pool2d_attributes attributes = {tg_conv2d_normalised(conv), tg_pool2d_normalised(pool), 0};
    return tg_apply_at(where, inputs[0].graph, op, inputs, 2, &attributes, sizeof attributes);
}

tg_tensor tg_conv2d_max_pool2d_at(tg_where where, tg_tensor x, tg_tensor kernel, tg_conv2d_options conv, tg_pool2d_options pool)
{
    return record(where, &tg_op_conv2d_max_pool2d, (tg_tensor[]){x, kernel}, conv, pool);
}

tg_tensor tg_conv2d_max_pool2d_argmax_at(tg_where where, tg_tensor x, tg_tensor kernel, tg_conv2d_options conv,
                                         tg_pool2d_options pool)
{
    return record(where, &tg_op_conv2d_max_pool2d_argmax, (tg_tensor[]){x, kernel}, conv, pool);
}
