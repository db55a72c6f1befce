#include "ops/kernels/softmax.h"

#include <math.h>

typedef struct row {
    double max, sum; /* of the row; of exp(x - max) */
} row;

static row measure(const double *x, int64_t n)
{
    row r = {-INFINITY, 0};
    for (int64_t j = 0; j < n; j++)
        r.max = r.max != r.max || r.max > x[j] ? r.max : x[j];
    for (int64_t j = 0; j < n; j++)
        r.sum += exp(x[j] - r.max);
    return r;
}

void tg_softmax_f64(const double *x, int64_t rows, int64_t n, double *out)
{
    for (int64_t i = 0; i < rows; i++, x += n, out += n) {
        row r = measure(x, n);
        for (int64_t j = 0; j < n; j++)
            out[j] = exp(x[j] - r.max) / r.sum;
    }
}

void tg_log_softmax_f64(const double *x, int64_t rows, int64_t n, double *out)
{
    for (int64_t i = 0; i < rows; i++, x += n, out += n) {
        row r = measure(x, n);
        double log_sum = log(r.sum);
        for (int64_t j = 0; j < n; j++)
            out[j] = (x[j] - r.max) - log_sum;
    }
}

void tg_logsumexp_f64(const double *x, int64_t rows, int64_t n, double *out)
{
    for (int64_t i = 0; i < rows; i++, x += n) {
        row r = measure(x, n);
        out[i] = isinf(r.max) ? r.max : r.max + log(r.sum);
    }
}

void tg_cross_entropy_sparse_f64(const double *x, const int32_t *labels, int64_t rows, int64_t n, double *out)
{
    for (int64_t i = 0; i < rows; i++, x += n) {
        row r = measure(x, n);
        out[i] = log(r.sum) - (x[labels[i]] - r.max);
    }
}

void tg_cross_entropy_dense_f64(const double *x, const double *labels, int64_t rows, int64_t n, double *out)
{
    for (int64_t i = 0; i < rows; i++, x += n, labels += n) {
        row r = measure(x, n);
        double log_sum = log(r.sum), loss = 0;
        for (int64_t j = 0; j < n; j++) {
            double each = log_sum - (x[j] - r.max);
            loss += labels[j] == 0 && isinf(each) ? 0 : labels[j] * each;
        }
        out[i] = loss;
    }
}
