/* Reductions of f32 on vectors, in the order that ops/kernels/reduce.h gives. */
#include "ops/kernels/reduce.h"

#include "ops/kernels/kernels.h"
#include "ops/kernels/reduce_lanes.h"

enum {
    AT_ONCE = GROUP == 4 ? 2 : 4, /* rows or blocks side by side, so that additions do not wait for each other */
    NARROW = TG_REDUCE_LANES - 1  /* the widest matrix whose columns take all lanes */
};

/* `count` stretches of n terms, `stride` apart, each into its lanes. */
TG_INLINE void streams(tg_reduce_kind kind, const float *x, int count, int64_t stride, int64_t n, vf lanes[][GROUP])
{
    vf start = vf_set1(neutral(kind));
    for (int s = 0; s < count; s++)
        for (int g = 0; g < GROUP; g++)
            lanes[s][g] = start;
    int64_t i = 0;
    for (; i + TG_REDUCE_LANES <= n; i += TG_REDUCE_LANES)
        for (int s = 0; s < count; s++)
            for (int g = 0; g < GROUP; g++)
                lanes[s][g] = combine(kind, lanes[s][g], vf_load(x + s * stride + i + g * VF_WIDTH));
    for (int g = 0; g < GROUP && i < n; g++, i += VF_WIDTH) {
        int64_t rest = n - i < VF_WIDTH ? n - i : VF_WIDTH;
        for (int s = 0; s < count; s++) {
            vf tail = vf_select(vm_first(rest), vf_load_part(x + s * stride + i, rest), start);
            lanes[s][g] = combine(kind, lanes[s][g], tail);
        }
    }
}

TG_INLINE float long_row(tg_reduce_kind kind, const float *x, int64_t n)
{
    vf total[GROUP], lanes[AT_ONCE][GROUP];
    for (int g = 0; g < GROUP; g++)
        total[g] = vf_set1(neutral(kind));
    int64_t i = 0;
    for (; i + AT_ONCE * TG_REDUCE_BLOCK <= n; i += AT_ONCE * TG_REDUCE_BLOCK) {
        streams(kind, x + i, AT_ONCE, TG_REDUCE_BLOCK, TG_REDUCE_BLOCK, lanes);
        for (int s = 0; s < AT_ONCE; s++)
            for (int g = 0; g < GROUP; g++)
                total[g] = combine(kind, total[g], lanes[s][g]);
    }
    for (; i < n; i += TG_REDUCE_BLOCK) {
        streams(kind, x + i, 1, 0, n - i < TG_REDUCE_BLOCK ? n - i : TG_REDUCE_BLOCK, lanes);
        for (int g = 0; g < GROUP; g++)
            total[g] = combine(kind, total[g], lanes[0][g]);
    }
    return fold(kind, total);
}

TG_INLINE void rows_of(tg_reduce_kind kind, const float *x, int64_t rows, int64_t n, int64_t stride, float *out)
{
    int64_t i = 0;
    if (n <= TG_REDUCE_BLOCK)
        for (; i + AT_ONCE <= rows; i += AT_ONCE) {
            vf lanes[AT_ONCE][GROUP];
            streams(kind, x + i * stride, AT_ONCE, stride, n, lanes);
            for (int s = 0; s < AT_ONCE; s++)
                out[i + s] = fold(kind, lanes[s]);
        }
    for (; i < rows; i++)
        out[i] = long_row(kind, x + i * stride, n);
}

void TG_SET(reduce_rows)(tg_reduce_kind kind, const void *x, int64_t rows, int64_t n, int64_t stride, void *out)
{
    switch (kind) {
    case TG_REDUCE_SUM: rows_of(TG_REDUCE_SUM, x, rows, n, stride, out); break;
    case TG_REDUCE_MAX: rows_of(TG_REDUCE_MAX, x, rows, n, stride, out); break;
    default: rows_of(TG_REDUCE_MIN, x, rows, n, stride, out); break;
    }
}

/* `registers` vectors of columns, the last of them `part` wide. */
TG_INLINE void column_block(tg_reduce_kind kind, const float *x, int64_t n, int64_t stride, int registers, int64_t part,
                            float *out)
{
    for (int64_t start = 0; start == 0 || start < n; start += TG_REDUCE_COLUMN_BLOCK) {
        int64_t stop = n - start < TG_REDUCE_COLUMN_BLOCK ? n : start + TG_REDUCE_COLUMN_BLOCK;
        vf lanes[TG_REDUCE_COLUMN_LANES][2];
        for (int lane = 0; lane < TG_REDUCE_COLUMN_LANES; lane++)
            for (int r = 0; r < registers; r++)
                lanes[lane][r] = vf_set1(neutral(kind));
        int64_t i = start;
        for (; i + TG_REDUCE_COLUMN_LANES <= stop; i += TG_REDUCE_COLUMN_LANES)
            for (int lane = 0; lane < TG_REDUCE_COLUMN_LANES; lane++)
                for (int r = 0; r < registers; r++) {
                    const float *p = x + (i + lane) * stride + r * VF_WIDTH;
                    lanes[lane][r] = combine(kind, lanes[lane][r], part < VF_WIDTH ? vf_load_part(p, part) : vf_load(p));
                }
        for (int lane = 0; lane < TG_REDUCE_COLUMN_LANES && i < stop; lane++, i++)
            for (int r = 0; r < registers; r++) {
                const float *p = x + i * stride + r * VF_WIDTH;
                lanes[lane][r] = combine(kind, lanes[lane][r], part < VF_WIDTH ? vf_load_part(p, part) : vf_load(p));
            }
        for (int r = 0; r < registers; r++) {
            vf total = combine(kind, combine(kind, lanes[0][r], lanes[2][r]), combine(kind, lanes[1][r], lanes[3][r]));
            float *o = out + r * VF_WIDTH;
            if (start > 0)
                total = combine(kind, part < VF_WIDTH ? vf_load_part(o, part) : vf_load(o), total);
            vf_store_part(o, part, total);
        }
    }
}

TG_INLINE void wide_columns(tg_reduce_kind kind, const float *x, int64_t n, int64_t width, int64_t stride, float *out)
{
    int64_t j = 0;
    for (; j + 2 * VF_WIDTH <= width; j += 2 * VF_WIDTH)
        column_block(kind, x + j, n, stride, 2, VF_WIDTH, out + j);
    for (; j + VF_WIDTH <= width; j += VF_WIDTH)
        column_block(kind, x + j, n, stride, 1, VF_WIDTH, out + j);
    if (j < width)
        column_block(kind, x + j, n, stride, 1, width - j, out + j);
}

/* lanes[i] = combine(lanes[i], x[i]) for i < n. */
TG_INLINE void combine_into(tg_reduce_kind kind, float *lanes, const float *x, int64_t n)
{
    int64_t i = 0;
    for (; i + VF_WIDTH <= n; i += VF_WIDTH)
        vf_store(lanes + i, combine(kind, vf_load(lanes + i), vf_load(x + i)));
    if (i < n)
        vf_store_part(lanes + i, n - i, combine(kind, vf_load_part(lanes + i, n - i), vf_load_part(x + i, n - i)));
}

/* A matrix without gaps: TG_REDUCE_LANES of its rows are that many x width contiguous terms. */
TG_INLINE void narrow_columns(tg_reduce_kind kind, const float *x, int64_t n, int64_t width, float *out)
{
    float lanes[TG_REDUCE_LANES * NARROW];
    for (int64_t j = 0; j < width; j++)
        out[j] = neutral(kind);
    for (int64_t start = 0; start < n; start += TG_REDUCE_COLUMN_BLOCK) {
        int64_t stop = n - start < TG_REDUCE_COLUMN_BLOCK ? n : start + TG_REDUCE_COLUMN_BLOCK;
        for (int64_t i = 0; i < TG_REDUCE_LANES * width; i++)
            lanes[i] = neutral(kind);
        for (int64_t i = start; i < stop; i += TG_REDUCE_LANES)
            combine_into(kind, lanes, x + i * width, (stop - i < TG_REDUCE_LANES ? stop - i : TG_REDUCE_LANES) * width);
        for (int64_t half = TG_REDUCE_LANES / 2; half > 0; half /= 2)
            combine_into(kind, lanes, lanes + half * width, half * width);
        combine_into(kind, out, lanes, width);
    }
}

TG_INLINE void columns_of(tg_reduce_kind kind, const float *x, int64_t n, int64_t width, int64_t stride, float *out)
{
    if (stride < TG_REDUCE_LANES)
        narrow_columns(kind, x, n, width, out);
    else
        wide_columns(kind, x, n, width, stride, out);
}

void TG_SET(reduce_columns)(tg_reduce_kind kind, const void *x, int64_t n, int64_t width, int64_t stride, void *out)
{
    switch (kind) {
    case TG_REDUCE_SUM: columns_of(TG_REDUCE_SUM, x, n, width, stride, out); break;
    case TG_REDUCE_MAX: columns_of(TG_REDUCE_MAX, x, n, width, stride, out); break;
    default: columns_of(TG_REDUCE_MIN, x, n, width, stride, out); break;
    }
}
