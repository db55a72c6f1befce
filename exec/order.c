#include "exec/passes.h"

/* Marks what marked nodes depend on. Returns the largest number of inputs of a marked node. */
static int32_t mark(const tg_graph *source, int32_t count, uint8_t *needed)
{
    int32_t widest = 0;
    for (int32_t id = count - 1; id >= 0; id--) {
        if (!needed[id])
            continue;
        const tg_node *node = tg_graph_node(source, id);
        for (int32_t i = 0; i < node->n_inputs; i++)
            needed[node->inputs[i]] = 1;
        widest = node->n_inputs > widest ? node->n_inputs : widest;
    }
    return widest;
}

static void copy_nodes(tg_graph *copy, const tg_graph *source, int32_t count, const uint8_t *needed, tg_tensor *inputs, int32_t *map)
{
    for (int32_t id = 0; id < count; id++) {
        map[id] = -1;
        if (!needed[id])
            continue;
        const tg_node *node = tg_graph_node(source, id);
        for (int32_t i = 0; i < node->n_inputs; i++)
            inputs[i] = (tg_tensor){copy, map[node->inputs[i]]};
        map[id] = tg_graph_copy_node(copy, source, node, inputs).id;
        if (map[id] < 0)
            return;
    }
}

tg_graph *tg_pass_copy(const tg_graph *source, int32_t count, uint8_t *needed, tg_recorder recorder, void *user, int32_t *map)
{
    tg_context *context = tg_graph_context(source);
    int32_t widest = mark(source, count, needed);
    tg_tensor *inputs = tg_allocate(context, (size_t)widest * sizeof *inputs);
    tg_graph *copy = inputs ? tg_graph_new_like(source) : NULL;
    if (copy) {
        tg_graph_set_recorder(copy, recorder, user);
        copy_nodes(copy, source, count, needed, inputs, map);
        tg_graph_set_recorder(copy, NULL, NULL);
    }
    tg_release(context, inputs, (size_t)widest * sizeof *inputs);
    return copy;
}

tg_graph *tg_pass_order(const tg_graph *source, int32_t count, uint8_t *needed, int32_t *map)
{
    return tg_pass_copy(source, count, needed, NULL, NULL, map);
}
