#include "graph/cgroup.h"

#include "data_files.h"
#include "harness.h"

static char folder[256];

static void setup(void) { make_folder(folder); }
static void teardown(void) { remove_folder(folder); }

/* A file of a made-up machine, with the folders above it. */
static void put(const char *path, const char *text)
{
    char full[4096];
    snprintf(full, sizeof full, "%s", in_folder(folder, path));
    for (char *at = full + strlen(folder) + 1; (at = strchr(at, '/')); at++) {
        *at = '\0';
        mkdir(full, 0777);
        *at = '/';
    }
    write_file(full, (blob){(uint8_t *)text, strlen(text)});
}

static void clear(void)
{
    remove_folder(folder);
    ck_assert_int_eq(mkdir(folder, 0777), 0);
}

#define V2 "31 23 0:28 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n"
#define V1                                                                                                                     \
    "30 23 0:27 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n32 23 0:29 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup " \
    "rw,cpu,cpuacct\n"

static void machine(const char *group, const char *mounts)
{
    clear();
    put("proc/self/cgroup", group);
    put("proc/self/mountinfo", mounts);
}

static void check(int cores) { ck_assert_int_eq(tg_cgroup_cores(folder), cores); }

START_TEST(no_files_are_no_quota)
{
    check(INT32_MAX);
    put("proc/self/cgroup", "0::/a\n");
    check(INT32_MAX);
    machine("0::/a\n", "");
    check(INT32_MAX);
    machine("", V1 V2);
    check(INT32_MAX);
    machine("0::/a\n", V2);
    check(INT32_MAX);
    put("sys/fs/cgroup/a/cpu.max", "max 100000\n");
    check(INT32_MAX);
    put("sys/fs/cgroup/a/cpu.max", "");
    check(INT32_MAX);
    ck_assert_int_ge(tg_cgroup_cores(""), 1);
}
END_TEST

START_TEST(the_tightest_group_counts_of_version_2)
{
    machine("0::/user.slice/a/b\n", V2);
    put("sys/fs/cgroup/user.slice/a/b/cpu.max", "250000 100000\n");
    check(3);
    put("sys/fs/cgroup/user.slice/cpu.max", "200000 100000\n");
    check(2);
    put("sys/fs/cgroup/user.slice/a/cpu.max", "1000 100000\n");
    check(1);
    put("sys/fs/cgroup/user.slice/a/cpu.max", "max 100000\n");
    check(2);
    put("sys/fs/cgroup/other/cpu.max", "1000 100000\n"); /* not ours */
    check(2);
}
END_TEST

START_TEST(the_tightest_group_counts_of_version_1)
{
    machine("5:pids:/p\n4:cpuset,cpufreq:/q\n3:cpu,cpuacct:/docker/a/b\n0::/elsewhere\n", V1);
    put("sys/fs/cgroup/cpu,cpuacct/docker/a/b/cpu.cfs_quota_us", "-1\n");
    put("sys/fs/cgroup/cpu,cpuacct/docker/a/b/cpu.cfs_period_us", "100000\n");
    check(INT32_MAX);
    put("sys/fs/cgroup/cpu,cpuacct/docker/a/cpu.cfs_quota_us", "410000\n");
    check(INT32_MAX); /* without its period it is nothing */
    put("sys/fs/cgroup/cpu,cpuacct/docker/a/cpu.cfs_period_us", "100000\n");
    check(5);
    put("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us", "50000\n");
    put("sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us", "50000\n");
    check(1);
}
END_TEST

START_TEST(both_versions_may_be_there)
{
    machine("3:cpu:/a\n0::/b\n", V2 "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n");
    put("sys/fs/cgroup/b/cpu.max", "700000 100000\n");
    check(7);
    put("sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", "300000\n");
    put("sys/fs/cgroup/cpu/a/cpu.cfs_period_us", "100000\n");
    check(3);
}
END_TEST

/* A container sees its own group where the hierarchy is mounted, under its whole name or another. */
START_TEST(the_mounted_group_need_not_be_the_topmost)
{
    machine("3:cpu:/docker/abc/inner\n", "9 1 0:1 /docker/abc /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu\n");
    put("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "400000");
    put("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000");
    check(4);
    put("sys/fs/cgroup/cpu/inner/cpu.cfs_quota_us", "150000");
    put("sys/fs/cgroup/cpu/inner/cpu.cfs_period_us", "100000");
    check(2);
    static const char *const unseen[] = {"3:cpu:/docker/abcd/inner\n", "3:cpu:/inner\n", "3:cpu:/docker/abc/../inner\n"};
    for (int i = 0; i < 3; i++) {
        put("proc/self/cgroup", unseen[i]);
        check(4);
    }
    put("proc/self/cgroup", "3:cpu:/x/y\n"); /* of two mounts, the one that shows the group */
    put("proc/self/mountinfo",
        "9 1 0:1 /docker /sys/fs/cgroup/cpu ro - cgroup cgroup rw,cpu\n9 1 0:1 /x /my\\040groups ro - cgroup c cpu\n");
    put("my groups/y/cpu.cfs_quota_us", "600000");
    put("my groups/y/cpu.cfs_period_us", "100000");
    check(6);
}
END_TEST

START_TEST(odd_files_do_no_harm)
{
    static char text[20000];
    memset(text, 'x', sizeof text - 1);
    machine(text, text);
    check(INT32_MAX);
    for (int i = 0; i < 4; i++)
        text[i] = "0::/"[i];
    machine(text, V2);
    check(INT32_MAX);
    static const char *const odd[] = {"9223372036854775807 1\n", "0 100000\n", "-5 100000\n", "5 0\n", "100000\n", "a b\n"};
    machine("no colon\n0:\n0::/a\n", "no dash\n1 2 - cgroup2\n1 2 - cgroup2 c rw\n" V2);
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
        put("sys/fs/cgroup/a/cpu.max", odd[i]);
        check(INT32_MAX);
    }
    put("sys/fs/cgroup/a/cpu.max", "1 100000\n");
    check(1);
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("cgroup");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, no_files_are_no_quota);
    tcase_add_test(tests, the_tightest_group_counts_of_version_2);
    tcase_add_test(tests, the_tightest_group_counts_of_version_1);
    tcase_add_test(tests, both_versions_may_be_there);
    tcase_add_test(tests, the_mounted_group_need_not_be_the_topmost);
    tcase_add_test(tests, odd_files_do_no_harm);
    return harness_run("cgroup", tests);
}
