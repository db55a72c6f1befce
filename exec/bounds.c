#include "exec/bounds.h"

#include <float.h>
#include <math.h>

#include "exec/finite.h"
#include "exec/float_mode.h"

#define MAX_POINTS 81 /* three of each input */

/* Room for the steps of an op whose block rounds more than once, and between whose ends it may stray by that. */
#define SLACK (8 * FLT_EPSILON)

/* Values of one input, or of the result, at all points. */
typedef union samples {
    float f32[MAX_POINTS];
    double f64[MAX_POINTS];
    int32_t i32[MAX_POINTS];
    uint8_t u8[MAX_POINTS];
} samples;

static void put(samples *values, tg_dtype dtype, int i, double value)
{
    switch (dtype) {
    case TG_F32: values->f32[i] = (float)value; break;
    case TG_F64: values->f64[i] = value; break;
    case TG_I32: values->i32[i] = (int32_t)value; break;
    default: values->u8[i] = (uint8_t)value; break;
    }
}

tg_interval tg_interval_of(tg_dtype dtype)
{
    double limit = tg_small_limit(dtype);
    return dtype == TG_I32  ? (tg_interval){INT32_MIN, INT32_MAX}
           : dtype == TG_U8 ? (tg_interval){0, UINT8_MAX}
                            : (tg_interval){-limit, limit};
}

tg_interval tg_interval_at(tg_dtype dtype, const void *value)
{
    double there = dtype == TG_F32   ? (double)*(const float *)value
                   : dtype == TG_F64 ? *(const double *)value
                   : dtype == TG_I32 ? *(const int32_t *)value
                                     : *(const uint8_t *)value;
    return (tg_interval){there, there};
}

bool tg_interval_finite(tg_interval interval) { return isfinite(interval.low) && isfinite(interval.high); }

/* An interval's ends, and zero if it lies inside: an op that is monotone on either side of zero has its extremes there. */
static int list_points(tg_interval interval, double *points)
{
    int n = 0;
    points[n++] = interval.low;
    if (interval.high > interval.low)
        points[n++] = interval.high;
    if (interval.low < 0 && interval.high > 0)
        points[n++] = 0;
    return n;
}

/* All combinations of the inputs' points; their number. */
static int fill_points(const tg_bounded_op *op, samples *inputs)
{
    int total = 1, repeat = 1;
    double points[TG_BOUNDED_INPUTS][3];
    int n[TG_BOUNDED_INPUTS];
    for (int a = 0; a < op->n_inputs; a++)
        total *= n[a] = list_points(op->inputs[a], points[a]);
    for (int a = 0; a < op->n_inputs; repeat *= n[a++])
        for (int i = 0; i < total;)
            for (int p = 0; p < n[a]; p++)
                for (int r = 0; r < repeat; r++)
                    put(&inputs[a], op->dtypes[a], i++, points[a][p]);
    return total;
}

bool tg_find_bounds(const tg_bounded_op *op, tg_interval *result)
{
    if (!tg_dtype_is_float(op->dtype)) {
        *result = tg_interval_of(op->dtype);
        return true;
    }
    if (!op->block) {
        *result = op->inputs[0];
        return true;
    }
    if (!op->monotone || op->n_inputs > TG_BOUNDED_INPUTS)
        return false;
    samples inputs[TG_BOUNDED_INPUTS], outputs;
    const void *arguments[TG_BOUNDED_INPUTS] = {&inputs[0], &inputs[1], &inputs[2], &inputs[3]};
    int total = fill_points(op, inputs);
    bool twice = op->dtype == TG_F64;
    for (int a = 0; a < op->n_inputs; a++)
        twice = twice || op->dtypes[a] == TG_F64;
    tg_float_mode before = tg_float_mode_enter(!twice);
    op->block(&outputs, arguments, total, op->attributes);
    tg_float_mode_leave(before);
    *result = (tg_interval){INFINITY, -INFINITY};
    for (int i = 0; i < total; i++) {
        double value = op->dtype == TG_F32 ? (double)outputs.f32[i] : outputs.f64[i];
        if (!isfinite(value))
            return false;
        result->low = value < result->low ? value : result->low;
        result->high = value > result->high ? value : result->high;
    }
    result->low -= fabs(result->low) * SLACK;
    result->high += fabs(result->high) * SLACK;
    double limit = op->dtype == TG_F32 ? FLT_MAX : DBL_MAX;
    return result->low >= -limit && result->high <= limit;
}
