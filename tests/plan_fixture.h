/* A context of two threads, a store and a graph for each test, and shorthands for plans on small vectors. */
#ifndef TG_TESTS_PLAN_FIXTURE_H
#define TG_TESTS_PLAN_FIXTURE_H

#include <stdio.h>
#include <string.h>

#include "exec/plan.h"
#include "harness.h"
#include "small_ops.h"

#define LENGTH(array) ((int)(sizeof(array) / sizeof *(array)))

static tg_context *context;
static tg_variables *variables;
static tg_graph *graph;

static inline void set_up(void)
{
    context = harness_context(2);
    variables = tg_variables_new(context, 1);
    graph = tg_graph_new(variables, TG_TRAINING);
    ck_assert_ptr_nonnull(graph);
}

static inline void tear_down(void)
{
    tg_graph_free(graph);
    tg_variables_free(variables);
    ck_assert_uint_ge(tg_context_memory(context, NULL), 0);
    tg_context_free(context);
}

static inline void ok(tg_status status, const tg_plan *plan)
{
    ck_assert_msg(status == TG_OK, "%s: %s", tg_status_text(status), plan ? tg_plan_error(plan) : "");
}

static inline tg_plan *compiled(tg_plan *plan)
{
    ck_assert_msg(plan != NULL, "%s", tg_graph_error(graph));
    return plan;
}

static inline tg_tensor vector(const char *name, int64_t n) { return tg_input(graph, name, TG_F32, TG_SHAPE(n)); }

static inline tg_tensor state(const char *name, int64_t n, double value)
{
    return tg_state(graph, name, TG_F32, TG_SHAPE(n), (tg_init){.a = value});
}

static inline void check_variable(const char *name, const float *expected, int n)
{
    float values[64];
    ck_assert_int_eq(tg_variables_read(variables, name, values, (size_t)n * sizeof(float)), TG_OK);
    for (int i = 0; i < n; i++)
        ck_assert_msg(values[i] == expected[i], "%s[%d] = %g, not %g", name, i, (double)values[i], (double)expected[i]);
}

static inline void set_variable(const char *name, const float *values, int n)
{
    ck_assert_int_eq(tg_variables_write(variables, name, values, (size_t)n * sizeof(float)), TG_OK);
}

#endif
