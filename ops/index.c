/* By index: gather and scatter_add, each other's transpose, and one_hot. */
#include <stdio.h>
#include <string.h>

#include "ops/attributes.h"
#include "ops/axes.h"
#include "ops/op_entries.h"
#include "ops/ops.h"

enum { TASK_BYTES = 1 << 14 };

/* Units of `bytes` each that make a task. */
static int64_t units_per_task(int64_t bytes) { return bytes < TASK_BYTES ? TASK_BYTES / (bytes > 0 ? bytes : 1) : 1; }

static int64_t tasks_for(int64_t units, int64_t bytes)
{
    int64_t each = units_per_task(bytes);
    return units > each ? (units + each - 1) / each : 1;
}

/* Appends `b`'s axes from `from` on. False if there would be too many. */
static bool append_axes(tg_shape *shape, tg_shape b, int32_t from)
{
    if (shape->rank + b.rank - from > TG_MAX_RANK)
        return false;
    for (int32_t axis = from; axis < b.rank; axis++)
        shape->dims[shape->rank++] = b.dims[axis];
    return true;
}

static bool in_range(const int32_t *indices, int64_t count, int64_t extent)
{
    for (int64_t i = 0; i < count; i++)
        if (indices[i] < 0 || indices[i] >= extent)
            return false;
    return true;
}

/* ---- gather ---- */

static bool shape_gather(tg_infer *infer)
{
    tg_type x = infer->inputs[0], indices = infer->inputs[1];
    if (x.shape.rank == 0)
        return tg_infer_fail(infer, "a scalar has no rows");
    if (indices.dtype != TG_I32)
        return tg_infer_fail(infer, "the indices are %s, not i32", tg_dtype_name(indices.dtype));
    infer->result = (tg_type){x.dtype, indices.shape};
    return append_axes(&infer->result.shape, x.shape, 1) ||
           tg_infer_fail(infer, "the result would have more than %d axes", TG_MAX_RANK);
}

/* dx = dy's rows, added where they were taken. */
static void gradient_gather(const tg_gradient_args *args, tg_tensor *result)
{
    result[0] = tg_scatter_add(args->gradient, args->inputs[1], tg_tensor_shape(args->inputs[0]).dims[0]);
}

static int64_t extent_gather(const tg_work *work) { return work->inputs[0].shape.dims[0]; }

static int64_t row_bytes(tg_type x) { return tg_shape_product(x.shape, 1, x.shape.rank) * (int64_t)tg_dtype_size(x.dtype); }

static int64_t tasks_gather(const tg_work *work, int phase)
{
    (void)phase;
    return tasks_for(tg_shape_count(work->inputs[1].shape), row_bytes(work->inputs[0]));
}

static tg_status run_gather(const tg_work *work, const tg_buffers *buffers, int phase, int64_t task, void *scratch)
{
    (void)phase, (void)scratch;
    const char *x = buffers->inputs[0];
    const int32_t *indices = buffers->inputs[1];
    int64_t row = row_bytes(work->inputs[0]), each = units_per_task(row), count = tg_shape_count(work->inputs[1].shape);
    int64_t first = task * each, last = count - first < each ? count : first + each;
    if (!in_range(indices + first, last - first, work->inputs[0].shape.dims[0]))
        return TG_ERROR_RANGE;
    for (int64_t i = first; i < last; i++)
        memcpy((char *)buffers->output + i * row, x + indices[i] * row, (size_t)row);
    return TG_OK;
}

/* Fewer rows than x has are cheaper to take before f than after. An operand of one row, or of fewer axes, is the same for all. */
static tg_tensor rewrite_gather_of_pointwise(const tg_rewrite_args *args)
{
    enum { MOST = 8 };
    const tg_node *node = tg_tensor_node(args->inputs[0]);
    const tg_op *op = node->op;
    const void *attributes = node->attributes;
    size_t attribute_bytes = node->attribute_bytes;
    tg_shape whole = node->type.shape;
    int32_t n = node->n_inputs, gathered = 0;
    tg_tensor operands[MOST];
    if (!(op->traits & TG_POINTWISE) || n > MOST || tg_tensor_shape(args->inputs[1]).rank != 1 || whole.dims[0] <= 1 ||
        tg_shape_count(args->type.shape) >= tg_shape_count(whole))
        return tg_none();
    for (int32_t i = 0; i < n; i++)
        operands[i] = (tg_tensor){args->graph, node->inputs[i]};
    for (int32_t i = 0; i < n; i++) {
        tg_shape shape = tg_tensor_shape(operands[i]);
        if (shape.rank < whole.rank || shape.dims[0] == 1)
            continue;
        operands[i] = tg_gather(operands[i], args->inputs[1]);
        gathered++;
    }
    if (gathered == 0)
        return tg_none();
    if (op == &tg_op_broadcast_to)
        return tg_broadcast_to(operands[0], args->type.shape);
    return tg_apply(args->graph, op, operands, n, attributes, attribute_bytes);
}

static const tg_rewrite_rule gather_rules[] = {
    {"gather(f(x, y), i) -> f(gather(x, i), gather(y, i))", TG_EXACT, 0, rewrite_gather_of_pointwise},
};

const tg_op tg_op_gather = {.name = "gather",
                            .formula = "y = x[indices]",
                            .traits = TG_SECOND_DERIVATIVE_ZERO,
                            .not_differentiable = 1 << 1,
                            .min_inputs = 2,
                            .max_inputs = 2,
                            .shape = shape_gather,
                            .gradient = gradient_gather,
                            .rewrites = gather_rules,
                            .n_rewrites = sizeof gather_rules / sizeof *gather_rules,
                            .index_extent = extent_gather,
                            .run = run_gather,
                            .tasks = tasks_gather};

tg_tensor tg_gather_at(tg_where where, tg_tensor x, tg_tensor indices)
{
    return tg_apply_at(where, x.graph, &tg_op_gather, (tg_tensor[]){x, indices}, 2, NULL, 0);
}

/* ---- scatter_add ---- */

static bool shape_scatter_add(tg_infer *infer)
{
    const tg_scatter_add_attributes *a = infer->attributes;
    tg_type updates = infer->inputs[0], indices = infer->inputs[1];
    if (updates.dtype == TG_U8)
        return tg_infer_fail(infer, "sums of u8 would overflow: cast to i32 or a float");
    if (indices.dtype != TG_I32)
        return tg_infer_fail(infer, "the indices are %s, not i32", tg_dtype_name(indices.dtype));
    bool leads = indices.shape.rank <= updates.shape.rank;
    for (int32_t axis = 0; leads && axis < indices.shape.rank; axis++)
        leads = indices.shape.dims[axis] == updates.shape.dims[axis];
    if (!leads)
        return tg_infer_fail(infer, "the updates' first axes must be those of the indices");
    if (a->rows < 0)
        return tg_infer_fail(infer, "%lld rows cannot be", (long long)a->rows);
    infer->result = (tg_type){updates.dtype, tg_shape_make(1, &a->rows)};
    return append_axes(&infer->result.shape, updates.shape, indices.shape.rank) ||
           tg_infer_fail(infer, "the result would have more than %d axes", TG_MAX_RANK);
}

static void gradient_scatter_add(const tg_gradient_args *args, tg_tensor *result)
{
    result[0] = tg_gather(args->gradient, args->inputs[1]);
}

/* So that rows add up in the order of the indices, each task goes through all of these, for some columns of wide rows or for some
   of the rows. */
typedef struct scatter {
    int64_t updates, rows, width;
    bool by_column;
    int64_t extent, each; /* of what is cut, and of a task's part of it */
} scatter;

static scatter cut_scatter(const tg_work *work)
{
    enum { TASK_ADDITIONS = 1 << 14, MOST_TASKS = 64, LEAST_COLUMNS = 16, MOST_SCANS = 8 };
    tg_shape to = work->output.shape;
    scatter s = {.updates = tg_shape_count(work->inputs[1].shape), .rows = to.dims[0], .width = tg_shape_product(to, 1, to.rank)};
    int64_t work_items = s.updates * s.width + s.rows * s.width, tasks = work_items / TASK_ADDITIONS + 1;
    tasks = tasks < MOST_TASKS ? tasks : MOST_TASKS;
    s.by_column = s.width >= tasks * LEAST_COLUMNS;
    s.extent = s.by_column ? s.width : s.rows;
    if (!s.by_column && tasks > MOST_SCANS)
        tasks = MOST_SCANS;
    s.each = s.extent > tasks ? (s.extent + tasks - 1) / tasks : 1;
    if (s.by_column)
        s.each = (s.each + LEAST_COLUMNS - 1) / LEAST_COLUMNS * LEAST_COLUMNS;
    return s;
}

static int64_t tasks_scatter_add(const tg_work *work, int phase)
{
    (void)phase;
    scatter s = cut_scatter(work);
    return s.extent > s.each ? (s.extent + s.each - 1) / s.each : 1;
}

static void add(tg_dtype dtype, void *to, const void *from, int64_t n)
{
    switch (dtype) {
    case TG_F32:
        for (int64_t i = 0; i < n; i++)
            ((float *)to)[i] += ((const float *)from)[i];
        break;
    case TG_F64:
        for (int64_t i = 0; i < n; i++)
            ((double *)to)[i] += ((const double *)from)[i];
        break;
    default:
        for (int64_t i = 0; i < n; i++)
            ((uint32_t *)to)[i] += ((const uint32_t *)from)[i];
    }
}

static tg_status run_scatter_add(const tg_work *work, const tg_buffers *buffers, int phase, int64_t task, void *scratch)
{
    (void)phase, (void)scratch;
    scatter s = cut_scatter(work);
    const int32_t *indices = buffers->inputs[1];
    const char *updates = buffers->inputs[0];
    char *out = buffers->output;
    int64_t element = (int64_t)tg_dtype_size(work->output.dtype), pitch = s.width * element;
    int64_t first = task * s.each, last = s.extent - first < s.each ? s.extent : first + s.each;
    int64_t from_row = s.by_column ? 0 : first, to_row = s.by_column ? s.rows : last;
    int64_t column = s.by_column ? first : 0, columns = s.by_column ? last - first : s.width;
    if (!in_range(indices, s.updates, s.rows))
        return TG_ERROR_RANGE;
    for (int64_t row = from_row; row < to_row; row++)
        memset(out + row * pitch + column * element, 0, (size_t)(columns * element));
    for (int64_t i = 0; i < s.updates; i++)
        if (indices[i] >= from_row && indices[i] < to_row)
            add(work->output.dtype, out + indices[i] * pitch + column * element, updates + i * pitch + column * element, columns);
    return TG_OK;
}

static void describe_scatter_add(const void *attributes, char *text, size_t size)
{
    snprintf(text, size, "%lld rows", (long long)((const tg_scatter_add_attributes *)attributes)->rows);
}

static int64_t extent_scatter_add(const tg_work *work) { return work->output.shape.dims[0]; }

static double flops_scatter_add(const tg_work *work) { return (double)tg_shape_count(work->inputs[0].shape); }

/* tolerance: a row takes one addition for each of its updates, of which the samples have few. */
const tg_op tg_op_scatter_add = {.name = "scatter_add",
                                 .formula = "y = 0; y[indices] += updates",
                                 .traits = TG_SECOND_DERIVATIVE_ZERO,
                                 .not_differentiable = 1 << 1,
                                 .min_inputs = 2,
                                 .max_inputs = 2,
                                 .tolerance = 256,
                                 .shape = shape_scatter_add,
                                 .gradient = gradient_scatter_add,
                                 .flops = flops_scatter_add,
                                 .describe = describe_scatter_add,
                                 .index_extent = extent_scatter_add,
                                 .run = run_scatter_add,
                                 .tasks = tasks_scatter_add};

tg_tensor tg_scatter_add_at(tg_where where, tg_tensor updates, tg_tensor indices, int64_t rows)
{
    tg_scatter_add_attributes a = {rows};
    return tg_apply_at(where, updates.graph, &tg_op_scatter_add, (tg_tensor[]){updates, indices}, 2, &a, sizeof a);
}

/* ---- one_hot ---- */

static bool shape_one_hot(tg_infer *infer)
{
    const tg_one_hot_attributes *a = infer->attributes;
    tg_type indices = infer->inputs[0];
    if (indices.dtype != TG_I32)
        return tg_infer_fail(infer, "the indices are %s, not i32", tg_dtype_name(indices.dtype));
    if (a->dtype < 0 || a->dtype >= TG_DTYPE_COUNT)
        return tg_infer_fail(infer, "dtype %lld does not exist", (long long)a->dtype);
    if (a->depth < 0)
        return tg_infer_fail(infer, "the depth %lld is negative", (long long)a->depth);
    infer->result = (tg_type){(tg_dtype)a->dtype, indices.shape};
    return append_axes(&infer->result.shape, tg_shape_make(1, &a->depth), 0) ||
           tg_infer_fail(infer, "the result would have more than %d axes", TG_MAX_RANK);
}

static int64_t tasks_one_hot(const tg_work *work, int phase)
{
    (void)phase;
    const tg_one_hot_attributes *a = work->attributes;
    return tasks_for(tg_shape_count(work->inputs[0].shape), a->depth * (int64_t)tg_dtype_size(work->output.dtype));
}

static tg_status run_one_hot(const tg_work *work, const tg_buffers *buffers, int phase, int64_t task, void *scratch)
{
    static const float f32 = 1;
    static const double f64 = 1;
    static const int32_t i32 = 1;
    static const uint8_t u8 = 1;
    static const void *const ones[TG_DTYPE_COUNT] = {[TG_F32] = &f32, [TG_F64] = &f64, [TG_I32] = &i32, [TG_U8] = &u8};
    (void)phase, (void)scratch;
    const tg_one_hot_attributes *a = work->attributes;
    const int32_t *indices = buffers->inputs[0];
    int64_t element = (int64_t)tg_dtype_size(work->output.dtype), row = a->depth * element, each = units_per_task(row);
    int64_t count = tg_shape_count(work->inputs[0].shape), first = task * each,
            last = count - first < each ? count : first + each;
    char *out = buffers->output;
    if (!in_range(indices + first, last - first, a->depth))
        return TG_ERROR_RANGE;
    memset(out + first * row, 0, (size_t)((last - first) * row));
    for (int64_t i = first; i < last; i++)
        memcpy(out + i * row + indices[i] * element, ones[work->output.dtype], (size_t)element);
    return TG_OK;
}

static int64_t extent_one_hot(const tg_work *work) { return ((const tg_one_hot_attributes *)work->attributes)->depth; }

static void describe_one_hot(const void *attributes, char *text, size_t size)
{
    snprintf(text, size, "depth %lld", (long long)((const tg_one_hot_attributes *)attributes)->depth);
}

const tg_op tg_op_one_hot = {.name = "one_hot",
                             .formula = "y = 1 at the index, else 0",
                             .traits = TG_CUTS_GRADIENT,
                             .not_differentiable = 1 << 0,
                             .min_inputs = 1,
                             .max_inputs = 1,
                             .shape = shape_one_hot,
                             .describe = describe_one_hot,
                             .index_extent = extent_one_hot,
                             .run = run_one_hot,
                             .tasks = tasks_one_hot};

tg_tensor tg_one_hot_at(tg_where where, tg_tensor indices, int64_t depth, tg_dtype dtype)
{
    tg_one_hot_attributes a = {depth, dtype};
    if (tg_ok(indices) && dtype == TG_FLOAT)
        a.dtype = tg_variables_float(tg_graph_variables(indices.graph));
    return tg_apply_at(where, indices.graph, &tg_op_one_hot, &indices, 1, &a, sizeof a);
}
