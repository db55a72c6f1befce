#include "exec/schedule.h"

#include <string.h>

/* How many levels back a step may move to run beside others: more would keep too many values alive at once. */
#define LOOK_BACK 8

/* The earliest level at which all that the step reads is there. ready[buffer]: the level after the one that wrote it. */
static int32_t earliest(const tg_step *step, const int32_t *ready, int32_t floor)
{
    for (int32_t r = 0; r < step->n_refs; r++)
        floor = ready[step->refs[r].buffer] > floor ? ready[step->refs[r].buffer] : floor;
    return floor;
}

static int32_t assign_levels(tg_steps *steps, bool in_order, int32_t *ready)
{
    int32_t end = 0; /* of all levels so far */
    for (tg_segment segment = TG_PROLOGUE; segment < TG_SEGMENT_COUNT; segment++) {
        int32_t first = end, latest = end;
        for (int32_t s = 0; s < steps->count; s++) {
            tg_step *step = steps->at[s];
            if (step->segment != segment)
                continue;
            int32_t floor = in_order ? end : latest - LOOK_BACK > first ? latest - LOOK_BACK : first;
            step->first_level = earliest(step, ready, floor);
            latest = step->first_level > latest ? step->first_level : latest;
            int32_t after = step->first_level + step->phases;
            end = after > end ? after : end;
            for (int32_t r = 0; r < step->n_refs; r++)
                if (step->refs[r].writes)
                    ready[step->refs[r].buffer] = after;
        }
    }
    return end;
}

/* What may wait does, and for how long: a little work on a few bytes, which then runs beside work that all threads share, instead of
   alone on the way to it. */
#define SMALL_BYTES 16384
#define SMALL_NANOSECONDS 4000.0
#define WAIT 8

static bool is_small(const tg_step *step)
{
    int64_t bytes = 0;
    for (int32_t r = 0; r < step->n_refs; r++)
        bytes += step->refs[r].bytes;
    return bytes <= SMALL_BYTES && step->nanoseconds <= SMALL_NANOSECONDS;
}

/* due[buffer]: the level at which it is read first. */
static void defer(tg_steps *steps, int32_t end, int32_t *due)
{
    for (int32_t b = 0; b < steps->n_buffers; b++)
        due[b] = end;
    for (int32_t s = steps->count - 1; s >= 0; s--) {
        tg_step *step = steps->at[s];
        if (step->segment != TG_COMPUTE)
            continue;
        int32_t latest = is_small(step) ? step->first_level + WAIT : step->first_level;
        for (int32_t r = 0; r < step->n_refs; r++) {
            int32_t level = (step->refs[r].writes ? due[step->refs[r].buffer] : end) - step->phases;
            latest = level < latest ? level : latest;
        }
        step->first_level = latest > step->first_level ? latest : step->first_level;
        for (int32_t r = 0; r < step->n_refs; r++)
            if (!step->refs[r].writes && step->first_level < due[step->refs[r].buffer])
                due[step->refs[r].buffer] = step->first_level;
    }
}

/* The level after the last one of the compute segment. */
static int32_t end_of_compute(const tg_steps *steps)
{
    int32_t end = 0;
    for (int32_t s = 0; s < steps->count; s++)
        if (steps->at[s]->segment == TG_COMPUTE && steps->at[s]->first_level + steps->at[s]->phases > end)
            end = steps->at[s]->first_level + steps->at[s]->phases;
    return end;
}

/* A stable sort by level; segments follow one another in levels. */
static void sort(tg_steps *steps, int32_t n_levels, int32_t *next, tg_step **sorted)
{
    for (int32_t s = 0; s < steps->count; s++)
        next[steps->at[s]->first_level + 1]++;
    for (int32_t level = 0; level < n_levels; level++)
        next[level + 1] += next[level];
    for (int32_t s = 0; s < steps->count; s++)
        sorted[next[steps->at[s]->first_level]++] = steps->at[s];
    if (steps->count)
        memcpy(steps->at, sorted, (size_t)steps->count * sizeof *sorted);
}

int32_t tg_schedule(tg_steps *steps, bool in_order, tg_context *context)
{
    tg_pool pool = tg_pool_make(context);
    int32_t *ready = tg_pool_take(&pool, steps->n_buffers, sizeof *ready);
    int32_t n_levels = ready ? assign_levels(steps, in_order, ready) : -1;
    if (ready && !in_order)
        defer(steps, end_of_compute(steps), ready);
    int32_t *next = ready ? tg_pool_take(&pool, (int64_t)n_levels + 1, sizeof *next) : NULL;
    tg_step **sorted = next ? tg_pool_take(&pool, steps->count, sizeof *sorted) : NULL;
    if (sorted)
        sort(steps, n_levels, next, sorted);
    tg_pool_free(&pool);
    return sorted ? n_levels : -1;
}
