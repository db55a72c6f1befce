/* The generic test of an op among others: whichever passes compilation runs, the values are the same. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "op_test_parts.h"
#include "ops/ops.h"
#include "rules.h"

#define MAX_ROOTS (2 + CASE_INPUTS)

/* Increasing and pointwise, as rewrites like it, and harmless to every op's domain that holds (0, 1). */
static tg_tensor before(tg_tensor x) { return tg_sigmoid(tg_add(x, x)); }
static tg_tensor after(tg_tensor y) { return tg_sigmoid(tg_sub(tg_mul(y, y), tg_neg(y))); }

static bool is_domain_wide(const tg_sample_input *input) { return input->low <= 0 && input->high >= 1; }

/* The op between pointwise ops, with gradients where it has them: roots y, z = f(y) and the gradients of sum(w z). */
static int record_company(op_case *c, tg_tensor *roots)
{
    tg_tensor inputs[CASE_INPUTS], x[CASE_INPUTS];
    int n = 0, n_x = 0;
    for (int i = 0; i < c->sample->n_inputs; i++) {
        const tg_sample_input *input = &c->sample->inputs[i];
        bool plain = input->dtype != TG_FLOAT || ((c->op->traits & TG_EFFECT) && i == 0) || !is_domain_wide(input);
        inputs[i] = plain ? c->inputs[i] : before(c->inputs[i]);
    }
    c->output =
        tg_apply_at(CASE_HERE, c->graph, c->op, inputs, c->sample->n_inputs, c->sample->attributes, c->sample->attribute_bytes);
    roots[n++] = c->output;
    tg_tensor y = tg_dtype_is_float(tg_tensor_dtype(c->output)) ? c->output : tg_cast(c->output, TG_FLOAT);
    roots[n++] = after(y);
    uint32_t differentiable = case_differentiable(c);
    for (int i = 0; i < c->sample->n_inputs; i++)
        if (differentiable >> i & 1)
            x[n_x++] = c->inputs[i];
    if (n_x > 0)
        ck_assert_msg(tg_gradients(tg_sum(tg_mul(case_weights(roots[1], 10), roots[1]), TG_ALL_AXES), x, n_x, roots + n),
                      "%s: %s", c->name, tg_graph_error(c->graph));
    return n + n_x;
}

typedef struct outcome {
    void *values;
    size_t bytes;
    tg_tensor roots[MAX_ROOTS];
    int n;
    op_case c;
} outcome;

static outcome compute(const op_test *t, tg_context *context, int number, const case_values *values, tg_dtype dtype,
                       tg_compile_options options)
{
    outcome o;
    case_begin(&o.c, context, t->op, &t->samples[number], number, values, dtype, true);
    o.n = record_company(&o.c, o.roots);
    o.values = case_run(&o.c, o.roots, o.n, options, &o.bytes);
    return o;
}

static void outcome_free(outcome *o)
{
    free(o->values);
    case_end(&o->c);
}

/* tolerance 0: equal by ==, with NaN equal to NaN; else within that share of the tensor's largest value. */
static void compare(const outcome *a, const outcome *b, double tolerance, const char *pass)
{
    const char *left = a->values, *right = b->values;
    for (int r = 0; r < a->n; r++) {
        tg_type type = tg_tensor_type(a->roots[r]);
        bool same_bits = memcmp(left, right, (size_t)tg_type_bytes(type)) == 0;
        int64_t count = same_bits ? 0 : tg_shape_count(type.shape);
        double largest = 0;
        for (int64_t i = 0; i < count; i++)
            largest = fmax(largest, fabs(case_element(type.dtype, left, i)));
        for (int64_t i = 0; i < count; i++) {
            double x = case_element(type.dtype, left, i), y = case_element(type.dtype, right, i);
            bool same = x == y || (isnan(x) && isnan(y));
            if (same || (tolerance > 0 && tg_dtype_is_float(type.dtype) && fabs(x - y) <= tolerance * largest))
                continue;
            ck_abort_msg("%s: with %s, element %lld of %s is %.17g, without %.17g", a->c.name, pass, (long long)i,
                         r == 0   ? "its result"
                         : r == 1 ? "what follows it"
                                  : "a gradient",
                         y, x);
        }
        left += tg_type_bytes(type);
        right += tg_type_bytes(type);
    }
}

/* eps times this, of the largest value, is what the rules that fired may have changed: by what each states, once for each time. */
static void add_bound(void *user, const tg_rewrite_rule *rule) { *(double *)user += rule->kind < TG_ROUNDS ? 0 : rule->bound; }

/* With all rules, and the other passes: `bound` gets what they may have changed. */
static outcome compute_rewritten(const op_test *t, tg_context *context, int number, const case_values *values, tg_dtype dtype,
                                 double *bound)
{
    outcome o;
    tg_tensor roots[MAX_ROOTS];
    *bound = 0;
    case_begin(&o.c, context, t->op, &t->samples[number], number, values, dtype, true);
    o.n = record_company(&o.c, o.roots);
    tg_graph *recorded = o.c.graph;
    const tg_rule_watch watch = {.applied = add_bound, .user = bound};
    o.c.graph = rules_apply(recorded, o.roots, o.n, &watch, roots);
    o.values = case_run(&o.c, roots, o.n, (tg_compile_options){.fuse = true, .plan_memory = true}, &o.bytes);
    tg_graph_free(o.c.graph);
    o.c.graph = recorded;
    return o;
}

static void test_sample(const op_test *t, tg_context *context, int number, const case_values *values, tg_dtype dtype)
{
    const tg_compile_options none = {false, false, false, false, true};
    const struct {
        const char *name;
        tg_compile_options options;
    } passes[] = {
        {"planned memory", {false, false, false, true, true}},
        {"fusion", {false, false, true, false, true}},
        {"simplification", {true, false, false, false, true}},
        {"all exact passes", {true, false, true, true, true}},
    };
    outcome plain = compute(t, context, number, values, dtype, none);
    for (size_t i = 0; i < sizeof passes / sizeof *passes; i++) {
        outcome passed = compute(t, context, number, values, dtype, passes[i].options);
        compare(&plain, &passed, 0, passes[i].name);
        outcome_free(&passed);
    }
    double bound;
    outcome rewritten = compute_rewritten(t, context, number, values, dtype, &bound);
    compare(&plain, &rewritten, bound * (dtype == TG_F32 ? FLT_EPSILON : DBL_EPSILON), "all passes");
    outcome_free(&rewritten);
    outcome_free(&plain);
}

void test_passes(const op_test *t)
{
    for (int isa = 0; isa < TG_ISA_COUNT; isa++) {
        if (!tg_isa_available((tg_isa)isa))
            continue;
        tg_context *context = case_context((tg_isa)isa, 2);
        for (int s = 0; s < t->n_samples; s++) {
            case_values values = case_values_make(t->op, &t->samples[s], 11);
            test_sample(t, context, s, &values, TG_F32);
            test_sample(t, context, s, &values, TG_F64);
            case_values_free(&values);
        }
        tg_context_free(context);
    }
}
