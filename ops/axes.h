/* Axes as ops take them: checked at recording, kept as a bit mask. */
#ifndef TG_OPS_AXES_H
#define TG_OPS_AXES_H

#include "graph/op.h"

/** The mask of `axes` of x (0 if x is poisoned). False, with the graph's error set in the name of `op`, if an axis is wrong. */
bool tg_check_axes(tg_where where, const char *op, tg_tensor x, tg_axes axes, uint32_t *mask);
/** The same for one axis, which may count from the last. */
bool tg_check_axis(tg_where where, const char *op, tg_tensor x, int axis, int32_t *result);

tg_axes tg_axes_of_mask(uint32_t mask);
/** The shape without the axes of the mask, or with extent 1 there. */
tg_shape tg_shape_reduced(tg_shape shape, uint32_t mask, bool keep);
/** The product of extents [from, to). */
int64_t tg_shape_product(tg_shape shape, int from, int to);

/** A poisoned handle on x's graph. */
static inline tg_tensor tg_poisoned(tg_tensor x) { return (tg_tensor){x.graph, -1}; }

#endif
