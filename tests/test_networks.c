#include <string.h>

#include "graph/rebuild.h"
#include "harness.h"
#include "models/networks.h"
#include "ops/ops.h"
#include "train/model.h"
#include "train/summary.h"

enum { ROWS = 8, PIXELS = 784 };
static uint8_t images[ROWS][PIXELS];
static int32_t labels[ROWS], order[ROWS];

static tg_context *context;
static network_settings settings;

static void setup(void)
{
    context = harness_context(2);
    settings = network_defaults();
    for (int i = 0; i < ROWS; i++) {
        labels[i] = i;
        order[i] = i;
        for (int k = 0; k < PIXELS; k++)
            images[i][k] = (uint8_t)((i * 131 + k * 7 + k * k % 113 * i) % 256);
    }
}

static void teardown(void) { tg_context_free(context); }

typedef struct expected_row {
    const char *kind;
    int64_t dims[4]; /* after the batch, until a 0 */
    int64_t parameters;
    double multiply_adds;
} expected_row;

static void assert_rows(tg_tensor output, const expected_row *expected, int n)
{
    tg_summary_row rows[16];
    ck_assert(tg_ok(output));
    ck_assert_int_eq(tg_summary_rows(output, rows, 16), n);
    for (int i = 0; i < n; i++) {
        ck_assert_str_eq(rows[i].layer->kind, expected[i].kind);
        ck_assert_int_eq(rows[i].parameters, expected[i].parameters);
        ck_assert_double_eq(rows[i].multiply_adds, expected[i].multiply_adds);
        for (int k = 1; k < rows[i].shape.rank; k++)
            ck_assert_int_eq(rows[i].shape.dims[k], expected[i].dims[k - 1]);
        ck_assert(rows[i].shape.rank == 5 || expected[i].dims[rows[i].shape.rank - 1] == 0);
    }
}

START_TEST(fcnn_is_the_notebook_s)
{
    static const expected_row expected[] = {{"Dense", {100}, 78500, 78400},
                                            {"Activation", {100}, 0, 0},
                                            {"Dense", {50}, 5050, 5000},
                                            {"Activation", {50}, 0, 0},
                                            {"Dense", {10}, 510, 500}};
    tg_variables *variables = tg_variables_new(context, 1);
    tg_graph *graph = tg_graph_new(variables, TG_EVALUATION);
    tg_tensor x = scale_pixels(tg_input(graph, "x", TG_U8, TG_SHAPE(3, PIXELS)));
    assert_rows(fcnn(x, &settings), expected, 5);
    tg_graph_free(graph);
    tg_variables_free(variables);
}
END_TEST

START_TEST(cnn_is_the_notebook_s)
{
    static const expected_row expected[] = {{"Conv2D", {26, 26, 32}, 320, 26 * 26 * 32 * 9},
                                            {"MaxPooling2D", {13, 13, 32}, 0, 0},
                                            {"Conv2D", {11, 11, 64}, 18496, 11 * 11 * 64 * 288},
                                            {"MaxPooling2D", {5, 5, 64}, 0, 0},
                                            {"Flatten", {1600}, 0, 0},
                                            {"Dense", {10}, 16010, 16000}};
    tg_variables *variables = tg_variables_new(context, 1);
    tg_graph *graph = tg_graph_new(variables, TG_EVALUATION);
    tg_tensor x = scale_pixels(tg_input(graph, "x", TG_U8, TG_SHAPE(3, 28, 28, 1)));
    assert_rows(cnn(x, &settings), expected, 6);
    tg_graph_free(graph);
    tg_variables_free(variables);
}
END_TEST

START_TEST(probabilities_are_a_layer_where_the_notebook_has_one)
{
    tg_variables *variables = tg_variables_new(context, 1);
    tg_graph *graph = tg_graph_new(variables, TG_EVALUATION);
    const float logits[] = {0, 0, 0, 0};
    float values[4];
    tg_tensor x = tg_constant(graph, TG_F32, TG_SHAPE(1, 4), logits, sizeof logits);
    tg_tensor plain = cnn_probabilities(x);
    ck_assert_int_eq(tg_graph_layer_count(graph), 0);
    tg_tensor layered = fcnn_probabilities(x);
    ck_assert_str_eq(tg_graph_layer(graph, 0)->kind, "Activation");
    ck_assert_int_eq(tg_eval(plain, values, sizeof values), TG_OK);
    ck_assert_float_eq(values[3], 0.25f);
    ck_assert_int_eq(tg_eval(layered, values, sizeof values), TG_OK);
    ck_assert_float_eq(values[0], 0.25f);
    tg_graph_free(graph);
    tg_variables_free(variables);
}
END_TEST

START_TEST(settings_are_obeyed)
{
    tg_variables *variables = tg_variables_new(context, 1);
    tg_graph *graph = tg_graph_new(variables, TG_EVALUATION);
    settings = (network_settings){
        .hidden = {3, {7, 6, 5}}, .activation = TG_ACTIVATION_RELU, .kernel = {.kind = TG_CONSTANT, .a = 0.25}};
    fcnn(tg_input(graph, "x", TG_F32, TG_SHAPE(2, 4)), &settings);
    ck_assert_int_eq(tg_variables_count(variables), 8);
    ck_assert_float_eq(((const float *)tg_variable_data(tg_variables_find(variables, "dense_2/kernel")))[6 * 5 - 1], 0.25f);
    int relus = 0;
    for (int32_t id = 0; id < tg_graph_count(graph); id++)
        relus += strcmp(tg_graph_node(graph, id)->op->name, "relu") == 0;
    ck_assert_int_eq(relus, 3);
    tg_graph_free(graph);
    tg_variables_free(variables);
}
END_TEST

START_TEST(convolutions_are_by_settings)
{
    static const expected_row expected[] = {{"Conv2D", {24, 24, 4}, 104, 24 * 24 * 4 * 25},
                                            {"MaxPooling2D", {12, 12, 4}, 0, 0},
                                            {"Conv2D", {8, 8, 6}, 606, 8 * 8 * 6 * 100},
                                            {"MaxPooling2D", {4, 4, 6}, 0, 0},
                                            {"Flatten", {96}, 0, 0},
                                            {"Dropout", {96}, 0, 0},
                                            {"Dense", {10}, 970, 960}};
    tg_variables *variables = tg_variables_new(context, 1);
    tg_graph *graph = tg_graph_new(variables, TG_TRAINING);
    settings.filters = (tg_integer_list){2, {4, 6}};
    settings.kernel_size = 5;
    settings.dropout = 0.5;
    assert_rows(cnn(tg_input(graph, "x", TG_F32, TG_SHAPE(3, 28, 28, 1)), &settings), expected, 7);
    tg_graph_free(graph);
    tg_variables_free(variables);
}
END_TEST

START_TEST(each_hidden_layer_may_drop_out)
{
    static const expected_row expected[] = {{"Dense", {100}, 78500, 78400}, {"Activation", {100}, 0, 0}, {"Dropout", {100}, 0, 0},
                                            {"Dense", {50}, 5050, 5000},    {"Activation", {50}, 0, 0},  {"Dropout", {50}, 0, 0},
                                            {"Dense", {10}, 510, 500}};
    tg_variables *variables = tg_variables_new(context, 1);
    tg_graph *graph = tg_graph_new(variables, TG_TRAINING);
    settings.dropout = 0.25;
    assert_rows(fcnn(tg_input(graph, "x", TG_F32, TG_SHAPE(3, PIXELS)), &settings), expected, 7);
    tg_graph_free(graph);
    tg_variables_free(variables);
}
END_TEST

/* 28, (28 - 2) / 2 = 13, 5, 1: the third convolution has 5x5 to work on, the fourth 1x1. */
START_TEST(convolutions_that_do_not_fit_are_told)
{
    char message[256];
    ck_assert(cnn_fits(&settings, message, sizeof message));
    settings.filters = (tg_integer_list){3, {1, 1, 1}};
    ck_assert(cnn_fits(&settings, message, sizeof message));
    settings.filters.count = 4;
    ck_assert(!cnn_fits(&settings, message, sizeof message));
    ck_assert_str_eq(message,
                     "convolution 4 of 4 does not fit: its image is 1x1, of which a 3x3 kernel leaves less than the 2x2 that "
                     "pooling needs");
    settings.filters.count = 1;
    settings.kernel_size = 27;
    ck_assert(cnn_fits(&settings, message, sizeof message));
    settings.kernel_size = 28;
    ck_assert(!cnn_fits(&settings, message, sizeof message));
    tg_variables *variables = tg_variables_new(context, 1);
    tg_graph *graph = tg_graph_new(variables, TG_TRAINING);
    ck_assert(!tg_ok(cnn(tg_input(graph, "x", TG_F32, TG_SHAPE(3, 28, 28, 1)), &settings)));
    tg_graph_free(graph);
    tg_variables_free(variables);
}
END_TEST

START_TEST(pixels_are_divided_by_255)
{
    const uint8_t pixels[] = {0, 1, 51, 200, 255};
    float values[5];
    tg_variables *variables = tg_variables_new(context, 1);
    tg_graph *graph = tg_graph_new(variables, TG_EVALUATION);
    tg_tensor scaled = scale_pixels(tg_constant(graph, TG_U8, TG_SHAPE(5), pixels, sizeof pixels));
    ck_assert_int_eq(tg_eval(scaled, values, sizeof values), TG_OK);
    for (int i = 0; i < 5; i++)
        ck_assert_float_eq(values[i], (float)pixels[i] / 255.0f);
    tg_graph_free(graph);
    tg_variables_free(variables);
}
END_TEST

/* ---- one-hot labels and class indices give the same losses ---- */

typedef struct kind {
    tg_tensor (*network)(tg_tensor image, const network_settings *settings);
    bool flat, one_hot;
} kind;

static tg_tensor network(tg_tensor pixels, void *user) { return ((const kind *)user)->network(scale_pixels(pixels), &settings); }

static tg_tensor loss(tg_tensor logits, tg_tensor classes, void *user)
{
    return tg_cross_entropy(logits, ((const kind *)user)->one_hot ? tg_one_hot(classes, CLASSES, TG_FLOAT) : classes);
}

/* The training loss of each of five steps. */
static void losses(kind k, double found[5])
{
    tg_variables *variables = tg_variables_new(context, 2);
    tg_model *model =
        tg_model_new(variables, (tg_model_options){.input = {TG_U8, k.flat ? TG_SHAPE(PIXELS) : TG_SHAPE(28, 28, 1)},
                                                   .target = {TG_I32, TG_SCALAR},
                                                   .network = network,
                                                   .loss = loss,
                                                   .user = &k,
                                                   .classes = CLASSES,
                                                   .optimizer = tg_adam_defaults()});
    for (int step = 0; step < 5; step++) {
        tg_scores scores;
        ck_assert_int_eq(tg_model_train(model, (tg_rows){images, labels, ROWS}, order, ROWS), TG_OK);
        ck_assert_int_eq(tg_model_read_scores(model, &scores), TG_OK);
        ck_assert_int_eq(tg_model_reset_scores(model), TG_OK);
        found[step] = scores.loss;
    }
    tg_model_free(model);
    tg_variables_free(variables);
}

static void assert_same_losses(kind k)
{
    double sparse[5], dense[5];
    losses(k, sparse);
    k.one_hot = true;
    losses(k, dense);
    for (int i = 0; i < 5; i++)
        ck_assert_double_eq_tol(dense[i] / sparse[i], 1, 1e-6);
    ck_assert_double_lt(sparse[4], sparse[0]);
}

START_TEST(fcnn_learns_alike_from_both_labels) { assert_same_losses((kind){fcnn, true, false}); }
END_TEST

START_TEST(cnn_learns_alike_from_both_labels) { assert_same_losses((kind){cnn, false, false}); }
END_TEST

int main(void)
{
    TCase *tests = harness_case("networks");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, fcnn_is_the_notebook_s);
    tcase_add_test(tests, cnn_is_the_notebook_s);
    tcase_add_test(tests, probabilities_are_a_layer_where_the_notebook_has_one);
    tcase_add_test(tests, settings_are_obeyed);
    tcase_add_test(tests, convolutions_are_by_settings);
    tcase_add_test(tests, each_hidden_layer_may_drop_out);
    tcase_add_test(tests, convolutions_that_do_not_fit_are_told);
    tcase_add_test(tests, pixels_are_divided_by_255);
    tcase_add_test(tests, fcnn_learns_alike_from_both_labels);
    tcase_add_test(tests, cnn_learns_alike_from_both_labels);
    return harness_run("networks", tests);
}
