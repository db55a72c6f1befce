/* The generic tests of an op's entry and of what it says of inputs that do not fit. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "op_test_parts.h"

void test_contract(const op_test *t)
{
    const tg_op *op = t->op;
    char text[64];
    ck_assert_msg(op->name && *op->name, "an op has no name");
    ck_assert_msg(op->formula && *op->formula, "%s has no formula", op->name);
    ck_assert_msg(t->n_samples > 0, "%s has no samples", op->name);
    ck_assert_msg(op->shape, "%s has no shape rule", op->name);
    ck_assert_msg((op->block != NULL) == ((op->traits & TG_POINTWISE) != 0), "%s: pointwise ops run by `block`, and no others",
                  op->name);
    ck_assert_msg(op->block || op->view || op->run, "%s has no way to run", op->name);
    ck_assert_msg(!op->block || !op->run, "%s has two ways to run", op->name);
    ck_assert_msg(op->min_inputs >= 0 && op->min_inputs <= op->max_inputs, "%s: its numbers of inputs are no range", op->name);
    ck_assert_msg(isfinite(op->tolerance) && op->tolerance >= 0, "%s: its tolerance is no number", op->name);
    ck_assert_msg((op->n_rewrites == 0) == (op->rewrites == NULL), "%s: n_rewrites does not fit rewrites", op->name);
    for (int i = 0; i < op->n_rewrites; i++) {
        ck_assert_msg(op->rewrites[i].name && op->rewrites[i].apply, "%s: rewrite %d is incomplete", op->name, i);
        ck_assert_msg(op->rewrites[i].kind < TG_ROUNDS || op->rewrites[i].bound > 0, "%s: rewrite %d has no bound", op->name, i);
    }
    for (int s = 0; s < t->n_samples; s++) {
        const tg_sample *sample = &t->samples[s];
        ck_assert_msg(sample->n_inputs >= op->min_inputs && sample->n_inputs <= op->max_inputs && sample->n_inputs <= CASE_INPUTS,
                      "%s: sample %d has %d inputs", op->name, s, sample->n_inputs);
        bool takes_indices = false;
        for (int i = 0; i < sample->n_inputs; i++)
            takes_indices = takes_indices || (sample->inputs[i].dtype == TG_I32 && (op->not_differentiable >> i & 1));
        ck_assert_msg(takes_indices || !op->index_extent, "%s: it has an extent of indices, but sample %d no indices", op->name,
                      s);
        if (op->describe) {
            memset(text, 'x', sizeof text);
            op->describe(sample->attributes, text, 8);
            ck_assert_msg(memchr(text, '\0', 8) && text[8] == 'x', "%s: describe does not keep to its buffer", op->name);
        }
    }
}

/* ---- wrong inputs ---- */

static tg_tensor apply(op_case *c, const tg_tensor *inputs, int n)
{
    return tg_apply_at(CASE_HERE, c->graph, c->op, inputs, n, c->sample->attributes, c->sample->attribute_bytes);
}

/* The result of a mistake: poisoned, with an error that names op and place, and that stays. */
static void expect_error(op_case *c, tg_tensor result, const char *mistake)
{
    const char *error = tg_graph_error(c->graph);
    ck_assert_msg(error && !tg_ok(result), "%s: %s is no error", c->name, mistake);
    ck_assert_msg(strstr(error, c->op->name) && strstr(error, CASE_PLACE), "%s: the error over %s does not name op and place: %s",
                  c->name, mistake, error);
    ck_assert_msg(!tg_ok(apply(c, c->inputs, c->sample->n_inputs)), "%s: the error went away", c->name);
}

static op_case begin_small(const op_test *t, tg_context *context, int sample, const case_values *values)
{
    op_case c;
    case_begin(&c, context, t->op, &t->samples[sample], sample, values, TG_F64, false);
    return c;
}

static void test_counts(const op_test *t, tg_context *context, const case_values *values)
{
    int wrong[2] = {t->op->min_inputs - 1, t->op->max_inputs < 63 ? t->op->max_inputs + 1 : -1};
    tg_tensor inputs[64];
    for (int w = 0; w < 2; w++) {
        if (wrong[w] < 0)
            continue;
        op_case c = begin_small(t, context, 0, values);
        tg_tensor x = tg_input(c.graph, "spare", TG_FLOAT, TG_SHAPE(2, 2));
        for (int i = 0; i < 64; i++)
            inputs[i] = i < c.sample->n_inputs ? c.inputs[i] : x;
        expect_error(&c, apply(&c, inputs, wrong[w]), "a wrong number of inputs");
        case_end(&c);
    }
}

static void test_handles(const op_test *t, tg_context *context, const case_values *values)
{
    for (int i = 0; i < t->samples[0].n_inputs; i++) {
        op_case c = begin_small(t, context, 0, values), other = begin_small(t, context, 0, values);
        tg_tensor inputs[CASE_INPUTS];
        memcpy(inputs, c.inputs, sizeof inputs);
        inputs[i] = other.inputs[i];
        expect_error(&c, apply(&c, inputs, c.sample->n_inputs), "a tensor of another graph");
        case_end(&c);
        c = begin_small(t, context, 0, values);
        memcpy(inputs, c.inputs, sizeof inputs);
        inputs[i] = tg_none();
        expect_error(&c, apply(&c, inputs, c.sample->n_inputs), "no tensor at all");
        case_end(&c);
        case_end(&other);
    }
}

/* What the shape rule refuses must be told well; what it takes must run, or be refused with a status, but not crash. */
static bool accepted(op_case *c, const tg_tensor *inputs, const char *mistake)
{
    tg_tensor result = apply(c, inputs, c->sample->n_inputs);
    if (!tg_ok(result)) {
        expect_error(c, result, mistake);
        return false;
    }
    tg_plan *plan = tg_compile(c->graph, result);
    ck_assert_msg(plan, "%s: %s was recorded but not compiled: %s", c->name, mistake, tg_graph_error(c->graph));
    tg_status status = tg_run(plan);
    ck_assert_msg(!status || *tg_plan_error(plan), "%s: %s failed without a word", c->name, mistake);
    tg_plan_free(plan);
    return true;
}

/* Another type in place of input i, with zeros for values. */
static bool type_accepted(const op_test *t, tg_context *context, int sample, const case_values *values, int i, tg_type type,
                          const char *mistake)
{
    op_case c = begin_small(t, context, sample, values);
    tg_tensor inputs[CASE_INPUTS];
    memcpy(inputs, c.inputs, sizeof inputs);
    inputs[i] = tg_input(c.graph, "wrong", type.dtype, type.shape);
    void *zeros = calloc((size_t)tg_type_bytes(type) + 1, 1);
    ck_assert_int_eq(tg_bind(inputs[i], zeros, (size_t)tg_type_bytes(type)), TG_OK);
    bool result = accepted(&c, inputs, mistake);
    case_end(&c);
    free(zeros);
    return result;
}

static void test_types(const op_test *t, tg_context *context, int sample, const case_values *values)
{
    const tg_sample *s = &t->samples[sample];
    for (int i = (t->op->traits & TG_EFFECT) ? 1 : 0; i < s->n_inputs; i++) {
        tg_type type = {s->inputs[i].dtype == TG_FLOAT ? TG_F64 : s->inputs[i].dtype, s->inputs[i].shape};
        for (int d = 0; d < TG_DTYPE_COUNT; d++) {
            bool taken = type_accepted(t, context, sample, values, i, (tg_type){(tg_dtype)d, type.shape}, "another dtype");
            bool mixed = (t->op->traits & TG_POINTWISE) && s->n_inputs == 2 && d != (int)type.dtype;
            ck_assert_msg(!(taken && mixed), "%s: mixes %s and %s", t->op->name, tg_dtype_name(type.dtype),
                          tg_dtype_name((tg_dtype)d));
        }
        if (type.shape.rank > 0)
            type_accepted(t, context, sample, values, i, (tg_type){type.dtype, TG_SCALAR}, "a scalar");
        tg_type wide = type;
        for (int axis = 0; axis < wide.shape.rank; axis++) {
            wide = type;
            wide.shape.dims[axis] += 3;
            type_accepted(t, context, sample, values, i, wide, "another extent");
        }
        if (type.shape.rank < TG_MAX_RANK) {
            wide = type;
            wide.shape.dims[wide.shape.rank++] = 3;
            type_accepted(t, context, sample, values, i, wide, "another rank");
        }
    }
}

void test_errors(const op_test *t)
{
    tg_context *context = case_context(TG_ISA_BEST, 1);
    for (int s = 0; s < t->n_samples; s++) {
        case_values values = case_values_make(t->op, &t->samples[s], 1);
        if (s == 0) {
            test_counts(t, context, &values);
            test_handles(t, context, &values);
        }
        if (sample_elements(&t->samples[s]) <= SMALL_SAMPLE)
            test_types(t, context, s, &values);
        case_values_free(&values);
    }
    tg_context_free(context);
}
