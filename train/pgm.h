/* PGM, the plainest format of grey images: "P2" (decimal text) or "P5" (bytes), columns, rows, the value of white, then the
   pixels. https://netpbm.sourceforge.net/doc/pgm.html */
#ifndef TG_TRAIN_PGM_H
#define TG_TRAIN_PGM_H

#include "train/byte_array.h"

TG_BEGIN_DECLS

/** Rows and columns at most. */
#define TG_PGM_EXTENT 16384

/** Reads a PGM file of one image into `array` [rows, columns], whose former contents are ignored; pixels are scaled to 0 (black)
    .. 255 (white). Memory is asked for when the file is long enough for its pixels. TG_ERROR_IO (missing, unreadable),
    TG_ERROR_FORMAT and TG_ERROR_MEMORY put one sentence with file, byte and expectation into `message`, which has TG_MESSAGE_SIZE
    bytes; `array` is then all zero. */
TG_API TG_MUST_USE tg_status tg_pgm_read(tg_context *context, const char *path, tg_byte_array *array, char *message);

TG_END_DECLS

#endif
