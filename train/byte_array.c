#include "train/byte_array.h"

#include <inttypes.h>

#include "train/byte_array_load.h"

void tg_byte_array_free(tg_byte_array *array)
{
    if (!array || !array->data)
        return;
    tg_release(array->context, array->data, (size_t)tg_shape_count(array->shape));
    *array = (tg_byte_array){0};
}

int tg_byte_array_wrong_axis(tg_shape found, tg_wanted_array wanted)
{
    if (found.rank != wanted.shape.rank)
        return 0;
    for (int axis = 0; axis < found.rank; axis++) {
        int64_t extent = wanted.shape.dims[axis];
        if (extent < 0 ? found.dims[axis] < 1 : found.dims[axis] != extent)
            return axis;
    }
    return tg_shape_valid(found) ? -1 : 0;
}

/* "[60000, 28, 28]", with n for any extent. */
static void shape_text(tg_shape shape, char *text, size_t size)
{
    size_t used = 0;
    for (int axis = 0; axis < shape.rank && used < size; axis++) {
        const char *before = axis ? ", " : "[";
        int more = shape.dims[axis] < 0 ? snprintf(text + used, size - used, "%sn", before)
                                        : snprintf(text + used, size - used, "%s%" PRId64, before, shape.dims[axis]);
        used += (size_t)more;
    }
    if (used < size)
        snprintf(text + used, size - used, shape.rank ? "]" : "[]");
}

tg_status tg_byte_array_fail_shape(const tg_stream *stream, int64_t byte, tg_shape found, tg_wanted_array wanted)
{
    char wanted_text[96], found_text[96];
    shape_text(wanted.shape, wanted_text, sizeof wanted_text);
    shape_text(found, found_text, sizeof found_text);
    return tg_stream_fail(stream, byte, "expected the shape %s of %s, found %s", wanted_text, wanted.what, found_text);
}

/* All values were just read, so the last is the byte before the stream's position. */
static tg_status check_values(const tg_stream *stream, const uint8_t *data, int64_t count, tg_wanted_array wanted)
{
    for (int64_t i = 0; i < count && wanted.maximum < UINT8_MAX; i++)
        if (data[i] > wanted.maximum)
            return tg_stream_fail(stream, stream->position - count + i,
                                  "expected %s from 0 to %d, found %d in row %" PRId64 " (from 0)", wanted.what, wanted.maximum,
                                  data[i], i);
    return TG_OK;
}

tg_status tg_byte_array_load(tg_stream *stream, tg_shape shape, tg_wanted_array wanted, tg_byte_array *array)
{
    int64_t count = tg_shape_count(shape);
    tg_status status = tg_stream_prove(stream, count, wanted.what);
    if (status != TG_OK)
        return status;
    uint8_t *data = (uint64_t)count <= SIZE_MAX ? tg_allocate(stream->context, (size_t)count) : NULL;
    if (!data)
        return tg_file_fail(stream->message, TG_ERROR_MEMORY, stream->path, "out of memory for %" PRId64 " bytes of %s", count,
                            wanted.what);
    status = tg_stream_read(stream, data, (size_t)count, wanted.what);
    if (status == TG_OK)
        status = tg_stream_finish(stream);
    if (status == TG_OK)
        status = check_values(stream, data, count, wanted);
    if (status == TG_OK)
        *array = (tg_byte_array){.context = stream->context, .shape = shape, .data = data};
    else
        tg_release(stream->context, data, (size_t)count);
    return status;
}
