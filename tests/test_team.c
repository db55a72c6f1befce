#include "exec/team.h"

#include <time.h>
#include <unistd.h>

#include "failing_allocator.h"
#include "harness.h"

#define PIECES 1000
#define MAX_THREADS 7

/* Work on plain memory, which nothing but the team's own order protects. Round by round each piece is made of what another thread
   may have made in the round before. */
typedef struct work {
    tg_pieces pieces;
    int64_t from[PIECES], to[PIECES];
    atomic_int taken[PIECES];
    atomic_int parts; /* calls of the job */
} work;

static void take_part(void *arg, int thread)
{
    work *self = arg;
    atomic_fetch_add(&self->parts, 1);
    for (int64_t piece, end; tg_pieces_take(&self->pieces, thread, &piece, &end);)
        for (; piece < end; piece++) {
            self->to[piece] = self->from[PIECES - 1 - piece] + 1;
            atomic_fetch_add(&self->taken[piece], 1);
        }
}

static void take_rounds(tg_team *team, int rounds, int64_t at_once, useconds_t pause)
{
    work self = {.pieces = {.count = PIECES, .at_once = at_once}};
    for (int round = 0; round < rounds; round++) {
        if (pause)
            usleep(pause);
        atomic_store(&self.pieces.taken, 0);
        tg_team_share(team, take_part, &self);
        int wrong = 0;
        for (int i = 0; i < PIECES; i++) {
            wrong += self.to[i] != round + 1 || atomic_load(&self.taken[i]) != round + 1;
            self.from[i] = self.to[i];
        }
        ck_assert_int_eq(wrong, 0);
    }
    ck_assert_int_ge(atomic_load(&self.parts), rounds);
    ck_assert_int_le(atomic_load(&self.parts), rounds * tg_team_size(team));
}

START_TEST(every_piece_is_taken_once)
{
    const int threads[] = {1, 2, 3, MAX_THREADS};
    tg_context *context = harness_context(threads[_i]);
    tg_team *team = tg_team_of(context);
    ck_assert_ptr_nonnull(team);
    ck_assert_int_eq(tg_team_size(team), threads[_i]);
    take_rounds(team, 1000, 1, 0);
    take_rounds(team, 1000, 7, 0);
    take_rounds(team, 10, PIECES + 5, 0);
    tg_context_free(context);
}
END_TEST

START_TEST(sleeping_helpers_wake)
{
    tg_context *context = harness_context(3);
    take_rounds(tg_team_of(context), 30, 1, 2000); /* a pause far longer than an idle thread spins */
    tg_context_free(context);
}
END_TEST

static void wait_for_company(void *arg, int thread)
{
    atomic_int *here = arg;
    (void)thread;
    atomic_fetch_add(here, 1);
    for (time_t start = time(NULL); atomic_load(here) < 3 && time(NULL) - start < 60;)
        usleep(100);
}

START_TEST(all_helpers_come)
{
    tg_context *context = harness_context(3);
    atomic_int here = 0;
    tg_team_share(tg_team_of(context), wait_for_company, &here);
    ck_assert_int_eq(atomic_load(&here), 3);
    tg_context_free(context);
}
END_TEST

static void count(void *arg, int thread)
{
    (void)thread;
    atomic_fetch_add((atomic_int *)arg, 1);
}

START_TEST(a_job_ends_with_the_call)
{
    tg_context *context = harness_context(3);
    tg_team *team = tg_team_of(context);
    for (int i = 0; i < 20000; i++) {
        atomic_int calls = 0; /* may live on this stack: nobody comes later */
        tg_team_share(team, count, &calls);
        int now = atomic_load(&calls);
        if (now < 1 || now > 3)
            ck_abort_msg("%d calls", now);
    }
    tg_context_free(context);
}
END_TEST

START_TEST(one_team_for_a_context)
{
    tg_context *context = harness_context(2);
    tg_team *team = tg_team_of(context);
    ck_assert_ptr_nonnull(team);
    ck_assert_ptr_eq(team, tg_team_of(context));
    tg_context_free(context);
}
END_TEST

START_TEST(no_memory_no_team)
{
    failing_allocator memory = {.requests = 0};
    tg_context_options options = harness_options();
    options.allocator = failing_allocator_interface(&memory);
    options.threads = 2;
    tg_context *context = tg_context_new(options);
    ck_assert_ptr_nonnull(context);
    memory.refuse = memory.requests + 1;
    ck_assert_ptr_null(tg_team_of(context));
    ck_assert_ptr_nonnull(tg_team_of(context)); /* the next try may succeed */
    tg_context_free(context);
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("team");
    tcase_add_loop_test(tests, every_piece_is_taken_once, 0, 4);
    tcase_add_test(tests, sleeping_helpers_wake);
    tcase_add_test(tests, all_helpers_come);
    tcase_add_test(tests, a_job_ends_with_the_call);
    tcase_add_test(tests, one_team_for_a_context);
    tcase_add_test(tests, no_memory_no_team);
    return harness_run("team", tests);
}
