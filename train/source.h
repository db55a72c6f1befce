/* Data sources: where training and evaluation take their batches from. Arrays in memory are ready made; anything else, such as a
   stream, a generator or files that are read bit by bit, is a function that lends the next batch. */
#ifndef TG_TRAIN_SOURCE_H
#define TG_TRAIN_SOURCE_H

#include "graph/context.h"
#include "train/byte_array.h"

TG_BEGIN_DECLS

/** Rows of data as the model stores them, one after another, and borrowed for the time of a call (after a failing one, until
    tg_model_find_nonfinite() has replayed it). `y` may be NULL where no target is needed. */
typedef struct tg_rows {
    const void *x, *y;
    int64_t count;
} tg_rows;

/** The rows of one step: `rows` themselves, all of them; or, with indices, those of a larger data set. Such a set should be the same
    for all batches: it is then fed once, and a step gathers its rows from it. */
typedef struct tg_batch {
    tg_rows rows;
    const int32_t *indices; /**< [index_count], each from 0 to rows.count - 1; NULL: the batch is `rows` */
    int64_t index_count;
} tg_batch;

/** A data set that has a next batch. The model makes a plan for each size of batch when it first comes, and keeps the last 16 used
    of all kinds: a few sizes are fine, a new one each time is slow. */
typedef struct tg_source {
    /** Lends the next batch: sets *batch, which comes zeroed, and leaves it so if the epoch is over. What it lends must stay as it is
        until the next call, or until the source is no longer used. A failure ends the work with the status that is returned, and
        with the sentence that was put into `message`, of TG_MESSAGE_SIZE bytes, if one was. */
    tg_status (*next)(void *user, tg_batch *batch, char *message);
    /** Called before each epoch (from 1; an evaluation is always epoch 1) with step 0, and with another step (from 0) where a run
        that was stopped goes on: the batch of that step must come next, the same as in the run that was not stopped. Fails as next()
        does. NULL: an epoch begins where the one before ended, and no stopped run can go on. */
    tg_status (*begin)(void *user, int epoch, int64_t step, char *message);
    /** Batches of an epoch, which then ends after so many, whatever next() might still give; to end sooner is an error.
        0: not known; it ends where next() says so. */
    int64_t steps;
    void *user; /**< passed to these functions */
} tg_source;

/** The ready one, for arrays: batches of `batch` rows, taken by index, of which an epoch's last takes what remains; shuffled by
    (seed, epoch) unless `in_order`. The arrays are borrowed as long as the source lives. NULL if memory is out, or if there are no
    rows, more than 2147483647 of them, or no positive batch. */
TG_API tg_source *tg_rows_source_new(tg_context *context, tg_rows rows, int64_t batch, bool in_order, uint64_t seed);
/** Frees what tg_rows_source_new() made; NULL is fine. */
TG_API void tg_rows_source_free(tg_source *source);

TG_END_DECLS

#endif
