/* Inside the library: the graphs behind a model, and what the files around it share. */
#ifndef TG_TRAIN_MODEL_GRAPH_H
#define TG_TRAIN_MODEL_GRAPH_H

#include "train/model.h"

/* The names of the metrics that a model keeps. */
#define TG_MODEL_LOSS "loss"
#define TG_MODEL_ACCURACY "accuracy"
#define TG_MODEL_METRIC "metric"
#define TG_MODEL_CONFUSION "confusion"

/* Which graph: a key of the model's cache. */
typedef struct tg_model_key {
    tg_model_stage stage;
    int64_t rows; /* of the data that the batch is taken from by index; 0: the batch is fed as it is */
    int64_t batch;
} tg_model_key;

/* A recorded graph and its ends; handles that its stage lacks are tg_none(). */
typedef struct tg_model_graph {
    tg_graph *graph;
    tg_tensor x, y;    /* inputs: all rows, or the batch's */
    tg_tensor indices; /* input, i32 [batch] */
    tg_tensor rate;    /* input, f64 scalar */
    tg_tensor output;  /* the prediction, or the mean loss */
} tg_model_graph;

/** Records the graph, with `where` as the place of what is not recorded by the options' functions; false if memory is out or it has an error, which is on recorded->graph (NULL: memory). The caller frees it. */
bool tg_model_graph_record(tg_variables *variables, const tg_model_options *options, tg_where where, tg_model_key key,
                           tg_model_graph *recorded);

/** What the model was made of, with TG_FLOAT and 0 replaced. */
const tg_model_options *tg_model_options_of(const tg_model *model);

/** Where it was made. */
tg_where tg_model_where(const tg_model *model);

/** TG_ERROR_ARGUMENT, and the model's error, if there is no source or it lacks what every one must have. */
tg_status tg_model_check_source(tg_model *model, const tg_source *source);
/** Begins an epoch of a source at a step from 0; a failure is the model's. */
tg_status tg_model_begin_epoch(tg_model *model, const tg_source *source, int epoch, int64_t step);
/** The batch of a step from 0, without rows if the epoch is over. TG_ERROR_STOPPED if the model's work was cancelled; else as the
    source fails; the error is the model's. */
tg_status tg_model_next_batch(tg_model *model, const tg_source *source, int64_t step, tg_batch *batch);
/** TG_ERROR_STOPPED, and the model's error, if its work was cancelled. */
tg_status tg_model_check_cancelled(tg_model *model);
/** How many rows a batch has. */
int64_t tg_batch_size(const tg_batch *batch);

/** Sets the model's error to `text`, or if that is NULL or "" to the status's own, and returns the status. */
tg_status tg_model_fail(tg_model *model, tg_status status, const char *text);

#endif
