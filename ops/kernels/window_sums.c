/* Sums over pooled elements, whose results stay in registers; see ops/kernels/windows.h. One function for each size of a block. */
#include "ops/kernels/kernels.h"
#include "ops/kernels/vector.h"

#define INLINE static inline __attribute__((always_inline))

enum { QUAD_ROWS = 4 };

#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 25")
#endif

/* Accumulators and a broadcast value must fit the registers: 32 on AVX-512 and NEON, 16 elsewhere; without a fused multiply-add that
   reads memory, an operand takes one more. BLOCKS(AT): AT(r, v) for every block of r runs and v vectors; TAPS(AT): AT(t). */
#define UP_TO_2(AT, r) AT(r, 1) AT(r, 2)
#define UP_TO_3(AT, r) UP_TO_2(AT, r) AT(r, 3)
#define UP_TO_4(AT, r) UP_TO_3(AT, r) AT(r, 4)
#define UP_TO_5(AT, r) UP_TO_4(AT, r) AT(r, 5)
#define UP_TO_6(AT, r) UP_TO_5(AT, r) AT(r, 6)
#define UP_TO_9(AT, r) UP_TO_6(AT, r) AT(r, 7) AT(r, 8) AT(r, 9)
#define UP_TO_12(AT, r) UP_TO_9(AT, r) AT(r, 10) AT(r, 11) AT(r, 12)
#define TAPS_TO_12(AT) AT(1) AT(2) AT(3) AT(4) AT(5) AT(6) AT(7) AT(8) AT(9) AT(10) AT(11) AT(12)
#if defined(TG_SET_AVX512) || defined(TG_SET_NEON)
#define VECTORS 12, 12, 9, 6, 5
#define BLOCKS(AT) UP_TO_12(AT, 1) UP_TO_12(AT, 2) UP_TO_9(AT, 3) UP_TO_6(AT, 4) UP_TO_5(AT, 5)
#define SELECTED 25
#define TAPS(AT) TAPS_TO_12(AT) AT(13) AT(14) AT(15) AT(16) AT(17) AT(18) AT(19) AT(20) AT(21) AT(22) AT(23) AT(24) AT(25)
#else
#define VECTORS 12, 6, 4, 3, 2
#define BLOCKS(AT) UP_TO_12(AT, 1) UP_TO_6(AT, 2) UP_TO_4(AT, 3) UP_TO_3(AT, 4) UP_TO_2(AT, 5)
#define SELECTED 12
#define TAPS(AT) TAPS_TO_12(AT)
#endif

const tg_window_limits *TG_SET(window_limits)(void)
{
    static const tg_window_limits limits = {.width = VF_WIDTH, .vectors = {VECTORS}, .selected = SELECTED, .spread = SELECTED};
    return &limits;
}

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

/* ---- vectors along the channels ---- */

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
            int32_t corner = (int32_t)(y * p->step[0] + x * p->step[1]);
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

INLINE vf load_sum(const tg_window_sums *s, const float *sums, int v, int vectors)
{
    if (!s->add)
        return vf_zero();
    if (vectors == 1 && s->lanes < VF_WIDTH)
        return vf_load_part(sums, s->lanes);
    return vf_load(sums + (v < vectors - 1 ? v * VF_WIDTH : s->last_at));
}

INLINE void store_sum(const tg_window_sums *s, float *sums, int v, int vectors, vf sum)
{
    if (vectors == 1 && s->lanes < VF_WIDTH)
        vf_store_part(sums, s->lanes, sum);
    else
        vf_store(sums + (v < vectors - 1 ? v * VF_WIDTH : s->last_at), sum);
}

/* clang-format off */
INLINE void sum_filter(const tg_window_sums *s, int64_t f, const int runs, const int vectors)
{
    vf sums[TG_WINDOW_RUNS][TG_WINDOW_VECTORS];
    float *to = s->sums + f * s->sum_step;
    int64_t run_at[TG_WINDOW_RUNS];
    const int64_t last_at = s->last_at, step = s->filters;
    UNROLL
    for (int r = 0; r < runs; r++) {
        run_at[r] = s->run_at[r];
        UNROLL
        for (int v = 0; v < vectors; v++)
            sums[r][v] = load_sum(s, to + r * s->run_step, v, vectors);
    }
    const float *value = s->values + f;
    const int32_t *at = s->at + f;
    for (int64_t n = 0; n < s->images; n++) {
        const float *in = s->in + n * s->image_step;
        for (int64_t pixel = 0; pixel < s->pixels; pixel++, value += step, at += step) {
            const float *window = in + *at;
            vf factor = vf_set1(*value);
            UNROLL
            for (int r = 0; r < runs; r++) {
                const float *run = window + run_at[r];
                UNROLL
                for (int v = 0; v < vectors; v++)
                    sums[r][v] = vf_fma(factor, vf_load(run + (v < vectors - 1 ? v * VF_WIDTH : last_at)), sums[r][v]);
            }
        }
    }
    UNROLL
    for (int r = 0; r < runs; r++) {
        UNROLL
        for (int v = 0; v < vectors; v++)
            store_sum(s, to + r * s->run_step, v, vectors, sums[r][v]);
    }
}
/* clang-format on */

#define DEFINE(r, v)                                    \
    static void sums_##r##x##v(const tg_window_sums *s) \
    {                                                   \
        for (int64_t f = 0; f < s->filters; f++)        \
            sum_filter(s, f, r, v);                     \
    }
BLOCKS(DEFINE)

void TG_SET(window_sums)(const tg_window_sums *s)
{
#define ENTRY(r, v) [r - 1][v - 1] = sums_##r##x##v,
    static void (*const blocks[TG_WINDOW_RUNS][TG_WINDOW_VECTORS])(const tg_window_sums *) = {BLOCKS(ENTRY)};
    blocks[s->runs - 1][s->vectors - 1](s);
}

/* A square of taps and filters at a time, to be turned over. */
void TG_SET(window_total)(const tg_window_total *t)
{
    for (int64_t k = t->first; k < t->end; k += VF_WIDTH)
        for (int64_t f = 0; f < t->filters; f += VF_WIDTH) {
            int64_t depth = t->end - k < VF_WIDTH ? t->end - k : VF_WIDTH;
            int64_t filters = t->filters - f < VF_WIDTH ? t->filters - f : VF_WIDTH;
            vf rows[VF_WIDTH];
            for (int64_t i = 0; i < VF_WIDTH; i++)
                rows[i] = vf_zero();
            for (int64_t chunk = 0; chunk < t->chunks; chunk++) {
                const float *part = t->parts + (chunk * t->filters + f) * t->depth + k;
                for (int64_t i = 0; i < filters; i++, part += t->depth)
                    rows[i] = vf_add(rows[i], depth == VF_WIDTH ? vf_load(part) : vf_load_part(part, depth));
            }
            vf_transpose(rows);
            for (int64_t i = 0; i < depth; i++)
                vf_store_part(t->out + (k + i) * t->filters + f, filters, rows[i]);
        }
}

/* ---- vectors along the filters, which select from a small window ---- */

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
    vf sums[SELECTED];
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

#define DEFINE_SELECT(t) \
    static void select_##t(const tg_window_select *s) { select_taps(s, t, false); }
TAPS(DEFINE_SELECT)

static void select_square(const tg_window_select *s) { select_taps(s, 9, true); }

void TG_SET(window_select)(const tg_window_select *s)
{
#define SELECT_ENTRY(t) [t - 1] = select_##t,
    static void (*const blocks[SELECTED])(const tg_window_select *) = {TAPS(SELECT_ENTRY)};
    (s->square ? select_square : blocks[s->taps - 1])(s);
}
