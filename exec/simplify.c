#include <string.h>

#include "exec/passes.h"

/* Rules record through the public ops, whose nodes are rewritten in turn: to this depth. */
#define MAX_DEPTH 64
#define FIRST_SLOTS 256
#define HASHED_BYTES 4096 /* of attributes; a large constant's are compared in full, but only where these are equal */

/* Every node of the new graph by its hash, and what became of each that was rewritten: without that, a rule that goes on to both operands
   would do so twice as often with each step down a chain of x = f(x) + g(x). Open addressing, at most half full. */
typedef struct table {
    struct slot {
        uint64_t hash;
        const tg_node *rewritten; /* what stands for it now; NULL: it stands itself */
        int32_t id;               /* + 1; 0: empty */
    } * slots;
    int64_t capacity, count;
} table;

typedef struct simplifier {
    tg_context *context;
    table nodes;
    bool rounds;
    tg_rule_watch watch;
    int depth;
} simplifier;

static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0x9E3779B97F4A7C15u;
    return hash ^ hash >> 32;
}

static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    uint64_t word = 0;
    for (; size >= 8; size -= 8, at += 8) {
        memcpy(&word, at, 8);
        hash = mix(hash, word);
    }
    word = 0;
    memcpy(&word, at, size);
    return mix(hash, word);
}

static uint64_t hash_args(const tg_rewrite_args *args)
{
    uint64_t hash = mix((uint64_t)(uintptr_t)args->op, args->attribute_bytes);
    for (int32_t i = 0; i < args->n_inputs; i++)
        hash = mix(hash, (uint64_t)args->inputs[i].id);
    size_t bytes = args->attribute_bytes < HASHED_BYTES ? args->attribute_bytes : HASHED_BYTES;
    return bytes ? hash_bytes(hash, args->attributes, bytes) : hash;
}

static bool is_node(const tg_rewrite_args *args, const tg_node *node)
{
    if (node->op != args->op || node->n_inputs != args->n_inputs || node->attribute_bytes != args->attribute_bytes ||
        !tg_type_equal(node->type, args->type))
        return false;
    for (int32_t i = 0; i < node->n_inputs; i++)
        if (node->inputs[i] != args->inputs[i].id)
            return false;
    return args->attribute_bytes == 0 || node->attributes == args->attributes ||
           memcmp(node->attributes, args->attributes, args->attribute_bytes) == 0;
}

/* The slot of a node equal to `args`, or the empty one where it belongs. */
static struct slot *find(const table *nodes, const tg_rewrite_args *args, uint64_t hash)
{
    int64_t mask = nodes->capacity - 1, i = (int64_t)(hash & (uint64_t)mask);
    while (nodes->slots[i].id && (nodes->slots[i].hash != hash ||
                                  !is_node(args, nodes->slots[i].rewritten ? nodes->slots[i].rewritten
                                                                           : tg_graph_node(args->graph, nodes->slots[i].id - 1))))
        i = (i + 1) & mask;
    return &nodes->slots[i];
}

/* A node as it would have been recorded, in the graph's memory. NULL, and the graph's error, if memory is out. */
static const tg_node *remember(const tg_rewrite_args *args)
{
    tg_node *node = tg_graph_allocate(args->graph, sizeof *node);
    int32_t *inputs = tg_graph_allocate(args->graph, (size_t)args->n_inputs * sizeof *inputs);
    void *attributes = tg_graph_allocate(args->graph, args->attribute_bytes);
    if (!node || !inputs || !attributes)
        return NULL;
    for (int32_t i = 0; i < args->n_inputs; i++)
        inputs[i] = args->inputs[i].id;
    if (args->attribute_bytes)
        memcpy(attributes, args->attributes, args->attribute_bytes);
    *node = (tg_node){.op = args->op,
                      .n_inputs = args->n_inputs,
                      .inputs = inputs,
                      .type = args->type,
                      .attributes = attributes,
                      .attribute_bytes = args->attribute_bytes};
    return node;
}

static bool grow(simplifier *self)
{
    table *nodes = &self->nodes, wider = {.capacity = nodes->capacity ? 2 * nodes->capacity : FIRST_SLOTS, .count = nodes->count};
    wider.slots = tg_allocate_zero(self->context, (size_t)wider.capacity * sizeof *wider.slots);
    if (!wider.slots)
        return false;
    for (int64_t i = 0; i < nodes->capacity; i++) {
        if (!nodes->slots[i].id)
            continue;
        int64_t at = (int64_t)(nodes->slots[i].hash & (uint64_t)(wider.capacity - 1));
        while (wider.slots[at].id)
            at = (at + 1) & (wider.capacity - 1);
        wider.slots[at] = nodes->slots[i];
    }
    tg_release(self->context, nodes->slots, (size_t)nodes->capacity * sizeof *nodes->slots);
    *nodes = wider;
    return true;
}

/* What the first rule that applies makes of the node, or tg_none(). */
static tg_tensor rewrite(simplifier *self, const tg_rewrite_args *args)
{
    if (self->depth == MAX_DEPTH)
        return tg_none();
    for (int32_t i = 0; i < args->op->n_rewrites; i++) {
        const tg_rewrite_rule *rule = &args->op->rewrites[i];
        if ((rule->kind != TG_EXACT && !self->rounds) || (self->watch.allows && !self->watch.allows(self->watch.user, rule)))
            continue;
        self->depth++;
        tg_tensor result = rule->apply(args);
        self->depth--;
        if (result.id < 0 && !tg_graph_error(args->graph))
            continue;
        if (self->watch.applied && result.id >= 0)
            self->watch.applied(self->watch.user, rule);
        if (result.id >= 0 && !tg_type_equal(tg_tensor_type(result), args->type))
            return tg_graph_fail(args->graph, (tg_where){NULL, 0}, "%s: the rewrite rule \"%s\" changes the result's type",
                                 args->op->name, rule->name);
        return result;
    }
    return tg_none();
}

static tg_tensor record(void *user, const tg_rewrite_args *args)
{
    simplifier *self = user;
    if (args->op->traits & TG_EFFECT)
        return tg_none();
    if (2 * self->nodes.count >= self->nodes.capacity && !grow(self))
        return tg_graph_fail(args->graph, (tg_where){NULL, 0}, "out of memory while simplifying");
    uint64_t hash = hash_args(args);
    struct slot *slot = find(&self->nodes, args, hash);
    if (slot->id)
        return (tg_tensor){args->graph, slot->id - 1};
    tg_tensor better = rewrite(self, args);
    const tg_node *rewritten = better.id >= 0 ? remember(args) : NULL;
    if (tg_graph_error(args->graph))
        return better;
    /* The rules may have recorded nodes before they declined. */
    if (2 * self->nodes.count >= self->nodes.capacity && !grow(self))
        return tg_graph_fail(args->graph, (tg_where){NULL, 0}, "out of memory while simplifying");
    struct slot *place = find(&self->nodes, args, hash);
    if (place->id) /* a rule's own recursion came by it */
        return better.id >= 0 ? better : (tg_tensor){args->graph, place->id - 1};
    *place = (struct slot){hash, rewritten, 1 + (rewritten ? better.id : tg_graph_count(args->graph))};
    self->nodes.count++;
    return better;
}

tg_graph *tg_pass_simplify(tg_pass_source source, bool rounds, const tg_rule_watch *watch, int32_t *map)
{
    simplifier self = {.context = tg_graph_context(source.graph), .rounds = rounds};
    if (watch)
        self.watch = *watch;
    tg_graph *simple = tg_pass_copy(source, record, &self, map);
    tg_release(self.context, self.nodes.slots, (size_t)self.nodes.capacity * sizeof *self.nodes.slots);
    return simple;
}
