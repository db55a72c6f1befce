/* Graphs written as pictures for Graphviz. */
#ifndef MODELS_PICTURE_H
#define MODELS_PICTURE_H

#include "autodiff/inspect.h"
#include "models/console.h"

/** A graph, or the plan whose graph is meant. */
typedef struct picture {
    const char *title;
    const tg_graph *graph;
    const tg_plan *plan;
    const int32_t *highlight; /**< a node; NULL: none */
} picture;

/** Writes it whole to `path`. Returns an exit code; a failure has been said. */
int write_graph(console *c, const char *path, const picture *p);
/** Leaves a failed run's graph as diverged.dot in `folder` (NULL: here) with the node in red, and says where, or why not. */
void show_culprit(console *c, const char *folder, const tg_graph *graph, const tg_nonfinite *found);

#endif
