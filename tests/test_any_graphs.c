/* Random graphs give the same values whichever passes compile them. TG_TEST_GRAPHS=FIRST:COUNT in the environment says which. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "any_graph.h"
#include "harness.h"
#include "op_case.h"
#include "rules.h"

enum { DEFAULT_COUNT = 600, MAX_OPS = 128 };

typedef struct pass_set {
    const char *name;
    tg_compile_options options;
} pass_set;

static const pass_set sets[] = {
    {"no pass", {.simplify = false}},
    {"planned memory", {.plan_memory = true}},
    {"fusion", {.fuse = true}},
    {"simplification", {.simplify = true}},
    {"all exact passes", {.simplify = true, .fuse = true, .plan_memory = true}},
    {"rewrites that round", {.simplify = true, .rounds = true}},
    {"all passes", {.simplify = true, .rounds = true, .fuse = true, .plan_memory = true}},
};
enum { SETS = sizeof sets / sizeof *sets };

/* What became of the graphs, and which ops were among them. */
typedef struct tally {
    int graphs, not_finite, not_whole, ill_conditioned;
    int seen[MAX_OPS];
} tally;

static void note_ops(tally *t, const tg_graph *graph)
{
    int count;
    const tg_op_entry *entries = tg_op_entries(&count);
    ck_assert_int_le(count, MAX_OPS);
    for (int32_t id = 0; id < tg_graph_count(graph); id++)
        for (int i = 0; i < count; i++)
            t->seen[i] += entries[i].op == tg_graph_node(graph, id)->op;
}

/* ---- one graph in one dtype ---- */

typedef struct bench {
    tg_variables *variables;
    any_graph g;
    double *values[SETS]; /* of all roots, one after the other */
    int64_t count;
} bench;

static bool changes_no_tie(void *user, const tg_rewrite_rule *rule)
{
    (void)user;
    return rule->kind != TG_TIES;
}

/* Which element is taken at a tie changes whole numbers, so the rules that may do that are left out of these. */
static double *run(bench *b, const pass_set *set, tally *t)
{
    bool whole = b->g.kind == ANY_WHOLE && set->options.rounds;
    const tg_rule_watch watch = {.allows = changes_no_tie};
    tg_tensor roots[ANY_ROOTS];
    memcpy(roots, b->g.roots, sizeof roots);
    tg_graph *graph = whole ? rules_apply(b->g.graph, b->g.roots, b->g.n_roots, &watch, roots) : b->g.graph;
    tg_compile_options options = set->options;
    options.simplify = options.simplify && !whole;
    tg_plan *plan = tg_compile_roots(graph, roots, b->g.n_roots, options);
    ck_assert_msg(plan, "graph %llu, %s: %s", (unsigned long long)b->g.seed, set->name, tg_graph_error(b->g.graph));
    any_graph_reset(&b->g, b->variables);
    tg_status status = tg_run(plan);
    ck_assert_msg(!status, "graph %llu, %s: %s", (unsigned long long)b->g.seed, set->name, tg_plan_error(plan));
    double *values = malloc((size_t)(b->count + 1) * sizeof *values);
    int64_t at = 0;
    for (int r = 0; r < b->g.n_roots; r++) {
        tg_type type = tg_tensor_type(b->g.roots[r]);
        void *bytes = malloc((size_t)tg_type_bytes(type) + 1);
        ck_assert_int_eq(tg_read(plan, roots[r], bytes, (size_t)tg_type_bytes(type)), TG_OK);
        for (int64_t i = 0; i < tg_shape_count(type.shape); i++)
            values[at++] = case_element(type.dtype, bytes, i);
        free(bytes);
    }
    note_ops(t, tg_plan_graph(plan));
    tg_plan_free(plan);
    if (whole)
        tg_graph_free(graph);
    return values;
}

static bench bench_make(tg_context *context, uint64_t seed, tg_dtype dtype, tally *t)
{
    tg_variables *plain = tg_variables_new(context, 1);
    bench b = {.variables = tg_variables_cast(plain, dtype)};
    tg_variables_free(plain);
    b.g = any_graph_make(b.variables, seed);
    for (int r = 0; r < b.g.n_roots; r++)
        b.count += tg_shape_count(tg_tensor_shape(b.g.roots[r]));
    for (int s = 0; s < SETS; s++)
        b.values[s] = run(&b, &sets[s], t);
    note_ops(t, b.g.graph);
    return b;
}

static void bench_free(bench *b)
{
    for (int s = 0; s < SETS; s++)
        free(b->values[s]);
    any_graph_free(&b->g);
    tg_variables_free(b->variables);
}

static bool is_finite(const bench *b)
{
    for (int64_t i = 0; i < b->count; i++)
        if (!isfinite(b->values[0][i]))
            return false;
    return true;
}

/* Element i of all roots, for messages. */
static const char *root_of(const bench *b, int64_t i, char *text, size_t size)
{
    int r = 0;
    for (; i >= tg_shape_count(tg_tensor_shape(b->g.roots[r])); r++)
        i -= tg_shape_count(tg_tensor_shape(b->g.roots[r]));
    snprintf(text, size, "element %lld of root %d (%s)", (long long)i, r, tg_tensor_node(b->g.roots[r])->op->name);
    return text;
}

/* `allowed` is by element, or NULL: equal by ==. */
static void compare(const bench *b, int s, const double *allowed)
{
    char text[200];
    for (int64_t i = 0; i < b->count; i++) {
        double x = b->values[0][i], y = b->values[s][i];
        if (x != y && !(allowed && fabs(x - y) <= allowed[i]))
            ck_abort_msg("graph %llu, %s: with %s, %s is %.17g, without %.17g", (unsigned long long)b->g.seed,
                         tg_dtype_name(tg_variables_float(b->variables)), sets[s].name, root_of(b, i, text, sizeof text), y, x);
    }
}

/* ---- whole numbers: each sum and product is exact in any order ---- */

/* The largest |value| x 16 of each node; infinite where a value x 16 is no whole number. False if one is too large for sums. */
static bool measure(const bench *b, const tg_tensor *nodes, int32_t n, double *largest)
{
    tg_plan *plan = tg_compile_roots(b->g.graph, nodes, n, sets[0].options);
    ck_assert_ptr_nonnull(plan);
    any_graph_reset(&b->g, b->variables);
    ck_assert_int_eq(tg_run(plan), TG_OK);
    bool small = true;
    for (int32_t i = 0; i < n; i++) {
        tg_type type = tg_tensor_type(nodes[i]);
        const void *bytes = tg_values(plan, nodes[i]);
        largest[i] = 0;
        for (int64_t k = 0; k < tg_shape_count(type.shape); k++) {
            double value = 16 * case_element(type.dtype, bytes, k);
            largest[i] = fmax(largest[i], value == floor(value) ? fabs(value) : INFINITY);
        }
        small = small && largest[i] <= 0x1p13;
    }
    tg_plan_free(plan);
    return small;
}

static bool is_whole(const bench *b)
{
    int32_t n = tg_graph_count(b->g.graph);
    tg_tensor *nodes = malloc((size_t)n * sizeof *nodes);
    double *largest = malloc((size_t)n * sizeof *largest);
    for (int32_t i = 0; i < n; i++)
        nodes[i] = (tg_tensor){b->g.graph, i};
    bool whole = measure(b, nodes, n, largest);
    for (int32_t i = 0; i < n && whole; i++) {
        const tg_node *node = tg_graph_node(b->g.graph, i);
        double terms = (double)tg_shape_count(tg_tensor_shape(nodes[node->n_inputs ? node->inputs[0] : i])), product = terms;
        for (int32_t k = 0; k < node->n_inputs && tg_dtype_is_float(node->type.dtype); k++)
            product *= largest[node->inputs[k]];
        whole = node->op->traits & TG_POINTWISE || node->n_inputs < 2 || product <= 0x1p22;
    }
    free(nodes);
    free(largest);
    return whole;
}

/* ---- differentiable ones: in f64, and by how much f32 differs ---- */

static bool allow(const bench *f32, const bench *f64, double *allowed32, double *allowed64)
{
    bool well = true;
    int64_t first = 0;
    for (int r = 0; r < f32->g.n_roots; r++) {
        int64_t end = first + tg_shape_count(tg_tensor_shape(f32->g.roots[r]));
        double largest = 0, error = 0;
        for (int64_t i = first; i < end; i++) {
            largest = fmax(largest, fabs(f64->values[0][i]));
            error = fmax(error, fabs(f32->values[0][i] - f64->values[0][i]));
        }
        for (int64_t i = first; i < end; i++) {
            allowed32[i] = 64 * error + 1024 * FLT_EPSILON * largest + FLT_MIN;
            allowed64[i] = 0x1p-29 * allowed32[i] * 64;
        }
        well = well && error <= 0.01 * largest + FLT_MIN;
        first = end;
    }
    return well;
}

static void compare_smooth(const bench *f32, const bench *f64, tally *t)
{
    double *allowed = malloc((size_t)(2 * f32->count + 1) * sizeof *allowed);
    ck_assert_int_eq(f32->count, f64->count);
    bool well = allow(f32, f64, allowed, allowed + f32->count);
    t->ill_conditioned += !well;
    for (int s = 0; s < SETS && well; s++)
        if (sets[s].options.rounds) {
            compare(f32, s, allowed);
            compare(f64, s, allowed + f32->count);
        }
    free(allowed);
}

/* ---- all ---- */

static void try_graph(tg_context *context, uint64_t seed, tally *t)
{
    bench b[2] = {bench_make(context, seed, TG_F32, t), bench_make(context, seed, TG_F64, t)};
    bool finite = true;
    t->graphs++;
    for (int d = 0; d < 2; d++) {
        finite = finite && is_finite(&b[d]);
        bool whole = b[d].g.kind == ANY_WHOLE && finite && is_whole(&b[d]);
        t->not_whole += b[d].g.kind == ANY_WHOLE && !whole;
        for (int s = 1; s < SETS && finite; s++)
            if (!sets[s].options.rounds || whole)
                compare(&b[d], s, NULL);
    }
    t->not_finite += !finite;
    if (finite && b[0].g.kind == ANY_SMOOTH)
        compare_smooth(&b[0], &b[1], t);
    bench_free(&b[0]);
    bench_free(&b[1]);
}

START_TEST(passes_change_no_value)
{
    const char *asked = getenv("TG_TEST_GRAPHS");
    unsigned long long first = 0, count = DEFAULT_COUNT;
    ck_assert_msg(!asked || sscanf(asked, "%llu:%llu", &first, &count) == 2, "TG_TEST_GRAPHS is \"%s\", not FIRST:COUNT", asked);
    tg_context *context = harness_context(1);
    tally t = {0};
    for (unsigned long long i = 0; i < count; i++)
        try_graph(context, first + i, &t);
    const char *isa = tg_isa_name(tg_context_isa(context));
    tg_context_free(context);
    if (asked)
        printf("# %d graphs on %s; %d not finite, %d of whole numbers not exact, %d ill-conditioned\n", t.graphs, isa,
               t.not_finite, t.not_whole, t.ill_conditioned);
    ck_assert_int_le(20 * t.not_finite, t.graphs);
    ck_assert_int_le(10 * t.ill_conditioned, t.graphs);
    int n;
    const tg_op_entry *entries = tg_op_entries(&n);
    for (int i = 0; i < n && count >= DEFAULT_COUNT; i++)
        ck_assert_msg(t.seen[i] > 0, "no graph had the op %s", entries[i].op->name);
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("any_graphs");
    tcase_set_timeout(tests, 0);
    tcase_add_test(tests, passes_change_no_value);
    return harness_run("any_graphs", tests);
}
