#include "graph/rebuild.h"

#include "graph/tape_internal.h"

void tg_graph_set_origin(tg_graph *graph, const tg_graph *source, int32_t origin, bool as_gradient)
{
    const tg_node *node = origin >= 0 ? tg_graph_node(source, origin) : NULL;
    graph->has_origin = node != NULL;
    if (!node)
        return;
    graph->origin_where = node->where;
    graph->origin_scope = node->scope;
    graph->origin_forward = as_gradient ? origin : node->forward;
}

void tg_graph_set_recorder(tg_graph *graph, tg_recorder recorder, void *user)
{
    graph->recorder = recorder;
    graph->recorder_user = user;
}

tg_graph *tg_graph_new_like(const tg_graph *graph) { return tg_graph_new(graph->variables, graph->mode); }

tg_tensor tg_graph_copy_node(tg_graph *graph, const tg_graph *source, const tg_node *node, const tg_tensor *inputs)
{
    if (graph->failed)
        return (tg_tensor){graph, -1};
    tg_record record = {
        .op = node->op,
        .type = node->type,
        .inputs = inputs,
        .n_inputs = node->n_inputs,
        .attributes = node->attributes,
        .attribute_bytes = node->attribute_bytes,
        .copies = true,
        .name = node->name,
    };
    tg_graph_set_origin(graph, source, node->id, false);
    tg_tensor copy = tg_graph_record(graph, node->where, &record);
    tg_graph_set_origin(graph, source, -1, false);
    if (copy.id >= 0) {
        tg_node *made = tg_graph_own(graph, copy.id);
        made->keep |= node->keep;
        if (!made->name)
            made->name = node->name;
    }
    return copy;
}

static void map_forward_links(tg_graph *graph, const int32_t *map)
{
    for (int32_t id = 0; id < graph->nodes.count; id++) {
        tg_node *node = tg_graph_own(graph, id);
        if (node->forward >= 0)
            node->forward = map[node->forward] >= 0 ? map[node->forward] : id;
    }
}

void tg_graph_copy_layers(tg_graph *graph, const tg_graph *source, const int32_t *map)
{
    map_forward_links(graph, map);
    for (int32_t i = 0; i < source->layers.count && !graph->failed; i++) {
        const tg_layer_info *from = source->layers.at[i];
        tg_layer_info copy = {.kind = from->kind, .name = from->name, .first = graph->nodes.count, .last = 0, .output = -1};
        for (int32_t id = from->first; id < from->last; id++)
            if (map[id] >= 0) {
                copy.first = map[id] < copy.first ? map[id] : copy.first;
                copy.last = map[id] >= copy.last ? map[id] + 1 : copy.last;
            }
        copy.first = copy.last ? copy.first : 0;
        copy.output = from->output >= 0 ? map[from->output] : -1;
        tg_graph_append(graph, &graph->layers, &copy, sizeof copy);
    }
}
