/* Figures as SVG: curves, confusion matrices, images with captions, bars. Each is a whole file and may as well stand inside of an HTML
   page; it follows the reader's light or dark colour scheme and refers to nothing outside of itself. The functions answer
   TG_ERROR_IO if `out` fails. */
#ifndef TG_TRAIN_SVG_H
#define TG_TRAIN_SVG_H

#include <stdio.h>

#include "graph/status.h"

TG_BEGIN_DECLS

/** Colours of series, matplotlib's: each is readable on white and, a little lighter, on black. Others repeat from the first. */
typedef enum tg_svg_color {
    TG_SVG_BLUE,
    TG_SVG_ORANGE,
    TG_SVG_GREEN,
    TG_SVG_PURPLE,
    TG_SVG_RED,
    TG_SVG_BROWN,
    TG_SVG_PINK,
    TG_SVG_CYAN,
    TG_SVG_COLOR_COUNT
} tg_svg_color;

/** A curve. A value that is not finite, or whose x has no place on its axis, leaves a gap. */
typedef struct tg_svg_series {
    const char *label;
    const double *values; /**< the first; borrowed */
    const double *x;      /**< the first value's x, the others `stride` apart; borrowed; NULL: they are 1, 2, ... */
    size_t stride;        /**< bytes from one value to the next; 0: sizeof(double) */
    int count;
    int color;   /**< tg_svg_color */
    bool dashed; /**< dash-dotted, not solid */
} tg_svg_series;

/** A value of x that a chart points out by an upright line, with a line of the legend. */
typedef struct tg_svg_mark {
    const char *label;
    double x;
    int color; /**< tg_svg_color */
} tg_svg_mark;

typedef struct tg_svg_chart {
    const char *title, *x_label, *y_label;
    const tg_svg_series *series;
    int n_series;
    bool log_x; /**< the x axis is logarithmic; what is not above 0 has no place there */
    const tg_svg_mark *marks;
    int n_marks;
} tg_svg_chart;

/** Curves, such as those of figures over epochs, with a legend in the corner that they leave free. */
TG_API TG_MUST_USE tg_status tg_svg_curves(FILE *out, const tg_svg_chart *chart);
/** The first series as bars from 0 at x = 1, 2, ..., such as seconds. */
TG_API TG_MUST_USE tg_status tg_svg_bars(FILE *out, const tg_svg_chart *chart);
/** Counts [classes, classes], rows: true, as a heat map: a cell is as dark as the square root of its share of its row. `names` of the
    classes, of which 16 columns are shown; where it, or names[0], is NULL: numbers. */
TG_API TG_MUST_USE tg_status tg_svg_confusion(FILE *out, const char *title, const int64_t *counts, int classes,
                                              const char *const *names);

/** Bytes of a caption. */
#define TG_CAPTION 96

/** A picture with two short lines below it; "": none. */
typedef struct tg_svg_image {
    const uint8_t *pixels; /**< 8-bit grey [rows, columns], 0 being black */
    char captions[2][TG_CAPTION];
} tg_svg_image;

typedef struct tg_svg_gallery {
    const char *title;
    const tg_svg_image *images;
    int n_images;
    int rows, columns; /**< of each */
} tg_svg_gallery;

/** Images side by side, four in a line, or fewer where captions are long. */
TG_API TG_MUST_USE tg_status tg_svg_images(FILE *out, const tg_svg_gallery *gallery);

/** Writes text as XML and HTML hold it between tags and in quotes: escaped; what they cannot hold becomes U+FFFD. */
TG_API void tg_xml_text(FILE *out, const char *text);

TG_END_DECLS

#endif
