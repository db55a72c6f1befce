/* The generic tests: what holds for every op that keeps the contract of graph/op.h, whoever wrote it. */
#ifndef TG_TESTS_OP_TESTS_H
#define TG_TESTS_OP_TESTS_H

#include "op_reference.h"

/** Puts an op through all of them on its samples, within a Check test:
    - the entry is complete, and shapes, dtypes, counts and handles that do not fit give errors that name op and place;
    - values agree with the plain reference, if there is one for the op's name, on every instruction set, in f32 and f64, and for
      pointwise ops also in edge shapes and at special values; f32 agrees with f64; a NaN goes where the reference puts it; an op
      that says that it is increasing is;
    - 1, 2, 3 and 7 threads give the same bits;
    - gradients and gradients of gradients agree with finite differences; a second derivative declared as zero is zero;
    - every pass of compilation on or off gives the same values: by == without the rules that are not EXACT, and with them within what
      those that fired state. Each rule by itself is tried by tg_test_rules(). */
void tg_test_op(const tg_op *op, const tg_sample *samples, int n);
/** The same with a reference of the caller's own; NULL: none. */
void tg_test_op_with(const tg_op *op, const tg_sample *samples, int n, op_reference reference);

#endif
