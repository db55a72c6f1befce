#include <limits.h>

#include "data_files.h"
#include "failing_allocator.h"
#include "graph/philox.h"
#include "harness.h"
#include "train/gzip.h"
#include "train/idx.h"

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

static const tg_wanted_array any_images = {.what = "images", .shape = {3, {-1, -1, -1}}, .maximum = 255};
static const tg_wanted_array any_labels = {.what = "labels", .shape = {1, {-1}}, .maximum = 9};

static tg_status read_bytes(blob content, tg_wanted_array wanted)
{
    const char *path = in_folder(folder, "file");
    write_file(path, content);
    tg_byte_array_free(&array);
    message[0] = '\0';
    return tg_idx_read(context, path, wanted, &array, message);
}

static void check_read(blob content, tg_shape shape, int modulus)
{
    tg_wanted_array wanted = {.what = "values", .shape = shape, .maximum = 255};
    tg_status status = read_bytes(content, wanted);
    ck_assert_msg(status == TG_OK, "%s", message);
    ck_assert(tg_shape_equal(array.shape, shape));
    ck_assert_uint_eq((uintptr_t)array.data % 64, 0);
    int64_t wrong = 0;
    for (int64_t i = 0; i < tg_shape_count(shape); i++)
        wrong += array.data[i] != i % modulus;
    ck_assert_int_eq(wrong, 0);
}

/* The sentence must begin with the file and hold the text; nothing may be left behind. */
static void check_refused(blob content, tg_wanted_array wanted, const char *text)
{
    tg_status status = read_bytes(content, wanted);
    ck_assert_int_eq(status, TG_ERROR_FORMAT);
    ck_assert_msg(strncmp(message, in_folder(folder, "file: byte "), strlen(folder) + 12) == 0, "%s", message);
    ck_assert_msg(strstr(message, text) != NULL, "expected \"%s\" in: %s", text, message);
    ck_assert_ptr_null(array.data);
    ck_assert_uint_eq(tg_context_memory(context, NULL), 0);
}

START_TEST(plain_files_of_any_rank_are_read)
{
    const tg_shape shapes[] = {TG_SHAPE(1), TG_SHAPE(1000), TG_SHAPE(7, 5), TG_SHAPE(6, 28, 28),
                               TG_SHAPE(2, 1, 3, 1, 2, 1, 3, 1)};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        blob plain = idx_file(shapes[i], 251);
        check_read(plain, shapes[i], 251);
        blob_free(&plain);
    }
}
END_TEST

START_TEST(gzip_files_are_read_whatever_their_name)
{
    const tg_shape shapes[] = {TG_SHAPE(1), TG_SHAPE(400, 28, 28)}; /* more than the windows that the reader works through */
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        for (packing how = STORED_BLOCKS; how <= FIXED_CODES; how++) {
            blob plain = idx_file(shapes[i], 251), packed = gzip_file(plain, how);
            check_read(packed, shapes[i], 251);
            blob_free(&plain);
            blob_free(&packed);
        }
}
END_TEST

START_TEST(gzip_members_after_the_first_go_on)
{
    blob plain = idx_file(TG_SHAPE(3, 4, 5), 60);
    for (size_t cut = 0; cut <= plain.size; cut++) {
        blob first = gzip_file((blob){plain.data, cut}, STORED_BLOCKS);
        blob second = gzip_file((blob){plain.data + cut, plain.size - cut}, FIXED_CODES);
        blob_add(&first, second.data, second.size);
        check_read(first, TG_SHAPE(3, 4, 5), 60);
        blob_free(&first);
        blob_free(&second);
    }
    blob_free(&plain);
}
END_TEST

START_TEST(a_build_without_zlib_says_what_to_do)
{
    blob plain = idx_file(TG_SHAPE(9), 9), packed = gzip_file(plain, STORED_BLOCKS);
    tg_status status = read_bytes(packed, any_labels);
    ck_assert_int_eq(status, tg_inflate_available() ? TG_OK : TG_ERROR_IO);
    if (!tg_inflate_available())
        ck_assert_msg(strstr(message, "no zlib") && strstr(message, "gunzip"), "%s", message);
    blob_free(&plain);
    blob_free(&packed);
}
END_TEST

START_TEST(wrong_headers_are_named_with_byte_and_expectation)
{
    blob images = idx_file(TG_SHAPE(6, 28, 28), 251), labels = idx_file(TG_SHAPE(6), 10);
    check_refused(labels, any_images, "byte 3: expected 3 for the number of dimensions, as images have, found 1 (labels?)");
    check_refused(images, any_labels, "byte 3: expected 1 for the number of dimensions, as labels have, found 3 (images?)");
    tg_wanted_array wanted = any_images;
    wanted.shape = TG_SHAPE(7, 28, 28);
    check_refused(images, wanted, "byte 4: expected the shape [7, 28, 28] of images, found [6, 28, 28]");
    wanted.shape = TG_SHAPE(-1, 32, 32);
    check_refused(images, wanted, "byte 8: expected the shape [n, 32, 32] of images, found [6, 28, 28]");
    wanted.shape = TG_SHAPE(-1, 28, 32);
    check_refused(images, wanted, "byte 12: expected the shape [n, 28, 32] of images, found [6, 28, 28]");
    images.data[2] = 0x0D;
    check_refused(images, any_images, "byte 2: expected type 0x08 (u8, the only one read here), found 0x0d (f32)");
    images.data[2] = 0x07;
    check_refused(images, any_images, "byte 0: expected 0x00000803 (an IDX file of images), found 0x00000703");
    labels.data[0] = 'h';
    check_refused(labels, any_labels, "byte 0: expected 0x00000801 (an IDX file of labels), found 0x68000801");
    blob_free(&images);
    blob_free(&labels);
    images = idx_file(TG_SHAPE(0, 28, 28), 1);
    check_refused(images, any_images, "byte 4: expected the shape [n, n, n] of images, found [0, 28, 28]");
    blob_free(&images);
}
END_TEST

START_TEST(lengths_other_than_the_headers_are_refused)
{
    blob plain = idx_file(TG_SHAPE(6, 28, 28), 251);
    for (size_t size = 0; size < 16; size++)
        check_refused((blob){plain.data, size}, any_images, "found the end of the data");
    check_refused((blob){plain.data, plain.size - 1}, any_images, "byte 16: expected 4704 bytes of images, found 4703");
    blob_u8(&plain, 0);
    check_refused(plain, any_images, "byte 16: expected 4704 bytes of images, found 4705");
    blob_free(&plain);
}
END_TEST

START_TEST(values_out_of_range_are_named_with_their_byte)
{
    blob labels = idx_file(TG_SHAPE(100), 10);
    labels.data[8 + 41] = 12;
    check_refused(labels, any_labels, "byte 49: expected labels from 0 to 9, found 12 in row 41 (from 0)");
    if (tg_inflate_available()) {
        blob packed = gzip_file(labels, FIXED_CODES);
        check_refused(packed, any_labels,
                      "byte 49 of the unpacked data: expected labels from 0 to 9, found 12 in row 41 (from 0)");
        blob_free(&packed);
    }
    blob_free(&labels);
}
END_TEST

START_TEST(damaged_gzip_files_are_refused)
{
    blob plain = idx_file(TG_SHAPE(6, 28, 28), 251);
    for (packing how = STORED_BLOCKS; how <= FIXED_CODES; how++) {
        blob whole = gzip_file(plain, how);
        for (size_t size = 2; size < whole.size; size += size < 100 || size + 100 > whole.size ? 1 : 97)
            check_refused((blob){whole.data, size}, any_images, "found its end");
        for (size_t i = 1; i <= 8; i++) {
            whole.data[whole.size - i] ^= 1;
            check_refused(whole, any_images, i > 4 ? "incorrect data check" : "incorrect length check");
            whole.data[whole.size - i] ^= 1;
        }
        blob_u8(&whole, 0);
        check_refused(whole, any_images, "expected the end of the file, found 1 more bytes");
        blob_free(&whole);
        blob longer = idx_file(TG_SHAPE(7, 28, 28), 251), shorter = idx_file(TG_SHAPE(5, 28, 28), 251);
        memcpy(longer.data, plain.data, 16);
        memcpy(shorter.data, plain.data, 16);
        whole = gzip_file(longer, how);
        check_refused(whole, any_images, "byte 4720 of the unpacked data: expected the end of the data, found more");
        blob_free(&whole);
        whole = gzip_file(shorter, how);
        check_refused(whole, any_images, "of the unpacked data: expected images, found the end of the data");
        blob_free(&whole);
        blob_free(&longer);
        blob_free(&shorter);
    }
    blob_free(&plain);
}
END_TEST

/* The peak over a refusal is the reader's own windows, whatever the header promises. */
START_TEST(huge_promises_cost_no_memory)
{
    blob plain = idx_file(TG_SHAPE(100), 10);
    const uint32_t promises[] = {0xFFFFFFFFu, 0x7FFFFFFFu, 60000 * 784u};
    for (size_t i = 0; i < sizeof promises / sizeof *promises; i++) {
        for (int k = 0; k < 4; k++)
            plain.data[4 + k] = (uint8_t)(promises[i] >> (24 - 8 * k));
        check_refused(plain, any_labels, "byte 8: expected ");
        if (tg_inflate_available()) {
            blob packed = gzip_file(plain, FIXED_CODES);
            check_refused(packed, any_labels, "byte 8 of the unpacked data: expected ");
            for (int k = 0; k < 4; k++) /* with a length at the end that agrees */
                packed.data[packed.size - 1 - (size_t)k] = (uint8_t)((promises[i] + 8) >> (24 - 8 * k));
            check_refused(packed, any_labels, "byte 8 of the unpacked data: expected ");
            blob_free(&packed);
        }
    }
    blob_free(&plain);
    tg_wanted_array wanted = {.what = "values", .shape = TG_SHAPE(-1, -1, -1, -1), .maximum = 255};
    blob_big32(&plain, 0x804);
    for (int axis = 0; axis < 4; axis++)
        blob_big32(&plain, 0xFFFFFFFFu);
    check_refused(plain, wanted, "byte 4: expected the shape [n, n, n, n] of values, found [4294967295, ");
    blob_free(&plain);
    size_t peak;
    tg_context_memory(context, &peak);
    ck_assert_uint_lt(peak, 300000);
}
END_TEST

/* 70 MB of zeros in a file of 70 kB: too much to trust, so it is unpacked to nowhere first. Then the end turns out damaged. */
START_TEST(large_packed_files_are_proved_before_memory_is_asked_for)
{
    const uint32_t count = 70000000;
    blob plain = {0};
    blob_big32(&plain, 0x801);
    blob_big32(&plain, count);
    plain.data = realloc(plain.data, 8 + (size_t)count);
    memset(plain.data + 8, 0, count);
    plain.size += count;
    blob packed = gzip_file(plain, FIXED_CODES);
    ck_assert_uint_lt(packed.size, 800000);
    packed.data[packed.size - 5] ^= 1;
    check_refused(packed, any_labels, "incorrect data check");
    size_t peak;
    tg_context_memory(context, &peak);
    ck_assert_uint_lt(peak, 300000);
    packed.data[packed.size - 5] ^= 1;
    ck_assert_msg(read_bytes(packed, any_labels) == TG_OK, "%s", message);
    ck_assert_int_eq(array.shape.dims[0], count);
    ck_assert_mem_eq(array.data, plain.data + 8, count);
    blob_free(&plain);
    blob_free(&packed);
}
END_TEST

START_TEST(what_is_not_a_regular_file_is_refused_at_once)
{
    const char *missing = in_folder(folder, "missing"), *pipe = in_folder(folder, "pipe");
    ck_assert_int_eq(tg_idx_read(context, missing, any_labels, &array, message), TG_ERROR_IO);
    ck_assert_msg(strstr(message, "missing: No such file or directory") != NULL, "%s", message);
    ck_assert_int_eq(tg_idx_read(context, folder, any_labels, &array, message), TG_ERROR_IO);
    ck_assert_msg(strstr(message, "expected a regular file, found a folder") != NULL, "%s", message);
    ck_assert_int_eq(mkfifo(pipe, 0600), 0);
    ck_assert_int_eq(tg_idx_read(context, pipe, any_labels, &array, message), TG_ERROR_IO);
    ck_assert_msg(strstr(message, "expected a regular file, found a device or pipe") != NULL, "%s", message);
}
END_TEST

START_TEST(of_a_long_path_the_end_is_shown)
{
    char path[3000];
    memset(path, 'x', sizeof path);
    memcpy(path + sizeof path - 10, "/end.idx1", 10);
    ck_assert_int_eq(tg_idx_read(context, path, any_labels, &array, message), TG_ERROR_IO);
    ck_assert_uint_lt(strlen(message), 300);
    ck_assert_msg(strncmp(message, "...xxx", 6) == 0 && strstr(message, "x/end.idx1: "), "%s", message);
}
END_TEST

START_TEST(every_allocation_may_fail)
{
    blob plain = idx_file(TG_SHAPE(60, 28, 28), 251), packed = gzip_file(plain, FIXED_CODES);
    const char *path = in_folder(folder, "file");
    for (int gzip = 0; gzip <= tg_inflate_available(); gzip++) {
        write_file(path, gzip ? packed : plain);
        bool succeeded = false;
        for (long refuse = 1; !succeeded; refuse++) {
            failing_allocator allocator = {0};
            tg_context_options options = harness_options();
            options.allocator = failing_allocator_interface(&allocator);
            options.threads = 1;
            tg_context *scarce = tg_context_new(options);
            ck_assert_ptr_nonnull(scarce);
            long live = allocator.live;
            allocator.refuse = allocator.requests + refuse;
            tg_byte_array read;
            tg_status status = tg_idx_read(scarce, path, any_images, &read, message);
            succeeded = status == TG_OK;
            if (!succeeded) {
                ck_assert_int_eq(status, TG_ERROR_MEMORY);
                ck_assert_msg(strstr(message, "file: out of memory") != NULL, "%s", message);
                ck_assert_ptr_null(read.data);
            }
            tg_byte_array_free(&read);
            ck_assert_int_eq(allocator.live, live);
            tg_context_free(scarce);
            ck_assert_int_eq(allocator.held, 0);
            ck_assert_int_lt(refuse, 20);
        }
    }
    blob_free(&plain);
    blob_free(&packed);
}
END_TEST

/* Any damage ends in a sentence or in an array that is as wanted. */
START_TEST(no_damage_goes_astray)
{
    blob plain = idx_file(TG_SHAPE(6, 28, 28), 251);
    blob files[3] = {plain, gzip_file(plain, STORED_BLOCKS), gzip_file(plain, FIXED_CODES)};
    const char *path = in_folder(folder, "file");
    int refused = 0, rounds = 3000;
    for (int i = 0; i < rounds; i++) {
        uint32_t choice[4];
        tg_philox(20, 0, (uint64_t)i, choice);
        blob bad = damaged(files[i % 3], choice);
        write_file(path, bad);
        tg_status status = tg_idx_read(context, path, any_images, &array, message);
        if (status == TG_OK) {
            ck_assert_int_eq(tg_shape_count(array.shape), 6 * 28 * 28);
        } else {
            refused++;
            ck_assert_msg(status == TG_ERROR_FORMAT || (status == TG_ERROR_IO && !tg_inflate_available()), "%s", message);
            ck_assert_msg(strncmp(message, path, strlen(path)) == 0 && strlen(message) > strlen(path) + 20, "%s", message);
            ck_assert_ptr_null(array.data);
        }
        tg_byte_array_free(&array);
        ck_assert_uint_eq(tg_context_memory(context, NULL), 0);
        blob_free(&bad);
    }
    ck_assert_int_gt(refused, rounds / 2);
    for (int i = 0; i < 3; i++)
        blob_free(&files[i]);
}
END_TEST

START_TEST(crc32_is_that_of_the_definition)
{
    uint8_t data[1000];
    for (int i = 0; i < 1000; i++)
        data[i] = (uint8_t)(i * i);
    ck_assert_uint_eq(tg_crc32(0, (const uint8_t *)"123456789", 9), 0xCBF43926u);
    for (size_t size = 0; size <= 1000; size += 37) {
        ck_assert_uint_eq(tg_crc32(0, data, size), plain_crc32(data, size));
        ck_assert_uint_eq(tg_crc32(tg_crc32(0, data, size), data + size, 1000 - size), plain_crc32(data, 1000));
    }
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("idx");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, plain_files_of_any_rank_are_read);
    tcase_add_test(tests, a_build_without_zlib_says_what_to_do);
    tcase_add_test(tests, wrong_headers_are_named_with_byte_and_expectation);
    tcase_add_test(tests, lengths_other_than_the_headers_are_refused);
    tcase_add_test(tests, values_out_of_range_are_named_with_their_byte);
    tcase_add_test(tests, huge_promises_cost_no_memory);
    tcase_add_test(tests, what_is_not_a_regular_file_is_refused_at_once);
    tcase_add_test(tests, of_a_long_path_the_end_is_shown);
    tcase_add_test(tests, every_allocation_may_fail);
    tcase_add_test(tests, no_damage_goes_astray);
    tcase_add_test(tests, crc32_is_that_of_the_definition);
    if (tg_inflate_available()) {
        tcase_add_test(tests, gzip_files_are_read_whatever_their_name);
        tcase_add_test(tests, gzip_members_after_the_first_go_on);
        tcase_add_test(tests, damaged_gzip_files_are_refused);
        tcase_add_test(tests, large_packed_files_are_proved_before_memory_is_asked_for);
    }
    return harness_run("idx", tests);
}
