/* The vector layer on AVX-512 F, VL, DQ and BW; see ops/kernels/vector.h. */
#ifndef TG_OPS_KERNELS_VECTOR_AVX512_H
#define TG_OPS_KERNELS_VECTOR_AVX512_H

#include <immintrin.h>
#include <stdint.h>

#define VF_WIDTH 16
#define VF_FUSED 1
#define VF_SCALES 1

typedef __m512 vf;
typedef __m512i vi;
typedef __mmask16 vm;

static inline vm vm_first(int64_t n) { return (vm)((1u << n) - 1); }
static inline vm vm_and(vm a, vm b) { return (vm)(a & b); }
static inline vm vm_or(vm a, vm b) { return (vm)(a | b); }
static inline vm vm_not(vm a) { return (vm)~a; }
static inline int vm_any(vm a) { return a != 0; }
static inline uint32_t vm_bits(vm a) { return a; }

static inline vf vf_load(const float *p) { return _mm512_loadu_ps(p); }
static inline void vf_store(float *p, vf v) { _mm512_storeu_ps(p, v); }
static inline vf vf_load_part(const float *p, int64_t n) { return _mm512_maskz_loadu_ps(vm_first(n), p); }
static inline void vf_store_part(float *p, int64_t n, vf v) { _mm512_mask_storeu_ps(p, vm_first(n), v); }
static inline vi vi_load(const int32_t *p) { return _mm512_loadu_si512(p); }
static inline void vi_store(int32_t *p, vi v) { _mm512_storeu_si512(p, v); }
static inline vi vi_load_part(const int32_t *p, int64_t n) { return _mm512_maskz_loadu_epi32(vm_first(n), p); }
static inline void vi_store_part(int32_t *p, int64_t n, vi v) { _mm512_mask_storeu_epi32(p, vm_first(n), v); }

static inline vf vf_zero(void) { return _mm512_setzero_ps(); }
static inline vf vf_set1(float x) { return _mm512_set1_ps(x); }
static inline vi vi_zero(void) { return _mm512_setzero_si512(); }
static inline vi vi_set1(int32_t x) { return _mm512_set1_epi32(x); }
static inline vi vi_lanes(void) { return _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15); }
static inline vf vf_lanes(void) { return _mm512_cvtepi32_ps(vi_lanes()); }

static inline vf vf_bits(vi v) { return _mm512_castsi512_ps(v); }
static inline vi vi_bits(vf v) { return _mm512_castps_si512(v); }
static inline vf vf_from_vi(vi v) { return _mm512_cvtepi32_ps(v); }
static inline vi vi_truncate(vf v) { return _mm512_cvttps_epi32(v); }
static inline vi vi_nearest(vf v) { return _mm512_cvtps_epi32(v); }

static inline vf vf_add(vf a, vf b) { return _mm512_add_ps(a, b); }
static inline vf vf_sub(vf a, vf b) { return _mm512_sub_ps(a, b); }
static inline vf vf_mul(vf a, vf b) { return _mm512_mul_ps(a, b); }
static inline vf vf_div(vf a, vf b) { return _mm512_div_ps(a, b); }
static inline vf vf_fma(vf a, vf b, vf c) { return _mm512_fmadd_ps(a, b, c); }
/* Correctly rounded, as the instruction is, but by multiply-adds where no step of them leaves the normal range: many processors take
   root and quotient by the same slow unit, which is then left for quotients. tests/test_square_root.c compares them. */
static inline vf vf_sqrt(vf a)
{
    __mmask16 plain = _mm512_cmplt_epu32_mask(_mm512_sub_epi32(_mm512_castps_si512(a), _mm512_set1_epi32((127 - 90) << 23)),
                                              _mm512_set1_epi32(180 << 23));
    if (__builtin_expect(plain != 0xffff, 0))
        return _mm512_sqrt_ps(a);
    vf half = _mm512_set1_ps(0.5f), inverse = _mm512_rsqrt14_ps(a);
    vf root = _mm512_mul_ps(a, inverse), half_inverse = _mm512_mul_ps(half, inverse);
    vf error = _mm512_fnmadd_ps(root, half_inverse, half);
    root = _mm512_fmadd_ps(root, error, root);
    half_inverse = _mm512_fmadd_ps(half_inverse, error, half_inverse);
    return _mm512_fmadd_ps(_mm512_fnmadd_ps(root, root, a), half_inverse, root);
}
static inline vf vf_scale_whole(vf x, vf n) { return _mm512_scalef_ps(x, n); }
static inline vf vf_max(vf a, vf b) { return _mm512_max_ps(a, b); }
static inline vf vf_min(vf a, vf b) { return _mm512_min_ps(a, b); }
static inline vf vf_neg(vf a) { return _mm512_xor_ps(a, _mm512_set1_ps(-0.0f)); }
static inline vf vf_abs(vf a) { return _mm512_andnot_ps(_mm512_set1_ps(-0.0f), a); }
static inline vf vf_round(vf a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
static inline vf vf_floor(vf a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC); }

static inline vi vi_add(vi a, vi b) { return _mm512_add_epi32(a, b); }
static inline vi vi_sub(vi a, vi b) { return _mm512_sub_epi32(a, b); }
static inline vi vi_and(vi a, vi b) { return _mm512_and_si512(a, b); }
static inline vi vi_or(vi a, vi b) { return _mm512_or_si512(a, b); }
static inline vi vi_xor(vi a, vi b) { return _mm512_xor_si512(a, b); }
#define vi_shl(v, n) _mm512_slli_epi32(v, n)
#define vi_shr(v, n) _mm512_srli_epi32(v, n)
#define vi_sar(v, n) _mm512_srai_epi32(v, n)

static inline vm vf_lt(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
static inline vm vf_le(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_LE_OQ); }
static inline vm vf_eq(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_EQ_OQ); }
static inline vm vf_unordered(vf a, vf b) { return _mm512_cmp_ps_mask(a, b, _CMP_UNORD_Q); }
static inline vm vi_lt(vi a, vi b) { return _mm512_cmplt_epi32_mask(a, b); }
static inline vm vi_eq(vi a, vi b) { return _mm512_cmpeq_epi32_mask(a, b); }

static inline vf vf_select(vm m, vf a, vf b) { return _mm512_mask_blend_ps(m, b, a); }
static inline vi vi_select(vm m, vi a, vi b) { return _mm512_mask_blend_epi32(m, b, a); }
static inline vf vf_permute(vf v, vi i) { return _mm512_permutexvar_ps(i, v); }

static inline vf vf_load_u8_part(const uint8_t *p, int64_t n)
{
    return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(vm_first(n), p)));
}
static inline vf vf_load_u8(const uint8_t *p) { return vf_load_u8_part(p, VF_WIDTH); }
static inline vm vm_load_u8_part(const uint8_t *p, int64_t n)
{
    __m128i bytes = _mm_maskz_loadu_epi8(vm_first(n), p);
    return _mm_test_epi8_mask(bytes, bytes);
}
static inline vm vm_load_u8(const uint8_t *p) { return vm_load_u8_part(p, VF_WIDTH); }
static inline void vm_store_u8_part(uint8_t *p, int64_t n, vm m)
{
    _mm_mask_storeu_epi8(p, vm_first(n), _mm_maskz_set1_epi8(m, 1));
}
static inline void vm_store_u8(uint8_t *p, vm m) { vm_store_u8_part(p, VF_WIDTH, m); }

static inline vi vi_load_u8(const uint8_t *p) { return _mm512_cvtepu8_epi32(_mm_loadu_si128((const void *)p)); }
static inline vi vi_load_u8_part(const uint8_t *p, int64_t n)
{
    return _mm512_cvtepu8_epi32(_mm_maskz_loadu_epi8(vm_first(n), p));
}
static inline void vi_store_u8(uint8_t *p, vi v) { _mm_storeu_si128((void *)p, _mm512_cvtepi32_epi8(v)); }
static inline void vi_store_u8_part(uint8_t *p, int64_t n, vi v) { _mm512_mask_cvtepi32_storeu_epi8(p, vm_first(n), v); }

static inline void vf_transpose(vf rows[VF_WIDTH])
{
    for (int i = 0; i < 16; i += 4) {
        __m512d low01 = _mm512_castps_pd(_mm512_unpacklo_ps(rows[i], rows[i + 1]));
        __m512d high01 = _mm512_castps_pd(_mm512_unpackhi_ps(rows[i], rows[i + 1]));
        __m512d low23 = _mm512_castps_pd(_mm512_unpacklo_ps(rows[i + 2], rows[i + 3]));
        __m512d high23 = _mm512_castps_pd(_mm512_unpackhi_ps(rows[i + 2], rows[i + 3]));
        rows[i] = _mm512_castpd_ps(_mm512_unpacklo_pd(low01, low23));
        rows[i + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(low01, low23));
        rows[i + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(high01, high23));
        rows[i + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(high01, high23));
    }
    for (int i = 0; i < 4; i++) {
        vf even01 = _mm512_shuffle_f32x4(rows[i], rows[i + 4], 0x88), odd01 = _mm512_shuffle_f32x4(rows[i], rows[i + 4], 0xdd);
        vf even23 = _mm512_shuffle_f32x4(rows[i + 8], rows[i + 12], 0x88),
           odd23 = _mm512_shuffle_f32x4(rows[i + 8], rows[i + 12], 0xdd);
        rows[i] = _mm512_shuffle_f32x4(even01, even23, 0x88);
        rows[i + 4] = _mm512_shuffle_f32x4(odd01, odd23, 0x88);
        rows[i + 8] = _mm512_shuffle_f32x4(even01, even23, 0xdd);
        rows[i + 12] = _mm512_shuffle_f32x4(odd01, odd23, 0xdd);
    }
}

static inline uint64_t u8_equals(const uint8_t *p, int64_t n, uint8_t value)
{
    __mmask64 first = n == 64 ? UINT64_MAX : ((uint64_t)1 << n) - 1;
    return _mm512_mask_cmpeq_epi8_mask(first, _mm512_maskz_loadu_epi8(first, p), _mm512_set1_epi8((char)value));
}

#endif
