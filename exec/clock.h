/* The time that the executor measures by. */
#ifndef TG_EXEC_CLOCK_H
#define TG_EXEC_CLOCK_H

#include <stdint.h>
#include <time.h>

/** Nanoseconds of a clock that never goes back. */
static inline int64_t tg_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

#endif
