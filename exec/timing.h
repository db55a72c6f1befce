/* Inside the executor: what a timed run notes. */
#ifndef TG_EXEC_TIMING_H
#define TG_EXEC_TIMING_H

#include <stdint.h>

/** One step on one thread. */
typedef struct tg_step_time {
    int64_t nanoseconds, calls; /**< a call is counted by its first task */
} tg_step_time;

typedef struct tg_timing {
    int64_t runs, nanoseconds;
    int64_t stride;      /**< from one thread's first step to the next one's: whole cache lines */
    tg_step_time *steps; /**< [threads][stride] */
} tg_timing;

#endif
