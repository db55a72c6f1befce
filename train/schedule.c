#include "train/schedule.h"

#include <math.h>

#define PI 3.14159265358979323846

/* One-cycle's shape, PyTorch's defaults: the share of steps that rise, and the divisors of the first rate and of the last. */
#define RISE 0.3
#define FIRST_DIVISOR 25.0
#define LAST_DIVISOR 1e4

/* From `a` at share 0 to `b` at share 1 along half a wave. */
static double half_wave(double a, double b, double share) { return b + (a - b) / 2 * (1 + cos(PI * share)); }

static double one_cycle(const tg_schedule *s, double step)
{
    double first = s->rate / FIRST_DIVISOR, last = first / LAST_DIVISOR;
    double top = RISE * (double)s->decay_steps - 1, end = (double)s->decay_steps - 1;
    if (step >= end)
        return end > 0 ? last : s->rate;
    return step <= top ? half_wave(first, s->rate, step / top) : half_wave(s->rate, last, (step - top) / (end - top));
}

static double cosine(const tg_schedule *s, double step)
{
    double d = (double)s->decay_steps;
    return s->rate * half_wave(1, s->alpha, fmin(step, d) / d);
}

double tg_schedule_rate(const tg_schedule *schedule, int64_t step)
{
    if (step < schedule->warmup_steps)
        return schedule->rate * (double)step / (double)schedule->warmup_steps;
    double t = (double)(step - schedule->warmup_steps), d = (double)schedule->decay_steps;
    switch (schedule->kind) {
    case TG_SCHEDULE_STEP: return schedule->rate * pow(schedule->decay_rate, floor(t / d));
    case TG_SCHEDULE_EXPONENTIAL: return schedule->rate * pow(schedule->decay_rate, t / d);
    case TG_SCHEDULE_COSINE: return cosine(schedule, t);
    case TG_SCHEDULE_ONE_CYCLE: return one_cycle(schedule, t);
    case TG_SCHEDULE_CONSTANT:
    case TG_SCHEDULE_COUNT: break;
    }
    return schedule->rate;
}

const char *tg_schedule_name(tg_schedule_kind kind)
{
    static const char *const names[TG_SCHEDULE_COUNT] = {
        [TG_SCHEDULE_CONSTANT] = "constant", [TG_SCHEDULE_STEP] = "step",           [TG_SCHEDULE_EXPONENTIAL] = "exponential",
        [TG_SCHEDULE_COSINE] = "cosine",     [TG_SCHEDULE_ONE_CYCLE] = "one-cycle",
    };
    return (unsigned)kind < TG_SCHEDULE_COUNT ? names[kind] : NULL;
}
