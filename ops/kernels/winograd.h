/* A 3x3 convolution whose output is max-pooled in 2x2 windows, by Winograd's F(2x2, 3x3) (Lavin and Gray 2016, "Fast algorithms for
   convolutional neural networks"): a window's four outputs are A^T (sum over channels of (G g G^T) * (B^T d B)) A, of the 4x4 pixels d that it reads
   and the weights g; 16 products stand where there were 36. So a window is one tile, pooled where it is made.
   A result is off by at most about eps times the sum over channels of max |d| sum |g|; where the terms of a window are of a size, that is
   no more than what their sum itself rounds. */
#ifndef TG_OPS_KERNELS_WINOGRAD_H
#define TG_OPS_KERNELS_WINOGRAD_H

#include "ops/kernels/conv.h"

typedef struct tg_winograd {
    const tg_kernels *kernels;
    tg_conv_size conv;
    int64_t pooled[2];
    tg_panels panels;
    int64_t windows;          /**< of all images, counted row by row */
    int64_t block;            /**< windows at a time: the rows of a tile */
    int64_t windows_per_task; /**< whole blocks */
} tg_winograd;

/** `conv` has a 3x3 kernel, strides and dilations of 1; pooled: the extents of its output's 2x2 windows. */
tg_winograd tg_winograd_make(const tg_kernels *kernels, const tg_conv_size *conv, const int64_t pooled[2]);
/** Floats of the transformed kernel, and of scratch memory. */
int64_t tg_winograd_packed(const tg_winograd *w);
int64_t tg_winograd_scratch(const tg_winograd *w);
/** Transforms panel i of the kernel. */
void tg_winograd_pack(const tg_winograd *w, const float *kernel, float *packed, int64_t i);
int64_t tg_winograd_tasks(const tg_winograd *w);
/** The windows [*first, *end) of a task. Their maxima and where these are, [windows, filters], go to `values` and `positions`; either
    may be NULL. */
void tg_winograd_windows(const tg_winograd *w, int64_t task, int64_t *first, int64_t *end);
void tg_winograd_run(const tg_winograd *w, const float *in, const float *packed, float *values, uint8_t *positions, int64_t task,
                     float *scratch);

#endif
