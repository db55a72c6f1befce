#include "ops/kernels/winograd.h"

#include "ops/kernels/integers.h"

enum { PRODUCTS = 16, MOST_TASKS = 64, LEAST_TASK_FLOPS = 1 << 18 };

tg_winograd tg_winograd_make(const tg_kernels *kernels, const tg_conv_size *conv, const int64_t pooled[2])
{
    tg_winograd w = {.kernels = kernels, .conv = *conv, .pooled = {pooled[0], pooled[1]}};
    w.panels = tg_panels_make(kernels->tile_limits(), conv->filters);
    w.windows = conv->images * pooled[0] * pooled[1];
    w.block = tg_panels_rows(&w.panels, kernels->tile_limits());
    double flops = 2.0 * PRODUCTS * (double)w.windows * (double)conv->channels * (double)conv->filters,
           tasks = flops / LEAST_TASK_FLOPS;
    int64_t per_task = (int64_t)((double)w.windows / (tasks < MOST_TASKS ? tasks + 1 : MOST_TASKS));
    w.windows_per_task = tg_ceil_div(tg_most(per_task, 1), w.block) * w.block;
    return w;
}

int64_t tg_winograd_packed(const tg_winograd *w) { return PRODUCTS * w->conv.channels * w->panels.vectors * w->panels.width; }

/* Floats of a block's transformed pixels, [product, window, channel], in whole cache lines. */
static int64_t pixel_floats(const tg_winograd *w) { return tg_ceil_div(PRODUCTS * w->block * w->conv.channels, 16) * 16; }

int64_t tg_winograd_scratch(const tg_winograd *w)
{
    return pixel_floats(w) + PRODUCTS * w->block * TG_TILE_MAX_VECTORS * w->panels.width + w->conv.channels;
}

void tg_winograd_pack(const tg_winograd *w, const float *kernel, float *packed, int64_t i)
{
    const tg_conv_size *s = &w->conv;
    tg_panel panel = tg_panels_at(&w->panels, i);
    int64_t width = panel.vectors * w->panels.width;
    float *to = packed + PRODUCTS * s->channels * panel.first;
    for (int64_t c = 0; c < s->channels; c++)
        w->kernels->winograd_weights(kernel + c * s->filters + panel.first, s->channels * s->filters, panel.columns,
                                     to + c * width, s->channels * width);
}

int64_t tg_winograd_tasks(const tg_winograd *w) { return tg_ceil_div(w->windows, w->windows_per_task); }

void tg_winograd_windows(const tg_winograd *w, int64_t task, int64_t *first, int64_t *end)
{
    *first = task * w->windows_per_task;
    *end = tg_least(*first + w->windows_per_task, w->windows);
}

/* The 4x4 pixels that a window reads; `zeros` stands for those of the padding. */
static void find_pixels(const tg_winograd *w, const float *in, int64_t window, const float *zeros, const float *pixels[PRODUCTS])
{
    const tg_conv_size *s = &w->conv;
    int64_t column = window % w->pooled[1] * 2 - s->pad[1], row = window / w->pooled[1] % w->pooled[0] * 2 - s->pad[0];
    const float *image = in + window / (w->pooled[0] * w->pooled[1]) * s->in[0] * s->in[1] * s->channels;
    bool whole = row >= 0 && row + 4 <= s->in[0] && column >= 0 && column + 4 <= s->in[1];
    for (int64_t i = 0; i < 4; i++)
        for (int64_t j = 0; j < 4; j++) {
            int64_t y = row + i, x = column + j;
            bool inside = whole || (y >= 0 && y < s->in[0] && x >= 0 && x < s->in[1]);
            pixels[4 * i + j] = inside ? image + (y * s->in[1] + x) * s->channels : zeros;
        }
}

/* The products of a block's transformed pixels with a panel, [product, window, column]. */
static void multiply(const tg_winograd *w, const tg_panel *panel, const float *pixels, const float *packed, int64_t windows,
                     float *products)
{
    static const int64_t start = 0;
    int64_t channels = w->conv.channels, width = panel->vectors * w->panels.width;
    tg_tile tile = {.rows = (int32_t)windows,
                    .vectors = panel->vectors,
                    .a_step = 1,
                    .offsets = &start,
                    .runs = 1,
                    .run = channels,
                    .b_step = width,
                    .c_step = width,
                    .columns = width};
    for (int64_t i = 0; i < PRODUCTS; i++) {
        tile.b = packed + PRODUCTS * channels * panel->first + i * channels * width;
        tile.c = products + i * w->block * width;
        for (int64_t r = 0; r < windows; r++)
            tile.a[r] = pixels + (i * w->block + r) * channels;
        w->kernels->tile(&tile);
    }
}

void tg_winograd_run(const tg_winograd *w, const float *in, const float *packed, float *values, uint8_t *positions, int64_t task,
                     float *scratch)
{
    int64_t channels = w->conv.channels, filters = w->conv.filters, first, end;
    float *products = scratch + pixel_floats(w), *zeros = products + PRODUCTS * w->block * TG_TILE_MAX_VECTORS * w->panels.width;
    for (int64_t c = 0; c < channels; c++)
        zeros[c] = 0;
    tg_winograd_windows(w, task, &first, &end);
    int64_t blocks = tg_ceil_div(end - first, w->block);
    for (int64_t block = 0, window = first, windows; block < blocks; block++, window += windows) {
        windows = (end - first) * (block + 1) / blocks - (window - first);
        for (int64_t r = 0; r < windows; r++) {
            const float *pixels[PRODUCTS];
            find_pixels(w, in, window + r, zeros, pixels);
            w->kernels->winograd_pixels(pixels, channels, scratch + r * channels, w->block * channels);
        }
        for (int64_t i = 0; i < w->panels.count; i++) {
            tg_panel panel = tg_panels_at(&w->panels, i);
            int64_t width = panel.vectors * w->panels.width;
            multiply(w, &panel, scratch, packed, windows, products);
            for (int64_t r = 0; r < windows; r++) {
                int64_t at = (window + r) * filters + panel.first;
                w->kernels->winograd_maxima(products + r * width, w->block * width, panel.columns, values ? values + at : NULL,
                                            positions ? positions + at : NULL);
            }
        }
    }
}
