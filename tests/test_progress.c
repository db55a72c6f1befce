#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "train/progress.h"

/* Keras's own lines: keras.utils.Progbar(391, verbose=2) at its last step. */
START_TEST(the_line_is_keras_s)
{
    const tg_progress_value values[] = {
        {"accuracy", 0.79184}, {"loss", 0.96772}, {"val_accuracy", 0.9118}, {"val_loss", 0.00037991}};
    tg_progress progress = {
        .step = 391, .steps = 391, .seconds = 0.42, .seconds_per_step = 0.00106, .n_values = 4, .values = values};
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    ck_assert_int_eq(tg_progress_line(out, &progress), TG_OK);
    fclose(out);
    ck_assert_str_eq(text,
                     "391/391 - 0s - 1ms/step - accuracy: 0.7918 - loss: 0.9677 - val_accuracy: 0.9118 - val_loss: 3.7991e-04\n");
    free(text);
}
END_TEST

START_TEST(an_unknown_number_of_steps_is_told)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    tg_progress progress = {.step = 12, .seconds = 3.2, .seconds_per_step = 0.25};
    ck_assert_int_eq(tg_progress_line(out, &progress), TG_OK);
    fclose(out);
    ck_assert_str_eq(text, "12/Unknown - 3s - 250ms/step\n");
    free(text);
}
END_TEST

START_TEST(times_have_keras_s_units)
{
    static const struct {
        double seconds;
        const char *text;
    } times[] = {{0, "0s/step"},         {3.25e-4, "325us/step"}, {0.001, "1ms/step"}, {0.0146, "15ms/step"},
                 {0.9994, "999ms/step"}, {1, "1s/step"},          {75, "75s/step"}};
    char text[32];
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        ck_assert_str_eq(tg_step_time_text(times[i].seconds, text, sizeof text), times[i].text);
}
END_TEST

START_TEST(figures_have_keras_s_digits)
{
    char text[32];
    ck_assert_str_eq(tg_figure_text(0.12345, text, sizeof text), "0.1235");
    ck_assert_str_eq(tg_figure_text(0.001, text, sizeof text), "1.0000e-03");
    ck_assert_str_eq(tg_figure_text(0.0010001, text, sizeof text), "0.0010");
    ck_assert_str_eq(tg_figure_text(0, text, sizeof text), "0.0000e+00");
    ck_assert_str_eq(tg_figure_text(-2.5, text, sizeof text), "-2.5000");
    ck_assert_str_eq(tg_figure_text(INFINITY, text, sizeof text), "inf");
}
END_TEST

START_TEST(a_full_disk_is_told)
{
    FILE *out = fopen("/dev/full", "w");
    if (!out)
        return;
    setvbuf(out, NULL, _IONBF, 0);
    tg_progress progress = {.step = 1, .steps = 1};
    ck_assert_int_eq(tg_progress_line(out, &progress), TG_ERROR_IO);
    fclose(out);
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("progress");
    tcase_add_test(tests, the_line_is_keras_s);
    tcase_add_test(tests, an_unknown_number_of_steps_is_told);
    tcase_add_test(tests, times_have_keras_s_units);
    tcase_add_test(tests, figures_have_keras_s_digits);
    tcase_add_test(tests, a_full_disk_is_told);
    return harness_run("progress", tests);
}
