/* What the machine can do at most, on one thread: the figures that the benchmarks stand next to. */
#ifndef TG_TESTS_BENCH_MACHINE_H
#define TG_TESTS_BENCH_MACHINE_H

/** A monotonic clock, in seconds. */
double bench_clock(void);
/** Bytes per second read and written by a = b + s c over arrays far larger than the caches. 0 if memory is out. */
double bench_bandwidth(void);

/** Floating-point operations per second of independent multiply-adds in registers, compiled for each instruction set as the kernels are. */
double tg_bench_fma_baseline(void);
double tg_bench_fma_avx2(void);
double tg_bench_fma_avx512(void);
double tg_bench_fma_neon(void);

#endif
