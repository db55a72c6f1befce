/* INLINE: into the function of each size of a block. UNROLL before a loop: it is short, of constant length, and what it goes over lies in registers. */
#ifndef TG_OPS_KERNELS_UNROLL_H
#define TG_OPS_KERNELS_UNROLL_H

#define INLINE static inline __attribute__((always_inline))

#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 25")
#endif

#endif
