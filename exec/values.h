/* What compile knows of each node of the simplified graph before it forms steps: whose bytes it is, who reads it, when it can run. */
#ifndef TG_EXEC_VALUES_H
#define TG_EXEC_VALUES_H

#include "exec/pool.h"
#include "graph/rebuild.h"

/** The segments of a run, in their order. */
typedef enum tg_segment {
    TG_PROLOGUE, /**< depends on constants and on variables that the plan does not assign */
    TG_COMPUTE,
    TG_COMMIT, /**< writes variables */
    TG_SEGMENT_COUNT
} tg_segment;

typedef struct tg_value {
    int32_t base;   /**< the node in whose bytes this one's lie: itself, or what an assign, a view or an identity stands for */
    int64_t offset; /**< of the first of them */
    int64_t bytes;
    int32_t first_use, n_uses; /**< of a base: its part of `uses` */
    int32_t first_effect;      /**< of a base: the first of the assigns that take its value, an index into `effects`, or -1 */
    int32_t writer;            /**< of a variable: the index of the assign that writes it, or -1 */
    int32_t twin;              /**< the later node whose value comes along with this one's: tg_op.twin; -1 */
    int32_t by;                /**< the node along with which this one is computed; -1: it runs by itself, if it does */
    bool wanted;               /**< of a base: a root or a kept tensor lies in it */
    tg_segment segment;
} tg_value;

/** An assign node, and the next one that takes a value of the same base (-1: none). */
typedef struct tg_effect {
    int32_t node, next;
} tg_effect;

/** A node that runs, reading a base through its input `input`. */
typedef struct tg_use {
    int32_t node, input;
} tg_use;

typedef struct tg_value_table {
    const tg_graph *graph;
    int32_t count;
    tg_value *at;
    tg_use *uses;
    tg_effect *effects;
    int32_t n_effects;
    tg_isa isa;
} tg_value_table;

typedef struct tg_values_options {
    const uint8_t *wanted; /**< by id: roots and kept tensors */
    bool prologue;         /**< false: all runs every time */
    bool commits;          /**< false: an assign only hands its value on */
} tg_values_options;

/** Fills `values` with memory of `pool`; false if it is out. */
bool tg_values_find(tg_value_table *values, const tg_graph *graph, tg_values_options options, tg_pool *pool);

/** A node as its op's functions see it; its inputs' types in memory of `pool`. False if it is out. */
bool tg_work_make(tg_work *work, const tg_value_table *values, const tg_node *node, tg_pool *pool);

/** Whether the node has bytes of its own that something must compute. */
bool tg_value_runs(const tg_value_table *values, int32_t id);
/** Whether a node is computed block by block. */
bool tg_value_pointwise(const tg_value_table *values, int32_t id);
/** Whether a variable may take nothing but finite values. */
bool tg_value_must_be_finite(const tg_value_table *values, int32_t variable);
/** Whether input `input` of `node` is all of its base, element for element as many as the node itself has. */
bool tg_value_in_place(const tg_value_table *values, const tg_node *node, int32_t input);

#endif
