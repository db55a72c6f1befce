/* Sums over pooled elements, vectors along the channels; see ops/kernels/windows.h. One function for each size of a block. */
#include "ops/kernels/window_blocks.h"

/* BLOCKS(AT): AT(r, v) for every block of r runs and v vectors. */
#define UP_TO_4(AT, r) AT(r, 1) AT(r, 2) AT(r, 3) AT(r, 4)
#define UP_TO_6(AT, r) UP_TO_4(AT, r) AT(r, 5) AT(r, 6)
#define UP_TO_9(AT, r) UP_TO_6(AT, r) AT(r, 7) AT(r, 8) AT(r, 9)
#define UP_TO_10(AT, r) UP_TO_9(AT, r) AT(r, 10)
#define UP_TO_12(AT, r) UP_TO_10(AT, r) AT(r, 11) AT(r, 12)
#if defined(TG_SET_AVX512) || defined(TG_SET_NEON)
#define VECTORS 12, 10, 9
#define BLOCKS(AT) UP_TO_12(AT, 1) UP_TO_10(AT, 2) UP_TO_9(AT, 3)
#else
#define VECTORS 12, 6, 4
#define BLOCKS(AT) UP_TO_12(AT, 1) UP_TO_6(AT, 2) UP_TO_4(AT, 3)
#endif

const tg_window_limits *TG_SET(window_limits)(void)
{
    static const tg_window_limits limits = {.width = VF_WIDTH, .vectors = {VECTORS}, .whole = WHOLE_TAPS};
    return &limits;
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
    for (int64_t pixel = 0; pixel < s->pixels; pixel++) {
        const float *window = s->in + at[pixel * step];
        vf factor = vf_set1(value[pixel * step]);
        UNROLL
        for (int r = 0; r < runs; r++) {
            const float *run = window + run_at[r];
            KEEP_POINTER(run);
            UNROLL
            for (int v = 0; v < vectors; v++)
                sums[r][v] = vf_fma(factor, vf_load(run + (v < vectors - 1 ? v * VF_WIDTH : last_at)), sums[r][v]);
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
