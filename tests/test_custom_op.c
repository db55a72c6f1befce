/* An op that the library does not know, defined in an example by the public contract, through all generic tests by one call. */
/* The example's own program stays unused. */
int example_main(void);
#define main example_main
#include "../examples/custom_op.c"
#undef main

#include "harness.h"
#include "op_tests.h"

#define F(...)                                                                               \
    {                                                                                        \
        TG_FLOAT, {sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t), {__VA_ARGS__}}, -3, 3 \
    }

/* |x| has a kink at 0, so the values keep away from it. */
static const tg_sample samples[] = {
    {.n_inputs = 1, .inputs = {F(7)}, .distinct = true},
    {.n_inputs = 1, .inputs = {F(3, 5)}, .distinct = true},
    {.n_inputs = 1, .inputs = {F(0, 2)}},
    {.n_inputs = 1, .inputs = {F(64, 1000)}},
};

static void softsign_reference(const tg_work *work, const double *const *inputs, double *output, double *scale)
{
    (void)scale;
    for (int64_t i = 0; i < tg_shape_count(work->output.shape); i++)
        output[i] = inputs[0][i] / (1 + fabs(inputs[0][i]));
}

START_TEST(keeps_its_contract) { tg_test_op(&softsign, samples, sizeof samples / sizeof *samples); }
END_TEST

START_TEST(agrees_with_a_reference_of_its_own)
{
    tg_test_op_with(&softsign, samples, sizeof samples / sizeof *samples, softsign_reference);
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("custom_op");
    tcase_add_test(tests, keeps_its_contract);
    tcase_add_test(tests, agrees_with_a_reference_of_its_own);
    return harness_run("custom_op", tests);
}
