/* a^b in doubles, so that its bits are the same on every instruction set; without branches, for the compiler to vectorise. */
#include <math.h>

#include "ops/kernels/lanes.h"

/* log2 of a finite x > 0: x = 2^k m with m in [sqrt(1/2), sqrt(2)), log2 m = 2 atanh((m - 1) / (m + 1)) / ln 2. */
static inline double log2_of(double x)
{
    const uint64_t half_root = 0x3fe6a09e667f3bcdull;
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    uint64_t above = bits - half_root;
    int64_t k = (int64_t)above >> 52;
    bits = (above & 0xfffffffffffffull) + half_root;
    double m;
    memcpy(&m, &bits, sizeof m);
    double s = (m - 1) / (m + 1), z = s * s;
    double ratio = 0x1.21ac9c9044092p-2;
    ratio = ratio * z + 0x1.4795a630799c0p-2;
    ratio = ratio * z + 0x1.a61a2cc1ced5ap-2;
    ratio = ratio * z + 0x1.2776c295f01cfp-1;
    ratio = ratio * z + 0x1.ec709dc539e76p-1;
    ratio = ratio * z + 0x1.71547652b8253p+1;
    return (double)(int32_t)k + s * ratio;
}

/* 2^x for |x| <= 1000. */
static inline double exp2_of(double x)
{
    double shifted = x + 0x1.8p52, f = x - (shifted - 0x1.8p52);
    uint64_t bits;
    memcpy(&bits, &shifted, sizeof bits);
    bits = (bits + 1023) << 52; /* the sum's low bits are the nearest integer */
    double scale;
    memcpy(&scale, &bits, sizeof scale);
    double y = 0x1.63d136366db24p-20;
    y = y * f + 0x1.00dc4a532fb8ep-16;
    y = y * f + 0x1.4308ac85aa947p-13;
    y = y * f + 0x1.5d8745a728441p-10;
    y = y * f + 0x1.3b2ab7181b755p-7;
    y = y * f + 0x1.c6b08dd6fd234p-5;
    y = y * f + 0x1.ebfbdff823cedp-3;
    y = y * f + 0x1.62e42fef84cf0p-1;
    y = y * f + 1;
    return y * scale;
}

/* |a|^b for numbers that are no NaN. */
static inline float magnitude(float a, float b)
{
    float size = fabsf(a);
    double logarithm = log2_of(size);
    logarithm = size == INFINITY ? 1e300 : logarithm;
    logarithm = size == 0 ? -1e300 : logarithm;
    double exponent = (double)b * logarithm;
    exponent = exponent > 200 ? 200 : exponent; /* beyond every float */
    exponent = exponent < -200 ? -200 : exponent;
    return (float)exp2_of(exponent);
}

static inline vm is_whole(vf size)
{
    vf shift = vf_set1(0x1p23f);
    return vm_or(vf_ge(size, shift), vf_eq(vf_sub(vf_add(size, shift), shift), size));
}

/* C99's special cases: 1 if b = 0 or a = 1, even with a NaN; NaN for a < 0 and a fractional b. */
static inline vf with_sign(vf size, vf a, vf b)
{
    vf one = vf_set1(1), zero = vf_zero(), infinity = vf_set1(INFINITY), nan = vf_set1(NAN);
    vf a_size = vf_abs(a), b_size = vf_abs(b);
    vm whole = is_whole(b_size), odd = vm_and(whole, vm_not(is_whole(vf_mul(b_size, vf_set1(0.5f)))));
    vf y = vf_select(odd, vf_copysign(size, a), size);
    y = vf_select(vm_and(vf_lt(a, zero), vm_and(vf_lt(a_size, infinity), vm_not(whole))), nan, y);
    y = vf_select(vm_and(vf_eq(a_size, one), vf_eq(b_size, infinity)), one, y);
    y = vf_select(vf_unordered(a, b), nan, y);
    return vf_select(vm_or(vf_eq(b, zero), vf_eq(a, one)), one, y);
}

void TG_SET(lane_pow)(LANE_PARAMETERS)
{
    enum { CHUNK = 4 * VF_WIDTH };
    const float *a = in[0], *b = in[1];
    float *y = out, sizes[CHUNK];
    (void)attributes;
    for (int64_t first = 0; first < n; first += CHUNK) {
        int64_t count = n - first < CHUNK ? n - first : CHUNK;
        for (int64_t i = 0; i < count; i++)
            sizes[i] = magnitude(a[first + i], b[first + i]);
        for (int64_t i = 0; i < count; i += VF_WIDTH) {
            int64_t part = count - i < VF_WIDTH ? count - i : VF_WIDTH, at = first + i;
            vf chosen = with_sign(vf_load_part(sizes + i, part), vf_load_part(a + at, part), vf_load_part(b + at, part));
            vf_store_part(y + at, part, chosen);
        }
    }
}
