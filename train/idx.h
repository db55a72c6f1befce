/* IDX, the format of MNIST's files: a big-endian magic 0x00000803 (type 08: bytes; 3 dimensions), one big-endian u32 for each
   dimension, then the values, row-major. */
#ifndef TG_TRAIN_IDX_H
#define TG_TRAIN_IDX_H

#include "train/byte_array.h"

TG_BEGIN_DECLS

/** Reads an IDX file of bytes, plain or packed by gzip (told by its first bytes, not by its name), into `array`, whose former
    contents are ignored. The file must be an array as wanted, whole, with nothing after it.
    TG_ERROR_IO (missing, unreadable), TG_ERROR_FORMAT (not as wanted) and TG_ERROR_MEMORY put one sentence with file, byte and
    expectation into `message`, which has TG_MESSAGE_SIZE bytes; `array` is then all zero. */
TG_API TG_MUST_USE tg_status tg_idx_read(tg_context *context, const char *path, tg_wanted_array wanted, tg_byte_array *array,
                                         char *message);

TG_END_DECLS

#endif
