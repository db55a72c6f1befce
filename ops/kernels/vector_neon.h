/* The vector layer on AArch64 Advanced SIMD; see ops/kernels/vector.h. */
#ifndef TG_OPS_KERNELS_VECTOR_NEON_H
#define TG_OPS_KERNELS_VECTOR_NEON_H

#include <arm_neon.h>
#include <stdint.h>
#include <string.h>

#define VF_WIDTH 4
#define VF_FUSED 1
#define VF_SCALES 0

typedef float32x4_t vf;
typedef int32x4_t vi;
typedef uint32x4_t vm; /* all bits of a lane, or none */

static inline vf vf_zero(void) { return vdupq_n_f32(0); }
static inline vf vf_set1(float x) { return vdupq_n_f32(x); }
static inline vf vf_lanes(void) { return (vf){0, 1, 2, 3}; }
static inline vi vi_zero(void) { return vdupq_n_s32(0); }
static inline vi vi_set1(int32_t x) { return vdupq_n_s32(x); }
static inline vi vi_lanes(void) { return (vi){0, 1, 2, 3}; }

static inline vf vf_load(const float *p) { return vld1q_f32(p); }
static inline void vf_store(float *p, vf v) { vst1q_f32(p, v); }
static inline vf vf_load_part(const float *p, int64_t n)
{
    float lanes[VF_WIDTH] = {0};
    memcpy(lanes, p, (size_t)n * sizeof *p);
    return vld1q_f32(lanes);
}
static inline void vf_store_part(float *p, int64_t n, vf v) { memcpy(p, &v, (size_t)n * sizeof *p); }
static inline vi vi_load(const int32_t *p) { return vld1q_s32(p); }
static inline void vi_store(int32_t *p, vi v) { vst1q_s32(p, v); }
static inline vi vi_load_part(const int32_t *p, int64_t n)
{
    int32_t lanes[VF_WIDTH] = {0};
    memcpy(lanes, p, (size_t)n * sizeof *p);
    return vld1q_s32(lanes);
}
static inline void vi_store_part(int32_t *p, int64_t n, vi v) { memcpy(p, &v, (size_t)n * sizeof *p); }

static inline vf vf_bits(vi v) { return vreinterpretq_f32_s32(v); }
static inline vi vi_bits(vf v) { return vreinterpretq_s32_f32(v); }
static inline vf vf_from_vi(vi v) { return vcvtq_f32_s32(v); }
static inline vi vi_truncate(vf v) { return vcvtq_s32_f32(v); }
static inline vi vi_nearest(vf v) { return vcvtnq_s32_f32(v); }

static inline vm vf_lt(vf a, vf b) { return vcltq_f32(a, b); }
static inline vm vf_le(vf a, vf b) { return vcleq_f32(a, b); }
static inline vm vf_eq(vf a, vf b) { return vceqq_f32(a, b); }
static inline vm vf_unordered(vf a, vf b) { return vmvnq_u32(vandq_u32(vceqq_f32(a, a), vceqq_f32(b, b))); }
static inline vm vi_lt(vi a, vi b) { return vcltq_s32(a, b); }
static inline vm vi_eq(vi a, vi b) { return vceqq_s32(a, b); }
static inline vm vm_first(int64_t n) { return vi_lt(vi_lanes(), vi_set1((int32_t)n)); }
static inline vm vm_and(vm a, vm b) { return vandq_u32(a, b); }
static inline vm vm_or(vm a, vm b) { return vorrq_u32(a, b); }
static inline vm vm_not(vm a) { return vmvnq_u32(a); }
static inline int vm_any(vm a) { return vmaxvq_u32(a) != 0; }
static inline uint32_t vm_bits(vm a) { return vaddvq_u32(vandq_u32(a, (uint32x4_t){1, 2, 4, 8})); }

static inline vf vf_select(vm m, vf a, vf b) { return vbslq_f32(m, a, b); }
static inline vi vi_select(vm m, vi a, vi b) { return vbslq_s32(m, a, b); }
static inline vf vf_permute(vf v, vi i)
{
    uint32x4_t first = vmulq_n_u32(vreinterpretq_u32_s32(i), 0x04040404u);
    uint8x16_t bytes = vreinterpretq_u8_u32(vaddq_u32(first, vdupq_n_u32(0x03020100u)));
    return vreinterpretq_f32_u8(vqtbl1q_u8(vreinterpretq_u8_f32(v), bytes));
}

static inline vf vf_add(vf a, vf b) { return vaddq_f32(a, b); }
static inline vf vf_sub(vf a, vf b) { return vsubq_f32(a, b); }
static inline vf vf_mul(vf a, vf b) { return vmulq_f32(a, b); }
static inline vf vf_div(vf a, vf b) { return vdivq_f32(a, b); }
static inline vf vf_fma(vf a, vf b, vf c) { return vfmaq_f32(c, a, b); }
static inline vf vf_sqrt(vf a) { return vsqrtq_f32(a); }
static inline vf vf_max(vf a, vf b) { return vbslq_f32(vcgtq_f32(a, b), a, b); }
static inline vf vf_min(vf a, vf b) { return vbslq_f32(vcltq_f32(a, b), a, b); }
static inline vf vf_neg(vf a) { return vnegq_f32(a); }
static inline vf vf_abs(vf a) { return vabsq_f32(a); }
static inline vf vf_round(vf a) { return vrndnq_f32(a); }
static inline vf vf_floor(vf a) { return vrndmq_f32(a); }

static inline vi vi_add(vi a, vi b) { return vaddq_s32(a, b); }
static inline vi vi_sub(vi a, vi b) { return vsubq_s32(a, b); }
static inline vi vi_and(vi a, vi b) { return vandq_s32(a, b); }
static inline vi vi_or(vi a, vi b) { return vorrq_s32(a, b); }
static inline vi vi_xor(vi a, vi b) { return veorq_s32(a, b); }
#define vi_shl(v, n) vshlq_n_s32(v, n)
#define vi_shr(v, n) vreinterpretq_s32_u32(vshrq_n_u32(vreinterpretq_u32_s32(v), n))
#define vi_sar(v, n) vshrq_n_s32(v, n)

static inline uint32x4_t vector_bytes(const uint8_t *p, int64_t n)
{
    uint32_t bytes = 0;
    memcpy(&bytes, p, (size_t)n);
    return vmovl_u16(vget_low_u16(vmovl_u8(vcreate_u8(bytes))));
}
static inline vf vf_load_u8_part(const uint8_t *p, int64_t n) { return vcvtq_f32_u32(vector_bytes(p, n)); }
static inline vf vf_load_u8(const uint8_t *p) { return vf_load_u8_part(p, VF_WIDTH); }
static inline vm vm_load_u8_part(const uint8_t *p, int64_t n) { return vtstq_u32(vector_bytes(p, n), vdupq_n_u32(255)); }
static inline vm vm_load_u8(const uint8_t *p) { return vm_load_u8_part(p, VF_WIDTH); }
static inline void vm_store_u8_part(uint8_t *p, int64_t n, vm m)
{
    uint16x4_t halves = vmovn_u32(vshrq_n_u32(m, 31));
    uint32_t flags = vget_lane_u32(vreinterpret_u32_u8(vmovn_u16(vcombine_u16(halves, halves))), 0);
    memcpy(p, &flags, (size_t)n);
}
static inline void vm_store_u8(uint8_t *p, vm m) { vm_store_u8_part(p, VF_WIDTH, m); }

static inline vi vi_load_u8_part(const uint8_t *p, int64_t n) { return vreinterpretq_s32_u32(vector_bytes(p, n)); }
static inline vi vi_load_u8(const uint8_t *p) { return vi_load_u8_part(p, VF_WIDTH); }
static inline void vi_store_u8_part(uint8_t *p, int64_t n, vi v)
{
    uint16x4_t words = vmovn_u32(vreinterpretq_u32_s32(v));
    uint32_t bytes = vget_lane_u32(vreinterpret_u32_u8(vmovn_u16(vcombine_u16(words, words))), 0);
    memcpy(p, &bytes, (size_t)n);
}
static inline void vi_store_u8(uint8_t *p, vi v) { vi_store_u8_part(p, VF_WIDTH, v); }

static inline void vf_transpose(vf rows[VF_WIDTH])
{
    float32x4x2_t first = vtrnq_f32(rows[0], rows[1]), second = vtrnq_f32(rows[2], rows[3]);
    rows[0] = vcombine_f32(vget_low_f32(first.val[0]), vget_low_f32(second.val[0]));
    rows[1] = vcombine_f32(vget_low_f32(first.val[1]), vget_low_f32(second.val[1]));
    rows[2] = vcombine_f32(vget_high_f32(first.val[0]), vget_high_f32(second.val[0]));
    rows[3] = vcombine_f32(vget_high_f32(first.val[1]), vget_high_f32(second.val[1]));
}

static inline uint64_t u8_equals(const uint8_t *p, int64_t n, uint8_t value)
{
    static const uint8_t places[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
    uint8_t copy[64] = {0};
    if (n < 64)
        p = memcpy(copy, p, (size_t)n);
    uint64_t bits = 0;
    for (int i = 0; i < 64; i += 16) {
        uint8x16_t equal = vceqq_u8(vld1q_u8(p + i), vdupq_n_u8(value)), set = vandq_u8(equal, vld1q_u8(places));
        bits |= (uint64_t)(vaddv_u8(vget_low_u8(set)) | (uint32_t)vaddv_u8(vget_high_u8(set)) << 8) << i;
    }
    return n < 64 ? bits & (((uint64_t)1 << n) - 1) : bits;
}

#endif
