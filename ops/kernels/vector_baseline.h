/* The vector layer in the compilers' portable vector extension, four lanes; see ops/kernels/vector.h. */
#ifndef TG_OPS_KERNELS_VECTOR_BASELINE_H
#define TG_OPS_KERNELS_VECTOR_BASELINE_H

#include <math.h>
#include <stdint.h>
#include <string.h>
#if defined(__SSE__)
#include <xmmintrin.h>
#endif

#define VF_WIDTH 4
#define VF_FUSED 0
#define VF_SCALES 0

typedef float vf __attribute__((vector_size(16)));
typedef int32_t vi __attribute__((vector_size(16)));
typedef vi vm; /* all bits of a lane, or none */

static inline vf vf_set1(float x) { return (vf){x, x, x, x}; }
static inline vf vf_zero(void) { return vf_set1(0); }
static inline vf vf_lanes(void) { return (vf){0, 1, 2, 3}; }
static inline vi vi_set1(int32_t x) { return (vi){x, x, x, x}; }
static inline vi vi_zero(void) { return vi_set1(0); }
static inline vi vi_lanes(void) { return (vi){0, 1, 2, 3}; }

static inline vf vf_load_part(const float *p, int64_t n)
{
    vf v = vf_zero();
    memcpy(&v, p, (size_t)n * sizeof *p);
    return v;
}
static inline void vf_store_part(float *p, int64_t n, vf v) { memcpy(p, &v, (size_t)n * sizeof *p); }
static inline vf vf_load(const float *p) { return vf_load_part(p, VF_WIDTH); }
static inline void vf_store(float *p, vf v) { memcpy(p, &v, sizeof v); }
static inline vi vi_load_part(const int32_t *p, int64_t n)
{
    vi v = vi_zero();
    memcpy(&v, p, (size_t)n * sizeof *p);
    return v;
}
static inline void vi_store_part(int32_t *p, int64_t n, vi v) { memcpy(p, &v, (size_t)n * sizeof *p); }
static inline vi vi_load(const int32_t *p) { return vi_load_part(p, VF_WIDTH); }
static inline void vi_store(int32_t *p, vi v) { memcpy(p, &v, sizeof v); }

static inline vf vf_bits(vi v) { return (vf)v; }
static inline vi vi_bits(vf v) { return (vi)v; }
static inline vf vf_from_vi(vi v) { return __builtin_convertvector(v, vf); }
static inline vi vi_truncate(vf v) { return __builtin_convertvector(v, vi); }

static inline vf vf_add(vf a, vf b) { return a + b; }
static inline vf vf_sub(vf a, vf b) { return a - b; }
static inline vf vf_mul(vf a, vf b) { return a * b; }
static inline vf vf_div(vf a, vf b) { return a / b; }
static inline vf vf_fma(vf a, vf b, vf c) { return a * b + c; }
static inline vf vf_sqrt(vf a)
{
#if defined(__SSE__)
    return _mm_sqrt_ps(a);
#else
    return (vf){sqrtf(a[0]), sqrtf(a[1]), sqrtf(a[2]), sqrtf(a[3])};
#endif
}

typedef uint32_t vector_unsigned __attribute__((vector_size(16)));
static inline vi vi_add(vi a, vi b) { return (vi)((vector_unsigned)a + (vector_unsigned)b); }
static inline vi vi_sub(vi a, vi b) { return (vi)((vector_unsigned)a - (vector_unsigned)b); }
static inline vi vi_and(vi a, vi b) { return a & b; }
static inline vi vi_or(vi a, vi b) { return a | b; }
static inline vi vi_xor(vi a, vi b) { return a ^ b; }
#define vi_shl(v, n) ((vi)((vector_unsigned)(v) << (n)))
#define vi_shr(v, n) ((vi)((vector_unsigned)(v) >> (n)))
#define vi_sar(v, n) ((v) >> (n))

static inline vm vf_lt(vf a, vf b) { return a < b; }
static inline vm vf_le(vf a, vf b) { return a <= b; }
static inline vm vf_eq(vf a, vf b) { return a == b; }
// NOLINTNEXTLINE(misc-redundant-expression): a NaN differs from itself
static inline vm vf_unordered(vf a, vf b) { return (a != a) | (b != b); }
static inline vm vi_lt(vi a, vi b) { return a < b; }
static inline vm vi_eq(vi a, vi b) { return a == b; }
static inline vm vm_first(int64_t n) { return vi_lanes() < vi_set1((int32_t)n); }
static inline vm vm_and(vm a, vm b) { return a & b; }
static inline vm vm_or(vm a, vm b) { return a | b; }
static inline vm vm_not(vm a) { return ~a; }
static inline int vm_any(vm a) { return (a[0] | a[1] | a[2] | a[3]) != 0; }
static inline uint32_t vm_bits(vm a) { return (uint32_t)((a[0] & 1) | (a[1] & 2) | (a[2] & 4) | (a[3] & 8)); }

static inline vi vi_select(vm m, vi a, vi b) { return (m & a) | (~m & b); }
static inline vf vf_select(vm m, vf a, vf b) { return (vf)vi_select(m, (vi)a, (vi)b); }
static inline vf vf_permute(vf v, vi i) { return (vf){v[i[0]], v[i[1]], v[i[2]], v[i[3]]}; }

static inline vf vf_max(vf a, vf b) { return vf_select(a > b, a, b); }
static inline vf vf_min(vf a, vf b) { return vf_select(a < b, a, b); }
static inline vf vf_neg(vf a) { return (vf)((vi)a ^ vi_set1(INT32_MIN)); }
static inline vf vf_abs(vf a) { return (vf)((vi)a & vi_set1(INT32_MAX)); }
/* Adding 2^23 leaves no bits for a fraction; at and beyond it (and for NaN) there is none. */
static inline vf vf_round(vf a)
{
    vf size = vf_abs(a), whole = (size + vf_set1(0x1p23f)) - vf_set1(0x1p23f);
    vf rounded = (vf)((vi)whole | ((vi)a & vi_set1(INT32_MIN)));
    return vf_select(size < vf_set1(0x1p23f), rounded, a);
}
static inline vf vf_floor(vf a)
{
    vf near = vf_round(a);
    return vf_select(near > a, near - vf_set1(1), near);
}
static inline vi vi_nearest(vf v) { return vi_truncate(vf_round(v)); }

static inline vf vf_load_u8(const uint8_t *p) { return (vf){p[0], p[1], p[2], p[3]}; }
static inline vf vf_load_u8_part(const uint8_t *p, int64_t n)
{
    uint8_t bytes[VF_WIDTH] = {0};
    memcpy(bytes, p, (size_t)n);
    return vf_load_u8(bytes);
}
static inline vm vm_load_u8(const uint8_t *p) { return (vi){p[0], p[1], p[2], p[3]} != 0; }
static inline vm vm_load_u8_part(const uint8_t *p, int64_t n)
{
    uint8_t bytes[VF_WIDTH] = {0};
    memcpy(bytes, p, (size_t)n);
    return vm_load_u8(bytes);
}
static inline void vm_store_u8_part(uint8_t *p, int64_t n, vm m)
{
    uint8_t bytes[VF_WIDTH] = {m[0] & 1, m[1] & 1, m[2] & 1, m[3] & 1};
    memcpy(p, bytes, (size_t)n);
}
static inline void vm_store_u8(uint8_t *p, vm m) { vm_store_u8_part(p, VF_WIDTH, m); }

static inline vi vi_load_u8(const uint8_t *p) { return (vi){p[0], p[1], p[2], p[3]}; }
static inline vi vi_load_u8_part(const uint8_t *p, int64_t n)
{
    uint8_t bytes[VF_WIDTH] = {0};
    memcpy(bytes, p, (size_t)n);
    return vi_load_u8(bytes);
}
static inline void vi_store_u8_part(uint8_t *p, int64_t n, vi v)
{
    uint8_t bytes[VF_WIDTH] = {(uint8_t)v[0], (uint8_t)v[1], (uint8_t)v[2], (uint8_t)v[3]};
    memcpy(p, bytes, (size_t)n);
}
static inline void vi_store_u8(uint8_t *p, vi v) { vi_store_u8_part(p, VF_WIDTH, v); }

static inline void vf_transpose(vf rows[VF_WIDTH])
{
    vf a = rows[0], b = rows[1], c = rows[2], d = rows[3];
    for (int i = 0; i < VF_WIDTH; i++)
        rows[i] = (vf){a[i], b[i], c[i], d[i]};
}

static inline uint64_t u8_equals(const uint8_t *p, int64_t n, uint8_t value)
{
    uint64_t bits = 0;
    int64_t j = 0;
#if defined(__SSE2__)
    for (; j + 16 <= n; j += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(p + j));
        bits |= (uint64_t)(uint16_t)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8((char)value))) << j;
    }
#endif
    for (; j < n; j++)
        bits |= (uint64_t)(p[j] == value) << j;
    return bits;
}

#endif
