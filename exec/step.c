#include "exec/step.h"

#include <string.h>

#include "exec/compile.h"

/* An exponent of ones is that of an infinity or a NaN: one more carries into the sign. */
static bool all_finite(tg_dtype dtype, const void *values, int64_t bytes)
{
    if (dtype == TG_F32) {
        const uint32_t *words = values;
        uint32_t bad = 0;
        for (int64_t i = 0; i < bytes / 4; i++)
            bad |= (words[i] & 0x7f800000u) + 0x00800000u;
        return bad >> 31 == 0;
    }
    const uint64_t *words = values;
    uint64_t bad = 0;
    for (int64_t i = 0; i < bytes / 8; i++)
        bad |= (words[i] & 0x7ff0000000000000u) + 0x0010000000000000u;
    return bad >> 63 == 0;
}

/* What follows a contraction's finished stretches within one task: a program, or a check. */
typedef struct epilogue {
    const tg_step *step;
    char *scratch;
    bool begun, failed;
} epilogue;

static void finish(const void *state, int64_t first, int64_t count)
{
    epilogue *self = (epilogue *)state; /* the task's own, below */
    if (!self->begun)
        tg_program_begin(self->step->program, self->step->pointers, self->scratch);
    self->begun = true;
    tg_program_span(self->step->program, self->step->pointers, self->scratch, first, count);
}

static void check(const void *state, int64_t first, int64_t count)
{
    epilogue *self = (epilogue *)state;
    const tg_step *step = self->step;
    int64_t size = (int64_t)tg_dtype_size(step->dtype);
    if (!all_finite(step->dtype, (const char *)step->pointers[step->output] + first * size, count * size))
        self->failed = true;
}

static tg_status run_op(const tg_step *step, int phase, int64_t task, uint64_t counter, void *scratch)
{
    epilogue after = {.step = step, .scratch = scratch ? (char *)scratch + step->op_scratch : NULL};
    tg_buffers buffers = {.inputs = (const void *const *)step->pointers,
                          .output = step->pointers[step->output],
                          .twin = step->twin >= 0 ? step->pointers[step->twin] : NULL,
                          .step = counter,
                          .shared = step->shared >= 0 ? step->pointers[step->shared] : NULL,
                          .finish = step->program  ? finish
                                    : step->checks ? check
                                                   : NULL,
                          .finish_state = &after};
    tg_status status = step->op->run(&step->work, &buffers, phase, task, scratch);
    return status == TG_OK && after.failed ? TG_ERROR_NONFINITE : status;
}

static void run_program(const tg_step *step, int64_t task, void *scratch)
{
    int64_t length = tg_program_task(step->program), first = task * length;
    tg_program_begin(step->program, step->pointers, scratch);
    tg_program_span(step->program, step->pointers, scratch, first, step->count - first < length ? step->count - first : length);
}

tg_status tg_step_run(const tg_step *step, int phase, int64_t task, uint64_t counter, void *scratch)
{
    if (step->kind == TG_STEP_OP)
        return run_op(step, phase, task, counter, scratch);
    if (step->kind == TG_STEP_PROGRAM) {
        run_program(step, task, scratch);
        return TG_OK;
    }
    int64_t first = task * step->task_bytes, rest = step->refs[0].bytes - first;
    int64_t bytes = rest < step->task_bytes ? rest : step->task_bytes;
    const char *from = (const char *)step->pointers[0] + first;
    if (step->kind == TG_STEP_CHECK)
        return all_finite(step->dtype, from, bytes) ? TG_OK : TG_ERROR_NONFINITE;
    memcpy((char *)step->pointers[1] + first, from, (size_t)bytes);
    return TG_OK;
}
