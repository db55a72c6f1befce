/* The one effect: a variable takes a value when the run commits. */
#include <string.h>

#include "graph/rebuild.h"
#include "ops/op_entries.h"
#include "ops/ops.h"

enum { TASK_BYTES = 1 << 16 };

static bool shape_assign(tg_infer *infer)
{
    infer->result = infer->inputs[0];
    return tg_type_equal(infer->inputs[0], infer->inputs[1]) ||
           tg_infer_fail(infer, "a variable takes values of its own dtype and shape only");
}

static void gradient_assign(const tg_gradient_args *args, tg_tensor *result) { result[1] = args->gradient; }

static int64_t tasks_assign(const tg_work *work, int phase)
{
    (void)phase;
    int64_t bytes = tg_type_bytes(work->output);
    return bytes > TASK_BYTES ? (bytes + TASK_BYTES - 1) / TASK_BYTES : 1;
}

static tg_status run_assign(const tg_work *work, const tg_buffers *buffers, int phase, int64_t task, void *scratch)
{
    (void)phase, (void)scratch;
    int64_t start = task * TASK_BYTES, rest = tg_type_bytes(work->output) - start;
    memcpy((char *)buffers->output + start, (const char *)buffers->inputs[1] + start,
           (size_t)(rest < TASK_BYTES ? rest : TASK_BYTES));
    return TG_OK;
}

const tg_op tg_op_assign = {.name = "assign",
                            .formula = "variable = value",
                            .traits = TG_EFFECT | TG_SECOND_DERIVATIVE_ZERO,
                            .not_differentiable = 1 << 0,
                            .min_inputs = 2,
                            .max_inputs = 2,
                            .shape = shape_assign,
                            .gradient = gradient_assign,
                            .run = run_assign,
                            .tasks = tasks_assign};

tg_tensor tg_assign_at(tg_where where, tg_tensor variable, tg_tensor value)
{
    const tg_node *node = tg_tensor_node(variable);
    if (tg_ok(variable) && node->op != &tg_op_variable)
        return tg_graph_fail(variable.graph, where, "assign to the result of %s: only a variable can be assigned to",
                             node->op->name);
    if (tg_ok(variable) && tg_ok(value)) {
        if (tg_graph_find_name(variable.graph, "assign to", node->name) >= 0)
            return tg_graph_fail(variable.graph, where,
                                 "variable \"%s\" is assigned a second time in this graph: in a run it takes one value",
                                 node->name);
        if (!tg_graph_claim_name(variable.graph, where, "assign to", node->name))
            return (tg_tensor){variable.graph, -1};
    }
    return tg_apply_at(where, variable.graph, &tg_op_assign, (tg_tensor[]){variable, value}, 2, NULL, 0);
}
