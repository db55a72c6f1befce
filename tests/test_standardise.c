#include <math.h>
#include <string.h>

#include "data_files.h"
#include "exec/plan.h"
#include "failing_allocator.h"
#include "harness.h"
#include "ops/ops.h"
#include "train/safetensors.h"
#include "train/standardise.h"

enum { ROWS = 4, COLUMNS = 4 };
/* A column with a missing value, one that is constant, one without values, and one far from 0. */
static float data[ROWS][COLUMNS] = {
    {1, 0.1f, NAN, 1e6f}, {NAN, 0.1f, NAN, 1e6f + 2}, {4, 0.1f, NAN, 1e6f}, {7, 0.1f, NAN, 1e6f + 2}};
static const double means[COLUMNS] = {4, 0.1f, 0, 1e6 + 1}, deviations[COLUMNS] = {2.449489742783178, 1, 1, 1};

static tg_context *context;
static tg_variables *variables;

static void setup(void)
{
    context = harness_context(1);
    variables = tg_variables_new(context, 1);
}

static void teardown(void)
{
    tg_variables_free(variables);
    tg_context_free(context);
}

static void fit(tg_variables *store)
{
    ck_assert_int_eq(tg_standardise_fit(store, "in", (tg_table){data[0], ROWS, COLUMNS}), TG_OK);
}

START_TEST(moments_of_the_columns_stand_in_the_store)
{
    float mean[COLUMNS], deviation[COLUMNS];
    fit(variables);
    ck_assert_int_eq(tg_variables_read(variables, "in/mean", mean, sizeof mean), TG_OK);
    ck_assert_int_eq(tg_variables_read(variables, "in/deviation", deviation, sizeof deviation), TG_OK);
    for (int i = 0; i < COLUMNS; i++)
        ck_assert_msg(mean[i] == (float)means[i] && deviation[i] == (float)deviations[i], "%d: %g %g", i, (double)mean[i],
                      (double)deviation[i]);
    ck_assert(!tg_variables_find(variables, "in/mean")->trainable && !tg_variables_find(variables, "in/deviation")->trainable);
}
END_TEST

START_TEST(a_store_of_f64_gets_all_digits)
{
    tg_variables *wide = tg_variables_cast(variables, TG_F64);
    double deviation[COLUMNS];
    float x[COLUMNS] = {NAN, 2, NAN, NAN};
    fit(wide);
    ck_assert_int_eq(tg_variables_read(wide, "in/deviation", deviation, sizeof deviation), TG_OK);
    for (int i = 0; i < COLUMNS; i++)
        ck_assert_double_eq_tol(deviation[i], deviations[i], 1e-15);
    ck_assert_int_eq(tg_standardise_fill(wide, "in", (tg_table){x, 1, COLUMNS}), TG_OK);
    ck_assert(x[0] == 4 && x[1] == 2 && x[2] == 0 && x[3] == 1e6f + 1);
    tg_variables_free(wide);
}
END_TEST

START_TEST(missing_values_are_filled_by_the_mean)
{
    float x[ROWS][COLUMNS];
    memcpy(x, data, sizeof x);
    fit(variables);
    ck_assert_int_eq(tg_standardise_fill(variables, "in", (tg_table){x[0], ROWS, COLUMNS}), TG_OK);
    for (int row = 0; row < ROWS; row++)
        for (int i = 0; i < COLUMNS; i++) {
            float expected = isnan(data[row][i]) ? (float)means[i] : data[row][i];
            ck_assert_msg(x[row][i] == expected, "[%d, %d]: %g", row, i, (double)x[row][i]);
        }
}
END_TEST

/* Runs one of the layers on `x` [2, COLUMNS]. */
static void run_layer(tg_tensor (*layer)(tg_where, tg_tensor, const char *), const float *x, float *result)
{
    tg_graph *graph = tg_graph_new(variables, TG_EVALUATION);
    tg_tensor y = layer(TG_HERE, tg_constant(graph, TG_F32, TG_SHAPE(2, COLUMNS), x, 2 * COLUMNS * sizeof *x), "in");
    tg_plan *plan = tg_compile(graph, y);
    ck_assert_msg(plan != NULL, "%s", tg_graph_error(graph));
    ck_assert_int_eq(tg_run(plan), TG_OK);
    memcpy(result, tg_values(plan, y), 2 * COLUMNS * sizeof *result);
    tg_plan_free(plan);
    tg_graph_free(graph);
}

START_TEST(layers_standardise_and_go_back)
{
    static const float x[2 * COLUMNS] = {4, 0.1f, 5, 1e6f, -1, 1.1f, -5, 1e6f + 3};
    float z[2 * COLUMNS], back[2 * COLUMNS];
    run_layer(tg_standardise_at, x, z); /* before a fit */
    ck_assert_mem_eq(z, x, sizeof z);
    fit(variables);
    run_layer(tg_standardise_at, x, z);
    for (int i = 0; i < 2 * COLUMNS; i++)
        ck_assert_float_eq_tol(z[i], ((double)x[i] - means[i % COLUMNS]) / deviations[i % COLUMNS], 1e-5f);
    run_layer(tg_unstandardise_at, z, back);
    for (int i = 0; i < 2 * COLUMNS; i++)
        ck_assert_float_eq_tol(back[i], x[i], 1e-5f);
}
END_TEST

START_TEST(layers_are_numbered_and_refuse_scalars)
{
    tg_graph *graph = tg_graph_new(variables, TG_EVALUATION);
    tg_tensor x = tg_input(graph, "x", TG_FLOAT, TG_SHAPE(2, 3));
    ck_assert(tg_ok(tg_unstandardise(tg_standardise(tg_standardise(x, NULL), NULL), NULL)));
    ck_assert(tg_variables_find(variables, "standardise/mean") && tg_variables_find(variables, "standardise_1/deviation") &&
              tg_variables_find(variables, "unstandardise/mean"));
    ck_assert(!tg_ok(tg_standardise(tg_mean(x, TG_ALL_AXES), NULL)));
    ck_assert_msg(strstr(tg_graph_error(graph), "Standardise: its input must be [..., columns], not a scalar"), "%s",
                  tg_graph_error(graph));
    tg_graph_free(graph);
}
END_TEST

START_TEST(any_dtype_is_cast_to_the_working_float)
{
    tg_variables *wide = tg_variables_cast(variables, TG_F64);
    tg_graph *graph = tg_graph_new(wide, TG_EVALUATION);
    static const uint8_t bytes[COLUMNS] = {9, 1, 2, 3};
    static const float numbers[COLUMNS] = {1, 2, 3, 4};
    fit(wide);
    tg_tensor z = tg_standardise(tg_constant(graph, TG_U8, TG_SHAPE(1, COLUMNS), bytes, sizeof bytes), "in");
    tg_tensor back = tg_unstandardise(tg_constant(graph, TG_F32, TG_SHAPE(1, COLUMNS), numbers, sizeof numbers), NULL);
    tg_plan *plan = tg_compile(graph, z, back);
    ck_assert_msg(plan != NULL, "%s", tg_graph_error(graph));
    ck_assert_int_eq(tg_run(plan), TG_OK);
    ck_assert_double_eq_tol(((const double *)tg_values(plan, z))[0], (9 - means[0]) / deviations[0], 1e-15);
    ck_assert_double_eq(((const double *)tg_values(plan, back))[3], 4);
    tg_plan_free(plan);
    tg_graph_free(graph);
    tg_variables_free(wide);
}
END_TEST

START_TEST(wrong_arguments_are_refused)
{
    char name[300] = {0};
    float x[COLUMNS] = {1, INFINITY, 3, 4};
    memset(name, 'n', sizeof name - 1);
    ck_assert_int_eq(tg_standardise_fit(variables, "in", (tg_table){x, 1, COLUMNS}), TG_ERROR_ARGUMENT);
    ck_assert_int_eq(tg_standardise_fit(variables, "in", (tg_table){x, 0, COLUMNS}), TG_ERROR_ARGUMENT);
    ck_assert_int_eq(tg_standardise_fit(variables, "in", (tg_table){x, 1, 0}), TG_ERROR_ARGUMENT);
    ck_assert_int_eq(tg_standardise_fit(variables, name, (tg_table){x, 1, 1}), TG_ERROR_ARGUMENT);
    ck_assert_int_eq(tg_standardise_fill(variables, name, (tg_table){x, 1, 1}), TG_ERROR_ARGUMENT);
    ck_assert_int_eq(tg_standardise_fill(variables, "in", (tg_table){x, 1, COLUMNS}), TG_ERROR_ARGUMENT);
    ck_assert_int_eq(tg_variables_count(variables), 0);
    ck_assert_int_eq(tg_standardise_fit(variables, "in", (tg_table){NULL, ROWS, COLUMNS}), TG_ERROR_ARGUMENT);
    ck_assert_int_eq(tg_variables_count(variables), 0);
    fit(variables);
    ck_assert_int_eq(tg_standardise_fill(variables, "in", (tg_table){NULL, 1, COLUMNS}), TG_ERROR_ARGUMENT);
    ck_assert_int_eq(tg_standardise_fit(variables, "in", (tg_table){x, 1, 1}), TG_ERROR_ARGUMENT);
    ck_assert_int_eq(tg_standardise_fill(variables, "in", (tg_table){x, 1, 1}), TG_ERROR_ARGUMENT);
}
END_TEST

START_TEST(a_file_of_weights_keeps_the_moments)
{
    char folder[256], message[TG_MESSAGE_SIZE];
    float mean[COLUMNS];
    make_folder(folder);
    const char *path = in_folder(folder, "w.safetensors");
    fit(variables);
    ck_assert_int_eq(tg_safetensors_save(variables, path, (tg_safetensors_options){.all = true}, message), TG_OK);
    tg_status status;
    tg_safetensors *file = tg_safetensors_open(context, path, &status, message);
    ck_assert_msg(file != NULL, "%s", message);
    ck_assert_int_eq(tg_safetensors_read(file, "in/mean", (tg_type){TG_F32, TG_SHAPE(COLUMNS)}, mean, sizeof mean, message),
                     TG_OK);
    for (int i = 0; i < COLUMNS; i++)
        ck_assert_float_eq(mean[i], (float)means[i]);
    tg_safetensors_close(file);
    remove_folder(folder);
}
END_TEST

START_TEST(every_allocation_may_fail)
{
    bool done = false;
    for (long refuse = 1; !done; refuse++) {
        failing_allocator allocator = {0};
        tg_context_options options = harness_options();
        options.allocator = failing_allocator_interface(&allocator);
        options.threads = 1;
        tg_context *scarce = tg_context_new(options);
        tg_variables *store = tg_variables_new(scarce, 1);
        float x[COLUMNS] = {NAN, NAN, NAN, NAN};
        allocator.refuse = allocator.requests + refuse;
        tg_status status = tg_standardise_fit(store, "in", (tg_table){data[0], ROWS, COLUMNS});
        if (status == TG_OK)
            status = tg_standardise_fill(store, "in", (tg_table){x, 1, COLUMNS});
        done = status == TG_OK;
        ck_assert(done ? x[0] == 4 : status == TG_ERROR_MEMORY && isnan(x[0]));
        tg_variables_free(store);
        tg_context_free(scarce);
        ck_assert_int_eq(allocator.live, 0);
        ck_assert_int_lt(refuse, 40);
    }
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("standardise");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, moments_of_the_columns_stand_in_the_store);
    tcase_add_test(tests, a_store_of_f64_gets_all_digits);
    tcase_add_test(tests, missing_values_are_filled_by_the_mean);
    tcase_add_test(tests, layers_standardise_and_go_back);
    tcase_add_test(tests, layers_are_numbered_and_refuse_scalars);
    tcase_add_test(tests, any_dtype_is_cast_to_the_working_float);
    tcase_add_test(tests, wrong_arguments_are_refused);
    tcase_add_test(tests, a_file_of_weights_keeps_the_moments);
    tcase_add_test(tests, every_allocation_may_fail);
    return harness_run("standardise", tests);
}
