#include <math.h>
#include <string.h>

#include "data_files.h"
#include "failing_allocator.h"
#include "small_model.h"
#include "train/checkpoint.h"

static char message[TG_MESSAGE_SIZE];

/* ---- the ready one ---- */

START_TEST(rows_are_shuffled_by_epoch_and_found_again)
{
    tg_context *context = harness_context(1);
    tg_source *source = tg_rows_source_new(context, data, BATCH, false, 4);
    ck_assert_int_eq(source->steps, STEPS);
    int32_t orders[3][ROWS];
    for (int epoch = 1; epoch <= 2; epoch++) {
        bool seen[ROWS] = {false};
        ck_assert_int_eq(source->begin(source->user, epoch, 0, message), TG_OK);
        for (int step = 0; step < STEPS; step++) {
            tg_batch batch = {.indices = NULL};
            ck_assert_int_eq(source->next(source->user, &batch, message), TG_OK);
            ck_assert(batch.rows.x == x && batch.rows.y == y && batch.rows.count == ROWS);
            ck_assert_int_eq(batch.index_count, step < STEPS - 1 ? BATCH : ROWS % BATCH);
            memcpy(&orders[epoch][step * BATCH], batch.indices, (size_t)batch.index_count * sizeof(int32_t));
        }
        for (int i = 0; i < ROWS; i++) {
            ck_assert(orders[epoch][i] >= 0 && orders[epoch][i] < ROWS && !seen[orders[epoch][i]]);
            seen[orders[epoch][i]] = true;
        }
        tg_batch over = {.indices = NULL};
        ck_assert_int_eq(source->next(source->user, &over, message), TG_OK);
        ck_assert(!over.rows.x && !over.indices && over.rows.count == 0);
    }
    ck_assert_mem_ne(orders[1], orders[2], sizeof orders[1]);
    tg_batch again = {.indices = NULL};
    ck_assert_int_eq(source->begin(source->user, 1, 2, message), TG_OK);
    ck_assert_int_eq(source->next(source->user, &again, message), TG_OK);
    ck_assert_mem_eq(again.indices, &orders[1][2 * BATCH], BATCH * sizeof(int32_t));
    tg_rows_source_free(source);
    tg_context_free(context);
}
END_TEST

START_TEST(a_ready_source_needs_rows_a_batch_and_memory)
{
    tg_context *context = harness_context(1);
    ck_assert_ptr_null(tg_rows_source_new(context, (tg_rows){x, y, 0}, BATCH, false, 4));
    ck_assert_ptr_null(tg_rows_source_new(context, (tg_rows){x, y, (int64_t)INT32_MAX + 1}, BATCH, false, 4));
    ck_assert_ptr_null(tg_rows_source_new(context, data, 0, false, 4));
    tg_rows_source_free(NULL);
    tg_source *all = tg_rows_source_new(context, data, 1000, true, 4);
    ck_assert_int_eq(all->steps, 1);
    tg_rows_source_free(all);
    tg_context_free(context);
    for (long refuse = 1; refuse <= 2; refuse++) {
        failing_allocator allocator = {0};
        tg_context_options options = harness_options();
        options.threads = 1;
        options.allocator = failing_allocator_interface(&allocator);
        context = tg_context_new(options);
        allocator.refuse = allocator.requests + refuse;
        ck_assert_ptr_null(tg_rows_source_new(context, data, BATCH, false, 4));
        tg_context_free(context);
        ck_assert_int_eq(allocator.live, 0);
    }
}
END_TEST

/* ---- sources of one's own ---- */

/* The rows in their order, copied out; with it, what can go wrong. */
typedef struct stream {
    float x[BATCH][COLUMNS];
    int32_t y[BATCH];
    int64_t next, most; /* step; of an epoch's steps */
    int begun, epoch, fail_at, spoil_at;
    bool no_targets;
} stream;

static tg_status stream_begin(void *user, int epoch, int64_t step, char *why)
{
    stream *s = user;
    s->begun++;
    s->epoch = epoch;
    s->next = step;
    if (epoch == 7)
        snprintf(why, TG_MESSAGE_SIZE, "seven is too much");
    return epoch == 7 ? TG_ERROR_RANGE : TG_OK;
}

static tg_status stream_next(void *user, tg_batch *batch, char *why)
{
    stream *s = user;
    ck_assert(!batch->rows.x && !batch->rows.y && batch->rows.count == 0 && !batch->indices && batch->index_count == 0);
    if (s->next == s->most) {
        s->next = 0;
        return TG_OK;
    }
    int64_t step = s->next++, first = step * BATCH, count = ROWS - first < BATCH ? ROWS - first : BATCH;
    if (s->fail_at && step == s->fail_at) {
        snprintf(why, TG_MESSAGE_SIZE, "the wire is cut");
        return TG_ERROR_IO;
    }
    memcpy(s->x, x[first], (size_t)count * sizeof x[0]);
    memcpy(s->y, y + first, (size_t)count * sizeof y[0]);
    if (s->spoil_at && step == s->spoil_at)
        s->x[0][0] = INFINITY;
    batch->rows = (tg_rows){s->x, s->no_targets ? NULL : s->y, count};
    return TG_OK;
}

static tg_source source_of(stream *s, int64_t steps) { return (tg_source){stream_next, stream_begin, steps, s}; }

typedef struct diary {
    int steps, epochs, stop;
    tg_fit_step last;
    tg_fit_epoch epoch;
    tg_checkpoint *checkpoint;
} diary;

static bool on_step(void *user, const tg_fit_step *step)
{
    diary *d = user;
    d->last = *step;
    ck_assert(!d->checkpoint || tg_checkpoint_step(d->checkpoint, step, message) == TG_OK);
    if (++d->steps != d->stop)
        return true;
    ck_assert(!d->checkpoint || tg_checkpoint_write(d->checkpoint, message) == TG_OK);
    return false;
}

static bool on_epoch(void *user, const tg_fit_epoch *epoch)
{
    diary *d = user;
    d->epoch = *epoch;
    d->epochs++;
    ck_assert(!d->checkpoint || tg_checkpoint_epoch(d->checkpoint, epoch, message) == TG_OK);
    return true;
}

static tg_fit_options options(diary *d, int epochs)
{
    return (tg_fit_options){
        .epochs = epochs, .batch = BATCH, .in_order = true, .on_step = on_step, .on_epoch = on_epoch, .user = d};
}

/* Fed batches and batches taken by index are the same step. The length of an epoch may be known or not, and a source without
   begin() goes round by itself. */
START_TEST(a_stream_of_the_same_rows_trains_to_the_same_bits)
{
    diary d = {0};
    bench expected = bench_make(1, NULL);
    ck_assert_int_eq(tg_fit(expected.model, data, options(&d, 3)), TG_OK);
    for (int kind = 0; kind < 4; kind++) {
        diary l = {0};
        stream s = {.most = STEPS};
        tg_source source = source_of(&s, kind & 1 ? STEPS : 0);
        s.most = kind == 1 ? 100 : STEPS; /* more than the epoch takes */
        if (kind == 2)
            source.begin = NULL;
        bench b = bench_make(1 + kind % 3, NULL);
        ck_assert_msg(tg_fit_source(b.model, &source, options(&l, 3)) == TG_OK, "%s", tg_model_error(b.model));
        check_same_stores(expected.variables, b.variables);
        ck_assert(l.steps == 3 * STEPS && l.epochs == 3 && l.epoch.steps == STEPS && s.begun == (kind == 2 ? 0 : 3));
        ck_assert(l.last.step == STEPS && l.last.steps == source.steps && l.last.run_step == 3 * STEPS);
        ck_assert_double_eq(l.epoch.train.loss, d.epoch.train.loss);
        bench_drop(b);
    }
    bench_drop(expected);
}
END_TEST

/* A schedule counts the steps of the run, also where an epoch's length is not known. */
START_TEST(a_schedule_counts_the_steps_of_a_stream)
{
    diary d = {0};
    stream s = {.most = STEPS};
    tg_source source = source_of(&s, 0);
    tg_schedule halving = {.kind = TG_SCHEDULE_STEP, .rate = 1, .decay_steps = 1, .decay_rate = 0.5};
    bench b = bench_make(1, NULL);
    tg_fit_options o = options(&d, 2);
    o.schedule = &halving;
    ck_assert_int_eq(tg_fit_source(b.model, &source, o), TG_OK);
    ck_assert_double_eq(d.epoch.learning_rate, 1.0 / (1 << (2 * STEPS - 1)));
    bench_drop(b);
}
END_TEST

START_TEST(a_source_s_failure_ends_training_with_its_sentence)
{
    bench b = bench_make(1, NULL);
    diary d = {0};
    stream s = {.most = STEPS, .fail_at = 2};
    tg_source source = source_of(&s, STEPS);
    ck_assert_int_eq(tg_fit_source(b.model, &source, options(&d, 3)), TG_ERROR_IO);
    ck_assert_str_eq(tg_model_error(b.model), "the wire is cut");
    ck_assert_int_eq(d.steps, 2);
    s = (stream){.most = STEPS};
    ck_assert_int_eq(tg_fit_source(b.model, &source, options(&d, 9)), TG_ERROR_RANGE);
    ck_assert_str_eq(tg_model_error(b.model), "seven is too much");
    s = (stream){.most = 3};
    ck_assert_int_eq(tg_fit_source(b.model, &source, options(&d, 3)), TG_ERROR_ARGUMENT);
    ck_assert_str_eq(tg_model_error(b.model), "the data source ended its epoch after 3 of 4 steps");
    s = (stream){.most = 0};
    source.steps = 0;
    ck_assert_int_eq(tg_fit_source(b.model, &source, options(&d, 3)), TG_ERROR_ARGUMENT);
    ck_assert_str_eq(tg_model_error(b.model), "the data source ended its epoch after 0 steps");
    s = (stream){.most = STEPS, .no_targets = true};
    ck_assert_int_eq(tg_fit_source(b.model, &source, options(&d, 3)), TG_ERROR_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(tg_model_error(b.model), "must have x, y"));
    bench_drop(b);
}
END_TEST

START_TEST(half_a_source_is_refused)
{
    bench b = bench_make(1, NULL);
    diary d = {0};
    stream s = {.most = STEPS};
    tg_source whole = source_of(&s, STEPS), backwards = source_of(&s, -1), silent = {.begin = stream_begin, .user = &s};
    const tg_source *const wrong[] = {NULL, &silent, &backwards};
    tg_scores scores;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ck_assert_int_eq(tg_fit_source(b.model, wrong[i], options(&d, 1)), TG_ERROR_ARGUMENT);
        ck_assert_str_eq(tg_model_error(b.model), "a data source must have a function `next`, and steps from 0");
        ck_assert_int_eq(tg_model_evaluate_source(b.model, wrong[i], &scores, NULL), TG_ERROR_ARGUMENT);
    }
    ck_assert_int_eq(tg_fit_source(b.model, &whole, options(&d, 1)), TG_OK);
    bench_drop(b);
}
END_TEST

START_TEST(a_batch_that_diverges_is_replayed)
{
    bench b = bench_make(1, NULL);
    diary d = {0};
    stream s = {.most = STEPS, .spoil_at = 1};
    tg_source source = source_of(&s, STEPS);
    tg_nonfinite found = {.node = -1};
    ck_assert_int_eq(tg_fit_source(b.model, &source, options(&d, 3)), TG_ERROR_NONFINITE);
    ck_assert_int_eq(d.steps, 1);
    ck_assert_int_eq(tg_model_find_nonfinite(b.model, &found), TG_OK);
    ck_assert_int_ge(found.node, 0);
    bench_drop(b);
}
END_TEST

/* Any choice of rows, with repetitions: a sampler. */
static tg_status next_chosen(void *user, tg_batch *batch, char *why)
{
    static const int32_t chosen[] = {3, 3, 49, 0};
    static const int32_t wrong[] = {3, ROWS};
    (void)why;
    *batch = *(bool *)user ? (tg_batch){data, wrong, 2} : (tg_batch){data, chosen, 4};
    return TG_OK;
}

START_TEST(a_source_may_choose_rows_by_index)
{
    bench b = bench_make(2, NULL);
    diary d = {0};
    bool spoil = false;
    tg_scores scores, expected;
    tg_source source = {.next = next_chosen, .steps = 5, .user = &spoil};
    ck_assert_msg(tg_fit_source(b.model, &source, options(&d, 1)) == TG_OK, "%s", tg_model_error(b.model));
    ck_assert_int_eq(d.steps, 5);
    ck_assert_int_eq(tg_model_evaluate_source(b.model, &source, &scores, NULL), TG_OK);
    float picked[4][COLUMNS];
    int32_t labels[4] = {y[3], y[3], y[49], y[0]};
    memcpy(picked[0], x[3], sizeof x[0]);
    memcpy(picked[1], x[3], sizeof x[0]);
    memcpy(picked[2], x[49], sizeof x[0]);
    memcpy(picked[3], x[0], sizeof x[0]);
    ck_assert_int_eq(tg_model_evaluate(b.model, (tg_rows){picked, labels, 4}, &expected, NULL), TG_OK);
    ck_assert_double_eq_tol(scores.loss, expected.loss, 1e-12);
    spoil = true;
    ck_assert_int_eq(tg_fit_source(b.model, &source, options(&d, 1)), TG_ERROR_RANGE);
    bench_drop(b);
}
END_TEST

START_TEST(validation_may_come_from_a_source)
{
    bench a = bench_make(1, NULL), b = bench_make(1, NULL);
    diary from_rows = {0}, from_source = {0};
    stream s = {.most = STEPS};
    tg_source source = source_of(&s, 0);
    tg_fit_options o = options(&from_rows, 2);
    o.validation = data;
    ck_assert_int_eq(tg_fit(a.model, data, o), TG_OK);
    o = options(&from_source, 2);
    o.validation_source = &source;
    ck_assert_int_eq(tg_fit(b.model, data, o), TG_OK);
    ck_assert(s.begun == 2 && s.epoch == 1);
    ck_assert_double_gt(from_source.epoch.validation.loss, 0);
    ck_assert_double_eq_tol(from_source.epoch.validation.loss, from_rows.epoch.validation.loss, 1e-12);
    ck_assert_double_eq(from_source.epoch.validation.accuracy, from_rows.epoch.validation.accuracy);
    tg_scores scores;
    int64_t here[CLASSES * CLASSES], there[CLASSES * CLASSES];
    ck_assert_int_eq(tg_model_evaluate_source(b.model, &source, &scores, here), TG_OK);
    ck_assert_int_eq(tg_model_evaluate(b.model, data, &scores, there), TG_OK);
    ck_assert_mem_eq(here, there, sizeof here);
    bench_drop(a);
    bench_drop(b);
}
END_TEST

/* The training scores are those of the epoch so far. */
START_TEST(an_evaluation_that_fails_leaves_the_training_scores)
{
    bench b = bench_make(1, NULL);
    diary d = {0};
    tg_scores before, after;
    stream s = {.most = STEPS, .fail_at = 2};
    tg_source source = source_of(&s, STEPS);
    ck_assert_int_eq(tg_fit(b.model, data, options(&d, 1)), TG_OK);
    ck_assert_int_eq(tg_model_read_scores(b.model, &before), TG_OK);
    ck_assert_int_eq(tg_model_evaluate_source(b.model, &source, &after, NULL), TG_ERROR_IO);
    ck_assert_int_eq(tg_model_read_scores(b.model, &after), TG_OK);
    ck_assert(before.loss > 0 && before.loss == after.loss && before.accuracy == after.accuracy);
    bench_drop(b);
}
END_TEST

/* ---- resuming ---- */

static tg_checkpoint *checkpoint_for(bench b, const char *folder, const tg_source *source, diary *d)
{
    tg_status status;
    tg_checkpoint_options o = {.folder = folder, .source = source, .fit = options(d, 3)};
    d->checkpoint = tg_checkpoint_new(b.model, o, &status, message);
    ck_assert_msg(d->checkpoint != NULL, "%s", message);
    return d->checkpoint;
}

START_TEST(a_stopped_run_on_a_source_ends_with_the_same_bits)
{
    char folder[256];
    make_folder(folder);
    for (int known = 0; known < 2; known++) {
        diary d = {0};
        stream s = {.most = STEPS};
        tg_source source = source_of(&s, known ? STEPS : 0);
        tg_schedule decay = {.kind = TG_SCHEDULE_EXPONENTIAL, .rate = 0.01, .decay_steps = 3, .decay_rate = 0.9};
        bench whole = bench_make(1, NULL);
        checkpoint_for(whole, in_folder(folder, "run"), &source, &d);
        tg_fit_options o = options(&d, 3);
        o.schedule = &decay;
        ck_assert_int_eq(tg_fit_source(whole.model, &source, o), TG_OK);
        tg_checkpoint_free(d.checkpoint);
        for (int stop = 1; stop <= 3 * STEPS; stop++) {
            diary before = {.stop = stop}, after = {0};
            bench b = bench_make(1, NULL);
            checkpoint_for(b, in_folder(folder, "run"), &source, &before);
            o.user = &before;
            ck_assert_int_eq(tg_fit_source(b.model, &source, o), TG_ERROR_STOPPED);
            tg_checkpoint_free(before.checkpoint);
            bench_drop(b);
            b = bench_make(2, NULL);
            checkpoint_for(b, in_folder(folder, "run"), &source, &after);
            tg_fit_options go_on = o;
            go_on.user = &after;
            ck_assert_msg(tg_checkpoint_resume(after.checkpoint, in_folder(folder, "run"), &go_on, message) == TG_OK, "%s",
                          message);
            ck_assert_int_eq(go_on.steps_before, stop);
            ck_assert_int_eq(tg_fit_source(b.model, &source, go_on), TG_OK);
            ck_assert_int_eq(after.last.run_step, 3 * STEPS * (after.steps > 0));
            check_same_stores(whole.variables, b.variables);
            tg_checkpoint_free(after.checkpoint);
            bench_drop(b);
        }
        bench_drop(whole);
    }
    remove_folder(folder);
}
END_TEST

START_TEST(a_source_that_cannot_go_to_a_place_is_told)
{
    char folder[256];
    make_folder(folder);
    diary d = {.stop = 6}, l = {0};
    stream s = {.most = STEPS};
    tg_source source = source_of(&s, STEPS);
    bench b = bench_make(1, NULL);
    tg_fit_options o = options(&l, 3);
    checkpoint_for(b, in_folder(folder, "run"), &source, &d);
    ck_assert_int_eq(tg_fit_source(b.model, &source, options(&d, 3)), TG_ERROR_STOPPED);
    tg_checkpoint_free(d.checkpoint);
    source.begin = NULL;
    checkpoint_for(b, in_folder(folder, "run"), &source, &l);
    ck_assert_int_eq(tg_checkpoint_resume(l.checkpoint, in_folder(folder, "run"), &o, message), TG_ERROR_ARGUMENT);
    ck_assert_msg(strstr(message, "last.safetensors: no run can go on from here: its data source has no function `begin`"), "%s",
                  message);
    tg_checkpoint_free(l.checkpoint);
    l.checkpoint = NULL;
    o.first_epoch = 2;
    ck_assert_int_eq(tg_fit_source(b.model, &source, o), TG_ERROR_ARGUMENT);
    ck_assert_ptr_nonnull(strstr(tg_model_error(b.model), "the data source has no function `begin`"));
    source = source_of(&s, 5);
    checkpoint_for(b, in_folder(folder, "run"), &source, &l);
    ck_assert_int_eq(tg_checkpoint_resume(l.checkpoint, in_folder(folder, "run"), &o, message), TG_ERROR_FORMAT);
    ck_assert_msg(
        strstr(message, "rows was a source of 4 steps in the run that is to go on, and is a source of 5 steps now: it must stay"),
        "%s", message);
    tg_checkpoint_free(l.checkpoint);
    bench_drop(b);
    remove_folder(folder);
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("source");
    tcase_add_test(tests, rows_are_shuffled_by_epoch_and_found_again);
    tcase_add_test(tests, a_ready_source_needs_rows_a_batch_and_memory);
    tcase_add_test(tests, a_stream_of_the_same_rows_trains_to_the_same_bits);
    tcase_add_test(tests, a_schedule_counts_the_steps_of_a_stream);
    tcase_add_test(tests, a_source_s_failure_ends_training_with_its_sentence);
    tcase_add_test(tests, half_a_source_is_refused);
    tcase_add_test(tests, a_batch_that_diverges_is_replayed);
    tcase_add_test(tests, a_source_may_choose_rows_by_index);
    tcase_add_test(tests, validation_may_come_from_a_source);
    tcase_add_test(tests, an_evaluation_that_fails_leaves_the_training_scores);
    tcase_add_test(tests, a_stopped_run_on_a_source_ends_with_the_same_bits);
    tcase_add_test(tests, a_source_that_cannot_go_to_a_place_is_told);
    return harness_run("source", tests);
}
