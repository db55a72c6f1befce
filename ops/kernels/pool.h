/* Pooling over windows of an image [n, height, width, channels]; pairs are (height, width). */
#ifndef TG_OPS_KERNELS_POOL_H
#define TG_OPS_KERNELS_POOL_H

#include <stdbool.h>
#include <stdint.h>

typedef struct tg_pool_size {
    int64_t channels;
    int64_t in[2], out[2], window[2], stride[2];
} tg_pool_size;

/** What a kernel computes: rows [first, end) of `to`, counted through all images. */
typedef struct tg_pool {
    const tg_pool_size *size;
    const void *from;
    const uint8_t *argmax; /**< position in the window, row by row, for each pooled element; where it is none, nothing is taken */
    void *to;
    int64_t first, end;
    uint8_t *positions; /**< of max_pool: where the argmax goes too; NULL: it does not */
} tg_pool;

/** The windows along one axis that contain position p: [*first, *end). */
static inline void tg_pool_windows(const tg_pool_size *size, int axis, int64_t p, int64_t *first, int64_t *end)
{
    int64_t before = p - size->window[axis];
    *first = before < 0 ? 0 : before / size->stride[axis] + 1;
    *end = p / size->stride[axis] + 1;
    if (*end > size->out[axis])
        *end = size->out[axis];
}

/** Whether no position lies in two windows. */
static inline bool tg_pool_is_disjoint(const tg_pool_size *size)
{
    return size->stride[0] >= size->window[0] && size->stride[1] >= size->window[1];
}

/* In f64, by their definitions. */
void tg_max_pool_f64(const tg_pool *pool);
void tg_max_pool_argmax_f64(const tg_pool *pool);
void tg_avg_pool_f64(const tg_pool *pool);
/** In these `to` is the image, and its rows are summed over windows in order. */
void tg_unpool_f64(const tg_pool *pool);
void tg_avg_unpool_f64(const tg_pool *pool);
/** Elements of 1, 4 or 8 bytes. */
void tg_pool_gather_plain(const tg_pool *pool, int64_t element);

#endif
