#include "op_case.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph/philox.h"
#include "harness.h"

#define DISTANCE 0.0225 /* between distinct values: 2e-2 with room for rounding to f32 */

static bool is_float(tg_dtype dtype) { return dtype == TG_FLOAT || tg_dtype_is_float(dtype); }

static double uniform(uint64_t seed, uint64_t i)
{
    uint32_t bits[4];
    tg_philox(seed, 0, i, bits);
    return tg_philox_uniform(bits[0]);
}

/* ---- values ---- */

/* The cells (k + 1/2) x DISTANCE, from the first one asked for: each is given out once. Middles of cells keep away from 0. */
typedef struct cells {
    uint8_t *used;
    int64_t first, count;
} cells;

static cells cells_make(const tg_sample *sample)
{
    double low = INFINITY, high = -INFINITY;
    for (int i = 0; i < sample->n_inputs; i++) {
        low = fmin(low, is_float(sample->inputs[i].dtype) ? sample->inputs[i].low : low);
        high = fmax(high, is_float(sample->inputs[i].dtype) ? sample->inputs[i].high : high);
    }
    cells c = {.first = low < high ? (int64_t)floor(low / DISTANCE) : 0};
    c.count = low < high ? (int64_t)ceil(high / DISTANCE) - c.first + 1 : 1;
    c.used = calloc((size_t)c.count, 1);
    return c;
}

static double cells_draw(cells *c, const tg_op *op, double low, double high, double share)
{
    int64_t first = (int64_t)ceil(low / DISTANCE - 0.5), last = (int64_t)floor(high / DISTANCE - 0.5), n = last - first + 1;
    int64_t start = (int64_t)(share * (double)n);
    for (int64_t i = 0; i < n; i++) {
        int64_t cell = first + (start + i) % n;
        if (!c->used[cell - c->first]) {
            c->used[cell - c->first] = 1;
            return ((double)cell + 0.5) * DISTANCE;
        }
    }
    ck_abort_msg("%s: the range of a sample leaves no room for that many distinct values", op->name);
    return 0;
}

case_values case_values_make(const tg_op *op, const tg_sample *sample, uint64_t seed)
{
    case_values v = {.n = sample->n_inputs};
    cells c = cells_make(sample);
    uint64_t drawn = 0;
    for (int i = 0; i < v.n; i++) {
        const tg_sample_input *input = &sample->inputs[i];
        v.counts[i] = tg_shape_count(input->shape);
        v.values[i] = malloc((size_t)(v.counts[i] + 1) * sizeof(double));
        for (int64_t k = 0; k < v.counts[i]; k++) {
            double share = uniform(seed, drawn++), x = input->low + share * (input->high - input->low);
            if (!is_float(input->dtype))
                v.values[i][k] = floor(x);
            else
                v.values[i][k] = (float)(sample->distinct ? cells_draw(&c, op, input->low, input->high, share) : x);
        }
    }
    free(c.used);
    return v;
}

void case_values_free(case_values *values)
{
    for (int i = 0; i < values->n; i++)
        free(values->values[i]);
}

double case_element(tg_dtype dtype, const void *values, int64_t i)
{
    float f32;
    double f64;
    int32_t i32;
    const char *bytes = values; /* which lie among others', so not aligned */
    switch (dtype) {
    case TG_F32: return memcpy(&f32, bytes + i * (int64_t)sizeof f32, sizeof f32), (double)f32;
    case TG_F64: return memcpy(&f64, bytes + i * (int64_t)sizeof f64, sizeof f64), f64;
    case TG_I32: return memcpy(&i32, bytes + i * (int64_t)sizeof i32, sizeof i32), i32;
    default: return (uint8_t)bytes[i];
    }
}

static void *encode(tg_dtype dtype, const double *values, int64_t count)
{
    void *data = calloc((size_t)count + 1, tg_dtype_size(dtype));
    for (int64_t i = 0; i < count; i++) {
        switch (dtype) {
        case TG_F32: ((float *)data)[i] = (float)values[i]; break;
        case TG_F64: ((double *)data)[i] = values[i]; break;
        case TG_I32: ((int32_t *)data)[i] = (int32_t)values[i]; break;
        default: ((uint8_t *)data)[i] = (uint8_t)values[i];
        }
    }
    return data;
}

/* ---- graphs ---- */

tg_context *case_context(tg_isa isa, int threads)
{
    tg_context_options options = harness_options();
    options.isa = isa;
    options.threads = threads;
    tg_context *context = tg_context_new(options);
    ck_assert_msg(context, "no context for %s with %d threads", tg_isa_name(isa), threads);
    return context;
}

void case_begin(op_case *c, tg_context *context, const tg_op *op, const tg_sample *sample, int number, const case_values *values,
                tg_dtype working_float, bool trained)
{
    tg_variables *plain = tg_variables_new(context, 1);
    ck_assert_ptr_nonnull(plain);
    *c = (op_case){.op = op, .sample = sample, .context = context, .variables = tg_variables_cast(plain, working_float)};
    tg_variables_free(plain);
    ck_assert_ptr_nonnull(c->variables);
    c->graph = tg_graph_new(c->variables, TG_TRAINING);
    ck_assert_ptr_nonnull(c->graph);
    snprintf(c->name, sizeof c->name, "%s, sample %d, %s, %s", op->name, number, tg_dtype_name(working_float),
             tg_isa_name(tg_context_isa(context)));
    for (int i = 0; i < sample->n_inputs; i++) {
        const tg_sample_input *input = &sample->inputs[i];
        char name[16];
        snprintf(name, sizeof name, "x%d", i);
        bool state = (op->traits & TG_EFFECT) && i == 0, variable = state || (trained && is_float(input->dtype));
        if (state)
            c->inputs[i] = tg_state(c->graph, name, input->dtype, input->shape, (tg_init){TG_INIT_CONSTANT, 0, 0});
        else if (variable)
            c->inputs[i] = tg_variable(c->graph, name, input->dtype, input->shape, (tg_init){TG_INIT_CONSTANT, 0, 0});
        else
            c->inputs[i] = tg_input(c->graph, name, input->dtype, input->shape);
        tg_type type = tg_tensor_type(c->inputs[i]);
        size_t bytes = (size_t)tg_type_bytes(type);
        c->data[i] = encode(type.dtype, values->values[i], values->counts[i]);
        tg_status status =
            variable ? tg_variables_write(c->variables, name, c->data[i], bytes) : tg_bind(c->inputs[i], c->data[i], bytes);
        ck_assert_msg(!status, "%s: input %d: %s", c->name, i, tg_status_text(status));
    }
}

void case_record(op_case *c)
{
    c->output = tg_apply_at(CASE_HERE, c->graph, c->op, c->inputs, c->sample->n_inputs, c->sample->attributes,
                            c->sample->attribute_bytes);
    ck_assert_msg(tg_ok(c->output), "%s: %s", c->name, tg_graph_error(c->graph));
}

void case_end(op_case *c)
{
    for (int i = 0; i < c->sample->n_inputs; i++)
        free(c->data[i]);
    tg_graph_free(c->graph);
    tg_variables_free(c->variables);
}

void *case_run(op_case *c, const tg_tensor *roots, int n, tg_compile_options options, size_t *bytes)
{
    tg_plan *plan = tg_compile_roots(c->graph, roots, n, options);
    ck_assert_msg(plan, "%s: compile: %s", c->name, tg_graph_error(c->graph));
    tg_status status = tg_run(plan);
    ck_assert_msg(!status, "%s: run: %s: %s", c->name, tg_status_text(status), tg_plan_error(plan));
    *bytes = 0;
    for (int i = 0; i < n; i++)
        *bytes += (size_t)tg_type_bytes(tg_tensor_type(roots[i]));
    char *all = malloc(*bytes + 1), *at = all;
    for (int i = 0; i < n; i++) {
        size_t size = (size_t)tg_type_bytes(tg_tensor_type(roots[i]));
        ck_assert_int_eq(tg_read(plan, roots[i], at, size), TG_OK);
        at += size;
    }
    tg_plan_free(plan);
    return all;
}

uint32_t case_differentiable(const op_case *c)
{
    uint32_t bits = 0;
    if (!c->op->gradient || (c->op->traits & TG_CUTS_GRADIENT) || !tg_dtype_is_float(tg_tensor_dtype(c->output)))
        return 0;
    for (int i = 0; i < c->sample->n_inputs; i++)
        if (is_float(c->sample->inputs[i].dtype) && !((c->op->traits & TG_EFFECT) && i == 0))
            bits |= 1u << i;
    return bits & ~c->op->not_differentiable;
}

tg_tensor case_weights(tg_tensor like, uint64_t seed)
{
    tg_type type = tg_tensor_type(like);
    int64_t count = tg_shape_count(type.shape);
    double *values = malloc((size_t)(count + 1) * sizeof *values);
    for (int64_t i = 0; i < count; i++)
        values[i] = 0.5 + uniform(seed, (uint64_t)i);
    void *data = encode(type.dtype, values, count);
    tg_tensor weights = tg_constant(like.graph, type.dtype, type.shape, data, (size_t)tg_type_bytes(type));
    free(values);
    free(data);
    return weights;
}
