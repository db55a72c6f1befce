/* Offsets in a growing stretch of memory: taken and given back in constant time, free neighbours joined. */
#ifndef TG_EXEC_SPACE_H
#define TG_EXEC_SPACE_H

#include "graph/context.h"

#define TG_SPACE_BINS 512

typedef struct tg_space {
    tg_context *context;
    struct tg_space_block *blocks;
    int32_t capacity, n_blocks;
    int32_t spare;               /* a block that stands for nothing, or -1; the others follow */
    int32_t last;                /* the one at the end of the space, or -1 */
    int32_t bins[TG_SPACE_BINS]; /* free blocks by size */
    uint64_t filled[TG_SPACE_BINS / 64];
    int64_t bytes;
} tg_space;

/** Room for `max_live` stretches at once. False if memory is out. */
bool tg_space_init(tg_space *space, tg_context *context, int32_t max_live);
void tg_space_free(tg_space *space);
/** A stretch of `bytes`, rounded up to whole 64: a handle, and its offset. */
int32_t tg_space_take(tg_space *space, int64_t bytes, int64_t *offset);
void tg_space_give(tg_space *space, int32_t block);

#endif
