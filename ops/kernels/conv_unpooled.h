/* Gradients of a convolution whose output's gradient is unpooled: one value for each pooled element, at its place of a window.
   Images are [n, height, width, channels], kernels [height, width, channels, filters], pooled ones [n, height, width, filters]. */
#ifndef TG_OPS_KERNELS_CONV_UNPOOLED_H
#define TG_OPS_KERNELS_CONV_UNPOOLED_H

#include "ops/kernels/conv.h"

typedef struct tg_unpooled_size {
    tg_conv_size conv; /**< its `out` is what is pooled */
    int64_t pooled[2], window[2], step[2];
} tg_unpooled_size;

double tg_unpooled_flops(const tg_unpooled_size *size);

/* ---- kernel gradient: a sum over pooled elements; each chunk of images has a partial sum, which are then added in order ---- */

/** An image as windows are read from it: with zeros around it if they reach beyond, or with room behind it. */
typedef struct tg_unpooled_frame {
    bool copies;
    int64_t margin[4];  /**< zeros above, left, below, right */
    int64_t row, image; /**< floats of each */
    int64_t room;       /**< floats behind a copy */
    int64_t origin;     /**< of the first window */
} tg_unpooled_frame;

typedef struct tg_unpooled_sum {
    const tg_kernels *kernels;
    tg_unpooled_size size;
    tg_unpooled_frame frame;
    int64_t depth; /**< kernel height x width x channels */
    bool square;   /**< selects from windows of 2x2 places, 3x3 taps and one channel */
    bool selects;  /**< vectors go along the filters, which select from small windows; else along the channels */
    int64_t runs, run_floats, vectors;             /**< of a window: what is contiguous, and its vectors */
    int64_t run_blocks, vector_blocks, tap_blocks; /**< what registers hold at a time */
    int64_t window_rows, window_row;               /**< of a window to select from; floats */
    int64_t chunks, groups;                        /**< of images; of filters */
    int64_t block_images;
} tg_unpooled_sum;

/** Floats of an image with the zeros around it: within it windows are found by 32 bits, so INT32_MAX at most. */
int64_t tg_unpooled_sum_image(const tg_unpooled_size *size);
tg_unpooled_sum tg_unpooled_sum_make(const tg_kernels *kernels, const tg_unpooled_size *size);
/** Floats of the partial sums. */
int64_t tg_unpooled_sum_partial(const tg_unpooled_sum *sum);
size_t tg_unpooled_sum_scratch(const tg_unpooled_sum *sum);
int64_t tg_unpooled_sum_tasks(const tg_unpooled_sum *sum);
void tg_unpooled_sum_run(const tg_unpooled_sum *sum, const float *in, const float *gradient, const uint8_t *argmax,
                         float *partial, int64_t task, void *scratch);
/** Rows of the kernel gradient as a matrix that a task of the last phase takes. */
int64_t tg_unpooled_sum_rows(const tg_unpooled_sum *sum);
/** Rows [first, end) from the partial sums, in order. */
void tg_unpooled_sum_total(const tg_unpooled_sum *sum, const float *partial, float *to, int64_t first, int64_t end);

/* ---- input gradient: each pooled element gives to its window ---- */

typedef struct tg_unpooled_spread {
    const tg_kernels *kernels;
    tg_unpooled_size size;
    int64_t margin[4]; /**< what windows reach beyond the image */
    int64_t taps, tap_blocks;
    bool square;     /**< windows of 2x2 places and 3x3 taps */
    int64_t vectors; /**< of channels */
    int64_t words;   /**< of a mask of filters */
    int64_t images_per_task;
} tg_unpooled_spread;

tg_unpooled_spread tg_unpooled_spread_make(const tg_kernels *kernels, const tg_unpooled_size *size);
/** Floats of the packed kernel. */
int64_t tg_unpooled_spread_packed(const tg_unpooled_spread *spread);
size_t tg_unpooled_spread_scratch(const tg_unpooled_spread *spread);
/** Packs the kernel for vector i of channels. */
void tg_unpooled_spread_pack(const tg_unpooled_spread *spread, const float *kernel, float *packed, int64_t i);
int64_t tg_unpooled_spread_tasks(const tg_unpooled_spread *spread);
/** Images [first, end) of a task. */
void tg_unpooled_spread_images(const tg_unpooled_spread *spread, int64_t task, int64_t *first, int64_t *end);
void tg_unpooled_spread_run(const tg_unpooled_spread *spread, const float *gradient, const uint8_t *argmax, const float *packed,
                            float *to, int64_t task, void *scratch);

/* ---- in f64: by their definitions ---- */

/** Rows [first, end) of the kernel gradient as a matrix; of all images' input rows. */
void tg_unpooled_kernel_gradient_plain(const tg_unpooled_size *size, const double *in, const double *gradient,
                                       const uint8_t *argmax, double *kernel, int64_t first, int64_t end);
void tg_unpooled_input_gradient_plain(const tg_unpooled_size *size, const double *gradient, const uint8_t *argmax,
                                      const double *kernel, double *in, int64_t first, int64_t end);

#endif
