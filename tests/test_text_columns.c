#include <string.h>

#include "harness.h"
#include "train/text_columns.h"

START_TEST(columns_are_those_of_a_terminal)
{
    ck_assert_int_eq(tg_text_columns(""), 0);
    ck_assert_int_eq(tg_text_columns("T-shirt"), 7);
    ck_assert_int_eq(tg_text_columns("Mäntel"), 6);
    ck_assert_int_eq(tg_text_columns("Ma\xCC\x88ntel"), 6); /* an accent that joins */
    ck_assert_int_eq(tg_text_columns("外套"), 4);
    ck_assert_int_eq(tg_text_columns("\xF0\x9F\x91\x95"), 2); /* an emoji */
    ck_assert_int_eq(tg_text_columns("\xE2\x82\xAC"), 1);
}
END_TEST

START_TEST(what_is_no_plain_text_is_told)
{
    static const char *const refused[] = {"\xFF",         "a\xC3",        "\xC0\x80",    "\xED\xA0\x80", "a\x1B[2J",
                                          "\x7F",         "a\tb",         "\xC2\x85",    "\xC2\x9B",     "\xE2\x80\xAE",
                                          "\xE2\x81\xA6", "\xEF\xBB\xBF", "\xE2\x80\xA8"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        ck_assert_msg(tg_text_columns(refused[i]) == -1, "%zu", i);
}
END_TEST

static void check_fit(const char *text, int columns, bool ascii, const char *expected)
{
    char out[64];
    ck_assert_str_eq(tg_text_fit(text, columns, ascii, out, sizeof out), expected);
}

START_TEST(text_that_is_too_long_is_cut)
{
    check_fit("Ankle boot", 10, false, "Ankle boot");
    check_fit("Ankle boot", 9, false, "Ankle bo…");
    check_fit("Ankle boot", 9, true, "Ankle bo.");
    check_fit("Ankle boot", 7, false, "Ankle…");
    check_fit("Ankle boot", 1, false, "…");
    check_fit("Ankle boot", 0, false, "");
    check_fit("Mäntel", 6, false, "Mäntel");
    check_fit("Mäntel", 3, false, "Mä…");
    check_fit("Ma\xCC\x88ntel", 3, false, "Ma\xCC\x88…");
    check_fit("大衣外套", 8, false, "大衣外套");
    check_fit("大衣外套", 7, false, "大衣外…");
    check_fit("大衣外套", 6, false, "大衣…");
    check_fit("", 3, false, "");
}
END_TEST

START_TEST(ascii_is_ascii)
{
    check_fit("Mäntel", 6, true, "M?ntel");
    check_fit("Ma\xCC\x88ntel", 6, true, "Mantel");
    check_fit("外套", 4, true, "??");
    check_fit("a\x1B[2J\xFF", 9, true, "a?[2J?");
    check_fit("a\x1B[2J\xFF", 9, false, "a?[2J?");
}
END_TEST

START_TEST(a_small_buffer_holds_whole_characters)
{
    char out[16];
    for (size_t size = 1; size <= sizeof out; size++) {
        memset(out, 'x', sizeof out);
        tg_text_fit("Mäntel 大衣外套", 12, false, out, size);
        ck_assert_uint_lt(strlen(out), size);
        ck_assert_int_ge(tg_text_columns(out), 0);
        ck_assert_int_le(tg_text_columns(out), 12);
    }
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("text_columns");
    tcase_add_test(tests, columns_are_those_of_a_terminal);
    tcase_add_test(tests, what_is_no_plain_text_is_told);
    tcase_add_test(tests, text_that_is_too_long_is_cut);
    tcase_add_test(tests, ascii_is_ascii);
    tcase_add_test(tests, a_small_buffer_holds_whole_characters);
    return harness_run("text_columns", tests);
}
