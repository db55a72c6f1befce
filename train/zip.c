#include "train/zip.h"

#include <inttypes.h>
#include <string.h>

#include "train/file_kind.h"

enum {
    END_BYTES = 22,     /* end of central directory, without its comment */
    LOCATOR_BYTES = 20, /* ZIP64's, just before */
    END64_BYTES = 56,
    ENTRY_BYTES = 46,
    LOCAL_BYTES = 30,
    MAX_COMMENT = 0xFFFF,
    MAX_EXTRA = 0xFFFF
};

#define END_MAGIC 0x06054b50u
#define LOCATOR_MAGIC 0x07064b50u
#define END64_MAGIC 0x06064b50u
#define ENTRY_MAGIC 0x02014b50u
#define LOCAL_MAGIC 0x04034b50u

/* What stands in a 32-bit field whose value is in the ZIP64 extra field. */
#define IN_ZIP64 0xFFFFFFFFu

static uint32_t u16(const uint8_t *p) { return (uint32_t)p[0] | (uint32_t)p[1] << 8; }
static uint32_t u32(const uint8_t *p) { return u16(p) | u16(p + 2) << 16; }

/* As a signed number, negative if too large for one: every use then finds it out of range. */
static int64_t u64(const uint8_t *p) { return (int64_t)(u32(p) | (uint64_t)u32(p + 4) << 32); }

typedef struct directory {
    int64_t start, end; /* bytes of the file */
} directory;

static tg_status fail(const tg_stream *stream, int64_t byte, const char *expected)
{
    return tg_stream_fail_raw(stream, byte, "expected %s, found something else", expected);
}

/* The end record stands before a comment of up to 64 KiB that reaches to the end of the file. */
static tg_status find_end(tg_stream *stream, uint8_t record[END_BYTES], int64_t *at)
{
    int64_t size = stream->file_bytes;
    int64_t most = END_BYTES + MAX_COMMENT;
    int64_t bytes = size < most ? size : most;
    uint8_t *tail = tg_allocate(stream->context, (size_t)bytes);
    if (!tail)
        return tg_file_fail(stream->message, TG_ERROR_MEMORY, stream->path, "out of memory");
    *at = -1;
    tg_status status = tg_stream_bytes_at(stream, size - bytes, tail, (size_t)bytes, "the end of a zip file");
    for (int64_t i = bytes - END_BYTES; status == TG_OK && i >= 0 && *at < 0; i--) {
        if (u32(tail + i) == END_MAGIC && i + END_BYTES + u16(tail + i + 20) == bytes) {
            memcpy(record, tail + i, END_BYTES);
            *at = size - bytes + i;
        }
    }
    tg_release(stream->context, tail, (size_t)bytes);
    if (status == TG_OK && *at < 0)
        status = tg_stream_refuse_kind(stream, TG_FILE_ZIP, "an .npz file (zip)");
    if (status == TG_OK && *at < 0)
        return tg_stream_fail_raw(stream, size, "expected the directory of an .npz (zip) file before the end, found none");
    return status;
}

static tg_status find_directory(tg_stream *stream, directory *found)
{
    uint8_t end[END_BYTES] = {0}, locator[LOCATOR_BYTES], end64[END64_BYTES];
    int64_t at = 0;
    tg_status status = find_end(stream, end, &at);
    if (status != TG_OK)
        return status;
    int64_t bytes = u32(end + 12), start = u32(end + 16);
    if (u16(end + 10) == 0xFFFF || bytes == IN_ZIP64 || start == IN_ZIP64) {
        status = tg_stream_bytes_at(stream, at - LOCATOR_BYTES, locator, sizeof locator, "the locator of a ZIP64 directory");
        if (status != TG_OK)
            return status;
        if (u32(locator) != LOCATOR_MAGIC)
            return fail(stream, at - LOCATOR_BYTES, "the locator of a ZIP64 directory");
        at = u64(locator + 8);
        status = tg_stream_bytes_at(stream, at, end64, sizeof end64, "the end of a ZIP64 directory");
        if (status != TG_OK)
            return status;
        if (u32(end64) != END64_MAGIC)
            return fail(stream, at, "the end of a ZIP64 directory");
        bytes = u64(end64 + 40);
        start = u64(end64 + 48);
    }
    if (start < 0 || bytes < 0 || start > at || bytes > at - start)
        return fail(stream, at, "a zip directory that lies within the file");
    *found = (directory){.start = start, .end = start + bytes};
    return TG_OK;
}

/* An entry of the directory, as it was read. */
typedef struct member {
    const char *name;
    const uint8_t *entry, *extra; /* ENTRY_BYTES; as many as the entry says */
    int64_t at;                   /* the entry's place in the file */
    int64_t unpacked, packed, local;
} member;

/* Reads the sizes, from ZIP64's extra field where the entry itself could not hold them; that lists them in this order. */
static bool read_sizes(member *m)
{
    int64_t *sizes[3] = {&m->unpacked, &m->packed, &m->local};
    uint32_t fields[3] = {u32(m->entry + 24), u32(m->entry + 20), u32(m->entry + 42)};
    uint32_t extra_bytes = u16(m->entry + 30), at = 0, end = 0;
    bool found = false;
    while (!found && extra_bytes - end >= 4) {
        at = end + 4;
        found = u16(m->extra + end) == 1;
        end = at + u16(m->extra + end + 2);
        if (end > extra_bytes)
            return false;
    }
    for (int i = 0; i < 3; i++) {
        *sizes[i] = fields[i];
        if (fields[i] != IN_ZIP64)
            continue;
        if (!found || end - at < 8)
            return false;
        *sizes[i] = u64(m->extra + at);
        at += 8;
    }
    return true;
}

/* Follows an entry to the member's bytes, which lie before `limit`. */
static tg_status enter(tg_stream *stream, member *m, int64_t limit)
{
    uint32_t flags = u16(m->entry + 8), method = u16(m->entry + 10);
    if (!read_sizes(m))
        return fail(stream, m->at, "the sizes of a member in ZIP64's extra field");
    if (flags & 1 || (method != 0 && method != 8))
        return tg_stream_fail_raw(stream, m->at + 8,
                                  "expected %s stored or deflated and not encrypted, found method %u, flags 0x%04x", m->name,
                                  (unsigned)method, (unsigned)flags);
    uint8_t local[LOCAL_BYTES];
    tg_status status = tg_stream_bytes_at(stream, m->local, local, sizeof local, "the header of a zip member");
    if (status != TG_OK)
        return status;
    if (u32(local) != LOCAL_MAGIC)
        return fail(stream, m->local, "the header of a zip member");
    int64_t start = m->local + LOCAL_BYTES + u16(local + 26) + u16(local + 28);
    bool inside = m->packed >= 0 && start <= limit && m->packed <= limit - start;
    if (!inside || m->unpacked < 0 || (method == 0 && m->packed != m->unpacked))
        return fail(stream, m->at + 20, "sizes of a member that lies before the directory");
    tg_stretch stretch = {.entry = m->name, .coding = method ? TG_CODING_DEFLATE : TG_CODING_STORED, .start = start};
    stretch.packed_bytes = m->packed;
    stretch.promised = m->unpacked;
    stretch.crc = u32(m->entry + 16);
    return tg_stream_enter(stream, stretch);
}

/* Looks through the entries for the name; `names` has room for one like it and for the longest extra field. */
static tg_status find_member(tg_stream *stream, directory place, const char *name, uint8_t *names)
{
    uint8_t entry[ENTRY_BYTES];
    size_t name_bytes = strlen(name);
    for (int64_t at = place.start; place.end - at >= ENTRY_BYTES;) {
        tg_status status = tg_stream_bytes_at(stream, at, entry, sizeof entry, "an entry of the zip directory");
        if (status == TG_OK && u32(entry) != ENTRY_MAGIC)
            status = fail(stream, at, "an entry of the zip directory");
        if (status == TG_OK && u16(entry + 28) == name_bytes)
            status = tg_stream_bytes_at(stream, at + ENTRY_BYTES, names, name_bytes + u16(entry + 30), "the name of a member");
        if (status != TG_OK)
            return status;
        if (u16(entry + 28) == name_bytes && !memcmp(names, name, name_bytes)) {
            member found = {.name = name, .entry = entry, .extra = names + name_bytes, .at = at};
            return enter(stream, &found, place.start);
        }
        at += ENTRY_BYTES + (int64_t)u16(entry + 28) + u16(entry + 30) + u16(entry + 32);
    }
    return tg_stream_fail_raw(stream, place.start, "expected a member %s in the zip directory, found none", name);
}

tg_status tg_zip_enter(tg_stream *stream, const char *name)
{
    directory place = {0};
    tg_status status = find_directory(stream, &place);
    if (status != TG_OK)
        return status;
    size_t room = strlen(name) + MAX_EXTRA;
    uint8_t *names = tg_allocate(stream->context, room);
    if (!names)
        return tg_file_fail(stream->message, TG_ERROR_MEMORY, stream->path, "out of memory");
    status = find_member(stream, place, name, names);
    tg_release(stream->context, names, room);
    return status;
}
