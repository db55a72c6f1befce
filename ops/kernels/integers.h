/* The arithmetic of cutting work into pieces. */
#ifndef TG_OPS_KERNELS_INTEGERS_H
#define TG_OPS_KERNELS_INTEGERS_H

#include <stdint.h>

static inline int64_t tg_least(int64_t a, int64_t b) { return a < b ? a : b; }
static inline int64_t tg_most(int64_t a, int64_t b) { return a > b ? a : b; }
/** a / b rounded up, for a >= 0 and b > 0. */
static inline int64_t tg_ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

#endif
