#include <stdlib.h>
#include <string.h>

#include "graph/dot_label.h"
#include "graph/dot_picture.h"
#include "graph/rebuild.h"

enum { HAS_ABOVE = 1, HAS_BELOW = 2 }; /* tg_dot_picture.ends: a box of the same layer stands above, or below */

/* ---- finding them ---- */

static int compare_edges(const void *left, const void *right)
{
    const tg_dot_edge *a = left, *b = right;
    if (a->to != b->to)
        return a->to < b->to ? -1 : 1;
    return (a->node > b->node) - (a->node < b->node);
}

/* Whether the picture says already what an edge would: an update reads the variable it assigns, and what all updates share. */
static bool is_understood(const tg_dot_picture *p, const tg_dot_edge *e)
{
    const tg_dot_box *from = &p->boxes.boxes[e->from], *to = &p->boxes.boxes[e->to];
    return to->folded && to->variable >= 0 && (to->variable == e->node || (from->folded && from->variable < 0));
}

void tg_dot_collect_edges(tg_dot_picture *p)
{
    p->edge_count = 0;
    for (int32_t id = 0; id < p->boxes.nodes; id++) {
        const tg_node *node = tg_graph_node(p->graph, id);
        for (int32_t i = 0; i < node->n_inputs; i++) {
            tg_dot_edge e = {p->boxes.box_of[id], p->boxes.box_of[node->inputs[i]], node->inputs[i]};
            if (e.from >= 0 && e.from != e.to && !is_understood(p, &e))
                p->edges[p->edge_count++] = e;
        }
    }
    qsort(p->edges, p->edge_count, sizeof *p->edges, compare_edges);
    size_t kept = 0;
    for (size_t i = 0; i < p->edge_count; i++)
        if (i == 0 || compare_edges(&p->edges[kept - 1], &p->edges[i]) != 0)
            p->edges[kept++] = p->edges[i];
    p->edge_count = kept;
}

/* ---- how they look ---- */

typedef struct look {
    uint8_t kind; /* a bit */
    const char *style;
    bool against; /* written from the reader to what it reads: the backward pass runs upwards beside the forward pass */
    bool free;    /* does not decide what stands above what, and carries no label */
} look;

static look look_of(const tg_dot_picture *p, const tg_dot_edge *e)
{
    tg_dot_role from = p->boxes.boxes[e->from].role, to = p->boxes.boxes[e->to].role;
    if (to == TG_DOT_UPDATE && from == TG_DOT_BACKWARD)
        return (look){1, "color=\"" TG_DOT_BACKWARD_COLOUR "\", style=dashed", false, false};
    if (to == TG_DOT_UPDATE && from == TG_DOT_UPDATE)
        return (look){2, "color=\"" TG_DOT_UPDATE_COLOUR "\"", false, false};
    if (to == TG_DOT_UPDATE)
        return (look){4, "color=\"" TG_DOT_QUIET_COLOUR "\", arrowsize=0.5", false, false};
    if (to == TG_DOT_BACKWARD && from == TG_DOT_BACKWARD)
        return (look){8, "color=\"" TG_DOT_BACKWARD_COLOUR "\", style=dashed, dir=back", true, false};
    if (to == TG_DOT_BACKWARD && from == TG_DOT_FORWARD)
        return (look){16, "color=\"" TG_DOT_KEPT_COLOUR "\", style=dashed", false, false};
    if (to == TG_DOT_BACKWARD)
        return (look){32, "color=\"" TG_DOT_QUIET_COLOUR "\", style=dashed, arrowsize=0.5, constraint=false", false, true};
    return (look){64, "color=\"" TG_DOT_FORWARD_COLOUR "\"", false, false};
}

/* What a box is called in the file. */
static int32_t name_of(const tg_dot_picture *p, int32_t box) { return p->boxes.boxes[box].last; }

/* A tensor's type stands at the first edge of each kind. */
static void put_edge(tg_dot_picture *p, const tg_dot_edge *e)
{
    look l = look_of(p, e);
    fprintf(p->out, "  n%d -> n%d [%s", (int)name_of(p, l.against ? e->to : e->from),
            (int)name_of(p, l.against ? e->from : e->to), l.style);
    if (!l.free && p->outermost[e->from] == p->outermost[e->to])
        fputs(", weight=20", p->out); /* keeps layers compact */
    else if (p->boxes.boxes[e->to].role == TG_DOT_FORWARD)
        fputs(", weight=4", p->out); /* keeps the forward pass straight */
    if (!l.free && !(p->labelled[e->node] & l.kind)) {
        fputs(", label=<&#160;", p->out);
        tg_dot_type(p->out, tg_graph_node(p->graph, e->node)->type);
        fputs("&#160;>", p->out);
    }
    p->labelled[e->node] |= l.kind;
    fputs("];\n", p->out);
}

/* ---- where things stand ---- */

static void find_ends(tg_dot_picture *p)
{
    memset(p->ends, 0, (size_t)p->boxes.count);
    for (size_t i = 0; i < p->edge_count; i++) {
        look l = look_of(p, &p->edges[i]);
        int32_t above = l.against ? p->edges[i].to : p->edges[i].from, below = l.against ? p->edges[i].from : p->edges[i].to;
        if (l.free || p->outermost[above] != p->outermost[below])
            continue;
        p->ends[above] |= HAS_BELOW;
        p->ends[below] |= HAS_ABOVE;
    }
}

/* The first forward box of a layer; -1: none. */
static int32_t first_forward(const tg_dot_picture *p, int32_t layer)
{
    for (int32_t i = 0; i < p->boxes.count; i++)
        if (p->boxes.boxes[i].role == TG_DOT_FORWARD && p->outermost[i] == layer)
            return i;
    return -1;
}

/* Puts all of one layer above all of another, so that layers follow each other downwards with their gradients beside them. */
static void stack(tg_dot_picture *p, int32_t above, int32_t below)
{
    for (int32_t i = 0; i < p->boxes.count; i++)
        for (int32_t k = 0; k < p->boxes.count && p->outermost[i] == above && !(p->ends[i] & HAS_BELOW); k++)
            if (p->outermost[k] == below && !(p->ends[k] & HAS_ABOVE))
                fprintf(p->out, "  n%d -> n%d [style=invis, weight=0];\n", (int)name_of(p, i), (int)name_of(p, k));
}

/* Layers whose tensors go from one to the next. Layers that take turns, as where weights are shared, are left alone. */
static void stack_layers(tg_dot_picture *p)
{
    find_ends(p);
    memset(p->stacked, 0xff, (size_t)p->layer_count * sizeof *p->stacked);
    for (int32_t above = 0; above < p->layer_count; above++) {
        int32_t first = first_forward(p, above);
        for (size_t i = 0; i < p->edge_count; i++) {
            const tg_dot_edge *e = &p->edges[i];
            int32_t below = p->outermost[e->to];
            bool forward = p->boxes.boxes[e->from].role == TG_DOT_FORWARD && p->boxes.boxes[e->to].role == TG_DOT_FORWARD;
            if (!forward || p->outermost[e->from] != above || below < 0 || below == above || p->stacked[below] == above)
                continue;
            p->stacked[below] = above;
            if (first < first_forward(p, below))
                stack(p, above, below);
        }
    }
}

/* An update writes its variable; a gradient stands below what it is the gradient of. */
static void put_links(tg_dot_picture *p)
{
    for (int32_t i = 0; i < p->boxes.count; i++) {
        const tg_dot_box *box = &p->boxes.boxes[i];
        int32_t variable = box->folded && box->variable >= 0 ? p->boxes.box_of[box->variable] : -1;
        if (variable >= 0 && variable != i)
            fprintf(p->out, "  n%d -> n%d [color=\"" TG_DOT_UPDATE_COLOUR "\", style=dotted, constraint=false];\n",
                    (int)box->last, (int)name_of(p, variable));
        int32_t forward = tg_graph_node(p->graph, box->last)->forward;
        int32_t beside = box->role == TG_DOT_BACKWARD && forward < p->boxes.nodes ? p->boxes.box_of[forward] : -1;
        if (beside >= 0 && p->boxes.boxes[beside].role == TG_DOT_FORWARD)
            fprintf(p->out, "  n%d -> n%d [style=invis, weight=0];\n", (int)name_of(p, beside), (int)box->last);
    }
}

/* Counters and sums that a layer keeps stand side by side. */
static void level_states(tg_dot_picture *p)
{
    for (int32_t layer = 0; layer < p->layer_count; layer++) {
        int found = 0;
        for (int32_t i = 0; i < p->boxes.count; i++) {
            const tg_dot_box *box = &p->boxes.boxes[i];
            const tg_node *variable = box->folded && box->variable >= 0 ? tg_graph_node(p->graph, box->variable) : NULL;
            if (variable && p->outermost[i] == layer && !tg_node_variable(p->graph, variable)->trainable)
                fprintf(p->out, "%sn%d; ", found++ ? "" : "  {rank=same; ", (int)box->last);
        }
        fputs(found ? "}\n" : "", p->out);
    }
}

void tg_dot_put_edges(tg_dot_picture *p)
{
    memset(p->labelled, 0, (size_t)p->boxes.nodes);
    for (size_t i = 0; i < p->edge_count; i++)
        put_edge(p, &p->edges[i]);
    put_links(p);
    stack_layers(p);
    level_states(p);
}
