#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "op_rules.h"
#include "rules.h"
#include "workbench.h"

/* ---- operands ---- */

/* How values are drawn. */
typedef enum drawing { UNIFORM, WHOLE, UNEVEN, DRAWINGS } drawing;

/* UNEVEN: of very different sizes, a quarter of them zeros of either sign, one far greater than all others. */
static tg_tensor draw(workbench *w, tg_shape shape, drawing how, uint64_t seed)
{
    int64_t count = tg_shape_count(shape);
    double *values = workbench_draw(count, -1, 1, seed), *sizes = workbench_draw(count, 0, 24, seed + 100);
    for (int64_t i = 0; i < count; i++) {
        int size = (int)sizes[i];
        if (how == WHOLE)
            values[i] = floor(3 * values[i]);
        else if (how == UNEVEN)
            values[i] = size < 3 ? 0 : size < 6 ? -0.0 : ldexp(values[i], size - 18);
    }
    if (how == UNEVEN)
        values[count / 2] = 1e6;
    tg_tensor x = workbench_values(w, tg_variables_float(w->variables), shape, values);
    free(values);
    free(sizes);
    return x;
}

static rule_operands draw_operands(workbench *w, drawing how)
{
    return (rule_operands){.x = draw(w, TG_SHAPE(7), how, 1),
                           .z = draw(w, TG_SHAPE(7), how, 2),
                           .table = draw(w, TG_SHAPE(6, 8), how, 3),
                           .other = draw(w, TG_SHAPE(8, 5), how, 4),
                           .image = draw(w, TG_SHAPE(2, 9, 10, 3), how, 5),
                           .kernel = draw(w, TG_SHAPE(3, 3, 3, 5), how, 6),
                           .deep = draw(w, TG_SHAPE(2, 9, 8, 17), how, 7),
                           .filters = draw(w, TG_SHAPE(3, 3, 17, 18), how, 8),
                           .pooled = draw(w, TG_SHAPE(2, 4, 4, 5), how, 9),
                           .weights = draw(w, TG_SHAPE(64, 16), how, 10),
                           .places = workbench_random(w, TG_U8, TG_SHAPE(2, 4, 4, 5), 0, 4, 11),
                           .bytes = workbench_random(w, TG_U8, TG_SHAPE(3, 64), 0, 256, 12),
                           .indices = workbench_random(w, TG_I32, TG_SHAPE(3), 0, 6, 13)};
}

static rule_operands absolute(rule_operands on)
{
    tg_tensor *const floats[] = {&on.x,      &on.z,    &on.table,   &on.other,  &on.image,
                                 &on.kernel, &on.deep, &on.filters, &on.pooled, &on.weights};
    for (size_t i = 0; i < sizeof floats / sizeof *floats; i++)
        *floats[i] = tg_abs(*floats[i]);
    return on;
}

/* ---- one case ---- */

typedef struct watched {
    const tg_rewrite_rule *rule;
    int applied;
} watched;

static bool is_rule(void *user, const tg_rewrite_rule *rule) { return ((watched *)user)->rule == rule; }

static void count(void *user, const tg_rewrite_rule *rule)
{
    (void)rule;
    ((watched *)user)->applied++;
}

/* A tensor's values, computed without any pass. */
static double *values_of(tg_tensor x)
{
    tg_plan *plan = tg_compile_roots(x.graph, &x, 1, (tg_compile_options){.plan_memory = false});
    ck_assert_msg(plan && !tg_run(plan), "%s", tg_graph_error(x.graph) ? tg_graph_error(x.graph) : tg_plan_error(plan));
    tg_type type = tg_tensor_type(x);
    double *values = malloc((size_t)(tg_shape_count(type.shape) + 1) * sizeof *values);
    for (int64_t i = 0; i < tg_shape_count(type.shape); i++)
        values[i] = case_element(type.dtype, tg_values(plan, x), i);
    tg_plan_free(plan);
    return values;
}

static void compare(const rule_case *c, const tg_rewrite_rule *rule, tg_tensor plain, tg_tensor rewritten, tg_tensor terms)
{
    tg_type type = tg_tensor_type(plain);
    bool rounds = rule->kind == TG_ROUNDS || rule->kind == TG_NORMWISE;
    double *x = values_of(plain), *y = values_of(rewritten), *scale = rounds ? values_of(terms) : NULL;
    double eps = type.dtype == TG_F64 ? DBL_EPSILON : FLT_EPSILON;
    ck_assert(tg_type_equal(type, tg_tensor_type(rewritten)));
    ck_assert(!rounds || tg_shape_equal(tg_tensor_shape(terms), type.shape));
    for (int64_t i = 0; i < tg_shape_count(type.shape); i++) {
        double allowed = rounds ? rule->bound * eps * fabs(scale[i]) : 0;
        if (x[i] != y[i] && !(isnan(x[i]) && isnan(y[i])) && !(fabs(x[i] - y[i]) <= allowed))
            ck_abort_msg("%s: \"%s\" on %s: element %lld is %.17g, without it %.17g; it may differ by %.3g", c->op->name, c->rule,
                         tg_dtype_name(type.dtype), (long long)i, y[i], x[i], allowed);
    }
    free(x);
    free(y);
    free(scale);
}

/* Returns whether the rule fired. */
static bool try_case(const rule_case *c, const tg_rewrite_rule *rule, tg_isa isa, tg_dtype dtype, drawing how)
{
    workbench w = workbench_open_on(isa, 1, dtype);
    rule_operands on = draw_operands(&w, how), sizes = absolute(on);
    tg_tensor plain = rule->kind != TG_EXACT && c->taken ? c->taken(&on) : c->build(&on),
              terms = c->terms ? c->terms(&sizes) : c->build(&sizes), rewritten;
    ck_assert_msg(tg_ok(plain) && tg_ok(terms), "%s: \"%s\": %s", c->op->name, c->rule, tg_graph_error(w.graph));
    watched seen = {.rule = rule};
    tg_graph *graph = rules_apply(w.graph, &plain, 1, &(tg_rule_watch){is_rule, count, &seen}, &rewritten);
    if (seen.applied > 0)
        compare(c, rule, plain, rewritten, terms);
    tg_graph_free(graph);
    workbench_close(&w);
    return seen.applied > 0;
}

/* ---- all ---- */

static void test_rule(const rule_case *c, const tg_rewrite_rule *rule)
{
    for (int isa = 0; isa < TG_ISA_COUNT; isa++)
        for (int how = 0; how < DRAWINGS && tg_isa_available((tg_isa)isa); how++) {
            ck_assert_msg(try_case(c, rule, (tg_isa)isa, TG_F32, (drawing)how), "%s: \"%s\" did not fire in its case",
                          c->op->name, c->rule);
            try_case(c, rule, (tg_isa)isa, TG_F64, (drawing)how);
        }
}

void tg_test_rules(const tg_op *op, const rule_case *cases, int n)
{
    for (int32_t r = 0; r < op->n_rewrites; r++) {
        int found = 0;
        for (int i = 0; i < n; i++)
            if (cases[i].op == op && strcmp(cases[i].rule, op->rewrites[r].name) == 0) {
                test_rule(&cases[i], &op->rewrites[r]);
                found++;
            }
        ck_assert_msg(found > 0, "%s: no case for the rule \"%s\": give it one (tests/op_rules.h)", op->name,
                      op->rewrites[r].name);
    }
    for (int i = 0; i < n; i++) {
        bool there = cases[i].op != op;
        for (int32_t r = 0; r < op->n_rewrites; r++)
            there = there || strcmp(cases[i].rule, op->rewrites[r].name) == 0;
        ck_assert_msg(there, "%s has no rule \"%s\"", op->name, cases[i].rule);
    }
}
