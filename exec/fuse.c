#include "exec/fuse.h"

/* Beyond this a group's registers and streams would leave the first cache anyway. */
#define MAX_MEMBERS 128

bool tg_group_exposes(const tg_value_table *values, const tg_group *group, int32_t member)
{
    const tg_value *value = &values->at[member];
    return member == group->sink || value->wanted || value->first_effect >= 0;
}

/* The one group that holds all that reads a node, each reading it element for element, in the same segment; or -1. So nothing
   between the node and the group's sink lies outside of the group, and running it as one cannot make a cycle. */
static int32_t group_of_users(const tg_value_table *values, const tg_fusion *fusion, int32_t id)
{
    const tg_value *value = &values->at[id];
    if (value->n_uses == 0)
        return -1;
    int32_t group = fusion->of[values->uses[value->first_use].node];
    for (int32_t i = 0; i < value->n_uses && group >= 0; i++) {
        tg_use use = values->uses[value->first_use + i];
        if (fusion->of[use.node] != group || values->at[use.node].segment != value->segment ||
            !tg_value_in_place(values, tg_graph_node(values->graph, use.node), use.input) ||
            !tg_value_pointwise(values, use.node))
            return -1;
    }
    return group;
}

static void form_groups(tg_fusion *fusion, const tg_value_table *values, bool fuse)
{
    for (int32_t id = values->count - 1; id >= 0; id--) {
        fusion->of[id] = -1;
        if (!tg_value_pointwise(values, id))
            continue;
        int32_t group = fuse ? group_of_users(values, fusion, id) : -1;
        if (group < 0 || fusion->groups[group].n_members == MAX_MEMBERS) {
            group = fusion->n_groups++;
            fusion->groups[group] = (tg_group){.sink = id,
                                               .contraction = -1,
                                               .segment = values->at[id].segment,
                                               .count = tg_shape_count(tg_graph_node(values->graph, id)->type.shape)};
        }
        fusion->of[id] = group;
        fusion->groups[group].n_members++;
    }
}

static void list_members(tg_fusion *fusion, int32_t count)
{
    int32_t next = 0;
    for (int32_t g = 0; g < fusion->n_groups; g++) {
        fusion->groups[g].first_member = next;
        next += fusion->groups[g].n_members;
        fusion->groups[g].n_members = 0;
    }
    for (int32_t id = 0; id < count; id++)
        if (fusion->of[id] >= 0) {
            tg_group *group = &fusion->groups[fusion->of[id]];
            fusion->members[group->first_member + group->n_members++] = id;
        }
}

/* Whether assigns alone take what a member gives out, each of them all of it. */
static bool feeds_assigns_alone(const tg_value_table *values, int32_t id)
{
    const tg_value *value = &values->at[id];
    if (value->wanted || value->first_effect < 0)
        return false;
    for (int32_t i = value->first_effect; i >= 0; i = values->effects[i].next)
        if (!tg_value_in_place(values, tg_graph_node(values->graph, values->effects[i].node), 1))
            return false;
    return true;
}

/* Whether this member reads a variable's old value as it may be read while others write it: at the place that the group itself writes. */
static bool reads_safely(const tg_value_table *values, const tg_fusion *fusion, int32_t member)
{
    const tg_node *node = tg_graph_node(values->graph, member);
    for (int32_t i = 0; i < node->n_inputs; i++) {
        const tg_value *read = &values->at[values->at[node->inputs[i]].base];
        if (read->writer < 0)
            continue;
        const tg_node *effect = tg_graph_node(values->graph, values->effects[read->writer].node);
        int32_t writer = values->at[effect->inputs[1]].base;
        if (fusion->of[writer] != fusion->of[member] || !tg_value_in_place(values, node, i))
            return false;
    }
    return true;
}

/* A group whose values go to variables and nowhere else writes them in place, when the run commits. */
static bool can_commit(const tg_value_table *values, const tg_fusion *fusion, const tg_group *group)
{
    if (group->segment != TG_COMPUTE || values->at[group->sink].n_uses > 0)
        return false;
    for (int32_t i = 0; i < group->n_members; i++) {
        int32_t member = fusion->members[group->first_member + i];
        if (tg_group_exposes(values, group, member) && !feeds_assigns_alone(values, member))
            return false;
        if (!reads_safely(values, fusion, member))
            return false;
    }
    return true;
}

static void attach_contractions(tg_fusion *fusion, const tg_value_table *values)
{
    for (int32_t id = values->count - 1; id >= 0; id--) {
        const tg_value *value = &values->at[id];
        const tg_node *node = tg_graph_node(values->graph, id);
        if (!(node->op->traits & TG_CONTRACTION) || !tg_value_runs(values, id) || value->wanted || value->first_effect >= 0)
            continue;
        int32_t group = group_of_users(values, fusion, id);
        if (group < 0 || fusion->groups[group].contraction >= 0 || fusion->groups[group].segment == TG_COMMIT)
            continue;
        if (value->twin >= 0 && value->twin < fusion->groups[group].sink)
            continue; /* what reads the twin might come before the group does */
        fusion->groups[group].contraction = id;
        fusion->of[id] = group;
    }
}

bool tg_fuse(tg_fusion *fusion, const tg_value_table *values, bool fuse, tg_pool *pool)
{
    *fusion = (tg_fusion){.groups = tg_pool_take(pool, values->count, sizeof *fusion->groups),
                          .of = tg_pool_take(pool, values->count, sizeof *fusion->of),
                          .members = tg_pool_take(pool, values->count, sizeof *fusion->members)};
    if (!fusion->groups || !fusion->of || !fusion->members)
        return false;
    form_groups(fusion, values, fuse);
    list_members(fusion, values->count);
    for (int32_t g = 0; g < fusion->n_groups; g++)
        if (can_commit(values, fusion, &fusion->groups[g]))
            fusion->groups[g].segment = TG_COMMIT;
    if (fuse)
        attach_contractions(fusion, values);
    return true;
}
