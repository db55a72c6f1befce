/* Random orders that depend on (seed, name, round) alone. */
#ifndef TG_TRAIN_PERMUTATION_H
#define TG_TRAIN_PERMUTATION_H

#include "graph/status.h"

TG_BEGIN_DECLS

/** A random order of 0 .. count - 1 into `order`, by Fisher and Yates from Philox. `name` tells uses of a seed apart, `round` their
    repetitions, such as epochs. Draws are (32 random bits x range) >> 32: no order is favoured by more than count^2 / 2^32. */
TG_API void tg_permutation(uint64_t seed, const char *name, uint64_t round, int32_t *order, int32_t count);

TG_END_DECLS

#endif
