/* What a run leaves for others to read: its epochs as a CSV table, and its results and settings as JSON. */
#ifndef TG_TRAIN_HISTORY_H
#define TG_TRAIN_HISTORY_H

#include <stdio.h>

#include "train/class_names.h"
#include "train/fit.h"

TG_BEGIN_DECLS

/** An epoch's scores. */
typedef struct tg_history_row {
    double accuracy, loss, val_accuracy, val_loss, seconds;
} tg_history_row;

/** Epochs in order. All zero but the context: none yet. */
typedef struct tg_history {
    tg_context *context;
    tg_history_row *rows;
    int count, capacity;
} tg_history;

/** Adds a finished epoch. TG_ERROR_MEMORY. */
TG_API TG_MUST_USE tg_status tg_history_add(tg_history *history, const tg_fit_epoch *epoch);
/** Gives the rows back to the context. A second call is fine. */
TG_API void tg_history_free(tg_history *history);

/** Writes the columns of Keras's CSVLogger, epochs from 0, and seconds: "epoch,accuracy,loss,val_accuracy,val_loss,seconds". Values
    read back to the same bits. TG_ERROR_IO if `out` fails. */
TG_API TG_MUST_USE tg_status tg_history_write(FILE *out, const tg_history *history);
/** Reads such a file into `history`, whose former contents are ignored and whose rows the caller frees. TG_ERROR_IO, TG_ERROR_FORMAT
    and TG_ERROR_MEMORY put one sentence with file and line into `message` [TG_MESSAGE_SIZE]; there are then no rows. */
TG_API TG_MUST_USE tg_status tg_history_read(tg_context *context, const char *path, tg_history *history, char *message);

/** A setting as it would be typed. */
typedef struct tg_setting {
    const char *name, *value;
} tg_setting;

/** A run's results and all that decided them. Text is borrowed. */
typedef struct tg_run_record {
    const char *model;   /**< "fcnn" */
    const char *data;    /**< for people: "IDX files in data" */
    const char *note;    /**< what must be said with every result, such as that the data is drawn; NULL: nothing */
    const char *version; /**< of the library */
    const char *isa;
    const char *command; /**< repeats the run */
    int threads;
    uint64_t seed;
    int64_t parameters;
    double multiply_adds; /**< of one image's way through the network */
    double seconds;       /**< of all epochs */
    tg_scores test;
    int classes;                                          /**< at most TG_MOST_CLASSES */
    const char *names[TG_MOST_CLASSES];                   /**< of the classes; all NULL: they have numbers alone */
    int64_t confusion[TG_MOST_CLASSES * TG_MOST_CLASSES]; /**< [classes, classes], rows: true */
    const tg_setting *settings;                           /**< not read back */
    int n_settings;
} tg_run_record;

/** Writes it as a JSON object. TG_ERROR_IO if `out` fails. */
TG_API TG_MUST_USE tg_status tg_run_record_write(FILE *out, const tg_run_record *record);
/** Reads such a file, but for the settings. `*text` is memory of the context, `*bytes` large, that the record's text lies in: the
    caller releases it after the record. Failures as in tg_history_read(); members that are not known are passed over. */
TG_API TG_MUST_USE tg_status tg_run_record_read(tg_context *context, const char *path, tg_run_record *record, char **text,
                                                size_t *bytes, char *message);

TG_END_DECLS

#endif
