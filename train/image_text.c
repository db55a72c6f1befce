#include "train/image_text.h"

#include <stdio.h>
#include <string.h>

#define INK 96 /* from this grey on a half block is set */
#define PLAIN "\33[0m"

/* The 24 greys of the 256 colours, 232 to 255, are without black and white. */
static int grey(uint8_t pixel) { return 232 + pixel * 23 / 255; }

static void format_pair(uint8_t upper, uint8_t lower, tg_shading shading, char *text, size_t size)
{
    static const char shades[] = " .:-=+*#%@";
    static const char *const blocks[] = {" ", "▀", "▄", "█"};
    if (shading == TG_SHADING_GREYS)
        snprintf(text, size, "\33[38;5;%d;48;5;%dm▀", grey(upper), grey(lower));
    else if (shading == TG_SHADING_BLOCKS)
        snprintf(text, size, "%s", blocks[(upper >= INK) + 2 * (lower >= INK)]);
    else
        snprintf(text, size, "%c", shades[(upper + lower) * 10 / 511]);
}

char *tg_image_line(const uint8_t *image, int rows, int columns, int line, tg_shading shading, char *text, size_t size)
{
    const uint8_t *upper = image + (size_t)(2 * line) * (size_t)columns;
    size_t used = 0, end = shading == TG_SHADING_GREYS ? strlen(PLAIN) : 0;
    char pair[32];
    text[0] = 0;
    for (int i = 0; i < columns; i++) {
        format_pair(upper[i], 2 * line + 1 < rows ? upper[columns + i] : 0, shading, pair, sizeof pair);
        size_t n = strlen(pair);
        if (used + n + end >= size)
            break;
        memcpy(text + used, pair, n + 1);
        used += n;
    }
    if (end > 0 && used + end < size)
        memcpy(text + used, PLAIN, end + 1);
    return text;
}
