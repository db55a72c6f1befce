#include "graph/dot.h"

#include <string.h>

#include "graph/dot_label.h"
#include "graph/dot_picture.h"
#include "graph/print.h"
#include "graph/rebuild.h"

/* ---- layers ---- */

static int32_t find_layer(tg_dot_picture *p, const char *path, size_t length, int32_t parent)
{
    for (int32_t i = 0; i < p->layer_count; i++)
        if (p->layers[i].length == length && memcmp(p->layers[i].path, path, length) == 0)
            return i;
    p->layers[p->layer_count] = (tg_dot_layer){path, length, parent};
    return p->layer_count++;
}

/* Finds or adds the layers "a", "a/b" and "a/b/c" of "a/b/c"; returns the last, or -1 for "". */
static int32_t layer_of_scope(tg_dot_picture *p, const char *scope)
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

static size_t count_layers_at_most(const tg_dot_picture *p)
{
    size_t n = 0;
    for (int32_t i = 0; i < p->boxes.count; i++) {
        const char *scope = p->boxes.boxes[i].scope;
        for (n += *scope != '\0'; *scope; scope++)
            n += *scope == '/';
    }
    return n;
}

static const char *layer_kind(const tg_graph *graph, const tg_dot_layer *l)
{
    for (int i = 0; i < tg_graph_layer_count(graph); i++) {
        const tg_layer_info *info = tg_graph_layer(graph, i);
        if (strlen(info->name) == l->length && memcmp(info->name, l->path, l->length) == 0)
            return info->kind;
    }
    return "";
}

static bool picture_make(tg_dot_picture *p)
{
    if (!tg_dot_boxes_make(&p->boxes, p->graph, p->options))
        return false;
    size_t edges = 0, layers = count_layers_at_most(p), boxes = (size_t)p->boxes.count;
    for (int32_t id = 0; id < p->boxes.nodes; id++)
        edges += (size_t)tg_graph_node(p->graph, id)->n_inputs;
    p->bytes = layers * sizeof(tg_dot_layer) + edges * sizeof(tg_dot_edge) + boxes * (2 * sizeof(int32_t) + 1) +
               layers * sizeof(int32_t) + (size_t)p->boxes.nodes;
    p->memory = tg_allocate(tg_graph_context(p->graph), p->bytes);
    if (!p->memory) {
        tg_dot_boxes_free(&p->boxes, p->graph);
        return false;
    }
    p->layers = p->memory;
    p->edges = (tg_dot_edge *)(p->layers + layers);
    p->layer_of = (int32_t *)(p->edges + edges);
    p->outermost = p->layer_of + boxes;
    p->stacked = p->outermost + boxes;
    p->ends = (uint8_t *)(p->stacked + layers);
    p->labelled = p->ends + boxes;
    for (size_t i = 0; i < boxes; i++) {
        p->layer_of[i] = p->outermost[i] = layer_of_scope(p, p->boxes.boxes[i].scope);
        while (p->outermost[i] >= 0 && p->layers[p->outermost[i]].parent >= 0)
            p->outermost[i] = p->layers[p->outermost[i]].parent;
    }
    for (int32_t i = 0; i < p->boxes.count; i++) {
        double share = tg_dot_share(&p->boxes, &p->boxes.boxes[i], p->options);
        p->largest_share = share > p->largest_share ? share : p->largest_share;
    }
    tg_dot_collect_edges(p);
    return true;
}

/* ---- writing ---- */

/* From white to a warm colour that black text stands out from, also in print: lightness falls all the way. */
static const char *warmth(const tg_dot_picture *p, const tg_dot_box *box, char colour[8])
{
    static const int cold[3] = {0xff, 0xff, 0xff}, warm[3] = {0xff, 0xae, 0x5c};
    double heat = p->largest_share > 0 ? tg_dot_share(&p->boxes, box, p->options) / p->largest_share : 0;
    int mixed[3];
    for (int i = 0; i < 3; i++)
        mixed[i] = cold[i] + (int)(heat * (warm[i] - cold[i]));
    snprintf(colour, 8, "#%02x%02x%02x", (unsigned)mixed[0] & 0xff, (unsigned)mixed[1] & 0xff, (unsigned)mixed[2] & 0xff);
    return colour;
}

/* How a box looks: its shape and line by what it is, its colours by what it is for. */
static void put_box_style(tg_dot_picture *p, const tg_dot_box *box)
{
    const tg_node *node = tg_graph_node(p->graph, box->last);
    const char *shape = "box", *style = "rounded,filled", *colour = TG_DOT_FORWARD_COLOUR, *fill = "#eaf2fb";
    const tg_variable_info *variable = tg_node_variable(p->graph, node);
    if (node->op == &tg_op_input && box->role == TG_DOT_LEAF)
        shape = "parallelogram", style = "filled", colour = "#3b7a57", fill = "#e6f4ea";
    else if (variable && !box->folded)
        shape = "cylinder", style = variable->trainable ? "filled" : "filled,dashed", colour = "#4a5568", fill = "#eceff4";
    else if (box->role == TG_DOT_LEAF)
        shape = "note", style = "filled", colour = "#6b7280", fill = "#ffffff";
    else if (box->role == TG_DOT_BACKWARD)
        style = "rounded,filled,dashed", colour = TG_DOT_BACKWARD_COLOUR, fill = "#f7eefa";
    else if (box->role == TG_DOT_UPDATE)
        style = box->folded ? "filled" : "rounded,filled", colour = TG_DOT_UPDATE_COLOUR, fill = "#fbf5e3";
    if (box->fused)
        style = box->role == TG_DOT_BACKWARD ? "filled,dashed,bold" : "filled,bold";
    if (box->kept)
        colour = TG_DOT_KEPT_COLOUR;
    bool alarm = false;
    char mixed[8];
    if (p->options->shares)
        fill = warmth(p, box, mixed);
    for (int32_t id = box->first; id >= 0; id = p->boxes.next[id]) {
        if (p->options->fills && p->options->fills[id])
            fill = p->options->fills[id];
        if (p->options->highlight && id == *p->options->highlight)
            alarm = true, colour = TG_DOT_ALARM_COLOUR, fill = "#ffcdd2";
    }
    fprintf(p->out, "shape=%s, style=\"%s\", color=\"%s\", fillcolor=\"", shape, style, colour);
    tg_dot_text(p->out, fill);
    fputs(box->folded ? "\", peripheries=2" : "\"", p->out);
    fputs(box->kept || alarm ? ", penwidth=1.8" : "", p->out);
}

static void put_box(tg_dot_picture *p, int32_t index)
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
static void put_layer(tg_dot_picture *p, int32_t index)
{
    if (index >= 0) {
        const tg_dot_layer *l = &p->layers[index];
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

/* What the colours mean, as far as they occur. */
static void put_legend(tg_dot_picture *p)
{
    bool roles[TG_DOT_UPDATE + 1] = {false}, fused = false, kept = false;
    for (int32_t i = 0; i < p->boxes.count; i++) {
        const tg_dot_box *box = &p->boxes.boxes[i];
        roles[box->role] = true;
        fused |= box->fused;
        kept |= box->kept;
    }
    const char *shares_of = p->options->shares_of ? p->options->shares_of : "whole";
    char shares[100];
    snprintf(shares, sizeof shares, "fill and per cent: share of the %s", shares_of);
    const struct {
        bool present;
        const char *colour, *text;
    } entries[] = {
        {roles[TG_DOT_FORWARD], TG_DOT_FORWARD_COLOUR, "── forward"},
        {roles[TG_DOT_BACKWARD], TG_DOT_BACKWARD_COLOUR, "╌╌ backward"},
        {kept, TG_DOT_KEPT_COLOUR, "╌╌ kept for the backward pass"},
        {roles[TG_DOT_UPDATE], TG_DOT_UPDATE_COLOUR, "── updates of variables"},
        {fused, "#1f2937", "<b>bold frame</b>: fused into one pass"},
        {p->options->shares != NULL, "#000000", shares},
    };
    fputs("  label=<<table border=\"0\" cellspacing=\"6\" cellpadding=\"2\">", p->out);
    if (p->options->title) {
        fputs("<tr><td colspan=\"6\"><font point-size=\"18\"><b>", p->out);
        tg_dot_text(p->out, p->options->title);
        fputs("</b></font></td></tr>", p->out);
    }
    fputs("<tr>", p->out);
    for (size_t i = 0; i < sizeof entries / sizeof *entries; i++)
        if (entries[i].present)
            fprintf(p->out, "<td><font color=\"%s\">%s</font></td>", entries[i].colour, entries[i].text);
    fputs("<td></td></tr></table>>;\n", p->out);
}

tg_dot_options tg_dot_defaults(void) { return (tg_dot_options){.title = NULL}; }

tg_status tg_dot(FILE *out, const tg_graph *graph, tg_dot_options options)
{
    if (!graph)
        return TG_ERROR_ARGUMENT;
    tg_dot_picture p = {.out = out, .graph = graph, .options = &options};
    if (!picture_make(&p))
        return TG_ERROR_MEMORY;
    fputs("digraph tapegrad {\n"
          "  graph [rankdir=TB, newrank=true, fontname=\"Helvetica,Arial,sans-serif\", fontsize=12, labelloc=t, nodesep=0.35, "
          "ranksep=0.45, bgcolor=white, charset=\"UTF-8\"];\n"
          "  node [fontname=\"Helvetica,Arial,sans-serif\", fontsize=12, margin=\"0.14,0.06\"];\n"
          "  edge [fontname=\"Helvetica,Arial,sans-serif\", fontsize=9, fontcolor=\"#5f6672\", arrowsize=0.7];\n",
          out);
    put_legend(&p);
    fputs("  subgraph { graph [style=\"rounded,filled\", fillcolor=\"#fafbfc\", color=\"#c9ced6\", labelloc=t, labeljust=l, "
          "margin=14];\n",
          out);
    put_layer(&p, -1);
    fputs("  }\n", out);
    tg_dot_put_edges(&p);
    fputs("}\n", out);
    tg_release(tg_graph_context(graph), p.memory, p.bytes);
    tg_dot_boxes_free(&p.boxes, graph);
    return ferror(out) ? TG_ERROR_IO : TG_OK;
}
