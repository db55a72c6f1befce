/* Inside the library: small grey images as PNG (RFC 2083), stored without packing, for pages and figures that hold their pictures. */
#ifndef TG_TRAIN_PNG_H
#define TG_TRAIN_PNG_H

#include <stdint.h>
#include <stdio.h>

/** Writes "data:image/png;base64,..." of 8-bit grey pixels [rows, columns], 0 being black. */
void tg_png_data_uri(FILE *out, const uint8_t *pixels, int rows, int columns);

#endif
