/* The op contract: what an op says of itself, so that no pass, driver or test needs to know it by name.
   A user's own op is the same struct, recorded with tg_apply(). */
#ifndef TG_GRAPH_OP_H
#define TG_GRAPH_OP_H

#include "graph/tape.h"

TG_BEGIN_DECLS

/** What passes and the driver may rely on. */
enum {
    TG_POINTWISE = 1 << 0,   /**< an output element depends on the broadcast inputs' elements at its place; runs by `block` */
    TG_CONTRACTION = 1 << 1, /**< a product that calls tg_finish() on finished blocks, so an epilogue can be fused to it */
    TG_EFFECT = 1 << 2,      /**< input 0 is a variable; running writes input 1's value to it, in the commit segment */
    TG_RANDOM = 1 << 3,      /**< the value depends on the run's step */
    TG_SECOND_DERIVATIVE_ZERO = 1 << 4, /**< linear in all differentiable inputs together, or piecewise so */
    TG_LEAF = 1 << 5,                   /**< an input, a variable or a constant: has no inputs and does not run */
    TG_CUTS_GRADIENT = 1 << 6,          /**< no gradient passes, by definition of the op */
    TG_IDENTITY =
        1 << 7, /**< with TG_POINTWISE and one input: an output element is the broadcast input's, so no run is needed for it */
    TG_MONOTONE = 1 << 8 /**< with TG_POINTWISE: on either side of zero nondecreasing or nonincreasing in each input, whatever the
                              others are, but for some roundings of its largest term, and of one sign where its ends are: so it is
                              finite, and lies between its values at the ends of where its inputs lie and at zero, if these are finite */
};

/** What a shape rule sees and fills. */
typedef struct tg_infer {
    int32_t n_inputs;
    const tg_type *inputs;
    const void *attributes;
    tg_type result;
    char message[256];
} tg_infer;

/** Writes the reason (naming axes and extents; the tape adds op, shapes and place) and returns false. */
TG_API bool tg_infer_fail(tg_infer *infer, const char *format, ...) TG_PRINTF(2, 3);

/** What a gradient rule sees. Rules record with the public ops; `where`, scope and origin are set by the driver. */
typedef struct tg_gradient_args {
    tg_tensor output;   /**< the node being differentiated */
    tg_tensor gradient; /**< the gradient of the result with respect to `output`, of its type */
    int32_t n_inputs;
    const tg_tensor *inputs;
    const void *attributes;
    const bool *wanted; /**< [n_inputs] whether input i's gradient will be used */
} tg_gradient_args;

/** What a rewrite rule sees: a node about to be recorded on the graph under construction. */
typedef struct tg_rewrite_args {
    tg_graph *graph;
    const tg_op *op;
    tg_type type;
    int32_t n_inputs;
    const tg_tensor *inputs;
    const void *attributes;
    size_t attribute_bytes;
} tg_rewrite_args;

/** What a rule may change, on finite inputs that give finite results. A position is a result that says which element an op took (an
    argmax), and with it what goes where it says: a maximum's gradient. What decides by values, as a comparison or a cast to whole numbers
    does, decides by those that it gets. Each class allows what those before it allow. Compiling
    without `rounds` leaves out all but the first. */
typedef enum tg_rewrite_class {
    TG_EXACT, /**< nothing: values and positions are equal by == */
    TG_TIES,  /**< values are equal by ==, but of several elements that are equal a position may be any one's, not the first's */
    TG_ROUNDS, /**< values are equal within `bound` x eps x the sum of |terms|, a position may be any one's whose value is the greatest
                     within that */
    TG_NORMWISE /**< the same, of a bilinear op that computes tiles of its output at once: within `bound` x eps x the sum over channels of
                     the largest |x| that the tile reads x the sum of |k|. So one large x costs its neighbours digits */
} tg_rewrite_class;

/** A local rule: at the consumer, returns an equivalent tensor recorded with the public ops, or tg_none(). */
typedef struct tg_rewrite_rule {
    const char *name; /**< "max_pool2d(f(x)) -> f(max_pool2d(x))" */
    tg_rewrite_class kind;
    double bound; /**< for TG_ROUNDS and TG_NORMWISE */
    tg_tensor (*apply)(const tg_rewrite_args *args);
} tg_rewrite_rule;

/** A node as its cost, tasks and run functions see it: all that its kernel may depend on, besides the values. */
typedef struct tg_work {
    int32_t n_inputs;
    const tg_type *inputs;
    tg_type output;
    const void *attributes;
    tg_isa isa;
    bool prepared; /**< phase 0 runs apart from the others: see tg_op.prepares */
} tg_work;

/** Where a node's bytes are during a run. */
typedef struct tg_buffers {
    const void *const *inputs;
    void *output;
    void *twin;    /**< where the result of the op's twin goes; NULL: nobody needs it */
    void *shared;  /**< [shared(work)] bytes, 64-byte aligned, common to all phases and tasks of the node */
    uint64_t step; /**< tg_variables_step() at the start of the run */
    void (*finish)(const void *state, int64_t first, int64_t count); /**< the epilogue; NULL: none */
    const void *finish_state;
} tg_buffers;

/** A contraction calls this once for each finished, contiguous stretch of its output, in any order, from any task. */
static inline void tg_finish(const tg_buffers *buffers, int64_t first, int64_t count)
{
    if (buffers->finish)
        buffers->finish(buffers->finish_state, first, count);
}

/** Computes n contiguous elements; inputs are already broadcast. `out` may be the same pointer as an input whose
    elements have the same size. n <= 1024. */
typedef void (*tg_block_fn)(void *out, const void *const *inputs, int64_t n, const void *attributes);

/** One op. Entries are constants; NULL stands for what an op does not have. */
struct tg_op {
    const char *name;    /**< "matmul" */
    const char *formula; /**< "y = a b" */
    uint32_t traits;
    uint32_t increasing_in;      /**< bit i: nondecreasing in input i, in floating point, the other inputs fixed */
    uint32_t not_differentiable; /**< bit i: input i takes no gradient by nature (indices, conditions) */
    int32_t min_inputs, max_inputs;
    double
        tolerance; /**< the c of |error| <= c eps sum|terms| (for a pointwise op: of max(|y|, smallest normal); for what a NORMWISE rule
                      records: of that rule's sum) that tests hold it to */

    /** Fills infer->result from the inputs' types, or fails. */
    bool (*shape)(tg_infer *infer);
    /** Records the inputs' gradients: result[i], preset to tg_none(), for those wanted. May have any shape that broadcasting
        input i could have given; the driver sums it to the input's. */
    void (*gradient)(const tg_gradient_args *args, tg_tensor *result);
    const tg_rewrite_rule *rewrites; /**< tried in order */
    int32_t n_rewrites;
    /** Floating-point operations of one run; a multiply-add counts two. */
    double (*flops)(const tg_work *work);
    /** Attributes as text for tables and pictures, such as "stride 2". */
    void (*describe)(const void *attributes, char *text, size_t size);

    /** Of an op with an i32 input of indices, which is one of `not_differentiable`: how many there are to choose from. run() fails with
        TG_ERROR_RANGE if one is outside 0 .. that - 1; the message then names the first such, and where it stands. NULL: it has
        none. */
    int64_t (*index_extent)(const tg_work *work);

    /* How it runs: by exactly one of the following three. */

    /** TG_POINTWISE: the block function for these types on this instruction set. */
    tg_block_fn (*block)(const tg_work *work);
    /** The output's bytes are input 0's from this byte offset on; -1 if not for these shapes (then `run` does it). */
    int64_t (*view)(const tg_work *work);
    /** Runs task `task` of phase `phase`. All tasks of a phase may run at once and in any order; phases run in turn.
        `scratch` is the calling thread's own: scratch_bytes(work) bytes, 64-byte aligned, of unknown contents. */
    tg_status (*run)(const tg_work *work, const tg_buffers *buffers, int phase, int64_t task, void *scratch);

    /** An op whose result on the same inputs and attributes run() gives along with its own: what a maximum's position is to the
        maximum. It runs by itself where it stands alone, or was recorded before. */
    const tg_op *twin;

    int (*phases)(const tg_work *work);               /**< NULL: 1 */
    int64_t (*tasks)(const tg_work *work, int phase); /**< NULL: 1; from shape and instruction set alone, never from threads */
    size_t (*scratch_bytes)(const tg_work *work);     /**< NULL: 0 */
    size_t (*shared_bytes)(const tg_work *work);      /**< NULL: 0 */

    /** Which inputs (bit i: input i) phase 0 brings into another form in `shared`. Where none of them changes from run to run (a
        variable that the plan does not assign, a constant) and another does, work->prepared is set: phase 0 then belongs to the
        prologue, where it has these inputs alone and writes `shared`; the other phases belong to each run, and read `shared`. It is
        asked before, with work->prepared unset, and may count on either. NULL or 0: phase 0 prepares nothing. */
    uint32_t (*prepares)(const tg_work *work);
};

/** Records a node. `attributes` (a struct without padding) is copied. With an error, on the graph or in the inputs: a poisoned handle. */
TG_API tg_tensor tg_apply_at(tg_where where, tg_graph *graph, const tg_op *op, const tg_tensor *inputs, int n_inputs,
                             const void *attributes, size_t attribute_bytes);
#define tg_apply(...) tg_apply_at(TG_HERE, __VA_ARGS__)

/** Shape rule of every plain pointwise op: floats of one dtype, broadcast. */
TG_API bool tg_shape_pointwise(tg_infer *infer);

/* Samples: what the generic tests and benchmarks run an op on. */

/** One input of a sample: uniform in [low, high) (an integer dtype: whole numbers). */
typedef struct tg_sample_input {
    tg_dtype dtype;
    tg_shape shape;
    double low, high;
} tg_sample_input;

typedef struct tg_sample {
    int32_t n_inputs;
    tg_sample_input inputs[4];
    const void *attributes;
    size_t attribute_bytes;
    bool distinct; /**< all float values of all inputs differ by 2e-2 or more, and from 0 by 1e-2 (for kinks and ties) */
} tg_sample;

/** An op with its samples, as the op list yields it. */
typedef struct tg_op_entry {
    const tg_op *op;
    const tg_sample *samples;
    int32_t n_samples;
} tg_op_entry;

TG_END_DECLS

#endif
