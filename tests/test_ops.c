/* The generic tests over the list of ops: a case for each op, so that a failure says which. */
#include "harness.h"
#include "op_tests.h"
#include "ops/ops.h"

START_TEST(op_keeps_its_contract)
{
    int count;
    const tg_op_entry *entry = &tg_op_entries(&count)[_i];
    ck_assert_msg(op_reference_find(entry->op->name) || (entry->op->traits & TG_RANDOM), "%s has no reference", entry->op->name);
    tg_test_op(entry->op, entry->samples, entry->n_samples);
}
END_TEST

int main(void)
{
    int count;
    const tg_op_entry *entries = tg_op_entries(&count);
    Suite *suite = suite_create("ops");
    for (int i = 0; i < count; i++) {
        TCase *tests = harness_case(entries[i].op->name);
        tcase_add_loop_test(tests, op_keeps_its_contract, i, i + 1);
        suite_add_tcase(suite, tests);
    }
    return harness_run_suite(suite);
}
