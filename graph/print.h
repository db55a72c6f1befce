/* Tensors and tapes as text, for whoever learns or debugs. */
#ifndef TG_GRAPH_PRINT_H
#define TG_GRAPH_PRINT_H

#include <stdio.h>

#include "graph/op.h"

TG_BEGIN_DECLS

/** Prints values as NumPy 2's str() does with its default options: 8 digits after the point, lines of 75 characters, only the
    edges of more than 1000 elements. No newline follows. TG_ERROR_IO if writing failed. */
TG_API TG_MUST_USE tg_status tg_print_values(FILE *out, tg_type type, const void *values);

/** Prints the tape as a table of one line for each node: id, op (with its name and attributes), formula, ids of the inputs,
    dtype and shape, layer, the user's file:line, and for gradient nodes the id of the forward node.
    TG_ERROR_IO if writing failed. */
TG_API TG_MUST_USE tg_status tg_print_tape(FILE *out, const tg_graph *graph);

/** The last component of a node's file and its line, such as "net.c:12". Returns `text`. */
TG_API char *tg_where_text(tg_where where, char *text, size_t size);

TG_END_DECLS

#endif
