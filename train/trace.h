/* Traces: a hash of every variable after every step of a run, to find where two runs that should be the same first differ.
   A trace is text. Its first line is TG_TRACE_HEADER; each further one is "step variable hash": the step of the run in
   decimal, from 0 (before the first) on, the variable's name, and XXH64 of its bytes, with seed 0, as 16 hexadecimal digits.
   Steps rise; a step has its variables in the order of the store, the same ones each time. tools/diff_runs compares two
   traces. */
#ifndef TG_TRAIN_TRACE_H
#define TG_TRAIN_TRACE_H

#include "graph/variables.h"
#include "train/byte_array.h"

TG_BEGIN_DECLS

#define TG_TRACE_HEADER "tapegrad trace 1"

typedef struct tg_trace tg_trace;

/** Begins a trace in a new or emptied file, of the variables that the store now has; those that appear later are left out.
    What is not printable in their names is written as \xHH or \uHHHH. NULL on failure: *status, TG_ERROR_SYSTEM for a file that another run is
    writing, which stays as it is, and one sentence in `message`, of TG_MESSAGE_SIZE bytes. The store must outlive the trace. */
TG_API tg_trace *tg_trace_open(tg_variables *variables, const char *path, tg_status *status, char *message);
/** Adds the variables' hashes as those after a step, which must be later than the last. The file has them when this returns.
    No plan of the store may run meanwhile. TG_ERROR_IO, and TG_ERROR_ARGUMENT for a step that is not later, put one sentence into
    `message`. */
TG_API TG_MUST_USE tg_status tg_trace_step(tg_trace *trace, int64_t step, char *message);
/** NULL is fine. */
TG_API void tg_trace_close(tg_trace *trace);

/** XXH64 with seed 0. */
TG_API uint64_t tg_trace_hash(const void *data, size_t bytes);

TG_END_DECLS

#endif
