#include <math.h>
#include <string.h>

#include "graph/rebuild.h"
#include "graph/tape.h"
#include "harness.h"
#include "train/initializers.h"

START_TEST(fans_follow_keras)
{
    static const struct {
        tg_shape shape;
        double in, out;
    } cases[] = {
        {{0}, 1, 1}, {{1, {7}}, 7, 7}, {{2, {784, 100}}, 784, 100}, {{3, {5, 4, 8}}, 20, 40}, {{4, {3, 3, 32, 64}}, 288, 576},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double in, out;
        tg_fans(cases[i].shape, &in, &out);
        ck_assert_double_eq(in, cases[i].in);
        ck_assert_double_eq(out, cases[i].out);
    }
}
END_TEST

/* For a kernel [3, 3, 2, 6]: fans 18 and 54. Limits and deviations by the formulas in Keras's documentation. */
START_TEST(rules_follow_keras)
{
    static const struct {
        tg_initializer_kind kind;
        tg_init_kind form;
        double limit; /* of a uniform one, or the deviation after the cut */
    } cases[] = {
        {TG_GLOROT_UNIFORM, TG_INIT_UNIFORM, 0.28867513459481287},
        {TG_GLOROT_NORMAL, TG_INIT_TRUNCATED_NORMAL, 0.16666666666666666},
        {TG_HE_UNIFORM, TG_INIT_UNIFORM, 0.57735026918962576},
        {TG_HE_NORMAL, TG_INIT_TRUNCATED_NORMAL, 0.33333333333333331},
        {TG_LECUN_UNIFORM, TG_INIT_UNIFORM, 0.40824829046386302},
        {TG_LECUN_NORMAL, TG_INIT_TRUNCATED_NORMAL, 0.23570226039551584},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tg_init init = tg_initializer_for(tg_initializer_defaults(cases[i].kind), TG_SHAPE(3, 3, 2, 6));
        ck_assert_int_eq(init.kind, cases[i].form);
        if (cases[i].form == TG_INIT_UNIFORM) {
            ck_assert_double_eq_tol(init.a, -cases[i].limit, 1e-15);
            ck_assert_double_eq_tol(init.b, cases[i].limit, 1e-15);
        } else {
            ck_assert_double_eq(init.a, 0);
            ck_assert_double_eq_tol(init.b * 0.87962566103423978, cases[i].limit, 1e-15);
        }
    }
}
END_TEST

START_TEST(plain_ones_take_their_numbers)
{
    tg_shape shape = TG_SHAPE(4, 4);
    tg_init init = tg_initializer_for(tg_initializer_defaults(TG_RANDOM_UNIFORM), shape);
    ck_assert(init.kind == TG_INIT_UNIFORM && init.a == -0.05 && init.b == 0.05);
    init = tg_initializer_for(tg_initializer_defaults(TG_TRUNCATED_NORMAL), shape);
    ck_assert(init.kind == TG_INIT_TRUNCATED_NORMAL && init.a == 0 && init.b == 0.05);
    init = tg_initializer_for((tg_initializer){TG_RANDOM_NORMAL, 1, 2}, shape);
    ck_assert(init.kind == TG_INIT_NORMAL && init.a == 1 && init.b == 2);
    init = tg_initializer_for((tg_initializer){TG_CONSTANT, 7, 0}, shape);
    ck_assert(init.kind == TG_INIT_CONSTANT && init.a == 7);
    init = tg_initializer_for(tg_initializer_defaults(TG_ZEROS), shape);
    ck_assert(init.kind == TG_INIT_CONSTANT && init.a == 0);
    init = tg_initializer_for((tg_initializer){.kind = TG_ONES}, shape);
    ck_assert(init.kind == TG_INIT_CONSTANT && init.a == 1);
}
END_TEST

/* What a store makes of he_normal for fan 100: deviation sqrt(2/100), and nothing beyond two deviations of the uncut normal. */
START_TEST(weights_have_the_deviation)
{
    enum { N = 100 * 1000 };
    tg_context *context = harness_context(1);
    tg_variables *variables = tg_variables_new(context, 5);
    tg_shape shape = TG_SHAPE(100, 1000);
    tg_init init = tg_initializer_for(tg_initializer_defaults(TG_HE_NORMAL), shape);
    const float *w = tg_variable_data(tg_variables_declare(variables, "w", (tg_type){TG_F32, shape}, init, true));
    double sum = 0, squares = 0;
    for (int i = 0; i < N; i++) {
        sum += w[i];
        squares += (double)w[i] * w[i];
        ck_assert_double_le(fabs(w[i]), 2.0001 * init.b);
    }
    ck_assert_double_eq_tol(sum / N, 0, 5 * 0.1414 / sqrt(N));
    ck_assert_double_eq_tol(sqrt(squares / N), sqrt(0.02), 0.01 * sqrt(0.02));
    tg_variables_free(variables);
    tg_context_free(context);
}
END_TEST

START_TEST(names_are_found)
{
    for (int kind = 0; kind < TG_INITIALIZER_COUNT; kind++)
        ck_assert_int_eq(tg_initializer_find(tg_initializer_name((tg_initializer_kind)kind)), kind);
    ck_assert_str_eq(tg_initializer_name(TG_HE_NORMAL), "he_normal");
    ck_assert_int_eq(tg_initializer_find("he"), TG_INITIALIZER_COUNT);
    ck_assert_ptr_null(tg_initializer_name(TG_INITIALIZER_COUNT));
}
END_TEST

START_TEST(a_kind_that_does_not_exist_is_told)
{
    static const int kinds[] = {TG_INITIALIZER_COUNT, -1, 1000};
    tg_context *context = harness_context(1);
    tg_variables *variables = tg_variables_new(context, 1);
    for (int i = 0; i < 3; i++) {
        tg_graph *graph = tg_graph_new(variables, TG_TRAINING);
        tg_initializer initializer = tg_initializer_defaults((tg_initializer_kind)kinds[i]);
        ck_assert(!tg_ok(tg_variable(graph, "w", TG_FLOAT, TG_SHAPE(2, 3), tg_initializer_for(initializer, TG_SHAPE(2, 3)))));
        ck_assert_ptr_nonnull(strstr(tg_graph_error(graph), "there is no initializer of kind"));
        tg_graph_free(graph);
    }
    ck_assert_int_eq(tg_variables_count(variables), 0);
    tg_variables_free(variables);
    tg_context_free(context);
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("initializers");
    tcase_add_test(tests, fans_follow_keras);
    tcase_add_test(tests, rules_follow_keras);
    tcase_add_test(tests, plain_ones_take_their_numbers);
    tcase_add_test(tests, weights_have_the_deviation);
    tcase_add_test(tests, names_are_found);
    tcase_add_test(tests, a_kind_that_does_not_exist_is_told);
    return harness_run("initializers", tests);
}
