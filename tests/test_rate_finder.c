#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "failing_allocator.h"
#include "graph/rebuild.h"
#include "harness.h"
#include "ops/ops.h"
#include "train/fit.h"
#include "train/layers.h"
#include "train/rate_finder.h"

enum { ROWS = 90, BATCH = 16, CLASSES = 2 };
static float x[ROWS][3];
static int32_t y[ROWS];
static const tg_rows data = {x, y, ROWS};
static double loss_scale; /* applied twice: 1e30 is too much for f32 */
static double dropout;    /* draws by the store's step */

static tg_tensor network(tg_tensor in, void *user)
{
    (void)user;
    return tg_dense(tg_dropout_layer(tg_activation_layer(tg_dense(in, 8, NULL), TG_ACTIVATION_TANH, NULL), dropout, NULL),
                    CLASSES, NULL);
}

static tg_tensor loss(tg_tensor logits, tg_tensor labels, void *user)
{
    (void)user;
    tg_tensor losses = tg_cross_entropy(logits, labels), scale = tg_scalar(losses, loss_scale);
    return tg_mul(tg_mul(losses, scale), scale);
}

typedef struct bench {
    tg_context *context;
    tg_variables *variables;
    tg_model *model;
} bench;

static bench make_on(tg_context *context, tg_optimizer optimizer)
{
    bench b = {.context = context};
    b.variables = tg_variables_new(b.context, 9);
    b.model = b.variables ? tg_model_new(b.variables, (tg_model_options){.input = {TG_F32, TG_SHAPE(3)},
                                                                         .target = {TG_I32, TG_SCALAR},
                                                                         .network = network,
                                                                         .loss = loss,
                                                                         .classes = CLASSES,
                                                                         .optimizer = optimizer})
                          : NULL;
    return b;
}

static bench make(int threads, tg_optimizer optimizer)
{
    bench b = make_on(harness_context(threads), optimizer);
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
    dropout = 0.1;
    for (int i = 0; i < ROWS; i++) {
        for (int k = 0; k < 3; k++)
            x[i][k] = (float)((i * 29 + k * 53) % 101) / 50 - 1;
        y[i] = x[i][0] + x[i][1] > x[i][2];
    }
}

static tg_rate_finder_options options(void)
{
    tg_rate_finder_options o = tg_rate_finder_defaults();
    o.batch = BATCH;
    o.seed = 4;
    o.steps = 301;
    return o;
}

/* Every variable's bytes, one after another, and the step. The caller frees them. */
static char *state_of(const bench *b, size_t *size)
{
    char *bytes = NULL;
    FILE *out = open_memstream(&bytes, size);
    uint64_t step = tg_variables_step(b->variables);
    for (int i = 0; i < tg_variables_count(b->variables); i++) {
        const tg_variable_info *info = tg_variables_at(b->variables, i);
        fwrite(tg_variable_data(info), 1, (size_t)tg_type_bytes(info->type), out);
    }
    fwrite(&step, sizeof step, 1, out);
    fclose(out);
    return bytes;
}

static void train_some(const bench *b, int epochs)
{
    tg_fit_options fit = tg_fit_defaults();
    fit.epochs = epochs;
    fit.batch = BATCH;
    ck_assert_int_eq(tg_fit(b->model, data, fit), TG_OK);
}

START_TEST(a_sweep_covers_its_range)
{
    bench b = make(1, tg_adam_defaults());
    tg_rate_sweep sweep;
    tg_rate_finder_options o = options();
    o.highest = 1e-2;
    o.steps = 5;
    o.smoothing = 0.5;
    ck_assert_msg(tg_find_learning_rate(b.model, data, o, &sweep) == TG_OK, "%s", tg_model_error(b.model));
    ck_assert_int_eq(sweep.count, 5);
    ck_assert(!sweep.diverged);
    double sum = 0;
    for (int i = 0; i < 5; i++) {
        const tg_rate_point *p = &sweep.points[i];
        ck_assert_double_eq_tol(log10(p->rate), i - 6, 1e-12);
        sum = 0.5 * sum + 0.5 * p->loss;
        ck_assert_double_eq_tol(p->smoothed, sum / (1 - pow(0.5, i + 1)), 1e-12);
        ck_assert(p->smoothed >= sweep.points[sweep.least].smoothed);
    }
    tg_rate_sweep_free(&sweep);
    tg_rate_sweep_free(&sweep);
    ck_assert_int_eq(sweep.count, 0);
    drop(b);
}
END_TEST

/* The first step's loss is that of the batch before any update, here of all rows. */
START_TEST(losses_are_those_of_batches_before_their_updates)
{
    dropout = 0; /* which depends on the order of rows */
    bench b = make(1, tg_sgd_defaults());
    tg_rate_sweep sweep;
    tg_rate_finder_options o = options();
    o.batch = 1000;
    o.steps = 3;
    int32_t all[ROWS];
    for (int i = 0; i < ROWS; i++)
        all[i] = i;
    tg_scores scores;
    ck_assert_int_eq(tg_find_learning_rate(b.model, data, o, &sweep), TG_OK);
    ck_assert_int_eq(tg_model_reset_scores(b.model), TG_OK);
    ck_assert_int_eq(tg_model_train(b.model, data, all, ROWS), TG_OK);
    ck_assert_int_eq(tg_model_read_scores(b.model, &scores), TG_OK);
    ck_assert_double_eq_tol(sweep.points[0].loss, scores.loss, 1e-6);
    ck_assert_double_eq(sweep.points[0].smoothed, sweep.points[0].loss);
    tg_rate_sweep_free(&sweep);
    drop(b);
}
END_TEST

/* Of a model in the midst of training; then training goes on as it would have without a sweep. */
START_TEST(everything_is_restored_to_the_bit)
{
    bench b = make(1, tg_adam_defaults()), untouched = make(1, tg_adam_defaults());
    size_t before_size, after_size;
    tg_rate_sweep sweep;
    train_some(&b, 2);
    train_some(&untouched, 2);
    tg_model_set_learning_rate(b.model, 0.25);
    char *before = state_of(&b, &before_size);
    ck_assert_int_eq(tg_find_learning_rate(b.model, data, options(), &sweep), TG_OK);
    ck_assert_int_gt(sweep.count, 100);
    tg_rate_sweep_free(&sweep);
    char *after = state_of(&b, &after_size);
    ck_assert_uint_eq(before_size, after_size);
    ck_assert_mem_eq(before, after, before_size);
    ck_assert_double_eq(tg_model_learning_rate(b.model), 0.25);
    free(after);
    free(before);
    tg_model_set_learning_rate(b.model, tg_model_learning_rate(untouched.model));
    train_some(&b, 1);
    train_some(&untouched, 1);
    before = state_of(&untouched, &before_size);
    after = state_of(&b, &after_size);
    ck_assert_uint_eq(before_size, after_size);
    ck_assert_mem_eq(before, after, before_size);
    free(after);
    free(before);
    drop(untouched);
    drop(b);
}
END_TEST

START_TEST(the_seed_decides_every_bit_and_threads_none)
{
    bench b = make(1, tg_adam_defaults());
    tg_rate_sweep expected, other;
    ck_assert_int_eq(tg_find_learning_rate(b.model, data, options(), &expected), TG_OK);
    static const int threads[] = {1, 2, 3, 7};
    for (size_t i = 0; i < sizeof threads / sizeof *threads; i++) {
        bench c = make(threads[i], tg_adam_defaults());
        ck_assert_int_eq(tg_find_learning_rate(c.model, data, options(), &other), TG_OK);
        ck_assert_int_eq(other.count, expected.count);
        ck_assert_int_eq(other.suggested, expected.suggested);
        ck_assert_mem_eq(other.points, expected.points, (size_t)expected.count * sizeof *expected.points);
        tg_rate_sweep_free(&other);
        drop(c);
    }
    tg_rate_finder_options o = options();
    o.seed = 5;
    ck_assert_int_eq(tg_find_learning_rate(b.model, data, o, &other), TG_OK);
    ck_assert(other.points[0].loss != expected.points[0].loss);
    tg_rate_sweep_free(&other);
    tg_rate_sweep_free(&expected);
    drop(b);
}
END_TEST

/* A model that begins with the suggested rate learns what one with a hundredth of it does not. */
START_TEST(the_suggestion_trains)
{
    static const tg_optimizer_kind kinds[] = {TG_OPTIMIZER_SGD, TG_OPTIMIZER_MOMENTUM, TG_OPTIMIZER_RMSPROP, TG_OPTIMIZER_ADAM};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        bench b = make(1, tg_optimizer_defaults(kinds[i])), timid = make(1, tg_optimizer_defaults(kinds[i]));
        tg_rate_sweep sweep;
        tg_scores scores, timid_scores;
        ck_assert_int_eq(tg_find_learning_rate(b.model, data, options(), &sweep), TG_OK);
        ck_assert_int_ge(sweep.suggested, 0);
        ck_assert_int_le(sweep.suggested, sweep.least);
        tg_model_set_learning_rate(b.model, sweep.points[sweep.suggested].rate);
        tg_model_set_learning_rate(timid.model, sweep.points[sweep.suggested].rate / 100);
        tg_rate_sweep_free(&sweep);
        train_some(&b, 20);
        train_some(&timid, 20);
        ck_assert_int_eq(tg_model_evaluate(b.model, data, &scores, NULL), TG_OK);
        ck_assert_int_eq(tg_model_evaluate(timid.model, data, &timid_scores, NULL), TG_OK);
        ck_assert_msg(scores.accuracy > 0.9 && scores.loss < 0.6 * timid_scores.loss, "%s: accuracy %g, losses %g and %g",
                      tg_optimizer_name(kinds[i]), scores.accuracy, scores.loss, timid_scores.loss);
        drop(timid);
        drop(b);
    }
}
END_TEST

/* SGD without bounds: the loss explodes long before the last step, by the factor or by an infinity. */
START_TEST(divergence_ends_a_sweep_and_is_no_error)
{
    static const double factors[] = {4, 1e300};
    for (int i = 0; i < 2; i++) {
        bench b = make(1, tg_sgd_defaults());
        tg_rate_finder_options o = options();
        tg_rate_sweep sweep;
        o.highest = 1e60; /* beyond f32 */
        o.stop_factor = factors[i];
        ck_assert_int_eq(tg_find_learning_rate(b.model, data, o, &sweep), TG_OK);
        ck_assert(sweep.diverged);
        ck_assert_int_lt(sweep.count, o.steps);
        ck_assert_int_ge(sweep.suggested, 0);
        double last = sweep.points[sweep.count - 1].smoothed;
        ck_assert(isfinite(last));
        if (i == 0)
            ck_assert(last > 4 * sweep.points[sweep.least].smoothed);
        tg_rate_sweep_free(&sweep);
        drop(b);
    }
}
END_TEST

START_TEST(a_loss_that_is_never_finite_leaves_no_point)
{
    loss_scale = 1e30;
    bench b = make(1, tg_sgd_defaults());
    tg_rate_sweep sweep;
    ck_assert_int_eq(tg_find_learning_rate(b.model, data, options(), &sweep), TG_OK);
    ck_assert(sweep.diverged && sweep.count == 0 && sweep.suggested == -1 && sweep.least == -1);
    tg_rate_sweep_free(&sweep);
    drop(b);
}
END_TEST

static bool stop_at_seven(void *user, int step, int steps)
{
    ck_assert_int_eq(step, ++*(int *)user);
    ck_assert_int_eq(steps, 301);
    return step < 7;
}

START_TEST(a_callback_stops_it)
{
    bench b = make(1, tg_adam_defaults());
    tg_rate_finder_options o = options();
    tg_rate_sweep sweep;
    int steps = 0;
    size_t before_size, after_size;
    ck_assert_int_eq(tg_model_prepare(b.model, data, BATCH), TG_OK);
    char *before = state_of(&b, &before_size);
    o.on_step = stop_at_seven;
    o.user = &steps;
    ck_assert_int_eq(tg_find_learning_rate(b.model, data, o, &sweep), TG_ERROR_STOPPED);
    ck_assert_int_eq(steps, 7);
    ck_assert(!sweep.points && sweep.count == 0);
    ck_assert_str_eq(tg_model_error(b.model), "the sweep of learning rates was stopped by a callback");
    char *after = state_of(&b, &after_size);
    ck_assert_uint_eq(before_size, after_size);
    ck_assert_mem_eq(before, after, before_size);
    free(after);
    free(before);
    drop(b);
}
END_TEST

START_TEST(wrong_arguments_are_told)
{
    bench b = make(1, tg_adam_defaults());
    tg_rate_sweep sweep;
    for (int i = 0; i < 9; i++) {
        tg_rate_finder_options o = options();
        tg_rows rows = data;
        switch (i) {
        case 0: o.lowest = 0; break;
        case 1: o.highest = o.lowest; break;
        case 2: o.highest = INFINITY; break;
        case 3: o.steps = 1; break;
        case 4: o.smoothing = 1; break;
        case 5: o.stop_factor = 1; break;
        case 6: o.batch = 0; break;
        case 7: o.lowest = NAN; break;
        default: rows.count = 0; break;
        }
        ck_assert_int_eq(tg_find_learning_rate(b.model, rows, o, &sweep), TG_ERROR_ARGUMENT);
        ck_assert(*tg_model_error(b.model) && !sweep.points);
    }
    drop(b);
}
END_TEST

START_TEST(every_refused_request_is_told)
{
    bool finished = false;
    for (long refuse = 1; !finished; refuse++) {
        failing_allocator memory = {0};
        tg_context_options o = harness_options();
        o.threads = 1;
        o.allocator = failing_allocator_interface(&memory);
        tg_context *context = tg_context_new(o);
        bench b = make_on(context, tg_adam_defaults());
        tg_rate_finder_options few = options();
        tg_rate_sweep sweep;
        few.steps = 5;
        ck_assert_ptr_nonnull(b.model);
        memory.refuse = memory.requests + refuse;
        tg_status status = tg_find_learning_rate(b.model, data, few, &sweep);
        finished = memory.requests < memory.refuse;
        ck_assert_int_eq(status == TG_OK, finished);
        tg_rate_sweep_free(&sweep);
        drop(b);
        ck_assert_int_eq(memory.live, 0);
    }
}
END_TEST

/* ---- the suggestion ---- */

/* A curve that falls along a logistic step around 10^-3 and explodes from 10^-0.5 on, with some noise. */
static void curve(tg_rate_point *points, int count, double noise)
{
    for (int i = 0; i < count; i++) {
        double decade = -6 + 7.0 * i / (count - 1);
        points[i].rate = pow(10, decade);
        points[i].smoothed = 0.3 + 2 / (1 + exp(4 * (decade + 3))) + (decade > -0.5 ? pow(10, decade + 0.5) - 1 : 0) +
                             noise * ((i * 37) % 11 - 5) / 5;
    }
}

START_TEST(the_steepest_descent_is_suggested)
{
    tg_rate_point points[701];
    static const int counts[] = {29, 141, 701};
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        curve(points, counts[i], 0);
        int at = tg_rate_suggest(points, counts[i]);
        ck_assert_int_ge(at, 0);
        ck_assert_double_eq_tol(log10(points[at].rate), -3, 0.13);
    }
    curve(points, 701, 0.02);
    ck_assert_double_eq_tol(log10(points[tg_rate_suggest(points, 701)].rate), -3, 0.25);
    points[0].smoothed = NAN; /* no least loss */
    ck_assert_double_eq_tol(log10(points[tg_rate_suggest(points, 701)].rate), -3, 0.25);
}
END_TEST

/* Falls in the first tenth, where the smoothed loss is a mean of few, and those beyond the least one do not count. */
START_TEST(falls_elsewhere_are_none)
{
    tg_rate_point points[201];
    curve(points, 201, 0);
    for (int i = 0; i < 10; i++)
        points[i].smoothed += 50 - 5 * i;
    points[195].smoothed = 90;
    ck_assert_double_eq_tol(log10(points[tg_rate_suggest(points, 201)].rate), -3, 0.1);
}
END_TEST

START_TEST(what_never_falls_has_no_suggestion)
{
    tg_rate_point points[100];
    for (int i = 0; i < 100; i++)
        points[i] = (tg_rate_point){.rate = 1e-6 * (i + 1), .smoothed = 2};
    ck_assert_int_eq(tg_rate_suggest(points, 100), -1);
    for (int i = 0; i < 100; i++)
        points[i].smoothed = i;
    for (int count = 0; count <= 100; count++)
        ck_assert_int_eq(tg_rate_suggest(points, count), -1);
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("rate_finder");
    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_test(tests, a_sweep_covers_its_range);
    tcase_add_test(tests, losses_are_those_of_batches_before_their_updates);
    tcase_add_test(tests, everything_is_restored_to_the_bit);
    tcase_add_test(tests, the_seed_decides_every_bit_and_threads_none);
    tcase_add_test(tests, the_suggestion_trains);
    tcase_add_test(tests, divergence_ends_a_sweep_and_is_no_error);
    tcase_add_test(tests, a_loss_that_is_never_finite_leaves_no_point);
    tcase_add_test(tests, a_callback_stops_it);
    tcase_add_test(tests, wrong_arguments_are_told);
    tcase_add_test(tests, every_refused_request_is_told);
    tcase_add_test(tests, the_steepest_descent_is_suggested);
    tcase_add_test(tests, falls_elsewhere_are_none);
    tcase_add_test(tests, what_never_falls_has_no_suggestion);
    return harness_run("rate_finder", tests);
}
