#include "ops/kernels/plain_lanes.h"

#include <math.h>
#include <string.h>

typedef double f64;
typedef float f32;
typedef int32_t i32;
typedef uint8_t u8;

#define PARAMETERS void *out, const void *const *in, int64_t n, const void *attributes

/* Each defines one lane function: `expression` gives the result from a[i] (b[i], and the attribute c). */
#define UNARY(op, from, to, expression)   \
    void tg_plain_##op(PARAMETERS)        \
    {                                     \
        const from *in_a = in[0];         \
        to *y = out;                      \
        (void)attributes;                 \
        for (int64_t i = 0; i < n; i++) { \
            from a = in_a[i];             \
            y[i] = (to)(expression);      \
        }                                 \
    }
#define UNARY_WITH(op, type, expression)            \
    void tg_plain_##op(PARAMETERS)                  \
    {                                               \
        const type *in_a = in[0];                   \
        const type c = *(const double *)attributes; \
        type *y = out;                              \
        for (int64_t i = 0; i < n; i++) {           \
            type a = in_a[i];                       \
            y[i] = (expression);                    \
        }                                           \
    }
#define BINARY(op, from, to, expression)         \
    void tg_plain_##op(PARAMETERS)               \
    {                                            \
        const from *in_a = in[0], *in_b = in[1]; \
        to *y = out;                             \
        (void)attributes;                        \
        for (int64_t i = 0; i < n; i++) {        \
            from a = in_a[i], b = in_b[i];       \
            y[i] = (to)(expression);             \
        }                                        \
    }
#define SELECT(op, type)                       \
    void tg_plain_##op(PARAMETERS)             \
    {                                          \
        const u8 *condition = in[0];           \
        const type *a = in[1], *b = in[2];     \
        type *y = out;                         \
        (void)attributes;                      \
        for (int64_t i = 0; i < n; i++)        \
            y[i] = condition[i] ? a[i] : b[i]; \
    }
#define COPY(size)                                \
    void tg_plain_copy_##size(PARAMETERS)         \
    {                                             \
        (void)attributes;                         \
        if (n > 0 && out != in[0])                \
            memmove(out, in[0], size *(size_t)n); \
    }

/* a Phi(a) = a erfc(t) / 2 with t = -a / sqrt(2), whose rounding error erfc' makes good. */
static double gelu(double a)
{
    const double root = 0x1.6a09e667f3bcdp-1, root_rest = -0x1.bdd3413b26456p-55;
    if (isinf(a))
        return a > 0 ? a : NAN;
    double t = -a * root, rest = fma(-a, root, -t) - a * root_rest;
    return 0.5 * a * (erfc(t) - rest * 1.12837916709551257390 * exp(-t * t));
}

/* Below -700, exp(-a) might overflow where the result does not vanish. */
static double silu(double a) { return a < -700 ? a * exp(a) : a / (1 + exp(-a)); }

/* clang-format off */

#define COMPARISONS(type)                              \
    BINARY(equal_##type, type, u8, a == b)             \
    BINARY(not_equal_##type, type, u8, a != b)         \
    BINARY(less_##type, type, u8, a < b)               \
    BINARY(less_equal_##type, type, u8, a <= b)        \
    BINARY(greater_##type, type, u8, a > b)            \
    BINARY(greater_equal_##type, type, u8, a >= b)     \
    SELECT(where_##type, type)

COMPARISONS(f64)
COMPARISONS(i32)
COMPARISONS(u8)

BINARY(maximum_u8, u8, u8, a > b ? a : b)
BINARY(minimum_u8, u8, u8, a < b ? a : b)

#define WRAP(a, operator, b) ((uint32_t)(a) operator(uint32_t)(b))
BINARY(add_i32, i32, i32, WRAP(a, +, b))
BINARY(sub_i32, i32, i32, WRAP(a, -, b))
BINARY(mul_i32, i32, i32, WRAP(a, *, b))
BINARY(maximum_i32, i32, i32, a > b ? a : b)
BINARY(minimum_i32, i32, i32, a < b ? a : b)
UNARY(neg_i32, i32, i32, WRAP(0, -, a))
UNARY(abs_i32, i32, i32, a < 0 ? WRAP(0, -, a) : (uint32_t)a)
UNARY(sign_i32, i32, i32, (a > 0) - (a < 0))
UNARY(square_i32, i32, i32, WRAP(a, *, a))

BINARY(add_f64, f64, f64, a + b)
BINARY(sub_f64, f64, f64, a - b)
BINARY(mul_f64, f64, f64, a * b)
BINARY(div_f64, f64, f64, a / b)
BINARY(pow_f64, f64, f64, pow(a, b))
BINARY(maximum_f64, f64, f64, a != a || a > b ? a : b)
BINARY(minimum_f64, f64, f64, a != a || a < b ? a : b)
UNARY(neg_f64, f64, f64, -a)
UNARY(abs_f64, f64, f64, fabs(a))
UNARY(sign_f64, f64, f64, a > 0 ? 1 : a < 0 ? -1 : a * 0)
UNARY(exp_f64, f64, f64, exp(a))
UNARY(log_f64, f64, f64, log(a))
UNARY(sqrt_f64, f64, f64, sqrt(a))
UNARY(square_f64, f64, f64, a * a)
UNARY(sin_f64, f64, f64, sin(a))
UNARY(cos_f64, f64, f64, cos(a))
UNARY(tanh_f64, f64, f64, tanh(a))
UNARY(reciprocal_f64, f64, f64, 1 / a)
UNARY(rsqrt_f64, f64, f64, 1 / sqrt(a))
UNARY(erf_f64, f64, f64, erf(a))
UNARY(sigmoid_f64, f64, f64, 1 / (1 + exp(-a)))
UNARY(relu_f64, f64, f64, 0 > a ? 0 : a)
UNARY(gelu_f64, f64, f64, gelu(a))
UNARY(silu_f64, f64, f64, silu(a))
UNARY(softplus_f64, f64, f64, (0 > a ? 0 : a) + log1p(exp(-fabs(a))))
UNARY_WITH(leaky_relu_f64, f64, a > 0 ? a : c * a)
UNARY_WITH(elu_f64, f64, a > 0 ? a : c * expm1(a))

void tg_plain_lerp_f64(PARAMETERS)
{
    const f64 *a = in[0], *b = in[1], *t = in[2];
    f64 *y = out;
    (void)attributes;
    for (int64_t i = 0; i < n; i++)
        y[i] = a[i] + (b[i] - a[i]) * t[i];
}

void tg_plain_adaptive_step_f64(PARAMETERS)
{
    const f64 *w = in[0], *m = in[1], *rate = in[2], *v = in[3], epsilon = *(const double *)attributes;
    f64 *y = out;
    for (int64_t i = 0; i < n; i++)
        y[i] = w[i] - m[i] * rate[i] / (sqrt(v[i]) + epsilon);
}

/* For a NaN both comparisons are false. */
#define SATURATE(type, low, high) (a >= (high) ? (type)(high) : a > (low) ? (type)a : a <= (low) ? (type)(low) : 0)
UNARY(cast_f32_f64, f32, f64, a)
UNARY(cast_f32_i32, f32, i32, a >= 0x1p31f ? INT32_MAX : SATURATE(i32, -0x1p31f, 0x1.fffffep30f))
UNARY(cast_f32_u8, f32, u8, SATURATE(u8, 0.0f, 255.0f))
UNARY(cast_f64_f32, f64, f32, a)
UNARY(cast_f64_i32, f64, i32, SATURATE(i32, -2147483648.0, 2147483647.0))
UNARY(cast_f64_u8, f64, u8, SATURATE(u8, 0.0, 255.0))
UNARY(cast_i32_f64, i32, f64, a)
UNARY(cast_i32_u8, i32, u8, a < 0 ? 0 : a > 255 ? 255 : a)
UNARY(cast_u8_f64, u8, f64, a)
UNARY(cast_u8_i32, u8, i32, a)

COPY(1)
COPY(4)
COPY(8)
