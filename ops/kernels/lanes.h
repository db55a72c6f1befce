/* The loops of the f32 lane functions. An element's value comes from its inputs alone, wherever it stands in its block: the last,
   partial vector is loaded masked and computed as the others are. */
#ifndef TG_OPS_KERNELS_LANES_H
#define TG_OPS_KERNELS_LANES_H

#include "ops/kernels/kernels.h"
#include "ops/kernels/vector.h"

#define LANE_PARAMETERS void *out, const void *const *in, int64_t n, const void *attributes

/** out[i] = f(in[0][i]). */
#define LANES_1(name, f)                                                \
    void TG_SET(lane_##name)(LANE_PARAMETERS)                           \
    {                                                                   \
        const float *a = in[0];                                         \
        float *y = out;                                                 \
        int64_t i = 0;                                                  \
        (void)attributes;                                               \
        for (; i + VF_WIDTH <= n; i += VF_WIDTH)                        \
            vf_store(y + i, f(vf_load(a + i)));                         \
        if (i < n)                                                      \
            vf_store_part(y + i, n - i, f(vf_load_part(a + i, n - i))); \
    }

/** out[i] = f(in[0][i], c), c being the attribute: a double, as a float. */
#define LANES_1_WITH(name, f)                                              \
    void TG_SET(lane_##name)(LANE_PARAMETERS)                              \
    {                                                                      \
        const float *a = in[0];                                            \
        float *y = out;                                                    \
        vf c = vf_set1((float)*(const double *)attributes);                \
        int64_t i = 0;                                                     \
        for (; i + VF_WIDTH <= n; i += VF_WIDTH)                           \
            vf_store(y + i, f(vf_load(a + i), c));                         \
        if (i < n)                                                         \
            vf_store_part(y + i, n - i, f(vf_load_part(a + i, n - i), c)); \
    }

/** out[i] = f(in[0][i], in[1][i]). */
#define LANES_2(name, f)                                                                            \
    void TG_SET(lane_##name)(LANE_PARAMETERS)                                                       \
    {                                                                                               \
        const float *a = in[0], *b = in[1];                                                         \
        float *y = out;                                                                             \
        int64_t i = 0;                                                                              \
        (void)attributes;                                                                           \
        for (; i + VF_WIDTH <= n; i += VF_WIDTH)                                                    \
            vf_store(y + i, f(vf_load(a + i), vf_load(b + i)));                                     \
        if (i < n)                                                                                  \
            vf_store_part(y + i, n - i, f(vf_load_part(a + i, n - i), vf_load_part(b + i, n - i))); \
    }

/** out[i], a byte, = whether f(in[0][i], in[1][i]). */
#define LANES_COMPARE(name, f)                                                                         \
    void TG_SET(lane_##name)(LANE_PARAMETERS)                                                          \
    {                                                                                                  \
        const float *a = in[0], *b = in[1];                                                            \
        uint8_t *y = out;                                                                              \
        int64_t i = 0;                                                                                 \
        (void)attributes;                                                                              \
        for (; i + VF_WIDTH <= n; i += VF_WIDTH)                                                       \
            vm_store_u8(y + i, f(vf_load(a + i), vf_load(b + i)));                                     \
        if (i < n)                                                                                     \
            vm_store_u8_part(y + i, n - i, f(vf_load_part(a + i, n - i), vf_load_part(b + i, n - i))); \
    }

#endif
