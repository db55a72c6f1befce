#include <math.h>
#include <string.h>

#include "harness.h"
#include "ops/ops.h"
#include "train/fit.h"
#include "train/layers.h"

enum { ROWS = 50, BATCH = 16, STEPS = 4, CLASSES = 2 };
static float x[ROWS][3];
static int32_t y[ROWS];
static const tg_rows data = {x, y, ROWS};

static tg_tensor network(tg_tensor in, void *user)
{
    (void)user;
    return tg_dense(tg_dropout_layer(tg_activation_layer(tg_dense(in, 6, NULL), TG_ACTIVATION_TANH, NULL), 0.25, NULL), CLASSES,
                    NULL);
}

static double loss_scale; /* applied twice: 1e30 is too much for f32, 1e15 for the squares of gradients */
static bool root_penalty; /* with a slope of infinity where the bias is 0 */

static tg_tensor loss(tg_tensor logits, tg_tensor labels, void *user)
{
    (void)user;
    tg_tensor losses = tg_cross_entropy(logits, labels), scale = tg_scalar(losses, loss_scale);
    if (root_penalty)
        losses =
            tg_add(losses, tg_sum(tg_sqrt(tg_abs(tg_variable(logits.graph, "penalty", TG_F32, TG_SHAPE(9), (tg_init){.a = 0}))),
                                  TG_ALL_AXES));
    return tg_mul(tg_mul(losses, scale), scale);
}

typedef struct bench {
    tg_context *context;
    tg_variables *variables;
    tg_model *model;
} bench;

static bench make(int threads)
{
    bench b;
    b.context = harness_context(threads);
    b.variables = tg_variables_new(b.context, 9);
    b.model = tg_model_new(b.variables, (tg_model_options){.input = {TG_F32, TG_SHAPE(3)},
                                                           .target = {TG_I32, TG_SCALAR},
                                                           .network = network,
                                                           .loss = loss,
                                                           .classes = CLASSES,
                                                           .optimizer = tg_adam_defaults()});
    ck_assert_ptr_nonnull(b.model);
    return b;
}

static void drop(bench b)
{
    tg_model_free(b.model);
    tg_variables_free(b.variables);
    tg_context_free(b.context);
}

static void setup(void)
{
    loss_scale = 1;
    root_penalty = false;
    for (int i = 0; i < ROWS; i++) {
        for (int k = 0; k < 3; k++)
            x[i][k] = (float)((i * 29 + k * 53) % 101) / 50 - 1;
        y[i] = x[i][0] + x[i][1] > x[i][2];
    }
}

typedef struct diary {
    int begun, steps, epochs, ended;
    int stop_at_step, stop_at_epoch, refuse_epoch; /* 0: never */
    tg_fit_step last_step;
    tg_fit_epoch last_epoch;
    tg_fit_end end;
} diary;

static bool on_begin(void *user, int epoch, int epochs)
{
    diary *l = user;
    ck_assert_int_eq(epoch, ++l->begun);
    ck_assert_int_ge(epochs, epoch);
    return epoch != l->refuse_epoch;
}

static bool on_step(void *user, const tg_fit_step *step)
{
    diary *l = user;
    l->last_step = *step;
    return ++l->steps != l->stop_at_step;
}

static bool on_epoch(void *user, const tg_fit_epoch *epoch)
{
    diary *l = user;
    l->last_epoch = *epoch;
    return ++l->epochs != l->stop_at_epoch;
}

static void on_end(void *user, const tg_fit_end *end)
{
    diary *l = user;
    ck_assert_int_eq(l->ended++, 0);
    l->end = *end;
}

static tg_fit_options options(diary *l, int epochs)
{
    tg_fit_options o = tg_fit_defaults();
    o.epochs = epochs;
    o.batch = BATCH;
    o.seed = 4;
    o.on_begin = on_begin;
    o.on_step = on_step;
    o.on_epoch = on_epoch;
    o.on_end = on_end;
    o.user = l;
    return o;
}

START_TEST(epochs_are_counted_and_reported)
{
    bench b = make(1);
    diary l = {0};
    tg_fit_options o = options(&l, 3);
    o.validation = (tg_rows){x, y, 20};
    ck_assert_msg(tg_fit(b.model, data, o) == TG_OK, "%s", tg_model_error(b.model));
    ck_assert(l.begun == 3 && l.steps == 3 * STEPS && l.epochs == 3);
    ck_assert(l.last_step.epoch == 3 && l.last_step.epochs == 3 && l.last_step.step == STEPS && l.last_step.steps == STEPS);
    ck_assert(l.last_epoch.epoch == 3 && l.last_epoch.steps == STEPS);
    ck_assert(l.ended == 1 && l.end.status == TG_OK && l.end.last.run_step == 3 * STEPS);
    ck_assert_double_ge(l.end.seconds, l.last_epoch.total_seconds);
    ck_assert(l.last_epoch.seconds > 0 && l.last_epoch.total_seconds >= l.last_epoch.seconds);
    ck_assert(l.last_epoch.train.loss > 0 && l.last_epoch.train.accuracy > 0);
    tg_scores scores;
    ck_assert_int_eq(tg_model_evaluate(b.model, o.validation, &scores, NULL), TG_OK);
    ck_assert_double_eq(scores.loss, l.last_epoch.validation.loss);
    ck_assert_double_eq(scores.accuracy, l.last_epoch.validation.accuracy);
    drop(b);
}
END_TEST

/* The training figures are means over the epoch's 50 rows, the last batch of 2 counting 2. */
START_TEST(training_scores_weigh_the_last_batch)
{
    bench b = make(1);
    diary l = {0};
    double counted;
    ck_assert_int_eq(tg_fit(b.model, data, options(&l, 2)), TG_OK);
    ck_assert_int_eq(tg_variables_read(b.variables, "metrics/accuracy/count", &counted, sizeof counted), TG_OK);
    ck_assert_double_eq(counted, ROWS);
    ck_assert_double_eq_tol(l.last_epoch.train.accuracy * ROWS, (int)(l.last_epoch.train.accuracy * ROWS + 0.5), 1e-9);
    ck_assert_double_eq(l.last_epoch.validation.loss, 0);
    drop(b);
}
END_TEST

static void train(int threads, uint64_t seed, bool in_order, float weights[18])
{
    bench b = make(threads);
    diary l = {0};
    tg_fit_options o = options(&l, 3);
    o.seed = seed;
    o.in_order = in_order;
    ck_assert_int_eq(tg_fit(b.model, data, o), TG_OK);
    ck_assert_int_eq(tg_variables_read(b.variables, "dense/kernel", weights, 18 * sizeof(float)), TG_OK);
    drop(b);
}

START_TEST(the_seed_decides_every_bit_and_threads_none)
{
    float expected[18], other[18];
    train(1, 4, false, expected);
    static const int threads[] = {1, 2, 3, 7};
    for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
        train(threads[i], 4, false, other);
        ck_assert_mem_eq(other, expected, sizeof expected);
    }
    train(1, 5, false, other);
    ck_assert_mem_ne(other, expected, sizeof expected);
    train(1, 4, true, other);
    ck_assert_mem_ne(other, expected, sizeof expected);
}
END_TEST

/* The network drops out by the store's step, which validation leaves alone. */
START_TEST(validation_changes_no_bit)
{
    float expected[18], validated[18];
    train(1, 4, false, expected);
    bench b = make(1);
    diary l = {0};
    tg_fit_options o = options(&l, 3);
    o.validation = (tg_rows){x, y, 20};
    ck_assert_int_eq(tg_fit(b.model, data, o), TG_OK);
    ck_assert_int_eq(tg_variables_read(b.variables, "dense/kernel", validated, sizeof validated), TG_OK);
    ck_assert_mem_eq(validated, expected, sizeof expected);
    drop(b);
}
END_TEST

/* A rate of 0 in the first epoch changes nothing; at its end the rate is that of its last step. */
START_TEST(a_schedule_sets_the_rate_of_each_step)
{
    bench b = make(1);
    diary l = {0};
    tg_fit_options o = options(&l, 1);
    float before[18], after[18];
    ck_assert_int_eq(tg_model_prepare(b.model, data, BATCH), TG_OK);
    ck_assert_int_eq(tg_variables_read(b.variables, "dense/kernel", before, sizeof before), TG_OK);
    tg_schedule schedule = {.kind = TG_SCHEDULE_STEP, .rate = 0, .decay_steps = 1, .decay_rate = 0.5};
    o.schedule = &schedule;
    ck_assert_int_eq(tg_fit(b.model, data, o), TG_OK);
    ck_assert_int_eq(tg_variables_read(b.variables, "dense/kernel", after, sizeof after), TG_OK);
    ck_assert_mem_eq(before, after, sizeof before);
    schedule.rate = 1;
    o.epochs = 3;
    l = (diary){0};
    ck_assert_int_eq(tg_fit(b.model, data, o), TG_OK);
    ck_assert_double_eq(l.last_epoch.learning_rate, ldexp(1, -(3 * STEPS - 1)));
    ck_assert_int_eq(tg_variables_read(b.variables, "dense/kernel", after, sizeof after), TG_OK);
    ck_assert_mem_ne(before, after, sizeof before);
    drop(b);
}
END_TEST

START_TEST(callbacks_stop_the_loop)
{
    bench b = make(1);
    diary at_step = {.stop_at_step = 6}, at_epoch = {.stop_at_epoch = 2}, at_begin = {.refuse_epoch = 2};
    ck_assert_int_eq(tg_fit(b.model, data, options(&at_step, 5)), TG_ERROR_STOPPED);
    ck_assert_str_eq(tg_model_error(b.model), "training was stopped by a callback");
    ck_assert(at_step.steps == 6 && at_step.epochs == 1 && at_step.last_step.epoch == 2 && at_step.last_step.step == 2);
    ck_assert_int_eq(tg_fit(b.model, data, options(&at_epoch, 5)), TG_ERROR_STOPPED);
    ck_assert_int_eq(at_epoch.steps, 2 * STEPS);
    ck_assert_int_eq(tg_fit(b.model, data, options(&at_begin, 5)), TG_ERROR_STOPPED);
    ck_assert_int_eq(at_begin.steps, STEPS);
    ck_assert(at_step.end.status == TG_ERROR_STOPPED && at_step.end.last.run_step == 6 && at_step.end.last.step == 2);
    ck_assert(at_begin.ended == 1 && at_begin.end.last.epoch == 2 && at_begin.end.last.step == 0);
    drop(b);
}
END_TEST

START_TEST(a_batch_larger_than_the_data_is_all_of_it)
{
    bench b = make(1);
    diary l = {0};
    tg_fit_options o = options(&l, 2);
    o.batch = 1000;
    ck_assert_int_eq(tg_fit(b.model, data, o), TG_OK);
    ck_assert_int_eq(l.steps, 2);
    drop(b);
}
END_TEST

START_TEST(wrong_arguments_are_told)
{
    bench b = make(1);
    diary l = {0};
    tg_fit_options o = options(&l, 2);
    ck_assert_int_eq(tg_fit(b.model, (tg_rows){x, y, 0}, o), TG_ERROR_ARGUMENT);
    o.batch = 0;
    ck_assert_int_eq(tg_fit(b.model, data, o), TG_ERROR_ARGUMENT);
    ck_assert_int_eq(l.ended, 0);
    o = options(&l, 0);
    ck_assert_int_eq(tg_fit(b.model, data, o), TG_OK);
    ck_assert(l.begun == 0 && l.ended == 1);
    drop(b);
}
END_TEST

/* The loss itself; a second moment, of a loss that is finite; a slope within a group that only updates. */
START_TEST(divergence_ends_the_loop)
{
    loss_scale = (double[]){1e30, 1e15, 1}[_i];
    root_penalty = _i == 2;
    bench b = make(2), fresh = make(2);
    diary l = {0};
    tg_nonfinite found;
    float logits[CLASSES];
    ck_assert_int_eq(tg_model_predict(fresh.model, x, 1, logits, sizeof logits), TG_OK); /* weights as they are drawn */
    ck_assert_int_eq(tg_fit(b.model, data, options(&l, 1)), TG_ERROR_NONFINITE);
    ck_assert(l.steps == 0 && l.end.status == TG_ERROR_NONFINITE);
    ck_assert_int_eq(tg_model_find_nonfinite(b.model, &found), TG_OK);
    ck_assert_int_ge(found.node, 0);
    ck_assert_msg(strstr(found.message, _i == 1 ? "square of layer adam" : "test_fit.c:") != NULL, "%s", found.message);
    /* Nothing changed: weights, and moments and metrics, which begin at 0; and the step. */
    ck_assert_uint_eq(tg_variables_step(b.variables), 0);
    ck_assert_int_gt(tg_variables_count(b.variables), tg_variables_count(fresh.variables));
    for (int i = 0; i < tg_variables_count(b.variables); i++) {
        const tg_variable_info *info = tg_variables_at(b.variables, i);
        float now[64], first[64] = {0};
        size_t bytes = (size_t)tg_type_bytes(info->type);
        ck_assert_uint_le(bytes, sizeof now);
        ck_assert_int_eq(tg_variables_read(b.variables, info->name, now, bytes), TG_OK);
        if (tg_variables_find(fresh.variables, info->name))
            ck_assert_int_eq(tg_variables_read(fresh.variables, info->name, first, bytes), TG_OK);
        ck_assert_msg(memcmp(now, first, bytes) == 0, "%s changed", info->name);
    }
    drop(b);
    drop(fresh);
}
END_TEST

/* With such a rate each step throws the weights far away, but nothing ever leaves the floats. */
START_TEST(an_exploding_loss_is_divergence)
{
    const double factors[] = {0, 1e3, 1e9, INFINITY};
    for (int i = 0; i < 4; i++) {
        bench b = make(1);
        diary l = {0};
        tg_fit_options o = options(&l, 2);
        o.divergence = factors[i];
        tg_model_set_learning_rate(b.model, 1e8);
        tg_status status = tg_fit(b.model, data, o);
        bool told = factors[i] < 1e9;
        ck_assert_msg(status == (told ? TG_ERROR_DIVERGED : TG_OK), "%g: %d, %s", factors[i], (int)status,
                      tg_model_error(b.model));
        ck_assert_int_eq(l.end.status, status);
        ck_assert_int_eq(l.epochs, told ? 0 : 2);
        ck_assert_int_eq(l.end.last.step, l.end.last.steps);
        if (told)
            ck_assert_msg(strstr(tg_model_error(b.model), "the mean loss of epoch 1 is ") &&
                              strstr(tg_model_error(b.model), " times that of the first step, "),
                          "%s", tg_model_error(b.model));
        drop(b);
    }
}
END_TEST

/* Of later epochs it is called so too, and a rise that is less is none. */
START_TEST(a_loss_may_explode_late)
{
    bench b = make(1);
    diary l = {0};
    tg_fit_options o = options(&l, 3);
    const double one = 1;
    tg_schedule late = {.kind = TG_SCHEDULE_CONSTANT, .rate = 1e8, .warmup_steps = 0};
    ck_assert_int_eq(tg_fit(b.model, data, o), TG_OK);
    ck_assert_double_lt(l.last_epoch.train.loss, one);
    l = (diary){.begun = 1, .epochs = 1};
    o.first_epoch = 2;
    o.first_step = 1; /* in the middle of an epoch, whose mean so far counts as the first step's */
    o.schedule = &late;
    ck_assert_int_eq(tg_fit(b.model, data, o), TG_ERROR_DIVERGED);
    ck_assert_msg(strstr(tg_model_error(b.model), "the mean loss of epoch 2 is "), "%s", tg_model_error(b.model));
    o.divergence = -1;
    ck_assert_int_eq(tg_fit(b.model, data, o), TG_ERROR_ARGUMENT);
    o.divergence = NAN;
    ck_assert_int_eq(tg_fit(b.model, data, o), TG_ERROR_ARGUMENT);
    ck_assert_msg(strstr(tg_model_error(b.model), "the factor by which the loss may grow"), "%s", tg_model_error(b.model));
    drop(b);
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("fit");
    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_test(tests, epochs_are_counted_and_reported);
    tcase_add_test(tests, training_scores_weigh_the_last_batch);
    tcase_add_test(tests, the_seed_decides_every_bit_and_threads_none);
    tcase_add_test(tests, validation_changes_no_bit);
    tcase_add_test(tests, a_schedule_sets_the_rate_of_each_step);
    tcase_add_test(tests, callbacks_stop_the_loop);
    tcase_add_test(tests, a_batch_larger_than_the_data_is_all_of_it);
    tcase_add_test(tests, wrong_arguments_are_told);
    tcase_add_loop_test(tests, divergence_ends_the_loop, 0, 3);
    tcase_add_test(tests, an_exploding_loss_is_divergence);
    tcase_add_test(tests, a_loss_may_explode_late);
    return harness_run("fit", tests);
}
