/* The lanes of one row on vectors, and their folding, in the order that ops/kernels/reduce.h gives. */
#ifndef TG_OPS_KERNELS_REDUCE_LANES_H
#define TG_OPS_KERNELS_REDUCE_LANES_H

#include <math.h>
#include <string.h>

#include "ops/kernels/reduce.h"
#include "ops/kernels/vector.h"

#define TG_INLINE static inline __attribute__((always_inline))

enum { GROUP = TG_REDUCE_LANES / VF_WIDTH /* registers that hold the lanes of one row */ };

TG_INLINE vf combine(tg_reduce_kind kind, vf a, vf b)
{
    return kind == TG_REDUCE_SUM ? vf_add(a, b) : kind == TG_REDUCE_MAX ? vf_max_nan(a, b) : vf_min_nan(a, b);
}

TG_INLINE float neutral(tg_reduce_kind kind) { return kind == TG_REDUCE_SUM ? 0 : kind == TG_REDUCE_MAX ? -INFINITY : INFINITY; }

/** What the tree makes of the lanes. */
TG_INLINE float fold(tg_reduce_kind kind, const vf lanes[GROUP])
{
    vf folded[GROUP];
    for (int g = 0; g < GROUP; g++)
        folded[g] = lanes[g];
    for (int half = GROUP / 2; half > 0; half /= 2)
        for (int g = 0; g < half; g++)
            folded[g] = combine(kind, folded[g], folded[g + half]);
    vi within = vi_set1(VF_WIDTH - 1);
    for (int half = VF_WIDTH / 2; half > 0; half /= 2) {
        vi other = vi_and(vi_add(vi_lanes(), vi_set1(half)), within);
        folded[0] = combine(kind, folded[0], vf_permute(folded[0], other));
    }
    float first;
    memcpy(&first, &folded[0], sizeof first);
    return first;
}

#endif
