#include "exec/compile.h"

/* Whether the first region is the context's workspace. */
static bool shares_workspace(const tg_plan *plan) { return plan->request.options.plan_memory && !plan->request.own_workspace; }

static bool list_inputs(tg_plan *plan)
{
    int32_t total = 0;
    for (int32_t id = 0; id < plan->request.count; id++)
        total += tg_graph_node(plan->recorded, id)->op == &tg_op_input;
    plan->inputs = tg_pool_take(&plan->pool, total, sizeof *plan->inputs);
    for (int32_t id = 0; plan->inputs && id < plan->request.count; id++)
        if (tg_graph_node(plan->recorded, id)->op == &tg_op_input)
            plan->inputs[plan->n_inputs++] = (tg_plan_input){.recorded = id, .region = -1};
    return plan->inputs != NULL;
}

tg_plan_input *tg_plan_find_input(const tg_plan *plan, int32_t recorded)
{
    int32_t first = 0, last = plan->n_inputs - 1;
    while (first <= last) {
        int32_t middle = first + (last - first) / 2;
        if (plan->inputs[middle].recorded == recorded)
            return &plan->inputs[middle];
        if (plan->inputs[middle].recorded < recorded)
            first = middle + 1;
        else
            last = middle - 1;
    }
    return NULL;
}

static bool take_region(tg_plan *plan, int32_t r)
{
    const tg_region *region = &plan->layout.regions[r];
    if (r == TG_HOME_WORKSPACE && shares_workspace(plan))
        return true;
    if (region->home == TG_HOME_LEAF) {
        const tg_node *node = tg_graph_node(plan->graph, region->node);
        const tg_variable_info *variable = tg_node_variable(plan->graph, node);
        plan->region_of[region->node] = r + 1;
        if (variable)
            plan->bases[r] = tg_variable_data(variable);
        else if (tg_node_constant(node))
            plan->bases[r] = (void *)tg_node_constant(node);
        else
            tg_plan_find_input(plan, plan->origin[region->node])->region = r;
        return true;
    }
    for (int copy = 0; copy < (region->home == TG_HOME_ROOTS ? 2 : 1); copy++)
        if (!(plan->memory[copy][r] = tg_allocate(plan->context, (size_t)region->bytes)))
            return false;
    plan->bases[r] = plan->memory[0][r];
    return true;
}

static bool take_regions(tg_plan *plan)
{
    int32_t count = plan->layout.n_regions;
    plan->memory[0] = tg_pool_take(&plan->pool, count, sizeof(void *));
    plan->memory[1] = tg_pool_take(&plan->pool, count, sizeof(void *));
    plan->bases = tg_pool_take(&plan->pool, count, sizeof *plan->bases);
    plan->region_of = tg_pool_take(&plan->pool, tg_graph_count(plan->graph), sizeof *plan->region_of);
    if (!plan->memory[0] || !plan->memory[1] || !plan->bases || !plan->region_of)
        return false;
    for (int32_t r = 0; r < count; r++)
        if (!take_region(plan, r))
            return false;
    for (int32_t s = 0; s < plan->steps.count; s++) {
        size_t scratch = tg_step_scratch(plan->steps.at[s]);
        plan->scratch_bytes = scratch > plan->scratch_bytes ? scratch : plan->scratch_bytes;
    }
    plan->workspace_bytes = shares_workspace(plan) ? (size_t)plan->layout.regions[TG_HOME_WORKSPACE].bytes : 0;
    return tg_workspace_reserve(plan->workspace, plan->workspace_bytes, plan->scratch_bytes);
}

/* Whether a region lies elsewhere from run to run. */
static bool moves(const tg_plan *plan, int32_t region)
{
    return plan->layout.regions[region].home == TG_HOME_ROOTS ||
           (plan->layout.regions[region].home == TG_HOME_LEAF && !plan->bases[region]);
}

static void add_places(tg_plan *plan, bool moving)
{
    for (int32_t s = 0; s < plan->steps.count; s++) {
        const tg_step *step = plan->steps.at[s];
        for (int32_t r = 0; r < step->n_refs; r++) {
            const tg_buffer *buffer = &plan->steps.buffers[step->refs[r].buffer];
            if (moves(plan, buffer->region) == moving)
                plan->places[plan->n_places++] =
                    (tg_place){&step->pointers[r], buffer->offset + step->refs[r].offset, buffer->region};
        }
    }
}

static bool make_places(tg_plan *plan)
{
    int64_t total = 0;
    for (int32_t s = 0; s < plan->steps.count; s++)
        total += plan->steps.at[s]->n_refs;
    plan->places = total <= INT32_MAX ? tg_pool_take(&plan->pool, total, sizeof *plan->places) : NULL;
    if (!plan->places)
        return false;
    add_places(plan, true);
    plan->n_moving = plan->n_places;
    add_places(plan, false);
    return true;
}

static void set_places(const tg_plan *plan, int32_t first, int32_t end)
{
    for (int32_t i = first; i < end; i++)
        *plan->places[i].pointer = (char *)plan->bases[plan->places[i].region] + plan->places[i].offset;
}

static bool list_publications(tg_plan *plan)
{
    plan->publication_of = tg_pool_take(&plan->pool, tg_graph_count(plan->graph), sizeof *plan->publication_of);
    for (int32_t i = 0; plan->publication_of && i < plan->steps.n_publications; i++)
        plan->publication_of[plan->steps.publications[i].node] = i + 1;
    return plan->publication_of != NULL;
}

bool tg_plan_bind(tg_plan *plan)
{
    if (!list_inputs(plan) || !take_regions(plan) || !make_places(plan) || !list_publications(plan))
        return false;
    if (!shares_workspace(plan)) {
        set_places(plan, plan->n_moving, plan->n_places);
        plan->is_placed = true;
    }
    return true;
}

/* Where an input's values lie: what it was fed, or else bound to. */
static tg_status point_inputs(tg_plan *plan)
{
    for (int32_t i = 0; i < plan->n_inputs; i++) {
        const tg_plan_input *input = &plan->inputs[i];
        if (input->region < 0)
            continue;
        const tg_node *node = tg_graph_node(plan->graph, plan->layout.regions[input->region].node);
        const void *values = input->fed ? input->fed : tg_bound(plan->graph, node);
        plan->bases[input->region] = (void *)values;
        char shape[200];
        if (!values)
            return tg_plan_fail(
                plan, TG_ERROR_UNFED, node->where, "input \"%s\" %s %s was not fed: call tg_feed(plan, %s, ...) before tg_run()",
                node->name, tg_shape_text(node->type.shape, shape, sizeof shape), tg_dtype_name(node->type.dtype), node->name);
    }
    return TG_OK;
}

tg_status tg_plan_point(tg_plan *plan)
{
    tg_status status = point_inputs(plan);
    if (status != TG_OK)
        return status;
    int writing = plan->current == 0 ? 1 : 0;
    for (int32_t r = 0; r < plan->layout.n_regions; r++)
        if (plan->layout.regions[r].home == TG_HOME_ROOTS)
            plan->bases[r] = plan->memory[writing][r];
    set_places(plan, 0, plan->n_moving);
    void *shared = tg_workspace_memory(plan->place);
    if (plan->is_placed && (!shares_workspace(plan) || plan->placed == shared))
        return TG_OK;
    plan->bases[TG_HOME_WORKSPACE] = plan->placed = shared;
    plan->is_placed = true;
    set_places(plan, plan->n_moving, plan->n_places);
    return TG_OK;
}
