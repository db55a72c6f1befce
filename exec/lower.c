#include <string.h>

#include "exec/step.h"

#define CHUNK_BYTES ((int64_t)65536) /* of a copy's or a check's task */

/* Guesses of what one thread does in a nanosecond, to tell tiny steps from others. */
static const double product_flops[TG_ISA_COUNT] = {
    [TG_ISA_BASELINE] = 15, [TG_ISA_AVX2] = 60, [TG_ISA_AVX512] = 120, [TG_ISA_NEON] = 30};
#define OTHER_FLOPS 20.0
#define MOVED_BYTES 30.0

/* An array of the pool's with room for one more. */
static void *grow(tg_pool *pool, void *array, int32_t count, int32_t *capacity, size_t size)
{
    if (count < *capacity)
        return array;
    int32_t wider = *capacity ? 2 * *capacity : 64;
    void *moved = tg_pool_take(pool, wider, size);
    if (moved && count)
        memcpy(moved, array, (size_t)count * size);
    if (moved)
        *capacity = wider;
    return moved;
}

tg_step *tg_steps_add(tg_steps *steps, tg_step_kind kind, tg_segment segment, int32_t node, int32_t max_refs)
{
    tg_step **at = grow(steps->pool, steps->at, steps->count, &steps->capacity, sizeof *at);
    tg_step *step = tg_pool_take(steps->pool, 1, sizeof *step);
    tg_ref *refs = tg_pool_take(steps->pool, max_refs, sizeof *refs);
    void **pointers = tg_pool_take(steps->pool, max_refs, sizeof *pointers);
    if (!at || !step || !refs || !pointers)
        return NULL;
    *step = (tg_step){.kind = kind, .segment = segment, .node = node, .output = -1, .twin = -1, .shared = -1, .phases = 1};
    step->refs = refs;
    step->pointers = pointers;
    steps->at = at;
    return steps->at[steps->count++] = step;
}

int32_t tg_steps_new_buffer(tg_steps *steps, int32_t node, tg_home home, int64_t bytes)
{
    tg_buffer *buffers = grow(steps->pool, steps->buffers, steps->n_buffers, &steps->buffer_capacity, sizeof *buffers);
    if (!buffers) {
        steps->lacks_buffer = true;
        return -1;
    }
    steps->buffers = buffers;
    buffers[steps->n_buffers] =
        (tg_buffer){.node = node, .home = home, .bytes = bytes, .first = INT32_MAX, .last = -1, .reuse = -1};
    return steps->n_buffers++;
}

static tg_home home_of(const tg_value_table *values, int32_t base)
{
    if (tg_graph_node(values->graph, base)->op->traits & TG_LEAF)
        return TG_HOME_LEAF;
    return values->at[base].wanted && values->at[base].segment == TG_COMPUTE ? TG_HOME_ROOTS : TG_HOME_WORKSPACE;
}

int32_t tg_steps_buffer(tg_steps *steps, int32_t base)
{
    if (!steps->buffer_of[base])
        steps->buffer_of[base] =
            1 + tg_steps_new_buffer(steps, base, home_of(steps->values, base), steps->values->at[base].bytes);
    return steps->buffer_of[base] - 1;
}

int32_t tg_step_ref(tg_step *step, int32_t buffer, bool writes, int64_t offset, int64_t bytes)
{
    step->refs[step->n_refs] = (tg_ref){.buffer = buffer, .writes = writes, .offset = offset, .bytes = bytes};
    return step->n_refs++;
}

int32_t tg_step_read(tg_steps *steps, tg_step *step, int32_t id)
{
    const tg_value *value = &steps->values->at[id];
    return tg_step_ref(step, tg_steps_buffer(steps, value->base), false, value->offset, value->bytes);
}

/* The inputs that phase 0 reads, if it may run apart; else 0. */
static uint32_t prepared_inputs(const tg_step *step)
{
    tg_work work = step->work;
    work.prepared = false;
    return step->op->prepares ? step->op->prepares(&work) : 0;
}

/* Whether phase 0 of a step of a run reads only what does not change from run to run. */
static bool can_prepare(const tg_steps *steps, const tg_step *step, const tg_node *node)
{
    uint32_t read = step->segment == TG_COMPUTE ? prepared_inputs(step) : 0;
    for (int32_t i = 0; i < node->n_inputs; i++)
        if (read >> i & 1 && steps->values->at[node->inputs[i]].segment != TG_PROLOGUE)
            return false;
    return read != 0;
}

static bool has_f64(const tg_work *work)
{
    bool found = work->output.dtype == TG_F64;
    for (int32_t i = 0; i < work->n_inputs; i++)
        found |= work->inputs[i].dtype == TG_F64;
    return found;
}

bool tg_steps_begin_op(tg_steps *steps, tg_step *step, const tg_node *node)
{
    if (!tg_work_make(&step->work, steps->values, node, steps->pool))
        return false;
    for (int32_t i = 0; i < node->n_inputs; i++)
        tg_step_read(steps, step, node->inputs[i]);
    const tg_op *op = node->op;
    if (!op->run) {
        steps->unsupported = node;
        return false;
    }
    step->op = op;
    step->keeps_subnormals = has_f64(&step->work);
    step->work.prepared = can_prepare(steps, step, node);
    step->first_phase = step->work.prepared ? 1 : 0;
    step->phases = (op->phases ? op->phases(&step->work) : 1) - step->first_phase;
    step->op_scratch = op->scratch_bytes ? (op->scratch_bytes(&step->work) + 63) & ~(size_t)63 : 0;
    step->flops = op->flops ? op->flops(&step->work) : 0;
    int32_t twin = steps->values->at[node->id].twin;
    if (twin >= 0)
        step->twin = tg_step_ref(step, tg_steps_buffer(steps, twin), true, 0, steps->values->at[twin].bytes);
    int64_t shared = op->shared_bytes ? (int64_t)op->shared_bytes(&step->work) : 0;
    if (shared > 0)
        step->shared =
            tg_step_ref(step, tg_steps_new_buffer(steps, -1, TG_HOME_WORKSPACE, shared), !step->work.prepared, 0, shared);
    return true;
}

static bool add_op(tg_steps *steps, const tg_node *node)
{
    tg_step *step = tg_steps_add(steps, TG_STEP_OP, steps->values->at[node->id].segment, node->id, node->n_inputs + 3);
    if (!step || !tg_steps_begin_op(steps, step, node))
        return false;
    step->output = tg_step_ref(step, tg_steps_buffer(steps, node->id), true, 0, steps->values->at[node->id].bytes);
    steps->maker_of[node->id] = step;
    return true;
}

/* Phase 0 of a step as one of its own, in the prologue. To what it does not read there leads an empty stretch of what it writes. */
static bool add_preparation(tg_steps *steps, const tg_step *of)
{
    const tg_ref *shared = &of->refs[of->shared];
    const tg_node *node = tg_graph_node(steps->values->graph, of->node);
    tg_step *step = tg_steps_add(steps, TG_STEP_OP, TG_PROLOGUE, of->node, node->n_inputs + 1);
    if (!step)
        return false;
    step->op = of->op;
    step->work = of->work;
    step->keeps_subnormals = of->keeps_subnormals;
    step->op_scratch = of->op_scratch;
    step->prepares = true;
    uint32_t read = prepared_inputs(of);
    for (int32_t i = 0; i < node->n_inputs; i++)
        if (read >> i & 1)
            tg_step_read(steps, step, node->inputs[i]);
        else
            tg_step_ref(step, shared->buffer, false, 0, 0);
    step->output = step->shared = tg_step_ref(step, shared->buffer, true, 0, shared->bytes);
    return true;
}

/* After all that the prologue computes. */
static bool add_preparations(tg_steps *steps)
{
    int32_t count = steps->count;
    for (int32_t s = 0; s < count; s++)
        if (steps->at[s]->work.prepared && steps->at[s]->shared >= 0 && !add_preparation(steps, steps->at[s]))
            return false;
    return true;
}

static bool add_nodes(tg_steps *steps)
{
    for (int32_t id = 0; id < steps->values->count; id++) {
        if (!tg_value_runs(steps->values, id) || steps->values->at[id].by >= 0)
            continue;
        int32_t group = steps->fusion->of[id];
        if (group < 0) {
            if (!add_op(steps, tg_graph_node(steps->values->graph, id)))
                return false;
        } else if (steps->fusion->groups[group].sink == id && steps->fusion->groups[group].segment != TG_COMMIT) {
            if (!tg_steps_add_group(steps, &steps->fusion->groups[group]))
                return false;
        }
    }
    return true;
}

/* Copies a node's value to a new buffer, which is returned; -1 if memory is out. */
static int32_t add_copy(tg_steps *steps, int32_t id, tg_home home)
{
    int64_t bytes = steps->values->at[id].bytes;
    tg_step *step = tg_steps_add(steps, TG_STEP_COPY, TG_COMPUTE, id, 2);
    if (!step)
        return -1;
    tg_step_read(steps, step, id);
    return step->refs[tg_step_ref(step, tg_steps_new_buffer(steps, -1, home, bytes), true, 0, bytes)].buffer;
}

/* Roots and kept tensors: where they are made, or a copy of what lies elsewhere. */
static bool add_publications(tg_steps *steps, const uint8_t *wanted)
{
    int32_t total = 0;
    for (int32_t id = 0; id < steps->values->count; id++)
        total += wanted[id] != 0;
    steps->publications = tg_pool_take(steps->pool, total, sizeof *steps->publications);
    if (!steps->publications)
        return false;
    for (int32_t id = 0; id < steps->values->count; id++) {
        if (!wanted[id])
            continue;
        const tg_value *value = &steps->values->at[id];
        bool here = tg_value_runs(steps->values, value->base) && steps->values->at[value->base].segment == TG_COMPUTE;
        int32_t buffer = here ? tg_steps_buffer(steps, value->base) : add_copy(steps, id, TG_HOME_ROOTS);
        if (buffer < 0)
            return false;
        steps->publications[steps->n_publications++] =
            (tg_publication){.node = id, .ref = {.buffer = buffer, .offset = here ? value->offset : 0, .bytes = value->bytes}};
    }
    return true;
}

/* An assign whose value was not written in place: copied when the run commits, by way of a buffer if it is a variable's old value. */
static bool add_assign(tg_steps *steps, int32_t effect)
{
    const tg_value_table *values = steps->values;
    int32_t variable = tg_graph_node(values->graph, effect)->inputs[0], id = tg_graph_node(values->graph, effect)->inputs[1];
    int32_t base = values->at[id].base, group = steps->fusion->of[base];
    if (base == variable || (group >= 0 && steps->fusion->groups[group].segment == TG_COMMIT))
        return true;
    int32_t copied = values->at[base].writer >= 0 ? add_copy(steps, id, TG_HOME_WORKSPACE) : 0;
    tg_step *step = copied >= 0 ? tg_steps_add(steps, TG_STEP_COPY, TG_COMMIT, effect, 2) : NULL;
    if (!step)
        return false;
    if (values->at[base].writer >= 0)
        tg_step_ref(step, copied, false, 0, values->at[id].bytes);
    else
        tg_step_read(steps, step, id);
    tg_step_ref(step, tg_steps_buffer(steps, variable), true, 0, values->at[id].bytes);
    return true;
}

/* Has a value of floats checked, at its maker's if that finishes it stretch by stretch, and once for all who ask; but no more of its
   base than it is. */
static bool add_check(tg_steps *steps, int32_t id, int checks)
{
    const tg_value *value = &steps->values->at[id];
    int32_t at = value->bytes == steps->values->at[value->base].bytes ? value->base : id;
    const tg_node *node = tg_graph_node(steps->values->graph, at);
    if (!tg_dtype_is_float(node->type.dtype))
        return true;
    tg_step **step = &steps->check_of[at], *maker = steps->maker_of[at];
    if (!*step && maker && maker->op->traits & TG_CONTRACTION && maker->segment == TG_COMPUTE)
        *step = maker;
    if (!*step) {
        *step = tg_steps_add(steps, TG_STEP_CHECK, TG_COMPUTE, at, 1);
        if (!*step)
            return false;
        tg_step_read(steps, *step, at);
    }
    (*step)->dtype = node->type.dtype;
    (*step)->checks |= checks;
    return true;
}

/* What a group that commits reads from elsewhere: bounds of variables, constants and single numbers are known without a check. */
static bool add_group_checks(tg_steps *steps, const tg_group *group)
{
    const tg_value_table *values = steps->values;
    for (int32_t m = 0; m < group->n_members; m++) {
        const tg_node *node = tg_graph_node(values->graph, steps->fusion->members[group->first_member + m]);
        for (int32_t i = 0; i < node->n_inputs; i++) {
            int32_t base = values->at[node->inputs[i]].base, own = steps->fusion->of[base];
            const tg_node *read = tg_graph_node(values->graph, base);
            bool known = tg_node_variable(values->graph, read) || tg_node_constant(read) || tg_shape_count(read->type.shape) == 1;
            if (!known && (own < 0 || &steps->fusion->groups[own] != group) && !add_check(steps, node->inputs[i], TG_CHECK_SMALL))
                return false;
        }
    }
    return true;
}

/* Of an assign: what it copies must be finite, and what its group makes will be judged by what that reads. */
static bool add_effect_check(tg_steps *steps, int32_t effect)
{
    const tg_value_table *values = steps->values;
    int32_t base = values->at[effect].base, group = steps->fusion->of[base];
    if (group >= 0 && steps->fusion->groups[group].segment == TG_COMMIT)
        return add_group_checks(steps, &steps->fusion->groups[group]);
    int32_t variable = tg_graph_node(values->graph, effect)->inputs[0], id = tg_graph_node(values->graph, effect)->inputs[1];
    return base == variable || !tg_value_must_be_finite(values, variable) || add_check(steps, id, TG_CHECK_FINITE);
}

static bool add_checks(tg_steps *steps, const uint8_t *wanted)
{
    const tg_value_table *values = steps->values;
    for (int32_t id = 0; id < values->count; id++) {
        const tg_node *base = tg_graph_node(values->graph, values->at[id].base);
        bool computed = !tg_node_variable(values->graph, base) && !tg_node_constant(base);
        if (wanted[id] & TG_WANTED_ROOT && computed && !add_check(steps, id, TG_CHECK_FINITE))
            return false;
    }
    for (int32_t i = 0; i < values->n_effects; i++)
        if (!add_effect_check(steps, values->effects[i].node))
            return false;
    return true;
}

static bool add_commits(tg_steps *steps)
{
    for (int32_t g = steps->fusion->n_groups - 1; g >= 0; g--)
        if (steps->fusion->groups[g].segment == TG_COMMIT && !tg_steps_add_group(steps, &steps->fusion->groups[g]))
            return false;
    for (int32_t i = 0; i < steps->values->n_effects; i++)
        if (!add_assign(steps, steps->values->effects[i].node))
            return false;
    return true;
}

/* What outlives the prologue cannot lie in the workspace. */
static void settle_prologue(tg_steps *steps)
{
    for (int32_t s = 0; s < steps->count; s++)
        for (int32_t r = 0; r < steps->at[s]->n_refs; r++)
            if (steps->at[s]->segment == TG_PROLOGUE && steps->at[s]->refs[r].writes)
                steps->buffers[steps->at[s]->refs[r].buffer].by_prologue = true;
    for (int32_t s = 0; s < steps->count; s++)
        for (int32_t r = 0; r < steps->at[s]->n_refs; r++) {
            tg_buffer *buffer = &steps->buffers[steps->at[s]->refs[r].buffer];
            if (steps->at[s]->segment != TG_PROLOGUE && buffer->by_prologue)
                buffer->home = TG_HOME_PROLOGUE;
        }
}

static void estimate(tg_step *step)
{
    bool product = step->op && step->op->traits & TG_CONTRACTION;
    double bytes = 0, written = 0;
    for (int32_t r = 0; r < step->n_refs; r++)
        written += step->refs[r].writes ? (double)step->refs[r].bytes : 0;
    for (int32_t r = 0; r < step->n_refs; r++) {
        double read = step->refs[r].writes ? 0 : (double)step->refs[r].bytes;
        /* An op that computes nothing, such as a gather, reads no more than it writes. */
        bytes += step->op && !step->op->flops && read > written ? written : read;
    }
    step->bytes = bytes + written;
    step->nanoseconds = step->flops / (product ? product_flops[step->work.isa] : OTHER_FLOPS) + step->bytes / MOVED_BYTES;
}

int64_t tg_step_tasks(const tg_step *step, int phase)
{
    switch (step->kind) {
    case TG_STEP_OP: return step->op->tasks ? step->op->tasks(&step->work, phase) : 1;
    case TG_STEP_PROGRAM: return (step->count + tg_program_task(step->program) - 1) / tg_program_task(step->program);
    default: return (step->refs[0].bytes + CHUNK_BYTES - 1) / CHUNK_BYTES;
    }
}

size_t tg_step_scratch(const tg_step *step) { return step->op_scratch + (step->program ? tg_program_scratch(step->program) : 0); }

/* Room for the largest group's members and the widest member's inputs. */
static bool take_room(tg_steps *steps)
{
    int64_t members = 0, inputs = 0;
    for (int32_t g = 0; g < steps->fusion->n_groups; g++)
        members = steps->fusion->groups[g].n_members > members ? steps->fusion->groups[g].n_members : members;
    for (int32_t id = 0; id < steps->values->count; id++) {
        int32_t n = tg_graph_node(steps->values->graph, id)->n_inputs;
        inputs = n > inputs ? n : inputs;
    }
    steps->operand_of = tg_pool_take(steps->pool, members, sizeof *steps->operand_of);
    steps->arguments = tg_pool_take(steps->pool, inputs, sizeof *steps->arguments);
    steps->placed = tg_pool_take(steps->pool, members, sizeof *steps->placed);
    return steps->operand_of && steps->arguments && steps->placed;
}

bool tg_steps_make(tg_steps *steps, const tg_value_table *values, const tg_fusion *fusion, tg_steps_options options,
                   tg_pool *pool)
{
    *steps = (tg_steps){.values = values,
                        .fusion = fusion,
                        .pool = pool,
                        .buffer_of = tg_pool_take(pool, values->count, sizeof *steps->buffer_of),
                        .maker_of = tg_pool_take(pool, values->count, sizeof *steps->maker_of),
                        .check_of = tg_pool_take(pool, values->count, sizeof *steps->check_of)};
    if (!steps->buffer_of || !steps->maker_of || !steps->check_of || !take_room(steps) || !add_nodes(steps) ||
        !add_preparations(steps) || !add_publications(steps, options.wanted))
        return false;
    if (options.check_finite && values->n_effects > 0 && !add_checks(steps, options.wanted))
        return false;
    if (!add_commits(steps) || steps->lacks_buffer)
        return false;
    settle_prologue(steps);
    for (int32_t s = 0; s < steps->count; s++) {
        steps->at[s]->task_bytes = CHUNK_BYTES;
        estimate(steps->at[s]);
    }
    return true;
}
