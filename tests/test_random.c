#include <stdio.h>

#include "graph/rebuild.h"
#include "ops/kernel_set.h"
#include "workbench.h"

START_TEST(kernels_draw_the_generator_s_words)
{
    const uint64_t key = 0x0123456789abcdefu, high = 0xfedcba9876543210u, first = UINT32_MAX - (uint64_t)5;
    for (int isa = 0; isa < TG_ISA_COUNT; isa++)
        for (int64_t blocks = 0; tg_isa_available((tg_isa)isa) && blocks < 70; blocks += 23) {
            uint32_t words[4 * 70 + 1], plain[4];
            words[4 * blocks] = 77;
            tg_kernels_for((tg_isa)isa)->philox(key, high, first, blocks, words);
            for (int64_t i = 0; i < blocks; i++) {
                tg_philox(key, high, first + (uint64_t)i, plain);
                ck_assert_mem_eq(words + 4 * i, plain, sizeof plain);
            }
            ck_assert_uint_eq(words[4 * blocks], 77);
        }
}
END_TEST

/* The words that an element of a stream is made of. */
static double uniform_of(const char *name, uint64_t step, int64_t i)
{
    uint32_t words[4];
    tg_philox(tg_philox_key(tg_philox_key(11, "random"), name), step, (uint64_t)i / 4, words);
    return tg_philox_uniform(words[i % 4]);
}

START_TEST(uniforms_depend_on_seed_name_step_and_place_alone)
{
    enum { N = 10001 };
    for (int threads = 1; threads <= 3; threads++) {
        workbench b = workbench_open_on(TG_ISA_BEST, threads, TG_F32), wide = workbench_open(TG_F64);
        tg_layer_begin(b.graph, "Noise", "noise", false);
        tg_tensor x = tg_layer_end(tg_random_uniform(b.graph, "x", TG_FLOAT, TG_SHAPE(N), 0, 1));
        tg_tensor y = tg_random_uniform(wide.graph, "noise/x", TG_FLOAT, TG_SHAPE(N), 0, 1);
        ck_assert_int_eq(tg_tensor_dtype(x), TG_F32);
        ck_assert_int_eq(tg_tensor_dtype(y), TG_F64);
        ck_assert_str_eq(tg_tensor_node(x)->name, "noise/x");
        double *f32 = workbench_eval(x), *f64 = workbench_eval(y);
        for (int i = 0; i < N; i++) {
            ck_assert_double_eq(f32[i], uniform_of("noise/x", 0, i));
            ck_assert_double_eq(f64[i], f32[i]);
        }
        tg_variables_set_step(b.variables, 5);
        double *later = workbench_eval(x);
        for (int i = 0; i < N; i += 97)
            ck_assert_double_eq(later[i], uniform_of("noise/x", 5, i));
        free(f32);
        free(f64);
        free(later);
        workbench_close(&b);
        workbench_close(&wide);
    }
}
END_TEST

START_TEST(a_commit_moves_the_streams_on)
{
    workbench b = workbench_open(TG_F32);
    tg_tensor count = tg_state(b.graph, "count", TG_F32, TG_SCALAR, (tg_init){TG_INIT_CONSTANT, 0, 0});
    tg_tensor x = tg_random_uniform(b.graph, "x", TG_F32, TG_SCALAR, 0, 1);
    tg_assign(count, tg_add(count, tg_scalar(count, 1)));
    tg_plan *plan = tg_compile(b.graph, x);
    ck_assert_ptr_nonnull(plan);
    for (uint64_t step = 0; step < 4; step++) {
        float value;
        ck_assert_int_eq(tg_run(plan), TG_OK);
        ck_assert_int_eq(tg_read(plan, x, &value, sizeof value), TG_OK);
        ck_assert_double_eq(value, uniform_of("x", step, 0));
    }
    tg_plan_free(plan);
    workbench_close(&b);
}
END_TEST

START_TEST(intervals_are_half_open)
{
    workbench b = workbench_open(TG_F32);
    /* Between 2^24 and 2^24 + 2 only one f32 lies before the end: rounding must not reach it. */
    tg_tensor x = tg_random_uniform(b.graph, "x", TG_F32, TG_SHAPE(4000), 0x1p24, 0x1p24 + 2);
    tg_tensor y = tg_random_uniform(b.graph, "y", TG_F32, TG_SHAPE(4000), -3, 2);
    double *tight = workbench_eval(x), *wide = workbench_eval(y), least = 2, greatest = -3;
    for (int i = 0; i < 4000; i++) {
        ck_assert_double_eq(tight[i], 0x1p24);
        ck_assert(wide[i] >= -3 && wide[i] < 2);
        least = fmin(least, wide[i]);
        greatest = fmax(greatest, wide[i]);
    }
    ck_assert(least < -2.99 && greatest > 1.99);
    free(tight);
    free(wide);
    workbench_close(&b);
}
END_TEST

START_TEST(normals_have_their_moments)
{
    enum { N = 200000 };
    for (int d = 0; d < 2; d++) {
        workbench b = workbench_open(d ? TG_F64 : TG_F32);
        double *x = workbench_eval(tg_random_normal(b.graph, "x", TG_FLOAT, TG_SHAPE(N), 3, 2)), moments[5] = {0};
        for (int i = 0; i < N; i++)
            for (int k = 1; k <= 4; k++)
                moments[k] += pow((x[i] - 3) / 2, k) / N;
        ck_assert_double_le(fabs(moments[1]), 0.01);
        ck_assert_double_le(fabs(moments[2] - 1), 0.02);
        ck_assert_double_le(fabs(moments[3]), 0.04);
        ck_assert_double_le(fabs(moments[4] - 3), 0.1);
        /* Box and Muller, from the first two uniforms */
        double radius = 2 * sqrt(-2 * log(1 - uniform_of("x", 0, 0))), angle = 2 * acos(-1) * uniform_of("x", 0, 1);
        ck_assert_double_le(fabs(x[0] - (3 + radius * cos(angle))), 1e-6);
        ck_assert_double_le(fabs(x[1] - (3 + radius * sin(angle))), 1e-6);
        free(x);
        workbench_close(&b);
    }
}
END_TEST

START_TEST(streams_of_two_names_have_nothing_in_common)
{
    enum { N = 20000 };
    workbench b = workbench_open(TG_F32);
    double *x = workbench_eval(tg_random_uniform(b.graph, "x", TG_F32, TG_SHAPE(N), -1, 1));
    double *y = workbench_eval(tg_random_uniform(b.graph, "y", TG_F32, TG_SHAPE(N), -1, 1)), correlation = 0;
    for (int i = 0; i < N; i++)
        correlation += 3 * x[i] * y[i] / N;
    ck_assert_double_le(fabs(correlation), 0.03);
    /* nor do a random tensor and a variable of one name */
    tg_variable(b.graph, "z", TG_F32, TG_SHAPE(N), (tg_init){TG_INIT_UNIFORM, -1, 1});
    double *z = workbench_eval(tg_random_uniform(b.graph, "z", TG_F32, TG_SHAPE(N), -1, 1)), same = 0;
    const float *weights = tg_variable_data(tg_variables_find(b.variables, "z"));
    for (int i = 0; i < N; i++)
        same += z[i] == (double)weights[i];
    ck_assert_double_le(same, 5);
    free(x);
    free(y);
    free(z);
    workbench_close(&b);
}
END_TEST

START_TEST(dropout_drops_in_training_alone)
{
    enum { N = 50000 };
    workbench b = workbench_open(TG_F32);
    tg_tensor x = tg_variable(b.graph, "x", TG_F32, TG_SHAPE(N), (tg_init){TG_INIT_UNIFORM, 1, 2}),
              y = tg_dropout(x, "dropout", 0.3);
    double *before = workbench_eval(x), *after = workbench_eval(y),
           *gradient = workbench_eval(tg_gradient(tg_sum(y, TG_ALL_AXES), x));
    int64_t kept = 0;
    for (int i = 0; i < N; i++) {
        bool keep = uniform_of("dropout", 0, i) < (double)0.7f;
        ck_assert_double_eq(after[i], keep ? (double)((float)before[i] / 0.7f) : 0);
        ck_assert_double_eq(gradient[i], keep ? (double)(1 / 0.7f) : 0);
        kept += keep;
    }
    ck_assert_double_le(fabs((double)kept / N - 0.7), 0.01);
    ck_assert_int_eq(tg_dropout(x, "another", 0).id, x.id);
    tg_graph *evaluation = tg_graph_new(b.variables, TG_EVALUATION);
    tg_tensor z = tg_input(evaluation, "z", TG_F32, TG_SHAPE(3));
    ck_assert_int_eq(tg_dropout(z, "dropout", 0.3).id, z.id);
    tg_graph_free(evaluation);
    free(before);
    free(after);
    free(gradient);
    workbench_close(&b);
}
END_TEST

START_TEST(mistakes_are_named)
{
    workbench b = workbench_open(TG_F32);
#define UNIFORM(...) tg_random_uniform(b.graph, __VA_ARGS__)
    tg_tensor first = UNIFORM("x", TG_F32, TG_SHAPE(2), 0, 1);
    ck_assert(tg_ok(first));
    workbench_expect_error(&b, UNIFORM("x", TG_F32, TG_SHAPE(2), 0, 1), "random tensor \"x\" exists already");
    workbench_expect_error(&b, UNIFORM(NULL, TG_F32, TG_SHAPE(2), 0, 1), "random_uniform needs a name");
    workbench_expect_error(&b, UNIFORM("", TG_F32, TG_SHAPE(2), 0, 1), "needs a name");
    workbench_expect_error(&b, UNIFORM("x", TG_I32, TG_SHAPE(2), 0, 1), "only floats are drawn");
    workbench_expect_error(&b, UNIFORM("x", TG_F32, TG_SHAPE(-2), 0, 1), "the shape [-2]");
    workbench_expect_error(&b, UNIFORM("x", TG_F32, TG_SHAPE(2), 1, 1), "no number lies in [1, 1)");
    workbench_expect_error(&b, UNIFORM("x", TG_F32, TG_SHAPE(2), 0, INFINITY), "both must be finite");
    workbench_expect_error(&b, tg_random_normal(b.graph, "x", TG_F32, TG_SHAPE(2), 0, -1), "the second not negative");
    workbench_expect_error(&b, tg_random_normal(b.graph, "x", TG_F32, TG_SHAPE(2), NAN, 1), "both must be finite");
#undef UNIFORM
    const double bad_rates[] = {-0.1, 1, NAN};
    for (int i = 0; i < 3; i++)
        workbench_expect_error(&b, tg_dropout(workbench_count_up(&b, TG_F32, TG_SHAPE(2)), "d", bad_rates[i]),
                               "must lie in [0, 1)");
    workbench_expect_error(&b, tg_dropout(workbench_count_up(&b, TG_I32, TG_SHAPE(2)), "d", 0.5), "dropout of i32");
    ck_assert(!tg_ok(tg_dropout(tg_none(), "d", 0.5)));
    ck_assert(!tg_ok(tg_random_uniform(NULL, "x", TG_F32, TG_SHAPE(2), 0, 1)));
    workbench_close(&b);
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("random");
    tcase_add_test(tests, kernels_draw_the_generator_s_words);
    tcase_add_test(tests, uniforms_depend_on_seed_name_step_and_place_alone);
    tcase_add_test(tests, a_commit_moves_the_streams_on);
    tcase_add_test(tests, intervals_are_half_open);
    tcase_add_test(tests, normals_have_their_moments);
    tcase_add_test(tests, streams_of_two_names_have_nothing_in_common);
    tcase_add_test(tests, dropout_drops_in_training_alone);
    tcase_add_test(tests, mistakes_are_named);
    return harness_run("random", tests);
}
