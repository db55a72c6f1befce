#include <math.h>
#include <stdio.h>
#include <string.h>

#include "failing_allocator.h"
#include "harness.h"
#include "ops/ops.h"
#include "train/layers.h"
#include "train/model.h"

/* Rows of four bytes in three classes: the class is how many of the first two bytes exceed 127. */
enum { ROWS = 600, BYTES = 4, CLASSES = 3 };
static uint8_t x[ROWS][BYTES];
static int32_t y[ROWS], order[ROWS];
static const tg_rows data = {x, y, ROWS};

static tg_context *context;
static tg_variables *variables;
static tg_model *model;
static double input_scale; /* of the network's input: where it is huge, training diverges */

static tg_tensor network(tg_tensor bytes, void *user)
{
    tg_tensor h = tg_cast(bytes, TG_FLOAT);
    h = tg_mul(h, tg_scalar(h, *(double *)user));
    return tg_dense(tg_activation_layer(tg_dense(h, 8, NULL), TG_ACTIVATION_TANH, NULL), CLASSES, NULL);
}

static tg_tensor loss(tg_tensor logits, tg_tensor labels, void *user)
{
    (void)user;
    return tg_cross_entropy(logits, labels);
}

static tg_tensor predict(tg_tensor logits, void *user)
{
    (void)user;
    return tg_softmax(logits, -1);
}

static tg_model_options options(void)
{
    return (tg_model_options){.input = {TG_U8, TG_SHAPE(BYTES)},
                              .target = {TG_I32, TG_SCALAR},
                              .network = network,
                              .loss = loss,
                              .predict = predict,
                              .user = &input_scale,
                              .classes = CLASSES,
                              .optimizer = tg_adam_defaults(),
                              .evaluation_batch = 128};
}

static void setup(void)
{
    for (int i = 0; i < ROWS; i++) {
        for (int k = 0; k < BYTES; k++)
            x[i][k] = (uint8_t)((i * 37 + k * 101 + i * i % 251 * (k + 1)) % 256);
        y[i] = (x[i][0] > 127) + (x[i][1] > 127);
        order[i] = i;
    }
    input_scale = 1.0 / 255;
    context = harness_context(2);
    variables = tg_variables_new(context, 3);
    model = tg_model_new(variables, options());
    ck_assert_ptr_nonnull(model);
}

static void teardown(void)
{
    tg_model_free(model);
    tg_model_free(NULL);
    tg_variables_free(variables);
    tg_context_free(context);
}

#define ASSERT_OK(call) ck_assert_msg((call) == TG_OK, "%s", tg_model_error(model))

static void assert_error(const char *part)
{
    ck_assert_msg(!strstr(tg_model_error(model), "train/"), "a place in the library: %s", tg_model_error(model));
    ck_assert_msg(strstr(tg_model_error(model), part) != NULL, "\"%s\" lacks \"%s\"", tg_model_error(model), part);
}

START_TEST(any_number_of_rows_is_predicted_alike)
{
    static float all[ROWS][CLASSES], some[ROWS][CLASSES];
    static const int counts[] = {0, 1, 7, 128, 129, 300};
    ASSERT_OK(tg_model_predict(model, x, ROWS, all, sizeof all));
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        size_t bytes = (size_t)counts[i] * sizeof *some;
        ASSERT_OK(tg_model_predict(model, x, counts[i], some, bytes));
        ck_assert(memcmp(some, all, bytes) == 0);
    }
    for (int i = 0; i < ROWS; i += 97) {
        ASSERT_OK(tg_model_predict(model, x[i], 1, some, sizeof *some));
        ck_assert_mem_eq(some, all[i], sizeof *some);
        ck_assert_float_eq_tol(all[i][0] + all[i][1] + all[i][2], 1, 1e-6f);
    }
}
END_TEST

START_TEST(a_prediction_has_a_type)
{
    tg_type type;
    ASSERT_OK(tg_model_prediction(model, &type));
    ck_assert_int_eq(type.dtype, TG_F32);
    ck_assert(tg_shape_equal(type.shape, TG_SHAPE(CLASSES)));
}
END_TEST

START_TEST(scores_are_means_over_all_rows)
{
    static float p[ROWS][CLASSES];
    tg_scores scores;
    int64_t confusion[CLASSES * CLASSES], expected[CLASSES * CLASSES] = {0};
    double total = 0, hits = 0;
    ASSERT_OK(tg_model_evaluate(model, data, &scores, confusion));
    ASSERT_OK(tg_model_predict(model, x, ROWS, p, sizeof p));
    for (int i = 0; i < ROWS; i++) {
        int best = p[i][1] > p[i][0] ? 1 : 0;
        best = p[i][2] > p[i][best] ? 2 : best;
        total -= log((double)p[i][y[i]]);
        hits += best == y[i];
        expected[y[i] * CLASSES + best]++;
    }
    ck_assert_double_eq_tol(scores.loss, total / ROWS, 1e-6);
    ck_assert_double_eq(scores.accuracy, hits / ROWS);
    ck_assert_mem_eq(confusion, expected, sizeof expected);
    tg_rows seven = {x, y, 7};
    ASSERT_OK(tg_model_evaluate(model, seven, &scores, confusion));
    int64_t sum = 0;
    for (int i = 0; i < CLASSES * CLASSES; i++)
        sum += confusion[i];
    ck_assert_int_eq(sum, 7);
}
END_TEST

START_TEST(training_lowers_the_loss)
{
    tg_scores before, during, after;
    ASSERT_OK(tg_model_evaluate(model, data, &before, NULL));
    ASSERT_OK(tg_model_reset_scores(model));
    tg_model_set_learning_rate(model, 0.01);
    for (int epoch = 0; epoch < 60; epoch++)
        for (int first = 0; first < ROWS; first += 64)
            ASSERT_OK(tg_model_train(model, data, order + first, ROWS - first < 64 ? ROWS - first : 64));
    ASSERT_OK(tg_model_read_scores(model, &during));
    ASSERT_OK(tg_model_evaluate(model, data, &after, NULL));
    ck_assert_double_lt(during.loss, before.loss);
    ck_assert_double_lt(after.loss, 0.5 * before.loss);
    ck_assert_double_gt(after.accuracy, 0.85);
    double steps, counted;
    ck_assert_int_eq(tg_variables_read(variables, "adam/iterations", &steps, sizeof steps), TG_OK);
    ck_assert_double_eq(steps, 60 * 10); /* batches of 64 and of 24 count as one kind */
    ck_assert_int_eq(tg_variables_read(variables, "metrics/loss/count", &counted, sizeof counted), TG_OK);
    ck_assert_double_eq(counted, ROWS);
}
END_TEST

START_TEST(the_learning_rate_needs_no_other_plan)
{
    float before[8], after[8];
    ck_assert_double_eq(tg_model_learning_rate(model), 0.001);
    tg_model_set_learning_rate(model, 0);
    ASSERT_OK(tg_model_train(model, data, order, 32));
    ck_assert_int_eq(tg_variables_read(variables, "dense/bias", before, sizeof before), TG_OK);
    ASSERT_OK(tg_model_train(model, data, order, 32));
    ck_assert_int_eq(tg_variables_read(variables, "dense/bias", after, sizeof after), TG_OK);
    ck_assert_mem_eq(before, after, sizeof before);
    tg_model_set_learning_rate(model, 0.5);
    ASSERT_OK(tg_model_train(model, data, order, 32));
    ck_assert_int_eq(tg_variables_read(variables, "dense/bias", after, sizeof after), TG_OK);
    ck_assert_mem_ne(before, after, sizeof before);
    ck_assert_double_eq(tg_model_learning_rate(model), 0.5);
}
END_TEST

START_TEST(more_sizes_than_the_cache_holds_are_fine)
{
    static float first[40][CLASSES], again[40][CLASSES];
    for (int round = 0; round < 2; round++)
        for (int n = 1; n <= 40; n++)
            ASSERT_OK(tg_model_predict(model, x, n, round ? again : first, (size_t)n * sizeof *first));
    ck_assert_mem_eq(first, again, sizeof first);
}
END_TEST

START_TEST(a_step_that_diverges_changes_nothing)
{
    static float before[BYTES * 8], after[BYTES * 8];
    double steps;
    tg_nonfinite found;
    ASSERT_OK(tg_model_train(model, data, order, 32));
    ck_assert_int_eq(tg_variables_read(variables, "dense/kernel", before, sizeof before), TG_OK);
    input_scale = 1e39; /* infinity in f32: the plan for 33 rows, made now, scales by it */
    ck_assert_int_eq(tg_model_train(model, data, order, 33), TG_ERROR_NONFINITE);
    ck_assert_int_eq(tg_variables_read(variables, "dense/kernel", after, sizeof after), TG_OK);
    ck_assert_mem_eq(before, after, sizeof before);
    ck_assert_int_eq(tg_variables_read(variables, "adam/iterations", &steps, sizeof steps), TG_OK);
    ck_assert_double_eq(steps, 1);
    assert_error("so no variable was changed: tg_model_find_nonfinite() names ");
    ASSERT_OK(tg_model_find_nonfinite(model, &found));
    ck_assert_int_ge(found.node, 0);
    ck_assert_msg(strstr(found.message, "test_model.c:") != NULL, "%s", found.message);
    const tg_graph *graph = tg_model_failed_graph(model);
    ck_assert_ptr_nonnull(graph);
    ck_assert_int_lt(found.node, tg_graph_count(graph));
    ck_assert(tg_graph_node(graph, found.node)->where.line > 0);
}
END_TEST

/* Each node of each graph has a place in this file: that of a function of the options, or of the call that made the model. */
START_TEST(places_are_the_user_s)
{
    static const tg_model_stage stages[] = {TG_STAGE_PREDICTION, TG_STAGE_EVALUATION, TG_STAGE_LOSS, TG_STAGE_TRAINING};
    tg_model_free(model);
    int made = __LINE__ + 1, own = 0;
    model = tg_model_new(variables, options());
    const tg_plan *plan = tg_model_plan(model, data, 8);
    ck_assert_ptr_nonnull(plan);
    for (int i = 0; i < 9; i++) {
        tg_graph *recorded = i < 8 ? tg_model_record(model, stages[i / 2], i % 2 ? ROWS : 0, 8, NULL) : NULL;
        const tg_graph *graph = i < 8 ? recorded : tg_plan_graph(plan);
        ck_assert_ptr_nonnull(graph);
        for (int32_t id = 0; id < tg_graph_count(graph); id++) {
            const tg_node *node = tg_graph_node(graph, id);
            ck_assert_msg(node->where.file && strstr(node->where.file, "test_model.c"), "%s of %s is from %s:%d", node->op->name,
                          node->scope, node->where.file, node->where.line);
            own += node->where.line == made;
        }
        tg_graph_free(recorded);
    }
    ck_assert_int_gt(own, 50);
}
END_TEST

START_TEST(wrong_arguments_are_told)
{
    float p[CLASSES];
    tg_scores scores;
    tg_nonfinite found;
    int32_t outside = ROWS;
    tg_rows no_targets = {x, NULL, ROWS};
    ck_assert_int_eq(tg_model_train(model, data, order, 0), TG_ERROR_ARGUMENT);
    assert_error("a batch must have at least one row");
    ck_assert_int_eq(tg_model_train(model, data, order, ROWS + 1), TG_ERROR_ARGUMENT);
    ck_assert_int_eq(tg_model_train(model, no_targets, order, 8), TG_ERROR_ARGUMENT);
    ck_assert_int_eq(tg_model_evaluate(model, no_targets, &scores, NULL), TG_ERROR_ARGUMENT);
    ck_assert_int_eq(tg_model_predict(model, x, 2, p, sizeof p), TG_ERROR_ARGUMENT);
    ck_assert_ptr_null(tg_model_failed_graph(model));
    ck_assert_int_eq(tg_model_find_nonfinite(model, &found), TG_ERROR_ARGUMENT);
    assert_error("no run has failed");
    ck_assert_int_eq(tg_model_train(model, data, &outside, 1), TG_ERROR_RANGE);
    assert_error("out of range");
    ck_assert_int_eq(tg_model_train(model, data, NULL, 1), TG_ERROR_ARGUMENT);
    assert_error("indices of the rows to train on are NULL");
    tg_model_options incomplete = options();
    incomplete.loss = NULL;
    ck_assert_ptr_null(tg_model_new(variables, incomplete));
    ck_assert_ptr_null(tg_model_new(NULL, options()));
}
END_TEST

/* A wrong label or row is named as the user's data has it, beside the node that met it. */
START_TEST(rows_out_of_range_are_named)
{
    static const int32_t wrong[] = {CLASSES, -1, INT32_MAX, INT32_MIN};
    const int32_t batch[] = {5, 437, 6}, outside[] = {1, ROWS};
    tg_scores scores;
    char sentence[256];
    for (int i = 0; i < 4; i++) {
        y[437] = wrong[i];
        ck_assert_int_eq(tg_model_train(model, data, batch, 3), TG_ERROR_RANGE);
        snprintf(sentence, sizeof sentence,
                 "model: the label of row 437 (from 0) is %d, but the model has 3 classes, 0 to 2: ", (int)wrong[i]);
        assert_error(sentence);
        snprintf(sentence, sizeof sentence, " of layer loss failed: index %d at [1] is out of range: there are 3, from 0 (",
                 (int)wrong[i]);
        assert_error(sentence);
        assert_error("test_model.c:");
        ck_assert_int_eq(tg_model_evaluate(model, data, &scores, NULL), TG_ERROR_RANGE);
        assert_error("model: the label of row 437 (from 0) is ");
        assert_error(" at [53] is out of range"); /* of the fourth batch of 128 */
    }
    y[437] = 0;
    ck_assert_int_eq(tg_model_train(model, data, outside, 2), TG_ERROR_RANGE);
    assert_error("model: the batch takes row 600, but the data has 600 rows, from 0: gather ");
    assert_error(" failed: index 600 at [1] is out of range: there are 600, from 0");
    ASSERT_OK(tg_model_train(model, data, batch, 3));
}
END_TEST

static tg_tensor loss_of_bytes(tg_tensor logits, tg_tensor labels, void *user)
{
    return loss(logits, tg_cast(labels, TG_I32), user);
}

START_TEST(labels_may_be_bytes)
{
    static uint8_t labels[ROWS];
    const int32_t batch[] = {7, 8};
    tg_model_options bytes = options();
    bytes.target.dtype = TG_U8;
    bytes.loss = loss_of_bytes;
    tg_model_free(model);
    model = tg_model_new(variables, bytes);
    ASSERT_OK(tg_model_train(model, (tg_rows){x, labels, ROWS}, batch, 2));
    labels[8] = 255;
    ck_assert_int_eq(tg_model_train(model, (tg_rows){x, labels, ROWS}, batch, 2), TG_ERROR_RANGE);
    assert_error("model: the label of row 8 (from 0) is 255, but the model has 3 classes, 0 to 2: ");
}
END_TEST

START_TEST(rows_of_eight_axes_are_too_many)
{
    const float values[2] = {1, 2};
    const tg_rows deep_data = {values, y, 2};
    tg_scores scores;
    tg_model_options deep = options();
    deep.input = (tg_type){TG_F32, TG_SHAPE(1, 1, 1, 1, 1, 1, 1, 1)};
    tg_model_free(model);
    model = tg_model_new(variables, deep);
    ck_assert_int_ne(tg_model_evaluate(model, deep_data, &scores, NULL), TG_OK);
    assert_error("more than 8 axes");
    ck_assert_int_ne(tg_model_train(model, deep_data, order, 2), TG_OK);
    assert_error("more than 8 axes");
}
END_TEST

static tg_tensor narrow_network(tg_tensor bytes, void *user)
{
    (void)user;
    return tg_dense(tg_cast(bytes, TG_FLOAT), CLASSES - 1, "narrow");
}

static tg_tensor total_loss(tg_tensor logits, tg_tensor labels, void *user)
{
    (void)user;
    return tg_sum(tg_cross_entropy(logits, labels), TG_ALL_AXES);
}

static tg_tensor one_prediction(tg_tensor logits, void *user)
{
    (void)user;
    return tg_sum(logits, TG_ALL_AXES);
}

static tg_tensor no_network(tg_tensor bytes, void *user)
{
    (void)bytes, (void)user;
    return tg_none();
}

static tg_tensor no_loss(tg_tensor logits, tg_tensor labels, void *user)
{
    (void)logits, (void)labels, (void)user;
    return tg_none();
}

static tg_tensor open_network(tg_tensor bytes, void *user)
{
    tg_layer_begin(bytes.graph, "Block", "block", false);
    tg_layer_end(tg_none());
    (void)user;
    return tg_dense(tg_cast(bytes, TG_FLOAT), CLASSES, NULL);
}

START_TEST(functions_that_give_no_tensor_are_told)
{
    float p[CLASSES];
    tg_model_options wrong = options();
    wrong.network = no_network;
    tg_model_free(model);
    model = tg_model_new(variables, wrong);
    ck_assert_int_eq(tg_model_predict(model, x, 1, p, sizeof p), TG_ERROR_GRAPH);
    assert_error("its network, loss, metric or predict function gave no tensor");
    ck_assert_int_eq(tg_model_train(model, data, order, 8), TG_ERROR_GRAPH);
    wrong.network = open_network;
    tg_model_free(model);
    model = tg_model_new(variables, wrong);
    ck_assert_int_eq(tg_model_predict(model, x, 1, p, sizeof p), TG_ERROR_GRAPH);
    assert_error("layer \"block\" is still open: its tg_layer_end() is missing, or was given a tensor of no graph");
    wrong = options();
    wrong.loss = no_loss;
    tg_model_free(model);
    model = tg_model_new(variables, wrong);
    ck_assert_int_eq(tg_model_train(model, data, order, 8), TG_ERROR_GRAPH);
    assert_error("its network, loss, metric or predict function gave no tensor");
    wrong = options();
    wrong.metric = no_loss;
    tg_model_free(model);
    model = tg_model_new(variables, wrong);
    ck_assert_int_eq(tg_model_train(model, data, order, 8), TG_ERROR_GRAPH);
    assert_error("its network, loss, metric or predict function gave no tensor");
}
END_TEST

START_TEST(functions_with_wrong_shapes_are_told)
{
    float p[CLASSES];
    tg_model_options wrong = options();
    wrong.network = narrow_network;
    tg_model_free(model);
    model = tg_model_new(variables, wrong);
    ck_assert_int_eq(tg_model_train(model, data, order, 8), TG_ERROR_GRAPH);
    assert_error("the network's outputs for 3 classes must be [8, 3], not [8, 2]");
    wrong = options();
    wrong.loss = total_loss;
    tg_model_free(model);
    model = tg_model_new(variables, wrong);
    ck_assert_int_eq(tg_model_train(model, data, order, 8), TG_ERROR_GRAPH);
    assert_error("the loss must be one for each row, [8], not []");
    wrong = options();
    wrong.predict = one_prediction;
    tg_model_free(model);
    model = tg_model_new(variables, wrong);
    ck_assert_int_eq(tg_model_predict(model, x, 1, p, sizeof p), TG_ERROR_GRAPH);
    assert_error("the predictions must have the batch's 1 rows, not the shape []");
}
END_TEST

static tg_tensor line(tg_tensor in, void *user)
{
    (void)user;
    return tg_dense(in, 1, "line");
}

static tg_tensor squared_error(tg_tensor out, tg_tensor target, void *user)
{
    (void)user;
    return tg_mean_squared_error(out, target);
}

static tg_tensor absolute_error(tg_tensor out, tg_tensor target, void *user)
{
    (void)user;
    return tg_mean_absolute_error(out, target);
}

static tg_tensor one_for_all(tg_tensor out, tg_tensor target, void *user)
{
    return tg_mean(absolute_error(out, target, user), TG_ALL_AXES);
}

START_TEST(a_regression_has_a_loss_and_a_metric)
{
    static double in[ROWS], target[ROWS], p[3];
    int64_t counts[1];
    tg_scores scores;
    tg_variables *f64 = tg_variables_cast(variables, TG_F64);
    tg_model_options plain = {.input = {TG_FLOAT, TG_SHAPE(1)},
                              .target = {TG_FLOAT, TG_SHAPE(1)},
                              .network = line,
                              .loss = squared_error,
                              .metric = absolute_error,
                              .optimizer = tg_sgd_defaults()};
    for (int i = 0; i < ROWS; i++) {
        in[i] = i / (double)ROWS;
        target[i] = 3 * in[i] - 1;
    }
    tg_model_free(model);
    model = tg_model_new(f64, plain);
    tg_rows rows = {in, target, ROWS};
    tg_model_set_learning_rate(model, 0.5);
    ASSERT_OK(tg_model_evaluate(model, rows, &scores, NULL));
    double mean = 0, kernel, bias;
    ASSERT_OK(tg_variables_read(f64, "line/kernel", &kernel, sizeof kernel));
    ASSERT_OK(tg_variables_read(f64, "line/bias", &bias, sizeof bias));
    for (int i = 0; i < ROWS; i++)
        mean += fabs(kernel * in[i] + bias - target[i]) / ROWS;
    ck_assert_double_eq_tol(scores.metric, mean, 1e-12);
    for (int step = 0; step < 300; step++)
        ASSERT_OK(tg_model_train(model, rows, order, ROWS));
    ASSERT_OK(tg_model_read_scores(model, &scores));
    ck_assert(scores.metric > 0 && scores.metric < mean);
    ASSERT_OK(tg_model_evaluate(model, rows, &scores, NULL));
    ck_assert(scores.loss < 1e-12 && scores.accuracy == 0 && scores.metric < 1e-6);
    ASSERT_OK(tg_model_predict(model, in, 3, p, sizeof p));
    ck_assert_double_eq_tol(p[2], 3 * in[2] - 1, 1e-5);
    ck_assert_int_eq(tg_model_evaluate(model, rows, &scores, counts), TG_ERROR_ARGUMENT);
    assert_error("only a classifier has a confusion matrix");
    tg_model_free(model);
    plain.metric = one_for_all;
    model = tg_model_new(f64, plain);
    ck_assert_int_eq(tg_model_evaluate(model, rows, &scores, NULL), TG_ERROR_GRAPH);
    assert_error("the metric must be one for each row, [");
    tg_model_free(model);
    model = NULL;
    tg_variables_free(f64);
}
END_TEST

START_TEST(graphs_can_be_looked_at)
{
    static const struct {
        tg_model_stage stage;
        tg_mode mode;
        bool assigns;
    } cases[] = {{TG_STAGE_PREDICTION, TG_EVALUATION, false},
                 {TG_STAGE_EVALUATION, TG_EVALUATION, true},
                 {TG_STAGE_LOSS, TG_TRAINING, false},
                 {TG_STAGE_TRAINING, TG_TRAINING, true}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tg_tensor output;
        bool assigns = false;
        tg_graph *graph = tg_model_record(model, cases[i].stage, ROWS, 16, &output);
        ck_assert_ptr_nonnull(graph);
        ck_assert(tg_ok(output) && output.graph == graph);
        ck_assert_int_eq(tg_graph_mode(graph), cases[i].mode);
        for (int32_t id = 0; id < tg_graph_count(graph); id++)
            assigns |= (tg_graph_node(graph, id)->op->traits & TG_EFFECT) != 0;
        ck_assert(assigns == cases[i].assigns);
        tg_graph_free(graph);
    }
    ck_assert_uint_gt(tg_plan_describe(tg_model_plan(model, data, 16)).workspace_bytes, 0);
}
END_TEST

/* Every request for memory is refused in turn; each refusal is an error, and nothing leaks. */
START_TEST(memory_may_run_out_anywhere)
{
    bool passed = false;
    for (long refuse = 1; !passed; refuse++) {
        failing_allocator counter = {.refuse = refuse};
        tg_context_options scarce = harness_options();
        scarce.threads = 1;
        scarce.allocator = failing_allocator_interface(&counter);
        tg_context *poor = tg_context_new(scarce);
        tg_variables *store = poor ? tg_variables_new(poor, 1) : NULL;
        tg_model *small = store ? tg_model_new(store, options()) : NULL;
        float p[5][CLASSES];
        tg_scores scores;
        tg_status status = small ? tg_model_train(small, data, order, 16) : TG_ERROR_MEMORY;
        if (status == TG_OK)
            status = tg_model_evaluate(small, (tg_rows){x, y, 20}, &scores, NULL);
        if (status == TG_OK)
            status = tg_model_predict(small, x, 5, p, sizeof p);
        passed = status == TG_OK;
        ck_assert(passed || status == TG_ERROR_MEMORY || status == TG_ERROR_GRAPH);
        if (status == TG_ERROR_GRAPH)
            ck_assert_msg(strstr(tg_model_error(small), "memory") != NULL, "%s", tg_model_error(small));
        tg_model_free(small);
        tg_variables_free(store);
        tg_context_free(poor);
        ck_assert_int_eq(counter.live, 0);
        ck_assert_uint_eq(counter.held, 0);
    }
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("model");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, any_number_of_rows_is_predicted_alike);
    tcase_add_test(tests, a_prediction_has_a_type);
    tcase_add_test(tests, scores_are_means_over_all_rows);
    tcase_add_test(tests, training_lowers_the_loss);
    tcase_add_test(tests, the_learning_rate_needs_no_other_plan);
    tcase_add_test(tests, more_sizes_than_the_cache_holds_are_fine);
    tcase_add_test(tests, a_step_that_diverges_changes_nothing);
    tcase_add_test(tests, places_are_the_user_s);
    tcase_add_test(tests, wrong_arguments_are_told);
    tcase_add_test(tests, rows_out_of_range_are_named);
    tcase_add_test(tests, labels_may_be_bytes);
    tcase_add_test(tests, rows_of_eight_axes_are_too_many);
    tcase_add_test(tests, functions_that_give_no_tensor_are_told);
    tcase_add_test(tests, functions_with_wrong_shapes_are_told);
    tcase_add_test(tests, a_regression_has_a_loss_and_a_metric);
    tcase_add_test(tests, graphs_can_be_looked_at);
    tcase_add_test(tests, memory_may_run_out_anywhere);
    return harness_run("model", tests);
}
