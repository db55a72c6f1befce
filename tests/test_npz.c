#include "data_files.h"
#include "failing_allocator.h"
#include "graph/philox.h"
#include "harness.h"
#include "train/gzip.h"
#include "train/npz.h"

static char folder[256];
static tg_context *context;
static char message[TG_MESSAGE_SIZE];
static tg_byte_array array;
static blob values; /* 6 x 28 x 28 */

#define IMAGES_DICT "{'descr': '|u1', 'fortran_order': False, 'shape': (6, 28, 28), }"

static void setup(void)
{
    context = begin_in_folder(folder);
    for (int i = 0; i < 6 * 28 * 28; i++)
        blob_u8(&values, i % 251);
}

static void teardown(void)
{
    tg_byte_array_free(&array);
    blob_free(&values);
    end_in_folder(folder, context);
}

static const tg_wanted_array images = {.what = "images", .name = "x", .shape = {3, {-1, 28, 28}}, .maximum = 255};
static const tg_wanted_array labels = {.what = "labels", .name = "y", .shape = {1, {-1}}, .maximum = 9};

/* An archive with a member before x, x with this dict and the values, and y of ten labels. */
static blob archive(zip_options options, const char *dict)
{
    zip_writer zip = {.options = options};
    const uint8_t ten[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
    blob x = npy_file(dict, values);
    blob y = npy_file("{'descr': '|u1', 'fortran_order': False, 'shape': (10,), }", (blob){(uint8_t *)ten, sizeof ten});
    zip_add(&zip, "z.npy", y);
    zip_add(&zip, "x.npy", x);
    zip_add(&zip, "y.npy", y);
    blob_free(&x);
    blob_free(&y);
    return zip_finish(&zip);
}

static tg_status read_blob(blob content, tg_wanted_array wanted)
{
    const char *path = in_folder(folder, "file.npz");
    write_file(path, content);
    tg_byte_array_free(&array);
    message[0] = '\0';
    return tg_npz_read(context, path, wanted, &array, message);
}

static void check_images(blob content)
{
    tg_status status = read_blob(content, images);
    ck_assert_msg(status == TG_OK, "%s", message);
    ck_assert(tg_shape_equal(array.shape, TG_SHAPE(6, 28, 28)));
    ck_assert_mem_eq(array.data, values.data, values.size);
}

static void check_refused(blob content, tg_wanted_array wanted, const char *text)
{
    ck_assert_int_eq(read_blob(content, wanted), TG_ERROR_FORMAT);
    ck_assert_msg(strncmp(message, in_folder(folder, "file.npz: byte "), strlen(folder) + 16) == 0, "%s", message);
    ck_assert_msg(strstr(message, text) != NULL, "expected \"%s\" in: %s", text, message);
    ck_assert_ptr_null(array.data);
    ck_assert_uint_eq(tg_context_memory(context, NULL), 0);
}

START_TEST(archives_of_every_kind_are_read)
{
    for (int kind = 0; kind < 6; kind++) {
        zip_options options = {.deflated = kind >= 2, .zip64 = kind & 1, .how = kind >= 4 ? FIXED_CODES : STORED_BLOCKS};
        blob file = archive(options, IMAGES_DICT);
        if (options.deflated && !tg_inflate_available()) {
            ck_assert_int_eq(read_blob(file, images), TG_ERROR_IO);
            ck_assert_msg(strstr(message, "no zlib") && strstr(message, "numpy.savez"), "%s", message);
        } else {
            check_images(file);
            ck_assert_msg(read_blob(file, labels) == TG_OK, "%s", message);
            ck_assert_int_eq(array.shape.dims[0], 10);
            ck_assert_uint_eq(array.data[9], 9);
        }
        blob_free(&file);
    }
}
END_TEST

START_TEST(headers_may_be_written_otherwise)
{
    const char *dicts[] = {
        "{'shape': (6, 28, 28), 'fortran_order': False, 'descr': '|u1'}",
        "{\"descr\": \"|u1\",\"fortran_order\":False,\"shape\":(6,28,28)}",
        "{ 'descr' : 'u1' , 'fortran_order' : False , 'shape' : ( 6 , 28 , 28 , ) , }",
        "{'descr': '|u1', 'fortran_order': False, 'shape': (6L, 28L, 28L), }",
    };
    for (size_t i = 0; i < sizeof dicts / sizeof *dicts; i++) {
        blob file = archive((zip_options){0}, dicts[i]);
        check_images(file);
        blob_free(&file);
    }
}
END_TEST

START_TEST(versions_and_comments_are_read)
{
    blob npy = {0};
    blob_add(&npy, "\x93NUMPY\x02", 8);
    blob_little(&npy, sizeof IMAGES_DICT - 1, 4);
    blob_add(&npy, IMAGES_DICT, sizeof IMAGES_DICT - 1);
    blob_add(&npy, values.data, values.size);
    zip_writer zip = {0};
    zip_add(&zip, "x.npy", npy);
    blob file = zip_finish(&zip);
    check_images(file);
    file.data[file.size - 2] = 30; /* the comment's length, and a comment that looks like an end of its own */
    blob_add(&file, "PK\5\6 is how a zip file ends, ...", 30);
    check_images(file);
    blob_free(&npy);
    blob_free(&file);
}
END_TEST

START_TEST(wrong_arrays_are_named_with_byte_and_expectation)
{
    const struct {
        const char *dict, *text;
    } cases[] = {
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (6, 28, 28), }",
         "byte 20 of x.npy: expected '|u1' (images as uint8), found '<f4'"},
        {"{'descr': '|u1', 'fortran_order': True, 'shape': (6, 28, 28), }",
         "byte 44 of x.npy: expected 'fortran_order' False, found True"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (6, 784), }",
         "byte 60 of x.npy: expected the shape [n, 28, 28] of images, found [6, 784]"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (), }", "expected the shape [n, 28, 28] of images, found []"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (0, 28, 28), }", "found [0, 28, 28]"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (7, 28, 28), }", "expected 5488 bytes of images, found 4704"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (5, 28, 28), }", "expected 3920 bytes of images, found 4704"},
        {"{'descr': '|u1', 'fortran_order': False, }", "expected a dict with 'descr', 'fortran_order' and 'shape'"},
        {"{'descr': '|u1', 'descr': '|u1', 'fortran_order': False, 'shape': (6, 28, 28), }", "byte 41 of x.npy: expected a dict"},
        {"{'descr': '|u1', 'fortran_order': 0, 'shape': (6, 28, 28), }", "byte 44 of x.npy: expected a dict"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (6, 28, 28)", "expected a dict"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (6, 28, 28), 'more': 1}", "expected a dict"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (6 28 28), }", "expected a dict"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1), }", "expected a dict"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999999999999, 28, 28), }", "expected a dict"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (900000000000000000, 28, 28), }",
         "expected the shape [n, 28, 28] of images"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (-6, 28, 28), }", "expected a dict"},
        {"{'descr': [('a', '|u1')], 'fortran_order': False, 'shape': (6, 28, 28), }", "byte 20 of x.npy: expected a dict"},
        {"not a dict", "byte 10 of x.npy: expected a dict"},
        {"", "expected a dict"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        blob file = archive((zip_options){0}, cases[i].dict);
        check_refused(file, images, cases[i].text);
        blob_free(&file);
    }
}
END_TEST

START_TEST(values_out_of_range_are_named_with_their_byte)
{
    zip_writer zip = {0};
    const uint8_t three[] = {0, 12, 2};
    blob y = npy_file("{'descr': '|u1', 'fortran_order': False, 'shape': (3,), }", (blob){(uint8_t *)three, 3});
    zip_add(&zip, "y.npy", y);
    blob file = zip_finish(&zip);
    check_refused(file, labels, "byte 129 of y.npy: expected labels from 0 to 9, found 12 in row 1 (from 0)");
    blob_free(&y);
    blob_free(&file);
}
END_TEST

START_TEST(damaged_archives_are_refused)
{
    blob file = archive((zip_options){0}, IMAGES_DICT);
    tg_wanted_array missing = images;
    missing.name = "x_train";
    check_refused(file, missing, "expected a member x_train.npy in the zip directory, found none");
    missing.name = NULL;
    ck_assert_int_eq(read_blob(file, missing), TG_ERROR_ARGUMENT);
    for (size_t size = 0; size < 2; size++) {
        ck_assert_int_eq(read_blob((blob){file.data, size}, images), TG_ERROR_FORMAT);
        ck_assert_ptr_nonnull(
            strstr(message, size ? "file.npz: expected an .npz file (zip), found text" : "found an empty file"));
    }
    for (size_t size = 3; size < file.size; size += size < 100 || size + 300 > file.size ? 1 : 97)
        check_refused((blob){file.data, size}, images, "expected the directory of an .npz (zip) file before the end, found none");
    size_t end = file.size - 22, start = file.data[end + 16] | (size_t)file.data[end + 17] << 8;
    size_t second = start + 46 + 5; /* x's entry, after z's */
    const struct {
        size_t at;
        uint8_t flip;
        const char *text;
    } cases[] = {
        {end + 17, 0x40, "expected a zip directory that lies within the file"},
        {end + 12, 0x80, "expected a member x.npy in the zip directory, found none"},
        {end + 16, 0x01, "expected an entry of the zip directory"},
        {second, 0x01, "expected an entry of the zip directory, found something else"},
        {second + 8, 0x01, "not encrypted, found method 0, flags 0x0001"},
        {second + 10, 0x0E, "expected x.npy stored or deflated and not encrypted, found method 14"},
        {second + 16, 0x01, "expected the end of data with CRC32"},
        {second + 20, 0x01, "expected sizes of a member that lies before the directory"},
        {second + 24, 0x01, "expected sizes of a member that lies before the directory"},
        {second + 43, 0x70, "expected the header of a zip member"},
        {second + 47, 0x01, "expected a member x.npy in the zip directory"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        file.data[cases[i].at] ^= cases[i].flip;
        check_refused(file, images, cases[i].text);
        file.data[cases[i].at] ^= cases[i].flip;
    }
    file.data[200 + 128 + 100] ^= 1; /* a pixel */
    check_refused(file, images, "CRC32");
    blob_free(&file);
}
END_TEST

START_TEST(huge_promises_cost_no_memory)
{
    const char *dict = "{'descr': '|u1', 'fortran_order': False, 'shape': (90000000000, 28, 28), }";
    for (int deflated = 0; deflated <= tg_inflate_available(); deflated++) {
        blob file = archive((zip_options){.deflated = deflated, .zip64 = true}, dict);
        check_refused(file, images, "expected 70560000000000 bytes of images");
        const uint8_t size[8] = {0x80, 0x20, 0xF3, 0x4D, 0x2C, 0x40}; /* 128 + 90000000000 * 784 */
        size_t second = file.size - 22 - 20 - 56 - 2 * (46 + 5 + 26);
        memcpy(file.data + second + 46 + 5 + 6 + 4, size, 8);
        check_refused(file, images, "expected ");
        blob_free(&file);
    }
    size_t peak;
    tg_context_memory(context, &peak);
    ck_assert_uint_lt(peak, 300000);
}
END_TEST

START_TEST(every_allocation_may_fail)
{
    const char *path = in_folder(folder, "file.npz");
    for (int deflated = 0; deflated <= tg_inflate_available(); deflated++) {
        blob file = archive((zip_options){.deflated = deflated, .how = FIXED_CODES}, IMAGES_DICT);
        write_file(path, file);
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
            tg_byte_array result;
            tg_status status = tg_npz_read(scarce, path, images, &result, message);
            succeeded = status == TG_OK;
            if (!succeeded) {
                ck_assert_int_eq(status, TG_ERROR_MEMORY);
                ck_assert_msg(strstr(message, "file.npz: out of memory") != NULL, "%s", message);
            }
            tg_byte_array_free(&result);
            ck_assert_int_eq(allocator.live, live);
            tg_context_free(scarce);
            ck_assert_int_lt(refuse, 20);
        }
        blob_free(&file);
    }
}
END_TEST

/* Any damage ends in a sentence or in an array that is as wanted. */
START_TEST(no_damage_goes_astray)
{
    const char *path = in_folder(folder, "file.npz");
    blob files[4];
    for (int kind = 0; kind < 4; kind++)
        files[kind] = archive((zip_options){.deflated = kind >= 2, .zip64 = kind & 1, .how = FIXED_CODES}, IMAGES_DICT);
    int refused = 0, rounds = 3000;
    for (int i = 0; i < rounds; i++) {
        uint32_t choice[4];
        tg_philox(21, 0, (uint64_t)i, choice);
        blob bad = damaged(files[i % 4], choice);
        write_file(path, bad);
        tg_status status = tg_npz_read(context, path, i & 8 ? labels : images, &array, message);
        if (status == TG_OK) {
            ck_assert_int_eq(tg_shape_count(array.shape), i & 8 ? 10 : 6 * 28 * 28);
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
    for (int kind = 0; kind < 4; kind++)
        blob_free(&files[kind]);
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("npz");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, archives_of_every_kind_are_read);
    tcase_add_test(tests, headers_may_be_written_otherwise);
    tcase_add_test(tests, versions_and_comments_are_read);
    tcase_add_test(tests, wrong_arrays_are_named_with_byte_and_expectation);
    tcase_add_test(tests, values_out_of_range_are_named_with_their_byte);
    tcase_add_test(tests, damaged_archives_are_refused);
    tcase_add_test(tests, huge_promises_cost_no_memory);
    tcase_add_test(tests, every_allocation_may_fail);
    tcase_add_test(tests, no_damage_goes_astray);
    return harness_run("npz", tests);
}
