/* The table of kernels, one for each instruction set, and what a kernel source needs to define its part of it. */
#ifndef TG_OPS_KERNELS_KERNELS_H
#define TG_OPS_KERNELS_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#include "ops/kernels/pool.h"
#include "ops/kernels/reduce.h"
#include "ops/kernels/skip.h"
#include "ops/kernels/tile.h"
#include "ops/kernels/windows.h"

typedef struct tg_kernels {
    const char *set;
#define TG_KERNEL(type, name, parameters) type(*name) parameters;
#include "ops/kernels/kernel_list.h"
#undef TG_KERNEL
} tg_kernels;

/* TG_HAVE_<SET>: the build has that set's tables. */
#if defined(TG_HAVE_BASELINE)
extern const tg_kernels tg_kernels_baseline;
#endif
#if defined(TG_HAVE_AVX2)
extern const tg_kernels tg_kernels_avx2;
#endif
#if defined(TG_HAVE_AVX512)
extern const tg_kernels tg_kernels_avx512;
#endif
#if defined(TG_HAVE_NEON)
extern const tg_kernels tg_kernels_neon;
#endif

/* Within a kernel source, compiled with -DTG_KERNEL_SET=<set>: TG_SET(matmul) is tg_matmul_avx2. */
#if defined(TG_KERNEL_SET)
#define TG_SET_JOIN(name, set) tg_##name##_##set
#define TG_SET_EXPAND(name, set) TG_SET_JOIN(name, set)
#define TG_SET(name) TG_SET_EXPAND(name, TG_KERNEL_SET)
#define TG_KERNEL(type, name, parameters) type TG_SET(name) parameters;
#include "ops/kernels/kernel_list.h"
#undef TG_KERNEL
#endif

#endif
