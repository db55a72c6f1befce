#include <stdlib.h>
#include <string.h>

#include "exec/compile.h"
#include "exec/space.h"
#include "exec/workspace.h"
#include "harness.h"
#include "random_graph.h"

static tg_context *context;

static void set_up(void) { context = harness_context(2); }

static void tear_down(void) { tg_context_free(context); }

/* ---- offsets ---- */

typedef struct stretch {
    int32_t block;
    int64_t offset, bytes;
} stretch;

static bool overlap(const stretch *a, const stretch *b)
{
    return a->offset < b->offset + b->bytes && b->offset < a->offset + a->bytes;
}

START_TEST(stretches_do_not_overlap)
{
    enum { LIVE = 60, TURNS = 4000 };
    static stretch live[LIVE];
    random_graph dice = {.seed = (uint64_t)_i};
    tg_space space;
    int n = 0;
    int64_t most = 0, now = 0;
    ck_assert(tg_space_init(&space, context, LIVE));
    for (int turn = 0; turn < TURNS; turn++) {
        if (n == LIVE || (n > 0 && random_below(&dice, 2))) {
            int gone = (int)random_below(&dice, (uint32_t)n);
            now -= (live[gone].bytes + 63) / 64 * 64;
            tg_space_give(&space, live[gone].block);
            live[gone] = live[--n];
            continue;
        }
        stretch *made = &live[n];
        made->bytes = 1 + random_below(&dice, 1u << random_below(&dice, 16));
        made->block = tg_space_take(&space, made->bytes, &made->offset);
        ck_assert_int_eq(made->offset % 64, 0);
        ck_assert_int_le(made->offset + made->bytes, space.bytes);
        for (int i = 0; i < n; i++)
            ck_assert_msg(!overlap(made, &live[i]), "turn %d", turn);
        n++;
        now += (made->bytes + 63) / 64 * 64;
        most = now > most ? now : most;
    }
    ck_assert_msg(space.bytes <= 2 * most, "%lld bytes for %lld", (long long)space.bytes, (long long)most);
    while (n > 0)
        tg_space_give(&space, live[--n].block);
    int64_t offset, all = space.bytes;
    tg_space_take(&space, all, &offset); /* all that was given back is one stretch again */
    ck_assert_int_eq(offset, 0);
    ck_assert_int_eq(space.bytes, all);
    tg_space_free(&space);
}
END_TEST

/* ---- plans of random graphs ---- */

typedef struct fixture {
    tg_variables *variables;
    random_graph made;
    tg_plan *plan;
} fixture;

static fixture plan_random(uint64_t seed, int steps, tg_compile_options options)
{
    fixture self = {.variables = tg_variables_new(context, 1)};
    self.made = random_graph_make(self.variables, seed, steps);
    self.plan = tg_compile_roots(self.made.graph, self.made.roots, 3, options);
    ck_assert_msg(self.plan != NULL, "%s", tg_graph_error(self.made.graph));
    return self;
}

static void drop(fixture *self)
{
    tg_plan_free(self->plan);
    tg_graph_free(self->made.graph);
    tg_variables_free(self->variables);
}

static tg_compile_options planned(void)
{
    tg_compile_options options = tg_compile_defaults(context);
    options.plan_memory = true;
    return options;
}

/* Whether `later` takes the place of `earlier`, perhaps by way of others. */
static bool takes_place_of(const tg_steps *steps, int32_t later, int32_t earlier)
{
    while (later >= 0 && later != earlier)
        later = steps->buffers[later].reuse;
    return later == earlier;
}

START_TEST(lifetimes_do_not_overlap_in_memory)
{
    fixture self = plan_random((uint64_t)_i, 80, planned());
    const tg_steps *steps = &self.plan->steps;
    int shared = 0, reused = 0;
    for (int32_t i = 0; i < steps->n_buffers; i++) {
        const tg_buffer *a = &steps->buffers[i];
        if (a->home != TG_HOME_WORKSPACE)
            continue;
        ck_assert_int_eq(a->region, TG_HOME_WORKSPACE);
        ck_assert_int_eq(a->offset % 64, 0);
        ck_assert_int_le(a->offset + a->bytes, self.plan->layout.regions[TG_HOME_WORKSPACE].bytes);
        reused += a->reuse >= 0;
        for (int32_t j = 0; j < i; j++) {
            const tg_buffer *b = &steps->buffers[j];
            if (b->home != TG_HOME_WORKSPACE || !overlap(&(stretch){0, a->offset, a->bytes}, &(stretch){0, b->offset, b->bytes}))
                continue;
            shared++;
            bool apart = a->last < b->first || b->last < a->first;
            bool handed_on =
                (a->last == b->first && takes_place_of(steps, j, i)) || (b->last == a->first && takes_place_of(steps, i, j));
            ck_assert_msg(apart || handed_on, "buffers %d [%d, %d] and %d [%d, %d]", i, a->first, a->last, j, b->first, b->last);
        }
    }
    ck_assert_int_gt(shared, 0);
    ck_assert_int_gt(reused, 0);
    drop(&self);
}
END_TEST

/* A result that takes an input's place: that input is read by nothing else at that time or later. */
START_TEST(reused_inputs_are_dead)
{
    fixture self = plan_random((uint64_t)_i, 80, planned());
    const tg_steps *steps = &self.plan->steps;
    for (int32_t s = 0; s < steps->count; s++)
        for (int32_t w = 0; w < steps->at[s]->n_refs; w++) {
            int32_t reuse = steps->buffers[steps->at[s]->refs[w].buffer].reuse;
            if (!steps->at[s]->refs[w].writes || reuse < 0)
                continue;
            for (int32_t other = 0; other < steps->count; other++)
                for (int32_t r = 0; r < steps->at[other]->n_refs; r++)
                    if (steps->at[other]->refs[r].buffer == reuse)
                        ck_assert(other == s ||
                                  steps->at[other]->first_level + steps->at[other]->phases - 1 < steps->at[s]->first_level);
        }
    drop(&self);
}
END_TEST

static bool conflict(const tg_steps *steps, const tg_step *a, const tg_step *b)
{
    for (int32_t i = 0; i < a->n_refs; i++)
        for (int32_t j = 0; j < b->n_refs; j++) {
            const tg_buffer *mine = &steps->buffers[a->refs[i].buffer], *theirs = &steps->buffers[b->refs[j].buffer];
            stretch first = {0, mine->offset + a->refs[i].offset, a->refs[i].bytes};
            stretch second = {0, theirs->offset + b->refs[j].offset, b->refs[j].bytes};
            if (mine->region == theirs->region && (a->refs[i].writes || b->refs[j].writes) && overlap(&first, &second))
                return true;
        }
    return false;
}

/* Items of one stage do not conflict; all phases run, in turn; what is read was written in an earlier stage. */
START_TEST(stages_keep_conflicts_apart)
{
    fixture self = plan_random((uint64_t)_i, 80, planned());
    const tg_steps *steps = &self.plan->steps;
    const tg_stages *stages = &self.plan->stages;
    int *stage_of = calloc((size_t)steps->count, sizeof *stage_of), *phases = calloc((size_t)steps->count, sizeof *phases);
    int *written = calloc((size_t)steps->n_buffers, sizeof *written);
    int64_t items = 0, together = 0;
    for (int32_t st = 0; st < stages->n_stages; st++) {
        const tg_stage *stage = &stages->stages[st];
        int64_t tasks = 0;
        for (int32_t i = stage->first_item; i < stage->first_item + stage->n_items; i++, items++) {
            const tg_item *item = &stages->items[i];
            const tg_step *step = steps->at[item->step];
            ck_assert_int_eq(item->phase, step->first_phase + phases[item->step]++);
            ck_assert(item->phase == step->first_phase || stage_of[item->step] < st);
            stage_of[item->step] = st;
            ck_assert_int_eq(item->first_task, tasks);
            tasks += item->n_tasks;
            for (int32_t j = stage->first_item; j < i; j++, together++)
                ck_assert(!conflict(steps, step, steps->at[stages->items[j].step]));
            for (int32_t r = 0; r < step->n_refs && item->phase == step->first_phase; r++)
                if (!step->refs[r].writes && step->refs[r].bytes > 0 && steps->buffers[step->refs[r].buffer].home != TG_HOME_LEAF)
                    ck_assert(written[step->refs[r].buffer] > 0 && written[step->refs[r].buffer] <= st);
        }
        ck_assert_int_eq(tasks, stage->n_tasks);
        for (int32_t i = stage->first_item; i < stage->first_item + stage->n_items; i++)
            for (int32_t r = 0; r < steps->at[stages->items[i].step]->n_refs; r++)
                if (steps->at[stages->items[i].step]->refs[r].writes)
                    written[steps->at[stages->items[i].step]->refs[r].buffer] = st + 1;
    }
    ck_assert_int_eq(items, stages->n_items);
    for (int32_t s = 0; s < steps->count; s++)
        ck_assert_int_eq(phases[s], steps->at[s]->phases);
    ck_assert_int_gt(together, 0);
    free(stage_of);
    free(phases);
    free(written);
    drop(&self);
}
END_TEST

START_TEST(sections_cover_the_stages)
{
    fixture self = plan_random((uint64_t)_i, 80, planned());
    const tg_stages *stages = &self.plan->stages;
    int32_t next = 0;
    for (int32_t s = 0; s < stages->n_sections; s++) {
        const tg_section *section = &stages->sections[s];
        ck_assert_int_eq(section->first_stage, next);
        ck_assert(section->serial || section->n_stages == 1);
        next += section->n_stages;
    }
    ck_assert_int_eq(next, stages->n_stages);
    ck_assert_int_eq(tg_plan_describe(self.plan).stages, stages->n_sections);
    drop(&self);
}
END_TEST

START_TEST(planning_saves_memory)
{
    fixture self = plan_random(1, 200, planned());
    tg_plan_info info = tg_plan_describe(self.plan);
    ck_assert_int_lt(self.plan->layout.regions[TG_HOME_WORKSPACE].bytes, (int64_t)info.unplanned_bytes / 2);
    drop(&self);
}
END_TEST

START_TEST(without_planning_each_has_its_own)
{
    tg_compile_options options = planned();
    options.plan_memory = false;
    fixture self = plan_random(1, 80, options);
    const tg_steps *steps = &self.plan->steps;
    char *taken = calloc((size_t)self.plan->layout.n_regions, 1);
    for (int32_t i = 0; i < steps->n_buffers; i++) {
        ck_assert_int_eq(taken[steps->buffers[i].region]++, 0);
        ck_assert_int_eq(steps->buffers[i].offset, 0);
        ck_assert_int_eq(self.plan->layout.regions[steps->buffers[i].region].bytes, steps->buffers[i].bytes);
    }
    free(taken);
    drop(&self);
}
END_TEST

static const void *memory_of(tg_workspace *workspace)
{
    tg_workplace *place = tg_workspace_enter(workspace, 0, 0);
    const void *memory = tg_workspace_memory(place);
    tg_workspace_exit(workspace, place);
    return memory;
}

START_TEST(plans_share_the_workspace)
{
    size_t before = tg_context_memory(context, NULL);
    fixture small = plan_random(1, 40, planned()), large = plan_random(2, 200, planned());
    const void *memory = memory_of(small.plan->workspace);
    ck_assert_ptr_eq(small.plan->workspace, large.plan->workspace);
    int64_t most = large.plan->layout.regions[TG_HOME_WORKSPACE].bytes;
    fixture again = plan_random(1, 40, planned());
    ck_assert_ptr_eq(memory_of(again.plan->workspace), memory); /* it was large enough already */
    drop(&small);
    drop(&large);
    drop(&again);
    ck_assert_uint_le(tg_context_memory(context, NULL), before + (size_t)most + 4 * 1000000);
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("memory_plan");
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, stretches_do_not_overlap, 0, 10);
    tcase_add_loop_test(tests, lifetimes_do_not_overlap_in_memory, 0, 30);
    tcase_add_loop_test(tests, reused_inputs_are_dead, 0, 30);
    tcase_add_loop_test(tests, stages_keep_conflicts_apart, 0, 30);
    tcase_add_loop_test(tests, sections_cover_the_stages, 0, 10);
    tcase_add_test(tests, planning_saves_memory);
    tcase_add_test(tests, without_planning_each_has_its_own);
    tcase_add_test(tests, plans_share_the_workspace);
    return harness_run("memory_plan", tests);
}
