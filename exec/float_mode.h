/* The floating-point state of a thread while a plan runs on it: round to nearest, and subnormals as zero where asked. */
#ifndef TG_EXEC_FLOAT_MODE_H
#define TG_EXEC_FLOAT_MODE_H

#include <stdbool.h>
#include <stdint.h>

#if defined(__SSE__) || defined(_M_X64)
#include <xmmintrin.h>
#endif

/** Sets the mode of the calling thread and returns its state before, for tg_float_mode_leave(). */
static inline uint64_t tg_float_mode_enter(bool flush)
{
#if defined(__SSE__) || defined(_M_X64)
    /* MXCSR: 0x8040 flushes results and operands, 0x6000 rounds elsewhere than to nearest, 0x1f80 masks the traps. */
    uint32_t before = _mm_getcsr();
    _mm_setcsr((before & ~(uint32_t)0xe040) | 0x1f80 | (flush ? 0x8040 : 0));
    return before;
#elif defined(__aarch64__)
    /* FPCR: bit 24 flushes, bits 22 and 23 round elsewhere than to nearest, bits 8 to 15 enable traps. */
    uint64_t before;
    __asm__ volatile("mrs %0, fpcr" : "=r"(before));
    uint64_t mode = (before & ~(uint64_t)0x1c0ff00) | (flush ? 0x1000000 : 0);
    __asm__ volatile("msr fpcr, %0" : : "r"(mode) : "memory");
    return before;
#else
    (void)flush;
    return 0;
#endif
}

static inline void tg_float_mode_leave(uint64_t before)
{
#if defined(__SSE__) || defined(_M_X64)
    _mm_setcsr((uint32_t)before);
#elif defined(__aarch64__)
    __asm__ volatile("msr fpcr, %0" : : "r"(before) : "memory");
#else
    (void)before;
#endif
}

#endif
