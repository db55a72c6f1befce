/* Lane functions compiled once, in plain C: those on f64 (for checking), on integers, and the rarer casts. out[i] from in[...][i]
   for i < n; `out` may be an input of the same element size. Integer arithmetic wraps around, as NumPy's does. */
#ifndef TG_OPS_KERNELS_PLAIN_LANES_H
#define TG_OPS_KERNELS_PLAIN_LANES_H

#include <stdint.h>

/* clang-format off */

/* PLAIN(op, dtype) for every one: tg_plain_<op>_<dtype>. */
#define PLAIN_INTEGER(PLAIN, dtype)                                                                             \
    PLAIN(maximum, dtype) PLAIN(minimum, dtype) PLAIN(equal, dtype) PLAIN(not_equal, dtype) PLAIN(less, dtype) \
    PLAIN(less_equal, dtype) PLAIN(greater, dtype) PLAIN(greater_equal, dtype) PLAIN(where, dtype)
#define PLAIN_NUMBER(PLAIN, dtype)                                                                                  \
    PLAIN_INTEGER(PLAIN, dtype)                                                                                     \
    PLAIN(add, dtype) PLAIN(sub, dtype) PLAIN(mul, dtype) PLAIN(neg, dtype) PLAIN(abs, dtype) PLAIN(sign, dtype) \
    PLAIN(square, dtype)
#define PLAIN_FLOAT(PLAIN, dtype)                                                                              \
    PLAIN_NUMBER(PLAIN, dtype)                                                                                 \
    PLAIN(div, dtype) PLAIN(pow, dtype) PLAIN(exp, dtype) PLAIN(log, dtype) PLAIN(sqrt, dtype) PLAIN(sin, dtype) \
    PLAIN(cos, dtype) PLAIN(tanh, dtype) PLAIN(reciprocal, dtype) PLAIN(erf, dtype) PLAIN(sigmoid, dtype)      \
    PLAIN(relu, dtype) PLAIN(gelu, dtype) PLAIN(silu, dtype) PLAIN(softplus, dtype) PLAIN(leaky_relu, dtype)   \
    PLAIN(elu, dtype) PLAIN(rsqrt, dtype) PLAIN(lerp, dtype) PLAIN(adaptive_step, dtype)

#define PLAIN_DECLARE(op, dtype) \
    void tg_plain_##op##_##dtype(void *out, const void *const *in, int64_t n, const void *attributes);
PLAIN_FLOAT(PLAIN_DECLARE, f64)
PLAIN_NUMBER(PLAIN_DECLARE, i32)
PLAIN_INTEGER(PLAIN_DECLARE, u8)

/* tg_plain_cast_<from>_<to>. To integers: truncated, saturated, NaN to 0. */
PLAIN_DECLARE(cast_f32, f64)
PLAIN_DECLARE(cast_f32, i32)
PLAIN_DECLARE(cast_f32, u8)
PLAIN_DECLARE(cast_f64, f32)
PLAIN_DECLARE(cast_f64, i32)
PLAIN_DECLARE(cast_f64, u8)
PLAIN_DECLARE(cast_i32, f64)
PLAIN_DECLARE(cast_i32, u8)
PLAIN_DECLARE(cast_u8, f64)
PLAIN_DECLARE(cast_u8, i32)

/** Copies n elements of 4, 8 and 1 bytes. */
PLAIN_DECLARE(copy, 4)
PLAIN_DECLARE(copy, 8)
PLAIN_DECLARE(copy, 1)

#undef PLAIN_DECLARE

#endif
