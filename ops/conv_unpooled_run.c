/* How convolution gradients in pooled form run: f32 by the kernels of the instruction set, f64 by plain loops. */
#include "ops/conv.h"

#include "ops/kernel_set.h"
#include "ops/kernels/conv_unpooled.h"
#include "ops/kernels/integers.h"

enum { PLAIN_TASKS = 16 };

/* From the shapes of the convolution's input, its kernel and the pooled gradient. */
static tg_unpooled_size size_of(const tg_work *work, const tg_shape *x, const tg_shape *kernel, const tg_shape *y)
{
    const tg_conv2d_unpooled_attributes *a = work->attributes;
    tg_shape out = *y;
    out.dims[1] = a->unpool.extent[0];
    out.dims[2] = a->unpool.extent[1];
    return (tg_unpooled_size){.conv = tg_conv2d_size_of(&a->gradient.conv, x, kernel, &out),
                              .pooled = {y->dims[1], y->dims[2]},
                              .window = {a->unpool.pool.window[0], a->unpool.pool.window[1]},
                              .step = {a->unpool.pool.stride[0], a->unpool.pool.stride[1]}};
}

static tg_unpooled_size input_gradient_size(const tg_work *work)
{
    return size_of(work, &work->output.shape, &work->inputs[2].shape, &work->inputs[0].shape);
}

static tg_unpooled_size kernel_gradient_size(const tg_work *work)
{
    return size_of(work, &work->inputs[0].shape, &work->output.shape, &work->inputs[1].shape);
}

static bool is_fast(const tg_work *work) { return work->output.dtype == TG_F32; }
static bool is_empty(const tg_work *work) { return tg_shape_count(work->output.shape) == 0; }

/* Task `task` of those that take `each` of `rows` rows. */
static int64_t rows_end(int64_t rows, int64_t each, int64_t task) { return tg_least(rows, (task + 1) * each); }
static int64_t plain_each(int64_t rows) { return tg_most(1, tg_ceil_div(rows, PLAIN_TASKS)); }

static void finish_rows(const tg_buffers *buffers, int64_t first, int64_t end, int64_t elements)
{
    tg_finish(buffers, first * elements, (end - first) * elements);
}

int tg_conv2d_unpooled_phases(const tg_work *work) { return is_fast(work) ? 2 : 1; }

/* ---- the input gradient: packs the kernel, then goes through the images ---- */

static tg_unpooled_spread make_spread(const tg_work *work)
{
    tg_unpooled_size size = input_gradient_size(work);
    return tg_unpooled_spread_make(tg_kernels_for(work->isa), &size);
}

uint32_t tg_conv2d_input_gradient_unpooled_prepares(const tg_work *work) { return is_fast(work) ? 1u << 2 : 0; }

int64_t tg_conv2d_input_gradient_unpooled_tasks(const tg_work *work, int phase)
{
    tg_unpooled_spread spread = make_spread(work);
    int64_t rows = spread.size.conv.images * spread.size.conv.in[0];
    if (is_empty(work))
        return 0;
    if (!is_fast(work))
        return tg_ceil_div(rows, plain_each(rows));
    return phase == 0 ? spread.vectors : tg_unpooled_spread_tasks(&spread);
}

size_t tg_conv2d_input_gradient_unpooled_scratch(const tg_work *work)
{
    tg_unpooled_spread spread = make_spread(work);
    return is_fast(work) ? tg_unpooled_spread_scratch(&spread) : 0;
}

size_t tg_conv2d_input_gradient_unpooled_shared(const tg_work *work)
{
    tg_unpooled_spread spread = make_spread(work);
    return is_fast(work) ? (size_t)tg_unpooled_spread_packed(&spread) * sizeof(float) : 0;
}

tg_status tg_conv2d_input_gradient_unpooled_run(const tg_work *work, const tg_buffers *buffers, int phase, int64_t task,
                                                void *scratch)
{
    tg_unpooled_spread spread = make_spread(work);
    const tg_conv_size *s = &spread.size.conv;
    int64_t first, end, rows = s->images * s->in[0];
    if (!is_fast(work)) {
        first = task * plain_each(rows);
        end = rows_end(rows, plain_each(rows), task);
        tg_unpooled_input_gradient_plain(&spread.size, buffers->inputs[0], buffers->inputs[1], buffers->inputs[2],
                                         buffers->output, first, end);
        finish_rows(buffers, first, end, s->in[1] * s->channels);
    } else if (phase == 0) {
        tg_unpooled_spread_pack(&spread, buffers->inputs[2], buffers->shared, task);
    } else {
        tg_unpooled_spread_run(&spread, buffers->inputs[0], buffers->inputs[1], buffers->shared, buffers->output, task, scratch);
        tg_unpooled_spread_images(&spread, task, &first, &end);
        finish_rows(buffers, first, end, s->in[0] * s->in[1] * s->channels);
    }
    return TG_OK;
}

double tg_conv2d_input_gradient_unpooled_flops(const tg_work *work)
{
    tg_unpooled_size size = input_gradient_size(work);
    return tg_unpooled_flops(&size);
}

/* ---- the kernel gradient: partial sums, then their sum ---- */

int64_t tg_conv2d_kernel_gradient_unpooled_image(const tg_work *work)
{
    tg_unpooled_size size = kernel_gradient_size(work);
    return is_fast(work) ? tg_unpooled_sum_image(&size) : 0;
}

static tg_unpooled_sum make_sum(const tg_work *work)
{
    tg_unpooled_size size = kernel_gradient_size(work);
    return tg_unpooled_sum_make(tg_kernels_for(work->isa), &size);
}

int64_t tg_conv2d_kernel_gradient_unpooled_tasks(const tg_work *work, int phase)
{
    tg_unpooled_sum sum = make_sum(work);
    if (is_empty(work))
        return 0;
    if (!is_fast(work))
        return tg_ceil_div(sum.depth, plain_each(sum.depth));
    return phase == 0 ? tg_unpooled_sum_tasks(&sum) : tg_ceil_div(sum.depth, tg_unpooled_sum_rows(&sum));
}

size_t tg_conv2d_kernel_gradient_unpooled_scratch(const tg_work *work)
{
    tg_unpooled_sum sum = make_sum(work);
    return is_fast(work) ? tg_unpooled_sum_scratch(&sum) : 0;
}

size_t tg_conv2d_kernel_gradient_unpooled_shared(const tg_work *work)
{
    tg_unpooled_sum sum = make_sum(work);
    return is_fast(work) ? (size_t)tg_unpooled_sum_partial(&sum) * sizeof(float) : 0;
}

tg_status tg_conv2d_kernel_gradient_unpooled_run(const tg_work *work, const tg_buffers *buffers, int phase, int64_t task,
                                                 void *scratch)
{
    tg_unpooled_sum sum = make_sum(work);
    if (is_fast(work) && phase == 0) {
        tg_unpooled_sum_run(&sum, buffers->inputs[0], buffers->inputs[1], buffers->inputs[2], buffers->shared, task, scratch);
        return TG_OK;
    }
    int64_t each = is_fast(work) ? tg_unpooled_sum_rows(&sum) : plain_each(sum.depth);
    int64_t first = task * each, end = rows_end(sum.depth, each, task);
    if (is_fast(work))
        tg_unpooled_sum_total(&sum, buffers->shared, buffers->output, first, end);
    else
        tg_unpooled_kernel_gradient_plain(&sum.size, buffers->inputs[0], buffers->inputs[1], buffers->inputs[2], buffers->output,
                                          first, end);
    finish_rows(buffers, first, end, sum.size.conv.filters);
    return TG_OK;
}

double tg_conv2d_kernel_gradient_unpooled_flops(const tg_work *work)
{
    tg_unpooled_size size = kernel_gradient_size(work);
    return tg_unpooled_flops(&size);
}
