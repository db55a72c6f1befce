#include <stdio.h>

#include "workbench.h"

START_TEST(gather_takes_rows)
{
    workbench b = workbench_open(TG_F32);
    tg_tensor x = workbench_count_up(&b, TG_F32, TG_SHAPE(4, 3)), bytes = workbench_count_up(&b, TG_U8, TG_SHAPE(5, 2));
    const double some[] = {3, 0, 3, 1}, one[] = {2};
    /* x = arange(12).reshape(4, 3): x[[3, 0, 3, 1]], x[[[3, 0], [3, 1]]].shape, x[2] */
    workbench_expect(tg_gather(x, workbench_values(&b, TG_I32, TG_SHAPE(4), some)), 0, 9, 10, 11, 0, 1, 2, 9, 10, 11, 3, 4, 5);
    workbench_expect_shape(tg_gather(x, workbench_values(&b, TG_I32, TG_SHAPE(2, 2), some)), TG_SHAPE(2, 2, 3));
    workbench_expect(tg_gather(x, workbench_values(&b, TG_I32, TG_SCALAR, one)), 0, 6, 7, 8);
    workbench_expect_shape(tg_gather(x, workbench_values(&b, TG_I32, TG_SCALAR, one)), TG_SHAPE(3));
    workbench_expect(tg_gather(bytes, workbench_values(&b, TG_I32, TG_SHAPE(2), some)), 0, 6, 7, 0, 1);
    workbench_expect_shape(tg_gather(x, workbench_values(&b, TG_I32, TG_SHAPE(0), some)), TG_SHAPE(0, 3));
    workbench_close(&b);
}
END_TEST

START_TEST(scatter_add_adds_repeated_rows)
{
    workbench b = workbench_open(TG_F32);
    const double at[] = {1, 3, 1, 1};
    tg_tensor indices = workbench_values(&b, TG_I32, TG_SHAPE(4), at), updates = workbench_count_up(&b, TG_F32, TG_SHAPE(4, 2));
    tg_tensor counts = workbench_count_up(&b, TG_I32, TG_SHAPE(2, 2));
    workbench_expect(tg_scatter_add(updates, indices, 4), 0, 0, 0, 10, 13, 0, 0, 2, 3);
    workbench_expect(tg_scatter_add(counts, workbench_values(&b, TG_I32, TG_SHAPE(2, 2), at), 4), 0, 0, 5, 0, 1);
    workbench_expect_shape(tg_scatter_add(tg_slice(updates, 0, 0, 0, 1), workbench_values(&b, TG_I32, TG_SHAPE(0), at), 0),
                           TG_SHAPE(0, 2));
    workbench_close(&b);
}
END_TEST

/* Additions in the order of the indices, whatever the cut: the bits of a plain loop. */
static void check_scatter(int64_t updates, int64_t width, int64_t rows, int threads)
{
    workbench b = workbench_open_on(TG_ISA_BEST, threads, TG_F32);
    double *values = workbench_draw(updates * width, -1, 1, 21), *places = workbench_draw(updates, 0, (double)rows, 22);
    float *expected = calloc((size_t)(rows * width), sizeof *expected);
    for (int64_t i = 0; i < updates; i++)
        for (int64_t j = 0; j < width; j++)
            expected[(int64_t)places[i] * width + j] += (float)values[i * width + j];
    tg_tensor x = workbench_values(&b, TG_F32, TG_SHAPE(updates, width), values);
    float *got = workbench_bytes(tg_scatter_add(x, workbench_values(&b, TG_I32, TG_SHAPE(updates), places), rows));
    ck_assert_mem_eq(got, expected, (size_t)(rows * width) * sizeof *got);
    free(values);
    free(places);
    free(expected);
    free(got);
    workbench_close(&b);
}

START_TEST(scattering_keeps_the_order_on_any_number_of_threads)
{
    for (int threads = 1; threads <= 3; threads++) {
        check_scatter(1000, 100, 30, threads);
        check_scatter(40000, 1, 5000, threads);
        check_scatter(3, 70000, 2, threads);
        check_scatter(500, 7, 1, threads);
    }
}
END_TEST

START_TEST(one_hot_marks_the_index)
{
    workbench b = workbench_open(TG_F64);
    const double at[] = {2, 0};
    tg_tensor indices = workbench_values(&b, TG_I32, TG_SHAPE(2), at);
    const tg_dtype dtypes[] = {TG_F32, TG_F64, TG_I32, TG_U8};
    for (int d = 0; d < 4; d++) {
        tg_tensor y = tg_one_hot(indices, 3, dtypes[d]);
        ck_assert_int_eq(tg_tensor_dtype(y), dtypes[d]);
        workbench_expect(y, 0, 0, 0, 1, 1, 0, 0);
    }
    ck_assert_int_eq(tg_tensor_dtype(tg_one_hot(indices, 3, TG_FLOAT)), TG_F64);
    workbench_expect_shape(tg_one_hot(tg_reshape(indices, TG_SHAPE(2, 1)), 4, TG_U8), TG_SHAPE(2, 1, 4));
    workbench_close(&b);
}
END_TEST

/* Feeds one index to the plan of y. */
static tg_status run_with(tg_tensor y, tg_tensor index, int32_t value, char message[512])
{
    tg_plan *plan = tg_compile(y.graph, y);
    ck_assert_msg(plan, "%s", tg_graph_error(y.graph));
    ck_assert_int_eq(tg_feed(plan, index, &value, sizeof value), TG_OK);
    tg_status status = tg_run(plan);
    snprintf(message, 512, "%s", tg_plan_error(plan));
    tg_plan_free(plan);
    return status;
}

START_TEST(indices_out_of_range_fail_the_run)
{
    workbench b = workbench_open(TG_F32);
    tg_tensor index = tg_input(b.graph, "index", TG_I32, TG_SHAPE(1)), x = workbench_count_up(&b, TG_F32, TG_SHAPE(4, 3));
    tg_tensor results[] = {tg_gather(x, index), tg_scatter_add(tg_slice(x, 0, 0, 1, 1), index, 4), tg_one_hot(index, 4, TG_F32),
                           tg_cross_entropy(workbench_count_up(&b, TG_F32, TG_SHAPE(1, 4)), index)};
    const char *const names[] = {"gather", "scatter_add", "one_hot", "cross_entropy"};
    for (int k = 0; k < 4; k++) {
        char message[512];
        ck_assert_int_eq(run_with(results[k], index, 3, message), TG_OK);
        const int32_t wrong[] = {4, -1, INT32_MIN, INT32_MAX};
        for (int i = 0; i < 4; i++) {
            ck_assert_int_eq(run_with(results[k], index, wrong[i], message), TG_ERROR_RANGE);
            char reason[100];
            snprintf(reason, sizeof reason, " failed: index %d at [0] is out of range: there are 4, from 0 (", (int)wrong[i]);
            ck_assert_msg(strstr(message, names[k]) && strstr(message, reason) && strstr(message, "test_index.c"),
                          "\"%s\" does not name %s, or the index", message, names[k]);
        }
    }
    workbench_close(&b);
}
END_TEST

START_TEST(gradients_are_each_other_s)
{
    workbench b = workbench_open(TG_F32);
    tg_tensor x = tg_variable(b.graph, "x", TG_F32, TG_SHAPE(4, 2), (tg_init){TG_INIT_CONSTANT, 1, 0});
    const double at[] = {2, 2, 0};
    tg_tensor indices = workbench_values(&b, TG_I32, TG_SHAPE(3), at);
    tg_tensor taken = tg_mul(tg_gather(x, indices), workbench_count_up(&b, TG_F32, TG_SHAPE(3, 2)));
    workbench_expect(tg_gradient(tg_sum(taken, TG_ALL_AXES), x), 0, 4, 5, 0, 0, 2, 4, 0, 0);
    tg_tensor added = tg_mul(tg_scatter_add(tg_slice(x, 0, 0, 3, 1), indices, 5), workbench_count_up(&b, TG_F32, TG_SHAPE(5, 2)));
    workbench_expect(tg_gradient(tg_sum(added, TG_ALL_AXES), x), 0, 4, 5, 4, 5, 0, 1, 0, 0);
    workbench_close(&b);
}
END_TEST

START_TEST(rows_are_taken_before_they_are_worked_on)
{
    workbench b = workbench_open(TG_F32);
    tg_tensor images = tg_input(b.graph, "images", TG_U8, TG_SHAPE(50, 6)),
              index = tg_input(b.graph, "index", TG_I32, TG_SHAPE(4));
    tg_tensor scaled = tg_div(tg_cast(images, TG_F32), tg_scalar(tg_one_hot(index, 50, TG_F32), 255)),
              batch = tg_gather(scaled, index);
    uint8_t pixels[300];
    int32_t at[] = {49, 0, 7, 7};
    for (int i = 0; i < 300; i++)
        pixels[i] = (uint8_t)i;
    ck_assert_int_eq(tg_bind(images, pixels, sizeof pixels), TG_OK);
    ck_assert_int_eq(tg_bind(index, at, sizeof at), TG_OK);
    tg_plan *plan = tg_compile(b.graph, batch);
    ck_assert_ptr_nonnull(plan);
    const tg_graph *graph = tg_plan_graph(plan);
    for (int32_t id = 0; id < tg_graph_count(graph); id++) {
        const tg_node *node = tg_graph_node(graph, id);
        ck_assert_msg((node->op->traits & TG_LEAF) || tg_shape_count(node->type.shape) <= 24, "%s still works on all rows",
                      node->op->name);
    }
    tg_plan_free(plan);
    float *got = workbench_bytes(batch);
    for (int i = 0; i < 24; i++)
        ck_assert_float_eq(got[i], (float)pixels[at[i / 6] * 6 + i % 6] / 255);
    free(got);
    /* Operands that are alike for all rows stay as they are; as many rows as there were are not worth it. */
    tg_tensor row = tg_random_normal(b.graph, "row", TG_F32, TG_SHAPE(6), 0, 1), mixed = tg_gather(tg_mul(scaled, row), index);
    ck_assert_int_eq(workbench_nodes(mixed, "gather", false), 1);
    const double all[] = {1, 0, 1};
    tg_tensor few = tg_random_normal(b.graph, "few", TG_F32, TG_SHAPE(2, 3), 0, 1);
    tg_tensor more = tg_gather(tg_exp(few), workbench_values(&b, TG_I32, TG_SHAPE(3), all));
    tg_plan *same = tg_compile(b.graph, more);
    ck_assert_str_eq(tg_graph_node(tg_plan_graph(same), tg_graph_count(tg_plan_graph(same)) - 1)->op->name, "gather");
    tg_plan_free(same);
    workbench_close(&b);
}
END_TEST

START_TEST(mistakes_are_named)
{
    workbench b = workbench_open(TG_F32);
#define X(dtype, ...) workbench_count_up(&b, dtype, TG_SHAPE(__VA_ARGS__))
    workbench_expect_error(&b, tg_gather(X(TG_F32, 2, 3), X(TG_F32, 2)),
                           "gather of [2, 3] f32 and [2] f32: the indices are f32, not i32");
    workbench_expect_error(&b, tg_gather(tg_full(X(TG_F32, 1), TG_SCALAR, 0), X(TG_I32, 2)), "a scalar has no rows");
    workbench_expect_error(&b, tg_gather(X(TG_F32, 1, 1, 1, 1, 1), X(TG_I32, 1, 1, 1, 1, 1)), "more than 8 axes");
    workbench_expect_error(&b, tg_scatter_add(X(TG_F32, 2, 3), X(TG_I32, 3), 4),
                           "the updates' first axes must be those of the indices");
    workbench_expect_error(&b, tg_scatter_add(X(TG_F32, 2), X(TG_I32, 2, 1), 4), "the updates' first axes");
    workbench_expect_error(&b, tg_scatter_add(X(TG_U8, 2), X(TG_I32, 2), 4), "sums of u8 would overflow");
    workbench_expect_error(&b, tg_scatter_add(X(TG_F32, 2), X(TG_F64, 2), 4), "the indices are f64");
    workbench_expect_error(&b, tg_scatter_add(X(TG_F32, 2), X(TG_I32, 2), -1), "-1 rows");
    workbench_expect_error(&b, tg_one_hot(X(TG_F32, 2), 3, TG_F32), "the indices are f32");
    workbench_expect_error(&b, tg_one_hot(X(TG_I32, 2), -3, TG_F32), "the depth -3 is negative");
    workbench_expect_error(&b, tg_one_hot(X(TG_I32, 2), 3, (tg_dtype)9), "dtype 9 does not exist");
    workbench_expect_error(&b, tg_one_hot(X(TG_I32, 1, 1, 1, 1, 1, 1, 1, 1), 3, TG_F32), "more than 8 axes");
#undef X
    ck_assert(!tg_ok(tg_one_hot(tg_none(), 3, TG_FLOAT)));
    workbench_close(&b);
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("index");
    tcase_add_test(tests, gather_takes_rows);
    tcase_add_test(tests, scatter_add_adds_repeated_rows);
    tcase_add_test(tests, scattering_keeps_the_order_on_any_number_of_threads);
    tcase_add_test(tests, one_hot_marks_the_index);
    tcase_add_test(tests, indices_out_of_range_fail_the_run);
    tcase_add_test(tests, gradients_are_each_other_s);
    tcase_add_test(tests, rows_are_taken_before_they_are_worked_on);
    tcase_add_test(tests, mistakes_are_named);
    return harness_run("index", tests);
}
