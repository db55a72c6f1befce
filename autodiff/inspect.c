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
        return tg_variables_values(tg_graph_variables(k->graph), variable);
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
    const tg_variables *variables = tg_graph_variables(graph);
    if (variables)
        tg_variables_hold(variables);
    tg_status status = tg_dot(out, graph, options);
    if (variables)
        tg_variables_release(variables);
    return status;
}

/* The time of each part at its node, as a share of all threads' time. */
static void find_shares(const tg_plan *plan, double *shares)
{
    tg_plan_times times = tg_plan_read_times(plan);
    for (int32_t id = 0; id < tg_graph_count(tg_plan_graph(plan)); id++)
        shares[id] = 0;
    for (int32_t i = 0; i < times.parts; i++) {
        tg_plan_part part = tg_plan_read_part(plan, i);
        shares[part.node] += (double)part.nanoseconds / ((double)times.nanoseconds * times.threads);
    }
}

tg_status tg_dump_plan(FILE *out, const tg_plan *plan, tg_dot_options options)
{
    const tg_graph *graph = tg_plan_graph(plan);
    if (!graph)
        return TG_ERROR_ARGUMENT;
    size_t count = (size_t)tg_graph_count(graph), bytes = count * (sizeof(double) + sizeof(int32_t));
    double *shares = tg_allocate(tg_graph_context(graph), bytes);
    int32_t *groups = (int32_t *)(shares + count);
    if (!shares)
        return TG_ERROR_MEMORY;
    for (int32_t id = 0; id < tg_graph_count(graph); id++)
        groups[id] = tg_plan_group(plan, id);
    options.groups = groups;
    if (tg_plan_read_times(plan).nanoseconds > 0) {
        find_shares(plan, shares);
        options.shares = shares;
        options.shares_of = "time";
    }
    tg_status status = tg_dot(out, graph, options);
    tg_release(tg_graph_context(graph), shares, bytes);
    return status;
}
