/* The tape: a graph is an append-only list of nodes in topological order; a tensor is a handle to one of them. */
#ifndef TG_GRAPH_TAPE_H
#define TG_GRAPH_TAPE_H

#include "graph/variables.h"

TG_BEGIN_DECLS

typedef struct tg_graph tg_graph;
typedef struct tg_node tg_node;
typedef struct tg_op tg_op;

/** A value on a tape. Poisoned (id < 0) after an error; every op takes a poisoned one and returns one. */
typedef struct tg_tensor {
    tg_graph *graph;
    int32_t id; /**< the node's position on the tape */
} tg_tensor;

/** The place in the user's code that recorded a node. `file` must outlive the graph (a string literal does). */
typedef struct tg_where {
    const char *file;
    int line;
} tg_where;

#ifdef __cplusplus
#define TG_HERE (tg_where{__FILE__, __LINE__})
#else
#define TG_HERE ((tg_where){__FILE__, __LINE__})
#endif

typedef enum tg_mode {
    TG_TRAINING,  /**< dropout drops */
    TG_EVALUATION /**< dropout records nothing */
} tg_mode;

/** One node as it stands on the tape. Read it, do not write it. It stays where it is until the graph is freed, whatever is recorded. */
struct tg_node {
    const tg_op *op;
    int32_t id;
    int32_t n_inputs;
    const int32_t *inputs;
    tg_type type;
    const void *attributes; /**< the op's own struct, or NULL; valid until the graph is freed */
    size_t attribute_bytes;
    const char *name;  /**< what tg_name() or the leaf gave, or NULL */
    const char *scope; /**< the layer it was recorded in, such as "dense_1", or "" */
    tg_where where;    /**< for a gradient node: its forward node's */
    int32_t forward;   /**< the forward node whose gradient rule recorded this one, or -1 */
    bool keep;         /**< tg_keep() was called on it */
};

/** A graph on a store of variables. NULL if memory is out or the store is NULL: so one test suffices for context, store and graph. Free before the store. */
TG_API tg_graph *tg_graph_new(tg_variables *variables, tg_mode mode);
TG_API void tg_graph_free(tg_graph *graph);

/** The first mistake, as one sentence with op, shapes and the user's file:line; NULL while there is none. It never goes away.
    Of NULL: a sentence that there is no graph, so that what records, compiles and then asks needs no other test. */
TG_API const char *tg_graph_error(const tg_graph *graph);
/** Sets the graph's error, unless it has one. Returns a poisoned handle on it, so that a rule can return it. */
TG_API tg_tensor tg_graph_fail(tg_graph *graph, tg_where where, const char *format, ...) TG_PRINTF(3, 4);

/** Of NULL these give NULL, TG_EVALUATION and 0. */
TG_API tg_variables *tg_graph_variables(const tg_graph *graph);
TG_API tg_context *tg_graph_context(const tg_graph *graph);
TG_API tg_mode tg_graph_mode(const tg_graph *graph);
TG_API int32_t tg_graph_count(const tg_graph *graph);
/** The node with this id. NULL if there is none. */
TG_API const tg_node *tg_graph_node(const tg_graph *graph, int32_t id);

/** Whether the handle names a node of a graph without error. */
TG_API bool tg_ok(tg_tensor tensor);
/** A poisoned handle on no graph: "no tensor". */
TG_API tg_tensor tg_none(void);
/** The handle's node, or NULL if it is poisoned. */
TG_API const tg_node *tg_tensor_node(tg_tensor tensor);
/** dtype and shape; a poisoned handle has an f32 scalar's. */
TG_API tg_type tg_tensor_type(tg_tensor tensor);
TG_API tg_shape tg_tensor_shape(tg_tensor tensor);
TG_API tg_dtype tg_tensor_dtype(tg_tensor tensor);

/** A placeholder that tg_feed() fills. Names of inputs are unique in a graph. dtype may be TG_FLOAT. */
TG_API tg_tensor tg_input_at(tg_where where, tg_graph *graph, const char *name, tg_dtype dtype, tg_shape shape);
#define tg_input(...) tg_input_at(TG_HERE, __VA_ARGS__)

/** A tensor with fixed values, which are copied: `bytes` is their exact size in `dtype` (not TG_FLOAT). */
TG_API tg_tensor tg_constant_at(tg_where where, tg_graph *graph, tg_dtype dtype, tg_shape shape, const void *values,
                                size_t bytes);
#define tg_constant(...) tg_constant_at(TG_HERE, __VA_ARGS__)

/** A constant scalar on `like`'s graph, of `like`'s dtype (value must be exact there if that is an integer). */
TG_API tg_tensor tg_scalar_at(tg_where where, tg_tensor like, double value);
#define tg_scalar(...) tg_scalar_at(TG_HERE, __VA_ARGS__)

/** The value that a variable of the store has when the run starts; created with `init` if the store has none of that name.
    The full name is the open layer's scope, "/" and `name`. Asking twice for a name in one graph is an error, unless in
    tg_shared_variable(), which gives the node that is there already. dtype may be TG_FLOAT. */
TG_API tg_tensor tg_variable_at(tg_where where, tg_graph *graph, const char *name, tg_dtype dtype, tg_shape shape, tg_init init);
#define tg_variable(...) tg_variable_at(TG_HERE, __VA_ARGS__)
TG_API tg_tensor tg_shared_variable_at(tg_where where, tg_graph *graph, const char *name, tg_dtype dtype, tg_shape shape,
                                       tg_init init);
#define tg_shared_variable(...) tg_shared_variable_at(TG_HERE, __VA_ARGS__)
/** A variable that no optimizer touches: a moment, a counter, a metric's sum. */
TG_API tg_tensor tg_state_at(tg_where where, tg_graph *graph, const char *name, tg_dtype dtype, tg_shape shape, tg_init init);
#define tg_state(...) tg_state_at(TG_HERE, __VA_ARGS__)

/** What a node that is a variable reads from the store; NULL for any other node. */
TG_API const tg_variable_info *tg_node_variable(const tg_graph *graph, const tg_node *node);

/** Gives an input values for every plan of the graph that is not fed others; the pointer is borrowed until the graph is freed. */
TG_API TG_MUST_USE tg_status tg_bind(tg_tensor input, const void *values, size_t bytes);
/** What tg_bind() gave an input, or NULL. */
TG_API const void *tg_bound(const tg_graph *graph, const tg_node *node);

/** Names a node for tables, pictures and messages. Returns it. */
TG_API tg_tensor tg_name(tg_tensor tensor, const char *name);
/** Asks every plan to hold this tensor's values after a run, whatever fusion and memory reuse would do. Returns it. */
TG_API tg_tensor tg_keep(tg_tensor tensor);

/* Layers: named stretches of the tape. */

/** A layer, as a summary shows it. */
typedef struct tg_layer_info {
    const char *kind;    /**< "Dense" */
    const char *name;    /**< "dense_1" */
    int32_t first, last; /**< ids of the nodes recorded in it: [first, last) */
    int32_t output;      /**< id of the node it produced, or -1 */
} tg_layer_info;

/** Opens a layer; nodes and variables recorded until tg_layer_end() carry its scope. Layers nest: scopes join with "/".
    `name` NULL: the kind in snake case, numbered as Keras does ("dense", "dense_1"). A name used twice is an error, unless `shared`. */
TG_API void tg_layer_begin_at(tg_where where, tg_graph *graph, const char *kind, const char *name, bool shared);
#define tg_layer_begin(...) tg_layer_begin_at(TG_HERE, __VA_ARGS__)
/** Closes the innermost layer of output's graph, whose output is `output`. Returns `output`. A poisoned one closes it too; tg_none() has
    no graph, so it closes nothing: tg_minimize() and models refuse a graph with a layer that is still open, and name it. */
TG_API tg_tensor tg_layer_end(tg_tensor output);
TG_API int tg_graph_layer_count(const tg_graph *graph);
/** NULL if there is none. It stays where it is until the graph is freed. */
TG_API const tg_layer_info *tg_graph_layer(const tg_graph *graph, int i);

TG_END_DECLS

#endif
