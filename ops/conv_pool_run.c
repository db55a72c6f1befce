/* How convolutions that are pooled at once run: in f32 by the kernels of the instruction set, in f64 by plain loops. */
#include "ops/conv.h"
#include "ops/kernel_set.h"
#include "ops/kernels/integers.h"
#include "ops/kernels/winograd.h"
#include "ops/pool.h"

enum {
    UNIT_ELEMENTS = 4096, /* of the convolution's output, about, that are in scratch memory at a time */
    MOST_TASKS = 64,
    LEAST_TASK_FLOPS = 1 << 18,
    MOST_TERMS = 64 /* of an output that is summed with the others of its window */
};

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
    tg_shape image = tg_conv2d_pool_image(&a->conv, x, kernel);
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

double tg_conv2d_pool_flops(const tg_work *work)
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

int tg_conv2d_pool_phases(const tg_work *work) { return is_fast(work) ? 2 : 1; }
uint32_t tg_conv2d_pool_prepares(const tg_work *work) { return is_fast(work) ? 1u << 1 : 0; }

int64_t tg_conv2d_pool_tasks(const tg_work *work, int phase)
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

/* Whether the four outputs of each window are summed where they are pooled: few terms, 2x2 windows, and nothing read outside of the image. */
static bool sums_windows(const tg_work *work, const conv_pool *c)
{
    const tg_conv_size *s = &c->conv;
    for (int axis = 0; axis < 2; axis++) {
        int64_t last = (s->out[axis] - 1) * s->stride[axis] + s->kernel[axis] - 1 - s->pad[axis];
        if (c->pool.window[axis] != 2 || s->dilation[axis] != 1 || s->pad[axis] > 0 || last >= s->in[axis])
            return false;
    }
    return is_fast(work) && s->kernel[0] * s->kernel[1] * s->channels <= MOST_TERMS;
}

/* Bytes of a unit's part of the convolution's output, whole cache lines, and of its maxima where only their places are wanted. */
static size_t image_bytes(const tg_work *work, const conv_pool *c)
{
    size_t bytes = (size_t)(image_rows(c, c->rows) * c->conv.out[1] * c->conv.filters) * tg_dtype_size(work->inputs[0].dtype);
    return (bytes + 63) & ~(size_t)63;
}

size_t tg_conv2d_pool_scratch(const tg_work *work)
{
    conv_pool c = conv_pool_of(work);
    tg_conv_sweep sweep = sweep_of(work, &c);
    tg_winograd w = winograd_of(work, &c);
    if (is_winograd(work))
        return (size_t)tg_winograd_scratch(&w) * sizeof(float);
    return image_bytes(work, &c) + (is_fast(work) ? tg_conv_sweep_scratch(&sweep) : 0);
}

size_t tg_conv2d_pool_shared(const tg_work *work)
{
    conv_pool c = conv_pool_of(work);
    tg_conv_sweep sweep = sweep_of(work, &c);
    tg_winograd w = winograd_of(work, &c);
    int64_t floats = is_winograd(work) ? tg_winograd_packed(&w) : is_fast(work) ? tg_conv_sweep_packed(&sweep) : 0;
    return (size_t)floats * sizeof(float) + (sums_windows(work, &c) ? (size_t)sweep.panels.count : 0);
}

/* A task under way. */
typedef struct job {
    const tg_work *work;
    const tg_buffers *buffers;
    const tg_kernels *kernels;
    conv_pool c;
    tg_conv_sweep sweep;
    char *scratch;
    bool sums_windows, skips; /* windows of zeros */
    /* A unit's pooled rows of an image, and the first element of them. */
    int64_t image, first, rows, at;
} job;

/* The convolution's output that the unit reads, to scratch memory. */
static void convolve(const job *j)
{
    const conv_pool *c = &j->c;
    int64_t top = j->first * c->pool.stride[0], end = top + image_rows(c, j->rows), above = j->image * c->conv.out[0];
    if (!is_fast(j->work)) {
        tg_conv_plain(&c->conv, j->buffers->inputs[0], j->buffers->inputs[1], (double *)j->scratch, above + top, above + end);
        return;
    }
    tg_conv_stretch stretch = {.source = j->buffers->inputs[0],
                               .packed = j->buffers->shared,
                               .image = j->image,
                               .first = top,
                               .end = end,
                               .target = (float *)j->scratch};
    tg_conv_sweep_run(&j->sweep, &stretch, j->scratch + image_bytes(j->work, c));
}

static void run_unit(const job *j)
{
    tg_pool_size size = j->c.pool;
    size.in[0] = image_rows(&j->c, j->rows);
    size.out[0] = j->rows;
    bool fast = is_fast(j->work);
    tg_pool part = {.size = &size,
                    .from = j->scratch,
                    .to = (char *)j->buffers->output + (size_t)j->at * tg_dtype_size(j->work->output.dtype),
                    .positions = j->buffers->twin ? (uint8_t *)j->buffers->twin + j->at : NULL,
                    .end = j->rows};
    convolve(j);
    if (j->work->output.dtype == TG_U8)
        (fast ? j->kernels->max_pool_argmax : tg_max_pool_argmax_f64)(&part);
    else
        (fast ? j->kernels->max_pool : tg_max_pool_f64)(&part);
}

/* ---- of few terms: ops/kernels/conv_windows.c ---- */

/* After the packed panels stands for each whether it is finite: 0 times it is then 0. */
static uint8_t *finite_panels(const tg_conv_sweep *sweep, void *shared)
{
    return (uint8_t *)((float *)shared + tg_conv_sweep_packed(sweep));
}

static bool is_finite(const tg_conv_sweep *sweep, void *shared)
{
    const uint8_t *finite = finite_panels(sweep, shared);
    for (int64_t i = 0; i < sweep->panels.count; i++)
        if (!finite[i])
            return false;
    return true;
}

static bool is_panel_finite(const tg_conv_sweep *sweep, const float *packed, int64_t i)
{
    tg_panel panel = tg_panels_at(&sweep->panels, i);
    const float *values = packed + panel.first * sweep->depth;
    int64_t n = panel.vectors * sweep->panels.width * sweep->depth;
    for (int64_t k = 0; k < n; k++)
        if (!(values[k] - values[k] == 0))
            return false;
    return true;
}

static tg_conv_windows windows_of(const job *j)
{
    const tg_conv_size *s = &j->c.conv;
    int64_t row_floats = s->in[1] * s->channels;
    return (tg_conv_windows){.windows = j->c.pool.out[1],
                             .step = j->c.pool.stride[1] * s->stride[1] * s->channels,
                             .right = s->stride[1] * s->channels,
                             .below = s->stride[0] * row_floats,
                             .runs = s->kernel[0],
                             .run = s->kernel[1] * s->channels,
                             .row_floats = row_floats,
                             .row_count = s->stride[0] + s->kernel[0],
                             .row_reach = (s->stride[1] + s->kernel[1]) * s->channels,
                             .skips = j->skips,
                             .filters = s->filters};
}

static void run_windows(const job *j)
{
    const tg_conv_size *s = &j->c.conv;
    tg_conv_windows w = windows_of(j);
    bool positions = j->work->output.dtype == TG_U8;
    float *values = positions ? NULL : j->buffers->output;
    uint8_t *places = positions ? j->buffers->output : j->buffers->twin;
    for (int64_t row = 0; row < j->rows; row++) {
        int64_t y = (j->first + row) * j->c.pool.stride[0] * s->stride[0] - s->pad[0], at = j->at + row * w.windows * w.filters;
        w.in = (const float *)j->buffers->inputs[0] + (j->image * s->in[0] + y) * w.row_floats - s->pad[1] * s->channels;
        for (int64_t i = 0; i < j->sweep.panels.count; i++) {
            tg_panel panel = tg_panels_at(&j->sweep.panels, i);
            w.kernel = (const float *)j->buffers->shared + panel.first * j->sweep.depth;
            w.vectors = panel.vectors;
            w.columns = panel.columns;
            w.values = values ? values + at + panel.first : NULL;
            w.positions = places ? places + at + panel.first : NULL;
            j->kernels->conv_windows(&w);
        }
    }
}

static void run_direct(const tg_work *work, const tg_buffers *buffers, const conv_pool *c, int64_t task, char *scratch)
{
    job j = {.work = work,
             .buffers = buffers,
             .kernels = tg_kernels_for(work->isa),
             .c = *c,
             .sweep = sweep_of(work, c),
             .scratch = scratch,
             .sums_windows = sums_windows(work, c)};
    if (j.sums_windows)
        j.skips = windows_of(&j).row_reach <= j.sweep.panels.width && is_finite(&j.sweep, buffers->shared);
    int64_t units = c->conv.images * c->units_per_image, row_elements = c->pool.out[1] * c->pool.channels;
    for (int64_t unit = task * c->units_per_task; unit < (task + 1) * c->units_per_task && unit < units; unit++) {
        int64_t part = unit % c->units_per_image;
        j.image = unit / c->units_per_image;
        j.first = c->pool.out[0] * part / c->units_per_image;
        j.rows = c->pool.out[0] * (part + 1) / c->units_per_image - j.first;
        j.at = (j.image * c->pool.out[0] + j.first) * row_elements;
        if (j.sums_windows)
            run_windows(&j);
        else
            run_unit(&j);
        tg_finish(buffers, j.at, j.rows * row_elements);
    }
}

/* ---- by Winograd's algorithm ---- */

static void run_winograd(const tg_work *work, const tg_buffers *buffers, const conv_pool *c, int64_t task, float *scratch)
{
    tg_winograd w = winograd_of(work, c);
    bool positions = work->output.dtype == TG_U8;
    int64_t first, end;
    tg_winograd_run(&w, buffers->inputs[0], buffers->shared, positions ? NULL : buffers->output,
                    positions ? buffers->output : buffers->twin, task, scratch);
    tg_winograd_windows(&w, task, &first, &end);
    tg_finish(buffers, first * w.conv.filters, (end - first) * w.conv.filters);
}

static void pack(const tg_work *work, const tg_buffers *buffers, const conv_pool *c, int64_t panel)
{
    tg_winograd w = winograd_of(work, c);
    tg_conv_sweep sweep = sweep_of(work, c);
    if (is_winograd(work))
        tg_winograd_pack(&w, buffers->inputs[1], buffers->shared, panel);
    else
        tg_conv_sweep_pack(&sweep, buffers->inputs[1], buffers->shared, panel);
    if (!is_winograd(work) && sums_windows(work, c))
        finite_panels(&sweep, buffers->shared)[panel] = is_panel_finite(&sweep, buffers->shared, panel);
}

tg_status tg_conv2d_pool_run(const tg_work *work, const tg_buffers *buffers, int phase, int64_t task, void *scratch)
{
    conv_pool c = conv_pool_of(work);
    if (is_fast(work) && phase == 0)
        pack(work, buffers, &c, task);
    else if (is_winograd(work))
        run_winograd(work, buffers, &c, task, scratch);
    else
        run_direct(work, buffers, &c, task, scratch);
    return TG_OK;
}
