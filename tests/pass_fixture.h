/* Shorthands for looking at the graph that a plan runs. */
#ifndef TG_TESTS_PASS_FIXTURE_H
#define TG_TESTS_PASS_FIXTURE_H

#include "exec/compile.h"
#include "plan_fixture.h"

static inline tg_tensor matrix(const char *name, int64_t rows, int64_t columns)
{
    return tg_input(graph, name, TG_F32, TG_SHAPE(rows, columns));
}

static inline tg_plan *compile(tg_tensor root, tg_compile_options options)
{
    tg_plan *plan = tg_compile_roots(graph, &root, 1, options);
    ck_assert_msg(plan != NULL, "%s", tg_graph_error(graph));
    return plan;
}

static inline tg_compile_options all_on(void) { return tg_compile_defaults(context); }

static inline int count_ops(const tg_plan *plan, const tg_op *op)
{
    int n = 0;
    for (int32_t id = 0; id < tg_graph_count(tg_plan_graph(plan)); id++)
        n += tg_graph_node(tg_plan_graph(plan), id)->op == op;
    return n;
}

static inline const tg_node *find_op(const tg_plan *plan, const tg_op *op)
{
    for (int32_t id = 0; id < tg_graph_count(tg_plan_graph(plan)); id++)
        if (tg_graph_node(tg_plan_graph(plan), id)->op == op)
            return tg_graph_node(tg_plan_graph(plan), id);
    return NULL;
}

/* The group of the only node with this op. */
static inline int32_t group_of(const tg_plan *plan, const tg_op *op)
{
    ck_assert_int_eq(count_ops(plan, op), 1);
    return tg_plan_group(plan, find_op(plan, op)->id);
}

#endif
