/* Sums over pooled elements, vectors along the filters, which select from a small window; see ops/kernels/windows.h. */
#include "ops/kernels/window_blocks.h"

enum { QUAD_ROWS = 4 };

/* The places as lanes of a vector, for places that have room in it. */
INLINE vi load_places(const tg_pooled *p)
{
    int32_t places[VF_WIDTH] = {0};
    for (int64_t i = 0; i < p->places; i++)
        places[i] = (int32_t)p->place_at[i];
    return vi_load(places);
}

/* Of n filters at one pixel: the gradient and, by lanes of `places`, where each finds its place. What takes nothing is 0. */
INLINE vf take_places(const float *gradient, const uint8_t *argmax, int64_t n, int32_t count, vi places, vi *place)
{
    vi at = n == VF_WIDTH ? vi_load_u8(argmax) : vi_load_u8_part(argmax, n);
    vm taken = vi_lt(at, vi_set1(count));
    *place = vi_bits(vf_permute(vf_bits(places), vi_select(taken, at, vi_zero())));
    return vf_select(taken, n == VF_WIDTH ? vf_load(gradient) : vf_load_part(gradient, n), vf_zero());
}

void TG_SET(window_places)(const tg_window_places *w)
{
    const tg_pooled *p = &w->pooled;
    bool fits = p->places <= VF_WIDTH;
    vi places = fits ? load_places(p) : vi_zero(), place;
    const float *gradient = p->gradient;
    const uint8_t *argmax = p->argmax;
    int32_t *at = w->at;
    float *values = w->values;
    for (int64_t y = 0; y < p->extent[0]; y++)
        for (int64_t x = 0; x < p->extent[1]; x++, gradient += p->filters, argmax += p->filters) {
            int32_t corner = w->first + (int32_t)(y * p->step[0] + x * p->step[1]);
            for (int64_t f = 0; fits && f < w->filters; f += VF_WIDTH) {
                int64_t n = w->filters - f < VF_WIDTH ? w->filters - f : VF_WIDTH;
                vf value = take_places(gradient + f, argmax + f, n, (int32_t)p->places, places, &place);
                vf_store_part(values + f, n, value);
                vi_store_part(at + f, n, vi_add(place, vi_set1(corner)));
            }
            for (int64_t f = 0; !fits && f < w->filters; f++) {
                bool taken = argmax[f] < p->places;
                values[f] = taken ? gradient[f] : 0;
                at[f] = corner + (taken ? (int32_t)p->place_at[argmax[f]] : 0);
            }
            values += w->filters;
            at += w->filters;
        }
}

/* Windows of 4x4 floats, which have a type of their own. Whether one is blank is seen before it is stored. */
typedef float quad __attribute__((vector_size(16)));
typedef uint32_t quad_bits __attribute__((vector_size(16)));

INLINE bool pack_quads(const float *from, int64_t step, float *to)
{
    quad row[QUAD_ROWS];
    quad_bits any = {0};
    UNROLL
    for (int i = 0; i < QUAD_ROWS; i++) {
        memcpy(&row[i], from + i * step, sizeof row[i]);
        any |= (quad_bits)row[i];
    }
    any &= INT32_MAX;
    uint64_t halves[2];
    memcpy(halves, &any, sizeof any);
    if (!(halves[0] | halves[1]))
        return false;
    UNROLL
    for (int i = 0; i < QUAD_ROWS; i++)
        memcpy(to + i * 4, &row[i], sizeof row[i]);
    return true;
}

INLINE bool pack_rows(const tg_window_pack *p, const float *from, float *to)
{
    vm any = vm_first(0);
    for (int64_t row = 0; row < p->rows; row++, from += p->in_step, to += p->row_floats)
        for (int64_t i = 0; i < p->row_floats; i += VF_WIDTH) {
            vf v = vf_load_part(from + i, p->row_floats - i < VF_WIDTH ? p->row_floats - i : VF_WIDTH);
            any = vm_or(any, vm_not(vf_eq(v, vf_zero())));
            vf_store(to + i, v);
        }
    return vm_any(any);
}

void TG_SET(window_pack)(tg_window_pack *p)
{
    int64_t blank = p->extent[0] * p->extent[1];
    p->live = 0;
    for (int64_t y = 0, pixel = 0; y < p->extent[0]; y++)
        for (int64_t x = 0; x < p->extent[1]; x++, pixel++) {
            const float *from = p->in + y * p->step[0] + x * p->step[1];
            float *to = p->to + p->live * p->window_step;
            if (p->square ? pack_quads(from, p->in_step, to) : pack_rows(p, from, to))
                p->order[p->live++] = (int32_t)pixel;
            else
                p->order[--blank] = (int32_t)pixel;
        }
}

INLINE vf selected(const tg_window_select *s, int64_t pixel, vi places, vi *place)
{
    const tg_pooled *p = &s->pooled;
    return take_places(p->gradient + pixel * p->filters, p->argmax + pixel * p->filters, s->columns, (int32_t)p->places, places,
                       place);
}

/* Zeros times the gradient, which nobody misses unless it is infinite or NaN. Two sums, so that one need not wait for the other. */
INLINE vf sum_blank(const tg_window_select *s, vi places)
{
    vf even = vf_zero(), odd = vf_zero();
    vi place;
    int64_t i = s->live, end = s->live + s->blank;
    for (; i + 1 < end; i += 2) {
        even = vf_fma(selected(s, s->order[i], places, &place), vf_zero(), even);
        odd = vf_fma(selected(s, s->order[i + 1], places, &place), vf_zero(), odd);
    }
    if (i < end)
        even = vf_fma(selected(s, s->order[i], places, &place), vf_zero(), even);
    return vf_add(even, odd);
}

/* clang-format off */
/* Windows of 4x4 floats and 3x3 taps have a row of taps and all their places in a vector; others are read anew for each tap. */
INLINE void select_taps(const tg_window_select *s, const int taps, const bool square)
{
    vf sums[MOST_TAPS];
    vi places = load_places(&s->pooled), place;
    UNROLL
    for (int t = 0; t < taps; t++)
        sums[t] = s->add ? vf_load_part(s->sums + t * s->sum_step, s->columns) : vf_zero();
    for (int64_t i = 0; i < s->live; i++) {
        const float *window = s->windows + i * s->window_step;
        vf value = selected(s, s->order[i], places, &place);
        UNROLL
        for (int t = 0; t < taps; t++) {
            vf row = vf_load(window + (square ? t / 3 * 4 : s->tap_at[t]));
            vi at = square ? vi_add(place, vi_set1(t % 3)) : place;
            sums[t] = vf_fma(value, vf_permute(row, at), sums[t]);
        }
    }
    vf blank = sum_blank(s, places);
    UNROLL
    for (int t = 0; t < taps; t++)
        vf_store_part(s->sums + t * s->sum_step, s->columns, vf_add(sums[t], blank));
}
/* clang-format on */

#define DEFINE(t) \
    static void select_##t(const tg_window_select *s) { select_taps(s, t, false); }
EACH_TAPS(DEFINE)

static void select_square(const tg_window_select *s) { select_taps(s, 9, true); }

void TG_SET(window_select)(const tg_window_select *s)
{
#define ENTRY(t) [t - 1] = select_##t,
    static void (*const blocks[MOST_TAPS])(const tg_window_select *) = {EACH_TAPS(ENTRY)};
    (s->square ? select_square : blocks[s->taps - 1])(s);
}
