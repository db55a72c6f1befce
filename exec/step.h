/* What a plan is made of: buffers, and steps that read and write them. */
#ifndef TG_EXEC_STEP_H
#define TG_EXEC_STEP_H

#include "exec/fuse.h"
#include "exec/program.h"

/** Where a buffer's bytes live. */
typedef enum tg_home {
    TG_HOME_WORKSPACE, /**< shared by the context's plans: garbage between runs */
    TG_HOME_PROLOGUE,  /**< the plan's own: from one prologue to the next */
    TG_HOME_ROOTS,     /**< the plan's own, twice: a run writes one while the last good run's is read */
    TG_HOME_LEAF       /**< a variable's, a constant's, or what an input was fed */
} tg_home;

typedef struct tg_buffer {
    int32_t node; /**< whose value it holds; -1: none's */
    tg_home home;
    int64_t bytes;
    bool by_prologue;    /**< written in the prologue */
    int32_t first, last; /**< levels between which it is in use */
    int32_t reuse;       /**< the buffer whose place it takes, dead by then; -1: none */
    int32_t region;      /**< the memory it lies in, and where */
    int64_t offset;
} tg_buffer;

/** A stretch of a buffer that a step reads or writes. */
typedef struct tg_ref {
    int32_t buffer;
    bool writes;
    int64_t offset, bytes;
} tg_ref;

typedef enum tg_step_kind {
    TG_STEP_OP,      /**< an op's run(), perhaps with a program as its epilogue */
    TG_STEP_PROGRAM, /**< a pointwise group */
    TG_STEP_COPY,    /**< refs: from, to */
    TG_STEP_CHECK    /**< refs: floats to be checked */
} tg_step_kind;

/** In tg_step.checks. */
enum {
    TG_CHECK_FINITE = 1, /**< what is not finite fails the run */
    TG_CHECK_SMALL = 2   /**< what is not TG_SMALL is noted: an update may make an infinity of it */
};

typedef struct tg_step {
    tg_step_kind kind;
    tg_segment segment;
    int32_t node;          /**< what an error names */
    int checks;            /**< TG_CHECK_*: of TG_STEP_CHECK; or of each stretch that TG_STEP_OP finishes, which spares a step */
    tg_dtype dtype;        /**< of the floats that are checked */
    bool keeps_subnormals; /**< TG_STEP_OP: it reads or writes f64, of which a run flushes nothing to zero */
    bool prepares;         /**< TG_STEP_OP: phase 0 alone, in the prologue; the others are a step of their own */
    const tg_op *op;       /**< TG_STEP_OP; else NULL */
    tg_work work;          /**< of the op: its inputs are the first refs */
    int32_t output, twin, shared; /**< its refs; the last two may be -1 */
    tg_program *program;          /**< TG_STEP_PROGRAM, or the epilogue; NULL: none */
    int64_t count;                /**< elements of the program */
    tg_ref *refs;
    int32_t n_refs;
    void **pointers; /**< by ref: resolved when a run starts */
    int first_phase, phases;
    int64_t task_bytes;               /**< TG_STEP_COPY, TG_STEP_CHECK */
    size_t op_scratch;                /**< then the program's */
    double flops, bytes, nanoseconds; /**< of all its phases; the time is a rough guess */
    int32_t first_level;              /**< of its first phase, see tg_schedule(); the others follow */
} tg_step;

/** Where a root or kept tensor lies. */
typedef struct tg_publication {
    int32_t node;
    tg_ref ref;
} tg_publication;

typedef struct tg_steps {
    const tg_value_table *values;
    const tg_fusion *fusion;
    tg_pool *pool;
    tg_step **at;
    int32_t count, capacity;
    tg_buffer *buffers;
    int32_t n_buffers, buffer_capacity;
    int32_t *buffer_of; /**< by node (base): buffer + 1; 0: none yet */
    tg_step **maker_of; /**< by node (base): the step of an op that runs alone; else NULL */
    tg_step **check_of; /**< by node (base, or a part of one): the step that checks its value; NULL: none */
    tg_publication *publications;
    int32_t n_publications;
    const tg_node *unsupported;      /**< what stopped tg_steps_make(), if it was not memory */
    bool lacks_buffer;               /**< there was no memory for one: some refs lead nowhere */
    int32_t *operand_of, *arguments; /**< while a group is lowered: by member, and of one member */
    bool *placed;
} tg_steps;

/** In tg_steps_options.wanted. */
enum { TG_WANTED_ROOT = 1, TG_WANTED_KEPT = 2 };

typedef struct tg_steps_options {
    const uint8_t *wanted; /**< by node */
    bool check_finite;
} tg_steps_options;

/** Lowers the fused graph to steps: those of a segment follow one another in an order that may be run. False if the pool is out,
    or if an op has no function for its types. */
bool tg_steps_make(tg_steps *steps, const tg_value_table *values, const tg_fusion *fusion, tg_steps_options options,
                   tg_pool *pool);

/** Tasks of a phase. */
int64_t tg_step_tasks(const tg_step *step, int phase);
size_t tg_step_scratch(const tg_step *step);

/* Between the files that lower. */
/** A new step with room for refs; NULL if the pool is out. */
tg_step *tg_steps_add(tg_steps *steps, tg_step_kind kind, tg_segment segment, int32_t node, int32_t max_refs);
/** The buffer of a base, made at first use; -1, and steps->lacks_buffer, if the pool is out. */
int32_t tg_steps_buffer(tg_steps *steps, int32_t base);
/** A new buffer, likewise. */
int32_t tg_steps_new_buffer(tg_steps *steps, int32_t node, tg_home home, int64_t bytes);
/** Adds a ref; returns its index. */
int32_t tg_step_ref(tg_step *step, int32_t buffer, bool writes, int64_t offset, int64_t bytes);
/** Adds a ref that reads a node's value. */
int32_t tg_step_read(tg_steps *steps, tg_step *step, int32_t id);
/** The step of an op's run() up to its epilogue, its output not yet among the refs. */
bool tg_steps_begin_op(tg_steps *steps, tg_step *step, const tg_node *node);
/** Lowers a group, with its contraction. */
bool tg_steps_add_group(tg_steps *steps, const tg_group *group);

#endif
