/* Inside the pooling family: its rewrites (ops/pool_rules.c). */
#ifndef TG_OPS_POOL_H
#define TG_OPS_POOL_H

#include "ops/attributes.h"
#include "ops/ops.h"

static inline tg_pool2d_options tg_pool2d_options_of(const tg_pool2d_attributes *a)
{
    return (tg_pool2d_options){.window = {a->window[0], a->window[1]}, .stride = {a->stride[0], a->stride[1]}};
}

enum { TG_MAX_POOL2D_RULES = 2, TG_ARGMAX_POOL2D_RULES = 2, TG_POOL_GATHER2D_RULES = 4 };
extern const tg_rewrite_rule tg_max_pool2d_rules[TG_MAX_POOL2D_RULES], tg_argmax_pool2d_rules[TG_ARGMAX_POOL2D_RULES],
    tg_pool_gather2d_rules[TG_POOL_GATHER2D_RULES];

#endif
