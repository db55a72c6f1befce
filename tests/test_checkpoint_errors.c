/* Checkpoints that do not fit, damaged ones, other builds' ones, and what fails while one is written or read. */
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "checkpoint_fixture.h"
#include "failing_allocator.h"

static void check_refused(trainee *b, tg_checkpoint_options options, const char *text)
{
    tg_status status;
    tg_checkpoint_free(b->checkpoint);
    b->checkpoint = tg_checkpoint_new(b->model, options, &status, message);
    ck_assert_msg(b->checkpoint != NULL, "%s", message);
    tg_variables *before = tg_variables_cast(b->variables, TG_F32);
    ck_assert_int_eq(tg_checkpoint_resume(b->checkpoint, run, &b->fit, message), TG_ERROR_FORMAT);
    ck_assert_msg(strstr(message, "run/last.safetensors: ") && strstr(message, text), "expected \"%s\" in: %s", text, message);
    ck_assert(b->fit.first_epoch == 0 && b->fit.first_step == 0);
    check_same_stores(before, b->variables);
    tg_variables_free(before);
}

static void call_a_flag(const char *key, char *text, size_t size) { snprintf(text, size, "--%s", key); }

START_TEST(other_runs_are_refused_and_nothing_changes)
{
    trainee b;
    make(&b, 1);
    train(&b, 6);
    drop(&b);
    make(&b, 1);
    tg_checkpoint_options o = checkpoint_options(&b);
    o.fit.batch = 10;
    check_refused(&b, o, "last.safetensors: batch was 16 in the run that is to go on, and is 10 now: it must stay");
    o = checkpoint_options(&b);
    o.fit.seed = 5;
    check_refused(&b, o, "last.safetensors: order_seed was 4 in the run that is to go on, and is 5 now: it must stay");
    o = checkpoint_options(&b);
    o.fit.in_order = true;
    check_refused(&b, o, "last.safetensors: order was shuffled in the run that is to go on, and is as stored now: it must stay");
    o = checkpoint_options(&b);
    o.train.count = 49;
    check_refused(&b, o, "last.safetensors: rows was 50 in the run that is to go on, and is 49 now: it must stay");
    o = checkpoint_options(&b);
    o.facts = (tg_text_pair[]){{"optimizer", "sgd"}};
    o.facts_count = 1;
    check_refused(&b, o, "last.safetensors: optimizer was adam in the run that is to go on, and is sgd now: it must stay");
    o.facts = (tg_text_pair[]){{"activation", "tanh"}};
    check_refused(&b, o, "last.safetensors: activation was not given in the run that is to go on, and is tanh now: it must stay");
    o.facts = (tg_text_pair[]){{"optimizer", NULL}};
    check_refused(&b, o, "last.safetensors: optimizer was adam in the run that is to go on, and is not given now: it must stay");
    o.facts = (tg_text_pair[]){{"optimizer", "sgd"}};
    o.fact_name = call_a_flag;
    check_refused(&b, o, "last.safetensors: --optimizer was adam in the run that is to go on, and is sgd now: it must stay");
    o = checkpoint_options(&b);
    o.train.count = 49;
    o.fact_name = call_a_flag;
    check_refused(&b, o, "last.safetensors: --rows was 50 in the run that is to go on, and is 49 now: it must stay");
    drop(&b);
    make_model(&b, harness_context(1), 10, NULL);
    check_refused(&b, checkpoint_options(&b),
                  "last.safetensors: seed was 9 in the run that is to go on, and is 10 now: it must stay");
    drop(&b);
    make_model(&b, harness_context(1), 9, &(int){7});
    check_refused(&b, checkpoint_options(&b), "expected F32 [3, 7], found F32 [3, 6]");
    drop(&b);
}
END_TEST

/* What has no value is not written, and is no other than what is not there. */
START_TEST(facts_may_be_without_a_value)
{
    trainee b;
    tg_status status;
    const tg_text_pair some[] = {{"network", "3-6-2"}, {"dropout", NULL}, {"bias", ""}, {"names", NULL}};
    for (int i = 0; i < 2; i++) {
        make(&b, 1);
        tg_checkpoint_free(b.checkpoint);
        tg_checkpoint_options o = checkpoint_options(&b);
        o.facts = some;
        o.facts_count = 4;
        o.facts_free = 1;
        b.checkpoint = tg_checkpoint_new(b.model, o, &status, message);
        ck_assert_msg(b.checkpoint != NULL, "%s", message);
        if (i)
            resume(&b);
        else
            train(&b, 6);
        drop(&b);
    }
    blob file = read_whole("last.safetensors");
    blob_u8(&file, 0);
    ck_assert(!strstr((const char *)file.data + 8, "dropout") && strstr((const char *)file.data + 8, "\"3-6-2\",\"bias\":\"\"}"));
    blob_free(&file);
    make(&b, 1);
    tg_checkpoint_options o = checkpoint_options(&b);
    o.facts = (tg_text_pair[]){{"bias", NULL}};
    o.facts_count = 1;
    check_refused(&b, o, "bias was given in the run that is to go on, and is not given now: it must stay");
    drop(&b);
}
END_TEST

START_TEST(a_free_fact_may_be_another)
{
    trainee b;
    tg_status status;
    make(&b, 1);
    train(&b, 6);
    drop(&b);
    make(&b, 1);
    tg_checkpoint_options o = checkpoint_options(&b);
    o.facts = (tg_text_pair[]){{"network", "3-6-2"}, {"optimizer", "sgd"}};
    check_refused(&b, o, "last.safetensors: optimizer was adam in the run that is to go on, and is sgd now: it must stay");
    o.facts_free = 1;
    tg_checkpoint_free(b.checkpoint);
    b.checkpoint = tg_checkpoint_new(b.model, o, &status, message);
    ck_assert_msg(b.checkpoint != NULL, "%s", message);
    ck_assert_msg(tg_checkpoint_resume(b.checkpoint, run, &b.fit, message) == TG_OK, "%s", message);
    drop(&b);
}
END_TEST

static void replace_text(blob *content, const char *from, const char *to)
{
    size_t length = strlen(from);
    ck_assert_uint_eq(length, strlen(to));
    for (size_t i = 0; i + length <= content->size; i++) {
        if (!memcmp(content->data + i, from, length)) {
            memcpy(content->data + i, to, length);
            return;
        }
    }
    ck_abort_msg("no %s in the checkpoint", from);
}

START_TEST(unsound_metadata_are_refused_and_nothing_changes)
{
    const char *const cases[][3] = {
        {"\"epoch\":\"2\"", "\"epoch\":\"0\"", "expected an epoch from 1"},
        {"\"epoch\":\"2\"", "\"epoch\":\"9\"", "tensor checkpoint/history: expected F64 [8, 5], found F64 [1, 5]"},
        {"\"epoch\":\"2\"", "\"epoch\":\"x\"", "metadata epoch: expected a whole number up to 2147483647, found x"},
        {"\"steps_done\":\"2\"", "\"steps_done\":\"5\"", "metadata steps_done: expected a whole number up to 4, found 5"},
        {"\"updates\":\"6\"", "\"updates\":\"-\"", "metadata updates: expected a whole number"},
        {"\"updates\"", "\"downhil\"", "metadata updates: expected a whole number up to 18446744073709551615, found nothing"},
        {"\"learning_rate\":\"0.001\"", "\"learning_rate\":\"-1.01\"", "expected an epoch from 1 and a learning rate"},
        {"\"learning_rate\":\"0.001\"", "\"learning_rate\":\"fast!\"", "expected an epoch from 1 and a learning rate"},
        {"checkpoint 1", "checkpoint 2", "metadata format: expected tapegrad checkpoint 1, found tapegrad checkpoint 2"},
    };
    trainee b;
    make(&b, 1);
    train(&b, 6);
    drop(&b);
    blob whole = read_whole(TG_CHECKPOINT_LAST);
    make(&b, 1);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        blob bad = {0};
        blob_add(&bad, whole.data, whole.size);
        replace_text(&bad, cases[i][0], cases[i][1]);
        write_file(in_folder(folder, "run/" TG_CHECKPOINT_LAST), bad);
        check_refused(&b, checkpoint_options(&b), cases[i][2]);
        blob_free(&bad);
    }
    blob_free(&whole);
    drop(&b);
}
END_TEST

START_TEST(another_build_or_instruction_set_is_told)
{
    trainee b;
    make(&b, 1);
    train(&b, 6);
    drop(&b);
    blob content = read_whole(TG_CHECKPOINT_LAST);
    make(&b, 1);
    char isa[64], other[64];
    int length = snprintf(isa, sizeof isa, "\"instruction_set\":\"%s\"", tg_isa_name(tg_context_isa(b.context)));
    memcpy(other, isa, sizeof isa);
    other[length - 2] = '?';
    replace_text(&content, isa, other);
    write_file(in_folder(folder, "run/" TG_CHECKPOINT_LAST), content);
    resume(&b);
    ck_assert_msg(strstr(tg_checkpoint_warning(b.checkpoint), "was written with the instruction set"), "%s",
                  tg_checkpoint_warning(b.checkpoint));
    replace_text(&content, "\"build\":\"0.", "\"build\":\"9.");
    write_file(in_folder(folder, "run/" TG_CHECKPOINT_LAST), content);
    resume(&b);
    ck_assert_msg(strstr(tg_checkpoint_warning(b.checkpoint), "last.safetensors was written by another build (9."), "%s",
                  tg_checkpoint_warning(b.checkpoint));
    blob_free(&content);
    drop(&b);
}
END_TEST

/* A disk that takes no more is played by the limit on a file's size. */
START_TEST(a_failing_write_keeps_the_former_checkpoint)
{
    trainee b;
    make(&b, 1);
    train(&b, 6);
    blob before = read_whole(TG_CHECKPOINT_LAST);
    struct rlimit limit = {100, 100};
    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    tg_status status = tg_checkpoint_write(b.checkpoint, message);
    ck_assert_int_eq(status, TG_ERROR_IO);
    ck_assert_msg(strstr(message, "run/last.safetensors: writing failed: File too large"), "%s", message);
    blob after = read_whole(TG_CHECKPOINT_LAST);
    ck_assert_uint_eq(before.size, after.size);
    ck_assert_mem_eq(before.data, after.data, before.size);
    blob_free(&before);
    blob_free(&after);
    drop(&b);
}
END_TEST

START_TEST(folders_and_options_are_checked)
{
    trainee b;
    tg_status status;
    make(&b, 1);
    tg_checkpoint_options o = checkpoint_options(&b);
    o.folder = in_folder(folder, "none/run");
    ck_assert_ptr_null(tg_checkpoint_new(b.model, o, &status, message));
    ck_assert_int_eq(status, TG_ERROR_IO);
    ck_assert_msg(strstr(message, "none/run: no folder for checkpoints: No such file or directory"), "%s", message);
    write_file(in_folder(folder, "file"), (blob){(uint8_t *)"x", 1});
    o.folder = in_folder(folder, "file");
    ck_assert_ptr_null(tg_checkpoint_new(b.model, o, &status, message));
    ck_assert_msg(strstr(message, "file: no folder for checkpoints: Not a directory"), "%s", message);
    o = checkpoint_options(&b);
    o.facts = (tg_text_pair[]){{"epoch", "1"}};
    o.facts_count = 1;
    ck_assert_ptr_null(tg_checkpoint_new(b.model, o, &status, message));
    ck_assert_int_eq(status, TG_ERROR_ARGUMENT);
    o = checkpoint_options(&b);
    o.facts_free = 3;
    ck_assert_ptr_null(tg_checkpoint_new(b.model, o, &status, message));
    ck_assert_int_eq(status, TG_ERROR_ARGUMENT);
    o = checkpoint_options(&b);
    o.folder = in_folder(folder, "other");
    o.train.count = 0;
    ck_assert_ptr_null(tg_checkpoint_new(b.model, o, &status, message));
    ck_assert_int_eq(status, TG_ERROR_ARGUMENT);
    ck_assert_int_eq(tg_checkpoint_resume(b.checkpoint, run, &b.fit, message), TG_ERROR_IO);
    ck_assert_msg(strstr(message, "run/last.safetensors: No such file or directory"), "%s", message);
    b.fit.first_step = STEPS + 1;
    ck_assert_int_eq(tg_fit(b.model, data, b.fit), TG_ERROR_ARGUMENT);
    drop(&b);
}
END_TEST

START_TEST(a_folder_belongs_to_one_run)
{
    trainee b;
    tg_status status;
    int ready[2], code;
    char byte = 0;
    make(&b, 1);
    ck_assert_ptr_null(tg_checkpoint_new(b.model, checkpoint_options(&b), &status, message));
    ck_assert_int_eq(status, TG_ERROR_SYSTEM);
    ck_assert_msg(strstr(message, "/run: another run keeps its checkpoints here; wait for its end, or choose another folder"),
                  "%s", message);
    tg_checkpoint_free(b.checkpoint);
    ck_assert_int_eq(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) { /* another process has it, until that is killed */
        b.checkpoint = tg_checkpoint_new(b.model, checkpoint_options(&b), &status, message);
        if (b.checkpoint && write(ready[1], &byte, 1) == 1)
            pause();
        _exit(1);
    }
    ck_assert_int_eq(read(ready[0], &byte, 1), 1);
    b.checkpoint = tg_checkpoint_new(b.model, checkpoint_options(&b), &status, message);
    ck_assert_ptr_null(b.checkpoint);
    ck_assert_int_eq(status, TG_ERROR_SYSTEM);
    ck_assert_int_eq(kill(child, SIGKILL), 0);
    ck_assert_int_eq(waitpid(child, &code, 0), child);
    b.checkpoint = tg_checkpoint_new(b.model, checkpoint_options(&b), &status, message);
    ck_assert_msg(b.checkpoint && status == TG_OK, "%s", message);
    drop(&b);
}
END_TEST

START_TEST(a_folder_that_cannot_be_written_is_refused_at_once)
{
    trainee b;
    tg_status status;
    make(&b, 1);
    tg_checkpoint_free(b.checkpoint);
    ck_assert_int_eq(mkdir(in_folder(run, TG_CHECKPOINT_BEST), 0700), 0);
    b.checkpoint = tg_checkpoint_new(b.model, checkpoint_options(&b), &status, message);
    ck_assert_ptr_null(b.checkpoint);
    ck_assert_int_eq(status, TG_ERROR_IO);
    ck_assert_msg(strstr(message, "/run/best.safetensors: cannot be written: Is a directory"), "%s", message);
    ck_assert_int_eq(rmdir(in_folder(run, TG_CHECKPOINT_BEST)), 0);
    ck_assert_int_eq(chmod(run, 0555), 0);
    bool nobody = getuid() != 0 || (chown(folder, 65534, 65534) == 0 && chown(run, 65534, 65534) == 0 && setuid(65534) == 0);
    if (nobody) { /* root may write anywhere */
        b.checkpoint = tg_checkpoint_new(b.model, checkpoint_options(&b), &status, message);
        ck_assert_ptr_null(b.checkpoint);
        ck_assert_int_eq(status, TG_ERROR_IO);
        ck_assert_msg(strstr(message, "/run") && strstr(message, "Permission denied"), "%s", message);
    }
    (void)!chmod(run, 0755);
    drop(&b);
}
END_TEST

START_TEST(every_allocation_of_resuming_may_fail)
{
    trainee b;
    make(&b, 1);
    train(&b, 6);
    drop(&b);
    bool done = false;
    for (long refuse = 1; !done; refuse++) {
        failing_allocator allocator = {0};
        tg_context_options options = harness_options();
        options.allocator = failing_allocator_interface(&allocator);
        options.threads = 1;
        make_model(&b, tg_context_new(options), 9, NULL);
        tg_status status;
        b.checkpoint = tg_checkpoint_new(b.model, checkpoint_options(&b), &status, message);
        ck_assert_ptr_nonnull(b.checkpoint);
        tg_variables *before = tg_variables_cast(b.variables, TG_F32);
        allocator.refuse = allocator.requests + refuse;
        status = tg_checkpoint_resume(b.checkpoint, run, &b.fit, message);
        done = status == TG_OK;
        if (!done) {
            ck_assert_int_eq(status, TG_ERROR_MEMORY);
            ck_assert_msg(strstr(message, "run/last.safetensors: out of memory"), "%s", message);
            check_same_stores(before, b.variables);
        }
        tg_variables_free(before);
        drop(&b);
        ck_assert_int_eq(allocator.live, 0);
        ck_assert_int_lt(refuse, 1000);
    }
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("checkpoint_errors");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, other_runs_are_refused_and_nothing_changes);
    tcase_add_test(tests, facts_may_be_without_a_value);
    tcase_add_test(tests, a_free_fact_may_be_another);
    tcase_add_test(tests, unsound_metadata_are_refused_and_nothing_changes);
    tcase_add_test(tests, another_build_or_instruction_set_is_told);
    tcase_add_test(tests, a_failing_write_keeps_the_former_checkpoint);
    tcase_add_test(tests, folders_and_options_are_checked);
    tcase_add_test(tests, a_folder_belongs_to_one_run);
    tcase_add_test(tests, a_folder_that_cannot_be_written_is_refused_at_once);
    tcase_add_test(tests, every_allocation_of_resuming_may_fail);
    return harness_run("checkpoint_errors", tests);
}
