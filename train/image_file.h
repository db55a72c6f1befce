/* Grey images from a file, whatever its format: PNG (where libpng is), PGM or IDX. */
#ifndef TG_TRAIN_IMAGE_FILE_H
#define TG_TRAIN_IMAGE_FILE_H

#include "train/byte_array.h"

TG_BEGIN_DECLS

/** The images of a file. */
typedef struct tg_image_file {
    tg_byte_array images; /**< [count, rows, columns], as stored; free it with tg_byte_array_free() */
    bool idx;             /**< IDX, plain or packed by gzip: a data set, in which high values are ink; else one picture */
} tg_image_file;

/** Reads a file whose first bytes tell its format. Failures as of tg_png_read(), tg_pgm_read() and tg_idx_read(). */
TG_API TG_MUST_USE tg_status tg_image_file_read(tg_context *context, const char *path, tg_image_file *file, char *message);

TG_END_DECLS

#endif
