#include "ops/reduction.h"

#include "ops/attributes.h"
#include "ops/kernel_set.h"

/* Adjacent axes that are both reduced, or both kept, act as one; then a reduction is a chain of steps, each of which takes the
   innermost reduced axis out of [outer, length, inner]. A long axis is cut into chunks, whose partial results are [outer, chunks,
   inner]: what the next step reduces. Each step is a phase, and all but the last store to shared memory. */
typedef struct step {
    int64_t outer, length, inner;
    int64_t chunk, chunks; /* terms of one partial result, and how many of these there are */
    int64_t block, blocks; /* columns that a unit of work takes */
    int64_t units, units_per_task;
    size_t offset; /* of the result, in elements of shared memory */
} step;

enum {
    UNIT_ELEMENTS = 1 << 15, /* 128 KB of f32: large beside a barrier's cost, small beside the second-level cache */
    WIDEST_BLOCK = 512,
    SHORTEST_CHUNK = 64,
    MAX_STEPS =
        20 /* at most 4 reduced axes lie between kept ones, and each further step shortens one by SHORTEST_CHUNK / 2 or more */
};

typedef struct reduction {
    int count;
    step steps[MAX_STEPS];
    size_t shared_elements;
    int64_t terms;
} reduction;

typedef struct axis_group {
    int64_t extent;
    bool reduced;
} axis_group;

static int merge_axes(tg_shape shape, uint32_t mask, axis_group groups[TG_MAX_RANK])
{
    int count = 0;
    for (int axis = 0; axis < shape.rank; axis++) {
        bool reduced = mask >> axis & 1;
        if (shape.dims[axis] == 1)
            continue;
        if (count > 0 && groups[count - 1].reduced == reduced)
            groups[count - 1].extent *= shape.dims[axis];
        else
            groups[count++] = (axis_group){shape.dims[axis], reduced};
    }
    return count;
}

static int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

/* Chunks of one length, up to the last, and a multiple of the lanes. */
static void cut_length(step *s, int64_t longest)
{
    s->chunks = s->length > longest ? ceil_div(s->length, longest) : 1;
    s->chunk = s->chunks > 1 ? ceil_div(ceil_div(s->length, s->chunks), TG_REDUCE_LANES) * TG_REDUCE_LANES : s->length;
    if (s->chunks > 1)
        s->chunks = ceil_div(s->length, s->chunk);
}

static step make_step(int64_t outer, int64_t length, int64_t inner)
{
    step s = {.outer = outer, .length = length, .inner = inner};
    s.block = inner < WIDEST_BLOCK ? inner : WIDEST_BLOCK;
    s.blocks = inner ? ceil_div(inner, s.block) : 0;
    int64_t longest = UNIT_ELEMENTS / (s.block ? s.block : 1);
    cut_length(&s, longest < SHORTEST_CHUNK ? SHORTEST_CHUNK : longest);
    s.units = outer * s.chunks * s.blocks;
    int64_t elements = s.chunk * s.block;
    s.units_per_task = elements < UNIT_ELEMENTS ? UNIT_ELEMENTS / (elements ? elements : 1) : 1;
    return s;
}

static void cut(tg_shape shape, uint32_t mask, reduction *r)
{
    axis_group groups[TG_MAX_RANK];
    int count = merge_axes(shape, mask, groups);
    *r = (reduction){.terms = 1};
    for (int axis = 0; axis < shape.rank; axis++)
        r->terms *= mask >> axis & 1 ? shape.dims[axis] : 1;
    for (int last = count - 1; last >= 0; last--) {
        if (!groups[last].reduced)
            continue;
        int64_t outer = 1, inner = 1;
        for (int g = 0; g < last; g++)
            outer *= groups[g].extent;
        for (int g = last + 1; g < count; g++)
            inner *= groups[g].reduced ? 1 : groups[g].extent;
        for (int64_t length = groups[last].extent, more = 1; more; length = r->steps[r->count - 1].chunks) {
            r->steps[r->count++] = make_step(outer, length, inner);
            more = r->steps[r->count - 1].chunks > 1;
        }
    }
    if (r->count == 0)
        r->steps[r->count++] = make_step(1, 1, tg_shape_count(shape));
    for (int i = 0; i + 1 < r->count; i++) {
        r->steps[i].offset = r->shared_elements;
        r->shared_elements += (size_t)(r->steps[i].outer * r->steps[i].chunks * r->steps[i].inner);
    }
}

static void cut_work(const tg_work *work, reduction *r)
{
    cut(work->inputs[0].shape, ((const tg_reduce_attributes *)work->attributes)->axes, r);
}

int tg_reduction_phases(const tg_work *work)
{
    reduction r;
    cut_work(work, &r);
    return r.count;
}

int64_t tg_reduction_tasks(const tg_work *work, int phase)
{
    reduction r;
    cut_work(work, &r);
    int64_t tasks = ceil_div(r.steps[phase].units, r.steps[phase].units_per_task);
    return tasks > 0 ? tasks : 1;
}

size_t tg_reduction_shared_bytes(const tg_work *work)
{
    reduction r;
    cut_work(work, &r);
    return r.shared_elements * tg_dtype_size(work->inputs[0].dtype);
}

typedef struct functions {
    tg_reduce_rows_fn *rows;
    tg_reduce_columns_fn *columns;
} functions;

static functions functions_of(const tg_work *work)
{
    const tg_kernels *kernels = tg_kernels_for(work->isa);
    switch (work->inputs[0].dtype) {
    case TG_F32: return (functions){kernels->reduce_rows, kernels->reduce_columns};
    case TG_F64: return (functions){tg_reduce_rows_f64, tg_reduce_columns_f64};
    case TG_I32: return (functions){tg_reduce_rows_i32, tg_reduce_columns_i32};
    default: return (functions){tg_reduce_rows_u8, tg_reduce_columns_u8};
    }
}

static void divide(tg_dtype dtype, void *values, int64_t first, int64_t count, double by)
{
    for (int64_t i = first; i < first + count; i++)
        if (dtype == TG_F32)
            ((float *)values)[i] = (float)(((float *)values)[i] / by);
        else
            ((double *)values)[i] /= by;
}

/* Whole rows of [outer, length] that lie one after another. */
static void run_rows(const step *s, functions run, tg_reduce_kind kind, size_t element, const char *from, char *to, int64_t first,
                     int64_t last)
{
    if (s->chunks == 1) {
        run.rows(kind, from + first * s->length * (int64_t)element, last - first, s->length, s->length,
                 to + first * (int64_t)element);
        return;
    }
    for (int64_t unit = first; unit < last; unit++) {
        int64_t row = unit / s->chunks, start = unit % s->chunks * s->chunk;
        int64_t n = s->length - start < s->chunk ? s->length - start : s->chunk;
        run.rows(kind, from + (row * s->length + start) * (int64_t)element, 1, n, n, to + unit * (int64_t)element);
    }
}

static void run_columns(const step *s, functions run, tg_reduce_kind kind, size_t element, const char *from, char *to,
                        int64_t first, int64_t last)
{
    for (int64_t unit = first; unit < last; unit++) {
        int64_t result = unit / s->blocks, column = unit % s->blocks * s->block;
        int64_t row = result / s->chunks, start = result % s->chunks * s->chunk;
        int64_t n = s->length - start < s->chunk ? s->length - start : s->chunk;
        int64_t width = s->inner - column < s->block ? s->inner - column : s->block;
        run.columns(kind, from + ((row * s->length + start) * s->inner + column) * (int64_t)element, n, width, s->inner,
                    to + (result * s->inner + column) * (int64_t)element);
    }
}

void tg_reduction_run(const tg_work *work, const tg_buffers *buffers, int phase, int64_t task, tg_reduce_kind kind, bool mean)
{
    reduction r;
    cut_work(work, &r);
    const step *s = &r.steps[phase];
    size_t element = tg_dtype_size(work->inputs[0].dtype);
    bool last_phase = phase == r.count - 1;
    const char *from = phase == 0 ? buffers->inputs[0] : (const char *)buffers->shared + s[-1].offset * element;
    char *to = last_phase ? buffers->output : (char *)buffers->shared + s->offset * element;
    int64_t first = task * s->units_per_task;
    int64_t last = first + s->units_per_task < s->units ? first + s->units_per_task : s->units;
    if (s->inner == 1)
        run_rows(s, functions_of(work), kind, element, from, to, first, last);
    else
        run_columns(s, functions_of(work), kind, element, from, to, first, last);
    for (int64_t unit = first; mean && last_phase && unit < last; unit++) {
        int64_t column = unit % s->blocks * s->block;
        int64_t width = s->inner - column < s->block ? s->inner - column : s->block;
        divide(work->output.dtype, to, unit / s->blocks * s->inner + column, width, (double)r.terms);
    }
}
