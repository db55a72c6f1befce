/* Ops on rows: all work along the last axis. */
#ifndef TG_OPS_ROWS_H
#define TG_OPS_ROWS_H

#include "graph/op.h"

/** The rows that a task takes. */
typedef struct tg_row_range {
    int64_t first, count;
    int64_t length; /**< elements of a row */
} tg_row_range;

/** A task's rows of input 0, seen as [rows, last extent]. */
tg_row_range tg_row_task(const tg_work *work, int64_t task);
/** The contract's function of an op whose tasks are tg_row_task()'s. */
int64_t tg_row_tasks(const tg_work *work, int phase);

#endif
