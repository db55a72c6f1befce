#include "train/optimizers.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "autodiff/autodiff.h"
#include "graph/rebuild.h"
#include "ops/ops.h"

#define MAX_NAME 400

/* One call of tg_minimize(): what every variable's update needs. */
typedef struct update {
    tg_where where;
    tg_graph *graph;
    const tg_optimizer *optimizer;
    tg_tensor rate;  /* what the step is multiplied by: the learning rate, with Adam's corrections folded in */
    tg_tensor decay; /* 1 - learning rate x weight decay, or none */
} update;

typedef struct kind_info {
    const char *name, *layer;
    /* Records one variable's update and returns its new value. w is already decayed. */
    tg_tensor (*rule)(const update *u, const char *name, tg_tensor w, tg_tensor g);
    tg_optimizer defaults;
} kind_info;

/* ---- one variable's update; `name` is the variable's ---- */

static tg_tensor add(const update *u, tg_tensor a, tg_tensor b) { return tg_add_at(u->where, a, b); }
static tg_tensor sub(const update *u, tg_tensor a, tg_tensor b) { return tg_sub_at(u->where, a, b); }
static tg_tensor mul(const update *u, tg_tensor a, tg_tensor b) { return tg_mul_at(u->where, a, b); }
static tg_tensor quotient(const update *u, tg_tensor a, tg_tensor b) { return tg_div_at(u->where, a, b); }
static tg_tensor scaled(const update *u, tg_tensor a, double factor) { return mul(u, a, tg_scalar_at(u->where, a, factor)); }
static tg_tensor shifted(const update *u, tg_tensor a, double term) { return add(u, a, tg_scalar_at(u->where, a, term)); }

/* The state "<optimizer>/<variable>/<what>", of w's type and 0 at first. */
static tg_tensor moment(const update *u, const char *name, const char *what, tg_tensor w)
{
    char full[MAX_NAME];
    if (snprintf(full, sizeof full, "%s/%s", name, what) >= (int)sizeof full)
        return tg_graph_fail(u->graph, u->where, "minimize: the name of variable \"%.40s...\" is too long", name);
    tg_type type = tg_tensor_type(w);
    return tg_state_at(u->where, u->graph, full, type.dtype, type.shape, (tg_init){TG_INIT_CONSTANT, 0, 0});
}

/* old + (value - old) share, assigned to `old`. */
static tg_tensor approach(const update *u, tg_tensor old, tg_tensor value, double share)
{
    return tg_assign_at(u->where, old, add(u, old, scaled(u, sub(u, value, old), share)));
}

static tg_tensor sgd_rule(const update *u, const char *name, tg_tensor w, tg_tensor g)
{
    (void)name;
    return sub(u, w, mul(u, g, u->rate));
}

/* v' = momentum v - r g, assigned. */
static tg_tensor new_velocity(const update *u, const char *name, tg_tensor w, tg_tensor step)
{
    tg_tensor v = moment(u, name, "momentum", w);
    return tg_assign_at(u->where, v, sub(u, scaled(u, v, u->optimizer->momentum), step));
}

static tg_tensor momentum_rule(const update *u, const char *name, tg_tensor w, tg_tensor g)
{
    return add(u, w, new_velocity(u, name, w, mul(u, g, u->rate)));
}

static tg_tensor nesterov_rule(const update *u, const char *name, tg_tensor w, tg_tensor g)
{
    tg_tensor step = mul(u, g, u->rate);
    tg_tensor v = new_velocity(u, name, w, step);
    return add(u, w, sub(u, scaled(u, v, u->optimizer->momentum), step));
}

static tg_tensor rmsprop_rule(const update *u, const char *name, tg_tensor w, tg_tensor g)
{
    const tg_optimizer *o = u->optimizer;
    tg_tensor old = moment(u, name, "velocity", w);
    tg_tensor v = add(u, scaled(u, old, o->rho), scaled(u, tg_square_at(u->where, g), 1 - o->rho));
    v = tg_assign_at(u->where, old, v);
    return sub(u, w, quotient(u, mul(u, g, u->rate), tg_sqrt_at(u->where, shifted(u, v, o->epsilon))));
}

static tg_tensor adam_rule(const update *u, const char *name, tg_tensor w, tg_tensor g)
{
    const tg_optimizer *o = u->optimizer;
    tg_tensor m = approach(u, moment(u, name, "momentum", w), g, 1 - o->beta_1);
    tg_tensor v = approach(u, moment(u, name, "velocity", w), tg_square_at(u->where, g), 1 - o->beta_2);
    return sub(u, w, quotient(u, mul(u, m, u->rate), shifted(u, tg_sqrt_at(u->where, v), o->epsilon)));
}

/* ---- settings ---- */

#define NO_RATE  \
    {            \
        NULL, -1 \
    }

static const kind_info kinds[TG_OPTIMIZER_COUNT] = {
    [TG_OPTIMIZER_SGD] = {"sgd", "SGD", sgd_rule, {.kind = TG_OPTIMIZER_SGD, .learning_rate = 0.01, .rate = NO_RATE}},
    [TG_OPTIMIZER_MOMENTUM] = {"momentum",
                               "SGD",
                               momentum_rule,
                               {.kind = TG_OPTIMIZER_MOMENTUM, .learning_rate = 0.01, .rate = NO_RATE, .momentum = 0.9}},
    [TG_OPTIMIZER_NESTEROV] = {"nesterov",
                               "SGD",
                               nesterov_rule,
                               {.kind = TG_OPTIMIZER_NESTEROV, .learning_rate = 0.01, .rate = NO_RATE, .momentum = 0.9}},
    [TG_OPTIMIZER_RMSPROP] =
        {"rmsprop",
         "RMSprop",
         rmsprop_rule,
         {.kind = TG_OPTIMIZER_RMSPROP, .learning_rate = 0.001, .rate = NO_RATE, .rho = 0.9, .epsilon = 1e-7}},
    [TG_OPTIMIZER_ADAM] =
        {"adam",
         "Adam",
         adam_rule,
         {.kind = TG_OPTIMIZER_ADAM, .learning_rate = 0.001, .rate = NO_RATE, .beta_1 = 0.9, .beta_2 = 0.999, .epsilon = 1e-7}},
    [TG_OPTIMIZER_ADAMW] = {"adamw",
                            "AdamW",
                            adam_rule,
                            {.kind = TG_OPTIMIZER_ADAMW,
                             .learning_rate = 0.001,
                             .rate = NO_RATE,
                             .beta_1 = 0.9,
                             .beta_2 = 0.999,
                             .epsilon = 1e-7,
                             .weight_decay = 0.004}},
};

tg_optimizer tg_optimizer_defaults(tg_optimizer_kind kind)
{
    return (unsigned)kind < TG_OPTIMIZER_COUNT ? kinds[kind].defaults : (tg_optimizer){.kind = kind, .rate = NO_RATE};
}

tg_optimizer tg_sgd_defaults(void) { return kinds[TG_OPTIMIZER_SGD].defaults; }
tg_optimizer tg_momentum_defaults(void) { return kinds[TG_OPTIMIZER_MOMENTUM].defaults; }
tg_optimizer tg_nesterov_defaults(void) { return kinds[TG_OPTIMIZER_NESTEROV].defaults; }
tg_optimizer tg_rmsprop_defaults(void) { return kinds[TG_OPTIMIZER_RMSPROP].defaults; }
tg_optimizer tg_adam_defaults(void) { return kinds[TG_OPTIMIZER_ADAM].defaults; }
tg_optimizer tg_adamw_defaults(void) { return kinds[TG_OPTIMIZER_ADAMW].defaults; }

const char *tg_optimizer_name(tg_optimizer_kind kind) { return (unsigned)kind < TG_OPTIMIZER_COUNT ? kinds[kind].name : NULL; }

tg_optimizer_kind tg_optimizer_find(const char *name)
{
    int kind = 0;
    while (kind < TG_OPTIMIZER_COUNT && strcmp(kinds[kind].name, name) != 0)
        kind++;
    return (tg_optimizer_kind)kind;
}

static bool check_settings(tg_graph *graph, tg_where where, const tg_optimizer *o)
{
    const struct {
        const char *name;
        double value, below;
    } settings[] = {
        {"learning_rate", o->learning_rate, INFINITY},
        {"momentum", o->momentum, 1},
        {"rho", o->rho, 1},
        {"beta_1", o->beta_1, 1},
        {"beta_2", o->beta_2, 1},
        {"epsilon", o->epsilon, INFINITY},
        {"weight_decay", o->weight_decay, INFINITY},
        {"clip_norm", o->clip_norm, INFINITY},
    };
    if (!tg_optimizer_name(o->kind)) {
        tg_graph_fail(graph, where, "minimize: there is no optimizer of kind %d", (int)o->kind);
        return false;
    }
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        if (!(settings[i].value >= 0 && settings[i].value < settings[i].below)) {
            tg_graph_fail(graph, where, "minimize: %s must be 0 or more and less than %g, not %g", settings[i].name,
                          settings[i].below, settings[i].value);
            return false;
        }
    }
    tg_type rate = tg_tensor_type(o->rate);
    if (o->rate.graph && (o->rate.graph != graph || rate.shape.rank != 0 || !tg_dtype_is_float(rate.dtype))) {
        tg_graph_fail(graph, where, "minimize: the rate must be a float scalar of the loss's graph");
        return false;
    }
    return true;
}

/* ---- what all variables share ---- */

/* Adam's sqrt(1 - beta_2^t) / (1 - beta_1^t) at this step, in f64, counting it in "iterations". */
static tg_tensor adam_correction(const update *u)
{
    const tg_optimizer *o = u->optimizer;
    tg_tensor before = tg_state_at(u->where, u->graph, "iterations", TG_F64, TG_SCALAR, (tg_init){TG_INIT_CONSTANT, 0, 0});
    tg_tensor t = tg_assign_at(u->where, before, shifted(u, before, 1));
    tg_tensor one = tg_scalar_at(u->where, t, 1);
    tg_tensor first = sub(u, one, tg_pow_at(u->where, tg_scalar_at(u->where, t, o->beta_1), t));
    tg_tensor second = sub(u, one, tg_pow_at(u->where, tg_scalar_at(u->where, t, o->beta_2), t));
    return quotient(u, tg_sqrt_at(u->where, second), first);
}

/* The scalars are worked out in f64 and rounded once: beta^t in f32 would cost 1e-5 of the first steps. */
static void prepare_rate(update *u)
{
    const tg_optimizer *o = u->optimizer;
    tg_tensor rate = o->rate.graph ? tg_cast_at(u->where, o->rate, TG_F64)
                                   : tg_constant_at(u->where, u->graph, TG_F64, TG_SCALAR, &o->learning_rate, sizeof(double));
    if (o->weight_decay > 0) {
        tg_tensor share = scaled(u, rate, o->weight_decay);
        u->decay = tg_cast_at(u->where, sub(u, tg_scalar_at(u->where, share, 1), share), TG_FLOAT);
    }
    if (kinds[o->kind].rule == adam_rule)
        rate = mul(u, rate, adam_correction(u));
    u->rate = tg_cast_at(u->where, rate, TG_FLOAT);
}

/* The factor clip_norm / max(norm, clip_norm), which is exactly 1 where nothing is to be clipped. */
static tg_tensor clip_factor(const update *u, const tg_tensor *gradients, int n)
{
    tg_tensor total = tg_none();
    for (int i = 0; i < n; i++) {
        tg_tensor squares = tg_sum_at(u->where, tg_square_at(u->where, gradients[i]), TG_ALL_AXES);
        total = i == 0 ? squares : add(u, total, squares);
    }
    tg_tensor limit = tg_scalar_at(u->where, total, u->optimizer->clip_norm);
    return quotient(u, limit, tg_maximum_at(u->where, tg_sqrt_at(u->where, total), limit));
}

static void record_updates(update *u, const tg_tensor *weights, const tg_tensor *gradients, int n)
{
    const kind_info *kind = &kinds[u->optimizer->kind];
    tg_layer_begin_at(u->where, u->graph, kind->layer, kind->name, false);
    prepare_rate(u);
    tg_tensor factor = u->optimizer->clip_norm > 0 ? clip_factor(u, gradients, n) : tg_none();
    tg_tensor last = tg_none();
    for (int i = 0; i < n && tg_ok(weights[i]); i++) {
        const char *name = tg_node_variable(u->graph, tg_tensor_node(weights[i]))->name;
        tg_tensor g = factor.graph ? mul(u, gradients[i], factor) : gradients[i];
        tg_tensor w = u->decay.graph ? mul(u, weights[i], u->decay) : weights[i];
        last = tg_assign_at(u->where, weights[i], kind->rule(u, name, w, g));
    }
    tg_layer_end((tg_tensor){u->graph, last.id});
}

/* The trainable variables that the graph has read so far, at most `capacity` of them into `found`; their number. */
static int trainable_variables(tg_graph *graph, tg_tensor *found, int capacity)
{
    int n = 0;
    for (int32_t id = 0; id < tg_graph_count(graph); id++) {
        const tg_variable_info *info = tg_node_variable(graph, tg_graph_node(graph, id));
        if (!info || !info->trainable)
            continue;
        if (n < capacity)
            found[n] = (tg_tensor){graph, id};
        n++;
    }
    return n;
}

bool tg_minimize_at(tg_where where, tg_tensor loss, tg_optimizer optimizer)
{
    if (!tg_ok(loss) || !tg_graph_expect_closed(loss.graph))
        return false;
    tg_graph *graph = loss.graph;
    char text[128];
    if (tg_tensor_shape(loss).rank != 0) {
        tg_graph_fail(graph, where, "minimize: the loss must be a scalar, not %s: take its mean",
                      tg_shape_text(tg_tensor_shape(loss), text, sizeof text));
        return false;
    }
    int n = trainable_variables(graph, NULL, 0);
    if (n == 0)
        tg_graph_fail(graph, where, "minimize: the graph has no trainable variable");
    if (n == 0 || !check_settings(graph, where, &optimizer))
        return false;

    size_t bytes = (size_t)n * 2 * sizeof(tg_tensor);
    tg_tensor *weights = tg_allocate(tg_graph_context(graph), bytes);
    if (!weights) {
        tg_graph_fail(graph, where, "minimize: out of memory");
        return false;
    }
    tg_tensor *gradients = weights + n;
    trainable_variables(graph, weights, n);
    update u = {.where = where, .graph = graph, .optimizer = &optimizer, .rate = NO_RATE, .decay = NO_RATE};
    if (tg_gradients_at(where, loss, weights, n, gradients))
        record_updates(&u, weights, gradients, n);
    tg_release(tg_graph_context(graph), weights, bytes);
    return !tg_graph_error(graph);
}
