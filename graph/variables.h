/* Variables: named weights and counters that outlive the graphs that read and assign them.

   Any thread may call any function here at any time, but for tg_variables_free(), which comes last. A run of a plan holds the store of its
   variables until it ends: for writing if the plan assigns some, else beside other runs that only read. Whoever waits to write comes
   before those who ask to read after it. */
#ifndef TG_GRAPH_VARIABLES_H
#define TG_GRAPH_VARIABLES_H

#include "graph/context.h"

TG_BEGIN_DECLS

typedef struct tg_variables tg_variables;

/** How a variable gets its first value. Random ones depend on (seed of the store, name of the variable) alone, not on the order
    in which variables appear, and are the same in f32 and f64. */
typedef enum tg_init_kind {
    TG_INIT_CONSTANT,         /**< a everywhere */
    TG_INIT_UNIFORM,          /**< uniform in [a, b) */
    TG_INIT_NORMAL,           /**< mean a, standard deviation b */
    TG_INIT_TRUNCATED_NORMAL, /**< the same, redrawn outside two standard deviations */
    TG_INIT_COUNT             /**< how many there are: no kind */
} tg_init_kind;

typedef struct tg_init {
    tg_init_kind kind;
    double a, b;
} tg_init;

/** A variable as the store keeps it. Valid until the store is freed. */
typedef struct tg_variable_info {
    const char *name; /**< "dense/kernel" */
    tg_type type;
    bool trainable; /**< false for moments, counters and metrics */
} tg_variable_info;

/** An empty store whose working float is f32. NULL if memory is out or the context is NULL. Free after the graphs made on it. */
TG_API tg_variables *tg_variables_new(tg_context *context, uint64_t seed);
TG_API void tg_variables_free(tg_variables *variables);
/** A copy whose working float is TG_F32 or TG_F64, and with it every variable declared as TG_FLOAT. NULL if memory is out or
    `variables` is NULL. */
TG_API tg_variables *tg_variables_cast(tg_variables *variables, tg_dtype working_float);

TG_API tg_context *tg_variables_context(const tg_variables *variables);
TG_API uint64_t tg_variables_seed(const tg_variables *variables);
TG_API tg_dtype tg_variables_float(const tg_variables *variables);

TG_API int tg_variables_count(const tg_variables *variables);
/** The i-th variable, in order of first appearance. NULL if i is out of range. */
TG_API const tg_variable_info *tg_variables_at(const tg_variables *variables, int i);
/** NULL if there is none of that name. */
TG_API const tg_variable_info *tg_variables_find(const tg_variables *variables, const char *name);

/** Finds a variable, or creates it with its initial value. NULL if it exists with another type, if `init` may give what is no value of
    the dtype (a constant that is no whole number in i32 or u8, random numbers that may lie beyond them or are not finite), or if memory is
    out. Random numbers are cut to whole ones in i32 and u8.
    The dtype may be TG_FLOAT; tg_variables_cast() converts such variables only. */
TG_API const tg_variable_info *tg_variables_declare(tg_variables *variables, const char *name, tg_type type, tg_init init,
                                                    bool trainable);

/** Holds the store, until tg_variables_release(): no value changes, and runs that assign to it wait. The thread that holds it
    calls nothing that holds it too: it runs no plan of it, reads by tg_variables_values() alone, writes, copies and saves nothing. */
TG_API void tg_variables_hold(const tg_variables *variables);
/** A variable's value, row-major and 64-byte aligned, valid until the release. NULL if `info` is. */
TG_API const void *tg_variables_values(const tg_variables *variables, const tg_variable_info *info);
TG_API void tg_variables_release(const tg_variables *variables);

/** Lets runs assign NaNs and infinities to a variable, or (false, as it is at first) no more: a run that would do so changes nothing
    then, and fails. Plans compiled before keep to what held then. A variable whose initial value is the constant NaN or an infinity
    is allowed them from the first. False if there is none of that name. */
TG_API bool tg_variables_allow_nonfinite(tg_variables *variables, const char *name, bool allowed);
/** Whether it is; false too if there is none of that name. */
TG_API bool tg_variables_allows_nonfinite(const tg_variables *variables, const char *name);

/** Copies a variable's value out or in. `bytes` must be its exact size. Waits for plans that hold the store. */
TG_API TG_MUST_USE tg_status tg_variables_read(const tg_variables *variables, const char *name, void *values, size_t bytes);
TG_API TG_MUST_USE tg_status tg_variables_write(tg_variables *variables, const char *name, const void *values, size_t bytes);

/** The number of runs that committed assigns to this store: the counter that random nodes draw by. */
TG_API uint64_t tg_variables_step(const tg_variables *variables);
TG_API void tg_variables_set_step(tg_variables *variables, uint64_t step);
/** Changes whenever any value may have changed. */
TG_API uint64_t tg_variables_generation(const tg_variables *variables);

TG_END_DECLS

#endif
