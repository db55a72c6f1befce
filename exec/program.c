#include "exec/program.h"

#include <string.h>

#include "exec/bounds.h"
#include "exec/finite.h"
#include "exec/float_mode.h"
#include "exec/walk.h"

#define MAX_BLOCK 1024
#define MIN_BLOCK 128
/* What registers and streams of one block may take: a part of the first cache, and so little that a processor begins the next
   instruction, which may be of another kind, while it still divides. */
#define CACHE_BYTES 16384
#define TASK_WORK 16384 /* instructions x elements of a task, about */

typedef enum operand_kind {
    REGISTER, /* made by an instruction, in scratch memory */
    PLACE,    /* in memory, element for element */
    SCALAR,   /* one element for all, repeated in scratch memory once a task */
    PERIODIC, /* the same elements again and again: read in place where a block lies within a period */
    SPREAD    /* any other broadcast, copied out block by block */
} operand_kind;

typedef struct operand {
    operand_kind kind;
    int32_t ref;
    tg_dtype dtype;
    int32_t size;
    int32_t made, last_use; /* instructions; -1: none */
    int32_t n_uses;
    bool direct;  /* its one use copies it to memory: it is spread there and nowhere else */
    int32_t slot; /* of scratch memory, or -1; of a PLACE that is written: where it goes instead when the program is tried */
    int64_t period;
    const tg_walk *walk; /* of a broadcast */
} operand;

typedef struct instruction {
    tg_block_fn block;
    const void *attributes;
    int32_t first_argument, n_arguments;
    int32_t result;
    int32_t size;
    bool monotone;
    bool keeps_subnormals; /* it reads or writes f64 */
    int32_t effect;
} instruction;

/* A block's worth of scratch memory. */
typedef struct slot {
    int32_t size, next_free;
    size_t offset;
} slot;

struct tg_program {
    tg_pool *pool;
    int64_t count;
    instruction *instructions;
    operand *operands;
    int32_t *arguments; /* operands of the instructions */
    int32_t n_instructions, n_operands, n_arguments, widest;
    int32_t *moving; /* operands that lie elsewhere in each block */
    int32_t n_moving;
    slot *slots;
    int32_t n_slots;
    bool is_tried; /* has effects */
    int64_t block;
    size_t scratch;
};

/* A block under way, in scratch memory. */
typedef struct state {
    void *const *pointers;
    int64_t first, count; /* the block's elements */
    char **at;            /* by operand: this block's elements */
    int64_t *phase;       /* of a periodic operand in scratch memory: where its copy starts in the period */
    int64_t *copied;      /* and how long it is */
    const void **arguments;
    char *slots;
} state;

tg_program *tg_program_new(tg_pool *pool, int64_t count, int32_t max_instructions, int32_t max_arguments)
{
    tg_program *program = tg_pool_take(pool, 1, sizeof *program);
    if (!program)
        return NULL;
    *program = (tg_program){.pool = pool, .count = count};
    program->instructions = tg_pool_take(pool, max_instructions, sizeof *program->instructions);
    program->operands = tg_pool_take(pool, (int64_t)max_instructions + max_arguments, sizeof *program->operands);
    program->arguments = tg_pool_take(pool, max_arguments, sizeof *program->arguments);
    return program->instructions && program->operands && program->arguments ? program : NULL;
}

static bool same_walk(const tg_walk *a, const tg_walk *b) { return a == b || (a && b && memcmp(a, b, sizeof *a) == 0); }

int32_t tg_program_read(tg_program *program, int32_t ref, tg_type from, tg_shape to)
{
    operand made = {.kind = PLACE,
                    .ref = ref,
                    .dtype = from.dtype,
                    .size = (int32_t)tg_dtype_size(from.dtype),
                    .made = -1,
                    .last_use = -1,
                    .slot = -1};
    tg_walk walk;
    if (tg_shape_count(from.shape) != program->count) {
        walk = tg_walk_make(from, to);
        made.kind = walk.rank == 0 ? SCALAR : SPREAD;
        made.walk = &walk;
        if (walk.rank == 2 && walk.strides[0] == 0 && walk.strides[1] == 1) {
            made.kind = PERIODIC;
            made.period = walk.extents[1];
        }
    }
    for (int32_t i = 0; i < program->n_operands; i++) {
        const operand *there = &program->operands[i];
        if (there->made < 0 && there->ref == ref && there->kind == made.kind && there->dtype == made.dtype &&
            same_walk(there->walk, made.walk))
            return i;
    }
    if (made.walk) {
        tg_walk *kept = tg_pool_take(program->pool, 1, sizeof *kept);
        if (!kept)
            return -1;
        *kept = walk;
        made.walk = kept;
    }
    program->operands[program->n_operands] = made;
    return program->n_operands++;
}

int32_t tg_program_emit(tg_program *program, tg_instruction given)
{
    int32_t index = program->n_instructions++;
    instruction *made = &program->instructions[index];
    *made = (instruction){.block = given.block,
                          .attributes = given.attributes,
                          .first_argument = program->n_arguments,
                          .n_arguments = given.n_operands,
                          .result = program->n_operands,
                          .size = (int32_t)tg_dtype_size(given.dtype),
                          .monotone = given.monotone,
                          .keeps_subnormals = given.dtype == TG_F64,
                          .effect = given.effect};
    program->is_tried = program->is_tried || given.effect >= 0;
    for (int32_t i = 0; i < given.n_operands; i++) {
        operand *read = &program->operands[given.operands[i]];
        read->last_use = index;
        read->n_uses++;
        made->keeps_subnormals = made->keeps_subnormals || read->dtype == TG_F64;
        program->arguments[program->n_arguments++] = given.operands[i];
    }
    program->widest = given.n_operands > program->widest ? given.n_operands : program->widest;
    program->operands[program->n_operands] = (operand){.kind = given.ref < 0 ? REGISTER : PLACE,
                                                       .ref = given.ref,
                                                       .dtype = given.dtype,
                                                       .size = made->size,
                                                       .made = index,
                                                       .last_use = -1,
                                                       .slot = -1};
    return program->n_operands++;
}

static int32_t add_slot(tg_program *program, int32_t size)
{
    program->slots[program->n_slots] = (slot){.size = size, .next_free = -1};
    return program->n_slots++;
}

/* Broadcast operands keep a slot throughout, unless all they are for is to be written out. */
static void assign_broadcasts(tg_program *program)
{
    for (int32_t i = 0; i < program->n_operands; i++) {
        operand *read = &program->operands[i];
        if (read->kind == REGISTER || read->kind == PLACE)
            continue;
        const instruction *user = &program->instructions[read->last_use];
        read->direct = !user->block && read->n_uses == 1;
        if (!read->direct)
            read->slot = add_slot(program, read->size);
    }
}

/* Registers: an operand's slot is free again after its last use, first of all for that instruction's own result. */
static void assign_registers(tg_program *program)
{
    int32_t free_slots[9] = {-1, -1, -1, -1, -1, -1, -1, -1, -1}; /* by element size */
    for (int32_t i = 0; i < program->n_instructions; i++) {
        const instruction *step = &program->instructions[i];
        for (int32_t a = 0; a < step->n_arguments; a++) {
            operand *read = &program->operands[program->arguments[step->first_argument + a]];
            if (read->kind != REGISTER || read->last_use != i)
                continue;
            read->last_use = -1; /* the same operand may stand here twice */
            program->slots[read->slot].next_free = free_slots[read->size];
            free_slots[read->size] = read->slot;
        }
        operand *result = &program->operands[step->result];
        if (result->kind != REGISTER)
            continue;
        result->slot = free_slots[result->size];
        if (result->slot >= 0)
            free_slots[result->size] = program->slots[result->slot].next_free;
        else
            result->slot = add_slot(program, result->size);
    }
}

/* The longest block that stays in the cache; whole periods of the longest period that fits, so that one copy of it serves all. */
static int64_t block_length(const tg_program *program)
{
    int64_t bytes = 0, period = 1;
    for (int32_t i = 0; i < program->n_slots; i++)
        bytes += program->slots[i].size;
    for (int32_t i = 0; i < program->n_operands; i++)
        if (program->operands[i].kind == PLACE)
            bytes += program->operands[i].size;
    int64_t block = MAX_BLOCK;
    while (block > MIN_BLOCK && block * bytes > CACHE_BYTES)
        block /= 2;
    for (int32_t i = 0; i < program->n_operands; i++) {
        const operand *read = &program->operands[i];
        if (read->kind == PERIODIC && !read->direct && read->period <= block && read->period > period)
            period = read->period;
    }
    return block / period * period;
}

/* Where a trial puts what a run would write. */
static void assign_trials(tg_program *program)
{
    for (int32_t i = 0; i < program->n_operands && program->is_tried; i++)
        if (program->operands[i].kind == PLACE && program->operands[i].made >= 0)
            program->operands[i].slot = add_slot(program, program->operands[i].size);
}

static size_t align(size_t bytes) { return (bytes + 63) & ~(size_t)63; }

static state lay_out(const tg_program *program, void *const *pointers, void *scratch)
{
    size_t n = (size_t)program->n_operands;
    char *at = scratch;
    state here = {.pointers = pointers,
                  .at = (char **)at,
                  .phase = (int64_t *)(at + n * sizeof(char *)),
                  .copied = (int64_t *)(at + n * (sizeof(char *) + sizeof(int64_t))),
                  .arguments = (const void **)(at + n * (sizeof(char *) + 2 * sizeof(int64_t)))};
    here.slots = at + align(n * (sizeof(char *) + 2 * sizeof(int64_t)) + (size_t)program->widest * sizeof(void *));
    return here;
}

static void list_moving(tg_program *program)
{
    for (int32_t i = 0; i < program->n_operands; i++) {
        const operand *there = &program->operands[i];
        if (there->kind == PLACE || ((there->kind == PERIODIC || there->kind == SPREAD) && !there->direct))
            program->moving[program->n_moving++] = i;
    }
}

bool tg_program_finish(tg_program *program)
{
    program->slots = tg_pool_take(program->pool, program->n_operands, sizeof *program->slots);
    program->moving = tg_pool_take(program->pool, program->n_operands, sizeof *program->moving);
    if (!program->slots || !program->moving)
        return false;
    assign_broadcasts(program);
    list_moving(program);
    assign_registers(program);
    program->block = block_length(program);
    assign_trials(program);
    size_t offset = 0;
    for (int32_t i = 0; i < program->n_slots; i++) {
        program->slots[i].offset = offset;
        offset += align((size_t)program->block * (size_t)program->slots[i].size);
    }
    program->scratch = (size_t)(lay_out(program, NULL, program->slots).slots - (char *)program->slots) + offset;
    return true;
}

bool tg_program_overwrites(const tg_program *program, int32_t read, int32_t write)
{
    int32_t written = -1, size = 0;
    for (int32_t i = 0; i < program->n_operands; i++)
        if (program->operands[i].made >= 0 && program->operands[i].ref == write) {
            written = program->operands[i].made;
            size = program->operands[i].size;
        }
    for (int32_t i = 0; i < program->n_operands; i++) {
        const operand *there = &program->operands[i];
        if (there->made < 0 && there->ref == read && (there->kind != PLACE || there->size != size || there->last_use > written))
            return false;
    }
    return written >= 0;
}

size_t tg_program_scratch(const tg_program *program) { return program->scratch; }

int64_t tg_program_task(const tg_program *program)
{
    int64_t elements = TASK_WORK / (program->n_instructions ? program->n_instructions : 1);
    elements = elements < MAX_BLOCK ? MAX_BLOCK : elements;
    return (elements + program->block - 1) / program->block * program->block;
}

void tg_program_begin(const tg_program *program, void *const *pointers, void *scratch)
{
    state here = lay_out(program, pointers, scratch);
    for (int32_t i = 0; i < program->n_operands; i++) {
        const operand *there = &program->operands[i];
        here.copied[i] = 0;
        if (there->slot < 0)
            continue;
        here.at[i] = here.slots + program->slots[there->slot].offset;
        if (there->kind == SCALAR)
            tg_walk_repeat(pointers[there->ref], there->size, here.at[i],
                           program->block < program->count ? program->block : program->count);
    }
}

/* Points at the block's part of a periodic operand: in its place, or in a copy if the block goes beyond a period's end. */
static void fetch_periodic(const tg_program *program, const state *here, int32_t i)
{
    const operand *read = &program->operands[i];
    const char *from = here->pointers[read->ref];
    int64_t phase = here->first % read->period;
    if (phase + here->count <= read->period) {
        here->at[i] = (char *)from + phase * read->size;
        return;
    }
    here->at[i] = here->slots + program->slots[read->slot].offset;
    if (here->copied[i] >= here->count && here->phase[i] == phase)
        return;
    tg_walk_fill(read->walk, from, here->at[i], here->first, here->count);
    here->phase[i] = phase;
    here->copied[i] = here->count;
}

static inline void fetch(const tg_program *program, const state *here)
{
    for (int32_t m = 0; m < program->n_moving; m++) {
        int32_t i = program->moving[m];
        const operand *there = &program->operands[i];
        if (there->kind == PLACE)
            here->at[i] = (char *)here->pointers[there->ref] + here->first * there->size;
        else if (there->kind == PERIODIC)
            fetch_periodic(program, here, i);
        else
            tg_walk_fill(there->walk, here->pointers[there->ref], here->at[i], here->first, here->count);
    }
}

static void copy(const tg_program *program, const state *here, const instruction *step)
{
    int32_t from = program->arguments[step->first_argument];
    const operand *read = &program->operands[from];
    char *to = here->at[step->result];
    if (read->direct)
        tg_walk_fill(read->walk, here->pointers[read->ref], to, here->first, here->count);
    else if (here->at[from] != to)
        memcpy(to, here->at[from], (size_t)(here->count * step->size));
}

static void run_keeping_subnormals(const instruction *step, const state *here)
{
    tg_float_mode before = tg_float_mode_enter(false);
    step->block(here->at[step->result], here->arguments, here->count, step->attributes);
    tg_float_mode_leave(before);
}

static inline void run_block(const tg_program *program, const state *here)
{
    for (int32_t i = 0; i < program->n_instructions; i++) {
        const instruction *step = &program->instructions[i];
        if (!step->block) {
            copy(program, here, step);
            continue;
        }
        const int32_t *arguments = &program->arguments[step->first_argument];
        for (int32_t a = 0; a < step->n_arguments; a++)
            here->arguments[a] = here->at[arguments[a]];
        if (step->keeps_subnormals)
            run_keeping_subnormals(step, here);
        else
            step->block(here->at[step->result], here->arguments, here->count, step->attributes);
    }
}

void tg_program_span(const tg_program *program, void *const *pointers, void *scratch, int64_t first, int64_t count)
{
    state here = lay_out(program, pointers, scratch);
    for (int64_t end = first + count; first < end; first += here.count) {
        here.first = first;
        here.count = end - first < program->block ? end - first : program->block;
        fetch(program, &here);
        run_block(program, &here);
    }
}

/* What would go to memory stays in scratch memory. */
static void divert(const tg_program *program, const state *here)
{
    for (int32_t i = 0; i < program->n_operands; i++)
        if (program->operands[i].kind == PLACE && program->operands[i].made >= 0)
            here->at[i] = here->slots + program->slots[program->operands[i].slot].offset;
}

/* The effect of the first instruction whose result in this block is not finite and would be written, or -1. */
static int32_t find_nonfinite(const tg_program *program, const state *here)
{
    for (int32_t i = 0; i < program->n_instructions; i++) {
        const instruction *step = &program->instructions[i];
        const operand *result = &program->operands[step->result];
        if (step->effect >= 0 && tg_finite_class(result->dtype, here->at[step->result], here->count) == TG_NONFINITE)
            return step->effect;
    }
    return -1;
}

int32_t tg_program_try(const tg_program *program, void *const *pointers, void *scratch, int64_t first, int64_t count)
{
    state here = lay_out(program, pointers, scratch);
    int32_t bad = -1;
    for (int64_t end = first + count; first < end && bad < 0 && program->is_tried; first += here.count) {
        here.first = first;
        here.count = end - first < program->block ? end - first : program->block;
        fetch(program, &here);
        divert(program, &here);
        run_block(program, &here);
        bad = find_nonfinite(program, &here);
    }
    return bad;
}

bool tg_program_has_bounds(const tg_program *program)
{
    for (int32_t i = 0; i < program->n_instructions; i++) {
        const instruction *step = &program->instructions[i];
        bool computes = step->block && tg_dtype_is_float(program->operands[step->result].dtype);
        if (computes && (!step->monotone || step->n_arguments > TG_BOUNDED_INPUTS))
            return false;
    }
    return true;
}

int32_t tg_program_operands(const tg_program *program) { return program->n_operands; }

bool tg_program_bounds(const tg_program *program, tg_interval *at, tg_interval *operands)
{
    for (int32_t i = 0; i < program->n_operands; i++)
        if (program->operands[i].made < 0)
            operands[i] = at[program->operands[i].ref];
    for (int32_t i = 0; i < program->n_instructions; i++) {
        const instruction *step = &program->instructions[i];
        const int32_t *arguments = &program->arguments[step->first_argument];
        const operand *result = &program->operands[step->result];
        tg_bounded_op op = {.block = step->block,
                            .attributes = step->attributes,
                            .monotone = step->monotone,
                            .n_inputs = step->n_arguments,
                            .dtype = result->dtype};
        for (int32_t a = 0; a < step->n_arguments && a < TG_BOUNDED_INPUTS; a++) {
            op.dtypes[a] = program->operands[arguments[a]].dtype;
            op.inputs[a] = operands[arguments[a]];
        }
        if (!tg_find_bounds(&op, &operands[step->result]))
            return false;
        if (result->kind == PLACE)
            at[result->ref] = operands[step->result];
    }
    return true;
}
