/* Blocks of channels, as kernels on images take them: whole vectors, and the rest of a pixel. */
#ifndef TG_OPS_KERNELS_CHANNELS_H
#define TG_OPS_KERNELS_CHANNELS_H

#include "ops/kernels/unroll.h"
#include "ops/kernels/vector.h"

/* A block of channels is n of them: VF_WIDTH, for which the compiler drops the masks, or the rest. */

INLINE vf load(const float *p, int64_t n) { return n == VF_WIDTH ? vf_load(p) : vf_load_part(p, n); }
INLINE vi load_bytes(const uint8_t *p, int64_t n) { return n == VF_WIDTH ? vi_load_u8(p) : vi_load_u8_part(p, n); }

INLINE void store(float *p, int64_t n, vf v)
{
    if (n == VF_WIDTH)
        vf_store(p, v);
    else
        vf_store_part(p, n, v);
}

INLINE void store_bytes(uint8_t *p, int64_t n, vi v)
{
    if (n == VF_WIDTH)
        vi_store_u8(p, v);
    else
        vi_store_u8_part(p, n, v);
}

/* v takes the place of the best so far if it is greater, or the first NaN. */
INLINE vm is_better(vf v, vf best) { return vm_and(vm_not(vf_le(v, best)), vf_eq(best, best)); }

/* The greatest of a 2x2 window's outputs, the first of equals, to where they are wanted: either may be NULL. */
INLINE void store_greatest(const vf outputs[4], int64_t n, float *values, uint8_t *positions)
{
    vf best = outputs[0];
    vi index = vi_zero();
    UNROLL
    for (int p = 1; p < 4; p++) {
        vm better = is_better(outputs[p], best);
        best = vf_select(better, outputs[p], best);
        index = vi_select(better, vi_set1(p), index);
    }
    if (values)
        store(values, n, best);
    if (positions)
        store_bytes(positions, n, index);
}

#endif
