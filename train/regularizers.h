/* Regularizers: terms of the loss that keep weights small. */
#ifndef TG_TRAIN_REGULARIZERS_H
#define TG_TRAIN_REGULARIZERS_H

#include "graph/tape.h"

TG_BEGIN_DECLS

/** Keras's kernel_regularizer L2 for every layer of x's graph: `factor` times the sum of the squares of all trainable variables
    named ".../kernel" that the graph has so far, a scalar. 0 if there is none. A negative or infinite factor is an error of the
    graph. As in Keras the loss that contains it is the one to be reported, of training and of evaluation; unlike weight decay it
    goes through the optimizer's moments. */
TG_API tg_tensor tg_l2_penalty_at(tg_where where, tg_tensor x, double factor);
#define tg_l2_penalty(...) tg_l2_penalty_at(TG_HERE, __VA_ARGS__)

TG_END_DECLS

#endif
