/* Memory of a compile or a plan: taken piece by piece, given back at once. */
#ifndef TG_EXEC_POOL_H
#define TG_EXEC_POOL_H

#include "graph/context.h"

typedef struct tg_pool {
    tg_context *context;
    struct tg_pool_chunk *chunks;
} tg_pool;

static inline tg_pool tg_pool_make(tg_context *context) { return (tg_pool){context, NULL}; }
/** `count` elements of `size` bytes, zero, aligned to 16, and to 64 from 64 bytes on; NULL if memory is out. No elements give a valid pointer. */
void *tg_pool_take(tg_pool *pool, int64_t count, size_t size);
/** Gives back all that was taken. The pool may be used again. */
void tg_pool_free(tg_pool *pool);

#endif
