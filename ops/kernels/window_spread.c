/* Pooled elements give to their windows, which stay in registers; see ops/kernels/windows.h. One function for each number of taps. */
#include "ops/kernels/window_blocks.h"

enum { WORD = 64, SQUARE = 4 };

void TG_SET(window_masks)(const tg_pooled *p, int64_t pixels, uint64_t *masks)
{
    for (int64_t pixel = 0; pixel < pixels; pixel++)
        for (int64_t place = 0; place < p->places; place++)
            for (int64_t f = 0; f < p->filters; f += WORD) {
                int64_t n = p->filters - f < WORD ? p->filters - f : WORD;
                *masks++ = u8_equals(p->argmax + pixel * p->filters + f, n, (uint8_t)place);
            }
}

void TG_SET(window_kernel)(const tg_window_kernel *k)
{
    for (int64_t tap = 0; tap < k->taps; tap++)
        for (int64_t f = 0; f < k->filters; f += VF_WIDTH) {
            int64_t filters = k->filters - f < VF_WIDTH ? k->filters - f : VF_WIDTH;
            const float *from = k->kernel + tap * k->tap_step + f;
            vf rows[VF_WIDTH];
            for (int64_t i = 0; i < VF_WIDTH; i++)
                rows[i] = i < k->channels ? vf_load_part(from + i * k->filters, filters) : vf_zero();
            vf_transpose(rows);
            for (int64_t i = 0; i < filters; i++)
                vf_store(k->to + ((f + i) * k->taps + tap) * VF_WIDTH, rows[i]);
        }
}

void TG_SET(window_leave)(const tg_window_leave *l)
{
    bool whole = l->lanes == VF_WIDTH;
    float *to = l->to;
    for (int64_t y = 0; y < l->rows; y++) {
        const float *from = l->from + y * l->from_step;
        for (int64_t x = 0; x < l->columns; x++, from += VF_WIDTH, to += l->channels) {
            vf sum = vf_add(vf_load(from), vf_zero());
            if (whole)
                vf_store(to, sum);
            else
                vf_store_part(to, l->lanes, sum);
        }
    }
}

/* clang-format off */
/* The filters of a pixel whose place is the same, into what holds tap (i, j) at sums[i * row + j]. */
INLINE void add_filters(const tg_window_spread *s, const float *gradient, const uint64_t *masks, vf *sums, const int rows,
                        const int columns, const int row, const int64_t step)
{
    const float *kernel = s->kernel;
    for (int64_t word = 0; word < s->words; word++, gradient += WORD, kernel += WORD * step) {
        const float *values = gradient, *first = kernel;
        KEEP_POINTER(values);
        KEEP_POINTER(first);
        for (uint64_t mask = masks[word]; mask; mask &= mask - 1) {
            uint64_t f = (uint32_t)__builtin_ctzll(mask);
            vf value = vf_set1(values[f]);
            const float *taps = first + f * (uint64_t)step;
            KEEP_POINTER(taps);
            UNROLL
            for (int i = 0; i < rows; i++) {
                UNROLL
                for (int j = 0; j < columns; j++)
                    sums[i * row + j] = vf_fma(value, vf_load(taps + (i * columns + j) * VF_WIDTH), sums[i * row + j]);
            }
        }
    }
}

INLINE void spread_place(const tg_window_spread *s, const float *gradient, const uint64_t *masks, float *target, const int taps)
{
    vf sums[MOST_TAPS];
    UNROLL
    for (int t = 0; t < taps; t++)
        sums[t] = vf_load(target + s->tap_at[t]);
    add_filters(s, gradient, masks, sums, 1, taps, taps, s->kernel_step);
    UNROLL
    for (int t = 0; t < taps; t++)
        vf_store(target + s->tap_at[t], sums[t]);
}

/* Columns [first, end) of a window between memory and registers. */
INLINE void load_columns(vf *sums, const float *target, int64_t row, const int first, const int end)
{
    UNROLL
    for (int i = 0; i < SQUARE; i++) {
        UNROLL
        for (int j = first; j < end; j++)
            sums[i * SQUARE + j] = vf_load(target + i * row + j * VF_WIDTH);
    }
}

INLINE void store_columns(const vf *sums, float *target, int64_t row, const int first, const int end)
{
    UNROLL
    for (int i = 0; i < SQUARE; i++) {
        UNROLL
        for (int j = first; j < end; j++)
            vf_store(target + i * row + j * VF_WIDTH, sums[i * SQUARE + j]);
    }
}

/* Windows of 2x2 places side by side and 3x3 taps: all that a pixel reaches stays in registers, half of it for the next pixel too. */
INLINE void spread_row(const tg_window_spread *s, const float *gradient, const uint64_t *masks, float *target)
{
    const int half = SQUARE / 2;
    vf sums[SQUARE * SQUARE];
    load_columns(sums, target, s->row, 0, half);
    for (int64_t x = 0; x < s->pooled.extent[1]; x++, gradient += s->pooled.filters, target += half * VF_WIDTH) {
        load_columns(sums, target, s->row, half, SQUARE);
        UNROLL
        for (int place = 0; place < 4; place++, masks += s->words)
            add_filters(s, gradient, masks, sums + place / 2 * SQUARE + place % 2, 3, 3, SQUARE, 9 * VF_WIDTH);
        store_columns(sums, target, s->row, 0, half);
        UNROLL
        for (int i = 0; i < SQUARE; i++) {
            UNROLL
            for (int j = 0; j < half; j++)
                sums[i * SQUARE + j] = sums[i * SQUARE + half + j];
        }
    }
    store_columns(sums, target, s->row, 0, half);
}
/* clang-format on */

static void spread_rows(const tg_window_spread *s)
{
    const tg_pooled *p = &s->pooled;
    for (int64_t y = 0; y < p->extent[0]; y++)
        spread_row(s, p->gradient + y * p->extent[1] * p->filters, s->masks + y * p->extent[1] * 4 * s->words,
                   s->target + y * p->step[0]);
}

INLINE void spread_taps(const tg_window_spread *s, const int taps)
{
    const tg_pooled *p = &s->pooled;
    const float *gradient = p->gradient;
    const uint64_t *masks = s->masks;
    for (int64_t y = 0; y < p->extent[0]; y++)
        for (int64_t x = 0; x < p->extent[1]; x++, gradient += p->filters)
            for (int64_t place = 0; place < p->places; place++, masks += s->words)
                spread_place(s, gradient, masks, s->target + y * p->step[0] + x * p->step[1] + p->place_at[place], taps);
}

#define DEFINE(t) \
    static void spread_##t(const tg_window_spread *s) { spread_taps(s, t); }
EACH_TAPS(DEFINE)

void TG_SET(window_spread)(const tg_window_spread *s)
{
#define ENTRY(t) [t - 1] = spread_##t,
    static void (*const blocks[MOST_TAPS])(const tg_window_spread *) = {EACH_TAPS(ENTRY)};
    if (s->row > 0 && SQUARE * SQUARE <= MOST_TAPS)
        spread_rows(s);
    else
        blocks[s->taps - 1](s);
}
