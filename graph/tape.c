#include "graph/tape.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "graph/safe_text.h"
#include "graph/tape_internal.h"

#define ARENA_BLOCK ((size_t)1 << 14)

tg_graph *tg_graph_new(tg_variables *variables, tg_mode mode)
{
    tg_context *context = variables ? tg_variables_context(variables) : NULL;
    tg_graph *graph = context ? tg_allocate_zero(context, sizeof *graph) : NULL;
    if (!graph)
        return NULL;
    graph->variables = variables;
    graph->context = context;
    graph->mode = mode;
    graph->scope = "";
    graph->origin_forward = -1;
    return graph;
}

static void drop(tg_shared *shared)
{
    if (atomic_fetch_sub(&shared->graphs, 1) == 1)
        tg_release(shared->context, shared, shared->bytes);
}

void tg_graph_free(tg_graph *graph)
{
    if (!graph)
        return;
    tg_context *context = graph->context;
    for (int32_t i = 0; i < graph->shared.count; i++)
        drop(graph->shared.at[i]);
    for (tg_arena_block *block = graph->arena, *next; block; block = next) {
        next = block->next;
        tg_release(context, block, block->size);
    }
    tg_release(context, graph->nodes.at, (size_t)graph->nodes.capacity * sizeof *graph->nodes.at);
    tg_release(context, graph->layers.at, (size_t)graph->layers.capacity * sizeof *graph->layers.at);
    tg_release(context, graph->shared.at, (size_t)graph->shared.capacity * sizeof *graph->shared.at);
    tg_name_map_free(&graph->names, context);
    tg_release(context, graph, sizeof *graph);
}

void *tg_graph_allocate(tg_graph *graph, size_t bytes)
{
    tg_arena_block *block = graph->arena;
    size_t header = (sizeof *block + 63) & ~(size_t)63;
    size_t start = block ? (block->used + (bytes >= 64 ? 63 : 15)) & ~(size_t)(bytes >= 64 ? 63 : 15) : 0;
    if (!block || start > block->size || bytes > block->size - start) {
        size_t size = bytes > ARENA_BLOCK - header ? header + bytes : ARENA_BLOCK;
        block = size > bytes ? tg_allocate(graph->context, size) : NULL;
        if (!block) {
            tg_graph_fail(graph, (tg_where){NULL, 0}, "out of memory while recording (%zu bytes)", bytes);
            return NULL;
        }
        *block = (tg_arena_block){.next = graph->arena, .size = size, .used = header};
        graph->arena = block;
        start = header;
    }
    block->used = start + bytes;
    return (char *)block + start;
}

const char *tg_graph_string(tg_graph *graph, const char *text)
{
    size_t length = strlen(text) + 1;
    char *copy = tg_graph_allocate(graph, length);
    return copy ? memcpy(copy, text, length) : NULL;
}

/* Makes room for one more pointer. */
static bool widen(tg_graph *graph, tg_list *list)
{
    int32_t capacity = tg_capacity_for_one_more(graph->context, list->count, list->capacity);
    if (capacity == list->capacity)
        return true;
    void **wider = capacity ? tg_allocate(graph->context, (size_t)capacity * sizeof *wider) : NULL;
    if (!wider)
        return false;
    if (list->count)
        memcpy(wider, list->at, (size_t)list->count * sizeof *wider);
    tg_release(graph->context, list->at, (size_t)list->capacity * sizeof *wider);
    list->at = wider;
    list->capacity = capacity;
    return true;
}

static bool push(tg_graph *graph, tg_list *list, void *item)
{
    if (!widen(graph, list)) {
        tg_graph_fail(graph, (tg_where){NULL, 0}, "out of memory while recording (node %d)", graph->nodes.count);
        return false;
    }
    list->at[list->count++] = item;
    return true;
}

void *tg_graph_append(tg_graph *graph, tg_list *list, const void *item, size_t bytes)
{
    void *copy = tg_graph_allocate(graph, bytes);
    return copy && push(graph, list, memcpy(copy, item, bytes)) ? copy : NULL;
}

/* A constant's bytes with one claim on them. */
static tg_shared *share(tg_graph *graph, const tg_record *record)
{
    tg_shared *shared = record->copies ? (tg_shared *)record->attributes - 1 : NULL;
    if (shared && shared->context == graph->context) {
        atomic_fetch_add(&shared->graphs, 1);
        return shared;
    }
    size_t bytes = sizeof *shared + record->attribute_bytes;
    shared = bytes > record->attribute_bytes ? tg_allocate(graph->context, bytes) : NULL;
    if (!shared) {
        tg_graph_fail(graph, (tg_where){NULL, 0}, "out of memory while recording (%zu bytes)", record->attribute_bytes);
        return NULL;
    }
    atomic_init(&shared->graphs, 1);
    shared->context = graph->context;
    shared->bytes = bytes;
    memcpy(shared + 1, record->attributes, record->attribute_bytes);
    return shared;
}

const void *tg_graph_attributes(tg_graph *graph, const tg_record *record)
{
    if (record->op == &tg_op_constant && record->attribute_bytes >= TG_LEAST_SHARED) {
        tg_shared *shared = share(graph, record);
        if (shared && push(graph, &graph->shared, shared))
            return shared + 1;
        if (shared)
            drop(shared);
        return NULL;
    }
    void *copy = tg_graph_allocate(graph, record->attribute_bytes);
    return copy && record->attribute_bytes ? memcpy(copy, record->attributes, record->attribute_bytes) : copy;
}

const char *tg_graph_error(const tg_graph *graph)
{
    if (!graph)
        return "there is no graph: tg_graph_new() had no variables or no memory (of a context, tg_context_explain() tells why)";
    return graph->failed ? graph->error : NULL;
}

tg_tensor tg_graph_fail(tg_graph *graph, tg_where where, const char *format, ...)
{
    if (!graph)
        return tg_none();
    if (!graph->failed) {
        va_list arguments;
        va_start(arguments, format);
        tg_vmessage(graph->error, sizeof graph->error, format, arguments);
        va_end(arguments);
        graph->failed = true;
        if (graph->has_origin)
            where = graph->origin_where;
        size_t at = strlen(graph->error);
        if (where.file)
            snprintf(graph->error + at, sizeof graph->error - at, " (%s:%d)", where.file, where.line);
    }
    return (tg_tensor){graph, -1};
}

tg_variables *tg_graph_variables(const tg_graph *graph) { return graph ? graph->variables : NULL; }

tg_context *tg_graph_context(const tg_graph *graph) { return graph ? graph->context : NULL; }

tg_mode tg_graph_mode(const tg_graph *graph) { return graph ? graph->mode : TG_EVALUATION; }

int32_t tg_graph_count(const tg_graph *graph) { return graph ? graph->nodes.count : 0; }

const tg_node *tg_graph_node(const tg_graph *graph, int32_t id)
{
    return id >= 0 && id < tg_graph_count(graph) ? tg_graph_own(graph, id) : NULL;
}

bool tg_ok(tg_tensor tensor)
{
    return tensor.graph && !tensor.graph->failed && tensor.id >= 0 && tensor.id < tensor.graph->nodes.count;
}

tg_tensor tg_none(void) { return (tg_tensor){NULL, -1}; }

const tg_node *tg_tensor_node(tg_tensor tensor) { return tg_graph_node(tensor.graph, tensor.id); }

tg_type tg_tensor_type(tg_tensor tensor)
{
    const tg_node *node = tg_tensor_node(tensor);
    return node ? node->type : (tg_type){.dtype = TG_F32};
}

tg_shape tg_tensor_shape(tg_tensor tensor) { return tg_tensor_type(tensor).shape; }

tg_dtype tg_tensor_dtype(tg_tensor tensor) { return tg_tensor_type(tensor).dtype; }

tg_tensor tg_name(tg_tensor tensor, const char *name)
{
    if (!tg_ok(tensor))
        return tensor;
    const char *copy = tg_graph_string(tensor.graph, name);
    if (!copy)
        return (tg_tensor){tensor.graph, -1};
    tg_graph_own(tensor.graph, tensor.id)->name = copy;
    return tensor;
}

tg_tensor tg_keep(tg_tensor tensor)
{
    if (tg_ok(tensor))
        tg_graph_own(tensor.graph, tensor.id)->keep = true;
    return tensor;
}

/* "kind:name" in a buffer of the caller's, or NULL if it does not fit. */
static char *claim_key(char key[512], const char *kind, const char *name)
{
    int length = snprintf(key, 512, "%s:%s", kind, name);
    return length > 0 && length < 512 ? key : NULL;
}

int32_t tg_graph_find_name(const tg_graph *graph, const char *kind, const char *name)
{
    char key[512];
    return claim_key(key, kind, name) ? tg_name_map_find(&graph->names, key) : -1;
}

bool tg_graph_add_name(tg_graph *graph, const char *kind, const char *name, int32_t value)
{
    char key[512];
    if (!claim_key(key, kind, name)) {
        tg_graph_fail(graph, (tg_where){NULL, 0}, "the name of a %s is longer than 500 characters", kind);
        return false;
    }
    const char *copy = tg_graph_string(graph, key);
    if (copy && tg_name_map_add(&graph->names, graph->context, copy, value))
        return true;
    tg_graph_fail(graph, (tg_where){NULL, 0}, "out of memory while recording the name of a %s", kind);
    return false;
}

bool tg_graph_claim_name(tg_graph *graph, tg_where where, const char *kind, const char *name)
{
    if (graph->failed)
        return false;
    if (tg_graph_find_name(graph, kind, name) >= 0) {
        tg_graph_fail(graph, where, "%s \"%s\" exists already in this graph: give it another name", kind, name);
        return false;
    }
    return tg_graph_add_name(graph, kind, name, 0);
}
