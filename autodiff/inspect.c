#include "autodiff/inspect.h"

#include "graph/rebuild.h"

tg_status tg_print(FILE *out, tg_tensor tensor)
{
    if (!tg_ok(tensor))
        return tensor.graph ? TG_ERROR_GRAPH : TG_ERROR_ARGUMENT;
    tg_type type = tg_tensor_type(tensor);
    tg_context *context = tg_graph_context(tensor.graph);
    size_t bytes = (size_t)tg_type_bytes(type);
    void *values = tg_allocate(context, bytes);
    if (!values)
        return TG_ERROR_MEMORY;
    tg_status status = tg_eval(tensor, values, bytes);
    if (!status)
        status = tg_print_values(out, type, values);
    tg_release(context, values, bytes);
    return !status && fputc('\n', out) == EOF ? TG_ERROR_IO : status;
}

/* What is known of a node after a run. */
typedef struct known {
    tg_graph *graph;
    const tg_plan *plan;
} known;

static const void *known_values(void *user, const tg_node *node)
{
    const known *k = user;
    const tg_variable_info *variable = tg_node_variable(k->graph, node);
    if (variable)
        return variable->data;
    if (tg_node_constant(node))
        return tg_node_constant(node);
    const void *values = tg_values(k->plan, (tg_tensor){k->graph, node->id});
    return values ? values : tg_bound(k->graph, node);
}

tg_status tg_dump(FILE *out, tg_graph *graph, const tg_plan *plan, tg_dot_options options)
{
    known k = {graph, plan};
    options.values = known_values;
    options.values_user = &k;
    return tg_dot(out, graph, options);
}

tg_status tg_dump_plan(FILE *out, const tg_plan *plan, tg_dot_options options)
{
    const tg_graph *graph = tg_plan_graph(plan);
    if (!graph)
        return TG_ERROR_ARGUMENT;
    size_t bytes = (size_t)tg_graph_count(graph) * sizeof(int32_t);
    int32_t *groups = tg_allocate(tg_graph_context(graph), bytes);
    if (!groups)
        return TG_ERROR_MEMORY;
    for (int32_t id = 0; id < tg_graph_count(graph); id++)
        groups[id] = tg_plan_group(plan, id);
    options.groups = groups;
    tg_status status = tg_dot(out, graph, options);
    tg_release(tg_graph_context(graph), groups, bytes);
    return status;
}
