#include "ops/kernels/argmax.h"

/* IS_NAN: a constant for integers. */
#define ARGMAX(T, NAME, IS_NAN)                                                                                           \
    static int64_t argmax_##NAME(const T *x, int64_t n, int64_t stride)                                                   \
    {                                                                                                                     \
        T best = x[0];                                                                                                    \
        int64_t at = 0;                                                                                                   \
        for (int64_t i = 1; i < n && !IS_NAN(best); i++)                                                                  \
            if (x[i * stride] > best || IS_NAN(x[i * stride])) {                                                          \
                best = x[i * stride];                                                                                     \
                at = i;                                                                                                   \
            }                                                                                                             \
        return at;                                                                                                        \
    }                                                                                                                     \
    static int64_t argmin_##NAME(const T *x, int64_t n, int64_t stride)                                                   \
    {                                                                                                                     \
        T best = x[0];                                                                                                    \
        int64_t at = 0;                                                                                                   \
        for (int64_t i = 1; i < n && !IS_NAN(best); i++)                                                                  \
            if (x[i * stride] < best || IS_NAN(x[i * stride])) {                                                          \
                best = x[i * stride];                                                                                     \
                at = i;                                                                                                   \
            }                                                                                                             \
        return at;                                                                                                        \
    }                                                                                                                     \
    void tg_argmax_##NAME(const void *x, int64_t n, int64_t inner, int64_t first, int64_t last, bool least, int32_t *out) \
    {                                                                                                                     \
        for (int64_t i = first; i < last; i++) {                                                                          \
            const T *line = (const T *)x + i / inner * n * inner + i % inner;                                             \
            out[i] = (int32_t)(least ? argmin_##NAME(line, n, inner) : argmax_##NAME(line, n, inner));                    \
        }                                                                                                                 \
    }

#define IS_NAN_FLOAT(v) ((v) != (v))
#define IS_NAN_INTEGER(v) false

ARGMAX(float, f32, IS_NAN_FLOAT)
ARGMAX(double, f64, IS_NAN_FLOAT)
ARGMAX(int32_t, i32, IS_NAN_INTEGER)
ARGMAX(uint8_t, u8, IS_NAN_INTEGER)
