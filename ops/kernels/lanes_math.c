/* Lane functions made of exponentials, logarithms and the error function. */
#include <float.h>

#include "ops/kernels/lanes.h"
#include "ops/kernels/vector_math.h"

/* Nondecreasing, as each of its steps is. */
static inline vf sigmoid(vf x)
{
    vf one = vf_set1(1);
    return vf_div(one, vf_add(one, vf_exp(vf_neg(x))));
}

static inline vf tanh_of(vf x)
{
    static const float c[] = {-3.333328e-01f, 1.333141e-01f, -5.373714e-02f, 2.0630825e-02f, -5.695813e-03f};
    vf size = vf_abs(x), z = vf_mul(x, x);
    vf small = vf_fma(vf_mul(size, z), vf_polynomial(z, c, 4), size);
    vf large = vf_sub(vf_set1(1), vf_div(vf_set1(2), vf_add(vf_exp(vf_add(size, size)), vf_set1(1))));
    return vf_copysign(vf_select(vf_lt(size, vf_set1(0.625f)), small, large), x);
}

static inline vf erf_of(vf x)
{
    static const float c[] = {1.1283791e+00f, -3.761222e-01f, 1.1278998e-01f, -2.666226e-02f,
                              4.824888e-03f,  -4.820924e-04f, -2.6667993e-05f};
    vf size = vf_abs(x), z = vf_mul(x, x);
    vf small =
        vf_mul(size, vf_polynomial(z, c, 6)); /* no part of it smaller than x, which may be the least that is not flushed */
    vf large = vf_sub(vf_set1(1), vf_tail(vf_mul(size, vf_set1(1.41421356f)), vf_set1(2)));
    return vf_copysign(vf_select(vf_lt(size, vf_set1(1)), small, large), x);
}

/* x Phi(x): below 0 x Phi(-|x|), which must not vanish before x does; else x (1 - Phi(-|x|)). */
static inline vf gelu(vf x)
{
    vm below = vf_lt(x, vf_zero());
    vf share = vf_tail(vf_abs(x), vf_select(below, x, vf_set1(1)));
    return vf_select(below, share, vf_mul(x, vf_sub(vf_set1(1), share)));
}

/* x / (1 + exp(-x)), both sides of the fraction scaled by 2^-half so that neither overflows. */
static inline vf silu(vf x)
{
    const vf least = vf_set1(-120); /* at and below, the result is 0; but -inf 0 is NaN */
    vf r, numerator = vf_max(least, x);
    vf n = vf_reduce_exp(vf_max(vf_set1(-80), vf_neg(numerator)), NULL, &r);
    vi whole = vi_truncate(n), half = vi_sar(vi_truncate(vf_max(vf_zero(), n)), 1);
    vf scale = vf_exp2i(vi_sub(vi_zero(), half));
    vf power = vf_exp2i(vi_sub(whole, half));
    vf denominator = vf_add(scale, vf_fma(power, vf_expm1_reduced(r), power));
    return vf_select(vf_lt(x, least), vf_mul(x, vf_zero()), vf_div(vf_mul(numerator, scale), denominator));
}

static inline vf softplus(vf x) { return vf_add(vf_max(vf_zero(), x), vf_log1p_unit(vf_exp(vf_neg(vf_abs(x))))); }

static inline vf elu(vf x, vf alpha) { return vf_select(vf_gt(x, vf_zero()), x, vf_mul(alpha, vf_expm1_negative(x))); }

LANES_1(exp, vf_exp)
LANES_1(log, vf_log)
LANES_1(tanh, tanh_of)
LANES_1(erf, erf_of)
LANES_1(sigmoid, sigmoid)
LANES_1(gelu, gelu)
LANES_1(silu, silu)
LANES_1(softplus, softplus)
LANES_1_WITH(elu, elu)
