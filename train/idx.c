#include "train/idx.h"

#include "train/byte_array_load.h"
#include "train/file_kind.h"

static const char *idx_type_name(uint8_t code)
{
    switch (code) {
    case 0x08: return "u8";
    case 0x09: return "i8";
    case 0x0B: return "i16";
    case 0x0C: return "i32";
    case 0x0D: return "f32";
    case 0x0E: return "f64";
    default: return NULL;
    }
}

/* What an array of this rank may be in a set of pictures, for whoever swapped two files. */
static const char *guess(uint8_t rank) { return rank == 1 ? " (labels?)" : rank == 3 ? " (images?)" : ""; }

/* Reads the magic number: the right rank follows, or an error. */
static tg_status read_magic(tg_stream *stream, tg_wanted_array wanted)
{
    uint8_t magic[4];
    tg_status status = tg_stream_read(stream, magic, sizeof magic, "the magic number of an IDX file");
    if (status != TG_OK)
        return status;
    const char *type = idx_type_name(magic[2]);
    bool sound = !magic[0] && !magic[1] && type && magic[3];
    if (!sound && stream->coding == TG_CODING_STORED)
        status = tg_stream_refuse_kind(stream, TG_FILE_IDX, "an IDX file");
    if (status != TG_OK)
        return status;
    if (!sound)
        return tg_stream_fail(stream, 0, "expected 0x000008%02x (an IDX file of %s), found 0x%02x%02x%02x%02x", wanted.shape.rank,
                              wanted.what, magic[0], magic[1], magic[2], magic[3]);
    if (magic[2] != 0x08)
        return tg_stream_fail(stream, 2, "expected type 0x08 (u8, the only one read here), found 0x%02x (%s)", magic[2], type);
    if (magic[3] != wanted.shape.rank)
        return tg_stream_fail(stream, 3, "expected %d for the number of dimensions, as %s have, found %d%s", wanted.shape.rank,
                              wanted.what, magic[3], guess(magic[3]));
    return TG_OK;
}

static tg_status read_shape(tg_stream *stream, tg_wanted_array wanted, tg_shape *shape)
{
    int64_t dims[TG_MAX_RANK];
    for (int axis = 0; axis < wanted.shape.rank; axis++) {
        uint8_t extent[4];
        tg_status status = tg_stream_read(stream, extent, sizeof extent, "the size of a dimension");
        if (status != TG_OK)
            return status;
        dims[axis] = (int64_t)extent[0] << 24 | (int64_t)extent[1] << 16 | (int64_t)extent[2] << 8 | extent[3];
    }
    *shape = tg_shape_make(wanted.shape.rank, dims);
    int axis = tg_byte_array_wrong_axis(*shape, wanted);
    return axis < 0 ? TG_OK : tg_byte_array_fail_shape(stream, 4 + 4 * axis, *shape, wanted);
}

tg_status tg_idx_read(tg_context *context, const char *path, tg_wanted_array wanted, tg_byte_array *array, char *message)
{
    tg_stream stream;
    tg_shape shape;
    *array = (tg_byte_array){0};
    tg_status status = tg_stream_open(&stream, context, path, message);
    if (status == TG_OK)
        status = read_magic(&stream, wanted);
    if (status == TG_OK)
        status = read_shape(&stream, wanted, &shape);
    if (status == TG_OK)
        status = tg_byte_array_load(&stream, shape, wanted, array);
    tg_stream_close(&stream);
    return status;
}
