/* Plain references for the library's ops, in f64 and loops that share nothing with the library's own. */
#ifndef TG_TESTS_OP_REFERENCE_H
#define TG_TESTS_OP_REFERENCE_H

#include "graph/op.h"

/** Computes `output`, [elements of work->output], from the inputs' values. `scale`, preset to 0, may be set to the sum of |terms|
    that an element's rounding error is measured by; where it stays 0 that is |output|. Negative: the output may be NaN too. */
typedef void (*op_reference)(const tg_work *work, const double *const *inputs, double *output, double *scale);

/** NULL if there is none for an op of that name. */
op_reference op_reference_find(const char *name);

/** The references of single families, each ended by a NULL name. */
typedef struct named_reference {
    const char *name;
    op_reference reference;
} named_reference;
extern const named_reference pointwise_references[], reduction_references[], layout_references[], window_references[],
    loss_references[];

/* What references walk tensors with. */

/** The multi-index of element i of a tensor of this shape. */
void unravel(tg_shape shape, int64_t i, int64_t *index);
/** The offset in a tensor of shape `from` that element `index` of the shape `to` reads, if `from` is broadcast to it. */
int64_t broadcast_offset(tg_shape from, tg_shape to, const int64_t *index);
/** The product of the extents of the axes [first, last). */
int64_t extent_product(tg_shape shape, int first, int last);

#endif
