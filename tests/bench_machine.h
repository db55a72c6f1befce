/* What the machine can do at most, on one thread: the figures that the benchmarks stand next to. */
#ifndef TG_TESTS_BENCH_MACHINE_H
#define TG_TESTS_BENCH_MACHINE_H

#include <stdint.h>

#include "graph/context.h"

/** A monotonic clock, in seconds. */
double bench_clock(void);

/** Floating-point operations per second of independent multiply-adds in registers, by the vectors of an instruction set. */
double bench_flops(tg_isa isa);
/** Bytes per second read and written by a = b + s c, by these vectors, over arrays that hold so many bytes together, as often as
    the caches allow. 0 if memory is out. */
double bench_bandwidth(tg_isa isa, double bytes);

/** Compiled for each instruction set as the kernels are. */
double tg_bench_fma_baseline(void);
double tg_bench_fma_avx2(void);
double tg_bench_fma_avx512(void);
double tg_bench_fma_neon(void);
void tg_bench_triad_baseline(float *a, const float *b, const float *c, int64_t count, float factor);
void tg_bench_triad_avx2(float *a, const float *b, const float *c, int64_t count, float factor);
void tg_bench_triad_avx512(float *a, const float *b, const float *c, int64_t count, float factor);
void tg_bench_triad_neon(float *a, const float *b, const float *c, int64_t count, float factor);

#endif
