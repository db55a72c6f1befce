/* Lane functions that round once or not at all. */
#include <math.h>

#include "ops/kernels/lanes.h"

static inline vm not_equal(vf a, vf b) { return vm_not(vf_eq(a, b)); }

/* In a run a subnormal compares as 0, so it must come out as 0 too. */
static inline vf sign(vf a)
{
    vf one = vf_copysign(vf_set1(1), a);
    return vf_select(vm_or(vf_lt(a, vf_zero()), vf_gt(a, vf_zero())), one, vf_mul(a, vf_zero()));
}

static inline vf square(vf a) { return vf_mul(a, a); }

static inline vf reciprocal(vf a) { return vf_div(vf_set1(1), a); }

static inline vf rsqrt(vf a) { return vf_div(vf_set1(1), vf_sqrt(a)); }

static inline vf relu(vf a) { return vf_max(vf_zero(), a); }

static inline vf leaky_relu(vf a, vf slope) { return vf_select(vf_gt(a, vf_zero()), a, vf_mul(slope, a)); }

LANES_2(add, vf_add)
LANES_2(sub, vf_sub)
LANES_2(mul, vf_mul)
LANES_2(div, vf_div)
LANES_2(maximum, vf_max_nan)
LANES_2(minimum, vf_min_nan)
LANES_COMPARE(equal, vf_eq)
LANES_COMPARE(not_equal, not_equal)
LANES_COMPARE(less, vf_lt)
LANES_COMPARE(less_equal, vf_le)
LANES_COMPARE(greater, vf_gt)
LANES_COMPARE(greater_equal, vf_ge)
LANES_1(neg, vf_neg)
LANES_1(abs, vf_abs)
LANES_1(sign, sign)
LANES_1(sqrt, vf_sqrt)
LANES_1(square, square)
LANES_1(reciprocal, reciprocal)
LANES_1(rsqrt, rsqrt)
LANES_1(relu, relu)
LANES_1_WITH(leaky_relu, leaky_relu)

void TG_SET(lane_where)(LANE_PARAMETERS)
{
    const uint8_t *condition = in[0];
    const float *a = in[1], *b = in[2];
    float *y = out;
    int64_t i = 0;
    (void)attributes;
    for (; i + VF_WIDTH <= n; i += VF_WIDTH)
        vf_store(y + i, vf_select(vm_load_u8(condition + i), vf_load(a + i), vf_load(b + i)));
    if (i < n) {
        vm chosen = vm_load_u8_part(condition + i, n - i);
        vf_store_part(y + i, n - i, vf_select(chosen, vf_load_part(a + i, n - i), vf_load_part(b + i, n - i)));
    }
}

static inline vf lerp(vf a, vf b, vf t) { return vf_add(a, vf_mul(vf_sub(b, a), t)); }

void TG_SET(lane_lerp)(LANE_PARAMETERS)
{
    const float *a = in[0], *b = in[1], *t = in[2];
    float *y = out;
    int64_t i = 0;
    (void)attributes;
    for (; i + VF_WIDTH <= n; i += VF_WIDTH)
        vf_store(y + i, lerp(vf_load(a + i), vf_load(b + i), vf_load(t + i)));
    if (i < n)
        vf_store_part(y + i, n - i, lerp(vf_load_part(a + i, n - i), vf_load_part(b + i, n - i), vf_load_part(t + i, n - i)));
}

static inline vf adaptive_step(vf w, vf m, vf rate, vf v, vf epsilon)
{
    return vf_sub(w, vf_div(vf_mul(m, rate), vf_add(vf_sqrt(v), epsilon)));
}

void TG_SET(lane_adaptive_step)(LANE_PARAMETERS)
{
    const float *w = in[0], *m = in[1], *rate = in[2], *v = in[3];
    float *y = out;
    vf epsilon = vf_set1((float)*(const double *)attributes);
    int64_t i = 0;
    for (; i + VF_WIDTH <= n; i += VF_WIDTH)
        vf_store(y + i, adaptive_step(vf_load(w + i), vf_load(m + i), vf_load(rate + i), vf_load(v + i), epsilon));
    if (i < n)
        vf_store_part(y + i, n - i,
                      adaptive_step(vf_load_part(w + i, n - i), vf_load_part(m + i, n - i), vf_load_part(rate + i, n - i),
                                    vf_load_part(v + i, n - i), epsilon));
}

void TG_SET(lane_cast_from_u8)(LANE_PARAMETERS)
{
    const uint8_t *a = in[0];
    float *y = out;
    int64_t i = 0;
    (void)attributes;
    for (; i + VF_WIDTH <= n; i += VF_WIDTH)
        vf_store(y + i, vf_load_u8(a + i));
    if (i < n)
        vf_store_part(y + i, n - i, vf_load_u8_part(a + i, n - i));
}

void TG_SET(lane_cast_from_i32)(LANE_PARAMETERS)
{
    const int32_t *a = in[0];
    float *y = out;
    int64_t i = 0;
    (void)attributes;
    for (; i + VF_WIDTH <= n; i += VF_WIDTH)
        vf_store(y + i, vf_from_vi(vi_load(a + i)));
    if (i < n)
        vf_store_part(y + i, n - i, vf_from_vi(vi_load_part(a + i, n - i)));
}
