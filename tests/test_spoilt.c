/* A NaN or an infinity at any node of both networks, with every optimizer and whatever is fused or simplified, reaches no variable, and is
   named. */

#include "autodiff/autodiff.h"
#include "exec/compile.h"
#include "graph/rebuild.h"
#include "models/networks.h"
#include "ops/ops.h"
#include "store_snapshot.h"
#include "train/optimizers.h"

enum { BATCH = 2, MAX_NODES = 1000 };

static const double spoils[] = {NAN, INFINITY, -INFINITY};

/* A copy of a graph in which one element of node `at` is replaced by the input `bad`, for all that reads it. */
typedef struct spoilt {
    tg_graph *graph;
    tg_tensor loss, bad;
} spoilt;

static tg_tensor spoil(tg_tensor x, tg_tensor *bad)
{
    tg_type type = tg_tensor_type(x);
    int64_t count = tg_shape_count(type.shape);
    uint8_t *mask = calloc((size_t)count, 1);
    mask[count / 2] = 1;
    *bad = tg_input(x.graph, "bad", type.dtype, TG_SCALAR);
    tg_tensor where = tg_constant(x.graph, TG_U8, type.shape, mask, (size_t)count);
    free(mask);
    return tg_select(where, *bad, x);
}

static spoilt spoilt_make(const tg_graph *source, int32_t loss, int32_t at)
{
    static tg_tensor made[MAX_NODES], seen[MAX_NODES]; /* as recorded, and as others read it */
    spoilt copy = {.graph = tg_graph_new_like(source)};
    int32_t count = tg_graph_count(source);
    ck_assert_int_lt(count, MAX_NODES);
    for (int32_t id = 0; id < count; id++) {
        const tg_node *node = tg_graph_node(source, id);
        tg_tensor inputs[8];
        for (int32_t i = 0; i < node->n_inputs; i++)
            inputs[i] = (node->op->traits & TG_EFFECT && i == 0 ? made : seen)[node->inputs[i]];
        made[id] = seen[id] = tg_graph_copy_node(copy.graph, source, node, inputs);
        if (id == at)
            seen[id] = spoil(made[id], &copy.bad);
    }
    copy.loss = seen[loss];
    ck_assert_msg(tg_ok(copy.loss), "%s", tg_graph_error(copy.graph));
    return copy;
}

static void feed(tg_plan *plan, tg_tensor bad, double value, bool single)
{
    static float f32;
    static double f64;
    f32 = (float)value;
    f64 = value;
    ck_assert_int_eq(tg_feed(plan, bad, single ? (void *)&f32 : &f64, single ? 4 : 8), TG_OK);
}

/* What a plan without passes and checks would write: is it finite, with the loss? */
static bool would_be_finite(const spoilt *s, tg_variables *store, const void *kept, double bad)
{
    tg_plan *plan = tg_compile_roots(s->graph, &s->loss, 1, (tg_compile_options){.plan_memory = true});
    ck_assert_msg(plan != NULL, "%s", tg_graph_error(s->graph));
    feed(plan, s->bad, bad, tg_tensor_dtype(s->bad) == TG_F32);
    ck_assert_int_eq(tg_run(plan), TG_OK);
    bool finite = store_is_finite(store) && all_finite(tg_tensor_type(s->loss), tg_values(plan, s->loss));
    tg_plan_free(plan);
    restore(store, kept);
    return finite;
}

static void check_run(const spoilt *s, tg_compile_options with, tg_variables *store, const void *kept, const bool *finite,
                      const char *what)
{
    tg_plan *plan = tg_compile_roots(s->graph, &s->loss, 1, with);
    ck_assert_msg(plan != NULL, "%s: %s", what, tg_graph_error(s->graph));
    for (int b = 0; b < 3; b++) {
        feed(plan, s->bad, spoils[b], tg_tensor_dtype(s->bad) == TG_F32);
        tg_status status = tg_run(plan);
        /* A rewrite is EXACT for finite values alone: of an infinity it may make a NaN that the ops as recorded lose again. */
        if (!with.simplify || finite[b] == (status == TG_OK))
            ck_assert_msg((status == TG_OK) == finite[b], "%s, %g: %s", what, spoils[b], tg_status_text(status));
        if (status == TG_OK) {
            ck_assert_msg(store_is_finite(store), "%s, %g: a variable is not finite", what, spoils[b]);
            ck_assert_msg(all_finite(tg_tensor_type(s->loss), tg_values(plan, s->loss)), "%s, %g", what, spoils[b]);
            restore(store, kept);
            continue;
        }
        ck_assert_int_eq(status, TG_ERROR_NONFINITE);
        check_unchanged(store, kept, what);
        tg_nonfinite found;
        ck_assert_int_eq(tg_find_nonfinite(plan, &found), TG_OK);
        ck_assert_msg(found.node >= 0, "%s, %g: nothing was found", what, spoils[b]);
        if (b == 0)
            ck_assert_msg(found.node == s->bad.id, "%s: %s", what, found.message);
    }
    tg_plan_free(plan);
}

static tg_tensor record_network(tg_graph *graph, bool convolutional)
{
    network_settings settings = network_defaults();
    settings.hidden = (tg_integer_list){.count = 2, .values = {5, 4}};
    settings.filters = (tg_integer_list){.count = 2, .values = {3, 4}};
    static uint8_t pixels[BATCH * 100];
    static const int32_t labels[BATCH] = {3, 7};
    for (int i = 0; i < BATCH * 100; i++)
        pixels[i] = (uint8_t)(i * 37 % 256 * (i % 3 > 0));
    tg_shape shape = convolutional ? TG_SHAPE(BATCH, 10, 10, 1) : TG_SHAPE(BATCH, 9);
    tg_tensor x = tg_input(graph, "x", TG_U8, shape), y = tg_input(graph, "y", TG_I32, TG_SHAPE(BATCH));
    ck_assert_int_eq(tg_bind(x, pixels, (size_t)tg_shape_count(shape)), TG_OK);
    ck_assert_int_eq(tg_bind(y, labels, sizeof labels), TG_OK);
    tg_tensor logits = (convolutional ? cnn : fcnn)(scale_pixels(x), &settings);
    return tg_mean(tg_cross_entropy(logits, y), TG_ALL_AXES);
}

/* _i: a network and an optimizer. */
START_TEST(no_spoilt_value_reaches_a_variable)
{
    tg_context *context = harness_context(1);
    tg_variables *store = tg_variables_new(context, 3);
    tg_graph *graph = tg_graph_new(store, TG_TRAINING);
    tg_optimizer_kind kind = (tg_optimizer_kind)(_i / 2);
    tg_optimizer optimizer = tg_optimizer_defaults(kind);
    optimizer.clip_norm = kind == TG_OPTIMIZER_MOMENTUM ? 1 : 0;
    tg_tensor loss = record_network(graph, _i % 2);
    ck_assert_msg(tg_minimize(loss, optimizer), "%s", tg_graph_error(graph));
    int32_t count = tg_graph_count(graph);
    void *kept = snapshot(store);
    int n_refused = 0;
    /* The forward pass and the gradients are the same for all optimizers. */
    for (int32_t id = kind == TG_OPTIMIZER_SGD ? 0 : loss.id + 1; id < count; id++) {
        const tg_node *node = tg_graph_node(graph, id);
        char what[200];
        if (!tg_dtype_is_float(node->type.dtype) || tg_shape_count(node->type.shape) == 0)
            continue;
        spoilt s = spoilt_make(graph, loss.id, id);
        bool finite[3];
        for (int b = 0; b < 3; b++)
            n_refused += !(finite[b] = would_be_finite(&s, store, kept, spoils[b]));
        for (size_t o = 0; o < sizeof options / sizeof *options; o++) {
            snprintf(what, sizeof what, "%s, %s, node %d (%s \"%s\"), options %zu", _i % 2 ? "cnn" : "fcnn",
                     tg_optimizer_name(kind), (int)id, node->op->name, node->name ? node->name : "", o);
            check_run(&s, options[o], store, kept, finite, what);
        }
        tg_graph_free(s.graph);
    }
    ck_assert_int_gt(n_refused, 20);
    free(kept);
    tg_graph_free(graph);
    tg_variables_free(store);
    tg_context_free(context);
}
END_TEST

/* The check of training costs no second pass: bounds tell that no update of either network can overflow. */
START_TEST(bounds_suffice_for_training)
{
    tg_context *machine = harness_context(1);
    tg_variables *store = tg_variables_new(machine, 3);
    tg_graph *g = tg_graph_new(store, TG_TRAINING);
    tg_tensor loss = record_network(g, _i % 2);
    ck_assert(tg_minimize(loss, tg_optimizer_defaults((tg_optimizer_kind)(_i / 2))));
    tg_plan *plan = tg_compile(g, loss);
    ck_assert_ptr_nonnull(plan);
    for (int run = 0; run < 3; run++) {
        ck_assert_int_eq(tg_run(plan), TG_OK);
        ck_assert_int_gt(plan->n_updates, 0);
        ck_assert(tg_commit_is_bounded(plan));
    }
    tg_plan_free(plan);
    tg_graph_free(g);
    tg_variables_free(store);
    tg_context_free(machine);
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("spoilt");
    tcase_add_loop_test(tests, no_spoilt_value_reaches_a_variable, 0, 2 * TG_OPTIMIZER_COUNT);
    tcase_add_loop_test(tests, bounds_suffice_for_training, 0, 2 * TG_OPTIMIZER_COUNT);
    return harness_run("spoilt", tests);
}
