/* What moves as a graph grows, and what never does. */
#include <stdio.h>

#include "graph/tape_internal.h"
#include "harness.h"
#include "ops/ops.h"

enum { NODES = 300, LAYERS = 70 };

static tg_context *context_that_moves(bool moves)
{
    tg_context_options options = harness_options();
    options.threads = 1;
    options.move_arrays = moves;
    tg_context *context = tg_context_new(options);
    ck_assert_ptr_nonnull(context);
    return context;
}

/* Rules, passes and callers keep pointers to nodes and layers while others record. */
START_TEST(nodes_and_layers_stay_where_they_are)
{
    tg_context *context = context_that_moves(_i == 1);
    tg_variables *variables = tg_variables_new(context, 1);
    tg_graph *graph = tg_graph_new(variables, TG_TRAINING);
    const tg_node *nodes[NODES];
    const tg_layer_info *layers[LAYERS];
    tg_tensor x = tg_input(graph, "x", TG_F32, TG_SHAPE(2));
    for (int i = 0; i < LAYERS; i++) {
        tg_layer_begin(graph, "Dense", NULL, false);
        layers[i] = tg_graph_layer(graph, i);
        tg_layer_end(x);
    }
    nodes[0] = tg_tensor_node(x);
    for (int i = 1; i < NODES; i++)
        nodes[i] = tg_tensor_node(x = tg_neg(x));
    ck_assert(tg_ok(x));
    for (int i = 0; i < NODES; i++) {
        ck_assert_ptr_eq(tg_graph_node(graph, i), nodes[i]);
        ck_assert_int_eq(nodes[i]->id, i);
    }
    for (int i = 0; i < LAYERS; i++)
        ck_assert_ptr_eq(tg_graph_layer(graph, i), layers[i]);
    tg_graph_free(graph);
    tg_variables_free(variables);
    tg_context_free(context);
}
END_TEST

START_TEST(the_option_moves_arrays_at_each_append)
{
    tg_context *context = context_that_moves(true);
    tg_variables *variables = tg_variables_new(context, 1);
    tg_graph *graph = tg_graph_new(variables, TG_TRAINING);
    tg_tensor x = tg_input(graph, "x", TG_F32, TG_SHAPE(2));
    for (int i = 0; i < NODES; i++) {
        void *nodes = graph->nodes.at, *layers = graph->layers.at;
        x = tg_neg(x);
        tg_layer_begin(graph, "Dense", NULL, false);
        tg_layer_end(x);
        ck_assert_ptr_ne(graph->nodes.at, nodes);
        ck_assert_ptr_ne(graph->layers.at, layers);
    }
    ck_assert(tg_ok(x));
    for (int i = 0; i < NODES; i++) {
        char name[16];
        void *names = graph->names.entries;
        snprintf(name, sizeof name, "n%d", i);
        ck_assert(tg_graph_claim_name(graph, TG_HERE, "thing", name));
        ck_assert_ptr_ne(graph->names.entries, names);
    }
    ck_assert_int_eq(tg_graph_find_name(graph, "layer", "dense_299"), 0);
    ck_assert_int_eq(tg_graph_find_name(graph, "thing", "n0"), 0);
    tg_graph_free(graph);
    tg_variables_free(variables);
    tg_context_free(context);
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("move_arrays");
    tcase_add_loop_test(tests, nodes_and_layers_stay_where_they_are, 0, 2);
    tcase_add_test(tests, the_option_moves_arrays_at_each_append);
    return harness_run("move_arrays", tests);
}
