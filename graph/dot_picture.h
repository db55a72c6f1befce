/* Inside dot.c: a picture being made. */
#ifndef TG_GRAPH_DOT_PICTURE_H
#define TG_GRAPH_DOT_PICTURE_H

#include "graph/dot_boxes.h"

#define TG_DOT_FORWARD_COLOUR "#2f5d8a"
#define TG_DOT_BACKWARD_COLOUR "#8a4b9b"
#define TG_DOT_KEPT_COLOUR "#d9730d"
#define TG_DOT_UPDATE_COLOUR "#8a7340"
#define TG_DOT_QUIET_COLOUR "#b4bac4"
#define TG_DOT_ALARM_COLOUR "#c62828"

/* A tensor on its way to a box, drawn once however often the box reads it. */
typedef struct tg_dot_edge {
    int32_t to, from; /* indices of boxes */
    int32_t node;     /* id of the tensor */
} tg_dot_edge;

typedef struct tg_dot_layer {
    const char *path; /* its first `length` characters */
    size_t length;
    int32_t parent;
} tg_dot_layer;

typedef struct tg_dot_picture {
    FILE *out;
    const tg_graph *graph;
    const tg_dot_options *options;
    tg_dot_boxes boxes;
    tg_dot_edge *edges; /* sorted by box and tensor */
    size_t edge_count;
    tg_dot_layer *layers;
    int32_t layer_count;
    int32_t *layer_of;    /* of each box, or -1 */
    int32_t *outermost;   /* of each box: the layer that is in no other */
    int32_t *stacked;     /* of each layer: the last one that was put above it */
    uint8_t *ends;        /* of each box: whether it is the first or the last of its outermost layer */
    double largest_share; /* of any box */
    uint8_t *labelled;    /* of each node: the kinds of edges that show its type already */
    void *memory;
    size_t bytes;
} tg_dot_picture;

/** Finds the edges of the boxes. */
void tg_dot_collect_edges(tg_dot_picture *p);
/** Writes them, and invisible ones that put layers below each other. */
void tg_dot_put_edges(tg_dot_picture *p);

#endif
