#include <math.h>

#include "harness.h"
#include "train/schedule.h"

typedef struct reference_rates {
    tg_schedule schedule;
    double rates[16];
} reference_rates;

static const int64_t steps[16] = {0, 1, 2, 3, 7, 29, 30, 31, 55, 98, 99, 100, 101, 149, 150, 250};
static const reference_rates references[] = {
#include "reference/schedules_keras.inc"
#include "reference/schedules_torch.inc"
};

/* Keras rounds to f32 on its way. */
START_TEST(rates_are_keras_s_and_pytorch_s)
{
    for (size_t i = 0; i < sizeof references / sizeof *references; i++) {
        const tg_schedule *s = &references[i].schedule;
        for (int k = 0; k < 16; k++) {
            double rate = tg_schedule_rate(s, steps[k]), expected = references[i].rates[k];
            ck_assert_msg(fabs(rate - expected) <= 1e-8, "%s, step %d: %.9g, not %.9g", tg_schedule_name(s->kind), (int)steps[k],
                          rate, expected);
        }
    }
}
END_TEST

START_TEST(constant_rates_warm_up_too)
{
    tg_schedule s = {.kind = TG_SCHEDULE_CONSTANT, .rate = 0.5};
    ck_assert_double_eq(tg_schedule_rate(&s, 0), 0.5);
    s.warmup_steps = 4;
    static const double rates[] = {0, 0.125, 0.25, 0.375, 0.5, 0.5};
    for (int i = 0; i < 6; i++)
        ck_assert_double_eq(tg_schedule_rate(&s, i), rates[i]);
}
END_TEST

START_TEST(the_shortest_cycles_are_finite)
{
    for (int64_t d = 1; d < 12; d++) {
        tg_schedule s = {.kind = TG_SCHEDULE_ONE_CYCLE, .rate = 0.1, .decay_steps = d};
        for (int64_t step = 0; step < d + 2; step++) {
            double rate = tg_schedule_rate(&s, step);
            ck_assert_msg(rate > 0 && rate <= 0.1, "step %d of %d: %g", (int)step, (int)d, rate);
        }
    }
}
END_TEST

START_TEST(schedules_have_names)
{
    ck_assert_str_eq(tg_schedule_name(TG_SCHEDULE_ONE_CYCLE), "one-cycle");
    ck_assert_str_eq(tg_schedule_name(TG_SCHEDULE_CONSTANT), "constant");
    ck_assert_ptr_null(tg_schedule_name(TG_SCHEDULE_COUNT));
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("schedule");
    tcase_add_test(tests, rates_are_keras_s_and_pytorch_s);
    tcase_add_test(tests, constant_rates_warm_up_too);
    tcase_add_test(tests, the_shortest_cycles_are_finite);
    tcase_add_test(tests, schedules_have_names);
    return harness_run("schedule", tests);
}
