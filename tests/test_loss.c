#include <float.h>
#include <stdio.h>

#include "workbench.h"

START_TEST(cross_entropy_agrees_with_numpy)
{
    workbench b = workbench_open(TG_F64);
    const double x[] = {1, 2, 3, 0.5, -1, 4, 1000, 0, -1000}, classes[] = {2, 0, 1},
                 soft[] = {0.2, 0.3, 0.5, 1, 0, 0, 0, 0.5, 0.5};
    tg_tensor logits = workbench_values(&b, TG_F64, TG_SHAPE(3, 3), x);
    tg_tensor sparse = tg_cross_entropy(logits, workbench_values(&b, TG_I32, TG_SHAPE(3), classes));
    /* scipy: logsumexp(x, 1) - x[range(3), classes]; -(soft * log_softmax(x, 1)).sum(1) */
    workbench_expect(sparse, 1e-12, 0.4076059644443801, 3.536269565124779, 1000);
    workbench_expect(tg_cross_entropy(logits, workbench_values(&b, TG_F64, TG_SHAPE(3, 3), soft)), 1e-12, 1.1076059644443801,
                     3.536269565124779, 1500);
    workbench_close(&b);
}
END_TEST

/* The bytes of loss and gradient, one after the other, of a dense or a sparse cross-entropy of the same labels. */
static void *losses_and_gradient(tg_isa isa, tg_dtype dtype, bool dense, bool simplify, int64_t n, int64_t classes, size_t *bytes)
{
    workbench b = workbench_open_on(isa, 1, dtype);
    tg_tensor logits = tg_variable(b.graph, "logits", TG_FLOAT, TG_SHAPE(n, classes), (tg_init){TG_INIT_NORMAL, 0, 3});
    double *draw = workbench_draw(n, 0, (double)classes, 31);
    tg_tensor labels = workbench_values(&b, TG_I32, TG_SHAPE(n), draw);
    tg_tensor loss = tg_cross_entropy(logits, dense ? tg_one_hot(labels, classes, TG_FLOAT) : labels),
              mean = tg_mean(loss, TG_ALL_AXES);
    tg_tensor roots[] = {loss, mean, tg_gradient(mean, logits)};
    tg_compile_options options = tg_compile_defaults(b.context);
    options.simplify = simplify;
    tg_plan *plan = tg_compile_roots(b.graph, roots, 3, options);
    ck_assert_msg(plan, "%s", tg_graph_error(b.graph));
    ck_assert_int_eq(tg_run(plan), TG_OK);
    *bytes = 0;
    char *all = malloc((size_t)((n + 1 + n * classes) * 8));
    for (int k = 0; k < 3; k++) {
        size_t size = (size_t)tg_type_bytes(tg_tensor_type(roots[k]));
        ck_assert_int_eq(tg_read(plan, roots[k], all + *bytes, size), TG_OK);
        *bytes += size;
    }
    tg_plan_free(plan);
    free(draw);
    workbench_close(&b);
    return all;
}

START_TEST(one_hot_labels_give_the_bits_of_sparse_ones)
{
    static const int64_t classes[] = {1, 2, 10, 16, 17, 100};
    for (int isa = 0; isa < TG_ISA_COUNT; isa++)
        for (size_t c = 0; tg_isa_available((tg_isa)isa) && c < sizeof classes / sizeof *classes; c++)
            for (int d = 0; d < 2; d++) {
                size_t sizes[3];
                tg_dtype dtype = d ? TG_F64 : TG_F32;
                void *sparse = losses_and_gradient((tg_isa)isa, dtype, false, true, 37, classes[c], &sizes[0]);
                void *dense = losses_and_gradient((tg_isa)isa, dtype, true, false, 37, classes[c], &sizes[1]);
                void *rewritten = losses_and_gradient((tg_isa)isa, dtype, true, true, 37, classes[c], &sizes[2]);
                ck_assert_mem_eq(sparse, dense, sizes[0]);
                ck_assert_mem_eq(sparse, rewritten, sizes[0]);
                free(sparse);
                free(dense);
                free(rewritten);
            }
}
END_TEST

START_TEST(dense_one_hot_labels_become_sparse)
{
    workbench b = workbench_open(TG_F32);
    tg_tensor labels = tg_input(b.graph, "labels", TG_I32, TG_SHAPE(5)),
              logits = tg_random_normal(b.graph, "x", TG_F32, TG_SHAPE(5, 3), 0, 1);
    tg_tensor loss = tg_cross_entropy(logits, tg_one_hot(labels, 3, TG_F32));
    ck_assert_int_eq(workbench_nodes(loss, "cross_entropy_dense", false), 0);
    ck_assert_int_eq(workbench_nodes(loss, "one_hot", false), 0);
    ck_assert_int_eq(workbench_nodes(loss, "cross_entropy", false), 1);
    workbench_close(&b);
}
END_TEST

START_TEST(cross_entropy_is_stable)
{
    workbench b = workbench_open(TG_F32);
    const double x[] = {10000, 0, -10000, 0, 0, 0, -INFINITY, 3, 3, 1, NAN, 2}, classes[] = {0, 1, 2, 2},
                 certain[] = {1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1};
    tg_tensor logits = workbench_values(&b, TG_F32, TG_SHAPE(4, 3), x);
    const double log3 = 1.0986122886681098, log2 = 0.6931471805599453;
    workbench_expect(tg_cross_entropy(logits, workbench_values(&b, TG_I32, TG_SHAPE(4), classes)), 2e-7, 0, log3, log2, NAN);
    workbench_expect(tg_cross_entropy(logits, workbench_values(&b, TG_F32, TG_SHAPE(4, 3), certain)), 2e-7, 0, log3, log2, NAN);
    const double wrong[] = {2};
    tg_tensor first = tg_slice(logits, 0, 0, 1, 1);
    workbench_expect(tg_cross_entropy(first, workbench_values(&b, TG_I32, TG_SHAPE(1), wrong)), 0, 20000);
    workbench_close(&b);
}
END_TEST

/* 0 log 0 is 0, but a NaN is no 0: weighted by 0 it stays, as in PyTorch, which multiplies. */
START_TEST(labels_of_zero_drop_infinite_losses_but_no_nan)
{
    enum { WIDE = 21 };
    double x[2 * WIDE] = {0}, labels[2 * WIDE] = {0};
    x[1] = -INFINITY;
    x[WIDE + 20] = NAN;
    for (int isa = 0; isa < TG_ISA_COUNT; isa++)
        for (int d = 0; tg_isa_available((tg_isa)isa) && d < 2; d++) {
            tg_dtype dtype = d ? TG_F64 : TG_F32;
            workbench b = workbench_open_on((tg_isa)isa, 1, dtype);
            tg_tensor logits = workbench_values(&b, dtype, TG_SHAPE(2, WIDE), x);
            workbench_expect(tg_cross_entropy(logits, workbench_values(&b, dtype, TG_SHAPE(2, WIDE), labels)), 0, 0, NAN);
            double chosen[2 * WIDE] = {0, 0.5, [WIDE] = 1};
            workbench_expect(tg_cross_entropy(logits, workbench_values(&b, dtype, TG_SHAPE(2, WIDE), chosen)), 0, INFINITY, NAN);
            workbench_close(&b);
        }
}
END_TEST

/* Some steps of gradient descent on a linear classifier; the losses' bytes. */
static void train(bool dense, float losses[8])
{
    workbench b = workbench_open(TG_F32);
    tg_tensor x = workbench_random(&b, TG_F32, TG_SHAPE(64, 20), -1, 1, 41),
              labels = workbench_random(&b, TG_I32, TG_SHAPE(64), 0, 10, 42);
    tg_tensor w = tg_variable(b.graph, "w", TG_F32, TG_SHAPE(20, 10), (tg_init){TG_INIT_NORMAL, 0, 0.3});
    tg_tensor products = tg_mul(tg_reshape(x, TG_SHAPE(64, 20, 1)), tg_reshape(w, TG_SHAPE(1, 20, 10)));
    tg_tensor logits = tg_sum(products, TG_AXES(1));
    tg_tensor loss = tg_mean(tg_cross_entropy(logits, dense ? tg_one_hot(labels, 10, TG_FLOAT) : labels), TG_ALL_AXES);
    tg_assign(w, tg_sub(w, tg_mul(tg_scalar(w, 0.5), tg_gradient(loss, w))));
    tg_plan *plan = tg_compile(b.graph, loss);
    ck_assert_msg(plan, "%s", tg_graph_error(b.graph));
    for (int step = 0; step < 8; step++) {
        ck_assert_int_eq(tg_run(plan), TG_OK);
        ck_assert_int_eq(tg_read(plan, loss, &losses[step], sizeof losses[step]), TG_OK);
    }
    tg_plan_free(plan);
    workbench_close(&b);
}

START_TEST(training_is_the_same_with_either_labels)
{
    float dense[8], sparse[8];
    train(true, dense);
    train(false, sparse);
    ck_assert_mem_eq(dense, sparse, sizeof dense);
    ck_assert_float_lt(dense[7], dense[0]);
}
END_TEST

START_TEST(labels_take_gradients_where_they_are_probabilities)
{
    workbench b = workbench_open(TG_F64);
    tg_tensor labels = tg_variable(b.graph, "labels", TG_FLOAT, TG_SHAPE(1, 3), (tg_init){TG_INIT_CONSTANT, 0.25, 0});
    const double x[] = {1, 2, 3};
    tg_tensor loss = tg_sum(tg_cross_entropy(workbench_values(&b, TG_F64, TG_SHAPE(1, 3), x), labels), TG_ALL_AXES);
    workbench_expect(tg_gradient(loss, labels), 1e-12, 2.4076059644443801, 1.4076059644443801, 0.4076059644443801);
    workbench_close(&b);
}
END_TEST

START_TEST(mean_squared_error_is_one_value_an_example)
{
    workbench b = workbench_open(TG_F32);
    const double p[] = {1, 2, 3, 4, 5, 6}, t[] = {1, 0, 3, 2, 5, 9};
    tg_tensor prediction = workbench_values(&b, TG_F32, TG_SHAPE(2, 3), p),
              target = workbench_values(&b, TG_F32, TG_SHAPE(2, 3), t);
    workbench_expect(tg_mean_squared_error(prediction, target), 1e-6, 4 / 3.0, 13 / 3.0);
    tg_shape flat = TG_SHAPE(6);
    workbench_expect(tg_mean_squared_error(tg_reshape(prediction, flat), tg_reshape(target, flat)), 0, 0, 4, 0, 4, 0, 9);
    workbench_expect_error(&b, tg_mean_squared_error(tg_reshape(prediction, TG_SHAPE(6, 1)), tg_reshape(target, flat)),
                           "of [6, 1] and [6]");
    workbench_close(&b);
}
END_TEST

START_TEST(mean_absolute_error_is_one_value_an_example)
{
    workbench b = workbench_open(TG_F32);
    const double p[] = {1, 2, 3, 4, 5, 6}, t[] = {1, 0, 3, 2, 5, 9};
    tg_tensor prediction = workbench_values(&b, TG_F32, TG_SHAPE(2, 3), p),
              target = workbench_values(&b, TG_F32, TG_SHAPE(2, 3), t);
    workbench_expect(tg_mean_absolute_error(prediction, target), 1e-6, 2 / 3.0, 5 / 3.0);
    tg_shape flat = TG_SHAPE(6);
    tg_tensor errors = tg_mean_absolute_error(tg_reshape(prediction, flat), tg_reshape(target, flat));
    workbench_expect(errors, 0, 0, 2, 0, 2, 0, 3);
    workbench_expect(tg_gradient(tg_sum(errors, TG_ALL_AXES), prediction), 0, 0, 1, 0, 1, 0, -1);
    workbench_expect_error(&b, tg_mean_absolute_error(tg_reshape(prediction, TG_SHAPE(6, 1)), tg_reshape(target, flat)),
                           "mean_absolute_error of [6, 1] and [6]");
    workbench_close(&b);
}
END_TEST

START_TEST(mistakes_are_named)
{
    workbench b = workbench_open(TG_F32);
#define X(dtype, ...) workbench_count_up(&b, dtype, TG_SHAPE(__VA_ARGS__))
    workbench_expect_error(&b, tg_cross_entropy(X(TG_F32, 4, 3), X(TG_I32, 5)), "one for each of the 4 examples");
    workbench_expect_error(&b, tg_cross_entropy(X(TG_F32, 4, 3), X(TG_U8, 4)), "the labels must be i32 classes");
    workbench_expect_error(&b, tg_cross_entropy(X(TG_F32, 4, 3), X(TG_I32, 4, 3)), "the labels must be i32 classes");
    workbench_expect_error(&b, tg_cross_entropy(X(TG_F32, 4, 3), X(TG_F32, 4, 2)), "probabilities of the logits' type");
    workbench_expect_error(&b, tg_cross_entropy(X(TG_F32, 4, 3), X(TG_F64, 4, 3)), "probabilities of the logits' type");
    workbench_expect_error(&b, tg_cross_entropy(X(TG_F32, 12), X(TG_I32, 12)), "the logits must be [examples, classes]");
    workbench_expect_error(&b, tg_cross_entropy(X(TG_F32, 4, 0), X(TG_I32, 4)), "at least one class");
    workbench_expect_error(&b, tg_cross_entropy(X(TG_I32, 4, 3), X(TG_I32, 4)), "the logits are i32");
#undef X
    ck_assert(!tg_ok(tg_mean_squared_error(tg_none(), tg_none())));
    ck_assert(!tg_ok(tg_mean_absolute_error(tg_none(), tg_none())));
    workbench_close(&b);
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("loss");
    tcase_add_test(tests, cross_entropy_agrees_with_numpy);
    tcase_add_test(tests, one_hot_labels_give_the_bits_of_sparse_ones);
    tcase_add_test(tests, dense_one_hot_labels_become_sparse);
    tcase_add_test(tests, cross_entropy_is_stable);
    tcase_add_test(tests, labels_of_zero_drop_infinite_losses_but_no_nan);
    tcase_add_test(tests, training_is_the_same_with_either_labels);
    tcase_add_test(tests, labels_take_gradients_where_they_are_probabilities);
    tcase_add_test(tests, mean_squared_error_is_one_value_an_example);
    tcase_add_test(tests, mean_absolute_error_is_one_value_an_example);
    tcase_add_test(tests, mistakes_are_named);
    return harness_run("loss", tests);
}
