/* INLINE: into the function of each size of a block. UNROLL before a loop: it is short, of constant length, and what it goes over lies in registers. */
#ifndef TG_OPS_KERNELS_UNROLL_H
#define TG_OPS_KERNELS_UNROLL_H

#define INLINE static inline __attribute__((always_inline))

#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 25")
#endif

/* The pointer is kept in a register of its own: operands at constant distances from it take one micro-operation, those at an index two. */
#define KEEP_POINTER(pointer) __asm__("" : "+r"(pointer))

#endif
