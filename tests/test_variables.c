#include <math.h>
#include <stdio.h>
#include <string.h>

#include "failing_allocator.h"
#include "graph/rebuild.h"
#include "harness.h"

static tg_context *context;
static tg_variables *variables;

static void setup(void)
{
    context = harness_context(1);
    variables = tg_variables_new(context, 7);
}

static void teardown(void)
{
    tg_variables_free(variables);
    tg_variables_free(NULL);
    tg_context_free(context);
}

static const tg_variable_info *declare(tg_variables *store, const char *name, tg_shape shape, tg_init init)
{
    return tg_variables_declare(store, name, (tg_type){TG_FLOAT, shape}, init, true);
}

START_TEST(a_variable_is_created_once_and_found_again)
{
    tg_init one = {TG_INIT_CONSTANT, 1, 0};
    const tg_variable_info *w = declare(variables, "dense/kernel", TG_SHAPE(2, 3), one);
    ck_assert_ptr_eq(declare(variables, "dense/kernel", TG_SHAPE(2, 3), (tg_init){TG_INIT_CONSTANT, 5, 0}), w);
    ck_assert_ptr_eq(tg_variables_find(variables, "dense/kernel"), w);
    ck_assert_ptr_null(tg_variables_find(variables, "dense/bias"));
    ck_assert_ptr_null(declare(variables, "dense/kernel", TG_SHAPE(3, 2), one));
    ck_assert_int_eq(tg_variables_count(variables), 1);
    ck_assert_ptr_eq(tg_variables_at(variables, 0), w);
    ck_assert_ptr_null(tg_variables_at(variables, 1));
    for (int i = 0; i < 6; i++)
        ck_assert_float_eq(((float *)tg_variable_data(w))[i], 1);
}
END_TEST

START_TEST(initial_values_depend_on_seed_and_name_alone)
{
    tg_init uniform = {TG_INIT_UNIFORM, -1, 1};
    const tg_variable_info *a = declare(variables, "a", TG_SHAPE(100), uniform),
                           *b = declare(variables, "b", TG_SHAPE(100), uniform);
    tg_variables *other = tg_variables_new(context, 7), *third = tg_variables_new(context, 8);
    const tg_variable_info *b2 = declare(other, "b", TG_SHAPE(100), uniform), *a2 = declare(other, "a", TG_SHAPE(100), uniform);
    const tg_variable_info *a3 = declare(third, "a", TG_SHAPE(100), uniform);
    ck_assert_mem_eq(tg_variable_data(a), tg_variable_data(a2), 400);
    ck_assert_mem_eq(tg_variable_data(b), tg_variable_data(b2), 400);
    ck_assert_mem_ne(tg_variable_data(a), tg_variable_data(b), 400);
    ck_assert_mem_ne(tg_variable_data(a), tg_variable_data(a3), 400);
    tg_variables_free(other);
    tg_variables_free(third);
}
END_TEST

/* Mean, deviation and bounds of 20,000 draws; five standard errors are allowed. */
START_TEST(initial_values_have_their_distribution)
{
    static const struct {
        tg_init init;
        double mean, deviation, least, greatest;
    } expected[] = {{{TG_INIT_UNIFORM, -3, 5}, 1, 2.309401, -3, 5},
                    {{TG_INIT_NORMAL, 2, 0.5}, 2, 0.5, -2, 6},
                    {{TG_INIT_TRUNCATED_NORMAL, 0, 1}, 0, 0.8796, -2, 2}};
    enum { N = 20000 };
    for (int k = 0; k < 3; k++) {
        char name[8] = {(char)('a' + k)};
        const float *values = tg_variable_data(declare(variables, name, TG_SHAPE(N), expected[k].init));
        double sum = 0, squares = 0;
        for (int i = 0; i < N; i++) {
            ck_assert(values[i] >= expected[k].least && values[i] <= expected[k].greatest);
            sum += values[i];
            squares += (values[i] - expected[k].mean) * (values[i] - expected[k].mean);
        }
        ck_assert_double_eq_tol(sum / N, expected[k].mean, 5 * expected[k].deviation / sqrt(N));
        ck_assert_double_eq_tol(sqrt(squares / N), expected[k].deviation, 0.03 * expected[k].deviation);
    }
}
END_TEST

START_TEST(both_floats_start_from_the_same_values)
{
    tg_init normal = {TG_INIT_NORMAL, 0, 1};
    tg_variables *doubles = tg_variables_cast(variables, TG_F64);
    const float *single = tg_variable_data(declare(variables, "w", TG_SHAPE(50), normal));
    const double *wide = tg_variable_data(declare(doubles, "w", TG_SHAPE(50), normal));
    for (int i = 0; i < 50; i++)
        ck_assert_double_eq(wide[i], single[i]);
    tg_variables_free(doubles);
}
END_TEST

START_TEST(casting_converts_what_follows_the_working_float)
{
    declare(variables, "w", TG_SHAPE(3), (tg_init){TG_INIT_UNIFORM, 0, 1});
    tg_variables_declare(variables, "sum", (tg_type){TG_F64, TG_SCALAR}, (tg_init){TG_INIT_CONSTANT, 0.1, 0}, false);
    tg_variables_declare(variables, "count", (tg_type){TG_I32, TG_SCALAR}, (tg_init){TG_INIT_CONSTANT, 3, 0}, false);
    tg_variables_set_step(variables, 41);
    tg_variables *wide = tg_variables_cast(variables, TG_F64), *back = tg_variables_cast(wide, TG_F32);
    ck_assert_int_eq(tg_variables_find(wide, "w")->type.dtype, TG_F64);
    ck_assert(tg_variables_find(wide, "w")->trainable);
    ck_assert(!tg_variables_find(wide, "sum")->trainable);
    ck_assert_int_eq(tg_variables_find(back, "w")->type.dtype, TG_F32);
    ck_assert_int_eq(tg_variables_find(back, "sum")->type.dtype, TG_F64);
    ck_assert_double_eq(*(double *)tg_variable_data(tg_variables_find(back, "sum")), 0.1);
    ck_assert_int_eq(*(int32_t *)tg_variable_data(tg_variables_find(back, "count")), 3);
    ck_assert_mem_eq(tg_variable_data(tg_variables_find(back, "w")), tg_variable_data(tg_variables_find(variables, "w")), 12);
    ck_assert_uint_eq(tg_variables_step(back), 41);
    ck_assert_ptr_null(tg_variables_cast(variables, TG_I32));
    tg_variables_free(wide);
    tg_variables_free(back);
}
END_TEST

START_TEST(reading_and_writing_check_name_and_size)
{
    float values[3] = {1, 2, 3}, back[3];
    declare(variables, "w", TG_SHAPE(3), (tg_init){TG_INIT_CONSTANT, 0, 0});
    uint64_t generation = tg_variables_generation(variables);
    ck_assert_int_eq(tg_variables_write(variables, "w", values, 8), TG_ERROR_ARGUMENT);
    ck_assert_int_eq(tg_variables_write(variables, "v", values, 12), TG_ERROR_ARGUMENT);
    ck_assert(tg_variables_generation(variables) == generation);
    ck_assert_int_eq(tg_variables_write(variables, "w", values, 12), TG_OK);
    ck_assert(tg_variables_generation(variables) != generation);
    ck_assert_int_eq(tg_variables_read(variables, "w", back, 16), TG_ERROR_ARGUMENT);
    ck_assert_int_eq(tg_variables_read(variables, "w", back, 12), TG_OK);
    ck_assert_mem_eq(back, values, 12);
}
END_TEST

START_TEST(a_committed_run_advances_step_and_generation)
{
    uint64_t generation = tg_variables_generation(variables);
    tg_variables_lock(variables, false);
    tg_variables_unlock(variables, false);
    ck_assert_uint_eq(tg_variables_step(variables), 0);
    tg_variables_lock(variables, true);
    tg_variables_unlock(variables, true);
    ck_assert_uint_eq(tg_variables_step(variables), 1);
    ck_assert(tg_variables_generation(variables) != generation);
}
END_TEST

/* What a variable starts from is a value of its dtype, or an error that says which is none. */
START_TEST(initial_values_are_values_of_the_dtype)
{
    static const struct {
        tg_dtype dtype;
        tg_init init;
        const char *part; /* of the error; NULL: fine */
        double first;     /* the value, where it is a constant */
    } cases[] = {
        {TG_I32, {TG_INIT_CONSTANT, 1e20, 0}, "variable \"w\" [50] i32: its initial value 1e+20 is no i32", 0},
        {TG_I32, {TG_INIT_CONSTANT, -2147483649.0, 0}, "is no i32", 0},
        {TG_I32, {TG_INIT_CONSTANT, -2147483648.0, 0}, NULL, -2147483648.0},
        {TG_I32, {TG_INIT_CONSTANT, 2147483647, 0}, NULL, 2147483647},
        {TG_I32, {TG_INIT_CONSTANT, NAN, 0}, "its initial value nan is no i32", 0},
        {TG_I32, {TG_INIT_CONSTANT, -INFINITY, 0}, "is no i32", 0},
        {TG_I32, {TG_INIT_CONSTANT, 0.5, 0}, "its initial value 0.5 is no i32", 0},
        {TG_U8, {TG_INIT_CONSTANT, -1, 0}, "its initial value -1 is no u8", 0},
        {TG_U8, {TG_INIT_CONSTANT, 256, 0}, "is no u8", 0},
        {TG_U8, {TG_INIT_CONSTANT, 255, 0}, NULL, 255},
        {TG_U8, {TG_INIT_UNIFORM, 0, 256}, NULL, 0},
        {TG_U8, {TG_INIT_UNIFORM, -1, 3}, "its initial values, uniform between -1 and 3, may lie outside u8", 0},
        {TG_U8, {TG_INIT_NORMAL, 100, 30}, "normal of mean and deviation 100 and 30, may lie outside u8", 0},
        {TG_U8, {TG_INIT_TRUNCATED_NORMAL, 100, 30}, NULL, 0},
        {TG_I32, {TG_INIT_NORMAL, 0, 1e9}, "may lie outside i32", 0},
        {TG_F32, {TG_INIT_CONSTANT, INFINITY, 0}, NULL, INFINITY},
        {TG_FLOAT, {TG_INIT_NORMAL, 0, NAN}, "may lie outside", 0},
        {TG_F64, {(tg_init_kind)9, 0, 0}, "there is no initializer of kind 9", 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tg_variables *store = tg_variables_new(context, i);
        tg_graph *graph = tg_graph_new(store, TG_TRAINING);
        tg_tensor w = tg_state(graph, "w", cases[i].dtype, TG_SHAPE(50), cases[i].init);
        const char *error = tg_graph_error(graph);
        ck_assert_msg(cases[i].part ? error && strstr(error, cases[i].part) : tg_ok(w), "case %zu: %s", i,
                      error ? error : "none");
        ck_assert_int_eq(tg_variables_count(store), cases[i].part == NULL);
        const tg_variable_info *found = tg_variables_find(store, "w");
        for (int k = 0; k < 50 && found && cases[i].init.kind == TG_INIT_CONSTANT; k++) {
            double value = found->type.dtype == TG_F32   ? (double)((const float *)tg_variable_data(found))[k]
                           : found->type.dtype == TG_I32 ? ((const int32_t *)tg_variable_data(found))[k]
                                                         : ((const uint8_t *)tg_variable_data(found))[k];
            ck_assert_double_eq(value, cases[i].first);
        }
        tg_graph_free(graph);
        tg_variables_free(store);
    }
}
END_TEST

START_TEST(many_variables_are_all_found)
{
    char name[32];
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "layer_%d/kernel", i);
        ck_assert_ptr_nonnull(declare(variables, name, TG_SHAPE(1), (tg_init){TG_INIT_CONSTANT, i, 0}));
    }
    for (int i = 0; i < 1000; i++) {
        snprintf(name, sizeof name, "layer_%d/kernel", i);
        ck_assert_float_eq(*(float *)tg_variable_data(tg_variables_find(variables, name)), (float)i);
    }
}
END_TEST

/* Builds, casts and frees a store; true if all of it succeeded. */
static bool use_store(tg_context *small)
{
    tg_variables *store = tg_variables_new(small, 1);
    if (!store)
        return false;
    bool good = declare(store, "a", TG_SHAPE(4), (tg_init){TG_INIT_CONSTANT, 0, 0}) &&
                declare(store, "b", TG_SHAPE(4), (tg_init){TG_INIT_CONSTANT, 0, 0});
    tg_variables *wide = good ? tg_variables_cast(store, TG_F64) : NULL;
    tg_variables_free(wide);
    tg_variables_free(store);
    return wide != NULL;
}

START_TEST(every_allocation_may_fail)
{
    bool good = false;
    for (long refuse = 2; !good; refuse++) { /* the first is the context's own */
        ck_assert_int_lt(refuse, 100);
        failing_allocator counter = {.refuse = refuse};
        tg_context_options options = tg_context_defaults();
        options.allocator = failing_allocator_interface(&counter);
        tg_context *small = tg_context_new(options);
        good = use_store(small);
        ck_assert(good == (counter.requests < refuse));
        tg_context_free(small);
        ck_assert_int_eq(counter.live, 0);
    }
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("variables");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_variable_is_created_once_and_found_again);
    tcase_add_test(tests, initial_values_depend_on_seed_and_name_alone);
    tcase_add_test(tests, initial_values_have_their_distribution);
    tcase_add_test(tests, both_floats_start_from_the_same_values);
    tcase_add_test(tests, casting_converts_what_follows_the_working_float);
    tcase_add_test(tests, reading_and_writing_check_name_and_size);
    tcase_add_test(tests, a_committed_run_advances_step_and_generation);
    tcase_add_test(tests, initial_values_are_values_of_the_dtype);
    tcase_add_test(tests, many_variables_are_all_found);
    tcase_add_test(tests, every_allocation_may_fail);
    return harness_run("variables", tests);
}
