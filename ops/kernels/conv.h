/* The three products of a convolution, cut into tasks by extents and instruction set alone. Images are [n, height, width, channels],
   kernels [height, width, channels, filters]; pairs are (height, width). */
#ifndef TG_OPS_KERNELS_CONV_H
#define TG_OPS_KERNELS_CONV_H

#include "ops/kernels/kernels.h"

/** One convolution: out[n, y, x, f] = sum over i, j, c of in[n, y stride + i dilation - pad, (the same for x and j), c] kernel[i, j, c, f]. */
typedef struct tg_conv_size {
    int64_t images, channels, filters;
    int64_t in[2], kernel[2], out[2];
    int64_t stride[2], dilation[2], pad[2]; /**< pad: above and left; negative ones crop */
} tg_conv_size;

double tg_conv_flops(const tg_conv_size *size);

/* ---- output and input gradient: each target pixel is a sum over source pixels ----

   The output's source is the input. The input gradient's source is the output's gradient; where strides leave gaps, target pixels
   fall into stride x stride classes that each meet their own taps of the kernel. */

/** The taps along one axis of one class: tap i is kernel position kernel + i kernel_step and reads the source at
    (index within the class) x stride + offset + i offset_step. */
typedef struct tg_conv_taps {
    int64_t count, kernel, kernel_step, offset, offset_step;
} tg_conv_taps;

typedef struct tg_conv_sweep {
    const tg_kernels *kernels;
    tg_conv_size size;
    bool gradient;
    int64_t source[2], source_channels, target[2], target_channels;
    int64_t classes[2]; /**< target position p is number p / classes of class p % classes */
    int64_t stride[2];  /**< source pixels between two neighbours of a class */
    int64_t margin[2];  /**< zero columns to the left and right of the source; with any, rows are copied to scratch */
    tg_panels panels;
    int64_t depth;           /**< of all taps: kernel height x width x source_channels */
    int64_t units_per_image; /**< an image's rows are cut into so many stretches */
    int64_t units_per_task;
    int64_t most_rows; /**< of a stretch */
} tg_conv_sweep;

/** What tg_conv_sweep_run() computes: rows [first, end) of one image's target. */
typedef struct tg_conv_stretch {
    const float *source, *packed; /**< all images; the kernel as tg_conv_sweep_pack() left it */
    int64_t image, first, end;
    float *target; /**< where row `first` goes */
} tg_conv_stretch;

tg_conv_sweep tg_conv_sweep_make(const tg_kernels *kernels, const tg_conv_size *size, bool gradient);
/** Floats of the packed kernel. */
int64_t tg_conv_sweep_packed(const tg_conv_sweep *sweep);
size_t tg_conv_sweep_scratch(const tg_conv_sweep *sweep);
/** Packs panel i of the kernel. */
void tg_conv_sweep_pack(const tg_conv_sweep *sweep, const float *kernel, float *packed, int64_t i);
int64_t tg_conv_sweep_tasks(const tg_conv_sweep *sweep);
/** The rows [first, end) of image unit / units_per_image that unit `unit` computes; a task's units are task units_per_task and the
    next ones. */
void tg_conv_sweep_rows(const tg_conv_sweep *sweep, int64_t unit, int64_t *first, int64_t *end);
void tg_conv_sweep_run(const tg_conv_sweep *sweep, const tg_conv_stretch *stretch, void *scratch);

/* ---- kernel gradient: a sum over all output pixels; each chunk of images has a partial sum, which are then added in order ---- */

typedef struct tg_conv_reduce {
    const tg_kernels *kernels;
    tg_conv_size size;
    int64_t margin[4];  /**< zeros above, left, below, right of the input; with any, it is copied to scratch */
    bool pack_gradient; /**< copied to scratch too: its rows are no whole vectors */
    tg_panels panels;
    int64_t rows;       /**< of the kernel gradient as a matrix: kernel height x width x channels */
    int64_t row_blocks; /**< tiles of rows */
    int64_t chunks, chunks_per_task, row_tasks;
    int64_t unit_rows; /**< rows of output pixels that are taken at a time */
} tg_conv_reduce;

tg_conv_reduce tg_conv_reduce_make(const tg_kernels *kernels, const tg_conv_size *size);
/** Floats of the partial sums; 0 with a single chunk, which writes to the result. */
int64_t tg_conv_reduce_partial(const tg_conv_reduce *reduce);
size_t tg_conv_reduce_scratch(const tg_conv_reduce *reduce);
int64_t tg_conv_reduce_tasks(const tg_conv_reduce *reduce);
/** Rows [first, end) of the kernel gradient that a task computes. */
void tg_conv_reduce_rows(const tg_conv_reduce *reduce, int64_t task, int64_t *first, int64_t *end);
/** `to`: the partial sums, or the result. */
void tg_conv_reduce_run(const tg_conv_reduce *reduce, const float *in, const float *gradient, float *to, int64_t task,
                        void *scratch);
/** Elements [first, end) of the result from the partial sums, in order. */
void tg_conv_reduce_sum(const tg_conv_reduce *reduce, const float *partial, float *to, int64_t first, int64_t end);

/* ---- in f64: the plain loops, with the same order of terms (the kernel gradient in one chunk) ---- */

/** Rows [first, end) of all images' output rows, of all images' input rows, each to a target that begins with row `first`; of the kernel
    gradient as a matrix. */
void tg_conv_plain(const tg_conv_size *size, const double *in, const double *kernel, double *out, int64_t first, int64_t end);
void tg_conv_input_gradient_plain(const tg_conv_size *size, const double *gradient, const double *kernel, double *in,
                                  int64_t first, int64_t end);
void tg_conv_kernel_gradient_plain(const tg_conv_size *size, const double *in, const double *gradient, double *kernel,
                                   int64_t first, int64_t end);

#endif
