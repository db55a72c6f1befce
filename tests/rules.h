/* Graphs that chosen rules have rewritten. */
#ifndef TG_TESTS_RULES_H
#define TG_TESTS_RULES_H

#include <stdlib.h>

#include "exec/passes.h"
#include "harness.h"

/** The graph, as far as the roots and its effects need it, after those rules that the watch allows. `rewritten` gets the roots'
    places in it. */
static inline tg_graph *rules_apply(const tg_graph *graph, const tg_tensor *roots, int n, const tg_rule_watch *watch,
                                    tg_tensor *rewritten)
{
    int32_t count = tg_graph_count(graph);
    uint8_t *needed = calloc((size_t)count + 1, 1);
    int32_t *map = calloc((size_t)count + 1, sizeof *map);
    for (int32_t id = 0; id < count; id++)
        needed[id] = (tg_graph_node(graph, id)->op->traits & TG_EFFECT) != 0;
    for (int i = 0; i < n; i++)
        needed[roots[i].id] = 1;
    tg_graph *result = tg_pass_simplify((tg_pass_source){graph, count, needed}, true, watch, map);
    ck_assert_msg(result && !tg_graph_error(result), "%s", result ? tg_graph_error(result) : "out of memory");
    for (int i = 0; i < n; i++)
        rewritten[i] = (tg_tensor){result, map[roots[i].id]};
    free(needed);
    free(map);
    return result;
}

#endif
