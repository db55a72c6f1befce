#include "ops/kernels/copy.h"

#include <stdbool.h>
#include <string.h>

enum {
    TASK_ELEMENTS = 1 << 14,
    TILE = 32 /* a tile of 8-byte elements, read and written, fits a first-level cache */
};

void tg_copy_simplify(tg_copy *copy)
{
    int rank = 0;
    for (int axis = 0; axis < copy->rank; axis++) {
        int64_t extent = copy->dims[axis], stride = copy->strides[axis];
        if (extent == 1)
            continue;
        if (rank > 0 && copy->strides[rank - 1] == extent * stride) {
            copy->dims[rank - 1] *= extent;
            copy->strides[rank - 1] = stride;
        } else {
            copy->dims[rank] = extent;
            copy->strides[rank++] = stride;
        }
    }
    if (rank == 0) {
        copy->dims[0] = 1;
        copy->strides[0] = copy->element;
        rank = 1;
    }
    copy->rank = rank;
}

/* A copy is cut into units, all but the last axis of which are counted by an odometer: rows along the last axis; or, where the
   source is contiguous along another axis, strips of TILE along that one; or, where nothing is reordered, stretches. */
typedef struct cut {
    int64_t counts[TG_COPY_RANK]; /* units along each axis */
    int64_t units, per_task;
    int tiled; /* the axis along which a tiled copy's source is contiguous, or -1 */
    bool whole;
} cut;

static cut make_cut(const tg_copy *copy)
{
    cut c = {.units = 1, .tiled = -1};
    int last = copy->rank - 1;
    int64_t elements = copy->dims[last];
    c.whole = last == 0 && copy->strides[0] == copy->element;
    for (int axis = 0; axis < last && copy->strides[last] != copy->element; axis++)
        if (copy->strides[axis] == copy->element)
            c.tiled = axis;
    for (int axis = 0; axis < last; axis++)
        c.counts[axis] = axis == c.tiled ? (copy->dims[axis] + TILE - 1) / TILE : copy->dims[axis];
    c.counts[last] = c.whole ? (elements + TASK_ELEMENTS - 1) / TASK_ELEMENTS : elements > 0;
    for (int axis = 0; axis <= last; axis++)
        c.units *= c.counts[axis];
    if (c.tiled >= 0)
        elements *= copy->dims[c.tiled] < TILE ? copy->dims[c.tiled] : TILE;
    c.per_task = !c.whole && elements < TASK_ELEMENTS ? TASK_ELEMENTS / (elements ? elements : 1) : 1;
    return c;
}

int64_t tg_copy_tasks(const tg_copy *copy)
{
    cut c = make_cut(copy);
    return c.units > c.per_task ? (c.units + c.per_task - 1) / c.per_task : 1;
}

/* `size` is a constant where this is called, so that each copy is one move. */
static inline void copy_strided(const char *from, int64_t stride, char *to, int64_t n, size_t size)
{
    for (int64_t i = 0; i < n; i++)
        memcpy(to + i * (int64_t)size, from + i * stride, size);
}

static void copy_row(const char *from, int64_t stride, char *to, int64_t n, int64_t element)
{
    if (stride == element)
        memcpy(to, from, (size_t)(n * element));
    else if (element == 1)
        copy_strided(from, stride, to, n, 1);
    else if (element == 4)
        copy_strided(from, stride, to, n, 4);
    else
        copy_strided(from, stride, to, n, 8);
}

/* `n` columns of the source, contiguous there, become rows that are `pitch` bytes apart. */
static void copy_tiles(const tg_copy *copy, const char *from, char *to, int64_t n, int64_t pitch)
{
    int64_t length = copy->dims[copy->rank - 1], stride = copy->strides[copy->rank - 1], element = copy->element;
    for (int64_t j = 0; j < length; j += TILE) {
        int64_t width = length - j < TILE ? length - j : TILE;
        for (int64_t i = 0; i < n; i++)
            copy_row(from + i * element + j * stride, stride, to + i * pitch + j * element, width, element);
    }
}

/* Where a walk over the units stands. */
typedef struct odometer {
    int64_t at[TG_COPY_RANK];                               /* unit along each axis */
    int64_t from_step[TG_COPY_RANK], to_step[TG_COPY_RANK]; /* bytes to the next one */
    int64_t from, to;                                       /* bytes from the start */
} odometer;

static odometer start_at(const tg_copy *copy, const cut *c, int64_t unit)
{
    odometer o = {.from = copy->offset};
    int64_t pitch = copy->element;
    for (int axis = copy->rank - 1; axis >= 0; axis--) {
        int64_t each = axis == c->tiled ? TILE : c->whole ? TASK_ELEMENTS : 1;
        o.from_step[axis] = each * copy->strides[axis];
        o.to_step[axis] = each * pitch;
        o.at[axis] = unit % c->counts[axis];
        unit /= c->counts[axis];
        o.from += o.at[axis] * o.from_step[axis];
        o.to += o.at[axis] * o.to_step[axis];
        pitch *= copy->dims[axis];
    }
    return o;
}

static void next_unit(const tg_copy *copy, const cut *c, odometer *o)
{
    for (int axis = copy->rank - 1; axis >= 0; axis--) {
        o->from += o->from_step[axis];
        o->to += o->to_step[axis];
        if (++o->at[axis] < c->counts[axis])
            return;
        o->from -= o->at[axis] * o->from_step[axis];
        o->to -= o->at[axis] * o->to_step[axis];
        o->at[axis] = 0;
    }
}

static int64_t at_most(int64_t n, int64_t limit) { return n < limit ? n : limit; }

void tg_copy_run(const tg_copy *copy, const void *from, void *to, int64_t task)
{
    cut c = make_cut(copy);
    int last = copy->rank - 1;
    int64_t first = task * c.per_task, stop = at_most(first + c.per_task, c.units);
    if (first >= stop)
        return;
    odometer o = start_at(copy, &c, first);
    for (int64_t unit = first; unit < stop; unit++) {
        const char *source = (const char *)from + o.from;
        char *target = (char *)to + o.to;
        if (c.tiled >= 0)
            copy_tiles(copy, source, target, at_most(copy->dims[c.tiled] - o.at[c.tiled] * TILE, TILE),
                       o.to_step[c.tiled] / TILE);
        else if (c.whole)
            memcpy(target, source, (size_t)(at_most(copy->dims[0] - o.at[0] * TASK_ELEMENTS, TASK_ELEMENTS) * copy->element));
        else
            copy_row(source, copy->strides[last], target, copy->dims[last], copy->element);
        next_unit(copy, &c, &o);
    }
}

void tg_fill(void *to, int64_t count, int64_t element, const void *value)
{
    static const char zeros[8];
    char *out = to;
    if (memcmp(value, zeros, (size_t)element) == 0) {
        memset(to, 0, (size_t)(count * element));
        return;
    }
    for (int64_t i = 0; i < count; i++)
        memcpy(out + i * element, value, (size_t)element);
}
