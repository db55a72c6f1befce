/* An allocator that counts, and refuses the n-th request: to make every allocation fail in turn. */
#ifndef TG_TESTS_FAILING_ALLOCATOR_H
#define TG_TESTS_FAILING_ALLOCATOR_H

#include <stdatomic.h>
#include <stdlib.h>

#include "graph/context.h"

typedef struct failing_allocator {
    atomic_long requests; /* so far */
    long refuse;          /* the number, from 1, of the request to refuse; 0: none; -1: all */
    atomic_long live;     /* allocations not yet released */
    atomic_size_t held;   /* their bytes */
} failing_allocator;

static inline void *failing_allocate(void *user, size_t bytes)
{
    failing_allocator *self = user;
    void *memory = NULL;
    if (++self->requests == self->refuse || self->refuse < 0 || posix_memalign(&memory, 64, bytes) != 0)
        return NULL;
    self->live++;
    self->held += bytes;
    return memory;
}

static inline void failing_release(void *user, void *memory, size_t bytes)
{
    failing_allocator *self = user;
    self->live--;
    self->held -= bytes;
    free(memory);
}

static inline tg_allocator failing_allocator_interface(failing_allocator *self)
{
    return (tg_allocator){failing_allocate, failing_release, self};
}

#endif
