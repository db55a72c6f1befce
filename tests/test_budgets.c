/* What hostile files may cost: each reader's memory, against the size of the file, as its header and docs/keeping.md state it. */
#include "data_files.h"
#include "harness.h"
#include "train/class_names.h"
#include "train/csv.h"
#include "train/gzip.h"
#include "train/history.h"
#include "train/idx.h"
#include "train/npy.h"
#include "train/report.h"
#include "train/safetensors.h"

static char folder[256], message[TG_MESSAGE_SIZE];

static void setup(void) { make_folder(folder); }
static void teardown(void) { remove_folder(folder); }

/* Begins a measurement: a context of its own, whose peak is the reader's. */
static tg_context *context_with(int64_t file_bytes, blob content)
{
    tg_context_options options = harness_options();
    options.threads = 1;
    options.file_bytes = file_bytes;
    write_file(in_folder(folder, "file"), content);
    tg_context *context = tg_context_new(options);
    ck_assert_ptr_nonnull(context);
    return context;
}

static size_t peak_of(tg_context *context)
{
    size_t peak;
    ck_assert_uint_eq(tg_context_memory(context, &peak), 0);
    tg_context_free(context);
    return peak;
}

static blob repeated(const char *text, size_t times)
{
    blob b = {0};
    for (size_t i = 0; i < times; i++)
        blob_add(&b, text, strlen(text));
    return b;
}

/* ---- CSV ---- */

static size_t csv_peak(blob content, tg_csv_options options, tg_status expected)
{
    tg_csv csv;
    tg_context *context = context_with(0, content);
    ck_assert_msg(tg_csv_read(context, in_folder(folder, "file"), options, &csv, message) == expected, "%s", message);
    tg_csv_free(&csv);
    return peak_of(context);
}

START_TEST(a_line_of_commas_has_so_many_columns)
{
    blob content = repeated(",", 4 << 20);
    size_t peak = csv_peak(content, (tg_csv_options){.targets = NULL}, TG_ERROR_FORMAT);
    ck_assert_msg(strstr(message, "line 1: more than 262144 columns"), "%s", message);
    ck_assert_uint_lt(peak, content.size + (1 << 16));
    csv_peak(content, (tg_csv_options){.most_columns = 100}, TG_ERROR_FORMAT);
    ck_assert_msg(strstr(message, "more than 100 columns"), "%s", message);
    content.data[262142] = '\n'; /* 262143 columns: as many commas follow, which are rows of missing values */
    content.size = 2 * 262143 - 1;
    peak = csv_peak(content, (tg_csv_options){.targets = NULL}, TG_OK);
    ck_assert_uint_lt(peak, 5 * content.size + 100 * (size_t)262143 + (1 << 16));
    blob_free(&content);
}
END_TEST

START_TEST(lines_of_commas_are_values_of_four_bytes)
{
    char line[1001];
    memset(line, ',', 999);
    strcpy(line + 999, "\n");
    blob content = repeated(line, 2000);
    ck_assert_uint_lt(csv_peak(content, (tg_csv_options){.targets = NULL}, TG_OK), 5 * content.size + 100 * 1000 + (1 << 16));
    blob_free(&content);
}
END_TEST

/* ---- packed files ---- */

/* An IDX file of zeros, 4 MiB in some 27 kB. */
static blob packed_zeros(void)
{
    const uint32_t count = 4 << 20;
    blob plain = {0};
    blob_big32(&plain, 0x801);
    blob_big32(&plain, count);
    plain.data = realloc(plain.data, 8 + (size_t)count);
    memset(plain.data + 8, 0, count);
    plain.size += count;
    blob packed = gzip_file(plain, FIXED_CODES);
    blob_free(&plain);
    return packed;
}

START_TEST(a_packed_file_may_become_so_much)
{
    static const tg_wanted_array any = {.what = "labels", .shape = {1, {-1}}, .maximum = 9};
    if (!tg_inflate_available())
        return;
    blob packed = packed_zeros();
    ck_assert_uint_lt(32 * packed.size, 4 << 20);
    tg_byte_array array;
    tg_context *context = context_with(1 << 20, packed);
    ck_assert_int_eq(tg_idx_read(context, in_folder(folder, "file"), any, &array, message), TG_ERROR_FORMAT);
    ck_assert_msg(strstr(message, "4194304 bytes of labels are more than a packed file of") &&
                      strstr(message, "unpack it first, or raise tg_context_options.file_bytes"),
                  "%s", message);
    ck_assert_uint_lt(peak_of(context), 300000);
    context = context_with(5 << 20, packed);
    ck_assert_msg(tg_idx_read(context, in_folder(folder, "file"), any, &array, message) == TG_OK, "%s", message);
    tg_byte_array_free(&array);
    ck_assert_uint_lt(peak_of(context), (4 << 20) + 300000);
    context = context_with(0, packed); /* the default */
    ck_assert_msg(tg_idx_read(context, in_folder(folder, "file"), any, &array, message) == TG_OK, "%s", message);
    tg_byte_array_free(&array);
    peak_of(context);
    blob_free(&packed);
}
END_TEST

START_TEST(an_archive_may_become_so_much)
{
    if (!tg_inflate_available())
        return;
    blob zeros = {calloc(4 << 20, 1), 4 << 20};
    blob npy = npy_file("{'descr': '<f4', 'fortran_order': False, 'shape': (1024, 1024), }", zeros);
    zip_writer zip = {.options = {.deflated = true, .how = FIXED_CODES}};
    zip_add(&zip, "x.npy", npy);
    blob file = zip_finish(&zip);
    tg_array array;
    tg_context *context = context_with(1 << 20, file);
    ck_assert_int_eq(tg_npy_read(context, in_folder(folder, "file"), "x", &array, message), TG_ERROR_FORMAT);
    ck_assert_msg(strstr(message, "unpack it first, or raise tg_context_options.file_bytes"), "%s", message);
    ck_assert_uint_lt(peak_of(context), 300000);
    context = context_with(0, file);
    ck_assert_msg(tg_npy_read(context, in_folder(folder, "file"), "x", &array, message) == TG_OK, "%s", message);
    tg_npy_free(context, &array);
    peak_of(context);
    blob_free(&zeros);
    blob_free(&npy);
    blob_free(&file);
}
END_TEST

/* ---- headers and texts ---- */

/* `entry` with a number in it, again and again, as the header of a safetensors file. */
static size_t safetensors_peak(const char *before, const char *entry, const char *after, int times, size_t *bytes)
{
    blob header = {0}, file = {0};
    char text[128];
    tg_status status;
    blob_add(&header, before, strlen(before));
    for (int i = 0; i < times; i++) {
        snprintf(text, sizeof text, entry, (unsigned)i);
        blob_add(&header, text, strlen(text) - (i == times - 1)); /* the last without its comma */
    }
    blob_add(&header, after, strlen(after));
    blob_little(&file, header.size, 8);
    blob_add(&file, header.data, header.size);
    *bytes = file.size;
    tg_context *context = context_with(0, file);
    tg_safetensors *opened = tg_safetensors_open(context, in_folder(folder, "file"), &status, message);
    ck_assert_msg(opened, "%s", message);
    tg_safetensors_close(opened);
    blob_free(&header);
    blob_free(&file);
    return peak_of(context);
}

START_TEST(a_header_of_names_costs_so_many_times_itself)
{
    size_t bytes;
    size_t peak = safetensors_peak("{", "\"%x\":{\"dtype\":\"U8\",\"shape\":[0],\"data_offsets\":[0,0]},", "}", 40000, &bytes);
    ck_assert_uint_lt(peak, 16 * bytes);
    peak = safetensors_peak("{\"__metadata__\":{", "\"%x\":\"\",", "}}", 100000, &bytes);
    ck_assert_uint_lt(peak, 16 * bytes);
}
END_TEST

START_TEST(texts_cost_themselves)
{
    tg_run_record record;
    tg_class_names names;
    char *text;
    size_t size;
    blob content = repeated("[", 1 << 20);
    tg_context *context = context_with(0, content);
    ck_assert_int_eq(tg_run_record_read(context, in_folder(folder, "file"), &record, &text, &size, message), TG_ERROR_FORMAT);
    ck_assert_uint_lt(peak_of(context), content.size + (1 << 16));
    blob_free(&content);
    content = repeated("a\n", 1 << 20);
    context = context_with(0, content);
    ck_assert_int_eq(tg_class_names_read(context, in_folder(folder, "file"), 10, &names, message), TG_ERROR_FORMAT);
    ck_assert_uint_lt(peak_of(context), content.size + (1 << 16));
    blob_free(&content);
}
END_TEST

START_TEST(a_history_costs_so_many_times_itself)
{
    tg_history history;
    blob content = {0};
    char line[64];
    const char *header = "epoch,accuracy,loss,val_accuracy,val_loss,seconds\n";
    blob_add(&content, header, strlen(header));
    for (int i = 0; i < 70000; i++) {
        snprintf(line, sizeof line, "%d,0,0,0,0,0\n", i);
        blob_add(&content, line, strlen(line));
    }
    tg_context *context = context_with(0, content);
    ck_assert_msg(tg_history_read(context, in_folder(folder, "file"), &history, message) == TG_OK, "%s", message);
    tg_history_free(&history);
    ck_assert_uint_lt(peak_of(context), 12 * content.size);
    blob_free(&content);
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("budgets");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_line_of_commas_has_so_many_columns);
    tcase_add_test(tests, lines_of_commas_are_values_of_four_bytes);
    tcase_add_test(tests, a_packed_file_may_become_so_much);
    tcase_add_test(tests, an_archive_may_become_so_much);
    tcase_add_test(tests, a_header_of_names_costs_so_many_times_itself);
    tcase_add_test(tests, texts_cost_themselves);
    tcase_add_test(tests, a_history_costs_so_many_times_itself);
    return harness_run("budgets", tests);
}
