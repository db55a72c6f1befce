/* The generator of graph/philox.h, several blocks at once: plain loops over lanes, which the compiler turns into vectors. */
#include <string.h>

#include "ops/kernels/kernels.h"

enum { LANES = 32, ROUNDS = 10 };

static void draw_lanes(uint64_t key, uint64_t counter_high, uint64_t first, uint32_t out[LANES * 4])
{
    uint32_t c0[LANES], c1[LANES], c2[LANES], c3[LANES];
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
    for (int i = 0; i < LANES; i++) {
        c0[i] = (uint32_t)(first + (uint64_t)i);
        c1[i] = (uint32_t)((first + (uint64_t)i) >> 32);
        c2[i] = (uint32_t)counter_high;
        c3[i] = (uint32_t)(counter_high >> 32);
    }
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < LANES; i++) {
            uint64_t p0 = (uint64_t)0xD2511F53u * c0[i], p1 = (uint64_t)0xCD9E8D57u * c2[i];
            c0[i] = (uint32_t)(p1 >> 32) ^ c1[i] ^ k0;
            c1[i] = (uint32_t)p1;
            c2[i] = (uint32_t)(p0 >> 32) ^ c3[i] ^ k1;
            c3[i] = (uint32_t)p0;
        }
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    for (int i = 0; i < LANES; i++) {
        out[4 * i] = c0[i];
        out[4 * i + 1] = c1[i];
        out[4 * i + 2] = c2[i];
        out[4 * i + 3] = c3[i];
    }
}

void TG_SET(philox)(uint64_t key, uint64_t counter_high, uint64_t first, int64_t blocks, uint32_t *words)
{
    int64_t i = 0;
    for (; i + LANES <= blocks; i += LANES)
        draw_lanes(key, counter_high, first + (uint64_t)i, words + 4 * i);
    if (i < blocks) {
        uint32_t last[LANES * 4];
        draw_lanes(key, counter_high, first + (uint64_t)i, last);
        memcpy(words + 4 * i, last, (size_t)(blocks - i) * 4 * sizeof *words);
    }
}
