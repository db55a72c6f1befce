/* Rewrite rules that stand in the list of one family's op but know another family's. */
#ifndef TG_OPS_REWRITES_H
#define TG_OPS_REWRITES_H

#include "graph/op.h"

/** For slice: slice(conv2d(x, k)) -> conv2d(x, k) of what the slice takes. EXACT. */
tg_tensor tg_rewrite_slice_conv2d(const tg_rewrite_args *args);
/** For mul, neg, add, sub, where: f(unpool2d(y, i), x) -> unpool2d(f(y, pool_gather2d(x, i)), i), where windows do not overlap and f gives 0
    for the zeros between. EXACT. */
tg_tensor tg_rewrite_unpooled_operand(const tg_rewrite_args *args);
/** For matmul: matmul(f(x), b) -> lookup_matmul(f(0 .. 255), x, b) for f pointwise, from bytes. EXACT. */
tg_tensor tg_rewrite_matmul_of_bytes(const tg_rewrite_args *args);

#endif
