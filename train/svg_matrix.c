#include <math.h>

#include "train/svg_draw.h"

/* The figure and the square of cells inside. */
enum { WIDTH = 480, HEIGHT = 496, LEFT = 56, TOP = 38, SIDE = 408 };

static void draw_cell(FILE *out, double x, double y, double side, int64_t count, double share)
{
    char text[32];
    double depth = sqrt(share);
    snprintf(text, sizeof text, "%lld", (long long)count);
    if (count > 0)
        fprintf(out, "<rect class=\"tg-heat\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill-opacity=\"%.3f\"/>\n", x,
                y, side, side, depth);
    const char *classes = count == 0     ? "tg-small tg-middle tg-faint"
                          : depth > 0.55 ? "tg-small tg-middle tg-on-heat"
                                         : "tg-small tg-middle";
    tg_svg_text(out, x + side / 2, y + side / 2 + 4.5, classes, text);
}

tg_status tg_svg_confusion(FILE *out, const char *title, const int64_t *counts, int classes)
{
    double side = (double)SIDE / classes;
    tg_svg_open(out, WIDTH, HEIGHT, title);
    for (int row = 0; row < classes; row++) {
        char name[16];
        const int64_t *line = counts + (int64_t)row * classes;
        int64_t total = 0;
        for (int column = 0; column < classes; column++)
            total += line[column];
        for (int column = 0; column < classes; column++)
            draw_cell(out, LEFT + column * side, TOP + row * side, side, line[column],
                      total > 0 ? (double)line[column] / (double)total : 0);
        snprintf(name, sizeof name, "%d", row);
        tg_svg_text(out, LEFT - 8, TOP + (row + 0.5) * side + 5, "tg-label tg-end", name);
        tg_svg_text(out, LEFT + (row + 0.5) * side, TOP + SIDE + 18, "tg-label tg-middle", name);
    }
    fprintf(out, "<rect class=\"tg-frame\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>\n", LEFT, TOP, SIDE, SIDE);
    tg_svg_text(out, LEFT + SIDE / 2.0, TOP + SIDE + 40, "tg-label tg-middle", "Predicted");
    tg_svg_text_upwards(out, 18, TOP + SIDE / 2.0, "True");
    return tg_svg_close(out);
}
