#include "ops/kernel_set.h"

const tg_kernels *tg_kernels_for(tg_isa isa)
{
    switch (isa) {
#if defined(TG_HAVE_BASELINE)
    case TG_ISA_BASELINE: return &tg_kernels_baseline;
#endif
#if defined(TG_HAVE_AVX2)
    case TG_ISA_AVX2: return &tg_kernels_avx2;
#endif
#if defined(TG_HAVE_AVX512)
    case TG_ISA_AVX512: return &tg_kernels_avx512;
#endif
#if defined(TG_HAVE_NEON)
    case TG_ISA_NEON: return &tg_kernels_neon;
#endif
    default: return NULL;
    }
}
