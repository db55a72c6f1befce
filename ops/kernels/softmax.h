/* Softmax and what is made of its parts: rows of n contiguous logits. The f32 kernels are vectors' (ops/kernels/softmax.c);
   these, in f64 and plain C, are also their references. An infinite maximum gives NaN, but logsumexp's infinity. */
#ifndef TG_OPS_KERNELS_SOFTMAX_H
#define TG_OPS_KERNELS_SOFTMAX_H

#include <stdint.h>

/** [rows, n] -> [rows, n]. */
void tg_softmax_f64(const double *x, int64_t rows, int64_t n, double *out);
void tg_log_softmax_f64(const double *x, int64_t rows, int64_t n, double *out);
/** [rows, n] -> [rows]. */
void tg_logsumexp_f64(const double *x, int64_t rows, int64_t n, double *out);
/** out[i] = -log_softmax(x[i])[labels[i]]; the labels lie in [0, n). */
void tg_cross_entropy_sparse_f64(const double *x, const int32_t *labels, int64_t rows, int64_t n, double *out);
/** out[i] = -sum over j of labels[i][j] log_softmax(x[i])[j], in which labels of 0 add nothing. */
void tg_cross_entropy_dense_f64(const double *x, const double *labels, int64_t rows, int64_t n, double *out);

#endif
