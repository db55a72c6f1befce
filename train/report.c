#include "train/report.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "graph/number_text.h"
#include "graph/safe_text.h"
#include "train/page.h"
#include "train/report_figures.h"
#include "train/summary.h"
#include "train/svg.h"
#include "train/whole_file.h"

enum { MOST_PATH = 4096 };

/* ---- the folder ---- */

tg_status tg_report_folder(const char *folder, char *message, size_t size)
{
    char path[MOST_PATH];
    size_t length = strlen(folder);
    errno = length == 0 ? ENOENT : ENAMETOOLONG;
    bool made = length > 0 && length < sizeof path;
    for (size_t i = 1; made && i <= length; i++) {
        if (folder[i] != '/' && folder[i] != '\0')
            continue;
        snprintf(path, sizeof path, "%.*s", (int)i, folder);
        made = mkdir(path, 0777) == 0 || errno == EEXIST || errno == EISDIR;
    }
    struct stat there;
    if (made && stat(folder, &there) == 0 && !S_ISDIR(there.st_mode)) {
        errno = ENOTDIR;
        made = false;
    }
    if (made && access(folder, W_OK | X_OK) == 0)
        return TG_OK;
    tg_message(message, size, "%s: the folder cannot be %s: %s", folder, made ? "written to" : "made", tg_system_reason(errno));
    return TG_ERROR_IO;
}

/* ---- the page ---- */

static void put_head(FILE *out, const tg_report *report)
{
    const tg_run_record *record = &report->record;
    char text[96];
    if (record->note)
        tg_page_paragraph(out, "note", record->note);
    tg_page_facts_begin(out);
    tg_format(text, sizeof text, "%.2f %%", 100 * record->test.accuracy);
    tg_page_fact(out, "Test accuracy", text);
    tg_format(text, sizeof text, "%.4f", record->test.loss);
    tg_page_fact(out, "Test loss", text);
    tg_page_fact(out, "Parameters", tg_count_text(record->parameters, text, sizeof text));
    snprintf(text, sizeof text, "%d", report->history->count);
    tg_page_fact(out, "Epochs", text);
    tg_format(text, sizeof text, "%.1f s", record->seconds);
    tg_page_fact(out, "Training", text);
    snprintf(text, sizeof text, "%llu", (unsigned long long)record->seed);
    tg_page_fact(out, "Seed", text);
    tg_page_facts_end(out);
}

static void put_classes(FILE *out, const tg_run_record *record)
{
    const char *const headings[] = {record->names[0] ? "Class" : "Digit", "Precision", "Recall", "F1", "Images"};
    tg_page_table_begin(out, headings, 5, 1);
    for (int i = 0; i < record->classes; i++) {
        tg_class_scores scores = tg_class_scores_of(record->confusion, record->classes, i);
        char text[4][32], number[TG_CLASS_NUMBER];
        tg_format(text[0], sizeof *text, "%.4f", scores.precision);
        tg_format(text[1], sizeof *text, "%.4f", scores.recall);
        tg_format(text[2], sizeof *text, "%.4f", scores.f1);
        tg_count_text(scores.support, text[3], sizeof *text);
        tg_page_table_row(out, (const char *const[]){tg_class_name(record->names, i, number), text[0], text[1], text[2], text[3]},
                          5, 1);
    }
    tg_page_table_end(out);
}

static void put_layer(FILE *out, const tg_summary_row *row)
{
    char layer[160], shape[TG_MAX_RANK * 24], parameters[48], work[48], bytes[48];
    tg_shape one = row->shape;
    if (one.rank > 0) /* the batch */
        memmove(one.dims, one.dims + 1, (size_t)--one.rank * sizeof *one.dims);
    snprintf(layer, sizeof layer, "%s (%s)", row->layer->name, row->layer->kind);
    tg_page_table_row(out,
                      (const char *const[]){layer, tg_shape_text(one, shape, sizeof shape),
                                            tg_count_text(row->parameters + row->states, parameters, sizeof parameters),
                                            tg_bytes_text((double)(row->bytes + row->state_bytes), bytes, sizeof bytes),
                                            tg_count_text((int64_t)row->multiply_adds, work, sizeof work)},
                      5, 2);
}

static tg_status put_architecture(FILE *out, const tg_report *report)
{
    static const char *const headings[] = {"Layer", "Output of one image", "Parameters", "Memory", "Multiply-adds"};
    tg_context *context = tg_graph_context(report->output.graph);
    int n = tg_summary_rows(report->output, NULL, 0);
    size_t bytes = (size_t)n * sizeof(tg_summary_row), intermediates = report->step.workspace_bytes + report->step.root_bytes;
    tg_summary_row *rows = tg_allocate(context, bytes);
    if (!rows)
        return TG_ERROR_MEMORY;
    tg_summary_rows(report->output, rows, n);
    tg_page_table_begin(out, headings, 5, 2);
    for (int i = 0; i < n; i++)
        put_layer(out, &rows[i]);
    tg_page_table_end(out);
    tg_release(context, rows, bytes);
    char text[400], parts[6][48];
    snprintf(text, sizeof text,
             "%s parameters and %s multiply-adds for one image. A training step of %lld images holds %s: %s variables and "
             "%s intermediates (%s without reuse).",
             tg_count_text(report->record.parameters, parts[0], sizeof *parts),
             tg_count_text((int64_t)report->record.multiply_adds, parts[1], sizeof *parts), (long long)report->batch,
             tg_bytes_text((double)(report->step.variable_bytes + intermediates), parts[2], sizeof *parts),
             tg_bytes_text((double)report->step.variable_bytes, parts[3], sizeof *parts),
             tg_bytes_text((double)intermediates, parts[4], sizeof *parts),
             tg_bytes_text((double)(report->step.unplanned_bytes + report->step.root_bytes), parts[5], sizeof *parts));
    tg_page_paragraph(out, "dim", text);
    return TG_OK;
}

static void put_settings(FILE *out, const tg_run_record *record)
{
    static const char *const headings[] = {"Setting", "Value"};
    char threads[32];
    snprintf(threads, sizeof threads, "%d", record->threads);
    const tg_setting facts[] = {
        {"data read", record->data}, {"threads used", threads}, {"instruction set", record->isa}, {"version", record->version}};
    tg_page_table_begin(out, headings, 2, 2);
    for (int i = 0; i < record->n_settings; i++)
        tg_page_table_row(out, (const char *const[]){record->settings[i].name, record->settings[i].value}, 2, 2);
    for (size_t i = 0; i < sizeof facts / sizeof *facts; i++)
        tg_page_table_row(out, (const char *const[]){facts[i].name, facts[i].value}, 2, 2);
    tg_page_table_end(out);
    tg_page_heading(out, "The command that repeats the run");
    fprintf(out, "<div class=\"scroll\"><pre>");
    tg_xml_text(out, record->command);
    fprintf(out, "</pre></div>\n");
}

static tg_status put_figures(FILE *out, const tg_report *report, tg_report_figure *const *figures, int n)
{
    tg_status status = TG_OK;
    tg_page_figures_begin(out);
    for (int i = 0; i < n && status == TG_OK; i++)
        status = figures[i](out, report);
    tg_page_figures_end(out);
    return status;
}

static tg_status put_page(FILE *out, const tg_report *report)
{
    static tg_report_figure *const samples[] = {tg_report_samples}, *const curves[] = {tg_report_accuracy, tg_report_loss},
                                   *const errors[] = {tg_report_confusion, tg_report_mistakes},
                                   *const times[] = {tg_report_seconds};
    char title[256];
    snprintf(title, sizeof title, "%s on %s", report->record.model, report->record.data);
    tg_page_begin(out, title);
    put_head(out, report);
    tg_page_heading(out, "Images");
    tg_status status = put_figures(out, report, samples, 1);
    tg_page_heading(out, "Training");
    status = status == TG_OK ? put_figures(out, report, curves, 2) : status;
    tg_page_heading(out, "Test");
    status = status == TG_OK ? put_figures(out, report, errors, 2) : status;
    tg_page_paragraph(out, "dim",
                      "Below a mistake: the probabilities that the network gave to what is true and to what it said.");
    tg_page_heading(out, report->record.names[0] ? "Each class" : "Each digit");
    put_classes(out, &report->record);
    tg_page_heading(out, "Architecture");
    status = status == TG_OK ? put_architecture(out, report) : status;
    tg_page_heading(out, "Time");
    status = status == TG_OK ? put_figures(out, report, times, 1) : status;
    tg_page_heading(out, "Settings");
    put_settings(out, &report->record);
    if (report->graph_svg) {
        tg_page_heading(out, "Graph");
        fprintf(out, "<div class=\"scroll graph\">\n");
        status = status == TG_OK ? tg_report_graph(out, report) : status;
        fprintf(out, "</div>\n");
    }
    return status == TG_OK ? tg_page_end(out) : status;
}

/* ---- the files ---- */

static tg_status put_history(FILE *out, const tg_report *report) { return tg_history_write(out, report->history); }
static tg_status put_record(FILE *out, const tg_report *report) { return tg_run_record_write(out, &report->record); }

/* A file on its way out. */
typedef struct file {
    const char *name;
    tg_report_figure *write;
    const tg_report *report;
} file;

static tg_status write_file(FILE *out, void *user)
{
    const file *f = user;
    return f->write(out, f->report);
}

tg_status tg_report_write(const tg_report *report, const char *folder, char *message, size_t size)
{
    file files[] = {{"history.csv", put_history, report},         {"metrics.json", put_record, report},
                    {"samples.svg", tg_report_samples, report},   {"accuracy.svg", tg_report_accuracy, report},
                    {"loss.svg", tg_report_loss, report},         {"confusion.svg", tg_report_confusion, report},
                    {"mistakes.svg", tg_report_mistakes, report}, {"seconds.svg", tg_report_seconds, report},
                    {"graph.svg", tg_report_graph, report},       {"report.html", put_page, report}};
    tg_status status = TG_OK;
    for (size_t i = 0; i < sizeof files / sizeof *files && status == TG_OK; i++) {
        char path[MOST_PATH];
        if (files[i].write == tg_report_graph && !report->graph_svg)
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, files[i].name);
        status = tg_write_whole(path, write_file, &files[i], message, size);
    }
    return status;
}
