#include "graph/dot_boxes.h"

#include <string.h>

#include "graph/rebuild.h"

enum {
    USED = 1,           /* something reads it */
    READ_ELSEWHERE = 2, /* something that is no update reads it */
    DIFFERENTIATED = 4, /* gradient nodes name it as their forward node */
    UPDATE = 8
};

/* Values of tg_dot_boxes.targets besides ids of variables. */
enum { NO_TARGET = -1, SHARED_TARGET = -2 };

static const tg_variable_info *variable_at(const tg_graph *graph, int32_t id)
{
    return tg_node_variable(graph, tg_graph_node(graph, id));
}

/* Marks as an update what leads to assigns only, apart from what is trained and what is fed. */
static void mark_updates(tg_dot_boxes *b, const tg_graph *graph)
{
    for (int32_t id = 0; id < b->nodes; id++) {
        int32_t forward = tg_graph_node(graph, id)->forward;
        if (forward >= 0 && forward < b->nodes)
            b->marks[forward] |= DIFFERENTIATED;
    }
    for (int32_t id = b->nodes - 1; id >= 0; id--) {
        const tg_node *node = tg_graph_node(graph, id);
        const tg_variable_info *variable = tg_node_variable(graph, node);
        bool stays = node->forward >= 0 || node->op == &tg_op_input || (variable && variable->trainable);
        if ((node->op->traits & TG_EFFECT) || (b->marks[id] == USED && !stays))
            b->marks[id] |= UPDATE;
        for (int32_t i = 0; i < node->n_inputs; i++)
            b->marks[node->inputs[i]] |= b->marks[id] & UPDATE ? USED : USED | READ_ELSEWHERE;
    }
}

static int32_t merge_targets(int32_t a, int32_t b) { return a == NO_TARGET || a == b ? b : b == NO_TARGET ? a : SHARED_TARGET; }

/* The variable that each update's node leads to. A state that serves a trained variable's update is part of that update. */
static void find_targets(tg_dot_boxes *b, const tg_graph *graph)
{
    memset(b->targets, 0xff, (size_t)b->nodes * sizeof *b->targets);
    for (int32_t id = b->nodes - 1; id >= 0; id--) {
        const tg_node *node = tg_graph_node(graph, id);
        if (!(b->marks[id] & UPDATE))
            continue;
        if (node->op->traits & TG_EFFECT) {
            const tg_variable_info *variable = variable_at(graph, node->inputs[0]);
            if (b->targets[id] == NO_TARGET || (variable && variable->trainable))
                b->targets[id] = node->inputs[0];
        }
        for (int32_t i = 0; i < node->n_inputs; i++)
            b->targets[node->inputs[i]] = merge_targets(b->targets[node->inputs[i]], b->targets[id]);
    }
}

static tg_dot_role role_of(const tg_dot_boxes *b, const tg_node *node)
{
    if (b->marks[node->id] & UPDATE)
        return TG_DOT_UPDATE;
    if (node->op->traits & TG_LEAF)
        return TG_DOT_LEAF;
    return node->forward >= 0 ? TG_DOT_BACKWARD : TG_DOT_FORWARD;
}

/* The folded box of an update that several variables share: one for each layer that such nodes stand in. */
static int32_t shared_box(const tg_dot_boxes *b, const char *scope)
{
    for (int32_t i = 0; i < b->count; i++)
        if (b->boxes[i].folded && b->boxes[i].variable < 0 && strcmp(b->boxes[i].scope, scope) == 0)
            return i;
    return -1;
}

/* The box that a node joins, or -1 for one of its own; *slot is where later nodes will look for that, or NULL. */
static int32_t box_to_join(tg_dot_boxes *b, const tg_node *node, const tg_dot_options *options, int32_t **slot)
{
    int32_t target = b->targets[node->id], group = options->groups ? options->groups[node->id] : -1;
    *slot = NULL;
    if ((b->marks[node->id] & UPDATE) && !options->expand_updates) {
        if (target < 0)
            return shared_box(b, node->scope);
        *slot = &b->lookup[target];
    } else if (group >= 0 && group < b->nodes) {
        *slot = &b->lookup[b->nodes + group];
    }
    return *slot ? **slot : -1;
}

/* The layer that a node is drawn in. In a compiled graph a rewrite may have made a product in its consumer's: there it stands with the
   parameter that it reads. */
static const char *layer_of(const tg_graph *graph, const tg_node *node, const tg_dot_options *options)
{
    bool moves = options->groups && node->op->traits & TG_CONTRACTION;
    for (int32_t i = 0; i < node->n_inputs && moves; i++) {
        const tg_node *input = tg_graph_node(graph, node->inputs[i]);
        if (tg_node_variable(graph, input))
            return input->scope;
    }
    return node->scope;
}

static void add_node(tg_dot_boxes *b, const tg_graph *graph, const tg_node *node, const tg_dot_options *options)
{
    int32_t *slot, at = box_to_join(b, node, options, &slot);
    bool folded = (b->marks[node->id] & UPDATE) && !options->expand_updates;
    int32_t target = folded && b->targets[node->id] >= 0 ? b->targets[node->id] : -1;
    if (at < 0) {
        at = b->count++;
        b->boxes[at] = (tg_dot_box){.first = node->id, .last = -1, .variable = target, .folded = folded};
        if (slot)
            *slot = at;
    }
    tg_dot_box *box = &b->boxes[at];
    if (box->last >= 0)
        b->next[box->last] = node->id;
    box->last = node->id;
    box->count++;
    box->fused = !folded && box->count > 1;
    if (box->count == 1 || box->role != TG_DOT_FORWARD) /* a group with a forward node stands in the forward pass */
        box->role = role_of(b, node);
    if (target >= 0)
        box->scope = tg_graph_node(graph, target)->scope;
    else if (!box->contracts)
        box->scope = layer_of(graph, node, options);
    box->contracts |= (node->op->traits & TG_CONTRACTION) != 0;
    b->box_of[node->id] = at;
}

static void mark_kept(tg_dot_boxes *b, const tg_graph *graph)
{
    for (int32_t id = 0; id < b->nodes; id++) {
        const tg_node *node = tg_graph_node(graph, id);
        for (int32_t i = 0; i < node->n_inputs && node->forward >= 0; i++) {
            tg_dot_box *from = b->box_of[node->inputs[i]] >= 0 ? &b->boxes[b->box_of[node->inputs[i]]] : NULL;
            if (from && tg_graph_node(graph, node->inputs[i])->forward < 0 && from->role == TG_DOT_FORWARD)
                from->kept = true;
        }
    }
}

bool tg_dot_boxes_make(tg_dot_boxes *b, const tg_graph *graph, const tg_dot_options *options)
{
    size_t n = (size_t)tg_graph_count(graph);
    *b = (tg_dot_boxes){.nodes = (int32_t)n, .bytes = n * (sizeof(tg_dot_box) + 5 * sizeof(int32_t) + 1)};
    b->memory = tg_allocate(tg_graph_context(graph), b->bytes);
    if (!b->memory)
        return false;
    b->boxes = b->memory;
    b->box_of = (int32_t *)(b->boxes + n);
    b->next = b->box_of + n;
    b->targets = b->next + n;
    b->lookup = b->targets + n;
    b->marks = (uint8_t *)(b->lookup + 2 * n);
    memset(b->next, 0xff, n * sizeof *b->next);
    memset(b->lookup, 0xff, 2 * n * sizeof *b->lookup);
    memset(b->marks, 0, n);
    mark_updates(b, graph);
    find_targets(b, graph);
    for (int32_t id = 0; id < b->nodes; id++) {
        const tg_node *node = tg_graph_node(graph, id);
        double scalar;
        b->box_of[id] = -1;
        if (!(b->marks[id] & USED) || !tg_node_scalar(node, &scalar))
            add_node(b, graph, node, options);
    }
    mark_kept(b, graph);
    return true;
}

void tg_dot_boxes_free(tg_dot_boxes *b, const tg_graph *graph) { tg_release(tg_graph_context(graph), b->memory, b->bytes); }
