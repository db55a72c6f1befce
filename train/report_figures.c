#include "train/report_figures.h"

#include <string.h>

#include "graph/number_text.h"
#include "train/svg.h"
#include "train/text_columns.h"

enum { SAMPLES = 4, MISTAKES = 12, SAMPLE_COLUMNS = 15, MISTAKE_COLUMNS = 12 };

/* ---- what is shown ---- */

static int32_t answer_of(const float *row, int classes)
{
    int32_t best = 0;
    for (int32_t i = 1; i < classes; i++)
        if (row[i] > row[best])
            best = i;
    return best;
}

int tg_confident_mistakes(const float *probabilities, const int32_t *labels, int64_t count, int classes, tg_mistake *mistakes,
                          int capacity)
{
    int n = 0;
    for (int64_t i = 0; i < count; i++) {
        const float *row = probabilities + i * classes;
        tg_mistake mistake = {.image = i, .said = answer_of(row, classes)};
        mistake.certainty = row[mistake.said];
        if (mistake.said == labels[i] || (n == capacity && (n == 0 || !(mistake.certainty > mistakes[n - 1].certainty))))
            continue;
        int place = n < capacity ? n++ : n - 1;
        for (; place > 0 && mistake.certainty > mistakes[place - 1].certainty; place--)
            mistakes[place] = mistakes[place - 1];
        mistakes[place] = mistake;
    }
    return n;
}

tg_class_scores tg_class_scores_of(const int64_t *confusion, int classes, int index)
{
    int64_t taken = 0, support = 0, right = confusion[(int64_t)index * classes + index];
    for (int i = 0; i < classes; i++) {
        taken += confusion[(int64_t)i * classes + index];
        support += confusion[(int64_t)index * classes + i];
    }
    return (tg_class_scores){.precision = taken ? (double)right / (double)taken : 0,
                             .recall = support ? (double)right / (double)support : 0,
                             .f1 = taken + support ? 2 * (double)right / (double)(taken + support) : 0,
                             .support = support};
}

/* ---- figures ---- */

/* What a class is called below an image, in at most so many columns. */
static char *name_of(const tg_run_record *record, int i, int columns, char text[TG_CAPTION])
{
    char number[TG_CLASS_NUMBER];
    return tg_text_fit(tg_class_name(record->names, i, number), columns, false, text, TG_CLASS_NAME_BYTES + 1);
}

static tg_status draw_images(FILE *out, const char *title, const tg_report_images *images, const tg_svg_image *shown, int n)
{
    const tg_svg_gallery gallery = {
        .title = title, .images = shown, .n_images = n, .rows = images->rows, .columns = images->columns};
    return tg_svg_images(out, &gallery);
}

tg_status tg_report_samples(FILE *out, const tg_report *report)
{
    tg_svg_image shown[SAMPLES] = {{NULL, {"", ""}}};
    char name[TG_CAPTION];
    const tg_report_images *images = &report->train;
    int n = images->count < SAMPLES ? (int)images->count : SAMPLES;
    for (int i = 0; i < n; i++) {
        shown[i].pixels = images->pixels + (int64_t)i * images->rows * images->columns;
        snprintf(shown[i].captions[0], TG_CAPTION, "%s%s", report->record.names[0] ? "" : "label ",
                 name_of(&report->record, images->labels[i], SAMPLE_COLUMNS, name));
    }
    return draw_images(out, "First training images", images, shown, n);
}

tg_status tg_report_mistakes(FILE *out, const tg_report *report)
{
    tg_svg_image shown[MISTAKES] = {{NULL, {"", ""}}};
    char name[TG_CAPTION];
    tg_mistake mistakes[MISTAKES];
    const tg_report_images *images = &report->test;
    int classes = report->record.classes;
    int n = tg_confident_mistakes(report->probabilities, images->labels, images->count, classes, mistakes, MISTAKES);
    for (int i = 0; i < n; i++) {
        int64_t image = mistakes[i].image;
        int label = images->labels[image];
        shown[i].pixels = images->pixels + image * images->rows * images->columns;
        tg_format(shown[i].captions[0], TG_CAPTION, "true %s: %.1f %%", name_of(&report->record, label, MISTAKE_COLUMNS, name),
                  100 * (double)report->probabilities[image * classes + label]);
        tg_format(shown[i].captions[1], TG_CAPTION, "said %s: %.1f %%",
                  name_of(&report->record, mistakes[i].said, MISTAKE_COLUMNS, name), 100 * (double)mistakes[i].certainty);
    }
    return draw_images(out, n ? "Most confident mistakes" : "No mistakes", images, shown, n);
}

static tg_status draw_curves(FILE *out, const tg_report *report, bool loss)
{
    const tg_history *history = report->history;
    const tg_history_row *rows = history->rows;
    tg_svg_series series[2] = {{.label = "train", .dashed = true, .color = TG_SVG_BLUE},
                               {.label = "valid", .color = TG_SVG_ORANGE}};
    const tg_svg_chart chart = {.title = loss ? "Loss" : "Accuracy",
                                .x_label = "Epoch",
                                .y_label = loss ? "Cross-entropy" : "Accuracy",
                                .series = series,
                                .n_series = 2};
    for (int i = 0; i < 2 && history->count > 0; i++) {
        series[i].values = loss ? (i ? &rows->val_loss : &rows->loss) : (i ? &rows->val_accuracy : &rows->accuracy);
        series[i].stride = sizeof *rows;
        series[i].count = history->count;
    }
    return tg_svg_curves(out, &chart);
}

tg_status tg_report_accuracy(FILE *out, const tg_report *report) { return draw_curves(out, report, false); }
tg_status tg_report_loss(FILE *out, const tg_report *report) { return draw_curves(out, report, true); }

tg_status tg_report_confusion(FILE *out, const tg_report *report)
{
    return tg_svg_confusion(out, "Confusion matrix", report->record.confusion, report->record.classes, report->record.names);
}

tg_status tg_report_seconds(FILE *out, const tg_report *report)
{
    const tg_history *history = report->history;
    const tg_svg_series series = {.label = "seconds",
                                  .values = history->count ? &history->rows->seconds : NULL,
                                  .stride = sizeof *history->rows,
                                  .count = history->count,
                                  .color = TG_SVG_BLUE};
    const tg_svg_chart chart = {
        .title = "Time per epoch", .x_label = "Epoch", .y_label = "Seconds", .series = &series, .n_series = 1};
    return tg_svg_bars(out, &chart);
}

tg_status tg_report_graph(FILE *out, const tg_report *report)
{
    /* Graphviz begins with an XML declaration and a document type, which a page cannot hold. */
    const char *svg = strstr(report->graph_svg, "<svg");
    fputs(svg ? svg : report->graph_svg, out);
    return ferror(out) ? TG_ERROR_IO : TG_OK;
}
