#include "train/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "graph/number_text.h"
#include "graph/safe_text.h"
#include "train/file_lock.h"
#include "train/stream.h"

struct tg_trace {
    tg_variables *variables;
    FILE *file;
    char *path; /* a copy */
    int count;  /* of variables */
    int64_t last;
};

/* ---- XXH64 ---- */

#define PRIME_1 0x9E3779B185EBCA87u
#define PRIME_2 0xC2B2AE3D27D4EB4Fu
#define PRIME_3 0x165667B19E3779F9u
#define PRIME_4 0x85EBCA77C2B2AE63u
#define PRIME_5 0x27D4EB2F165667C5u

static uint64_t rotate(uint64_t x, int bits) { return x << bits | x >> (64 - bits); }

/* Little-endian, on any machine. */
static uint64_t load(const uint8_t *at, int bytes)
{
    uint64_t x = 0;
    for (int i = 0; i < bytes; i++)
        x |= (uint64_t)at[i] << (8 * i);
    return x;
}

static uint64_t mix(uint64_t lane, uint64_t word) { return rotate(lane + word * PRIME_2, 31) * PRIME_1; }

/* Four lanes over blocks of 32 bytes, then joined. */
static uint64_t hash_blocks(const uint8_t *at, size_t blocks)
{
    uint64_t a = PRIME_1 + PRIME_2, b = PRIME_2, c = 0, d = 0 - PRIME_1;
    for (; blocks > 0; blocks--, at += 32) {
        a = mix(a, load(at, 8));
        b = mix(b, load(at + 8, 8));
        c = mix(c, load(at + 16, 8));
        d = mix(d, load(at + 24, 8));
    }
    const uint64_t lanes[] = {a, b, c, d};
    uint64_t hash = rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18);
    for (int i = 0; i < 4; i++)
        hash = (hash ^ mix(0, lanes[i])) * PRIME_1 + PRIME_4;
    return hash;
}

uint64_t tg_trace_hash(const void *data, size_t bytes)
{
    const uint8_t *at = data;
    size_t blocks = bytes / 32, left = bytes % 32;
    uint64_t hash = (blocks ? hash_blocks(at, blocks) : PRIME_5) + bytes;
    at += 32 * blocks;
    for (; left >= 8; left -= 8, at += 8)
        hash = rotate(hash ^ mix(0, load(at, 8)), 27) * PRIME_1 + PRIME_4;
    for (; left >= 4; left -= 4, at += 4)
        hash = rotate(hash ^ load(at, 4) * PRIME_1, 23) * PRIME_2 + PRIME_3;
    for (; left > 0; left--, at++)
        hash = rotate(hash ^ *at * PRIME_5, 11) * PRIME_1;
    hash = (hash ^ hash >> 33) * PRIME_2;
    hash = (hash ^ hash >> 29) * PRIME_3;
    return hash ^ hash >> 32;
}

/* ---- the file ---- */

static tg_status fail_io(const char *path, const char *what, char *message)
{
    return tg_file_fail(message, TG_ERROR_IO, path, "%s: %s", what, tg_system_reason(errno));
}

/* A file that another run writes is left as it is. */
static tg_status open_file(tg_trace *trace, char *message)
{
    struct stat about;
    int descriptor = open(trace->path, O_WRONLY | O_CREAT | O_NOCTTY | O_CLOEXEC, 0666);
    if (descriptor < 0)
        return fail_io(trace->path, "cannot be created", message);
    bool regular = fstat(descriptor, &about) == 0 && S_ISREG(about.st_mode);
    tg_status status = TG_OK;
    if (regular && tg_lock_file(descriptor) == TG_LOCK_TAKEN)
        status = tg_file_fail(message, TG_ERROR_SYSTEM, trace->path,
                              "another run writes this trace; wait for its end, or choose another file");
    else if ((regular && ftruncate(descriptor, 0) != 0) || !(trace->file = fdopen(descriptor, "w")))
        status = fail_io(trace->path, "cannot be written", message);
    if (status != TG_OK)
        close(descriptor);
    return status;
}

tg_trace *tg_trace_open(tg_variables *variables, const char *path, tg_status *status, char *message)
{
    tg_context *context = tg_variables_context(variables);
    size_t bytes = strlen(path) + 1;
    tg_trace *trace = tg_allocate_zero(context, sizeof *trace);
    if (trace)
        trace->path = tg_allocate(context, bytes);
    if (!trace || !trace->path) {
        *status = tg_file_fail(message, TG_ERROR_MEMORY, path, "%s", tg_status_text(TG_ERROR_MEMORY));
        tg_release(context, trace, sizeof *trace);
        return NULL;
    }
    memcpy(trace->path, path, bytes);
    trace->variables = variables;
    trace->count = tg_variables_count(variables);
    trace->last = -1;
    *status = open_file(trace, message);
    if (*status == TG_OK && (fputs(TG_TRACE_HEADER "\n", trace->file) < 0 || fflush(trace->file) != 0))
        *status = fail_io(path, "writing failed", message);
    if (*status == TG_OK)
        return trace;
    tg_trace_close(trace);
    return NULL;
}

tg_status tg_trace_step(tg_trace *trace, int64_t step, char *message)
{
    if (step <= trace->last)
        return tg_file_fail(message, TG_ERROR_ARGUMENT, trace->path, "step %lld is not later than the last, %lld",
                            (long long)step, (long long)trace->last);
    tg_variables_hold(trace->variables);
    for (int i = 0; i < trace->count; i++) {
        const tg_variable_info *variable = tg_variables_at(trace->variables, i);
        fprintf(trace->file, "%lld ", (long long)step);
        tg_put_safe(trace->file, variable->name);
        const void *values = tg_variables_values(trace->variables, variable);
        fprintf(trace->file, " %016llx\n", (unsigned long long)tg_trace_hash(values, (size_t)tg_type_bytes(variable->type)));
    }
    tg_variables_release(trace->variables);
    trace->last = step;
    return fflush(trace->file) == 0 && !ferror(trace->file) ? TG_OK : fail_io(trace->path, "writing failed", message);
}

void tg_trace_close(tg_trace *trace)
{
    if (!trace)
        return;
    tg_context *context = tg_variables_context(trace->variables);
    if (trace->file)
        fclose(trace->file); /* each step was flushed */
    tg_release(context, trace->path, strlen(trace->path) + 1);
    tg_release(context, trace, sizeof *trace);
}
