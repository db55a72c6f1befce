#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"
#include "train/byte_array.h"
#include "train/history.h"

static tg_context *context;
static char path[64];
static char message[TG_MESSAGE_SIZE];

static void setup(void)
{
    context = harness_context(1);
    snprintf(path, sizeof path, "/tmp/tapegrad-history-XXXXXX");
    int descriptor = mkstemp(path);
    ck_assert_int_ge(descriptor, 0);
    close(descriptor);
}

static void teardown(void)
{
    unlink(path);
    tg_context_free(context);
}

static void put(const char *text)
{
    FILE *out = fopen(path, "w");
    fputs(text, out);
    fclose(out);
}

static tg_history history_of(const double (*rows)[5], int count)
{
    tg_history history = {.context = context};
    for (int i = 0; i < count; i++) {
        tg_fit_epoch epoch = {.epoch = i + 1, .train = {rows[i][1], rows[i][0]}, .validation = {rows[i][3], rows[i][2]}};
        epoch.total_seconds = rows[i][4];
        ck_assert_int_eq(tg_history_add(&history, &epoch), TG_OK);
    }
    return history;
}

static void write_history(const tg_history *history)
{
    FILE *out = fopen(path, "w");
    ck_assert_int_eq(tg_history_write(out, history), TG_OK);
    fclose(out);
}

START_TEST(a_table_has_the_columns_of_keras)
{
    const double rows[][5] = {{0.5, 2, 0.25, 3, 1.5}, {0.75, 0.1, 0.5, 1, 2}};
    tg_history history = history_of(rows, 2);
    char *text;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    ck_assert_int_eq(tg_history_write(out, &history), TG_OK);
    fclose(out);
    ck_assert_str_eq(text, "epoch,accuracy,loss,val_accuracy,val_loss,seconds\n0,0.5,2,0.25,3,1.5\n1,0.75,0.1,0.5,1,2\n");
    free(text);
    tg_history_free(&history);
}
END_TEST

START_TEST(values_read_back_to_the_same_bits)
{
    double rows[40][5];
    for (int i = 0; i < 40; i++)
        for (int j = 0; j < 5; j++)
            rows[i][j] = sin(i * 5 + j) / 3 * pow(10, j * 9 - 20);
    rows[3][0] = 5e-324;
    rows[4][1] = 1.7976931348623157e308;
    rows[5][2] = -INFINITY;
    rows[6][3] = 0.1 + 0.2;
    tg_history history = history_of(rows, 40), read;
    write_history(&history);
    ck_assert_int_eq(tg_history_read(context, path, &read, message), TG_OK);
    ck_assert_int_eq(read.count, 40);
    ck_assert_mem_eq(read.rows, history.rows, 40 * sizeof *read.rows);
    ck_assert_double_eq(read.rows[6].val_loss, 0.1 + 0.2);
    tg_history_free(&history);
    tg_history_free(&read);
}
END_TEST

START_TEST(nan_and_no_epochs_are_fine)
{
    const double rows[][5] = {{NAN, 1, 2, 3, 4}};
    tg_history history = history_of(rows, 1), read;
    write_history(&history);
    ck_assert_int_eq(tg_history_read(context, path, &read, message), TG_OK);
    ck_assert(read.count == 1 && isnan(read.rows[0].accuracy) && read.rows[0].seconds == 4);
    tg_history_free(&history);
    tg_history_free(&read);
    write_history(&history);
    ck_assert_int_eq(tg_history_read(context, path, &read, message), TG_OK);
    ck_assert_int_eq(read.count, 0);
}
END_TEST

START_TEST(a_damaged_table_is_refused)
{
#define HEADER "epoch,accuracy,loss,val_accuracy,val_loss,seconds\n"
    static const struct {
        const char *text, *said;
    } cases[] = {{"", "line 1"},
                 {"epoch,loss\n0,1\n", "line 1"},
                 {HEADER "0,1,2,3,4\n", "line 2"},
                 {HEADER "0,1,2,3,4,5,6\n", "line 2"},
                 {HEADER "0,1,2,3,4,5", "line 2"},
                 {HEADER "0,1,2,,4,5\n", "line 2"},
                 {HEADER "0,1,2,x,4,5\n", "line 2"},
                 {HEADER "1,1,2,3,4,5\n", "line 2"},
                 {HEADER "0,1,2,3,4,5\n2,1,2,3,4,5\n", "line 3: expected epoch 1"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tg_history read;
        put(cases[i].text);
        ck_assert_int_eq(tg_history_read(context, path, &read, message), TG_ERROR_FORMAT);
        ck_assert_msg(strstr(message, cases[i].said) && strstr(message, path), "%s", message);
        ck_assert_ptr_null(read.rows);
    }
    tg_history read;
    ck_assert_int_eq(tg_history_read(context, "/nonexistent/history.csv", &read, message), TG_ERROR_IO);
    ck_assert_ptr_nonnull(strstr(message, "/nonexistent/history.csv"));
}
END_TEST

START_TEST(a_record_reads_back)
{
    static const tg_setting settings[] = {{"epochs", "3"}, {"data", "a \"b\" \\ \n"}};
    tg_run_record record = {.model = "f\"cnn\\ <\xc3\xa9>", .data = "IDX files in a\tb", .note = "drawn", .version = "0.1.0"};
    record.isa = "avx2";
    record.command = "models/fcnn_mnist --data 'it'\\''s'";
    record.threads = 7;
    record.seed = UINT64_MAX;
    record.parameters = 84060;
    record.multiply_adds = 83900;
    record.seconds = 0.1 + 0.2;
    record.test = (tg_scores){.loss = 1.0 / 3, .accuracy = 0.9731};
    record.classes = 3;
    for (int i = 0; i < 9; i++)
        record.confusion[i] = i * 1000;
    record.names[0] = "T-shirt/top", record.names[1] = "\"b\"", record.names[2] = "\xc3\xa9";
    record.settings = settings;
    record.n_settings = 2;
    FILE *out = fopen(path, "w");
    ck_assert_int_eq(tg_run_record_write(out, &record), TG_OK);
    fclose(out);
    tg_run_record read;
    char *text;
    size_t bytes;
    ck_assert_msg(tg_run_record_read(context, path, &read, &text, &bytes, message) == TG_OK, "%s", message);
    ck_assert_str_eq(read.model, record.model);
    ck_assert_str_eq(read.data, record.data);
    ck_assert_str_eq(read.note, record.note);
    ck_assert_str_eq(read.isa, record.isa);
    ck_assert_str_eq(read.version, record.version);
    ck_assert_str_eq(read.command, record.command);
    ck_assert_int_eq(read.threads, 7);
    ck_assert(read.seed == UINT64_MAX);
    ck_assert_int_eq(read.parameters, 84060);
    ck_assert(read.multiply_adds == 83900 && read.seconds == 0.1 + 0.2);
    ck_assert(read.test.loss == 1.0 / 3 && read.test.accuracy == 0.9731);
    ck_assert_int_eq(read.classes, 3);
    for (int i = 0; i < 3; i++)
        ck_assert_str_eq(read.names[i], record.names[i]);
    ck_assert_ptr_null(read.names[3]);
    ck_assert_mem_eq(read.confusion, record.confusion, sizeof record.confusion);
    tg_release(context, text, bytes);
}
END_TEST

START_TEST(a_damaged_record_is_refused)
{
#define GOOD "\"model\": \"m\", \"data\": \"d\", "
    static const char *const wrong[] = {"",
                                        "[]",
                                        "{}",
                                        "{" GOOD "\"confusion\": []}",
                                        "{" GOOD "\"confusion\": [[1, 2]]}",
                                        "{" GOOD "\"confusion\": [[1, 2], [3]]}",
                                        "{" GOOD "\"confusion\": [[1], [2]]}",
                                        "{" GOOD "\"confusion\": [[-1]]}",
                                        "{" GOOD "\"confusion\": [[1]]} x",
                                        "{" GOOD "\"confusion\": [[1]]",
                                        "{" GOOD "\"test_loss\": x, \"confusion\": [[1]]}",
                                        "{" GOOD "\"threads\": -1, \"confusion\": [[1]]}",
                                        "{" GOOD "\"seed\": \"1\", \"confusion\": [[1]]}",
                                        "{" GOOD "\"other\": [[[[[[[[[[1]]]]]]]]]], \"confusion\": [[1]]}",
                                        "{" GOOD "\"classes\": [\"a\"], \"confusion\": [[1, 0], [0, 2]]}",
                                        "{" GOOD "\"classes\": [\"a\", \"b\"], \"confusion\": [[1]]}",
                                        "{" GOOD "\"classes\": [1], \"confusion\": [[1]]}",
                                        "{" GOOD "\"classes\": \"a\", \"confusion\": [[1]]}",
                                        "{\"model\": 1, \"data\": \"d\", \"confusion\": [[1]]}"};
    tg_run_record read;
    char *text;
    size_t bytes;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        put(wrong[i]);
        ck_assert_msg(tg_run_record_read(context, path, &read, &text, &bytes, message) == TG_ERROR_FORMAT, "%s", wrong[i]);
        ck_assert_ptr_nonnull(strstr(message, path));
        ck_assert_ptr_null(text);
    }
    put("{" GOOD "\"other\": {\"a\": [1, null, \"]\"], \"b\": {}}, \"test_loss\": null, \"confusion\": [[1, 0], [0, 2]]}");
    ck_assert_int_eq(tg_run_record_read(context, path, &read, &text, &bytes, message), TG_OK);
    ck_assert(read.classes == 2 && read.confusion[3] == 2 && isnan(read.test.loss));
    tg_release(context, text, bytes);
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("history");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_table_has_the_columns_of_keras);
    tcase_add_test(tests, values_read_back_to_the_same_bits);
    tcase_add_test(tests, nan_and_no_epochs_are_fine);
    tcase_add_test(tests, a_damaged_table_is_refused);
    tcase_add_test(tests, a_record_reads_back);
    tcase_add_test(tests, a_damaged_record_is_refused);
    return harness_run("history", tests);
}
