/* The graph object, shared by the files of this floor. */
#ifndef TG_GRAPH_TAPE_INTERNAL_H
#define TG_GRAPH_TAPE_INTERNAL_H

#include <stdatomic.h>

#include "graph/name_map.h"
#include "graph/rebuild.h"

#define TG_MAX_LAYER_DEPTH 32

/* A stretch of memory that is given out from its start and freed with the graph. */
typedef struct tg_arena_block {
    struct tg_arena_block *next;
    size_t size, used; /* with this header */
} tg_arena_block;

/* Pointers to what never moves, in an array that may. */
typedef struct tg_list {
    void **at;
    int32_t count, capacity;
} tg_list;

typedef struct tg_open_layer {
    tg_layer_info *layer; /* NULL after an error */
    const char *scope;    /* to go back to */
    tg_where where;
} tg_open_layer;

struct tg_graph {
    tg_variables *variables;
    tg_context *context;
    tg_mode mode;
    tg_list nodes;  /* of tg_node, which lie in the arena: their addresses hold until the graph is freed */
    tg_list layers; /* of tg_layer_info, likewise */
    tg_list shared; /* of tg_shared, on each of which the graph has one claim */
    tg_open_layer open[TG_MAX_LAYER_DEPTH];
    int32_t depth;
    const char *scope;
    tg_name_map names; /* "kind:name" -> node id or 0 */
    tg_arena_block *arena;
    bool has_origin;
    tg_where origin_where;
    const char *origin_scope;
    int32_t origin_forward;
    tg_recorder recorder;
    void *recorder_user;
    bool failed;
    char error[1024];
};

/* Bytes of a large constant, which the graphs that rebuild it share: they follow this header, and go with the last graph. */
typedef struct tg_shared {
    _Alignas(64) atomic_int graphs;
    tg_context *context;
    size_t bytes; /* with this header */
} tg_shared;
#define TG_LEAST_SHARED ((size_t)256) /* bytes; smaller ones are copied */

/* An input's slot, shared by every copy of the node. */
typedef struct tg_input_slot {
    const void *values;
} tg_input_slot;

/** The node with an id that there is. */
static inline tg_node *tg_graph_own(const tg_graph *graph, int32_t id) { return graph->nodes.at[id]; }

/* A node ready to be appended. */
typedef struct tg_record {
    const tg_op *op;
    tg_type type;
    const tg_tensor *inputs;
    int32_t n_inputs;
    const void *attributes;
    size_t attribute_bytes;
    bool copies;      /* the attributes are a node's, of this graph or another */
    const char *name; /* in memory that outlives the graph */
} tg_record;

/** Asks the recorder, or else appends. Poisoned (and the graph's error set) if memory is out. */
tg_tensor tg_graph_record(tg_graph *graph, tg_where where, const tg_record *record);
/** A string in the graph's memory; NULL (and the graph's error) if memory is out. */
const char *tg_graph_string(tg_graph *graph, const char *text);
/** A copy of `bytes` in the graph's memory, appended to one of its lists; NULL (and the graph's error) if memory is out. */
void *tg_graph_append(tg_graph *graph, tg_list *list, const void *item, size_t bytes);
/** The record's attributes in memory that lives as long as the graph: a copy, or a share. NULL (and the graph's error) if memory is out. */
const void *tg_graph_attributes(tg_graph *graph, const tg_record *record);
/** Stores a value for "kind:name". False (and the graph's error) if memory is out. */
bool tg_graph_add_name(tg_graph *graph, const char *kind, const char *name, int32_t value);

#endif
