#include "harness.h"

#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

tg_context_options harness_options(void)
{
    tg_context_options options = tg_context_defaults();
    const char *plan_memory = getenv("TG_TEST_PLAN_MEMORY");
    if (plan_memory && strcmp(plan_memory, "0") == 0)
        options.plan_memory = false;
    const char *move_arrays = getenv("TG_TEST_MOVE_ARRAYS");
    options.move_arrays = move_arrays && strcmp(move_arrays, "1") == 0;
    return options;
}

tg_context *harness_context(int threads)
{
    tg_context_options options = harness_options();
    options.threads = threads;
    tg_context *context = tg_context_new(options);
    if (!context) {
        char reason[256];
        tg_context_explain(options, reason, sizeof reason);
        ck_abort_msg("no context: %s", reason);
    }
    return context;
}

TCase *harness_case(const char *name)
{
    TCase *tests = tcase_create(name);
    tcase_set_timeout(tests, 900);
    return tests;
}

int harness_run(const char *name, TCase *tests)
{
    Suite *suite = suite_create(name);
    suite_add_tcase(suite, tests);
    return harness_run_suite(suite);
}

/* As a program that follows its user's settings: $TG_TEST_LOCALE is the locale's decimal point, so that it cannot be another. */
static void take_locale(void)
{
    const char *point = getenv("TG_TEST_LOCALE");
    if (point && (!setlocale(LC_ALL, "") || strcmp(localeconv()->decimal_point, point) != 0)) {
        fprintf(stderr, "the locale has another decimal point than %s\n", point);
        exit(EXIT_FAILURE);
    }
}

int harness_run_suite(Suite *suite)
{
    take_locale();
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
