/* A team of threads that help a caller with work that it shares out. Knows nothing of plans. */
#ifndef TG_EXEC_TEAM_H
#define TG_EXEC_TEAM_H

#include <stdatomic.h>

#include "graph/context.h"

typedef struct tg_team tg_team;

/** A part in shared work: takes pieces until there are none left. Thread 0 is the caller. */
typedef void (*tg_team_job)(void *arg, int thread);

/** The context's team, started at first use and ended with the context; NULL if memory or threads are refused. */
tg_team *tg_team_of(tg_context *context);
/** Threads, with the caller. */
int tg_team_size(const tg_team *team);
/** Makes the calling thread the team's caller. False, at once, if another thread is that, or if there is nobody to help. */
bool tg_team_enter(tg_team *team);
void tg_team_exit(tg_team *team);
/** Runs job(arg, 0) here, and job(arg, thread) on each other thread that comes while it does; returns when all of these are
    through. So the call never waits for a thread that the system does not run just then: whoever is there does the work. What was
    written before is seen by the jobs, and what they write by the caller after. Between tg_team_enter() and tg_team_exit(). */
void tg_team_share(tg_team *team, tg_team_job job, void *arg);

/** The pieces [0, count) of shared work. The caller takes them from the front and the others from the back, so that from one piece
    of work to the next a thread meets data that it has in its cache. */
typedef struct tg_pieces {
    _Atomic uint64_t taken; /**< from the front, + 2^32 x from the back */
    int64_t count;          /**< less than 2^31 */
    int64_t at_once;        /**< 1 or more */
} tg_pieces;

/** Takes the pieces [*first, *end); false if there are none left. */
static inline bool tg_pieces_take(tg_pieces *pieces, int thread, int64_t *first, int64_t *end)
{
    uint64_t mine = (uint64_t)pieces->at_once << (thread == 0 ? 0 : 32);
    uint64_t before = atomic_fetch_add_explicit(&pieces->taken, mine, memory_order_relaxed);
    int64_t front = (int64_t)(before & UINT32_MAX), back = pieces->count - (int64_t)(before >> 32);
    *first = thread == 0 || back - pieces->at_once < front ? front : back - pieces->at_once;
    *end = thread != 0 || front + pieces->at_once > back ? back : front + pieces->at_once;
    return *first < *end;
}

#endif
