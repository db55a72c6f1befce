/* Grey images as text for a terminal. */
#ifndef TG_TRAIN_IMAGE_TEXT_H
#define TG_TRAIN_IMAGE_TEXT_H

#include "graph/status.h"

TG_BEGIN_DECLS

/** A character stands for two pixels, one above the other. */
typedef enum tg_shading {
    TG_SHADING_ASCII,  /**< by their mean, one of " .:-=+*#%@" */
    TG_SHADING_BLOCKS, /**< each ink or none, as a half block, without control characters */
    TG_SHADING_GREYS   /**< half blocks in 24 greys of the 256 colours that terminals have */
} tg_shading;

/** Bytes for a line of so many columns. */
#define TG_IMAGE_LINE_SIZE(columns) (28 * (columns) + 8)

/** Writes line `line`, from 0, of the (rows + 1) / 2 of an image [rows, columns] (0: background, 255: full ink) into `text`, cut
    between characters where `size` bytes with the zero are too few. Returns `text`. */
TG_API char *tg_image_line(const uint8_t *image, int rows, int columns, int line, tg_shading shading, char *text, size_t size);

TG_END_DECLS

#endif
