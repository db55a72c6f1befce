/* Inside dot.c: the text in a box of the picture. */
#ifndef TG_GRAPH_DOT_LABEL_H
#define TG_GRAPH_DOT_LABEL_H

#include "graph/dot_boxes.h"

/** Writes text with the characters that mean something in Graphviz's labels replaced. */
void tg_dot_text(FILE *out, const char *text);
/** Writes "128×784 · 401 kB", with the dtype in front unless it is f32. */
void tg_dot_type(FILE *out, tg_type type);
/** What options->shares come to in a box. */
double tg_dot_share(const tg_dot_boxes *b, const tg_dot_box *box, const tg_dot_options *options);
/** Writes a box's label, an HTML-like one without its outer brackets. */
void tg_dot_label(FILE *out, const tg_graph *graph, const tg_dot_boxes *b, const tg_dot_box *box, const tg_dot_options *options);

#endif
