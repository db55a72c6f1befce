/* A graph as a picture, in Graphviz's DOT language: dot -Tsvg graph.dot > graph.svg */
#ifndef TG_GRAPH_DOT_H
#define TG_GRAPH_DOT_H

#include <stdio.h>

#include "graph/op.h"

TG_BEGIN_DECLS

/** What a picture shows besides the graph: nothing, where all is zero. Arrays have an entry for each node, or are NULL. */
typedef struct tg_dot_options {
    const char *title;        /**< NULL: none */
    const int32_t *groups;    /**< the fused group of each node, or -1 (what tg_plan_group() tells) */
    const char *const *fills; /**< a fill colour such as "#ffd080", or NULL */
    const char *const *notes; /**< one more line of text, such as a time, or NULL */
    const double *shares;  /**< of a whole, such as the time: boxes are filled by the sum over their nodes, from white to the warm
                                 colour of the largest, and say it in per cent; or NULL */
    const char *shares_of; /**< "time": for the legend */
    const int32_t *highlight; /**< id of a node to be drawn in red, such as tg_nonfinite.node; NULL: none */
    bool expand_updates;      /**< draw each node of what only assigns variables; else one box for each variable */
    /** Asked for the values of each tensor of 1 to 16 elements; NULL if they are not known. */
    const void *(*values)(void *user, const tg_node *node);
    void *values_user;
} tg_dot_options;

/** Nothing but the graph. */
TG_API tg_dot_options tg_dot_defaults(void);

/** Writes the picture: layers as clusters; the forward pass downwards in solid lines and the backward pass beside it upwards in
    dashed ones; what it keeps from the forward pass in a colour of its own; shapes and bytes on edges; inputs, parameters and
    fused groups in shapes of their own; scalars inside the label of what takes them. The same graph gives the same bytes.
    TG_ERROR_IO if writing failed, TG_ERROR_MEMORY if memory is out. */
TG_API TG_MUST_USE tg_status tg_dot(FILE *out, const tg_graph *graph, tg_dot_options options);

TG_END_DECLS

#endif
