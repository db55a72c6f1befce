#include <string.h>

#include "exec/plan.h"
#include "harness.h"
#include "ops/ops.h"
#include "train/metrics.h"

static tg_context *context;
static tg_variables *variables;
static tg_graph *graph;

static void setup(void)
{
    context = harness_context(2);
    variables = tg_variables_new(context, 1);
    graph = tg_graph_new(variables, TG_EVALUATION);
}

static void teardown(void)
{
    tg_graph_free(graph);
    tg_variables_free(variables);
    tg_context_free(context);
}

/* Accumulates values[0 .. n) in a run of their own, on a graph of their own, and gives the mean so far. */
static double add_values(const float *values, int n)
{
    tg_graph *each = tg_graph_new(variables, TG_TRAINING);
    tg_tensor x = tg_input(each, "x", TG_F32, TG_SHAPE(n)), mean = tg_metric_mean(x, "loss");
    tg_plan *plan = tg_compile(each, mean);
    double result;
    ck_assert_msg(plan != NULL, "%s", tg_graph_error(each));
    ck_assert_int_eq(tg_feed(plan, x, values, (size_t)n * sizeof *values), TG_OK);
    ck_assert_int_eq(tg_run(plan), TG_OK);
    ck_assert_int_eq(tg_read(plan, mean, &result, sizeof result), TG_OK);
    tg_plan_free(plan);
    tg_graph_free(each);
    return result;
}

START_TEST(a_mean_weighs_each_element_once)
{
    const float first[] = {1, 2, 3, 4}, last[] = {10};
    double mean;
    ck_assert_double_eq(add_values(first, 4), 2.5);
    ck_assert_double_eq(add_values(last, 1), 4); /* 20 / 5, and not (2.5 + 10) / 2 */
    ck_assert_int_eq(tg_metric_read_mean(variables, "loss", &mean), TG_OK);
    ck_assert_double_eq(mean, 4);
    ck_assert(!tg_variables_find(variables, "metrics/loss/total")->trainable);
}
END_TEST

START_TEST(a_reset_begins_anew)
{
    const float values[] = {3, 5};
    double mean;
    add_values(values, 2);
    ck_assert_int_eq(tg_metric_reset(variables, "loss"), TG_OK);
    ck_assert_int_eq(tg_metric_read_mean(variables, "loss", &mean), TG_OK);
    ck_assert_double_eq(mean, 0);
    ck_assert_double_eq(add_values(values, 1), 3);
    ck_assert_int_eq(tg_metric_reset(variables, "never recorded"), TG_OK);
}
END_TEST

/* 2^24 + 1 ones do not fit an f32 sum. */
START_TEST(sums_are_f64)
{
    static float values[4096];
    tg_tensor x = tg_input(graph, "x", TG_F32, TG_SHAPE(4096)), mean = tg_metric_mean(x, "loss");
    tg_plan *plan = tg_compile(graph, mean);
    for (int i = 0; i < 4096; i++)
        values[i] = 1;
    ck_assert_int_eq(tg_feed(plan, x, values, sizeof values), TG_OK);
    for (int run = 0; run < 4097; run++)
        ck_assert_int_eq(tg_run(plan), TG_OK);
    double total;
    ck_assert_int_eq(tg_variables_read(variables, "metrics/loss/total", &total, sizeof total), TG_OK);
    ck_assert_double_eq(total, 4097.0 * 4096);
    tg_plan_free(plan);
}
END_TEST

static const float scores[] = {0.1f, 0.7f, 0.2f, 0.5f, 0.4f, 0.1f, 0.3f, 0.3f, 0.4f, 0, 0, 0};
static const int32_t labels[] = {1, 1, 2, 2}; /* predicted: 1, 0, 2, and 0 for the tie */

START_TEST(accuracy_and_confusion_count)
{
    tg_tensor s = tg_constant(graph, TG_F32, TG_SHAPE(4, 3), scores, sizeof scores);
    tg_tensor y = tg_constant(graph, TG_I32, TG_SHAPE(4), labels, sizeof labels);
    tg_tensor accuracy = tg_metric_accuracy(s, y, "accuracy"), confusion = tg_metric_confusion(s, y, "confusion");
    tg_plan *plan = tg_compile(graph, accuracy, confusion);
    ck_assert_msg(plan != NULL, "%s", tg_graph_error(graph));
    ck_assert_int_eq(tg_run(plan), TG_OK);
    ck_assert_int_eq(tg_run(plan), TG_OK);
    const int64_t expected[] = {0, 0, 0, 2, 2, 0, 2, 0, 2};
    int64_t counts[9];
    double share;
    ck_assert_int_eq(tg_metric_read_mean(variables, "accuracy", &share), TG_OK);
    ck_assert_double_eq(share, 0.5);
    ck_assert_int_eq(tg_metric_read_confusion(variables, "confusion", counts, 3), TG_OK);
    ck_assert_mem_eq(counts, expected, sizeof counts);
    ck_assert_int_eq(tg_metric_read_confusion(variables, "confusion", counts, 2), TG_ERROR_ARGUMENT);
    ck_assert_int_eq(tg_metric_reset(variables, "confusion"), TG_OK);
    ck_assert_int_eq(tg_metric_read_confusion(variables, "confusion", counts, 3), TG_OK);
    for (int i = 0; i < 9; i++)
        ck_assert_int_eq(counts[i], 0);
    tg_plan_free(plan);
}
END_TEST

START_TEST(one_hot_and_u8_labels_count_alike)
{
    const uint8_t narrow[] = {1, 1, 2, 2};
    tg_tensor s = tg_constant(graph, TG_F32, TG_SHAPE(4, 3), scores, sizeof scores);
    tg_tensor u = tg_constant(graph, TG_U8, TG_SHAPE(4), narrow, sizeof narrow);
    tg_tensor rows = tg_one_hot(tg_cast(u, TG_I32), 3, TG_F32);
    tg_plan *plan = tg_compile(graph, tg_metric_accuracy(s, u, "u8"), tg_metric_accuracy(s, rows, "rows"));
    double a, b;
    ck_assert_msg(plan != NULL, "%s", tg_graph_error(graph));
    ck_assert_int_eq(tg_run(plan), TG_OK);
    ck_assert_int_eq(tg_metric_read_mean(variables, "u8", &a), TG_OK);
    ck_assert_int_eq(tg_metric_read_mean(variables, "rows", &b), TG_OK);
    ck_assert(a == 0.5 && b == 0.5);
    tg_plan_free(plan);
}
END_TEST

START_TEST(labels_that_do_not_suit_are_told)
{
    tg_tensor s = tg_input(graph, "s", TG_F32, TG_SHAPE(4, 3)), y = tg_input(graph, "y", TG_I32, TG_SHAPE(5));
    ck_assert(!tg_ok(tg_metric_accuracy(s, y, "accuracy")));
    ck_assert_ptr_nonnull(strstr(tg_graph_error(graph),
                                 "accuracy: scores must be [n, c] and labels integers [n] or floats [n, c], not "
                                 "[4, 3] and i32 [5] ("));
    ck_assert_ptr_nonnull(strstr(tg_graph_error(graph), "test_metrics.c:"));
    ck_assert(!tg_ok(tg_metric_mean(y, "mean")) && !tg_ok(tg_metric_confusion(s, y, "confusion")) &&
              !tg_ok(tg_metric_mean(tg_none(), "m")));
}
END_TEST

START_TEST(what_was_not_recorded_cannot_be_read)
{
    double mean;
    int64_t counts[1];
    ck_assert_int_eq(tg_metric_read_mean(variables, "loss", &mean), TG_ERROR_ARGUMENT);
    ck_assert_int_eq(tg_metric_read_confusion(variables, "confusion", counts, 1), TG_ERROR_ARGUMENT);
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("metrics");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_mean_weighs_each_element_once);
    tcase_add_test(tests, a_reset_begins_anew);
    tcase_add_test(tests, sums_are_f64);
    tcase_add_test(tests, accuracy_and_confusion_count);
    tcase_add_test(tests, one_hot_and_u8_labels_count_alike);
    tcase_add_test(tests, labels_that_do_not_suit_are_told);
    tcase_add_test(tests, what_was_not_recorded_cannot_be_read);
    return harness_run("metrics", tests);
}
