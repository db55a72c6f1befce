/* Where a plan's time goes: its parts, timed while it runs. */
#ifndef TG_EXEC_PROFILE_H
#define TG_EXEC_PROFILE_H

#include "exec/plan.h"

TG_BEGIN_DECLS

/** Times each part of the plan in the runs to come, and forgets the times so far; false: no longer, and keeps them. A plan is not timed
    at first. TG_ERROR_MEMORY if memory is out. Not while the plan runs. Timing costs two looks at the clock for each task. */
TG_API TG_MUST_USE tg_status tg_plan_profile(tg_plan *plan, bool on);

/** The runs that were timed, all together. */
typedef struct tg_plan_times {
    int64_t runs;
    int threads;
    int64_t nanoseconds;         /**< from begin to end, as the caller saw them */
    int64_t outside_nanoseconds; /**< outside of all parts, summed over threads: waiting, and handing work over */
    int32_t parts;               /**< of the plan, timed or not */
} tg_plan_times;
TG_API tg_plan_times tg_plan_read_times(const tg_plan *plan);

/** What runs as one: an op with what was fused to it, a fused group, a copy, or a check for NaNs and infinities. */
typedef struct tg_plan_part {
    int32_t node;         /**< of tg_plan_graph(): the product that others are fused to, or the last op */
    const char *layer;    /**< that node's, or "" */
    const char *segment;  /**< "prologue": only when variables have changed; "compute"; "commit": writes variables */
    const char *variable; /**< that it writes: the one that is trained, or else the first; NULL: none */
    int64_t calls;        /**< in the runs that were timed */
    int64_t nanoseconds;  /**< in all these calls, summed over threads */
    double flops;         /**< of one call */
    double bytes;         /**< of one call: what it reads and writes, each stretch once */
} tg_plan_part;
/** The i-th part, in the order in which they begin; 0 <= i < parts. Its texts are valid until the plan is freed. */
TG_API tg_plan_part tg_plan_read_part(const tg_plan *plan, int32_t i);
/** The ops of a part, as "matmul + add + sigmoid", or "3 mul + 2 add + sqrt" where one comes several times. Cut at `size` with
    "...". Returns `text`. */
TG_API char *tg_plan_part_text(const tg_plan *plan, int32_t i, char *text, size_t size);

TG_END_DECLS

#endif
