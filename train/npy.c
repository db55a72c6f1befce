#include "train/npy.h"

#include <inttypes.h>
#include <string.h>

#include "train/npy_header.h"
#include "train/zip.h"

static const struct {
    const char *descr;
    tg_dtype dtype;
} dtypes[] = {{"<f4", TG_F32}, {"<f8", TG_F64}, {"<i4", TG_I32}, {"|u1", TG_U8}, {"u1", TG_U8}, {"|b1", TG_U8}};

static bool find_dtype(const char *descr, tg_dtype *dtype)
{
    for (size_t i = 0; i < sizeof dtypes / sizeof *dtypes; i++) {
        if (!strcmp(descr, dtypes[i].descr)) {
            *dtype = dtypes[i].dtype;
            return true;
        }
    }
    return false;
}

/* What the header announces, if it is an array that a tensor can hold. */
static tg_status read_type(tg_stream *stream, tg_type *type)
{
    tg_npy_header header;
    char shape[200];
    tg_status status = tg_npy_header_read(stream, &header);
    if (status != TG_OK)
        return status;
    if (!find_dtype(header.descr, &type->dtype))
        return tg_stream_fail(stream, header.descr_byte, "expected '<f4', '<f8', '<i4' or '|u1' (use astype), found '%s'",
                              header.descr);
    if (!tg_shape_valid(header.shape) || tg_shape_count(header.shape) > INT64_MAX / 16)
        return tg_stream_fail(stream, header.shape_byte, "expected a shape of fewer than 2^59 elements, found %s",
                              tg_shape_text(header.shape, shape, sizeof shape));
    if (header.fortran_order && header.shape.rank > 1)
        return tg_stream_fail(stream, header.order_byte, "expected 'fortran_order' False (use ascontiguousarray), found True");
    type->shape = header.shape;
    return TG_OK;
}

/* The rest of the stream must be the values and nothing more. */
static tg_status read_values(tg_stream *stream, tg_type type, tg_array *array)
{
    int64_t bytes = tg_type_bytes(type);
    tg_status status = tg_stream_prove(stream, bytes, "values");
    if (status != TG_OK)
        return status;
    void *values = (uint64_t)bytes <= SIZE_MAX ? tg_allocate(stream->context, (size_t)bytes) : NULL;
    if (!values)
        return tg_file_fail(stream->message, TG_ERROR_MEMORY, stream->path, "out of memory for %" PRId64 " bytes of values",
                            bytes);
    if (bytes)
        status = tg_stream_read(stream, values, (size_t)bytes, "values");
    if (status == TG_OK)
        status = tg_stream_finish(stream);
    if (status == TG_OK)
        *array = (tg_array){.type = type, .values = values};
    else
        tg_release(stream->context, values, (size_t)bytes);
    return status;
}

static tg_status enter_member(tg_stream *stream, tg_context *context, const char *name)
{
    size_t size = strlen(name) + sizeof ".npy";
    char *member = tg_allocate(context, size);
    if (!member)
        return tg_file_fail(stream->message, TG_ERROR_MEMORY, stream->path, "out of memory");
    snprintf(member, size, "%s.npy", name);
    tg_status status = tg_zip_enter(stream, member);
    stream->entry = status == TG_OK ? name : NULL;
    tg_release(context, member, size);
    return status;
}

tg_status tg_npy_read(tg_context *context, const char *path, const char *name, tg_array *array, char *message)
{
    tg_stream stream;
    tg_type type = {.dtype = TG_F32};
    *array = (tg_array){0};
    tg_status status =
        name ? tg_stream_open_raw(&stream, context, path, message) : tg_stream_open(&stream, context, path, message);
    if (status == TG_OK && name)
        status = enter_member(&stream, context, name);
    if (status == TG_OK)
        status = read_type(&stream, &type);
    if (status == TG_OK)
        status = read_values(&stream, type, array);
    tg_stream_close(&stream);
    array->name = status == TG_OK ? name : NULL;
    return status;
}

void tg_npy_free(tg_context *context, tg_array *array)
{
    if (array->values)
        tg_release(context, (void *)array->values, (size_t)tg_type_bytes(array->type));
    *array = (tg_array){0};
}
