/* Between what a pointwise op's results lie, found by running it on the ends of where its operands lie. */
#ifndef TG_EXEC_BOUNDS_H
#define TG_EXEC_BOUNDS_H

#include "graph/rebuild.h"

#define TG_BOUNDED_INPUTS 4 /* more are not looked at */

typedef struct tg_bounded_op {
    tg_block_fn block; /**< NULL: a copy of input 0 */
    const void *attributes;
    bool monotone; /**< TG_MONOTONE */
    int32_t n_inputs;
    tg_dtype dtype; /**< of the result */
    tg_dtype dtypes[TG_BOUNDED_INPUTS];
    tg_interval inputs[TG_BOUNDED_INPUTS]; /**< finite */
} tg_bounded_op;

/** Bounds of the results during a run; false if one may not be finite, or if that is not known. */
bool tg_find_bounds(const tg_bounded_op *op, tg_interval *result);

/** What any value of an integer dtype lies between; of a float one, any of TG_SMALL (exec/finite.h). */
tg_interval tg_interval_of(tg_dtype dtype);
/** Reads one element; NaN gives an interval that is not finite. */
tg_interval tg_interval_at(tg_dtype dtype, const void *value);
bool tg_interval_finite(tg_interval interval);

#endif
