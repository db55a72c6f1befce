/* Winograd's transforms F(2x2, 3x3); see ops/kernels/winograd.h. Vectors go along the channels or filters. */
#include "ops/kernels/channels.h"
#include "ops/kernels/kernels.h"

/* One axis of four input pixels: B^T d. */
INLINE void transform_pixels(vf d[4])
{
    vf d0 = d[0], d1 = d[1], d2 = d[2], d3 = d[3];
    d[0] = vf_sub(d0, d2);
    d[1] = vf_add(d1, d2);
    d[2] = vf_sub(d2, d1);
    d[3] = vf_sub(d1, d3);
}

/* One axis of three weights: G g. */
INLINE void transform_weights(const vf g[3], vf u[4])
{
    vf half = vf_set1(0.5f), ends = vf_add(g[0], g[2]);
    u[0] = g[0];
    u[1] = vf_mul(half, vf_add(ends, g[1]));
    u[2] = vf_mul(half, vf_sub(ends, g[1]));
    u[3] = g[2];
}

INLINE void pixels_block(const float *const pixels[16], int64_t at, int64_t n, float *to, int64_t step)
{
    vf d[4][4], column[4];
    for (int i = 0; i < 4; i++) {
        for (int j = 0; j < 4; j++)
            d[i][j] = load(pixels[4 * i + j] + at, n);
        transform_pixels(d[i]);
    }
    for (int j = 0; j < 4; j++) {
        for (int i = 0; i < 4; i++)
            column[i] = d[i][j];
        transform_pixels(column);
        float *product = to + j * step + at;
        KEEP_POINTER(product);
        for (int i = 0; i < 4; i++)
            store(product + 4 * i * step, n, column[i]);
    }
}

void TG_SET(winograd_pixels)(const float *const pixels[16], int64_t channels, float *to, int64_t step)
{
    int64_t c = 0;
    for (; c + VF_WIDTH <= channels; c += VF_WIDTH)
        pixels_block(pixels, c, VF_WIDTH, to, step);
    if (c < channels)
        pixels_block(pixels, c, channels - c, to, step);
}

void TG_SET(winograd_weights)(const float *from, int64_t stride, int64_t columns, float *to, int64_t step)
{
    for (int64_t at = 0; at < columns; at += VF_WIDTH) {
        int64_t n = columns - at < VF_WIDTH ? columns - at : VF_WIDTH;
        vf rows[3][4], g[3], u[4];
        for (int i = 0; i < 3; i++) {
            for (int j = 0; j < 3; j++)
                g[j] = load(from + (3 * i + j) * stride + at, n);
            transform_weights(g, rows[i]);
        }
        for (int j = 0; j < 4; j++) {
            for (int i = 0; i < 3; i++)
                g[i] = rows[i][j];
            transform_weights(g, u);
            for (int i = 0; i < 4; i++)
                vf_store(to + (4 * i + j) * step + at, u[i]);
        }
    }
}

/* One axis of four products: A^T m. */
INLINE void transform_products(const vf m[4], vf y[2])
{
    y[0] = vf_add(vf_add(m[0], m[1]), m[2]);
    y[1] = vf_sub(vf_sub(m[1], m[2]), m[3]);
}

INLINE void maxima_block(const float *products, int64_t step, int64_t n, float *values, uint8_t *positions)
{
    vf rows[4][2], m[4], y[4];
    for (int i = 0; i < 4; i++) {
        const float *row = products + 4 * i * step;
        KEEP_POINTER(row);
        for (int j = 0; j < 4; j++)
            m[j] = vf_load(row + j * step);
        transform_products(m, rows[i]);
    }
    for (int j = 0; j < 2; j++) {
        vf column[2];
        for (int i = 0; i < 4; i++)
            m[i] = rows[i][j];
        transform_products(m, column);
        y[j] = column[0];
        y[2 + j] = column[1];
    }
    store_greatest(y, n, values, positions);
}

void TG_SET(winograd_maxima)(const float *products, int64_t step, int64_t columns, float *values, uint8_t *positions)
{
    for (int64_t at = 0; at < columns; at += VF_WIDTH) {
        int64_t n = columns - at < VF_WIDTH ? columns - at : VF_WIDTH;
        if (n == VF_WIDTH)
            maxima_block(products + at, step, VF_WIDTH, values ? values + at : NULL, positions ? positions + at : NULL);
        else
            maxima_block(products + at, step, n, values ? values + at : NULL, positions ? positions + at : NULL);
    }
}
