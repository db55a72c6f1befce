/* Inside the library: how drivers and passes record on behalf of nodes that exist already. */
#ifndef TG_GRAPH_REBUILD_H
#define TG_GRAPH_REBUILD_H

#include "graph/op.h"

TG_BEGIN_DECLS

/** While an origin is set, recorded nodes take where and scope (and, if `as_gradient`, the forward link) from that node of
    `source` instead of from the call. origin -1 ends it. */
void tg_graph_set_origin(tg_graph *graph, const tg_graph *source, int32_t origin, bool as_gradient);

/** A recorder is asked before tg_apply() appends a node; it returns the tensor to use instead, or tg_none() to append. */
typedef tg_tensor (*tg_recorder)(void *user, const tg_rewrite_args *args);
void tg_graph_set_recorder(tg_graph *graph, tg_recorder recorder, void *user);

/** An empty graph on the same variables and mode, for a pass to rebuild into. */
tg_graph *tg_graph_new_like(const tg_graph *graph);
/** Records `node` of `source` with other inputs: same op, attributes, name, keep, place. Leaves keep their variable and binding; the
    graphs share a large constant's bytes, which live as long as one of them. */
tg_tensor tg_graph_copy_node(tg_graph *graph, const tg_graph *source, const tg_node *node, const tg_tensor *inputs);
/** Once all nodes are copied: copies the layers and maps their node ranges, and the gradient nodes' forward links, by
    map[id of source] = id of graph or -1. A gradient node whose forward node is gone links to itself. */
void tg_graph_copy_layers(tg_graph *graph, const tg_graph *source, const int32_t *map);

/** Memory that lives as long as the graph; NULL (and the graph's error set) if it is out. */
void *tg_graph_allocate(tg_graph *graph, size_t bytes);

/** The leaves' entries, for passes that must tell them apart. */
extern const tg_op tg_op_input, tg_op_variable, tg_op_constant;
/** A constant's bytes; NULL if the node is none. */
const void *tg_node_constant(const tg_node *node);
/** Whether the node is a constant of one element; its value. */
bool tg_node_scalar(const tg_node *node, double *value);

/** Whether all layers are closed; else that is the graph's error. */
bool tg_graph_expect_closed(tg_graph *graph);
/** The open layer's scope, "" outside of any; valid until the graph is freed. */
const char *tg_graph_scope(const tg_graph *graph);
/** "scope/name" in the graph's memory, or `name` alone outside of any layer; NULL (and the graph's error) if memory is out. */
const char *tg_graph_scoped(tg_graph *graph, const char *name);
/** Claims a name of a kind ("variable", "assign", ...): false, and the graph's error, if it was claimed before. */
bool tg_graph_claim_name(tg_graph *graph, tg_where where, const char *kind, const char *name);
/** The value claimed for a name of a kind (0 by tg_graph_claim_name()), or -1. */
int32_t tg_graph_find_name(const tg_graph *graph, const char *kind, const char *name);

/** Whether all values that `init` may give are values of the dtype. */
bool tg_init_fits(tg_init init, tg_dtype dtype);

/** What all of some numbers lie between. */
typedef struct tg_interval {
    double low, high;
} tg_interval;

/** Where a variable's value lies, for whoever holds the store: to write if it writes. */
void *tg_variable_data(const tg_variable_info *info);
/** tg_variables_allows_nonfinite(). */
bool tg_variable_allows_nonfinite(const tg_variable_info *info);
/** Tells the store that any value may have been changed in place. */
void tg_variables_touch(tg_variables *variables);

/** A run's locks on a store: a plan that assigns writes, others read. */
void tg_variables_lock(tg_variables *variables, bool write);
/** With the lock to write: this variable's value is another from the next generation on, which the caller begins. */
void tg_variables_note(tg_variables *variables, const tg_variable_info *info);
/** With the lock to write: what a variable's values lie between, NaN if one of them is. Measured if nothing is known of the value
    that it has now, or if `exact`; else perhaps wider. */
tg_interval tg_variables_bounds(tg_variables *variables, const tg_variable_info *info, bool exact);
/** After tg_variables_note(): what the new values lie between. */
void tg_variables_set_bounds(tg_variables *variables, const tg_variable_info *info, tg_interval bounds);
/** The generation in which this variable's value may last have changed. */
uint64_t tg_variables_changed(const tg_variables *variables, const tg_variable_info *info);
/** `committed`: the step and the generation advance by one. */
void tg_variables_unlock(tg_variables *variables, bool committed);

/** What exec attaches to a context: created at first use, freed with it. */
typedef struct tg_attachment {
    void *object;
    void (*release)(void *object);
} tg_attachment;
typedef enum tg_slot { TG_SLOT_TEAM, TG_SLOT_WORKSPACE, TG_SLOT_COUNT } tg_slot;
/** Calls `create` under the context's lock if the slot is empty. NULL if it failed. */
void *tg_context_attach(tg_context *context, tg_slot slot, tg_attachment (*create)(tg_context *context));
/** The capacity that an array of `count` elements needs before one more is appended: another than `capacity` where the array must
    move, which with the option move_arrays it always must. 0: there can be none. */
int32_t tg_capacity_for_one_more(const tg_context *context, int32_t count, int32_t capacity);
/** What the context was created with. */
const tg_context_options *tg_context_settings(const tg_context *context);

TG_END_DECLS

#endif
