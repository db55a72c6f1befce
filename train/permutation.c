#include "train/permutation.h"

#include "graph/philox.h"

void tg_permutation(uint64_t seed, const char *name, uint64_t round, int32_t *order, int32_t count)
{
    uint64_t key = tg_philox_key(seed, name);
    uint32_t bits[4];
    for (int32_t i = 0; i < count; i++)
        order[i] = i;
    for (int32_t i = count - 1, drawn = 0; i > 0; i--, drawn++) {
        if (drawn % 4 == 0)
            tg_philox(key, round, (uint64_t)drawn / 4, bits);
        int32_t j = (int32_t)((uint64_t)bits[drawn % 4] * ((uint64_t)i + 1) >> 32);
        int32_t held = order[i];
        order[i] = order[j];
        order[j] = held;
    }
}
