#include "bench_machine.h"

#include <stdlib.h>
#include <time.h>

double bench_clock(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

double bench_bandwidth(void)
{
    enum { COUNT = 1 << 24, REPEATS = 5 };
    float *a = malloc(COUNT * sizeof *a), *b = malloc(COUNT * sizeof *b), *c = malloc(COUNT * sizeof *c);
    double best = 0;
    for (int i = 0; a && b && c && i < COUNT; i++)
        a[i] = 0, b[i] = (float)i, c[i] = 1;
    for (int repeat = 0; a && b && c && repeat < REPEATS; repeat++) {
        double start = bench_clock();
        for (int i = 0; i < COUNT; i++)
            a[i] = b[i] + (float)repeat * c[i];
        double rate = 3.0 * COUNT * sizeof *a / (bench_clock() - start);
        if (rate > best && a[COUNT - 1] > 0)
            best = rate;
    }
    free(a);
    free(b);
    free(c);
    return best;
}
