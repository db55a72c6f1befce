/* Plans: a graph compiled once, to be run often.

   A plan, like the graph that it was compiled from, is for one thread at a time; but runs of it that several threads begin follow one
   another. Plans of one context may run at once: see docs/architecture.md, "Threads". */
#ifndef TG_EXEC_PLAN_H
#define TG_EXEC_PLAN_H

#include "graph/op.h"

TG_BEGIN_DECLS

typedef struct tg_plan tg_plan;

typedef struct tg_compile_options {
    bool simplify; /**< common subexpressions, identities and the ops' EXACT rewrites */
    bool
        rounds; /**< with simplify: the ops' rewrites that are not EXACT too: which element is taken at a tie, and rounding, may differ
                           within what each rule states (tg_rewrite_class) */
    bool fuse;        /**< pointwise chains into groups, and groups into products as epilogues */
    bool plan_memory; /**< reuse memory by lifetime; false: a place of its own for each intermediate */
    bool
        check_finite; /**< of a plan with assigns: a run that would compute a NaN or an infinity for a float root, or assign one to a float
                            variable, fails and changes nothing, whatever the other options are; not for variables of
                            tg_variables_allow_nonfinite(). Without assigns nothing is checked */
} tg_compile_options;

/** All on (plan_memory as the context says). */
TG_API tg_compile_options tg_compile_defaults(const tg_context *context);

/** Compiles what `roots` and the graph's assigns need. NULL with tg_graph_error() set, if the graph has an error (that one),
    a root is of another graph, or memory is out. NULL too if `graph` is NULL. Free before the graph. Afterwards the graph may grow; the plan does not see it. */
TG_API tg_plan *tg_compile_roots(tg_graph *graph, const tg_tensor *roots, int n_roots, tg_compile_options options);
TG_API void tg_plan_free(tg_plan *plan);

/** tg_compile(graph, root, ...): with default options. */
#ifdef __cplusplus
TG_END_DECLS
static inline tg_plan *tg_compile_list(tg_graph *graph, std::initializer_list<tg_tensor> roots)
{
    return tg_compile_roots(graph, roots.begin(), (int)roots.size(), tg_compile_defaults(tg_graph_context(graph)));
}
#define tg_compile(graph, ...) tg_compile_list(graph, {__VA_ARGS__})
TG_BEGIN_DECLS
#else
#define tg_compile(graph, ...)                                                                                         \
    tg_compile_roots(graph, (tg_tensor[]){__VA_ARGS__}, (int)(sizeof((tg_tensor[]){__VA_ARGS__}) / sizeof(tg_tensor)), \
                     tg_compile_defaults(tg_graph_context(graph)))
#endif

/* Calls on no plan (NULL) fail with TG_ERROR_ARGUMENT, or give NULL, -1 or zeros; tg_plan_error() says that there is none. */

/** Gives an input its values until it is fed again: the pointer is borrowed, not copied, and must stay valid while the plan may run.
    TG_ERROR_ARGUMENT if `input` is no input of the plan's graph or `bytes` is not its exact size; an input that nothing depends
    on is accepted. */
TG_API TG_MUST_USE tg_status tg_feed(tg_plan *plan, tg_tensor input, const void *values, size_t bytes);
/** Runs everything. Allocates nothing, unless another plan of the context runs or is compiled just then: a run beside it takes memory
    of its own, which the context keeps, or waits where that is refused. On failure no variable has changed, nor has the store's step.
    TG_ERROR_NONFINITE: see tg_compile_options.check_finite, and tg_find_nonfinite(). */
TG_API TG_MUST_USE tg_status tg_run(tg_plan *plan);
/** Copies the values of a root or a kept tensor out, as of the last run that succeeded. */
TG_API TG_MUST_USE tg_status tg_read(const tg_plan *plan, tg_tensor tensor, void *values, size_t bytes);
/** Where they lie: valid until the plan runs again or is freed; NULL if it is neither root nor kept. */
TG_API const void *tg_values(const tg_plan *plan, tg_tensor tensor);

/** What the last failing call on this plan failed on, as one sentence that names op and file:line; "" if none has failed. */
TG_API const char *tg_plan_error(const tg_plan *plan);

/** What a plan holds and does, known before it runs. Bytes. */
typedef struct tg_plan_info {
    size_t variable_bytes;  /**< of the variables that it reads or assigns */
    size_t root_bytes;      /**< roots and kept tensors, twice: of the last run that succeeded, and of the one under way */
    size_t workspace_bytes; /**< intermediates after reuse, with shared and scratch memory */
    size_t unplanned_bytes; /**< intermediates without reuse */
    int32_t nodes;          /**< after simplification */
    int32_t steps;          /**< groups and single nodes that run, and what prepares their operands in the prologue */
    int32_t stages;         /**< stretches of work that follow one another: shared out to all threads, or too small for that */
    double flops;           /**< of one run */
} tg_plan_info;
TG_API tg_plan_info tg_plan_describe(const tg_plan *plan);
/** The graph that runs: simplified, and ready to be dumped. Valid until the plan is freed. */
TG_API const tg_graph *tg_plan_graph(const tg_plan *plan);
/** The fused group (0, 1, ...) of a node of tg_plan_graph(), or -1 if it runs alone. */
TG_API int32_t tg_plan_group(const tg_plan *plan, int32_t node);

/** What tg_find_nonfinite() found. */
typedef struct tg_nonfinite {
    int32_t node;      /**< id on the recorded graph; -1: none */
    char message[512]; /**< one sentence: op, element, value, place, and its inputs' ranges */
} tg_nonfinite;
/** Replays the plan's recorded graph, updates included, unfused and without committing, with the values now fed, and names the first
    node that makes a NaN or an infinity of finite inputs: one that leads to a root or an assigned value which is not finite, if there is
    such a value. If there is none at all, but the plan's last run failed, it names the node that compiling made and that was not
    finite. */
TG_API TG_MUST_USE tg_status tg_find_nonfinite(tg_plan *plan, tg_nonfinite *found);

/** The values of any tensor, forward or gradient, from the variables and what tg_bind() gave the inputs. Assigns nothing.
    Compiles for this one call: for looking, not for loops. What cannot be compiled is an error of the graph, as in tg_compile():
    tg_graph_error() tells why; other failures tell it by the status. */
TG_API TG_MUST_USE tg_status tg_eval(tg_tensor tensor, void *values, size_t bytes);

TG_END_DECLS

#endif
