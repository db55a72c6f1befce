#include "models/report.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "graph/dot.h"
#include "graph/number_text.h"
#include "models/command.h"
#include "train/report.h"
#include "train/summary.h"
#include "train/whole_file.h"

extern char **environ;

int prepare_report(const console *c, const settings *s)
{
    char message[TG_MESSAGE_SIZE];
    if (!s->report || tg_report_folder(s->report, message, sizeof message) == TG_OK)
        return EXIT_DONE;
    console_complain(c, "%s", message);
    return EXIT_FAILED;
}

/* ---- the graph, by Graphviz ---- */

static tg_status write_graph(FILE *out, void *user)
{
    const tg_graph *graph = user;
    return tg_dot(out, graph, tg_dot_defaults());
}

/* Runs "dot -Tsvg" from the file `path` to the descriptor `to`; -1 if there is no such program. */
static pid_t start_graphviz(const char *path, int to)
{
    char *const arguments[] = {"dot", "-Tsvg", NULL};
    posix_spawn_file_actions_t actions;
    pid_t child = -1;
    if (posix_spawn_file_actions_init(&actions) != 0)
        return -1;
    if (posix_spawn_file_actions_addopen(&actions, 0, path, O_RDONLY, 0) != 0 ||
        posix_spawn_file_actions_adddup2(&actions, to, 1) != 0 ||
        posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0) != 0 ||
        posix_spawnp(&child, arguments[0], &actions, NULL, arguments, environ) != 0)
        child = -1;
    posix_spawn_file_actions_destroy(&actions);
    return child;
}

/* All that comes out of a descriptor, which it closes, with a zero byte after it; NULL if that fails. The caller frees it. */
static char *read_all(int descriptor)
{
    char *text = NULL, buffer[1 << 12];
    size_t size = 0;
    FILE *whole = open_memstream(&text, &size);
    ssize_t n = 0;
    while (whole && (n = read(descriptor, buffer, sizeof buffer)) > 0)
        fwrite(buffer, 1, (size_t)n, whole);
    close(descriptor);
    if (!whole)
        return NULL;
    if (fclose(whole) == 0 && n == 0)
        return text;
    free(text);
    return NULL;
}

/* Graphviz's picture of a DOT file; NULL if Graphviz is not here or fails. The caller frees it. */
static char *draw_graph(const char *path)
{
    int ends[2], status = -1;
    if (pipe(ends) != 0)
        return NULL;
    fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    pid_t child = start_graphviz(path, ends[1]);
    close(ends[1]);
    char *svg = read_all(ends[0]);
    bool good = child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) && WEXITSTATUS(status) == 0;
    if (good && svg && strstr(svg, "<svg"))
        return svg;
    free(svg);
    return NULL;
}

/* Leaves graph.dot in the folder. *svg: its picture, or NULL. */
static int picture_of(const console *c, const finished_run *run, char **svg)
{
    char path[4096], message[TG_MESSAGE_SIZE];
    tg_graph *graph = tg_model_record(run->model, TG_STAGE_LOSS, run->train.count, run->batch, NULL);
    if (!graph) {
        console_complain(c, "%s", tg_model_error(run->model));
        return EXIT_FAILED;
    }
    snprintf(path, sizeof path, "%s/graph.dot", run->settings->report);
    tg_status status = tg_write_whole(path, write_graph, graph, message, sizeof message);
    tg_graph_free(graph);
    if (status == TG_OK)
        *svg = draw_graph(path);
    else
        console_complain(c, "%s", message);
    return status == TG_OK ? EXIT_DONE : EXIT_FAILED;
}

/* ---- the whole ---- */

/* What a report takes that has to be computed or held. */
typedef struct parts {
    setting_text list[MOST_SETTINGS];
    tg_setting settings[MOST_SETTINGS + 2];
    char rate[32], decay[32]; /* of the optimizer, where no setting gives them */
    char *command, *svg;
    tg_graph *graph;
    float *probabilities;
    size_t probability_bytes;
    tg_report report;
} parts;

/* p->report, from what stands in the other parts. */
static void fill_report(const finished_run *run, parts *p, int n_settings, tg_plan_info step)
{
    const run_facts *facts = run->facts;
    const tg_image_set *train = &facts->data->train, *test = &facts->data->test;
    tg_report *report = &p->report;
    tg_run_record *record = &report->record;
    record->model = run->program->model;
    record->data = facts->data->source;
    record->note = console_synthetic_note(facts);
    record->version = tg_version();
    record->isa = tg_isa_name(tg_context_isa(facts->context));
    record->command = p->command;
    record->threads = tg_context_threads(facts->context);
    record->seed = facts->seed;
    record->test = run->scores;
    record->classes = CLASSES;
    record->settings = p->settings;
    record->n_settings = n_settings;
    memcpy(record->confusion, run->confusion, CLASSES * CLASSES * sizeof *run->confusion);
    if (facts->classes)
        memcpy(record->names, facts->classes, CLASSES * sizeof *facts->classes);
    for (int i = 0; i < run->history->count; i++)
        record->seconds += run->history->rows[i].seconds;
    report->history = run->history;
    report->train = (tg_report_images){train->images, train->labels, train->count, TG_MNIST_ROWS, TG_MNIST_COLUMNS};
    report->test = (tg_report_images){test->images, test->labels, test->count, TG_MNIST_ROWS, TG_MNIST_COLUMNS};
    report->probabilities = p->probabilities;
    report->step = step;
    report->batch = run->batch;
    report->graph_svg = p->svg;
}

/* The network's parameters and multiply-adds. */
static tg_status count_work(tg_context *context, tg_tensor output, tg_run_record *record)
{
    int n = tg_summary_rows(output, NULL, 0);
    size_t bytes = (size_t)n * sizeof(tg_summary_row);
    tg_summary_row *rows = tg_allocate(context, bytes);
    if (!rows)
        return TG_ERROR_MEMORY;
    tg_summary_rows(output, rows, n);
    for (int i = 0; i < n; i++) {
        record->parameters += rows[i].parameters + rows[i].states;
        record->multiply_adds += rows[i].multiply_adds;
    }
    tg_release(context, rows, bytes);
    return TG_OK;
}

/* The settings as they were typed or stand by default, and the optimizer's own values for what is left to it. Returns how many. */
static int all_settings(const finished_run *run, parts *p, int n)
{
    tg_optimizer own = tg_optimizer_defaults((tg_optimizer_kind)run->settings->optimizer);
    for (int i = 0; i < n; i++)
        p->settings[i] = (tg_setting){p->list[i].name, *p->list[i].value ? p->list[i].value : "yes"};
    tg_format(p->rate, sizeof p->rate, "%g", own.learning_rate);
    tg_format(p->decay, sizeof p->decay, "%g", own.weight_decay);
    if (!(run->settings->learning_rate > 0))
        p->settings[n++] = (tg_setting){"learning-rate", p->rate};
    if (!(run->settings->weight_decay >= 0))
        p->settings[n++] = (tg_setting){"weight-decay", p->decay};
    return n;
}

static int write_report(const console *c, const finished_run *run, parts *p)
{
    char message[TG_MESSAGE_SIZE];
    const tg_image_set *test = &run->facts->data->test;
    tg_context *context = run->facts->data->context;
    tg_tensor output;
    int n = list_settings(run->program, run->settings, p->list);
    p->command = command_again(run->program, run->settings, run->invoked, NULL);
    p->probability_bytes = (size_t)test->count * CLASSES * sizeof *p->probabilities;
    p->probabilities = tg_allocate(context, p->probability_bytes);
    if (!p->command || !p->probabilities) {
        console_complain(c, "the report: %s", tg_status_text(TG_ERROR_MEMORY));
        return EXIT_FAILED;
    }
    const tg_plan *plan = tg_model_plan(run->model, run->train, run->batch);
    tg_plan_info step = plan ? tg_plan_describe(plan) : (tg_plan_info){0};
    p->graph = plan ? tg_model_record(run->model, TG_STAGE_PREDICTION, 0, 1, &output) : NULL;
    tg_status status = p->graph ? TG_OK : TG_ERROR_GRAPH;
    if (status == TG_OK)
        status = tg_model_predict(run->model, test->images, test->count, p->probabilities, p->probability_bytes);
    if (status == TG_ERROR_STOPPED)
        return EXIT_SIGNAL;
    if (status != TG_OK) {
        console_complain(c, "%s", tg_model_error(run->model));
        return EXIT_FAILED;
    }
    int code = picture_of(c, run, &p->svg);
    if (code != EXIT_DONE)
        return code;
    fill_report(run, p, all_settings(run, p, n), step);
    p->report.output = output;
    status = count_work(context, output, &p->report.record);
    snprintf(message, sizeof message, "the report: %s", tg_status_text(status));
    if (status == TG_OK)
        status = tg_report_write(&p->report, run->settings->report, message, sizeof message);
    if (status != TG_OK)
        console_complain(c, "%s", message);
    return status == TG_OK ? EXIT_DONE : EXIT_FAILED;
}

int leave_report(const console *c, const finished_run *run)
{
    if (!run->settings->report)
        return EXIT_DONE;
    parts *p = calloc(1, sizeof *p);
    if (!p) {
        console_complain(c, "the report: %s", tg_status_text(TG_ERROR_MEMORY));
        return EXIT_FAILED;
    }
    int code = write_report(c, run, p);
    if (code == EXIT_DONE && c->style == STYLE_FULL)
        printf("\n");
    if (code == EXIT_DONE)
        console_say(c, "Report: %s/report.html", run->settings->report);
    tg_graph_free(p->graph);
    tg_release(run->facts->data->context, p->probabilities, p->probability_bytes);
    free(p->command);
    free(p->svg);
    free(p);
    return code;
}
