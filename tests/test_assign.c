#include "autodiff/autodiff.h"
#include "exec/plan.h"
#include "workbench.h"

static tg_tensor weights(workbench *b, const char *name)
{
    return tg_variable(b->graph, name, TG_FLOAT, TG_SHAPE(3), (tg_init){TG_INIT_CONSTANT, 2, 0});
}

START_TEST(gives_the_new_value_and_passes_its_gradient)
{
    workbench b = workbench_open(TG_F64);
    tg_tensor w = weights(&b, "w"), set = tg_assign(w, tg_mul(w, tg_scalar(w, 3))), y = tg_square(set);
    tg_plan *plan = tg_compile(b.graph, set, w, tg_gradient(y, w));
    double stored[3];
    ck_assert_msg(plan != NULL, "%s", tg_graph_error(b.graph));
    ck_assert_int_eq(tg_run(plan), TG_OK);
    ck_assert(*(const double *)tg_values(plan, set) == 6 && *(const double *)tg_values(plan, w) == 2);
    ck_assert_int_eq(tg_variables_read(b.variables, "w", stored, sizeof stored), TG_OK);
    ck_assert(stored[0] == 6 && stored[2] == 6);
    tg_plan_free(plan);
    workbench_close(&b);
}
END_TEST

START_TEST(mistakes_are_told_in_words)
{
    workbench b = workbench_open(TG_F32);
    tg_tensor w = weights(&b, "w");
    tg_assign(w, tg_neg(w));
    workbench_expect_error(&b, tg_assign(w, tg_square(w)), "variable \"w\" is assigned a second time in this graph");
    w = weights(&b, "w");
    workbench_expect_error(&b, tg_assign(tg_neg(w), w), "assign to the result of neg: only a variable can be assigned to");
    w = weights(&b, "w");
    workbench_expect_error(&b, tg_assign(w, tg_cast(w, TG_F64)), "a variable takes values of its own dtype and shape only");
    workbench_close(&b);
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("assign");
    tcase_add_test(tests, gives_the_new_value_and_passes_its_gradient);
    tcase_add_test(tests, mistakes_are_told_in_words);
    return harness_run("assign", tests);
}
