#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "exec/compile.h"
#include "exec/finite.h"
#include "exec/float_mode.h"
#include "graph/safe_text.h"

/* What the floats of a tensor are like. */
typedef struct range {
    int64_t first_bad; /* -1: all are finite */
    double bad;
    double min, max, mean;
} range;

static double element(tg_dtype dtype, const void *values, int64_t i)
{
    switch (dtype) {
    case TG_F32: return ((const float *)values)[i];
    case TG_F64: return ((const double *)values)[i];
    case TG_I32: return ((const int32_t *)values)[i];
    default: return ((const uint8_t *)values)[i];
    }
}

static range measure(tg_type type, const void *values)
{
    range seen = {.first_bad = -1, .min = INFINITY, .max = -INFINITY};
    int64_t count = tg_shape_count(type.shape);
    double sum = 0;
    for (int64_t i = 0; i < count; i++) {
        double value = element(type.dtype, values, i);
        if (!isfinite(value) && seen.first_bad < 0) {
            seen.first_bad = i;
            seen.bad = value;
        }
        seen.min = value < seen.min ? value : seen.min;
        seen.max = value > seen.max ? value : seen.max;
        sum += value;
    }
    seen.mean = count ? sum / (double)count : 0;
    return seen;
}

/* Appends to a text that is cut off at its end. */
static void TG_PRINTF(3, 4) append(char *text, size_t size, const char *format, ...)
{
    size_t length = strlen(text);
    va_list arguments;
    va_start(arguments, format);
    tg_vmessage(text + length, size - length, format, arguments);
    va_end(arguments);
}

static const char *bad_text(double bad) { return isnan(bad) ? "NaN" : bad < 0 ? "-infinity" : "infinity"; }

/* Where a node's value lies while it is alive. */
static const void *address(const tg_plan *replay, int32_t id)
{
    const tg_ref *held = &replay->held[id];
    const tg_buffer *buffer = &replay->steps.buffers[held->buffer];
    return (const char *)replay->bases[buffer->region] + buffer->offset + held->offset;
}

/* Of an assign the value: the variable is only written. */
static int32_t first_read(const tg_node *node) { return node->op->traits & TG_EFFECT ? 1 : 0; }

static void blame(const tg_plan *replay, const tg_node *node, const range *seen, tg_nonfinite *found)
{
    char label[200], at[160];
    found->node = replay->origin[node->id];
    snprintf(found->message, sizeof found->message, "%s %s %s at %s", tg_node_label(node, label, sizeof label),
             node->n_inputs ? "gives" : "holds", bad_text(seen->bad),
             tg_element_text(node->type.shape, seen->first_bad, at, sizeof at));
    if (node->where.file)
        append(found->message, sizeof found->message, " (%s:%d)", node->where.file, node->where.line);
    for (int32_t i = first_read(node); i < node->n_inputs; i++) {
        const tg_node *in = tg_graph_node(replay->graph, node->inputs[i]);
        range theirs = measure(in->type, address(replay, in->id));
        append(found->message, sizeof found->message, "%s %s from %g to %g, mean %g",
               i > first_read(node) ? "," : "; its inputs:", tg_node_label(in, label, sizeof label), theirs.min, theirs.max,
               theirs.mean);
    }
}

/* A replay under way. */
typedef struct search {
    tg_plan *replay;
    bool *bad;   /* by node: has floats that are not finite */
    bool *leads; /* by node: is one of those that made a root or an assigned value so */
    tg_nonfinite *found;
} search;

static bool is_bad(const tg_plan *replay, int32_t id)
{
    tg_type type = tg_graph_node(replay->graph, id)->type;
    return tg_finite_class(type.dtype, address(replay, id), tg_shape_count(type.shape)) == TG_NONFINITE;
}

/* Whose bytes a node's value lies in; -1: it has none. */
static int32_t base_of(const tg_plan *replay, int32_t id)
{
    int32_t buffer = replay->held[id].buffer;
    return buffer >= 0 ? replay->steps.buffers[buffer].node : -1;
}

/* Looks at a value while it is alive: at those who have it or a part of it too, as no step of theirs will come. */
static void look_at(const search *self, int32_t base)
{
    const tg_plan *replay = self->replay;
    self->bad[base] = is_bad(replay, base);
    for (int32_t id = base + 1; id < tg_graph_count(replay->graph) && self->bad[base]; id++)
        if (base_of(replay, id) == base)
            self->bad[id] = is_bad(replay, id);
}

static tg_status run_step(const tg_plan *replay, const tg_step *step)
{
    tg_task task = {.counter = tg_variables_step(replay->variables), .scratch = tg_workspace_scratch(replay->place, 0)};
    for (task.phase = step->first_phase; task.phase < step->first_phase + step->phases; task.phase++) {
        int64_t n_tasks = tg_step_tasks(step, task.phase);
        for (task.index = 0; task.index < n_tasks; task.index++) {
            tg_status status = tg_step_run(step, &task);
            if (status != TG_OK)
                return status;
        }
    }
    return TG_OK;
}

/* Runs all steps, up to that of node `last` if it is not -1, and notes which nodes are bad. */
static tg_status run_steps(const search *self, int32_t last)
{
    tg_plan *replay = self->replay;
    for (int32_t s = 0; s < replay->steps.count; s++) {
        const tg_step *step = replay->steps.at[s];
        const tg_node *node = tg_graph_node(replay->graph, step->node);
        char label[400], reason[300];
        tg_status status = run_step(replay, step);
        if (status != TG_OK)
            return tg_plan_fail(replay, status, node->where, "%s failed: %s", tg_node_label(node, label, sizeof label),
                                tg_step_reason(step, status, reason, sizeof reason));
        if (step->kind == TG_STEP_COPY)
            continue;
        look_at(self, step->node);
        if (step->node == last)
            break;
    }
    return TG_OK;
}

/* Whether a node assigns to a variable that may not hold anything. */
static bool must_be_finite(const tg_plan *replay, const tg_node *node)
{
    if (!(node->op->traits & TG_EFFECT))
        return false;
    return !tg_variable_allows_nonfinite(tg_node_variable(replay->graph, tg_graph_node(replay->graph, node->inputs[0])));
}

/* A variable that may hold anything is not to blame, but who takes what it holds to one that may not. */
static void forgive(const search *self, int32_t variable)
{
    const tg_plan *replay = self->replay;
    self->bad[variable] = false;
    for (int32_t id = variable + 1; id < tg_graph_count(replay->graph); id++)
        if (self->bad[id] && base_of(replay, id) == variable)
            self->bad[id] = must_be_finite(replay, tg_graph_node(replay->graph, id));
}

static void look_at_leaves(const search *self)
{
    const tg_plan *replay = self->replay;
    for (int32_t id = 0; id < tg_graph_count(replay->graph); id++) {
        const tg_variable_info *variable = tg_node_variable(replay->graph, tg_graph_node(replay->graph, id));
        if (!replay->region_of[id])
            continue;
        look_at(self, id);
        if (self->bad[id] && variable && tg_variable_allows_nonfinite(variable))
            forgive(self, id);
    }
}

/* Marks the bad nodes that lead to a root or to a value for a variable; all of them if these are finite. */
static void mark_leading(const search *self)
{
    const tg_plan *replay = self->replay;
    int32_t count = tg_graph_count(replay->graph);
    bool any = false;
    for (int32_t i = 0; i < replay->request.n_roots; i++) {
        int32_t root = replay->map[replay->request.roots[i]];
        self->leads[root] = self->bad[root];
        any = any || self->bad[root];
    }
    for (int32_t id = count - 1; id >= 0; id--) {
        const tg_node *node = tg_graph_node(replay->graph, id);
        if (self->bad[id] && must_be_finite(replay, node))
            self->leads[id] = any = true;
        for (int32_t i = first_read(node); i < node->n_inputs && self->leads[id]; i++)
            self->leads[node->inputs[i]] = self->leads[node->inputs[i]] || self->bad[node->inputs[i]];
    }
    for (int32_t id = 0; id < count && !any; id++)
        self->leads[id] = self->bad[id];
}

/* The first of them whose inputs are finite, or -1. */
static int32_t find_culprit(const search *self)
{
    const tg_plan *replay = self->replay;
    for (int32_t id = 0; id < tg_graph_count(replay->graph); id++) {
        const tg_node *node = tg_graph_node(replay->graph, id);
        bool clean = self->leads[id];
        for (int32_t i = first_read(node); i < node->n_inputs; i++)
            clean = clean && !self->bad[node->inputs[i]];
        if (clean)
            return id;
    }
    return -1;
}

/* Once to find the node, and once more up to it to look at its inputs, as memory is used again. The workspace and the variables are
   held. */
static tg_status run_search(const search *self)
{
    tg_plan *replay = self->replay;
    tg_status status = tg_plan_point(replay);
    if (status != TG_OK)
        return status;
    look_at_leaves(self);
    status = run_steps(self, -1);
    if (status != TG_OK)
        return status;
    mark_leading(self);
    int32_t culprit = find_culprit(self);
    if (culprit < 0)
        return TG_OK;
    if (!replay->region_of[culprit])
        status = run_steps(self, culprit);
    const tg_node *node = tg_graph_node(replay->graph, culprit);
    range seen = measure(node->type, address(replay, culprit));
    blame(replay, node, &seen, self->found);
    return status;
}

/* A plan that replays `plan`: the graph as recorded, or (`compiled`) what compiling made of it. */
static tg_plan *make_replay(const tg_plan *plan, bool compiled, tg_failure *why)
{
    tg_compile_request request = plan->request;
    tg_pool pool = tg_pool_make(plan->context);
    int32_t *roots = tg_pool_take(&pool, request.n_roots, sizeof *roots);
    request.options = (tg_compile_options){.plan_memory = plan->request.options.plan_memory};
    request.commits = false;
    request.replay = request.own_workspace = true;
    for (int32_t i = 0; i < request.n_roots && roots; i++)
        roots[i] = compiled ? plan->map[request.roots[i]] : request.roots[i];
    request.roots = roots;
    if (compiled) {
        request.graph = plan->graph;
        request.count = tg_graph_count(plan->graph);
    }
    *why = (tg_failure){.status = TG_ERROR_MEMORY, .text = "out of memory for a replay"};
    tg_plan *replay = roots ? tg_plan_make(&request, why) : NULL;
    for (int32_t i = 0; replay && i < plan->n_inputs; i++) {
        int32_t recorded = plan->inputs[i].recorded, id = compiled ? plan->map[recorded] : recorded;
        if (id >= 0)
            tg_plan_find_input(replay, id)->fed = plan->inputs[i].fed;
    }
    tg_pool_free(&pool);
    return replay;
}

/* Replays and searches; a failure is the plan's. */
static tg_status search_once(tg_plan *plan, bool compiled, tg_nonfinite *found)
{
    tg_failure why;
    tg_plan *replay = make_replay(plan, compiled, &why);
    if (!replay)
        return tg_plan_fail(plan, why.status, why.where, "%s", why.text);
    int32_t count = tg_graph_count(replay->graph);
    search self = {.replay = replay, .found = found};
    self.bad = tg_pool_take(&replay->pool, count, sizeof *self.bad);
    self.leads = tg_pool_take(&replay->pool, count, sizeof *self.leads);
    tg_status status = TG_ERROR_MEMORY;
    if (self.bad && self.leads) {
        tg_variables_lock(replay->variables, false);
        replay->place = tg_workspace_enter(replay->workspace, replay->workspace_bytes, replay->scratch_bytes);
        tg_float_mode before = tg_float_mode_enter(true);
        status = run_search(&self);
        tg_float_mode_leave(before);
        tg_workspace_exit(replay->workspace, replay->place);
        tg_variables_unlock(replay->variables, false);
    }
    if (status == TG_ERROR_MEMORY)
        tg_plan_fail(plan, status, (tg_where){NULL, 0}, "out of memory while replaying %d nodes", count);
    else if (status != TG_OK)
        tg_plan_fail(plan, status, (tg_where){NULL, 0}, "%s", tg_plan_error(replay));
    tg_plan_free(replay);
    return status;
}

tg_status tg_find_nonfinite(tg_plan *plan, tg_nonfinite *found)
{
    *found = (tg_nonfinite){.node = -1};
    if (!plan)
        return TG_ERROR_ARGUMENT;
    tg_status status = search_once(plan, false, found);
    if (status != TG_OK || found->node >= 0 || plan->failed < 0)
        return status;
    /* The ops as recorded give finite values: one that they were rewritten to did not. */
    status = search_once(plan, true, found);
    if (status != TG_OK || found->node < 0)
        return status;
    int32_t recorded = plan->origin[found->node];
    found->node = recorded >= 0 ? recorded : plan->origin[plan->failed];
    append(found->message, sizeof found->message, "; the ops that it stands for do not: options.rounds = false keeps to them");
    return TG_OK;
}
