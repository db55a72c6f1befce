#include "exec/team.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#include "graph/rebuild.h"

#define SPIN_NANOSECONDS 50000 /* then a waiting thread parks: waking it costs about half of that */
#define PAUSE_NANOSECONDS 5000 /* then it also yields, in case more threads than cores want to run */

/* Workers wait in the barrier between jobs too: the caller's arrival there starts the next job. */
struct tg_team {
    _Alignas(64) atomic_uint arrived;
    _Alignas(64) atomic_uint epoch; /* of the barrier: one more each time it opens */
    _Alignas(64) atomic_int parked; /* threads that wait on the condition */
    tg_context *context;
    int size;
    int64_t pause_nanoseconds;
    bool ending;
    tg_team_job job;
    void *arg;
    pthread_mutex_t lock;
    pthread_cond_t opened;
    size_t bytes; /* of this struct with its threads */
    struct tg_worker {
        tg_team *team;
        pthread_t handle;
        int thread;
    } workers[]; /* thread 1 and up */
};

static int64_t nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static inline void pause_a_little(void)
{
#if defined(__GNUC__) && (defined(__x86_64__) || defined(__i386__))
    __asm__ volatile("pause");
#elif defined(__GNUC__) && defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* Whether the barrier opened while this thread was spinning. */
static bool spin(tg_team *team, unsigned epoch)
{
    for (int i = 0; i < 64; i++) {
        if (atomic_load_explicit(&team->epoch, memory_order_acquire) != epoch)
            return true;
        pause_a_little();
    }
    for (int64_t start = nanoseconds(), waited = 0; waited < SPIN_NANOSECONDS; waited = nanoseconds() - start) {
        for (int i = 0; i < 32; i++) {
            if (atomic_load_explicit(&team->epoch, memory_order_acquire) != epoch)
                return true;
            pause_a_little();
        }
        if (waited >= team->pause_nanoseconds)
            sched_yield();
    }
    return false;
}

static void park(tg_team *team, unsigned epoch)
{
    pthread_mutex_lock(&team->lock);
    /* Sequentially consistent with open_barrier(): either it sees this count, or this thread sees its epoch. */
    atomic_fetch_add(&team->parked, 1);
    while (atomic_load(&team->epoch) == epoch)
        pthread_cond_wait(&team->opened, &team->lock);
    atomic_fetch_sub(&team->parked, 1);
    pthread_mutex_unlock(&team->lock);
}

static void open_barrier(tg_team *team, unsigned epoch)
{
    atomic_store_explicit(&team->arrived, 0, memory_order_relaxed);
    atomic_store(&team->epoch, epoch + 1);
    if (atomic_load(&team->parked) > 0) {
        pthread_mutex_lock(&team->lock);
        pthread_cond_broadcast(&team->opened);
        pthread_mutex_unlock(&team->lock);
    }
}

void tg_team_barrier(tg_team *team)
{
    if (team->size == 1)
        return;
    unsigned epoch = atomic_load_explicit(&team->epoch, memory_order_relaxed);
    if (atomic_fetch_add_explicit(&team->arrived, 1, memory_order_acq_rel) == (unsigned)team->size - 1)
        open_barrier(team, epoch);
    else if (!spin(team, epoch))
        park(team, epoch);
}

static void *work(void *arg)
{
    struct tg_worker *worker = arg;
    tg_team *team = worker->team;
    /* The starter holds the lock until it knows how many threads there are. */
    pthread_mutex_lock(&team->lock);
    pthread_mutex_unlock(&team->lock);
    for (;;) {
        tg_team_barrier(team);
        if (team->ending)
            return NULL;
        team->job(team->arg, worker->thread);
        tg_team_barrier(team);
    }
}

static void end_team(void *object)
{
    tg_team *team = object;
    team->ending = true;
    tg_team_barrier(team);
    for (int i = 0; i < team->size - 1; i++)
        pthread_join(team->workers[i].handle, NULL);
    pthread_cond_destroy(&team->opened);
    pthread_mutex_destroy(&team->lock);
    tg_release(team->context, team, team->bytes);
}

/* Signals are the program's: its handlers run on its own threads. */
static void start_threads(tg_team *team, int size)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_mutex_lock(&team->lock);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (team->size = 1; team->size < size; team->size++) {
        struct tg_worker *worker = &team->workers[team->size - 1];
        *worker = (struct tg_worker){.team = team, .thread = team->size};
        if (pthread_create(&worker->handle, NULL, work, worker) != 0)
            break;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_mutex_unlock(&team->lock);
}

static tg_attachment start_team(tg_context *context)
{
    int size = tg_context_threads(context);
    size_t bytes = sizeof(tg_team) + (size_t)(size - 1) * sizeof(struct tg_worker);
    tg_team *team = tg_allocate_zero(context, bytes);
    if (!team)
        return (tg_attachment){NULL, NULL};
    team->context = context;
    team->bytes = bytes;
    team->pause_nanoseconds = size > sysconf(_SC_NPROCESSORS_ONLN) ? 0 : PAUSE_NANOSECONDS;
    if (pthread_mutex_init(&team->lock, NULL) != 0) {
        tg_release(context, team, bytes);
        return (tg_attachment){NULL, NULL};
    }
    if (pthread_cond_init(&team->opened, NULL) != 0) {
        pthread_mutex_destroy(&team->lock);
        tg_release(context, team, bytes);
        return (tg_attachment){NULL, NULL};
    }
    start_threads(team, size);
    if (team->size < size) {
        end_team(team);
        return (tg_attachment){NULL, NULL};
    }
    return (tg_attachment){team, end_team};
}

tg_team *tg_team_of(tg_context *context)
{
    return tg_context_attach(context, TG_SLOT_TEAM, start_team);
}

int tg_team_size(const tg_team *team)
{
    return team->size;
}

void tg_team_run(tg_team *team, tg_team_job job, void *arg)
{
    team->job = job;
    team->arg = arg;
    tg_team_barrier(team);
    job(arg, 0);
    tg_team_barrier(team);
}
