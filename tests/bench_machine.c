#include "bench_machine.h"

#include <stdlib.h>
#include <time.h>

double bench_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

double bench_flops(tg_isa isa)
{
    switch (isa) {
#ifdef TG_HAVE_AVX2
    case TG_ISA_AVX2: return tg_bench_fma_avx2();
#endif
#ifdef TG_HAVE_AVX512
    case TG_ISA_AVX512: return tg_bench_fma_avx512();
#endif
#ifdef TG_HAVE_NEON
    case TG_ISA_NEON: return tg_bench_fma_neon();
#endif
    default: return tg_bench_fma_baseline();
    }
}

static void triad(tg_isa isa, float *arrays, int64_t count, float factor)
{
    float *a = arrays;
    const float *b = arrays + count, *c = arrays + 2 * count;
    switch (isa) {
#ifdef TG_HAVE_AVX2
    case TG_ISA_AVX2: tg_bench_triad_avx2(a, b, c, count, factor); break;
#endif
#ifdef TG_HAVE_AVX512
    case TG_ISA_AVX512: tg_bench_triad_avx512(a, b, c, count, factor); break;
#endif
#ifdef TG_HAVE_NEON
    case TG_ISA_NEON: tg_bench_triad_neon(a, b, c, count, factor); break;
#endif
    default: tg_bench_triad_baseline(a, b, c, count, factor);
    }
}

enum { SMALLEST = 12, LARGEST = 28, REPEATS = 15 }; /* powers of two, in bytes */

static double measure(tg_isa isa, int power)
{
    /* A whole number of four vectors. */
    int64_t count = ((int64_t)1 << power) / (3 * (int64_t)sizeof(float)) / 64 * 64, rounds = 1 + ((int64_t)1 << 20) / count / 8;
    size_t bytes = 3 * (size_t)count * sizeof(float);
    float *arrays = aligned_alloc(64, bytes);
    double best = 0;
    for (int64_t i = 0; arrays && i < 3 * count; i++)
        arrays[i] = 1;
    for (int repeat = 0; arrays && repeat < REPEATS; repeat++) {
        double start = bench_clock();
        for (int64_t round = 0; round < rounds; round++)
            triad(isa, arrays, count, (float)repeat);
        double rate = (double)rounds * (double)bytes / (bench_clock() - start);
        best = rate > best && arrays[count - 1] > 0 ? rate : best;
    }
    free(arrays);
    return best;
}

double bench_bandwidth(tg_isa isa, double bytes)
{
    static double known[TG_ISA_COUNT][LARGEST + 1];
    int power = SMALLEST;
    while (power < LARGEST && (double)((int64_t)1 << power) < bytes)
        power++;
    if (known[isa][power] == 0)
        known[isa][power] = measure(isa, power);
    return known[isa][power];
}
