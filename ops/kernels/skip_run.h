/* A product that skips zeros, cut into tasks from its extents and the instruction set alone. */
#ifndef TG_OPS_KERNELS_SKIP_RUN_H
#define TG_OPS_KERNELS_SKIP_RUN_H

#include "ops/kernels/matmul.h"

typedef struct tg_skip_plan {
    const tg_kernels *kernels;
    tg_matmul_size size; /**< of c = table[x] b; x may be transposed, b not */
    tg_panels panels;
    int64_t blocks;   /**< of k */
    int64_t per_task; /**< rows of c */
    int64_t row_tasks, column_tasks;
} tg_skip_plan;

tg_skip_plan tg_skip_plan_make(const tg_kernels *kernels, tg_matmul_size size);
/** For a product whose right side is packed beforehand, and whose tasks choose the way by themselves: their rows are whole tiles of the
    dense plan, and their columns are cut until they have about `flops_per_task`. */
void tg_skip_plan_cut(tg_skip_plan *plan, const tg_matmul_plan *dense, double flops_per_task);
/** The part of c that a task computes. */
tg_matmul_part tg_skip_task(const tg_skip_plan *plan, int64_t task);
/** Whether skipping pays: byte 0 stands for zero, and a sample of the bytes has enough of them. */
bool tg_skip_pays(const tg_skip_plan *plan, const uint8_t *x, const float *table);
/** Bytes that the packed right side takes; bytes of scratch that a task needs. */
int64_t tg_skip_packed(const tg_skip_plan *plan);
int64_t tg_skip_scratch(const tg_skip_plan *plan);
/** Packs block i of the right side. */
void tg_skip_pack(const tg_skip_plan *plan, const float *b, void *packed, int64_t i);
/** Brings to scratch which terms of the rows of task 0 <= task < row_tasks x column_tasks count; returns how many those are. */
int64_t tg_skip_find(const tg_skip_plan *plan, const uint8_t *x, const void *packed, int64_t task, void *scratch);
/** After tg_skip_find(). */
void tg_skip_run(const tg_skip_plan *plan, tg_matmul_left left, const void *packed, float *c, int64_t task, void *scratch);

#endif
