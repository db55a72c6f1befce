/* A model: a network, its loss and its optimizer, with a plan for each batch size and purpose, made when first needed and kept.
   Rows of data stay as they are stored, such as u8 pixels; the network's function converts them. */
#ifndef TG_TRAIN_MODEL_H
#define TG_TRAIN_MODEL_H

#include "exec/profile.h"
#include "train/cancel.h"
#include "train/optimizers.h"
#include "train/source.h"

TG_BEGIN_DECLS

/** Any thread may call tg_model_predict() and tg_model_prediction() at any time: see tg_model_options.runs. All other functions are for
    one thread at a time, beside which predictions may go on; tg_model_error(), tg_model_find_nonfinite() and
    tg_model_failed_graph() tell of whichever call failed last, and are for when no other call is under way. */
typedef struct tg_model tg_model;

typedef struct tg_model_options {
    tg_type input;  /**< one row of x as it is stored: u8 [28, 28, 1] */
    tg_type target; /**< one row of y as it is stored: i32 [] */
    /** Records the network on x's graph: x [batch, ...input] as stored -> outputs [batch, ...], for example logits. Called once for
        each batch size and purpose; the graph's mode tells training from evaluation. */
    tg_tensor (*network)(tg_tensor x, void *user);
    /** Records each row's loss: outputs, y [batch, ...target] as stored -> [batch]. Training minimises their mean. */
    tg_tensor (*loss)(tg_tensor outputs, tg_tensor y, void *user);
    /** Records what tg_model_predict() gives, for example the softmax of logits; NULL: the outputs themselves. */
    tg_tensor (*predict)(tg_tensor outputs, void *user);
    /** Records a figure of each row, whose mean is reported beside the loss but not trained on, for example
        tg_mean_absolute_error(): outputs, y as for the loss -> [batch]. NULL: none. */
    tg_tensor (*metric)(tg_tensor outputs, tg_tensor y, void *user);
    void *user; /**< passed to these functions */
    int32_t
        classes; /**< of a classifier, whose outputs are [batch, classes] and whose y are classes; 0: no accuracy, no confusion */
    tg_optimizer optimizer;   /**< its `rate` is the model's: an input fed with tg_model_learning_rate() */
    int64_t evaluation_batch; /**< rows that evaluation and prediction take at once, at most; 0: 256 */
    /** Once requested, tg_fit(), tg_model_evaluate() and tg_model_predict() end before their next batch with TG_ERROR_STOPPED, and
        so does whoever calls them again. NULL: nobody can. It must outlive the model. */
    const tg_cancel *cancel;
    /** How many predictions of one batch size may run at once, each with memory of its own; others wait. 0: 1. */
    int runs;
} tg_model_options;

/** What an evaluation or an epoch found: means over the rows. */
typedef struct tg_scores {
    double loss;
    double accuracy; /**< 0 unless the model is a classifier */
    double metric;   /**< 0 unless the model has one */
} tg_scores;

/** NULL if memory is out, or an option or the store is missing. The store must outlive the model; several models may share it. The place
    of the call is what messages name for the nodes that the model itself records, such as its updates. */
TG_API tg_model *tg_model_new_at(tg_where where, tg_variables *variables, tg_model_options options);
#define tg_model_new(...) tg_model_new_at(TG_HERE, __VA_ARGS__)
TG_API void tg_model_free(tg_model *model);
/** What the last failing call failed on, as one sentence; "" if none has failed. */
TG_API const char *tg_model_error(const tg_model *model);
TG_API tg_variables *tg_model_variables(const tg_model *model);
/** The learning rate of the steps to come: at first the optimizer's. Plans need no change for another. */
TG_API double tg_model_learning_rate(const tg_model *model);
TG_API void tg_model_set_learning_rate(tg_model *model, double rate);

/** Makes the plans that training in batches of `batch` rows from `data` needs, so that no step has to. */
TG_API TG_MUST_USE tg_status tg_model_prepare(tg_model *model, tg_rows data, int64_t batch);
/** One step of the optimizer on the rows data[indices[0 .. batch)]; their loss and accuracy join the training scores.
    On failure, also TG_ERROR_NONFINITE, nothing has changed. */
TG_API TG_MUST_USE tg_status tg_model_train(tg_model *model, tg_rows data, const int32_t *indices, int64_t batch);
/** The same on a batch as a source lends it: rows that are fed as they are take the same step, to the bit, as when they are chosen by
    index. */
TG_API TG_MUST_USE tg_status tg_model_train_batch(tg_model *model, tg_batch batch);
/** Begins the training scores anew; reads what they have come to. */
TG_API TG_MUST_USE tg_status tg_model_reset_scores(tg_model *model);
TG_API TG_MUST_USE tg_status tg_model_read_scores(tg_model *model, tg_scores *scores);

/** Scores of all rows, in evaluation mode. Begins the training scores anew, but leaves them as they were if it fails or is cancelled
    (TG_ERROR_STOPPED); leaves the store's step, and so what dropout will draw, as it was. `confusion`, unless NULL, gets the counts
    [classes, classes], rows: true. */
TG_API TG_MUST_USE tg_status tg_model_evaluate(tg_model *model, tg_rows data, tg_scores *scores, int64_t *confusion);
/** The same of an epoch of batches, in the sizes that the source gives them. */
TG_API TG_MUST_USE tg_status tg_model_evaluate_source(tg_model *model, const tg_source *source, tg_scores *scores,
                                                      int64_t *confusion);
/** Predictions for any number of rows, in evaluation mode, into `predictions`: `bytes` must be count rows of what
    tg_model_prediction() says. TG_ERROR_STOPPED: it was cancelled, and the first rows may be there. */
TG_API TG_MUST_USE tg_status tg_model_predict(tg_model *model, const void *x, int64_t count, void *predictions, size_t bytes);
/** dtype and shape of one row's prediction. */
TG_API TG_MUST_USE tg_status tg_model_prediction(tg_model *model, tg_type *type);

/** After TG_ERROR_NONFINITE: replays the failed run and names the first node that produced a NaN or an infinity. */
TG_API TG_MUST_USE tg_status tg_model_find_nonfinite(tg_model *model, tg_nonfinite *found);
/** The recorded graph of the run that failed last, for a picture: tg_nonfinite.node is a node of it. NULL if no run has failed, or its
    plan has made room for others. The model's own, until another plan is needed. */
TG_API const tg_graph *tg_model_failed_graph(const tg_model *model);

/** The graphs that a model records. */
typedef enum tg_model_stage {
    TG_STAGE_PREDICTION, /**< in evaluation mode: input, network, prediction */
    TG_STAGE_EVALUATION, /**< in evaluation mode: inputs, network, mean loss, metrics */
    TG_STAGE_LOSS,       /**< in training mode: rows taken by index or inputs, network, mean loss */
    TG_STAGE_TRAINING    /**< that, and gradients, updates and metrics: what a step runs */
} tg_model_stage;
/** Records a graph to be looked at, for `batch` rows; but for predictions taken by index out of `rows`, or if that is 0 fed as they
    are. `output`, unless NULL, gets the prediction or the mean loss. The caller frees it. NULL if memory is out or it has an error:
    see tg_model_error(). */
TG_API tg_graph *tg_model_record(tg_model *model, tg_model_stage stage, int64_t rows, int64_t batch, tg_tensor *output);
/** The plan of a training step for `batch` rows out of `data`, for tg_plan_describe() and pictures. The model's own; NULL on failure.
    Valid until another plan is needed, be it for a prediction beside. */
TG_API const tg_plan *tg_model_plan(tg_model *model, tg_rows data, int64_t batch);
/** Times the parts of that plan from the next step on, as tg_plan_profile() does. */
TG_API TG_MUST_USE tg_status tg_model_profile(tg_model *model, tg_rows data, int64_t batch, bool on);

TG_END_DECLS

#endif
