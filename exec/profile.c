#include "exec/profile.h"

#include <stdio.h>
#include <string.h>

#include "exec/compile.h"

#define STEPS_A_LINE ((int64_t)(64 / sizeof(tg_step_time)))
#define MOST_OPS 16 /* that differ, in a part's text */

tg_status tg_plan_profile(tg_plan *plan, bool on)
{
    int threads = tg_team_size(plan->team);
    int64_t stride = (plan->steps.count + STEPS_A_LINE - 1) / STEPS_A_LINE * STEPS_A_LINE;
    plan->is_timed = false;
    if (!on)
        return TG_OK;
    if (!plan->timing.steps)
        plan->timing.steps = tg_pool_take(&plan->pool, threads * stride, sizeof *plan->timing.steps);
    if (!plan->timing.steps)
        return TG_ERROR_MEMORY;
    plan->timing.runs = plan->timing.nanoseconds = 0;
    plan->timing.stride = stride;
    memset(plan->timing.steps, 0, (size_t)(threads * stride) * sizeof *plan->timing.steps);
    plan->is_timed = true;
    return TG_OK;
}

/* Over all threads. */
static tg_step_time time_of(const tg_plan *plan, int32_t step)
{
    tg_step_time sum = {0, 0};
    for (int thread = 0; plan->timing.steps && thread < tg_team_size(plan->team); thread++) {
        const tg_step_time *own = &plan->timing.steps[thread * plan->timing.stride + step];
        sum.nanoseconds += own->nanoseconds;
        sum.calls += own->calls;
    }
    return sum;
}

tg_plan_times tg_plan_read_times(const tg_plan *plan)
{
    tg_plan_times times = {.runs = plan->timing.runs,
                           .threads = tg_team_size(plan->team),
                           .nanoseconds = plan->timing.nanoseconds,
                           .parts = plan->steps.count};
    times.outside_nanoseconds = times.threads * times.nanoseconds;
    for (int32_t s = 0; s < plan->steps.count; s++)
        times.outside_nanoseconds -= time_of(plan, s).nanoseconds;
    return times;
}

/* The name of a variable that a step writes: the one that is trained, or else the first; NULL: none. */
static const char *written_variable(const tg_plan *plan, const tg_step *step)
{
    const tg_variable_info *found = NULL;
    for (int32_t r = 0; r < step->n_refs; r++) {
        int32_t node = plan->steps.buffers[step->refs[r].buffer].node;
        const tg_variable_info *variable =
            step->refs[r].writes && node >= 0 ? tg_node_variable(plan->graph, tg_graph_node(plan->graph, node)) : NULL;
        if (variable && (!found || (variable->trainable && !found->trainable)))
            found = variable;
    }
    return found ? found->name : NULL;
}

tg_plan_part tg_plan_read_part(const tg_plan *plan, int32_t i)
{
    static const char *const segments[TG_SEGMENT_COUNT] = {
        [TG_PROLOGUE] = "prologue", [TG_COMPUTE] = "compute", [TG_COMMIT] = "commit"};
    const tg_step *step = plan->steps.at[i];
    tg_step_time time = time_of(plan, i);
    return (tg_plan_part){.node = step->node,
                          .layer = tg_graph_node(plan->graph, step->node)->scope,
                          .segment = segments[step->segment],
                          .variable = written_variable(plan, step),
                          .calls = time.calls,
                          .nanoseconds = time.nanoseconds,
                          .flops = step->flops,
                          .bytes = step->bytes};
}

/* The ops of a part in the order of their first appearance, with how often each appears. */
typedef struct op_counts {
    const tg_op *ops[MOST_OPS];
    int times[MOST_OPS];
    int count;
    bool more;
} op_counts;

static void count_op(op_counts *counts, const tg_op *op)
{
    int at = 0;
    while (at < counts->count && counts->ops[at] != op)
        at++;
    if (at == MOST_OPS) {
        counts->more = true;
        return;
    }
    if (at == counts->count)
        counts->ops[counts->count++] = op;
    counts->times[at]++;
}

static op_counts count_ops(const tg_plan *plan, const tg_step *step)
{
    op_counts counts = {.count = 0};
    int32_t group = step->program ? plan->group[step->node] : -1;
    if (group < 0)
        count_op(&counts, tg_graph_node(plan->graph, step->node)->op);
    for (int32_t id = 0; group >= 0 && id < tg_graph_count(plan->graph); id++)
        if (plan->group[id] == group)
            count_op(&counts, tg_graph_node(plan->graph, id)->op);
    return counts;
}

/* Appends a word; if it does not fit, the text ends with dots, and false is returned. */
static bool append(char *text, size_t size, const char *word)
{
    static const char dots[] = "...";
    size_t used = strlen(text), length = strlen(word);
    if (used + length < size) {
        memcpy(text + used, word, length + 1);
        return true;
    }
    size_t at = used + sizeof dots <= size ? used : size > sizeof dots ? size - sizeof dots : 0;
    snprintf(text + at, size - at, "%s", dots);
    return false;
}

char *tg_plan_part_text(const tg_plan *plan, int32_t i, char *text, size_t size)
{
    const tg_step *step = plan->steps.at[i];
    op_counts counts = count_ops(plan, step);
    if (size == 0)
        return text;
    text[0] = '\0';
    bool fits = step->prepares                ? append(text, size, "prepare for ")
                : step->kind == TG_STEP_COPY  ? append(text, size, "copy for ")
                : step->kind == TG_STEP_CHECK ? append(text, size, "is finite: ")
                                              : true;
    for (int k = 0; k < counts.count && fits; k++) {
        char word[80];
        int length = snprintf(word, sizeof word, "%s", k ? " + " : "");
        if (counts.times[k] > 1)
            length += snprintf(word + length, sizeof word - (size_t)length, "%d ", counts.times[k]);
        snprintf(word + length, sizeof word - (size_t)length, "%s", counts.ops[k]->name);
        fits = append(text, size, word);
    }
    if (fits && counts.more)
        append(text, size, " + ...");
    return text;
}
