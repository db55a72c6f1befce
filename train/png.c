#include "train/png.h"

#include "train/gzip.h"

#define MOST_STORED 65535 /* bytes of a stored block of deflate */

/* Bytes on their way into base64, with the check sums of the chunk and of the zlib stream that they belong to. */
typedef struct encoder {
    FILE *out;
    uint32_t crc;       /* of the chunk */
    uint32_t low, high; /* Adler-32 of the pixels */
    uint32_t held;      /* bytes that wait for a group of three */
    int n_held;
} encoder;

static void put_group(encoder *e)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t bits = e->held << 8 * (3 - e->n_held);
    for (int i = 0; i < 4; i++)
        fputc(i <= e->n_held ? digits[bits >> (18 - 6 * i) & 63] : '=', e->out);
    e->held = 0;
    e->n_held = 0;
}

static void put_byte(encoder *e, unsigned value)
{
    uint8_t byte = (uint8_t)value;
    e->crc = tg_crc32(e->crc, &byte, 1);
    e->held = e->held << 8 | byte;
    if (++e->n_held == 3)
        put_group(e);
}

static void put_word(encoder *e, uint32_t value)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        put_byte(e, value >> shift & 255);
}

static void begin_chunk(encoder *e, const char *type, uint32_t bytes)
{
    put_word(e, bytes);
    e->crc = 0;
    for (int i = 0; i < 4; i++)
        put_byte(e, (unsigned char)type[i]);
}

static void end_chunk(encoder *e) { put_word(e, e->crc); }

static void put_pixel_byte(encoder *e, unsigned value)
{
    e->low = (e->low + value) % 65521;
    e->high = (e->high + e->low) % 65521;
    put_byte(e, value);
}

/* The rows, each after a 0 for "no filter", in stored blocks. */
static void put_pixels(encoder *e, const uint8_t *pixels, int rows, int columns)
{
    int64_t line = (int64_t)columns + 1, bytes = rows * line, blocks = (bytes + MOST_STORED - 1) / MOST_STORED;
    begin_chunk(e, "IDAT", (uint32_t)(2 + 5 * blocks + bytes + 4));
    put_byte(e, 0x78); /* deflate with a window of 32 KB */
    put_byte(e, 0x01);
    for (int64_t i = 0; i < bytes; i++) {
        if (i % MOST_STORED == 0) {
            int64_t left = bytes - i;
            unsigned length = (unsigned)(left < MOST_STORED ? left : MOST_STORED);
            const unsigned head[] = {left <= MOST_STORED, length & 255, length >> 8, ~length & 255, ~length >> 8 & 255};
            for (int byte = 0; byte < 5; byte++)
                put_byte(e, head[byte]);
        }
        put_pixel_byte(e, i % line ? pixels[i / line * columns + i % line - 1] : 0);
    }
    put_word(e, e->high << 16 | e->low);
    end_chunk(e);
}

void tg_png_data_uri(FILE *out, const uint8_t *pixels, int rows, int columns)
{
    static const unsigned signature[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};
    encoder e = {.out = out, .low = 1};
    fprintf(out, "data:image/png;base64,");
    for (int i = 0; i < 8; i++)
        put_byte(&e, signature[i]);
    begin_chunk(&e, "IHDR", 13);
    put_word(&e, (uint32_t)columns);
    put_word(&e, (uint32_t)rows);
    put_byte(&e, 8); /* bits */
    for (int i = 0; i < 4; i++)
        put_byte(&e, 0); /* grey; the only packing and filters there are; not interlaced */
    end_chunk(&e);
    put_pixels(&e, pixels, rows, columns);
    begin_chunk(&e, "IEND", 0);
    end_chunk(&e);
    if (e.n_held)
        put_group(&e);
}
