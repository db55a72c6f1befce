#include "exec/pool.h"

#include <string.h>

#define FIRST_CHUNK ((size_t)1 << 14)
#define LAST_CHUNK ((size_t)1 << 20)

struct tg_pool_chunk {
    struct tg_pool_chunk *next;
    size_t size, used; /* with this header */
};

#define HEADER (((sizeof(struct tg_pool_chunk)) + 63) & ~(size_t)63)

/* Chunks double, so that a large graph takes few of them and a small one little memory. */
static struct tg_pool_chunk *add_chunk(tg_pool *pool, size_t bytes)
{
    size_t size = pool->chunks ? 2 * pool->chunks->size : FIRST_CHUNK;
    size = size > LAST_CHUNK ? LAST_CHUNK : size;
    if (bytes > SIZE_MAX - HEADER)
        return NULL;
    if (size < bytes + HEADER)
        size = bytes + HEADER;
    struct tg_pool_chunk *chunk = tg_allocate(pool->context, size);
    if (!chunk)
        return NULL;
    *chunk = (struct tg_pool_chunk){.next = pool->chunks, .size = size, .used = HEADER};
    pool->chunks = chunk;
    return chunk;
}

void *tg_pool_take(tg_pool *pool, int64_t count, size_t size)
{
    if (count < 0 || (size && (uint64_t)count > (SIZE_MAX - 63) / size))
        return NULL;
    size_t bytes = (size_t)count * size, unit = bytes < 64 ? 15 : 63; /* small pieces lie closer together */
    struct tg_pool_chunk *chunk = pool->chunks;
    size_t start = chunk ? (chunk->used + unit) & ~unit : 0;
    if (!chunk || start > chunk->size || chunk->size - start < bytes) {
        chunk = add_chunk(pool, bytes);
        start = HEADER;
    }
    if (!chunk)
        return NULL;
    chunk->used = start + bytes;
    return memset((char *)chunk + start, 0, bytes);
}

void tg_pool_free(tg_pool *pool)
{
    for (struct tg_pool_chunk *chunk = pool->chunks, *next; chunk; chunk = next) {
        next = chunk->next;
        tg_release(pool->context, chunk, chunk->size);
    }
    pool->chunks = NULL;
}
