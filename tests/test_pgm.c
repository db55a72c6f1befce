#include "data_files.h"
#include "failing_allocator.h"
#include "train/image_file.h"
#include "train/pgm.h"

static char folder[256];
static tg_context *context;
static char message[TG_MESSAGE_SIZE];
static tg_byte_array array;

static void setup(void) { context = begin_in_folder(folder); }

static void teardown(void)
{
    tg_byte_array_free(&array);
    end_in_folder(folder, context);
}

static tg_status read_bytes(const void *bytes, size_t size)
{
    const char *path = in_folder(folder, "file");
    write_file(path, (blob){(uint8_t *)bytes, size});
    tg_byte_array_free(&array);
    message[0] = '\0';
    return tg_pgm_read(context, path, &array, message);
}
#define READ(text) read_bytes(text, sizeof(text) - 1)

static void check_pixels(tg_status status, int64_t rows, int64_t columns, const char *pixels)
{
    ck_assert_msg(status == TG_OK, "%s", message);
    ck_assert(tg_shape_equal(array.shape, tg_shape_make(2, (int64_t[]){rows, columns})));
    ck_assert_mem_eq(array.data, pixels, (size_t)(rows * columns));
}

START_TEST(text_and_bytes_are_read)
{
    check_pixels(READ("P2\n3 2\n255\n0 1 2\n253 254 255\n"), 2, 3, "\0\1\2\375\376\377");
    check_pixels(READ("P2#c\n# 9 9\n 3# columns\r2 255 0 1 2 253 254 255"), 2, 3, "\0\1\2\375\376\377");
    check_pixels(READ("P5 2 1 255\n#\n"), 1, 2, "#\n");
}
END_TEST

START_TEST(the_value_of_white_becomes_255)
{
    check_pixels(READ("P2 3 1 1 0 1 1"), 1, 3, "\0\377\377");
    check_pixels(READ("P5 3 1 100\n\0\62\144"), 1, 3, "\0\200\377");
    check_pixels(READ("P5 3 1 65535\n\0\0\200\0\377\377"), 1, 3, "\0\200\377");
}
END_TEST

static const struct {
    const char *text;
    const char *message;
} refused[] = {
    {"P", "byte 0: expected P2 or P5 (a PGM image), found the end of the file"},
    {"P6 1 1 255\nabc", "byte 0: expected P2 or P5 (a PGM image), found 0x5036"},
    {"P2 x", "byte 3: expected the number of columns, found no digit"},
    {"P2 0 1 1", "byte 3: expected the number of columns from 1 to 16384, found 0"},
    {"P5 99999999999999999999 1 1", "byte 3: expected the number of columns from 1 to 16384, found 99999 and more digits"},
    {"P5 1 16385 1", "byte 5: expected the number of rows from 1 to 16384, found 16385"},
    {"P5 1 1 65536 ", "byte 7: expected the value of white from 1 to 65535, found 65536"},
    {"P5 1 1", "byte 6: expected the value of white, found the end of the file"},
    {"P5 1 1 9", "byte 8: expected white space after the value of white"},
    {"P5 16384 16384 255\nabc", "byte 19: expected 268435456 bytes for 16384x16384 pixels, found 3"},
    {"P5 1 1 255\nab", "byte 11: expected 1 bytes for 1x1 pixels, found 2"},
    {"P2 16384 16384 255\n1 2", "byte 19: expected at least 536870911 bytes for 16384x16384 pixels, found 3"},
    {"P2 2 1 9 5 10", "byte 11: expected a pixel from 0 to 9, found 10"},
    {"P2 2 1 9 1   ", "byte 13: expected a pixel, found the end of the file"},
    {"P2 2 1 9 1 -2", "byte 11: expected a pixel, found no digit"},
    {"P2 1 1 9 1 2", "byte 11: expected the end of the file after the pixels, found more"},
    {"P5 1 1 9\n:", "byte 9: expected a pixel from 0 to 9, found 58"},
};

START_TEST(what_is_wrong_is_named)
{
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        ck_assert_int_eq(read_bytes(refused[i].text, strlen(refused[i].text)), TG_ERROR_FORMAT);
        ck_assert_msg(strncmp(message, folder, strlen(folder)) == 0, "%s", message);
        ck_assert_str_eq(message + strlen(in_folder(folder, "file: ")), refused[i].message);
        ck_assert_ptr_null(array.data);
        ck_assert_uint_eq(tg_context_memory(context, NULL), 0);
    }
    ck_assert_int_eq(tg_pgm_read(context, in_folder(folder, "none"), &array, message), TG_ERROR_IO);
    ck_assert_int_eq(tg_pgm_read(context, folder, &array, message), TG_ERROR_IO);
}
END_TEST

START_TEST(damaged_files_do_no_harm)
{
    static const char whole[] = "P2\n# a comment\n4 3\n300\n0 100 200 300\n1 2 3 4\n5 6 7 8\n";
    blob b = {(uint8_t *)whole, sizeof whole - 1};
    int fine = 0;
    for (uint32_t i = 0; i < 3000; i++) {
        uint32_t state[4] = {i * 2654435761u, i * 40503u + 7, i * 69069u + 1, i};
        blob other = damaged(b, (uint32_t[]){state[0] >> 16, state[1] >> 4, state[2], state[3]});
        tg_status status = read_bytes(other.data, other.size);
        ck_assert(status == TG_OK || (status == TG_ERROR_FORMAT && *message && !array.data));
        fine += status == TG_OK;
        blob_free(&other);
    }
    ck_assert_int_gt(fine, 0);
    ck_assert_int_lt(fine, 3000);
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
    const char *path = in_folder(folder, "file");
    write_file(path, (blob){(uint8_t *)"P5 1 1 255\na", 12});
    memory.refuse = memory.requests + 1;
    ck_assert_int_eq(tg_pgm_read(failing, path, &array, message), TG_ERROR_MEMORY);
    ck_assert_ptr_nonnull(strstr(message, "out of memory for 1x1 pixels"));
    ck_assert_int_eq(tg_pgm_read(failing, path, &array, message), TG_OK);
    tg_byte_array_free(&array);
    tg_context_free(failing);
}
END_TEST

static tg_status read_any(blob content, tg_image_file *file)
{
    write_file(in_folder(folder, "any"), content);
    return tg_image_file_read(context, in_folder(folder, "any"), file, message);
}

START_TEST(the_first_bytes_tell_the_format)
{
    tg_image_file file;
    ck_assert_int_eq(read_any((blob){(uint8_t *)"P2 2 1 255 7 8", 14}, &file), TG_OK);
    ck_assert(!file.idx && tg_shape_equal(file.images.shape, tg_shape_make(3, (int64_t[]){1, 1, 2})) && file.images.data[1] == 8);
    tg_byte_array_free(&file.images);
    blob idx = idx_file(tg_shape_make(3, (int64_t[]){2, 3, 4}), 100);
    ck_assert_int_eq(read_any(idx, &file), TG_OK);
    ck_assert(file.idx && tg_shape_equal(file.images.shape, tg_shape_make(3, (int64_t[]){2, 3, 4})) &&
              file.images.data[23] == 23);
    tg_byte_array_free(&file.images);
    blob_free(&idx);
    ck_assert_int_eq(read_any((blob){(uint8_t *)"hello", 5}, &file), TG_ERROR_FORMAT);
    ck_assert_ptr_nonnull(strstr(message, "any: expected an image as PNG, PGM (P2 or P5) or IDX, found text"));
    ck_assert_int_eq(read_any((blob){(uint8_t *)"x", 1}, &file), TG_ERROR_FORMAT);
    ck_assert_int_eq(tg_image_file_read(context, in_folder(folder, "none"), &file, message), TG_ERROR_IO);
    ck_assert_ptr_null(file.images.data);
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("pgm");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, text_and_bytes_are_read);
    tcase_add_test(tests, the_value_of_white_becomes_255);
    tcase_add_test(tests, what_is_wrong_is_named);
    tcase_add_test(tests, damaged_files_do_no_harm);
    tcase_add_test(tests, out_of_memory_is_an_error);
    tcase_add_test(tests, the_first_bytes_tell_the_format);
    return harness_run("pgm", tests);
}
