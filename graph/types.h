/* Element types, shapes and axes. */
#ifndef TG_GRAPH_TYPES_H
#define TG_GRAPH_TYPES_H

#include "graph/status.h"

TG_BEGIN_DECLS

/** The type of a tensor's elements. */
typedef enum tg_dtype {
    TG_F32, /**< IEEE binary32: for work */
    TG_F64, /**< IEEE binary64: for checking */
    TG_I32, /**< indices */
    TG_U8,  /**< images, masks, the results of comparisons */
    TG_DTYPE_COUNT,
    TG_FLOAT = TG_DTYPE_COUNT /**< where a dtype is asked for: the working float of the graph's variables (TG_F32 or TG_F64) */
} tg_dtype;

#define TG_MAX_RANK 8

/** The extents of a tensor, outermost first. Rank 0 is a scalar. An extent may be 0. */
typedef struct tg_shape {
    int32_t rank;
    int64_t dims[TG_MAX_RANK];
} tg_shape;

/** A set of axes; negative ones count from the last. `count` -1 stands for all axes. */
typedef struct tg_axes {
    int32_t count;
    int32_t axes[TG_MAX_RANK];
} tg_axes;

/** dtype and shape: all that a shape rule, a task count or a memory plan sees of a tensor. */
typedef struct tg_type {
    tg_dtype dtype; /**< never TG_FLOAT */
    tg_shape shape;
} tg_type;

TG_API tg_shape tg_shape_make(int rank, const int64_t *dims);
TG_API tg_axes tg_axes_make(int count, const int32_t *axes);

#ifdef __cplusplus
TG_END_DECLS
#include <initializer_list>
static inline tg_shape tg_shape_list(std::initializer_list<int64_t> dims)
{
    return tg_shape_make((int)dims.size(), dims.begin());
}
static inline tg_axes tg_axes_list(std::initializer_list<int32_t> axes) { return tg_axes_make((int)axes.size(), axes.begin()); }
#define TG_SHAPE(...) tg_shape_list({__VA_ARGS__})
#define TG_AXES(...) tg_axes_list({__VA_ARGS__})
TG_BEGIN_DECLS
#else
/** TG_SHAPE(128, 784): the shape [128, 784]. */
#define TG_SHAPE(...) tg_shape_make((int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (int64_t[]){__VA_ARGS__})
/** TG_AXES(0, -1): the first and the last axis. */
#define TG_AXES(...) tg_axes_make((int)(sizeof((int32_t[]){__VA_ARGS__}) / sizeof(int32_t)), (int32_t[]){__VA_ARGS__})
#endif
/** The shape of a scalar. */
#define TG_SCALAR tg_shape_make(0, NULL)
/** Every axis of whatever it is applied to. */
#define TG_ALL_AXES tg_axes_make(-1, NULL)

/** Bytes of one element: 4, 8, 4, 1. */
TG_API size_t tg_dtype_size(tg_dtype dtype);
/** "f32", "f64", "i32", "u8". */
TG_API const char *tg_dtype_name(tg_dtype dtype);
TG_API bool tg_dtype_is_float(tg_dtype dtype);

/** The number of elements; 1 for a scalar. Shapes on a tape were checked, so the product fits. */
TG_API int64_t tg_shape_count(tg_shape shape);
/** count x element size, in bytes. */
TG_API int64_t tg_type_bytes(tg_type type);
/** False if the rank exceeds TG_MAX_RANK, an extent is negative or the product of extents and 8 bytes exceeds INT64_MAX. */
TG_API bool tg_shape_valid(tg_shape shape);
TG_API bool tg_shape_equal(tg_shape a, tg_shape b);
TG_API bool tg_type_equal(tg_type a, tg_type b);
/** NumPy's broadcasting, from the right. False if an axis has two extents and neither is 1. */
TG_API bool tg_shape_broadcast(tg_shape a, tg_shape b, tg_shape *result);
/** A bit mask of the axes named, for a tensor of this rank. False if an axis is out of range or named twice. */
TG_API bool tg_axes_mask(tg_axes axes, int rank, uint32_t *mask);
/** "[128, 784]"; "[]" for a scalar. Writes at most `size` bytes with the terminating zero and returns `text`. */
TG_API char *tg_shape_text(tg_shape shape, char *text, size_t size);

TG_END_DECLS

#endif
