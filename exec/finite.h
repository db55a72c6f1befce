/* Whether floats are finite, and so small that an update cannot make an infinity of them. */
#ifndef TG_EXEC_FINITE_H
#define TG_EXEC_FINITE_H

#include "graph/types.h"

typedef enum tg_finite {
    TG_SMALL,    /**< of magnitudes below tg_small_limit() */
    TG_LARGE,    /**< finite */
    TG_NONFINITE /**< some are NaNs or infinities */
} tg_finite;

/** The worst of `count` elements; of integers TG_SMALL. */
tg_finite tg_finite_class(tg_dtype dtype, const void *values, int64_t count);

/** A power of two far from overflow, and far above what gradients are. */
double tg_small_limit(tg_dtype dtype);

#endif
