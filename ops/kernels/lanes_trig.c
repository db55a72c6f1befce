/* sin and cos: |x| is reduced to r in [-pi/4, pi/4] and a quadrant, then a polynomial in r is taken. */
#include <math.h>

#include "ops/kernels/lanes.h"
#include "ops/kernels/vector_math.h"

/* The reduction of any finite size >= 2^13, exact to 2^-60: size 2 / pi modulo 4, from the 96 bits of 2 / pi that matter
   (Payne and Hanek). NaN for the rest. */
static float reduce_large(float size, int32_t *quadrant)
{
    /* 2 / pi in binary, after 32 zeros */
    static const uint32_t two_over_pi[] = {0, 0xa2f9836e, 0x4e441529, 0xfc2757d1, 0xf534ddc0, 0xdb629599, 0x3c439041, 0xfe5163ab};
    uint32_t bits;
    memcpy(&bits, &size, sizeof bits);
    *quadrant = 0;
    if (bits >= 0x7f800000)
        return NAN;
    int exponent = (int)(bits >> 23) - 150; /* size = mantissa 2^exponent */
    uint64_t mantissa = (bits & 0x7fffff) | 0x800000, window[3];
    int first = 32 + exponent - 2; /* earlier bits make multiples of 4 */
    for (int i = 0; i < 3; i++) {
        const uint32_t *word = two_over_pi + first / 32 + i;
        uint64_t pair = (uint64_t)word[0] << 32 | word[1];
        window[i] = (uint32_t)(pair >> (32 - first % 32));
    }
    uint64_t turns = (mantissa * window[0] << 32) + mantissa * window[1] + (mantissa * window[2] >> 32); /* in units of 2^-62 */
    uint64_t nearest = (turns + (1ull << 61)) >> 62;
    *quadrant = (int32_t)(nearest & 3);
    return (float)((double)(int64_t)(turns - (nearest << 62)) * (0x1p-62 * 1.57079632679489661923));
}

/* Up to `limit`, the products of n = round(size 2 / pi) with the parts of pi / 2, but the last, are exact or rounded with the sum. */
static inline vf reduce(vf size, vi *quadrant)
{
    vf n = vf_round(vf_mul(size, vf_set1(0x1.45f306p-1f)));
    vf r = size;
#if VF_FUSED
    const float limit = 0x1p17f;
    static const float parts[] = {0x1.921fb6p+0f, -0x1.777a5cp-25f, -0x1.ee59dap-50f};
#else
    const float limit = 0x1.9p13f;
    static const float parts[] = {0x1.92p+0f, 0x1.fb4p-12f, 0x1.444p-24f, 0x1.68cp-39f, 0x1.1a6264p-54f};
#endif
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        r = vf_fma(n, vf_set1(-parts[i]), r);
    *quadrant = vi_truncate(n);

    vm small = vf_lt(size, vf_set1(limit));
    if (vm_any(vm_not(small))) {
        float sizes[VF_WIDTH], rests[VF_WIDTH];
        int32_t quadrants[VF_WIDTH];
        vf_store(sizes, size);
        vf_store(rests, r);
        vi_store(quadrants, *quadrant);
        for (int i = 0; i < VF_WIDTH; i++)
            if (!(sizes[i] < limit))
                rests[i] = reduce_large(sizes[i], quadrants + i);
        r = vf_load(rests);
        *quadrant = vi_load(quadrants);
    }
    return r;
}

/* sin(r + quadrant pi / 2). */
static inline vf sin_in_quadrant(vf r, vi quadrant)
{
    static const float s[] = {-1.6666654e-01f, 8.332093e-03f, -1.9505147e-04f};
    static const float c[] = {4.166664e-02f, -1.388713e-03f, 2.441208e-05f};
    vf z = vf_mul(r, r);
    vf sine = vf_fma(vf_mul(r, z), vf_polynomial(z, s, 2), r);
    vf cosine = vf_fma(vf_mul(z, z), vf_polynomial(z, c, 2), vf_fma(z, vf_set1(-0.5f), vf_set1(1)));
    vm even = vi_eq(vi_and(quadrant, vi_set1(1)), vi_zero());
    vi flip = vi_shl(vi_and(quadrant, vi_set1(2)), 30);
    return vf_bits(vi_xor(vi_bits(vf_select(even, sine, cosine)), flip));
}

static inline vf sin_of(vf x)
{
    vi quadrant, sign = vi_and(vi_bits(x), vi_set1(INT32_MIN));
    vf r = reduce(vf_abs(x), &quadrant);
    return vf_bits(vi_xor(vi_bits(sin_in_quadrant(r, quadrant)), sign));
}

static inline vf cos_of(vf x)
{
    vi quadrant;
    vf r = reduce(vf_abs(x), &quadrant);
    return sin_in_quadrant(r, vi_add(quadrant, vi_set1(1)));
}

LANES_1(sin, sin_of)
LANES_1(cos, cos_of)
