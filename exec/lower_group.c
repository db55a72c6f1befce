#include "exec/step.h"

/* A group on its way to being a step. */
typedef struct lowering {
    tg_steps *steps;
    const tg_value_table *values;
    const tg_group *group;
    const int32_t *members;
    tg_step *step;
    int32_t *operand_of; /* by member's place in the group: the operand with its value */
    int32_t *arguments;  /* the operands of one member */
    int32_t raw;         /* the ref of the contraction's product, or -1 */
} lowering;

/* A member's place in the group, or -1: members ascend. */
static int32_t place_of(const lowering *low, int32_t id)
{
    int32_t first = 0, last = low->group->n_members - 1;
    while (first <= last) {
        int32_t middle = (first + last) / 2;
        if (low->members[middle] == id)
            return middle;
        if (low->members[middle] < id)
            first = middle + 1;
        else
            last = middle - 1;
    }
    return -1;
}

/* The ref that reads a node's value from outside; one for each stretch of bytes. */
static int32_t find_read(lowering *low, int32_t id)
{
    const tg_value *value = &low->values->at[id];
    int32_t buffer = tg_steps_buffer(low->steps, value->base);
    for (int32_t i = 0; i < low->step->n_refs; i++) {
        const tg_ref *ref = &low->step->refs[i];
        if (!ref->writes && i != low->step->shared && ref->buffer == buffer && ref->offset == value->offset &&
            ref->bytes == value->bytes)
            return i;
    }
    return tg_step_ref(low->step, buffer, false, value->offset, value->bytes);
}

/* The operand that a member reads through one of its inputs. */
static int32_t find_operand(lowering *low, const tg_node *node, int32_t input)
{
    int32_t id = node->inputs[input], base = low->values->at[id].base;
    int32_t place = place_of(low, base);
    if (place >= 0)
        return low->operand_of[place];
    tg_type type = tg_graph_node(low->values->graph, id)->type;
    int32_t ref = base == low->group->contraction ? low->raw : find_read(low, id);
    return tg_program_read(low->step->program, ref, type, node->type.shape);
}

/* The variables that a member's value goes to when its group commits: the i-th ref, or -1. `must`: the assign, if what it writes
   must be finite, or -1. */
static int32_t write_variable(lowering *low, int32_t member, int32_t i, int32_t *must)
{
    *must = -1;
    int32_t effect = low->values->at[member].first_effect;
    for (; i > 0 && effect >= 0; i--)
        effect = low->values->effects[effect].next;
    if (effect < 0)
        return -1;
    const tg_node *assign = tg_graph_node(low->values->graph, low->values->effects[effect].node);
    int32_t variable = assign->inputs[0];
    *must = tg_value_must_be_finite(low->values, variable) ? assign->id : -1;
    return tg_step_ref(low->step, tg_steps_buffer(low->steps, variable), true, 0, low->values->at[variable].bytes);
}

/* Whether a later member still reads what the variable held before. */
static bool is_read_after(const lowering *low, int32_t variable, int32_t member)
{
    for (int32_t m = low->group->n_members - 1; m >= 0 && low->members[m] > member; m--) {
        const tg_node *node = tg_graph_node(low->values->graph, low->members[m]);
        for (int32_t i = 0; i < node->n_inputs; i++)
            if (low->values->at[node->inputs[i]].base == variable)
                return true;
    }
    return false;
}

/* Where a member's value goes first: to memory, or (-1) to a register, from which finish_commit() copies it if need be. */
static int32_t first_place(lowering *low, int32_t member, int32_t *must)
{
    *must = -1;
    const tg_value_table *values = low->values;
    if (!tg_group_exposes(values, low->group, member))
        return -1;
    if (low->group->segment != TG_COMMIT)
        return tg_step_ref(low->step, tg_steps_buffer(low->steps, member), true, 0, values->at[member].bytes);
    int32_t effect = values->effects[values->at[member].first_effect].node;
    if (is_read_after(low, tg_graph_node(values->graph, effect)->inputs[0], member))
        return -1;
    return write_variable(low, member, 0, must);
}

static bool lower_member(lowering *low, int32_t m, bool *placed)
{
    const tg_node *node = tg_graph_node(low->values->graph, low->members[m]);
    bool exposed = tg_group_exposes(low->values, low->group, node->id);
    *placed = false;
    for (int32_t i = 0; i < node->n_inputs; i++)
        if ((low->arguments[i] = find_operand(low, node, i)) < 0)
            return false;
    if ((node->op->traits & TG_IDENTITY) && !exposed) {
        /* Its readers may as well read its input. */
        low->operand_of[m] = low->arguments[0];
        return true;
    }
    tg_work work;
    if (!tg_work_make(&work, low->values, node, low->steps->pool))
        return false;
    tg_block_fn block = node->op->traits & TG_IDENTITY ? NULL : node->op->block(&work);
    if (!block && !(node->op->traits & TG_IDENTITY)) {
        low->steps->unsupported = node;
        return false;
    }
    tg_instruction instruction = {.block = block,
                                  .attributes = node->attributes,
                                  .n_operands = node->n_inputs,
                                  .operands = low->arguments,
                                  .dtype = node->type.dtype,
                                  .monotone = node->op->traits & TG_MONOTONE};
    instruction.ref = first_place(low, node->id, &instruction.effect);
    *placed = instruction.ref >= 0;
    low->operand_of[m] = tg_program_emit(low->step->program, instruction);
    low->step->flops += node->op->flops ? node->op->flops(&work) : node->op->traits & TG_IDENTITY ? 0 : (double)low->group->count;
    return true;
}

/* What could not be written at once, because its place was still read or because several variables take it. */
static void finish_commit(lowering *low, const bool *placed)
{
    for (int32_t m = 0; m < low->group->n_members && low->group->segment == TG_COMMIT; m++) {
        int32_t member = low->members[m];
        if (!tg_group_exposes(low->values, low->group, member))
            continue;
        tg_instruction copy = {
            .n_operands = 1, .operands = &low->operand_of[m], .dtype = tg_graph_node(low->values->graph, member)->type.dtype};
        for (int32_t i = placed[m]; (copy.ref = write_variable(low, member, i, &copy.effect)) >= 0; i++)
            tg_program_emit(low->step->program, copy);
    }
}

/* The product is finished where the epilogue's result will lie, if that may be. */
static void place_product(lowering *low)
{
    tg_step *step = low->step;
    for (int32_t i = 0; i < step->n_refs; i++)
        if (i != low->raw && i != step->shared && step->refs[i].writes && step->refs[i].bytes == step->refs[low->raw].bytes &&
            tg_program_overwrites(step->program, low->raw, i)) {
            step->refs[low->raw].buffer = step->refs[i].buffer;
            return;
        }
    step->refs[low->raw].buffer =
        tg_steps_new_buffer(low->steps, low->group->contraction, TG_HOME_WORKSPACE, step->refs[low->raw].bytes);
}

static int64_t count_arguments(const lowering *low, int64_t *effects)
{
    int64_t total = 0;
    for (int32_t m = 0; m < low->group->n_members; m++) {
        total += tg_graph_node(low->values->graph, low->members[m])->n_inputs;
        for (int32_t e = low->values->at[low->members[m]].first_effect; e >= 0; e = low->values->effects[e].next)
            ++*effects;
    }
    return total;
}

static bool begin_step(lowering *low, int64_t max_refs)
{
    const tg_group *group = low->group;
    tg_step_kind kind = group->contraction >= 0 ? TG_STEP_OP : TG_STEP_PROGRAM;
    low->step = tg_steps_add(low->steps, kind, group->segment, group->contraction >= 0 ? group->contraction : group->sink,
                             (int32_t)max_refs);
    low->raw = -1;
    if (!low->step)
        return false;
    low->step->count = group->count;
    if (kind == TG_STEP_PROGRAM)
        return true;
    const tg_node *product = tg_graph_node(low->values->graph, group->contraction);
    if (!tg_steps_begin_op(low->steps, low->step, product))
        return false;
    low->raw = low->step->output = tg_step_ref(low->step, -1, true, 0, tg_type_bytes(product->type));
    return true;
}

bool tg_steps_add_group(tg_steps *steps, const tg_group *group)
{
    lowering low = {.steps = steps,
                    .values = steps->values,
                    .group = group,
                    .members = steps->fusion->members + group->first_member,
                    .operand_of = steps->operand_of,
                    .arguments = steps->arguments};
    int64_t effects = 0, arguments = count_arguments(&low, &effects);
    int64_t product_inputs = group->contraction >= 0 ? tg_graph_node(low.values->graph, group->contraction)->n_inputs + 3 : 0;
    int32_t n = group->n_members;
    if (!begin_step(&low, arguments + effects + n + product_inputs))
        return false;
    low.step->program = tg_program_new(steps->pool, group->count, (int32_t)(n + effects), (int32_t)(arguments + effects));
    if (!low.step->program)
        return false;
    for (int32_t m = 0; m < n; m++)
        if (!lower_member(&low, m, &steps->placed[m]))
            return false;
    finish_commit(&low, steps->placed);
    if (!tg_program_finish(low.step->program))
        return false;
    if (low.raw >= 0)
        place_product(&low);
    return true;
}
