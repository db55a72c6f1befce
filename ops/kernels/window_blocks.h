/* What the inner kernels of ops/kernels/windows.h keep in registers: 32 of them on AVX-512 and NEON, 16 elsewhere, hold accumulators and a
   broadcast value; without a fused multiply-add that reads memory, an operand takes one more. */
#ifndef TG_OPS_KERNELS_WINDOW_BLOCKS_H
#define TG_OPS_KERNELS_WINDOW_BLOCKS_H

#include "ops/kernels/kernels.h"
#include "ops/kernels/unroll.h"
#include "ops/kernels/vector.h"

/* EACH_TAPS(AT): AT(t) for every number of taps that has a function of its own: those of 1 to TG_WINDOW_TAPS, and a whole 5x5
   kernel where there is room. */
#define TAPS_TO_12(AT) AT(1) AT(2) AT(3) AT(4) AT(5) AT(6) AT(7) AT(8) AT(9) AT(10) AT(11) AT(12)
#if defined(TG_SET_AVX512) || defined(TG_SET_NEON)
#define MOST_TAPS 25
#define WHOLE_TAPS 25
#define EACH_TAPS(AT) TAPS_TO_12(AT) AT(25)
#else
#define MOST_TAPS TG_WINDOW_TAPS
#define WHOLE_TAPS 0
#define EACH_TAPS(AT) TAPS_TO_12(AT)
#endif

#endif
