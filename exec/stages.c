#include "exec/schedule.h"

/* Bounds the search for conflicts: a stage ends when its items touch this many stretches of memory. */
#define MAX_ACCESSES 256
#define MAX_TASKS ((int64_t)1 << 30) /* of a stage that is shared out */
#define WORTH_SHARING 2500.0         /* nanoseconds that a second thread must be guessed to save */

/* The stretches of memory that a stage under construction touches. */
typedef struct accesses {
    struct access {
        int32_t region;
        bool writes;
        int64_t begin, end;
    } at[MAX_ACCESSES];
    int32_t count;
} accesses;

static struct access access_of(const tg_steps *steps, const tg_ref *ref)
{
    const tg_buffer *buffer = &steps->buffers[ref->buffer];
    int64_t begin = buffer->offset + ref->offset;
    return (struct access){buffer->region, ref->writes, begin, begin + ref->bytes};
}

static bool conflicts(const accesses *stage, const tg_steps *steps, const tg_step *step)
{
    if (stage->count + step->n_refs > MAX_ACCESSES)
        return stage->count > 0;
    for (int32_t r = 0; r < step->n_refs; r++) {
        struct access mine = access_of(steps, &step->refs[r]);
        for (int32_t i = 0; i < stage->count; i++) {
            const struct access *theirs = &stage->at[i];
            if (theirs->region == mine.region && (theirs->writes || mine.writes) && theirs->begin < mine.end &&
                mine.begin < theirs->end)
                return true;
        }
    }
    return false;
}

/* A step with more refs than fit stays alone: its stage is full. */
static void add_accesses(accesses *stage, const tg_steps *steps, const tg_step *step)
{
    if (step->n_refs > MAX_ACCESSES) {
        stage->count = MAX_ACCESSES;
        return;
    }
    for (int32_t r = 0; r < step->n_refs; r++)
        stage->at[stage->count++] = access_of(steps, &step->refs[r]);
}

/* The phases of all steps, by level and within one in the order of steps. */
static bool list_items(tg_stages *stages, const tg_steps *steps, int32_t n_levels, tg_pool *pool)
{
    int64_t total = 0;
    for (int32_t s = 0; s < steps->count; s++)
        total += steps->at[s]->phases;
    int32_t *next = tg_pool_take(pool, (int64_t)n_levels + 1, sizeof *next);
    stages->items = total <= INT32_MAX ? tg_pool_take(steps->pool, total, sizeof *stages->items) : NULL;
    if (!next || !stages->items)
        return false;
    for (int32_t s = 0; s < steps->count; s++)
        for (int p = 0; p < steps->at[s]->phases; p++)
            next[steps->at[s]->first_level + p + 1]++;
    for (int32_t level = 0; level < n_levels; level++)
        next[level + 1] += next[level];
    for (int32_t s = 0; s < steps->count; s++)
        for (int p = 0; p < steps->at[s]->phases; p++)
            stages->items[next[steps->at[s]->first_level + p]++] =
                (tg_item){.step = s,
                          .phase = steps->at[s]->first_phase + p,
                          .n_tasks = tg_step_tasks(steps->at[s], steps->at[s]->first_phase + p)};
    stages->n_items = (int32_t)total;
    return true;
}

/* A guess at one task's time: all tasks of all phases count alike. */
static double task_nanoseconds(const tg_step *step)
{
    int64_t n_tasks = 0;
    for (int p = 0; p < step->phases; p++)
        n_tasks += tg_step_tasks(step, step->first_phase + p);
    return n_tasks ? step->nanoseconds / (double)n_tasks : 0;
}

static bool is_worth_sharing(const tg_stage *stage)
{
    double half = stage->nanoseconds / 2, shared = stage->longest_task > half ? stage->longest_task : half;
    return stage->n_tasks > 1 && stage->n_tasks < MAX_TASKS && stage->nanoseconds - shared > WORTH_SHARING;
}

static void cut_stages(tg_stages *stages, const tg_steps *steps, accesses *busy)
{
    tg_stage *stage = NULL;
    tg_segment segment = TG_PROLOGUE;
    for (int32_t i = 0; i < stages->n_items; i++) {
        tg_item *item = &stages->items[i];
        const tg_step *step = steps->at[item->step];
        if (!stage || step->segment != segment || conflicts(busy, steps, step)) {
            stage = &stages->stages[stages->n_stages++];
            *stage = (tg_stage){.first_item = i};
            segment = step->segment;
            busy->count = 0;
        }
        add_accesses(busy, steps, step);
        item->first_task = stage->n_tasks;
        stage->n_tasks += item->n_tasks;
        stage->n_items++;
        double task = task_nanoseconds(step);
        stage->nanoseconds += task * (double)item->n_tasks;
        stage->longest_task = task > stage->longest_task ? task : stage->longest_task;
    }
}

/* Joins stages of a segment in a row that one thread had better run alone. */
static void cut_sections(tg_stages *stages, const tg_steps *steps)
{
    for (int32_t i = 0; i < stages->n_stages; i++) {
        const tg_stage *stage = &stages->stages[i];
        tg_segment segment = steps->at[stages->items[stage->first_item].step]->segment;
        bool serial = !is_worth_sharing(stage);
        tg_section *open = stages->n_sections ? &stages->sections[stages->n_sections - 1] : NULL;
        if (open && serial && open->serial && open->segment == segment)
            open->n_stages++;
        else
            stages->sections[stages->n_sections++] =
                (tg_section){.first_stage = i, .n_stages = 1, .serial = serial, .segment = segment};
    }
}

bool tg_stages_make(tg_stages *stages, const tg_steps *steps, int32_t n_levels)
{
    *stages = (tg_stages){.items = NULL};
    tg_pool pool = tg_pool_make(steps->pool->context);
    accesses *busy = tg_pool_take(&pool, 1, sizeof *busy);
    bool done = busy && list_items(stages, steps, n_levels, &pool);
    if (done) {
        stages->stages = tg_pool_take(steps->pool, stages->n_items, sizeof *stages->stages);
        stages->sections = tg_pool_take(steps->pool, stages->n_items, sizeof *stages->sections);
        done = stages->stages && stages->sections;
    }
    if (done) {
        cut_stages(stages, steps, busy);
        cut_sections(stages, steps);
    }
    tg_pool_free(&pool);
    return done;
}
