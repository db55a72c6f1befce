#include "train/png_file.h"

#include "train/stream.h"

#ifdef TG_HAVE_PNG

#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#include <png.h>

#define CHANNELS 4 /* as libpng is asked to give each pixel: red, green, blue, opacity */

/* A file that is read. libpng leaves by longjmp() what goes wrong; nothing but this struct is alive then. */
typedef struct reader {
    tg_stream stream;
    tg_byte_array array;
    png_structp png;
    png_infop info;
    uint8_t *row; /* of one pass */
    int64_t columns, rows;
    int64_t position; /* of the next byte */
    tg_status status; /* of what failed on this side of libpng */
    bool out_of_memory;
    char reason[128]; /* libpng's words, or the status's are in the message */
} reader;

bool tg_png_available(void) { return true; }

/* ---- what libpng asks for ---- */

/* libpng frees without a size, and the context wants one: it stands before each block, in a line of its own for the alignment. */
#define SIZE_LINE 64

static png_voidp allocate(png_structp png, png_alloc_size_t size)
{
    reader *r = png_get_mem_ptr(png);
    size_t bytes = SIZE_LINE + (size_t)size;
    unsigned char *block = size <= SIZE_MAX - SIZE_LINE ? tg_allocate(r->stream.context, bytes) : NULL;
    r->out_of_memory = !block;
    if (!block)
        return NULL;
    memcpy(block, &bytes, sizeof bytes);
    return block + SIZE_LINE;
}

static void release(png_structp png, png_voidp memory)
{
    reader *r = png_get_mem_ptr(png);
    if (!memory)
        return;
    unsigned char *block = (unsigned char *)memory - SIZE_LINE;
    size_t bytes;
    memcpy(&bytes, block, sizeof bytes);
    tg_release(r->stream.context, block, bytes);
}

static void on_error(png_structp png, png_const_charp reason)
{
    reader *r = png_get_error_ptr(png);
    snprintf(r->reason, sizeof r->reason, "%s", reason);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp reason)
{
    (void)png;
    (void)reason;
}

static void give_bytes(png_structp png, png_bytep to, size_t bytes)
{
    reader *r = png_get_io_ptr(png);
    r->status = tg_stream_bytes_at(&r->stream, r->position, to, bytes, "more of a PNG image");
    if (r->status != TG_OK)
        png_longjmp(png, 1);
    r->position += (int64_t)bytes;
}

/* ---- the image ---- */

/* Whether so many pixels can be in the file: deflate packs TG_INFLATE_RATIO bytes into one at most. */
static tg_status check_size(reader *r, int64_t row_bytes)
{
    int64_t bytes = row_bytes * r->rows;
    if (r->columns > TG_PNG_EXTENT || r->rows > TG_PNG_EXTENT)
        return tg_stream_fail_raw(&r->stream, 16, "expected at most %dx%d pixels, found %lldx%lld", TG_PNG_EXTENT, TG_PNG_EXTENT,
                                  (long long)r->rows, (long long)r->columns);
    if (bytes / TG_INFLATE_RATIO > r->stream.file_bytes)
        return tg_stream_fail_raw(&r->stream, 16, "expected %lldx%lld pixels, which %lld bytes of a file cannot hold",
                                  (long long)r->rows, (long long)r->columns, (long long)r->stream.file_bytes);
    if (r->rows * r->columns > tg_stream_budget(&r->stream))
        return tg_stream_fail_raw(&r->stream, 16,
                                  "%lldx%lld pixels are more than a packed file of %lld bytes may become: convert it to PGM, or "
                                  "raise tg_context_options.file_bytes",
                                  (long long)r->rows, (long long)r->columns, (long long)r->stream.file_bytes);
    return TG_OK;
}

static bool make_room(reader *r)
{
    tg_context *context = r->stream.context;
    r->array = (tg_byte_array){context, tg_shape_make(2, (int64_t[]){r->rows, r->columns}), NULL};
    r->array.data = tg_allocate_zero(context, (size_t)(r->rows * r->columns));
    r->row = tg_allocate(context, (size_t)r->columns * CHANNELS);
    if (r->array.data && r->row)
        return true;
    r->status = tg_file_fail(r->stream.message, TG_ERROR_MEMORY, r->stream.path, "out of memory for %lldx%lld pixels",
                             (long long)r->rows, (long long)r->columns);
    return false;
}

static void take_header(reader *r)
{
    png_read_info(r->png, r->info);
    r->columns = png_get_image_width(r->png, r->info);
    r->rows = png_get_image_height(r->png, r->info);
    r->status = check_size(r, (int64_t)png_get_rowbytes(r->png, r->info));
    if (r->status != TG_OK || !make_room(r))
        png_longjmp(r->png, 1);
    png_set_expand(r->png);
    png_set_scale_16(r->png);
    png_set_gray_to_rgb(r->png);
    png_set_add_alpha(r->png, 255, PNG_FILLER_AFTER);
    png_start_read_image(r->png);
}

static uint8_t grey_on_white(const uint8_t pixel[CHANNELS])
{
    int luminance = 2126 * pixel[0] + 7152 * pixel[1] + 722 * pixel[2]; /* in 10,000ths */
    return (uint8_t)((luminance * pixel[3] + 2550000 * (255 - pixel[3]) + 1275000) / 2550000);
}

/* An interlaced image comes in seven passes, each of every so many pixels of every so many rows. */
static void take_pass(reader *r, int pass, bool interlaced)
{
    int64_t rows = interlaced ? PNG_PASS_ROWS(r->rows, pass) : r->rows;
    int64_t columns = interlaced ? PNG_PASS_COLS(r->columns, pass) : r->columns;
    for (int64_t row = 0; row < rows && columns > 0; row++) {
        uint8_t *to = r->array.data + (interlaced ? PNG_ROW_FROM_PASS_ROW(row, pass) : row) * r->columns;
        png_read_row(r->png, r->row, NULL);
        for (int64_t i = 0; i < columns; i++)
            to[interlaced ? PNG_COL_FROM_PASS_COL(i, pass) : i] = grey_on_white(r->row + i * CHANNELS);
    }
}

/* Everything during which libpng may jump. */
static bool take_image(reader *r)
{
    if (setjmp(png_jmpbuf(r->png)))
        return false;
    png_set_read_fn(r->png, r, give_bytes);
    png_set_user_limits(r->png, PNG_UINT_31_MAX, PNG_UINT_31_MAX); /* check_size() is stricter, and has a better sentence */
    /* Chunks that decide no pixel are passed over, whatever they say of their length, packed or not. */
    png_set_keep_unknown_chunks(r->png, PNG_HANDLE_CHUNK_NEVER, NULL, -1);
    png_set_crc_action(r->png, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
    take_header(r);
    bool interlaced = png_get_interlace_type(r->png, r->info) == PNG_INTERLACE_ADAM7;
    for (int pass = 0; pass < (interlaced ? PNG_INTERLACE_ADAM7_PASSES : 1); pass++)
        take_pass(r, pass, interlaced);
    png_read_end(r->png, NULL);
    return true;
}

static tg_status failure(reader *r)
{
    if (r->status != TG_OK)
        return r->status;
    if (r->out_of_memory)
        return tg_file_fail(r->stream.message, TG_ERROR_MEMORY, r->stream.path, "out of memory for a PNG image");
    return tg_stream_fail_raw(&r->stream, r->position, "expected a sound PNG image, found it damaged (libpng: %s)", r->reason);
}

static tg_status read_image(reader *r)
{
    r->png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, r, on_error, on_warning, r, allocate, release);
    r->info = r->png ? png_create_info_struct(r->png) : NULL;
    bool good = r->info && take_image(r);
    if (!good && !r->info)
        r->out_of_memory = r->out_of_memory || !*r->reason;
    tg_status status = good ? TG_OK : failure(r);
    if (r->row)
        tg_release(r->stream.context, r->row, (size_t)r->columns * CHANNELS);
    if (r->png)
        png_destroy_read_struct(&r->png, &r->info, NULL);
    return status;
}

tg_status tg_png_read(tg_context *context, const char *path, tg_byte_array *array, char *message)
{
    reader r = {.png = NULL};
    *array = (tg_byte_array){0};
    tg_status status = tg_stream_open_raw(&r.stream, context, path, message);
    if (status == TG_OK)
        status = read_image(&r);
    if (status == TG_OK)
        *array = r.array;
    else
        tg_byte_array_free(&r.array);
    tg_stream_close(&r.stream);
    return status;
}

#else /* without libpng */

bool tg_png_available(void) { return false; }

tg_status tg_png_read(tg_context *context, const char *path, tg_byte_array *array, char *message)
{
    (void)context;
    *array = (tg_byte_array){0};
    return tg_file_fail(
        message, TG_ERROR_IO, path,
        "is a PNG image, and this build has no libpng to read it: install libpng (Debian, Ubuntu: libpng-dev) and "
        "build again with meson setup --reconfigure, or convert it to PGM");
}

#endif
