#include "exec/team.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "harness.h"

#define ROUNDS 2000
#define MAX_THREADS 7

typedef struct turn {
    tg_team *team;
    int64_t written[MAX_THREADS][8]; /* by thread; plain memory that only the barrier orders */
    int64_t sums[MAX_THREADS];
    atomic_int calls;
} turn;

/* Each thread writes, and after the barrier reads what all have written: again and again. */
static void exchange(void *arg, int thread)
{
    turn *self = arg;
    atomic_fetch_add(&self->calls, 1);
    for (int round = 0; round < ROUNDS; round++) {
        self->written[thread][0] = round + thread;
        tg_team_barrier(self->team);
        for (int other = 0; other < tg_team_size(self->team); other++)
            self->sums[thread] += self->written[other][0];
        tg_team_barrier(self->team);
    }
}

static void exchange_with(int threads)
{
    tg_context *context = harness_context(threads);
    turn self = {.team = tg_team_of(context)};
    ck_assert_ptr_nonnull(self.team);
    ck_assert_int_eq(tg_team_size(self.team), threads);
    tg_team_run(self.team, exchange, &self);
    ck_assert_int_eq(atomic_load(&self.calls), threads);
    int64_t expected = (int64_t)threads * ROUNDS * (ROUNDS - 1) / 2 + (int64_t)ROUNDS * threads * (threads - 1) / 2;
    for (int thread = 0; thread < threads; thread++)
        ck_assert_int_eq(self.sums[thread], expected);
    tg_context_free(context);
}

START_TEST(barriers_order_memory)
{
    const int threads[] = {1, 2, 3, MAX_THREADS};
    exchange_with(threads[_i]);
}
END_TEST

static void count(void *arg, int thread)
{
    (void)thread;
    atomic_fetch_add((atomic_int *)arg, 1);
}

START_TEST(jobs_follow_one_another)
{
    tg_context *context = harness_context(3);
    tg_team *team = tg_team_of(context);
    ck_assert_ptr_nonnull(team);
    for (int i = 0; i < 5000; i++) {
        atomic_int calls = 0; /* all are through before the call returns: it may live on this stack */
        tg_team_run(team, count, &calls);
        ck_assert_int_eq(atomic_load(&calls), 3);
    }
    tg_context_free(context);
}
END_TEST

START_TEST(parked_threads_wake)
{
    tg_context *context = harness_context(3);
    tg_team *team = tg_team_of(context);
    ck_assert_ptr_nonnull(team);
    for (int i = 0; i < 20; i++) {
        atomic_int calls = 0;
        usleep(2000); /* far longer than an idle thread spins */
        tg_team_run(team, count, &calls);
        ck_assert_int_eq(atomic_load(&calls), 3);
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

static void *refuse(void *user, size_t bytes)
{
    (void)user, (void)bytes;
    return NULL;
}

static bool refusing;

static void *allocate_unless_refusing(void *user, size_t bytes)
{
    void *memory = NULL;
    (void)user;
    return !refusing && posix_memalign(&memory, 64, bytes) == 0 ? memory : NULL;
}

static void release(void *user, void *memory, size_t bytes)
{
    (void)user, (void)bytes;
    free(memory);
}

START_TEST(no_memory_no_team)
{
    tg_context_options options = harness_options();
    options.allocator = (tg_allocator){refuse, release, NULL};
    ck_assert_ptr_null(tg_context_new(options));
    options.allocator = (tg_allocator){allocate_unless_refusing, release, NULL};
    options.threads = 2;
    tg_context *context = tg_context_new(options);
    ck_assert_ptr_nonnull(context);
    refusing = true;
    ck_assert_ptr_null(tg_team_of(context));
    refusing = false;
    ck_assert_ptr_nonnull(tg_team_of(context)); /* the next try may succeed */
    tg_context_free(context);
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("team");
    tcase_add_loop_test(tests, barriers_order_memory, 0, 4);
    tcase_add_test(tests, jobs_follow_one_another);
    tcase_add_test(tests, parked_threads_wake);
    tcase_add_test(tests, one_team_for_a_context);
    tcase_add_test(tests, no_memory_no_team);
    return harness_run("team", tests);
}
