/* Checkpoints: what a training run needs to go on after it was stopped, as if it had never been.
   A folder holds two files, each replaced whole or not at all: `last.safetensors`, with every variable of the store (weights, the
   optimizer's moments, counters, running scores), the history and, as metadata, the place in the run and what must be the same to go on;
   and `best.safetensors`, the weights of the epoch with the least validation loss (without validation data: training loss). A third,
   the empty `.lock`, keeps two runs from one folder while both live; a run that was killed keeps nobody. */
#ifndef TG_TRAIN_CHECKPOINT_H
#define TG_TRAIN_CHECKPOINT_H

#include "train/fit.h"
#include "train/history.h"
#include "train/safetensors.h"

TG_BEGIN_DECLS

#define TG_CHECKPOINT_LAST "last.safetensors"
#define TG_CHECKPOINT_BEST "best.safetensors"
#define TG_CHECKPOINT_LOCK ".lock"

typedef struct tg_checkpoint tg_checkpoint;

typedef struct tg_checkpoint_options {
    const char *folder; /**< made if it is missing; its parent must be there */
    int64_t every;      /**< steps of the run between two writes; 0: only after each epoch */
    tg_rows train;      /**< what tg_fit() is given */
    /** What tg_fit_source() is given, instead of these rows; NULL: they are. It is named by the steps of its epochs alone: what else
        decides its batches is for the facts. */
    const tg_source *source;
    tg_fit_options fit; /**< the same; seed, order and batch are kept with the checkpoint */
    /** Kept in both files, for example how to build the network. A run that goes on must have the same: one without a value (NULL)
        must not be in the file. At most TG_CHECKPOINT_FACTS, in UTF-8, with keys of their own. All text is borrowed until
        tg_checkpoint_free(). */
    const tg_text_pair *facts;
    int facts_count;
    int facts_free; /**< so many of the last facts are only kept: a run that goes on may have others */
    /** Writes into `text` what a message is to call a fact by its key, as "--dropout", or what is compared beside the facts: "seed",
        "rows", "batch", "order" and "order_seed". NULL: by these words. */
    void (*fact_name)(const char *key, char *text, size_t size);
} tg_checkpoint_options;

#define TG_CHECKPOINT_FACTS 80

/** Makes the folder, and the variables that the model's training and evaluation need. The folder is this checkpoint's until
    tg_checkpoint_free() or the end of the process. NULL on failure, TG_ERROR_IO where nothing can be written, TG_ERROR_SYSTEM where
    another run, of this process or of any, has the folder: *status, and one sentence in `message`, of TG_MESSAGE_SIZE bytes. No
    checkpoint is written yet. The model must outlive the checkpoint. */
TG_API tg_checkpoint *tg_checkpoint_new(tg_model *model, tg_checkpoint_options options, tg_status *status, char *message);
TG_API void tg_checkpoint_free(tg_checkpoint *checkpoint);

/** Reads `last.safetensors` of a folder, which need not be the checkpoint's own, into the model: variables, step, learning rate; and
    sets first_epoch, first_step and steps_before of `fit`. tg_fit() then ends with the same bits as a run that was never stopped,
    with any number of threads. The store's seed, the number of rows, the order, its seed, the batch and the facts
    must be as in the checkpoint's options, and a source must have a begin(). All or nothing:
    TG_ERROR_IO, TG_ERROR_FORMAT, TG_ERROR_MEMORY and, without a begin(), TG_ERROR_ARGUMENT put one sentence with file and
    expectation into `message`. */
TG_API TG_MUST_USE tg_status tg_checkpoint_resume(tg_checkpoint *checkpoint, const char *folder, tg_fit_options *fit,
                                                  char *message);
/** After tg_checkpoint_new(), if the folder's file system has no locks, a sentence that says so; after resuming, if another build or
    instruction set wrote what was read: a sentence that says that, for the last bits of results may then differ. Else "". */
TG_API const char *tg_checkpoint_warning(const tg_checkpoint *checkpoint);

/** To be called after each step, and after each epoch: remembers the place, and writes when it is time. Failures as in
    tg_safetensors_save(); the former file then stays. */
TG_API TG_MUST_USE tg_status tg_checkpoint_step(tg_checkpoint *checkpoint, const tg_fit_step *step, char *message);
TG_API TG_MUST_USE tg_status tg_checkpoint_epoch(tg_checkpoint *checkpoint, const tg_fit_epoch *epoch, char *message);
/** Writes `last.safetensors` now, of the last step or epoch that was told: for example because the run is being stopped. */
TG_API TG_MUST_USE tg_status tg_checkpoint_write(tg_checkpoint *checkpoint, char *message);

/** The epochs so far, with those before the run was resumed. Valid until the checkpoint is freed. */
TG_API const tg_history *tg_checkpoint_history(const tg_checkpoint *checkpoint);

TG_END_DECLS

#endif
