/* Reductions in plain C, the same code for each dtype. Sums of integers wrap around. */
#include "ops/kernels/reduce.h"

#include <math.h>
#include <string.h>

#define COMBINE(T, SUM)                                        \
    static inline T combine_##T(tg_reduce_kind kind, T a, T b) \
    {                                                          \
        switch (kind) {                                        \
        case TG_REDUCE_SUM: return SUM;                        \
        case TG_REDUCE_MAX: return a != a || a > b ? a : b;    \
        default: return a != a || a < b ? a : b;               \
        }                                                      \
    }

#define NEUTRAL(T, LEAST, GREATEST)                                                  \
    static inline T neutral_##T(tg_reduce_kind kind)                                 \
    {                                                                                \
        return kind == TG_REDUCE_SUM ? 0 : kind == TG_REDUCE_MAX ? LEAST : GREATEST; \
    }

/* Folds `lanes` groups of `width` into the first. */
#define FOLD(T)                                                                          \
    static inline void fold_##T(tg_reduce_kind kind, T *x, int64_t lanes, int64_t width) \
    {                                                                                    \
        for (int64_t half = lanes / 2; half > 0; half /= 2)                              \
            for (int64_t i = 0; i < half * width; i++)                                   \
                x[i] = combine_##T(kind, x[i], x[i + half * width]);                     \
    }

#define ROWS(T, NAME)                                                                                                  \
    static inline T row_##T(tg_reduce_kind kind, const T *x, int64_t n)                                                \
    {                                                                                                                  \
        T total[TG_REDUCE_LANES], block[TG_REDUCE_LANES];                                                              \
        for (int lane = 0; lane < TG_REDUCE_LANES; lane++)                                                             \
            total[lane] = neutral_##T(kind);                                                                           \
        for (int64_t start = 0; start < n; start += TG_REDUCE_BLOCK) {                                                 \
            int64_t stop = n - start < TG_REDUCE_BLOCK ? n : start + TG_REDUCE_BLOCK;                                  \
            for (int lane = 0; lane < TG_REDUCE_LANES; lane++)                                                         \
                block[lane] = neutral_##T(kind);                                                                       \
            for (int64_t i = start; i < stop; i++)                                                                     \
                block[i % TG_REDUCE_LANES] = combine_##T(kind, block[i % TG_REDUCE_LANES], x[i]);                      \
            for (int lane = 0; lane < TG_REDUCE_LANES; lane++)                                                         \
                total[lane] = combine_##T(kind, total[lane], block[lane]);                                             \
        }                                                                                                              \
        fold_##T(kind, total, TG_REDUCE_LANES, 1);                                                                     \
        return total[0];                                                                                               \
    }                                                                                                                  \
    void tg_reduce_rows_##NAME(tg_reduce_kind kind, const void *x, int64_t rows, int64_t n, int64_t stride, void *out) \
    {                                                                                                                  \
        for (int64_t i = 0; i < rows; i++)                                                                             \
            ((T *)out)[i] = row_##T(kind, (const T *)x + i * stride, n);                                               \
    }

#define COLUMNS(T, NAME)                                                                                                   \
    static inline T column_##T(tg_reduce_kind kind, const T *x, int64_t n, int64_t stride)                                 \
    {                                                                                                                      \
        int64_t lanes = stride < TG_REDUCE_LANES ? TG_REDUCE_LANES : TG_REDUCE_COLUMN_LANES;                               \
        T total = neutral_##T(kind), block[TG_REDUCE_LANES];                                                               \
        for (int64_t start = 0; start < n; start += TG_REDUCE_COLUMN_BLOCK) {                                              \
            int64_t stop = n - start < TG_REDUCE_COLUMN_BLOCK ? n : start + TG_REDUCE_COLUMN_BLOCK;                        \
            for (int64_t lane = 0; lane < lanes; lane++)                                                                   \
                block[lane] = neutral_##T(kind);                                                                           \
            for (int64_t i = start; i < stop; i++)                                                                         \
                block[i % lanes] = combine_##T(kind, block[i % lanes], x[i * stride]);                                     \
            fold_##T(kind, block, lanes, 1);                                                                               \
            total = combine_##T(kind, total, block[0]);                                                                    \
        }                                                                                                                  \
        return total;                                                                                                      \
    }                                                                                                                      \
    void tg_reduce_columns_##NAME(tg_reduce_kind kind, const void *x, int64_t n, int64_t width, int64_t stride, void *out) \
    {                                                                                                                      \
        for (int64_t j = 0; j < width; j++)                                                                                \
            ((T *)out)[j] = column_##T(kind, (const T *)x + j, n, stride);                                                 \
    }

#define REDUCTIONS(T, NAME, SUM, LEAST, GREATEST) \
    COMBINE(T, SUM)                               \
    NEUTRAL(T, LEAST, GREATEST)                   \
    FOLD(T)                                       \
    ROWS(T, NAME)                                 \
    COLUMNS(T, NAME)

REDUCTIONS(float, f32, a + b, -INFINITY, INFINITY)
REDUCTIONS(double, f64, a + b, -INFINITY, INFINITY)
REDUCTIONS(int32_t, i32, (int32_t)((uint32_t)a + (uint32_t)b), INT32_MIN, INT32_MAX)
REDUCTIONS(uint8_t, u8, (uint8_t)(a + b), 0, UINT8_MAX)
