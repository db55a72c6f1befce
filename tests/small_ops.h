/* A few ops by the op contract, for tests of the executor: it must know none of them by name. */
#ifndef TG_TESTS_SMALL_OPS_H
#define TG_TESTS_SMALL_OPS_H

#include <math.h>
#include <string.h>

#include "graph/op.h"

/* ---- pointwise, f32 and f64 ---- */

#define SMALL_BLOCK(function, type, arity, ...)                                                      \
    static inline void function(void *out, const void *const *in, int64_t n, const void *attributes) \
    {                                                                                                \
        (void)attributes;                                                                            \
        const type *a = in[0], *b = in[(arity) > 1], *c = in[(arity) > 2 ? 2 : 0];                   \
        for (int64_t i = 0; i < n; i++) {                                                            \
            type x = a[i], y = b[i], z = c[i];                                                       \
            (void)x, (void)y, (void)z;                                                               \
            ((type *)out)[i] = (type)(__VA_ARGS__);                                                  \
        }                                                                                            \
    }
#define SMALL_POINTWISE(op_name, arity, ...)                                                 \
    SMALL_BLOCK(small_##op_name##_f32, float, arity, __VA_ARGS__)                            \
    SMALL_BLOCK(small_##op_name##_f64, double, arity, __VA_ARGS__)                           \
    static inline tg_block_fn small_##op_name##_block(const tg_work *work)                   \
    {                                                                                        \
        return work->output.dtype == TG_F32 ? small_##op_name##_f32 : small_##op_name##_f64; \
    }                                                                                        \
    static const tg_op small_##op_name = {.name = "small_" #op_name,                         \
                                          .formula = "y = " #__VA_ARGS__,                    \
                                          .traits = TG_POINTWISE,                            \
                                          .min_inputs = arity,                               \
                                          .max_inputs = arity,                               \
                                          .shape = tg_shape_pointwise,                       \
                                          .block = small_##op_name##_block};

SMALL_POINTWISE(add, 2, x + y)
SMALL_POINTWISE(mul, 2, x *y)
SMALL_POINTWISE(neg, 1, -x)
SMALL_POINTWISE(square, 1, x *x)
SMALL_POINTWISE(sqrt, 1, sqrt(x))
SMALL_POINTWISE(fma, 3, x *y + z)

/* u8 from two f32: mixed element sizes in one program. */
static inline bool small_less_shape(tg_infer *infer)
{
    bool fine = tg_shape_pointwise(infer);
    infer->result.dtype = TG_U8;
    return fine;
}
static inline void small_less_f32(void *out, const void *const *in, int64_t n, const void *attributes)
{
    (void)attributes;
    for (int64_t i = 0; i < n; i++)
        ((uint8_t *)out)[i] = ((const float *)in[0])[i] < ((const float *)in[1])[i];
}
static inline tg_block_fn small_less_block(const tg_work *work)
{
    (void)work;
    return small_less_f32;
}
static const tg_op small_less = {.name = "small_less",
                                 .formula = "y = a < b",
                                 .traits = TG_POINTWISE,
                                 .min_inputs = 2,
                                 .max_inputs = 2,
                                 .shape = small_less_shape,
                                 .block = small_less_block};

/* u8 condition, two f32. */
static inline bool small_where_shape(tg_infer *infer)
{
    infer->result = infer->inputs[1];
    return tg_shape_broadcast(infer->inputs[0].shape, infer->inputs[1].shape, &infer->result.shape) &&
           tg_shape_broadcast(infer->result.shape, infer->inputs[2].shape, &infer->result.shape);
}
static inline void small_where_f32(void *out, const void *const *in, int64_t n, const void *attributes)
{
    (void)attributes;
    for (int64_t i = 0; i < n; i++)
        ((float *)out)[i] = ((const uint8_t *)in[0])[i] ? ((const float *)in[1])[i] : ((const float *)in[2])[i];
}
static inline tg_block_fn small_where_block(const tg_work *work)
{
    (void)work;
    return small_where_f32;
}
static const tg_op small_where = {.name = "small_where",
                                  .formula = "y = c ? a : b",
                                  .traits = TG_POINTWISE,
                                  .min_inputs = 3,
                                  .max_inputs = 3,
                                  .shape = small_where_shape,
                                  .block = small_where_block};

/* ---- layout ---- */

typedef struct small_extents {
    int64_t rank, dims[TG_MAX_RANK];
} small_extents;

static inline tg_shape small_extents_shape(const small_extents *extents)
{
    return tg_shape_make((int)extents->rank, extents->dims);
}
static inline bool small_to_shape(tg_infer *infer)
{
    infer->result = (tg_type){infer->inputs[0].dtype, small_extents_shape(infer->attributes)};
    return true;
}
static inline void small_identity_block_1(void *out, const void *const *in, int64_t n, const void *attributes)
{
    (void)attributes;
    memmove(out, in[0], (size_t)n * sizeof(float));
}
static inline tg_block_fn small_identity_block(const tg_work *work)
{
    (void)work;
    return small_identity_block_1;
}
static const tg_op small_broadcast = {.name = "small_broadcast",
                                      .formula = "y = x",
                                      .traits = TG_POINTWISE | TG_IDENTITY,
                                      .min_inputs = 1,
                                      .max_inputs = 1,
                                      .shape = small_to_shape,
                                      .block = small_identity_block};

static inline int64_t small_reshape_view(const tg_work *work)
{
    (void)work;
    return 0;
}
static const tg_op small_reshape = {.name = "small_reshape",
                                    .formula = "y = x",
                                    .min_inputs = 1,
                                    .max_inputs = 1,
                                    .shape = small_to_shape,
                                    .view = small_reshape_view};

/* Rows [first, first + count) of axis 0: a view. */
typedef struct small_row_range {
    int64_t first, count;
} small_row_range;

static inline bool small_rows_shape(tg_infer *infer)
{
    const small_row_range *rows = infer->attributes;
    infer->result = infer->inputs[0];
    infer->result.shape.dims[0] = rows->count;
    return true;
}
static inline int64_t small_rows_view(const tg_work *work)
{
    const small_row_range *rows = work->attributes;
    return work->inputs[0].shape.dims[0] ? rows->first * (tg_type_bytes(work->inputs[0]) / work->inputs[0].shape.dims[0]) : 0;
}
static const tg_op small_rows = {.name = "small_rows",
                                 .formula = "y = x[first:last]",
                                 .min_inputs = 1,
                                 .max_inputs = 1,
                                 .shape = small_rows_shape,
                                 .view = small_rows_view};

/* Reverses all elements: no view, not pointwise. One task for each 8 elements. */
static inline bool small_same_shape(tg_infer *infer)
{
    infer->result = infer->inputs[0];
    return true;
}
static inline int64_t small_reverse_tasks(const tg_work *work, int phase)
{
    (void)phase;
    return (tg_shape_count(work->output.shape) + 7) / 8;
}
static inline tg_status small_reverse_run(const tg_work *work, const tg_buffers *buffers, int phase, int64_t task, void *scratch)
{
    (void)phase, (void)scratch;
    int64_t n = tg_shape_count(work->output.shape);
    size_t size = tg_dtype_size(work->output.dtype);
    for (int64_t i = 8 * task; i < n && i < 8 * task + 8; i++)
        memcpy((char *)buffers->output + (size_t)i * size, (const char *)buffers->inputs[0] + (size_t)(n - 1 - i) * size, size);
    return TG_OK;
}
static const tg_op small_reverse = {.name = "small_reverse",
                                    .formula = "y[i] = x[n - 1 - i]",
                                    .min_inputs = 1,
                                    .max_inputs = 1,
                                    .shape = small_same_shape,
                                    .tasks = small_reverse_tasks,
                                    .run = small_reverse_run};

/* ---- products and sums, f32 ---- */

/* [m, k] [k, n] -> [m, n]: phase 0 transposes b to shared memory, phase 1 makes a row a task. */
static inline bool small_matmul_shape(tg_infer *infer)
{
    const tg_shape *a = &infer->inputs[0].shape, *b = &infer->inputs[1].shape;
    if (a->rank != 2 || b->rank != 2 || a->dims[1] != b->dims[0])
        return tg_infer_fail(infer, "the inner extents differ");
    infer->result = (tg_type){TG_F32, TG_SHAPE(a->dims[0], b->dims[1])};
    return true;
}
static inline int small_matmul_phases(const tg_work *work)
{
    (void)work;
    return 2;
}
static inline int64_t small_matmul_tasks(const tg_work *work, int phase)
{
    return phase == 0 ? work->inputs[1].shape.dims[1] : work->inputs[0].shape.dims[0];
}
static inline uint32_t small_matmul_prepares(const tg_work *work)
{
    ck_assert(!work->prepared);
    return 1u << 1;
}
static inline size_t small_matmul_shared(const tg_work *work) { return (size_t)tg_type_bytes(work->inputs[1]); }
static inline size_t small_matmul_scratch(const tg_work *work) { return (size_t)work->output.shape.dims[1] * sizeof(float); }
static inline double small_matmul_flops(const tg_work *work)
{
    return 2.0 * (double)tg_shape_count(work->output.shape) * (double)work->inputs[0].shape.dims[1];
}
static inline tg_status small_matmul_run(const tg_work *work, const tg_buffers *buffers, int phase, int64_t task, void *scratch)
{
    int64_t k = work->inputs[0].shape.dims[1], n = work->output.shape.dims[1];
    float *turned = buffers->shared, *row = scratch;
    if (phase == 0) {
        for (int64_t i = 0; i < k; i++)
            turned[task * k + i] = ((const float *)buffers->inputs[1])[i * n + task];
        return TG_OK;
    }
    for (int64_t j = 0; j < n; j++) {
        row[j] = 0;
        for (int64_t i = 0; i < k; i++)
            row[j] += ((const float *)buffers->inputs[0])[task * k + i] * turned[j * k + i];
    }
    memcpy((float *)buffers->output + task * n, row, (size_t)n * sizeof(float));
    /* In two stretches, so that an epilogue meets a phase in the middle of a row. */
    tg_finish(buffers, task * n, n / 2);
    tg_finish(buffers, task * n + n / 2, n - n / 2);
    return TG_OK;
}
static const tg_op small_matmul = {.name = "small_matmul",
                                   .formula = "y = a b",
                                   .traits = TG_CONTRACTION,
                                   .min_inputs = 2,
                                   .max_inputs = 2,
                                   .shape = small_matmul_shape,
                                   .run = small_matmul_run,
                                   .phases = small_matmul_phases,
                                   .tasks = small_matmul_tasks,
                                   .shared_bytes = small_matmul_shared,
                                   .prepares = small_matmul_prepares,
                                   .scratch_bytes = small_matmul_scratch,
                                   .flops = small_matmul_flops};

/* All elements to a scalar: partial sums of 64, then their sum. */
static inline bool small_sum_shape(tg_infer *infer)
{
    infer->result = (tg_type){infer->inputs[0].dtype, TG_SCALAR};
    return true;
}
static inline int64_t small_sum_tasks(const tg_work *work, int phase)
{
    return phase ? 1 : (tg_shape_count(work->inputs[0].shape) + 63) / 64;
}
static inline size_t small_sum_shared(const tg_work *work) { return (size_t)small_sum_tasks(work, 0) * sizeof(float); }
static inline tg_status small_sum_run(const tg_work *work, const tg_buffers *buffers, int phase, int64_t task, void *scratch)
{
    (void)scratch;
    int64_t n = phase ? small_sum_tasks(work, 0) : tg_shape_count(work->inputs[0].shape), first = phase ? 0 : 64 * task;
    const float *in = phase ? buffers->shared : buffers->inputs[0];
    float sum = 0;
    for (int64_t i = first; i < n && (phase || i < first + 64); i++)
        sum += in[i];
    *(phase ? (float *)buffers->output : (float *)buffers->shared + task) = sum;
    return TG_OK;
}
static const tg_op small_sum = {.name = "small_sum",
                                .formula = "y = sum(x)",
                                .min_inputs = 1,
                                .max_inputs = 1,
                                .shape = small_sum_shape,
                                .run = small_sum_run,
                                .phases = small_matmul_phases,
                                .tasks = small_sum_tasks,
                                .shared_bytes = small_sum_shared};

/* ---- what can fail, what depends on the step, what has an effect ---- */

/* Passes x on, a row a task; a row that starts with a negative value is out of range. */
static inline int64_t small_picky_tasks(const tg_work *work, int phase)
{
    (void)phase;
    return work->output.shape.dims[0];
}
static inline tg_status small_picky_run(const tg_work *work, const tg_buffers *buffers, int phase, int64_t task, void *scratch)
{
    (void)phase, (void)scratch;
    int64_t n = tg_shape_count(work->output.shape) / work->output.shape.dims[0];
    const float *in = (const float *)buffers->inputs[0] + task * n;
    memcpy((float *)buffers->output + task * n, in, (size_t)n * sizeof(float));
    return in[0] < 0 ? TG_ERROR_RANGE : TG_OK;
}
static const tg_op small_picky = {.name = "small_picky",
                                  .formula = "y = x",
                                  .min_inputs = 1,
                                  .max_inputs = 1,
                                  .shape = small_same_shape,
                                  .tasks = small_picky_tasks,
                                  .run = small_picky_run};

/* f32 of a shape, all equal to the run's step. */
static inline bool small_step_shape(tg_infer *infer)
{
    infer->result = (tg_type){TG_F32, small_extents_shape(infer->attributes)};
    return true;
}
static inline tg_status small_step_run(const tg_work *work, const tg_buffers *buffers, int phase, int64_t task, void *scratch)
{
    (void)phase, (void)task, (void)scratch;
    for (int64_t i = 0; i < tg_shape_count(work->output.shape); i++)
        ((float *)buffers->output)[i] = (float)buffers->step;
    return TG_OK;
}
static const tg_op small_step = {.name = "small_step",
                                 .formula = "y = step",
                                 .traits = TG_RANDOM,
                                 .min_inputs = 0,
                                 .max_inputs = 0,
                                 .shape = small_step_shape,
                                 .run = small_step_run};

static const tg_op small_assign = {.name = "small_assign",
                                   .formula = "variable <- x",
                                   .traits = TG_EFFECT,
                                   .min_inputs = 2,
                                   .max_inputs = 2,
                                   .shape = small_same_shape};

/* ---- recording ---- */

static inline tg_tensor small_apply(tg_where where, const tg_op *op, tg_tensor a, tg_tensor b, tg_tensor c)
{
    return tg_apply_at(where, a.graph, op, (tg_tensor[]){a, b, c}, op->min_inputs, NULL, 0);
}
#define SMALL_1(op, x) small_apply(TG_HERE, &(op), x, tg_none(), tg_none())
#define SMALL_2(op, a, b) small_apply(TG_HERE, &(op), a, b, tg_none())
#define SMALL_3(op, a, b, c) small_apply(TG_HERE, &(op), a, b, c)

static inline tg_tensor small_shaped(const tg_op *op, tg_graph *graph, tg_tensor x, tg_shape shape)
{
    small_extents extents = {.rank = shape.rank};
    for (int i = 0; i < shape.rank; i++)
        extents.dims[i] = shape.dims[i];
    return tg_apply(graph, op, &x, op->min_inputs, &extents, sizeof extents);
}

static inline tg_tensor small_take_rows(tg_tensor x, int64_t first, int64_t count)
{
    return tg_apply(x.graph, &small_rows, &x, 1, &(small_row_range){first, count}, sizeof(small_row_range));
}

#endif
