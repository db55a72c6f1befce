#include "ops/kernels/integers.h"
#include "ops/kernels/skip_run.h"

enum {
    TASK_ROWS = 32, /* each task reads all of b, block by block, from the second cache */
    CUT_ROWS = 42,  /* at most, or what whole tiles make of it, where nothing is packed for a run: b is then read less often */
    MOST_TASK_ROWS = 64, /* with x transposed: what a square of masks gives */
    MOST_TASKS = 48,
    ENOUGH_TASKS = 16, /* of rows: then columns are left whole, since each of their tasks looks for the rows' terms again */
    SAMPLES = 32       /* of TG_SKIP_BLOCK bytes each */
};

tg_skip_plan tg_skip_plan_make(const tg_kernels *kernels, tg_matmul_size size)
{
    tg_skip_plan p = {.kernels = kernels, .size = size, .panels = tg_panels_make(kernels->skip_limits(), size.n)};
    int64_t even = tg_ceil_div(size.m, MOST_TASKS);
    p.blocks = tg_ceil_div(size.k, TG_SKIP_BLOCK);
    p.per_task = size.transpose_a ? MOST_TASK_ROWS : tg_least(tg_most(even, TASK_ROWS), MOST_TASK_ROWS);
    p.row_tasks = tg_ceil_div(size.m, p.per_task);
    p.column_tasks = 1;
    return p;
}

void tg_skip_plan_cut(tg_skip_plan *p, const tg_matmul_plan *dense, double flops_per_task)
{
    int64_t rows = tg_panels_rows(&dense->panels, p->kernels->tile_limits()), tasks = tg_ceil_div(p->size.m, CUT_ROWS);
    double flops = 2.0 * (double)p->size.m * (double)p->size.n * (double)p->size.k;
    p->per_task = tg_most(tg_ceil_div(tg_ceil_div(p->size.m, tg_most(tasks, 1)), rows), 1) * rows;
    p->row_tasks = tg_ceil_div(p->size.m, p->per_task);
    int64_t wanted = tg_least(1 + (int64_t)(flops / flops_per_task), ENOUGH_TASKS);
    p->column_tasks = tg_least(tg_ceil_div(wanted, tg_most(p->row_tasks, 1)), tg_most(p->panels.count, 1));
}

/* Places that no pattern of rows and columns is in step with, and the same for the same shape. */
bool tg_skip_pays(const tg_skip_plan *plan, const uint8_t *x, const float *table)
{
    int64_t places = plan->size.m * plan->size.k - TG_SKIP_BLOCK + 1, found = 0;
    if (table[0] != 0 || places <= 0)
        return false;
    for (uint64_t i = 0; i < SAMPLES; i++) {
        uint64_t mask, at = (i * 0x9E3779B97F4A7C15u >> 16) % (uint64_t)places;
        found += plan->kernels->nonzeros(x + at, 0, 1, TG_SKIP_BLOCK, &mask, 1);
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

/* Which terms count, [block, row of TG_SKIP_BLOCK]; returns how many. Bytes are read as they lie. */
static int64_t find_terms(const tg_skip_plan *p, const uint8_t *x, int64_t rows, uint64_t *masks)
{
    const tg_matmul_size *s = &p->size;
    int64_t count = 0, whole = s->k / TG_SKIP_BLOCK, rest = s->k % TG_SKIP_BLOCK;
    for (int64_t r = 0; r < rows && !s->transpose_a; r++, x += s->k) {
        count += p->kernels->nonzeros(x, TG_SKIP_BLOCK, whole, TG_SKIP_BLOCK, masks + r, TG_SKIP_BLOCK);
        if (rest > 0)
            count += p->kernels->nonzeros(x + whole * TG_SKIP_BLOCK, 0, 1, rest, masks + whole * TG_SKIP_BLOCK + r, 1);
    }
    for (int64_t block = 0; block < p->blocks && s->transpose_a; block++, masks += TG_SKIP_BLOCK) {
        int64_t depth = depth_of(p, block);
        count += p->kernels->nonzeros(x + block * TG_SKIP_BLOCK * s->m, s->m, depth, rows, masks, 1);
        for (int64_t k = depth; k < TG_SKIP_BLOCK; k++)
            masks[k] = 0;
        transpose(masks);
    }
    return count;
}

/* All terms of a block count; returns how many did not before. */
static int64_t take_all(int64_t rows, int64_t depth, uint64_t *masks)
{
    int64_t count = rows * depth;
    for (int64_t r = 0; r < rows; r++) {
        count -= __builtin_popcountll(masks[r]);
        masks[r] = UINT64_MAX >> (TG_SKIP_BLOCK - depth);
    }
    return count;
}

/* The masks of all blocks, which all panels need. */
static int64_t mask_bytes(const tg_skip_plan *p) { return p->blocks * TG_SKIP_BLOCK * (int64_t)sizeof(uint64_t); }

int64_t tg_skip_scratch(const tg_skip_plan *p)
{
    return mask_bytes(p) + p->per_task * p->kernels->skip_limits()->vectors * p->panels.width * (int64_t)sizeof(float);
}

/* The panels of a task: [first, end). */
static void find_panels(const tg_skip_plan *p, int64_t task, int64_t *first, int64_t *end)
{
    int64_t column = task % p->column_tasks;
    *first = p->panels.count * column / p->column_tasks;
    *end = p->panels.count * (column + 1) / p->column_tasks;
}

tg_matmul_part tg_skip_task(const tg_skip_plan *p, int64_t task)
{
    int64_t first, end, row = task / p->column_tasks * p->per_task;
    find_panels(p, task, &first, &end);
    tg_panel left = tg_panels_at(&p->panels, first), right = tg_panels_at(&p->panels, end - 1);
    return (tg_matmul_part){row, tg_least(p->size.m - row, p->per_task), left.first, right.first + right.columns - left.first};
}

static int64_t row_step(const tg_skip_plan *p) { return p->size.transpose_a ? 1 : p->size.k; }
static int64_t k_step(const tg_skip_plan *p) { return p->size.transpose_a ? p->size.m : 1; }

int64_t tg_skip_find(const tg_skip_plan *p, const uint8_t *x, const void *packed, int64_t task, void *scratch)
{
    const uint8_t *finite = (const uint8_t *)((const float *)packed + packed_floats(p));
    tg_matmul_part part = tg_skip_task(p, task);
    int64_t count = find_terms(p, x + part.first_row * row_step(p), part.rows, scratch);
    for (int64_t block = 0; block < p->blocks; block++)
        if (!finite[block])
            count += take_all(part.rows, depth_of(p, block), (uint64_t *)scratch + block * TG_SKIP_BLOCK);
    return count;
}

void tg_skip_run(const tg_skip_plan *p, tg_matmul_left left, const void *packed, float *c, int64_t task, void *scratch)
{
    tg_matmul_part part = tg_skip_task(p, task);
    int64_t first, end;
    find_panels(p, task, &first, &end);
    tg_skip_tile tile = {.rows = part.rows,
                         .row_step = row_step(p),
                         .k_step = k_step(p),
                         .table = left.table,
                         .sums = (float *)((char *)scratch + mask_bytes(p)),
                         .c_step = p->size.n,
                         .pairs = p->size.transpose_a};
    const uint8_t *x = left.bytes + part.first_row * tile.row_step;
    for (int64_t j = first; j < end; j++) {
        tg_panel panel = tg_panels_at(&p->panels, j);
        tile.vectors = panel.vectors;
        tile.columns = panel.columns;
        tile.c = c + part.first_row * p->size.n + panel.first;
        for (int64_t block = 0; block < p->blocks; block++) {
            tile.first = block == 0;
            tile.last = block == p->blocks - 1;
            tile.x = x + block * TG_SKIP_BLOCK * tile.k_step;
            tile.masks = (const uint64_t *)scratch + block * TG_SKIP_BLOCK;
            tile.b = (const float *)packed + place_of(p, &panel, block);
            p->kernels->skip_tile(&tile);
        }
    }
}
