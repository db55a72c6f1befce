/* A convolution of few terms, max-pooled in 2x2 windows: the four outputs of a window are summed in registers; see ops/kernels/conv.h. */
#include "ops/kernels/channels.h"
#include "ops/kernels/conv.h"

/* Whether all pixels that a window's outputs read are +0. Each row of them fits a vector. */
INLINE bool is_blank(const tg_conv_windows *w, const float *at)
{
    vi seen = vi_zero();
    for (int64_t i = 0; i < w->row_count; i++)
        seen = vi_or(seen, vi_bits(vf_load_part(at + i * w->row_floats, w->row_reach)));
    return !vm_any(vm_not(vi_eq(seen, vi_zero())));
}

/* clang-format off */
INLINE void sum_window(const tg_conv_windows *w, const float *in, vf sums[][4], const int vectors, const int64_t runs, const int64_t length)
{
    const int64_t offsets[4] = {0, w->right, w->below, w->below + w->right};
    const float *kernel = w->kernel, *outputs[4];
    UNROLL
    for (int v = 0; v < vectors; v++)
        for (int p = 0; p < 4; p++)
            sums[v][p] = vf_zero();
    for (int64_t i = 0; i < runs; i++, in += w->row_floats) {
        UNROLL
        for (int p = 0; p < 4; p++) {
            outputs[p] = in + offsets[p];
            KEEP_POINTER(outputs[p]);
        }
        for (int64_t j = 0; j < length; j++, kernel += vectors * VF_WIDTH) {
            vf columns[TG_TILE_MAX_VECTORS];
            UNROLL
            for (int v = 0; v < vectors; v++)
                columns[v] = vf_load(kernel + v * VF_WIDTH);
            UNROLL
            for (int p = 0; p < 4; p++) {
                vf value = vf_set1(outputs[p][j]);
                UNROLL
                for (int v = 0; v < vectors; v++)
                    sums[v][p] = vf_fma(value, columns[v], sums[v][p]);
            }
        }
    }
    UNROLL
    for (int v = 0; v < vectors; v++)
        for (int p = 0; p < 4; p++)
            sums[v][p] = vf_add(sums[v][p], vf_zero());
}

/* The maxima of a window, whose first filter is element `at`; `sums` NULL: all its outputs are +0. */
INLINE void store_window(const tg_conv_windows *w, int64_t at, vf sums[][4], const int vectors)
{
    UNROLL
    for (int v = 0; v < vectors; v++) {
        int64_t n = v < vectors - 1 ? VF_WIDTH : w->columns - v * VF_WIDTH;
        float *values = w->values ? w->values + at + v * VF_WIDTH : NULL;
        uint8_t *positions = w->positions ? w->positions + at + v * VF_WIDTH : NULL;
        if (sums)
            store_greatest(sums[v], n, values, positions);
        else
            store_found(vf_zero(), vi_zero(), n, values, positions);
    }
}

/* The windows in a copy of their own, which nothing that is stored can change. */
INLINE void run(const tg_conv_windows w, const int vectors, const int64_t runs, const int64_t length)
{
    const float *in = w.in;
    for (int64_t window = 0, at = 0; window < w.windows; window++, in += w.step, at += w.filters) {
        vf sums[TG_TILE_MAX_VECTORS][4];
        if (w.skips && is_blank(&w, in)) {
            store_window(&w, at, NULL, vectors);
            continue;
        }
        sum_window(&w, in, sums, vectors, runs, length);
        store_window(&w, at, sums, vectors);
    }
}
/* clang-format on */

void TG_SET(conv_windows)(const tg_conv_windows *w)
{
    if (w->vectors == 1)
        run(*w, 1, w->runs, w->run);
    else if (w->vectors == 2 && w->runs == 3 && w->run == 3)
        run(*w, 2, 3, 3);
    else if (w->vectors == 2)
        run(*w, 2, w->runs, w->run);
    else if (w->vectors == 3)
        run(*w, 3, w->runs, w->run);
    else
        run(*w, 4, w->runs, w->run);
}
