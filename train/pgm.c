#include "train/pgm.h"

#include "train/stream.h"

#define WINDOW 4096

/* A file that is read byte by byte. */
typedef struct reader {
    tg_stream stream;
    int64_t position; /* of the next byte */
    int64_t first;    /* of the window's first */
    int64_t filled;   /* bytes in the window */
    uint8_t window[WINDOW];
} reader;

/* The next byte without taking it; -1 at the end of the file. */
static tg_status peek(reader *r, int *byte)
{
    *byte = -1;
    if (r->position >= r->stream.file_bytes)
        return TG_OK;
    if (r->position >= r->first + r->filled) {
        int64_t rest = r->stream.file_bytes - r->position;
        r->first = r->position;
        r->filled = rest < WINDOW ? rest : WINDOW;
        tg_status status = tg_stream_bytes_at(&r->stream, r->first, r->window, (size_t)r->filled, "a PGM image");
        if (status != TG_OK)
            return status;
    }
    *byte = r->window[r->position - r->first];
    return TG_OK;
}

static bool is_space(int byte) { return byte == ' ' || (byte >= '\t' && byte <= '\r'); }

/* Skips white space and comments, which begin with # and end with their line. */
static tg_status skip_space(reader *r)
{
    bool comment = false;
    int byte;
    tg_status status;
    while ((status = peek(r, &byte)) == TG_OK && byte >= 0 && (comment || byte == '#' || is_space(byte))) {
        comment = byte == '#' || (comment && byte != '\n' && byte != '\r');
        r->position++;
    }
    return status;
}

/* Reads a number in [low, high]. */
static tg_status read_number(reader *r, const char *what, int low, int high, int *number)
{
    int byte;
    tg_status status = skip_space(r);
    int64_t start = r->position, value = 0;
    while (status == TG_OK && (status = peek(r, &byte)) == TG_OK && byte >= '0' && byte <= '9' && value <= high) {
        value = 10 * value + (byte - '0');
        r->position++;
    }
    if (status != TG_OK)
        return status;
    if (r->position == start)
        return tg_stream_fail_raw(&r->stream, start, "expected %s, found %s", what,
                                  byte < 0 ? "the end of the file" : "no digit");
    if (value < low || value > high)
        return tg_stream_fail_raw(&r->stream, start, "expected %s from %d to %d, found %lld%s", what, low, high, (long long)value,
                                  byte >= '0' && byte <= '9' ? " and more digits" : "");
    *number = (int)value;
    return TG_OK;
}

typedef struct header {
    bool text;
    int columns, rows, white;
} header;

static tg_status read_header(reader *r, header *h)
{
    uint8_t magic[2];
    int byte = -1;
    tg_status status = tg_stream_bytes_at(&r->stream, 0, magic, sizeof magic, "P2 or P5 (a PGM image)");
    if (status != TG_OK)
        return status;
    if (magic[0] != 'P' || (magic[1] != '2' && magic[1] != '5'))
        return tg_stream_fail_raw(&r->stream, 0, "expected P2 or P5 (a PGM image), found 0x%02x%02x", magic[0], magic[1]);
    r->position = sizeof magic;
    h->text = magic[1] == '2';
    status = read_number(r, "the number of columns", 1, TG_PGM_EXTENT, &h->columns);
    if (status == TG_OK)
        status = read_number(r, "the number of rows", 1, TG_PGM_EXTENT, &h->rows);
    if (status == TG_OK)
        status = read_number(r, "the value of white", 1, UINT16_MAX, &h->white);
    if (status == TG_OK)
        status = peek(r, &byte);
    if (status == TG_OK && !is_space(byte))
        return tg_stream_fail_raw(&r->stream, r->position, "expected white space after the value of white");
    r->position++;
    return status;
}

/* Whether the file is as long as its pixels ask for: text needs a digit for each, and white space between. */
static tg_status check_length(reader *r, const header *h)
{
    int64_t count = (int64_t)h->rows * h->columns, rest = r->stream.file_bytes - r->position;
    int64_t needed = h->text ? 2 * count - 1 : h->white > UINT8_MAX ? 2 * count : count;
    if (h->text ? rest >= needed : rest == needed)
        return TG_OK;
    return tg_stream_fail_raw(&r->stream, r->position, "expected %s%lld bytes for %dx%d pixels, found %lld",
                              h->text ? "at least " : "", (long long)needed, h->rows, h->columns, (long long)rest);
}

static uint8_t scaled(int value, int white) { return (uint8_t)((value * 255 + white / 2) / white); }

static tg_status read_text(reader *r, const header *h, uint8_t *pixels)
{
    int64_t count = (int64_t)h->rows * h->columns;
    tg_status status = TG_OK;
    int value = 0, byte;
    for (int64_t i = 0; i < count && status == TG_OK; i++) {
        status = read_number(r, "a pixel", 0, h->white, &value);
        pixels[i] = scaled(value, h->white);
    }
    if (status == TG_OK)
        status = skip_space(r);
    if (status == TG_OK)
        status = peek(r, &byte);
    if (status == TG_OK && byte >= 0)
        return tg_stream_fail_raw(&r->stream, r->position, "expected the end of the file after the pixels, found more");
    return status;
}

static tg_status read_raster(reader *r, const header *h, uint8_t *pixels)
{
    int64_t count = (int64_t)h->rows * h->columns;
    bool wide = h->white > UINT8_MAX; /* two bytes a pixel, the more significant first */
    int high, low;
    for (int64_t i = 0; i < count; i++) {
        tg_status status = peek(r, &low);
        r->position++;
        high = wide ? low : 0;
        if (status == TG_OK && wide) {
            status = peek(r, &low);
            r->position++;
        }
        if (status != TG_OK)
            return status;
        if (high * 256 + low > h->white)
            return tg_stream_fail_raw(&r->stream, r->position - 1 - wide, "expected a pixel from 0 to %d, found %d", h->white,
                                      high * 256 + low);
        pixels[i] = scaled(high * 256 + low, h->white);
    }
    return TG_OK;
}

tg_status tg_pgm_read(tg_context *context, const char *path, tg_byte_array *array, char *message)
{
    reader r = {.position = 0};
    header h = {false, 0, 0, 0};
    *array = (tg_byte_array){0};
    tg_status status = tg_stream_open_raw(&r.stream, context, path, message);
    if (status == TG_OK)
        status = read_header(&r, &h);
    if (status == TG_OK)
        status = check_length(&r, &h);
    if (status == TG_OK) {
        tg_shape shape = tg_shape_make(2, (int64_t[]){h.rows, h.columns});
        *array = (tg_byte_array){context, shape, tg_allocate(context, (size_t)tg_shape_count(shape))};
        status = !array->data ? tg_file_fail(message, TG_ERROR_MEMORY, path, "out of memory for %dx%d pixels", h.rows, h.columns)
                 : h.text     ? read_text(&r, &h, array->data)
                              : read_raster(&r, &h, array->data);
    }
    if (status != TG_OK) {
        tg_byte_array_free(array);
        *array = (tg_byte_array){0};
    }
    tg_stream_close(&r.stream);
    return status;
}
