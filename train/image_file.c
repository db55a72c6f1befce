#include "train/image_file.h"

#include <string.h>

#include "train/file_kind.h"
#include "train/idx.h"
#include "train/pgm.h"
#include "train/png_file.h"

typedef tg_status picture_reader(tg_context *context, const char *path, tg_byte_array *array, char *message);

static tg_status read_picture(picture_reader *read, tg_context *context, const char *path, tg_image_file *file, char *message)
{
    tg_status status = read(context, path, &file->images, message);
    tg_shape shape = file->images.shape;
    if (status == TG_OK)
        file->images.shape = tg_shape_make(3, (int64_t[]){1, shape.dims[0], shape.dims[1]});
    return status;
}

static tg_status read_idx(tg_context *context, const char *path, tg_image_file *file, char *message)
{
    tg_wanted_array wanted = {.what = "images", .name = "images", .shape = {3, {-1, -1, -1}}, .maximum = UINT8_MAX};
    file->idx = true;
    return tg_idx_read(context, path, wanted, &file->images, message);
}

static tg_status refuse(tg_stream *stream, const uint8_t magic[2])
{
    static const char expected[] = "an image as PNG, PGM (P2 or P5) or IDX";
    tg_status status = tg_stream_refuse_kind(stream, TG_FILE_UNKNOWN, expected);
    return status == TG_OK ? tg_stream_fail_raw(stream, 0, "expected %s, found 0x%02x%02x", expected, magic[0], magic[1])
                           : status;
}

tg_status tg_image_file_read(tg_context *context, const char *path, tg_image_file *file, char *message)
{
    static const uint8_t gzip[] = {0x1f, 0x8b}, png[] = {0x89, 'P'};
    uint8_t magic[2];
    tg_stream stream;
    *file = (tg_image_file){.idx = false};
    tg_status status = tg_stream_open_raw(&stream, context, path, message);
    if (status == TG_OK)
        status = tg_stream_bytes_at(&stream, 0, magic, sizeof magic, "an image (PNG, PGM or IDX)");
    if (status == TG_OK && magic[0] == 'P' && (magic[1] == '2' || magic[1] == '5'))
        status = read_picture(tg_pgm_read, context, path, file, message);
    else if (status == TG_OK && memcmp(magic, png, sizeof magic) == 0)
        status = read_picture(tg_png_read, context, path, file, message);
    else if (status == TG_OK && ((magic[0] == 0 && magic[1] == 0) || memcmp(magic, gzip, sizeof magic) == 0))
        status = read_idx(context, path, file, message);
    else if (status == TG_OK)
        status = refuse(&stream, magic);
    tg_stream_close(&stream);
    return status;
}
