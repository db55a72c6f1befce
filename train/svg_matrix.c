#include <math.h>

#include "graph/number_text.h"
#include "train/class_names.h"
#include "train/svg_draw.h"
#include "train/text_columns.h"

/* The square of cells, what surrounds it, and names: columns of text, each so wide, at most. */
enum { TOP = 38, SIDE = 408, RIGHT = 16, LEFT = 56, MARGIN = 34, MOST_COLUMNS = 16 };
#define COLUMN 8.2

/* Where things are, by the room that the names take. */
typedef struct frame {
    const char *const *names;
    int classes;
    bool turned; /* the names of columns are, being wider than a cell */
    double left, below, side;
} frame;

static char *label(const frame *f, int i, char text[TG_CAPTION])
{
    char number[TG_CLASS_NUMBER];
    return tg_text_fit(tg_class_name(f->names, i, number), MOST_COLUMNS, false, text, TG_CAPTION);
}

static frame measure(int classes, const char *const *names)
{
    frame f = {.names = names, .classes = classes, .side = (double)SIDE / classes};
    char text[TG_CAPTION];
    double widest = 0;
    for (int i = 0; i < classes; i++)
        widest = fmax(widest, COLUMN * tg_text_columns(label(&f, i, text)));
    f.turned = widest > f.side - 2;
    f.left = fmax(LEFT, MARGIN + widest);
    f.below = f.turned ? 20 + widest * sqrt(0.5) : 22;
    return f;
}

static void draw_cell(FILE *out, double x, double y, double side, int64_t count, double share)
{
    char text[32];
    double depth = sqrt(share);
    snprintf(text, sizeof text, "%lld", (long long)count);
    if (count > 0)
        tg_put(out, "<rect class=\"tg-heat\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" fill-opacity=\"%.3f\"/>\n", x,
               y, side, side, depth);
    const char *classes = count == 0     ? "tg-small tg-middle tg-faint"
                          : depth > 0.55 ? "tg-small tg-middle tg-on-heat"
                                         : "tg-small tg-middle";
    tg_svg_text(out, x + side / 2, y + side / 2 + 4.5, classes, text);
}

static void draw_row(FILE *out, const frame *f, int row, const int64_t *line)
{
    double top = TOP + row * f->side;
    int64_t total = 0;
    for (int column = 0; column < f->classes; column++)
        total += line[column];
    for (int column = 0; column < f->classes; column++)
        draw_cell(out, f->left + column * f->side, top, f->side, line[column],
                  total > 0 ? (double)line[column] / (double)total : 0);
}

/* Of a row and of the column of the same class. */
static void draw_labels(FILE *out, const frame *f, int i)
{
    char text[TG_CAPTION];
    double middle = (i + 0.5) * f->side;
    label(f, i, text);
    tg_svg_text(out, f->left - 8, TOP + middle + 5, "tg-label tg-end", text);
    if (f->turned)
        tg_svg_text_aslant(out, f->left + middle + 4, TOP + SIDE + 14, text);
    else
        tg_svg_text(out, f->left + middle, TOP + SIDE + 18, "tg-label tg-middle", text);
}

tg_status tg_svg_confusion(FILE *out, const char *title, const int64_t *counts, int classes, const char *const *names)
{
    frame f = measure(classes, names);
    tg_svg_open(out, f.left + SIDE + RIGHT, TOP + SIDE + f.below + 28, title);
    for (int i = 0; i < classes; i++) {
        draw_row(out, &f, i, counts + (int64_t)i * classes);
        draw_labels(out, &f, i);
    }
    tg_put(out, "<rect class=\"tg-frame\" x=\"%.1f\" y=\"%d\" width=\"%d\" height=\"%d\"/>\n", f.left, TOP, SIDE, SIDE);
    tg_svg_text(out, f.left + SIDE / 2.0, TOP + SIDE + f.below + 18, "tg-label tg-middle", "Predicted");
    tg_svg_text_upwards(out, 18, TOP + SIDE / 2.0, "True");
    return tg_svg_close(out);
}
