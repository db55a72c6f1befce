#include <math.h>

#include "train/png.h"
#include "train/svg_draw.h"
#include "train/text_columns.h"

/* LINE: of images, at most; CELL: an image with its surroundings, at least. */
enum { LINE = 528, PER_LINE = 4, CELL = 112, PICTURE = 92, TOP = 38, CAPTION_LINE = 18 };
#define COLUMN 6.9 /* of a caption */

/* How an image stands with what is below it. */
typedef struct cell {
    int width, height;
    int per_line;
} cell;

/* As many lines of captions as any image has, and as much room as the longest asks for. */
static cell measure(const tg_svg_gallery *gallery)
{
    int lines = 0, columns = 0;
    for (int i = 0; i < gallery->n_images; i++) {
        for (int line = 0; line < 2; line++) {
            const char *caption = gallery->images[i].captions[line];
            int width = tg_text_columns(caption);
            lines = *caption && lines < line + 1 ? line + 1 : lines;
            columns = width > columns ? width : columns;
        }
    }
    int width = (int)fmin(fmax(CELL, COLUMN * columns + 8), LINE), fitting = LINE / width;
    return (cell){width, PICTURE + lines * CAPTION_LINE + 16, fitting < PER_LINE ? fitting : PER_LINE};
}

tg_status tg_svg_images(FILE *out, const tg_svg_gallery *gallery)
{
    cell c = measure(gallery);
    int lines = (gallery->n_images + c.per_line - 1) / c.per_line;
    tg_svg_open(out, c.per_line * c.width, TOP + lines * c.height, gallery->title);
    for (int i = 0; i < gallery->n_images; i++) {
        const tg_svg_image *image = &gallery->images[i];
        int left = i % c.per_line * c.width + (c.width - PICTURE) / 2, top = TOP + i / c.per_line * c.height;
        fprintf(out, "<image class=\"tg-pixels\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" href=\"", left, top, PICTURE,
                PICTURE);
        tg_png_data_uri(out, image->pixels, gallery->rows, gallery->columns);
        fprintf(out, "\"/>\n");
        for (int line = 0; line < 2; line++)
            if (image->captions[line][0])
                tg_svg_text(out, left + PICTURE / 2.0, top + PICTURE + 15 + line * CAPTION_LINE, "tg-small tg-middle",
                            image->captions[line]);
    }
    return tg_svg_close(out);
}
