#include "train/npy.h"

#include "data_files.h"
#include "failing_allocator.h"
#include "graph/philox.h"
#include "harness.h"

static char folder[256], message[TG_MESSAGE_SIZE];
static tg_context *context;
static const double doubles[] = {1.5, -2, 1e-310, 4, 5, 6};
static const float floats[] = {1.5f, -0.0f, 3};
static const int32_t integers[] = {-1, 2147483647};
static const uint8_t bytes[24] = {1, 255, 3};

/* One of each dtype, of several ranks; two are empty or scalars. */
static const tg_array samples[] = {
    {"f64", {TG_F64, {2, {2, 3}}}, doubles},  {"dense/kernel", {TG_F32, {1, {3}}}, floats},
    {"i32", {TG_I32, {2, {2, 1}}}, integers}, {"\xc3\xa9", {TG_U8, {8, {1, 2, 1, 3, 1, 4, 1, 1}}}, bytes},
    {"scalar", {TG_F64, {0, {0}}}, doubles},  {"empty", {TG_F32, {3, {4, 0, 2}}}, floats},
};
enum { SAMPLES = sizeof samples / sizeof *samples };

static void setup(void) { context = begin_in_folder(folder); }

static void teardown(void) { end_in_folder(folder, context); }

static void check_read(const char *path, const char *name, const tg_array *expected)
{
    tg_array array;
    ck_assert_msg(tg_npy_read(context, path, name, &array, message) == TG_OK, "%s", message);
    ck_assert(tg_type_equal(array.type, expected->type) && array.name == name);
    ck_assert_mem_eq(array.values, expected->values, (size_t)tg_type_bytes(expected->type));
    tg_npy_free(context, &array);
    ck_assert_ptr_null(array.values);
}

static void check_refused(const char *path, const char *name, const char *text)
{
    tg_array array;
    tg_status status = tg_npy_read(context, path, name, &array, message);
    ck_assert_msg(status == TG_ERROR_FORMAT, "%d %s", status, message);
    ck_assert_msg(strstr(message, path) == message && strstr(message, text), "expected \"%s\" in: %s", text, message);
    ck_assert_ptr_null(array.values);
}

START_TEST(arrays_return_bit_for_bit)
{
    const char *path = in_folder(folder, "a.npy");
    for (int i = 0; i < SAMPLES; i++) {
        struct stat about;
        ck_assert_msg(tg_npy_write(path, samples[i], message) == TG_OK, "%s", message);
        ck_assert_int_eq(stat(path, &about), 0);
        ck_assert_int_eq((about.st_size - tg_type_bytes(samples[i].type)) % 64, 0);
        check_read(path, NULL, &samples[i]);
    }
}
END_TEST

START_TEST(the_header_is_numpys)
{
    static const char expected[] = "\x93NUMPY\x01\0v\0{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }";
    uint8_t start[128];
    const char *path = in_folder(folder, "a.npy");
    ck_assert_int_eq(tg_npy_write(path, samples[1], message), TG_OK);
    FILE *in = fopen(path, "rb");
    ck_assert_uint_eq(fread(start, 1, sizeof start, in), sizeof start);
    fclose(in);
    ck_assert_mem_eq(start, expected, sizeof expected - 1);
    ck_assert_int_eq(start[127], '\n');
}
END_TEST

START_TEST(archives_return_bit_for_bit)
{
    const char *path = in_folder(folder, "a.npz");
    ck_assert_msg(tg_npz_write(context, path, samples, SAMPLES, message) == TG_OK, "%s", message);
    for (int i = 0; i < SAMPLES; i++)
        check_read(path, samples[i].name, &samples[i]);
    check_refused(path, "other", "expected a member other.npy in the zip directory, found none");
    ck_assert_int_eq(tg_npz_write(context, path, samples, 0, message), TG_OK);
    check_refused(path, "f64", "expected a member f64.npy in the zip directory, found none");
}
END_TEST

START_TEST(packed_and_gzipped_arrays_are_read)
{
    blob values = {(uint8_t *)doubles, sizeof doubles};
    blob npy = npy_file("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }", values);
    const char *path = in_folder(folder, "a.npy.gz");
    tg_array array;
    for (int how = STORED_BLOCKS; how <= FIXED_CODES; how++) {
        blob packed = gzip_file(npy, (packing)how);
        zip_writer zip = {.options = {.deflated = true, .zip64 = how == FIXED_CODES, .how = (packing)how}};
        zip_add(&zip, "w.npy", npy);
        blob archive = zip_finish(&zip);
        for (int kind = 0; kind < 2; kind++) {
            write_file(path, kind ? archive : packed);
            tg_status status = tg_npy_read(context, path, kind ? "w" : NULL, &array, message);
            ck_assert_msg(status == TG_OK || strstr(message, "no zlib"), "%s", message);
            ck_assert(status != TG_OK || memcmp(array.values, doubles, sizeof doubles) == 0);
            tg_npy_free(context, &array);
        }
        blob_free(&packed);
        blob_free(&archive);
    }
    blob_free(&npy);
}
END_TEST

START_TEST(what_no_tensor_can_hold_is_refused)
{
    const struct {
        const char *dict;
        int bytes;
        const char *text;
    } cases[] = {
        {"{'descr': '<i8', 'fortran_order': False, 'shape': (2,), }", 16,
         "byte 20: expected '<f4', '<f8', '<i4' or '|u1' (use astype), found '<i8'"},
        {"{'descr': '>f4', 'fortran_order': False, 'shape': (2,), }", 8, "found '>f4'"},
        {"{'descr': '<f4', 'fortran_order': True, 'shape': (2, 2), }", 16,
         "expected 'fortran_order' False (use ascontiguousarray), found True"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4), }", 0,
         "expected a shape of fewer than 2^59 elements, found [4611686018427387904, 4]"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (1152921504606846975,), }", 0, "expected a shape of fewer than 2^59"},
        {"{'descr': '<f8', 'fortran_order': False, 'shape': (500000000000000000,), }", 0,
         "expected 4000000000000000000 bytes of values, found 0"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", 7, "expected 8 bytes of values, found 7"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }", 9, "expected 8 bytes of values, found 9"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2,) ", 8, "expected a dict with 'descr'"},
    };
    const char *path = in_folder(folder, "a.npy");
    const uint8_t zeros[64] = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        blob file = npy_file(cases[i].dict, (blob){(uint8_t *)zeros, (size_t)cases[i].bytes});
        write_file(path, file);
        check_refused(path, NULL, cases[i].text);
        blob_free(&file);
    }
    tg_array array;
    ck_assert_int_eq(tg_npy_read(context, in_folder(folder, "none"), NULL, &array, message), TG_ERROR_IO);
    ck_assert_msg(strstr(message, "No such file or directory"), "%s", message);
}
END_TEST

START_TEST(a_failing_write_keeps_the_former_file)
{
    const tg_array twice[] = {samples[0], samples[1], samples[0]};
    const char *path = in_folder(folder, "a.npz");
    ck_assert_int_eq(tg_npz_write(context, path, samples, 1, message), TG_OK);
    ck_assert_int_eq(tg_npz_write(context, path, twice, 3, message), TG_ERROR_ARGUMENT);
    ck_assert_msg(strstr(message, "a.npz: array f64: the name is too long, or appears twice"), "%s", message);
    const tg_array huge = {"huge", {TG_F64, {1, {INT64_C(1) << 29}}}, NULL};
    ck_assert_int_eq(tg_npz_write(context, path, &huge, 1, message), TG_ERROR_ARGUMENT);
    ck_assert_msg(strstr(message, "array huge: an .npz file here has 65534 arrays and 4 GiB at most"), "%s", message);
    check_read(path, "f64", &samples[0]);
    if (access("/dev/full", W_OK) == 0) {
        ck_assert_int_eq(tg_npy_write("/dev/full", samples[0], message), TG_ERROR_IO);
        ck_assert_int_eq(tg_npz_write(context, "/dev/full", samples, 1, message), TG_ERROR_IO);
        ck_assert_msg(strstr(message, "/dev/full: writing failed: No space left on device"), "%s", message);
    }
}
END_TEST

START_TEST(every_allocation_may_fail)
{
    const char *path = in_folder(folder, "a.npz");
    bool done = false;
    for (long refuse = 1; !done; refuse++) {
        failing_allocator allocator = {0};
        tg_context_options options = harness_options();
        options.allocator = failing_allocator_interface(&allocator);
        options.threads = 1;
        tg_context *scarce = tg_context_new(options);
        tg_array array = {0};
        allocator.refuse = allocator.requests + refuse;
        tg_status status = tg_npz_write(scarce, path, samples, SAMPLES, message);
        if (status == TG_OK)
            status = tg_npy_read(scarce, path, "f64", &array, message);
        done = status == TG_OK;
        if (!done) {
            ck_assert_int_eq(status, TG_ERROR_MEMORY);
            ck_assert_msg(strstr(message, "a.npz: out of memory"), "%s", message);
        }
        tg_npy_free(scarce, &array);
        tg_context_free(scarce);
        ck_assert_int_eq(allocator.live, 0);
        ck_assert_int_lt(refuse, 20);
    }
}
END_TEST

/* Any damage ends in a sentence or in an array that is as its header says. */
START_TEST(no_damage_goes_astray)
{
    const char *path = in_folder(folder, "a.npy");
    blob whole =
        npy_file("{'descr': '<f8', 'fortran_order': False, 'shape': (2, 3), }", (blob){(uint8_t *)doubles, sizeof doubles});
    int refused = 0, rounds = 2000;
    for (int i = 0; i < rounds; i++) {
        uint32_t choice[4];
        tg_array array;
        tg_philox(23, 0, (uint64_t)i, choice);
        blob bad = damaged(whole, choice);
        write_file(path, bad);
        tg_status status = tg_npy_read(context, path, NULL, &array, message);
        refused += status != TG_OK;
        ck_assert(status == TG_OK || status == TG_ERROR_FORMAT);
        ck_assert_msg(status == TG_OK || strstr(message, path) == message, "%s", message);
        ck_assert(status != TG_OK || tg_type_bytes(array.type) < (int64_t)bad.size);
        tg_npy_free(context, &array);
        ck_assert_uint_eq(tg_context_memory(context, NULL), 0);
        blob_free(&bad);
    }
    ck_assert_int_gt(refused, rounds / 3);
    blob_free(&whole);
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("npy");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, arrays_return_bit_for_bit);
    tcase_add_test(tests, the_header_is_numpys);
    tcase_add_test(tests, archives_return_bit_for_bit);
    tcase_add_test(tests, packed_and_gzipped_arrays_are_read);
    tcase_add_test(tests, what_no_tensor_can_hold_is_refused);
    tcase_add_test(tests, a_failing_write_keeps_the_former_file);
    tcase_add_test(tests, every_allocation_may_fail);
    tcase_add_test(tests, no_damage_goes_astray);
    return harness_run("npy", tests);
}
