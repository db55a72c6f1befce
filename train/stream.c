#include "train/stream.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "graph/number_text.h"
#include "graph/rebuild.h"
#include "graph/safe_text.h"

#define WINDOW_BYTES ((size_t)1 << 16)

/* Up to here memory is asked for on the word of two headers that agree; it costs nothing before bytes are there to fill it.
   MNIST's training images are 45 MiB. */
#define TRUSTED_BYTES ((int64_t)64 << 20)

/* What is packed is rarely this many times as large; MNIST's images are 5 times. */
#define BUDGET_RATIO 32

#define PATH_SHOWN 200

static void write_message(char *message, const char *path, const char *prefix, const char *format, va_list arguments)
{
    size_t length = strlen(path);
    const char *cut = length > PATH_SHOWN ? "..." : "";
    const char *shown = length > PATH_SHOWN ? path + length - PATH_SHOWN : path;
    while (*cut && ((unsigned char)*shown & 0xC0) == 0x80) /* in the midst of a character */
        shown++;
    int used = snprintf(message, TG_MESSAGE_SIZE, "%s%s%s", cut, shown, prefix);
    if (used >= 0 && used < TG_MESSAGE_SIZE)
        tg_vformat(message + used, (size_t)(TG_MESSAGE_SIZE - used), format, arguments);
    tg_make_safe(message, TG_MESSAGE_SIZE);
}

tg_status tg_file_fail(char *message, tg_status status, const char *path, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    write_message(message, path, ": ", format, arguments);
    va_end(arguments);
    return status;
}

tg_status tg_stream_fail(const tg_stream *stream, int64_t byte, const char *format, ...)
{
    char prefix[128];
    const char *unpacked = stream->coding == TG_CODING_GZIP ? " of the unpacked data" : "";
    snprintf(prefix, sizeof prefix, ": byte %" PRId64 "%s%s: ", byte, stream->entry ? " of " : unpacked,
             stream->entry ? stream->entry : "");
    va_list arguments;
    va_start(arguments, format);
    write_message(stream->message, stream->path, prefix, format, arguments);
    va_end(arguments);
    return TG_ERROR_FORMAT;
}

tg_status tg_stream_fail_raw(const tg_stream *stream, int64_t byte, const char *format, ...)
{
    char prefix[64];
    snprintf(prefix, sizeof prefix, ": byte %" PRId64 ": ", byte);
    va_list arguments;
    va_start(arguments, format);
    write_message(stream->message, stream->path, prefix, format, arguments);
    va_end(arguments);
    return TG_ERROR_FORMAT;
}

static tg_status fail_memory(const tg_stream *stream)
{
    return tg_file_fail(stream->message, TG_ERROR_MEMORY, stream->path, "out of memory");
}

/* The next packed byte's place in the file. */
static int64_t packed_byte(const tg_stream *stream) { return stream->start + stream->fetched - (int64_t)stream->packed_left; }

static tg_status fail_packed(const tg_stream *stream, const char *found)
{
    return tg_stream_fail_raw(stream, packed_byte(stream), "expected more packed data, found %s", found);
}

tg_status tg_stream_open_raw(tg_stream *stream, tg_context *context, const char *path, char *message)
{
    *stream = (tg_stream){.context = context, .path = path, .message = message, .promised = -1};
    struct stat about;
    if (stat(path, &about)) /* before opening: that would wait for ever on a pipe */
        return tg_file_fail(message, TG_ERROR_IO, path, "%s", tg_system_reason(errno));
    if (!S_ISREG(about.st_mode))
        return tg_file_fail(message, TG_ERROR_IO, path, "expected a regular file, found %s",
                            S_ISDIR(about.st_mode) ? "a folder" : "a device or pipe");
    stream->file = fopen(path, "rb");
    if (!stream->file)
        return tg_file_fail(message, TG_ERROR_IO, path, "%s", tg_system_reason(errno));
    setvbuf(stream->file, NULL, _IONBF, 0);
    stream->file_bytes = stream->packed_bytes = (int64_t)about.st_size;
    return TG_OK;
}

tg_status tg_stream_bytes_at(tg_stream *stream, int64_t offset, void *to, size_t bytes, const char *what)
{
    bool outside = offset < 0 || offset > stream->file_bytes;
    if (outside || (int64_t)bytes > stream->file_bytes - offset)
        return tg_stream_fail_raw(stream, outside ? stream->file_bytes : offset, "expected %s, found the end of the file", what);
    errno = 0;
    if (fseeko(stream->file, (off_t)offset, SEEK_SET) || fread(to, 1, bytes, stream->file) != bytes)
        return tg_file_fail(stream->message, TG_ERROR_IO, stream->path, "%s",
                            errno ? tg_system_reason(errno) : "the file became shorter while it was read");
    return TG_OK;
}

tg_status tg_stream_open(tg_stream *stream, tg_context *context, const char *path, char *message)
{
    tg_status status = tg_stream_open_raw(stream, context, path, message);
    if (status != TG_OK)
        return status;
    uint8_t magic[2] = {0};
    if (stream->file_bytes >= 2)
        status = tg_stream_bytes_at(stream, 0, magic, sizeof magic, "data");
    if (status != TG_OK)
        return status;
    tg_coding coding = magic[0] == 0x1f && magic[1] == 0x8b ? TG_CODING_GZIP : TG_CODING_STORED;
    return tg_stream_enter(stream, (tg_stretch){.coding = coding, .packed_bytes = stream->file_bytes, .promised = -1});
}

tg_status tg_stream_enter(tg_stream *stream, tg_stretch stretch)
{
    stream->entry = stretch.entry;
    stream->coding = stretch.coding;
    stream->start = stretch.start;
    stream->packed_bytes = stretch.packed_bytes;
    stream->promised = stretch.promised;
    stream->has_crc = stretch.entry != NULL;
    stream->promised_crc = stretch.crc;
    if (stretch.coding == TG_CODING_STORED)
        return TG_OK;
    if (!tg_inflate_available())
        return tg_file_fail(stream->message, TG_ERROR_IO, stream->path,
                            "is packed, and this build has no zlib to unpack it: %s, or build with zlib installed",
                            stretch.coding == TG_CODING_GZIP ? "use gunzip on it" : "save it with numpy.savez");
    stream->window = tg_allocate(stream->context, 2 * WINDOW_BYTES);
    stream->inflater = tg_inflater_new(stream->context, stretch.coding);
    return stream->window && stream->inflater ? TG_OK : fail_memory(stream);
}

void tg_stream_close(tg_stream *stream)
{
    tg_inflater_free(stream->inflater);
    tg_release(stream->context, stream->window, 2 * WINDOW_BYTES);
    if (stream->file)
        fclose(stream->file);
    stream->inflater = NULL;
    stream->window = NULL;
    stream->file = NULL;
}

/* Makes sure that packed bytes are at hand, unless all have been used. */
static tg_status fetch(tg_stream *stream)
{
    int64_t rest = stream->packed_bytes - stream->fetched;
    if (stream->packed_left || !rest)
        return TG_OK;
    size_t bytes = rest < (int64_t)WINDOW_BYTES ? (size_t)rest : WINDOW_BYTES;
    tg_status status = tg_stream_bytes_at(stream, stream->start + stream->fetched, stream->window, bytes, "packed data");
    if (status != TG_OK)
        return status;
    stream->packed = stream->window;
    stream->packed_left = bytes;
    stream->fetched += (int64_t)bytes;
    return TG_OK;
}

/* gzip allows another member after the first; its data goes on where the first's ended. */
static tg_status next_member(tg_stream *stream)
{
    tg_status status = fetch(stream);
    if (status != TG_OK || stream->coding != TG_CODING_GZIP || !stream->packed_left || *stream->packed != 0x1f)
        return status;
    tg_inflater_reset(stream->inflater);
    stream->ended = false;
    return TG_OK;
}

/* Unpacks up to `bytes` bytes; fewer only if the data has ended. */
static tg_status unpack(tg_stream *stream, uint8_t *to, size_t bytes, size_t *got)
{
    size_t room = bytes;
    for (*got = 0; room; *got = bytes - room) {
        tg_status status = stream->ended ? next_member(stream) : fetch(stream);
        if (status != TG_OK)
            return status;
        if (stream->ended)
            return TG_OK;
        bool dry = !stream->packed_left;
        size_t before = room;
        tg_inflate_result result = tg_inflate(stream->inflater, &stream->packed, &stream->packed_left, &to, &room);
        if (result == TG_INFLATE_MEMORY)
            return fail_memory(stream);
        if (result == TG_INFLATE_DAMAGED)
            return fail_packed(stream, tg_inflater_reason(stream->inflater));
        if (result == TG_INFLATE_MORE && dry && room == before)
            return fail_packed(stream, "its end");
        stream->ended = result == TG_INFLATE_END;
    }
    return TG_OK;
}

tg_status tg_stream_read(tg_stream *stream, void *to, size_t bytes, const char *what)
{
    size_t got = 0;
    tg_status status;
    if (stream->coding == TG_CODING_STORED) {
        int64_t rest = stream->packed_bytes - stream->position;
        got = (int64_t)bytes <= rest ? bytes : 0;
        status = got ? tg_stream_bytes_at(stream, stream->start + stream->position, to, bytes, what) : TG_OK;
        stream->position += got ? 0 : rest;
    } else {
        status = unpack(stream, to, bytes, &got);
    }
    stream->position += (int64_t)got;
    if (status != TG_OK)
        return status;
    if (got < bytes)
        return tg_stream_fail(stream, stream->position, "expected %s, found the end of the data", what);
    if (stream->has_crc)
        stream->crc = tg_crc32(stream->crc, to, bytes);
    return TG_OK;
}

/* Unpacks `bytes` bytes to nowhere. */
static tg_status skip(tg_stream *stream, int64_t bytes, const char *what)
{
    tg_status status = TG_OK;
    while (bytes && status == TG_OK) {
        size_t part = bytes < (int64_t)WINDOW_BYTES ? (size_t)bytes : WINDOW_BYTES;
        status = tg_stream_read(stream, stream->window + WINDOW_BYTES, part, what);
        bytes -= (int64_t)part;
    }
    return status;
}

static void rewind_stream(tg_stream *stream)
{
    tg_inflater_reset(stream->inflater);
    stream->fetched = stream->position = 0;
    stream->packed_left = 0;
    stream->crc = 0;
    stream->ended = false;
}

/* Whether the length that stands at the end of a gzip file is that of `total` bytes. */
static bool trailer_agrees(tg_stream *stream, int64_t total)
{
    uint8_t size[4];
    if (stream->packed_bytes < 4 ||
        tg_stream_bytes_at(stream, stream->start + stream->packed_bytes - 4, size, sizeof size, "a length") != TG_OK)
        return false;
    return (uint32_t)total == ((uint32_t)size[3] << 24 | (uint32_t)size[2] << 16 | (uint32_t)size[1] << 8 | size[0]);
}

int64_t tg_stream_budget(const tg_stream *stream)
{
    int64_t least = tg_context_settings(stream->context)->file_bytes, bytes = stream->file_bytes;
    int64_t most = bytes < INT64_MAX / BUDGET_RATIO ? bytes * BUDGET_RATIO : INT64_MAX;
    least = least > 0 ? least : TG_FILE_BYTES;
    return most > least ? most : least;
}

tg_status tg_stream_prove(tg_stream *stream, int64_t bytes, const char *what)
{
    int64_t total = stream->position + bytes;
    int64_t known = stream->coding == TG_CODING_STORED ? stream->packed_bytes : stream->promised;
    if (known >= 0 && known != total)
        return tg_stream_fail(stream, stream->position, "expected %" PRId64 " bytes of %s, found %" PRId64, bytes, what,
                              known - stream->position);
    if (stream->coding == TG_CODING_STORED)
        return TG_OK;
    if (total / TG_INFLATE_RATIO > stream->packed_bytes)
        return tg_stream_fail(stream, stream->position, "expected %" PRId64 " bytes of %s, found %" PRId64 " packed bytes", bytes,
                              what, stream->packed_bytes);
    if (total > tg_stream_budget(stream))
        return tg_stream_fail(stream, stream->position,
                              "%" PRId64 " bytes of %s are more than a packed file of %" PRId64
                              " bytes may become: unpack it first, or raise tg_context_options.file_bytes",
                              bytes, what, stream->file_bytes);
    if (total <= TRUSTED_BYTES && (known == total || trailer_agrees(stream, total)))
        return TG_OK;
    int64_t position = stream->position;
    tg_status status = skip(stream, bytes, what);
    if (status == TG_OK)
        status = tg_stream_finish(stream);
    if (status != TG_OK)
        return status;
    rewind_stream(stream);
    return skip(stream, position, what);
}

tg_status tg_stream_finish(tg_stream *stream)
{
    if (stream->coding == TG_CODING_STORED) {
        if (stream->position != stream->packed_bytes)
            return tg_stream_fail(stream, stream->position, "expected the end of the data, found %" PRId64 " more bytes",
                                  stream->packed_bytes - stream->position);
    } else {
        uint8_t extra;
        size_t got;
        tg_status status = unpack(stream, &extra, 1, &got);
        if (status != TG_OK)
            return status;
        if (got)
            return tg_stream_fail(stream, stream->position, "expected the end of the data, found more");
        int64_t rest = stream->start + stream->packed_bytes - packed_byte(stream);
        if (rest)
            return tg_stream_fail_raw(stream, packed_byte(stream), "expected the end of the file, found %" PRId64 " more bytes",
                                      rest);
    }
    if (stream->has_crc && stream->crc != stream->promised_crc)
        return tg_stream_fail(stream, stream->position, "expected the end of data with CRC32 %08" PRIx32 ", found %08" PRIx32,
                              stream->promised_crc, stream->crc);
    return TG_OK;
}
