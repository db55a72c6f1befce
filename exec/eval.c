#include "exec/compile.h"

tg_status tg_eval(tg_tensor tensor, void *values, size_t bytes)
{
    if (!tensor.graph || tensor.id < 0 || tg_graph_error(tensor.graph))
        return tensor.graph && tg_graph_error(tensor.graph) ? TG_ERROR_GRAPH : TG_ERROR_ARGUMENT;
    if (!tg_ok(tensor) || bytes != (size_t)tg_type_bytes(tg_tensor_type(tensor)) || (!values && bytes > 0))
        return TG_ERROR_ARGUMENT;
    tg_compile_request request = {.graph = tensor.graph,
                                  .count = tensor.id + 1,
                                  .roots = &tensor.id,
                                  .n_roots = 1,
                                  .options = tg_compile_defaults(tg_graph_context(tensor.graph)),
                                  .own_workspace = true};
    tg_failure why;
    tg_plan *plan = tg_plan_make(&request, &why);
    if (!plan) {
        if (why.status == TG_ERROR_GRAPH)
            tg_graph_fail(tensor.graph, why.where, "%s", why.text);
        return why.status;
    }
    tg_status status = tg_run(plan);
    if (status == TG_OK)
        status = tg_read(plan, tensor, values, bytes);
    tg_plan_free(plan);
    return status;
}
