#include <inttypes.h>
#include <string.h>

#include "graph/name_map.h"
#include "train/npy.h"
#include "train/stream.h"
#include "train/whole_file.h"

enum {
    NPY_HEADER = 384,   /* more than the longest shape needs */
    NPY_ALIGNMENT = 64, /* of the values in the file */
    GROWTH_DIGITS = 21, /* numpy leaves room for the first extent to grow to so many */
    ZIP_VERSION = 20,
    ZIP_DATE = 1 << 5 | 1, /* 1980-01-01: the same bytes every time */
    ZIP_UTF8 = 1 << 11,
    ZIP_MOST = 65534
};

/* The header of an array, as numpy.save writes it. */
typedef struct npy_header {
    uint8_t bytes[NPY_HEADER];
    size_t size;
} npy_header;

static void make_header(tg_type type, npy_header *header)
{
    static const char *const descr[TG_DTYPE_COUNT] = {[TG_F32] = "<f4", [TG_F64] = "<f8", [TG_I32] = "<i4", [TG_U8] = "|u1"};
    char shape[200] = "", first[32] = "", *text = (char *)header->bytes + 10;
    int at = 0, rank = type.shape.rank;
    for (int i = 0; i < rank; i++)
        at += snprintf(shape + at, sizeof shape - (size_t)at, i ? ", %" PRId64 : "%" PRId64, type.shape.dims[i]);
    int room = rank ? GROWTH_DIGITS - snprintf(first, sizeof first, "%" PRId64, type.shape.dims[0]) : 0;
    at = snprintf(text, NPY_HEADER - 10, "{'descr': '%s', 'fortran_order': False, 'shape': (%s%s), }%*s", descr[type.dtype],
                  shape, rank == 1 ? "," : "", room, "");
    size_t length = (size_t)at, padding = NPY_ALIGNMENT - (10 + length + 1) % NPY_ALIGNMENT;
    memset(text + length, ' ', padding);
    length += padding + 1;
    text[length - 1] = '\n';
    memcpy(header->bytes, "\x93NUMPY\x01", 8);
    header->bytes[8] = (uint8_t)(length & 255);
    header->bytes[9] = (uint8_t)(length >> 8);
    header->size = 10 + length;
}

static void put_values(FILE *out, const npy_header *header, const tg_array *array)
{
    fwrite(header->bytes, 1, header->size, out);
    fwrite(array->values, 1, (size_t)tg_type_bytes(array->type), out);
}

static tg_status write_npy(FILE *out, void *user)
{
    npy_header header;
    const tg_array *array = user;
    make_header(array->type, &header);
    put_values(out, &header, array);
    return ferror(out) ? TG_ERROR_IO : TG_OK;
}

tg_status tg_npy_write(const char *path, tg_array array, char *message)
{
    return tg_write_whole(path, write_npy, &array, message, TG_MESSAGE_SIZE);
}

/* ---- the archive ---- */

typedef struct archive {
    const tg_array *arrays;
    int count;
    uint32_t *crcs; /* [count] */
} archive;

static void put_little(FILE *out, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        fputc((int)(value >> (8 * i) & 255), out);
}

static int64_t member_bytes(const tg_array *array)
{
    npy_header header;
    make_header(array->type, &header);
    return (int64_t)header.size + tg_type_bytes(array->type);
}

/* The fields that a member's own header and its entry in the directory have in common, from the version on. */
static void put_fields(FILE *out, const tg_array *array, uint32_t crc)
{
    bool ascii = true;
    for (const char *c = array->name; *c; c++)
        ascii = ascii && (unsigned char)*c < 0x80;
    put_little(out, ZIP_VERSION, 2);
    put_little(out, ascii ? 0 : ZIP_UTF8, 2);
    put_little(out, 0, 2); /* stored */
    put_little(out, 0, 2); /* at midnight */
    put_little(out, ZIP_DATE, 2);
    put_little(out, crc, 4);
    put_little(out, (uint64_t)member_bytes(array), 4);
    put_little(out, (uint64_t)member_bytes(array), 4);
    put_little(out, strlen(array->name) + 4, 2);
    put_little(out, 0, 2); /* no extra field */
}

/* Returns its bytes. */
static int64_t put_member(FILE *out, const tg_array *array, uint32_t *crc)
{
    npy_header header;
    make_header(array->type, &header);
    *crc = tg_crc32(tg_crc32(0, header.bytes, header.size), array->values, (size_t)tg_type_bytes(array->type));
    fwrite("PK\3\4", 1, 4, out);
    put_fields(out, array, *crc);
    fprintf(out, "%s.npy", array->name);
    put_values(out, &header, array);
    return 30 + (int64_t)strlen(array->name) + 4 + member_bytes(array);
}

/* Returns its bytes. `local`: where the member begins. */
static int64_t put_entry(FILE *out, const tg_array *array, uint32_t crc, int64_t local)
{
    fwrite("PK\1\2", 1, 4, out);
    put_little(out, ZIP_VERSION, 2);
    put_fields(out, array, crc);
    put_little(out, 0, 2 + 2); /* no comment, the first volume */
    put_little(out, 0, 2 + 4); /* no attributes */
    put_little(out, (uint64_t)local, 4);
    fprintf(out, "%s.npy", array->name);
    return 46 + (int64_t)strlen(array->name) + 4;
}

static tg_status write_npz(FILE *out, void *user)
{
    const archive *a = user;
    int64_t start = 0, bytes = 0, local = 0;
    for (int i = 0; i < a->count && !ferror(out); i++)
        start += put_member(out, &a->arrays[i], &a->crcs[i]);
    for (int i = 0; i < a->count && !ferror(out); i++) {
        bytes += put_entry(out, &a->arrays[i], a->crcs[i], local);
        local += 30 + (int64_t)strlen(a->arrays[i].name) + 4 + member_bytes(&a->arrays[i]);
    }
    fwrite("PK\5\6\0\0\0", 1, 8, out);
    put_little(out, (uint64_t)a->count, 2);
    put_little(out, (uint64_t)a->count, 2);
    put_little(out, (uint64_t)bytes, 4);
    put_little(out, (uint64_t)start, 4);
    put_little(out, 0, 2);
    return ferror(out) ? TG_ERROR_IO : TG_OK;
}

/* Without ZIP64 every place must fit 32 bits. */
static tg_status check_arrays(tg_context *context, const char *path, const tg_array *arrays, int count, char *message)
{
    int64_t left = UINT32_MAX;
    tg_name_map names = {0};
    tg_status status = TG_OK;
    for (int i = 0; status == TG_OK && i < count; i++) {
        const char *name = arrays[i].name;
        int64_t needed = 30 + 46 + 2 * ((int64_t)strlen(name) + 4) + NPY_HEADER;
        if (strlen(name) > 60000 || tg_name_map_find(&names, name) >= 0)
            status = tg_file_fail(message, TG_ERROR_ARGUMENT, path, "array %.90s: the name is too long, or appears twice", name);
        else if (i == ZIP_MOST || tg_type_bytes(arrays[i].type) > left - needed)
            status =
                tg_file_fail(message, TG_ERROR_ARGUMENT, path,
                             "array %.90s: an .npz file here has %d arrays and 4 GiB at most; use .npy files", name, ZIP_MOST);
        else if (!tg_name_map_add(&names, context, name, i))
            status = tg_file_fail(message, TG_ERROR_MEMORY, path, "out of memory");
        left -= needed + tg_type_bytes(arrays[i].type);
    }
    tg_name_map_free(&names, context);
    return status;
}

tg_status tg_npz_write(tg_context *context, const char *path, const tg_array *arrays, int count, char *message)
{
    tg_status status = check_arrays(context, path, arrays, count, message);
    if (status != TG_OK)
        return status;
    archive a = {arrays, count, tg_allocate(context, (size_t)count * sizeof *a.crcs)};
    if (!a.crcs)
        return tg_file_fail(message, TG_ERROR_MEMORY, path, "out of memory");
    status = tg_write_whole(path, write_npz, &a, message, TG_MESSAGE_SIZE);
    tg_release(context, a.crcs, (size_t)count * sizeof *a.crcs);
    return status;
}
