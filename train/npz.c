#include "train/npz.h"

#include <string.h>

#include "train/byte_array_load.h"
#include "train/zip.h"

/* What NumPy writes is 118 bytes for these arrays; this leaves room for other writers' padding. */
#define MAX_HEADER 4096

/* A .npy header is a Python dict: {'descr': '|u1', 'fortran_order': False, 'shape': (60000, 28, 28), } */
typedef struct npy_parser {
    const char *text, *at, *end;
} npy_parser;

typedef struct npy_header {
    char descr[16];
    bool fortran_order;
    tg_shape shape;
    const char *descr_at, *order_at, *shape_at; /* NULL while a key is missing */
} npy_header;

static void skip_space(npy_parser *parser)
{
    while (parser->at < parser->end && (*parser->at == ' ' || *parser->at == '\n' || *parser->at == '\t'))
        parser->at++;
}

static bool take(npy_parser *parser, const char *token)
{
    skip_space(parser);
    size_t length = strlen(token);
    if ((size_t)(parser->end - parser->at) < length || memcmp(parser->at, token, length))
        return false;
    parser->at += length;
    return true;
}

static bool take_string(npy_parser *parser, char *string, size_t size)
{
    skip_space(parser);
    if (parser->at == parser->end || (*parser->at != '\'' && *parser->at != '"'))
        return false;
    const char *start = parser->at + 1;
    const char *close = memchr(start, *parser->at, (size_t)(parser->end - start));
    if (!close || (size_t)(close - start) >= size)
        return false;
    memcpy(string, start, (size_t)(close - start));
    string[close - start] = '\0';
    parser->at = close + 1;
    return true;
}

static bool take_bool(npy_parser *parser, bool *value)
{
    *value = take(parser, "True");
    return *value || take(parser, "False");
}

static bool take_extent(npy_parser *parser, int64_t *value)
{
    skip_space(parser);
    const char *start = parser->at;
    for (*value = 0; parser->at < parser->end && *parser->at >= '0' && *parser->at <= '9'; parser->at++) {
        if (*value > INT64_MAX / 10 - 1)
            return false;
        *value = *value * 10 + (*parser->at - '0');
    }
    bool any = parser->at > start;
    take(parser, "L"); /* Python 2 wrote its long integers so */
    return any;
}

static bool take_shape(npy_parser *parser, tg_shape *shape)
{
    int64_t dims[TG_MAX_RANK];
    int rank = 0;
    if (!take(parser, "("))
        return false;
    while (!take(parser, ")")) {
        if (rank == TG_MAX_RANK || !take_extent(parser, &dims[rank++]))
            return false;
        if (!take(parser, ",")) {
            if (!take(parser, ")"))
                return false;
            break;
        }
    }
    *shape = tg_shape_make(rank, dims);
    return true;
}

/* Each key once, in any order. On failure parser->at is where. */
static bool parse_header(npy_parser *parser, npy_header *header)
{
    char key[16];
    if (!take(parser, "{"))
        return false;
    while (!take(parser, "}")) {
        if (!take_string(parser, key, sizeof key) || !take(parser, ":"))
            return false;
        skip_space(parser);
        const char *at = parser->at, **seen = NULL;
        bool good = false;
        if (!strcmp(key, "descr")) {
            seen = &header->descr_at;
            good = take_string(parser, header->descr, sizeof header->descr);
        } else if (!strcmp(key, "fortran_order")) {
            seen = &header->order_at;
            good = take_bool(parser, &header->fortran_order);
        } else if (!strcmp(key, "shape")) {
            seen = &header->shape_at;
            good = take_shape(parser, &header->shape);
        }
        if (!good || *seen)
            return false;
        *seen = at;
        if (!take(parser, ",")) {
            if (!take(parser, "}"))
                return false;
            break;
        }
    }
    skip_space(parser);
    return parser->at == parser->end && header->descr_at && header->order_at && header->shape_at;
}

/* Leaves the stream at the array's first value. */
static tg_status read_npy_header(tg_stream *stream, tg_wanted_array wanted, tg_shape *shape)
{
    uint8_t start[10], more[2] = {0};
    char text[MAX_HEADER];
    tg_status status = tg_stream_read(stream, start, sizeof start, "the beginning of an .npy file");
    if (status != TG_OK)
        return status;
    if (memcmp(start, "\x93NUMPY", 6) || start[6] < 1 || start[6] > 3)
        return tg_stream_fail(stream, 0, "expected the magic number of an .npy file of version 1 to 3, found another");
    if (start[6] > 1)
        status = tg_stream_read(stream, more, sizeof more, "the length of an .npy header");
    if (status != TG_OK)
        return status;
    size_t bytes = start[8] | (size_t)start[9] << 8;
    if (more[0] || more[1] || bytes > MAX_HEADER)
        return tg_stream_fail(stream, 8, "expected an .npy header of %d bytes at most, found a longer one", MAX_HEADER);
    int64_t text_byte = stream->position;
    status = tg_stream_read(stream, text, bytes, "an .npy header");
    if (status != TG_OK)
        return status;
    npy_parser parser = {.text = text, .at = text, .end = text + bytes};
    npy_header header = {0};
    if (!parse_header(&parser, &header))
        return tg_stream_fail(stream, text_byte + (parser.at - text),
                              "expected a dict with 'descr', 'fortran_order' and 'shape', found something else");
    if (strcmp(header.descr, "|u1") && strcmp(header.descr, "u1"))
        return tg_stream_fail(stream, text_byte + (header.descr_at - text), "expected '|u1' (%s as uint8), found '%s'",
                              wanted.what, header.descr);
    int64_t shape_byte = text_byte + (header.shape_at - text);
    if (tg_byte_array_wrong_axis(header.shape, wanted) >= 0)
        return tg_byte_array_fail_shape(stream, shape_byte, header.shape, wanted);
    if (header.fortran_order && header.shape.rank > 1)
        return tg_stream_fail(stream, text_byte + (header.order_at - text), "expected 'fortran_order' False, found True");
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
