#include "graph/safe_text.h"

#include <stdlib.h>
#include <string.h>

#include "data_files.h"
#include "graph/philox.h"
#include "graph/tape.h"
#include "harness.h"
#include "ops/ops.h"
#include "train/json.h"
#include "train/safetensors.h"
#include "train/whole_file.h"

/* Text that shows as it stands: printable UTF-8 alone. */
static bool is_safe(const char *text)
{
    for (int length; *text; text += length) {
        length = tg_utf8_length(text);
        if (length == 0 || tg_steers(tg_utf8_code(text, length)))
            return false;
    }
    return true;
}

static void check(const char *from, const char *expected)
{
    char text[128], *stream = NULL;
    size_t size = 0;
    snprintf(text, sizeof text, "%s", from);
    ck_assert_str_eq(tg_make_safe(text, sizeof text), expected);
    FILE *out = open_memstream(&stream, &size);
    tg_put_safe(out, from);
    fclose(out);
    ck_assert_str_eq(stream, expected);
    free(stream);
}

START_TEST(what_steers_is_escaped)
{
    check("", "");
    check("plain: caf\xC3\xA9, \xE6\x97\xA5\xE6\x9C\xAC, \xF0\x9F\x98\x80, \\ and \"",
          "plain: caf\xC3\xA9, \xE6\x97\xA5\xE6\x9C\xAC, \xF0\x9F\x98\x80, \\ and \"");
    check("\x1B[31mred\x1B[0m", "\\x1B[31mred\\x1B[0m");
    check("a\tb\nc\rd\x7F\x01", "a\\x09b\\x0Ac\\x0Dd\\x7F\\x01");
    check("\xC2\x9B"
          "31m",
          "\\u009B31m"); /* C1's introducer */
    check("\x9B"
          "31m",
          "\\x9B31m"); /* the same as a byte */
    check("a\xE2\x80\xAE"
          "b\xE2\x81\xA6"
          "c\xD8\x9C",
          "a\\u202Eb\\u2066c\\u061C"); /* from right to left */
    check("\xEF\xBB\xBF\xE2\x80\xA8", "\\uFEFF\\u2028");
    check("\xF3\xA0\x81\x81", "\\uE0041"); /* a tag, which is not seen */
    check("\xFF\xC3\x28\xC0\x80\xED\xA0\x80", "\\xFF\\xC3(\\xC0\\x80\\xED\\xA0\\x80");
    check("end\xE2\x80", "end\\xE2\\x80"); /* nobody cut it: there was room */
}
END_TEST

START_TEST(what_does_not_fit_is_cut_at_a_whole_character)
{
    char text[8];
    memcpy(text,
           "abc\x1B"
           "def",
           8);
    ck_assert_str_eq(tg_make_safe(text, sizeof text), "abc\\x1B");
    memcpy(text,
           "abcde\x1B"
           "f",
           8);
    ck_assert_str_eq(tg_make_safe(text, sizeof text), "abcde");
    memcpy(text, "abcdef\xC3", 8); /* as snprintf() leaves it */
    ck_assert_str_eq(tg_make_safe(text, sizeof text), "abcdef");
    memcpy(text,
           "\x1B"
           "a\xE6\x97\xA5"
           "z",
           7);
    ck_assert_str_eq(tg_make_safe(text, sizeof text), "\\x1Ba");
    memcpy(text, "abcd\xE6\x97\xA5", 8);
    ck_assert_str_eq(tg_make_safe(text, sizeof text), "abcd\xE6\x97\xA5");
    char one[1] = "";
    ck_assert_str_eq(tg_make_safe(one, 1), "");
    ck_assert_ptr_eq(tg_make_safe(one, 0), one);
}
END_TEST

START_TEST(any_bytes_become_safe)
{
    for (uint32_t i = 0; i < 50000; i++) {
        uint32_t words[4];
        char text[25];
        tg_philox(4, 1, i, words);
        size_t length = words[3] % 17, size = length + 1 + words[2] % 8;
        for (size_t k = 0; k < length; k++) {
            uint8_t byte = (uint8_t)(words[k / 4 % 3] >> 8 * (k % 4));
            text[k] = (char)(byte ? byte : 1);
        }
        text[length] = '\0';
        tg_make_safe(text, size);
        ck_assert_uint_lt(strlen(text), size);
        ck_assert_msg(is_safe(text), "%u", i);
    }
}
END_TEST

START_TEST(json_does_not_steer_either)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    tg_json json = tg_json_begin(out);
    tg_json_text(&json, "k\xC2\x9B", "\x1B\xE2\x80\xAE\xF3\xA0\x81\x81\xFF");
    ck_assert_int_eq(tg_json_end(&json), TG_OK);
    fclose(out);
    ck_assert_str_eq(text, "{\"k\\u009b\": \"\\u001b\\u202e\\udb40\\udc41\\ufffd\"}\n");
    free(text);
}
END_TEST

/* ---- messages ---- */

START_TEST(messages_about_files_are_safe)
{
    char folder[256], message[TG_MESSAGE_SIZE], path[300];
    tg_status status;
    make_folder(folder);
    tg_context *context = harness_context(1);
    snprintf(path, sizeof path, "%s/\x1B]0;title\x07", folder);
    ck_assert_ptr_null(tg_safetensors_open(context, path, &status, message));
    ck_assert_msg(is_safe(message) && strstr(message, "/\\x1B]0;title\\x07: No such file"), "%s", message);
    ck_assert_int_eq(tg_write_whole(folder, NULL, NULL, message, sizeof message), TG_ERROR_IO);
    snprintf(path, sizeof path, "%s/none\xE2\x80\xAE/file", folder);
    ck_assert_int_eq(tg_may_write_whole(path, message, sizeof message), TG_ERROR_IO);
    ck_assert_msg(is_safe(message) && strstr(message, "/none\\u202E/file: cannot be created"), "%s", message);

    const char *header = "{\"\\u001b[2J\\u009b\":{\"dtype\":\"\\u202eU8\",\"shape\":[],\"data_offsets\":[0,0]}}";
    blob file = {0};
    blob_little(&file, strlen(header), 8);
    blob_add(&file, header, strlen(header));
    write_file(in_folder(folder, "names"), file);
    ck_assert_ptr_null(tg_safetensors_open(context, in_folder(folder, "names"), &status, message));
    ck_assert_msg(is_safe(message) && strstr(message, "tensor \\x1B[2J\\u009B: expected a dtype such as F32, found \\u202EU8"),
                  "%s", message);
    blob_free(&file);
    tg_context_free(context);
    remove_folder(folder);
}
END_TEST

START_TEST(messages_about_graphs_are_safe)
{
    tg_context *context = harness_context(1);
    tg_variables *variables = tg_variables_new(context, 1);
    tg_graph *graph = tg_graph_new(variables, TG_TRAINING);
    tg_input(graph, "a\x1B[31m", TG_F32, TG_SCALAR);
    tg_input(graph, "a\x1B[31m", TG_F32, TG_SHAPE(2));
    ck_assert_ptr_nonnull(tg_graph_error(graph));
    ck_assert_msg(is_safe(tg_graph_error(graph)) && strstr(tg_graph_error(graph), "a\\x1B[31m"), "%s", tg_graph_error(graph));
    tg_graph_free(graph);
    tg_variables_free(variables);
    tg_context_free(context);
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("safe_text");
    tcase_add_test(tests, what_steers_is_escaped);
    tcase_add_test(tests, what_does_not_fit_is_cut_at_a_whole_character);
    tcase_add_test(tests, any_bytes_become_safe);
    tcase_add_test(tests, json_does_not_steer_either);
    tcase_add_test(tests, messages_about_files_are_safe);
    tcase_add_test(tests, messages_about_graphs_are_safe);
    return harness_run("safe_text", tests);
}
