#include "graph/dot.h"

#include <stdlib.h>
#include <string.h>

#include "graph/dot_label.h"
#include "graph/print.h"
#include "graph/rebuild.h"

#define FORWARD_COLOUR "#2f5d8a"
#define BACKWARD_COLOUR "#8a4b9b"
#define KEPT_COLOUR "#d9730d"
#define UPDATE_COLOUR "#8a7340"
#define QUIET_COLOUR "#aab0ba"
#define ALARM_COLOUR "#c62828"

/* A tensor on its way to a box, drawn once however often the box reads it. */
typedef struct edge {
    int32_t to, from; /* indices of boxes */
    int32_t node;     /* id of the tensor */
} edge;

typedef struct layer {
    const char *path; /* its first `length` characters */
    size_t length;
    int32_t parent;
} layer;

typedef struct picture {
    FILE *out;
    const tg_graph *graph;
    const tg_dot_options *options;
    tg_dot_boxes boxes;
    edge *edges;
    size_t edge_count;
    layer *layers;
    int32_t layer_count;
    int32_t *layer_of; /* of each box, or -1 */
    void *memory;
    size_t bytes;
} picture;

/* ---- layers ---- */

static int32_t find_layer(picture *p, const char *path, size_t length, int32_t parent)
{
    for (int32_t i = 0; i < p->layer_count; i++)
        if (p->layers[i].length == length && memcmp(p->layers[i].path, path, length) == 0)
            return i;
    p->layers[p->layer_count] = (layer){path, length, parent};
    return p->layer_count++;
}

/* Finds or adds the layers "a", "a/b" and "a/b/c" of "a/b/c"; returns the last, or -1 for "". */
static int32_t layer_of_scope(picture *p, const char *scope)
{
    int32_t parent = -1;
    for (const char *end = scope; *scope; end++) {
        if (*end != '/' && *end)
            continue;
        parent = find_layer(p, scope, (size_t)(end - scope), parent);
        if (!*end)
            break;
    }
    return parent;
}

static size_t count_layers_at_most(const picture *p)
{
    size_t n = 0;
    for (int32_t i = 0; i < p->boxes.count; i++) {
        const char *scope = p->boxes.boxes[i].scope;
        for (n += *scope != '\0'; *scope; scope++)
            n += *scope == '/';
    }
    return n;
}

static const char *layer_kind(const tg_graph *graph, const layer *l)
{
    for (int i = 0; i < tg_graph_layer_count(graph); i++) {
        const tg_layer_info *info = tg_graph_layer(graph, i);
        if (strlen(info->name) == l->length && memcmp(info->name, l->path, l->length) == 0)
            return info->kind;
    }
    return "";
}

/* ---- edges ---- */

static int compare_edges(const void *left, const void *right)
{
    const edge *a = left, *b = right;
    if (a->to != b->to)
        return a->to < b->to ? -1 : 1;
    return (a->node > b->node) - (a->node < b->node);
}

static void collect_edges(picture *p)
{
    for (int32_t id = 0; id < p->boxes.nodes; id++) {
        const tg_node *node = tg_graph_node(p->graph, id);
        int32_t to = p->boxes.box_of[id];
        for (int32_t i = 0; i < node->n_inputs; i++) {
            int32_t from = p->boxes.box_of[node->inputs[i]];
            bool own = to >= 0 && p->boxes.boxes[to].folded && p->boxes.boxes[to].variable == node->inputs[i];
            if (from >= 0 && from != to && !own)
                p->edges[p->edge_count++] = (edge){to, from, node->inputs[i]};
        }
    }
    qsort(p->edges, p->edge_count, sizeof *p->edges, compare_edges);
    size_t kept = 0;
    for (size_t i = 0; i < p->edge_count; i++)
        if (i == 0 || compare_edges(&p->edges[kept - 1], &p->edges[i]) != 0)
            p->edges[kept++] = p->edges[i];
    p->edge_count = kept;
}

static bool picture_make(picture *p)
{
    if (!tg_dot_boxes_make(&p->boxes, p->graph, p->options))
        return false;
    size_t edges = 0, layers = count_layers_at_most(p), boxes = (size_t)p->boxes.count;
    for (int32_t id = 0; id < p->boxes.nodes; id++)
        edges += (size_t)tg_graph_node(p->graph, id)->n_inputs;
    p->bytes = layers * sizeof(layer) + edges * sizeof(edge) + boxes * sizeof(int32_t);
    p->memory = tg_allocate(tg_graph_context(p->graph), p->bytes);
    if (!p->memory) {
        tg_dot_boxes_free(&p->boxes, p->graph);
        return false;
    }
    p->layers = p->memory;
    p->edges = (edge *)(p->layers + layers);
    p->layer_of = (int32_t *)(p->edges + edges);
    for (size_t i = 0; i < boxes; i++)
        p->layer_of[i] = layer_of_scope(p, p->boxes.boxes[i].scope);
    collect_edges(p);
    return true;
}

/* ---- writing ---- */

/* How a box looks: its shape and line by what it is, its colours by what it is for. */
static void put_box_style(picture *p, const tg_dot_box *box)
{
    const tg_node *node = tg_graph_node(p->graph, box->last);
    const char *shape = "box", *style = "rounded,filled", *colour = FORWARD_COLOUR, *fill = "#eaf2fb";
    const tg_variable_info *variable = tg_node_variable(p->graph, node);
    if (node->op == &tg_op_input && box->role == TG_DOT_LEAF)
        shape = "parallelogram", style = "filled", colour = "#3b7a57", fill = "#e6f4ea";
    else if (variable && !box->folded)
        shape = "cylinder", style = variable->trainable ? "filled" : "filled,dashed", colour = "#4a5568", fill = "#eceff4";
    else if (box->role == TG_DOT_LEAF)
        shape = "note", style = "filled", colour = "#6b7280", fill = "#ffffff";
    else if (box->role == TG_DOT_BACKWARD)
        style = "rounded,filled,dashed", colour = BACKWARD_COLOUR, fill = "#f7eefa";
    else if (box->role == TG_DOT_UPDATE)
        shape = box->folded ? "box3d" : "box", style = box->folded ? "filled" : "rounded,filled", colour = UPDATE_COLOUR, fill = "#fbf5e3";
    if (box->fused)
        style = box->role == TG_DOT_BACKWARD ? "filled,dashed,bold" : "filled,bold";
    if (box->kept)
        colour = KEPT_COLOUR;
    for (int32_t id = box->first; id >= 0; id = p->boxes.next[id]) {
        if (p->options->fills && p->options->fills[id])
            fill = p->options->fills[id];
        if (id == p->options->highlight)
            colour = ALARM_COLOUR, fill = "#ffcdd2";
    }
    fprintf(p->out, "shape=%s, style=\"%s\", color=\"%s\", fillcolor=\"", shape, style, colour);
    tg_dot_text(p->out, fill);
    fprintf(p->out, "\"%s", box->kept || colour[1] == ALARM_COLOUR[1] ? ", penwidth=1.8" : "");
}

static void put_box(picture *p, int32_t index)
{
    const tg_dot_box *box = &p->boxes.boxes[index];
    const tg_node *node = tg_graph_node(p->graph, box->last);
    char place[300];
    fprintf(p->out, "  n%d [label=<", (int)box->last);
    tg_dot_label(p->out, p->graph, &p->boxes, box, p->options);
    fputs(">, ", p->out);
    put_box_style(p, box);
    fprintf(p->out, ", tooltip=\"%d: %s", (int)node->id, node->op->formula ? node->op->formula : node->op->name);
    tg_dot_text(p->out, " · ");
    tg_dot_text(p->out, tg_where_text(node->where, place, sizeof place));
    fputs("\"];\n", p->out);
}

/* A layer's cluster with those inside it; layers nest at most TG_MAX_LAYER_DEPTH deep. */
static void put_layer(picture *p, int32_t index)
{
    if (index >= 0) {
        const layer *l = &p->layers[index];
        size_t skip = l->parent >= 0 ? p->layers[l->parent].length + 1 : 0;
        const char *kind = layer_kind(p->graph, l);
        char name[256];
        snprintf(name, sizeof name, "%.*s", (int)(l->length - skip), l->path + skip);
        fprintf(p->out, "  subgraph cluster_%d {\n  label=<<b>", (int)index);
        tg_dot_text(p->out, name);
        fprintf(p->out, "</b>%s", *kind ? "  <font color=\"#7b8494\">" : "");
        tg_dot_text(p->out, kind);
        fprintf(p->out, "%s>;\n", *kind ? "</font>" : "");
    }
    for (int32_t i = 0; i < p->boxes.count; i++)
        if (p->layer_of[i] == index)
            put_box(p, i);
    for (int32_t i = 0; i < p->layer_count; i++)
        if (p->layers[i].parent == index)
            put_layer(p, i);
    if (index >= 0)
        fputs("  }\n", p->out);
}

static void put_edge(picture *p, const edge *e)
{
    const tg_dot_box *from = &p->boxes.boxes[e->from], *to = &p->boxes.boxes[e->to];
    bool back = to->role == TG_DOT_BACKWARD, label = true;
    const char *style = "";
    if (to->role == TG_DOT_UPDATE && !to->folded && from->role == TG_DOT_UPDATE)
        style = "color=\"" UPDATE_COLOUR "\"";
    else if (to->role == TG_DOT_UPDATE && from->role == TG_DOT_BACKWARD)
        style = "color=\"" BACKWARD_COLOUR "\", style=dashed";
    else if (to->role == TG_DOT_UPDATE)
        style = "color=\"" QUIET_COLOUR "\", penwidth=0.7, arrowsize=0.5, constraint=false", label = false;
    else if (back && from->role == TG_DOT_BACKWARD)
        style = "color=\"" BACKWARD_COLOUR "\", style=dashed, dir=back";
    else if (back && from->role == TG_DOT_FORWARD)
        style = "color=\"" KEPT_COLOUR "\", style=dashed";
    else if (back)
        style = "color=\"" QUIET_COLOUR "\", style=dashed, penwidth=0.7, arrowsize=0.5, constraint=false", label = false;
    else
        style = "color=\"" FORWARD_COLOUR "\", weight=4";
    /* The backward pass runs upwards beside the forward pass: its edges are written against their direction. */
    bool against = back && from->role == TG_DOT_BACKWARD;
    fprintf(p->out, "  n%d -> n%d [%s", (int)(against ? to : from)->last, (int)(against ? from : to)->last, style);
    if (label) {
        fputs(", label=<", p->out);
        tg_dot_type(p->out, tg_graph_node(p->graph, e->node)->type);
        fputs(">", p->out);
    }
    fputs("];\n", p->out);
}

/* An update writes its variable; a gradient stands beside what it is the gradient of. */
static void put_hints(picture *p)
{
    for (int32_t i = 0; i < p->boxes.count; i++) {
        const tg_dot_box *box = &p->boxes.boxes[i];
        int32_t variable = box->folded && box->variable >= 0 ? p->boxes.box_of[box->variable] : -1;
        if (variable >= 0 && variable != i)
            fprintf(p->out, "  n%d -> n%d [color=\"" UPDATE_COLOUR "\", constraint=false];\n", (int)box->last,
                    (int)p->boxes.boxes[variable].last);
        int32_t forward = tg_graph_node(p->graph, box->last)->forward;
        int32_t beside = box->role == TG_DOT_BACKWARD && forward < p->boxes.nodes ? p->boxes.box_of[forward] : -1;
        if (beside >= 0 && p->boxes.boxes[beside].role == TG_DOT_FORWARD)
            fprintf(p->out, "  n%d -> n%d [style=invis];\n", (int)p->boxes.boxes[beside].last, (int)box->last);
    }
}

/* What the colours mean, as far as they occur. */
static void put_legend(picture *p)
{
    bool roles[TG_DOT_UPDATE + 1] = {false}, fused = false, kept = false;
    for (int32_t i = 0; i < p->boxes.count; i++) {
        const tg_dot_box *box = &p->boxes.boxes[i];
        roles[box->role] = true;
        fused |= box->fused;
        kept |= box->kept;
    }
    const struct {
        bool present;
        const char *colour, *text;
    } entries[] = {
        {roles[TG_DOT_FORWARD], FORWARD_COLOUR, "── forward"},
        {roles[TG_DOT_BACKWARD], BACKWARD_COLOUR, "╌╌ backward"},
        {kept, KEPT_COLOUR, "╌╌ kept for the backward pass"},
        {roles[TG_DOT_UPDATE], UPDATE_COLOUR, "── updates of variables"},
        {fused, "#1f2937", "<b>bold frame</b>: fused into one pass"},
    };
    fputs("  label=<<table border=\"0\" cellspacing=\"6\" cellpadding=\"2\">", p->out);
    if (p->options->title) {
        fputs("<tr><td colspan=\"5\"><font point-size=\"18\"><b>", p->out);
        tg_dot_text(p->out, p->options->title);
        fputs("</b></font></td></tr>", p->out);
    }
    fputs("<tr>", p->out);
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++)
        if (entries[i].present)
            fprintf(p->out, "<td><font color=\"%s\">%s</font></td>", entries[i].colour, entries[i].text);
    fputs("<td></td></tr></table>>;\n", p->out);
}

tg_dot_options tg_dot_defaults(void) { return (tg_dot_options){.highlight = -1}; }

tg_status tg_dot(FILE *out, const tg_graph *graph, tg_dot_options options)
{
    picture p = {.out = out, .graph = graph, .options = &options};
    if (!picture_make(&p))
        return TG_ERROR_MEMORY;
    fputs("digraph tapegrad {\n"
          "  graph [rankdir=TB, fontname=\"Helvetica\", fontsize=12, labelloc=t, nodesep=0.35, ranksep=0.45, bgcolor=white, charset=\"UTF-8\"];\n"
          "  node [fontname=\"Helvetica\", fontsize=12, margin=\"0.14,0.06\"];\n"
          "  edge [fontname=\"Helvetica\", fontsize=9, fontcolor=\"#5f6672\", arrowsize=0.7];\n",
          out);
    put_legend(&p);
    fputs("  subgraph { graph [style=\"rounded,filled\", fillcolor=\"#fafbfc\", color=\"#c9ced6\", labelloc=t, labeljust=l, margin=14];\n", out);
    put_layer(&p, -1);
    fputs("  }\n", out);
    for (size_t i = 0; i < p.edge_count; i++)
        put_edge(&p, &p.edges[i]);
    put_hints(&p);
    fputs("}\n", out);
    tg_release(tg_graph_context(graph), p.memory, p.bytes);
    tg_dot_boxes_free(&p.boxes, graph);
    return ferror(out) ? TG_ERROR_IO : TG_OK;
}
