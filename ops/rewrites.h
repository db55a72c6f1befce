/* Rewrite rules that stand in the list of one family's op but know another family's. */
#ifndef TG_OPS_REWRITES_H
#define TG_OPS_REWRITES_H

#include "graph/op.h"

/** For slice: slice(conv2d(x, k)) -> conv2d(x, k) of what the slice takes. EXACT. */
tg_tensor tg_rewrite_slice_conv2d(const tg_rewrite_args *args);
/** For mul, neg, add, sub, where: f(unpool2d(y, i), x) -> unpool2d(f(y, pool_gather2d(x, i)), i), where windows do not overlap and f gives 0
    for the zeros between. EXACT. */
tg_tensor tg_rewrite_unpooled_operand(const tg_rewrite_args *args);
/** For add: a + (b - a) t -> lerp(a, b, t) for t of rank 0. EXACT. */
tg_tensor tg_rewrite_lerp(const tg_rewrite_args *args);
/** For sub: w - m r / (sqrt(v) + e) -> adaptive_step(w, m, r, v) for r of rank 0 and e a constant number. EXACT. */
tg_tensor tg_rewrite_adaptive_step(const tg_rewrite_args *args);
/** For matmul: matmul(f(x), b) -> lookup_matmul(f(0 .. 255), x, b) for f pointwise, from bytes. EXACT. */
tg_tensor tg_rewrite_matmul_of_bytes(const tg_rewrite_args *args);

#endif
