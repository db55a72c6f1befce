#include "train/file_kind.h"

#include "data_files.h"
#include "harness.h"
#include "train/csv.h"
#include "train/image_file.h"
#include "train/mnist.h"
#include "train/npy.h"
#include "train/npz.h"
#include "train/safetensors.h"

static char folder[256], message[TG_MESSAGE_SIZE];
static tg_context *context;

static void setup(void) { context = begin_in_folder(folder); }
static void teardown(void) { end_in_folder(folder, context); }

/* The beginnings of files as programs write them, and what they are said to be. Zero bytes follow where a file is not text. */
typedef struct beginning {
    tg_file_kind kind;
    const char *bytes;
    size_t count, zeros;
    const char *name;
} beginning;

#define BEGIN(kind, bytes, zeros, name)             \
    {                                               \
        kind, bytes, sizeof(bytes) - 1, zeros, name \
    }
static const beginning beginnings[] = {
    BEGIN(TG_FILE_EMPTY, "", 0, "an empty file"),
    BEGIN(TG_FILE_TEXT, "label,pixel0\r\n1,\xC3\xA4\n", 0, "text"),
    BEGIN(TG_FILE_UTF16,
          "\xff\xfe"
          "a\0,\0b\0\n\0",
          0, "text in UTF-16"),
    BEGIN(TG_FILE_ZIP, "PK\x03\x04\x14", 100, "a zip archive, as .npz, .keras, .pt and .xlsx files are"),
    BEGIN(TG_FILE_GZIP, "\x1f\x8b\x08", 50, "a file packed by gzip"),
    BEGIN(TG_FILE_PACKED, "\x28\xb5\x2f\xfd", 50, "a packed file"),
    BEGIN(TG_FILE_PACKED, "\xfd\x37zXZ\0", 50, "a packed file"),
    BEGIN(TG_FILE_IDX, "\0\0\x08\x03\0\0\0\1\0\0\0\x1c\0\0\0\x1c", 783, "an IDX file"),
    BEGIN(TG_FILE_NPY, "\x93NUMPY\1\0\x46\0{'descr': '|u1'", 50, "an .npy file"),
    BEGIN(TG_FILE_SAFETENSORS, "\x08\0\0\0\0\0\0\0{\"a\":{}}", 9, "a safetensors file"),
    BEGIN(TG_FILE_HDF5, "\x89HDF\r\n\x1a\n", 50, "an HDF5 file"),
    BEGIN(TG_FILE_PICKLE, "\x80\x02}q\0.", 50, "a Python pickle"),
    BEGIN(TG_FILE_PARQUET, "PAR1", 50, "a Parquet file"),
    BEGIN(TG_FILE_PNG, "\x89PNG\r\n\x1a\n", 50, "a PNG picture"),
    BEGIN(TG_FILE_PNM, "P6\n2 2\n255\n", 12, "a PNM picture"),
    BEGIN(TG_FILE_JPEG, "\xff\xd8\xff\xe0", 50, "a JPEG picture"),
    BEGIN(TG_FILE_PICTURE, "GIF89a", 50, "a picture of another kind"),
    BEGIN(TG_FILE_PICTURE, "RIFF\0\0\0\0WEBPVP8 ", 50, "a picture of another kind"),
    BEGIN(TG_FILE_PDF, "%PDF-1.7\n", 50, "a PDF file"),
    BEGIN(TG_FILE_PROGRAM,
          "\x7f"
          "ELF",
          50, "a program"),
    BEGIN(TG_FILE_UNKNOWN, "\1\2\3\4\5\6\7\x0e", 50, NULL),
};
enum { BEGINNINGS = sizeof beginnings / sizeof *beginnings };

static blob content_of(const beginning *b)
{
    blob content = {0};
    blob_add(&content, b->bytes, b->count);
    for (size_t i = 0; i < b->zeros; i++)
        blob_u8(&content, 0);
    return content;
}

START_TEST(kinds_are_told_by_their_first_bytes)
{
    static uint8_t tar[TG_FILE_KIND_BYTES] = "folder/file";
    for (int i = 0; i < BEGINNINGS; i++) {
        blob content = content_of(&beginnings[i]);
        tg_file_kind kind = tg_file_kind_of(content.data, content.size < TG_FILE_KIND_BYTES ? content.size : TG_FILE_KIND_BYTES);
        const char *name = tg_file_kind_name(kind);
        ck_assert_msg(kind == beginnings[i].kind, "%d is taken for %s", i, name ? name : "nothing");
        ck_assert(name ? strcmp(name, beginnings[i].name) == 0 : !beginnings[i].name);
        blob_free(&content);
    }
    memcpy(tar + 257, "ustar", sizeof "ustar");
    ck_assert_int_eq(tg_file_kind_of(tar, sizeof tar), TG_FILE_TAR);
    ck_assert_int_eq(tg_file_kind_of(tar, sizeof tar - 4), TG_FILE_UNKNOWN);
    for (size_t count = 1; count < 4; count++)
        ck_assert_int_ne(tg_file_kind_of((const uint8_t *)"\x89PNG\r\n\x1a\n", count), TG_FILE_PNG);
}
END_TEST

typedef tg_status reader(const char *path);

static tg_status read_data(const char *path)
{
    tg_mnist data;
    return tg_mnist_load(context, path, 1, &data, message);
}

static tg_status read_npz(const char *path)
{
    tg_byte_array array;
    return tg_npz_read(context, path, (tg_wanted_array){.what = "x", .name = "x", .shape = TG_SHAPE(-1)}, &array, message);
}

static tg_status read_npy(const char *path)
{
    tg_array array;
    return tg_npy_read(context, path, NULL, &array, message);
}

static tg_status read_weights(const char *path)
{
    tg_status status;
    tg_safetensors_close(tg_safetensors_open(context, path, &status, message));
    return status;
}

static tg_status read_image(const char *path)
{
    tg_image_file file;
    return tg_image_file_read(context, path, &file, message);
}

static tg_status read_table(const char *path)
{
    tg_csv csv;
    return tg_csv_read(context, path, (tg_csv_options){0}, &csv, message);
}

/* Each reader refuses each kind but its own by a sentence with both. Kinds that it looks into itself are left out. */
START_TEST(other_kinds_are_refused_by_name)
{
    static const struct {
        reader *read;
        const char *expected;
        uint32_t others; /* kinds that the reader looks into itself */
    } readers[] = {
        {read_data, "expected a folder with MNIST's four IDX files or mnist.npz, or an .npz file, found ", 1u << TG_FILE_ZIP},
        {read_npz, "expected an .npz file (zip), found ", 1u << TG_FILE_ZIP},
        {read_npy, "expected an .npy file, found ", 1u << TG_FILE_NPY | 1u << TG_FILE_GZIP | 1u << TG_FILE_EMPTY},
        {read_weights, "expected a safetensors file (tools/import_weights makes one of Keras's and PyTorch's), found ",
         1u << TG_FILE_SAFETENSORS},
        {read_image, "expected an image as PNG, PGM (P2 or P5) or IDX, found ",
         1u << TG_FILE_PNG | 1u << TG_FILE_IDX | 1u << TG_FILE_GZIP | 1u << TG_FILE_EMPTY},
        {read_table, "expected text in UTF-8, found ", 1u << TG_FILE_TEXT | 1u << TG_FILE_EMPTY},
    };
    for (size_t r = 0; r < sizeof readers / sizeof *readers; r++) {
        for (int i = 0; i < BEGINNINGS; i++) {
            const char *path = in_folder(folder, "file");
            blob content = content_of(&beginnings[i]);
            write_file(path, content);
            blob_free(&content);
            ck_assert_int_eq(readers[r].read(path), TG_ERROR_FORMAT);
            ck_assert_msg(strncmp(message, path, strlen(path)) == 0, "%s", message);
            char sentence[300];
            snprintf(sentence, sizeof sentence, ": %s%s", readers[r].expected, beginnings[i].name ? beginnings[i].name : "a");
            bool told = strstr(message, sentence) != NULL, own = readers[r].others >> beginnings[i].kind & 1;
            ck_assert_msg(told == (!own && beginnings[i].name), "reader %d, %s: %s", (int)r, beginnings[i].name, message);
        }
    }
}
END_TEST

START_TEST(a_part_of_the_data_set_is_told_where_to_go)
{
    for (int i = 0; i < BEGINNINGS; i++) {
        bool part = beginnings[i].kind == TG_FILE_IDX || beginnings[i].kind == TG_FILE_GZIP;
        blob content = content_of(&beginnings[i]);
        write_file(in_folder(folder, "file"), content);
        blob_free(&content);
        ck_assert_int_eq(read_data(in_folder(folder, "file")), TG_ERROR_FORMAT);
        ck_assert_msg((strstr(message, ": name the folder that it lies in") != NULL) == part, "%s", message);
    }
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("file_kind");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, kinds_are_told_by_their_first_bytes);
    tcase_add_test(tests, other_kinds_are_refused_by_name);
    tcase_add_test(tests, a_part_of_the_data_set_is_told_where_to_go);
    return harness_run("file_kind", tests);
}
