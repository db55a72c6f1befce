/* Products that skip the zeros of their left side, which is a matrix of bytes that stand for a table's elements: byte 0 for zero.
   A zero's term changes no sum while the other side is finite, so the bits are those of the dense product: one accumulator for each
   output, from +0, in order of k, and +0 added at the end. Where a block of the other side is not finite, no term is skipped. */
#ifndef TG_OPS_KERNELS_SKIP_H
#define TG_OPS_KERNELS_SKIP_H

#include <stdbool.h>
#include <stdint.h>

#define TG_SKIP_BLOCK 64 /* of k at a time: the bits of a mask, and rows of b that stay in the first cache */

/** The inner kernel: over one block of k, for all the columns of a panel. */
typedef struct tg_skip_tile {
    int64_t rows;
    int32_t vectors;          /**< of the panel, 1 .. skip_limits()->vectors */
    const uint64_t *masks;    /**< [rows] bit k: this term counts */
    const uint8_t *x;         /**< the byte of (row, k) lies at x[row row_step + k k_step] */
    int64_t row_step, k_step; /**< in bytes */
    const float *table;       /**< [256] */
    const float *b;           /**< [TG_SKIP_BLOCK, vectors], without gaps */
    float *sums;              /**< [rows, vectors] from one block to the next */
    float *c;                 /**< what the last block writes: `columns` of them in each row */
    int64_t c_step, columns;
    bool first, last; /**< blocks of k */
    bool pairs;       /**< two rows at once: neighbours have their zeros in much the same places */
} tg_skip_tile;

#endif
