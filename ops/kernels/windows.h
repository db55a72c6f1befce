/* The inner kernels of convolution gradients in pooled form; see ops/kernels/conv_unpooled.h. The unpooled gradient of an image has one
   value for each pooled element, at a place of its window: so a sum over output pixels has as many terms as there are pooled elements,
   and what a term reads or adds to is found from its place. */
#ifndef TG_OPS_KERNELS_WINDOWS_H
#define TG_OPS_KERNELS_WINDOWS_H

#include <stdbool.h>
#include <stdint.h>

#define TG_WINDOW_RUNS 3
#define TG_WINDOW_VECTORS 12
#define TG_WINDOW_TAPS 12

/** Pooled elements [images, height, width, filters] and where each finds its window. */
typedef struct tg_pooled {
    const float *gradient;
    const uint8_t *argmax; /**< from `places` on: nothing is taken */
    int64_t filters, extent[2];
    int64_t step[2];         /**< floats between the windows of neighbours */
    const int64_t *place_at; /**< [places] floats from a window's first place to each */
    int64_t places;
} tg_pooled;

/** What the registers of an instruction set hold. */
typedef struct tg_window_limits {
    int32_t width;                   /**< floats in a vector */
    int32_t vectors[TG_WINDOW_RUNS]; /**< most vectors of window_sums in 1, 2, ... runs */
    int32_t whole;                   /**< so many taps are taken at once too, besides 1 to TG_WINDOW_TAPS; 0: none */
} tg_window_limits;

/** Into how many blocks, as even as can be, window_select and window_spread cut so many taps. */
static inline int64_t tg_window_tap_blocks(const tg_window_limits *limits, int64_t taps)
{
    return taps == limits->whole ? 1 : (taps + TG_WINDOW_TAPS - 1) / TG_WINDOW_TAPS;
}

/** Of the first `filters` filters of one image's pooled elements: at[pixel, f], where each finds its place, and values[pixel, f], the gradient,
    or 0 where nothing is taken. */
typedef struct tg_window_places {
    tg_pooled pooled;
    int64_t filters;
    int32_t first; /**< where the image begins */
    int32_t *at;
    float *values;
} tg_window_places;

/** sums[f, r, j] (+)= sum over pixels of values[pixel, f] in[at[pixel, f] + run_at[r] + j]. */
typedef struct tg_window_sums {
    int64_t filters, pixels;
    const int32_t *at;
    const float *values;
    const float *in;
    int32_t runs, vectors;
    const int64_t *run_at; /**< [runs] */
    int64_t last_at;       /**< floats from a run's start to its last vector, which may overlap the one before */
    int64_t lanes;         /**< of the first vector that are summed, if it is the only one */
    float *sums;
    int64_t sum_step, run_step; /**< floats between filters and between runs */
    bool add;                   /**< go on from what `sums` holds; else from +0 */
} tg_window_sums;

/** sums[t, f] (+)= sum over pooled elements p of gradient[p, f] windows[p][tap_at[t] + place_at[argmax[p, f]]], f < columns: for windows
    so small that a vector from a tap on has all places in it. Where a window is blank, its zeros meet the gradient once for all taps. */
typedef struct tg_window_select {
    tg_pooled pooled;
    int64_t columns;      /**< filters, at most a vector of them */
    const int32_t *order; /**< pooled pixels: `live` of them whose windows follow each other in `windows`, then `blank` ones */
    int64_t live, blank;
    const float *windows;
    int64_t window_step;
    bool square; /**< windows of 4x4 floats and 3x3 taps */
    int32_t taps;
    const int64_t *tap_at; /**< [taps] */
    float *sums;
    int64_t sum_step; /**< floats between taps */
    bool add;
} tg_window_select;

/** Brings the windows of an image [rows x row_floats] together, the blank ones left out. */
typedef struct tg_window_pack {
    const float *in; /**< the first window's first row */
    int64_t extent[2], step[2];
    int64_t rows, row_floats, in_step; /**< of a window; floats between its rows in `in` */
    float *to;
    bool square;         /**< windows of 4x4 floats */
    int64_t window_step; /**< a vector's room after the last row */
    int32_t *order;      /**< see tg_window_select */
    int64_t live;        /**< filled in */
} tg_window_pack;

/** target[tap_at[t] + j] += sum over pooled elements of gradient[y, x, f] kernel[f, t, j], in a window that begins at the argmax; j goes through
    a vector. */
typedef struct tg_window_spread {
    tg_pooled pooled;
    const uint64_t *masks; /**< [pixels, places, words] bit f: that filter's place; see window_masks */
    int64_t words;
    float *target;
    int64_t row; /**< of windows of 2x2 places side by side and 3x3 taps: floats of a row of `target`; else 0 */
    int32_t taps;
    const int64_t *tap_at; /**< [taps] */
    const float *kernel;
    int64_t kernel_step; /**< floats between filters */
} tg_window_spread;

/** to[y, x, j] = +0 + from[y, x, j] for j < lanes: a vector of an image's channels. */
typedef struct tg_window_leave {
    const float *from; /**< a vector for each pixel */
    int64_t from_step; /**< floats between rows */
    float *to;
    int64_t channels, rows, columns, lanes;
} tg_window_leave;

/** out[k, f] = +0 + the sum over chunks of parts[chunk, f, k], for k in [first, end). */
typedef struct tg_window_total {
    const float *parts;
    int64_t chunks, filters, depth, first, end;
    float *out;
} tg_window_total;

/** to[f, t, j] = kernel[t, j, f] for j < channels, 0 up to a vector. */
typedef struct tg_window_kernel {
    const float *kernel;
    int64_t taps, tap_step, filters, channels; /**< tap_step: floats between taps */
    float *to;
} tg_window_kernel;

#endif
