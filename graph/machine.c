#if defined(__linux__)
#define _GNU_SOURCE
#include <sched.h>
#endif

#include "graph/machine.h"

#include <unistd.h>

#include "graph/cgroup.h"

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

static int allowed_count(void)
{
    int affinity = affinity_count(), quota = tg_cgroup_cores("");
    return affinity < quota ? affinity : quota;
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
