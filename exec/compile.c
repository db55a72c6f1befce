#include "exec/compile.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "exec/passes.h"
#include "graph/safe_text.h"

/* A compile under way: what it needs only until it is done lies in `pool`. */
typedef struct compile {
    const tg_compile_request *request;
    tg_plan *plan;
    tg_pool pool;
    uint8_t *wanted; /* by node of plan->graph */
    tg_value_table values;
    tg_fusion fusion;
    tg_failure *why;
} compile;

static bool fail(compile *self, tg_status status, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    tg_vmessage(self->why->text, sizeof self->why->text, format, arguments);
    va_end(arguments);
    self->why->status = status;
    return false;
}

static bool out_of_memory(compile *self)
{
    return fail(self, TG_ERROR_MEMORY, "out of memory while compiling %d nodes", self->request->count);
}

/* What must be computed of the recorded graph, and (in `wanted`) what must be there to be read. */
static void mark_recorded(const tg_compile_request *request, uint8_t *needed, uint8_t *wanted)
{
    for (int32_t id = 0; id < request->count; id++) {
        const tg_node *node = tg_graph_node(request->graph, id);
        if (request->keeps && node->keep)
            wanted[id] |= TG_WANTED_KEPT;
        if (request->assigns && node->op->traits & TG_EFFECT)
            needed[id] = 1;
    }
    for (int32_t i = 0; i < request->n_roots; i++)
        wanted[request->roots[i]] |= TG_WANTED_ROOT;
    for (int32_t id = 0; id < request->count; id++)
        needed[id] |= wanted[id] != 0;
}

/* Runs the passes from graph to graph; `map` leads from the recorded graph to the last one. */
static bool run_passes(compile *self, uint8_t *needed, const uint8_t *wanted)
{
    const tg_compile_request *request = self->request;
    tg_plan *plan = self->plan;
    tg_pass_source recorded = {request->graph, request->count, needed};
    if (!request->options.simplify) {
        plan->graph = tg_pass_order(recorded, plan->map);
        return plan->graph != NULL;
    }
    tg_graph *simple = tg_pass_simplify(recorded, request->options.rounds, NULL, plan->map);
    int32_t count = simple ? tg_graph_count(simple) : 0;
    uint8_t *still_needed = tg_pool_take(&self->pool, count, 1);
    int32_t *onward = tg_pool_take(&self->pool, count, sizeof *onward);
    bool failed = simple && tg_graph_error(simple);
    if (simple && still_needed && onward && !failed) {
        for (int32_t id = 0; id < request->count; id++)
            if (plan->map[id] >= 0 && (wanted[id] || tg_graph_node(request->graph, id)->op->traits & TG_EFFECT))
                still_needed[plan->map[id]] = 1;
        plan->graph = tg_pass_order((tg_pass_source){simple, count, still_needed}, onward);
        for (int32_t id = 0; id < request->count; id++)
            plan->map[id] = plan->map[id] >= 0 ? onward[plan->map[id]] : -1;
    } else if (failed) {
        fail(self, TG_ERROR_GRAPH, "%s", tg_graph_error(simple));
    }
    tg_graph_free(simple);
    return plan->graph != NULL;
}

static bool make_graph(compile *self)
{
    const tg_compile_request *request = self->request;
    tg_plan *plan = self->plan;
    int32_t all = tg_graph_count(request->graph);
    uint8_t *needed = tg_pool_take(&self->pool, request->count, 1), *wanted = tg_pool_take(&self->pool, request->count, 1);
    plan->map = tg_pool_take(&plan->pool, all, sizeof *plan->map);
    if (!needed || !wanted || !plan->map)
        return out_of_memory(self);
    for (int32_t id = request->count; id < all; id++)
        plan->map[id] = -1; /* layers may hold nodes that were recorded since */
    mark_recorded(request, needed, wanted);
    if (!run_passes(self, needed, wanted))
        return self->why->status ? false : out_of_memory(self);
    if (tg_graph_error(plan->graph))
        return fail(self, TG_ERROR_GRAPH, "%s", tg_graph_error(plan->graph));
    tg_graph_copy_layers(plan->graph, request->graph, plan->map);
    int32_t count = tg_graph_count(plan->graph);
    self->wanted = tg_pool_take(&self->pool, count, 1);
    plan->origin = tg_pool_take(&plan->pool, count, sizeof *plan->origin);
    if (tg_graph_error(plan->graph) || !self->wanted || !plan->origin)
        return out_of_memory(self);
    for (int32_t id = 0; id < count; id++)
        plan->origin[id] = -1;
    for (int32_t id = request->count - 1; id >= 0; id--)
        if (plan->map[id] >= 0) {
            self->wanted[plan->map[id]] |= wanted[id];
            plan->origin[plan->map[id]] = id;
        }
    return true;
}

/* An assign that no run could carry out. */
static bool check_effects(compile *self)
{
    const tg_graph *graph = self->plan->graph;
    int32_t count = tg_graph_count(graph);
    int32_t *writer = tg_pool_take(&self->pool, count, sizeof *writer);
    if (!writer)
        return out_of_memory(self);
    for (int32_t id = 0; id < count; id++) {
        const tg_node *node = tg_graph_node(graph, id);
        if (!(node->op->traits & TG_EFFECT))
            continue;
        self->why->where = node->where;
        if (node->n_inputs != 2)
            return fail(self, TG_ERROR_GRAPH, "%s: an op with an effect takes a variable and a value, not %d inputs",
                        node->op->name, node->n_inputs);
        const tg_node *variable = tg_graph_node(graph, node->inputs[0]), *value = tg_graph_node(graph, node->inputs[1]);
        if (!tg_node_variable(graph, variable))
            return fail(self, TG_ERROR_GRAPH, "%s: its first input is no variable but the result of %s", node->op->name,
                        variable->op->name);
        if (!tg_type_equal(variable->type, value->type) || !tg_type_equal(variable->type, node->type))
            return fail(self, TG_ERROR_GRAPH, "%s: the value's type differs from that of variable \"%s\"", node->op->name,
                        variable->name);
        if (writer[variable->id])
            return fail(self, TG_ERROR_GRAPH, "%s: variable \"%s\" is assigned a second time", node->op->name, variable->name);
        writer[variable->id] = 1;
        self->why->where = (tg_where){NULL, 0};
    }
    return true;
}

static bool cannot_run(compile *self, const tg_node *node)
{
    char shape[200];
    self->why->where = node->where;
    return fail(self, TG_ERROR_GRAPH, "%s has no function that computes %s %s", node->op->name,
                tg_shape_text(node->type.shape, shape, sizeof shape), tg_dtype_name(node->type.dtype));
}

/* Numbers the groups of two and more nodes in the order of their last ones. */
static bool number_groups(compile *self)
{
    const tg_fusion *fusion = &self->fusion;
    tg_plan *plan = self->plan;
    int32_t *number = tg_pool_take(&self->pool, fusion->n_groups, sizeof *number), next = 0;
    plan->group = tg_pool_take(&plan->pool, self->values.count, sizeof *plan->group);
    if (!number || !plan->group)
        return out_of_memory(self);
    for (int32_t g = fusion->n_groups - 1; g >= 0; g--)
        number[g] = fusion->groups[g].n_members + (fusion->groups[g].contraction >= 0) > 1 ? next++ : -1;
    for (int32_t id = 0; id < self->values.count; id++) {
        int32_t at = self->values.at[id].by >= 0 ? self->values.at[id].by : id;
        plan->group[id] = fusion->of[at] >= 0 ? number[fusion->of[at]] : -1;
    }
    return true;
}

/* Where each node's value is, for a replay to look at. */
static bool note_places(compile *self)
{
    tg_plan *plan = self->plan;
    plan->held = tg_pool_take(&plan->pool, self->values.count, sizeof *plan->held);
    for (int32_t id = 0; id < self->values.count && plan->held; id++) {
        const tg_value *value = &self->values.at[id];
        plan->held[id] =
            (tg_ref){.buffer = plan->steps.buffer_of[value->base] - 1, .offset = value->offset, .bytes = value->bytes};
    }
    return plan->held || out_of_memory(self);
}

/* Leaves that assigns take as they are, which no step of a replay reads, lie somewhere too. */
static void hold_assigned(compile *self)
{
    tg_plan *plan = self->plan;
    for (int32_t id = 0; id < self->values.count; id++) {
        const tg_value *value = &self->values.at[id];
        bool leaf = tg_graph_node(plan->graph, value->base)->op->traits & TG_LEAF;
        if (leaf && tg_graph_node(plan->graph, id)->op->traits & TG_EFFECT)
            tg_steps_buffer(&plan->steps, value->base);
    }
}

static bool list_variables(compile *self)
{
    tg_plan *plan = self->plan;
    int32_t count = 0;
    for (int32_t id = 0; id < self->values.count; id++)
        count += tg_node_variable(plan->graph, tg_graph_node(plan->graph, id)) != NULL;
    plan->assigned = tg_pool_take(&plan->pool, count, sizeof *plan->assigned);
    plan->watched = tg_pool_take(&plan->pool, count, sizeof *plan->watched);
    for (int32_t id = 0; id < self->values.count && plan->assigned && plan->watched; id++) {
        const tg_variable_info *info = tg_node_variable(plan->graph, tg_graph_node(plan->graph, id));
        if (info && self->values.at[id].writer >= 0)
            plan->assigned[plan->n_assigned++] = info;
        else if (info)
            plan->watched[plan->n_watched++] = info;
    }
    return (plan->assigned && plan->watched) || out_of_memory(self);
}

static bool make_steps(compile *self)
{
    const tg_compile_request *request = self->request;
    tg_plan *plan = self->plan;
    tg_values_options options = {.wanted = self->wanted, .prologue = !request->replay, .commits = request->commits};
    if (!tg_values_find(&self->values, plan->graph, options, &self->pool) ||
        !tg_fuse(&self->fusion, &self->values, request->options.fuse, &self->pool))
        return out_of_memory(self);
    tg_steps_options lowering = {.wanted = self->wanted, .check_finite = request->options.check_finite};
    if (!tg_steps_make(&plan->steps, &self->values, &self->fusion, lowering, &plan->pool))
        return plan->steps.unsupported ? cannot_run(self, plan->steps.unsupported) : out_of_memory(self);
    if (request->replay)
        hold_assigned(self);
    if (plan->steps.lacks_buffer)
        return out_of_memory(self);
    int32_t n_levels = tg_schedule(&plan->steps, request->replay, plan->context);
    tg_layout_options layout = {.packed = request->options.plan_memory, .in_place = !request->replay, .n_levels = n_levels};
    if (n_levels < 0 || !tg_lay_out(&plan->layout, &plan->steps, layout, plan->context) ||
        !tg_stages_make(&plan->stages, &plan->steps, n_levels))
        return out_of_memory(self);
    plan->writes = self->values.n_effects > 0;
    if (!tg_commit_make(plan))
        return out_of_memory(self);
    return number_groups(self) && list_variables(self) && (!request->replay || note_places(self));
}

static void describe(tg_plan *plan)
{
    tg_plan_info *info = &plan->info;
    *info = (tg_plan_info){.nodes = tg_graph_count(plan->graph),
                           .steps = plan->steps.count,
                           .stages = plan->stages.n_sections,
                           .unplanned_bytes = (size_t)plan->layout.unplanned_bytes};
    for (int32_t s = 0; s < plan->steps.count; s++)
        info->flops += plan->steps.at[s]->flops;
    for (int32_t r = 0; r < plan->layout.n_regions; r++) {
        const tg_region *region = &plan->layout.regions[r];
        bool variable = region->home == TG_HOME_LEAF && tg_node_variable(plan->graph, tg_graph_node(plan->graph, region->node));
        info->variable_bytes += variable ? (size_t)region->bytes : 0;
        info->root_bytes += region->home == TG_HOME_ROOTS ? 2 * (size_t)region->bytes : 0;
        info->workspace_bytes +=
            region->home == TG_HOME_WORKSPACE || region->home == TG_HOME_PROLOGUE ? (size_t)region->bytes : 0;
    }
    info->workspace_bytes += plan->scratch_bytes * (size_t)tg_context_threads(plan->context);
}

static bool find_machine(compile *self)
{
    tg_plan *plan = self->plan;
    plan->workspace = tg_workspace_of(plan->context);
    if (!plan->workspace)
        return out_of_memory(self);
    plan->team = tg_team_of(plan->context);
    return plan->team || fail(self, TG_ERROR_SYSTEM, "the system refused memory or threads for a team of %d",
                              tg_context_threads(plan->context));
}

static bool run(compile *self)
{
    tg_plan *plan = self->plan;
    if (!make_graph(self) || !check_effects(self) || !make_steps(self) || !find_machine(self))
        return false;
    if (!tg_plan_bind(plan))
        return out_of_memory(self);
    describe(plan);
    return true;
}

static tg_plan *new_plan(const tg_compile_request *request)
{
    tg_context *context = tg_graph_context(request->graph);
    tg_plan *plan = tg_allocate_zero(context, sizeof *plan);
    if (!plan)
        return NULL;
    plan->context = context;
    plan->pool = tg_pool_make(context);
    plan->variables = tg_graph_variables(request->graph);
    plan->recorded = request->graph;
    plan->request = *request;
    plan->current = -1;
    plan->failed = -1;
    plan->error = tg_pool_take(&plan->pool, 1, TG_PLAN_ERROR_BYTES);
    int32_t *roots = tg_pool_take(&plan->pool, request->n_roots, sizeof *roots);
    plan->request.roots = roots;
    plan->has_lock = pthread_mutex_init(&plan->runs, NULL) == 0;
    if (!plan->error || !roots || !plan->has_lock) {
        tg_plan_free(plan);
        return NULL;
    }
    for (int32_t i = 0; i < request->n_roots; i++)
        roots[i] = request->roots[i];
    return plan;
}

tg_plan *tg_plan_make(const tg_compile_request *request, tg_failure *why)
{
    *why = (tg_failure){.status = TG_OK};
    compile self = {
        .request = request, .plan = new_plan(request), .pool = tg_pool_make(tg_graph_context(request->graph)), .why = why};
    if (!self.plan) {
        out_of_memory(&self);
        return NULL;
    }
    bool done = run(&self);
    self.plan->steps.values = NULL; /* they lie in the compile's memory */
    self.plan->steps.fusion = NULL;
    tg_pool_free(&self.pool);
    if (done)
        return self.plan;
    tg_plan_free(self.plan);
    return NULL;
}
