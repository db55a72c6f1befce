#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "graph/number_text.h"
#include "harness.h"
#include "train/json.h"

static char *line;
static size_t size;
static FILE *out;
static tg_json json;

static void setup(void)
{
    out = open_memstream(&line, &size);
    json = tg_json_begin(out);
}

static void teardown(void)
{
    fclose(out);
    free(line);
}

START_TEST(an_object_is_one_line)
{
    const int64_t matrix[] = {1, 2, 3, -4, 5, 6};
    tg_json_integer(&json, "epoch", -3);
    tg_json_unsigned(&json, "seed", UINT64_MAX);
    tg_json_real(&json, "loss", 0.25);
    tg_json_text(&json, "model", "fcnn");
    tg_json_matrix(&json, "confusion", matrix, 2, 3);
    tg_json_null(&json, "class");
    ck_assert_int_eq(tg_json_end(&json), TG_OK);
    ck_assert_str_eq(line, "{\"epoch\": -3, \"seed\": 18446744073709551615, \"loss\": 0.25, \"model\": \"fcnn\", "
                           "\"confusion\": [[1, 2, 3], [-4, 5, 6]], \"class\": null}\n");
}
END_TEST

START_TEST(texts_are_an_array)
{
    static const char *const texts[] = {"a \"b\"", "c\xFF"};
    tg_json_texts(&json, "k\\ey", texts, 2);
    tg_json_texts(&json, "none", texts, 0);
    ck_assert_int_eq(tg_json_end(&json), TG_OK);
    ck_assert_str_eq(line, "{\"k\\\\ey\": [\"a \\\"b\\\"\", \"c\\ufffd\"], \"none\": []}\n");
}
END_TEST

START_TEST(lists_hold_objects)
{
    tg_json list = tg_json_list(&json, "parts");
    for (int i = 0; i < 2; i++) {
        tg_json item = tg_json_item(&list);
        tg_json_integer(&item, "i", i);
        tg_json_close(&item);
    }
    tg_json_close_list(&list);
    list = tg_json_list(&json, "none");
    tg_json_close_list(&list);
    ck_assert_int_eq(tg_json_end(&json), TG_OK);
    ck_assert_str_eq(line, "{\"parts\": [{\"i\": 0}, {\"i\": 1}], \"none\": []}\n");
}
END_TEST

START_TEST(an_empty_object_is_fine)
{
    ck_assert_int_eq(tg_json_end(&json), TG_OK);
    ck_assert_str_eq(line, "{}\n");
}
END_TEST

START_TEST(reals_read_back_to_the_same_bits)
{
    const double values[] = {0, 1, 0.1, 1.0 / 3, 0.1 + 0.2, 1e-300, 5e-324, 1.7976931348623157e308, -2.5, 123456789012345678.0};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        tg_json_real(&json, "x", values[i]);
    ck_assert_int_eq(tg_json_end(&json), TG_OK);
    const char *at = line;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        at = strstr(at, "\"x\": ") + 5;
        ck_assert_double_eq(tg_take_f64(at, NULL), values[i]);
    }
}
END_TEST

START_TEST(short_reals_stay_short)
{
    tg_json_real(&json, "x", 0.1);
    tg_json_real(&json, "y", 3);
    ck_assert_int_eq(tg_json_end(&json), TG_OK);
    ck_assert_str_eq(line, "{\"x\": 0.1, \"y\": 3}\n");
}
END_TEST

START_TEST(what_json_lacks_is_null)
{
    tg_json_real(&json, "a", NAN);
    tg_json_real(&json, "b", -INFINITY);
    ck_assert_int_eq(tg_json_end(&json), TG_OK);
    ck_assert_str_eq(line, "{\"a\": null, \"b\": null}\n");
}
END_TEST

START_TEST(text_is_escaped)
{
    tg_json_text(&json, "a", "quote \" back \\ tab \t bell \a delete \x7f");
    tg_json_text(&json, "b", "\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80");
    ck_assert_int_eq(tg_json_end(&json), TG_OK);
    ck_assert_str_eq(line, "{\"a\": \"quote \\\" back \\\\ tab \\u0009 bell \\u0007 delete \\u007f\", "
                           "\"b\": \"\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\"}\n");
}
END_TEST

/* Lone continuation, overlong forms, surrogates, beyond U+10FFFF, a character cut short by the end: a U+FFFD for each byte. */
START_TEST(what_is_no_utf8_is_replaced)
{
    static const char *const wrong[] = {"\x80", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80",
                                        "\xff", "\xe2\x82"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char expected[64] = "{\"a\": \"";
        for (size_t byte = 0; byte < strlen(wrong[i]); byte++)
            strcat(expected, "\\ufffd");
        strcat(expected, "\"}\n");
        char *text = NULL;
        FILE *stream = open_memstream(&text, &size);
        tg_json object = tg_json_begin(stream);
        tg_json_text(&object, "a", wrong[i]);
        ck_assert_int_eq(tg_json_end(&object), TG_OK);
        ck_assert_str_eq(text, expected);
        fclose(stream);
        free(text);
    }
}
END_TEST

START_TEST(a_full_disk_is_told)
{
    FILE *full = fopen("/dev/full", "w");
    if (!full)
        return;
    tg_json object = tg_json_begin(full);
    tg_json_integer(&object, "a", 1);
    ck_assert_int_eq(tg_json_end(&object), TG_ERROR_IO);
    fclose(full);
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("json");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, an_object_is_one_line);
    tcase_add_test(tests, texts_are_an_array);
    tcase_add_test(tests, lists_hold_objects);
    tcase_add_test(tests, an_empty_object_is_fine);
    tcase_add_test(tests, reals_read_back_to_the_same_bits);
    tcase_add_test(tests, short_reals_stay_short);
    tcase_add_test(tests, what_json_lacks_is_null);
    tcase_add_test(tests, text_is_escaped);
    tcase_add_test(tests, what_is_no_utf8_is_replaced);
    tcase_add_test(tests, a_full_disk_is_told);
    return harness_run("json", tests);
}
