/* --report: what a run leaves in a folder. */
#ifndef MODELS_REPORT_H
#define MODELS_REPORT_H

#include "models/console.h"
#include "models/settings.h"
#include "train/history.h"

/** A run that has ended. All is borrowed. */
typedef struct finished_run {
    const mnist_program *program;
    const settings *settings;
    const char *invoked; /**< argv[0] */
    const run_facts *facts;
    tg_model *model;
    tg_rows train;
    int64_t batch;
    const tg_history *history;
    tg_scores scores;
    const int64_t *confusion; /**< [CLASSES, CLASSES] */
} finished_run;

/** Makes the folder, if a report is wanted, and makes sure that it can be written to. An exit status. */
int prepare_report(const console *c, const settings *s);
/** Writes the report, if one is wanted. An exit status; EXIT_SIGNAL if the model's work was cancelled, which is not yet said. */
int leave_report(const console *c, const finished_run *run);

#endif
