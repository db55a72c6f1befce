#include "exec/plan.h"

#include <string.h>

#include "exec/compile.h"

tg_compile_options tg_compile_defaults(const tg_context *context)
{
    return (tg_compile_options){.simplify = true,
                                .rounds = true,
                                .fuse = true,
                                .plan_memory = !context || tg_context_settings(context)->plan_memory,
                                .check_finite = true};
}

/* The roots' ids, in memory of the pool; NULL, and the graph's error, if one cannot be a root. */
static int32_t *root_ids(tg_graph *graph, const tg_tensor *roots, int n_roots, tg_pool *pool)
{
    const tg_where nowhere = {NULL, 0};
    bool given = n_roots == 0 || (n_roots > 0 && roots);
    int32_t *ids = given ? tg_pool_take(pool, n_roots, sizeof *ids) : NULL;
    if (!ids)
        tg_graph_fail(graph, nowhere,
                      given ? "out of memory while compiling for %d roots" : "tg_compile: %d roots at NULL, or fewer than none",
                      n_roots);
    for (int i = 0; i < n_roots && ids; i++) {
        ids[i] = roots[i].id;
        if (roots[i].graph && roots[i].graph != graph)
            tg_graph_fail(graph, nowhere, "tg_compile: root %d belongs to another graph%s%s", i,
                          tg_graph_error(roots[i].graph) ? ", which has an error: " : "",
                          tg_graph_error(roots[i].graph) ? tg_graph_error(roots[i].graph) : "");
        else if (!tg_ok(roots[i]))
            tg_graph_fail(graph, nowhere, "tg_compile: root %d is no tensor", i);
    }
    return tg_graph_error(graph) ? NULL : ids;
}

tg_plan *tg_compile_roots(tg_graph *graph, const tg_tensor *roots, int n_roots, tg_compile_options options)
{
    if (!graph || tg_graph_error(graph))
        return NULL;
    tg_pool pool = tg_pool_make(tg_graph_context(graph));
    tg_compile_request request = {.graph = graph,
                                  .count = tg_graph_count(graph),
                                  .n_roots = n_roots,
                                  .options = options,
                                  .keeps = true,
                                  .assigns = true,
                                  .commits = true};
    request.roots = root_ids(graph, roots, n_roots, &pool);
    tg_failure why;
    tg_plan *plan = request.roots ? tg_plan_make(&request, &why) : NULL;
    if (request.roots && !plan)
        tg_graph_fail(graph, why.where, "%s", why.text);
    tg_pool_free(&pool);
    return plan;
}

void tg_plan_free(tg_plan *plan)
{
    if (!plan)
        return;
    for (int32_t r = 0; r < plan->layout.n_regions; r++)
        for (int copy = 0; copy < 2; copy++)
            if (plan->memory[copy])
                tg_release(plan->context, plan->memory[copy][r], (size_t)plan->layout.regions[r].bytes);
    tg_graph_free(plan->graph);
    if (plan->has_lock)
        pthread_mutex_destroy(&plan->runs);
    tg_pool_free(&plan->pool);
    tg_release(plan->context, plan, sizeof *plan);
}

/* A handle's id on the graph that runs: -1 if nothing there stands for it, -2 if it is no tensor of the recorded graph. */
static int32_t find_node(const tg_plan *plan, tg_tensor tensor)
{
    if (tensor.graph != plan->recorded || tensor.id < 0 || tensor.id >= plan->request.count)
        return -2;
    return plan->map[tensor.id];
}

tg_status tg_feed(tg_plan *plan, tg_tensor input, const void *values, size_t bytes)
{
    const tg_where nowhere = {NULL, 0};
    if (!plan)
        return TG_ERROR_ARGUMENT;
    if (find_node(plan, input) == -2)
        return tg_plan_fail(plan, TG_ERROR_ARGUMENT, nowhere,
                            "tg_feed: the handle is no tensor of the graph that this plan was compiled from");
    const tg_node *node = tg_graph_node(plan->recorded, input.id);
    char text[200], shape[200];
    if (node->op != &tg_op_input)
        return tg_plan_fail(plan, TG_ERROR_ARGUMENT, node->where, "tg_feed: %s is no input",
                            tg_node_label(node, text, sizeof text));
    if ((!values && bytes) || bytes != (size_t)tg_type_bytes(node->type))
        return tg_plan_fail(plan, TG_ERROR_ARGUMENT, node->where, "tg_feed: input \"%s\" %s %s takes %lld bytes, not %zu%s",
                            node->name, tg_shape_text(node->type.shape, shape, sizeof shape), tg_dtype_name(node->type.dtype),
                            (long long)tg_type_bytes(node->type), bytes, values || !bytes ? "" : " at NULL");
    tg_plan_find_input(plan, input.id)->fed = bytes ? values : "";
    plan->failed = -1; /* with other values */
    return TG_OK;
}

const void *tg_values(const tg_plan *plan, tg_tensor tensor)
{
    int32_t id = plan ? find_node(plan, tensor) : -1;
    if (id < 0 || !plan->publication_of[id] || plan->current < 0)
        return NULL;
    const tg_ref *ref = &plan->steps.publications[plan->publication_of[id] - 1].ref;
    const tg_buffer *buffer = &plan->steps.buffers[ref->buffer];
    return (const char *)plan->memory[plan->current][buffer->region] + buffer->offset + ref->offset;
}

tg_status tg_read(const tg_plan *plan, tg_tensor tensor, void *values, size_t bytes)
{
    const tg_where nowhere = {NULL, 0};
    if (!plan)
        return TG_ERROR_ARGUMENT;
    int32_t id = find_node(plan, tensor);
    if (id == -2)
        return tg_plan_fail(plan, TG_ERROR_ARGUMENT, nowhere,
                            "tg_read: the handle is no tensor of the graph that this plan was compiled from");
    const tg_node *node = tg_graph_node(plan->recorded, tensor.id);
    char label[300];
    if (id < 0 || !plan->publication_of[id])
        return tg_plan_fail(plan, TG_ERROR_ARGUMENT, node->where,
                            "tg_read: %s is neither a root of the plan nor kept: give it to tg_compile() or to tg_keep()",
                            tg_node_label(node, label, sizeof label));
    if (bytes != (size_t)tg_type_bytes(node->type) || (!values && bytes > 0))
        return tg_plan_fail(plan, TG_ERROR_ARGUMENT, node->where, "tg_read: %s has %lld bytes, not %zu%s",
                            tg_node_label(node, label, sizeof label), (long long)tg_type_bytes(node->type), bytes,
                            values ? "" : " at NULL");
    if (plan->current < 0)
        return tg_plan_fail(plan, TG_ERROR_ARGUMENT, node->where, "tg_read: %s has no values: the plan has not run",
                            tg_node_label(node, label, sizeof label));
    if (bytes)
        memcpy(values, tg_values(plan, tensor), bytes);
    return TG_OK;
}

const char *tg_plan_error(const tg_plan *plan)
{
    return plan ? plan->error : "there is no plan: tg_graph_error() tells why tg_compile() gave none";
}

tg_plan_info tg_plan_describe(const tg_plan *plan) { return plan ? plan->info : (tg_plan_info){0}; }

const tg_graph *tg_plan_graph(const tg_plan *plan) { return plan ? plan->graph : NULL; }

int32_t tg_plan_group(const tg_plan *plan, int32_t node)
{
    return node >= 0 && node < tg_graph_count(tg_plan_graph(plan)) ? plan->group[node] : -1;
}
