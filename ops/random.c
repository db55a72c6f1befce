/* Random tensors: pure functions of seed, name, step of the run and position, so that any cut into tasks draws the same. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "graph/number_text.h"
#include "graph/philox.h"
#include "graph/rebuild.h"
#include "ops/attributes.h"
#include "ops/kernel_set.h"
#include "ops/op_entries.h"
#include "ops/ops.h"

enum {
    WORDS = 4, /* that a block of the generator gives: element i takes word i % 4 of block i / 4 */
    TASK_ELEMENTS = 1 << 12
};

static const tg_random_attributes *random_of(const void *attributes) { return attributes; }

static bool shape_random(tg_infer *infer)
{
    const tg_random_attributes *a = random_of(infer->attributes);
    tg_shape shape = {.rank = (int32_t)a->shape.rank};
    memcpy(shape.dims, a->shape.dims, sizeof shape.dims);
    if (a->dtype != TG_F32 && a->dtype != TG_F64)
        return tg_infer_fail(infer, "only floats are drawn: cast them");
    if (!tg_shape_valid(shape)) {
        char text[200];
        return tg_infer_fail(infer, "the shape %s is none that a tensor can have", tg_shape_text(shape, text, sizeof text));
    }
    infer->result = (tg_type){(tg_dtype)a->dtype, shape};
    return true;
}

static bool shape_uniform(tg_infer *infer)
{
    const tg_random_attributes *a = random_of(infer->attributes);
    return isfinite(a->a) && isfinite(a->b) && a->a < a->b
               ? shape_random(infer)
               : tg_infer_fail(infer, "no number lies in [%g, %g): both must be finite, the first the smaller", a->a, a->b);
}

static bool shape_normal(tg_infer *infer)
{
    const tg_random_attributes *a = random_of(infer->attributes);
    return isfinite(a->a) && isfinite(a->b) && a->b >= 0
               ? shape_random(infer)
               : tg_infer_fail(infer, "mean %g and standard deviation %g: both must be finite, the second not negative", a->a,
                               a->b);
}

static int64_t tasks_random(const tg_work *work, int phase)
{
    (void)phase;
    int64_t count = tg_shape_count(work->output.shape);
    return count > TASK_ELEMENTS ? (count + TASK_ELEMENTS - 1) / TASK_ELEMENTS : 1;
}

static size_t scratch_random(const tg_work *work)
{
    (void)work;
    return TASK_ELEMENTS * sizeof(uint32_t);
}

/* A task's elements, [first, first + count), and the words from that of its first element on. */
typedef struct draw {
    int64_t first, count;
    const uint32_t *words;
} draw;

static draw draw_words(const tg_work *work, const tg_buffers *buffers, int64_t task, uint32_t *scratch)
{
    draw d = {.first = task * TASK_ELEMENTS, .words = scratch};
    int64_t rest = tg_shape_count(work->output.shape) - d.first;
    d.count = rest < TASK_ELEMENTS ? rest : TASK_ELEMENTS;
    tg_kernels_for(work->isa)->philox(random_of(work->attributes)->key, buffers->step, (uint64_t)(d.first / WORDS),
                                      (d.count + WORDS - 1) / WORDS, scratch);
    return d;
}

/* Rounding may carry a value to `high`, which does not belong to the interval. */
static void store_uniform(tg_dtype dtype, void *out, int64_t i, double value, double high)
{
    if (dtype == TG_F32)
        ((float *)out)[i] = (float)value < (float)high ? (float)value : nextafterf((float)high, -INFINITY);
    else
        ((double *)out)[i] = value < high ? value : nextafter(high, -INFINITY);
}

static tg_status run_uniform(const tg_work *work, const tg_buffers *buffers, int phase, int64_t task, void *scratch)
{
    (void)phase;
    const tg_random_attributes *a = random_of(work->attributes);
    draw d = draw_words(work, buffers, task, scratch);
    for (int64_t i = 0; i < d.count; i++)
        store_uniform(work->output.dtype, buffers->output, d.first + i, a->a + (a->b - a->a) * tg_philox_uniform(d.words[i]),
                      a->b);
    return TG_OK;
}

static void store_normal(tg_dtype dtype, void *out, int64_t i, double value)
{
    if (dtype == TG_F32)
        ((float *)out)[i] = (float)value;
    else
        ((double *)out)[i] = value;
}

/* Box and Muller (Ann. Math. Stat. 29, 1958): two uniforms become two normals. */
static tg_status run_normal(const tg_work *work, const tg_buffers *buffers, int phase, int64_t task, void *scratch)
{
    (void)phase;
    const tg_random_attributes *a = random_of(work->attributes);
    const double turn = 6.283185307179586;
    draw d = draw_words(work, buffers, task, scratch);
    for (int64_t i = 0; i < d.count; i += 2) {
        double radius = a->b * sqrt(-2 * log(1 - tg_philox_uniform(d.words[i]))),
               angle = turn * tg_philox_uniform(d.words[i + 1]);
        store_normal(work->output.dtype, buffers->output, d.first + i, a->a + radius * cos(angle));
        if (i + 1 < d.count)
            store_normal(work->output.dtype, buffers->output, d.first + i + 1, a->a + radius * sin(angle));
    }
    return TG_OK;
}

static void describe_uniform(const void *attributes, char *text, size_t size)
{
    tg_format(text, size, "from %g to %g", random_of(attributes)->a, random_of(attributes)->b);
}

static void describe_normal(const void *attributes, char *text, size_t size)
{
    tg_format(text, size, "mean %g, deviation %g", random_of(attributes)->a, random_of(attributes)->b);
}

#define RANDOM .traits = TG_RANDOM, .tasks = tasks_random, .scratch_bytes = scratch_random

const tg_op tg_op_random_uniform = {.name = "random_uniform",
                                    .formula = "y ~ U[low, high)",
                                    RANDOM,
                                    .shape = shape_uniform,
                                    .describe = describe_uniform,
                                    .run = run_uniform};
const tg_op tg_op_random_normal = {.name = "random_normal",
                                   .formula = "y ~ N(mean, deviation^2)",
                                   RANDOM,
                                   .shape = shape_normal,
                                   .describe = describe_normal,
                                   .run = run_normal};

/* What is drawn, less its name. */
typedef struct request {
    tg_dtype dtype;
    tg_shape shape;
    double a, b;
} request;

static tg_tensor record(tg_where where, tg_graph *graph, const tg_op *op, const char *name, request r)
{
    if (!graph || tg_graph_error(graph))
        return (tg_tensor){graph, -1};
    if (!name || !*name)
        return tg_graph_fail(graph, where, "%s needs a name, which tells its stream from others", op->name);
    const char *scoped = tg_graph_scoped(graph, name);
    if (!scoped || !tg_graph_claim_name(graph, where, "random tensor", scoped))
        return (tg_tensor){graph, -1};
    tg_variables *variables = tg_graph_variables(graph);
    tg_random_attributes a = {.a = r.a, .b = r.b, .dtype = r.dtype == TG_FLOAT ? tg_variables_float(variables) : r.dtype};
    /* Not the stream that gives a variable of that name its first values. */
    a.key = tg_philox_key(tg_philox_key(tg_variables_seed(variables), "random"), scoped);
    a.shape.rank = r.shape.rank;
    memcpy(a.shape.dims, r.shape.dims, sizeof a.shape.dims);
    tg_tensor drawn = tg_apply_at(where, graph, op, NULL, 0, &a, sizeof a);
    return tg_ok(drawn) ? tg_name(drawn, scoped) : drawn;
}

tg_tensor tg_random_uniform_at(tg_where where, tg_graph *graph, const char *name, tg_dtype dtype, tg_shape shape, double low,
                               double high)
{
    return record(where, graph, &tg_op_random_uniform, name, (request){dtype, shape, low, high});
}

tg_tensor tg_random_normal_at(tg_where where, tg_graph *graph, const char *name, tg_dtype dtype, tg_shape shape, double mean,
                              double deviation)
{
    return record(where, graph, &tg_op_random_normal, name, (request){dtype, shape, mean, deviation});
}

tg_tensor tg_dropout_at(tg_where where, tg_tensor x, const char *name, double rate)
{
    if (!tg_ok(x))
        return (tg_tensor){x.graph, -1};
    if (!(rate >= 0 && rate < 1))
        return tg_graph_fail(x.graph, where, "dropout: the rate is %g, but must lie in [0, 1)", rate);
    if (!tg_dtype_is_float(tg_tensor_dtype(x)))
        return tg_graph_fail(x.graph, where, "dropout of %s: cast it to a float", tg_dtype_name(tg_tensor_dtype(x)));
    if (tg_graph_mode(x.graph) == TG_EVALUATION || rate == 0)
        return x;
    tg_dtype dtype = tg_tensor_dtype(x);
    tg_tensor uniform = tg_random_uniform_at(where, x.graph, name, dtype, tg_tensor_shape(x), 0, 1);
    tg_tensor keep = tg_scalar_at(where, x, 1 - rate);
    tg_tensor mask = tg_cast_at(where, tg_less_at(where, uniform, keep), dtype);
    return tg_div_at(where, tg_mul_at(where, x, mask), keep);
}
