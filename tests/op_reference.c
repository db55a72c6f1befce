#include "op_reference.h"

#include <math.h>
#include <string.h>

#include "ops/attributes.h"

typedef long double real;

void unravel(tg_shape shape, int64_t i, int64_t *index)
{
    for (int axis = shape.rank - 1; axis >= 0; axis--) {
        index[axis] = i % shape.dims[axis];
        i /= shape.dims[axis];
    }
}

int64_t broadcast_offset(tg_shape from, tg_shape to, const int64_t *index)
{
    int64_t offset = 0;
    for (int axis = 0; axis < from.rank; axis++) {
        int64_t extent = from.dims[axis];
        offset = offset * extent + (extent == 1 ? 0 : index[axis + to.rank - from.rank]);
    }
    return offset;
}

int64_t extent_product(tg_shape shape, int first, int last)
{
    int64_t product = 1;
    for (int axis = first; axis < last; axis++)
        product *= shape.dims[axis];
    return product;
}

op_reference op_reference_find(const char *name)
{
    const named_reference *const families[] = {pointwise_references, reduction_references, layout_references, window_references,
                                               loss_references};
    for (size_t f = 0; f < sizeof families / sizeof *families; f++)
        for (const named_reference *r = families[f]; r->name; r++)
            if (strcmp(r->name, name) == 0)
                return r->reference;
    return NULL;
}

/* ---- pointwise, in long double, so that the one rounding to f64 is all that is lost ---- */

static void each(const tg_work *work, const double *const *inputs, double *output,
                 real (*at)(const real *x, const void *attributes))
{
    int64_t count = tg_shape_count(work->output.shape), index[TG_MAX_RANK];
    for (int64_t i = 0; i < count; i++) {
        real x[4];
        unravel(work->output.shape, i, index);
        for (int k = 0; k < work->n_inputs; k++)
            x[k] = inputs[k][broadcast_offset(work->inputs[k].shape, work->output.shape, index)];
        output[i] = (double)at(x, work->attributes);
    }
}

#define POINTWISE(name, expression)                                                                    \
    static real name##_at(const real *x, const void *attributes)                                       \
    {                                                                                                  \
        (void)attributes;                                                                              \
        return expression;                                                                             \
    }                                                                                                  \
    static void name##_reference(const tg_work *work, const double *const *in, double *out, double *s) \
    {                                                                                                  \
        (void)s;                                                                                       \
        each(work, in, out, name##_at);                                                                \
    }

/* One whose terms may cancel: the scale of its error is the sum of their sizes. */
#define POINTWISE_SUM(name, first, second)                                                             \
    POINTWISE(name##_sum, (first) + (second))                                                          \
    POINTWISE(name##_size, fabsl(first) + fabsl(second))                                               \
    static void name##_reference(const tg_work *work, const double *const *in, double *out, double *s) \
    {                                                                                                  \
        name##_sum_reference(work, in, out, s);                                                        \
        name##_size_reference(work, in, s, s);                                                         \
    }

#define SLOPE (((const tg_leaky_relu_attributes *)attributes)->slope)
#define ALPHA (((const tg_elu_attributes *)attributes)->alpha)
#define EPSILON (((const tg_adaptive_step_attributes *)attributes)->epsilon)
#define ROOT_HALF 0.707106781186547524400844362104849039L

static real saturated(real x, real low, real high) { return isnan(x) ? 0 : x < low ? low : x > high ? high : truncl(x); }
static real cast_value(real x, int32_t dtype)
{
    switch (dtype) {
    case TG_I32: return saturated(x, INT32_MIN, INT32_MAX);
    case TG_U8: return saturated(x, 0, UINT8_MAX);
    case TG_F32: return (float)x;
    default: return x;
    }
}

POINTWISE(add, x[0] + x[1])
POINTWISE(sub, x[0] - x[1])
POINTWISE(mul, x[0] * x[1])
POINTWISE(div, x[0] / x[1])
POINTWISE(pow, powl(x[0], x[1]))
POINTWISE(maximum, isnan(x[0]) ? x[0] : isnan(x[1]) || x[1] > x[0] ? x[1] : x[0])
POINTWISE(minimum, isnan(x[0]) ? x[0] : isnan(x[1]) || x[1] < x[0] ? x[1] : x[0])
POINTWISE(equal, x[0] == x[1])
POINTWISE(not_equal, x[0] != x[1])
POINTWISE(less, x[0] < x[1])
POINTWISE(less_equal, x[0] <= x[1])
POINTWISE(greater, x[0] > x[1])
POINTWISE(greater_equal, x[0] >= x[1])
POINTWISE(where, x[0] != 0 ? x[1] : x[2])
POINTWISE(neg, -x[0])
POINTWISE(abs, fabsl(x[0]))
POINTWISE(sign, isnan(x[0]) ? x[0] : (x[0] > 0) - (x[0] < 0))
POINTWISE(exp, expl(x[0]))
POINTWISE(log, logl(x[0]))
POINTWISE(sqrt, sqrtl(x[0]))
POINTWISE(square, x[0] * x[0])
POINTWISE(sin, sinl(x[0]))
POINTWISE(cos, cosl(x[0]))
POINTWISE(tanh, tanhl(x[0]))
POINTWISE(reciprocal, 1 / x[0])
POINTWISE(rsqrt, 1 / sqrtl(x[0]))
POINTWISE(erf, erfl(x[0]))
POINTWISE(sigmoid, x[0] >= 0 ? 1 / (1 + expl(-x[0])) : expl(x[0]) / (1 + expl(x[0])))
POINTWISE(relu, isnan(x[0]) || x[0] > 0 ? x[0] : 0)
POINTWISE(leaky_relu, x[0] > 0 ? x[0] : SLOPE * x[0])
POINTWISE(elu, x[0] > 0 ? x[0] : ALPHA * expm1l(x[0]))
POINTWISE(gelu, x[0] / 2 * erfcl(-x[0] * ROOT_HALF))
POINTWISE(silu, x[0] / (1 + expl(-x[0])))
POINTWISE(softplus, isnan(x[0]) ? x[0] : fmaxl(x[0], 0) + log1pl(expl(-fabsl(x[0]))))
POINTWISE_SUM(lerp, x[0], (x[1] - x[0]) * x[2])
POINTWISE_SUM(adaptive_step, x[0], -x[1] * x[2] / (sqrtl(x[3]) + EPSILON))
POINTWISE(cast, cast_value(x[0], ((const tg_cast_attributes *)attributes)->dtype))
POINTWISE(same, x[0])

/* clang-format off */
#define NAMED(name) {#name, name##_reference}
const named_reference pointwise_references[] = {
    NAMED(add), NAMED(sub), NAMED(mul), NAMED(div), NAMED(pow), NAMED(maximum), NAMED(minimum), NAMED(equal), NAMED(not_equal),
    NAMED(less), NAMED(less_equal), NAMED(greater), NAMED(greater_equal), NAMED(where), NAMED(neg), NAMED(abs), NAMED(sign),
    NAMED(exp), NAMED(log), NAMED(sqrt), NAMED(square), NAMED(sin), NAMED(cos), NAMED(tanh), NAMED(reciprocal), NAMED(rsqrt),
    NAMED(erf), NAMED(sigmoid), NAMED(relu), NAMED(leaky_relu), NAMED(elu), NAMED(gelu), NAMED(silu), NAMED(softplus),
    NAMED(lerp), NAMED(adaptive_step), NAMED(cast), {"stop_gradient", same_reference}, {"broadcast_to", same_reference}, {NULL, NULL}};
/* clang-format on */
