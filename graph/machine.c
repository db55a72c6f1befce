#if defined(__linux__)
#define _GNU_SOURCE
#include <sched.h>
#endif

#include "graph/machine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifdef TG_HAVE_AVX2 /* the build has AVX-512 kernels too, then */
#include <cpuid.h>

static uint32_t enabled_state(void)
{
    uint32_t a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE))
        return 0;
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}

static bool have_avx2(void)
{
    uint32_t a, b, c, d;
    if ((enabled_state() & 0x6) != 0x6 || !__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_FMA))
        return false;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & bit_AVX2);
}

static bool have_avx512(void)
{
    uint32_t a, b, c, d;
    uint32_t wanted = bit_AVX512F | bit_AVX512VL | bit_AVX512DQ | bit_AVX512BW;
    if (!have_avx2() || (enabled_state() & 0xe6) != 0xe6)
        return false;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & wanted) == wanted;
}
#endif

const char *tg_isa_name(tg_isa isa)
{
    static const char *const names[TG_ISA_COUNT] = {
        [TG_ISA_BASELINE] = "baseline", [TG_ISA_AVX2] = "avx2", [TG_ISA_AVX512] = "avx512", [TG_ISA_NEON] = "neon"};
    return (unsigned)isa < TG_ISA_COUNT ? names[isa] : "best";
}

bool tg_isa_available(tg_isa isa)
{
    switch (isa) {
    case TG_ISA_BASELINE: return true;
#ifdef TG_HAVE_AVX2
    case TG_ISA_AVX2: return have_avx2();
#endif
#ifdef TG_HAVE_AVX512
    case TG_ISA_AVX512: return have_avx512();
#endif
#ifdef TG_HAVE_NEON
    case TG_ISA_NEON: return true;
#endif
    default: return false;
    }
}

tg_isa tg_machine_best_isa(void)
{
    int isa = TG_ISA_COUNT - 1;
    while (isa > TG_ISA_BASELINE && !tg_isa_available((tg_isa)isa))
        isa--;
    return (tg_isa)isa;
}

#if defined(__linux__)
static int affinity_count(void)
{
    cpu_set_t set;
    return sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : INT32_MAX;
}

/* Cores that a quota file allows, rounded up: "max 100000" or "150000 100000" (v2), or the quota alone (v1). */
static int quota_in(const char *quota_path, const char *period_path)
{
    long long quota = 0, period = 0;
    FILE *file = fopen(quota_path, "r");
    if (!file)
        return INT32_MAX;
    int got = fscanf(file, "%lld %lld", &quota, &period);
    fclose(file);
    if (got == 1 && period_path && (file = fopen(period_path, "r"))) {
        got += fscanf(file, "%lld", &period);
        fclose(file);
    }
    if (got != 2 || quota <= 0 || period <= 0 || quota / period >= INT32_MAX)
        return INT32_MAX;
    return (int)(quota / period + (quota % period != 0));
}

/* The v2 group of this process and all above it: the tightest quota counts. */
static int unified_quota(void)
{
    int cores = quota_in("/sys/fs/cgroup/cpu.max", NULL);
    char line[512], path[600];
    FILE *file = fopen("/proc/self/cgroup", "r");
    if (!file)
        return cores;
    while (fgets(line, sizeof line, file)) {
        if (strncmp(line, "0::/", 4) != 0)
            continue;
        line[strcspn(line, "\n")] = '\0';
        for (char *end; (end = strrchr(line + 3, '/')) && end[1]; *end = '\0') {
            snprintf(path, sizeof path, "/sys/fs/cgroup%s/cpu.max", line + 3);
            int here = quota_in(path, NULL);
            cores = here < cores ? here : cores;
        }
    }
    fclose(file);
    return cores;
}

static int allowed_count(void)
{
    int affinity = affinity_count();
    int unified = unified_quota();
    int legacy = quota_in("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "/sys/fs/cgroup/cpu/cpu.cfs_period_us");
    int least = affinity < unified ? affinity : unified;
    return legacy < least ? legacy : least;
}
#else
static int allowed_count(void) { return INT32_MAX; }
#endif

int tg_machine_threads(void)
{
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    int cores = online < 1 ? 1 : online > 1024 ? 1024 : (int)online;
    int allowed = allowed_count();
    return allowed < cores ? allowed : cores;
}
