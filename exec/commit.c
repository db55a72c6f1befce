/* The commit segment writes variables in place, so a step that would write what is not finite must be known before it begins. Bounds of
   what it reads tell as a rule: the compute segment has checked that gradients are small, and the store keeps what each variable lies
   between from one commit to the next. Where they cannot tell, the segment is tried first, without writing (exec/run.c). */
#include <math.h>

#include "exec/bounds.h"
#include "exec/compile.h"

/* What a ref leads to. */
static const tg_node *node_of(const tg_plan *plan, const tg_ref *ref)
{
    return tg_graph_node(plan->graph, plan->steps.buffers[ref->buffer].node);
}

static bool is_single(const tg_plan *plan, const tg_ref *ref)
{
    return ref->bytes == (int64_t)tg_dtype_size(node_of(plan, ref)->type.dtype);
}

static tg_interval measure(tg_type type, const void *values)
{
    int64_t count = tg_shape_count(type.shape);
    tg_interval all = {INFINITY, -INFINITY};
    for (int64_t i = 0; i < count; i++) {
        tg_interval one = tg_interval_at(type.dtype, (const char *)values + i * (int64_t)tg_dtype_size(type.dtype));
        if (!tg_interval_finite(one))
            return one;
        all.low = one.low < all.low ? one.low : all.low;
        all.high = one.high > all.high ? one.high : all.high;
    }
    return count ? all : (tg_interval){0, 0};
}

static bool add_update(tg_plan *plan, const tg_step *step)
{
    tg_update *update = &plan->updates[plan->n_updates++];
    update->step = step;
    update->at = tg_pool_take(&plan->pool, step->n_refs, sizeof *update->at);
    update->operands = tg_pool_take(&plan->pool, tg_program_operands(step->program), sizeof *update->operands);
    if (!update->at || !update->operands)
        return false;
    for (int32_t r = 0; r < step->n_refs; r++) {
        const tg_node *node = node_of(plan, &step->refs[r]);
        const void *constant = tg_node_constant(node);
        update->at[r] = constant ? measure(node->type, constant) : tg_interval_of(node->type.dtype);
    }
    return true;
}

bool tg_commit_make(tg_plan *plan)
{
    plan->is_checked = plan->writes && plan->request.options.check_finite;
    plan->updates = tg_pool_take(&plan->pool, plan->steps.count, sizeof *plan->updates);
    plan->has_bounds = true;
    for (int32_t s = 0; s < plan->steps.count && plan->updates && plan->is_checked; s++) {
        const tg_step *step = plan->steps.at[s];
        if (step->segment != TG_COMMIT || step->kind != TG_STEP_PROGRAM)
            continue;
        plan->has_bounds = plan->has_bounds && tg_program_has_bounds(step->program);
        if (!add_update(plan, step))
            return false;
    }
    return plan->updates != NULL;
}

/* What is known only now: variables, and single numbers, which are as good as constants. */
static bool refresh(tg_plan *plan, const tg_update *update, bool exact)
{
    const tg_step *step = update->step;
    for (int32_t r = 0; r < step->n_refs; r++) {
        const tg_node *node = node_of(plan, &step->refs[r]);
        const tg_variable_info *variable = tg_node_variable(plan->graph, node);
        if (step->refs[r].writes)
            continue;
        if (is_single(plan, &step->refs[r]))
            update->at[r] = tg_interval_at(node->type.dtype, step->pointers[r]);
        else if (variable && tg_dtype_is_float(node->type.dtype))
            update->at[r] = tg_variables_bounds(plan->variables, variable, exact);
        if (!tg_interval_finite(update->at[r]))
            return false;
    }
    return true;
}

bool tg_commit_is_bounded(tg_plan *plan)
{
    for (int32_t i = 0; i < plan->n_updates && plan->has_bounds; i++) {
        const tg_update *update = &plan->updates[i];
        bool bounded = false;
        for (int exact = 0; exact < 2 && !bounded; exact++)
            bounded = refresh(plan, update, exact) && tg_program_bounds(update->step->program, update->at, update->operands);
        if (!bounded)
            return false;
    }
    return plan->has_bounds;
}

void tg_commit_note(tg_plan *plan, bool is_bounded)
{
    for (int32_t i = 0; i < plan->n_assigned; i++)
        tg_variables_note(plan->variables, plan->assigned[i]);
    for (int32_t i = 0; i < plan->n_updates && is_bounded; i++) {
        const tg_update *update = &plan->updates[i];
        for (int32_t r = 0; r < update->step->n_refs; r++)
            if (update->step->refs[r].writes)
                tg_variables_set_bounds(plan->variables, tg_node_variable(plan->graph, node_of(plan, &update->step->refs[r])),
                                        update->at[r]);
    }
}
