/* The vector layer on AVX2 and FMA; see ops/kernels/vector.h. */
#ifndef TG_OPS_KERNELS_VECTOR_AVX2_H
#define TG_OPS_KERNELS_VECTOR_AVX2_H

#include <immintrin.h>
#include <stdint.h>
#include <string.h>

#define VF_WIDTH 8
#define VF_FUSED 1
#define VF_SCALES 0

typedef __m256 vf;
typedef __m256i vi;
typedef __m256 vm; /* all bits of a lane, or none */

static inline vi vi_lanes(void) { return _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7); }
static inline vf vf_lanes(void) { return _mm256_cvtepi32_ps(vi_lanes()); }
static inline vf vf_zero(void) { return _mm256_setzero_ps(); }
static inline vf vf_set1(float x) { return _mm256_set1_ps(x); }
static inline vi vi_zero(void) { return _mm256_setzero_si256(); }
static inline vi vi_set1(int32_t x) { return _mm256_set1_epi32(x); }

static inline vf vf_bits(vi v) { return _mm256_castsi256_ps(v); }
static inline vi vi_bits(vf v) { return _mm256_castps_si256(v); }
static inline vf vf_from_vi(vi v) { return _mm256_cvtepi32_ps(v); }
static inline vi vi_truncate(vf v) { return _mm256_cvttps_epi32(v); }
static inline vi vi_nearest(vf v) { return _mm256_cvtps_epi32(v); }

static inline vm vi_lt(vi a, vi b) { return vf_bits(_mm256_cmpgt_epi32(b, a)); }
static inline vm vi_eq(vi a, vi b) { return vf_bits(_mm256_cmpeq_epi32(a, b)); }
static inline vm vm_first(int64_t n) { return vi_lt(vi_lanes(), vi_set1((int32_t)n)); }
static inline vm vm_and(vm a, vm b) { return _mm256_and_ps(a, b); }
static inline vm vm_or(vm a, vm b) { return _mm256_or_ps(a, b); }
static inline vm vm_not(vm a) { return _mm256_xor_ps(a, vf_bits(vi_set1(-1))); }
static inline int vm_any(vm a) { return _mm256_movemask_ps(a) != 0; }
static inline uint32_t vm_bits(vm a) { return (uint32_t)_mm256_movemask_ps(a); }

static inline vf vf_load(const float *p) { return _mm256_loadu_ps(p); }
static inline void vf_store(float *p, vf v) { _mm256_storeu_ps(p, v); }
static inline vf vf_load_part(const float *p, int64_t n) { return _mm256_maskload_ps(p, vi_bits(vm_first(n))); }
static inline void vf_store_part(float *p, int64_t n, vf v) { _mm256_maskstore_ps(p, vi_bits(vm_first(n)), v); }
static inline vi vi_load(const int32_t *p) { return _mm256_loadu_si256((const void *)p); }
static inline void vi_store(int32_t *p, vi v) { _mm256_storeu_si256((void *)p, v); }
static inline vi vi_load_part(const int32_t *p, int64_t n) { return _mm256_maskload_epi32((const int *)p, vi_bits(vm_first(n))); }
static inline void vi_store_part(int32_t *p, int64_t n, vi v) { _mm256_maskstore_epi32((int *)p, vi_bits(vm_first(n)), v); }

static inline vf vf_add(vf a, vf b) { return _mm256_add_ps(a, b); }
static inline vf vf_sub(vf a, vf b) { return _mm256_sub_ps(a, b); }
static inline vf vf_mul(vf a, vf b) { return _mm256_mul_ps(a, b); }
static inline vf vf_div(vf a, vf b) { return _mm256_div_ps(a, b); }
static inline vf vf_fma(vf a, vf b, vf c) { return _mm256_fmadd_ps(a, b, c); }
static inline vf vf_sqrt(vf a) { return _mm256_sqrt_ps(a); }
static inline vf vf_max(vf a, vf b) { return _mm256_max_ps(a, b); }
static inline vf vf_min(vf a, vf b) { return _mm256_min_ps(a, b); }
static inline vf vf_neg(vf a) { return _mm256_xor_ps(a, _mm256_set1_ps(-0.0f)); }
static inline vf vf_abs(vf a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a); }
static inline vf vf_round(vf a) { return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
static inline vf vf_floor(vf a) { return _mm256_round_ps(a, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC); }

static inline vi vi_add(vi a, vi b) { return _mm256_add_epi32(a, b); }
static inline vi vi_sub(vi a, vi b) { return _mm256_sub_epi32(a, b); }
static inline vi vi_and(vi a, vi b) { return _mm256_and_si256(a, b); }
static inline vi vi_or(vi a, vi b) { return _mm256_or_si256(a, b); }
static inline vi vi_xor(vi a, vi b) { return _mm256_xor_si256(a, b); }
#define vi_shl(v, n) _mm256_slli_epi32(v, n)
#define vi_shr(v, n) _mm256_srli_epi32(v, n)
#define vi_sar(v, n) _mm256_srai_epi32(v, n)

static inline vm vf_lt(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_LT_OQ); }
static inline vm vf_le(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_LE_OQ); }
static inline vm vf_eq(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_EQ_OQ); }
static inline vm vf_unordered(vf a, vf b) { return _mm256_cmp_ps(a, b, _CMP_UNORD_Q); }

static inline vf vf_select(vm m, vf a, vf b) { return _mm256_blendv_ps(b, a, m); }
static inline vi vi_select(vm m, vi a, vi b) { return vi_bits(_mm256_blendv_ps(vf_bits(b), vf_bits(a), m)); }
static inline vf vf_permute(vf v, vi i) { return _mm256_permutevar8x32_ps(v, i); }

static inline __m128i vector_bytes(const uint8_t *p, int64_t n)
{
    uint64_t bytes = 0;
    memcpy(&bytes, p, (size_t)n);
    return _mm_cvtsi64_si128((long long)bytes);
}
static inline vi vector_widen(const uint8_t *p, int64_t n) { return _mm256_cvtepu8_epi32(vector_bytes(p, n)); }
static inline vf vf_load_u8(const uint8_t *p) { return vf_from_vi(vector_widen(p, VF_WIDTH)); }
static inline vf vf_load_u8_part(const uint8_t *p, int64_t n) { return vf_from_vi(vector_widen(p, n)); }
static inline vm vm_load_u8(const uint8_t *p) { return vi_lt(vi_zero(), vector_widen(p, VF_WIDTH)); }
static inline vm vm_load_u8_part(const uint8_t *p, int64_t n) { return vi_lt(vi_zero(), vector_widen(p, n)); }
static inline uint64_t vector_flags(vm m)
{
    __m256i v = vi_bits(m);
    __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
    __m128i bytes = _mm_and_si128(_mm_packs_epi16(words, words), _mm_set1_epi8(1));
    return (uint64_t)_mm_cvtsi128_si64(bytes);
}
static inline void vm_store_u8_part(uint8_t *p, int64_t n, vm m)
{
    uint64_t flags = vector_flags(m);
    memcpy(p, &flags, (size_t)n);
}
static inline void vm_store_u8(uint8_t *p, vm m) { vm_store_u8_part(p, VF_WIDTH, m); }

static inline vi vi_load_u8(const uint8_t *p) { return _mm256_cvtepu8_epi32(_mm_loadl_epi64((const void *)p)); }
static inline vi vi_load_u8_part(const uint8_t *p, int64_t n) { return _mm256_cvtepu8_epi32(vector_bytes(p, n)); }
static inline void vi_store_u8_part(uint8_t *p, int64_t n, vi v)
{
    __m256i low = _mm256_and_si256(v, _mm256_set1_epi32(255));
    __m128i words = _mm_packus_epi32(_mm256_castsi256_si128(low), _mm256_extracti128_si256(low, 1));
    uint64_t bytes = (uint64_t)_mm_cvtsi128_si64(_mm_packus_epi16(words, words));
    memcpy(p, &bytes, (size_t)n);
}
static inline void vi_store_u8(uint8_t *p, vi v) { vi_store_u8_part(p, VF_WIDTH, v); }

static inline void vf_transpose(vf rows[VF_WIDTH])
{
    for (int i = 0; i < 8; i += 4) {
        __m256d low01 = _mm256_castps_pd(_mm256_unpacklo_ps(rows[i], rows[i + 1]));
        __m256d high01 = _mm256_castps_pd(_mm256_unpackhi_ps(rows[i], rows[i + 1]));
        __m256d low23 = _mm256_castps_pd(_mm256_unpacklo_ps(rows[i + 2], rows[i + 3]));
        __m256d high23 = _mm256_castps_pd(_mm256_unpackhi_ps(rows[i + 2], rows[i + 3]));
        rows[i] = _mm256_castpd_ps(_mm256_unpacklo_pd(low01, low23));
        rows[i + 1] = _mm256_castpd_ps(_mm256_unpackhi_pd(low01, low23));
        rows[i + 2] = _mm256_castpd_ps(_mm256_unpacklo_pd(high01, high23));
        rows[i + 3] = _mm256_castpd_ps(_mm256_unpackhi_pd(high01, high23));
    }
    for (int i = 0; i < 4; i++) {
        vf first = rows[i], second = rows[i + 4];
        rows[i] = _mm256_permute2f128_ps(first, second, 0x20);
        rows[i + 4] = _mm256_permute2f128_ps(first, second, 0x31);
    }
}

static inline uint64_t u8_equals(const uint8_t *p, int64_t n, uint8_t value)
{
    uint8_t copy[64] = {0};
    if (n < 64)
        p = memcpy(copy, p, (size_t)n);
    uint64_t bits = 0;
    for (int i = 0; i < 64; i += 32) {
        __m256i bytes = _mm256_loadu_si256((const __m256i *)(const void *)(p + i));
        bits |= (uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(bytes, _mm256_set1_epi8((char)value))) << i;
    }
    return n < 64 ? bits & (((uint64_t)1 << n) - 1) : bits;
}

#endif
