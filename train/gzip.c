#include "train/gzip.h"

#ifdef TG_HAVE_ZLIB

#include <string.h>
#include <zlib.h>

struct tg_inflater {
    tg_context *context;
    tg_coding coding;
    z_stream zlib;
};

/* zlib frees without a size, and the context wants one: it stands before each block, in a line of its own for the alignment. */
#define SIZE_LINE 64

static voidpf zlib_allocate(voidpf context, uInt items, uInt size)
{
    if (size && items > (SIZE_MAX - SIZE_LINE) / size)
        return Z_NULL;
    size_t bytes = SIZE_LINE + (size_t)items * size;
    unsigned char *block = tg_allocate(context, bytes);
    if (!block)
        return Z_NULL;
    memcpy(block, &bytes, sizeof bytes);
    return block + SIZE_LINE;
}

static void zlib_release(voidpf context, voidpf memory)
{
    if (!memory)
        return;
    unsigned char *block = (unsigned char *)memory - SIZE_LINE;
    size_t bytes;
    memcpy(&bytes, block, sizeof bytes);
    tg_release(context, block, bytes);
}

bool tg_inflate_available(void) { return true; }

tg_inflater *tg_inflater_new(tg_context *context, tg_coding coding)
{
    tg_inflater *inflater = tg_allocate_zero(context, sizeof *inflater);
    if (!inflater)
        return NULL;
    inflater->context = context;
    inflater->coding = coding;
    inflater->zlib.zalloc = zlib_allocate;
    inflater->zlib.zfree = zlib_release;
    inflater->zlib.opaque = context;
    int window = coding == TG_CODING_GZIP ? 16 + MAX_WBITS : -MAX_WBITS;
    if (inflateInit2(&inflater->zlib, window) != Z_OK) {
        tg_release(context, inflater, sizeof *inflater);
        return NULL;
    }
    return inflater;
}

void tg_inflater_free(tg_inflater *inflater)
{
    if (!inflater)
        return;
    inflateEnd(&inflater->zlib);
    tg_release(inflater->context, inflater, sizeof *inflater);
}

void tg_inflater_reset(tg_inflater *inflater) { inflateReset(&inflater->zlib); }

/* zlib counts in uInt. */
static uInt at_most(size_t bytes) { return bytes < 1u << 30 ? (uInt)bytes : 1u << 30; }

tg_inflate_result tg_inflate(tg_inflater *inflater, const uint8_t **input, size_t *input_bytes, uint8_t **output,
                             size_t *output_bytes)
{
    z_stream *zlib = &inflater->zlib;
    uInt given = at_most(*input_bytes), room = at_most(*output_bytes);
    zlib->next_in = (Bytef *)*input;
    zlib->avail_in = given;
    zlib->next_out = *output;
    zlib->avail_out = room;
    int result = inflate(zlib, Z_NO_FLUSH);
    *input = zlib->next_in; /* which may be NULL, as may be the output */
    *input_bytes -= given - zlib->avail_in;
    *output = zlib->next_out;
    *output_bytes -= room - zlib->avail_out;
    switch (result) {
    case Z_OK:
    case Z_BUF_ERROR: return TG_INFLATE_MORE;
    case Z_STREAM_END: return TG_INFLATE_END;
    case Z_MEM_ERROR: return TG_INFLATE_MEMORY;
    default: return TG_INFLATE_DAMAGED;
    }
}

const char *tg_inflater_reason(const tg_inflater *inflater) { return inflater->zlib.msg ? inflater->zlib.msg : "damaged data"; }

uint32_t tg_crc32(uint32_t crc, const uint8_t *data, size_t bytes)
{
    uLong sum = crc;
    while (bytes) {
        uInt part = at_most(bytes);
        sum = crc32(sum, data, part);
        data += part;
        bytes -= part;
    }
    return (uint32_t)sum;
}

#else

bool tg_inflate_available(void) { return false; }

tg_inflater *tg_inflater_new(tg_context *context, tg_coding coding)
{
    (void)context, (void)coding;
    return NULL;
}

void tg_inflater_free(tg_inflater *inflater) { (void)inflater; }

void tg_inflater_reset(tg_inflater *inflater) { (void)inflater; }

tg_inflate_result tg_inflate(tg_inflater *inflater, const uint8_t **input, size_t *input_bytes, uint8_t **output,
                             size_t *output_bytes)
{
    (void)inflater, (void)input, (void)input_bytes, (void)output, (void)output_bytes;
    return TG_INFLATE_DAMAGED;
}

const char *tg_inflater_reason(const tg_inflater *inflater)
{
    (void)inflater;
    return "built without zlib";
}

/* Half a byte at a time: the table is small enough to be read here. */
uint32_t tg_crc32(uint32_t crc, const uint8_t *data, size_t bytes)
{
    static const uint32_t table[16] = {
        0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4, 0x4db26158, 0x5005713c,
        0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c, 0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
    };
    crc = ~crc;
    for (size_t i = 0; i < bytes; i++) {
        crc = table[(crc ^ data[i]) & 15] ^ crc >> 4;
        crc = table[(crc ^ data[i] >> 4) & 15] ^ crc >> 4;
    }
    return ~crc;
}

#endif
