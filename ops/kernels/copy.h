/* Copies that reorder: any walk over a source by strides, written as contiguous elements of any dtype. */
#ifndef TG_OPS_KERNELS_COPY_H
#define TG_OPS_KERNELS_COPY_H

#include <stddef.h>
#include <stdint.h>

enum { TG_COPY_RANK = 8 };

/** to[i0, i1, ...] = the element at from + offset + i0 strides[0] + i1 strides[1] + ... */
typedef struct tg_copy {
    int rank;
    int64_t dims[TG_COPY_RANK];    /* of the result, row-major */
    int64_t strides[TG_COPY_RANK]; /* of the source, in bytes; negative ones walk back */
    int64_t offset;                /* in bytes */
    int64_t element;               /* bytes: 1, 4 or 8 */
} tg_copy;

/** Joins axes that act as one and drops those of extent 1: call it before the two below. */
void tg_copy_simplify(tg_copy *copy);
/** In how many tasks the copy is cut; 1 or more. */
int64_t tg_copy_tasks(const tg_copy *copy);
void tg_copy_run(const tg_copy *copy, const void *from, void *to, int64_t task);

/** Fills `count` elements with the value whose bytes are given. */
void tg_fill(void *to, int64_t count, int64_t element, const void *value);

#endif
