/* Timing a plan's parts. */
#include "exec/profile.h"

#include <string.h>

#include "ops/ops.h"
#include "plan_fixture.h"

static tg_plan *plan;
static tg_tensor x;
static float values[64 * 32];

/* sigmoid(x w + b), and w's update. */
static void record(void)
{
    x = tg_input(graph, "x", TG_F32, TG_SHAPE(64, 32));
    tg_layer_begin(graph, "Dense", "dense", false);
    tg_tensor w = tg_variable(graph, "kernel", TG_FLOAT, TG_SHAPE(32, 16), (tg_init){.a = 0.5});
    tg_tensor b = tg_variable(graph, "bias", TG_FLOAT, TG_SHAPE(16), (tg_init){.a = 0.5});
    tg_tensor y = tg_layer_end(tg_sigmoid(tg_add(tg_matmul(x, w), b)));
    tg_assign(w, tg_mul(w, tg_scalar(w, 0.5)));
    plan = compiled(tg_compile(graph, y));
    ok(tg_feed(plan, x, values, sizeof values), plan);
}

static void with_plan(void)
{
    set_up();
    record();
}

static void without_plan(void)
{
    tg_plan_free(plan);
    tear_down();
}

/* The part whose ops read so, or -1. */
static int32_t find_part(const char *ops)
{
    char text[200];
    for (int32_t i = 0; i < tg_plan_read_times(plan).parts; i++)
        if (strcmp(tg_plan_part_text(plan, i, text, sizeof text), ops) == 0)
            return i;
    return -1;
}

START_TEST(a_plan_is_not_timed_at_first)
{
    ok(tg_run(plan), plan);
    tg_plan_times times = tg_plan_read_times(plan);
    ck_assert_int_eq(times.runs, 0);
    ck_assert_int_eq(times.nanoseconds, 0);
    ck_assert_int_eq(times.outside_nanoseconds, 0);
    ck_assert_int_eq(times.parts, tg_plan_describe(plan).steps);
    for (int32_t i = 0; i < times.parts; i++)
        ck_assert_int_eq(tg_plan_read_part(plan, i).calls + tg_plan_read_part(plan, i).nanoseconds, 0);
}
END_TEST

START_TEST(parts_say_what_they_are)
{
    int32_t product = find_part("matmul + add + sigmoid"), update = find_part("mul"), check = find_part("is finite: sigmoid");
    ck_assert_int_ge(product, 0);
    ck_assert_int_ge(update, 0);
    ck_assert_int_ge(check, 0);
    tg_plan_part part = tg_plan_read_part(plan, product);
    ck_assert_str_eq(part.layer, "dense");
    ck_assert_str_eq(part.segment, "compute");
    ck_assert_ptr_null(part.variable);
    ck_assert_double_ge(part.flops, 2 * 64 * 32 * 16);
    ck_assert_double_ge(part.bytes, sizeof(float) * (64 * 32 + 32 * 16 + 16 + 64 * 16));
    part = tg_plan_read_part(plan, update);
    ck_assert_str_eq(part.segment, "commit");
    ck_assert_str_eq(part.variable, "dense/kernel");
    ck_assert_double_eq(tg_plan_read_part(plan, check).bytes, sizeof(float) * 64 * 16);
}
END_TEST

/* A product whose right side never changes: it is transposed once. */
START_TEST(a_preparation_is_a_part_of_its_own)
{
    tg_tensor v = tg_state(graph, "v", TG_FLOAT, TG_SHAPE(16, 32), (tg_init){.a = 1});
    tg_tensor y = tg_matmul_with(x, v, (tg_matmul_options){.transpose_b = true});
    tg_compile_options options = tg_compile_defaults(context);
    tg_plan *predicts = compiled(tg_compile_roots(graph, &y, 1, options)), *trains = plan;
    plan = predicts;
    int32_t preparation = find_part("prepare for matmul"), product = find_part("matmul");
    ck_assert_int_ge(preparation, 0);
    ck_assert_int_ge(product, 0);
    ck_assert_int_eq(tg_plan_profile(plan, true), TG_OK);
    ok(tg_feed(plan, x, values, sizeof values), plan);
    for (int i = 0; i < 5; i++)
        ok(tg_run(plan), plan);
    tg_plan_part part = tg_plan_read_part(plan, preparation), other = tg_plan_read_part(plan, product);
    ck_assert_str_eq(part.segment, "prologue");
    ck_assert_str_eq(other.segment, "compute");
    ck_assert_int_eq(part.node, other.node);
    ck_assert_double_eq(part.flops, 0);
    ck_assert_double_ge(part.bytes, 2.0 * sizeof(float) * 16 * 32);
    ck_assert_double_eq(other.flops, 2 * 64 * 32 * 16);
    ck_assert_int_eq(part.calls, 1);
    ck_assert_int_eq(other.calls, 5);
    plan = trains;
    tg_plan_free(predicts);
}
END_TEST

START_TEST(text_is_cut_at_its_size)
{
    char text[200];
    int32_t product = find_part("matmul + add + sigmoid");
    ck_assert_str_eq(tg_plan_part_text(plan, product, text, 14), "matmul + a...");
    ck_assert_str_eq(tg_plan_part_text(plan, product, text, 5), "...");
    ck_assert_str_eq(tg_plan_part_text(plan, product, text, 1), "");
    ck_assert_str_eq(tg_plan_part_text(plan, product, text, 23), "matmul + add + sigmoid");
}
END_TEST

START_TEST(runs_are_timed_until_told_otherwise)
{
    ck_assert_int_eq(tg_plan_profile(plan, true), TG_OK);
    for (int i = 0; i < 5; i++)
        ok(tg_run(plan), plan);
    ck_assert_int_eq(tg_plan_profile(plan, false), TG_OK);
    ok(tg_run(plan), plan);
    tg_plan_times times = tg_plan_read_times(plan);
    ck_assert_int_eq(times.runs, 5);
    ck_assert_int_eq(times.threads, 2);
    int64_t inside = 0;
    for (int32_t i = 0; i < times.parts; i++) {
        tg_plan_part part = tg_plan_read_part(plan, i);
        ck_assert_int_eq(part.calls, 5);
        ck_assert_int_ge(part.nanoseconds, 0);
        inside += part.nanoseconds;
    }
    ck_assert_int_gt(inside, 0);
    ck_assert_int_ge(times.outside_nanoseconds, 0);
    ck_assert_int_eq(inside + times.outside_nanoseconds, times.threads * times.nanoseconds);
    ck_assert_int_eq(tg_plan_profile(plan, true), TG_OK);
    ck_assert_int_eq(tg_plan_read_times(plan).runs + tg_plan_read_times(plan).nanoseconds, 0);
}
END_TEST

START_TEST(timing_changes_no_bit)
{
    float before[32 * 16], after[32 * 16];
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        values[i] = (float)i * 1e-3f;
    ok(tg_run(plan), plan);
    ck_assert_int_eq(tg_variables_read(variables, "dense/kernel", before, sizeof before), TG_OK);
    for (int i = 0; i < 32 * 16; i++)
        after[i] = 0.5f;
    ck_assert_int_eq(tg_variables_write(variables, "dense/kernel", after, sizeof after), TG_OK);
    ck_assert_int_eq(tg_plan_profile(plan, true), TG_OK);
    ok(tg_run(plan), plan);
    ck_assert_int_eq(tg_variables_read(variables, "dense/kernel", after, sizeof after), TG_OK);
    ck_assert_mem_eq(before, after, sizeof before);
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("profile");
    tcase_add_checked_fixture(tests, with_plan, without_plan);
    tcase_add_test(tests, a_plan_is_not_timed_at_first);
    tcase_add_test(tests, parts_say_what_they_are);
    tcase_add_test(tests, a_preparation_is_a_part_of_its_own);
    tcase_add_test(tests, text_is_cut_at_its_size);
    tcase_add_test(tests, runs_are_timed_until_told_otherwise);
    tcase_add_test(tests, timing_changes_no_bit);
    return harness_run("profile", tests);
}
