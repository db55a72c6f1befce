/* Products of bytes that stand for a table's elements: what becomes of matmul(f(x), b) where x are the bytes of a data set. */
#include <stdio.h>

#include "ops/attributes.h"
#include "ops/kernel_set.h"
#include "ops/kernels/integers.h"
#include "ops/kernels/skip_run.h"
#include "ops/op_entries.h"
#include "ops/ops.h"
#include "ops/products.h"
#include "ops/rewrites.h"

enum { BYTES = 256, LEAST_ROWS = 16 };

static bool lookup_matmul_shape(tg_infer *infer)
{
    const tg_lookup_attributes *attributes = infer->attributes;
    const tg_type *table = &infer->inputs[0], *x = &infer->inputs[1], *b = &infer->inputs[2];
    if (!tg_dtype_is_float(table->dtype) || table->dtype != b->dtype)
        return tg_infer_fail(infer, "the table is %s and the right side %s: a product takes floats of one dtype",
                             tg_dtype_name(table->dtype), tg_dtype_name(b->dtype));
    if (table->shape.rank != 1 || table->shape.dims[0] != BYTES)
        return tg_infer_fail(infer, "the table must have an element for each byte: [%d]", BYTES);
    if (x->dtype != TG_U8)
        return tg_infer_fail(infer, "the left side is %s, not u8", tg_dtype_name(x->dtype));
    if (x->shape.rank != 2 || b->shape.rank != 2)
        return tg_infer_fail(infer, "both sides must be matrices: [rows, columns]");
    int k = attributes->transpose_x ? 0 : 1;
    if (x->shape.dims[k] != b->shape.dims[0])
        return tg_infer_fail(infer, "the left side%s has %lld columns, but the right side has %lld rows",
                             attributes->transpose_x ? ", transposed," : "", (long long)x->shape.dims[k],
                             (long long)b->shape.dims[0]);
    infer->result = (tg_type){b->dtype, TG_SHAPE(x->shape.dims[!k], b->shape.dims[1])};
    return true;
}

/* y = a b with a = table[x]: b' = a^T y', a' = y' b^T, and an element of the table gets what all its places in a do. */
static void lookup_matmul_gradient(const tg_gradient_args *args, tg_tensor *result)
{
    const tg_lookup_attributes *attributes = args->attributes;
    tg_tensor table = args->inputs[0], x = args->inputs[1], b = args->inputs[2], g = args->gradient;
    bool transposed = attributes->transpose_x;
    if (args->wanted[2])
        result[2] = tg_lookup_matmul(table, x, g, !transposed);
    if (!args->wanted[0])
        return;
    tg_shape all = TG_SHAPE(tg_shape_count(tg_tensor_shape(x)));
    tg_tensor a = transposed ? tg_matmul_with(b, g, (tg_matmul_options){.transpose_b = true})
                             : tg_matmul_with(g, b, (tg_matmul_options){.transpose_b = true});
    result[0] = tg_scatter_add(tg_reshape(a, all), tg_cast(tg_reshape(x, all), TG_I32), BYTES);
}

static tg_matmul_size size_of(const tg_work *work)
{
    const tg_lookup_attributes *attributes = work->attributes;
    return (tg_matmul_size){.m = work->output.shape.dims[0],
                            .n = work->output.shape.dims[1],
                            .k = work->inputs[2].shape.dims[0],
                            .transpose_a = attributes->transpose_x,
                            .lookup = true};
}

static double lookup_matmul_flops(const tg_work *work)
{
    tg_matmul_size size = size_of(work);
    return 2.0 * (double)size.m * (double)size.n * (double)size.k;
}

static void lookup_matmul_describe(const void *attributes, char *text, size_t size)
{
    snprintf(text, size, "%s", ((const tg_lookup_attributes *)attributes)->transpose_x ? "x transposed" : "");
}

static double flops_per_task(const tg_work *work) { return tg_task_flops(lookup_matmul_flops(work)); }

/* A product of few rows is dense where nothing was prepared: to pack the right side for it would take longer. */
static bool is_few(const tg_work *work) { return !work->prepared && work->output.shape.dims[0] < LEAST_ROWS; }
static bool is_fast(const tg_work *work) { return work->output.dtype == TG_F32; }

/* Both ways to compute it: which one is taken depends on the bytes. If the right side is prepared, it is packed as skipping wants it,
   each task chooses for its own rows, and the dense way reads the same panels, or the right side where it lies; else the first phase
   chooses and packs for all. */
typedef struct ways {
    tg_skip_plan skip;
    tg_matmul_plan dense;
} ways;

/* Whether the dense way's panels are cut as skipping's are, so that it may well read these: their rows lie in whole cache lines. */
static bool fits_panels(const ways *w) { return w->skip.panels.count > 0 && w->dense.panels.count % w->skip.panels.count == 0; }

static tg_skip_plan skip_of(const tg_work *work) { return tg_skip_plan_make(tg_kernels_for(work->isa), size_of(work)); }

static tg_matmul_plan dense_of(const tg_work *work)
{
    return tg_matmul_plan_make(tg_kernels_for(work->isa), size_of(work), flops_per_task(work));
}

static ways ways_of(const tg_work *work)
{
    ways w = {skip_of(work), dense_of(work)};
    if (work->prepared) {
        w.dense.pack_right = w.dense.pack_right || fits_panels(&w);
        if (w.dense.pack_right)
            tg_matmul_plan_pack_as(&w.dense, w.skip.panels, w.skip.blocks * TG_SKIP_BLOCK);
        tg_skip_plan_cut(&w.skip, &w.dense, flops_per_task(work));
    }
    return w;
}

/* Which way a run takes: what the first task finds, before the packed right side. */
typedef struct choice {
    bool skips;
    char padding[63];
} choice;

static int lookup_matmul_phases(const tg_work *work) { return is_fast(work) && !is_few(work) ? 2 : 1; }

static uint32_t lookup_matmul_prepares(const tg_work *work) { return is_fast(work) && !size_of(work).transpose_a ? 1u << 2 : 0; }

static int64_t blocks_per_task(const tg_skip_plan *plan)
{
    return 1 + TG_PACK_TASK_FLOATS / (TG_SKIP_BLOCK * plan->panels.vectors * plan->panels.width + 1);
}

static int64_t plain_rows_per_task(const tg_work *work)
{
    tg_matmul_size size = size_of(work);
    return 1 + (int64_t)(flops_per_task(work) / (2.0 * (double)size.n * (double)size.k + 1));
}

static int64_t lookup_matmul_tasks(const tg_work *work, int phase)
{
    if (tg_shape_count(work->output.shape) == 0)
        return 0;
    if (!is_fast(work))
        return tg_ceil_div(work->output.shape.dims[0], plain_rows_per_task(work));
    ways w = ways_of(work);
    int64_t skipping = w.skip.row_tasks * w.skip.column_tasks, dense = w.dense.row_tasks * w.dense.column_tasks;
    if (is_few(work))
        return dense;
    if (phase == 1)
        return work->prepared ? skipping : tg_most(skipping, dense);
    return tg_most(tg_most(tg_ceil_div(w.skip.blocks, blocks_per_task(&w.skip)), 1),
                   w.dense.pack_right && !work->prepared ? tg_ceil_div(w.dense.panels.count, tg_panels_per_task(&w.dense)) : 0);
}

static size_t lookup_matmul_scratch_bytes(const tg_work *work)
{
    if (!is_fast(work))
        return 0;
    ways w = ways_of(work);
    return (size_t)tg_most(tg_skip_scratch(&w.skip), tg_matmul_scratch(&w.dense) * (int64_t)sizeof(float));
}

static size_t lookup_matmul_shared_bytes(const tg_work *work)
{
    if (!is_fast(work) || is_few(work))
        return 0;
    ways w = ways_of(work);
    if (work->prepared)
        return (size_t)tg_skip_packed(&w.skip);
    return sizeof(choice) + (size_t)tg_most(tg_skip_packed(&w.skip), tg_matmul_packed(&w.dense) * (int64_t)sizeof(float));
}

static void pack_blocks(const tg_skip_plan *skip, const float *b, void *packed, int64_t task)
{
    int64_t each = blocks_per_task(skip), end = tg_least((task + 1) * each, skip->blocks);
    for (int64_t i = task * each; i < end; i++)
        tg_skip_pack(skip, b, packed, i);
}

static void run_pack(const tg_work *work, tg_matmul_left left, const tg_buffers *buffers, int64_t task)
{
    const float *b = buffers->inputs[2];
    choice *chosen = buffers->shared;
    tg_skip_plan skip = skip_of(work);
    bool skips = tg_skip_pays(&skip, left.bytes, left.table);
    if (task == 0)
        chosen->skips = skips;
    if (skips) {
        pack_blocks(&skip, b, chosen + 1, task);
        return;
    }
    tg_matmul_plan dense = dense_of(work);
    int64_t each = tg_panels_per_task(&dense), end = tg_least((task + 1) * each, dense.panels.count);
    for (int64_t i = task * each; i < end && dense.pack_right; i++)
        tg_matmul_pack(&dense, b, (float *)(chosen + 1), i);
}

static void run_skipping(const tg_skip_plan *skip, tg_matmul_left left, const void *packed, const tg_buffers *buffers,
                         int64_t task, void *scratch)
{
    tg_matmul_part part = tg_skip_task(skip, task);
    tg_skip_run(skip, left, packed, buffers->output, task, scratch);
    tg_finish_part(buffers, skip->size.n, 0, &part);
}

static void run_dense(const tg_matmul_plan *dense, tg_matmul_left left, const void *packed, const tg_buffers *buffers,
                      int64_t task, void *scratch)
{
    tg_matmul_part part = tg_matmul_task(dense, task);
    tg_matmul_run(dense, left, dense->pack_right ? packed : buffers->inputs[2], buffers->output, task, scratch);
    tg_finish_part(buffers, dense->size.n, 0, &part);
}

/* As the first phase chose. */
static void run_chosen(const tg_work *work, tg_matmul_left left, const tg_buffers *buffers, int64_t task, void *scratch)
{
    const choice *chosen = buffers->shared;
    if (chosen->skips) {
        tg_skip_plan skip = skip_of(work);
        if (task >= skip.row_tasks)
            return;
        tg_skip_find(&skip, left.bytes, chosen + 1, task, scratch);
        run_skipping(&skip, left, chosen + 1, buffers, task, scratch);
    } else {
        tg_matmul_plan dense = dense_of(work);
        if (task < dense.row_tasks * dense.column_tasks)
            run_dense(&dense, left, chosen + 1, buffers, task, scratch);
    }
}

/* A task's rows with the prepared right side: by skipping where at most half of the terms count. */
static void run_prepared(const ways *w, tg_matmul_left left, const tg_buffers *buffers, int64_t task, void *scratch)
{
    tg_matmul_part part = tg_skip_task(&w->skip, task);
    int64_t k = w->skip.size.k, n = w->skip.size.n;
    if (left.table[0] == 0 && 2 * tg_skip_find(&w->skip, left.bytes, buffers->shared, task, scratch) <= part.rows * k) {
        run_skipping(&w->skip, left, buffers->shared, buffers, task, scratch);
        return;
    }
    tg_matmul_plan rows = tg_matmul_plan_rows(&w->dense, part.rows, w->skip.column_tasks);
    int64_t column = task % w->skip.column_tasks;
    tg_matmul_part dense = tg_matmul_task(&rows, column);
    left.bytes += part.first_row * k;
    tg_matmul_run(&rows, left, rows.pack_right ? buffers->shared : buffers->inputs[2],
                  (float *)buffers->output + part.first_row * n, column, scratch);
    tg_finish_part(buffers, n, part.first_row * n, &dense);
}

static void run_plain(const tg_work *work, const tg_buffers *buffers, int64_t task)
{
    tg_matmul_size size = size_of(work);
    const double *table = buffers->inputs[0], *b = buffers->inputs[2];
    const uint8_t *x = buffers->inputs[1];
    int64_t each = plain_rows_per_task(work), first = task * each, end = tg_least(first + each, size.m);
    for (int64_t row = first; row < end; row++) {
        double *to = (double *)buffers->output + row * size.n;
        for (int64_t j = 0; j < size.n; j++)
            to[j] = 0;
        for (int64_t k = 0; k < size.k; k++) {
            double value = table[size.transpose_a ? x[k * size.m + row] : x[row * size.k + k]];
            for (int64_t j = 0; j < size.n; j++)
                to[j] += value * b[k * size.n + j];
        }
        for (int64_t j = 0; j < size.n; j++)
            to[j] += 0.0;
    }
    tg_finish(buffers, first * size.n, (end - first) * size.n);
}

/* With the right side prepared. */
static void run_either(const tg_work *work, tg_matmul_left left, const tg_buffers *buffers, int phase, int64_t task,
                       void *scratch)
{
    ways w = ways_of(work);
    if (phase == 0)
        pack_blocks(&w.skip, buffers->inputs[2], buffers->shared, task);
    else
        run_prepared(&w, left, buffers, task, scratch);
}

static tg_status lookup_matmul_run(const tg_work *work, const tg_buffers *buffers, int phase, int64_t task, void *scratch)
{
    tg_matmul_left left = {.bytes = buffers->inputs[1], .table = buffers->inputs[0]};
    if (!is_fast(work)) {
        run_plain(work, buffers, task);
    } else if (is_few(work)) {
        tg_matmul_plan dense = dense_of(work);
        run_dense(&dense, left, NULL, buffers, task, scratch);
    } else if (work->prepared) {
        run_either(work, left, buffers, phase, task, scratch);
    } else if (phase == 0) {
        run_pack(work, left, buffers, task);
    } else {
        run_chosen(work, left, buffers, task, scratch);
    }
    return TG_OK;
}

const tg_op tg_op_lookup_matmul = {
    .name = "lookup_matmul",
    .formula = "y = table[x] b",
    .traits = TG_CONTRACTION,
    .not_differentiable = 1 << 1,
    .min_inputs = 3,
    .max_inputs = 3,
    .tolerance = 8,
    .shape = lookup_matmul_shape,
    .gradient = lookup_matmul_gradient,
    .flops = lookup_matmul_flops,
    .describe = lookup_matmul_describe,
    .run = lookup_matmul_run,
    .phases = lookup_matmul_phases,
    .tasks = lookup_matmul_tasks,
    .scratch_bytes = lookup_matmul_scratch_bytes,
    .shared_bytes = lookup_matmul_shared_bytes,
    .prepares = lookup_matmul_prepares,
};

tg_tensor tg_lookup_matmul_at(tg_where where, tg_tensor table, tg_tensor x, tg_tensor b, bool transpose_x)
{
    tg_lookup_attributes attributes = {transpose_x};
    return tg_apply_at(where, x.graph, &tg_op_lookup_matmul, (tg_tensor[]){table, x, b}, 3, &attributes, sizeof attributes);
}

/* ---- matmul(f(x), b) ---- */

enum { MOST_STEPS = 16, MOST_OPERANDS = 4, LEAST_COLUMNS = 64, VECTOR = 16 };

/* Pointwise ops of one varying operand, from a product's left side back to bytes: chain[0] comes last. */
typedef struct chain {
    const tg_node *at[MOST_STEPS];
    int32_t varying[MOST_STEPS]; /* which operand */
    int32_t count;
    tg_tensor bytes;
} chain;

/* The operand with as many elements as the node, the others being one number each; -1 if it has not just one. */
static int32_t varying_operand(const tg_graph *graph, const tg_node *node)
{
    int32_t found = -1;
    for (int32_t i = 0; i < node->n_inputs; i++) {
        const tg_type *type = &tg_graph_node(graph, node->inputs[i])->type;
        if (type->shape.rank == 0)
            continue;
        if (found >= 0 || !tg_shape_equal(type->shape, node->type.shape))
            return -1;
        found = i;
    }
    return found;
}

static bool find_chain(tg_tensor a, chain *c)
{
    c->count = 0;
    for (;;) {
        const tg_node *node = tg_tensor_node(a);
        if (node->type.dtype == TG_U8)
            break;
        if (node->op == &tg_op_reshape) {
            a.id = node->inputs[0];
            continue;
        }
        int32_t varying = node->n_inputs <= MOST_OPERANDS ? varying_operand(a.graph, node) : -1;
        if (!(node->op->traits & TG_POINTWISE) || node->op == &tg_op_broadcast_to || varying < 0 || c->count == MOST_STEPS)
            return false;
        c->at[c->count] = node;
        c->varying[c->count++] = varying;
        a.id = node->inputs[varying];
    }
    c->bytes = a;
    return c->count > 0;
}

/* What the chain makes of each byte. */
static tg_tensor record_table(tg_graph *graph, const chain *c)
{
    uint8_t bytes[BYTES];
    for (int i = 0; i < BYTES; i++)
        bytes[i] = (uint8_t)i;
    tg_tensor table = tg_constant(graph, TG_U8, TG_SHAPE(BYTES), bytes, sizeof bytes);
    for (int32_t i = c->count - 1; i >= 0; i--) {
        tg_tensor operands[MOST_OPERANDS];
        for (int32_t k = 0; k < c->at[i]->n_inputs; k++)
            operands[k] = k == c->varying[i] ? table : (tg_tensor){graph, c->at[i]->inputs[k]};
        table = tg_apply(graph, c->at[i]->op, operands, c->at[i]->n_inputs, c->at[i]->attributes, c->at[i]->attribute_bytes);
    }
    return table;
}

tg_tensor tg_rewrite_matmul_of_bytes(const tg_rewrite_args *args)
{
    const tg_matmul_attributes *attributes = args->attributes;
    tg_tensor a = args->inputs[0], b = args->inputs[1];
    tg_shape left = tg_tensor_shape(a), right = tg_tensor_shape(b);
    if (args->type.dtype != TG_F32 || attributes->transpose_b || left.rank != 2 || right.rank != 2)
        return tg_none();
    int64_t n = right.dims[1], lanes = tg_ceil_div(n, VECTOR) * VECTOR;
    chain c;
    bool few = attributes->transpose_a && left.dims[0] < LEAST_ROWS;
    if (few || left.dims[1] < LEAST_COLUMNS || 4 * n < 3 * lanes || !find_chain(a, &c))
        return tg_none();
    return tg_lookup_matmul(record_table(args->graph, &c), tg_reshape(c.bytes, left), b, attributes->transpose_a);
}
