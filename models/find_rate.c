#include "models/find_rate.h"

#include <math.h>
#include <stdio.h>

#include "graph/number_text.h"
#include "train/json.h"
#include "train/rate_finder.h"
#include "train/svg.h"
#include "train/whole_file.h"

#define FIGURE "learning_rate.svg"

static bool on_step(void *user, int step, int steps)
{
    const rate_search *search = user;
    (void)step;
    (void)steps;
    return !search->interrupted();
}

/* ---- the figure ---- */

static tg_status write_figure(FILE *out, void *user)
{
    const tg_rate_sweep *sweep = user;
    char label[64];
    const tg_rate_point *points = sweep->points;
    const tg_svg_series series = {.label = "smoothed loss",
                                  .values = &points->smoothed,
                                  .x = &points->rate,
                                  .stride = sizeof *points,
                                  .count = sweep->count};
    tg_svg_mark mark = {.label = label, .color = TG_SVG_ORANGE};
    tg_svg_chart chart = {.title = "Loss as the learning rate grows",
                          .x_label = "Learning rate",
                          .y_label = "Loss",
                          .series = &series,
                          .n_series = 1,
                          .log_x = true,
                          .marks = &mark,
                          .n_marks = sweep->suggested >= 0};
    if (sweep->suggested >= 0) {
        mark.x = points[sweep->suggested].rate;
        tg_format(label, sizeof label, "suggested: %.2g", mark.x);
    }
    return tg_svg_curves(out, &chart);
}

char *rate_figure_path(const settings *s, char path[4096])
{
    snprintf(path, 4096, "%s%s" FIGURE, s->report ? s->report : "", s->report ? "/" : "");
    return path;
}

static bool leave_figure(const rate_search *search, tg_rate_sweep *sweep, char path[4096])
{
    char message[TG_MESSAGE_SIZE];
    if (tg_write_whole(rate_figure_path(search->settings, path), write_figure, sweep, message, sizeof message) == TG_OK)
        return true;
    console_complain(search->console, "%s", message);
    return false;
}

/* ---- the words ---- */

static void print_json(const rate_search *search, const tg_rate_sweep *sweep, const char *path)
{
    const tg_rate_point *points = sweep->points;
    tg_json json = tg_json_begin(stdout);
    tg_json_real(&json, "suggested_learning_rate", sweep->suggested >= 0 ? points[sweep->suggested].rate : NAN);
    tg_json_real(&json, "loss_there", sweep->suggested >= 0 ? points[sweep->suggested].smoothed : NAN);
    tg_json_real(&json, "least_loss", sweep->least >= 0 ? points[sweep->least].smoothed : NAN);
    tg_json_real(&json, "least_loss_learning_rate", sweep->least >= 0 ? points[sweep->least].rate : NAN);
    tg_json_integer(&json, "steps", sweep->count);
    tg_json_text(&json, "diverged", sweep->diverged ? "yes" : "no");
    tg_json_text(&json, "optimizer", tg_optimizer_name((tg_optimizer_kind)search->settings->optimizer));
    tg_json_text(&json, "model", search->facts->model);
    tg_json_text(&json, "data", search->facts->data->source);
    tg_json_unsigned(&json, "seed", search->facts->seed);
    tg_json_text(&json, "figure", path);
    (void)!tg_json_end(&json);
}

static void print_point(const tg_rate_point *point, const char *remark)
{
    tg_put(stdout, "  %13.2g  %13.4f%s%s\n", point->rate, point->smoothed, *remark ? "  " : "", remark);
}

/* The first point of each power of ten, and those worth a remark. */
static void print_table(const tg_rate_sweep *sweep)
{
    int last = sweep->count - 1;
    printf("\n  learning rate  smoothed loss\n");
    for (int i = 0; i <= last; i++) {
        double decade = log10(sweep->points[i].rate);
        const char *remark = i == sweep->suggested          ? "falls fastest: suggested"
                             : i == sweep->least            ? "least"
                             : i == last && sweep->diverged ? "the sweep ended: the loss exploded"
                                                            : "";
        if (*remark || i == last || i == 0 || floor(decade + 1e-6) > floor(log10(sweep->points[i - 1].rate) + 1e-6))
            print_point(&sweep->points[i], remark);
    }
}

static void print_search(const rate_search *search, const tg_rate_sweep *sweep, const char *path)
{
    bool full = search->console->style == STYLE_FULL;
    if (search->console->style == STYLE_JSON) {
        print_json(search, sweep, path);
        return;
    }
    if (full)
        print_table(sweep);
    if (sweep->suggested >= 0)
        tg_put(stdout, "%sSuggested learning rate: %.2g\n", full ? "\n" : "", sweep->points[sweep->suggested].rate);
    console_say(search->console, "Figure: %s", path);
}

int find_rate(const rate_search *search)
{
    char path[4096];
    tg_rate_sweep sweep;
    tg_rate_finder_options options = tg_rate_finder_defaults();
    options.batch = search->batch;
    options.seed = search->settings->seed;
    options.on_step = on_step;
    options.user = (void *)search;
    if (tg_find_learning_rate(search->model, search->train, options, &sweep) != TG_OK) {
        if (!search->interrupted()) /* which the caller tells */
            console_complain(search->console, "%s", tg_model_error(search->model));
        return EXIT_FAILED;
    }
    bool done = leave_figure(search, &sweep, path);
    if (done)
        print_search(search, &sweep, path);
    if (done && sweep.suggested < 0)
        console_complain(search->console, "no learning rate can be suggested: the loss nowhere fell");
    done = done && sweep.suggested >= 0;
    tg_rate_sweep_free(&sweep);
    return console_flushed(search->console) && done ? EXIT_DONE : EXIT_FAILED;
}
