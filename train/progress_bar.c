#include "train/progress_bar.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "graph/number_text.h"

enum { BAR = 20, SHORT_BAR = 10 };
#define INTERVAL 0.05 /* seconds between drawings */

#define BOLD "\33[1m"
#define GREEN "\33[32m"
#define FAINT "\33[2m"
#define PLAIN "\33[0m"
#define ERASE_BELOW "\33[J" /* from the cursor to the end of the screen */

/* ---- layout ---- */

/* Text being written: bytes and the columns of its last line. */
typedef struct writer {
    char *text;
    size_t size, used;
    int column, limit;
    bool color;
} writer;

static void put_bytes(writer *w, const char *bytes)
{
    size_t n = strlen(bytes);
    if (w->used + n >= w->size)
        return;
    memcpy(w->text + w->used, bytes, n + 1);
    w->used += n;
}

static void put_code(writer *w, const char *code)
{
    if (w->color)
        put_bytes(w, code);
}

/* A glyph of one column, `times` over; none past the line's limit. */
static void put_glyphs(writer *w, const char *glyph, int times)
{
    for (int i = 0; i < times && w->column < w->limit; i++, w->column++)
        put_bytes(w, glyph);
}

static void put(writer *w, const char *ascii)
{
    for (const char *c = ascii; *c; c++)
        put_glyphs(w, (const char[]){*c, 0}, 1);
}

static void put_in(writer *w, const char *code, const char *ascii)
{
    put_code(w, code);
    put(w, ascii);
    put_code(w, PLAIN);
}

static void format_remaining(double seconds, char *text, size_t size)
{
    long long s = seconds > 0 && seconds < 1e15 ? (long long)seconds : 0;
    if (s > 3600)
        snprintf(text, size, "%lld:%02lld:%02lld", s / 3600, s % 3600 / 60, s % 60);
    else if (s > 60)
        snprintf(text, size, "%lld:%02lld", s / 60, s % 60);
    else
        snprintf(text, size, "%llds", s);
}

/* Before the last drawing; where the number of steps is not known, each may not be the last. */
static bool is_running(const tg_progress *p) { return p->step < p->steps || p->steps == 0; }

/* The parts around the bar. */
typedef struct parts {
    char count[48], time[48], step_time[48];
    int before, after; /* columns before the bar, and after it without values */
} parts;

static parts format_parts(const tg_progress *p)
{
    parts made;
    int digits = snprintf(NULL, 0, "%lld", (long long)p->steps);
    if (p->steps > 0)
        snprintf(made.count, sizeof made.count, "%*lld/%lld", digits, (long long)p->step, (long long)p->steps);
    else
        snprintf(made.count, sizeof made.count, "%lld/Unknown", (long long)p->step);
    if (p->step < p->steps)
        format_remaining((double)(p->steps - p->step) * p->seconds_per_step, made.time, sizeof made.time);
    else
        tg_format(made.time, sizeof made.time, "%.0fs", p->seconds);
    tg_step_time_text(p->seconds_per_step, made.step_time, sizeof made.step_time);
    made.before = (int)strlen(made.count) + 1;
    made.after = (int)(strlen(made.time) + strlen(made.step_time)) + 2;
    return made;
}

/* "accuracy: 0.9134"; its columns. */
static int format_value(const tg_progress_value *value, char *text, size_t size)
{
    char figure[64];
    snprintf(text, size, "%.80s: %s", value->name, tg_figure_text(value->value, figure, sizeof figure));
    return (int)strlen(text);
}

static void put_bar(writer *w, int columns, const tg_progress *p, bool ascii)
{
    int done = p->steps > 0 ? (int)((double)columns * (double)p->step / (double)p->steps) : 0;
    put_code(w, GREEN);
    put_glyphs(w, ascii ? "=" : "━", done);
    put_code(w, PLAIN);
    if (done == columns)
        return;
    put_code(w, FAINT);
    put_glyphs(w, ascii ? "-" : "─", columns - done);
    put_code(w, PLAIN);
}

char *tg_bar_text(const tg_progress *progress, tg_bar_look look, char *text, size_t size)
{
    writer w = {.text = text, .size = size, .limit = look.width > 1 ? look.width - 1 : 1, .color = look.color};
    parts p = format_parts(progress);
    char value[160];
    int least = progress->steps > 0 ? SHORT_BAR : 0, most = progress->steps > 0 ? BAR : 0;
    int fitting = 0, columns = p.before + p.after; /* values on the first line; its columns without the bar */
    for (; fitting < progress->n_values; fitting++) {
        int more = format_value(&progress->values[fitting], value, sizeof value) + 3;
        if (columns + more + least > w.limit)
            break;
        columns += more;
    }
    int bar = w.limit - columns < most ? w.limit - columns : most;

    text[0] = 0;
    put_in(&w, BOLD, p.count);
    if (bar > 0) {
        put(&w, " ");
        put_bar(&w, bar, progress, look.ascii);
    }
    put(&w, " ");
    put_in(&w, BOLD, p.time);
    put(&w, " ");
    put(&w, p.step_time);
    int shown = is_running(progress) ? fitting : progress->n_values;
    for (int i = 0; i < shown; i++) {
        int needed = format_value(&progress->values[i], value, sizeof value) + 3;
        if (i < fitting || w.column + needed <= w.limit) {
            put(&w, " - ");
        } else {
            put_bytes(&w, "\n");
            w.column = 0;
            put_glyphs(&w, " ", p.before + needed <= w.limit ? p.before : 0);
        }
        put(&w, value);
    }
    return text;
}

/* ---- drawing ---- */

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + 1e-9 * (double)time.tv_nsec;
}

bool tg_terminal_can_redraw(FILE *out)
{
    const char *term = getenv("TERM");
    return isatty(fileno(out)) && term && strcmp(term, "dumb") != 0;
}

int tg_terminal_width(FILE *out)
{
    struct winsize window;
    return ioctl(fileno(out), TIOCGWINSZ, &window) == 0 && window.ws_col > 0 ? window.ws_col : 80;
}

tg_progress_bar tg_progress_bar_begin(FILE *out, tg_bar_look look)
{
    double begun = now();
    return (tg_progress_bar){.out = out, .look = look, .begun = begun, .drawn = begun};
}

bool tg_progress_bar_due(tg_progress_bar *bar)
{
    double time = now();
    if (bar->first == 0)
        bar->first = time;
    return time - bar->drawn >= INTERVAL;
}

static tg_status show(tg_progress_bar *bar, const tg_progress *progress, const char *end)
{
    char text[TG_BAR_SIZE];
    bar->look.width = tg_terminal_width(bar->out);
    tg_bar_text(progress, bar->look, text, sizeof text);
    /* The last drawing may go on below: a terminal that was made narrower has wrapped it. */
    fprintf(bar->out, "%s%s%s", bar->open ? ERASE_BELOW : "", text, end);
    return fflush(bar->out) == 0 && !ferror(bar->out) ? TG_OK : TG_ERROR_IO;
}

tg_status tg_progress_bar_draw(tg_progress_bar *bar, int64_t step, int64_t steps, const tg_progress_value *values, int n_values)
{
    double time = now(), seconds = time - bar->begun;
    /* The first step also makes plans and touches memory, so that it says little about the others. */
    bool typical = step > 1 && bar->first > 0;
    double per_step = typical ? (time - bar->first) / (double)(step - 1) : step > 0 ? seconds / (double)step : 0;
    tg_progress progress = {step, steps, seconds, per_step, n_values, values};
    tg_status status = show(bar, &progress, "\r");
    bar->open = true;
    bar->drawn = time;
    return status;
}

tg_status tg_progress_bar_finish(tg_progress_bar *bar, const tg_progress *progress)
{
    tg_status status = show(bar, progress, "\n");
    bar->open = false;
    return status;
}

void tg_progress_bar_leave(tg_progress_bar *bar)
{
    if (bar->open) {
        fputc('\n', bar->out);
        fflush(bar->out); /* before what is said on standard error */
    }
    bar->open = false;
}
