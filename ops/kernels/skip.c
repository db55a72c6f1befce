#include "ops/kernels/integers.h"
#include "ops/kernels/skip_run.h"

enum {
    TASK_ROWS = 32,      /* each task reads all of b, block by block, from the second cache */
    MOST_TASK_ROWS = 64, /* with x transposed: what a square of masks gives */
    MOST_TASKS = 48,
    SAMPLES = 32 /* of TG_SKIP_BLOCK bytes each */
};

tg_skip_plan tg_skip_plan_make(const tg_kernels *kernels, tg_matmul_size size)
{
    tg_skip_plan p = {.kernels = kernels, .size = size, .panels = tg_panels_make(kernels->skip_limits(), size.n)};
    int64_t even = tg_ceil_div(size.m, MOST_TASKS);
    p.blocks = tg_ceil_div(size.k, TG_SKIP_BLOCK);
    p.per_task = size.transpose_a ? MOST_TASK_ROWS : tg_least(tg_most(even, TASK_ROWS), MOST_TASK_ROWS);
    p.row_tasks = tg_ceil_div(size.m, p.per_task);
    return p;
}

/* Places that no pattern of rows and columns is in step with, and the same for the same shape. */
bool tg_skip_pays(const tg_skip_plan *plan, const uint8_t *x, const float *table)
{
    int64_t places = plan->size.m * plan->size.k - TG_SKIP_BLOCK + 1, found = 0;
    if (table[0] != 0 || places <= 0)
        return false;
    for (uint64_t i = 0; i < SAMPLES; i++) {
        uint64_t mask, at = (i * 0x9E3779B97F4A7C15u >> 16) % (uint64_t)places;
        plan->kernels->nonzeros(x + at, 0, 1, TG_SKIP_BLOCK, &mask);
        found += __builtin_popcountll(mask);
    }
    return 2 * found <= SAMPLES * TG_SKIP_BLOCK;
}

/* The packed right side: by panel, by block, [TG_SKIP_BLOCK, the panel's vectors]; then whether each block is finite. */
static int64_t packed_floats(const tg_skip_plan *p) { return p->panels.vectors * p->panels.width * p->blocks * TG_SKIP_BLOCK; }

static int64_t place_of(const tg_skip_plan *p, const tg_panel *panel, int64_t block)
{
    return (panel->first * p->blocks + block * panel->vectors * p->panels.width) * TG_SKIP_BLOCK;
}

int64_t tg_skip_packed(const tg_skip_plan *p) { return packed_floats(p) * (int64_t)sizeof(float) + p->blocks; }

static int64_t depth_of(const tg_skip_plan *p, int64_t block)
{
    return tg_least(p->size.k - block * TG_SKIP_BLOCK, TG_SKIP_BLOCK);
}

void tg_skip_pack(const tg_skip_plan *p, const float *b, void *packed, int64_t i)
{
    uint8_t *finite = (uint8_t *)((float *)packed + packed_floats(p));
    finite[i] = 1;
    for (int64_t j = 0; j < p->panels.count; j++) {
        tg_panel panel = tg_panels_at(&p->panels, j);
        tg_pack pack = {.to = (float *)packed + place_of(p, &panel, i),
                        .from = b + i * TG_SKIP_BLOCK * p->size.n + panel.first,
                        .stride = p->size.n,
                        .rows = depth_of(p, i),
                        .columns = panel.columns,
                        .width = panel.vectors * p->panels.width};
        finite[i] &= p->kernels->pack_finite(&pack);
    }
}

/* Bit j of row i becomes bit i of row j: squares of 32, 16, ... 1 change places. */
static void transpose(uint64_t square[TG_SKIP_BLOCK])
{
    uint64_t low = UINT32_MAX;
    for (int size = TG_SKIP_BLOCK / 2; size > 0; size /= 2, low ^= low << size)
        for (int i = 0; i < TG_SKIP_BLOCK; i = ((i | size) + 1) & ~size) {
            uint64_t swapped = (square[i] >> size ^ square[i | size]) & low;
            square[i] ^= swapped << size;
            square[i | size] ^= swapped;
        }
}

/* Which terms of a block count, by row. */
static void find_terms(const tg_skip_plan *p, const uint8_t *x, int64_t rows, int64_t depth, bool all, uint64_t *masks)
{
    const tg_matmul_size *s = &p->size;
    if (all) {
        for (int64_t r = 0; r < rows; r++)
            masks[r] = UINT64_MAX >> (TG_SKIP_BLOCK - depth);
    } else if (s->transpose_a) {
        p->kernels->nonzeros(x, s->m, depth, rows, masks);
        for (int64_t k = depth; k < TG_SKIP_BLOCK; k++)
            masks[k] = 0;
        transpose(masks);
    } else {
        p->kernels->nonzeros(x, s->k, rows, depth, masks);
    }
}

/* The masks of all blocks, which all panels need. */
static int64_t mask_bytes(const tg_skip_plan *p) { return p->blocks * TG_SKIP_BLOCK * (int64_t)sizeof(uint64_t); }

int64_t tg_skip_scratch(const tg_skip_plan *p)
{
    return mask_bytes(p) + p->per_task * p->kernels->skip_limits()->vectors * p->panels.width * (int64_t)sizeof(float);
}

void tg_skip_run(const tg_skip_plan *p, tg_matmul_left left, const void *packed, float *c, int64_t task, void *scratch)
{
    const tg_matmul_size *s = &p->size;
    const uint8_t *finite = (const uint8_t *)((const float *)packed + packed_floats(p));
    uint64_t *masks = scratch;
    int64_t first = task * p->per_task, rows = tg_least(s->m - first, p->per_task);
    tg_skip_tile tile = {.rows = rows,
                         .row_step = s->transpose_a ? 1 : s->k,
                         .k_step = s->transpose_a ? s->m : 1,
                         .table = left.table,
                         .sums = (float *)((char *)scratch + mask_bytes(p)),
                         .c_step = s->n,
                         .pairs = s->transpose_a};
    const uint8_t *x = left.bytes + first * tile.row_step;
    int64_t step = TG_SKIP_BLOCK * tile.k_step;
    for (int64_t block = 0; block < p->blocks; block++)
        find_terms(p, x + block * step, rows, depth_of(p, block), !finite[block], masks + block * TG_SKIP_BLOCK);
    for (int64_t j = 0; j < p->panels.count; j++) {
        tg_panel panel = tg_panels_at(&p->panels, j);
        tile.vectors = panel.vectors;
        tile.columns = panel.columns;
        tile.c = c + first * s->n + panel.first;
        for (int64_t block = 0; block < p->blocks; block++) {
            tile.first = block == 0;
            tile.last = block == p->blocks - 1;
            tile.x = x + block * step;
            tile.masks = masks + block * TG_SKIP_BLOCK;
            tile.b = (const float *)packed + place_of(p, &panel, block);
            p->kernels->skip_tile(&tile);
        }
    }
}
