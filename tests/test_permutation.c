#include <string.h>

#include "harness.h"
#include "train/permutation.h"

enum { N = 1000 };

START_TEST(each_number_comes_once)
{
    static int32_t order[N];
    bool seen[N] = {false};
    int at_home = 0;
    tg_permutation(3, "test", 1, order, N);
    for (int i = 0; i < N; i++) {
        ck_assert(order[i] >= 0 && order[i] < N && !seen[order[i]]);
        seen[order[i]] = true;
        at_home += order[i] == i;
    }
    ck_assert_int_le(at_home, 10); /* 1 is expected */
}
END_TEST

START_TEST(small_ones_are_fine)
{
    int32_t order[2] = {7, 7};
    tg_permutation(1, "test", 1, order, 0);
    ck_assert_int_eq(order[0], 7);
    tg_permutation(1, "test", 1, order, 1);
    ck_assert_int_eq(order[0], 0);
    ck_assert_int_eq(order[1], 7);
}
END_TEST

START_TEST(seed_name_and_round_decide)
{
    static int32_t a[N], b[N];
    tg_permutation(3, "test", 1, a, N);
    tg_permutation(3, "test", 1, b, N);
    ck_assert_mem_eq(a, b, sizeof a);
    tg_permutation(4, "test", 1, b, N);
    ck_assert_mem_ne(a, b, sizeof a);
    tg_permutation(3, "rest", 1, b, N);
    ck_assert_mem_ne(a, b, sizeof a);
    tg_permutation(3, "test", 2, b, N);
    ck_assert_mem_ne(a, b, sizeof a);
}
END_TEST

/* The six orders of three things over 60,000 rounds: 10,000 each, and chi-square below its 99.99 % point for 5 degrees. */
START_TEST(all_orders_are_as_likely)
{
    int counts[3][3] = {{0}};
    double chi = 0;
    for (uint64_t round = 0; round < 60000; round++) {
        int32_t order[3];
        tg_permutation(11, "chi", round, order, 3);
        counts[order[0]][order[1]]++;
    }
    for (int i = 0; i < 3; i++)
        for (int j = 0; j < 3; j++)
            chi += i == j ? counts[i][j] : (counts[i][j] - 1e4) * (counts[i][j] - 1e4) / 1e4;
    ck_assert_double_lt(chi, 25.7);
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("permutation");
    tcase_add_test(tests, each_number_comes_once);
    tcase_add_test(tests, small_ones_are_fine);
    tcase_add_test(tests, seed_name_and_round_decide);
    tcase_add_test(tests, all_orders_are_as_likely);
    return harness_run("permutation", tests);
}
