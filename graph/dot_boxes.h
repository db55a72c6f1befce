/* Inside dot.c: which nodes of a graph share a box of its picture. */
#ifndef TG_GRAPH_DOT_BOXES_H
#define TG_GRAPH_DOT_BOXES_H

#include "graph/dot.h"

typedef enum tg_dot_role {
    TG_DOT_LEAF, /* an input, a variable or a constant */
    TG_DOT_FORWARD,
    TG_DOT_BACKWARD, /* recorded by a gradient rule */
    TG_DOT_UPDATE    /* leads to assigns only */
} tg_dot_role;

/* One box: a node, a fused group, or all that updates one variable. */
typedef struct tg_dot_box {
    tg_dot_role role;
    int32_t first, last; /* ids of its first and last node; the list in between runs through tg_dot_boxes.next */
    int32_t count;       /* of nodes */
    int32_t variable;    /* id of the variable that a folded update assigns, or -1 */
    const char *scope;   /* the layer it is drawn in */
    bool fused;          /* a group */
    bool contracts;      /* a contraction is in it: the group is drawn in that one's layer */
    bool folded;         /* an update drawn as one box */
    bool kept;           /* the backward pass reads a forward tensor of it */
} tg_dot_box;

typedef struct tg_dot_boxes {
    int32_t nodes;     /* of the graph */
    int32_t *box_of;   /* [nodes] index of the node's box; -1: a scalar that is part of its consumers' labels */
    int32_t *next;     /* [nodes] the next node of the same box, or -1 */
    int32_t *targets;  /* [nodes] what an update's node leads to */
    int32_t *lookup;   /* [2 nodes] box of a target or of a group, or -1 */
    uint8_t *marks;    /* [nodes] */
    tg_dot_box *boxes; /* [count] */
    int32_t count;
    void *memory;
    size_t bytes;
} tg_dot_boxes;

/* False if memory is out. */
bool tg_dot_boxes_make(tg_dot_boxes *b, const tg_graph *graph, const tg_dot_options *options);
void tg_dot_boxes_free(tg_dot_boxes *b, const tg_graph *graph);

#endif
