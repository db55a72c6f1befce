/* What the generic tests of ops do not reach: rewrites, gradients at kinks and poles, integers, casts, refusals. */
#include "graph/rebuild.h"
#include "ops/op_entries.h"
#include "workbench.h"

/* ---- rewrites ---- */

/* x and z: [7] f32 inputs; the graph of what `build` records simplifies to these ops, leaves apart. */
typedef struct rewrite_case {
    const tg_op *op;
    const char *rule;
    tg_tensor (*build)(tg_tensor x, tg_tensor z);
    const char *remains;
} rewrite_case;

#define CASE(name, expression)                      \
    static tg_tensor name(tg_tensor x, tg_tensor z) \
    {                                               \
        (void)z;                                    \
        return expression;                          \
    }
CASE(add_zero, tg_add(x, tg_scalar(x, 0)))
CASE(zero_add, tg_add(tg_scalar(x, 0), x))
CASE(add_negative, tg_add(x, tg_neg(z)))
CASE(negative_add, tg_add(tg_neg(x), z))
CASE(sub_zero, tg_sub(x, tg_scalar(x, 0)))
CASE(zero_sub, tg_sub(tg_scalar(x, 0), x))
CASE(sub_negative, tg_sub(x, tg_neg(z)))
CASE(sub_constants, tg_mul(x, tg_sub(tg_scalar(x, 3), tg_scalar(x, 1.9))))
CASE(sub_huge_constants, tg_mul(x, tg_sub(tg_scalar(x, 3e38), tg_scalar(x, -3e38))))
CASE(pow_slope, tg_gradient(tg_pow(x, tg_scalar(x, 3)), x))
CASE(mul_one, tg_mul(x, tg_scalar(x, 1)))
CASE(mul_minus_one, tg_mul(tg_scalar(x, -1), x))
CASE(mul_negatives, tg_mul(tg_neg(x), tg_neg(z)))
CASE(mul_itself, tg_mul(x, x))
CASE(mul_zero, tg_mul(x, tg_scalar(x, 0)))
/* In two statements: the order in which C evaluates arguments is the compiler's. */
static tg_tensor mul_wide_one(tg_tensor x, tg_tensor z)
{
    (void)z;
    tg_tensor ones = tg_full(x, tg_tensor_shape(x), 1);
    return tg_mul(tg_sum(x, TG_ALL_AXES), ones);
}
CASE(div_one, tg_div(x, tg_scalar(x, 1)))
CASE(one_div, tg_div(tg_scalar(x, 1), x))
CASE(div_power, tg_div(x, tg_scalar(x, -8)))
CASE(div_three, tg_div(x, tg_scalar(x, 3)))
CASE(maximum_same, tg_maximum(x, x))
CASE(maximum_zero, tg_maximum(tg_scalar(x, 0), x))
CASE(minimum_same, tg_minimum(x, x))
CASE(neg_neg, tg_neg(tg_neg(x)))
CASE(neg_sub, tg_neg(tg_sub(x, z)))
CASE(abs_neg, tg_abs(tg_neg(x)))
CASE(abs_abs, tg_abs(tg_abs(x)))
CASE(where_same, tg_select(tg_less(x, z), x, x))
CASE(cast_wider, tg_cast(tg_cast(x, TG_F64), TG_F32))
CASE(cast_narrower, tg_cast(tg_cast(x, TG_I32), TG_F32))
CASE(stop, tg_stop_gradient(x))
CASE(pow_one, tg_pow(x, tg_scalar(x, 1)))
CASE(pow_two, tg_pow(x, tg_scalar(x, 2)))
CASE(pow_half, tg_pow(tg_abs(x), tg_scalar(x, 0.5)))
CASE(pow_minus_one, tg_pow(x, tg_scalar(x, -1)))
CASE(pow_three, tg_pow(x, tg_scalar(x, 3)))
CASE(square_neg, tg_square(tg_neg(x)))
CASE(square_abs, tg_square(tg_abs(x)))
CASE(cos_neg, tg_cos(tg_neg(x)))
CASE(relu_relu, tg_relu(tg_relu(x)))
CASE(lerp, tg_add(x, tg_mul(tg_sub(z, x), tg_scalar(x, 0.1))))
CASE(lerp_turned, tg_add(tg_mul(tg_scalar(x, 0.1), tg_sub(z, x)), x))
CASE(lerp_elsewhere, tg_add(z, tg_mul(tg_sub(z, x), tg_scalar(x, 0.1))))
CASE(lerp_wide, tg_add(x, tg_mul(tg_sub(z, x), z)))
CASE(step, tg_sub(x, tg_div(tg_mul(z, tg_scalar(x, 0.1)), tg_add(tg_sqrt(x), tg_scalar(x, 1e-7)))))
CASE(step_turned, tg_sub(x, tg_div(tg_mul(tg_scalar(x, 0.1), z), tg_add(tg_scalar(x, 1e-7), tg_sqrt(x)))))
static tg_tensor step_negative(tg_tensor x, tg_tensor z)
{
    tg_tensor above = tg_mul(z, tg_scalar(x, 0.1)), below = tg_add(tg_sqrt(x), tg_scalar(x, -1));
    return tg_sub(x, tg_div(above, below));
}

#define ROUNDING "x^2, x^(1/2), x^-1 -> square, sqrt, reciprocal"
#define LERP "a + (b - a) t -> lerp(a, b, t)"
#define STEP "w - m r / (sqrt(v) + e) -> adaptive_step(w, m, r, v)"
static const rewrite_case rewrite_cases[] = {
    {&tg_op_add, "x + 0 -> x", add_zero, ""},
    {&tg_op_add, "x + 0 -> x", zero_add, ""},
    {&tg_op_add, "a + (-b) -> a - b", add_negative, " sub"},
    {&tg_op_add, "a + (-b) -> a - b", negative_add, " sub"},
    {&tg_op_add, LERP, lerp, " lerp"},
    {&tg_op_add, LERP, lerp_turned, " lerp"},
    {&tg_op_add, NULL, lerp_elsewhere, " sub mul add"},
    {&tg_op_add, NULL, lerp_wide, " sub mul add"},
    {&tg_op_sub, STEP, step, " adaptive_step"},
    {&tg_op_sub, STEP, step_turned, " adaptive_step"},
    {&tg_op_sub, NULL, step_negative, " mul sqrt add div sub"},
    {&tg_op_sub, "constant - constant -> constant", sub_constants, " mul"},
    {&tg_op_sub, NULL, sub_huge_constants, " sub mul"},
    {&tg_op_sub, "x - 0 -> x", sub_zero, ""},
    {&tg_op_sub, "0 - x -> -x", zero_sub, " neg"},
    {&tg_op_sub, "a - (-b) -> a + b", sub_negative, " add"},
    {&tg_op_mul, "x 1 -> x", mul_one, ""},
    {&tg_op_mul, "x (-1) -> -x", mul_minus_one, " neg"},
    {&tg_op_mul, "(-a) (-b) -> a b", mul_negatives, " mul"},
    {&tg_op_mul, "x x -> x^2", mul_itself, " square"},
    {&tg_op_mul, NULL, mul_zero, " mul"}, /* x may not be finite */
    {&tg_op_mul, NULL, mul_wide_one, " broadcast_to sum mul"},
    {&tg_op_div, "x / 1 -> x", div_one, ""},
    {&tg_op_div, "1 / x -> reciprocal(x)", one_div, " reciprocal"},
    {&tg_op_div, "x / 2^k -> x 2^-k", div_power, " mul"},
    {&tg_op_div, NULL, div_three, " div"},
    {&tg_op_maximum, "maximum(x, x) -> x", maximum_same, ""},
    {&tg_op_maximum, "maximum(x, 0) -> relu(x)", maximum_zero, " relu"},
    {&tg_op_minimum, "minimum(x, x) -> x", minimum_same, ""},
    {&tg_op_neg, "-(-x) -> x", neg_neg, ""},
    {&tg_op_neg, "-(a - b) -> b - a", neg_sub, " sub"},
    {&tg_op_abs, "|-x| -> |x|", abs_neg, " abs"},
    {&tg_op_abs, "||x|| -> |x|", abs_abs, " abs"},
    {&tg_op_where, "c ? x : x -> x", where_same, ""},
    {&tg_op_cast, "cast(cast(x, wider)) -> cast(x)", cast_wider, ""},
    {&tg_op_cast, NULL, cast_narrower, " cast cast"},
    {&tg_op_stop_gradient, "stop_gradient(x) -> x", stop, ""},
    {&tg_op_pow, "x^1 -> x", pow_one, ""},
    {&tg_op_pow, ROUNDING, pow_two, " square"},
    {&tg_op_pow, ROUNDING, pow_half, " abs sqrt"},
    {&tg_op_pow, ROUNDING, pow_minus_one, " reciprocal"},
    {&tg_op_pow, NULL, pow_three, " pow"},
    {&tg_op_pow, ROUNDING, pow_slope, " broadcast_to square mul mul"},
    {&tg_op_square, "(-x)^2, |x|^2 -> x^2", square_neg, " square"},
    {&tg_op_square, "(-x)^2, |x|^2 -> x^2", square_abs, " square"},
    {&tg_op_cos, "cos(-x) -> cos(x)", cos_neg, " cos"},
    {&tg_op_relu, "relu(relu(x)) -> relu(x)", relu_relu, " relu"},
};
#define REWRITE_CASES ((int)(sizeof rewrite_cases / sizeof *rewrite_cases))

/* The names of a plan's nodes that are no leaves. */
static void list_ops(const tg_plan *plan, char *text)
{
    const tg_graph *graph = tg_plan_graph(plan);
    *text = '\0';
    for (int32_t id = 0; id < tg_graph_count(graph); id++) {
        const tg_op *op = tg_graph_node(graph, id)->op;
        if (!(op->traits & TG_LEAF))
            strcat(strcat(text, " "), op->name);
    }
}

static void run_case(workbench *b, const rewrite_case *c, bool simplify, float *values, char *ops)
{
    static const double first[] = {-2.5, -1, -0.0, 0.0, 0.75, 3, 1e3}, second[] = {1, -1, 0.5, -3, 0.75, 2, 7};
    tg_tensor x = workbench_values(b, TG_F32, TG_SHAPE(7), first), z = workbench_values(b, TG_F32, TG_SHAPE(7), second);
    tg_tensor y = c->build(x, z);
    tg_compile_options options = tg_compile_defaults(b->context);
    options.simplify = options.rounds = simplify;
    tg_plan *plan = tg_compile_roots(b->graph, &y, 1, options);
    ck_assert_msg(plan && !tg_run(plan) && !tg_read(plan, y, values, 7 * sizeof *values), "%s", tg_graph_error(b->graph));
    list_ops(plan, ops);
    tg_plan_free(plan);
}

START_TEST(rewrites_leave_values_as_they_are)
{
    const rewrite_case *c = &rewrite_cases[_i];
    double bound = -1;
    for (int32_t i = 0; i < c->op->n_rewrites && c->rule; i++)
        if (strcmp(c->op->rewrites[i].name, c->rule) == 0)
            bound = c->op->rewrites[i].kind < TG_ROUNDS ? 0 : c->op->rewrites[i].bound;
    ck_assert_msg(!c->rule || bound >= 0, "%s has no rule \"%s\"", c->op->name, c->rule);
    for (int isa = 0; isa < TG_ISA_COUNT; isa++) {
        if (!tg_isa_available((tg_isa)isa))
            continue;
        workbench b = workbench_open_on((tg_isa)isa, 1, TG_F32);
        char before[200], after[200];
        float plain[7], simple[7];
        run_case(&b, c, false, plain, before);
        run_case(&b, c, true, simple, after);
        ck_assert_str_eq(after, c->remains);
        for (int i = 0; i < 7; i++)
            ck_assert_msg(simple[i] == plain[i] || (isnan(simple[i]) && isnan(plain[i])) ||
                              fabs((double)simple[i] - plain[i]) <= bound * 0x1p-23 * fabs((double)plain[i]),
                          "%s, element %d: %.9g without \"%s\", %.9g with it", tg_isa_name((tg_isa)isa), i, (double)plain[i],
                          c->rule ? c->rule : "", (double)simple[i]);
        workbench_close(&b);
    }
}
END_TEST

/* A rule of these families without a case above is an error; rules that know other families are tested with those. */
START_TEST(every_rule_has_a_case)
{
    int rules = 0;
    for (int i = 0; i < REWRITE_CASES; i++) {
        const tg_op *op = rewrite_cases[i].op;
        for (int32_t r = 0; r < op->n_rewrites; r++) {
            bool found = strstr(op->rewrites[r].name, "unpool2d") != NULL;
            for (int k = 0; k < REWRITE_CASES; k++)
                found |= rewrite_cases[k].op == op && rewrite_cases[k].rule &&
                         strcmp(rewrite_cases[k].rule, op->rewrites[r].name) == 0;
            ck_assert_msg(found, "%s: no case for \"%s\"", op->name, op->rewrites[r].name);
            rules++;
        }
    }
    ck_assert_int_gt(rules, 20);
}
END_TEST

START_TEST(rewrites_of_integers_keep_their_dtype)
{
    workbench b = workbench_open(TG_F32);
    tg_tensor i = workbench_values(&b, TG_I32, TG_SHAPE(3), (const double[]){-2, 0, 5});
    workbench_expect(tg_mul(i, i), 0, 4, 0, 25);
    workbench_expect(tg_maximum(i, tg_scalar(i, 0)), 0, 0, 0, 5);
    workbench_expect(tg_sub(tg_scalar(i, 0), i), 0, 2, 0, -5);
    workbench_expect(tg_add(i, tg_neg(i)), 0, 0, 0, 0);
    ck_assert_int_eq(workbench_nodes(tg_maximum(i, tg_scalar(i, 0)), "relu", true), 0);
    workbench_close(&b);
}
END_TEST

/* ---- gradients ---- */

static tg_tensor trainable(workbench *b, const char *name, tg_shape shape, const double *values)
{
    tg_tensor x = tg_variable(b->graph, name, TG_FLOAT, shape, (tg_init){TG_INIT_CONSTANT, 0, 0});
    ck_assert(!tg_variables_write(b->variables, name, values, (size_t)tg_shape_count(shape) * sizeof *values));
    return x;
}

START_TEST(kinks_have_the_gradients_that_ops_h_gives)
{
    workbench b = workbench_open(TG_F64);
    tg_tensor x = trainable(&b, "x", TG_SHAPE(3), (const double[]){-2, 0, 2});
    tg_tensor zero = tg_mul(x, tg_scalar(x, 0)), twice = tg_add(x, x);
    workbench_expect(tg_gradient(tg_relu(x), x), 0, 0, 0, 1);
    workbench_expect(tg_gradient(tg_abs(x), x), 0, -1, 0, 1);
    workbench_expect(tg_gradient(tg_leaky_relu(x, 0.25), x), 0, 0.25, 0.25, 1);
    workbench_expect(tg_gradient(tg_elu(x, 0.5), x), 1e-15, 0.5 * exp(-2), 0.5, 1);
    workbench_expect(tg_gradient(tg_sign(x), x), 0, 0, 0, 0);
    workbench_expect(tg_gradient(tg_maximum(x, tg_stop_gradient(zero)), x), 0, 0, 0.5, 1);
    workbench_expect(tg_gradient(tg_minimum(tg_stop_gradient(zero), x), x), 0, 1, 0.5, 0);
    workbench_expect(tg_gradient(tg_maximum(x, x), x), 0, 1, 1, 1);
    workbench_expect(tg_gradient(tg_minimum(x, twice), x), 0, 2, 1.5, 1);
    workbench_close(&b);
}
END_TEST

/* a, b and what mpmath makes of them: a^b, its two first and three second derivatives. */
static const double powers[][8] = {
    {2.5, 0, 1, 0, 0.91629073187415507, 0, 0.4, 0.83958870531847473},
    {2.5, 1, 2.5, 1, 2.2907268296853877, 0, 1.9162907318741551, 2.0989717632961868},
    {2.5, 2, 6.25, 5, 5.7268170742134692, 2, 7.0814536593707753, 5.2474294082404671},
    {2.5, -1.5, 0.25298221281347035, -0.15178932768808221, 0.23180525692999799, 0.15178932768808221, -0.037890269032610657,
     0.21240100852466442},
    {0.5, 3, 0.125, 0.75, -0.086643397569993164, 3, -0.26986038541995898, 0.060056626739775178},
    {1, 0, 1, 0, 0, 0, 1, 0},
    {1, 2, 1, 2, 0, 2, 1, 0},
    {0x1p-10, 0, 1, 0, -6.931471805599453, 0, 1024, 48.045301391820142},
};

/* Of y = a^b, in both orders, where the exponent is a variable and where it is a constant that is an x of the gradient. */
START_TEST(pow_has_its_derivatives)
{
    const double *p = powers[_i % (int)(sizeof powers / sizeof *powers)];
    bool constant = _i >= (int)(sizeof powers / sizeof *powers);
    workbench b = workbench_open(TG_F64);
    tg_tensor base = trainable(&b, "a", TG_SCALAR, &p[0]);
    tg_tensor exponent = constant ? tg_scalar(base, p[1]) : trainable(&b, "b", TG_SCALAR, &p[1]);
    tg_tensor y = tg_pow(base, exponent), da = tg_gradient(y, base), db = tg_gradient(y, exponent);
    workbench_expect(y, 1e-15, p[2]);
    workbench_expect(da, 1e-15, p[3]);
    workbench_expect(db, 1e-15, p[4]);
    workbench_expect(tg_gradient(da, base), 1e-14, p[5]);
    workbench_expect(tg_gradient(da, exponent), 1e-14, p[6]);
    workbench_expect(tg_gradient(db, base), 1e-14, p[6]);
    workbench_expect(tg_gradient(db, exponent), 1e-14, p[7]);
    workbench_close(&b);
}
END_TEST

/* The limits of the first derivatives at the ends of the range; NaN where there is none. */
START_TEST(pow_has_limits)
{
    const double inf = INFINITY, nan = NAN;
    const double limits[][4] = {
        {0, 0.5, inf, 0},    {0, -1, -inf, -inf}, {inf, 0, 0, inf},        {inf, 1, 1, inf},   {inf, 0.5, 0, inf},
        {inf, -1, 0, 0},     {0.5, inf, 0, 0},    {0.5, -inf, -inf, -inf}, {2, inf, inf, inf}, {2, -inf, 0, 0},
        {0, inf, 0, 0},      {inf, -inf, 0, 0},   {-2, 3, 12, nan},        {-2, 0, 0, nan},    {-2, -1, -0.25, nan},
        {-2, 0.5, nan, nan}, {nan, 0, nan, nan},  {nan, 2, nan, nan},      {2, nan, nan, nan}, {-0.0, 2, 0, 0},
    };
    workbench b = workbench_open(TG_F64);
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        tg_tensor base = workbench_values(&b, TG_F64, TG_SCALAR, &limits[i][0]);
        tg_tensor exponent = workbench_values(&b, TG_F64, TG_SHAPE(1), &limits[i][1]);
        tg_tensor gradients[2];
        ck_assert(tg_gradients(tg_pow(base, exponent), ((const tg_tensor[]){base, exponent}), 2, gradients));
        for (int k = 0; k < 2; k++) {
            double *got = workbench_eval(gradients[k]), right = limits[i][2 + k];
            ck_assert_msg(*got == right || (isnan(*got) && isnan(right)), "gradient %d of %g^%g is %g, not %g", k, limits[i][0],
                          limits[i][1], *got, right);
            free(got);
        }
    }
    workbench_close(&b);
}
END_TEST

START_TEST(pow_is_differentiable_at_zero)
{
    workbench b = workbench_open(TG_F64);
    tg_tensor a = trainable(&b, "a", TG_SHAPE(5), (const double[]){0, 0, 0, 0, 0});
    tg_tensor e = trainable(&b, "e", TG_SHAPE(5), (const double[]){0, 1, 2, 2.5, 3});
    tg_tensor y = tg_pow(a, e), da = tg_gradient(y, a), de = tg_gradient(y, e);
    workbench_expect(da, 0, 0, 1, 0, 0, 0);
    workbench_expect(de, 0, 0, 0, 0, 0, 0);
    workbench_expect(tg_gradient(da, a), 0, 0, 0, 2, 0, 0);
    for (int k = 0; k < 4; k++) {
        const double first[] = {0, 1, 0, 0}, second[] = {0, 0, 2, 0};
        tg_tensor d = tg_gradient(tg_pow(a, tg_scalar(a, k)), a);
        workbench_expect(d, 0, first[k], first[k], first[k], first[k], first[k]);
        workbench_expect(tg_gradient(d, a), 0, second[k], second[k], second[k], second[k], second[k]);
    }
    tg_tensor negative = trainable(&b, "negative", TG_SHAPE(2), (const double[]){-3, -0.5});
    workbench_expect(tg_gradient(tg_pow(negative, tg_scalar(negative, 3)), negative), 1e-14, 27, 0.75);
    workbench_close(&b);
}
END_TEST

START_TEST(choice_routes_gradients)
{
    workbench b = workbench_open(TG_F64);
    tg_tensor x = trainable(&b, "x", TG_SHAPE(2), (const double[]){1, 2}),
              y = trainable(&b, "y", TG_SHAPE(1), (const double[]){5});
    tg_tensor c = workbench_values(&b, TG_U8, TG_SHAPE(2), (const double[]){0, 200});
    tg_tensor gradients[2], chosen = tg_select(c, tg_square(x), tg_mul(y, x));
    ck_assert(tg_gradients(chosen, ((const tg_tensor[]){x, y}), 2, gradients));
    workbench_expect(gradients[0], 0, 5, 4);
    workbench_expect(gradients[1], 0, 1);
    workbench_close(&b);
}
END_TEST

/* ---- casts and cuts ---- */

START_TEST(casts_between_floats_pass_gradients)
{
    workbench b = workbench_open(TG_F64);
    tg_tensor x = trainable(&b, "x", TG_SHAPE(2), (const double[]){0.1, 3});
    tg_tensor single = tg_cast(x, TG_F32), gradient = tg_gradient(tg_square(single), x);
    ck_assert_int_eq(tg_tensor_dtype(single), TG_F32);
    ck_assert_int_eq(tg_tensor_dtype(gradient), TG_F64);
    workbench_expect(gradient, 0, 2 * 0.1f, 6);
    ck_assert_int_eq(tg_cast(x, TG_F64).id, x.id);
    ck_assert_int_eq(tg_cast(x, TG_FLOAT).id, x.id);
    ck_assert_int_eq(tg_tensor_dtype(tg_cast(single, TG_FLOAT)), TG_F64);
    workbench_close(&b);
}
END_TEST

START_TEST(cuts_are_named)
{
    workbench b = workbench_open(TG_F64);
    tg_tensor x = trainable(&b, "x", TG_SHAPE(2), (const double[]){0.1, 3});
    workbench_expect_error(&b, tg_gradient(tg_stop_gradient(x), x), "stop_gradient");
    x = trainable(&b, "x", TG_SHAPE(2), (const double[]){0.1, 3});
    workbench_expect_error(&b, tg_gradient(tg_cast(tg_cast(x, TG_I32), TG_FLOAT), x), "cast");
    x = trainable(&b, "x", TG_SHAPE(2), (const double[]){0.1, 3});
    workbench_expect_error(&b, tg_gradient(tg_cast(tg_less(x, tg_scalar(x, 1)), TG_FLOAT), x), "less");
    workbench_close(&b);
}
END_TEST

/* ---- refusals ---- */

START_TEST(mistakes_are_explained)
{
    workbench b = workbench_open(TG_F32);
#define X workbench_random(&b, TG_F32, TG_SHAPE(3), 0, 1, 1)
#define BYTES workbench_random(&b, TG_U8, TG_SHAPE(3), 0, 9, 2)
#define WHOLE workbench_random(&b, TG_I32, TG_SHAPE(3), 0, 9, 3)
    workbench_expect_error(&b, tg_leaky_relu(X, -0.1), "the slope -0.1 must be finite and not negative");
    workbench_expect_error(&b, tg_leaky_relu(X, INFINITY), "the slope inf");
    workbench_expect_error(&b, tg_elu(X, NAN), "alpha");
    workbench_expect_error(&b, tg_add(BYTES, BYTES), "operand 0 is u8, which has no arithmetic: cast it");
    workbench_expect_error(&b, tg_exp(WHOLE), "operand 0 is i32, not a float: cast it");
    workbench_expect_error(&b, tg_div(WHOLE, WHOLE), "not a float");
    workbench_expect_error(&b, tg_add(X, WHOLE), "the operands have the dtypes f32 and i32: cast one of them");
    workbench_expect_error(&b, tg_equal(BYTES, WHOLE), "the operands have the dtypes u8 and i32");
    workbench_expect_error(&b, tg_select(X, X, X), "the condition is f32, not u8");
    workbench_expect_error(&b, tg_select(BYTES, X, WHOLE), "the operands have the dtypes f32 and i32");
    workbench_expect_error(&b, tg_cast(X, (tg_dtype)9), "dtype 9 does not exist");
    workbench_expect_error(&b, tg_mul(X, workbench_random(&b, TG_F32, TG_SHAPE(2), 0, 1, 4)), "the shapes do not broadcast");
    workbench_close(&b);
}
END_TEST

START_TEST(attributes_are_described)
{
    char text[64];
    tg_op_leaky_relu.describe(&(double){0.25}, text, sizeof text);
    ck_assert_str_eq(text, "slope 0.25");
    tg_op_elu.describe(&(double){1}, text, sizeof text);
    ck_assert_str_eq(text, "alpha 1");
    tg_op_cast.describe(&(int32_t){TG_I32}, text, sizeof text);
    ck_assert_str_eq(text, "to i32");
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("pointwise");
    tcase_add_loop_test(tests, rewrites_leave_values_as_they_are, 0, REWRITE_CASES);
    tcase_add_test(tests, every_rule_has_a_case);
    tcase_add_test(tests, rewrites_of_integers_keep_their_dtype);
    tcase_add_test(tests, kinks_have_the_gradients_that_ops_h_gives);
    tcase_add_loop_test(tests, pow_has_its_derivatives, 0, 2 * (int)(sizeof powers / sizeof *powers));
    tcase_add_test(tests, pow_has_limits);
    tcase_add_test(tests, pow_is_differentiable_at_zero);
    tcase_add_test(tests, choice_routes_gradients);
    tcase_add_test(tests, casts_between_floats_pass_gradients);
    tcase_add_test(tests, cuts_are_named);
    tcase_add_test(tests, mistakes_are_explained);
    tcase_add_test(tests, attributes_are_described);
    return harness_run("pointwise", tests);
}
