#include "exec/team.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include "exec/clock.h"
#include "graph/rebuild.h"

#define SPIN_NANOSECONDS 50000 /* then an idle thread parks: waking it costs about half of that */
#define PAUSE_NANOSECONDS 5000 /* then a waiting thread also yields, in case more threads than cores want to run */

/* The state of the team in one word: how many helpers are inside the job, whether more may enter, and the number of the job. */
#define INSIDE ((uint64_t)0xffff)
#define OPEN ((uint64_t)1 << 16)
#define NUMBER_SHIFT 17

struct tg_team {
    _Alignas(64) _Atomic uint64_t state;
    _Alignas(64) atomic_bool parked; /* since the last waking, a helper has gone to sleep */
    atomic_bool ending;
    atomic_bool has_caller;
    tg_context *context;
    int size;
    int64_t pause_nanoseconds;
    /* Written by the caller alone, while nobody is inside. */
    tg_team_job job;
    void *arg;
    uint64_t number;
    pthread_mutex_t lock;
    pthread_cond_t opened;
    size_t bytes; /* of this struct with its helpers */
    struct tg_helper {
        tg_team *team;
        pthread_t handle;
        int thread;
    } helpers[]; /* thread 1 and up */
};

static inline void pause_a_little(void)
{
#if defined(__GNUC__) && (defined(__x86_64__) || defined(__i386__))
    __asm__ volatile("pause");
#elif defined(__GNUC__) && defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* One turn of waiting, longer by and by. `since`: 0 at first. Returns the nanoseconds waited so far. */
static int64_t wait_a_turn(const tg_team *team, int64_t *since, int turn)
{
    pause_a_little();
    if (turn % 32 != 31)
        return 0;
    int64_t now = tg_clock();
    if (*since == 0)
        *since = now;
    if (now - *since >= team->pause_nanoseconds)
        sched_yield();
    return now - *since;
}

/* ---- helpers ---- */

static bool has_job(uint64_t state, uint64_t done) { return (state & OPEN) && state >> NUMBER_SHIFT != done; }

/* Sleeps until a job or the end is announced; perhaps for no reason. */
static void park(tg_team *team, uint64_t done)
{
    pthread_mutex_lock(&team->lock);
    /* Sequentially consistent with open_job(): either it sees that someone sleeps, or this thread sees its job. */
    atomic_store(&team->parked, true);
    if (!has_job(atomic_load(&team->state), done) && !atomic_load(&team->ending))
        pthread_cond_wait(&team->opened, &team->lock);
    pthread_mutex_unlock(&team->lock);
}

/* Enters the next job and returns its number; 0: the team ends. */
static uint64_t enter(tg_team *team, uint64_t done)
{
    int64_t since = 0;
    for (int turn = 0;; turn++) {
        uint64_t state = atomic_load_explicit(&team->state, memory_order_relaxed);
        if (has_job(state, done)) {
            if (atomic_compare_exchange_weak_explicit(&team->state, &state, state + 1, memory_order_acquire,
                                                      memory_order_relaxed))
                return state >> NUMBER_SHIFT;
        } else if (atomic_load_explicit(&team->ending, memory_order_relaxed)) {
            return 0;
        } else if (wait_a_turn(team, &since, turn) >= SPIN_NANOSECONDS) {
            park(team, done);
            since = 0;
        }
    }
}

static void *help(void *arg)
{
    struct tg_helper *helper = arg;
    tg_team *team = helper->team;
    for (uint64_t number = 0; (number = enter(team, number)) != 0;) {
        team->job(team->arg, helper->thread);
        atomic_fetch_sub_explicit(&team->state, 1, memory_order_release);
    }
    return NULL;
}

/* ---- the caller ---- */

static void wake(tg_team *team)
{
    pthread_mutex_lock(&team->lock);
    atomic_store(&team->parked, false);
    pthread_cond_broadcast(&team->opened);
    pthread_mutex_unlock(&team->lock);
}

static void open_job(tg_team *team, tg_team_job job, void *arg)
{
    team->job = job;
    team->arg = arg;
    atomic_store(&team->state, ++team->number << NUMBER_SHIFT | OPEN);
    if (atomic_load(&team->parked))
        wake(team);
}

static void close_job(tg_team *team)
{
    uint64_t state = atomic_fetch_and_explicit(&team->state, ~OPEN, memory_order_acquire);
    int64_t since = 0;
    for (int turn = 0; state & INSIDE; turn++) {
        wait_a_turn(team, &since, turn);
        state = atomic_load_explicit(&team->state, memory_order_acquire);
    }
}

bool tg_team_enter(tg_team *team)
{
    return team->size > 1 && !atomic_exchange_explicit(&team->has_caller, true, memory_order_acquire);
}

void tg_team_exit(tg_team *team) { atomic_store_explicit(&team->has_caller, false, memory_order_release); }

void tg_team_share(tg_team *team, tg_team_job job, void *arg)
{
    if (team->size > 1)
        open_job(team, job, arg);
    job(arg, 0);
    if (team->size > 1)
        close_job(team);
}

int tg_team_size(const tg_team *team) { return team->size; }

/* ---- start and end ---- */

static void end_team(void *object)
{
    tg_team *team = object;
    atomic_store(&team->ending, true);
    wake(team);
    for (int i = 0; i < team->size - 1; i++)
        pthread_join(team->helpers[i].handle, NULL);
    pthread_cond_destroy(&team->opened);
    pthread_mutex_destroy(&team->lock);
    tg_release(team->context, team, team->bytes);
}

/* Signals are the program's: its handlers run on its own threads. */
static void start_threads(tg_team *team, int size)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (team->size = 1; team->size < size; team->size++) {
        struct tg_helper *helper = &team->helpers[team->size - 1];
        *helper = (struct tg_helper){.team = team, .thread = team->size};
        if (pthread_create(&helper->handle, NULL, help, helper) != 0)
            break;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static tg_attachment start_team(tg_context *context)
{
    int size = tg_context_threads(context);
    size_t bytes = sizeof(tg_team) + (size_t)(size - 1) * sizeof(struct tg_helper);
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

tg_team *tg_team_of(tg_context *context) { return tg_context_attach(context, TG_SLOT_TEAM, start_team); }
