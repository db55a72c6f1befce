#include "exec/values.h"

#include <string.h>

bool tg_work_make(tg_work *work, const tg_value_table *values, const tg_node *node, tg_pool *pool)
{
    tg_type *types = tg_pool_take(pool, node->n_inputs, sizeof *types);
    if (!types)
        return false;
    for (int32_t i = 0; i < node->n_inputs; i++)
        types[i] = tg_graph_node(values->graph, node->inputs[i])->type;
    *work = (tg_work){
        .n_inputs = node->n_inputs, .inputs = types, .output = node->type, .attributes = node->attributes, .isa = values->isa};
    return true;
}

bool tg_value_runs(const tg_value_table *values, int32_t id)
{
    return values->at[id].base == id && !(tg_graph_node(values->graph, id)->op->traits & TG_LEAF);
}

bool tg_value_pointwise(const tg_value_table *values, int32_t id)
{
    return tg_value_runs(values, id) && tg_graph_node(values->graph, id)->op->traits & TG_POINTWISE;
}

bool tg_value_must_be_finite(const tg_value_table *values, int32_t variable)
{
    const tg_variable_info *info = tg_node_variable(values->graph, tg_graph_node(values->graph, variable));
    return tg_dtype_is_float(info->type.dtype) && !tg_variable_allows_nonfinite(info);
}

bool tg_value_in_place(const tg_value_table *values, const tg_node *node, int32_t input)
{
    const tg_value *value = &values->at[node->inputs[input]];
    const tg_node *in = tg_graph_node(values->graph, node->inputs[input]);
    const tg_node *base = tg_graph_node(values->graph, value->base);
    return value->bytes == values->at[value->base].bytes && tg_shape_count(in->type.shape) == tg_shape_count(node->type.shape) &&
           tg_dtype_size(in->type.dtype) == tg_dtype_size(base->type.dtype);
}

/* Where a view starts in its input, or -1. `types` has room for the widest node's inputs. */
static int64_t view_offset(const tg_value_table *values, const tg_node *node, tg_type *types)
{
    const tg_op *op = node->op;
    if (!op->view && !(op->traits & TG_IDENTITY))
        return -1;
    for (int32_t i = 0; i < node->n_inputs; i++)
        types[i] = tg_graph_node(values->graph, node->inputs[i])->type;
    if (op->traits & TG_IDENTITY)
        return types[0].dtype == node->type.dtype && tg_shape_count(types[0].shape) == tg_shape_count(node->type.shape) ? 0 : -1;
    tg_work work = {
        .n_inputs = node->n_inputs, .inputs = types, .output = node->type, .attributes = node->attributes, .isa = values->isa};
    return op->view(&work);
}

static void find_bases(tg_value_table *values, bool commits, tg_type *types)
{
    for (int32_t id = 0; id < values->count; id++) {
        const tg_node *node = tg_graph_node(values->graph, id);
        tg_value *value = &values->at[id];
        *value = (tg_value){.base = id,
                            .bytes = tg_type_bytes(node->type),
                            .first_effect = -1,
                            .writer = -1,
                            .twin = -1,
                            .by = -1,
                            .segment = TG_COMPUTE};
        int32_t through = -1;
        int64_t offset = 0;
        if (node->op->traits & TG_EFFECT) {
            if (commits)
                values->effects[values->n_effects++] = (tg_effect){id, -1};
            through = node->inputs[1];
        } else if (!(node->op->traits & TG_LEAF) && (offset = view_offset(values, node, types)) >= 0) {
            through = node->inputs[0];
        }
        if (through < 0)
            continue;
        value->base = values->at[through].base;
        value->offset = values->at[through].offset + offset;
    }
}

static void mark_outlets(tg_value_table *values, const uint8_t *wanted)
{
    for (int32_t id = 0; id < values->count; id++)
        if (wanted[id])
            values->at[values->at[id].base].wanted = true;
    for (int32_t i = 0; i < values->n_effects; i++) {
        const tg_node *effect = tg_graph_node(values->graph, values->effects[i].node);
        tg_value *taken = &values->at[values->at[effect->inputs[1]].base];
        values->effects[i].next = taken->first_effect;
        taken->first_effect = i;
        values->at[effect->inputs[0]].writer = i;
    }
}

/* Lists the uses by base, in order of the using node. */
static bool find_uses(tg_value_table *values, tg_pool *pool)
{
    int64_t total = 0;
    for (int32_t id = 0; id < values->count; id++) {
        if (!tg_value_runs(values, id))
            continue;
        const tg_node *node = tg_graph_node(values->graph, id);
        total += node->n_inputs;
        for (int32_t i = 0; i < node->n_inputs; i++)
            values->at[values->at[node->inputs[i]].base].n_uses++;
    }
    if (total > INT32_MAX || !(values->uses = tg_pool_take(pool, total, sizeof *values->uses)))
        return false;
    int32_t next = 0;
    for (int32_t id = 0; id < values->count; id++) {
        values->at[id].first_use = next;
        next += values->at[id].n_uses;
        values->at[id].n_uses = 0;
    }
    for (int32_t id = 0; id < values->count; id++) {
        if (!tg_value_runs(values, id))
            continue;
        const tg_node *node = tg_graph_node(values->graph, id);
        for (int32_t i = 0; i < node->n_inputs; i++) {
            tg_value *base = &values->at[values->at[node->inputs[i]].base];
            values->uses[base->first_use + base->n_uses++] = (tg_use){id, i};
        }
    }
    return true;
}

static bool is_twin(const tg_node *node, const tg_node *other)
{
    if (other->op != node->op->twin || other->id < node->id || other->n_inputs != node->n_inputs ||
        other->attribute_bytes != node->attribute_bytes)
        return false;
    for (int32_t i = 0; i < node->n_inputs; i++)
        if (other->inputs[i] != node->inputs[i])
            return false;
    return node->attribute_bytes == 0 || memcmp(other->attributes, node->attributes, node->attribute_bytes) == 0;
}

/* Pairs each node whose op has a twin with that one, if it is there: a later reader of the same input. */
static void find_twins(tg_value_table *values)
{
    for (int32_t id = 0; id < values->count; id++) {
        const tg_node *node = tg_graph_node(values->graph, id);
        if (!node->op->twin || node->n_inputs == 0 || !tg_value_runs(values, id))
            continue;
        const tg_value *input = &values->at[values->at[node->inputs[0]].base];
        for (int32_t i = 0; i < input->n_uses && values->at[id].twin < 0; i++) {
            int32_t other = values->uses[input->first_use + i].node;
            if (is_twin(node, tg_graph_node(values->graph, other)) && values->at[other].by < 0) {
                values->at[id].twin = other;
                values->at[other].by = id;
            }
        }
    }
}

/* Whether the node follows from constants and from variables that this plan leaves alone. */
static bool is_fixed(const tg_value_table *values, const tg_node *node)
{
    if (node->op->traits & TG_LEAF)
        return tg_node_constant(node) || (tg_node_variable(values->graph, node) && values->at[node->id].writer < 0);
    if (node->op->traits & (TG_RANDOM | TG_EFFECT))
        return false;
    for (int32_t i = 0; i < node->n_inputs; i++)
        if (values->at[node->inputs[i]].segment != TG_PROLOGUE)
            return false;
    return true;
}

/* Whether a node only spreads smaller inputs, and all that reads it can do that on the fly: storing it would cost more. */
static bool is_cheaper_fused(const tg_value_table *values, const tg_node *node)
{
    const tg_value *value = &values->at[node->id];
    if (!tg_value_pointwise(values, node->id) || value->wanted || value->first_effect >= 0 || value->n_uses == 0)
        return false;
    int64_t count = tg_shape_count(node->type.shape);
    for (int32_t i = 0; i < node->n_inputs; i++)
        if (tg_shape_count(tg_graph_node(values->graph, node->inputs[i])->type.shape) >= count)
            return false;
    for (int32_t i = 0; i < value->n_uses; i++) {
        tg_use use = values->uses[value->first_use + i];
        const tg_node *user = tg_graph_node(values->graph, use.node);
        if (!tg_value_pointwise(values, use.node) || values->at[use.node].segment == TG_PROLOGUE ||
            !tg_value_in_place(values, user, use.input))
            return false;
    }
    return true;
}

static void find_prologue(tg_value_table *values)
{
    for (int32_t id = 0; id < values->count; id++)
        if (is_fixed(values, tg_graph_node(values->graph, id)))
            values->at[id].segment = TG_PROLOGUE;
    for (int32_t id = values->count - 1; id >= 0; id--)
        if (values->at[id].segment == TG_PROLOGUE && is_cheaper_fused(values, tg_graph_node(values->graph, id)))
            values->at[id].segment = TG_COMPUTE;
}

bool tg_values_find(tg_value_table *values, const tg_graph *graph, tg_values_options options, tg_pool *pool)
{
    int32_t count = tg_graph_count(graph), widest = 0, n_effects = 0;
    for (int32_t id = 0; id < count; id++) {
        const tg_node *node = tg_graph_node(graph, id);
        widest = node->n_inputs > widest ? node->n_inputs : widest;
        n_effects += (node->op->traits & TG_EFFECT) != 0;
    }
    *values = (tg_value_table){.graph = graph, .count = count, .isa = tg_context_isa(tg_graph_context(graph))};
    values->at = tg_pool_take(pool, count, sizeof *values->at);
    values->effects = tg_pool_take(pool, n_effects, sizeof *values->effects);
    tg_type *types = tg_pool_take(pool, widest, sizeof *types);
    if (!values->at || !values->effects || !types)
        return false;
    find_bases(values, options.commits, types);
    mark_outlets(values, options.wanted);
    if (!find_uses(values, pool))
        return false;
    find_twins(values);
    if (options.prologue)
        find_prologue(values);
    return true;
}
