/* Looking into a graph: any tensor's values, and pictures with values, in one call each. */
#ifndef TG_AUTODIFF_INSPECT_H
#define TG_AUTODIFF_INSPECT_H

#include "exec/profile.h"
#include "graph/dot.h"
#include "graph/print.h"

TG_BEGIN_DECLS

/** Evaluates a tensor as tg_eval() does, forward or gradient, and prints its values as tg_print_values() does, with a newline. */
TG_API TG_MUST_USE tg_status tg_print(FILE *out, tg_tensor tensor);

/** tg_dot() of the graph a plan was compiled from, after a run: with the values of its variables, its bound inputs, its roots and
    kept tensors as far as they have up to 16 elements. `graph` is the recorded graph. options.values is set here. */
TG_API TG_MUST_USE tg_status tg_dump(FILE *out, tg_graph *graph, const tg_plan *plan, tg_dot_options options);

/** tg_dot() of the graph that a plan runs, with its fused groups and, if runs of it were timed (see tg_plan_profile()), filled by
    their shares of that time. options.groups, and then shares and shares_of, are set here. */
TG_API TG_MUST_USE tg_status tg_dump_plan(FILE *out, const tg_plan *plan, tg_dot_options options);

TG_END_DECLS

#endif
