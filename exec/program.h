/* Pointwise programs: a group of ops run block by block, with what lies between them in the first cache. Knows nothing of graphs. */
#ifndef TG_EXEC_PROGRAM_H
#define TG_EXEC_PROGRAM_H

#include "exec/pool.h"
#include "graph/rebuild.h"

typedef struct tg_program tg_program;

/** Starts a program over `count` elements in `pool`; NULL if memory is out. The bounds are on calls of the next three functions. */
tg_program *tg_program_new(tg_pool *pool, int64_t count, int32_t max_instructions, int32_t max_arguments);

/** An operand that lies in memory, at pointers[ref]: a tensor of `from`, broadcast to `to`, which has as many elements as the
    program. Asking twice for the same gives the same operand. -1 if the pool's memory is out. */
int32_t tg_program_read(tg_program *program, int32_t ref, tg_type from, tg_shape to);
/** What an instruction does: operands -> an element of `dtype`, at pointers[ref], or with ref -1 in a register. */
typedef struct tg_instruction {
    tg_block_fn block; /**< NULL: copies operand 0 */
    const void *attributes;
    int32_t n_operands;
    const int32_t *operands;
    int32_t ref;
    tg_dtype dtype;
    bool monotone;  /**< TG_MONOTONE, for tg_program_bounds() */
    int32_t effect; /**< if >= 0: the node by which it writes to memory what must be finite, for tg_program_try() */
} tg_instruction;
/** Appends an instruction. Returns the operand that is its result. */
int32_t tg_program_emit(tg_program *program, tg_instruction instruction);
/** Assigns registers and the length of a block; nothing is appended afterwards. False if the pool's memory is out. */
bool tg_program_finish(tg_program *program);

/** Whether pointers[write] may be the same memory as pointers[read]: each element is read for the last time before it is written. */
bool tg_program_overwrites(const tg_program *program, int32_t read, int32_t write);
size_t tg_program_scratch(const tg_program *program);
/** Elements of a task: from the program and `count` alone. */
int64_t tg_program_task(const tg_program *program);

/** Readies `scratch` for spans with these pointers. */
void tg_program_begin(const tg_program *program, void *const *pointers, void *scratch);
/** Runs over the elements [first, first + count). */
void tg_program_span(const tg_program *program, void *const *pointers, void *scratch, int64_t first, int64_t count);
/** The same without writing to memory. Returns the effect of the first instruction found to make a NaN or an infinity where it
    must not, or -1. */
int32_t tg_program_try(const tg_program *program, void *const *pointers, void *scratch, int64_t first, int64_t count);

/** Bounds of what a program makes, from those of what it reads: at[ref], which are finite, and filled in where it writes.
    `operands` has room for tg_program_operands(). False if something may not be finite, as far as bounds can tell. */
bool tg_program_bounds(const tg_program *program, tg_interval *at, tg_interval *operands);
int32_t tg_program_operands(const tg_program *program);
/** False if tg_program_bounds() always is. */
bool tg_program_has_bounds(const tg_program *program);

#endif
