/* The register-blocked inner kernel; see ops/kernels/tile.h. One function for each number of rows and vectors. */
#include "ops/kernels/kernels.h"
#include "ops/kernels/unroll.h"
#include "ops/kernels/vector.h"

/* Accumulators, one k of b and a broadcast value must fit the registers: 32 on AVX-512 and NEON, 16 elsewhere; without a fused
   multiply-add the product takes one more. TILES(AT): AT(r, v) for every tile of r rows and v vectors. */
#define UP_TO_3(AT, v) AT(1, v) AT(2, v) AT(3, v)
#define UP_TO_4(AT, v) UP_TO_3(AT, v) AT(4, v)
#define UP_TO_5(AT, v) UP_TO_4(AT, v) AT(5, v)
#define UP_TO_6(AT, v) UP_TO_5(AT, v) AT(6, v)
#define UP_TO_8(AT, v) UP_TO_6(AT, v) AT(7, v) AT(8, v)
#define UP_TO_10(AT, v) UP_TO_8(AT, v) AT(9, v) AT(10, v)
#define UP_TO_12(AT, v) UP_TO_10(AT, v) AT(11, v) AT(12, v)
#if defined(TG_SET_AVX512) || defined(TG_SET_NEON)
#define VECTORS 4
#define ROWS 12, 12, 8, 6
#define TILES(AT) UP_TO_12(AT, 1) UP_TO_12(AT, 2) UP_TO_8(AT, 3) UP_TO_6(AT, 4)
#elif VF_FUSED
#define VECTORS 3
#define ROWS 12, 6, 4
#define TILES(AT) UP_TO_12(AT, 1) UP_TO_6(AT, 2) UP_TO_4(AT, 3)
#else
#define VECTORS 3
#define ROWS 10, 5, 3
#define TILES(AT) UP_TO_10(AT, 1) UP_TO_5(AT, 2) UP_TO_3(AT, 3)
#endif

static inline __attribute__((always_inline)) vf load_c(const tg_tile *t, const float *c, int v, int vectors)
{
    if (!t->add)
        return vf_zero();
    return v < vectors - 1 ? vf_load(c + v * VF_WIDTH) : vf_load_part(c + v * VF_WIDTH, t->columns - v * VF_WIDTH);
}

/* +0 is added last, so that a sum that rounds to -0 gives +0 as one without that term would. */
static inline __attribute__((always_inline)) void store_c(const tg_tile *t, float *c, int v, int vectors, vf sum)
{
    sum = vf_add(sum, vf_zero());
    if (v < vectors - 1)
        vf_store(c + v * VF_WIDTH, sum);
    else
        vf_store_part(c + v * VF_WIDTH, t->columns - v * VF_WIDTH, sum);
}

/* clang-format off */
static inline __attribute__((always_inline)) void tile(const tg_tile *t, const int rows, const int vectors,
                                                       const bool lookup)
{
    const float *a[TG_TILE_MAX_ROWS], *b = t->b, *table = t->table;
    const uint8_t *bytes[TG_TILE_MAX_ROWS];
    vf sums[TG_TILE_MAX_ROWS][VECTORS];
    const int64_t a_step = t->a_step, b_step = t->b_step;
    UNROLL
    for (int r = 0; r < rows; r++) {
        if (lookup)
            bytes[r] = t->bytes[r];
        else
            a[r] = t->a[r];
        UNROLL
        for (int v = 0; v < vectors; v++)
            sums[r][v] = load_c(t, t->c + r * t->c_step, v, vectors);
    }
    for (int64_t i = 0; i < t->runs; i++) {
        int64_t at = t->offsets[i];
        for (int64_t k = 0; k < t->run; k++) {
            vf columns[VECTORS];
            UNROLL
            for (int v = 0; v < vectors; v++)
                columns[v] = vf_load(b + v * VF_WIDTH);
            UNROLL
            for (int r = 0; r < rows; r++) {
                vf value = vf_set1(lookup ? table[bytes[r][at]] : a[r][at]);
                UNROLL
                for (int v = 0; v < vectors; v++)
                    sums[r][v] = vf_fma(value, columns[v], sums[r][v]);
            }
            at += a_step;
            b += b_step;
        }
    }
    UNROLL
    for (int r = 0; r < rows; r++) {
        UNROLL
        for (int v = 0; v < vectors; v++)
            store_c(t, t->c + r * t->c_step, v, vectors, sums[r][v]);
    }
}
/* clang-format on */

#define DEFINE(r, v)                                                       \
    static void tile_##r##x##v(const tg_tile *t) { tile(t, r, v, false); } \
    static void lookup_##r##x##v(const tg_tile *t) { tile(t, r, v, true); }
TILES(DEFINE)

void TG_SET(tile)(const tg_tile *t)
{
#define ENTRY(r, v) [v - 1][r - 1] = tile_##r##x##v,
    static void (*const tiles[VECTORS][TG_TILE_MAX_ROWS])(const tg_tile *) = {TILES(ENTRY)};
    tiles[t->vectors - 1][t->rows - 1](t);
}

void TG_SET(tile_lookup)(const tg_tile *t)
{
#define LOOKUP_ENTRY(r, v) [v - 1][r - 1] = lookup_##r##x##v,
    static void (*const tiles[VECTORS][TG_TILE_MAX_ROWS])(const tg_tile *) = {TILES(LOOKUP_ENTRY)};
    tiles[t->vectors - 1][t->rows - 1](t);
}

const tg_tile_limits *TG_SET(tile_limits)(void)
{
    static const tg_tile_limits limits = {.width = VF_WIDTH, .vectors = VECTORS, .rows = {ROWS}};
    return &limits;
}
