#include "data_files.h"
#include "failing_allocator.h"
#include "train/image_file.h"
#include "train/png_file.h"

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

static tg_status read_blob(blob content)
{
    const char *path = in_folder(folder, "file");
    write_file(path, content);
    tg_byte_array_free(&array);
    message[0] = '\0';
    return tg_png_read(context, path, &array, message);
}

#define BYTES(text) ((blob){(uint8_t *)(text), sizeof(text) - 1})

/* Reads a file of these lines and compares its pixels. */
static void check_image(png_options options, blob lines, blob pixels)
{
    blob file = png_file(options, lines);
    ck_assert_msg(read_blob(file) == TG_OK, "%s", message);
    ck_assert(tg_shape_equal(array.shape, tg_shape_make(2, (int64_t[]){options.rows, options.columns})));
    ck_assert_mem_eq(array.data, pixels.data, pixels.size);
    blob_free(&file);
}

START_TEST(greys_of_every_depth)
{
    check_image((png_options){3, 2, 8, 0}, BYTES("\0\0\1\377\0\200\201\202"), BYTES("\0\1\377\200\201\202"));
    check_image((png_options){3, 1, 1, 0}, BYTES("\0\240"), BYTES("\377\0\377"));
    check_image((png_options){3, 1, 2, 0}, BYTES("\0\344"), BYTES("\377\252\125"));
    check_image((png_options){2, 1, 4, 0}, BYTES("\0\017"), BYTES("\0\377"));
    check_image((png_options){3, 1, 16, 0}, BYTES("\0\0\0\200\0\377\377"), BYTES("\0\200\377"));
    check_image((png_options){2, 2, 8, 0}, BYTES("\1\5\1\2\1\1"), BYTES("\5\6\6\7")); /* filters: sub, then up */
}
END_TEST

START_TEST(colours_become_their_luminance)
{
    check_image((png_options){4, 1, 8, 2}, BYTES("\0\377\377\377\377\0\0\0\377\0\0\0\377"), BYTES("\377\66\266\22"));
    check_image((png_options){1, 1, 16, 2}, BYTES("\0\377\377\0\0\0\0"), BYTES("\66"));
    png_options palette = {4, 1, 2, 3, .palette = BYTES("\0\0\0\377\0\0\12\12\12\377\377\377")};
    check_image(palette, BYTES("\0\33"), BYTES("\0\66\12\377"));
    for (int grey = 0; grey < 256; grey++) { /* a grey stays what it is */
        uint8_t line[] = {0, (uint8_t)grey, (uint8_t)grey, (uint8_t)grey};
        check_image((png_options){1, 1, 8, 2}, (blob){line, 4}, (blob){line + 1, 1});
    }
}
END_TEST

START_TEST(what_is_transparent_lies_on_white)
{
    check_image((png_options){3, 1, 8, 4}, BYTES("\0\0\0\0\377\144\200"), BYTES("\377\0\261"));
    check_image((png_options){2, 1, 8, 6}, BYTES("\0\0\0\0\0\1\2\3\0"), BYTES("\377\377"));
    check_image((png_options){1, 1, 16, 6}, BYTES("\0\0\0\0\0\0\0\200\0"), BYTES("\177"));
    png_options palette = {2, 1, 8, 3, .palette = BYTES("\0\0\0\1\1\1"), .transparency = BYTES("\0")};
    check_image(palette, BYTES("\0\0\1"), BYTES("\377\1"));
    check_image((png_options){2, 1, 8, 0, .transparency = BYTES("\0\7")}, BYTES("\0\7\10"), BYTES("\377\10"));
    check_image((png_options){2, 1, 16, 0, .transparency = BYTES("\0\7")}, BYTES("\0\0\7\0\10"), BYTES("\377\0"));
}
END_TEST

/* The seven passes of Adam7 as the standard's figure gives them: the pass of each pixel of a square of eight. */
START_TEST(interlaced_images_come_out_in_order)
{
    static const char passes[] = "1646264677777777565656567777777736463646777777775656565677777777";
    for (int extent = 1; extent <= 9; extent++) {
        blob lines = {0}, pixels = {0};
        for (int i = 0; i < extent * extent; i++)
            blob_u8(&pixels, i * 3 % 256);
        for (int pass = '1'; pass <= '7'; pass++) {
            for (int row = 0; row < extent; row++) {
                bool begun = false;
                for (int column = 0; column < extent; column++) {
                    if (passes[row % 8 * 8 + column % 8] != pass)
                        continue;
                    if (!begun)
                        blob_u8(&lines, 0);
                    begun = true;
                    blob_u8(&lines, pixels.data[row * extent + column]);
                }
            }
        }
        check_image((png_options){extent, extent, 8, 0, .interlaced = true}, lines, pixels);
        blob_free(&lines);
        blob_free(&pixels);
    }
}
END_TEST

static void check_refused(blob file, const char *expected)
{
    ck_assert_int_eq(read_blob(file), TG_ERROR_FORMAT);
    ck_assert_msg(strstr(message, expected) && strncmp(message, folder, strlen(folder)) == 0, "%s", message);
    ck_assert_ptr_null(array.data);
    ck_assert_uint_eq(tg_context_memory(context, NULL), 0);
}

/* One that promises more than it can hold is refused before there is memory for it. */
START_TEST(what_is_wrong_is_named)
{
    failing_allocator memory = {0};
    tg_context_options options = harness_options();
    options.threads = 1;
    options.allocator = failing_allocator_interface(&memory);
    tg_context *counting = tg_context_new(options);
    ck_assert_ptr_nonnull(counting);
    tg_context *former = context;
    context = counting;
    static const struct {
        png_options options;
        const char *message;
    } cases[] = {
        {{1 << 30, 1, 8, 0}, "byte 16: expected at most 16384x16384 pixels, found 1x1073741824"},
        {{1, 16385, 8, 0}, "byte 16: expected at most 16384x16384 pixels, found 16385x1"},
        {{16384, 16384, 8, 6}, "byte 16: expected 16384x16384 pixels, which 70 bytes of a file cannot hold"},
        {{0, 1, 8, 0}, "(libpng: "},
        {{1, 1, 3, 0}, "(libpng: "},
        {{1, 1, 8, 3}, "(libpng: "},
        {{2, 1, 8, 0}, "(libpng: "},
        {{1, 2, 8, 0}, "(libpng: "},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        blob file = png_file(cases[i].options, BYTES("\0\7"));
        check_refused(file, cases[i].message);
        blob_free(&file);
    }
    context = former;
    tg_context_free(counting);
    blob file = png_file((png_options){1, 1, 8, 0}, BYTES("\0\7"));
    for (size_t size = 0; size < file.size; size++) /* cut off anywhere */
        check_refused((blob){file.data, size}, "file: byte ");
    file.data[file.size - 13] ^= 1; /* of its check sum */
    check_refused(file, "(libpng: IDAT: CRC error)");
    blob_free(&file);
    ck_assert_int_eq(tg_png_read(context, in_folder(folder, "none"), &array, message), TG_ERROR_IO);
    ck_assert_int_eq(tg_png_read(context, folder, &array, message), TG_ERROR_IO);
}
END_TEST

static blob some_file(void)
{
    png_options options = {4, 3, 8, 3, .palette = BYTES("\0\0\0\1\1\1\2\2\2"), .transparency = BYTES("\0\1")};
    return png_file(options, BYTES("\0\0\1\2\0\1\0\1\2\0\2\0\1\2\0"));
}

START_TEST(damaged_files_do_no_harm)
{
    blob whole = some_file();
    int fine = 0;
    for (uint32_t i = 0; i < 3000; i++) {
        uint32_t state[4] = {i * 2654435761u, i * 40503u + 7, i * 69069u + 1, i};
        blob other = damaged(whole, (uint32_t[]){state[0] >> 16, state[1] >> 4, state[2], state[3]});
        tg_status status = read_blob(other);
        ck_assert(status == TG_OK || (status == TG_ERROR_FORMAT && *message && !array.data));
        fine += status == TG_OK;
        blob_free(&other);
    }
    blob_free(&whole);
    ck_assert_int_gt(fine, 0);
    ck_assert_int_lt(fine, 3000);
}
END_TEST

static size_t peak_of_reading(blob content, tg_status expected)
{
    size_t peak;
    tg_context *other = harness_context(1);
    const char *path = in_folder(folder, "file");
    write_file(path, content);
    ck_assert_msg(tg_png_read(other, path, &array, message) == expected, "%s", message);
    tg_byte_array_free(&array);
    tg_context_memory(other, &peak);
    tg_context_free(other);
    return peak;
}

/* Of an image with one pixel, whose first chunk after the header is of a length that the file does not have. */
START_TEST(no_chunk_is_believed_its_length)
{
    static const char *const kinds[] = {"eXIf", "sPLT", "iCCP", "zTXt", "tEXt", "iTXt", "pCAL",
                                        "hIST", "PLTE", "tRNS", "abCd", "IDAT", "ABCD"};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        blob file = png_file((png_options){1, 1, 8, 0}, BYTES("\0\7"));
        file.size = 33; /* the signature and the header */
        blob_add(&file, "\x7f\xff\xff\xf0", 4);
        blob_add(&file, kinds[i], 4);
        blob_add(&file, "abc", 3);
        ck_assert_uint_lt(peak_of_reading(file, TG_ERROR_FORMAT), 32 << 10);
        blob_free(&file);
    }
}
END_TEST

START_TEST(texts_are_not_kept)
{
    static uint8_t text[1000] = "key\0\0";
    blob image = png_file((png_options){1, 1, 8, 0}, BYTES("\0\7")), file = {0};
    blob_add(&file, image.data, 33);
    for (int i = 0; i < 3000; i++)
        png_chunk(&file, i % 2 ? "zTXt" : "tEXt", (blob){text, sizeof text});
    blob_add(&file, image.data + 33, image.size - 33);
    ck_assert_uint_lt(peak_of_reading(file, TG_OK), 32 << 10);
    blob_free(&image);
    blob_free(&file);
}
END_TEST

/* Each allocation fails in turn, libpng's too. */
START_TEST(out_of_memory_is_an_error)
{
    failing_allocator memory = {0};
    tg_context_options options = harness_options();
    options.threads = 1;
    options.allocator = failing_allocator_interface(&memory);
    tg_context *failing = tg_context_new(options);
    ck_assert_ptr_nonnull(failing);
    const char *path = in_folder(folder, "file");
    blob file = some_file();
    write_file(path, file);
    blob_free(&file);
    tg_status status = TG_ERROR_MEMORY;
    int refused = 0;
    for (; status != TG_OK; refused++) {
        long live = memory.live;
        memory.refuse = memory.requests + refused + 1;
        status = tg_png_read(failing, path, &array, message);
        if (status != TG_OK) {
            ck_assert_msg(status == TG_ERROR_MEMORY && strstr(message, "out of memory"), "%s", message);
            ck_assert_int_eq(memory.live, live);
        }
    }
    ck_assert_int_gt(refused, 4);
    tg_byte_array_free(&array);
    tg_context_free(failing);
}
END_TEST

START_TEST(the_first_bytes_tell_the_format)
{
    tg_image_file image;
    blob file = some_file();
    write_file(in_folder(folder, "any"), file);
    blob_free(&file);
    ck_assert_int_eq(tg_image_file_read(context, in_folder(folder, "any"), &image, message), TG_OK);
    ck_assert(!image.idx && tg_shape_equal(image.images.shape, tg_shape_make(3, (int64_t[]){1, 3, 4})));
    tg_byte_array_free(&image.images);
}
END_TEST

START_TEST(a_build_without_libpng_says_what_to_do)
{
    tg_image_file image;
    blob file = some_file();
    write_file(in_folder(folder, "any"), file);
    blob_free(&file);
    ck_assert_int_eq(tg_image_file_read(context, in_folder(folder, "any"), &image, message), TG_ERROR_IO);
    ck_assert_msg(strstr(message, "any: is a PNG image, and this build has no libpng to read it: install libpng"), "%s", message);
    ck_assert_ptr_null(image.images.data);
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("png_file");
    tcase_add_checked_fixture(tests, setup, teardown);
    if (tg_png_available()) {
        tcase_add_test(tests, greys_of_every_depth);
        tcase_add_test(tests, colours_become_their_luminance);
        tcase_add_test(tests, what_is_transparent_lies_on_white);
        tcase_add_test(tests, interlaced_images_come_out_in_order);
        tcase_add_test(tests, what_is_wrong_is_named);
        tcase_add_test(tests, damaged_files_do_no_harm);
        tcase_add_test(tests, no_chunk_is_believed_its_length);
        tcase_add_test(tests, texts_are_not_kept);
        tcase_add_test(tests, out_of_memory_is_an_error);
        tcase_add_test(tests, the_first_bytes_tell_the_format);
    } else {
        tcase_add_test(tests, a_build_without_libpng_says_what_to_do);
    }
    return harness_run("png_file", tests);
}
