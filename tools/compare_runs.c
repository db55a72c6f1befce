/* A page that compares runs: all curves in one figure of accuracy and one of loss, the confusion matrices, and the figures of each. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "graph/number_text.h"
#include "graph/safe_text.h"
#include "models/descriptors.h"
#include "train/history.h"
#include "train/page.h"
#include "train/summary.h"
#include "train/svg.h"
#include "train/whole_file.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };
enum { MOST_RUNS = 16, MOST_PATH = 4096, LABEL = 80 };

static const char usage[] =
    "usage: compare_runs [--output FILE] RUN RUN...\n"
    "\n"
    "Writes a page that compares runs, two to 16. A RUN is a folder that --report has left: its history.csv and\n"
    "metrics.json are read. Curves of the first run are blue (training) and orange (validation), of the second\n"
    "green and purple.\n"
    "\n"
    "  --output FILE   the page (default: compare.html)\n"
    "  --help          this text\n"
    "\n"
    "Example: compare_runs --output both.html runs/fcnn runs/cnn\n"
    "Exit status: 0 done; 1 a run cannot be read or the page not be written; 2 wrong usage.\n";

typedef struct run {
    const char *folder;
    char label[LABEL]; /* the model's name, and the folder's where models are the same */
    char *text;        /* the record's */
    size_t text_bytes;
    tg_run_record record;
    tg_history history;
} run;

typedef struct comparison {
    tg_context *context;
    const char *output;
    int n;
    run runs[MOST_RUNS];
} comparison;

/* ---- reading ---- */

static bool read_run(tg_context *context, run *r)
{
    char path[MOST_PATH], message[TG_MESSAGE_SIZE];
    snprintf(path, sizeof path, "%s/metrics.json", r->folder);
    tg_status status = tg_run_record_read(context, path, &r->record, &r->text, &r->text_bytes, message);
    snprintf(path, sizeof path, "%s/history.csv", r->folder);
    if (status == TG_OK)
        status = tg_history_read(context, path, &r->history, message);
    if (status != TG_OK)
        fprintf(stderr, "compare_runs: %s\n", message);
    return status == TG_OK;
}

static void name_runs(comparison *c)
{
    for (int i = 0; i < c->n; i++) {
        bool alone = true;
        for (int other = 0; other < c->n; other++)
            alone = alone && (other == i || strcmp(c->runs[other].record.model, c->runs[i].record.model) != 0);
        run *r = &c->runs[i];
        snprintf(r->label, sizeof r->label, alone ? "%s" : "%s (%s)", r->record.model, r->folder);
    }
}

/* ---- the page ---- */

static tg_status put_curves(FILE *out, const comparison *c, bool loss)
{
    tg_svg_series series[2 * MOST_RUNS];
    char labels[2 * MOST_RUNS][LABEL + 8];
    for (int i = 0; i < 2 * c->n; i++) {
        const run *r = &c->runs[i / 2];
        const tg_history_row *rows = r->history.rows;
        bool valid = i % 2;
        snprintf(labels[i], sizeof labels[i], "%s %s", r->label, valid ? "valid" : "train");
        series[i] =
            (tg_svg_series){.label = labels[i], .stride = sizeof *rows, .count = r->history.count, .color = i, .dashed = !valid};
        if (rows)
            series[i].values = loss ? (valid ? &rows->val_loss : &rows->loss) : (valid ? &rows->val_accuracy : &rows->accuracy);
    }
    const tg_svg_chart chart = {.title = loss ? "Loss" : "Accuracy",
                                .x_label = "Epoch",
                                .y_label = loss ? "Cross-entropy" : "Accuracy",
                                .series = series,
                                .n_series = 2 * c->n};
    return tg_svg_curves(out, &chart);
}

/* A line of the table: one figure of every run. */
static void put_line(FILE *out, const comparison *c, const char *name, char *(*figure)(const run *r, char *text, size_t size))
{
    char text[MOST_RUNS][64];
    const char *cells[MOST_RUNS + 1] = {name};
    for (int i = 0; i < c->n; i++)
        cells[i + 1] = figure(&c->runs[i], text[i], sizeof text[i]);
    tg_page_table_row(out, cells, c->n + 1, 1);
}

static char *accuracy_text(const run *r, char *text, size_t size)
{
    tg_format(text, size, "%.2f %%", 100 * r->record.test.accuracy);
    return text;
}

static char *loss_text(const run *r, char *text, size_t size)
{
    tg_format(text, size, "%.4f", r->record.test.loss);
    return text;
}

static char *parameters_text(const run *r, char *text, size_t size) { return tg_count_text(r->record.parameters, text, size); }
static char *work_text(const run *r, char *text, size_t size)
{
    return tg_count_text((int64_t)r->record.multiply_adds, text, size);
}
static char *epochs_text(const run *r, char *text, size_t size) { return tg_count_text(r->history.count, text, size); }

static char *time_text(const run *r, char *text, size_t size)
{
    tg_format(text, size, "%.1f s", r->record.seconds);
    return text;
}

static char *seed_text(const run *r, char *text, size_t size)
{
    snprintf(text, size, "%llu", (unsigned long long)r->record.seed);
    return text;
}

static void put_table(FILE *out, const comparison *c)
{
    const char *headings[MOST_RUNS + 1] = {""};
    for (int i = 0; i < c->n; i++)
        headings[i + 1] = c->runs[i].label;
    tg_page_table_begin(out, headings, c->n + 1, 1);
    put_line(out, c, "Test accuracy", accuracy_text);
    put_line(out, c, "Test loss", loss_text);
    put_line(out, c, "Parameters", parameters_text);
    put_line(out, c, "Multiply-adds of an image", work_text);
    put_line(out, c, "Epochs", epochs_text);
    put_line(out, c, "Training time", time_text);
    put_line(out, c, "Seed", seed_text);
    tg_page_table_end(out);
    for (int i = 0; i < c->n; i++) {
        char text[TG_MESSAGE_SIZE + LABEL];
        snprintf(text, sizeof text, "%s: %s", c->runs[i].label, c->runs[i].record.data);
        tg_page_paragraph(out, "dim", text);
    }
}

static tg_status write_page(FILE *out, void *user)
{
    const comparison *c = user;
    char title[MOST_RUNS * (LABEL + 4)] = "";
    for (int i = 0; i < c->n; i++)
        snprintf(title + strlen(title), sizeof title - strlen(title), "%s%s",
                 i == 0         ? ""
                 : i + 1 < c->n ? ", "
                                : " and ",
                 c->runs[i].label);
    tg_page_begin(out, title);
    const char *said = NULL;
    for (int i = 0; i < c->n; i++) {
        const char *note = c->runs[i].record.note;
        if (note && (!said || strcmp(note, said) != 0))
            tg_page_paragraph(out, "note", note);
        said = note ? note : said;
    }
    put_table(out, c);
    tg_page_heading(out, "Training");
    tg_page_figures_begin(out);
    tg_status status = put_curves(out, c, false);
    status = status == TG_OK ? put_curves(out, c, true) : status;
    tg_page_figures_end(out);
    tg_page_heading(out, "Confusion matrices");
    tg_page_figures_begin(out);
    for (int i = 0; i < c->n && status == TG_OK; i++)
        status = tg_svg_confusion(out, c->runs[i].label, c->runs[i].record.confusion, c->runs[i].record.classes,
                                  c->runs[i].record.names);
    tg_page_figures_end(out);
    return status == TG_OK ? tg_page_end(out) : status;
}

/* ---- the whole ---- */

/* Writes to standard output; says so if that fails. */
static bool say(const char *text, const char *end)
{
    if (printf("%s%s", text, end) >= 0 && fflush(stdout) == 0)
        return true;
    fprintf(stderr, "compare_runs: cannot write to standard output: %s\n", tg_system_reason(errno));
    return false;
}

static bool compare(comparison *c)
{
    char message[TG_MESSAGE_SIZE];
    for (int i = 0; i < c->n; i++)
        if (!read_run(c->context, &c->runs[i]))
            return false;
    name_runs(c);
    if (tg_write_whole(c->output, write_page, c, message, sizeof message) != TG_OK) {
        fprintf(stderr, "compare_runs: %s\n", message);
        return false;
    }
    tg_put_safe(stdout, c->output);
    return say("", "\n");
}

/* Fills in what the command line says; NULL, or what is wrong with it. */
static const char *read_arguments(comparison *c, int argc, char **argv)
{
    bool flags = true;
    for (int i = 1; i < argc; i++) {
        if (flags && strcmp(argv[i], "--") == 0) {
            flags = false;
        } else if (flags && strncmp(argv[i], "--output=", 9) == 0) {
            c->output = argv[i] + 9;
        } else if (flags && strcmp(argv[i], "--output") == 0) {
            if (++i == argc)
                return "--output needs a file";
            c->output = argv[i];
        } else if (flags && argv[i][0] == '-') {
            return "the only flags are --output FILE and --help";
        } else if (c->n == MOST_RUNS) {
            return "at most 16 runs can be compared";
        } else {
            c->runs[c->n++].folder = argv[i];
        }
    }
    return c->n < 2 ? "two runs at least are needed" : NULL;
}

int main(int argc, char **argv)
{
    static comparison c = {.output = "compare.html"};
    fill_standard_descriptors();
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return say(usage, "") ? EXIT_DONE : EXIT_FAILED;
    const char *wrong = read_arguments(&c, argc, argv);
    if (wrong) {
        fprintf(stderr, "compare_runs: %s; see --help\n", wrong);
        return EXIT_USAGE;
    }
    tg_context_options options = tg_context_defaults();
    options.threads = 1;
    c.context = tg_context_new(options);
    if (!c.context) {
        char why[256];
        tg_context_explain(options, why, sizeof why);
        fprintf(stderr, "compare_runs: %s\n", *why ? why : "out of memory");
        return EXIT_FAILED;
    }
    bool done = compare(&c);
    for (int i = 0; i < c.n; i++) {
        tg_release(c.context, c.runs[i].text, c.runs[i].text_bytes);
        if (c.runs[i].history.rows)
            tg_history_free(&c.runs[i].history);
    }
    tg_context_free(c.context);
    return done ? EXIT_DONE : EXIT_FAILED;
}
