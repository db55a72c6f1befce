/* The output of a convolution and the gradient of its input, on tiles whose rows are target pixels; see ops/kernels/conv.h. */
#include <string.h>

#include "ops/kernels/conv.h"
#include "ops/kernels/integers.h"

enum {
    UNIT_ELEMENTS = 4096, /* of the target: they are still in the first-level cache when the epilogue comes */
    DEPTH = 1024,         /* about so many terms at a time: a panel of the kernel stays in the second-level cache */
    MOST_TASKS = 64,
    LEAST_TASK_FLOPS = 1 << 18
};

double tg_conv_flops(const tg_conv_size *s)
{
    return 2.0 * (double)s->images * (double)s->out[0] * (double)s->out[1] * (double)s->kernel[0] * (double)s->kernel[1] *
           (double)s->channels * (double)s->filters;
}

static int64_t gcd(int64_t a, int64_t b) { return b ? gcd(b, a % b) : a; }

/* The input pixel p meets output pixel o at kernel position i if p + pad = o stride + i dilation. For a class, p = class + index stride;
   the last i for which (class + pad - i dilation) is a multiple of the stride comes first, as it meets the first output pixel. */
static tg_conv_taps gradient_taps(const tg_conv_size *s, int axis, int64_t class)
{
    int64_t stride = s->stride[axis], dilation = s->dilation[axis], last = s->kernel[axis] - 1,
            step = stride / gcd(stride, dilation);
    for (int64_t i = last; i >= 0 && i > last - step; i--) {
        int64_t reach = class + s->pad[axis] - i * dilation;
        if (reach % stride == 0)
            return (tg_conv_taps){i / step + 1, i, -step, reach / stride, step * dilation / stride};
    }
    return (tg_conv_taps){0};
}

static tg_conv_taps taps_of(const tg_conv_sweep *sweep, int axis, int64_t class)
{
    const tg_conv_size *s = &sweep->size;
    if (sweep->gradient)
        return gradient_taps(s, axis, class);
    return (tg_conv_taps){s->kernel[axis], 0, 1, -s->pad[axis], s->dilation[axis]};
}

/* The classes that have any position along an axis. */
static int64_t live_classes(const tg_conv_sweep *sweep, int axis) { return tg_least(sweep->classes[axis], sweep->target[axis]); }

/* Target positions of a class along an axis. */
static int64_t class_size(const tg_conv_sweep *sweep, int axis, int64_t class)
{
    return tg_ceil_div(sweep->target[axis] - class, sweep->classes[axis]);
}

static void set_margin(tg_conv_sweep *sweep)
{
    for (int64_t class = 0; class < live_classes(sweep, 1); class ++) {
        tg_conv_taps taps = taps_of(sweep, 1, class);
        if (taps.count == 0)
            continue;
        int64_t last = (class_size(sweep, 1, class) - 1) * sweep->stride[1] + taps.offset + (taps.count - 1) * taps.offset_step;
        sweep->margin[0] = tg_most(sweep->margin[0], -taps.offset);
        sweep->margin[1] = tg_most(sweep->margin[1], last + 1 - sweep->source[1]);
    }
}

tg_conv_sweep tg_conv_sweep_make(const tg_kernels *kernels, const tg_conv_size *size, bool gradient)
{
    tg_conv_sweep sweep = {.kernels = kernels, .size = *size, .gradient = gradient};
    for (int axis = 0; axis < 2; axis++) {
        sweep.source[axis] = gradient ? size->out[axis] : size->in[axis];
        sweep.target[axis] = gradient ? size->in[axis] : size->out[axis];
        sweep.classes[axis] = gradient ? size->stride[axis] : 1;
        sweep.stride[axis] = gradient ? 1 : size->stride[axis];
    }
    sweep.source_channels = gradient ? size->filters : size->channels;
    sweep.target_channels = gradient ? size->channels : size->filters;
    sweep.depth = size->kernel[0] * size->kernel[1] * sweep.source_channels;
    sweep.panels = tg_panels_make(kernels->tile_limits(), sweep.target_channels);
    set_margin(&sweep);
    int64_t rows = tg_most(1, UNIT_ELEMENTS / tg_most(1, sweep.target[1] * sweep.target_channels));
    sweep.units_per_image = tg_ceil_div(sweep.target[0], rows);
    sweep.most_rows = tg_ceil_div(sweep.target[0], tg_most(1, sweep.units_per_image));
    double units = (double)(size->images * sweep.units_per_image), flops = tg_conv_flops(size),
           most_tasks = flops / LEAST_TASK_FLOPS;
    sweep.units_per_task = 1 + (int64_t)(units / (most_tasks < MOST_TASKS ? most_tasks + 1 : MOST_TASKS));
    return sweep;
}

int64_t tg_conv_sweep_packed(const tg_conv_sweep *sweep) { return sweep->panels.vectors * sweep->panels.width * sweep->depth; }

int64_t tg_conv_sweep_tasks(const tg_conv_sweep *sweep)
{
    return tg_ceil_div(sweep->size.images * sweep->units_per_image, sweep->units_per_task);
}

void tg_conv_sweep_rows(const tg_conv_sweep *sweep, int64_t unit, int64_t *first, int64_t *end)
{
    int64_t height = sweep->target[0], part = unit % sweep->units_per_image;
    *first = height * part / sweep->units_per_image;
    *end = height * (part + 1) / sweep->units_per_image;
}

/* ---- packing: for each panel, the taps of class (0, 0), (0, 1), ..., each with all source channels ---- */

static void pack_tap(const tg_conv_sweep *sweep, const tg_panel *panel, const float *kernel, int64_t row, int64_t column,
                     float *to)
{
    const tg_conv_size *s = &sweep->size;
    const float *tap = kernel + (row * s->kernel[1] + column) * s->channels * s->filters;
    tg_pack pack = {.to = to,
                    .stride = s->filters,
                    .rows = sweep->source_channels,
                    .columns = panel->columns,
                    .width = panel->vectors * sweep->panels.width};
    pack.from = tap + panel->first * (sweep->gradient ? s->filters : 1);
    if (sweep->gradient)
        sweep->kernels->pack_transposed(&pack);
    else
        sweep->kernels->pack(&pack);
}

void tg_conv_sweep_pack(const tg_conv_sweep *sweep, const float *kernel, float *packed, int64_t i)
{
    tg_panel panel = tg_panels_at(&sweep->panels, i);
    int64_t column_classes = live_classes(sweep, 1);
    float *to = packed + panel.first * sweep->depth;
    for (int64_t class = 0; class < live_classes(sweep, 0) * column_classes; class ++) {
        tg_conv_taps rows = taps_of(sweep, 0, class / column_classes), columns = taps_of(sweep, 1, class % column_classes);
        for (int64_t tap = 0; tap < rows.count * columns.count; tap++) {
            pack_tap(sweep, &panel, kernel, rows.kernel + tap / columns.count * rows.kernel_step,
                     columns.kernel + tap % columns.count * columns.kernel_step, to);
            to += panel.vectors * sweep->panels.width * sweep->source_channels;
        }
    }
}

/* Terms packed before those of a class. */
static int64_t class_depth(const tg_conv_sweep *sweep, int64_t row_class, int64_t column_class)
{
    int64_t rows = 0, columns = 0, before = 0;
    for (int64_t class = 0; class < row_class; class ++)
        rows += taps_of(sweep, 0, class).count;
    for (int64_t class = 0; class < live_classes(sweep, 1); class ++) {
        int64_t count = taps_of(sweep, 1, class).count;
        columns += count;
        before += class < column_class ? count : 0;
    }
    return (rows * columns + taps_of(sweep, 0, row_class).count * before) * sweep->source_channels;
}

/* ---- running a unit ---- */

/* One image of the source: pixel (row, column) lies at data + (row - first_row) row_floats + (column + margin) channels. */
typedef struct source_view {
    const float *data;
    int64_t first_row, row_floats, margin, channels;
} source_view;

static const float *pixel_at(const source_view *v, int64_t row, int64_t column)
{
    return v->data + (row - v->first_row) * v->row_floats + (column + v->margin) * v->channels;
}

/* The taps of target row y that meet rows of the source. */
static void live_taps(const tg_conv_sweep *sweep, int64_t y, int64_t *first, int64_t *end)
{
    tg_conv_taps taps = taps_of(sweep, 0, y % sweep->classes[0]);
    int64_t row = y / sweep->classes[0] * sweep->stride[0] + taps.offset, step = tg_most(taps.offset_step, 1);
    int64_t outside = row < 0 ? tg_ceil_div(-row, step) : 0;
    int64_t inside = row < sweep->source[0] ? tg_ceil_div(sweep->source[0] - row, step) : 0;
    *end = tg_least(taps.count, inside);
    *first = tg_least(outside, *end);
}

/* Source rows that the longest stretch reads, at most. */
static int64_t copied_rows(const tg_conv_sweep *sweep)
{
    const tg_conv_size *s = &sweep->size;
    int64_t rows = sweep->most_rows, reach = (s->kernel[0] - 1) * s->dilation[0];
    int64_t reads = sweep->gradient ? (rows + reach) / s->stride[0] + 2 : (rows - 1) * s->stride[0] + reach + 1;
    return tg_least(sweep->source[0], reads);
}

static size_t offset_bytes(const tg_conv_sweep *sweep)
{
    return (size_t)(sweep->size.kernel[0] * sweep->size.kernel[1]) * sizeof(int64_t);
}

size_t tg_conv_sweep_scratch(const tg_conv_sweep *sweep)
{
    int64_t width = sweep->margin[0] + sweep->source[1] + sweep->margin[1];
    bool copies = sweep->margin[0] > 0 || sweep->margin[1] > 0;
    return offset_bytes(sweep) + (copies ? (size_t)(copied_rows(sweep) * width * sweep->source_channels) * sizeof(float) : 0);
}

/* The source rows that target rows [first, end) read, with zero margins. */
static source_view copy_source(const tg_conv_sweep *sweep, const float *image, int64_t first, int64_t end, float *to)
{
    int64_t channels = sweep->source_channels, row_floats = sweep->source[1] * channels;
    int64_t left = sweep->margin[0] * channels, right = sweep->margin[1] * channels, width = left + row_floats + right;
    int64_t low = sweep->source[0], high = 0;
    for (int64_t y = first; y < end; y++) {
        tg_conv_taps taps = taps_of(sweep, 0, y % sweep->classes[0]);
        int64_t row = y / sweep->classes[0] * sweep->stride[0] + taps.offset, first_tap, end_tap;
        live_taps(sweep, y, &first_tap, &end_tap);
        if (first_tap < end_tap) {
            low = tg_least(low, row + first_tap * taps.offset_step);
            high = tg_most(high, row + (end_tap - 1) * taps.offset_step + 1);
        }
    }
    for (int64_t row = low; row < high; row++) {
        float *line = to + (row - low) * width;
        memset(line, 0, (size_t)left * sizeof *line);
        memcpy(line + left, image + row * row_floats, (size_t)row_floats * sizeof *line);
        memset(line + left + row_floats, 0, (size_t)right * sizeof *line);
    }
    return (source_view){to, low, width, sweep->margin[0], channels};
}

/* A stretch of target rows of one image that meet the same taps, and of these rows the columns of one class. */
typedef struct stretch {
    int64_t y, rows, column_class;
    int64_t first_tap, end_tap; /* along the height */
    int64_t pixels;
} stretch;

/* Where each run of contiguous terms starts, from a target pixel's first source pixel on; how many, and the length of each. */
static int64_t make_runs(const tg_conv_sweep *sweep, const source_view *view, const stretch *s, int64_t *offsets, int64_t *length)
{
    tg_conv_taps rows = taps_of(sweep, 0, s->y % sweep->classes[0]), columns = taps_of(sweep, 1, s->column_class);
    bool joined = columns.offset_step == 1;
    int64_t count = 0, runs_per_row = joined ? tg_least(columns.count, 1) : columns.count;
    *length = joined ? columns.count * view->channels : view->channels;
    for (int64_t i = s->first_tap; i < s->end_tap; i++)
        for (int64_t j = 0; j < runs_per_row; j++)
            offsets[count++] =
                (i - s->first_tap) * rows.offset_step * view->row_floats + j * columns.offset_step * view->channels;
    return count;
}

/* All pixels of a stretch, for the panel and the runs that `tile` names; the stretch's first row goes to `target`. */
static void run_pixels(const tg_conv_sweep *sweep, const source_view *view, const stretch *s, float *target, tg_tile *tile)
{
    tg_conv_taps rows = taps_of(sweep, 0, s->y % sweep->classes[0]), columns = taps_of(sweep, 1, s->column_class);
    int64_t row = s->y / sweep->classes[0] * sweep->stride[0] + rows.offset + s->first_tap * rows.offset_step;
    int64_t per_row = class_size(sweep, 1, s->column_class), x = 0, step = sweep->stride[1] * view->channels;
    int64_t blocks = tg_ceil_div(s->pixels, tg_panels_rows(&sweep->panels, sweep->kernels->tile_limits()));
    int64_t size = s->pixels / blocks, larger = s->pixels % blocks;
    const float *first = tile->runs > 0 ? pixel_at(view, row, columns.offset) : view->data;
    int64_t line = 0, done = 0; /* floats from `first` on; pixels */
    tile->c_step = sweep->classes[1] * sweep->target_channels;
    for (int64_t block = 0; block < blocks; block++) {
        tile->rows = (int32_t)(size + (block < larger));
        tile->c = target + s->column_class * sweep->target_channels + done * tile->c_step;
        for (int32_t i = 0; i < tile->rows; i++) {
            tile->a[i] = first + line + x * step;
            if (++x == per_row) {
                x = 0;
                line += sweep->stride[0] * view->row_floats;
            }
        }
        sweep->kernels->tile(tile);
        done += tile->rows;
    }
}

static void run_stretch(const tg_conv_sweep *sweep, const source_view *view, const stretch *s, const float *packed, float *target,
                        int64_t *offsets)
{
    int64_t length, runs = make_runs(sweep, view, s, offsets, &length), runs_at_once = length ? tg_most(1, DEPTH / length) : 1;
    int64_t depth = class_depth(sweep, s->y % sweep->classes[0], s->column_class) +
                    s->first_tap * taps_of(sweep, 1, s->column_class).count * view->channels;
    for (int64_t run = 0; run == 0 || run < runs; run += runs_at_once)
        for (int64_t i = 0; i < sweep->panels.count; i++) {
            tg_panel panel = tg_panels_at(&sweep->panels, i);
            int64_t width = panel.vectors * sweep->panels.width;
            tg_tile tile = {.vectors = panel.vectors,
                            .columns = panel.columns,
                            .a_step = 1,
                            .b_step = width,
                            .add = run > 0,
                            .offsets = offsets + run,
                            .runs = tg_least(runs_at_once, runs - run),
                            .run = length};
            tile.b = packed + panel.first * sweep->depth + (depth + run * length) * width;
            run_pixels(sweep, view, s, target + panel.first, &tile);
        }
}

void tg_conv_sweep_run(const tg_conv_sweep *sweep, const tg_conv_stretch *given, void *scratch)
{
    int64_t row_floats = sweep->source[1] * sweep->source_channels, first = given->first, end = given->end;
    source_view view = {given->source + given->image * sweep->source[0] * row_floats, 0, row_floats, 0, sweep->source_channels};
    if (sweep->margin[0] > 0 || sweep->margin[1] > 0)
        view = copy_source(sweep, view.data, first, end, (float *)((char *)scratch + offset_bytes(sweep)));
    bool joins = sweep->classes[0] == 1 && sweep->classes[1] == 1;
    for (int64_t y = first; y < end;) {
        stretch s = {.y = y, .rows = 1};
        live_taps(sweep, y, &s.first_tap, &s.end_tap);
        for (int64_t first_tap, end_tap; joins && y + s.rows < end; s.rows++) {
            live_taps(sweep, y + s.rows, &first_tap, &end_tap);
            if (first_tap != s.first_tap || end_tap != s.end_tap)
                break;
        }
        float *target = given->target + (y - first) * sweep->target[1] * sweep->target_channels;
        for (s.column_class = 0; s.column_class < live_classes(sweep, 1); s.column_class++) {
            s.pixels = s.rows * class_size(sweep, 1, s.column_class);
            run_stretch(sweep, &view, &s, given->packed, target, scratch);
        }
        y += s.rows;
    }
}
