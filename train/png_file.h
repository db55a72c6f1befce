/* PNG files as grey images, by libpng, an optional dependency that no other file of the library knows. */
#ifndef TG_TRAIN_PNG_FILE_H
#define TG_TRAIN_PNG_FILE_H

#include "train/byte_array.h"

TG_BEGIN_DECLS

/** Rows and columns at most. */
#define TG_PNG_EXTENT 16384

/** Whether this build can read PNG. */
TG_API bool tg_png_available(void);

/** Reads a PNG file of any kind into `array` [rows, columns], whose former contents are ignored: 0 (black) .. 255 (white). Of 16 bits
    the upper 8 are kept, rounded; a colour becomes its luminance by Rec. 709's weights, without regard to gamma; what is transparent
    lies on white. Memory for the pixels is asked for when the file is long enough to hold them, packed at best.
    TG_ERROR_IO (missing, unreadable, or this build has no libpng), TG_ERROR_FORMAT and TG_ERROR_MEMORY put one sentence with file and
    byte into `message`, which has TG_MESSAGE_SIZE bytes; `array` is then all zero. */
TG_API TG_MUST_USE tg_status tg_png_read(tg_context *context, const char *path, tg_byte_array *array, char *message);

TG_END_DECLS

#endif
