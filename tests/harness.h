/* What every test program shares: the context that the environment asks for, and the runner.
   A test file defines its cases with Check's START_TEST and ends with
       int main(void) { TCase *tests = harness_case("tape"); tcase_add_test(tests, ...); return harness_run("tape", tests); } */
#ifndef TG_TESTS_HARNESS_H
#define TG_TESTS_HARNESS_H

#include <check.h>

#include "graph/context.h"

/* Check writes the place of every assertion that holds to a file, for the message after a crash. Our tests assert millions of them,
   so they do without: a failure still gives its place, a crash the test's name. */
#undef _mark_point
#define _mark_point(file, line) ((void)0)

/** tg_context_defaults(), but without memory planning where $TG_TEST_PLAN_MEMORY is 0, and with arrays that move whenever they
    grow where $TG_TEST_MOVE_ARRAYS is 1, as under the address sanitizer. */
tg_context_options harness_options(void);
/** A context of harness_options() with that many threads (0: as many as the machine offers). Fails the test if there is none. */
tg_context *harness_context(int threads);

/** A case with a timeout that suits slow machines and sanitizers. */
TCase *harness_case(const char *name);
/** Runs one case, each test in a process of its own, and frees it. Returns main()'s answer: 0 if all passed. */
int harness_run(const char *name, TCase *tests);
/** The same for a suite of several cases. */
int harness_run_suite(Suite *suite);

#endif
