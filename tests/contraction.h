/* Runs a contraction's phases and tasks by hand, in any order, as an executor could: to see its bits and what it reports as finished. */
#ifndef TG_TESTS_CONTRACTION_H
#define TG_TESTS_CONTRACTION_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "exec/plan.h"
#include "graph/philox.h"
#include "harness.h"

typedef struct contraction {
    const tg_op *op;
    tg_isa isa;
    int32_t n_inputs; /**< 0: 2 */
    tg_type inputs[3];
    const void *values[3];
    const void *attributes;
    tg_type output; /**< contraction_run() fills it in */
} contraction;

/** Values in [-1, 1), in malloc()'d memory. */
static inline float *contraction_draw(tg_shape shape, uint64_t seed)
{
    int64_t n = tg_shape_count(shape);
    float *values = calloc((size_t)n + 1, sizeof *values);
    for (int64_t i = 0; i < n; i++) {
        uint32_t bits[4];
        tg_philox(seed, 0, (uint64_t)i, bits);
        values[i] = (float)(2 * tg_philox_uniform(bits[0]) - 1);
    }
    return values;
}

static inline double *contraction_widen(const float *values, int64_t n)
{
    double *wide = calloc((size_t)n + 1, sizeof *wide);
    for (int64_t i = 0; i < n; i++)
        wide[i] = values[i];
    return wide;
}

typedef struct contraction_finished {
    int64_t count;
    uint8_t *times; /* each element was reported */
} contraction_finished;

static inline void contraction_count(const void *state, int64_t first, int64_t count)
{
    const contraction_finished *finished = state;
    ck_assert_msg(first >= 0 && count > 0 && count <= finished->count - first, "finished %lld elements from %lld of %lld",
                  (long long)count, (long long)first, (long long)finished->count);
    for (int64_t i = first; i < first + count; i++)
        finished->times[i]++;
}

/* Memory of exactly this size, so that tools see what lies beyond; all ones, which is a NaN. */
static inline void *contraction_memory(size_t bytes)
{
    void *memory = NULL;
    ck_assert_int_eq(posix_memalign(&memory, 64, bytes ? bytes : 1), 0);
    memset(memory, 0xff, bytes);
    return memory;
}

static inline void contraction_tasks(const contraction *c, const tg_work *work, tg_buffers *buffers, int phase, bool backwards)
{
    int64_t tasks = c->op->tasks ? c->op->tasks(work, phase) : 1;
    size_t bytes = c->op->scratch_bytes ? c->op->scratch_bytes(work) : 0;
    for (int64_t i = 0; i < tasks; i++) {
        void *scratch = contraction_memory(bytes);
        ck_assert_int_eq(c->op->run(work, buffers, phase, backwards ? tasks - 1 - i : i, scratch), TG_OK);
        free(scratch);
    }
}

/* The shape rule's result, and the node as the op sees it. */
static inline tg_work contraction_work(contraction *c)
{
    int32_t n_inputs = c->n_inputs ? c->n_inputs : 2;
    tg_infer infer = {.n_inputs = n_inputs, .inputs = c->inputs, .attributes = c->attributes};
    ck_assert_msg(c->op->shape(&infer), "%s: %s", c->op->name, infer.message);
    c->output = infer.result;
    return (tg_work){.n_inputs = n_inputs, .inputs = c->inputs, .output = c->output, .attributes = c->attributes, .isa = c->isa};
}

/* Phase 0 by itself: it has what it prepares, and nothing else. */
static inline void contraction_prepare(const contraction *c, const tg_work *work, void *shared, uint32_t prepares)
{
    const void *inputs[3] = {NULL, NULL, NULL};
    for (int32_t i = 0; i < work->n_inputs; i++)
        inputs[i] = prepares >> i & 1 ? c->values[i] : NULL;
    tg_buffers buffers = {.inputs = inputs, .shared = shared};
    contraction_tasks(c, work, &buffers, 0, false);
}

/* With phase 0 apart, if the op allows it: the others then leave alone what it made. */
static inline void *contraction_run_as(contraction *c, bool backwards, bool prepared)
{
    tg_work work = contraction_work(c);
    uint32_t prepares = prepared && c->op->prepares ? c->op->prepares(&work) : 0;
    work.prepared = prepares != 0;
    int64_t count = tg_shape_count(c->output.shape);
    contraction_finished finished = {count, calloc((size_t)count + 1, 1)};
    tg_buffers buffers = {.inputs = c->values, .finish = contraction_count, .finish_state = &finished};
    buffers.output = contraction_memory((size_t)tg_type_bytes(c->output));
    size_t bytes = c->op->shared_bytes ? c->op->shared_bytes(&work) : 0;
    buffers.shared = contraction_memory(bytes);
    void *made = contraction_memory(bytes);
    if (work.prepared)
        contraction_prepare(c, &work, buffers.shared, prepares);
    memcpy(made, buffers.shared, bytes);
    int phases = c->op->phases ? c->op->phases(&work) : 1;
    for (int phase = work.prepared; phase < phases; phase++)
        contraction_tasks(c, &work, &buffers, phase, backwards);
    ck_assert_msg(!work.prepared || memcmp(made, buffers.shared, bytes) == 0, "%s writes what was prepared", c->op->name);
    for (int64_t i = 0; i < count; i++)
        ck_assert_msg(finished.times[i] == 1, "%s: element %lld was finished %d times", c->op->name, (long long)i,
                      finished.times[i]);
    free(finished.times);
    free(buffers.shared);
    free(made);
    return buffers.output;
}

/** The result's bytes, in malloc()'d memory. Fails the test unless each element is reported as finished once. */
static inline void *contraction_run(contraction *c, bool backwards) { return contraction_run_as(c, backwards, false); }

/** What an instruction set makes of sum + a b: rounded once if it has a fused multiply-add. */
static inline float contraction_term(tg_isa isa, float a, float b, float sum)
{
    if (isa != TG_ISA_BASELINE)
        return fmaf(a, b, sum);
    volatile float product = a * b; /* rounded by itself */
    return sum + product;
}

/** Bit by bit, but that a NaN is a NaN; the first difference fails the test. */
static inline void contraction_expect(const contraction *c, const float *got, const float *expected, const char *what)
{
    for (int64_t i = 0; i < tg_shape_count(c->output.shape); i++)
        ck_assert_msg((isnan(got[i]) && isnan(expected[i])) ||
                          (got[i] == expected[i] && !signbit(got[i]) == !signbit(expected[i])),
                      "%s on %s, %s: element %lld is %.9g, not %.9g", c->op->name, tg_isa_name(c->isa), what, (long long)i,
                      got[i], expected[i]);
}

/** Runs forwards, backwards, and with the first phase apart: the bits must be those of `expected`, whatever the order of tasks. */
static inline void contraction_check(contraction *c, const float *expected, const char *what)
{
    float *got = contraction_run(c, false), *again = contraction_run(c, true), *prepared = contraction_run_as(c, true, true);
    contraction_expect(c, got, expected, what);
    contraction_expect(c, again, got, "tasks backwards");
    contraction_expect(c, prepared, got, "prepared");
    free(got);
    free(again);
    free(prepared);
}

/** How often an op stands in what a plan runs. */
static inline int contraction_count_op(const tg_plan *plan, const tg_op *op)
{
    int count = 0;
    const tg_graph *graph = tg_plan_graph(plan);
    for (int32_t i = 0; i < tg_graph_count(graph); i++)
        count += tg_graph_node(graph, i)->op == op;
    return count;
}

/** Adds a test once for each instruction set of this machine, which it finds in _i. */
static inline void contraction_add_for_each_set(TCase *tests, const TTest *test)
{
    for (int isa = 0; isa < TG_ISA_COUNT; isa++)
        if (tg_isa_available((tg_isa)isa))
            tcase_add_loop_test(tests, test, isa, isa + 1);
}

#endif
