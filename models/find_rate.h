/* --find-learning-rate: a sweep instead of training. */
#ifndef MODELS_FIND_RATE_H
#define MODELS_FIND_RATE_H

#include "models/console.h"
#include "models/settings.h"

/** A model that is ready to train. All is borrowed. */
typedef struct rate_search {
    console *console;
    const settings *settings;
    const run_facts *facts;
    tg_model *model;
    tg_rows train;
    int64_t batch;
    bool (*interrupted)(void);
} rate_search;

/** Where the figure goes. Returns `path`. */
char *rate_figure_path(const settings *s, char path[4096]);
/** Sweeps, leaves the figure and says what was found. An exit status; EXIT_FAILED too if the sweep was interrupted. */
int find_rate(const rate_search *search);

#endif
