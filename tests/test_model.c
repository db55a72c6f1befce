#include <math.h>

#include "failing_allocator.h"
#include "model_fixture.h"

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
    ck_assert_msg(strstr(found.message, "model_fixture.h:") != NULL, "%s", found.message);
    const tg_graph *graph = tg_model_failed_graph(model);
    ck_assert_ptr_nonnull(graph);
    ck_assert_int_lt(found.node, tg_graph_count(graph));
    ck_assert(tg_graph_node(graph, found.node)->where.line > 0);
}
END_TEST

/* Each node of each graph has a place in this file or its fixture: that of a function of the options, or of the call that made the model. */
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
            const char *file = node->where.file ? node->where.file : "nowhere";
            ck_assert_msg(strstr(file, "test_model.c") || strstr(file, "model_fixture.h"), "%s of %s is from %s:%d",
                          node->op->name, node->scope, node->where.file, node->where.line);
            own += node->where.line == made;
        }
        tg_graph_free(recorded);
    }
    ck_assert_int_gt(own, 50);
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
    tcase_add_test(tests, a_regression_has_a_loss_and_a_metric);
    tcase_add_test(tests, graphs_can_be_looked_at);
    tcase_add_test(tests, memory_may_run_out_anywhere);
    return harness_run("model", tests);
}
