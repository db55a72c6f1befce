/* The flags that the MNIST programs share. */
#ifndef MODELS_SETTINGS_H
#define MODELS_SETTINGS_H

#include "models/mnist_program.h"

/** How the target of cross-entropy is made from the stored class indices. */
typedef enum labels_kind { LABELS_ONE_HOT, LABELS_SPARSE } labels_kind;

/** Which graph --dump-graph writes. */
typedef enum dump_stage { DUMP_RECORDED, DUMP_TRAINING, DUMP_COMPILED } dump_stage;

typedef struct settings {
    const char *data;    /* NULL: search */
    const char *classes; /* NULL: what is known of the data */
    int64_t epochs, batch_size, threads;
    double learning_rate; /* 0: the optimizer's own default */
    double weight_decay;  /* below 0: the same */
    double dropout, l2;
    double decay_rate; /* per decay_epochs, of the step and exponential schedules */
    int64_t decay_epochs, warmup;
    int64_t shuffle_pixels; /* the seed; below 0: not */
    bool show_samples;
    int64_t early_stopping, reduce_on_plateau; /* patience; below 0: neither */
    uint64_t seed;
    int optimizer, activation, initializer, labels, dump_stage, schedule; /* positions in the enums of their names */
    tg_integer_list hidden, filters;
    int64_t kernel_size;
    const char *dump_graph;                        /* NULL: no picture */
    const char *report;                            /* NULL: none */
    const char *save, *load, *checkpoint, *resume; /* NULL: not */
    const char *trace;                             /* NULL: none */
    int64_t every;                                 /* steps between two checkpoints; 0: after each epoch alone */
    bool check_gradients, find_learning_rate, profile;
    bool json, quiet, no_progress;
    char message[1024]; /* what is wrong with the command line, or "" */
} settings;

/** Fills `s` from the command line. TG_FLAGS_HELP: the page has been written to standard output. */
tg_flags_answer read_settings(const mnist_program *program, int argc, char **argv, settings *s);

/** What these settings make of a network. */
network_settings chosen_network(const settings *s);

#define MOST_SETTINGS 64

/** A setting that decides or describes a run, as it would be typed. */
typedef struct setting_text {
    const char *name;
    bool changed; /* is not the default */
    char value[1024];
} setting_text;

/** Those of a program's settings that are set, in the order of the help page. Returns how many. */
int list_settings(const mnist_program *program, const settings *s, setting_text list[MOST_SETTINGS]);

/** The names of the others: what is neither given nor has a default. Returns how many. */
int list_unset(const mnist_program *program, const settings *s, const char *names[MOST_SETTINGS]);

/** Whether a run leaves more than its output: weights, checkpoints, a report or a trace. */
bool keeps_files(const settings *s);

#endif
