/* Where two runs first differ, by the traces that --trace has left. The format is described in train/trace.h. */
#include "models/descriptors.h"
#include "train/trace.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph/number_text.h"
#include "graph/safe_text.h"

enum { EXIT_SAME = 0, EXIT_DIFFERENT = 1, EXIT_USAGE = 2, EXIT_BAD = 3 };

static const char usage[] =
    "usage: diff_runs TRACE_A TRACE_B\n"
    "\n"
    "Says at which step, and in which variable, two runs first differ, by the traces that --trace FILE has left of\n"
    "them. Step 0 is what they began with. A trace of a run that went on by --resume begins later than another: the\n"
    "steps before are passed over.\n"
    "\n"
    "  --help          this text\n"
    "\n"
    "Example: diff_runs one.trace two.trace\n"
    "Exit status: 0 the same; 1 different; 2 wrong usage; 3 a file is missing or no trace, or output failed.\n";

/* A trace, open at one of its lines. */
typedef struct reader {
    const char *path;
    FILE *file;
    char *line;
    size_t room;
    long long number; /* of the line, from 1 */
    long long step;   /* -1: the end */
    char *name;       /* into line */
    unsigned long long hash;
} reader;

/* Names and paths come from outside. */
static void TG_PRINTF(2, 3) say(FILE *out, const char *format, ...)
{
    char text[1 << 13];
    va_list arguments;
    va_start(arguments, format);
    tg_vmessage(text, sizeof text - 1, format, arguments);
    va_end(arguments);
    fprintf(out, "%s\n", text);
}

static bool bad(const reader *r, const char *expected)
{
    say(stderr, "diff_runs: %s: line %lld: expected %s", r->path, r->number, expected);
    return false;
}

/* Reads a line without its end. False at the end of the file (*ended) or if there is none, which is said. */
static bool next_line(reader *r, bool *ended)
{
    errno = 0;
    ssize_t length = getline(&r->line, &r->room, r->file);
    *ended = length < 0 && feof(r->file) && !ferror(r->file);
    if (length < 0) {
        if (!*ended)
            say(stderr, "diff_runs: %s: cannot be read: %s", r->path, tg_system_reason(errno ? errno : EIO));
        return false;
    }
    r->number++;
    if (r->line[length - 1] != '\n')
        return bad(r, "a whole line; the trace is cut off");
    r->line[length - 1] = '\0';
    return true;
}

/* Goes to the next line, or to the end. False if the trace is damaged, which is said. */
static bool next(reader *r)
{
    bool ended;
    long long before = r->step;
    if (!next_line(r, &ended)) {
        r->step = -1;
        return ended;
    }
    char *space = strrchr(r->line, ' '), *end;
    if (r->line[0] < '0' || r->line[0] > '9' || !space || strlen(space) != 17 || strspn(space + 1, "0123456789abcdef") != 16)
        return bad(r, "\"step variable hash\"");
    errno = 0;
    r->step = strtoll(r->line, &end, 10);
    if (errno || *end != ' ' || end == space)
        return bad(r, "\"step variable hash\"");
    *space = '\0';
    r->name = end + 1;
    r->hash = strtoull(space + 1, NULL, 16);
    return r->step >= before || bad(r, "a step that is not earlier than the line's before");
}

static bool open_trace(reader *r)
{
    bool ended;
    r->file = fopen(r->path, "r");
    if (!r->file) {
        say(stderr, "diff_runs: %s: cannot be opened: %s", r->path, tg_system_reason(errno));
        return false;
    }
    if (!next_line(r, &ended)) {
        r->number = 1;
        return ended ? bad(r, "\"" TG_TRACE_HEADER "\"") : false;
    }
    return strcmp(r->line, TG_TRACE_HEADER) == 0 ? next(r) : bad(r, "\"" TG_TRACE_HEADER "\"");
}

/* Goes on to a step, or to the first after it. */
static bool pass_to(reader *r, long long step)
{
    while (r->step >= 0 && r->step < step)
        if (!next(r))
            return false;
    return true;
}

/* Says how many variables of the step differ besides the one where both readers stand. */
static int finish_step(reader *a, reader *b)
{
    long long step = a->step;
    int others = 0;
    for (;;) {
        if (!next(a) || !next(b))
            return EXIT_BAD;
        if (a->step != step || b->step != step || strcmp(a->name, b->name) != 0)
            break;
        others += a->hash != b->hash;
    }
    if (others)
        printf("So do%s %d other variable%s of that step.\n", others == 1 ? "es" : "", others, others == 1 ? "" : "s");
    return EXIT_DIFFERENT;
}

/* The readers stand at lines that are not the same. */
static int tell(reader *a, reader *b)
{
    if (a->step < 0 || b->step < 0) {
        const reader *ended = a->step < 0 ? a : b, *other = a->step < 0 ? b : a;
        say(stdout, "%s ends where %s has step %lld, %s.", ended->path, other->path, other->step, other->name);
        return EXIT_DIFFERENT;
    }
    if (a->step != b->step || strcmp(a->name, b->name) != 0) {
        say(stdout, "The runs have other variables or steps: %s has step %lld, %s, where %s has step %lld, %s.", a->path, a->step,
            a->name, b->path, b->step, b->name);
        return EXIT_DIFFERENT;
    }
    say(stdout, "Step %lld: %s differs: %016llx in %s, %016llx in %s.", a->step, a->name, a->hash, a->path, b->hash, b->path);
    return finish_step(a, b);
}

static int compare(reader *a, reader *b)
{
    if (!open_trace(a) || !open_trace(b))
        return EXIT_BAD;
    long long from = a->step > b->step ? a->step : b->step, last = -1;
    if (a->step >= 0 && b->step >= 0 && (!pass_to(a, from) || !pass_to(b, from)))
        return EXIT_BAD;
    while (a->step >= 0 && a->step == b->step && a->hash == b->hash && strcmp(a->name, b->name) == 0) {
        last = a->step;
        if (!next(a) || !next(b))
            return EXIT_BAD;
    }
    if (a->step >= 0 || b->step >= 0)
        return tell(a, b);
    if (last < 0)
        printf("The same: neither has a step.\n");
    else
        printf("The same in all variables, from step %lld to step %lld.\n", from, last);
    return EXIT_SAME;
}

int main(int argc, char **argv)
{
    bool help = argc > 1 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0);
    int first = argc > 1 && strcmp(argv[1], "--") == 0 ? 2 : 1, code = EXIT_SAME;
    fill_standard_descriptors();
    if (!help && (argc != first + 2 || (first == 1 && (argv[1][0] == '-' || argv[2][0] == '-')))) {
        fprintf(stderr, "diff_runs: two traces are needed; see --help\n");
        return EXIT_USAGE;
    }
    if (help) {
        fputs(usage, stdout);
    } else {
        reader a = {.path = argv[first]}, b = {.path = argv[first + 1]};
        code = compare(&a, &b);
        for (int i = 0; i < 2; i++) {
            reader *r = i ? &b : &a;
            if (r->file)
                fclose(r->file);
            free(r->line);
        }
    }
    if (fflush(stdout) == 0 && !ferror(stdout))
        return code;
    fprintf(stderr, "diff_runs: cannot write to standard output: %s\n", tg_system_reason(errno));
    return EXIT_BAD;
}
