/* How a reduction over any axes is cut into phases and tasks, from its shape alone, and run. */
#ifndef TG_OPS_REDUCTION_H
#define TG_OPS_REDUCTION_H

#include "graph/op.h"
#include "ops/kernels/reduce.h"

/* The contract's functions of every op whose attributes are tg_reduce_attributes. */
int tg_reduction_phases(const tg_work *work);
int64_t tg_reduction_tasks(const tg_work *work, int phase);
size_t tg_reduction_shared_bytes(const tg_work *work);

/** Runs a task; with `mean`, what the last phase stores is divided by the number of terms. */
void tg_reduction_run(const tg_work *work, const tg_buffers *buffers, int phase, int64_t task, tg_reduce_kind kind, bool mean);

#endif
