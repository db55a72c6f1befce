/* A plan's insides, and the one way to make one. */
#ifndef TG_EXEC_COMPILE_H
#define TG_EXEC_COMPILE_H

#include <pthread.h>

#include "exec/plan.h"
#include "exec/schedule.h"
#include "exec/team.h"
#include "exec/timing.h"
#include "exec/workspace.h"

/** Why something failed: a sentence, and the place in the user's code, if it has one. */
typedef struct tg_failure {
    tg_status status;
    tg_where where;
    char text[1024];
} tg_failure;

/** A step's pointer, to be set to bases[region] + offset. */
typedef struct tg_place {
    void **pointer;
    int64_t offset;
    int32_t region;
} tg_place;

/** An input of the recorded graph. */
typedef struct tg_plan_input {
    int32_t recorded; /**< its id there */
    int32_t region;   /**< -1: the plan does not read it */
    const void *fed;  /**< NULL: what it is bound to */
} tg_plan_input;

typedef struct tg_compile_request {
    tg_graph *graph;
    int32_t count;        /**< of its nodes, that the plan is made of */
    const int32_t *roots; /**< ids */
    int32_t n_roots;
    tg_compile_options options;
    bool keeps;         /**< kept tensors are roots too */
    bool assigns;       /**< what assigns take is computed */
    bool commits;       /**< and written to the variables */
    bool replay;        /**< one step after the other, each leaving its inputs as they were */
    bool own_workspace; /**< does not make the context's workspace grow */
} tg_compile_request;

/** A step of the commit segment that computes what it writes. */
typedef struct tg_update {
    const tg_step *step;
    tg_interval *at;       /**< by ref: bounds of what lies there */
    tg_interval *operands; /**< room for tg_program_bounds() */
} tg_update;

struct tg_plan {
    tg_pool pool; /* of all that the plan points to, but the memory of its regions */
    tg_context *context;
    tg_variables *variables;
    const tg_graph *recorded;
    tg_graph *graph; /* what runs */
    tg_compile_request request;
    int32_t *map;                                 /* id on the recorded graph -> id on `graph`, or -1 */
    int32_t *origin;                              /* the other way: the first of those that became this node, or -1 */
    int32_t *group;                               /* by node of `graph` */
    tg_ref *held;                                 /* by node of `graph`, for a replay: where its value is; else NULL */
    bool writes;                                  /* has assigns that commit */
    const tg_variable_info **assigned, **watched; /* variables that it writes, and those that it only reads */
    int32_t n_assigned, n_watched;
    tg_update *updates;
    int32_t n_updates;
    bool is_checked; /* what it writes must be finite */
    bool has_bounds; /* tg_commit_is_bounded() may be true */

    tg_steps steps;
    tg_layout layout;
    tg_stages stages;
    tg_plan_info info;
    bool is_timed;
    tg_timing timing; /* its steps are NULL until tg_plan_profile() wants them */

    tg_team *team;
    tg_workspace *workspace;
    tg_workplace *place;                   /* while it runs */
    size_t workspace_bytes, scratch_bytes; /* of it: workspace_bytes are 0 if the plan has memory of its own */
    pthread_mutex_t runs;                  /* held while it runs */
    bool has_lock;
    void **memory[2];      /* by region: the plan's own; the second of roots alone */
    void **bases;          /* by region: of this run */
    int32_t *region_of;    /* by node of `graph`: a leaf's region + 1, or 0 */
    tg_plan_input *inputs; /* in the order of their ids */
    int32_t n_inputs;
    tg_place *places; /* first those that move from run to run */
    int32_t n_moving, n_places;
    bool is_placed; /* the others are set, for this memory of the shared workspace */
    void *placed;
    int32_t *publication_of; /* by node of `graph`: publication + 1, or 0 */

    bool prologue_done;
    uint64_t prologue_generation; /* of the watched variables when it ran */
    int32_t failed;               /* the node of `graph` that was not finite when a run failed last; -1: none */
    int current;                  /* which memory of the roots holds the last good run's; -1: none yet */
    char *error;                  /* of PLAN_ERROR_BYTES; apart from the struct, so that calls on a const plan may fail too */
};

#define TG_PLAN_ERROR_BYTES ((size_t)1024)

/** NULL and `why` if it fails. */
tg_plan *tg_plan_make(const tg_compile_request *request, tg_failure *why);
/** Gives regions their memory and steps their pointers, as far as they stay. False if memory is out. */
bool tg_plan_bind(tg_plan *plan);

/** `mean "loss" of layer dense_1`: a node in a sentence. Returns `text`. */
char *tg_node_label(const tg_node *node, char *text, size_t size);
/** "[0, 17]": where an element stands in its tensor. Returns `text`. */
char *tg_element_text(tg_shape shape, int64_t at, char *text, size_t size);
/** Why a step failed, while its inputs are as they were: tg_status_text(), or for TG_ERROR_RANGE the first index that is out of range, where
    it stands, and the range. Returns `text`. */
char *tg_step_reason(const tg_step *step, tg_status status, char *text, size_t size);
/** Sets tg_plan_error(), with the place in parentheses at its end. Returns `status`. */
tg_status tg_plan_fail(const tg_plan *plan, tg_status status, tg_where where, const char *format, ...) TG_PRINTF(4, 5);

/** The input with this id on the recorded graph, or NULL. */
tg_plan_input *tg_plan_find_input(const tg_plan *plan, int32_t recorded);
/** Points the steps at this run's memory. The workspace is entered. TG_ERROR_UNFED names the first input without values. */
tg_status tg_plan_point(tg_plan *plan);
/** A task of a step. */
typedef struct tg_task {
    int phase;
    int64_t index;
    uint64_t counter; /**< tg_variables_step() at the start of the run */
    void *scratch;
    bool large; /**< set if a TG_CHECK_SMALL found something */
} tg_task;
tg_status tg_step_run(const tg_step *step, tg_task *task);
/** The same of the commit segment without writing variables: TG_ERROR_NONFINITE if it would write what is not finite, and `effect`
    (which may be NULL) by which node. */
tg_status tg_step_try(const tg_step *step, const tg_task *task, int32_t *effect);

/** What a plan knows of its commit segment, if that checks what it writes. False if memory is out. */
bool tg_commit_make(tg_plan *plan);
/** Whether the commit segment cannot write anything that is not finite, as far as bounds of what it reads can tell. The variables are
    locked, and the compute segment has run and noted nothing large. */
bool tg_commit_is_bounded(tg_plan *plan);
/** After it has run: notes what was assigned, with the bounds just found if it `is_bounded`. */
void tg_commit_note(tg_plan *plan, bool is_bounded);

#endif
