#include <errno.h>
#include <float.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "graph/number_text.h"
#include "harness.h"

START_TEST(numbers_have_a_point)
{
    char text[64];
    ck_assert_int_eq(tg_format(text, sizeof text, "%.2f|%g|%.1e|%d|%s", -1234567.25, 0.5, 1e100, 1234567, "a,b"), 36);
    ck_assert_str_eq(text, "-1234567.25|0.5|1.0e+100|1234567|a,b");
    ck_assert_int_eq(tg_format(text, 4, "%.3f", 12.345), 6);
    ck_assert_str_eq(text, "12.");
    ck_assert_int_eq(tg_format(NULL, 0, "%.3f", 12.345), 6);
}
END_TEST

START_TEST(a_file_gets_the_same)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    ck_assert_int_eq(tg_put(out, "%.1f and %s\n", 2.5, "more"), 13);
    fclose(out);
    ck_assert_str_eq(text, "2.5 and more\n");
    free(text);
}
END_TEST

START_TEST(what_is_written_is_read)
{
    const double values[] = {0.1, -0.0, 1.5, DBL_MIN, DBL_TRUE_MIN, DBL_MAX, 123456789.125};
    char text[64], *end;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        tg_format(text, sizeof text, "%.17g rest", values[i]);
        double back = tg_take_f64(text, &end);
        ck_assert(memcmp(&back, &values[i], sizeof back) == 0);
        ck_assert_str_eq(end, " rest");
        tg_format(text, sizeof text, "%.9g,5", (double)(float)values[i]);
        float single = tg_take_f32(text, &end);
        ck_assert(single == (float)values[i]);
        ck_assert_str_eq(end, ",5");
    }
    ck_assert(tg_take_f64("1,5", &end) == 1);
    ck_assert_str_eq(end, ",5");
    ck_assert(tg_take_f64("x", &end) == 0);
    ck_assert_str_eq(end, "x");
}
END_TEST

/* The process's own locale, and this thread's, are left as they are. */
START_TEST(nobody_elses_locale_changes)
{
    char process[64], before[64], after[64];
    snprintf(process, sizeof process, "%s", setlocale(LC_ALL, NULL));
    snprintf(before, sizeof before, "%.2f", 0.5);
    locale_t thread = uselocale((locale_t)0);
    ck_assert(tg_take_f64("0.5", NULL) == 0.5);
    tg_format(after, sizeof after, "%.2f", 0.5);
    ck_assert_str_eq(after, "0.50");
    ck_assert_str_eq(tg_system_reason(ENOENT), "No such file or directory");
    ck_assert(uselocale((locale_t)0) == thread);
    snprintf(after, sizeof after, "%.2f", 0.5);
    ck_assert_str_eq(after, before);
    ck_assert_str_eq(setlocale(LC_ALL, NULL), process);
}
END_TEST

static void *format_often(void *wrong)
{
    char text[32];
    for (int i = 0; i < 20000; i++) {
        tg_format(text, sizeof text, "%.2f", 0.25);
        if (strcmp(text, "0.25") != 0 || tg_take_f32("0.25", NULL) != 0.25f)
            *(bool *)wrong = true;
    }
    return NULL;
}

START_TEST(threads_do_not_meet)
{
    pthread_t threads[4];
    bool wrong[4] = {false};
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, format_often, &wrong[i]), 0);
    for (int i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        ck_assert(!wrong[i]);
    }
}
END_TEST

START_TEST(letters_are_those_of_ascii)
{
    for (int c = 0; c < 256; c++) {
        bool upper = c >= 0x41 && c <= 0x5A, lower = c >= 0x61 && c <= 0x7A;
        ck_assert_int_eq(tg_is_upper((char)c), upper);
        ck_assert_int_eq(tg_is_lower((char)c), lower);
        ck_assert_int_eq((unsigned char)tg_to_lower((char)c), upper ? c + 32 : c);
    }
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("number_text");
    tcase_add_test(tests, numbers_have_a_point);
    tcase_add_test(tests, a_file_gets_the_same);
    tcase_add_test(tests, what_is_written_is_read);
    tcase_add_test(tests, nobody_elses_locale_changes);
    tcase_add_test(tests, threads_do_not_meet);
    tcase_add_test(tests, letters_are_those_of_ascii);
    return harness_run("number_text", tests);
}
