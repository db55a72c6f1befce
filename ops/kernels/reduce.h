/* The order in which a reduction combines its terms. It depends on extents alone, so the bits do too:
   a row of contiguous terms goes block by block (TG_REDUCE_BLOCK terms) into TG_REDUCE_LANES interleaved lanes, which a tree
   folds; a column of a matrix that is TG_REDUCE_LANES wide or wider goes into TG_REDUCE_COLUMN_LANES by its row, folded after
   each TG_REDUCE_COLUMN_BLOCK rows; a narrower one into TG_REDUCE_LANES. A tree folds lane i with lane i + half, then half of
   that. */
#ifndef TG_OPS_KERNELS_REDUCE_H
#define TG_OPS_KERNELS_REDUCE_H

#include <stdint.h>

typedef enum tg_reduce_kind {
    TG_REDUCE_SUM, /* of no terms: 0 */
    TG_REDUCE_MAX, /* NaN if a term is; of no terms: the lowest value */
    TG_REDUCE_MIN
} tg_reduce_kind;

enum { TG_REDUCE_LANES = 16, TG_REDUCE_BLOCK = 1024, TG_REDUCE_COLUMN_LANES = 4, TG_REDUCE_COLUMN_BLOCK = 256 };

/** out[i] = reduction of the n terms from x + i stride, for each of `rows` rows. */
typedef void tg_reduce_rows_fn(tg_reduce_kind kind, const void *x, int64_t rows, int64_t n, int64_t stride, void *out);
/** out[j] = reduction over i < n of x[i stride + j], for j < width. */
typedef void tg_reduce_columns_fn(tg_reduce_kind kind, const void *x, int64_t n, int64_t width, int64_t stride, void *out);

/* In plain C, in the order above; the f32 ones are the references of the vector kernels reduce_rows and reduce_columns. */
tg_reduce_rows_fn tg_reduce_rows_f32, tg_reduce_rows_f64, tg_reduce_rows_i32, tg_reduce_rows_u8;
tg_reduce_columns_fn tg_reduce_columns_f32, tg_reduce_columns_f64, tg_reduce_columns_i32, tg_reduce_columns_u8;

#endif
