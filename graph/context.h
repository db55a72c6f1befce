/* A context: the allocator, the instruction set and the thread team that graphs, variables and plans share.

   Any thread may call any function here at any time, but for tg_context_free(), which comes last. */
#ifndef TG_GRAPH_CONTEXT_H
#define TG_GRAPH_CONTEXT_H

#include "graph/types.h"

TG_BEGIN_DECLS

typedef struct tg_context tg_context;

/** Instruction sets, weakest first. Which of them exist depends on the machine. */
typedef enum tg_isa {
    TG_ISA_BASELINE, /**< what the compiler's target guarantees: SSE2, or plain C */
    TG_ISA_AVX2,     /**< AVX2 and FMA */
    TG_ISA_AVX512,   /**< AVX-512 F, VL, DQ, BW */
    TG_ISA_NEON,     /**< AArch64 Advanced SIMD */
    TG_ISA_COUNT,
    TG_ISA_BEST = TG_ISA_COUNT /**< the strongest that this processor and system have */
} tg_isa;

/** Where memory comes from. `allocate` returns `bytes` bytes aligned to 64, or NULL. Both functions may be called from several
    threads at once. */
typedef struct tg_allocator {
    void *(*allocate)(void *user, size_t bytes);
    void (*release)(void *user, void *memory, size_t bytes);
    void *user;
} tg_allocator;

/** 256 MiB. */
#define TG_FILE_BYTES ((int64_t)256 << 20)

typedef struct tg_context_options {
    int threads;            /**< 0: the least of the affinity mask, the cgroup's quota and the cores */
    tg_isa isa;             /**< TG_ISA_BEST, or one that tg_isa_available() affirms; $TG_ISA overrides TG_ISA_BEST */
    tg_allocator allocator; /**< all zero: aligned memory from libc */
    bool plan_memory;       /**< false: an allocation of its own for each intermediate (for sanitizers) */
    bool
        move_arrays; /**< what grows with a graph, a store or a list of names moves whenever it does, up to some thousands of elements (for
                                 sanitizers) */
    /** What may be made of a packed file (.gz, .npz, PNG), which can be a thousandth of its contents: so many bytes, or 32 times the
        file's own size if that is more. Below 1: TG_FILE_BYTES. */
    int64_t file_bytes;
} tg_context_options;

/** 0 threads, TG_ISA_BEST, libc's memory, memory planned. */
TG_API tg_context_options tg_context_defaults(void);

/** NULL if memory is out, if `isa` (or $TG_ISA) is unknown or missing here, or if threads < 0 or > 1024. Free after all that uses it. */
TG_API tg_context *tg_context_new(tg_context_options options);
TG_API void tg_context_free(tg_context *context);

/** Why the last tg_context_new() with these options would fail: one sentence in `text`, or "" if it would not. */
TG_API void tg_context_explain(tg_context_options options, char *text, size_t size);

TG_API int tg_context_threads(const tg_context *context);
TG_API tg_isa tg_context_isa(const tg_context *context);
/** "baseline", "avx2", "avx512", "neon". */
TG_API const char *tg_isa_name(tg_isa isa);
/** Whether this library was built for it and this machine can run it. */
TG_API bool tg_isa_available(tg_isa isa);
/** The version of the library, such as "0.1.0". */
TG_API const char *tg_version(void);

/** Memory from the context's allocator, aligned to 64 bytes and not cleared; NULL if it is out. 0 bytes give a valid pointer. */
TG_API void *tg_allocate(tg_context *context, size_t bytes);
/** The same, filled with zero bytes. */
TG_API void *tg_allocate_zero(tg_context *context, size_t bytes);
/** Gives back what tg_allocate() gave, with the same size. NULL is fine. */
TG_API void tg_release(tg_context *context, void *memory, size_t bytes);
/** Bytes now held from the allocator, and their maximum so far. */
TG_API size_t tg_context_memory(const tg_context *context, size_t *peak);

TG_END_DECLS

#endif
