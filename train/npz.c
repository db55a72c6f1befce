#include "train/npz.h"

#include <string.h>

#include "train/byte_array_load.h"
#include "train/npy_header.h"
#include "train/zip.h"

/* Leaves the stream at the array's first value. */
static tg_status read_npy_header(tg_stream *stream, tg_wanted_array wanted, tg_shape *shape)
{
    tg_npy_header header;
    tg_status status = tg_npy_header_read(stream, &header);
    if (status != TG_OK)
        return status;
    if (strcmp(header.descr, "|u1") && strcmp(header.descr, "u1"))
        return tg_stream_fail(stream, header.descr_byte, "expected '|u1' (%s as uint8), found '%s'", wanted.what, header.descr);
    if (tg_byte_array_wrong_axis(header.shape, wanted) >= 0)
        return tg_byte_array_fail_shape(stream, header.shape_byte, header.shape, wanted);
    if (header.fortran_order && header.shape.rank > 1)
        return tg_stream_fail(stream, header.order_byte, "expected 'fortran_order' False, found True");
    *shape = header.shape;
    return TG_OK;
}

tg_status tg_npz_read(tg_context *context, const char *path, tg_wanted_array wanted, tg_byte_array *array, char *message)
{
    tg_stream stream;
    tg_shape shape;
    char member[64];
    *array = (tg_byte_array){0};
    int length = wanted.name ? snprintf(member, sizeof member, "%s.npy", wanted.name) : -1;
    if (length < 0 || (size_t)length >= sizeof member)
        return tg_file_fail(message, TG_ERROR_ARGUMENT, path, "an array is read by its name, of up to %d characters",
                            (int)sizeof member - 5);
    tg_status status = tg_stream_open_raw(&stream, context, path, message);
    if (status == TG_OK)
        status = tg_zip_enter(&stream, member);
    if (status == TG_OK)
        status = read_npy_header(&stream, wanted, &shape);
    if (status == TG_OK)
        status = tg_byte_array_load(&stream, shape, wanted, array);
    tg_stream_close(&stream);
    return status;
}
