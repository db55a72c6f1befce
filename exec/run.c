#include <stdio.h>
#include <string.h>

#include "exec/clock.h"
#include "exec/compile.h"
#include "exec/float_mode.h"

#define MAX_AT_ONCE 16 /* tasks that a thread takes */

/* One tg_run(). */
typedef struct run {
    tg_plan *plan;
    uint64_t counter;
    bool has_team;     /* else another run has it, and this one goes on alone */
    bool tries;        /* the commit segment, without writing */
    atomic_bool large; /* a TG_CHECK_SMALL found something */
    /* The least of (item << 32 | task << 8 | status) over all tasks that failed: the same for any number of threads, since the
       stage in which something fails is run to its end. */
    _Atomic uint64_t failure;
    /* The stage that is shared out. */
    const tg_stage *stage;
    tg_pieces tasks;
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

static bool has_failed(run *self) { return atomic_load_explicit(&self->failure, memory_order_relaxed) != NO_FAILURE; }

static tg_status run_timed(run *self, const tg_item *item, tg_task *task, int thread)
{
    tg_step_time *time = &self->plan->timing.steps[thread * self->plan->timing.stride + item->step];
    int64_t begun = tg_clock();
    tg_status status = tg_step_run(self->plan->steps.at[item->step], task);
    time->nanoseconds += tg_clock() - begun;
    time->calls += item->phase == self->plan->steps.at[item->step]->first_phase && task->index == 0;
    return status;
}

static void run_task(run *self, int32_t item, int64_t index, int thread, void *scratch)
{
    const tg_item *here = &self->plan->stages.items[item];
    const tg_step *step = self->plan->steps.at[here->step];
    tg_task task = {.phase = here->phase, .index = index, .counter = self->counter, .scratch = scratch};
    tg_status status = self->tries            ? tg_step_try(step, &task, NULL)
                       : self->plan->is_timed ? run_timed(self, here, &task, thread)
                                              : tg_step_run(step, &task);
    if (task.large)
        atomic_store_explicit(&self->large, true, memory_order_relaxed);
    if (status != TG_OK)
        note_failure(self, item, index, status);
}

/* Stages in a row, on this thread alone. */
static void run_alone(run *self, const tg_section *section, void *scratch)
{
    const tg_stages *stages = &self->plan->stages;
    for (int32_t s = section->first_stage; s < section->first_stage + section->n_stages && !has_failed(self); s++)
        for (int32_t i = stages->stages[s].first_item; i < stages->stages[s].first_item + stages->stages[s].n_items; i++)
            for (int64_t task = 0; task < stages->items[i].n_tasks; task++)
                run_task(self, i, task, 0, scratch);
}

/* The item of a stage that a task counted through the stage belongs to. */
static int32_t item_of(const tg_stage *stage, const tg_item *items, int64_t task)
{
    int32_t first = stage->first_item, last = first + stage->n_items - 1;
    while (first < last) {
        int32_t middle = first + (last - first + 1) / 2;
        if (items[middle].first_task <= task)
            first = middle;
        else
            last = middle - 1;
    }
    return first;
}

static void run_share(void *arg, int thread)
{
    run *self = arg;
    const tg_item *items = self->plan->stages.items;
    void *scratch = tg_workspace_scratch(self->plan->place, thread);
    tg_float_mode before = tg_float_mode_enter(true);
    for (int64_t task, end; tg_pieces_take(&self->tasks, thread, &task, &end);) {
        int32_t item = item_of(self->stage, items, task);
        for (; task < end; task++) {
            while (task >= items[item].first_task + items[item].n_tasks)
                item++;
            run_task(self, item, task - items[item].first_task, thread, scratch);
        }
    }
    tg_float_mode_leave(before);
}

static void share(run *self, const tg_stage *stage)
{
    int64_t at_once = stage->n_tasks / (32 * (int64_t)tg_team_size(self->plan->team));
    self->stage = stage;
    self->tasks.count = stage->n_tasks;
    self->tasks.at_once = at_once < 1 ? 1 : at_once > MAX_AT_ONCE ? MAX_AT_ONCE : at_once;
    atomic_store_explicit(&self->tasks.taken, 0, memory_order_relaxed);
    tg_team_share(self->plan->team, run_share, self);
}

/* The sections [first, end). */
static void run_sections(run *self, int32_t first, int32_t end)
{
    const tg_stages *stages = &self->plan->stages;
    void *scratch = tg_workspace_scratch(self->plan->place, 0);
    for (int32_t s = first; s < end && !has_failed(self); s++)
        if (!self->has_team || stages->sections[s].serial)
            run_alone(self, &stages->sections[s], scratch);
        else
            share(self, &stages->stages[stages->sections[s].first_stage]);
}

/* From section `first` on. True if the bounds of what was committed are known. */
static bool run_segments(run *self, int32_t first)
{
    const tg_stages *stages = &self->plan->stages;
    int32_t commit = stages->n_sections;
    while (commit > 0 && stages->sections[commit - 1].segment == TG_COMMIT)
        commit--;
    tg_float_mode before = tg_float_mode_enter(true);
    run_sections(self, first, commit);
    bool bounded = !has_failed(self) && !atomic_load_explicit(&self->large, memory_order_relaxed) && self->plan->is_checked &&
                   tg_commit_is_bounded(self->plan);
    self->tries = self->plan->is_checked && !bounded;
    if (self->tries)
        run_sections(self, commit, stages->n_sections);
    self->tries = false;
    run_sections(self, commit, stages->n_sections);
    tg_float_mode_leave(before);
    return bounded;
}

/* The last generation that changed a variable which the prologue may read: not those that the plan assigns. */
static uint64_t generation_of(const tg_plan *plan)
{
    uint64_t latest = 0;
    for (int32_t i = 0; i < plan->n_watched; i++) {
        uint64_t changed = tg_variables_changed(plan->variables, plan->watched[i]);
        latest = changed > latest ? changed : latest;
    }
    return latest;
}

/* The first section to run: the prologue's are skipped while these variables are what they were. */
static int32_t first_section(const tg_plan *plan, uint64_t generation)
{
    int32_t s = 0;
    if (plan->prologue_done && plan->prologue_generation == generation)
        while (s < plan->stages.n_sections && plan->stages.sections[s].segment == TG_PROLOGUE)
            s++;
    return s;
}

/* The node that a failure is about: of a commit that was tried, the assign. */
static const tg_node *node_of(const run *self, uint64_t failure)
{
    const tg_plan *plan = self->plan;
    const tg_step *step = plan->steps.at[plan->stages.items[failure >> 32].step];
    int32_t effect = -1;
    if (step->segment == TG_COMMIT) {
        tg_task task = {.index = (int64_t)(failure >> 8 & MAX_TASK), .scratch = tg_workspace_scratch(plan->place, 0)};
        tg_float_mode before = tg_float_mode_enter(true);
        (void)tg_step_try(step, &task, &effect);
        tg_float_mode_leave(before);
    }
    return tg_graph_node(plan->graph, effect >= 0 ? effect : step->node);
}

static tg_status explain(const run *self, uint64_t failure)
{
    tg_plan *plan = self->plan;
    const tg_step *step = plan->steps.at[plan->stages.items[failure >> 32].step];
    const tg_node *node = node_of(self, failure);
    tg_status status = (tg_status)(failure & 0xff);
    char label[400], reason[300];
    tg_node_label(node, label, sizeof label);
    if (status != TG_ERROR_NONFINITE)
        return tg_plan_fail(plan, status, node->where, "%s failed: %s", label,
                            tg_step_reason(step, status, reason, sizeof reason));
    plan->failed = node->id;
    bool update = node->op->traits & TG_EFFECT;
    if (update)
        snprintf(label, sizeof label, "the new value of variable \"%s\"",
                 tg_node_variable(plan->graph, tg_graph_node(plan->graph, node->inputs[0]))->name);
    return tg_plan_fail(plan, status, node->where,
                        "%s is not finite, so no variable was changed: tg_find_nonfinite() names the first op that went wrong",
                        label);
}

/* With the workspace and the variables held. */
static tg_status run_held(tg_plan *plan, bool *committed)
{
    tg_status status = tg_plan_point(plan);
    if (status != TG_OK)
        return status;
    uint64_t generation = generation_of(plan);
    run self = {.plan = plan, .counter = tg_variables_step(plan->variables)};
    atomic_init(&self.failure, NO_FAILURE);
    atomic_init(&self.large, false);
    plan->failed = -1;
    int32_t first = first_section(plan, generation);
    if (first == 0)
        plan->prologue_done = false;
    int64_t begun = plan->is_timed ? tg_clock() : 0;
    self.has_team = tg_team_enter(plan->team);
    bool bounded = run_segments(&self, first);
    if (self.has_team)
        tg_team_exit(plan->team);
    if (plan->is_timed) {
        plan->timing.nanoseconds += tg_clock() - begun;
        plan->timing.runs++;
    }
    uint64_t failure = atomic_load(&self.failure);
    if (failure != NO_FAILURE)
        return explain(&self, failure);
    *committed = plan->writes;
    tg_commit_note(plan, bounded);
    plan->prologue_generation = generation;
    plan->prologue_done = true;
    plan->current = plan->current == 0 ? 1 : 0;
    return TG_OK;
}

tg_status tg_run(tg_plan *plan)
{
    if (!plan)
        return TG_ERROR_ARGUMENT;
    bool committed = false;
    pthread_mutex_lock(&plan->runs);
    tg_variables_lock(plan->variables, plan->writes);
    plan->place = tg_workspace_enter(plan->workspace, plan->workspace_bytes, plan->scratch_bytes);
    tg_status status = run_held(plan, &committed);
    tg_workspace_exit(plan->workspace, plan->place);
    tg_variables_unlock(plan->variables, committed);
    pthread_mutex_unlock(&plan->runs);
    return status;
}
