#include "models/profile.h"

#include <stdlib.h>
#include <string.h>

#include "graph/number_text.h"
#include "graph/rebuild.h"
#include "train/json.h"

#define MOST_ROWS 20
#define PART_COLUMNS 46

/* A part and its place in the plan. */
typedef struct row {
    tg_plan_part part;
    int32_t index;
} row;

static int by_time(const void *a, const void *b)
{
    const row *x = a, *y = b;
    if (x->part.nanoseconds != y->part.nanoseconds)
        return x->part.nanoseconds < y->part.nanoseconds ? 1 : -1;
    return x->index < y->index ? -1 : 1;
}

static double total_flops(const tg_plan_part *part) { return part->flops * (double)part->calls; }
static double total_bytes(const tg_plan_part *part) { return part->bytes * (double)part->calls; }

/* In 10^9 a second; 0 if no time was spent. */
static double rate(double amount, int64_t nanoseconds) { return nanoseconds > 0 ? amount / (double)nanoseconds : 0; }

/* "dense", "dense (backward)"; of what writes a variable, that one: "dense/kernel" */
static void layer_text(const tg_plan *plan, const tg_plan_part *part, char *text, size_t size)
{
    bool backward = tg_graph_node(tg_plan_graph(plan), part->node)->forward >= 0;
    const char *name = part->variable ? part->variable : *part->layer ? part->layer : "-";
    snprintf(text, size, "%s%s", name, backward ? " (backward)" : "");
}

static void put_time(const tg_plan_times *times, int64_t nanoseconds)
{
    double all = (double)times->nanoseconds * times->threads;
    tg_put(stdout, " %6.2f%% %10.2f", all > 0 ? 100 * (double)nanoseconds / all : 0,
           1e-3 * (double)nanoseconds / (double)times->runs);
}

static void put_rates(double flops, double bytes, int64_t nanoseconds)
{
    if (flops > 0 && nanoseconds > 0)
        tg_put(stdout, " %9.1f", rate(flops, nanoseconds));
    else
        printf(" %9s", "-");
    if (nanoseconds > 0)
        tg_put(stdout, " %8.1f", rate(bytes, nanoseconds));
    else
        printf(" %8s", "-");
}

static void put_row(const tg_plan *plan, const tg_plan_times *times, const row *r)
{
    char text[PART_COLUMNS + 1], layer[64];
    layer_text(plan, &r->part, layer, sizeof layer);
    put_time(times, r->part.nanoseconds);
    put_rates(total_flops(&r->part), total_bytes(&r->part), r->part.nanoseconds);
    printf("  %-26s %s\n", layer, tg_plan_part_text(plan, r->index, text, sizeof text));
}

static void put_sum(const tg_plan_times *times, const row *rows, int32_t first, const char *name)
{
    double flops = 0, bytes = 0;
    int64_t nanoseconds = 0;
    for (int32_t i = first; i < times->parts; i++) {
        nanoseconds += rows[i].part.nanoseconds;
        flops += total_flops(&rows[i].part);
        bytes += total_bytes(&rows[i].part);
    }
    put_time(times, nanoseconds);
    put_rates(flops, bytes, nanoseconds);
    printf("  %s\n", name);
}

static void show_text(const tg_plan *plan, const tg_plan_times *times, const row *rows, int64_t batch)
{
    char rest[64];
    int32_t shown = times->parts < MOST_ROWS ? times->parts : MOST_ROWS;
    tg_put(stdout, "\nTime of a training step (%lld images): %.2f us, over %lld steps on %d thread%s\n", (long long)batch,
           1e-3 * (double)times->nanoseconds / (double)times->runs, (long long)times->runs, times->threads,
           times->threads == 1 ? "" : "s");
    printf("%s\n\n", times->threads == 1
                         ? "What each compiled part took of it:"
                         : "What each compiled part took of it, summed over threads; rates are those of one thread:");
    printf("   share    us/step   GFLOP/s     GB/s  layer or variable          part\n");
    for (int32_t i = 0; i < shown; i++)
        put_row(plan, times, &rows[i]);
    snprintf(rest, sizeof rest, "%d more parts", (int)(times->parts - shown));
    if (shown < times->parts)
        put_sum(times, rows, shown, rest);
    put_time(times, times->outside_nanoseconds);
    put_rates(0, 0, 0);
    printf("  outside of parts: waiting, and handing work over\n");
    put_sum(times, rows, 0, "all parts");
}

static void show_json(const tg_plan *plan, const tg_plan_times *times, const row *rows, int64_t batch)
{
    tg_json json = tg_json_begin(stdout), profile = tg_json_object(&json, "profile");
    tg_json_integer(&profile, "batch", batch);
    tg_json_integer(&profile, "steps", times->runs);
    tg_json_integer(&profile, "threads", times->threads);
    tg_json_integer(&profile, "nanoseconds", times->nanoseconds);
    tg_json_integer(&profile, "outside_nanoseconds", times->outside_nanoseconds);
    tg_json list = tg_json_list(&profile, "parts");
    for (int32_t i = 0; i < times->parts; i++) {
        const tg_plan_part *part = &rows[i].part;
        char text[512];
        tg_json item = tg_json_item(&list);
        tg_json_text(&item, "ops", tg_plan_part_text(plan, rows[i].index, text, sizeof text));
        tg_json_text(&item, "layer", part->layer);
        tg_json_integer(&item, "backward", tg_graph_node(tg_plan_graph(plan), part->node)->forward >= 0);
        tg_json_text(&item, "segment", part->segment);
        if (part->variable)
            tg_json_text(&item, "variable", part->variable);
        tg_json_integer(&item, "calls", part->calls);
        tg_json_integer(&item, "nanoseconds", part->nanoseconds);
        tg_json_real(&item, "flops", part->flops);
        tg_json_real(&item, "bytes", part->bytes);
        tg_json_close(&item);
    }
    tg_json_close_list(&list);
    tg_json_close(&profile);
    (void)!tg_json_end(&json); /* console_flushed() finds out what could not be written */
}

bool show_profile(const console *c, const tg_plan *plan, int64_t batch)
{
    tg_plan_times times = tg_plan_read_times(plan);
    if (times.runs == 0 || c->style == STYLE_QUIET)
        return true;
    tg_context *context = tg_graph_context(tg_plan_graph(plan));
    size_t bytes = (size_t)times.parts * sizeof(row);
    row *rows = tg_allocate(context, bytes);
    if (!rows)
        return false;
    for (int32_t i = 0; i < times.parts; i++)
        rows[i] = (row){tg_plan_read_part(plan, i), i};
    qsort(rows, (size_t)times.parts, sizeof *rows, by_time);
    if (c->style == STYLE_JSON)
        show_json(plan, &times, rows, batch);
    else
        show_text(plan, &times, rows, batch);
    tg_release(context, rows, bytes);
    return true;
}
