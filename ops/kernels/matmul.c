#include "ops/kernels/matmul.h"

#include "ops/kernels/integers.h"

enum {
    DEPTH = 512, /* of k at a time, where k is longer than DEEPEST: a panel of it stays in the second-level cache */
    DEEPEST = 1024,
    TASK_COLUMNS = 512,      /* most columns of a task: a wide matrix is cut into stretches of 256 to 512 */
    TASK_ROWS = 32,          /* least rows of a task where b is packed, since each task reads it through */
    TASK_ELEMENTS = 1 << 15, /* most elements of c in a task: they are still in the second-level cache when the epilogue comes */
    DIRECT_COLUMNS = 256,    /* a b with longer rows is packed: its rows would share few cache sets and many pages */
    DIRECT_ROWS = 8          /* unless it is used for so few rows of a that packing would take longer than the product */
};

/* Columns are cut first: a task's columns of b then stay in its cache for many rows of a. */
static void cut_tasks(tg_matmul_plan *p, double flops_per_task)
{
    double flops = 2.0 * (double)p->size.m * (double)p->size.n * (double)p->size.k;
    int64_t wanted = 1 + (int64_t)(flops / flops_per_task), fewest = tg_ceil_div(p->size.n, TASK_COLUMNS);
    p->column_tasks = tg_least(tg_most(fewest, tg_least(wanted, p->size.n / (TASK_COLUMNS / 2))), p->panels.count);
    int64_t rows = tg_ceil_div(wanted, p->column_tasks);
    if (p->pack_b)
        rows = tg_least(rows, tg_ceil_div(p->size.m, TASK_ROWS));
    int64_t elements = p->size.m * tg_ceil_div(p->size.n, p->column_tasks);
    p->row_tasks = tg_least(tg_most(rows, tg_ceil_div(elements, TASK_ELEMENTS)), p->row_blocks);
}

tg_matmul_plan tg_matmul_plan_make(const tg_kernels *kernels, tg_matmul_size size, double flops_per_task)
{
    const tg_tile_limits *limits = kernels->tile_limits();
    tg_matmul_plan p = {.kernels = kernels, .size = size, .panels = tg_panels_make(limits, size.n)};
    p.depth = size.k > DEEPEST ? DEPTH : tg_most(size.k, 1);
    p.row_blocks = tg_ceil_div(size.m, tg_panels_rows(&p.panels, limits));
    p.pack_b = size.transpose_b || (size.n > DIRECT_COLUMNS && size.m > DIRECT_ROWS);
    p.pack_a = size.transpose_a && size.n > DIRECT_COLUMNS && size.m > DIRECT_ROWS;
    if (size.m > 0 && size.n > 0)
        cut_tasks(&p, flops_per_task);
    return p;
}

int64_t tg_matmul_packed(const tg_matmul_plan *plan)
{
    return plan->pack_b ? plan->panels.vectors * plan->panels.width * plan->size.k : 0;
}

/* The tiles and panels of a task. */
typedef struct region {
    int64_t first_block, end_block, first_panel, end_panel;
} region;

static region region_of(const tg_matmul_plan *p, int64_t task)
{
    int64_t row = task / p->column_tasks, column = task % p->column_tasks;
    return (region){p->row_blocks * row / p->row_tasks, p->row_blocks * (row + 1) / p->row_tasks,
                    p->panels.count * column / p->column_tasks, p->panels.count * (column + 1) / p->column_tasks};
}

/* Where a row block begins. */
static int64_t block_row(const tg_matmul_plan *p, int64_t block) { return p->size.m * block / p->row_blocks; }

tg_matmul_part tg_matmul_task(const tg_matmul_plan *plan, int64_t task)
{
    region r = region_of(plan, task);
    int64_t row = block_row(plan, r.first_block);
    tg_panel left = tg_panels_at(&plan->panels, r.first_panel), right = tg_panels_at(&plan->panels, r.end_panel - 1);
    return (tg_matmul_part){row, block_row(plan, r.end_block) - row, left.first, right.first + right.columns - left.first};
}

/* Most rows of a task. */
static int64_t task_rows(const tg_matmul_plan *p)
{
    return tg_ceil_div(p->size.m, p->row_blocks) * tg_ceil_div(p->row_blocks, p->row_tasks);
}

/* Whole vectors that reach beyond the last columns reach into the next row of b, and at its end beyond b: there they read a copy. */
static int64_t tail_rows(const tg_matmul_plan *p, const tg_panel *panel)
{
    int64_t beyond = panel->first + panel->vectors * p->panels.width - p->size.n;
    return p->pack_b || beyond <= 0 ? 0 : tg_least(tg_ceil_div(beyond, p->size.n), p->size.k);
}

static int64_t tail_floats(const tg_matmul_plan *p)
{
    return p->pack_b ? 0 : (int64_t)p->panels.width * p->panels.width * TG_TILE_MAX_VECTORS;
}

int64_t tg_matmul_scratch(const tg_matmul_plan *plan)
{
    return tail_floats(plan) + (plan->pack_a && plan->row_tasks ? task_rows(plan) * plan->depth : 0);
}

void tg_matmul_pack(const tg_matmul_plan *plan, const float *b, float *packed, int64_t i)
{
    const tg_matmul_size *s = &plan->size;
    tg_panel panel = tg_panels_at(&plan->panels, i);
    tg_pack pack = {.to = packed + panel.first * s->k,
                    .from = b + panel.first * (s->transpose_b ? s->k : 1),
                    .stride = s->transpose_b ? s->k : s->n,
                    .rows = s->k,
                    .columns = panel.columns,
                    .width = panel.vectors * plan->panels.width};
    if (s->transpose_b)
        plan->kernels->pack_transposed(&pack);
    else
        plan->kernels->pack(&pack);
}

/* Element (row, k) of op(a) lies at data[row row_step + k k_step]. */
typedef struct left_side {
    const float *data;
    int64_t row_step, k_step;
} left_side;

static left_side pack_left(const tg_matmul_plan *p, const float *a, const region *r, int64_t k, int64_t end, float *to)
{
    int64_t row = block_row(p, r->first_block), rows = block_row(p, r->end_block) - row;
    tg_pack pack = {
        .to = to, .from = a + k * p->size.m + row, .stride = p->size.m, .rows = end - k, .columns = rows, .width = rows};
    p->kernels->pack(&pack);
    return (left_side){to - row - k * rows, 1, rows};
}

/* All row blocks of a region, over the panel and stretch of k that `tile` names. */
static void run_blocks(const tg_matmul_plan *p, const left_side *a, float *c, const region *r, int64_t k, tg_tile *tile)
{
    static const int64_t start = 0;
    tile->a_step = a->k_step;
    tile->offsets = &start;
    tile->runs = 1;
    tile->c_step = p->size.n;
    for (int64_t block = r->first_block; block < r->end_block; block++) {
        int64_t row = block_row(p, block);
        tile->rows = (int32_t)(block_row(p, block + 1) - row);
        for (int32_t i = 0; i < tile->rows; i++)
            tile->a[i] = a->data + (row + i) * a->row_step + k * a->k_step;
        tile->c = c + row * p->size.n;
        p->kernels->tile(tile);
    }
}

static void run_panel(const tg_matmul_plan *p, const left_side *a, const float *b, float *c, const region *r, int64_t i,
                      int64_t k, int64_t end, float *scratch)
{
    tg_panel panel = tg_panels_at(&p->panels, i);
    int64_t width = panel.vectors * p->panels.width, whole = p->size.k - tail_rows(p, &panel);
    int64_t step = p->pack_b ? width : p->size.n;
    tg_tile tile = {.vectors = panel.vectors, .columns = panel.columns};
    b += p->pack_b ? panel.first * p->size.k : panel.first;
    c += panel.first;
    if (k < whole || k == 0) {
        tile.b = b + k * step;
        tile.b_step = step;
        tile.run = tg_least(end, whole) - k;
        tile.add = k > 0;
        run_blocks(p, a, c, r, k, &tile);
    }
    if (end > whole) {
        k = tg_most(k, whole);
        tg_pack pack = {
            .to = scratch, .from = b + k * step, .stride = step, .rows = end - k, .columns = panel.columns, .width = width};
        p->kernels->pack(&pack);
        tile.b = scratch;
        tile.b_step = width;
        tile.run = end - k;
        tile.add = true;
        run_blocks(p, a, c, r, k, &tile);
    }
}

void tg_matmul_run(const tg_matmul_plan *plan, const float *a, const float *b, float *c, int64_t task, float *scratch)
{
    region r = region_of(plan, task);
    left_side left = {a, plan->size.transpose_a ? 1 : plan->size.k, plan->size.transpose_a ? plan->size.m : 1};
    for (int64_t k = 0; k == 0 || k < plan->size.k; k += plan->depth) {
        int64_t end = tg_least(k + plan->depth, plan->size.k);
        if (plan->pack_a)
            left = pack_left(plan, a, &r, k, end, scratch + tail_floats(plan));
        for (int64_t i = r.first_panel; i < r.end_panel; i++)
            run_panel(plan, &left, b, c, &r, i, k, end, scratch);
    }
}

void tg_matmul_plain(tg_matmul_size size, const double *a, const double *b, double *c, int64_t first, int64_t end)
{
    int64_t a_row = size.transpose_a ? 1 : size.k, a_k = size.transpose_a ? size.m : 1;
    int64_t b_k = size.transpose_b ? 1 : size.n, b_column = size.transpose_b ? size.k : 1;
    for (int64_t row = first; row < end; row++) {
        double *to = c + row * size.n;
        for (int64_t j = 0; j < size.n; j++)
            to[j] = 0;
        for (int64_t k = 0; k < size.k; k++) {
            double value = a[row * a_row + k * a_k];
            for (int64_t j = 0; j < size.n; j++)
                to[j] += value * b[k * b_k + j * b_column];
        }
        for (int64_t j = 0; j < size.n; j++)
            to[j] += 0.0;
    }
}
