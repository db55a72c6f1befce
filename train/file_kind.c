#include "train/file_kind.h"

#include <string.h>

/* A mark that stands at one place of each file of a kind. */
typedef struct mark {
    tg_file_kind kind;
    uint8_t at, count;
    const char *bytes;
} mark;

#define MARK(kind, at, bytes)              \
    {                                      \
        kind, at, sizeof(bytes) - 1, bytes \
    }
static const mark marks[] = {
    MARK(TG_FILE_ZIP, 0, "PK\x03\x04"),
    MARK(TG_FILE_ZIP, 0, "PK\x05\x06"),
    MARK(TG_FILE_GZIP, 0, "\x1f\x8b"),
    MARK(TG_FILE_PACKED, 0, "\xfd\x37zXZ\0"),
    MARK(TG_FILE_PACKED, 0, "BZh"),
    MARK(TG_FILE_PACKED, 0, "\x28\xb5\x2f\xfd"),
    MARK(TG_FILE_PACKED, 0, "7z\xbc\xaf"),
    MARK(TG_FILE_PACKED, 0, "Rar!"),
    MARK(TG_FILE_NPY, 0, "\x93NUMPY"),
    MARK(TG_FILE_HDF5, 0, "\x89HDF\r\n\x1a\n"),
    MARK(TG_FILE_PARQUET, 0, "PAR1"),
    MARK(TG_FILE_PNG, 0, "\x89PNG\r\n\x1a\n"),
    MARK(TG_FILE_JPEG, 0, "\xff\xd8\xff"),
    MARK(TG_FILE_PICTURE, 0, "GIF8"),
    MARK(TG_FILE_PICTURE, 0, "II*\0"),
    MARK(TG_FILE_PICTURE, 0, "MM\0*"),
    MARK(TG_FILE_PICTURE, 8, "WEBPVP8"),
    MARK(TG_FILE_PICTURE, 4, "ftyp"),
    MARK(TG_FILE_PDF, 0, "%PDF-"),
    MARK(TG_FILE_PROGRAM, 0,
         "\x7f"
         "ELF"),
    MARK(TG_FILE_UTF16, 0, "\xff\xfe"),
    MARK(TG_FILE_UTF16, 0, "\xfe\xff"),
};

static bool has_marks(const uint8_t *bytes, size_t count, const mark *m)
{
    return count >= (size_t)m->at + m->count && memcmp(bytes + m->at, m->bytes, m->count) == 0;
}

/* UTF-8, or another code above ASCII but for its last few letters, which UTF-8 does not have. */
static bool is_text(const uint8_t *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (bytes[i] == 0 || (bytes[i] < ' ' && !strchr("\t\n\r\f", bytes[i])) || bytes[i] == 127 || bytes[i] >= 0xF5)
            return false;
    return true;
}

static bool is_safetensors(const uint8_t *bytes, size_t count)
{
    return count > 8 && bytes[8] == '{' && memcmp(bytes + 4, "\0\0\0", 4) == 0;
}

/* Types 8 to 14 but 10, and at most eight dimensions. */
static bool is_idx(const uint8_t *bytes, size_t count)
{
    return count >= 4 && bytes[0] == 0 && bytes[1] == 0 && bytes[2] >= 8 && bytes[2] <= 14 && bytes[2] != 10 && bytes[3] >= 1 &&
           bytes[3] <= 8;
}

static bool is_pnm(const uint8_t *bytes, size_t count)
{
    return count >= 3 && bytes[0] == 'P' && bytes[1] >= '1' && bytes[1] <= '6' && strchr(" \t\r\n#", bytes[2]) && bytes[2];
}

tg_file_kind tg_file_kind_of(const uint8_t *bytes, size_t count)
{
    if (count == 0)
        return TG_FILE_EMPTY;
    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++)
        if (has_marks(bytes, count, &marks[i]))
            return marks[i].kind;
    if (count >= 262 && memcmp(bytes + 257, "ustar", 5) == 0)
        return TG_FILE_TAR;
    if (count >= 2 && bytes[0] == 0x80 && bytes[1] >= 2 && bytes[1] <= 5)
        return TG_FILE_PICKLE;
    return is_safetensors(bytes, count) ? TG_FILE_SAFETENSORS
           : is_idx(bytes, count)       ? TG_FILE_IDX
           : is_pnm(bytes, count)       ? TG_FILE_PNM
           : is_text(bytes, count)      ? TG_FILE_TEXT
                                        : TG_FILE_UNKNOWN;
}

const char *tg_file_kind_name(tg_file_kind kind)
{
    static const char *const names[] = {[TG_FILE_EMPTY] = "an empty file",
                                        [TG_FILE_TEXT] = "text",
                                        [TG_FILE_UTF16] = "text in UTF-16",
                                        [TG_FILE_ZIP] = "a zip archive, as .npz, .keras, .pt and .xlsx files are",
                                        [TG_FILE_GZIP] = "a file packed by gzip",
                                        [TG_FILE_PACKED] = "a packed file",
                                        [TG_FILE_TAR] = "a tar archive",
                                        [TG_FILE_IDX] = "an IDX file",
                                        [TG_FILE_NPY] = "an .npy file",
                                        [TG_FILE_SAFETENSORS] = "a safetensors file",
                                        [TG_FILE_HDF5] = "an HDF5 file",
                                        [TG_FILE_PICKLE] = "a Python pickle",
                                        [TG_FILE_PARQUET] = "a Parquet file",
                                        [TG_FILE_PNG] = "a PNG picture",
                                        [TG_FILE_PNM] = "a PNM picture",
                                        [TG_FILE_JPEG] = "a JPEG picture",
                                        [TG_FILE_PICTURE] = "a picture of another kind",
                                        [TG_FILE_PDF] = "a PDF file",
                                        [TG_FILE_PROGRAM] = "a program"};
    return names[kind];
}

tg_file_kind tg_stream_kind(tg_stream *stream)
{
    uint8_t bytes[TG_FILE_KIND_BYTES];
    size_t count = stream->file_bytes < TG_FILE_KIND_BYTES ? (size_t)stream->file_bytes : TG_FILE_KIND_BYTES;
    return tg_stream_bytes_at(stream, 0, bytes, count, "a file") == TG_OK ? tg_file_kind_of(bytes, count) : TG_FILE_UNKNOWN;
}

tg_status tg_stream_refuse_kind(tg_stream *stream, tg_file_kind own, const char *expected)
{
    tg_file_kind kind = tg_stream_kind(stream);
    if (kind == own || kind == TG_FILE_UNKNOWN)
        return TG_OK;
    return tg_file_fail(stream->message, TG_ERROR_FORMAT, stream->path, "expected %s, found %s", expected,
                        tg_file_kind_name(kind));
}
