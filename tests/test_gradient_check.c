#include "train/gradient_check.h"

#include <string.h>

#include "failing_allocator.h"
#include "harness.h"
#include "ops/ops.h"
#include "train/layers.h"

/* Rows of three floats with a float each to be predicted. */
enum { ROWS = 12, INPUTS = 3, HIDDEN = 4 };
static float x[ROWS][INPUTS], y[ROWS];
static const tg_rows data = {x, y, ROWS};

typedef struct choices {
    tg_activation_kind activation;
    double dropout;
    bool wrong; /* the loss hides a part of itself from the gradient */
} choices;

static tg_context *context;
static tg_variables *variables;
static tg_model *model;
static choices chosen;
static tg_model_check check;

static tg_tensor network(tg_tensor rows, void *user)
{
    const choices *c = user;
    tg_tensor h = tg_activation_layer(tg_dense(rows, HIDDEN, "first"), c->activation, NULL);
    if (c->dropout > 0)
        h = tg_dropout_layer(h, c->dropout, NULL);
    return tg_reshape(tg_dense(h, 1, "second"), TG_SHAPE(tg_tensor_shape(rows).dims[0]));
}

static tg_tensor loss(tg_tensor outputs, tg_tensor targets, void *user)
{
    const choices *c = user;
    tg_tensor error = tg_sub(outputs, targets);
    return tg_mul(error, c->wrong ? tg_stop_gradient(error) : error);
}

static tg_model_options options(void)
{
    return (tg_model_options){.input = {TG_F32, TG_SHAPE(INPUTS)},
                              .target = {TG_F32, TG_SCALAR},
                              .network = network,
                              .loss = loss,
                              .user = &chosen,
                              .optimizer = tg_adam_defaults()};
}

static void setup(void)
{
    for (int i = 0; i < ROWS; i++) {
        for (int k = 0; k < INPUTS; k++)
            x[i][k] = (float)((i * 7 + k * 5) % 11 - 5) / 4;
        y[i] = x[i][0] * x[i][1] - x[i][2];
    }
    chosen = (choices){.activation = TG_ACTIVATION_TANH};
    context = harness_context(1);
    variables = tg_variables_new(context, 5);
    model = tg_model_new(variables, options());
    ck_assert_ptr_nonnull(model);
}

static void teardown(void)
{
    tg_model_free(model);
    tg_variables_free(variables);
    tg_context_free(context);
}

static void run_check(tg_check_options how)
{
    ck_assert_msg(tg_model_check_gradients(model, data, ROWS, how, &check) == TG_OK, "%s", tg_model_error(model));
}

START_TEST(right_gradients_pass_in_every_variable)
{
    static const char *const names[] = {"first/kernel", "first/bias", "second/kernel", "second/bias"};
    static const int64_t counts[] = {INPUTS * HIDDEN, HIDDEN, HIDDEN, 1};
    run_check((tg_check_options){0});
    ck_assert(check.passed);
    ck_assert_int_eq(check.count, 4);
    for (int i = 0; i < 4; i++) {
        ck_assert_ptr_eq(check.worst[i].variable, tg_variables_find(variables, names[i])->name);
        ck_assert_int_eq(check.worst[i].checked, counts[i]);
        ck_assert_int_eq(check.worst[i].kinks, 0);
        ck_assert(check.worst[i].error < 1e-8 && check.worst[i].recorded != 0);
    }
    tg_model_check_free(&check);
    ck_assert(!check.worst && check.count == 0);
}
END_TEST

START_TEST(nothing_of_the_model_changes)
{
    static const int32_t order[ROWS] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    float before[INPUTS * HIDDEN], after[INPUTS * HIDDEN];
    ck_assert_int_eq(tg_model_train(model, data, order, ROWS), TG_OK);
    ck_assert_int_eq(tg_variables_read(variables, "first/kernel", before, sizeof before), TG_OK);
    int count = tg_variables_count(variables);
    uint64_t step = tg_variables_step(variables);
    run_check((tg_check_options){.max_elements = 2});
    ck_assert_int_eq(check.worst[0].checked, 2);
    tg_model_check_free(&check);
    ck_assert_int_eq(tg_variables_read(variables, "first/kernel", after, sizeof after), TG_OK);
    ck_assert_mem_eq(before, after, sizeof before);
    ck_assert_int_eq(tg_variables_count(variables), count);
    ck_assert_int_eq(tg_variables_step(variables), step);
}
END_TEST

START_TEST(dropout_draws_the_same_in_every_run)
{
    chosen.dropout = 0.5;
    run_check((tg_check_options){0});
    ck_assert(check.passed && check.worst[0].error < 1e-8);
    tg_model_check_free(&check);
}
END_TEST

START_TEST(a_wrong_gradient_is_found)
{
    chosen.wrong = true;
    run_check((tg_check_options){0});
    ck_assert(!check.passed);
    ck_assert_double_eq_tol(check.worst[3].numeric, 2 * check.worst[3].recorded, 1e-6);
    tg_model_check_free(&check);
}
END_TEST

START_TEST(kinks_are_counted)
{
    chosen.activation = TG_ACTIVATION_RELU;
    memset(x[0], 0, sizeof x[0]); /* with biases of 0 the first layer then gives 0, where relu has its kink */
    run_check((tg_check_options){0});
    ck_assert(check.passed);
    ck_assert_int_eq(check.worst[1].kinks, HIDDEN);
    ck_assert_int_eq(check.worst[1].checked, 0);
    ck_assert_int_eq(check.worst[1].element, -1);
    ck_assert_int_eq(check.worst[3].kinks, 0);
    tg_model_check_free(&check);
}
END_TEST

START_TEST(wrong_arguments_are_told)
{
    static const struct {
        tg_rows data;
        int64_t batch;
    } wrong[] = {{{x, y, ROWS}, 0}, {{x, y, ROWS}, ROWS + 1}, {{NULL, y, ROWS}, 1}, {{x, NULL, ROWS}, 1}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ck_assert_int_eq(tg_model_check_gradients(model, wrong[i].data, wrong[i].batch, (tg_check_options){0}, &check),
                         TG_ERROR_ARGUMENT);
        ck_assert_ptr_nonnull(strstr(tg_model_error(model), "gradients are checked on at least one row"));
        ck_assert_ptr_null(check.worst);
    }
}
END_TEST

START_TEST(memory_that_is_out_is_an_error)
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
        tg_status status =
            small ? tg_model_check_gradients(small, data, 2, (tg_check_options){.max_elements = 1}, &check) : TG_ERROR_MEMORY;
        passed = status == TG_OK;
        ck_assert(passed || status == TG_ERROR_MEMORY || status == TG_ERROR_GRAPH);
        if (small && !passed)
            ck_assert_msg(strstr(tg_model_error(small), "memory") != NULL, "%s", tg_model_error(small));
        if (passed)
            tg_model_check_free(&check);
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
    TCase *tests = harness_case("gradient_check");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, right_gradients_pass_in_every_variable);
    tcase_add_test(tests, nothing_of_the_model_changes);
    tcase_add_test(tests, dropout_draws_the_same_in_every_run);
    tcase_add_test(tests, a_wrong_gradient_is_found);
    tcase_add_test(tests, kinks_are_counted);
    tcase_add_test(tests, wrong_arguments_are_told);
    tcase_add_test(tests, memory_that_is_out_is_an_error);
    return harness_run("gradient_check", tests);
}
