#include <string.h>

#include "exec/compile.h"
#include "exec/float_mode.h"

#define MAX_BATCH 16 /* tasks drawn at once */

/* One tg_run(), as all threads see it. */
typedef struct run {
    tg_plan *plan;
    int32_t first_section;
    uint64_t step;
    bool flush;
    /* The least of (item << 32 | task << 8 | status) over all tasks that failed: the same for any number of threads, since the
       stage in which something fails is run to its end. */
    _Atomic uint64_t failure;
} run;

#define NO_FAILURE UINT64_MAX
#define MAX_TASK 0xffffff

static void note_failure(run *self, int32_t item, int64_t task, tg_status status)
{
    uint64_t mine = (uint64_t)item << 32 | (uint64_t)(task < MAX_TASK ? task : MAX_TASK) << 8 | (uint64_t)status;
    uint64_t least = atomic_load(&self->failure);
    while (mine < least && !atomic_compare_exchange_weak(&self->failure, &least, mine))
        ;
}

/* Whether something failed before item `end`. What failed later is not yet known to all threads. */
static bool has_failed(const run *self, int32_t end)
{
    return atomic_load(&((run *)self)->failure) >> 32 < (uint64_t)end;
}

static void run_item_task(run *self, int32_t item, int64_t task, void *scratch)
{
    const tg_item *here = &self->plan->stages.items[item];
    tg_status status = tg_step_run(self->plan->steps.at[here->step], here->phase, task, self->step, scratch);
    if (status != TG_OK)
        note_failure(self, item, task, status);
}

/* Stages in a row, on this thread alone. */
static void run_alone(run *self, const tg_section *section, void *scratch)
{
    const tg_stages *stages = &self->plan->stages;
    for (int32_t s = section->first_stage; s < section->first_stage + section->n_stages; s++) {
        int32_t end = stages->stages[s].first_item + stages->stages[s].n_items;
        for (int32_t i = stages->stages[s].first_item; i < end; i++)
            for (int64_t task = 0; task < stages->items[i].n_tasks; task++)
                run_item_task(self, i, task, scratch);
        if (has_failed(self, end))
            return;
    }
}

/* This thread's share of one stage: tasks are drawn, a few at once, until there are none left. */
static void run_share(run *self, int32_t s, void *scratch)
{
    const tg_stage *stage = &self->plan->stages.stages[s];
    const tg_item *items = self->plan->stages.items;
    int64_t batch = stage->n_tasks / (32 * (int64_t)tg_team_size(self->plan->team));
    batch = batch < 1 ? 1 : batch > MAX_BATCH ? MAX_BATCH : batch;
    int32_t item = stage->first_item;
    for (;;) {
        int64_t task = atomic_fetch_add_explicit(&self->plan->drawn[s], batch, memory_order_relaxed), end = task + batch;
        if (task >= stage->n_tasks)
            return;
        for (end = end < stage->n_tasks ? end : stage->n_tasks; task < end; task++) {
            while (task >= items[item].first_task + items[item].n_tasks)
                item++;
            run_item_task(self, item, task - items[item].first_task, scratch);
        }
    }
}

static void run_sections(run *self, int thread, bool alone)
{
    const tg_stages *stages = &self->plan->stages;
    void *scratch = tg_workspace_scratch(self->plan->workspace, thread);
    tg_float_mode before = tg_float_mode_enter(self->flush);
    for (int32_t s = self->first_section; s < stages->n_sections; s++) {
        const tg_section *section = &stages->sections[s];
        const tg_stage *last = &stages->stages[section->first_stage + section->n_stages - 1];
        if (alone || (section->serial && thread == 0))
            run_alone(self, section, scratch);
        else if (!section->serial)
            run_share(self, section->first_stage, scratch);
        if (!alone && s + 1 < stages->n_sections)
            tg_team_barrier(self->plan->team);
        if (has_failed(self, last->first_item + last->n_items))
            break;
    }
    tg_float_mode_leave(before);
}

static void run_as_member(void *arg, int thread)
{
    run_sections(arg, thread, false);
}

static void run_on_team(run *self)
{
    tg_plan *plan = self->plan;
    if (!plan->has_parallel || tg_team_size(plan->team) == 1) {
        run_sections(self, 0, true);
        return;
    }
    for (int32_t s = 0; s < plan->stages.n_stages; s++)
        atomic_store_explicit(&plan->drawn[s], 0, memory_order_relaxed);
    tg_team_run(plan->team, run_as_member, self);
}

/* The first section to run: the prologue's are skipped while the variables are what they were. */
static int32_t first_section(const tg_plan *plan, uint64_t generation)
{
    int32_t s = 0;
    if (plan->prologue_done && plan->prologue_generation == generation)
        while (s < plan->stages.n_sections && plan->stages.sections[s].segment == TG_PROLOGUE)
            s++;
    return s;
}

static tg_status explain(const run *self, uint64_t failure)
{
    const tg_plan *plan = self->plan;
    const tg_step *step = plan->steps.at[plan->stages.items[failure >> 32].step];
    const tg_node *node = tg_graph_node(plan->graph, step->node);
    tg_status status = (tg_status)(failure & 0xff);
    char label[400];
    tg_node_label(node, label, sizeof label);
    if (status == TG_ERROR_NONFINITE)
        return tg_plan_fail(plan, status, node->where, "%s is not finite, so no variable was changed: tg_find_nonfinite() names the first op that went wrong", label);
    return tg_plan_fail(plan, status, node->where, "%s failed: %s", label, tg_status_text(status));
}

/* With the workspace and the variables held. */
static tg_status run_held(tg_plan *plan, bool *committed)
{
    tg_status status = tg_plan_point(plan);
    if (status != TG_OK)
        return status;
    uint64_t generation = tg_variables_generation(plan->variables);
    run self = {.plan = plan, .first_section = first_section(plan, generation), .step = tg_variables_step(plan->variables),
                .flush = tg_variables_float(plan->variables) != TG_F64};
    atomic_init(&self.failure, NO_FAILURE);
    if (self.first_section == 0)
        plan->prologue_done = false;
    run_on_team(&self);
    uint64_t failure = atomic_load(&self.failure);
    if (failure != NO_FAILURE)
        return explain(&self, failure);
    *committed = plan->writes;
    /* What this run assigns is nothing that its prologue reads. */
    plan->prologue_generation = generation + (plan->writes ? 1 : 0);
    plan->prologue_done = true;
    plan->current = plan->current == 0 ? 1 : 0;
    return TG_OK;
}

tg_status tg_run(tg_plan *plan)
{
    bool committed = false;
    tg_workspace_enter(plan->workspace);
    tg_variables_lock(plan->variables, plan->writes);
    tg_status status = run_held(plan, &committed);
    tg_variables_unlock(plan->variables, committed);
    tg_workspace_exit(plan->workspace);
    return status;
}
