#include "ops/kernels/vector.h"
#include "tests/bench_machine.h"

#define JOIN(name, set) name##_##set
#define NAME(name, set) JOIN(name, set)

enum { CHAINS = 12, ROUNDS = 20000, REPEATS = 50 };

double NAME(tg_bench_fma, TG_KERNEL_SET)(void)
{
    float out[VF_WIDTH];
    double best = 0;
    for (int repeat = 0; repeat < REPEATS; repeat++) {
        vf chain[CHAINS];
        for (int i = 0; i < CHAINS; i++)
            chain[i] = vf_set1((float)(i + repeat));
        /* The chain is a factor, so that no product can be taken out of the loop. */
        vf factor = vf_set1(0.5f), term = vf_set1(1.0f);
        double start = bench_clock();
        for (int round = 0; round < ROUNDS; round++)
            for (int i = 0; i < CHAINS; i++)
                chain[i] = vf_fma(chain[i], factor, term);
        double seconds = bench_clock() - start;
        for (int i = 1; i < CHAINS; i++)
            chain[0] = vf_add(chain[0], chain[i]);
        vf_store(out, chain[0]);
        double rate = 2.0 * CHAINS * ROUNDS * VF_WIDTH / seconds;
        if (rate > best && out[0] > 0) /* the sum is asked for, so that it has to be computed */
            best = rate;
    }
    return best;
}

void NAME(tg_bench_triad, TG_KERNEL_SET)(float *a, const float *b, const float *c, int64_t count, float factor)
{
    vf s = vf_set1(factor);
    for (int64_t i = 0; i + 4 * VF_WIDTH <= count; i += 4 * VF_WIDTH)
        for (int64_t k = i; k < i + 4 * VF_WIDTH; k += VF_WIDTH)
            vf_store(a + k, vf_fma(s, vf_load(c + k), vf_load(b + k)));
}
