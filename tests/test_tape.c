#include <stdio.h>
#include <string.h>

#include "failing_allocator.h"
#include "graph/dot.h"
#include "graph/print.h"
#include "graph/rebuild.h"
#include "harness.h"

static tg_context *context;
static tg_variables *variables;
static tg_graph *graph;

static const tg_init zero = {TG_INIT_CONSTANT, 0, 0};
static const tg_op plus = {
    .name = "plus", .formula = "a + b", .traits = TG_POINTWISE, .min_inputs = 2, .max_inputs = 2, .shape = tg_shape_pointwise};

static bool huge_shape(tg_infer *infer)
{
    infer->result = (tg_type){TG_F32, TG_SHAPE(INT64_C(1) << 40, INT64_C(1) << 40)};
    return true;
}

static const tg_op huge = {.name = "huge", .formula = "much", .min_inputs = 0, .max_inputs = 0, .shape = huge_shape};

static void setup(void)
{
    context = harness_context(1);
    variables = tg_variables_new(context, 7);
    graph = tg_graph_new(variables, TG_TRAINING);
}

static void teardown(void)
{
    tg_graph_free(graph);
    tg_graph_free(NULL);
    tg_variables_free(variables);
    tg_context_free(context);
}

static tg_tensor add_at(tg_where where, tg_tensor a, tg_tensor b)
{
    return tg_apply_at(where, NULL, &plus, (tg_tensor[]){a, b}, 2, NULL, 0);
}
#define add(...) add_at(TG_HERE, __VA_ARGS__)

static void assert_error(const char *part, int line)
{
    const char *error = tg_graph_error(graph);
    char place[64];
    ck_assert_ptr_nonnull(error);
    ck_assert_msg(strstr(error, part) != NULL, "\"%s\" lacks \"%s\"", error, part);
    snprintf(place, sizeof place, "test_tape.c:%d)", line);
    ck_assert_msg(strstr(error, place) != NULL, "\"%s\" lacks \"%s\"", error, place);
}

START_TEST(nodes_are_recorded_in_order_with_their_place)
{
    tg_tensor x = tg_input(graph, "x", TG_FLOAT, TG_SHAPE(2, 3));
    tg_tensor y = add(x, x);
    int line = __LINE__ - 1;
    const tg_node *node = tg_tensor_node(y);
    ck_assert_int_eq(y.id, 1);
    ck_assert_int_eq(node->n_inputs, 2);
    ck_assert_int_eq(node->inputs[1], x.id);
    ck_assert_int_eq(node->where.line, line);
    ck_assert_int_eq(node->forward, -1);
    ck_assert_str_eq(tg_tensor_node(x)->name, "x");
    ck_assert(tg_type_equal(tg_tensor_type(y), (tg_type){TG_F32, TG_SHAPE(2, 3)}));
    ck_assert_ptr_null(tg_graph_error(graph));
    ck_assert_ptr_null(tg_graph_node(graph, 2));
    ck_assert_ptr_null(tg_graph_node(graph, -1));
}
END_TEST

START_TEST(the_first_error_sticks_and_poison_flows)
{
    tg_tensor x = tg_input(graph, "x", TG_F32, TG_SHAPE(2, 3)), y = tg_input(graph, "y", TG_F32, TG_SHAPE(4));
    tg_tensor z = add(x, y);
    int line = __LINE__ - 1;
    ck_assert(!tg_ok(z));
    ck_assert(!tg_ok(x));
    assert_error("plus of [2, 3] f32 and [4] f32", line);
    int32_t count = tg_graph_count(graph);
    ck_assert(!tg_ok(add(z, x)));
    ck_assert(!tg_ok(tg_scalar(z, 1)));
    ck_assert(!tg_ok(tg_keep(tg_name(z, "z"))));
    ck_assert(!tg_ok(tg_input(graph, "x", TG_F32, TG_SCALAR)));
    assert_error("plus of [2, 3] f32 and [4] f32", line);
    ck_assert_int_eq(tg_graph_count(graph), count);
}
END_TEST

START_TEST(no_tensor_is_an_error_where_it_meets_one)
{
    tg_tensor x = tg_input(graph, "x", TG_F32, TG_SHAPE(2));
    ck_assert(!tg_ok(add(tg_none(), tg_none())));
    ck_assert_ptr_null(tg_graph_error(graph));
    ck_assert(!tg_ok(add(x, tg_none())));
    assert_error("input 1 is no tensor", __LINE__ - 1);
}
END_TEST

/* What follows tg_graph_new() without a look at what it gave. */
START_TEST(no_graph_is_no_tensor)
{
    tg_graph *none = tg_graph_new(tg_variables_cast(tg_variables_new(NULL, 1), TG_F64), TG_TRAINING);
    ck_assert_ptr_null(none);
    tg_tensor x = tg_input(none, "x", TG_F32, TG_SHAPE(2)), y = tg_variable(none, "y", TG_F32, TG_SHAPE(2), zero);
    tg_layer_begin(none, "Block", NULL, false);
    ck_assert(!tg_ok(tg_layer_end(add(x, tg_keep(y)))));
    ck_assert(!tg_ok(tg_constant(none, TG_F32, TG_SCALAR, "1234", 4)));
    ck_assert_ptr_nonnull(strstr(tg_graph_error(none), "there is no graph"));
    ck_assert_ptr_null(tg_graph_variables(none));
    ck_assert_ptr_null(tg_graph_context(none));
    ck_assert_ptr_null(tg_graph_node(none, 0));
    ck_assert_ptr_null(tg_graph_layer(none, 0));
    ck_assert_int_eq(tg_graph_count(none) + tg_graph_layer_count(none), 0);
    ck_assert_int_eq(tg_graph_mode(none), TG_EVALUATION);
    ck_assert_int_eq(tg_print_tape(stdout, none), TG_ERROR_ARGUMENT);
    ck_assert_int_eq(tg_dot(stdout, none, tg_dot_defaults()), TG_ERROR_ARGUMENT);
}
END_TEST

START_TEST(graphs_do_not_mix)
{
    tg_graph *other = tg_graph_new(variables, TG_TRAINING);
    tg_tensor x = tg_input(graph, "x", TG_F32, TG_SHAPE(2)), y = tg_input(other, "y", TG_F32, TG_SHAPE(2));
    ck_assert(!tg_ok(add(x, y)));
    assert_error("comes from another graph", __LINE__ - 1);
    ck_assert_ptr_null(tg_graph_error(other));
    tg_graph_free(other);
}
END_TEST

START_TEST(wrong_counts_dtypes_and_extents_are_named)
{
    tg_tensor x = tg_input(graph, "x", TG_F32, TG_SHAPE(2));
    ck_assert(!tg_ok(tg_apply(graph, &plus, &x, 1, NULL, 0)));
    assert_error("plus takes 2 to 2 inputs, not 1", __LINE__ - 1);
}
END_TEST

START_TEST(what_is_missing_is_named)
{
    tg_tensor x = tg_input(graph, "x", TG_F32, TG_SHAPE(2));
    const char *const words[] = {"no op was given", "its 8 bytes are NULL", "a layer needs a kind", "a layer needs a kind"};
    switch (_i) {
    case 0: ck_assert(!tg_ok(tg_apply(graph, NULL, &x, 1, NULL, 0))); break;
    case 1: ck_assert(!tg_ok(tg_constant(graph, TG_F32, TG_SHAPE(2), NULL, 8))); break;
    case 2: tg_layer_begin(graph, NULL, NULL, false); break;
    default: tg_layer_begin(graph, "", "named", false);
    }
    ck_assert_ptr_nonnull(strstr(tg_graph_error(graph), words[_i]));
    ck_assert_ptr_nonnull(strstr(tg_graph_error(graph), "test_tape.c:"));
    if (_i >= 2)
        tg_layer_end(x);
    ck_assert_str_eq(tg_graph_scope(graph), "");
}
END_TEST

START_TEST(mixed_dtypes_are_an_error)
{
    add(tg_input(graph, "x", TG_F32, TG_SHAPE(2)), tg_input(graph, "y", TG_F64, TG_SHAPE(2)));
    assert_error("f32 and f64", __LINE__ - 1);
}
END_TEST

START_TEST(results_too_large_are_an_error)
{
    ck_assert(!tg_ok(tg_apply(graph, &huge, NULL, 0, NULL, 0)));
    assert_error("huge", __LINE__ - 1);
}
END_TEST

START_TEST(leaves_check_names_types_and_sizes)
{
    float values[2] = {1, 2};
    tg_tensor c = tg_constant(graph, TG_F32, TG_SHAPE(2), values, sizeof values);
    values[0] = 9;
    ck_assert_float_eq(((const float *)tg_node_constant(tg_tensor_node(c)))[0], 1);
    ck_assert(tg_ok(tg_constant(graph, TG_F32, TG_SHAPE(0), NULL, 0)));
    ck_assert(!tg_ok(tg_constant(graph, TG_F32, TG_SHAPE(3), values, sizeof values)));
    assert_error("constant [3] f32 has 12 bytes, not the 8 given", __LINE__ - 1);
}
END_TEST

START_TEST(inputs_of_one_name_are_an_error)
{
    tg_input(graph, "x", TG_F32, TG_SHAPE(2));
    tg_input(graph, "x", TG_F32, TG_SHAPE(2));
    assert_error("input \"x\" exists already", __LINE__ - 1);
}
END_TEST

START_TEST(invalid_shapes_are_an_error)
{
    tg_input(graph, "x", TG_F32, TG_SHAPE(2, -1));
    assert_error("[2, -1]", __LINE__ - 1);
}
END_TEST

START_TEST(scalars_follow_their_tensor)
{
    tg_tensor x = tg_input(graph, "x", TG_F64, TG_SHAPE(2)), i = tg_input(graph, "i", TG_I32, TG_SHAPE(2));
    double value;
    ck_assert(tg_node_scalar(tg_tensor_node(tg_scalar(x, 0.1)), &value));
    ck_assert_double_eq(value, 0.1);
    ck_assert(tg_node_scalar(tg_tensor_node(tg_scalar(i, -3)), &value));
    ck_assert_double_eq(value, -3);
    ck_assert(!tg_node_scalar(tg_tensor_node(x), &value));
    tg_scalar(i, 0.5);
    assert_error("0.5 is no i32", __LINE__ - 1);
}
END_TEST

START_TEST(variables_take_their_layers_scope)
{
    tg_layer_begin(graph, "Dense", NULL, false);
    tg_tensor w = tg_variable(graph, "kernel", TG_FLOAT, TG_SHAPE(2), zero);
    tg_layer_end(w);
    ck_assert_str_eq(tg_node_variable(graph, tg_tensor_node(w))->name, "dense/kernel");
    ck_assert_str_eq(tg_tensor_node(w)->scope, "dense");
    ck_assert_ptr_eq(tg_node_variable(graph, tg_tensor_node(w)), tg_variables_find(variables, "dense/kernel"));
    tg_tensor again = tg_shared_variable(graph, "dense/kernel", TG_FLOAT, TG_SHAPE(2), zero);
    ck_assert_int_eq(again.id, w.id);
    tg_variable(graph, "dense/kernel", TG_FLOAT, TG_SHAPE(2), zero);
    assert_error("variable \"dense/kernel\" exists already", __LINE__ - 1);
}
END_TEST

START_TEST(a_variable_of_another_shape_in_the_store_is_an_error)
{
    tg_graph *other = tg_graph_new(variables, TG_EVALUATION);
    tg_variable(other, "w", TG_FLOAT, TG_SHAPE(2), zero);
    tg_graph_free(other);
    tg_variable(graph, "w", TG_FLOAT, TG_SHAPE(3), zero);
    assert_error("the store has it as [2] f32", __LINE__ - 1);
}
END_TEST

START_TEST(state_is_not_trainable)
{
    ck_assert(!tg_node_variable(graph, tg_tensor_node(tg_state(graph, "m", TG_F64, TG_SCALAR, zero)))->trainable);
    ck_assert(tg_node_variable(graph, tg_tensor_node(tg_variable(graph, "w", TG_F64, TG_SCALAR, zero)))->trainable);
}
END_TEST

START_TEST(layers_are_numbered_as_in_keras)
{
    static const struct {
        const char *kind, *name;
    } expected[] = {{"Dense", "dense"},
                    {"Activation", "activation"},
                    {"Dense", "dense_1"},
                    {"MaxPooling2D", "max_pooling2d"},
                    {"Dense", "dense_2"},
                    {"Conv2D", "conv2d"},
                    {"MaxPooling2D", "max_pooling2d_1"},
                    {"BatchNormalization", "batch_normalization"},
                    {"LSTM", "lstm"},
                    {"GlobalAveragePooling2D", "global_average_pooling2d"},
                    {"ReLU", "re_lu"}};
    tg_tensor x = tg_input(graph, "x", TG_F32, TG_SHAPE(2));
    for (int i = 0; i < (int)(sizeof expected / sizeof *expected); i++) {
        tg_layer_begin(graph, expected[i].kind, NULL, false);
        x = tg_layer_end(add(x, x));
        ck_assert_str_eq(tg_graph_layer(graph, i)->name, expected[i].name);
        ck_assert_str_eq(tg_graph_layer(graph, i)->kind, expected[i].kind);
        ck_assert_int_eq(tg_graph_layer(graph, i)->output, x.id);
    }
    ck_assert_ptr_null(tg_graph_layer(graph, tg_graph_layer_count(graph)));
}
END_TEST

START_TEST(numbers_pass_over_names_that_were_given)
{
    tg_tensor x = tg_input(graph, "x", TG_F32, TG_SHAPE(2));
    tg_layer_begin(graph, "Dense", "dense_1", false);
    tg_layer_end(x);
    for (int i = 0; i < 2; i++) {
        tg_layer_begin(graph, "Dense", NULL, false);
        tg_layer_end(x);
    }
    ck_assert_str_eq(tg_graph_layer(graph, 1)->name, "dense");
    ck_assert_str_eq(tg_graph_layer(graph, 2)->name, "dense_2");
}
END_TEST

START_TEST(layers_nest_and_share)
{
    tg_tensor x = tg_input(graph, "x", TG_F32, TG_SHAPE(2));
    tg_layer_begin(graph, "Block", "block", false);
    tg_layer_begin(graph, "Dense", NULL, false);
    tg_tensor y = tg_layer_end(add(x, x));
    tg_layer_end(y);
    ck_assert_str_eq(tg_tensor_node(y)->scope, "block/dense");
    tg_layer_begin(graph, "Block", "block", true);
    ck_assert_str_eq(tg_graph_scope(graph), "block");
    tg_layer_end(y);
    ck_assert_str_eq(tg_graph_scope(graph), "");
    tg_layer_begin(graph, "Block", "block", false);
    assert_error("layer \"block\" exists already", __LINE__ - 1);
}
END_TEST

START_TEST(unbalanced_layers_are_an_error)
{
    tg_layer_end(tg_input(graph, "x", TG_F32, TG_SHAPE(2)));
    ck_assert_ptr_nonnull(strstr(tg_graph_error(graph), "without a tg_layer_begin()"));
}
END_TEST

START_TEST(layers_nested_too_deep_are_an_error)
{
    tg_tensor x = tg_input(graph, "x", TG_F32, TG_SHAPE(2));
    for (int i = 0; i < 40; i++)
        tg_layer_begin(graph, "Block", NULL, false);
    assert_error("nested deeper", __LINE__ - 1);
    for (int i = 0; i < 40; i++)
        tg_layer_end(x);
    ck_assert_str_eq(tg_graph_scope(graph), "");
}
END_TEST

START_TEST(bindings_check_their_size_and_follow_copies)
{
    float values[2] = {1, 2};
    tg_tensor x = tg_input(graph, "x", TG_F32, TG_SHAPE(2)), y = add(x, x);
    ck_assert_int_eq(tg_bind(x, values, 4), TG_ERROR_ARGUMENT);
    ck_assert_int_eq(tg_bind(y, values, 8), TG_ERROR_ARGUMENT);
    ck_assert_int_eq(tg_bind(x, NULL, 8), TG_ERROR_ARGUMENT);
    tg_tensor empty = tg_input(graph, "empty", TG_F32, TG_SHAPE(0));
    ck_assert_int_eq(tg_bind(empty, NULL, 0), TG_OK);
    ck_assert_ptr_nonnull(tg_bound(graph, tg_tensor_node(empty)));
    tg_graph *copy = tg_graph_new_like(graph);
    tg_tensor x2 = tg_graph_copy_node(copy, graph, tg_tensor_node(x), NULL);
    ck_assert_ptr_null(tg_bound(copy, tg_tensor_node(x2)));
    ck_assert_int_eq(tg_bind(x, values, 8), TG_OK);
    ck_assert_ptr_eq(tg_bound(graph, tg_tensor_node(x)), values);
    ck_assert_ptr_eq(tg_bound(copy, tg_tensor_node(x2)), values);
    tg_graph_free(copy);
}
END_TEST

START_TEST(copies_keep_place_scope_and_marks)
{
    tg_layer_begin(graph, "Dense", NULL, false);
    tg_tensor x = tg_input(graph, "x", TG_F32, TG_SHAPE(2));
    tg_tensor y = tg_keep(tg_name(add(x, x), "sum"));
    tg_layer_end(y);
    tg_graph *copy = tg_graph_new_like(graph);
    int32_t map[2];
    map[0] = tg_graph_copy_node(copy, graph, tg_tensor_node(x), NULL).id;
    tg_tensor inputs[2] = {{copy, map[0]}, {copy, map[0]}};
    tg_tensor made = tg_graph_copy_node(copy, graph, tg_tensor_node(y), inputs);
    map[1] = made.id;
    const tg_node *node = tg_tensor_node(made);
    ck_assert_str_eq(node->name, "sum");
    ck_assert_str_eq(node->scope, "dense");
    ck_assert(node->keep);
    ck_assert_int_eq(node->where.line, tg_tensor_node(y)->where.line);
    tg_graph_copy_layers(copy, graph, map);
    ck_assert_str_eq(tg_graph_layer(copy, 0)->name, "dense");
    ck_assert_int_eq(tg_graph_layer(copy, 0)->output, made.id);
    ck_assert_int_eq(tg_graph_layer(copy, 0)->last, 2);
    tg_graph_free(copy);
}
END_TEST

static tg_tensor answer_first(void *user, const tg_rewrite_args *args)
{
    ++*(int *)user;
    return args->n_inputs ? args->inputs[0] : tg_none();
}

START_TEST(a_recorder_may_answer_for_a_node)
{
    int asked = 0;
    tg_tensor x = tg_input(graph, "x", TG_F32, TG_SHAPE(2));
    tg_graph_set_recorder(graph, answer_first, &asked);
    ck_assert_int_eq(add(x, x).id, x.id);
    ck_assert_int_eq(tg_scalar(x, 1).id, 1);
    ck_assert_int_eq(asked, 2);
}
END_TEST

START_TEST(an_origin_lends_its_place)
{
    tg_layer_begin(graph, "Dense", NULL, false);
    tg_tensor x = tg_input(graph, "x", TG_F32, TG_SHAPE(2)), y = add(x, x);
    int line = __LINE__ - 1;
    tg_layer_end(y);
    tg_graph_set_origin(graph, graph, y.id, true);
    tg_tensor z = add(y, y);
    tg_graph_set_origin(graph, graph, -1, false);
    ck_assert_int_eq(tg_tensor_node(z)->forward, y.id);
    ck_assert_int_eq(tg_tensor_node(z)->where.line, line);
    ck_assert_str_eq(tg_tensor_node(z)->scope, "dense");
    ck_assert_int_eq(tg_tensor_node(add(y, y))->forward, -1);
}
END_TEST

START_TEST(long_tapes_keep_all_their_nodes)
{
    tg_tensor x = tg_input(graph, "x", TG_F32, TG_SHAPE(2)), y = x;
    for (int i = 0; i < 100000; i++)
        y = add(y, x);
    ck_assert(tg_ok(y));
    for (int32_t id = 1; id <= 100000; id++)
        ck_assert_int_eq(tg_graph_node(graph, id)->inputs[0], id - 1);
}
END_TEST

/* Records a bit of everything; true if all of it succeeded. */
static bool record(tg_context *small)
{
    tg_variables *store = tg_variables_new(small, 1);
    tg_graph *g = store ? tg_graph_new(store, TG_TRAINING) : NULL;
    bool good = false;
    if (g) {
        tg_tensor x = tg_input(g, "x", TG_F32, TG_SHAPE(4));
        for (int i = 0; i < 40; i++) {
            tg_layer_begin(g, "Dense", NULL, false);
            x = tg_layer_end(add(x, tg_variable(g, "kernel", TG_FLOAT, TG_SHAPE(4), zero)));
        }
        float big[8000] = {0};
        tg_constant(g, TG_F32, TG_SHAPE(8000), big, sizeof big);
        good = tg_graph_error(g) == NULL;
        ck_assert(good || strstr(tg_graph_error(g), "out of memory"));
    }
    tg_graph_free(g);
    tg_variables_free(store);
    return good;
}

START_TEST(every_allocation_may_fail)
{
    bool good = false;
    for (long refuse = 2; !good; refuse++) { /* the first is the context's own */
        ck_assert_int_lt(refuse, 1000);
        failing_allocator counter = {.refuse = refuse};
        tg_context_options options = tg_context_defaults();
        options.allocator = failing_allocator_interface(&counter);
        tg_context *small = tg_context_new(options);
        good = record(small);
        ck_assert(good == (counter.requests < refuse));
        tg_context_free(small);
        ck_assert_int_eq(counter.live, 0);
    }
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("tape");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, nodes_are_recorded_in_order_with_their_place);
    tcase_add_test(tests, the_first_error_sticks_and_poison_flows);
    tcase_add_test(tests, no_tensor_is_an_error_where_it_meets_one);
    tcase_add_test(tests, no_graph_is_no_tensor);
    tcase_add_test(tests, graphs_do_not_mix);
    tcase_add_test(tests, wrong_counts_dtypes_and_extents_are_named);
    tcase_add_loop_test(tests, what_is_missing_is_named, 0, 4);
    tcase_add_test(tests, mixed_dtypes_are_an_error);
    tcase_add_test(tests, results_too_large_are_an_error);
    tcase_add_test(tests, leaves_check_names_types_and_sizes);
    tcase_add_test(tests, inputs_of_one_name_are_an_error);
    tcase_add_test(tests, invalid_shapes_are_an_error);
    tcase_add_test(tests, scalars_follow_their_tensor);
    tcase_add_test(tests, variables_take_their_layers_scope);
    tcase_add_test(tests, a_variable_of_another_shape_in_the_store_is_an_error);
    tcase_add_test(tests, state_is_not_trainable);
    tcase_add_test(tests, layers_are_numbered_as_in_keras);
    tcase_add_test(tests, numbers_pass_over_names_that_were_given);
    tcase_add_test(tests, layers_nest_and_share);
    tcase_add_test(tests, unbalanced_layers_are_an_error);
    tcase_add_test(tests, layers_nested_too_deep_are_an_error);
    tcase_add_test(tests, bindings_check_their_size_and_follow_copies);
    tcase_add_test(tests, copies_keep_place_scope_and_marks);
    tcase_add_test(tests, a_recorder_may_answer_for_a_node);
    tcase_add_test(tests, an_origin_lends_its_place);
    tcase_add_test(tests, long_tapes_keep_all_their_nodes);
    tcase_add_test(tests, every_allocation_may_fail);
    return harness_run("tape", tests);
}
