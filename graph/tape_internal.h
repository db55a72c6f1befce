/* The graph object, shared by the files of this floor. */
#ifndef TG_GRAPH_TAPE_INTERNAL_H
#define TG_GRAPH_TAPE_INTERNAL_H

#include "graph/name_map.h"
#include "graph/rebuild.h"

#define TG_MAX_LAYER_DEPTH 32

/* A stretch of memory that is given out from its start and freed with the graph. */
typedef struct tg_arena_block {
    struct tg_arena_block *next;
    size_t size, used; /* with this header */
} tg_arena_block;

typedef struct tg_open_layer {
    int32_t index;     /* in the list of layers */
    const char *scope; /* to go back to */
} tg_open_layer;

struct tg_graph {
    tg_variables *variables;
    tg_context *context;
    tg_mode mode;
    tg_node *nodes;
    int32_t count, capacity;
    tg_layer_info *layers;
    int32_t layer_count, layer_capacity;
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

/* An input's slot, shared by every copy of the node. */
typedef struct tg_input_slot {
    const void *values;
} tg_input_slot;

/* A node ready to be appended. */
typedef struct tg_record {
    const tg_op *op;
    tg_type type;
    const tg_tensor *inputs;
    int32_t n_inputs;
    const void *attributes;
    size_t attribute_bytes;
    const char *name; /* in memory that outlives the graph */
} tg_record;

/** Asks the recorder, or else appends. Poisoned (and the graph's error set) if memory is out. */
tg_tensor tg_graph_record(tg_graph *graph, tg_where where, const tg_record *record);
/** A string in the graph's memory; NULL (and the graph's error) if memory is out. */
const char *tg_graph_string(tg_graph *graph, const char *text);
/** Grows an array of `*capacity` elements so that one more than `count` fits. False (and the graph's error) if memory is out. */
bool tg_graph_grow(tg_graph *graph, void **array, int32_t count, int32_t *capacity, size_t element);
/** Stores a value for "kind:name". False (and the graph's error) if memory is out. */
bool tg_graph_add_name(tg_graph *graph, const char *kind, const char *name, int32_t value);

#endif
