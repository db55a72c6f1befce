/* The place of the first extreme value, or of the first NaN if there is one. */
#ifndef TG_OPS_KERNELS_ARGMAX_H
#define TG_OPS_KERNELS_ARGMAX_H

#include <stdbool.h>
#include <stdint.h>

/** out[i] = index of the largest (`least`: smallest) of the n >= 1 elements x[i / inner][...][i % inner] of [outer, n, inner],
    for i in [first, last). */
typedef void tg_argmax_fn(const void *x, int64_t n, int64_t inner, int64_t first, int64_t last, bool least, int32_t *out);
tg_argmax_fn tg_argmax_f32, tg_argmax_f64, tg_argmax_i32, tg_argmax_u8;

#endif
