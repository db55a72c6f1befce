/* References for products, convolutions, pooling and losses. */
#include <math.h>
#include <string.h>

#include "op_reference.h"
#include "ops/attributes.h"

/* ---- products ---- */

/* The offset of the matrix of a batched operand that belongs to matrix `batch` of the result. */
static int64_t matrix_offset(tg_shape operand, tg_shape result, int64_t batch)
{
    int64_t index[TG_MAX_RANK];
    int64_t elements = operand.dims[operand.rank - 2] * operand.dims[operand.rank - 1];
    operand.rank -= 2;
    result.rank -= 2;
    unravel(result, batch, index);
    return broadcast_offset(operand, result, index) * elements;
}

static void matmul_reference(const tg_work *work, const double *const *in, double *out, double *scale)
{
    const tg_matmul_attributes *attributes = work->attributes;
    tg_shape a = work->inputs[0].shape, b = work->inputs[1].shape, c = work->output.shape;
    int64_t m = c.dims[c.rank - 2], n = c.dims[c.rank - 1], k = a.dims[a.rank - (attributes->transpose_a ? 2 : 1)];
    int64_t batches = extent_product(c, 0, c.rank - 2);
    for (int64_t at = 0; at < batches * m * n; at++) {
        int64_t batch = at / (m * n), row = at / n % m, column = at % n;
        const double *x = in[0] + matrix_offset(a, c, batch), *y = in[1] + matrix_offset(b, c, batch);
        out[at] = 0;
        for (int64_t i = 0; i < k; i++) {
            double term = x[attributes->transpose_a ? i * m + row : row * k + i] * y[attributes->transpose_b ? column * k + i : i * n + column];
            out[at] += term;
            scale[at] += fabs(term);
        }
    }
}

const named_reference window_references[] = {{"matmul", matmul_reference}, {NULL, NULL}};
