#include "ops/kernels/argmax.h"

/* The first of the elements that none is BETTER than, or the first NaN. Choices instead of branches, which nobody could predict. */
#define BEST(T, NAME, BETTER, IS_NAN)                          \
    static int64_t NAME(const T *x, int64_t n, int64_t stride) \
    {                                                          \
        T best = x[0];                                         \
        int64_t at = 0;                                        \
        bool nan = IS_NAN(best);                               \
        for (int64_t i = 1; i < n; i++) {                      \
            T value = x[i * stride];                           \
            bool better = value BETTER best;                   \
            best = better ? value : best;                      \
            at = better ? i : at;                              \
            nan |= IS_NAN(value);                              \
        }                                                      \
        for (int64_t i = n - 1; i >= 0 && nan; i--)            \
            at = IS_NAN(x[i * stride]) ? i : at;               \
        return at;                                             \
    }
#define ARGMAX(T, NAME, IS_NAN)                                                                                           \
    BEST(T, argmax_##NAME, >, IS_NAN)                                                                                     \
    BEST(T, argmin_##NAME, <, IS_NAN)                                                                                     \
    void tg_argmax_##NAME(const void *x, int64_t n, int64_t inner, int64_t first, int64_t last, bool least, int32_t *out) \
    {                                                                                                                     \
        for (int64_t i = first; i < last; i++) {                                                                          \
            const T *line = (const T *)x + i / inner * n * inner + i % inner;                                             \
            out[i] = (int32_t)(least ? argmin_##NAME(line, n, inner) : argmax_##NAME(line, n, inner));                    \
        }                                                                                                                 \
    }

/* IS_NAN: a constant for integers. */
#define IS_NAN_FLOAT(v) ((v) != (v))
#define IS_NAN_INTEGER(v) false

ARGMAX(float, f32, IS_NAN_FLOAT)
ARGMAX(double, f64, IS_NAN_FLOAT)
ARGMAX(int32_t, i32, IS_NAN_INTEGER)
ARGMAX(uint8_t, u8, IS_NAN_INTEGER)
