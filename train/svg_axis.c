#include "train/svg_axis.h"

#include <math.h>
#include <stdio.h>

#include "graph/number_text.h"

/* More decades than these are not labelled each. */
#define MOST_DECADES 9

double tg_nice_step(double rough)
{
    double power = pow(10, floor(log10(rough))), part = rough / power;
    return power * (part <= 1.0001 ? 1 : part <= 2.0001 ? 2 : part <= 5.0001 ? 5 : 10);
}

tg_axis tg_log_axis(double low, double high, double from, double to)
{
    double decades = log10(high) - log10(low), side = decades > 0 ? 0.03 * decades : 0.3;
    return (tg_axis){.low = log10(low) - side,
                     .high = log10(high) + side,
                     .from = from,
                     .to = to,
                     .step = decades < 2 ? 0 : ceil(decades / MOST_DECADES),
                     .logarithmic = true};
}

double tg_axis_place(const tg_axis *axis, double value)
{
    if (axis->logarithmic)
        value = value > 0 ? log10(value) : NAN;
    return axis->from + (value - axis->low) / (axis->high - axis->low) * (axis->to - axis->from);
}

static void linear_label(const tg_axis *axis, double value, char text[TG_TICK_SIZE])
{
    int decimals = (int)fmax(0, -floor(log10(axis->step) + 1e-9));
    if (decimals > 5 || fabs(axis->high) >= 1e6)
        tg_format(text, TG_TICK_SIZE, "%.3g", value);
    else
        tg_format(text, TG_TICK_SIZE, "%.*f", decimals, value);
}

static void log_label(int digit, int decade, char text[TG_TICK_SIZE])
{
    if (decade >= -2 && decade <= 2)
        tg_format(text, TG_TICK_SIZE, "%.*f", decade < 0 ? -decade : 0, digit * pow(10, decade));
    else
        snprintf(text, TG_TICK_SIZE, "%de%d", digit, decade);
}

/* The i-th of a row of ticks that begins at or below the axis. */
static void log_tick(const tg_axis *axis, int i, int *digit, int *decade)
{
    static const int digits[] = {1, 2, 5};
    int stride = axis->step > 0 ? (int)axis->step : 1, in_decade = axis->step > 0 ? 1 : 3;
    *digit = digits[i % in_decade];
    *decade = ((int)floor(axis->low / stride) + i / in_decade) * stride;
}

static bool next_log_tick(const tg_axis *axis, int i, double *value, char text[TG_TICK_SIZE])
{
    int digit, decade, below = 0;
    for (log_tick(axis, 0, &digit, &decade); log10(digit) + decade < axis->low; log_tick(axis, below, &digit, &decade))
        below++;
    log_tick(axis, below + i, &digit, &decade);
    *value = digit * pow(10, decade);
    log_label(digit, decade, text);
    return log10(digit) + decade <= axis->high;
}

bool tg_axis_tick(const tg_axis *axis, int i, double *value, char text[TG_TICK_SIZE])
{
    if (axis->logarithmic)
        return next_log_tick(axis, i, value, text);
    double first = ceil(axis->low / axis->step - 1e-6) * axis->step;
    *value = first + i * axis->step;
    *value = fabs(*value) < axis->step / 2 ? 0 : *value; /* no -0 */
    linear_label(axis, *value, text);
    return *value <= axis->high + axis->step * 1e-6;
}
