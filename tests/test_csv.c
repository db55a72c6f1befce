#include "train/csv.h"

#include <math.h>

#include "data_files.h"
#include "failing_allocator.h"
#include "graph/number_text.h"
#include "harness.h"

static char folder[256], message[TG_MESSAGE_SIZE];
static const char *path;
static tg_context *context;
static tg_csv csv;

static void setup(void)
{
    context = begin_in_folder(folder);
    path = in_folder(folder, "a.csv");
}

static void teardown(void) { end_in_folder(folder, context); }

static tg_status read_text(const char *text, tg_csv_options options)
{
    const char *file = in_folder(folder, "a.csv");
    write_file(file, (blob){(uint8_t *)text, strlen(text)});
    return tg_csv_read(context, file, options, &csv, message);
}

static void check_values(const float *found, const float *expected, int64_t count)
{
    for (int64_t i = 0; i < count; i++)
        ck_assert_msg(found[i] == expected[i] || (isnan(found[i]) && isnan(expected[i])), "%d: %g, not %g", (int)i,
                      (double)found[i], (double)expected[i]);
}

/* Reads a text of two columns and compares all of x. */
static void check_read(const char *text, int64_t rows, const float *expected)
{
    ck_assert_msg(read_text(text, (tg_csv_options){0}) == TG_OK, "%s", message);
    ck_assert_int_eq(csv.rows, rows);
    ck_assert_int_eq(csv.inputs, 2);
    ck_assert_int_eq(csv.targets, 0);
    ck_assert_ptr_null(csv.y);
    ck_assert_str_eq(csv.names[0], "a");
    ck_assert_str_eq(csv.names[1], "b");
    check_values(csv.x, expected, 2 * rows);
    tg_csv_free(&csv);
    ck_assert_ptr_null(csv.x);
    tg_csv_free(&csv);
}

static void check_refused(const char *text, tg_csv_options options, const char *sentence)
{
    ck_assert_int_eq(read_text(text, options), options.separator == '1' ? TG_ERROR_ARGUMENT : TG_ERROR_FORMAT);
    const char *found = strstr(message, "a.csv: ");
    ck_assert_msg(found && strcmp(found + strlen("a.csv: "), sentence) == 0, "expected \"%s\", found \"%s\"", sentence, message);
    ck_assert(!csv.x && !csv.y && !csv.names && csv.rows == 0);
}

START_TEST(however_it_is_written_the_table_is_the_same)
{
    static const float expected[] = {1, -2.5f, 3e4f, 0.125f};
    check_read("a,b\n1,-2.5\n3e4,.125\n", 2, expected);
    check_read("a,b\r\n1,-2.5\r\n3e4,.125", 2, expected);
    check_read("a,b\r1,-2.5\r+3E+4,.125\r", 2, expected);
    check_read("\xEF\xBB\xBF\"a\",\"b\"\n\"1\",\" -2.5 \"\n30000 ,\t0.125\n", 2, expected);
    check_read("\n\r\na,b\n\n\n1,-2.5\n3e4,12.5e-2\n\n", 2, expected);
}
END_TEST

/* Blanks around quotes are no part of a field; quotes elsewhere in it are. */
START_TEST(quotes_may_stand_behind_blanks)
{
    static const float expected[] = {1, 2};
    check_read(" \"a\", \"b\"\n 1, \"2\"\n", 1, expected);
    check_read("\t\"a\" ,\t\"b\"\t\n \"1\" , \"2\" \r\n", 1, expected);
    ck_assert_int_eq(read_text("x\"y\", \"1, 2\" , \"a \"\"b\"\"\"\n1,2,3\n", (tg_csv_options){0}), TG_OK);
    ck_assert_int_eq(csv.inputs, 3);
    ck_assert_str_eq(csv.names[0], "x\"y\"");
    ck_assert_str_eq(csv.names[1], "1, 2");
    ck_assert_str_eq(csv.names[2], "a \"b\"");
    tg_csv_free(&csv);
    ck_assert_int_eq(read_text("a\t\"b\tc\"\t\"d\"\n\t2\t \"3\"\n", (tg_csv_options){.separator = '\t'}), TG_OK);
    ck_assert_int_eq(csv.inputs, 3);
    ck_assert_str_eq(csv.names[1], "b\tc");
    ck_assert(isnan(csv.x[0]) && csv.x[1] == 2 && csv.x[2] == 3);
    tg_csv_free(&csv);
}
END_TEST

static const char assumed[] =
    "a.csv: line 1 holds numbers alone, so it was taken for a row, and the columns are named 0 to 2: .header = "
    "TG_CSV_HEADER_LINE takes it for names";

START_TEST(a_first_line_of_numbers_is_a_row)
{
    static const float x[] = {-2.5f, 3, NAN, 6}, y[] = {5, 4};
    static const char *const texts[] = {"5,-2.5,3\n4,,6\n", "5, \"-2.5\" ,3e0\r\n4,NA,6"};
    const tg_csv_options target = {.targets = (const char *[]){"0"}, .target_count = 1};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        ck_assert_msg(read_text(texts[i], target) == TG_OK, "%s", message);
        ck_assert_msg(strstr(message, assumed), "%s", message);
        ck_assert(csv.rows == 2 && csv.inputs == 2 && csv.targets == 1 && !csv.header);
        check_values(csv.x, x, 4);
        check_values(csv.y, y, 2);
        ck_assert_str_eq(csv.names[0], "1");
        ck_assert_str_eq(csv.names[1], "2");
        ck_assert_str_eq(csv.names[2], "0");
        tg_csv_free(&csv);
    }
    ck_assert_int_eq(read_text("5,NA,\n", (tg_csv_options){0}), TG_OK);
    ck_assert(csv.rows == 1 && isnan(csv.x[1]) && isnan(csv.x[2]) && !csv.header);
    tg_csv_free(&csv);
}
END_TEST

START_TEST(whether_there_is_a_header_may_be_said)
{
    static const float both[] = {2019, 2020, 1, 2};
    ck_assert_int_eq(read_text("2019,2020\n1,2\n", (tg_csv_options){.header = TG_CSV_HEADER_LINE}), TG_OK);
    ck_assert(csv.rows == 1 && csv.header && csv.x[1] == 2);
    ck_assert_str_eq(csv.names[1], "2020");
    ck_assert_str_eq(message, "");
    tg_csv_free(&csv);
    ck_assert_int_eq(read_text("2019,2020\n1,2\n", (tg_csv_options){.header = TG_CSV_HEADER_NONE}), TG_OK);
    ck_assert(csv.rows == 2 && !csv.header);
    check_values(csv.x, both, 4);
    ck_assert_str_eq(message, "");
    tg_csv_free(&csv);
    const tg_csv_options mixed = {.inputs = (const char *[]){"1"}, .input_count = 1, .header = TG_CSV_HEADER_NONE};
    ck_assert_int_eq(read_text("iris,5.1\nrose,4\n", mixed), TG_OK);
    ck_assert(csv.rows == 2 && csv.x[0] == 5.1f && csv.x[1] == 4);
    tg_csv_free(&csv);
    ck_assert_int_eq(read_text("iris,5.1\n1,4\n", (tg_csv_options){0}), TG_OK);
    ck_assert(csv.rows == 1 && csv.header);
    ck_assert_str_eq(message, "");
    tg_csv_free(&csv);
    ck_assert_int_eq(read_text(",\n1,4\n", (tg_csv_options){0}), TG_OK); /* missing fields alone are names */
    ck_assert(csv.rows == 1 && csv.header);
    tg_csv_free(&csv);
}
END_TEST

START_TEST(refusals_say_what_was_assumed_of_the_header)
{
    tg_csv_options year = {.inputs = (const char *[]){"2020"}, .input_count = 1};
    check_refused("2019,2020\n1,2\n", year,
                  "line 1: expected a column named '2020', found 0, 1, as the line holds numbers alone: .header = "
                  "TG_CSV_HEADER_LINE takes it for names");
    check_refused(
        "5.1,iris\n1,2\n", year,
        "line 1: expected a column named '2020', found 5.1, iris: .header = TG_CSV_HEADER_NONE takes the line for a row");
    year.header = TG_CSV_HEADER_NONE;
    check_refused("2019,2020\n1,2\n", year, "line 1: expected a column named '2020', found 0, 1");
    check_refused("1,2\n3\n", (tg_csv_options){0}, "line 2: expected 2 fields, as the first line has, found 1");
    check_refused("1,2\n3,four\n", (tg_csv_options){0}, "line 2, column 2: expected a number, found 'four'");
    check_refused("a,b\n1,2\n", (tg_csv_options){.header = TG_CSV_HEADER_NONE}, "line 1, column 1: expected a number, found 'a'");
    check_refused("1e39,2\n", (tg_csv_options){0}, "line 1, column 1: expected a number that f32 holds, found '1e39'");
}
END_TEST

/* As Kaggle's train.csv of MNIST is, with 77 MB. */
START_TEST(a_large_file_is_read)
{
    enum { ROWS = 10000, BYTES = 7000 };
    static char filling[BYTES];
    blob text = {0};
    memset(filling, 'x', sizeof filling);
    blob_add(&text, "text,a\n", 7);
    for (int i = 0; i < ROWS; i++) {
        char end[32];
        blob_add(&text, filling, sizeof filling);
        int length = snprintf(end, sizeof end, ",%d\n", i);
        blob_add(&text, end, (size_t)length);
    }
    write_file(path, text);
    tg_csv_options options = {.inputs = (const char *[]){"a"}, .input_count = 1};
    ck_assert_msg(tg_csv_read(context, path, options, &csv, message) == TG_OK, "%s", message);
    ck_assert_int_eq(csv.rows, ROWS);
    for (int i = 0; i < ROWS; i++)
        ck_assert(csv.x[i] == (float)i);
    tg_csv_free(&csv);
    options.most_bytes = (int64_t)text.size - 1;
    char sentence[128];
    snprintf(sentence, sizeof sentence, "a.csv: larger than %lld bytes: .most_bytes allows more", (long long)options.most_bytes);
    ck_assert_int_eq(tg_csv_read(context, path, options, &csv, message), TG_ERROR_FORMAT);
    ck_assert_msg(strstr(message, sentence), "%s", message);
    blob_free(&text);
}
END_TEST

START_TEST(missing_values_are_nan)
{
    static const float expected[] = {NAN, NAN, NAN, NAN, NAN, 2, NAN, 1};
    check_read("a,b\n,\nNA,NaN\n\" \",2\nnan,1", 4, expected);
}
END_TEST

/* Numbers that are read the short way, and their neighbours that are not, to the bit as the C library has them. */
START_TEST(numbers_are_rounded_as_they_should_be)
{
    static char texts[4000][16];
    blob file = {0};
    uint32_t random = 1;
    int count = 0;
    blob_add(&file, "a\n", 2);
    for (int figures = 1; figures <= 9; figures++) {
        for (int point = -1; point <= figures; point++) {
            for (int i = 0; i < 40; i++, count++) {
                char *to = texts[count];
                if (i & 1)
                    *to++ = '-';
                for (int k = 0; k <= figures; k++) {
                    random = random * 1664525u + 1013904223u;
                    if (k == point)
                        *to++ = '.';
                    if (k < figures)
                        *to++ = (char)('0' + (i < 4 ? (i & 2 ? 9 : 0) : (random >> 16) % 10));
                }
                *to = '\0';
                blob_add(&file, texts[count], strlen(texts[count]));
                blob_add(&file, "\n", 1);
            }
        }
    }
    write_file(path, file);
    blob_free(&file);
    ck_assert_msg(tg_csv_read(context, path, (tg_csv_options){.header = TG_CSV_HEADER_LINE}, &csv, message) == TG_OK, "%s",
                  message);
    ck_assert_int_eq(csv.rows, count);
    for (int i = 0; i < count; i++) {
        float expected = tg_take_f32(texts[i], NULL);
        ck_assert_msg(memcmp(&csv.x[i], &expected, sizeof expected) == 0, "%s: %.9g", texts[i], (double)csv.x[i]);
    }
    tg_csv_free(&csv);
}
END_TEST

START_TEST(another_separator_is_guessed)
{
    const tg_csv_options target = {.targets = (const char *[]){"t"}, .target_count = 1};
    check_refused("a;t\n1;2\n", target, "line 1: expected a column named 't', found a;t: .separator is another");
    check_refused("a\tt\n1\t2\n", target, "line 1: expected a column named 't', found a\\x09t: .separator is another");
    tg_csv_options tabs = target;
    tabs.separator = '\t';
    check_refused("a,t\n1,2\n", tabs, "line 1: expected a column named 't', found a,t: .separator is another");
    check_refused("a\n1\n", target, "line 1: expected a column named 't', found a");
}
END_TEST

START_TEST(columns_are_chosen_by_name_and_in_order)
{
    static const char text[] = "name;z;\"a \"\"b\"\"; c\";t;u\n\"x; 1\ny\";1;2;3;4\n;5;;7;8\n";
    static const char *const inputs[] = {"a \"b\"; c", "z"}, *const targets[] = {"u", "t"};
    static const float x[] = {2, 1, NAN, 5}, y[] = {4, 3, 8, 7};
    tg_csv_options options = {.inputs = inputs, .input_count = 2, .targets = targets, .target_count = 2, .separator = ';'};
    ck_assert_msg(read_text(text, options) == TG_OK, "%s", message);
    ck_assert_int_eq(csv.rows, 2);
    ck_assert_int_eq(csv.inputs, 2);
    ck_assert_int_eq(csv.targets, 2);
    check_values(csv.x, x, 4);
    check_values(csv.y, y, 4);
    const char *const names[] = {inputs[0], "z", "u", "t"};
    for (int i = 0; i < 4; i++)
        ck_assert_str_eq(csv.names[i], names[i]);
    tg_csv_free(&csv);
}
END_TEST

START_TEST(other_columns_than_the_targets_are_inputs)
{
    static const float x[] = {1, 3, 4, 6}, y[] = {2, 5};
    ck_assert_int_eq(read_text("a,t,b\n1,2,3\n4,5,6\n", (tg_csv_options){.targets = (const char *[]){"t"}, .target_count = 1}),
                     TG_OK);
    check_values(csv.x, x, 4);
    check_values(csv.y, y, 2);
    ck_assert_str_eq(csv.names[1], "b");
    ck_assert_str_eq(csv.names[2], "t");
    tg_csv_free(&csv);
}
END_TEST

START_TEST(refusals_name_line_and_column)
{
    const tg_csv_options all = {0}, target = {.targets = (const char *[]){"t"}, .target_count = 1};
    const tg_csv_options twice = {.inputs = (const char *[]){"a", "a"}, .input_count = 2};
    check_refused("", all, "expected a line of column names, found none");
    check_refused("\n\n", all, "expected a line of column names, found none");
    check_refused("a,b\n\n", all, "expected rows below the line of column names, found none");
    check_refused("a,b\n1,2\n\n3\n", all, "line 4: expected 2 fields, as the header has, found 1");
    check_refused("a,b\n1,2,\n", all, "line 2: expected 2 fields, as the header has, found 3");
    check_refused("a,b\n1,2\n3,four\n", all, "line 3, column 2 (b): expected a number, found 'four'");
    check_refused(",b\n1 2,3\n", all, "line 2, column 1: expected a number, found '1 2'");
    static const char *const no_numbers[] = {"0x10", "inf", "-", "1e", "1.2.3", "1e5x", "--1", "N/A", "\x01"};
    for (size_t i = 0; i < sizeof no_numbers / sizeof *no_numbers; i++) {
        char text[64], sentence[128];
        snprintf(text, sizeof text, "a,b\n1,%s\n", no_numbers[i]);
        snprintf(sentence, sizeof sentence, "line 2, column 2 (b): expected a number, found '%s'",
                 no_numbers[i][0] == '\x01' ? "\\x01" : no_numbers[i]);
        check_refused(text, all, sentence);
    }
    check_refused("a,b\n1,1e39\n", all, "line 2, column 2 (b): expected a number that f32 holds, found '1e39'");
    check_refused("a,t\n1,NA\n", target, "line 2, column 2 (t): expected a target, found 'NA'");
    check_refused("a,b\n1,2\n", target, "line 1: expected a column named 't', found a, b");
    check_refused("t\n1\n", target, "line 1: expected a column besides the targets, found none");
    check_refused("a,t,t\n1,2,3\n", target, "line 1, column 3 (t): expected each chosen name once in the header, found 't'");
    check_refused("a,b\n1,2\n", twice, "line 1, column 1 (a): expected each column to be chosen once, found 'a'");
    check_refused("a,b\n\"x\n\ny\",\"2\n", all, "line 4, column 2 (b): expected a quote at the end of the field, found '2\\x0A'");
    check_refused("a,\"b\"c\n1,2\n", all, "line 1, column 2: expected nothing behind a field in quotes, found 'b'");
    check_refused("a,b\n1,2\n", (tg_csv_options){.separator = '1'}, "numbers, quotes and line ends cannot separate fields");
    check_refused("a,b\n1,this is no number but a whole sentence that goes on\n", all,
                  "line 2, column 2 (b): expected a number, found 'this is no number but a whole sentence that ...'");
}
END_TEST

START_TEST(a_missing_file_is_named)
{
    ck_assert_int_eq(tg_csv_read(context, in_folder(folder, "none.csv"), (tg_csv_options){0}, &csv, message), TG_ERROR_IO);
    ck_assert_msg(strstr(message, "none.csv: "), "%s", message);
    ck_assert_ptr_null(csv.x);
}
END_TEST

/* A header of many columns over many short lines must not ask for memory for all of them. */
START_TEST(memory_is_asked_for_when_all_lines_are_whole)
{
    blob text = {0};
    for (int i = 0; i < 20000; i++)
        blob_u8(&text, ',');
    for (int i = 0; i < 20000; i++)
        blob_add(&text, "\n1", 2);
    write_file(path, text);
    ck_assert_int_eq(tg_csv_read(context, path, (tg_csv_options){0}, &csv, message), TG_ERROR_FORMAT);
    ck_assert_msg(strstr(message, "line 2: expected 20001 fields, as the header has, found 1"), "%s", message);
    size_t peak;
    ck_assert_uint_eq(tg_context_memory(context, &peak), 0);
    ck_assert_uint_lt(peak, 4u << 20);
    blob_free(&text);
}
END_TEST

START_TEST(every_allocation_may_fail)
{
    static const char text[] = "a,t\n1,2\n";
    write_file(path, (blob){(uint8_t *)text, strlen(text)});
    bool done = false;
    for (long refuse = 1; !done; refuse++) {
        failing_allocator allocator = {0};
        tg_context_options options = harness_options();
        options.allocator = failing_allocator_interface(&allocator);
        options.threads = 1;
        tg_context *scarce = tg_context_new(options);
        allocator.refuse = allocator.requests + refuse;
        tg_csv_options columns = {.targets = (const char *[]){"t"}, .target_count = 1};
        tg_status status = tg_csv_read(scarce, path, columns, &csv, message);
        done = status == TG_OK;
        if (!done) {
            ck_assert_int_eq(status, TG_ERROR_MEMORY);
            ck_assert_msg(strstr(message, "a.csv: out of memory"), "%s", message);
        }
        tg_csv_free(&csv);
        tg_context_free(scarce);
        ck_assert_int_eq(allocator.live, 0);
        ck_assert_int_lt(refuse, 20);
    }
}
END_TEST

/* Any damage ends in a sentence or in a table of finite or missing numbers. */
START_TEST(no_damage_goes_astray)
{
    static const char text[] = "\"a\"\"x\",b,t\r\n1,2.5,3\r\n\"-4e1\",NA,5\n,7,\"8\"\n";
    blob whole = {(uint8_t *)text, strlen(text)};
    int good = 0, bad = 0;
    for (uint32_t i = 0; i < 2000; i++) {
        uint32_t choice[4];
        for (int k = 0; k < 4; k++)
            choice[k] = (i * 4 + (uint32_t)k + 1) * 2654435761u ^ (i * 4 + (uint32_t)k) << 13;
        blob b = damaged(whole, choice);
        write_file(path, b);
        blob_free(&b);
        tg_csv_options columns = {.targets = (const char *[]){"t"}, .target_count = 1};
        tg_status status = tg_csv_read(context, path, columns, &csv, message);
        good += status == TG_OK;
        bad += status == TG_ERROR_FORMAT;
        if (status != TG_OK && (status != TG_ERROR_FORMAT || strstr(message, path) != message))
            ck_abort_msg("%d %s", status, message);
        for (int64_t k = 0; k < csv.rows * csv.inputs; k++)
            if (isinf(csv.x[k]))
                ck_abort_msg("an infinity was read");
        for (int64_t k = 0; k < csv.rows * csv.targets; k++)
            if (!isfinite(csv.y[k]))
                ck_abort_msg("a missing target was read");
        tg_csv_free(&csv);
    }
    ck_assert_int_eq(good + bad, 2000);
    ck_assert_int_gt(good, 100);
    ck_assert_int_gt(bad, 100);
}
END_TEST

START_TEST(parts_of_a_table_are_rows)
{
    const char *target = "b";
    ck_assert_int_eq(read_text("a,b,c\n1,2,3\n4,5,6\n7,8,9\n", (tg_csv_options){.targets = &target, .target_count = 1}), TG_OK);
    tg_rows part = tg_csv_rows(&csv, 1, 2);
    ck_assert(part.count == 2 && ((const float *)part.x)[0] == 4 && ((const float *)part.x)[3] == 9);
    ck_assert(((const float *)part.y)[0] == 5 && ((const float *)part.y)[1] == 8);
    ck_assert_int_eq(tg_csv_rows(&csv, 2, 100).count, 1);
    ck_assert_int_eq(tg_csv_rows(&csv, 4, 1).count, 0);
    ck_assert(tg_csv_rows(&csv, -1, 3).x == csv.x && tg_csv_rows(&csv, 0, -1).count == 0);
    tg_csv_free(&csv);
    ck_assert(!tg_csv_rows(&csv, 0, 1).x && tg_csv_rows(&csv, 0, 1).count == 0);
    ck_assert_int_eq(read_text("a\n1\n", (tg_csv_options){0}), TG_OK);
    part = tg_csv_rows(&csv, 0, 1);
    ck_assert(part.x == csv.x && !part.y && part.count == 1);
    tg_csv_free(&csv);
}
END_TEST

/* What is not there is not lent, rather than read past the end. */
START_TEST(parts_of_a_table_are_whole_or_none)
{
    static const int64_t outside[][2] = {{0, 4}, {3, 1}, {4, 0}, {-1, 2}, {1, -1}, {1, INT64_MAX}, {INT64_MAX, 1}};
    const char *target = "b";
    ck_assert_int_eq(read_text("a,b,c\n1,2,3\n4,5,6\n7,8,9\n", (tg_csv_options){.targets = &target, .target_count = 1}), TG_OK);
    tg_table x = tg_csv_x(&csv, 1, 2), y = tg_csv_y(&csv, 2, 1);
    ck_assert(x.values == csv.x + 2 && x.rows == 2 && x.columns == 2);
    ck_assert(y.values == csv.y + 2 && y.rows == 1 && y.columns == 1);
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++) {
        x = tg_csv_x(&csv, outside[i][0], outside[i][1]);
        ck_assert_msg(!x.values && x.rows == 0, "%d", (int)i);
        ck_assert(!tg_csv_y(&csv, outside[i][0], outside[i][1]).values);
    }
    tg_csv_free(&csv);
    ck_assert(!tg_csv_x(&csv, 0, 0).values && !tg_csv_y(&csv, 0, 0).values);
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("csv");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, however_it_is_written_the_table_is_the_same);
    tcase_add_test(tests, quotes_may_stand_behind_blanks);
    tcase_add_test(tests, a_first_line_of_numbers_is_a_row);
    tcase_add_test(tests, whether_there_is_a_header_may_be_said);
    tcase_add_test(tests, refusals_say_what_was_assumed_of_the_header);
    tcase_add_test(tests, a_large_file_is_read);
    tcase_add_test(tests, missing_values_are_nan);
    tcase_add_test(tests, numbers_are_rounded_as_they_should_be);
    tcase_add_test(tests, another_separator_is_guessed);
    tcase_add_test(tests, columns_are_chosen_by_name_and_in_order);
    tcase_add_test(tests, other_columns_than_the_targets_are_inputs);
    tcase_add_test(tests, refusals_name_line_and_column);
    tcase_add_test(tests, a_missing_file_is_named);
    tcase_add_test(tests, memory_is_asked_for_when_all_lines_are_whole);
    tcase_add_test(tests, every_allocation_may_fail);
    tcase_add_test(tests, no_damage_goes_astray);
    tcase_add_test(tests, parts_of_a_table_are_rows);
    tcase_add_test(tests, parts_of_a_table_are_whole_or_none);
    return harness_run("csv", tests);
}
