#include "train/checkpoint.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "data_files.h"
#include "failing_allocator.h"
#include "graph/philox.h"
#include "harness.h"
#include "ops/ops.h"
#include "train/layers.h"

enum { ROWS = 50, BATCH = 16, STEPS = 4, EPOCHS = 3, CLASSES = 2 };
static float x[ROWS][3];
static int32_t y[ROWS];
static const tg_rows data = {x, y, ROWS};
static char folder[256], run[300], message[TG_MESSAGE_SIZE];
static int hidden = 6;

static tg_tensor network(tg_tensor in, void *user)
{
    (void)user;
    return tg_dense(tg_dropout_layer(tg_activation_layer(tg_dense(in, hidden, NULL), TG_ACTIVATION_TANH, NULL), 0.25, NULL),
                    CLASSES, NULL);
}

static tg_tensor loss(tg_tensor logits, tg_tensor labels, void *user)
{
    (void)user;
    return tg_cross_entropy(logits, labels);
}

typedef struct bench {
    tg_context *context;
    tg_variables *variables;
    tg_model *model;
    tg_checkpoint *checkpoint;
    tg_fit_options fit;
    int steps, stop; /* so far; after which to end, 0: never */
} bench;

static bool on_step(void *user, const tg_fit_step *step)
{
    bench *b = user;
    ck_assert_msg(tg_checkpoint_step(b->checkpoint, step, message) == TG_OK, "%s", message);
    if (++b->steps != b->stop)
        return true;
    ck_assert_msg(tg_checkpoint_write(b->checkpoint, message) == TG_OK, "%s", message);
    return false;
}

static bool on_epoch(void *user, const tg_fit_epoch *epoch)
{
    bench *b = user;
    ck_assert_msg(tg_checkpoint_epoch(b->checkpoint, epoch, message) == TG_OK, "%s", message);
    return true;
}

static const tg_text_pair facts[] = {{"network", "3-6-2"}, {"optimizer", "adam"}};

static tg_checkpoint_options checkpoint_options(bench *b)
{
    b->fit = (tg_fit_options){.epochs = EPOCHS, .batch = BATCH, .seed = 4, .validation = {x, y, 20}};
    b->fit.on_step = on_step;
    b->fit.on_epoch = on_epoch;
    b->fit.user = b;
    return (tg_checkpoint_options){.folder = run, .train = data, .fit = b->fit, .facts = facts, .facts_count = 2};
}

static void make_model(bench *b, tg_context *context, uint64_t seed)
{
    *b = (bench){.context = context, .variables = tg_variables_new(context, seed)};
    tg_model_options options = {.input = {TG_F32, TG_SHAPE(3)}, .target = {TG_I32, TG_SCALAR}, .network = network, .loss = loss};
    options.classes = CLASSES;
    options.optimizer = tg_adam_defaults();
    b->model = b->variables ? tg_model_new(b->variables, options) : NULL;
}

static void make(bench *b, int threads)
{
    tg_status status;
    make_model(b, harness_context(threads), 9);
    b->checkpoint = tg_checkpoint_new(b->model, checkpoint_options(b), &status, message);
    ck_assert_msg(b->checkpoint && status == TG_OK, "%s", message);
}

static void drop(bench *b)
{
    tg_checkpoint_free(b->checkpoint);
    tg_model_free(b->model);
    tg_variables_free(b->variables);
    tg_context_free(b->context);
}

static void setup(void)
{
    make_folder(folder);
    snprintf(run, sizeof run, "%s/run", folder);
    for (int i = 0; i < ROWS; i++) {
        for (int k = 0; k < 3; k++)
            x[i][k] = (float)((i * 29 + k * 53) % 101) / 50 - 1;
        y[i] = x[i][0] + x[i][1] > x[i][2];
    }
}

static void teardown(void) { remove_folder(folder); }

static void check_same_stores(const tg_variables *a, const tg_variables *b)
{
    ck_assert_int_eq(tg_variables_count(a), tg_variables_count(b));
    ck_assert_uint_eq(tg_variables_step(a), tg_variables_step(b));
    for (int i = 0; i < tg_variables_count(a); i++) {
        const tg_variable_info *left = tg_variables_at(a, i), *right = tg_variables_find(b, left->name);
        ck_assert_ptr_nonnull(right);
        ck_assert_msg(memcmp(left->data, right->data, (size_t)tg_type_bytes(left->type)) == 0, "%s differs", left->name);
    }
}

static blob read_whole(const char *name)
{
    blob content = {0};
    uint8_t part[4096];
    FILE *in = fopen(in_folder(run, name), "rb");
    ck_assert_ptr_nonnull(in);
    for (size_t got; (got = fread(part, 1, sizeof part, in)) > 0;)
        blob_add(&content, part, got);
    fclose(in);
    return content;
}

static void train(bench *b, int stop)
{
    b->stop = stop;
    tg_status status = tg_fit(b->model, data, b->fit);
    ck_assert_msg(status == (stop ? TG_ERROR_STOPPED : TG_OK), "%s", tg_model_error(b->model));
}

static void resume(bench *b)
{
    tg_status status = tg_checkpoint_resume(b->checkpoint, run, &b->fit, message);
    ck_assert_msg(status == TG_OK, "%s", message);
}

START_TEST(a_run_stopped_at_any_step_ends_with_the_same_bits)
{
    bench whole, stopped, resumed;
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
    bench *b = user;
    if (++b->steps == b->stop)
        raise(SIGKILL);
    return tg_checkpoint_step(b->checkpoint, step, message) == TG_OK;
}

/* What a killed run leaves is the checkpoint of its last `every`-th step, or of its last epoch. */
START_TEST(a_killed_run_ends_with_the_same_bits)
{
    static const int places[][4] = {
        {7, 0, 2, 0}, {7, 3, 2, 2}, {12, 0, 3, 0}, {9, 5, 3, 0}, {4, 2, 1, 2}}; /* stop, every, epoch, step */
    bench whole, resumed;
    make(&whole, 1);
    train(&whole, 0);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        int how;
        remove_folder(run);
        pid_t child = fork();
        if (child == 0) {
            bench killed;
            tg_status status;
            make_model(&killed, harness_context(1), 9);
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
    bench b;
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
    const double losses[] = {3, 2, 2.5, 2, 1};
    const bool better[] = {true, true, false, false, true};
    bench b;
    make(&b, 1);
    const char *best = in_folder(folder, "run/" TG_CHECKPOINT_BEST);
    for (int i = 0; i < 5; i++) {
        tg_fit_epoch epoch = {.epoch = i + 1, .epochs = 5, .train = {.loss = 5 - i}, .validation = {.loss = losses[i]}};
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
    bench whole, b;
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

static void check_refused(bench *b, tg_checkpoint_options options, const char *text)
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

START_TEST(other_runs_are_refused_and_nothing_changes)
{
    bench b;
    make(&b, 1);
    train(&b, 6);
    drop(&b);
    make(&b, 1);
    tg_checkpoint_options o = checkpoint_options(&b);
    o.fit.batch = 10;
    check_refused(&b, o, "metadata batch: expected 10, found 16");
    o = checkpoint_options(&b);
    o.fit.seed = 5;
    check_refused(&b, o, "metadata order_seed: expected 5, found 4");
    o = checkpoint_options(&b);
    o.fit.in_order = true;
    check_refused(&b, o, "metadata order: expected as stored, found shuffled");
    o = checkpoint_options(&b);
    o.train.count = 49;
    check_refused(&b, o, "metadata rows: expected 49, found 50");
    o = checkpoint_options(&b);
    o.facts = (tg_text_pair[]){{"optimizer", "sgd"}};
    o.facts_count = 1;
    check_refused(&b, o, "metadata optimizer: expected sgd, found adam");
    o.facts = (tg_text_pair[]){{"activation", "tanh"}};
    check_refused(&b, o, "metadata activation: expected tanh, found nothing");
    drop(&b);
    make_model(&b, harness_context(1), 10);
    check_refused(&b, checkpoint_options(&b), "metadata seed: expected 10, found 9");
    drop(&b);
    hidden = 7;
    make_model(&b, harness_context(1), 9);
    check_refused(&b, checkpoint_options(&b), "expected F32 [3, 7], found F32 [3, 6]");
    drop(&b);
}
END_TEST

START_TEST(a_free_fact_may_be_another)
{
    bench b;
    tg_status status;
    make(&b, 1);
    train(&b, 6);
    drop(&b);
    make(&b, 1);
    tg_checkpoint_options o = checkpoint_options(&b);
    o.facts = (tg_text_pair[]){{"network", "3-6-2"}, {"optimizer", "sgd"}};
    check_refused(&b, o, "metadata optimizer: expected sgd, found adam");
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
    bench b;
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
    bench b;
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
    bench b;
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
    bench b;
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

START_TEST(every_allocation_of_resuming_may_fail)
{
    bench b;
    make(&b, 1);
    train(&b, 6);
    drop(&b);
    bool done = false;
    for (long refuse = 1; !done; refuse++) {
        failing_allocator allocator = {0};
        tg_context_options options = harness_options();
        options.allocator = failing_allocator_interface(&allocator);
        options.threads = 1;
        make_model(&b, tg_context_new(options), 9);
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
        ck_assert_int_lt(refuse, 40);
    }
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
    tcase_add_test(tests, other_runs_are_refused_and_nothing_changes);
    tcase_add_test(tests, a_free_fact_may_be_another);
    tcase_add_test(tests, unsound_metadata_are_refused_and_nothing_changes);
    tcase_add_test(tests, another_build_or_instruction_set_is_told);
    tcase_add_test(tests, a_failing_write_keeps_the_former_checkpoint);
    tcase_add_test(tests, folders_and_options_are_checked);
    tcase_add_test(tests, every_allocation_of_resuming_may_fail);
    return harness_run("checkpoint", tests);
}
