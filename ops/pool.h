/* Inside the pooling family: its rewrites (ops/pool_rules.c). */
#ifndef TG_OPS_POOL_H
#define TG_OPS_POOL_H

#include "ops/attributes.h"
#include "ops/kernels/pool.h"
#include "ops/ops.h"

static inline tg_pool2d_options tg_pool2d_options_of(const tg_pool2d_attributes *a)
{
    return (tg_pool2d_options){.window = {a->window[0], a->window[1]}, .stride = {a->stride[0], a->stride[1]}};
}

static inline bool tg_pool2d_is_disjoint(const tg_pool2d_attributes *a)
{
    return a->stride[0] >= a->window[0] && a->stride[1] >= a->window[1];
}

/** Whether a u8 can name each place of the window. */
static inline bool tg_pool2d_has_positions(const tg_pool2d_attributes *a)
{
    return a->window[0] <= 256 && a->window[1] <= 256 / a->window[0];
}

/** Turns infer->result, an image, into what pooling it gives; `positions`: a u8 must be able to name each place of the window. */
bool tg_pool2d_infer(tg_infer *infer, const tg_pool2d_attributes *a, bool positions);
tg_pool2d_attributes tg_pool2d_normalised(tg_pool2d_options options);
/** The attributes of pooling as text. */
void tg_pool2d_describe(const tg_pool2d_attributes *a, char *text, size_t size);
/** Pooling between an image and pooled elements as kernels see it. */
tg_pool_size tg_pool2d_size_of(const tg_pool2d_attributes *a, const tg_shape *image, const tg_shape *pooled);

enum { TG_MAX_POOL2D_RULES = 3, TG_ARGMAX_POOL2D_RULES = 3, TG_POOL_GATHER2D_RULES = 4 };
extern const tg_rewrite_rule tg_max_pool2d_rules[TG_MAX_POOL2D_RULES], tg_argmax_pool2d_rules[TG_ARGMAX_POOL2D_RULES],
    tg_pool_gather2d_rules[TG_POOL_GATHER2D_RULES];

#endif
