/* A graph to try ops on, with values in double whatever the dtype. */
#ifndef TG_TESTS_WORKBENCH_H
#define TG_TESTS_WORKBENCH_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "graph/philox.h"
#include "harness.h"
#include "op_case.h"
#include "ops/ops.h"

typedef struct workbench {
    tg_context *context;
    tg_variables *variables;
    tg_graph *graph;
} workbench;

/** TG_ISA_BEST, and one thread for 0. */
static inline workbench workbench_open_on(tg_isa isa, int threads, tg_dtype working_float)
{
    workbench b = {.context = case_context(isa, threads ? threads : 1)};
    tg_variables *plain = tg_variables_new(b.context, 11);
    b.variables = tg_variables_cast(plain, working_float);
    tg_variables_free(plain);
    b.graph = tg_graph_new(b.variables, TG_TRAINING);
    ck_assert_ptr_nonnull(b.graph);
    return b;
}

static inline workbench workbench_open(tg_dtype working_float) { return workbench_open_on(TG_ISA_BEST, 1, working_float); }

static inline void workbench_close(workbench *b)
{
    tg_graph_free(b->graph);
    tg_variables_free(b->variables);
    tg_context_free(b->context);
}

/** n values in [low, high), whole ones for integers, in malloc()'d memory. */
static inline double *workbench_draw(int64_t n, double low, double high, uint64_t seed)
{
    double *values = malloc((size_t)(n + 1) * sizeof *values);
    for (int64_t i = 0; i < n; i++) {
        uint32_t bits[4];
        tg_philox(seed, 0, (uint64_t)i, bits);
        values[i] = low + (high - low) * tg_philox_uniform(bits[0]);
    }
    return values;
}

/** A constant with these values, rounded to the dtype. */
static inline tg_tensor workbench_values(workbench *b, tg_dtype dtype, tg_shape shape, const double *values)
{
    int64_t n = tg_shape_count(shape);
    char *bytes = malloc((size_t)n * 8 + 1);
    for (int64_t i = 0; i < n; i++)
        switch (dtype) {
        case TG_F32: ((float *)bytes)[i] = (float)values[i]; break;
        case TG_F64: ((double *)bytes)[i] = values[i]; break;
        case TG_I32: ((int32_t *)bytes)[i] = (int32_t)values[i]; break;
        default: ((uint8_t *)bytes)[i] = (uint8_t)values[i]; break;
        }
    tg_tensor x = tg_constant(b->graph, dtype, shape, bytes, (size_t)n * tg_dtype_size(dtype));
    free(bytes);
    return x;
}

static inline tg_tensor workbench_random(workbench *b, tg_dtype dtype, tg_shape shape, double low, double high, uint64_t seed)
{
    double *values = workbench_draw(tg_shape_count(shape), low, high, seed);
    tg_tensor x = workbench_values(b, dtype, shape, values);
    free(values);
    return x;
}

/** 0, 1, 2, ... */
static inline tg_tensor workbench_count_up(workbench *b, tg_dtype dtype, tg_shape shape)
{
    int64_t n = tg_shape_count(shape);
    double *values = malloc((size_t)(n + 1) * sizeof *values);
    for (int64_t i = 0; i < n; i++)
        values[i] = (double)i;
    tg_tensor x = workbench_values(b, dtype, shape, values);
    free(values);
    return x;
}

/** The tensor's bytes, in malloc()'d memory. Fails the test on an error. */
static inline void *workbench_bytes(tg_tensor x)
{
    size_t bytes = (size_t)tg_type_bytes(tg_tensor_type(x));
    void *values = malloc(bytes + 1);
    ck_assert_msg(tg_ok(x), "%s", x.graph ? tg_graph_error(x.graph) : "no tensor");
    tg_status status = tg_eval(x, values, bytes);
    const char *error = tg_graph_error(x.graph);
    ck_assert_msg(!status, "%s: %s", tg_status_text(status), error ? error : "");
    return values;
}

/** Its values as doubles, in malloc()'d memory. */
static inline double *workbench_eval(tg_tensor x)
{
    void *bytes = workbench_bytes(x);
    int64_t n = tg_shape_count(tg_tensor_shape(x));
    double *values = malloc((size_t)(n + 1) * sizeof *values);
    for (int64_t i = 0; i < n; i++)
        values[i] = case_element(tg_tensor_dtype(x), bytes, i);
    free(bytes);
    return values;
}

/** Compares with values in order; NaN equals NaN. */
#define workbench_expect(x, tolerance, ...)                                                                    \
    do {                                                                                                       \
        const double expected_[] = {__VA_ARGS__};                                                              \
        double *got_ = workbench_eval(x);                                                                      \
        ck_assert_int_eq(tg_shape_count(tg_tensor_shape(x)), (int64_t)(sizeof expected_ / sizeof *expected_)); \
        for (size_t i_ = 0; i_ < sizeof expected_ / sizeof *expected_; i_++)                                   \
            ck_assert_msg(got_[i_] == expected_[i_] || (isnan(got_[i_]) && isnan(expected_[i_])) ||            \
                              fabs(got_[i_] - expected_[i_]) <= (tolerance),                                   \
                          "element %zu is %.17g, not %.17g", i_, got_[i_], expected_[i_]);                     \
        free(got_);                                                                                            \
    } while (0)

#define workbench_expect_shape(x, ...)                                                                                           \
    do {                                                                                                                         \
        char got_[200], want_[200];                                                                                              \
        ck_assert_str_eq(tg_shape_text(tg_tensor_shape(x), got_, sizeof got_), tg_shape_text(__VA_ARGS__, want_, sizeof want_)); \
    } while (0)

/** That recording failed, with this in the message and the place of the call; makes the graph anew. */
static inline void workbench_expect_error(workbench *b, tg_tensor result, const char *part)
{
    const char *error = tg_graph_error(b->graph);
    ck_assert_msg(!tg_ok(result) && error && strstr(error, part) && strstr(error, ".c:"), "not the error \"%s\", but: %s", part,
                  error ? error : "none");
    tg_graph_free(b->graph);
    b->graph = tg_graph_new(b->variables, TG_TRAINING);
}

/** The nodes of the op in the graph that remains of x, with EXACT rewrites, or all. */
static inline int workbench_nodes(tg_tensor x, const char *op, bool rounds)
{
    tg_compile_options options = tg_compile_defaults(tg_graph_context(x.graph));
    options.rounds = rounds;
    tg_plan *plan = tg_compile_roots(x.graph, &x, 1, options);
    ck_assert_msg(plan, "%s", tg_graph_error(x.graph));
    const tg_graph *graph = tg_plan_graph(plan);
    int count = 0;
    for (int32_t id = 0; id < tg_graph_count(graph); id++)
        count += strcmp(tg_graph_node(graph, id)->op->name, op) == 0;
    tg_plan_free(plan);
    return count;
}

#endif
