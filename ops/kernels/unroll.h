/* UNROLL before a loop: it is short, of constant length, and what it goes over lies in registers. */
#ifndef TG_OPS_KERNELS_UNROLL_H
#define TG_OPS_KERNELS_UNROLL_H

#if defined(__clang__)
#define UNROLL _Pragma("clang loop unroll(full)")
#else
#define UNROLL _Pragma("GCC unroll 16")
#endif

#endif
