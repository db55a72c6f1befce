#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <string.h>

#include "data_files.h"
#include "small_model.h"
#include "train/checkpoint.h"

static tg_cancel cancel;
static char message[TG_MESSAGE_SIZE];

/* Another thread, which cancels once it has seen `steps` reach `after`. */
typedef struct canceller {
    atomic_int steps;
    int after;
    pthread_t thread;
} canceller;

static void *cancel_later(void *user)
{
    canceller *c = user;
    while (atomic_load(&c->steps) < c->after)
        sched_yield();
    tg_cancel_request(&cancel);
    return NULL;
}

static void start(canceller *c, int after)
{
    atomic_init(&c->steps, 0);
    c->after = after;
    ck_assert_int_eq(pthread_create(&c->thread, NULL, cancel_later, c), 0);
}

static void finish(canceller *c)
{
    ck_assert_int_eq(pthread_join(c->thread, NULL), 0);
    ck_assert(tg_cancel_requested(&cancel));
}

typedef struct diary {
    canceller *canceller;
    tg_checkpoint *checkpoint;
    int ends, epochs;
    tg_fit_step last;
    tg_fit_end end;
    bool cancel_in_step;
} diary;

static bool on_step(void *user, const tg_fit_step *step)
{
    diary *d = user;
    d->last = *step;
    if (d->cancel_in_step)
        tg_cancel_request(&cancel);
    if (d->canceller)
        atomic_fetch_add(&d->canceller->steps, 1);
    return !d->checkpoint || tg_checkpoint_step(d->checkpoint, step, message) == TG_OK;
}

static bool on_epoch(void *user, const tg_fit_epoch *epoch)
{
    diary *d = user;
    d->epochs++;
    return !d->checkpoint || tg_checkpoint_epoch(d->checkpoint, epoch, message) == TG_OK;
}

static void on_end(void *user, const tg_fit_end *end)
{
    diary *d = user;
    d->ends++;
    d->end = *end;
}

static tg_fit_options options(diary *d, int epochs)
{
    return (tg_fit_options){.epochs = epochs,
                            .batch = BATCH,
                            .seed = 4,
                            .validation = data,
                            .on_step = on_step,
                            .on_epoch = on_epoch,
                            .on_end = on_end,
                            .user = d};
}

static void setup(void) { tg_cancel_clear(&cancel); }

START_TEST(another_thread_ends_training)
{
    canceller other;
    diary d = {.canceller = &other};
    bench b = bench_make(2, &cancel);
    start(&other, 10);
    ck_assert_int_eq(tg_fit(b.model, data, options(&d, 1000000)), TG_ERROR_STOPPED);
    finish(&other);
    ck_assert_str_eq(tg_model_error(b.model), "the model's work was cancelled");
    ck_assert_int_ge(d.last.run_step, 10);
    ck_assert(d.ends == 1 && d.end.status == TG_ERROR_STOPPED && d.end.last.run_step == d.last.run_step);
    bench_drop(b);
}
END_TEST

/* Evaluations without end: each batch asks a source that has another. */
static tg_status next_again(void *user, tg_batch *batch, char *why)
{
    (void)why;
    atomic_fetch_add((atomic_int *)user, 1);
    batch->rows = data;
    return TG_OK;
}

START_TEST(another_thread_ends_an_evaluation)
{
    canceller other;
    tg_source endless = {.next = next_again, .user = &other.steps};
    tg_scores scores;
    bench b = bench_make(2, &cancel);
    start(&other, 10);
    ck_assert_int_eq(tg_model_evaluate_source(b.model, &endless, &scores, NULL), TG_ERROR_STOPPED);
    finish(&other);
    ck_assert_int_ge(atomic_load(&other.steps), 10);
    ck_assert_int_eq(tg_model_evaluate(b.model, data, &scores, NULL), TG_ERROR_STOPPED);
    bench_drop(b);
}
END_TEST

/* What is kept is a finished step, wherever the other thread comes: between steps, in one, or in the validation. */
START_TEST(a_cancelled_run_goes_on_with_the_same_bits)
{
    enum { EPOCHS = 3 };
    char folder[256];
    diary whole_diary = {0};
    bench whole = bench_make(1, &cancel);
    make_folder(folder);
    ck_assert_int_eq(tg_fit(whole.model, data, options(&whole_diary, EPOCHS)), TG_OK);
    for (int after = 0; after <= EPOCHS * STEPS; after++) {
        canceller other;
        tg_status status = TG_ERROR_STOPPED;
        tg_checkpoint_options o = {.folder = in_folder(folder, "run"), .train = data};
        bool begun = false;
        int done = 0;
        while (status == TG_ERROR_STOPPED) {
            diary d = {.canceller = &other};
            bench b = bench_make(1 + after % 2, &cancel);
            o.fit = options(&d, EPOCHS);
            d.checkpoint = tg_checkpoint_new(b.model, o, &status, message);
            ck_assert_msg(d.checkpoint != NULL, "%s", message);
            if (begun)
                ck_assert_msg(tg_checkpoint_resume(d.checkpoint, o.folder, &o.fit, message) == TG_OK, "%s", message);
            tg_cancel_clear(&cancel);
            start(&other, begun ? EPOCHS * STEPS + 1 : after);
            status = tg_fit(b.model, data, o.fit);
            if (begun || status == TG_OK)
                atomic_store(&other.steps, EPOCHS * STEPS + 1);
            finish(&other);
            tg_cancel_clear(&cancel);
            if (status == TG_ERROR_STOPPED)
                ck_assert_msg(tg_checkpoint_write(d.checkpoint, message) == TG_OK, "%s", message);
            else
                check_same_stores(whole.variables, b.variables);
            ck_assert_int_eq(d.end.status, status);
            done = d.end.last.step;
            begun = true;
            tg_checkpoint_free(d.checkpoint);
            bench_drop(b);
        }
        ck_assert_msg(status == TG_OK, "%d", (int)status);
        ck_assert_int_eq(done, STEPS);
    }
    remove_folder(folder);
    bench_drop(whole);
}
END_TEST

/* A request that comes in the last step of an epoch finds the validation: the epoch is not over, its scores still there. */
START_TEST(a_validation_is_given_up)
{
    bench b = bench_make(1, &cancel);
    diary d = {.cancel_in_step = true};
    tg_scores so_far;
    tg_fit_options o = options(&d, 3);
    o.batch = ROWS;
    ck_assert_int_eq(tg_fit(b.model, data, o), TG_ERROR_STOPPED);
    ck_assert(d.last.step == 1 && d.epochs == 0 && d.ends == 1);
    ck_assert(d.end.last.epoch == 1 && d.end.last.step == 1 && d.end.seconds >= 0);
    ck_assert_int_eq(tg_model_read_scores(b.model, &so_far), TG_OK);
    ck_assert_double_gt(so_far.loss, 0);
    double rows;
    ck_assert_int_eq(tg_variables_read(b.variables, "metrics/loss/count", &rows, sizeof rows), TG_OK);
    ck_assert_double_eq(rows, ROWS);
    bench_drop(b);
}
END_TEST

START_TEST(a_request_stands_until_it_is_cleared)
{
    bench b = bench_make(1, &cancel);
    diary d = {0};
    float predictions[ROWS][CLASSES];
    tg_scores scores;
    tg_cancel_request(&cancel);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(tg_fit(b.model, data, options(&d, 3)), TG_ERROR_STOPPED);
        ck_assert_int_eq(tg_model_evaluate(b.model, data, &scores, NULL), TG_ERROR_STOPPED);
        ck_assert_int_eq(tg_model_predict(b.model, x, ROWS, predictions, sizeof predictions), TG_ERROR_STOPPED);
    }
    ck_assert(d.last.step == 0 && d.ends == 2);
    tg_cancel_clear(&cancel);
    ck_assert_int_eq(tg_fit(b.model, data, options(&d, 3)), TG_OK);
    ck_assert(d.ends == 3 && d.end.status == TG_OK && d.end.last.epoch == 3 && d.end.last.step == STEPS);
    ck_assert_int_eq(tg_model_evaluate(b.model, data, &scores, NULL), TG_OK);
    ck_assert_int_eq(tg_model_predict(b.model, x, ROWS, predictions, sizeof predictions), TG_OK);
    bench_drop(b);
}
END_TEST

static void on_signal(int number)
{
    (void)number;
    tg_cancel_request(&cancel);
}

static bool raise_in_step(void *user, const tg_fit_step *step)
{
    (void)user;
    return step->run_step != 6 || raise(SIGUSR1) == 0;
}

START_TEST(a_signal_handler_may_cancel)
{
    bench b = bench_make(2, &cancel);
    diary d = {0};
    tg_fit_options o = options(&d, 3);
    o.on_step = raise_in_step;
    signal(SIGUSR1, on_signal);
    ck_assert_int_eq(tg_fit(b.model, data, o), TG_ERROR_STOPPED);
    ck_assert_int_eq(d.end.last.run_step, 6);
    bench_drop(b);
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("cancel");
    tcase_add_checked_fixture(tests, setup, NULL);
    tcase_add_test(tests, another_thread_ends_training);
    tcase_add_test(tests, another_thread_ends_an_evaluation);
    tcase_add_test(tests, a_cancelled_run_goes_on_with_the_same_bits);
    tcase_add_test(tests, a_validation_is_given_up);
    tcase_add_test(tests, a_request_stands_until_it_is_cleared);
    tcase_add_test(tests, a_signal_handler_may_cancel);
    return harness_run("cancel", tests);
}
