#include "exec/walk.h"

#include <string.h>

tg_walk tg_walk_make(tg_type type, tg_shape to)
{
    tg_walk walk = {.size = (int64_t)tg_dtype_size(type.dtype)};
    tg_shape from = type.shape;
    int64_t stride = 1;
    /* Innermost first, then turned around. */
    for (int32_t axis = 0; axis < to.rank; axis++) {
        int64_t extent = to.dims[to.rank - 1 - axis];
        int64_t own = axis < from.rank ? from.dims[from.rank - 1 - axis] : 1;
        int64_t step = own == 1 ? 0 : stride;
        stride *= own;
        if (extent == 1)
            continue;
        int64_t inner = walk.rank - 1;
        if (inner >= 0 && step == walk.strides[inner] * (walk.strides[inner] ? walk.extents[inner] : 1)) {
            walk.extents[inner] *= extent;
        } else {
            walk.extents[walk.rank] = extent;
            walk.strides[walk.rank++] = step;
        }
    }
    for (int64_t i = 0, j = walk.rank - 1; i < j; i++, j--) {
        int64_t extent = walk.extents[i], step = walk.strides[i];
        walk.extents[i] = walk.extents[j], walk.strides[i] = walk.strides[j];
        walk.extents[j] = extent, walk.strides[j] = step;
    }
    if (walk.rank == 1 && walk.strides[0] == 0)
        walk.rank = 0;
    return walk;
}

void tg_walk_repeat(const void *from, int64_t size, void *out, int64_t count)
{
    if (size == 4) {
        uint32_t value, *to = out;
        memcpy(&value, from, sizeof value);
        for (int64_t i = 0; i < count; i++)
            to[i] = value;
    } else if (size == 8) {
        uint64_t value, *to = out;
        memcpy(&value, from, sizeof value);
        for (int64_t i = 0; i < count; i++)
            to[i] = value;
    } else {
        memset(out, *(const uint8_t *)from, (size_t)count);
    }
}

void tg_walk_fill(const tg_walk *walk, const void *from, void *out, int64_t first, int64_t count)
{
    const int64_t size = walk->size;
    if (walk->rank == 0) {
        tg_walk_repeat(from, size, out, count);
        return;
    }
    int64_t index[TG_MAX_RANK], rest = first, at = 0;
    for (int64_t axis = walk->rank - 1; axis >= 0; axis--) {
        index[axis] = rest % walk->extents[axis];
        rest /= walk->extents[axis];
        at += index[axis] * walk->strides[axis];
    }
    const int64_t inner = walk->rank - 1;
    for (int64_t done = 0; done < count;) {
        int64_t run = walk->extents[inner] - index[inner];
        run = run < count - done ? run : count - done;
        const char *source = (const char *)from + at * size;
        char *target = (char *)out + done * size;
        if (walk->strides[inner])
            memcpy(target, source, (size_t)(run * size));
        else
            tg_walk_repeat(source, size, target, run);
        done += run;
        at -= index[inner] * walk->strides[inner];
        index[inner] = 0;
        for (int64_t axis = inner - 1; axis >= 0; axis--) {
            at += walk->strides[axis];
            if (++index[axis] < walk->extents[axis])
                break;
            at -= walk->extents[axis] * walk->strides[axis];
            index[axis] = 0;
        }
    }
}
