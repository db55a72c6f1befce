/* A small model that trains with a checkpoint, in a folder of the test's own. */
#ifndef TG_TESTS_CHECKPOINT_FIXTURE_H
#define TG_TESTS_CHECKPOINT_FIXTURE_H

#include "data_files.h"
#include "small_model.h"
#include "train/checkpoint.h"

enum { EPOCHS = 3 };
static char folder[256], run[300], message[TG_MESSAGE_SIZE];

typedef struct trainee {
    tg_context *context;
    tg_variables *variables;
    tg_model *model;
    tg_checkpoint *checkpoint;
    tg_fit_options fit;
    int steps, stop; /* so far; after which to end, 0: never */
} trainee;

static inline bool on_step(void *user, const tg_fit_step *step)
{
    trainee *b = user;
    ck_assert_msg(tg_checkpoint_step(b->checkpoint, step, message) == TG_OK, "%s", message);
    if (++b->steps != b->stop)
        return true;
    ck_assert_msg(tg_checkpoint_write(b->checkpoint, message) == TG_OK, "%s", message);
    return false;
}

static inline bool on_epoch(void *user, const tg_fit_epoch *epoch)
{
    trainee *b = user;
    ck_assert_msg(tg_checkpoint_epoch(b->checkpoint, epoch, message) == TG_OK, "%s", message);
    return true;
}

static const tg_text_pair facts[] = {{"network", "3-6-2"}, {"optimizer", "adam"}};

static inline tg_checkpoint_options checkpoint_options(trainee *b)
{
    b->fit = (tg_fit_options){.epochs = EPOCHS, .batch = BATCH, .seed = 4, .validation = {x, y, 20}};
    b->fit.on_step = on_step;
    b->fit.on_epoch = on_epoch;
    b->fit.user = b;
    return (tg_checkpoint_options){.folder = run, .train = data, .fit = b->fit, .facts = facts, .facts_count = 2};
}

/* `hidden`: the number of hidden units; NULL: 6. */
static inline void make_model(trainee *b, tg_context *context, uint64_t seed, int *hidden)
{
    *b = (trainee){.context = context, .variables = tg_variables_new(context, seed)};
    b->model = b->variables ? small_model(b->variables, hidden, NULL) : NULL;
}

static inline void make(trainee *b, int threads)
{
    tg_status status;
    make_model(b, harness_context(threads), 9, NULL);
    b->checkpoint = tg_checkpoint_new(b->model, checkpoint_options(b), &status, message);
    ck_assert_msg(b->checkpoint && status == TG_OK, "%s", message);
}

static inline void drop(trainee *b)
{
    tg_checkpoint_free(b->checkpoint);
    tg_model_free(b->model);
    tg_variables_free(b->variables);
    tg_context_free(b->context);
}

static inline void setup(void)
{
    make_folder(folder);
    snprintf(run, sizeof run, "%s/run", folder);
    small_rows();
}

static inline void teardown(void) { remove_folder(folder); }

static inline blob read_whole(const char *name)
{
    blob content = {0};
    uint8_t part[4096];
    FILE *in = fopen(in_folder(run, name), "rb");
    ck_assert_ptr_nonnull(in);
    for (size_t got; (got = fread(part, 1, sizeof part, in)) > 0;)
        blob_add(&content, part, got);
    fclose(in);
    return content;
}

static inline void train(trainee *b, int stop)
{
    b->stop = stop;
    tg_status status = tg_fit(b->model, data, b->fit);
    ck_assert_msg(status == (stop ? TG_ERROR_STOPPED : TG_OK), "%s", tg_model_error(b->model));
}

static inline void resume(trainee *b)
{
    tg_status status = tg_checkpoint_resume(b->checkpoint, run, &b->fit, message);
    ck_assert_msg(status == TG_OK, "%s", message);
}

#endif
