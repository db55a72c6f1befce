/* Philox4x32-10 (Salmon et al., SC 2011): a pure function from (key, counter) to 128 random bits. */
#ifndef TG_GRAPH_PHILOX_H
#define TG_GRAPH_PHILOX_H

#include <stdint.h>

static inline void tg_philox(uint64_t key, uint64_t counter_high, uint64_t counter_low, uint32_t out[4])
{
    uint32_t k0 = (uint32_t)key, k1 = (uint32_t)(key >> 32);
    uint32_t c0 = (uint32_t)counter_low, c1 = (uint32_t)(counter_low >> 32);
    uint32_t c2 = (uint32_t)counter_high, c3 = (uint32_t)(counter_high >> 32);
    for (int round = 0; round < 10; round++) {
        uint64_t p0 = (uint64_t)0xD2511F53u * c0, p1 = (uint64_t)0xCD9E8D57u * c2;
        c0 = (uint32_t)(p1 >> 32) ^ c1 ^ k0;
        c1 = (uint32_t)p1;
        c2 = (uint32_t)(p0 >> 32) ^ c3 ^ k1;
        c3 = (uint32_t)p0;
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    out[0] = c0, out[1] = c1, out[2] = c2, out[3] = c3;
}

/** A uniform in [0, 1) of 24 bits, exact in both float dtypes. */
static inline double tg_philox_uniform(uint32_t bits) { return (double)(bits >> 8) * 0x1p-24; }

/** FNV-1a of a name, started from `seed`: the key of a named stream. */
static inline uint64_t tg_philox_key(uint64_t seed, const char *name)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (; *name; name++)
        hash = (hash ^ (uint8_t)*name) * 0x100000001b3u;
    uint32_t mixed[4];
    tg_philox(seed, hash, 0, mixed);
    return (uint64_t)mixed[1] << 32 | mixed[0];
}

#endif
