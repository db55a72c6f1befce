#include "train/trace.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"

static tg_context *context;
static tg_variables *variables;
static char path[64];
static char message[TG_MESSAGE_SIZE];

static void setup(void)
{
    context = harness_context(1);
    variables = tg_variables_new(context, 1);
    snprintf(path, sizeof path, "/tmp/tapegrad-trace-XXXXXX");
    int descriptor = mkstemp(path);
    ck_assert_int_ge(descriptor, 0);
    close(descriptor);
}

static void teardown(void)
{
    unlink(path);
    tg_variables_free(variables);
    tg_context_free(context);
}

static void declare(const char *name, tg_type type, double value)
{
    ck_assert_ptr_nonnull(tg_variables_declare(variables, name, type, (tg_init){TG_INIT_CONSTANT, value, 0}, true));
}

/* The file's text, in a buffer of its own. */
static const char *text(void)
{
    static char read[4096];
    FILE *in = fopen(path, "r");
    ck_assert_ptr_nonnull(in);
    read[fread(read, 1, sizeof read - 1, in)] = '\0';
    fclose(in);
    return read;
}

/* The published check values of XXH64. */
START_TEST(the_hash_is_xxh64)
{
    ck_assert(tg_trace_hash("", 0) == 0xEF46DB3751D8E999u);
    ck_assert(tg_trace_hash("a", 1) == 0xD24EC4F1A98C6E5Bu);
    ck_assert(tg_trace_hash("abc", 3) == 0x44BC2CF5AD770999u);
    static const char line[] = "Nobody inspects the spammish repetition";
    ck_assert(tg_trace_hash(line, sizeof line - 1) == 0xFBCEA83C8A378BF1u);
}
END_TEST

START_TEST(every_bit_counts)
{
    uint8_t bytes[100] = {0};
    for (size_t length = 1; length <= sizeof bytes; length++) {
        uint64_t before = tg_trace_hash(bytes, length);
        ck_assert(before != tg_trace_hash(bytes, length - 1));
        for (size_t bit = 0; bit < 8 * length; bit++) {
            bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
            ck_assert(tg_trace_hash(bytes, length) != before);
            bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        }
    }
}
END_TEST

START_TEST(a_line_for_each_variable_and_step)
{
    tg_status status;
    declare("a/kernel", (tg_type){TG_F32, TG_SHAPE(2)}, 1);
    declare("two words\n", (tg_type){TG_I32, TG_SCALAR}, 7);
    tg_trace *trace = tg_trace_open(variables, path, &status, message);
    ck_assert_ptr_nonnull(trace);
    declare("later", (tg_type){TG_I32, TG_SCALAR}, 7);
    ck_assert_int_eq(tg_trace_step(trace, 0, message), TG_OK);
    int32_t eight = 8;
    ck_assert_int_eq(tg_variables_write(variables, "two words\n", &eight, sizeof eight), TG_OK);
    ck_assert_int_eq(tg_trace_step(trace, 3, message), TG_OK);
    const float ones[] = {1, 1};
    const int32_t seven = 7;
    unsigned long long a = tg_trace_hash(ones, sizeof ones), b = tg_trace_hash(&seven, 4), c = tg_trace_hash(&eight, 4);
    char expected[512];
    snprintf(expected, sizeof expected,
             "tapegrad trace 1\n0 a/kernel %016llx\n0 two words\\x0A %016llx\n3 a/kernel %016llx\n3 two words\\x0A %016llx\n", a,
             b, a, c);
    ck_assert_str_eq(text(), expected); /* before the trace is closed */
    ck_assert_int_eq(tg_trace_step(trace, 3, message), TG_ERROR_ARGUMENT);
    ck_assert_msg(strstr(message, "step 3 is not later"), "%s", message);
    tg_trace_close(trace);
    ck_assert_str_eq(text(), expected);
}
END_TEST

START_TEST(files_that_cannot_be_written)
{
    tg_status status;
    declare("a", (tg_type){TG_F32, TG_SHAPE(2)}, 1);
    ck_assert_ptr_null(tg_trace_open(variables, "/nonexistent/trace", &status, message));
    ck_assert_int_eq(status, TG_ERROR_IO);
    ck_assert_msg(strstr(message, "/nonexistent/trace: cannot be created: "), "%s", message);
    if (access("/dev/full", W_OK) == 0) {
        ck_assert_ptr_null(tg_trace_open(variables, "/dev/full", &status, message));
        ck_assert_int_eq(status, TG_ERROR_IO);
        ck_assert_msg(strstr(message, "/dev/full: writing failed: "), "%s", message);
    }
}
END_TEST

START_TEST(a_trace_that_is_being_written_is_left_alone)
{
    tg_status status;
    char before[4096];
    declare("w", (tg_type){TG_F32, TG_SHAPE(2)}, 1);
    tg_trace *trace = tg_trace_open(variables, path, &status, message);
    ck_assert_ptr_nonnull(trace);
    ck_assert_int_eq(tg_trace_step(trace, 0, message), TG_OK);
    snprintf(before, sizeof before, "%s", text());
    ck_assert_ptr_null(tg_trace_open(variables, path, &status, message));
    ck_assert_int_eq(status, TG_ERROR_SYSTEM);
    ck_assert_msg(strstr(message, "another run writes this trace"), "%s", message);
    ck_assert_str_eq(text(), before);
    tg_trace_close(trace);
    trace = tg_trace_open(variables, path, &status, message);
    ck_assert_ptr_nonnull(trace);
    ck_assert_str_eq(text(), TG_TRACE_HEADER "\n");
    tg_trace_close(trace);
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("trace");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, the_hash_is_xxh64);
    tcase_add_test(tests, every_bit_counts);
    tcase_add_test(tests, a_line_for_each_variable_and_step);
    tcase_add_test(tests, files_that_cannot_be_written);
    tcase_add_test(tests, a_trace_that_is_being_written_is_left_alone);
    return harness_run("trace", tests);
}
