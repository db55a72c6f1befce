/* Checks of ops/kernels/vector.h, compiled once for each instruction set. */
#ifndef TG_TESTS_VECTOR_CHECKS_H
#define TG_TESTS_VECTOR_CHECKS_H

#include "graph/context.h"

int vector_checks_baseline(void);
int vector_checks_avx2(void);
int vector_checks_avx512(void);
int vector_checks_neon(void);

/** The line of vector_checks.c whose check fails on that set, which must be available; 0 if none does. */
static inline int vector_checks(tg_isa isa)
{
    switch (isa) {
#if defined(TG_HAVE_AVX2)
    case TG_ISA_AVX2: return vector_checks_avx2();
#endif
#if defined(TG_HAVE_AVX512)
    case TG_ISA_AVX512: return vector_checks_avx512();
#endif
#if defined(TG_HAVE_NEON)
    case TG_ISA_NEON: return vector_checks_neon();
#endif
    default: return vector_checks_baseline();
    }
}

#endif
