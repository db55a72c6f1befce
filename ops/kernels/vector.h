/* A small vector layer: what the kernels need of an instruction set, under names common to all of them.
   The build compiles each kernel source once per set, with -DTG_SET_<SET>; one of the headers below supplies the operations.

   Types     vf: VF_WIDTH floats; vi: as many int32; vm: a mask, one truth value for each lane.
   Memory    vf_load vf_store vi_load vi_store (any alignment); ..._part(p, n) touch the first n lanes only, 0 <= n <= VF_WIDTH,
             and read the others as 0; vf_load_u8 widens bytes; vm_load_u8 is true where a byte is not 0; vm_store_u8 writes
             bytes 0 and 1.
   Values    vf_zero vf_set1 vf_lanes (0, 1, 2, ...) vi_zero vi_set1 vi_lanes
   Floats    vf_add vf_sub vf_mul vf_div vf_sqrt vf_neg vf_abs
             vf_fma(a, b, c): a b + c, rounded once; VF_FUSED is 0 where the set has no such instruction: rounded twice there
             vf_scale_whole(x, n): x 2^n, rounded once, for whole n; only where VF_SCALES is 1
             vf_max vf_min: a > b ? a : b and a < b ? a : b, so the second operand if either is NaN
             vf_round (to nearest, ties to even) vf_floor
   Integers  vi_add vi_sub vi_and vi_or vi_xor vi_shl(v, constant) vi_shr (logical) vi_sar (arithmetic)
   Casts     vf_bits vi_bits (same bits); vf_from_vi; vi_truncate vi_nearest (undefined beyond int32)
   Masks     vf_lt vf_le vf_eq vf_unordered; vi_lt vi_eq; vm_and vm_or vm_not vm_any vm_first(n); vm_bits: bit i is lane i's
   Bytes     u8_equals(p, n, value): bit j is set where p[j] is `value`, for j < n <= 64
   Choice    vf_select(m, a, b), vi_select: a where m, else b;
             vf_permute(v, i): lane j of the result is lane i[j] of v, 0 <= i[j] < VF_WIDTH;
             vf_transpose(rows): a square of VF_WIDTH vectors, in place */
#ifndef TG_OPS_KERNELS_VECTOR_H
#define TG_OPS_KERNELS_VECTOR_H

#include <stdint.h>
#include <string.h>

#if defined(TG_SET_AVX512)
#include "ops/kernels/vector_avx512.h"
#elif defined(TG_SET_AVX2)
#include "ops/kernels/vector_avx2.h"
#elif defined(TG_SET_NEON)
#include "ops/kernels/vector_neon.h"
#elif defined(TG_SET_BASELINE)
#include "ops/kernels/vector_baseline.h"
#else
#error "define TG_SET_BASELINE, TG_SET_AVX2, TG_SET_AVX512 or TG_SET_NEON"
#endif

/* What follows from the above on every set. */

static inline vm vf_gt(vf a, vf b) { return vf_lt(b, a); }
static inline vm vf_ge(vf a, vf b) { return vf_le(b, a); }
static inline vm vf_nan(vf a) { return vf_unordered(a, a); }

/** Bit j is set where p[j] is not 0, for j < n <= 64. */
static inline uint64_t u8_nonzeros(const uint8_t *p, int64_t n)
{
    return u8_equals(p, n, 0) ^ (n < 64 ? ((uint64_t)1 << n) - 1 : UINT64_MAX);
}

/** The larger and the smaller; NaN if either is. */
static inline vf vf_max_nan(vf a, vf b) { return vf_select(vf_nan(a), a, vf_max(a, b)); }
static inline vf vf_min_nan(vf a, vf b) { return vf_select(vf_nan(a), a, vf_min(a, b)); }

/** |magnitude| with the sign of `sign`. */
static inline vf vf_copysign(vf magnitude, vf sign)
{
    vi bit = vi_set1(INT32_MIN);
    return vf_bits(vi_or(vi_and(vi_bits(sign), bit), vi_bits(vf_abs(magnitude))));
}

/** 2^n for -126 <= n <= 127. */
static inline vf vf_exp2i(vi n) { return vf_bits(vi_shl(vi_add(n, vi_set1(127)), 23)); }

/** x 2^n for whole |n| <= 252, rounded once. */
static inline vf vf_scale(vf x, vf n)
{
#if VF_SCALES
    return vf_scale_whole(x, n);
#else
    vi whole = vi_truncate(n), half = vi_sar(whole, 1);
    return vf_mul(vf_mul(x, vf_exp2i(half)), vf_exp2i(vi_sub(whole, half)));
#endif
}

#endif
