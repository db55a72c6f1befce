/* Elementary functions on vectors of floats, within 2 ulp (vf_tail: 3) unless a result is subnormal, which may come out as 0.
   The polynomials are minimax fits by tests/reference/minimax.py. */
#ifndef TG_OPS_KERNELS_VECTOR_MATH_H
#define TG_OPS_KERNELS_VECTOR_MATH_H

#include <math.h>

#include "ops/kernels/vector.h"

/** c[0] + c[1] x + ... + c[degree] x^degree. */
static inline vf vf_polynomial(vf x, const float *c, int degree)
{
    vf y = vf_set1(c[degree]);
    for (int i = degree - 1; i >= 0; i--)
        y = vf_fma(y, x, vf_set1(c[i]));
    return y;
}

/** x + *low = n ln 2 + r with |r| <= 0.35, n an integer; low may be NULL. ln 2 is cut so that its first part times n is exact. */
static inline vf vf_reduce_exp(vf x, const vf *low, vf *r)
{
    vf n = vf_round(vf_mul(x, vf_set1(0x1.715476p+0f)));
    vf near = vf_fma(n, vf_set1(-0x1.63p-1f), x);
    *r = vf_fma(n, vf_set1(0x1.bd0106p-13f), low ? vf_add(near, *low) : near);
    return n;
}

/** exp(r) - 1 for |r| <= 0.35. */
static inline vf vf_expm1_reduced(vf r)
{
    static const float c[] = {4.9999994e-01f, 1.6666521e-01f, 4.1668277e-02f, 8.368687e-03f, 1.3819824e-03f};
    return vf_fma(vf_mul(r, r), vf_polynomial(r, c, 4), r);
}

/** Limits x to [low, high]; NaN stays. */
static inline vf vf_clamp(vf x, float low, float high) { return vf_max(vf_set1(low), vf_min(vf_set1(high), x)); }

/** exp(x + *low), low being a correction, |*low| <= 1e-5 (1 + |x|), or NULL. */
static inline vf vf_exp_sum(vf x, const vf *low)
{
    vf r, n = vf_reduce_exp(vf_clamp(x, -105, 90), low, &r);
    return vf_scale(vf_add(vf_set1(1), vf_expm1_reduced(r)), n);
}

/** e^x. */
static inline vf vf_exp(vf x) { return vf_exp_sum(x, NULL); }

/** Natural logarithm; -inf at 0, NaN below. x = 2^k m with m in [sqrt(1/2), sqrt(2)). */
static inline vf vf_log(vf x)
{
    static const float c[] = {3.333333e-01f, -2.500082e-01f, 2.0001243e-01f, -1.662341e-01f,
                              1.420154e-01f, -1.315955e-01f, 1.2762485e-01f, -7.6369405e-02f};
    vm small = vf_lt(x, vf_set1(0x1p-126f));
    vi bits = vi_bits(vf_select(small, vf_mul(x, vf_set1(0x1p23f)), x));
    vi above = vi_sub(bits, vi_set1(0x3f3504f3));
    vi exponent = vi_sar(above, 23);
    vf m = vf_bits(vi_add(vi_and(above, vi_set1(0x7fffff)), vi_set1(0x3f3504f3)));
    vf k = vf_add(vf_from_vi(exponent), vf_select(small, vf_set1(-23), vf_zero()));
    vf f = vf_sub(m, vf_set1(1)), square = vf_mul(f, f);
    vf tail = vf_fma(vf_mul(square, f), vf_polynomial(f, c, 7), vf_mul(k, vf_set1(-0x1.bd0106p-13f)));
    vf y = vf_fma(k, vf_set1(0x1.63p-1f), vf_add(f, vf_fma(square, vf_set1(-0.5f), tail)));
    y = vf_select(vf_lt(x, vf_set1(INFINITY)), y, x); /* +inf and NaN */
    y = vf_select(vf_lt(x, vf_zero()), vf_set1(NAN), y);
    return vf_select(vf_eq(x, vf_zero()), vf_set1(-INFINITY), y);
}

/** log(1 + x) for 0 <= x <= 1: 2 atanh(t / 2) with t = 2 x / (2 + x), which is normal where x is. */
static inline vf vf_log1p_unit(vf x)
{
    static const float c[] = {8.333302e-02f, 1.2506698e-02f, 2.187742e-03f, 5.4699945e-04f};
    vf t = vf_div(vf_add(x, x), vf_add(vf_set1(2), x)), z = vf_mul(t, t);
    return vf_fma(vf_mul(t, z), vf_polynomial(z, c, 3), t);
}

/** exp(x) - 1 for x <= 0. */
static inline vf vf_expm1_negative(vf x)
{
    vf r, n = vf_reduce_exp(vf_max(vf_set1(-30), x), NULL, &r);
    vf scale = vf_exp2i(vi_truncate(n));
    return vf_fma(scale, vf_expm1_reduced(r), vf_sub(scale, vf_set1(1)));
}

/** What a a lacks: the exact square minus its rounded value `square`. */
static inline vf vf_square_error(vf a, vf square)
{
#if VF_FUSED
    return vf_fma(a, a, vf_neg(square));
#else
    vf high = vf_bits(vi_and(vi_bits(a), vi_set1(~0xfff))), low = vf_sub(a, high);
    vf rest = vf_sub(vf_mul(high, high), square);
    return vf_add(vf_add(rest, vf_mul(vf_add(high, high), low)), vf_mul(low, low));
#endif
}

/** scale Phi(-t) = scale erfc(t / sqrt(2)) / 2, the normal distribution's tail, for t >= 0: a rational function times
    exp(-t^2 / 2), with t^2 in two parts. */
static inline vf vf_tail(vf t, vf scale)
{
    static const float c[] = {7.5528514e-01f, -6.078966e-01f,  3.871363e-01f,  -1.8652229e-01f, 6.041035e-02f,
                              -7.531184e-03f, -3.5379909e-03f, 1.5720491e-03f, 2.1383847e-04f,  -1.1433274e-04f};
    t = vf_min(vf_set1(15), t); /* beyond, it is less than the smallest float; NaN stays */
    vf inverse = vf_div(vf_set1(1), vf_add(t, vf_set1(4)));
    vf ratio = vf_mul(vf_polynomial(vf_mul(vf_sub(t, vf_set1(4)), inverse), c, 9), inverse);
    vf square = vf_mul(t, t), half = vf_set1(-0.5f), low = vf_mul(half, vf_square_error(t, square));
    return vf_mul(vf_mul(scale, ratio), vf_exp_sum(vf_mul(half, square), &low));
}

#endif
