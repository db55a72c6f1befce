/* The kernels of the instruction set that a context runs on. */
#ifndef TG_OPS_KERNEL_SET_H
#define TG_OPS_KERNEL_SET_H

#include "graph/context.h"
#include "ops/kernels/kernels.h"

/** The table for `isa`; NULL if the library was not built for it. */
const tg_kernels *tg_kernels_for(tg_isa isa);

#endif
