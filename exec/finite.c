#include "exec/finite.h"

#include <string.h>

/* Floats of one sign compare as the integers with the same bits do; those that are not finite come last. */
#define SMALL_F32 0x53800000u         /* 2^40 */
#define SMALL_F64 0x52b0000000000000u /* 2^300 */
#define INFINITE_F32 0x7f800000u
#define INFINITE_F64 0x7ff0000000000000u

/* Whether a magnitude is that of these bits or beyond: what must be added to reach the sign bit then carries into it. */
static bool reaches_f32(const char *values, int64_t count, uint32_t limit)
{
    uint32_t found = 0, word, carry = 0x80000000u - limit;
    for (int64_t i = 0; i < count; i++) {
        memcpy(&word, values + 4 * i, sizeof word);
        found |= (word & 0x7fffffffu) + carry;
    }
    return found >> 31;
}

static bool reaches_f64(const char *values, int64_t count, uint64_t limit)
{
    uint64_t found = 0, word, carry = 0x8000000000000000u - limit;
    for (int64_t i = 0; i < count; i++) {
        memcpy(&word, values + 8 * i, sizeof word);
        found |= (word & 0x7fffffffffffffffu) + carry;
    }
    return found >> 63;
}

tg_finite tg_finite_class(tg_dtype dtype, const void *values, int64_t count)
{
    if (!tg_dtype_is_float(dtype))
        return TG_SMALL;
    if (dtype == TG_F32)
        return !reaches_f32(values, count, SMALL_F32)      ? TG_SMALL
               : !reaches_f32(values, count, INFINITE_F32) ? TG_LARGE
                                                           : TG_NONFINITE;
    return !reaches_f64(values, count, SMALL_F64)      ? TG_SMALL
           : !reaches_f64(values, count, INFINITE_F64) ? TG_LARGE
                                                       : TG_NONFINITE;
}

double tg_small_limit(tg_dtype dtype) { return dtype == TG_F32 ? 0x1p40 : 0x1p300; }
