/* Random graphs of the library's ops: extents 0, 1 and odd, ranks 0 to 5, with gradients. One compiler's program makes the
   same graph of a seed; another may draw in another order. */
#ifndef TG_TESTS_ANY_GRAPH_H
#define TG_TESTS_ANY_GRAPH_H

#include "autodiff/autodiff.h"
#include "exec/plan.h"
#include "ops/ops.h"

enum { ANY_LEAVES = 4, ANY_POOL = 12, ANY_ROOTS = 16, ANY_MAX_ELEMENTS = 420 };

/** What a graph's values are, and with them which ops it has. */
typedef enum any_kind {
    ANY_WHOLE,  /**< small whole numbers, ops that keep sums and products exact for a while: any order gives the same */
    ANY_REAL,   /**< any op, values with ties, zeros and tiny ones */
    ANY_SMOOTH, /**< ops that are differentiable: what rounds otherwise gives nearly the same */
    ANY_KINDS
} any_kind;

/** Tensors of one dtype that later ops may read. */
typedef struct any_pool {
    tg_tensor at[ANY_POOL];
    int n;
} any_pool;

typedef struct any_graph {
    uint64_t seed, drawn;
    any_kind kind;
    tg_graph *graph;
    any_pool floats, whole, bytes; /**< of the working float, i32, u8 */
    tg_tensor leaves[ANY_LEAVES];  /**< inputs of the working float; the last one is a variable "w" */
    void *data[ANY_LEAVES];
    tg_tensor roots[ANY_ROOTS];
    int n_roots, names;
} any_graph;

/** Records some ops, gradients of a sum of results in all leaves, and an assignment to a state "s". */
any_graph any_graph_make(tg_variables *variables, uint64_t seed);
/** Writes what the graph was made with to the store: call it before each run, which assigns. */
void any_graph_reset(const any_graph *g, tg_variables *variables);
void any_graph_free(any_graph *g);

/* For its parts. */

uint32_t any_below(any_graph *g, uint32_t n);
int64_t any_extent(any_graph *g);
tg_shape any_shape(any_graph *g);
/** One of the pool, the latest ones more often. */
tg_tensor any_float(any_graph *g);
/** A float made to have this shape. */
tg_tensor any_shaped(any_graph *g, tg_shape shape);
/** A constant of whole numbers in [0, n). */
tg_tensor any_indices(any_graph *g, tg_dtype dtype, tg_shape shape, uint32_t n);
void any_keep(any_graph *g, tg_tensor made);

/** Each records one more node or a few. */
tg_tensor any_pointwise(any_graph *g);
tg_tensor any_layout(any_graph *g);
tg_tensor any_reduction(any_graph *g);
tg_tensor any_index(any_graph *g);
tg_tensor any_product(any_graph *g);
tg_tensor any_window(any_graph *g);

#endif
