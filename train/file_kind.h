/* Inside the library: what a file's first bytes say that it is, for whoever gave one kind of file in place of another. */
#ifndef TG_TRAIN_FILE_KIND_H
#define TG_TRAIN_FILE_KIND_H

#include "train/stream.h"

typedef enum tg_file_kind {
    TG_FILE_UNKNOWN,
    TG_FILE_EMPTY,
    TG_FILE_TEXT, /**< no control characters in its first bytes */
    TG_FILE_UTF16,
    TG_FILE_ZIP,
    TG_FILE_GZIP,
    TG_FILE_PACKED, /**< otherwise */
    TG_FILE_TAR,
    TG_FILE_IDX,
    TG_FILE_NPY,
    TG_FILE_SAFETENSORS,
    TG_FILE_HDF5,
    TG_FILE_PICKLE,
    TG_FILE_PARQUET,
    TG_FILE_PNG,
    TG_FILE_PNM,
    TG_FILE_JPEG,
    TG_FILE_PICTURE, /**< of another kind */
    TG_FILE_PDF,
    TG_FILE_PROGRAM
} tg_file_kind;

enum { TG_FILE_KIND_BYTES = 264 }; /* as far as the furthest of the marks reaches */

/** Of the first bytes of a file, TG_FILE_KIND_BYTES of them or all that it has. */
tg_file_kind tg_file_kind_of(const uint8_t *bytes, size_t count);
/** "a PNG picture"; NULL: TG_FILE_UNKNOWN. */
const char *tg_file_kind_name(tg_file_kind kind);
/** Of an opened file; TG_FILE_UNKNOWN also if it cannot be read. The stream's message may be overwritten. */
tg_file_kind tg_stream_kind(tg_stream *stream);
/** TG_ERROR_FORMAT with "path: expected <expected>, found a PNG picture" if the file is of a kind that is known and not `own`; else
    TG_OK, and nothing is said. */
tg_status tg_stream_refuse_kind(tg_stream *stream, tg_file_kind own, const char *expected);

#endif
