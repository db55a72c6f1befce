/* Inside the library: what figures are drawn with. Lengths are in the figure's own units, about a pixel each. */
#ifndef TG_TRAIN_SVG_DRAW_H
#define TG_TRAIN_SVG_DRAW_H

#include "train/svg.h"

/** Begins a figure with its style, background and title. Close it with tg_svg_close(). */
void tg_svg_open(FILE *out, double width, double height, const char *title);
tg_status tg_svg_close(FILE *out);
/** Text by its baseline. `classes` of the style: "tg-middle", "tg-end"; sizes "tg-title", "tg-label", "tg-small". */
void tg_svg_text(FILE *out, double x, double y, const char *classes, const char *text);
/** The same, turned to be read upwards, centred. */
void tg_svg_text_upwards(FILE *out, double x, double y, const char *text);
/** The same, rising to its end at that point. */
void tg_svg_text_aslant(FILE *out, double x, double y, const char *text);

#endif
