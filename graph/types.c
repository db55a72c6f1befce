#include "graph/types.h"

#include <stdio.h>
#include <string.h>

tg_shape tg_shape_make(int rank, const int64_t *dims)
{
    tg_shape shape = {.rank = rank};
    for (int i = 0; i < rank && i < TG_MAX_RANK; i++)
        shape.dims[i] = dims[i];
    return shape;
}

tg_axes tg_axes_make(int count, const int32_t *axes)
{
    tg_axes result = {.count = count};
    for (int i = 0; i < count && i < TG_MAX_RANK; i++)
        result.axes[i] = axes[i];
    return result;
}

size_t tg_dtype_size(tg_dtype dtype)
{
    static const size_t sizes[TG_DTYPE_COUNT] = {[TG_F32] = 4, [TG_F64] = 8, [TG_I32] = 4, [TG_U8] = 1};
    return (unsigned)dtype < TG_DTYPE_COUNT ? sizes[dtype] : 0;
}

const char *tg_dtype_name(tg_dtype dtype)
{
    static const char *const names[TG_DTYPE_COUNT] = {[TG_F32] = "f32", [TG_F64] = "f64", [TG_I32] = "i32", [TG_U8] = "u8"};
    return (unsigned)dtype < TG_DTYPE_COUNT ? names[dtype] : "float";
}

bool tg_dtype_is_float(tg_dtype dtype) { return dtype == TG_F32 || dtype == TG_F64; }

int64_t tg_shape_count(tg_shape shape)
{
    int64_t count = 1;
    for (int i = 0; i < shape.rank; i++)
        count *= shape.dims[i];
    return count;
}

int64_t tg_type_bytes(tg_type type) { return tg_shape_count(type.shape) * (int64_t)tg_dtype_size(type.dtype); }

bool tg_shape_valid(tg_shape shape)
{
    if (shape.rank < 0 || shape.rank > TG_MAX_RANK)
        return false;
    /* The product of the nonzero extents must fit too, so that strides of an empty tensor never overflow. */
    int64_t bytes = 8;
    for (int i = 0; i < shape.rank; i++) {
        if (shape.dims[i] < 0)
            return false;
        int64_t extent = shape.dims[i] ? shape.dims[i] : 1;
        if (bytes > INT64_MAX / extent)
            return false;
        bytes *= extent;
    }
    return true;
}

bool tg_shape_equal(tg_shape a, tg_shape b)
{
    if (a.rank != b.rank)
        return false;
    for (int i = 0; i < a.rank; i++)
        if (a.dims[i] != b.dims[i])
            return false;
    return true;
}

bool tg_type_equal(tg_type a, tg_type b) { return a.dtype == b.dtype && tg_shape_equal(a.shape, b.shape); }

bool tg_shape_broadcast(tg_shape a, tg_shape b, tg_shape *result)
{
    tg_shape wide = a.rank >= b.rank ? a : b;
    tg_shape narrow = a.rank >= b.rank ? b : a;
    int offset = wide.rank - narrow.rank;
    for (int i = 0; i < narrow.rank; i++) {
        int64_t p = wide.dims[offset + i], q = narrow.dims[i];
        if (p != q && p != 1 && q != 1)
            return false;
        wide.dims[offset + i] = p == 1 ? q : p;
    }
    *result = wide;
    return true;
}

bool tg_axes_mask(tg_axes axes, int rank, uint32_t *mask)
{
    *mask = 0;
    if (axes.count < 0) {
        *mask = (UINT32_C(1) << rank) - 1;
        return true;
    }
    if (axes.count > TG_MAX_RANK)
        return false;
    for (int i = 0; i < axes.count; i++) {
        int32_t axis = axes.axes[i] < 0 ? axes.axes[i] + rank : axes.axes[i];
        if (axis < 0 || axis >= rank || *mask >> axis & 1)
            return false;
        *mask |= UINT32_C(1) << axis;
    }
    return true;
}

char *tg_shape_text(tg_shape shape, char *text, size_t size)
{
    size_t at = 0;
    for (int i = 0; i < shape.rank && i < TG_MAX_RANK; i++) {
        int n =
            snprintf(at < size ? text + at : NULL, at < size ? size - at : 0, "%s%lld", i ? ", " : "[", (long long)shape.dims[i]);
        at += n > 0 ? (size_t)n : 0;
    }
    if (at < size)
        snprintf(text + at, size - at, "%s", shape.rank > TG_MAX_RANK ? ", ...]" : shape.rank > 0 ? "]" : "[]");
    return text;
}
