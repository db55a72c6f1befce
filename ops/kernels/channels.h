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

/* The first NaN of a 2x2 window's outputs, else the first of the greatest. */
INLINE vf find_greatest(const vf outputs[4], vi *index)
{
    vf best = outputs[0];
    *index = vi_zero();
    UNROLL
    for (int p = 1; p < 4; p++) {
        vm better = is_better(outputs[p], best);
        best = vf_select(better, outputs[p], best);
        *index = vi_select(better, vi_set1(p), *index);
    }
    return best;
}

/* A maximum and where it is to where they are wanted: either may be NULL. */
INLINE void store_found(vf best, vi index, int64_t n, float *values, uint8_t *positions)
{
    if (values)
        store(values, n, best);
    if (positions)
        store_bytes(positions, n, index);
}

/* The greatest of a 2x2 window's outputs, the first of equals. Without a NaN no comparison waits for another; of equals
   the maximum is its second operand. */
INLINE void store_greatest(const vf outputs[4], int64_t n, float *values, uint8_t *positions)
{
    vf best = vf_max(vf_max(outputs[3], outputs[2]), vf_max(outputs[1], outputs[0]));
    vi index = vi_select(vf_eq(outputs[2], best), vi_set1(2), vi_set1(3));
    index = vi_select(vf_eq(outputs[1], best), vi_set1(1), index);
    index = vi_select(vf_eq(outputs[0], best), vi_zero(), index);
    if (vm_any(vm_or(vf_unordered(outputs[0], outputs[1]), vf_unordered(outputs[2], outputs[3]))))
        best = find_greatest(outputs, &index);
    store_found(best, index, n, values, positions);
}

#endif
