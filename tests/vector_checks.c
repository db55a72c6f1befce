#include "vector_checks.h"

#include <math.h>

#include "ops/kernels/vector.h"

#define CHECKS_JOIN(set) vector_checks_##set
#define CHECKS_OF(set) CHECKS_JOIN(set)
#define CHECK(condition)     \
    do {                     \
        if (!(condition))    \
            return __LINE__; \
    } while (0)

enum { W = VF_WIDTH };

/* The bits are equal, or both are NaN. */
static int same(float a, float b) { return isnan(a) ? isnan(b) : a == b && !signbit(a) == !signbit(b); }

/* Lane i of a vector, by memory. */
static float lane(vf v, int i)
{
    float lanes[W];
    vf_store(lanes, v);
    return lanes[i];
}
static int32_t whole_lane(vi v, int i)
{
    int32_t lanes[W];
    vi_store(lanes, v);
    return lanes[i];
}
static int truth(vm m, int i) { return lane(vf_select(m, vf_set1(1), vf_zero()), i) != 0; }

static int check_parts(void)
{
    float x[W + 2];
    int32_t whole[W + 2];
    uint8_t bytes[W + 2];
    for (int i = 0; i < W + 2; i++)
        x[i] = (float)i + 1.5f, whole[i] = i + 5, bytes[i] = (uint8_t)(i % 3 ? 250 + i % 3 : 0);
    for (int n = 0; n <= W; n++) {
        float to[W + 2];
        int32_t whole_to[W + 2];
        uint8_t bytes_to[W + 2];
        for (int i = 0; i < W + 2; i++)
            to[i] = -7, whole_to[i] = -7, bytes_to[i] = 99;
        vf_store_part(to + 1, n, vf_load(x));
        vi_store_part(whole_to + 1, n, vi_load(whole));
        vm_store_u8_part(bytes_to + 1, n, vm_load_u8(bytes));
        for (int i = 0; i < W + 2; i++) {
            int inside = i >= 1 && i <= n;
            CHECK(to[i] == (inside ? x[i - 1] : -7));
            CHECK(whole_to[i] == (inside ? whole[i - 1] : -7));
            CHECK(bytes_to[i] == (inside ? bytes[i - 1] != 0 : 99));
        }
        for (int i = 0; i < W; i++) {
            CHECK(lane(vf_load_part(x + 1, n), i) == (i < n ? x[i + 1] : 0));
            CHECK(whole_lane(vi_load_part(whole + 1, n), i) == (i < n ? whole[i + 1] : 0));
            CHECK(lane(vf_load_u8_part(bytes + 1, n), i) == (i < n ? bytes[i + 1] : 0));
            CHECK(truth(vm_load_u8_part(bytes + 1, n), i) == (i < n && bytes[i + 1]));
            CHECK(truth(vm_first(n), i) == (i < n));
            CHECK(lane(vf_load_u8(bytes), i) == bytes[i]);
        }
        CHECK(vm_any(vm_first(n)) == (n > 0));
        CHECK(vm_bits(vm_first(n)) == (1u << n) - 1 && vm_bits(vm_not(vm_first(n))) == (1u << W) - (1u << n));
        CHECK(vm_any(vm_not(vm_first(n))) == (n < W));
        vm_store_u8(bytes_to, vm_first(n));
        for (int i = 0; i < W; i++)
            CHECK(bytes_to[i] == (i < n));
    }
    return 0;
}

static int check_floats(void)
{
    static const float values[] = {0.5f,        -0.5f,      1.5f,  2.5f,  -2.5f,    -0.3f,     0x1p23f + 1, 8388607.5f,
                                   -8388607.5f, 4194303.5f, -1e9f, 1e30f, INFINITY, -INFINITY, NAN,         -0.0f};
    for (int k = 0; k < 16; k++) {
        float a = values[k];
        vf v = vf_set1(a), one = vf_set1(1), nan = vf_set1(NAN);
        int last = W - 1;
        CHECK(same(lane(vf_round(v), last), nearbyintf(a)));
        CHECK(same(lane(vf_floor(v), last), floorf(a)));
        CHECK(same(lane(vf_sqrt(v), last), sqrtf(a)));
        CHECK(same(lane(vf_neg(v), last), -a));
        CHECK(same(lane(vf_abs(v), last), fabsf(a)));
        CHECK(same(lane(vf_copysign(one, v), last), isnan(a) ? lane(vf_copysign(one, v), 0) : copysignf(1, a)));
        CHECK(same(lane(vf_max(v, one), last), a > 1 ? a : 1));
        CHECK(same(lane(vf_min(v, one), last), a < 1 ? a : 1));
        CHECK(same(lane(vf_max(one, nan), last), NAN) && same(lane(vf_max(nan, one), last), 1));
        CHECK(same(lane(vf_max_nan(v, one), last), isnan(a) || a > 1 ? a : 1));
        CHECK(same(lane(vf_min_nan(v, one), last), isnan(a) || a < 1 ? a : 1));
        CHECK(isnan(lane(vf_max_nan(one, nan), last)) && isnan(lane(vf_min_nan(one, nan), last)));
        CHECK(truth(vf_nan(v), last) == !!isnan(a));
        CHECK(truth(vf_unordered(one, v), last) == !!isnan(a));
        for (int j = 0; j < 16; j++) {
            vf w = vf_set1(values[j]);
            CHECK(truth(vf_lt(v, w), 0) == (a < values[j]) && truth(vf_le(v, w), 0) == (a <= values[j]));
            CHECK(truth(vf_gt(v, w), 0) == (a > values[j]) && truth(vf_ge(v, w), 0) == (a >= values[j]));
            CHECK(truth(vf_eq(v, w), 0) == (a == values[j]));
            CHECK(same(lane(vf_add(v, w), 0), a + values[j]) && same(lane(vf_sub(v, w), 0), a - values[j]));
            CHECK(same(lane(vf_mul(v, w), 0), a * values[j]) && same(lane(vf_div(v, w), 0), a / values[j]));
        }
        if (fabsf(a) < 0x1p30f) {
            CHECK(whole_lane(vi_nearest(v), last) == (int32_t)nearbyintf(a));
            CHECK(whole_lane(vi_truncate(v), last) == (int32_t)a);
        }
    }
    vf up = vf_set1(1 + 0x1p-20f), down = vf_set1(1 - 0x1p-20f);
    CHECK(lane(vf_fma(up, down, vf_set1(-1)), 0) == (VF_FUSED ? -0x1p-40f : 0));
    return 0;
}

static int check_integers_and_choice(void)
{
    vi lanes = vi_lanes(), one = vi_set1(1), minus = vi_set1(-16);
    for (int i = 0; i < W; i++) {
        CHECK(whole_lane(lanes, i) == i && lane(vf_lanes(), i) == (float)i && lane(vf_from_vi(lanes), i) == (float)i);
        CHECK(whole_lane(vi_add(lanes, minus), i) == i - 16 && whole_lane(vi_sub(lanes, minus), i) == i + 16);
        CHECK(whole_lane(vi_and(lanes, one), i) == (i & 1) && whole_lane(vi_or(lanes, one), i) == (i | 1));
        CHECK(whole_lane(vi_xor(lanes, one), i) == (i ^ 1));
        CHECK(whole_lane(vi_shl(lanes, 3), i) == i << 3);
        CHECK(whole_lane(vi_sar(minus, 2), i) == -4 && whole_lane(vi_shr(minus, 28), i) == 15);
        CHECK(truth(vi_lt(lanes, vi_set1(2)), i) == (i < 2) && truth(vi_eq(lanes, one), i) == (i == 1));
        CHECK(truth(vm_and(vi_lt(lanes, vi_set1(2)), vi_eq(lanes, one)), i) == (i == 1));
        CHECK(truth(vm_or(vi_lt(lanes, one), vi_eq(lanes, one)), i) == (i < 2));
        CHECK(whole_lane(vi_select(vi_lt(lanes, one), lanes, minus), i) == (i < 1 ? i : -16));
        CHECK(lane(vf_permute(vf_lanes(), vi_xor(lanes, one)), i) == (float)(i ^ 1));
        CHECK(lane(vf_permute(vf_lanes(), vi_sub(vi_set1(W - 1), lanes)), i) == (float)(W - 1 - i));
        CHECK(lane(vf_exp2i(lanes), i) == ldexpf(1, i));
        CHECK(lane(vf_bits(vi_bits(vf_lanes())), i) == (float)i);
    }
    CHECK(whole_lane(vi_add(vi_set1(INT32_MAX), one), 0) == INT32_MIN);
    CHECK(lane(vf_exp2i(vi_set1(-126)), 0) == 0x1p-126f && lane(vf_exp2i(vi_set1(127)), 0) == 0x1p127f);
    return 0;
}

static int check_transpose(void)
{
    vf rows[W];
    for (int i = 0; i < W; i++)
        rows[i] = vf_add(vf_set1((float)(100 * i)), vf_lanes());
    vf_transpose(rows);
    for (int i = 0; i < W; i++)
        for (int j = 0; j < W; j++)
            CHECK(lane(rows[i], j) == (float)(100 * j + i));
    return 0;
}

static int check_bytes(void)
{
    uint8_t bytes[64];
    for (int i = 0; i < 64; i++)
        bytes[i] = (uint8_t)(i % 5 == 0 ? 0 : i % 7 == 0 ? 255 : 3);
    for (int n = 0; n <= 64; n++) {
        uint64_t high = u8_equals(bytes, n, 255), nonzeros = u8_nonzeros(bytes, n);
        for (int i = 0; i < 64; i++) {
            CHECK((high >> i & 1) == (i < n && bytes[i] == 255));
            CHECK((nonzeros >> i & 1) == (i < n && bytes[i] != 0));
        }
    }
    return 0;
}

int CHECKS_OF(TG_KERNEL_SET)(void)
{
    int line = check_parts();
    line = line ? line : check_floats();
    line = line ? line : check_integers_and_choice();
    line = line ? line : check_bytes();
    return line ? line : check_transpose();
}
