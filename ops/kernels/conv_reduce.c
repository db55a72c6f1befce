/* The gradient of a convolution's kernel, on tiles whose terms are output pixels; see ops/kernels/conv.h. */
#include <string.h>

#include "ops/kernels/conv.h"
#include "ops/kernels/integers.h"

enum {
    UNIT_PIXELS = 384, /* about so many terms at a time: what they read stays in the second-level cache */
    MOST_CHUNKS = 16,
    PARTIAL_FLOATS = 1 << 20, /* at most, of all partial sums together */
    LEAST_TASK_FLOPS = 1 << 18
};

static bool copies_input(const tg_conv_reduce *r)
{
    return r->margin[0] > 0 || r->margin[1] > 0 || r->margin[2] > 0 || r->margin[3] > 0;
}

/* Chunks are whole images, and as many whatever the extents of the image: then rows or columns of zeros around the output's gradient
   change no bit. */
static void cut_tasks(tg_conv_reduce *r)
{
    int64_t tasks = tg_most(1, (int64_t)(tg_conv_flops(&r->size) / LEAST_TASK_FLOPS));
    r->chunks =
        tg_most(1, tg_least(tg_least(r->size.images, MOST_CHUNKS), PARTIAL_FLOATS / tg_most(1, r->rows * r->size.filters)));
    r->chunks_per_task = tg_ceil_div(r->chunks, tg_least(tasks, r->chunks));
    r->row_tasks = tg_most(1, tg_least(tg_least(tasks, MOST_CHUNKS) / r->chunks, r->row_blocks));
}

tg_conv_reduce tg_conv_reduce_make(const tg_kernels *kernels, const tg_conv_size *size)
{
    const tg_tile_limits *limits = kernels->tile_limits();
    tg_conv_reduce r = {.kernels = kernels, .size = *size, .panels = tg_panels_make(limits, size->filters)};
    for (int axis = 0; axis < 2; axis++) {
        int64_t last =
            (size->out[axis] - 1) * size->stride[axis] + (size->kernel[axis] - 1) * size->dilation[axis] - size->pad[axis];
        r.margin[axis] = tg_most(0, size->pad[axis]);
        r.margin[axis + 2] = tg_most(0, last + 1 - size->in[axis]);
    }
    r.pack_gradient = size->filters % limits->width != 0;
    r.rows = size->kernel[0] * size->kernel[1] * size->channels;
    r.row_blocks = tg_ceil_div(r.rows, tg_panels_rows(&r.panels, limits));
    r.unit_rows = tg_most(1, UNIT_PIXELS / tg_most(1, size->out[1]));
    cut_tasks(&r);
    return r;
}

int64_t tg_conv_reduce_partial(const tg_conv_reduce *reduce)
{
    return reduce->chunks > 1 ? reduce->chunks * reduce->rows * reduce->size.filters : 0;
}

/* Floats of a row of the copied input. */
static int64_t copied_width(const tg_conv_reduce *r) { return (r->margin[1] + r->size.in[1] + r->margin[3]) * r->size.channels; }

static int64_t copied_floats(const tg_conv_reduce *r)
{
    const tg_conv_size *s = &r->size;
    int64_t parts = r->unit_rows / tg_most(1, s->out[0]) + 2, reach = (s->kernel[0] - 1) * s->dilation[0] + 1;
    return copies_input(r) ? (r->unit_rows * s->stride[0] + parts * reach) * copied_width(r) : 0;
}

size_t tg_conv_reduce_scratch(const tg_conv_reduce *reduce)
{
    int64_t gradient =
        reduce->pack_gradient ? reduce->unit_rows * reduce->size.out[1] * reduce->panels.vectors * reduce->panels.width : 0;
    return (size_t)reduce->unit_rows * sizeof(int64_t) + (size_t)(copied_floats(reduce) + gradient) * sizeof(float);
}

/* A stretch of rows of output pixels, and what tiles read for it. */
typedef struct unit {
    int64_t first, end;
    const float *in;
    int64_t row_floats; /* of `in` */
    int64_t *offsets;   /* from `in` to what each row's first pixel reads at tap (0, 0) and channel 0 */
    const float *gradient;
} unit;

/* Copies the input rows that output rows [first, end) of one image read, from the image's output row `first` at tap 0 on. */
static void copy_rows(const tg_conv_reduce *r, const float *image, int64_t first, int64_t end, float *to)
{
    const tg_conv_size *s = &r->size;
    int64_t row_floats = s->in[1] * s->channels, left = r->margin[1] * s->channels, width = copied_width(r);
    int64_t top = first * s->stride[0] - s->pad[0],
            rows = (end - 1 - first) * s->stride[0] + (s->kernel[0] - 1) * s->dilation[0] + 1;
    for (int64_t row = 0; row < rows; row++, to += width) {
        memset(to, 0, (size_t)width * sizeof *to);
        if (top + row >= 0 && top + row < s->in[0])
            memcpy(to + left, image + (top + row) * row_floats, (size_t)row_floats * sizeof *to);
    }
}

static void place_input(const tg_conv_reduce *r, const float *in, float *copy, unit *u)
{
    const tg_conv_size *s = &r->size;
    bool copies = copies_input(r);
    int64_t image_floats = s->in[0] * s->in[1] * s->channels, column = -s->pad[1] * s->channels, at = 0;
    u->in = copies ? copy : in;
    u->row_floats = copies ? copied_width(r) : s->in[1] * s->channels;
    for (int64_t row = u->first; row < u->end;) {
        int64_t image = row / s->out[0], y = row % s->out[0], rows = tg_least(s->out[0] - y, u->end - row);
        int64_t start = image * image_floats + (y * s->stride[0] - s->pad[0]) * u->row_floats + column;
        if (copies) {
            copy_rows(r, in + image * image_floats, y, y + rows, copy + at);
            start = at + r->margin[1] * s->channels + column;
            at += ((rows - 1) * s->stride[0] + (s->kernel[0] - 1) * s->dilation[0] + 1) * u->row_floats;
        }
        for (int64_t i = 0; i < rows; i++)
            u->offsets[row - u->first + i] = start + i * s->stride[0] * u->row_floats;
        row += rows;
    }
}

/* Panel by panel, as tiles read it. */
static void place_gradient(const tg_conv_reduce *r, const float *gradient, float *copy, unit *u)
{
    int64_t pixels = (u->end - u->first) * r->size.out[1];
    u->gradient = gradient + u->first * r->size.out[1] * r->size.filters;
    if (!r->pack_gradient)
        return;
    for (int64_t i = 0; i < r->panels.count; i++) {
        tg_panel panel = tg_panels_at(&r->panels, i);
        tg_pack pack = {.to = copy + panel.first * pixels,
                        .from = u->gradient + panel.first,
                        .stride = r->size.filters,
                        .rows = pixels,
                        .columns = panel.columns,
                        .width = panel.vectors * r->panels.width};
        r->kernels->pack(&pack);
    }
    u->gradient = copy;
}

/* Where row `row` of the kernel gradient finds its factor, relative to tap (0, 0) and channel 0. */
static int64_t row_offset(const tg_conv_reduce *r, const unit *u, int64_t row)
{
    const tg_conv_size *s = &r->size;
    int64_t channel = row % s->channels, tap = row / s->channels, i = tap / s->kernel[1], j = tap % s->kernel[1];
    return i * s->dilation[0] * u->row_floats + j * s->dilation[1] * s->channels + channel;
}

static void run_unit(const tg_conv_reduce *r, const unit *u, float *to, int64_t first_block, int64_t end_block, bool add)
{
    const tg_conv_size *s = &r->size;
    tg_tile tile = {.a_step = s->stride[1] * s->channels,
                    .offsets = u->offsets,
                    .runs = u->end - u->first,
                    .run = s->out[1],
                    .c_step = s->filters,
                    .add = add};
    for (int64_t i = 0; i < r->panels.count; i++) {
        tg_panel panel = tg_panels_at(&r->panels, i);
        tile.vectors = panel.vectors;
        tile.columns = panel.columns;
        tile.b = u->gradient + panel.first * (r->pack_gradient ? tile.runs * tile.run : 1);
        tile.b_step = r->pack_gradient ? panel.vectors * r->panels.width : s->filters;
        for (int64_t block = first_block; block < end_block; block++) {
            int64_t row = r->rows * block / r->row_blocks;
            tile.rows = (int32_t)(r->rows * (block + 1) / r->row_blocks - row);
            for (int32_t k = 0; k < tile.rows; k++)
                tile.a[k] = u->in + row_offset(r, u, row + k);
            tile.c = to + row * s->filters + panel.first;
            r->kernels->tile(&tile);
        }
    }
}

void tg_conv_reduce_rows(const tg_conv_reduce *reduce, int64_t task, int64_t *first, int64_t *end)
{
    int64_t row_task = task % reduce->row_tasks;
    *first = reduce->rows * (reduce->row_blocks * row_task / reduce->row_tasks) / tg_most(1, reduce->row_blocks);
    *end = reduce->rows * (reduce->row_blocks * (row_task + 1) / reduce->row_tasks) / tg_most(1, reduce->row_blocks);
}

static void run_chunk(const tg_conv_reduce *r, const float *in, const float *gradient, float *to, int64_t chunk, int64_t row_task,
                      void *scratch)
{
    const tg_conv_size *s = &r->size;
    int64_t first = s->images * chunk / r->chunks * s->out[0], end = s->images * (chunk + 1) / r->chunks * s->out[0];
    int64_t first_block = r->row_blocks * row_task / r->row_tasks, end_block = r->row_blocks * (row_task + 1) / r->row_tasks;
    unit u = {.offsets = scratch};
    float *input_copy = (float *)(u.offsets + r->unit_rows), *gradient_copy = input_copy + copied_floats(r);
    for (int64_t row = first; row == first || row < end; row += r->unit_rows) {
        u.first = row;
        u.end = tg_least(row + r->unit_rows, end);
        place_input(r, in, input_copy, &u);
        place_gradient(r, gradient, gradient_copy, &u);
        run_unit(r, &u, to, first_block, end_block, row > first);
    }
}

int64_t tg_conv_reduce_tasks(const tg_conv_reduce *reduce)
{
    return tg_ceil_div(reduce->chunks, reduce->chunks_per_task) * reduce->row_tasks;
}

void tg_conv_reduce_run(const tg_conv_reduce *reduce, const float *in, const float *gradient, float *to, int64_t task,
                        void *scratch)
{
    int64_t first = task / reduce->row_tasks * reduce->chunks_per_task,
            end = tg_least(first + reduce->chunks_per_task, reduce->chunks);
    for (int64_t chunk = first; chunk < end; chunk++)
        run_chunk(reduce, in, gradient, to + chunk * reduce->rows * reduce->size.filters, chunk, task % reduce->row_tasks,
                  scratch);
}

void tg_conv_reduce_sum(const tg_conv_reduce *reduce, const float *partial, float *to, int64_t first, int64_t end)
{
    int64_t floats = reduce->rows * reduce->size.filters;
    for (int64_t i = first; i < end; i++)
        to[i] = partial[i];
    for (int64_t chunk = 1; chunk < reduce->chunks; chunk++)
        for (int64_t i = first; i < end; i++)
            to[i] += partial[chunk * floats + i];
    for (int64_t i = first; i < end; i++)
        to[i] += 0.0f;
}
