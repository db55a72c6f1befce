/* --save, --load, --checkpoint, --every, --resume and --trace: what a program keeps of its training, and starts from. */
#ifndef MODELS_KEEP_H
#define MODELS_KEEP_H

#include "models/course.h"
#include "train/checkpoint.h"
#include "train/trace.h"

typedef struct keeper {
    const console *console;
    const mnist_program *program;
    const settings *settings;
    tg_model *model;
    const char *const *classes; /**< the names, to be kept with the weights; NULL: none */
    tg_checkpoint *checkpoint;  /**< NULL: none was asked for */
    tg_trace *trace;            /**< the same */
    bool failed;                /**< a checkpoint or the trace could not be written, which has been said */
    setting_text list[MOST_SETTINGS];
    tg_text_pair facts[TG_CHECKPOINT_FACTS]; /**< into list: what decides the network and its training */
    int facts_count;
    char classes_text[TG_CLASS_NAMES_TEXT(CLASSES)]; /**< that a fact points into */
} keeper;

/** Before tg_fit(), when the variables of a step are there: begins the trace, loads weights, makes the folder of checkpoints, or
    goes on from one, which changes `fit` and the course. The first five members must be set. An exit status. */
int keep_begin(keeper *k, tg_rows train, tg_fit_options *fit, course *c);
/** In the callbacks of tg_fit(). False if a checkpoint or the trace could not be written. */
bool keep_step(keeper *k, const tg_fit_step *step);
bool keep_epoch(keeper *k, const tg_fit_epoch *epoch);
/** After an interrupt: writes a checkpoint, if one was asked for, and says how to go on. False if that failed. */
bool keep_interrupted(keeper *k, const char *invoked);
/** After an interrupt outside of training: says where it came, and what is kept of the training, if that is over. */
void keep_tell(const keeper *k, const char *where, bool trained);
/** Writes the weights, if that was asked for. An exit status. */
int keep_weights(keeper *k);
void keep_end(keeper *k);

/** Whether the weights and the checkpoint that the run is to start from are there, before anything else is done or made. An exit code; a
    refusal has been said. */
int keep_found(const console *c, const settings *s);
/** Whether a file can be written at `path` (NULL: none is wanted), before work is done that would be lost. An exit code; a refusal has
    been said. */
int keep_place(const console *c, const char *path);

#endif
