/* What ops on matrix products share: ops/matmul.c has it, ops/lookup.c too. */
#ifndef TG_OPS_PRODUCTS_H
#define TG_OPS_PRODUCTS_H

#include "graph/op.h"
#include "ops/kernels/matmul.h"

enum { TG_PACK_TASK_FLOATS = 1 << 14 /* of a task that packs */ };

/** About how many operations a task of a product of so many has: enough tasks for many threads, none too small. */
double tg_task_flops(double flops);
/** Panels of the right side that a task packs. */
int64_t tg_panels_per_task(const tg_matmul_plan *plan);
/** Reports a part of a product with n columns, which begins at element `at` of the output. */
void tg_finish_part(const tg_buffers *buffers, int64_t n, int64_t at, const tg_matmul_part *part);

#endif
