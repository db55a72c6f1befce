#include "train/png.h"
#include "train/svg_draw.h"

enum { PER_LINE = 4, CELL = 112, PICTURE = 92, TOP = 38, CAPTION_LINE = 18 };

/* Height of one line of images: as many lines of captions as any image has. */
static int cell_height(const tg_svg_gallery *gallery)
{
    int captions = 0;
    for (int i = 0; i < gallery->n_images; i++)
        for (int line = 0; line < 2; line++)
            if (gallery->images[i].captions[line][0] && captions < line + 1)
                captions = line + 1;
    return PICTURE + captions * CAPTION_LINE + 16;
}

tg_status tg_svg_images(FILE *out, const tg_svg_gallery *gallery)
{
    int height = cell_height(gallery), lines = (gallery->n_images + PER_LINE - 1) / PER_LINE;
    tg_svg_open(out, PER_LINE * CELL, TOP + lines * height, gallery->title);
    for (int i = 0; i < gallery->n_images; i++) {
        const tg_svg_image *image = &gallery->images[i];
        int left = i % PER_LINE * CELL + (CELL - PICTURE) / 2, top = TOP + i / PER_LINE * height;
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
