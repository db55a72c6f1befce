#include "graph/philox.h"
#include "harness.h"

/* The known answers of the Random123 distribution, philox4x32 with 10 rounds. */
START_TEST(known_answers)
{
    static const struct {
        uint64_t key, high, low;
        uint32_t out[4];
    } known[] = {{0, 0, 0, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
                 {UINT64_MAX, UINT64_MAX, UINT64_MAX, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
                 {0x299f31d0a4093822, 0x0370734413198a2e, 0x85a308d3243f6a88, {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}}};
    for (int i = 0; i < 3; i++) {
        uint32_t out[4];
        tg_philox(known[i].key, known[i].high, known[i].low, out);
        for (int j = 0; j < 4; j++)
            ck_assert_uint_eq(out[j], known[i].out[j]);
    }
}
END_TEST

START_TEST(uniforms_lie_in_the_half_open_interval_and_fit_in_f32)
{
    ck_assert_double_eq(tg_philox_uniform(0), 0);
    ck_assert_double_lt(tg_philox_uniform(UINT32_MAX), 1);
    ck_assert_double_eq((double)(float)tg_philox_uniform(UINT32_MAX), tg_philox_uniform(UINT32_MAX));
}
END_TEST

START_TEST(keys_depend_on_seed_and_name)
{
    uint64_t key = tg_philox_key(1, "dense/kernel");
    ck_assert(key == tg_philox_key(1, "dense/kernel"));
    ck_assert(key != tg_philox_key(2, "dense/kernel"));
    ck_assert(key != tg_philox_key(1, "dense/kernem"));
    ck_assert(tg_philox_key(1, "") != tg_philox_key(2, ""));
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("philox");
    tcase_add_test(tests, known_answers);
    tcase_add_test(tests, uniforms_lie_in_the_half_open_interval_and_fit_in_f32);
    tcase_add_test(tests, keys_depend_on_seed_and_name);
    return harness_run("philox", tests);
}
