#include "train/regularizers.h"

#include <math.h>
#include <string.h>

#include "ops/ops.h"

static bool is_kernel(const tg_variable_info *variable)
{
    static const char end[] = "/kernel";
    size_t n = variable ? strlen(variable->name) : 0;
    return n >= sizeof end - 1 && variable->trainable && strcmp(variable->name + n - (sizeof end - 1), end) == 0;
}

tg_tensor tg_l2_penalty_at(tg_where where, tg_tensor x, double factor)
{
    if (!tg_ok(x))
        return x;
    if (!(factor >= 0 && factor < INFINITY))
        return tg_graph_fail(x.graph, where, "l2: the factor must be 0 or more, not %g", factor);
    tg_tensor total = tg_none();
    int32_t count = tg_graph_count(x.graph); /* before the penalty's own nodes */
    for (int32_t id = 0; id < count; id++) {
        if (!is_kernel(tg_node_variable(x.graph, tg_graph_node(x.graph, id))))
            continue;
        tg_tensor squares = tg_sum_at(where, tg_square_at(where, (tg_tensor){x.graph, id}), TG_ALL_AXES);
        total = total.graph ? tg_add_at(where, total, squares) : squares;
    }
    return total.graph ? tg_mul_at(where, total, tg_scalar_at(where, total, factor)) : tg_scalar_at(where, x, 0);
}
