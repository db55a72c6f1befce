/* The floating-point state of a thread while a plan runs on it: round to nearest, and subnormals as zero but where f64 is read or written. */
#ifndef TG_EXEC_FLOAT_MODE_H
#define TG_EXEC_FLOAT_MODE_H

#include <fenv.h>
#include <stdbool.h>
#include <stdint.h>

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

/** A thread's state as it was. */
typedef struct tg_float_mode {
    int rounding;
    uint64_t control; /* of the vector unit */
} tg_float_mode;

/** Sets the mode of the calling thread and returns its state before, for tg_float_mode_leave(). */
static inline tg_float_mode tg_float_mode_enter(bool flush)
{
    tg_float_mode before = {.rounding = fegetround()};
    if (before.rounding != FE_TONEAREST)
        fesetround(FE_TONEAREST);
#if defined(__SSE__)
    /* MXCSR: 0x8040 flushes results and operands, 0x6000 rounds elsewhere than to nearest, 0x1f80 masks the traps. */
    before.control = _mm_getcsr();
    _mm_setcsr(((uint32_t)before.control & ~(uint32_t)0xe040) | 0x1f80 | (flush ? 0x8040 : 0));
#elif defined(__aarch64__)
    /* FPCR: bit 24 flushes, bits 22 and 23 round elsewhere than to nearest, bits 8 to 15 enable traps. */
    __asm__ volatile("mrs %0, fpcr" : "=r"(before.control));
    uint64_t mode = (before.control & ~(uint64_t)0x1c0ff00) | (flush ? 0x1000000 : 0);
    __asm__ volatile("msr fpcr, %0" : : "r"(mode) : "memory");
#else
    (void)flush;
#endif
    return before;
}

static inline void tg_float_mode_leave(tg_float_mode before)
{
#if defined(__SSE__)
    _mm_setcsr((uint32_t)before.control);
#elif defined(__aarch64__)
    __asm__ volatile("msr fpcr, %0" : : "r"(before.control) : "memory");
#endif
    if (before.rounding != FE_TONEAREST)
        fesetround(before.rounding);
}

#endif
