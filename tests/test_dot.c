#include "graph/dot.h"

#include <stdlib.h>
#include <string.h>

#include "autodiff/autodiff.h"
#include "autodiff/inspect.h"
#include "failing_allocator.h"
#include "harness.h"
#include "ops/ops.h"

static tg_context *context;
static tg_variables *variables;
static tg_graph *graph;
static tg_tensor x, kernel, bias, h, loss;
static const tg_init one = {TG_INIT_CONSTANT, 1, 0}, zero = {TG_INIT_CONSTANT, 0, 0};

/* mean(sigmoid(x kernel + bias)^2) in a layer "model/dense", with gradients and a momentum update of both variables. */
static void record(void)
{
    x = tg_input(graph, "x", TG_F32, TG_SHAPE(8, 3));
    tg_layer_begin(graph, "Model", "model", false);
    tg_layer_begin(graph, "Dense", "dense", false);
    kernel = tg_variable(graph, "kernel", TG_FLOAT, TG_SHAPE(3, 2), one);
    bias = tg_variable(graph, "bias", TG_FLOAT, TG_SHAPE(2), one);
    h = tg_name(tg_sigmoid(tg_add(tg_matmul(x, kernel), bias)), "a<b");
    tg_layer_end(h);
    tg_layer_end(h);
    loss = tg_mean(tg_square(h), TG_ALL_AXES);
}

static void update(void)
{
    tg_tensor w[2] = {kernel, bias}, g[2], rate = tg_mul(tg_input(graph, "rate", TG_F32, TG_SCALAR), tg_scalar(loss, 0.5));
    ck_assert(tg_gradients(loss, w, 2, g));
    tg_layer_begin(graph, "SGD", "sgd", false);
    for (int i = 0; i < 2; i++) {
        tg_tensor v = tg_state(graph, i ? "bias/velocity" : "kernel/velocity", TG_FLOAT, tg_tensor_shape(w[i]), zero);
        v = tg_assign(v, tg_add(tg_mul(v, tg_scalar(v, 0.9)), g[i]));
        tg_assign(w[i], tg_sub(w[i], tg_mul(v, rate)));
    }
    tg_layer_end(loss);
}

static void setup(void)
{
    context = harness_context(1);
    variables = tg_variables_new(context, 7);
    graph = tg_graph_new(variables, TG_TRAINING);
    record();
}

static void teardown(void)
{
    tg_graph_free(graph);
    tg_variables_free(variables);
    tg_context_free(context);
}

static char *picture(tg_dot_options options)
{
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    ck_assert_int_eq(tg_dot(out, graph, options), TG_OK);
    fclose(out);
    return text;
}

static int occurrences(const char *text, const char *part)
{
    int n = 0;
    for (const char *at = text; (at = strstr(at, part)) != NULL; at += strlen(part))
        n++;
    return n;
}

static void expect(const char *text, const char *part) { ck_assert_msg(strstr(text, part), "no %s in\n%.3000s", part, text); }
static void expect_none(const char *text, const char *part) { ck_assert_msg(!strstr(text, part), "%s in\n%.3000s", part, text); }

/* The line that begins with this. */
static void expect_line(const char *text, const char *beginning, const char *part)
{
    const char *line = strstr(text, beginning);
    ck_assert_msg(line, "no line %s in\n%.3000s", beginning, text);
    const char *found = strstr(line, part);
    ck_assert_msg(found && found < strchr(line, '\n'), "no %s in %.*s", part, (int)strcspn(line, "\n"), line);
}

static void expect_node(const char *text, tg_tensor tensor, const char *part)
{
    char name[32];
    snprintf(name, sizeof name, "  n%d [", tensor.id);
    expect_line(text, name, part);
}

static void expect_edge(const char *text, tg_tensor from, tg_tensor to, const char *part)
{
    char name[64];
    snprintf(name, sizeof name, "  n%d -> n%d [", from.id, to.id);
    expect_line(text, name, part);
}

/* Whether Graphviz takes it; if it is not installed, nobody can tell. */
static void expect_rendered(const char *text)
{
    if (system("dot -V >/dev/null 2>&1") != 0)
        return;
    FILE *dot = popen("dot -Tsvg >/dev/null", "w");
    ck_assert_ptr_nonnull(dot);
    fputs(text, dot);
    ck_assert_int_eq(pclose(dot), 0);
}

START_TEST(forward_graph)
{
    char *text = picture(tg_dot_defaults());
    expect_node(text, x, "shape=parallelogram");
    expect_node(text, kernel, "shape=cylinder");
    expect_node(text, kernel, "<b>kernel</b>");
    expect_node(text, h, "<b>sigmoid</b>");
    expect_node(text, h, "<i>a&lt;b</i>");
    expect_node(text, h, "test_dot.c:");
    expect(text, "label=<<b>model</b>  <font color=\"#7b8494\">Model</font>>");
    expect(text, "label=<<b>dense</b>  <font color=\"#7b8494\">Dense</font>>");
    expect_edge(text, x, (tg_tensor){graph, 3}, "8×3 · 96 B");
    expect_none(text, "dashed");
    expect_rendered(text);
    free(text);
}
END_TEST

START_TEST(the_same_graph_gives_the_same_bytes)
{
    update();
    char *first = picture(tg_dot_defaults());
    teardown();
    setup();
    update();
    char *second = picture(tg_dot_defaults());
    ck_assert_str_eq(first, second);
    free(first);
    free(second);
}
END_TEST

START_TEST(backward_pass)
{
    tg_tensor gradient = tg_gradient(loss, kernel);
    char *text = picture(tg_dot_defaults());
    expect_node(text, gradient, "dashed");
    expect_node(text, h, "color=\"#d9730d\""); /* kept */
    expect_edge(text, x, gradient, "dashed");
    expect_edge(text, gradient, (tg_tensor){graph, gradient.id - 1}, "dir=back"); /* upwards */
    expect(text, "kept for the backward pass");
    expect_none(text, "updates of variables");
    expect_rendered(text);
    free(text);
}
END_TEST

START_TEST(updates_are_one_box_for_each_variable)
{
    update();
    char *text = picture(tg_dot_defaults());
    ck_assert_int_eq(occurrences(text, "peripheries=2"), 3); /* with what both share */
    expect(text, "<b>update kernel</b>");
    expect(text, "<b>update bias</b>");
    expect(text, "sgd, 6 ops");
    expect(text, "keeps velocity");
    expect(text, "<b>for all updates</b>");
    expect_rendered(text);
    tg_dot_options options = tg_dot_defaults();
    options.expand_updates = true;
    char *expanded = picture(options);
    expect_none(expanded, "peripheries=2");
    ck_assert_int_eq(occurrences(expanded, "<b>assign</b>"), 4);
    expect(expanded, "<b>mul</b> (·, 0.9)");
    expect_rendered(expanded);
    free(text);
    free(expanded);
}
END_TEST

START_TEST(groups_are_one_box)
{
    int32_t groups[32];
    for (int i = 0; i < 32; i++)
        groups[i] = i == h.id || i == h.id - 1 ? 4 : -1;
    tg_dot_options options = tg_dot_defaults();
    options.groups = groups;
    options.title = "R&D";
    char *text = picture(options);
    expect_node(text, h, "fused, 2 ops");
    expect_node(text, h, "<b>add</b>");
    expect_node(text, h, "bold");
    expect(text, "<b>R&amp;D</b>");
    expect_rendered(text);
    free(text);
}
END_TEST

/* As after a rewrite that recorded the product at its consumer. Layers stand in the order in which they were opened. */
START_TEST(a_compiled_product_stands_with_its_parameter)
{
    tg_layer_begin(graph, "Consumer", "consumer", false);
    tg_tensor product = tg_matmul(x, kernel);
    tg_layer_end(tg_neg(product));
    int32_t groups[32];
    memset(groups, 0xff, sizeof groups);
    tg_dot_options options = tg_dot_defaults();
    options.groups = _i ? groups : NULL;
    char *text = picture(options), name[32];
    snprintf(name, sizeof name, "  n%d [", product.id);
    expect(text, name);
    expect(text, "<b>consumer</b>");
    char *before = strdup(text);
    *strstr(before, "<b>consumer</b>") = '\0';
    ck_assert_int_eq(occurrences(before, name), _i);
    free(before);
    free(text);
}
END_TEST

/* As where one sweep gives a forward tensor and what the backward pass alone reads. */
START_TEST(a_group_of_both_passes_is_drawn_forward)
{
    int32_t groups[128], backward = h.id;
    update();
    memset(groups, 0xff, sizeof groups);
    while (tg_graph_node(graph, backward)->forward != h.id || tg_graph_node(graph, backward)->n_inputs == 0)
        backward++;
    groups[h.id] = groups[backward] = 0;
    tg_dot_options options = tg_dot_defaults();
    options.groups = groups;
    char *text = picture(options), name[32];
    expect_node(text, (tg_tensor){graph, backward}, "style=\"filled,bold\"");
    snprintf(name, sizeof name, "  n%d -> ", backward);
    expect_line(text, name, "color=\"#2f5d8a\", weight=4"); /* to the rest of the forward pass */
    expect_rendered(text);
    free(text);
}
END_TEST

START_TEST(long_groups_are_cut_short)
{
    int32_t groups[64];
    tg_tensor y = h;
    for (int i = 0; i < 20; i++)
        y = tg_neg(y);
    for (int i = 0; i < 64; i++)
        groups[i] = i > h.id + 2 ? 0 : -1;
    tg_dot_options options = tg_dot_defaults();
    options.groups = groups;
    char *text = picture(options);
    expect_node(text, y, "fused, 20 ops");
    expect_node(text, y, "… 11 more");
    ck_assert_int_eq(occurrences(text, "<b>neg</b>"), 9);
    expect_rendered(text);
    free(text);
}
END_TEST

START_TEST(fills_notes_and_alarm)
{
    const char *fills[32] = {0}, *notes[32] = {0};
    fills[h.id] = "#abcdef";
    notes[h.id] = "12 us & more";
    tg_dot_options options = tg_dot_defaults();
    options.fills = fills;
    options.notes = notes;
    options.highlight = &loss.id;
    char *text = picture(options);
    expect_node(text, h, "fillcolor=\"#abcdef\"");
    expect_node(text, h, "12 us &amp; more");
    expect_node(text, loss, "fillcolor=\"#ffcdd2\"");
    expect_rendered(text);
    free(text);
}
END_TEST

START_TEST(options_of_zeros_show_nothing_but_the_graph)
{
    char *text = picture((tg_dot_options){0}), *defaults = picture(tg_dot_defaults());
    ck_assert_str_eq(text, defaults);
    ck_assert_msg(!strstr(text, "#ffcdd2"), "a node is painted as one that went wrong");
    free(text);
    free(defaults);
}
END_TEST

static const void *known(void *user, const tg_node *node)
{
    static const float values[16] = {0.5f, -1, 1e-3f, 4, 5, 6};
    ++*(int *)user;
    ck_assert_int_le(tg_shape_count(node->type.shape), 16);
    return node->id == kernel.id ? values : NULL;
}

START_TEST(small_tensors_show_their_values)
{
    int asked = 0;
    tg_dot_options options = tg_dot_defaults();
    options.values = known;
    options.values_user = &asked;
    char *text = picture(options);
    expect_node(text, kernel, ">0.5  -1<br/>0.001  4<br/>5  6</font>");
    ck_assert_int_gt(asked, 1);
    expect_rendered(text);
    free(text);
}
END_TEST

START_TEST(a_dump_after_a_run_shows_values)
{
    char *text = NULL;
    size_t size;
    float values[24] = {0};
    tg_plan *plan = tg_compile(graph, loss);
    ck_assert_int_eq(tg_feed(plan, x, values, sizeof values), TG_OK);
    ck_assert_int_eq(tg_run(plan), TG_OK);
    FILE *out = open_memstream(&text, &size);
    ck_assert_int_eq(tg_dump(out, graph, plan, tg_dot_defaults()), TG_OK);
    fclose(out);
    expect_node(text, bias, ">1  1</font>");
    expect_node(text, loss, ">0.5344</font>"); /* sigmoid(1)^2 */
    expect_rendered(text);
    free(text);
    out = open_memstream(&text, &size);
    ck_assert_int_eq(tg_dump_plan(out, plan, tg_dot_defaults()), TG_OK);
    fclose(out);
    expect(text, "fused, ");
    expect_rendered(text);
    free(text);
    tg_plan_free(plan);
}
END_TEST

START_TEST(shares_fill_boxes)
{
    double *shares = calloc((size_t)tg_graph_count(graph), sizeof *shares);
    int32_t product = tg_tensor_node(h)->inputs[0]; /* the sum */
    shares[h.id] = 0.5;
    shares[product] = 0.25;
    tg_dot_options options = tg_dot_defaults();
    options.shares = shares;
    options.shares_of = "time";
    char *text = picture(options);
    expect(text, "share of the time");
    expect_node(text, h, "<b>50.0 %</b>");
    expect_node(text, h, "fillcolor=\"#ffae5c\"");
    expect_node(text, (tg_tensor){graph, product}, "<b>25.0 %</b>");
    expect_node(text, loss, "fillcolor=\"#ffffff\"");
    ck_assert_int_eq(occurrences(text, " %</b>"), 2);
    expect_rendered(text);
    free(text);
    free(shares);
}
END_TEST

START_TEST(a_timed_plan_is_filled_by_time)
{
    char *text = NULL;
    size_t size;
    float pixels[24] = {0};
    tg_plan *plan = tg_compile(graph, loss);
    ck_assert_int_eq(tg_plan_profile(plan, true), TG_OK);
    ck_assert_int_eq(tg_feed(plan, x, pixels, sizeof pixels), TG_OK);
    ck_assert_int_eq(tg_run(plan), TG_OK);
    FILE *out = open_memstream(&text, &size);
    ck_assert_int_eq(tg_dump_plan(out, plan, tg_dot_defaults()), TG_OK);
    fclose(out);
    expect(text, "share of the time");
    expect(text, "#ffae5c");
    expect_rendered(text);
    free(text);
    tg_plan_free(plan);
}
END_TEST

START_TEST(failures_are_told)
{
    FILE *full = fopen("/dev/full", "w");
    if (full) {
        setvbuf(full, NULL, _IONBF, 0);
        ck_assert_int_eq(tg_dot(full, graph, tg_dot_defaults()), TG_ERROR_IO);
        fclose(full);
    }
    failing_allocator memory = {0};
    tg_context_options settings = harness_options();
    settings.allocator = failing_allocator_interface(&memory);
    tg_context *c = tg_context_new(settings);
    tg_variables *v = tg_variables_new(c, 1);
    tg_graph *g = tg_graph_new(v, TG_TRAINING);
    tg_input(g, "x", TG_F32, TG_SCALAR);
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    for (int later = 1; later <= 2; later++) {
        memory.refuse = memory.requests + later;
        ck_assert_int_eq(tg_dot(out, g, tg_dot_defaults()), TG_ERROR_MEMORY);
    }
    memory.refuse = 0;
    ck_assert_int_eq(tg_dot(out, g, tg_dot_defaults()), TG_OK);
    fclose(out);
    free(text);
    tg_graph_free(g);
    tg_variables_free(v);
    tg_context_free(c);
    ck_assert_int_eq(memory.live, 0);
}
END_TEST

START_TEST(an_empty_graph_is_a_picture)
{
    tg_graph *empty = tg_graph_new(variables, TG_TRAINING), *full = graph;
    graph = empty;
    char *text = picture(tg_dot_defaults());
    graph = full;
    expect_rendered(text);
    free(text);
    tg_graph_free(empty);
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("dot");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, forward_graph);
    tcase_add_test(tests, the_same_graph_gives_the_same_bytes);
    tcase_add_test(tests, backward_pass);
    tcase_add_test(tests, updates_are_one_box_for_each_variable);
    tcase_add_test(tests, groups_are_one_box);
    tcase_add_loop_test(tests, a_compiled_product_stands_with_its_parameter, 0, 2);
    tcase_add_test(tests, a_group_of_both_passes_is_drawn_forward);
    tcase_add_test(tests, long_groups_are_cut_short);
    tcase_add_test(tests, fills_notes_and_alarm);
    tcase_add_test(tests, options_of_zeros_show_nothing_but_the_graph);
    tcase_add_test(tests, small_tensors_show_their_values);
    tcase_add_test(tests, a_dump_after_a_run_shows_values);
    tcase_add_test(tests, shares_fill_boxes);
    tcase_add_test(tests, a_timed_plan_is_filled_by_time);
    tcase_add_test(tests, failures_are_told);
    tcase_add_test(tests, an_empty_graph_is_a_picture);
    return harness_run("dot", tests);
}
