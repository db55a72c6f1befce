/* A convolution of few terms, max-pooled in 2x2 windows: the four outputs of a window are summed in registers; see ops/kernels/conv.h. */
#include "ops/kernels/channels.h"
#include "ops/kernels/conv.h"

/* Whether all pixels that a window's outputs read are +0. Each row of them fits a vector. */
INLINE bool is_blank(const tg_conv_windows *w, const float *at, int64_t rows)
{
    vi seen = vi_zero();
    for (int64_t i = 0; i < rows; i++)
        seen = vi_or(seen, vi_bits(vf_load_part(at + i * w->row_floats, w->row_reach)));
    return !vm_any(vm_not(vi_eq(seen, vi_zero())));
}

/* clang-format off */
INLINE void run(const tg_conv_windows *w, const int vectors, const int64_t runs, const int64_t length)
{
    const int64_t row_floats = w->row_floats, offsets[4] = {0, w->right, w->below, w->below + w->right};
    for (int64_t window = 0; window < w->windows; window++) {
        const float *in = w->in + window * w->step, *kernel = w->kernel;
        bool blank = w->skips && is_blank(w, in, w->row_count);
        vf sums[TG_TILE_MAX_VECTORS][4];
        UNROLL
        for (int v = 0; v < vectors; v++)
            for (int p = 0; p < 4; p++)
                sums[v][p] = vf_zero();
        for (int64_t i = 0; i < runs && !blank; i++)
            for (int64_t j = 0; j < length; j++) {
                vf columns[TG_TILE_MAX_VECTORS];
                UNROLL
                for (int v = 0; v < vectors; v++)
                    columns[v] = vf_load(kernel + v * VF_WIDTH);
                UNROLL
                for (int p = 0; p < 4; p++) {
                    vf value = vf_set1(in[i * row_floats + offsets[p] + j]);
                    UNROLL
                    for (int v = 0; v < vectors; v++)
                        sums[v][p] = vf_fma(value, columns[v], sums[v][p]);
                }
                kernel += vectors * VF_WIDTH;
            }
        UNROLL
        for (int v = 0; v < vectors; v++) {
            int64_t at = window * w->filters + v * VF_WIDTH, n = v < vectors - 1 ? VF_WIDTH : w->columns - v * VF_WIDTH;
            UNROLL
            for (int p = 0; p < 4; p++)
                sums[v][p] = vf_add(sums[v][p], vf_zero());
            store_greatest(sums[v], n, w->values ? w->values + at : NULL, w->positions ? w->positions + at : NULL);
        }
    }
}
/* clang-format on */

void TG_SET(conv_windows)(const tg_conv_windows *w)
{
    if (w->vectors == 1)
        run(w, 1, w->runs, w->run);
    else if (w->vectors == 2 && w->runs == 3 && w->run == 3)
        run(w, 2, 3, 3);
    else if (w->vectors == 2)
        run(w, 2, w->runs, w->run);
    else if (w->vectors == 3)
        run(w, 3, w->runs, w->run);
    else
        run(w, 4, w->runs, w->run);
}
