/* What a model says of wrong arguments, data and functions. */
#include "model_fixture.h"

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
        assert_error("model_fixture.h:");
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

int main(void)
{
    TCase *tests = harness_case("model_wrong");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, wrong_arguments_are_told);
    tcase_add_test(tests, rows_out_of_range_are_named);
    tcase_add_test(tests, labels_may_be_bytes);
    tcase_add_test(tests, rows_of_eight_axes_are_too_many);
    tcase_add_test(tests, functions_that_give_no_tensor_are_told);
    tcase_add_test(tests, functions_with_wrong_shapes_are_told);
    return harness_run("model_wrong", tests);
}
