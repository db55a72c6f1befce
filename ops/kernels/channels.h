/* Blocks of channels, as kernels on images take them: whole vectors, and the rest of a pixel. */
#ifndef TG_OPS_KERNELS_CHANNELS_H
#define TG_OPS_KERNELS_CHANNELS_H

#include "ops/kernels/vector.h"

#define INLINE static inline __attribute__((always_inline))

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

#endif
