#include "exec/passes.h"

/* Marks what marked nodes depend on. Returns the largest number of inputs of a marked node. */
static int32_t mark(tg_pass_source source)
{
    int32_t widest = 0;
    for (int32_t id = source.count - 1; id >= 0; id--) {
        if (!source.needed[id])
            continue;
        const tg_node *node = tg_graph_node(source.graph, id);
        for (int32_t i = 0; i < node->n_inputs; i++)
            source.needed[node->inputs[i]] = 1;
        widest = node->n_inputs > widest ? node->n_inputs : widest;
    }
    return widest;
}

static void copy_nodes(tg_graph *copy, tg_pass_source source, tg_tensor *inputs, int32_t *map)
{
    for (int32_t id = 0; id < source.count; id++) {
        map[id] = -1;
        if (!source.needed[id])
            continue;
        const tg_node *node = tg_graph_node(source.graph, id);
        for (int32_t i = 0; i < node->n_inputs; i++)
            inputs[i] = (tg_tensor){copy, map[node->inputs[i]]};
        map[id] = tg_graph_copy_node(copy, source.graph, node, inputs).id;
        if (map[id] < 0)
            return;
    }
}

tg_graph *tg_pass_copy(tg_pass_source source, tg_recorder recorder, void *user, int32_t *map)
{
    tg_context *context = tg_graph_context(source.graph);
    int32_t widest = mark(source);
    tg_tensor *inputs = tg_allocate(context, (size_t)widest * sizeof *inputs);
    tg_graph *copy = inputs ? tg_graph_new_like(source.graph) : NULL;
    if (copy) {
        tg_graph_set_recorder(copy, recorder, user);
        copy_nodes(copy, source, inputs, map);
        tg_graph_set_recorder(copy, NULL, NULL);
    }
    tg_release(context, inputs, (size_t)widest * sizeof *inputs);
    return copy;
}

tg_graph *tg_pass_order(tg_pass_source source, int32_t *map) { return tg_pass_copy(source, NULL, NULL, map); }
