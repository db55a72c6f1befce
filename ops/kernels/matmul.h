/* One matrix product c = op(a) op(b) cut into tasks, from its extents and the instruction set alone. Row-major and without gaps. */
#ifndef TG_OPS_KERNELS_MATMUL_H
#define TG_OPS_KERNELS_MATMUL_H

#include "ops/kernels/kernels.h"

typedef struct tg_matmul_size {
    int64_t m, n, k;
    bool transpose_a, transpose_b; /**< a is stored [k, m], b is stored [n, k] */
    bool lookup;                   /**< a is stored as bytes that stand for a table's elements */
} tg_matmul_size;

typedef struct tg_matmul_plan {
    const tg_kernels *kernels;
    tg_matmul_size size; /**< of what is computed: c^T = op(b)^T op(a)^T if swapped */
    bool swapped;
    bool pack_right; /**< into panels, before the product; else the right side is read where it lies */
    bool pack_left;  /**< block by block, by each task */
    bool pack_late;  /**< the right side too is packed so, instead of before the product */
    tg_panels panels;
    tg_panels packed; /**< those in which the right side lies, if it is packed: each of them holds one or several of `panels` */
    int64_t packed_rows; /**< of each: k, and what they are filled up with */
    int64_t row_blocks;  /**< the rows cut into tiles */
    int64_t row_tasks, column_tasks;
    int64_t depth; /**< of a block of k */
} tg_matmul_plan;

/** The part of c that a task computes: whole rows if first_column is 0 and columns is n. */
typedef struct tg_matmul_part {
    int64_t first_row, rows, first_column, columns;
} tg_matmul_part;

/** The left side's values: floats, or bytes with their table. */
typedef struct tg_matmul_left {
    const float *floats;
    const uint8_t *bytes;
    const float *table; /**< of 256 */
} tg_matmul_left;

/** `flops_per_task`: about how much work a task should have. The left side is a and the right side b, unless the plan is swapped. */
tg_matmul_plan tg_matmul_plan_make(const tg_kernels *kernels, tg_matmul_size size, double flops_per_task);
/** For a right side that is packed in another way than tg_matmul_pack() does: see tg_matmul_plan.packed. */
void tg_matmul_plan_pack_as(tg_matmul_plan *plan, tg_panels packed, int64_t packed_rows);
/** Lets each task pack what it needs of the right side, where it has so many rows that this is little work: a large right side then does not
    go through memory once more. */
void tg_matmul_plan_pack_late(tg_matmul_plan *plan);
/** `rows` of the rows, in tasks of all of them. */
tg_matmul_plan tg_matmul_plan_rows(const tg_matmul_plan *plan, int64_t rows, int64_t column_tasks);
/** Floats of one packed right side; 0 if it is not packed. */
int64_t tg_matmul_packed(const tg_matmul_plan *plan);
/** Floats of scratch that a task needs. */
int64_t tg_matmul_scratch(const tg_matmul_plan *plan);
/** Packs panel i of the right side. */
void tg_matmul_pack(const tg_matmul_plan *plan, const float *right, float *packed, int64_t i);
/** Task 0 <= task < row_tasks x column_tasks; `right` is the packed one if the plan says so. */
void tg_matmul_run(const tg_matmul_plan *plan, tg_matmul_left left, const float *right, float *c, int64_t task, float *scratch);
tg_matmul_part tg_matmul_task(const tg_matmul_plan *plan, int64_t task);

/** Rows [first, end) of the product in f64: the plain loops, with the same order of k. */
void tg_matmul_plain(tg_matmul_size size, const double *a, const double *b, double *c, int64_t first, int64_t end);

#endif
