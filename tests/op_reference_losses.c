/* References for losses. */
#include <math.h>

#include "op_reference.h"

/* log(sum of exp(x)) of a row. */
static double row_logsumexp(const double *x, int64_t n)
{
    double max = -INFINITY, sum = 0;
    for (int64_t j = 0; j < n; j++)
        max = isnan(x[j]) || isnan(max) ? NAN : fmax(max, x[j]);
    for (int64_t j = 0; j < n; j++)
        sum += exp(x[j] - max);
    return max + log(sum);
}

static void cross_entropy_reference(const tg_work *work, const double *const *in, double *out, double *scale)
{
    int64_t rows = work->inputs[0].shape.dims[0], n = work->inputs[0].shape.dims[1];
    for (int64_t i = 0; i < rows; i++) {
        double total = row_logsumexp(in[0] + i * n, n), logit = in[0][i * n + (int64_t)in[1][i]];
        out[i] = total - logit;
        scale[i] = 1 + fabs(total) + fabs(logit);
    }
}

/* A label of 0 adds nothing, be its loss infinite, but passes a NaN on. */
static void cross_entropy_dense_reference(const tg_work *work, const double *const *in, double *out, double *scale)
{
    int64_t rows = work->inputs[0].shape.dims[0], n = work->inputs[0].shape.dims[1];
    for (int64_t i = 0; i < rows; i++) {
        const double *x = in[0] + i * n, *labels = in[1] + i * n;
        double total = row_logsumexp(x, n);
        out[i] = 0;
        for (int64_t j = 0; j < n; j++) {
            out[i] += labels[j] == 0 && !isnan(total - x[j]) ? 0 : labels[j] * (total - x[j]);
            scale[i] += fabs(labels[j]) * (1 + fabs(total) + fabs(x[j]));
        }
    }
}

const named_reference loss_references[] = {
    {"cross_entropy", cross_entropy_reference}, {"cross_entropy_dense", cross_entropy_dense_reference}, {NULL, NULL}};
