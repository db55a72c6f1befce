/* Inside the library: unpacking of deflated bytes by zlib, which is the only part of the library that knows zlib.
   Built without it (no TG_HAVE_ZLIB), nothing can be unpacked and tg_inflater_new() says so. */
#ifndef TG_TRAIN_GZIP_H
#define TG_TRAIN_GZIP_H

#include "graph/context.h"

TG_BEGIN_DECLS

/** How the bytes of a file, or of a stretch of one, are packed. */
typedef enum tg_coding {
    TG_CODING_STORED,  /**< not at all */
    TG_CODING_DEFLATE, /**< bare deflate, as in a zip file */
    TG_CODING_GZIP     /**< deflate with gzip's header, CRC32 and length around it */
} tg_coding;

/** Deflate cannot pack more than this many bytes into one. */
#define TG_INFLATE_RATIO 1032

typedef enum tg_inflate_result {
    TG_INFLATE_MORE,    /**< goes on, with more input or more room */
    TG_INFLATE_END,     /**< the packed data is complete and its check sums (gzip's) hold */
    TG_INFLATE_DAMAGED, /**< tg_inflater_reason() says how */
    TG_INFLATE_MEMORY
} tg_inflate_result;

typedef struct tg_inflater tg_inflater;

/** Whether this build can unpack. */
bool tg_inflate_available(void);
/** For TG_CODING_DEFLATE or TG_CODING_GZIP. NULL if memory is out, or if this build cannot unpack. */
tg_inflater *tg_inflater_new(tg_context *context, tg_coding coding);
void tg_inflater_free(tg_inflater *inflater);
/** Ready for new packed data from its first byte on. */
void tg_inflater_reset(tg_inflater *inflater);

/** Unpacks from `*input` to `*output` as far as both reach, and moves the pointers and sizes past what it used. */
tg_inflate_result tg_inflate(tg_inflater *inflater, const uint8_t **input, size_t *input_bytes, uint8_t **output,
                             size_t *output_bytes);
/** What is wrong with damaged data, in a few words. Valid until the inflater is used again. */
const char *tg_inflater_reason(const tg_inflater *inflater);

/** The CRC32 of gzip and zip: of all bytes so far (0 for none) and `bytes` more. */
uint32_t tg_crc32(uint32_t crc, const uint8_t *data, size_t bytes);

TG_END_DECLS

#endif
