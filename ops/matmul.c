/* Matrix products: [..., m, k] [..., k, n] -> [..., m, n]. */
#include "ops/kernels/matmul.h"

#include <stdio.h>

#include "ops/attributes.h"
#include "ops/kernel_set.h"
#include "ops/kernels/integers.h"
#include "ops/op_entries.h"
#include "ops/ops.h"
#include "ops/products.h"
#include "ops/rewrites.h"

enum {
    MOST_TASKS = 48,           /* of a product: enough for many threads to share evenly */
    LEAST_TASK_FLOPS = 1 << 18 /* large beside the cost of handing out a task */
};

static int64_t extent(const tg_shape *shape, int from_last) { return shape->dims[shape->rank - 1 - from_last]; }

static int64_t count_batches(const tg_shape *shape)
{
    int64_t count = 1;
    for (int axis = 0; axis < shape->rank - 2; axis++)
        count *= shape->dims[axis];
    return count;
}

static tg_shape batch_shape(const tg_shape *shape)
{
    tg_shape batch = *shape;
    batch.rank -= 2;
    return batch;
}

static bool matmul_shape(tg_infer *infer)
{
    const tg_matmul_attributes *attributes = infer->attributes;
    const tg_type *a = &infer->inputs[0], *b = &infer->inputs[1];
    if (!tg_dtype_is_float(a->dtype) || a->dtype != b->dtype)
        return tg_infer_fail(infer, "the operands are %s and %s: a product takes floats of one dtype", tg_dtype_name(a->dtype),
                             tg_dtype_name(b->dtype));
    if (a->shape.rank < 2 || b->shape.rank < 2)
        return tg_infer_fail(infer, "operand %d has rank %d, but a product takes matrices: [..., rows, columns]",
                             a->shape.rank >= 2, a->shape.rank < 2 ? a->shape.rank : b->shape.rank);
    int64_t columns = extent(&a->shape, attributes->transpose_a), rows = extent(&b->shape, !attributes->transpose_b);
    if (columns != rows)
        return tg_infer_fail(infer, "the left side%s has %lld columns, but the right side%s has %lld rows",
                             attributes->transpose_a ? ", transposed," : "", (long long)columns,
                             attributes->transpose_b ? ", transposed," : "", (long long)rows);
    tg_shape shape;
    if (!tg_shape_broadcast(batch_shape(&a->shape), batch_shape(&b->shape), &shape))
        return tg_infer_fail(infer, "the axes before the last two do not broadcast");
    shape.dims[shape.rank++] = extent(&a->shape, !attributes->transpose_a);
    shape.dims[shape.rank++] = extent(&b->shape, attributes->transpose_b);
    infer->result = (tg_type){a->dtype, shape};
    return true;
}

/* y = a b: a' = y' b^T, b' = a^T y'; where a side is read transposed, its gradient is the transpose of that. */
static void matmul_gradient(const tg_gradient_args *args, tg_tensor *result)
{
    const tg_matmul_attributes *attributes = args->attributes;
    tg_tensor a = args->inputs[0], b = args->inputs[1], g = args->gradient;
    bool ta = attributes->transpose_a, tb = attributes->transpose_b;
    if (args->wanted[0])
        result[0] =
            ta ? tg_matmul_with(b, g, (tg_matmul_options){tb, true}) : tg_matmul_with(g, b, (tg_matmul_options){false, !tb});
    if (!args->wanted[1])
        return;
    tg_shape a_shape = tg_tensor_shape(a), b_shape = tg_tensor_shape(b), y_shape = tg_tensor_shape(args->output);
    if (!ta && b_shape.rank == 2 && a_shape.rank > 2) { /* one product over all rows, instead of a sum of one for each batch */
        a = tg_reshape(a, TG_SHAPE(count_batches(&a_shape) * extent(&a_shape, 1), extent(&a_shape, 0)));
        g = tg_reshape(g, TG_SHAPE(count_batches(&y_shape) * extent(&y_shape, 1), extent(&y_shape, 0)));
    }
    result[1] = tb ? tg_matmul_with(g, a, (tg_matmul_options){true, ta}) : tg_matmul_with(a, g, (tg_matmul_options){!ta, false});
}

static double matmul_flops(const tg_work *work)
{
    const tg_matmul_attributes *attributes = work->attributes;
    return 2.0 * (double)tg_shape_count(work->output.shape) * (double)extent(&work->inputs[0].shape, attributes->transpose_a);
}

static void matmul_describe(const void *attributes, char *text, size_t size)
{
    const tg_matmul_attributes *a = attributes;
    snprintf(text, size, "%s%s%s", a->transpose_a ? "a transposed" : "", a->transpose_a && a->transpose_b ? ", " : "",
             a->transpose_b ? "b transposed" : "");
}

/* The node as `batches` products of one size. */
typedef struct products {
    tg_matmul_size size;
    int64_t batches, operand_batches[2];
} products;

static products products_of(const tg_work *work)
{
    const tg_matmul_attributes *attributes = work->attributes;
    const tg_shape *a = &work->inputs[0].shape, *b = &work->inputs[1].shape, *c = &work->output.shape;
    products p = {.batches = count_batches(c), .operand_batches = {count_batches(a), count_batches(b)}};
    p.size = (tg_matmul_size){.m = extent(c, 1),
                              .n = extent(c, 0),
                              .k = extent(a, attributes->transpose_a),
                              .transpose_a = attributes->transpose_a,
                              .transpose_b = attributes->transpose_b};
    if (p.operand_batches[1] == 1 && !p.size.transpose_a && p.operand_batches[0] == p.batches) {
        p.size.m *= p.batches;
        p.batches = p.operand_batches[0] = 1;
    }
    return p;
}

/* Elements of one matrix of an operand. */
static int64_t operand_size(const products *p, int operand) { return p->size.k * (operand ? p->size.n : p->size.m); }

/* Which of an operand's matrices the batch'th product reads. */
static int64_t operand_batch(const tg_shape *operand, const tg_shape *output, int64_t batch)
{
    int64_t index = 0, step = 1;
    for (int axis = output->rank - 3, own = operand->rank - 3; own >= 0; axis--, own--) {
        if (operand->dims[own] > 1)
            index += batch % output->dims[axis] * step;
        step *= operand->dims[own];
        batch /= output->dims[axis];
    }
    return index;
}

double tg_task_flops(double flops)
{
    double even = flops / MOST_TASKS;
    return even > LEAST_TASK_FLOPS ? even : LEAST_TASK_FLOPS;
}

static double flops_per_task(const tg_work *work) { return tg_task_flops(matmul_flops(work)); }

static tg_matmul_plan plan_of(const tg_work *work, const products *p)
{
    tg_matmul_plan plan = tg_matmul_plan_make(tg_kernels_for(work->isa), p->size, flops_per_task(work));
    tg_matmul_plan_pack_late(&plan);
    return plan;
}

/* How many whole products a task takes, if one is too small for a task. */
static int64_t products_per_task(const tg_work *work, const products *p)
{
    double each = 2.0 * (double)p->size.m * (double)p->size.n * (double)p->size.k, per_task = flops_per_task(work);
    return each >= per_task ? 1 : (int64_t)(per_task / (each + 1)) + 1;
}

int64_t tg_panels_per_task(const tg_matmul_plan *plan)
{
    return 1 + TG_PACK_TASK_FLOATS * plan->panels.count / (tg_matmul_packed(plan) + 1);
}

static bool packs(const tg_work *work)
{
    products p = products_of(work);
    return work->output.dtype == TG_F32 && plan_of(work, &p).pack_right;
}

static int matmul_phases(const tg_work *work) { return packs(work) ? 2 : 1; }

/* The right side of what is computed. */
static uint32_t matmul_prepares(const tg_work *work)
{
    products p = products_of(work);
    return packs(work) ? 1u << !plan_of(work, &p).swapped : 0;
}

static int64_t plain_rows_per_task(const tg_work *work, const products *p)
{
    return 1 + (int64_t)(flops_per_task(work) / (2.0 * (double)p->size.n * (double)p->size.k + 1));
}

static int64_t matmul_tasks(const tg_work *work, int phase)
{
    products p = products_of(work);
    tg_matmul_plan plan = plan_of(work, &p);
    if (tg_shape_count(work->output.shape) == 0)
        return 0;
    if (work->output.dtype == TG_F64)
        return tg_ceil_div(p.batches * p.size.m, plain_rows_per_task(work, &p));
    if (plan.pack_right && phase == 0)
        return tg_ceil_div(p.operand_batches[!plan.swapped] * plan.panels.count, tg_panels_per_task(&plan));
    return tg_ceil_div(p.batches, products_per_task(work, &p)) * plan.row_tasks * plan.column_tasks;
}

static size_t matmul_scratch_bytes(const tg_work *work)
{
    products p = products_of(work);
    tg_matmul_plan plan = plan_of(work, &p);
    return work->output.dtype == TG_F32 ? (size_t)tg_matmul_scratch(&plan) * sizeof(float) : 0;
}

static size_t matmul_shared_bytes(const tg_work *work)
{
    products p = products_of(work);
    tg_matmul_plan plan = plan_of(work, &p);
    return work->output.dtype == TG_F32 ? (size_t)(p.operand_batches[!plan.swapped] * tg_matmul_packed(&plan)) * sizeof(float)
                                        : 0;
}

void tg_finish_part(const tg_buffers *buffers, int64_t n, int64_t at, const tg_matmul_part *part)
{
    at += part->first_row * n + part->first_column;
    if (part->columns == n)
        tg_finish(buffers, at, part->rows * n);
    else
        for (int64_t row = 0; row < part->rows; row++)
            tg_finish(buffers, at + row * n, part->columns);
}

static void run_pack(const products *p, const tg_matmul_plan *plan, const tg_buffers *buffers, int64_t task)
{
    int right = !plan->swapped;
    const float *from = buffers->inputs[right];
    int64_t per_task = tg_panels_per_task(plan), count = p->operand_batches[right] * plan->panels.count;
    for (int64_t i = task * per_task; i < (task + 1) * per_task && i < count; i++) {
        int64_t batch = i / plan->panels.count;
        float *packed = (float *)buffers->shared + batch * tg_matmul_packed(plan);
        tg_matmul_pack(plan, from + batch * operand_size(p, right), packed, i % plan->panels.count);
    }
}

/* The matrices of the operands that the batch'th product reads. */
static void find_operands(const tg_work *work, const tg_buffers *buffers, const products *p, int64_t batch,
                          const void *operands[2])
{
    size_t element = tg_dtype_size(work->output.dtype);
    for (int i = 0; i < 2; i++) {
        int64_t at = p->batches == 1 ? 0 : operand_batch(&work->inputs[i].shape, &work->output.shape, batch);
        operands[i] = (const char *)buffers->inputs[i] + (size_t)(at * operand_size(p, i)) * element;
    }
}

static void run_products(const tg_work *work, const tg_buffers *buffers, const products *p, const tg_matmul_plan *plan,
                         int64_t task, float *scratch)
{
    int64_t parts = plan->row_tasks * plan->column_tasks, per_task = products_per_task(work, p), first = task / parts * per_task;
    int64_t elements = p->size.m * p->size.n;
    int right = !plan->swapped;
    tg_matmul_part part = tg_matmul_task(plan, task % parts);
    for (int64_t batch = first; batch < first + per_task && batch < p->batches; batch++) {
        const void *operands[2];
        find_operands(work, buffers, p, batch, operands);
        if (plan->pack_right) {
            int64_t at = p->batches == 1 ? 0 : operand_batch(&work->inputs[right].shape, &work->output.shape, batch);
            operands[right] = (const float *)buffers->shared + at * tg_matmul_packed(plan);
        }
        tg_matmul_run(plan, (tg_matmul_left){.floats = operands[!right]}, operands[right],
                      (float *)buffers->output + batch * elements, task % parts, scratch);
        tg_finish_part(buffers, p->size.n, batch * elements, &part);
    }
}

static void run_plain(const tg_work *work, const tg_buffers *buffers, const products *p, int64_t task)
{
    const tg_matmul_size *size = &p->size;
    int64_t rows = plain_rows_per_task(work, p), end = (task + 1) * rows;
    for (int64_t at = task * rows; at < end && at < p->batches * size->m;) {
        int64_t batch = at / size->m, row = at % size->m, stop = tg_least(row + end - at, size->m);
        const void *operands[2];
        find_operands(work, buffers, p, batch, operands);
        tg_matmul_plain(*size, operands[0], operands[1], (double *)buffers->output + batch * size->m * size->n, row, stop);
        tg_finish(buffers, at * size->n, (stop - row) * size->n);
        at += stop - row;
    }
}

static tg_status matmul_run(const tg_work *work, const tg_buffers *buffers, int phase, int64_t task, void *scratch)
{
    products p = products_of(work);
    tg_matmul_plan plan = plan_of(work, &p);
    if (work->output.dtype == TG_F64)
        run_plain(work, buffers, &p, task);
    else if (plan.pack_right && phase == 0)
        run_pack(&p, &plan, buffers, task);
    else
        run_products(work, buffers, &p, &plan, task, scratch);
    return TG_OK;
}

/* A transpose that swaps the last two axes and leaves the others: its input. Else tg_none(). */
static tg_tensor untranspose(tg_tensor tensor)
{
    const tg_node *node = tg_tensor_node(tensor);
    if (!node || node->op != &tg_op_transpose)
        return tg_none();
    const tg_transpose_attributes *attributes = node->attributes;
    int rank = node->type.shape.rank;
    for (int i = 0; i < rank - 2; i++)
        if (attributes->axes[i] != i)
            return tg_none();
    bool swaps = rank >= 2 && attributes->axes[rank - 1] == rank - 2;
    return swaps ? (tg_tensor){tensor.graph, node->inputs[0]} : tg_none();
}

static tg_tensor rewrite_transpose(const tg_rewrite_args *args)
{
    const tg_matmul_attributes *attributes = args->attributes;
    tg_matmul_options options = {attributes->transpose_a, attributes->transpose_b};
    tg_tensor a = untranspose(args->inputs[0]), b = untranspose(args->inputs[1]);
    if (a.id < 0 && b.id < 0)
        return tg_none();
    options.transpose_a ^= a.id >= 0;
    options.transpose_b ^= b.id >= 0;
    return tg_matmul_with(a.id >= 0 ? a : args->inputs[0], b.id >= 0 ? b : args->inputs[1], options);
}

static const tg_rewrite_rule matmul_rules[] = {
    {.name = "matmul(transpose(a), b) -> matmul(a, b) that reads a transposed", .kind = TG_EXACT, .apply = rewrite_transpose},
    {.name = "matmul(f(x), b) -> lookup_matmul(f(0 .. 255), x, b) for bytes x",
     .kind = TG_EXACT,
     .apply = tg_rewrite_matmul_of_bytes},
};

const tg_op tg_op_matmul = {
    .name = "matmul",
    .formula = "y = a b",
    .traits = TG_CONTRACTION,
    .min_inputs = 2,
    .max_inputs = 2,
    .tolerance = 8,
    .shape = matmul_shape,
    .gradient = matmul_gradient,
    .rewrites = matmul_rules,
    .n_rewrites = sizeof matmul_rules / sizeof *matmul_rules,
    .flops = matmul_flops,
    .describe = matmul_describe,
    .run = matmul_run,
    .phases = matmul_phases,
    .tasks = matmul_tasks,
    .scratch_bytes = matmul_scratch_bytes,
    .shared_bytes = matmul_shared_bytes,
    .prepares = matmul_prepares,
};

tg_tensor tg_matmul_with_at(tg_where where, tg_tensor a, tg_tensor b, tg_matmul_options options)
{
    tg_matmul_attributes attributes = {options.transpose_a, options.transpose_b};
    return tg_apply_at(where, a.graph, &tg_op_matmul, (tg_tensor[]){a, b}, 2, &attributes, sizeof attributes);
}

tg_tensor tg_matmul_at(tg_where where, tg_tensor a, tg_tensor b)
{
    return tg_matmul_with_at(where, a, b, (tg_matmul_options){false, false});
}
