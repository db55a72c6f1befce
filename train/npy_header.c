#include "train/npy_header.h"

#include <string.h>

#include "train/file_kind.h"

/* What NumPy writes is 118 bytes for these arrays; this leaves room for other writers' padding. */
#define MAX_HEADER 4096

/* A .npy header is a Python dict: {'descr': '|u1', 'fortran_order': False, 'shape': (60000, 28, 28), } */
typedef struct npy_parser {
    const char *at, *end;
} npy_parser;

/* Where each key's value stands; NULL while it is missing. */
typedef struct npy_places {
    const char *descr, *order, *shape;
} npy_places;

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
static bool parse_header(npy_parser *parser, tg_npy_header *header, npy_places *places)
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
            seen = &places->descr;
            good = take_string(parser, header->descr, sizeof header->descr);
        } else if (!strcmp(key, "fortran_order")) {
            seen = &places->order;
            good = take_bool(parser, &header->fortran_order);
        } else if (!strcmp(key, "shape")) {
            seen = &places->shape;
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
    return parser->at == parser->end && places->descr && places->order && places->shape;
}

tg_status tg_npy_header_read(tg_stream *stream, tg_npy_header *header)
{
    uint8_t start[10], more[2] = {0};
    char text[MAX_HEADER];
    tg_status status = tg_stream_read(stream, start, sizeof start, "the beginning of an .npy file");
    if (status != TG_OK)
        return status;
    bool sound = !memcmp(start, "\x93NUMPY", 6) && start[6] >= 1 && start[6] <= 3;
    if (!sound && stream->coding == TG_CODING_STORED && !stream->entry)
        status = tg_stream_refuse_kind(stream, TG_FILE_NPY, "an .npy file");
    if (status != TG_OK)
        return status;
    if (!sound)
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
    npy_parser parser = {.at = text, .end = text + bytes};
    npy_places places = {0};
    *header = (tg_npy_header){0};
    if (!parse_header(&parser, header, &places))
        return tg_stream_fail(stream, text_byte + (parser.at - text),
                              "expected a dict with 'descr', 'fortran_order' and 'shape', found something else");
    header->descr_byte = text_byte + (places.descr - text);
    header->order_byte = text_byte + (places.order - text);
    header->shape_byte = text_byte + (places.shape - text);
    return TG_OK;
}
