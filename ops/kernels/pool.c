/* Pooling, vectors along the channels; see ops/kernels/pool.h. */
#include "ops/kernels/channels.h"
#include "ops/kernels/kernels.h"

/* ---- from the image to pooled elements ---- */

/* Computes the n pooled elements from number `at` on, whose windows have their upper left elements at `corner`. */
typedef void block_fn(const tg_pool *p, const float *corner, int64_t at, int64_t n);

INLINE void pool_blocks(const tg_pool *p, block_fn *block)
{
    const tg_pool_size *s = p->size;
    int64_t at = p->first * s->out[1] * s->channels;
    for (int64_t row = p->first; row < p->end; row++) {
        int64_t y = row / s->out[0] * s->in[0] + row % s->out[0] * s->stride[0];
        for (int64_t x = 0; x < s->out[1]; x++, at += s->channels) {
            const float *corner = (const float *)p->from + (y * s->in[1] + x * s->stride[1]) * s->channels;
            int64_t c = 0;
            for (; c + VF_WIDTH <= s->channels; c += VF_WIDTH)
                block(p, corner + c, at + c, VF_WIDTH);
            if (c < s->channels)
                block(p, corner + c, at + c, s->channels - c);
        }
    }
}

/* The greatest element of the window, and where it is. */
INLINE vf find_max(const tg_pool *p, const float *corner, int64_t n, vi *index)
{
    const tg_pool_size *s = p->size;
    vf best = load(corner, n);
    int32_t position = 0;
    *index = vi_zero();
    for (int64_t i = 0; i < s->window[0]; i++, corner += s->in[1] * s->channels)
        for (int64_t j = 0; j < s->window[1]; j++, position++) {
            vf v = load(corner + j * s->channels, n);
            vm better = is_better(v, best);
            best = vf_select(better, v, best);
            *index = vi_select(better, vi_set1(position), *index);
        }
    return best;
}

INLINE void max_block(const tg_pool *p, const float *corner, int64_t at, int64_t n)
{
    vi index;
    store((float *)p->to + at, n, find_max(p, corner, n, &index));
}

INLINE void both_block(const tg_pool *p, const float *corner, int64_t at, int64_t n)
{
    vi index;
    store((float *)p->to + at, n, find_max(p, corner, n, &index));
    store_bytes(p->positions + at, n, index);
}

INLINE void argmax_block(const tg_pool *p, const float *corner, int64_t at, int64_t n)
{
    vi index;
    find_max(p, corner, n, &index);
    store_bytes((uint8_t *)p->to + at, n, index);
}

INLINE void gather_block(const tg_pool *p, const float *corner, int64_t at, int64_t n)
{
    const tg_pool_size *s = p->size;
    vi index = load_bytes(p->argmax + at, n);
    vf value = vf_zero();
    int32_t position = 0;
    for (int64_t i = 0; i < s->window[0]; i++, corner += s->in[1] * s->channels)
        for (int64_t j = 0; j < s->window[1]; j++, position++)
            value = vf_select(vi_eq(index, vi_set1(position)), load(corner + j * s->channels, n), value);
    store((float *)p->to + at, n, value);
}

INLINE void avg_block(const tg_pool *p, const float *corner, int64_t at, int64_t n)
{
    const tg_pool_size *s = p->size;
    vf sum = vf_zero();
    for (int64_t i = 0; i < s->window[0]; i++, corner += s->in[1] * s->channels)
        for (int64_t j = 0; j < s->window[1]; j++)
            sum = vf_add(sum, load(corner + j * s->channels, n));
    store((float *)p->to + at, n, vf_div(sum, vf_set1((float)(s->window[0] * s->window[1]))));
}

void TG_SET(max_pool)(const tg_pool *p)
{
    if (p->positions)
        pool_blocks(p, both_block);
    else
        pool_blocks(p, max_block);
}
void TG_SET(max_pool_argmax)(const tg_pool *p) { pool_blocks(p, argmax_block); }
void TG_SET(pool_gather)(const tg_pool *p) { pool_blocks(p, gather_block); }
void TG_SET(avg_pool)(const tg_pool *p) { pool_blocks(p, avg_block); }

/* ---- from pooled elements to the image ---- */

/* What n pooled elements from number `at` on give to a position of their windows. */
typedef vf share_fn(const tg_pool *p, int64_t at, int64_t position, int64_t n);

INLINE void give(float *to, int64_t n, bool add, vf v) { store(to, n, add ? vf_add(load(to, n), v) : v); }

/* Row i of the windows of one row of pooled pixels, the first of which is number `pixel`, to a row of the image. */
INLINE void spread_windows(const tg_pool *p, int64_t pixel, int64_t i, float *line, bool add, share_fn *share)
{
    const tg_pool_size *s = p->size;
    for (int64_t x = 0; x < s->out[1]; x++)
        for (int64_t j = 0; j < s->window[1]; j++) {
            int64_t at = (pixel + x) * s->channels, position = i * s->window[1] + j, c = 0;
            float *to = line + (x * s->stride[1] + j) * s->channels;
            for (; c + VF_WIDTH <= s->channels; c += VF_WIDTH)
                give(to + c, VF_WIDTH, add, share(p, at + c, position, VF_WIDTH));
            if (c < s->channels)
                give(to + c, s->channels - c, add, share(p, at + c, position, s->channels - c));
        }
}

/* Windows that lie side by side write each position once; else all is cleared, and their shares are added in order. */
INLINE void spread_rows(const tg_pool *p, share_fn *share)
{
    const tg_pool_size *s = p->size;
    bool side_by_side = s->stride[0] == s->window[0] && s->stride[1] == s->window[1];
    int64_t line_floats = s->in[1] * s->channels, covered = s->out[1] * s->stride[1] * s->channels;
    for (int64_t row = p->first; row < p->end; row++) {
        float *line = (float *)p->to + row * line_floats;
        int64_t image = row / s->in[0], y = row % s->in[0], first, end;
        tg_pool_windows(s, 0, y, &first, &end);
        int64_t clear = side_by_side && first < end ? covered : 0;
        memset(line + clear, 0, (size_t)(line_floats - clear) * sizeof *line);
        for (int64_t window = first; window < end; window++) {
            int64_t pixel = (image * s->out[0] + window) * s->out[1], i = y - window * s->stride[0];
            if (side_by_side)
                spread_windows(p, pixel, i, line, false, share);
            else
                spread_windows(p, pixel, i, line, true, share);
        }
    }
}

INLINE vf max_share(const tg_pool *p, int64_t at, int64_t position, int64_t n)
{
    vm taken = vi_eq(load_bytes(p->argmax + at, n), vi_set1((int32_t)position));
    return vf_select(taken, load((const float *)p->from + at, n), vf_zero());
}

INLINE vf avg_share(const tg_pool *p, int64_t at, int64_t position, int64_t n)
{
    (void)position;
    return vf_div(load((const float *)p->from + at, n), vf_set1((float)(p->size->window[0] * p->size->window[1])));
}

void TG_SET(unpool)(const tg_pool *p) { spread_rows(p, max_share); }
void TG_SET(avg_unpool)(const tg_pool *p) { spread_rows(p, avg_share); }
