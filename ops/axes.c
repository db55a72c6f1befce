#include "ops/axes.h"

static void fail(tg_where where, const char *op, tg_tensor x, const char *reason)
{
    char shape[200];
    tg_type type = tg_tensor_type(x);
    tg_graph_fail(x.graph, where, "%s of %s %s: %s", op, tg_shape_text(type.shape, shape, sizeof shape),
                  tg_dtype_name(type.dtype), reason);
}

bool tg_check_axes(tg_where where, const char *op, tg_tensor x, tg_axes axes, uint32_t *mask)
{
    *mask = 0;
    if (!tg_ok(x) || tg_axes_mask(axes, tg_tensor_shape(x).rank, mask))
        return true;
    fail(where, op, x, "an axis is out of range, or named twice");
    return false;
}

bool tg_check_axis(tg_where where, const char *op, tg_tensor x, int axis, int32_t *result)
{
    int32_t rank = tg_tensor_shape(x).rank;
    *result = axis < 0 ? axis + rank : axis;
    if (!tg_ok(x) || (*result >= 0 && *result < rank))
        return true;
    fail(where, op, x, "the axis is out of range");
    return false;
}

tg_axes tg_axes_of_mask(uint32_t mask)
{
    tg_axes axes = {0};
    for (int32_t axis = 0; axis < TG_MAX_RANK; axis++)
        if (mask >> axis & 1)
            axes.axes[axes.count++] = axis;
    return axes;
}

tg_shape tg_shape_reduced(tg_shape shape, uint32_t mask, bool keep)
{
    tg_shape result = {0};
    for (int32_t axis = 0; axis < shape.rank; axis++) {
        bool reduced = mask >> axis & 1;
        if (!reduced || keep)
            result.dims[result.rank++] = reduced ? 1 : shape.dims[axis];
    }
    return result;
}

int64_t tg_shape_product(tg_shape shape, int from, int to)
{
    int64_t product = 1;
    for (int axis = from; axis < to; axis++)
        product *= shape.dims[axis];
    return product;
}
