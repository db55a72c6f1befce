/* What each op and its gradients give at NaN, infinities, zeros and ties: on every instruction set, in both floats, with all passes and
   with none. The right values are JAX's, NumPy's and SciPy's, but where ops/ops.h chooses otherwise: reference/edges.py writes them, and
   lists these choices. An op without such values fails. */
#include <stdio.h>

#include "ops/attributes.h"
#include "ops/op_entries.h"
#include "workbench.h"

enum { VALUES = 300 };

/* An op, its inputs, its result and the gradients of the result's sum. Texts are as parse() takes them; y NULL: drawn numbers, which must
   be finite; gradients NULL: an input that has none. */
typedef struct edge {
    const tg_op *op;
    const char *inputs[CASE_INPUTS];
    const void *attributes;
    size_t attribute_bytes;
    const char *y;
    const char *gradients[CASE_INPUTS];
} edge;

#define NONE NULL, 0
#define WITH(type, ...) &(type){__VA_ARGS__}, sizeof(type)
#define PLAIN \
    {1, 1}, {1, 1}, {0, 0}, { 0, 0 }
static const edge edges[] = {
#include "reference/edges.inc"
};
enum { EDGES = sizeof edges / sizeof *edges };

typedef struct values {
    tg_dtype dtype;
    tg_shape shape;
    double at[VALUES];
    int count;
} values;

/* "i32[2,3] 1 nan -inf ...": the dtype (the working float), the shape (a vector's) and the first values; the others are 0. */
static values parse(const char *text, tg_dtype working_float)
{
    values v = {.dtype = working_float};
    if (strncmp(text, "i32", 3) == 0)
        v.dtype = TG_I32, text += 3;
    else if (strncmp(text, "u8", 2) == 0)
        v.dtype = TG_U8, text += 2;
    bool shaped = *text == '[';
    for (char *end; shaped && *text != ']'; text = end)
        v.shape.dims[v.shape.rank++] = strtoll(text + 1, &end, 10);
    text += shaped;
    for (char *end; *text; text = end, v.count++)
        v.at[v.count] = strtod(text, &end);
    if (!shaped)
        v.shape = TG_SHAPE(v.count);
    return v;
}

/* ---- every op is here ---- */

/* Whether an op's float inputs hold such a value. */
static bool has_value(const tg_op *op, bool (*is)(double))
{
    for (int e = 0; e < EDGES; e++)
        for (int i = 0; edges[e].op == op && i < CASE_INPUTS && edges[e].inputs[i]; i++) {
            values v = parse(edges[e].inputs[i], TG_F32);
            for (int k = 0; k < v.count && v.dtype == TG_F32; k++)
                if (is(v.at[k]))
                    return true;
        }
    return false;
}

static bool is_nan(double x) { return isnan(x); }
static bool is_infinite(double x) { return isinf(x); }
static bool is_zero(double x) { return x == 0; }

START_TEST(every_op_is_tried_at_nan_infinities_and_zeros)
{
    int count;
    const tg_op_entry *entry = &tg_op_entries(&count)[_i];
    const tg_op *op = entry->op;
    bool found = false, floats = false;
    for (int e = 0; e < EDGES; e++)
        found |= edges[e].op == op;
    ck_assert_msg(found, "%s has no line in tests/reference/edges.inc", op->name);
    for (int i = 0; i < entry->samples[0].n_inputs; i++)
        floats |= entry->samples[0].inputs[i].dtype == TG_FLOAT;
    if (!floats || (op->traits & TG_EFFECT)) /* which refuses what is not finite */
        return;
    ck_assert_msg(has_value(op, is_nan) && has_value(op, is_infinite) && has_value(op, is_zero),
                  "%s is not tried at a NaN, an infinity and a zero", op->name);
}
END_TEST

/* ---- values ---- */

/* The ops of which IEEE 754 and C99's annex F say the sign of a result that is zero. */
static bool has_signed_zeros(const tg_op *op)
{
    const tg_op *const ops[] = {&tg_op_add,  &tg_op_sub, &tg_op_mul,        &tg_op_div,   &tg_op_neg, &tg_op_abs,  &tg_op_square,
                                &tg_op_sqrt, &tg_op_pow, &tg_op_reciprocal, &tg_op_rsqrt, &tg_op_sin, &tg_op_tanh, &tg_op_erf};
    for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
        if (ops[i] == op)
            return true;
    return false;
}

static void compare(const edge *e, const char *name, const char *what, tg_plan *plan, tg_tensor t, const char *text)
{
    int64_t count = tg_shape_count(tg_tensor_shape(t));
    values right = parse(text, TG_F64);
    bool signs = text == e->y && has_signed_zeros(e->op);
    ck_assert_msg(right.count == count || count > 20, "%s, %s has %d values", name, what, (int)count);
    for (int64_t i = 0; i < count; i++) {
        double got = case_element(tg_tensor_dtype(t), tg_values(plan, t), i), x = right.at[i];
        bool same = isnan(x) ? isnan(got) : isinf(x) ? got == x : fabs(got - x) <= 1e-6 * fabs(x);
        same = same && (!signs || x != 0 || !signbit(got) == !signbit(x));
        ck_assert_msg(same, "%s, case %d, %s, element %d is %g, not %g", name, (int)(e - edges), what, (int)i, got, x);
    }
}

/* The op on its inputs, and the gradients that it has; *n: how many roots. */
static void record(workbench *b, const edge *e, const char *name, tg_tensor *roots, int *places, int *n)
{
    tg_tensor inputs[CASE_INPUTS];
    int n_inputs = 0;
    for (; n_inputs < CASE_INPUTS && e->inputs[n_inputs]; n_inputs++) {
        values v = parse(e->inputs[n_inputs], tg_variables_float(b->variables));
        bool state = n_inputs == 0 && (e->op->traits & TG_EFFECT);
        inputs[n_inputs] = state ? tg_state(b->graph, "state", v.dtype, v.shape, (tg_init){TG_INIT_CONSTANT, 0, 0})
                                 : workbench_values(b, v.dtype, v.shape, v.at);
    }
    roots[0] = tg_apply(b->graph, e->op, inputs, n_inputs, e->attributes, e->attribute_bytes);
    ck_assert_msg(tg_ok(roots[0]), "%s: %s", name, tg_graph_error(b->graph));
    *n = 1;
    bool smooth = e->op->gradient && tg_dtype_is_float(tg_tensor_dtype(roots[0]));
    for (int i = 0; i < n_inputs; i++) {
        bool state = i == 0 && (e->op->traits & TG_EFFECT);
        bool wanted = smooth && !state && tg_dtype_is_float(tg_tensor_dtype(inputs[i])) && !(e->op->not_differentiable >> i & 1);
        ck_assert_msg(wanted == (e->gradients[i] != NULL), "%s, case %d, must have a gradient in input %d: %d", name,
                      (int)(e - edges), i, wanted);
        if (wanted) {
            places[*n] = i;
            roots[(*n)++] = tg_gradient(roots[0], inputs[i]);
        }
    }
    ck_assert_msg(!tg_graph_error(b->graph), "%s: %s", name, tg_graph_error(b->graph));
}

static void run_edge(const edge *e, tg_isa isa, tg_dtype dtype, bool passes)
{
    workbench b = workbench_open_on(isa, 1, dtype);
    tg_tensor roots[1 + CASE_INPUTS];
    int places[1 + CASE_INPUTS], n;
    char name[100];
    snprintf(name, sizeof name, "%s, %s, %s, passes %s", e->op->name, tg_isa_name(isa), tg_dtype_name(dtype),
             passes ? "on" : "off");
    record(&b, e, name, roots, places, &n);
    tg_compile_options options = tg_compile_defaults(b.context);
    options.simplify = options.rounds = options.fuse = passes;
    options.check_finite = false;
    tg_plan *plan = tg_compile_roots(b.graph, roots, n, options);
    ck_assert_msg(plan, "%s: %s", name, tg_graph_error(b.graph));
    ck_assert_msg(tg_run(plan) == TG_OK, "%s: %s", name, tg_plan_error(plan));
    if (e->y)
        compare(e, name, "the result", plan, roots[0], e->y);
    for (int64_t i = 0; !e->y && i < tg_shape_count(tg_tensor_shape(roots[0])); i++)
        ck_assert(isfinite(case_element(tg_tensor_dtype(roots[0]), tg_values(plan, roots[0]), i)));
    for (int k = 1; k < n; k++) {
        char what[32];
        snprintf(what, sizeof what, "the gradient in input %d", places[k]);
        compare(e, name, what, plan, roots[k], e->gradients[places[k]]);
    }
    tg_plan_free(plan);
    workbench_close(&b);
}

START_TEST(edges_are_what_the_header_says)
{
    for (int isa = 0; isa < TG_ISA_COUNT; isa++)
        for (int way = 0; tg_isa_available((tg_isa)isa) && way < 4; way++)
            run_edge(&edges[_i], (tg_isa)isa, way & 1 ? TG_F64 : TG_F32, way & 2);
}
END_TEST

int main(void)
{
    int count;
    tg_op_entries(&count);
    TCase *tests = harness_case("edges");
    tcase_add_loop_test(tests, every_op_is_tried_at_nan_infinities_and_zeros, 0, count);
    tcase_add_loop_test(tests, edges_are_what_the_header_says, 0, EDGES);
    return harness_run("edges", tests);
}
