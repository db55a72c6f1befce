#include <stdio.h>
#include <string.h>

#include "graph/number_text.h"
#include "graph/tape_internal.h"

const char *tg_graph_scope(const tg_graph *graph) { return graph->scope; }

const char *tg_graph_scoped(tg_graph *graph, const char *name)
{
    if (!*graph->scope)
        return tg_graph_string(graph, name);
    size_t size = strlen(graph->scope) + strlen(name) + 2;
    char *full = tg_graph_allocate(graph, size);
    if (full)
        snprintf(full, size, "%s/%s", graph->scope, name);
    return full;
}

/* "MaxPooling2D" -> "max_pooling2d", by Keras's rule: a word begins at a capital that follows or precedes a small letter. */
static void snake_case(const char *kind, char *out, size_t size)
{
    size_t at = 0;
    for (size_t i = 0; kind[i] && at + 2 < size; i++) {
        bool capital = tg_is_upper(kind[i]);
        if (capital && i > 0 && (tg_is_lower(kind[i - 1]) || tg_is_lower(kind[i + 1])))
            out[at++] = '_';
        out[at++] = tg_to_lower(kind[i]);
    }
    out[at] = '\0';
}

/* The first of base, base_1, base_2, ... that no layer here has, searched from the number after the last one given out. */
static const char *numbered_name(tg_graph *graph, const char *kind)
{
    char base[64], name[96];
    snake_case(kind, base, sizeof base);
    const char *family = tg_graph_scoped(graph, base), *full;
    if (!family)
        return NULL;
    int32_t number = tg_graph_find_name(graph, "next number", family);
    if (number < 0)
        number = 0;
    for (;; number++) {
        snprintf(name, sizeof name, "%s_%d", base, number);
        full = number == 0 ? family : tg_graph_scoped(graph, name);
        if (!full || tg_graph_find_name(graph, "layer", full) < 0)
            break;
    }
    return tg_graph_add_name(graph, "next number", family, number + 1) ? full : NULL;
}

/* Opens without a word where an error stands already, so that begin and end stay balanced. */
static void push(tg_graph *graph, tg_where where, tg_layer_info *layer, const char *scope)
{
    if (graph->depth < TG_MAX_LAYER_DEPTH) {
        graph->open[graph->depth] = (tg_open_layer){layer, graph->scope, where};
        graph->scope = scope;
    }
    graph->depth++;
}

static tg_layer_info *add_layer(tg_graph *graph, const char *kind, const char *full)
{
    tg_layer_info layer = {tg_graph_string(graph, kind), full, graph->nodes.count, graph->nodes.count, -1};
    return layer.kind ? tg_graph_append(graph, &graph->layers, &layer, sizeof layer) : NULL;
}

void tg_layer_begin_at(tg_where where, tg_graph *graph, const char *kind, const char *name, bool shared)
{
    if (!graph)
        return;
    if (graph->depth >= TG_MAX_LAYER_DEPTH)
        tg_graph_fail(graph, where, "layers are nested deeper than %d: is a tg_layer_end() missing?", TG_MAX_LAYER_DEPTH);
    if (!kind || !*kind)
        tg_graph_fail(graph, where, "a layer needs a kind, such as \"Dense\"");
    const char *full = graph->failed ? NULL : name ? tg_graph_scoped(graph, name) : numbered_name(graph, kind);
    if (!full) {
        push(graph, where, NULL, graph->scope);
        return;
    }
    if (tg_graph_find_name(graph, "layer", full) < 0)
        tg_graph_add_name(graph, "layer", full, 0);
    else if (!shared)
        tg_graph_fail(graph, where, "layer \"%s\" exists already in this graph: give it another name, or ask for it to be shared",
                      full);
    push(graph, where, graph->failed ? NULL : add_layer(graph, kind, full), full);
}

tg_tensor tg_layer_end(tg_tensor output)
{
    tg_graph *graph = output.graph;
    if (!graph)
        return output;
    if (graph->depth == 0)
        return tg_graph_fail(graph, (tg_where){NULL, 0}, "tg_layer_end() without a tg_layer_begin()");
    graph->depth--;
    if (graph->depth >= TG_MAX_LAYER_DEPTH)
        return output;
    tg_open_layer open = graph->open[graph->depth];
    graph->scope = open.scope;
    if (open.layer) {
        open.layer->last = graph->nodes.count;
        open.layer->output = output.id;
    }
    return output;
}

bool tg_graph_expect_closed(tg_graph *graph)
{
    if (graph->depth > 0)
        tg_graph_fail(graph, graph->open[graph->depth - 1].where,
                      "layer \"%s\" is still open: its tg_layer_end() is missing, or was given a tensor of no graph",
                      graph->scope);
    return graph->depth == 0;
}

int tg_graph_layer_count(const tg_graph *graph) { return graph ? graph->layers.count : 0; }

const tg_layer_info *tg_graph_layer(const tg_graph *graph, int i)
{
    return i >= 0 && i < tg_graph_layer_count(graph) ? graph->layers.at[i] : NULL;
}
