/* The kernels of products that skip zeros; see ops/kernels/skip.h. */
#include "ops/kernels/integers.h"
#include "ops/kernels/kernels.h"
#include "ops/kernels/unroll.h"
#include "ops/kernels/vector.h"

/* The sums of two rows, their values and one vector of b must fit the registers. */
#if defined(TG_SET_AVX512) || defined(TG_SET_NEON)
#define VECTORS 8
#define PANELS(AT) AT(1) AT(2) AT(3) AT(4) AT(5) AT(6) AT(7) AT(8)
#else
#define VECTORS 6
#define PANELS(AT) AT(1) AT(2) AT(3) AT(4) AT(5) AT(6)
#endif

/* Loaded once for both rows: a compiler may think that an instruction's own load is free. */
#if defined(TG_SET_AVX512) || defined(TG_SET_AVX2)
#define IN_REGISTER(v) __asm__("" : "+v"(v))
#else
#define IN_REGISTER(v) (void)(v)
#endif

static inline __attribute__((always_inline)) void begin_row(const tg_skip_tile *t, vf *sums, int64_t row, const int vectors)
{
    const float *from = t->sums + row * vectors * VF_WIDTH;
    UNROLL
    for (int v = 0; v < vectors; v++)
        sums[v] = t->first ? vf_zero() : vf_load(from + v * VF_WIDTH);
}

/* +0 is added last, so that a sum that rounds to -0 gives +0 as one without that term would. */
static inline __attribute__((always_inline)) void finish_row(const tg_skip_tile *t, const vf *sums, int64_t row,
                                                             const int vectors)
{
    if (!t->last) {
        float *to = t->sums + row * vectors * VF_WIDTH;
        UNROLL
        for (int v = 0; v < vectors; v++)
            vf_store(to + v * VF_WIDTH, sums[v]);
        return;
    }
    float *to = t->c + row * t->c_step;
    int64_t rest = t->columns - (vectors - 1) * VF_WIDTH;
    UNROLL
    for (int v = 0; v < vectors - 1; v++)
        vf_store(to + v * VF_WIDTH, vf_add(sums[v], vf_zero()));
    vf_store_part(to + (vectors - 1) * VF_WIDTH, rest, vf_add(sums[vectors - 1], vf_zero()));
}

/* `rows` rows at once: each term counts that counts for one of them. */
static inline __attribute__((always_inline)) void skip(const tg_skip_tile *t, int64_t row, const int rows, const int vectors)
{
    const float *table = t->table, *b = t->b;
    const int64_t k_step = t->k_step;
    const uint8_t *x[2];
    vf sums[2][VECTORS];
    uint64_t mask = 0;
    UNROLL
    for (int r = 0; r < rows; r++) {
        x[r] = t->x + (row + r) * t->row_step;
        mask |= t->masks[row + r];
        begin_row(t, sums[r], row + r, vectors);
    }
    for (; mask; mask &= mask - 1) {
        int64_t k = __builtin_ctzll(mask);
        const float *columns = b + k * vectors * VF_WIDTH;
        vf values[2];
        UNROLL
        for (int r = 0; r < rows; r++)
            values[r] = vf_set1(table[x[r][k * k_step]]);
        UNROLL
        for (int v = 0; v < vectors; v++) {
            vf column = vf_load(columns + v * VF_WIDTH);
            if (rows > 1)
                IN_REGISTER(column);
            UNROLL
            for (int r = 0; r < rows; r++)
                sums[r][v] = vf_fma(values[r], column, sums[r][v]);
        }
    }
    UNROLL
    for (int r = 0; r < rows; r++)
        finish_row(t, sums[r], row + r, vectors);
}

static inline __attribute__((always_inline)) void skip_all(const tg_skip_tile *t, const int vectors)
{
    int64_t row = 0;
    for (; row + 1 < t->rows && t->pairs; row += 2)
        skip(t, row, 2, vectors);
    for (; row < t->rows; row++)
        skip(t, row, 1, vectors);
}

#define DEFINE(v) \
    static void skip_##v(const tg_skip_tile *t) { skip_all(t, v); }
PANELS(DEFINE)

void TG_SET(skip_tile)(const tg_skip_tile *t)
{
#define ENTRY(v) [v - 1] = skip_##v,
    static void (*const tiles[VECTORS])(const tg_skip_tile *) = {PANELS(ENTRY)};
    tiles[t->vectors - 1](t);
}

const tg_tile_limits *TG_SET(skip_limits)(void)
{
    static const tg_tile_limits limits = {.width = VF_WIDTH, .vectors = VECTORS};
    return &limits;
}

/* masks[r mask_step] bit j: x[r step + j] is not 0, for j < columns <= 64. Returns how many are not. */
int64_t TG_SET(nonzeros)(const uint8_t *x, int64_t step, int64_t rows, int64_t columns, uint64_t *masks, int64_t mask_step)
{
    int64_t count = 0;
    for (int64_t r = 0; r < rows; r++) {
        uint64_t found = u8_nonzeros(x + r * step, columns);
        masks[r * mask_step] = found;
        count += __builtin_popcountll(found);
    }
    return count;
}

/* pack(), and whether all that was packed is finite: 0 times it is then 0. */
bool TG_SET(pack_finite)(const tg_pack *p)
{
    vf zeros = vf_zero();
    for (int64_t r = 0; r < p->rows; r++) {
        const float *from = p->from + r * p->stride;
        float *to = p->to + r * p->width;
        for (int64_t j = 0; j < p->width; j += VF_WIDTH) {
            int64_t left = tg_least(tg_most(p->columns - j, 0), VF_WIDTH);
            vf value = left == VF_WIDTH ? vf_load(from + j) : vf_load_part(from + j, left);
            vf_store(to + j, value);
            zeros = vf_fma(value, vf_zero(), zeros);
        }
    }
    return !vm_any(vf_nan(zeros));
}
