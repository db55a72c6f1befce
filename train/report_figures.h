/* Inside the library: the figures of a report. Each is a function from the report to a file. */
#ifndef TG_TRAIN_REPORT_FIGURES_H
#define TG_TRAIN_REPORT_FIGURES_H

#include "train/report.h"

typedef tg_status tg_report_figure(FILE *out, const tg_report *report);

tg_report_figure tg_report_samples, tg_report_accuracy, tg_report_loss, tg_report_confusion, tg_report_mistakes,
    tg_report_seconds, tg_report_graph;

#endif
