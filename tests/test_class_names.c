#include "data_files.h"
#include "failing_allocator.h"
#include "train/class_names.h"

static char folder[256];
static tg_context *context;
static char message[TG_MESSAGE_SIZE];
static tg_class_names names;

static void setup(void) { context = begin_in_folder(folder); }

static void teardown(void)
{
    tg_class_names_free(&names);
    tg_class_names_free(&names);
    end_in_folder(folder, context);
}

static tg_status take(const char *text)
{
    if (names.context)
        tg_class_names_free(&names);
    return tg_class_names_take(context, text, "here", 3, &names, message);
}

static void check_names(const char *text, const char *first, const char *second, const char *third)
{
    ck_assert_msg(take(text) == TG_OK, "%s", message);
    ck_assert_str_eq(names.names[0], first);
    ck_assert_str_eq(names.names[1], second);
    ck_assert_str_eq(names.names[2], third);
    ck_assert_ptr_null(names.names[3]);
}

START_TEST(a_name_is_a_line)
{
    check_names("a\nb\nc\n", "a", "b", "c");
    check_names("a\r\nb\r\nc", "a", "b", "c");
    check_names("a\nb\nc\n\n \n", "a", "b", "c");
    check_names("\xEF\xBB\xBF T-shirt/top\t\n Ankle  boot \n\xE5\xA4\x96\xE5\xA5\x97", "T-shirt/top", "Ankle  boot",
                "\xE5\xA4\x96\xE5\xA5\x97");
}
END_TEST

START_TEST(a_file_is_read)
{
    const char *path = in_folder(folder, "names");
    write_file(path, (blob){(uint8_t *)"a\nb\nc\n", 6});
    ck_assert_msg(tg_class_names_read(context, path, 3, &names, message) == TG_OK, "%s", message);
    ck_assert_str_eq(names.names[2], "c");
    tg_class_names_free(&names);
    ck_assert_int_eq(tg_class_names_read(context, path, 2, &names, message), TG_ERROR_FORMAT);
    ck_assert_msg(strstr(message, "names: expected the names of 2 classes, one a line, found 3 lines"), "%s", message);
    ck_assert_ptr_null(names.names[0]);
    ck_assert_int_eq(tg_class_names_read(context, in_folder(folder, "none"), 3, &names, message), TG_ERROR_IO);
    ck_assert_ptr_null(names.text);
}
END_TEST

START_TEST(what_is_wrong_is_named)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "here: expected the names of 3 classes, one a line, found 0 lines"},
        {"a\n", "here: expected the names of 3 classes, one a line, found 1 line"},
        {"a\nb\nc\nd", "here: expected the names of 3 classes, one a line, found 4 lines"},
        {"a\n\nc\n", "here: line 2: expected a class's name, of 1 to 60 bytes of UTF-8, found none"},
        {"a\n \t\nc\n", "here: line 2: expected a class's name, of 1 to 60 bytes of UTF-8, found none"},
        {"a\nb\n1234567890123456789012345678901234567890123456789012345678901",
         "here: line 3: expected a class's name, of 1 to 60 bytes of UTF-8, found more"},
        {"\xFF\nb\nc",
         "here: line 1: expected a class's name, of 1 to 60 bytes of UTF-8, found other bytes, or control characters"},
        {"a\x1B[2J\nb\nc",
         "here: line 1: expected a class's name, of 1 to 60 bytes of UTF-8, found other bytes, or control characters"},
        {"\xE2\x80\x8B\nb\nc", "here: line 1: expected a class's name, of 1 to 60 bytes of UTF-8, found nothing to be seen"},
        {"a\nb\na", "here: line 3: expected a name of its own, found that of line 1 again"},
        {"a\nb\n b ", "here: line 3: expected a name of its own, found that of line 2 again"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_assert_int_eq(take(cases[i].text), TG_ERROR_FORMAT);
        ck_assert_str_eq(message, cases[i].message);
        ck_assert_ptr_null(names.names[0]);
        ck_assert_uint_eq(tg_context_memory(context, NULL), 0);
    }
}
END_TEST

START_TEST(names_become_a_text_and_come_back)
{
    static const char *const given[] = {"T-shirt/top", "123456789012345678901234567890123456789012345678901234567890", "c d"};
    char text[TG_CLASS_NAMES_TEXT(3)];
    check_names(tg_class_names_text(given, 3, text), given[0], given[1], given[2]);
}
END_TEST

START_TEST(without_names_classes_are_numbers)
{
    static const char *const given[] = {"a", "b"}, *const none[] = {NULL, NULL};
    char number[TG_CLASS_NUMBER];
    ck_assert_str_eq(tg_class_name(given, 1, number), "b");
    ck_assert_str_eq(tg_class_name(none, 1, number), "1");
    ck_assert_str_eq(tg_class_name(NULL, 63, number), "63");
}
END_TEST

START_TEST(out_of_memory_is_an_error)
{
    failing_allocator memory = {0};
    tg_context_options options = harness_options();
    options.threads = 1;
    options.allocator = failing_allocator_interface(&memory);
    tg_context *failing = tg_context_new(options);
    ck_assert_ptr_nonnull(failing);
    memory.refuse = memory.requests + 1;
    ck_assert_int_eq(tg_class_names_take(failing, "a", "here", 1, &names, message), TG_ERROR_MEMORY);
    ck_assert_ptr_null(names.names[0]);
    ck_assert_int_eq(tg_class_names_take(failing, "a", "here", 1, &names, message), TG_OK);
    tg_class_names_free(&names);
    tg_context_free(failing);
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("class_names");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_name_is_a_line);
    tcase_add_test(tests, a_file_is_read);
    tcase_add_test(tests, what_is_wrong_is_named);
    tcase_add_test(tests, names_become_a_text_and_come_back);
    tcase_add_test(tests, without_names_classes_are_numbers);
    tcase_add_test(tests, out_of_memory_is_an_error);
    return harness_run("class_names", tests);
}
