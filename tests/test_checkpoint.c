/* Runs that are stopped or killed and go on; when checkpoints and best weights are written. */
#include <math.h>
#include <signal.h>
#include <sys/wait.h>

#include "checkpoint_fixture.h"

START_TEST(a_run_stopped_at_any_step_ends_with_the_same_bits)
{
    trainee whole, stopped, resumed;
    make(&whole, 1);
    train(&whole, 0);
    blob best = read_whole(TG_CHECKPOINT_BEST);
    for (int stop = 1; stop <= EPOCHS * STEPS; stop++) {
        remove_folder(run);
        make(&stopped, 1 + stop % 2);
        train(&stopped, stop);
        drop(&stopped);
        make(&resumed, 2 - stop % 2);
        resume(&resumed);
        ck_assert_str_eq(tg_checkpoint_warning(resumed.checkpoint), "");
        ck_assert_int_eq(resumed.fit.first_epoch, (stop - 1) / STEPS + 1);
        ck_assert_int_eq(resumed.fit.first_step, (stop - 1) % STEPS + 1);
        train(&resumed, 0);
        ck_assert_int_eq(resumed.steps, EPOCHS * STEPS - stop);
        check_same_stores(whole.variables, resumed.variables);
        const tg_history *a = tg_checkpoint_history(whole.checkpoint), *b = tg_checkpoint_history(resumed.checkpoint);
        ck_assert(a->count == EPOCHS && b->count == EPOCHS);
        for (int i = 0; i < EPOCHS; i++)
            ck_assert_mem_eq(&a->rows[i], &b->rows[i], offsetof(tg_history_row, seconds));
        blob found = read_whole(TG_CHECKPOINT_BEST);
        ck_assert_uint_eq(found.size, best.size);
        ck_assert_mem_eq(found.data, best.data, best.size);
        blob_free(&found);
        drop(&resumed);
    }
    blob_free(&best);
    drop(&whole);
}
END_TEST

static bool on_step_killed(void *user, const tg_fit_step *step)
{
    trainee *b = user;
    if (++b->steps == b->stop)
        raise(SIGKILL);
    return tg_checkpoint_step(b->checkpoint, step, message) == TG_OK;
}

/* What a killed run leaves is the checkpoint of its last `every`-th step, or of its last epoch. */
START_TEST(a_killed_run_ends_with_the_same_bits)
{
    static const int places[][4] = {
        {7, 0, 2, 0}, {7, 3, 2, 2}, {12, 0, 3, 0}, {9, 5, 3, 0}, {4, 2, 1, 2}}; /* stop, every, epoch, step */
    trainee whole, resumed;
    make(&whole, 1);
    train(&whole, 0);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        int how;
        remove_folder(run);
        pid_t child = fork();
        if (child == 0) {
            trainee killed;
            tg_status status;
            make_model(&killed, harness_context(1), 9, NULL);
            tg_checkpoint_options options = checkpoint_options(&killed);
            options.every = places[i][1];
            killed.checkpoint = tg_checkpoint_new(killed.model, options, &status, message);
            killed.fit.on_step = on_step_killed;
            killed.stop = places[i][0];
            _exit(tg_fit(killed.model, data, killed.fit));
        }
        ck_assert_int_eq(waitpid(child, &how, 0), child);
        ck_assert(WIFSIGNALED(how) && WTERMSIG(how) == SIGKILL);
        make(&resumed, 1);
        resume(&resumed);
        ck_assert_int_eq(resumed.fit.first_epoch, places[i][2]);
        ck_assert_int_eq(resumed.fit.first_step, places[i][3]);
        train(&resumed, 0);
        check_same_stores(whole.variables, resumed.variables);
        drop(&resumed);
    }
    drop(&whole);
}
END_TEST

START_TEST(writes_come_every_so_many_steps_and_after_epochs)
{
    trainee b;
    tg_status status;
    make(&b, 1);
    tg_checkpoint_options options = checkpoint_options(&b);
    options.every = 3;
    tg_checkpoint_free(b.checkpoint);
    b.checkpoint = tg_checkpoint_new(b.model, options, &status, message);
    const char *last = in_folder(folder, "run/" TG_CHECKPOINT_LAST);
    for (int epoch = 1; epoch <= 2; epoch++) {
        for (int step = 1; step <= STEPS; step++) {
            bool due = ((epoch - 1) * STEPS + step) % 3 == 0;
            remove(last);
            tg_fit_step place = {epoch, 2, step, STEPS, (epoch - 1) * STEPS + step};
            ck_assert_int_eq(tg_checkpoint_step(b.checkpoint, &place, message), TG_OK);
            ck_assert_int_eq(access(last, F_OK) == 0, due);
        }
        tg_fit_epoch end = {.epoch = epoch, .epochs = 2, .validation = {.loss = epoch}};
        remove(last);
        ck_assert_int_eq(tg_checkpoint_epoch(b.checkpoint, &end, message), TG_OK);
        ck_assert_int_eq(access(last, F_OK), 0);
    }
    drop(&b);
}
END_TEST

START_TEST(the_best_weights_are_those_of_the_least_validation_loss)
{
    const double losses[] = {NAN, 3, 2, 2.5, NAN, 2, 1};
    const bool better[] = {false, true, true, false, false, false, true};
    enum { LOSSES = sizeof losses / sizeof *losses };
    trainee b;
    make(&b, 1);
    const char *best = in_folder(folder, "run/" TG_CHECKPOINT_BEST);
    for (int i = 0; i < LOSSES; i++) {
        tg_fit_epoch epoch = {.epoch = i + 1, .epochs = LOSSES, .train = {.loss = LOSSES - i}, .validation = {.loss = losses[i]}};
        remove(best);
        ck_assert_int_eq(tg_checkpoint_epoch(b.checkpoint, &epoch, message), TG_OK);
        ck_assert_int_eq(access(best, F_OK) == 0, better[i]);
    }
    tg_status status;
    tg_safetensors *file = tg_safetensors_open(b.context, best, &status, message);
    ck_assert_msg(file != NULL, "%s", message);
    ck_assert_str_eq(tg_safetensors_metadata(file, "network"), "3-6-2");
    ck_assert_int_eq(tg_safetensors_count(file), 4);
    ck_assert_msg(tg_safetensors_load(file, b.variables, false, NULL, message) == TG_OK, "%s", message);
    tg_safetensors_close(file);
    drop(&b);
}
END_TEST

START_TEST(a_finished_run_may_be_made_longer)
{
    trainee whole, b;
    make(&whole, 1);
    whole.fit.epochs = 5;
    train(&whole, 0);
    remove_folder(run);
    make(&b, 1);
    train(&b, 0);
    drop(&b);
    make(&b, 1);
    resume(&b);
    ck_assert(b.fit.first_epoch == EPOCHS + 1 && b.fit.first_step == 0);
    train(&b, 0);
    ck_assert_int_eq(b.steps, 0);
    b.fit.epochs = 5;
    train(&b, 0);
    check_same_stores(whole.variables, b.variables);
    drop(&b);
    drop(&whole);
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("checkpoint");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_run_stopped_at_any_step_ends_with_the_same_bits);
    tcase_add_test(tests, a_killed_run_ends_with_the_same_bits);
    tcase_add_test(tests, writes_come_every_so_many_steps_and_after_epochs);
    tcase_add_test(tests, the_best_weights_are_those_of_the_least_validation_loss);
    tcase_add_test(tests, a_finished_run_may_be_made_longer);
    return harness_run("checkpoint", tests);
}
