#include <math.h>

#include "failing_allocator.h"
#include "harness.h"
#include "train/callbacks.h"

enum { EPOCHS = 16 };

/* What Keras decided, with rates that begin at 0.05, are halved and stay above 0.004. */
typedef struct reference_run {
    int patience, start;
    double min_delta;
    int cooldown;
    double losses[EPOCHS];
    int last, best;
    double rates[EPOCHS];
} reference_run;

static const reference_run runs[] = {
#include "reference/callbacks.inc"
};
enum { RUNS = sizeof runs / sizeof *runs };

static void assert_stops_as_keras(const reference_run *run, bool larger)
{
    tg_early_stopping stopping = tg_early_stopping_make(run->patience);
    stopping.start_from_epoch = run->start;
    stopping.best.min_delta = run->min_delta;
    stopping.best.larger = larger;
    int epoch = 0, best = 0;
    tg_early_stopping_answer answer = TG_EPOCH_WAIT;
    while (epoch < EPOCHS && answer != TG_EPOCH_STOP) {
        double loss = run->losses[epoch++];
        answer = tg_early_stopping_look(&stopping, epoch, larger ? -loss : loss);
        best = answer == TG_EPOCH_BEST ? epoch : best;
    }
    ck_assert_int_eq(epoch, run->last);
    ck_assert_int_eq(best, run->best);
    ck_assert_int_eq(stopping.best.epoch, run->best);
}

START_TEST(training_stops_where_keras_stops)
{
    int stopped = 0;
    for (int i = 0; i < RUNS; i++) {
        assert_stops_as_keras(&runs[i], false);
        assert_stops_as_keras(&runs[i], true);
        stopped += runs[i].last < EPOCHS;
    }
    ck_assert_int_gt(stopped, 0);
}
END_TEST

START_TEST(rates_are_reduced_where_keras_reduces_them)
{
    for (int i = 0; i < RUNS; i++) {
        tg_plateau plateau = tg_plateau_make(runs[i].patience);
        plateau.factor = 0.5;
        plateau.smallest = 0.004;
        plateau.cooldown = runs[i].cooldown;
        plateau.best.min_delta = runs[i].min_delta;
        double rate = 0.05;
        for (int epoch = 1; epoch <= EPOCHS; epoch++) {
            rate = tg_plateau_look(&plateau, epoch, runs[i].losses[epoch - 1], rate);
            ck_assert_msg(fabs(rate - runs[i].rates[epoch - 1]) < 1e-8, "run %d, epoch %d: %g, not %g", i, epoch, rate,
                          runs[i].rates[epoch - 1]);
        }
    }
}
END_TEST

START_TEST(a_nan_is_never_better)
{
    tg_early_stopping stopping = tg_early_stopping_make(2);
    ck_assert_int_eq(tg_early_stopping_look(&stopping, 1, 1), TG_EPOCH_BEST);
    ck_assert_int_eq(tg_early_stopping_look(&stopping, 2, NAN), TG_EPOCH_WAIT);
    ck_assert_int_eq(tg_early_stopping_look(&stopping, 3, NAN), TG_EPOCH_STOP);
    ck_assert_double_eq(stopping.best.value, 1);
}
END_TEST

/* What Keras does, whose first figure must be less than infinity. */
START_TEST(a_nan_is_not_the_best_if_it_comes_first)
{
    for (int larger = 0; larger < 2; larger++) {
        tg_early_stopping stopping = tg_early_stopping_make(3);
        tg_plateau plateau = tg_plateau_make(2);
        stopping.best.larger = plateau.best.larger = larger;
        ck_assert_int_eq(tg_early_stopping_look(&stopping, 1, NAN), TG_EPOCH_WAIT);
        ck_assert_int_eq(stopping.best.epoch, 0);
        ck_assert_int_eq(tg_early_stopping_look(&stopping, 2, 5), TG_EPOCH_BEST);
        ck_assert_int_eq(tg_early_stopping_look(&stopping, 3, larger ? 6 : 4), TG_EPOCH_BEST);
        ck_assert_double_eq(stopping.best.value, larger ? 6 : 4);
        tg_plateau_look(&plateau, 1, NAN, 1);
        ck_assert_double_eq(tg_plateau_look(&plateau, 2, 5, 1), 1);
        ck_assert_int_eq(plateau.best.epoch, 2);
    }
    tg_early_stopping hopeless = tg_early_stopping_make(2);
    ck_assert_int_eq(tg_early_stopping_look(&hopeless, 1, NAN), TG_EPOCH_WAIT);
    ck_assert_int_eq(tg_early_stopping_look(&hopeless, 2, NAN), TG_EPOCH_STOP);
}
END_TEST

START_TEST(weights_come_back_and_moments_do_not)
{
    tg_context *context = harness_context(1);
    tg_variables *variables = tg_variables_new(context, 1);
    const tg_type type = {TG_F32, TG_SHAPE(3)};
    const tg_init zero = {TG_INIT_CONSTANT, 0, 0};
    const float first[3] = {1, 2, 3}, second[3] = {4, 5, 6}, third[3] = {7, 8, 9};
    float found[3];
    static const char *const names[] = {"a", "moment", "b"};
    for (int i = 0; i < 3; i++) {
        ck_assert_ptr_nonnull(tg_variables_declare(variables, names[i], type, zero, i != 1));
        ck_assert_int_eq(tg_variables_write(variables, names[i], first, sizeof first), TG_OK);
    }
    tg_weights *weights = tg_weights_copy(variables);
    ck_assert_ptr_nonnull(weights);
    ck_assert_ptr_nonnull(tg_variables_declare(variables, "later", type, zero, true));
    ck_assert_int_eq(tg_variables_write(variables, "b", second, sizeof second), TG_OK);
    tg_weights_update(weights);
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(tg_variables_write(variables, names[i], third, sizeof third), TG_OK);
    uint64_t generation = tg_variables_generation(variables);
    ck_assert_int_eq(tg_weights_restore(weights), TG_OK);
    ck_assert_uint_ne(tg_variables_generation(variables), generation);
    const float *const expected[] = {first, third, second};
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(tg_variables_read(variables, names[i], found, sizeof found), TG_OK);
        ck_assert_mem_eq(found, expected[i], sizeof found);
    }
    tg_weights_free(weights);
    tg_weights_free(NULL);
    tg_variables_free(variables);
    tg_context_free(context);
}
END_TEST

START_TEST(every_allocation_may_fail)
{
    failing_allocator counter = {0};
    tg_context_options options = tg_context_defaults();
    options.allocator = failing_allocator_interface(&counter);
    options.threads = 1;
    tg_context *context = tg_context_new(options);
    tg_variables *variables = tg_variables_new(context, 1);
    ck_assert_ptr_nonnull(
        tg_variables_declare(variables, "a", (tg_type){TG_F32, TG_SHAPE(3)}, (tg_init){TG_INIT_CONSTANT, 0, 0}, true));
    long before = counter.requests, live = counter.live;
    tg_weights_free(tg_weights_copy(variables));
    long needed = counter.requests - before;
    ck_assert_int_ge(needed, 1);
    for (long i = 1; i <= needed; i++) {
        counter.refuse = counter.requests + i;
        ck_assert_ptr_null(tg_weights_copy(variables));
        ck_assert_int_eq(counter.live, live);
    }
    tg_variables_free(variables);
    tg_context_free(context);
    ck_assert_int_eq(counter.live, 0);
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("callbacks");
    tcase_add_test(tests, training_stops_where_keras_stops);
    tcase_add_test(tests, rates_are_reduced_where_keras_reduces_them);
    tcase_add_test(tests, a_nan_is_never_better);
    tcase_add_test(tests, a_nan_is_not_the_best_if_it_comes_first);
    tcase_add_test(tests, weights_come_back_and_moments_do_not);
    tcase_add_test(tests, every_allocation_may_fail);
    return harness_run("callbacks", tests);
}
