#include "ops/kernels/matmul.h"

#include "ops/kernels/integers.h"

enum {
    DEPTH = 512, /* of k at a time, where k is longer than DEEPEST: a panel of it stays in the second-level cache */
    DEEPEST = 1024,
    TASK_COLUMNS = 256,      /* most columns of a task: a wide matrix is cut into stretches of 128 to 256 */
    TASK_ROWS = 32,          /* least rows of a task where b is packed, since each task reads it through */
    TASK_ELEMENTS = 1 << 17, /* most elements of c in a task: they are still in the second-level cache when the epilogue comes */
    DIRECT_COLUMNS = 192,    /* a right side with longer rows is packed: its rows would share few cache sets and many pages */
    DIRECT_ROWS = 32,        /* unless it meets so few rows of the left that packing would take longer than the product */
    LATE_ROWS = 256,         /* least rows of tasks that pack the right side themselves, */
    LATE_TASKS = 16          /* and how many of these there must be */
};

/* Columns are cut first: a task's columns of b then stay in its cache for many rows of a. */
static void cut_tasks(tg_matmul_plan *p, double flops_per_task)
{
    double flops = 2.0 * (double)p->size.m * (double)p->size.n * (double)p->size.k;
    int64_t wanted = 1 + (int64_t)(flops / flops_per_task), fewest = tg_ceil_div(p->size.n, TASK_COLUMNS);
    p->column_tasks = tg_least(tg_most(fewest, tg_least(wanted, p->size.n / (TASK_COLUMNS / 2))), p->panels.count);
    int64_t rows = tg_ceil_div(wanted, p->column_tasks);
    if (p->pack_right)
        rows = tg_least(rows, tg_ceil_div(p->size.m, TASK_ROWS));
    int64_t elements = p->size.m * tg_ceil_div(p->size.n, p->column_tasks);
    p->row_tasks = tg_least(tg_most(rows, tg_ceil_div(elements, TASK_ELEMENTS)), p->row_blocks);
}

/* Few columns leave lanes idle that the rows would fill, if they lie in memory as columns must: then c^T is computed. */
static bool is_better_swapped(const tg_matmul_size *s, int64_t width)
{
    int64_t lanes = tg_ceil_div(s->n, width) * width;
    return s->transpose_a && !s->transpose_b && !s->lookup && 4 * s->n < 3 * lanes && s->m >= 2 * lanes;
}

tg_matmul_plan tg_matmul_plan_make(const tg_kernels *kernels, tg_matmul_size size, double flops_per_task)
{
    const tg_tile_limits *limits = kernels->tile_limits();
    size.transpose_b = size.transpose_b && size.n > 1; /* a single column lies as a single row does */
    bool swapped = is_better_swapped(&size, limits->width);
    if (swapped)
        size = (tg_matmul_size){.m = size.n, .n = size.m, .k = size.k, .transpose_a = true};
    tg_matmul_plan p = {.kernels = kernels, .size = size, .swapped = swapped, .panels = tg_panels_make(limits, size.n)};
    bool long_rows = size.n > DIRECT_COLUMNS && size.m > DIRECT_ROWS;
    p.pack_right = size.transpose_b || long_rows;
    p.pack_left = size.transpose_a && long_rows;
    p.packed = p.panels;
    p.packed_rows = size.k;
    p.depth = size.k > DEEPEST ? DEPTH : tg_most(size.k, 1);
    p.row_blocks = tg_ceil_div(size.m, tg_panels_rows(&p.panels, limits));
    if (size.m > 0 && p.panels.count > 0)
        cut_tasks(&p, flops_per_task);
    if (swapped) /* a task's columns become rows of c, which are to be whole */
        p.row_tasks = 1;
    return p;
}

void tg_matmul_plan_pack_as(tg_matmul_plan *plan, tg_panels packed, int64_t packed_rows)
{
    int64_t each = packed.count ? tg_ceil_div(plan->panels.count, packed.count) : 0;
    plan->packed = packed;
    plan->packed_rows = packed_rows;
    plan->panels.count = each * packed.count; /* then the first of each begins where it does */
    plan->row_blocks = tg_ceil_div(plan->size.m, tg_panels_rows(&plan->panels, plan->kernels->tile_limits()));
}

void tg_matmul_plan_pack_late(tg_matmul_plan *plan)
{
    int64_t wide = plan->pack_left ? 2 : 1; /* each task packs its rows: so that these are fewer times the same ones */
    int64_t columns = tg_least(tg_ceil_div(plan->size.n, wide * TASK_COLUMNS), plan->panels.count);
    int64_t elements = plan->size.m * tg_ceil_div(plan->size.n, tg_most(columns, 1));
    int64_t rows = tg_most(tg_ceil_div(elements, wide * TASK_ELEMENTS), tg_ceil_div(LATE_TASKS, tg_most(columns, 1)));
    if (!plan->pack_right || plan->swapped || plan->size.m < rows * LATE_ROWS)
        return;
    plan->pack_right = false;
    plan->pack_late = true;
    plan->row_tasks = rows;
    plan->column_tasks = columns;
}

tg_matmul_plan tg_matmul_plan_rows(const tg_matmul_plan *plan, int64_t rows, int64_t column_tasks)
{
    tg_matmul_plan part = *plan;
    part.size.m = rows;
    part.row_blocks = tg_ceil_div(rows, tg_panels_rows(&plan->panels, plan->kernels->tile_limits()));
    part.row_tasks = 1;
    part.column_tasks = column_tasks;
    return part;
}

int64_t tg_matmul_packed(const tg_matmul_plan *plan)
{
    return plan->pack_right ? plan->panels.vectors * plan->panels.width * plan->size.k : 0;
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

/* Of what is computed. */
static tg_matmul_part part_of(const tg_matmul_plan *p, const region *r)
{
    int64_t row = block_row(p, r->first_block);
    tg_panel left = tg_panels_at(&p->panels, r->first_panel), right = tg_panels_at(&p->panels, r->end_panel - 1);
    return (tg_matmul_part){row, block_row(p, r->end_block) - row, left.first, right.first + right.columns - left.first};
}

tg_matmul_part tg_matmul_task(const tg_matmul_plan *plan, int64_t task)
{
    region r = region_of(plan, task);
    tg_matmul_part part = part_of(plan, &r);
    return plan->swapped ? (tg_matmul_part){part.first_column, part.columns, part.first_row, part.rows} : part;
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
    return p->pack_right || p->pack_late || beyond <= 0 ? 0 : tg_least(tg_ceil_div(beyond, p->size.n), p->size.k);
}

static int64_t tail_floats(const tg_matmul_plan *p)
{
    return p->pack_right ? 0 : (int64_t)p->panels.width * p->panels.width * TG_TILE_MAX_VECTORS;
}

static int64_t left_floats(const tg_matmul_plan *p) { return p->pack_left && p->row_tasks ? task_rows(p) * p->depth : 0; }

/* A swapped part is computed apart, and then transposed into its place; a single row lies as a single column does. */
static bool is_apart(const tg_matmul_plan *p) { return p->swapped && p->size.m > 1; }

static int64_t apart_floats(const tg_matmul_plan *p)
{
    int64_t columns = p->column_tasks ? tg_ceil_div(p->panels.count, p->column_tasks) * TG_TILE_MAX_VECTORS * p->panels.width : 0;
    return is_apart(p) ? p->size.m * columns : 0;
}

/* A panel of a block of k. */
static int64_t late_floats(const tg_matmul_plan *p)
{
    return p->pack_late ? tg_least(p->depth, p->size.k) * TG_TILE_MAX_VECTORS * p->panels.width : 0;
}

int64_t tg_matmul_scratch(const tg_matmul_plan *plan)
{
    return tail_floats(plan) + left_floats(plan) + apart_floats(plan) + late_floats(plan);
}

/* Rows [k, end) of a panel of the right side. */
static void pack_panel(const tg_matmul_plan *plan, const float *right, float *to, const tg_panel *panel, int64_t k, int64_t end)
{
    const tg_matmul_size *s = &plan->size;
    tg_pack pack = {.to = to,
                    .from = right + (s->transpose_b ? panel->first * s->k + k : panel->first + k * s->n),
                    .stride = s->transpose_b ? s->k : s->n,
                    .rows = end - k,
                    .columns = panel->columns,
                    .width = panel->vectors * plan->panels.width};
    if (s->transpose_b)
        plan->kernels->pack_transposed(&pack);
    else
        plan->kernels->pack(&pack);
}

void tg_matmul_pack(const tg_matmul_plan *plan, const float *right, float *packed, int64_t i)
{
    tg_panel panel = tg_panels_at(&plan->panels, i);
    pack_panel(plan, right, packed + panel.first * plan->size.k, &panel, 0, plan->size.k);
}

/* Element (row, k) of the left side lies at data[row row_step + k k_step - skipped]. */
typedef struct left_side {
    const float *data;
    const uint8_t *bytes; /* or is table[bytes[...]], likewise */
    const float *table;
    int64_t row_step, k_step, skipped;
} left_side;

/* What a task works on; element (row, column) of the result lies at c[row c_step + column - c_skipped]. */
typedef struct product {
    const tg_matmul_plan *plan;
    region region;
    left_side left;
    const float *right;
    float *c;
    int64_t c_step, c_skipped;
    float *scratch;
} product;

static void pack_bytes(float *to, const uint8_t *from, const float *table, int64_t stride, int64_t rows, int64_t columns)
{
    for (int64_t r = 0; r < rows; r++)
        for (int64_t j = 0; j < columns; j++)
            to[r * columns + j] = table[from[r * stride + j]];
}

static left_side pack_left(const product *p, tg_matmul_left left, int64_t k, int64_t end)
{
    const tg_matmul_size *s = &p->plan->size;
    int64_t row = block_row(p->plan, p->region.first_block), rows = block_row(p->plan, p->region.end_block) - row;
    float *to = p->scratch + tail_floats(p->plan);
    if (s->lookup) {
        pack_bytes(to, left.bytes + k * s->m + row, left.table, s->m, end - k, rows);
    } else {
        tg_pack pack = {
            .to = to, .from = left.floats + k * s->m + row, .stride = s->m, .rows = end - k, .columns = rows, .width = rows};
        p->plan->kernels->pack(&pack);
    }
    return (left_side){.data = to, .row_step = 1, .k_step = rows, .skipped = row + k * rows};
}

/* All row blocks, over the panel and the stretch of k from `k` on that `tile` names. */
static void run_blocks(const product *p, const tg_panel *panel, int64_t k, tg_tile *tile)
{
    static const int64_t start = 0;
    tile->vectors = panel->vectors;
    tile->columns = panel->columns;
    tile->a_step = p->left.k_step;
    tile->table = p->left.table;
    tile->offsets = &start;
    tile->runs = 1;
    tile->c_step = p->c_step;
    for (int64_t block = p->region.first_block; block < p->region.end_block; block++) {
        int64_t row = block_row(p->plan, block);
        tile->rows = (int32_t)(block_row(p->plan, block + 1) - row);
        tile->c = p->c + (row * p->c_step + panel->first - p->c_skipped);
        for (int32_t i = 0; i < tile->rows; i++) {
            int64_t at = (row + i) * p->left.row_step + k * p->left.k_step - p->left.skipped;
            if (p->left.bytes)
                tile->bytes[i] = p->left.bytes + at;
            else
                tile->a[i] = p->left.data + at;
        }
        if (p->left.bytes)
            p->plan->kernels->tile_lookup(tile);
        else
            p->plan->kernels->tile(tile);
    }
}

/* Where the right side's part for panel i begins, and floats from one k to the next. */
static const float *find_right(const product *p, int64_t i, const tg_panel *panel, int64_t *step)
{
    const tg_matmul_plan *plan = p->plan;
    *step = plan->size.n;
    if (!plan->pack_right)
        return p->right + panel->first;
    tg_panel outer = tg_panels_at(&plan->packed, i * plan->packed.count / plan->panels.count);
    *step = outer.vectors * plan->packed.width;
    return p->right + outer.first * plan->packed_rows + panel->first - outer.first;
}

static void run_panel(const product *p, int64_t i, int64_t k, int64_t end)
{
    const tg_matmul_plan *plan = p->plan;
    tg_panel panel = tg_panels_at(&plan->panels, i);
    int64_t width = panel.vectors * plan->panels.width, whole = plan->size.k - tail_rows(plan, &panel), step;
    if (plan->pack_late) {
        float *packed = p->scratch + tail_floats(plan) + left_floats(plan) + apart_floats(plan);
        pack_panel(plan, p->right, packed, &panel, k, end);
        tg_tile tile = {.b = packed, .b_step = width, .run = end - k, .add = k > 0};
        run_blocks(p, &panel, k, &tile);
        return;
    }
    const float *right = find_right(p, i, &panel, &step);
    if (k < whole || k == 0) {
        tg_tile tile = {.b = right + k * step, .b_step = step, .run = tg_least(end, whole) - k, .add = k > 0};
        run_blocks(p, &panel, k, &tile);
    }
    if (end > whole) {
        k = tg_most(k, whole);
        tg_pack pack = {.to = p->scratch,
                        .from = right + k * step,
                        .stride = step,
                        .rows = end - k,
                        .columns = panel.columns,
                        .width = width};
        plan->kernels->pack(&pack);
        tg_tile tile = {.b = p->scratch, .b_step = width, .run = end - k, .add = true};
        run_blocks(p, &panel, k, &tile);
    }
}

void tg_matmul_run(const tg_matmul_plan *plan, tg_matmul_left left, const float *right, float *c, int64_t task, float *scratch)
{
    const tg_matmul_size *s = &plan->size;
    left_side in_place = {left.floats, left.bytes, left.table, s->transpose_a ? 1 : s->k, s->transpose_a ? s->m : 1, 0};
    product p = {plan, region_of(plan, task), in_place, right, c, s->n, 0, scratch};
    tg_matmul_part part = part_of(plan, &p.region);
    if (is_apart(plan)) {
        p.c = scratch + tail_floats(plan) + left_floats(plan);
        p.c_step = part.columns;
        p.c_skipped = part.first_column;
    }
    for (int64_t k = 0; k == 0 || k < s->k; k += plan->depth) {
        int64_t end = tg_least(k + plan->depth, s->k);
        if (plan->pack_left)
            p.left = pack_left(&p, left, k, end);
        for (int64_t i = p.region.first_panel; i < p.region.end_panel; i++)
            run_panel(&p, i, k, end);
    }
    if (is_apart(plan)) {
        tg_pack pack = {.to = c + part.first_column * s->m,
                        .from = p.c,
                        .stride = part.columns,
                        .rows = part.columns,
                        .columns = s->m,
                        .width = s->m};
        plan->kernels->pack_transposed(&pack);
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
