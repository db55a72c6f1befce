#include "exec/step.h"

#include <string.h>

#include "exec/compile.h"
#include "exec/finite.h"
#include "exec/float_mode.h"

/* TG_ERROR_NONFINITE if the step checks for that and found it. */
static tg_status check(const tg_step *step, const void *values, int64_t bytes, bool *large)
{
    tg_finite found = tg_finite_class(step->dtype, values, bytes / (int64_t)tg_dtype_size(step->dtype));
    if (found == TG_SMALL)
        return TG_OK;
    *large = *large || step->checks & TG_CHECK_SMALL;
    return found == TG_NONFINITE && step->checks & TG_CHECK_FINITE ? TG_ERROR_NONFINITE : TG_OK;
}

/* What follows a contraction's finished stretches within one task: a program, or a check. */
typedef struct epilogue {
    const tg_step *step;
    char *scratch;
    bool begun, large;
    tg_status status;
} epilogue;

static void finish(const void *state, int64_t first, int64_t count)
{
    epilogue *self = (epilogue *)state; /* the task's own, below */
    tg_float_mode before = {0};
    if (self->step->keeps_subnormals)
        before = tg_float_mode_enter(true);
    if (!self->begun)
        tg_program_begin(self->step->program, self->step->pointers, self->scratch);
    self->begun = true;
    tg_program_span(self->step->program, self->step->pointers, self->scratch, first, count);
    if (self->step->keeps_subnormals)
        tg_float_mode_leave(before);
}

static void check_stretch(const void *state, int64_t first, int64_t count)
{
    epilogue *self = (epilogue *)state;
    const tg_step *step = self->step;
    int64_t size = (int64_t)tg_dtype_size(step->dtype);
    tg_status status = check(step, (const char *)step->pointers[step->output] + first * size, count * size, &self->large);
    self->status = status == TG_OK ? self->status : status;
}

static tg_status run_op(const tg_step *step, tg_task *task)
{
    epilogue after = {.step = step, .scratch = task->scratch ? (char *)task->scratch + step->op_scratch : NULL, .status = TG_OK};
    tg_buffers buffers = {.inputs = (const void *const *)step->pointers,
                          .output = step->pointers[step->output],
                          .twin = step->twin >= 0 ? step->pointers[step->twin] : NULL,
                          .step = task->counter,
                          .shared =
                              step->shared >= 0 ? step->pointers[step->shared] : (void *)&after, /* no bytes, but a pointer */
                          .finish = step->program  ? finish
                                    : step->checks ? check_stretch
                                                   : NULL,
                          .finish_state = &after};
    tg_float_mode before = {0};
    if (step->keeps_subnormals)
        before = tg_float_mode_enter(false);
    tg_status status = step->op->run(&step->work, &buffers, task->phase, task->index, task->scratch);
    if (step->keeps_subnormals)
        tg_float_mode_leave(before);
    task->large = task->large || after.large;
    return status == TG_OK ? after.status : status;
}

/* The elements of a program's task. */
static int64_t span_of(const tg_step *step, int64_t task, int64_t *first)
{
    int64_t length = tg_program_task(step->program);
    *first = task * length;
    return step->count - *first < length ? step->count - *first : length;
}

tg_status tg_step_run(const tg_step *step, tg_task *task)
{
    if (step->kind == TG_STEP_OP)
        return run_op(step, task);
    int64_t first, count;
    if (step->kind == TG_STEP_PROGRAM) {
        count = span_of(step, task->index, &first);
        tg_program_begin(step->program, step->pointers, task->scratch);
        tg_program_span(step->program, step->pointers, task->scratch, first, count);
        return TG_OK;
    }
    first = task->index * step->task_bytes;
    count = step->refs[0].bytes - first < step->task_bytes ? step->refs[0].bytes - first : step->task_bytes;
    const char *from = (const char *)step->pointers[0] + first;
    if (step->kind == TG_STEP_CHECK)
        return check(step, from, count, &task->large);
    memcpy((char *)step->pointers[1] + first, from, (size_t)count);
    return TG_OK;
}

tg_status tg_step_try(const tg_step *step, const tg_task *task, int32_t *effect)
{
    int32_t bad = -1;
    if (step->kind == TG_STEP_PROGRAM) {
        int64_t first, count = span_of(step, task->index, &first);
        tg_program_begin(step->program, step->pointers, task->scratch);
        bad = tg_program_try(step->program, step->pointers, task->scratch, first, count);
    }
    if (effect)
        *effect = bad;
    return bad >= 0 ? TG_ERROR_NONFINITE : TG_OK; /* what is copied was checked where it was computed */
}
