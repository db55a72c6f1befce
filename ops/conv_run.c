/* How convolutions run: f32 by the kernels of the instruction set, f64 by plain loops. */
#include "ops/conv.h"

#include "ops/kernel_set.h"
#include "ops/kernels/conv.h"
#include "ops/kernels/integers.h"

enum {
    SUM_ELEMENTS = 4096, /* of a task that adds partial sums */
    PLAIN_TASK_FLOPS = 1 << 20
};

tg_conv_size tg_conv2d_size_of(const tg_conv2d_attributes *a, const tg_shape *x, const tg_shape *kernel, const tg_shape *y)
{
    const int64_t *in = x->dims, *k = kernel->dims, *out = y->dims;
    return (tg_conv_size){.images = in[0],
                          .channels = in[3],
                          .filters = out[3],
                          .in = {in[1], in[2]},
                          .kernel = {k[0], k[1]},
                          .out = {out[1], out[2]},
                          .stride = {a->stride[0], a->stride[1]},
                          .dilation = {a->dilation[0], a->dilation[1]},
                          .pad = {a->pad_before[0], a->pad_before[1]}};
}

/* The convolution that a node is a product of: x, kernel and output, whichever of them it computes. */

static tg_conv_size conv2d_size(const tg_work *work)
{
    return tg_conv2d_size_of(work->attributes, &work->inputs[0].shape, &work->inputs[1].shape, &work->output.shape);
}

static tg_conv_size input_gradient_size(const tg_work *work)
{
    const tg_conv2d_gradient_attributes *a = work->attributes;
    return tg_conv2d_size_of(&a->conv, &work->output.shape, &work->inputs[1].shape, &work->inputs[0].shape);
}

static tg_conv_size kernel_gradient_size(const tg_work *work)
{
    const tg_conv2d_gradient_attributes *a = work->attributes;
    return tg_conv2d_size_of(&a->conv, &work->inputs[0].shape, &work->output.shape, &work->inputs[1].shape);
}

static bool is_fast(const tg_work *work) { return work->output.dtype == TG_F32; }
static bool is_empty(const tg_work *work) { return tg_shape_count(work->output.shape) == 0; }

/* The f64 loops take so many of `rows` rows of the result at a time. */
static int64_t plain_rows(const tg_conv_size *size, int64_t rows)
{
    return 1 + (int64_t)((double)rows * PLAIN_TASK_FLOPS / (tg_conv_flops(size) + 1));
}

static int64_t plain_end(const tg_conv_size *size, int64_t rows, int64_t task)
{
    int64_t end = (task + 1) * plain_rows(size, rows);
    return end < rows ? end : rows;
}

static void finish_rows(const tg_buffers *buffers, int64_t first, int64_t end, int64_t elements)
{
    tg_finish(buffers, first * elements, (end - first) * elements);
}

/* The output and the input gradient: f32 packs the kernel, then sweeps over the target. */

typedef struct sweep_case {
    tg_conv_size size;
    bool gradient;
    int64_t rows, row_elements; /* of the target */
} sweep_case;

static sweep_case sweep_of(const tg_work *work, bool gradient)
{
    sweep_case c = {.size = gradient ? input_gradient_size(work) : conv2d_size(work), .gradient = gradient};
    const int64_t *target = work->output.shape.dims;
    c.rows = target[0] * target[1];
    c.row_elements = target[2] * target[3];
    return c;
}

static tg_conv_sweep make_sweep(const tg_work *work, const sweep_case *c)
{
    return tg_conv_sweep_make(tg_kernels_for(work->isa), &c->size, c->gradient);
}

int tg_conv2d_phases(const tg_work *work) { return is_fast(work) ? 2 : 1; }
uint32_t tg_conv2d_prepares(const tg_work *work) { return is_fast(work) ? 1u << 1 : 0; }

static int64_t sweep_tasks(const tg_work *work, int phase, bool gradient)
{
    sweep_case c = sweep_of(work, gradient);
    if (is_empty(work))
        return 0;
    if (!is_fast(work))
        return tg_ceil_div(c.rows, plain_rows(&c.size, c.rows));
    tg_conv_sweep sweep = make_sweep(work, &c);
    return phase == 0 ? sweep.panels.count : tg_conv_sweep_tasks(&sweep);
}

static size_t sweep_scratch(const tg_work *work, bool gradient)
{
    sweep_case c = sweep_of(work, gradient);
    tg_conv_sweep sweep = make_sweep(work, &c);
    return is_fast(work) ? tg_conv_sweep_scratch(&sweep) : 0;
}

static size_t sweep_shared(const tg_work *work, bool gradient)
{
    sweep_case c = sweep_of(work, gradient);
    tg_conv_sweep sweep = make_sweep(work, &c);
    return is_fast(work) ? (size_t)tg_conv_sweep_packed(&sweep) * sizeof(float) : 0;
}

static void run_units(const tg_conv_sweep *sweep, const tg_buffers *buffers, const sweep_case *c, int64_t task, void *scratch)
{
    int64_t units = c->size.images * sweep->units_per_image;
    for (int64_t unit = task * sweep->units_per_task; unit < (task + 1) * sweep->units_per_task && unit < units; unit++) {
        tg_conv_stretch s = {.source = buffers->inputs[0], .packed = buffers->shared, .image = unit / sweep->units_per_image};
        tg_conv_sweep_rows(sweep, unit, &s.first, &s.end);
        int64_t top = s.image * sweep->target[0];
        s.target = (float *)buffers->output + (top + s.first) * c->row_elements;
        tg_conv_sweep_run(sweep, &s, scratch);
        finish_rows(buffers, top + s.first, top + s.end, c->row_elements);
    }
}

static tg_status run_sweep(const tg_work *work, const tg_buffers *buffers, bool gradient, int phase, int64_t task, void *scratch)
{
    sweep_case c = sweep_of(work, gradient);
    if (is_fast(work)) {
        tg_conv_sweep sweep = make_sweep(work, &c);
        if (phase == 0)
            tg_conv_sweep_pack(&sweep, buffers->inputs[1], buffers->shared, task);
        else
            run_units(&sweep, buffers, &c, task, scratch);
        return TG_OK;
    }
    int64_t first = task * plain_rows(&c.size, c.rows), end = plain_end(&c.size, c.rows, task);
    double *target = (double *)buffers->output + first * c.row_elements;
    (gradient ? tg_conv_input_gradient_plain : tg_conv_plain)(&c.size, buffers->inputs[0], buffers->inputs[1], target, first,
                                                              end);
    finish_rows(buffers, first, end, c.row_elements);
    return TG_OK;
}

int64_t tg_conv2d_tasks(const tg_work *work, int phase) { return sweep_tasks(work, phase, false); }
size_t tg_conv2d_scratch(const tg_work *work) { return sweep_scratch(work, false); }
size_t tg_conv2d_shared(const tg_work *work) { return sweep_shared(work, false); }
tg_status tg_conv2d_run(const tg_work *work, const tg_buffers *buffers, int phase, int64_t task, void *scratch)
{
    return run_sweep(work, buffers, false, phase, task, scratch);
}

int64_t tg_conv2d_input_gradient_tasks(const tg_work *work, int phase) { return sweep_tasks(work, phase, true); }
size_t tg_conv2d_input_gradient_scratch(const tg_work *work) { return sweep_scratch(work, true); }
size_t tg_conv2d_input_gradient_shared(const tg_work *work) { return sweep_shared(work, true); }
tg_status tg_conv2d_input_gradient_run(const tg_work *work, const tg_buffers *buffers, int phase, int64_t task, void *scratch)
{
    return run_sweep(work, buffers, true, phase, task, scratch);
}

/* The kernel gradient: partial sums, then their sum. */

static tg_conv_reduce make_reduce(const tg_work *work)
{
    tg_conv_size size = kernel_gradient_size(work);
    return tg_conv_reduce_make(tg_kernels_for(work->isa), &size);
}

int tg_conv2d_kernel_gradient_phases(const tg_work *work) { return is_fast(work) && make_reduce(work).chunks > 1 ? 2 : 1; }

int64_t tg_conv2d_kernel_gradient_tasks(const tg_work *work, int phase)
{
    tg_conv_reduce reduce = make_reduce(work);
    if (is_empty(work))
        return 0;
    if (!is_fast(work))
        return tg_ceil_div(reduce.rows, plain_rows(&reduce.size, reduce.rows));
    return phase == 0 ? tg_conv_reduce_tasks(&reduce) : tg_ceil_div(tg_shape_count(work->output.shape), SUM_ELEMENTS);
}

size_t tg_conv2d_kernel_gradient_scratch(const tg_work *work)
{
    tg_conv_reduce reduce = make_reduce(work);
    return is_fast(work) ? tg_conv_reduce_scratch(&reduce) : 0;
}

size_t tg_conv2d_kernel_gradient_shared(const tg_work *work)
{
    tg_conv_reduce reduce = make_reduce(work);
    return is_fast(work) ? (size_t)tg_conv_reduce_partial(&reduce) * sizeof(float) : 0;
}

tg_status tg_conv2d_kernel_gradient_run(const tg_work *work, const tg_buffers *buffers, int phase, int64_t task, void *scratch)
{
    tg_conv_reduce reduce = make_reduce(work);
    int64_t filters = reduce.size.filters, first, end;
    if (!is_fast(work)) {
        first = task * plain_rows(&reduce.size, reduce.rows);
        end = plain_end(&reduce.size, reduce.rows, task);
        tg_conv_kernel_gradient_plain(&reduce.size, buffers->inputs[0], buffers->inputs[1], buffers->output, first, end);
        finish_rows(buffers, first, end, filters);
    } else if (phase == 1) {
        int64_t count = reduce.rows * filters;
        first = task * SUM_ELEMENTS;
        end = first + SUM_ELEMENTS < count ? first + SUM_ELEMENTS : count;
        tg_conv_reduce_sum(&reduce, buffers->shared, buffers->output, first, end);
        tg_finish(buffers, first, end - first);
    } else if (reduce.chunks > 1) {
        tg_conv_reduce_run(&reduce, buffers->inputs[0], buffers->inputs[1], buffers->shared, task, scratch);
    } else {
        tg_conv_reduce_run(&reduce, buffers->inputs[0], buffers->inputs[1], buffers->output, task, scratch);
        tg_conv_reduce_rows(&reduce, task, &first, &end);
        finish_rows(buffers, first, end, filters);
    }
    return TG_OK;
}

double tg_conv2d_flops(const tg_work *work)
{
    tg_conv_size size = conv2d_size(work);
    return tg_conv_flops(&size);
}

double tg_conv2d_input_gradient_flops(const tg_work *work)
{
    tg_conv_size size = input_gradient_size(work);
    return tg_conv_flops(&size);
}

double tg_conv2d_kernel_gradient_flops(const tg_work *work)
{
    tg_conv_size size = kernel_gradient_size(work);
    return tg_conv_flops(&size);
}
