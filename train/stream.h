/* Inside the library: the bytes of a file, or of a stretch of one, read front to back as they stand or unpacked.
   It trusts nothing: every failure is one sentence that names the file, the byte and what was expected there. */
#ifndef TG_TRAIN_STREAM_H
#define TG_TRAIN_STREAM_H

#include <stdarg.h>
#include <stdio.h>

#include "train/byte_array.h"
#include "train/gzip.h"

TG_BEGIN_DECLS

typedef struct tg_stream {
    tg_context *context;
    const char *path;  /**< for messages; must outlive the stream */
    const char *entry; /**< the member of an archive that is read, or NULL; must outlive the stream */
    char *message;     /**< [TG_MESSAGE_SIZE] where failures go */
    FILE *file;
    int64_t file_bytes;
    tg_coding coding;
    int64_t start, packed_bytes; /**< the stretch of the file */
    int64_t fetched;             /**< bytes of it that were read from the file */
    int64_t position;            /**< unpacked bytes given so far: the byte that a message names */
    int64_t promised;            /**< unpacked bytes in all, by another header's word; -1: unknown */
    bool has_crc;
    uint32_t crc, promised_crc;
    bool ended; /**< the packed data is complete */
    tg_inflater *inflater;
    uint8_t *window; /**< room for packed bytes, then for unpacked ones to be dropped; NULL if stored */
    const uint8_t *packed;
    size_t packed_left; /**< fetched, but not unpacked yet */
} tg_stream;

/** Opens a regular file whole; a file that begins as gzip's do is unpacked, whatever its name. Close it in any case. */
tg_status tg_stream_open(tg_stream *stream, tg_context *context, const char *path, char *message);
/** Opens a regular file for tg_stream_bytes_at() and tg_stream_enter() alone. Close it in any case. */
tg_status tg_stream_open_raw(tg_stream *stream, tg_context *context, const char *path, char *message);
void tg_stream_close(tg_stream *stream);

/** Goes on with a stretch of the opened file: `packed_bytes` from `start`, which become `promised` bytes with this CRC32. */
typedef struct tg_stretch {
    const char *entry;
    tg_coding coding;
    int64_t start, packed_bytes, promised;
    uint32_t crc;
} tg_stretch;
tg_status tg_stream_enter(tg_stream *stream, tg_stretch stretch);

/** Reads bytes of the file itself, as they stand. `what` names them in a message. */
tg_status tg_stream_bytes_at(tg_stream *stream, int64_t offset, void *to, size_t bytes, const char *what);
/** Reads the next bytes, all of them or none. */
tg_status tg_stream_read(tg_stream *stream, void *to, size_t bytes, const char *what);
/** What may be made of the file if it is packed: tg_context_options.file_bytes, or 32 times its size. */
int64_t tg_stream_budget(const tg_stream *stream);
/** Makes sure, before memory for them is asked for, that `bytes` bytes follow: exactly, or as far as can be told
    for less than their own cost (then tg_stream_finish() tells the rest); and that a packed file may become so many. */
tg_status tg_stream_prove(tg_stream *stream, int64_t bytes, const char *what);
/** Makes sure that nothing follows and that check sums hold. */
tg_status tg_stream_finish(tg_stream *stream);

/** TG_ERROR_FORMAT with "path: byte 16: " before the text; the byte is one of the unpacked data or of the archive's member. */
tg_status tg_stream_fail(const tg_stream *stream, int64_t byte, const char *format, ...) TG_PRINTF(3, 4);

/** The same, of a byte of the file itself. */
tg_status tg_stream_fail_raw(const tg_stream *stream, int64_t byte, const char *format, ...) TG_PRINTF(3, 4);

/** Puts "path: " and the text into `message` and returns `status`. Of a long path the end is kept. */
tg_status tg_file_fail(char *message, tg_status status, const char *path, const char *format, ...) TG_PRINTF(4, 5);

TG_END_DECLS

#endif
