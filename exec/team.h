/* A team of threads that run one function together, with barriers between its parts. Knows nothing of plans. */
#ifndef TG_EXEC_TEAM_H
#define TG_EXEC_TEAM_H

#include "graph/context.h"

typedef struct tg_team tg_team;

/** What every thread of a team runs: thread 0 is the caller. */
typedef void (*tg_team_job)(void *arg, int thread);

/** The context's team, started at first use and ended with the context; NULL if memory or threads are refused. */
tg_team *tg_team_of(tg_context *context);
int tg_team_size(const tg_team *team);
/** Runs job(arg, thread) on all threads and returns when all are through. One caller at a time. */
void tg_team_run(tg_team *team, tg_team_job job, void *arg);
/** Inside a job: waits until all threads of the team have come here. What they wrote before is seen by all after. */
void tg_team_barrier(tg_team *team);

#endif
