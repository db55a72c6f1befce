#include <math.h>
#include <stdio.h>
#include <string.h>

#include "exec/plan.h"
#include "graph/rebuild.h"
#include "harness.h"
#include "ops/ops.h"
#include "train/optimizers.h"

/* The problem: weights w [3] and b [], loss = sum(c w^2) / 2 + (b - 2)^2, so that the gradients are c w and 2 (b - 2). */
enum { STEPS = 12, WEIGHTS = 4 };
static const double curvature[3] = {1, 10, 0.01}, start[WEIGHTS] = {1, -2, 3, 0.5};

static tg_context *context;
static tg_variables *variables;

static void setup(void)
{
    context = harness_context(2);
    variables = tg_variables_new(context, 1);
}

static void teardown(void)
{
    tg_variables_free(variables);
    tg_context_free(context);
}

/* ---- the rules, plainly ---- */

typedef struct moments {
    double m, v;
} moments;

static double plain_rule(const tg_optimizer *o, double rate, int t, double w, double g, moments *s)
{
    w -= rate * o->weight_decay * w;
    switch (o->kind) {
    case TG_OPTIMIZER_SGD: return w - rate * g;
    case TG_OPTIMIZER_MOMENTUM: s->m = o->momentum * s->m - rate * g; return w + s->m;
    case TG_OPTIMIZER_NESTEROV: s->m = o->momentum * s->m - rate * g; return w + o->momentum * s->m - rate * g;
    case TG_OPTIMIZER_RMSPROP: s->v = o->rho * s->v + (1 - o->rho) * g * g; return w - rate * g / sqrt(s->v + o->epsilon);
    default:
        s->m += (1 - o->beta_1) * (g - s->m);
        s->v += (1 - o->beta_2) * (g * g - s->v);
        return w - rate * sqrt(1 - pow(o->beta_2, t)) / (1 - pow(o->beta_1, t)) * s->m / (sqrt(s->v) + o->epsilon);
    }
}

static void plain_steps(const tg_optimizer *o, double w[WEIGHTS])
{
    moments s[WEIGHTS] = {{0, 0}};
    memcpy(w, start, sizeof start);
    for (int t = 1; t <= STEPS; t++) {
        double g[WEIGHTS] = {curvature[0] * w[0], curvature[1] * w[1], curvature[2] * w[2], 2 * (w[3] - 2)}, squares = 0;
        for (int i = 0; i < WEIGHTS; i++)
            squares += g[i] * g[i];
        double factor = o->clip_norm > 0 && sqrt(squares) > o->clip_norm ? o->clip_norm / sqrt(squares) : 1;
        for (int i = 0; i < WEIGHTS; i++)
            w[i] = plain_rule(o, o->learning_rate, t, w[i], g[i] * factor, &s[i]);
    }
}

/* ---- the same on the tape ---- */

static tg_tensor problem(tg_graph *graph)
{
    tg_tensor w = tg_variable(graph, "w", TG_FLOAT, TG_SHAPE(3), (tg_init){TG_INIT_CONSTANT, 0, 0});
    tg_tensor b = tg_variable(graph, "b", TG_FLOAT, TG_SCALAR, (tg_init){TG_INIT_CONSTANT, 0.5, 0});
    tg_tensor c = tg_cast(tg_constant(graph, TG_F64, TG_SHAPE(3), curvature, sizeof curvature), TG_FLOAT);
    tg_tensor half = tg_mul(tg_sum(tg_mul(c, tg_square(w)), TG_ALL_AXES), tg_scalar(w, 0.5));
    return tg_add(half, tg_square(tg_sub(b, tg_scalar(b, 2))));
}

static void write_start(tg_variables *store)
{
    float single[3] = {(float)start[0], (float)start[1], (float)start[2]};
    bool wide = tg_variables_float(store) == TG_F64;
    ck_assert_int_eq(
        tg_variables_write(store, "w", wide ? (const void *)start : single, wide ? 3 * sizeof(double) : sizeof single), TG_OK);
}

static double weight_at(const tg_variables *store, int i)
{
    const void *data = tg_variable_data(tg_variables_find(store, i < 3 ? "w" : "b"));
    int at = i < 3 ? i : 0;
    return tg_variables_float(store) == TG_F64 ? ((const double *)data)[at] : (double)((const float *)data)[at];
}

static void assert_same_weights(const tg_variables *store, const double expected[WEIGHTS], double tolerance)
{
    for (int i = 0; i < WEIGHTS; i++)
        ck_assert_double_eq_tol(weight_at(store, i), expected[i], tolerance * fmax(1, fabs(expected[i])));
}

/* STEPS steps on a store of the given float; `rate_input`: the rate is fed. */
static tg_variables *tape_steps(tg_optimizer optimizer, tg_dtype working, bool rate_input)
{
    tg_variables *store = tg_variables_cast(variables, working);
    tg_graph *graph = tg_graph_new(store, TG_TRAINING);
    tg_tensor loss = problem(graph);
    double rate = optimizer.learning_rate;
    if (rate_input) {
        optimizer.rate = tg_input(graph, "rate", TG_F64, TG_SCALAR);
        optimizer.learning_rate = 0;
    }
    write_start(store);
    ck_assert_msg(tg_minimize(loss, optimizer), "%s", tg_graph_error(graph));
    tg_plan *plan = tg_compile(graph, loss);
    ck_assert_msg(plan != NULL, "%s", tg_graph_error(graph));
    if (rate_input)
        ck_assert_int_eq(tg_feed(plan, optimizer.rate, &rate, sizeof rate), TG_OK);
    for (int t = 0; t < STEPS; t++)
        ck_assert_msg(tg_run(plan) == TG_OK, "%s", tg_plan_error(plan));
    tg_plan_free(plan);
    tg_graph_free(graph);
    return store;
}

static void compare(tg_optimizer optimizer, tg_dtype working, double tolerance, bool rate_input)
{
    double expected[WEIGHTS];
    plain_steps(&optimizer, expected);
    tg_variables *store = tape_steps(optimizer, working, rate_input);
    assert_same_weights(store, expected, tolerance);
    tg_variables_free(store);
}

START_TEST(every_rule_is_keras_s)
{
    tg_optimizer optimizer = tg_optimizer_defaults((tg_optimizer_kind)_i);
    optimizer.learning_rate = 0.05;
    compare(optimizer, TG_F64, 1e-13, false);
    compare(optimizer, TG_F32, 2e-6, false);
}
END_TEST

START_TEST(weight_decay_is_decoupled)
{
    tg_optimizer optimizer = tg_optimizer_defaults((tg_optimizer_kind)_i);
    optimizer.learning_rate = 0.05;
    optimizer.weight_decay = 0.3;
    compare(optimizer, TG_F64, 1e-13, false);
}
END_TEST

START_TEST(gradients_are_clipped_together)
{
    tg_optimizer optimizer = tg_optimizer_defaults((tg_optimizer_kind)_i);
    optimizer.learning_rate = 0.05;
    optimizer.clip_norm = 4; /* above some steps' norms, below others' */
    compare(optimizer, TG_F64, 1e-13, false);
}
END_TEST

START_TEST(the_rate_may_be_an_input)
{
    tg_optimizer optimizer = tg_optimizer_defaults((tg_optimizer_kind)_i);
    optimizer.learning_rate = 0.03;
    optimizer.weight_decay = 0.1;
    compare(optimizer, TG_F64, 1e-13, true);
    compare(optimizer, TG_F32, 2e-6, true);
}
END_TEST

START_TEST(a_clip_above_the_norm_changes_no_bit)
{
    tg_optimizer optimizer = tg_adam_defaults();
    tg_variables *free_store = tape_steps(optimizer, TG_F32, false);
    optimizer.clip_norm = 1e6;
    tg_variables *clipped = tape_steps(optimizer, TG_F32, false);
    for (int i = 0; i < WEIGHTS; i++)
        ck_assert_double_eq(weight_at(free_store, i), weight_at(clipped, i));
    tg_variables_free(free_store);
    tg_variables_free(clipped);
}
END_TEST

START_TEST(states_are_named_and_not_trainable)
{
    tg_variables *store = tape_steps(tg_adam_defaults(), TG_F32, false);
    const tg_variable_info *m = tg_variables_find(store, "adam/w/momentum"), *v = tg_variables_find(store, "adam/b/velocity");
    const tg_variable_info *t = tg_variables_find(store, "adam/iterations");
    ck_assert(m && v && t);
    ck_assert(!m->trainable && !v->trainable && !t->trainable);
    ck_assert(tg_shape_equal(m->type.shape, TG_SHAPE(3)) && v->type.shape.rank == 0);
    ck_assert_int_eq(t->type.dtype, TG_F64);
    ck_assert_double_eq(*(const double *)tg_variable_data(t), STEPS);
    tg_variables_free(store);
}
END_TEST

START_TEST(defaults_are_keras_s)
{
    tg_optimizer adam = tg_adam_defaults(), sgd = tg_sgd_defaults();
    ck_assert(adam.learning_rate == 0.001 && adam.beta_1 == 0.9 && adam.beta_2 == 0.999 && adam.epsilon == 1e-7 &&
              adam.weight_decay == 0);
    ck_assert(sgd.learning_rate == 0.01 && sgd.momentum == 0 && sgd.clip_norm == 0);
    ck_assert(tg_rmsprop_defaults().rho == 0.9 && tg_adamw_defaults().weight_decay == 0.004);
    ck_assert(tg_momentum_defaults().momentum == 0.9 && tg_nesterov_defaults().momentum == 0.9);
    for (int kind = 0; kind < TG_OPTIMIZER_COUNT; kind++) {
        ck_assert_int_eq(tg_optimizer_find(tg_optimizer_name((tg_optimizer_kind)kind)), kind);
        ck_assert_int_eq(tg_optimizer_defaults((tg_optimizer_kind)kind).kind, kind);
    }
    ck_assert_int_eq(tg_optimizer_find("adamax"), TG_OPTIMIZER_COUNT);
    ck_assert_ptr_null(tg_optimizer_name(TG_OPTIMIZER_COUNT));
}
END_TEST

static void assert_refused(tg_graph *graph, tg_tensor loss, tg_optimizer optimizer, const char *part)
{
    ck_assert(!tg_minimize(loss, optimizer));
    ck_assert_msg(strstr(tg_graph_error(graph), part) != NULL, "\"%s\" lacks \"%s\"", tg_graph_error(graph), part);
    ck_assert_ptr_nonnull(strstr(tg_graph_error(graph), "test_optimizers.c:"));
    tg_graph_free(graph);
}

START_TEST(a_kind_that_does_not_exist_is_told)
{
    static const int kinds[] = {TG_OPTIMIZER_COUNT, -1, 1000};
    for (int i = 0; i < 3; i++) {
        char part[64];
        tg_graph *graph = tg_graph_new(variables, TG_TRAINING);
        tg_tensor w = tg_variable(graph, "w", TG_FLOAT, TG_SCALAR, (tg_init){TG_INIT_CONSTANT, 0, 0});
        snprintf(part, sizeof part, "minimize: there is no optimizer of kind %d", kinds[i]);
        assert_refused(graph, tg_square(w), tg_optimizer_defaults((tg_optimizer_kind)kinds[i]), part);
    }
    ck_assert_int_eq(tg_optimizer_find("lion"), TG_OPTIMIZER_COUNT);
}
END_TEST

START_TEST(a_layer_left_open_is_told)
{
    tg_graph *graph = tg_graph_new(variables, TG_TRAINING);
    tg_layer_begin(graph, "Dense", NULL, false);
    tg_tensor w = tg_variable(graph, "w", TG_FLOAT, TG_SCALAR, (tg_init){TG_INIT_CONSTANT, 0, 0});
    tg_layer_end(tg_none());
    assert_refused(graph, tg_square(w), tg_adam_defaults(), "layer \"dense\" is still open");
}
END_TEST

START_TEST(a_loss_must_be_a_scalar)
{
    tg_graph *graph = tg_graph_new(variables, TG_TRAINING);
    tg_tensor w = tg_variable(graph, "w", TG_FLOAT, TG_SHAPE(3), (tg_init){TG_INIT_CONSTANT, 0, 0});
    assert_refused(graph, tg_square(w), tg_adam_defaults(), "minimize: the loss must be a scalar, not [3]: take its mean");
}
END_TEST

START_TEST(there_must_be_something_to_train)
{
    tg_graph *graph = tg_graph_new(variables, TG_TRAINING);
    tg_tensor x = tg_input(graph, "x", TG_FLOAT, TG_SCALAR);
    assert_refused(graph, tg_square(x), tg_adam_defaults(), "minimize: the graph has no trainable variable");
}
END_TEST

START_TEST(a_variable_that_no_gradient_reaches_is_told)
{
    tg_graph *graph = tg_graph_new(variables, TG_TRAINING);
    tg_tensor w = tg_variable(graph, "w", TG_FLOAT, TG_SCALAR, (tg_init){TG_INIT_CONSTANT, 0, 0});
    tg_tensor u = tg_variable(graph, "unreached", TG_FLOAT, TG_SCALAR, (tg_init){TG_INIT_CONSTANT, 0, 0});
    (void)u;
    assert_refused(graph, tg_square(w), tg_adam_defaults(), "unreached");
}
END_TEST

START_TEST(settings_out_of_range_are_told)
{
    static const struct {
        size_t offset;
        double value;
        const char *part;
    } cases[] = {
        {offsetof(tg_optimizer, learning_rate), -1, "learning_rate must be 0 or more and less than inf, not -1"},
        {offsetof(tg_optimizer, learning_rate), NAN, "learning_rate must be"},
        {offsetof(tg_optimizer, learning_rate), INFINITY, "learning_rate must be"},
        {offsetof(tg_optimizer, beta_1), 1, "beta_1 must be 0 or more and less than 1, not 1"},
        {offsetof(tg_optimizer, beta_2), 1.5, "beta_2 must be"},
        {offsetof(tg_optimizer, epsilon), -1e-9, "epsilon must be"},
        {offsetof(tg_optimizer, weight_decay), -0.1, "weight_decay must be"},
        {offsetof(tg_optimizer, clip_norm), -1, "clip_norm must be"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tg_graph *graph = tg_graph_new(variables, TG_TRAINING);
        tg_optimizer optimizer = tg_adam_defaults();
        memcpy((char *)&optimizer + cases[i].offset, &cases[i].value, sizeof(double));
        assert_refused(graph, problem(graph), optimizer, cases[i].part);
    }
    tg_graph *graph = tg_graph_new(variables, TG_TRAINING);
    tg_optimizer optimizer = tg_adam_defaults();
    tg_tensor loss = problem(graph);
    optimizer.rate = tg_input(graph, "rate", TG_F64, TG_SHAPE(2));
    assert_refused(graph, loss, optimizer, "minimize: the rate must be a float scalar of the loss's graph");
    graph = tg_graph_new(variables, TG_TRAINING);
    optimizer = tg_adam_defaults();
    optimizer.kind = TG_OPTIMIZER_COUNT;
    assert_refused(graph, problem(graph), optimizer, "minimize: there is no optimizer of kind 6");
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("optimizers");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_loop_test(tests, every_rule_is_keras_s, 0, TG_OPTIMIZER_COUNT);
    tcase_add_loop_test(tests, weight_decay_is_decoupled, 0, TG_OPTIMIZER_COUNT);
    tcase_add_loop_test(tests, gradients_are_clipped_together, 0, TG_OPTIMIZER_COUNT);
    tcase_add_loop_test(tests, the_rate_may_be_an_input, 0, TG_OPTIMIZER_COUNT);
    tcase_add_test(tests, a_clip_above_the_norm_changes_no_bit);
    tcase_add_test(tests, states_are_named_and_not_trainable);
    tcase_add_test(tests, defaults_are_keras_s);
    tcase_add_test(tests, a_kind_that_does_not_exist_is_told);
    tcase_add_test(tests, a_layer_left_open_is_told);
    tcase_add_test(tests, a_loss_must_be_a_scalar);
    tcase_add_test(tests, there_must_be_something_to_train);
    tcase_add_test(tests, a_variable_that_no_gradient_reaches_is_told);
    tcase_add_test(tests, settings_out_of_range_are_told);
    return harness_run("optimizers", tests);
}
