/* How a tensor spreads over a larger, row-major index: NumPy's broadcasting with its axes merged. */
#ifndef TG_EXEC_WALK_H
#define TG_EXEC_WALK_H

#include "graph/types.h"

typedef struct tg_walk {
    int64_t size; /**< bytes of an element: 1, 4 or 8 */
    int64_t rank; /**< after merging; 0: one element for all */
    int64_t extents[TG_MAX_RANK];
    int64_t strides[TG_MAX_RANK]; /**< in elements; 0: repeated */
} tg_walk;

/** `from` must broadcast to `to`. */
tg_walk tg_walk_make(tg_type from, tg_shape to);
/** Writes the elements [first, first + count) of the spread tensor to `out`. */
void tg_walk_fill(const tg_walk *walk, const void *from, void *out, int64_t first, int64_t count);
/** Writes `count` times the element of `size` bytes at `from`. */
void tg_walk_repeat(const void *from, int64_t size, void *out, int64_t count);

#endif
