#include "train/checkpoint.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "graph/number_text.h"
#include "graph/safe_text.h"
#include "train/build_text.h"
#include "train/file_lock.h"
#include "train/json_text.h"
#include "train/stream.h"
#include "train/whole_file.h"

#define FORMAT "tapegrad checkpoint 1"
#define HISTORY "checkpoint/history"

enum { COLUMNS = sizeof(tg_history_row) / sizeof(double), PATH_BYTES = 4096, BUILD_BYTES = 256 };

struct tg_checkpoint {
    tg_model *model;
    tg_context *context;
    tg_checkpoint_options options;
    tg_history history;
    int epoch;    /* that comes next, or is under way */
    int64_t step; /* done of it */
    int64_t run_step;
    char last[PATH_BYTES], best[PATH_BYTES];
    int lock; /* of the folder: a descriptor, or -1 */
    char warning[2 * BUILD_BYTES + 200];
};

/* What stands in the metadata beside the facts: texts of the numbers that decide every bit to come. */
enum { FORMAT_KEY, BUILD, ISA, SEED, STORE_STEP, RATE, ROWS, BATCH, ORDER, ORDER_SEED, EPOCH, STEP, RUN_STEP, KEYS };
static const char *const keys[KEYS] = {
    [FORMAT_KEY] = "format",  [BUILD] = "build",     [ISA] = "instruction_set", [SEED] = "seed",   [STORE_STEP] = "updates",
    [RATE] = "learning_rate", [ROWS] = "rows",       [BATCH] = "batch",         [ORDER] = "order", [ORDER_SEED] = "order_seed",
    [EPOCH] = "epoch",        [STEP] = "steps_done", [RUN_STEP] = "run_steps",
};

typedef struct place_text {
    char values[KEYS][BUILD_BYTES];
} place_text;

static void put_number(char text[BUILD_BYTES], uint64_t value) { snprintf(text, BUILD_BYTES, "%" PRIu64, value); }

/* The batch that tg_fit() takes. */
static int64_t batch_of(const tg_checkpoint *c)
{
    int64_t batch = c->options.fit.batch, rows = c->options.train.count;
    return batch < rows ? batch : rows;
}

static int64_t steps_of(const tg_checkpoint *c)
{
    int64_t rows = c->options.train.count, batch = batch_of(c);
    return c->options.source ? c->options.source->steps : (rows + batch - 1) / batch;
}

/* What decides the batches. */
static void describe_data(const tg_checkpoint *c, place_text *text)
{
    const tg_fit_options *fit = &c->options.fit;
    if (c->options.source) {
        snprintf(text->values[ROWS], BUILD_BYTES, "a source of %" PRId64 " steps", steps_of(c));
        snprintf(text->values[BATCH], BUILD_BYTES, "the source's");
        snprintf(text->values[ORDER], BUILD_BYTES, "the source's");
    } else {
        put_number(text->values[ROWS], (uint64_t)c->options.train.count);
        put_number(text->values[BATCH], (uint64_t)batch_of(c));
        snprintf(text->values[ORDER], BUILD_BYTES, "%s", fit->in_order ? "as stored" : "shuffled");
    }
    put_number(text->values[ORDER_SEED], fit->seed);
}

static void describe(const tg_checkpoint *c, place_text *text)
{
    const tg_variables *variables = tg_model_variables(c->model);
    char rate[TG_REAL_TEXT];
    snprintf(text->values[FORMAT_KEY], BUILD_BYTES, "%s", FORMAT);
    tg_build_text(text->values[BUILD], BUILD_BYTES);
    snprintf(text->values[ISA], BUILD_BYTES, "%s", tg_isa_name(tg_context_isa(c->context)));
    snprintf(text->values[RATE], BUILD_BYTES, "%s", tg_real_text(tg_model_learning_rate(c->model), rate));
    put_number(text->values[SEED], tg_variables_seed(variables));
    put_number(text->values[STORE_STEP], tg_variables_step(variables));
    describe_data(c, text);
    put_number(text->values[EPOCH], (uint64_t)c->epoch);
    put_number(text->values[STEP], (uint64_t)c->step);
    put_number(text->values[RUN_STEP], (uint64_t)c->run_step);
}

/* ---- beginning ---- */

static tg_status make_folder(const char *folder, char *message)
{
    struct stat about;
    if (mkdir(folder, 0777) == 0)
        return TG_OK;
    int reason = errno;
    if (reason == EEXIST && stat(folder, &about) == 0 && !S_ISDIR(about.st_mode))
        reason = ENOTDIR;
    return reason == EEXIST
               ? TG_OK
               : tg_file_fail(message, TG_ERROR_IO, folder, "no folder for checkpoints: %s", tg_system_reason(reason));
}

static bool join(char path[PATH_BYTES], const char *folder, const char *name)
{
    int length = snprintf(path, PATH_BYTES, "%s/%s", folder, name);
    return length > 0 && length < PATH_BYTES;
}

/* Keeps other runs from the folder, for as long as this process holds the descriptor. */
static tg_status lock_folder(tg_checkpoint *c, char *message)
{
    char path[PATH_BYTES];
    tg_file_lock lock;
    if (!join(path, c->options.folder, TG_CHECKPOINT_LOCK))
        return tg_file_fail(message, TG_ERROR_ARGUMENT, c->options.folder, "no folder for checkpoints: the path is too long");
    c->lock = tg_lock_path(path, &lock);
    if (c->lock < 0)
        return tg_file_fail(message, TG_ERROR_IO, c->options.folder, "no checkpoints can be kept here: %s: %s",
                            TG_CHECKPOINT_LOCK, tg_system_reason(errno));
    if (lock == TG_LOCK_TAKEN)
        return tg_file_fail(message, TG_ERROR_SYSTEM, c->options.folder,
                            "another run keeps its checkpoints here; wait for its end, or choose another folder");
    if (lock == TG_LOCK_UNKNOWN)
        tg_message(c->warning, sizeof c->warning,
                   "%.150s: its file system has no locks, so nothing keeps another run from writing its checkpoints here",
                   c->options.folder);
    return TG_OK;
}

/* Before work is done that could not be kept. */
static tg_status prepare_folder(tg_checkpoint *c, char *message)
{
    tg_status status = make_folder(c->options.folder, message);
    if (status == TG_OK)
        status = lock_folder(c, message);
    if (status == TG_OK)
        status = tg_may_write_whole(c->last, message, TG_MESSAGE_SIZE);
    return status == TG_OK ? tg_may_write_whole(c->best, message, TG_MESSAGE_SIZE) : status;
}

static tg_status record(const tg_checkpoint *c, tg_model_stage stage)
{
    tg_graph *graph = tg_model_record(c->model, stage, 0, 1, NULL);
    tg_graph_free(graph);
    return graph ? TG_OK : TG_ERROR_GRAPH;
}

/* Variables appear when a graph that needs them is recorded; a checkpoint must find all of them at any time. */
static tg_status complete_store(const tg_checkpoint *c, char *message)
{
    tg_status status =
        c->options.source ? record(c, TG_STAGE_TRAINING) : tg_model_prepare(c->model, c->options.train, batch_of(c));
    if (status == TG_OK)
        status = record(c, TG_STAGE_EVALUATION);
    if (status != TG_OK)
        snprintf(message, TG_MESSAGE_SIZE, "%s", tg_model_error(c->model));
    return status;
}

/* Each fact needs a key of its own. */
static bool facts_are_sound(const tg_checkpoint_options *options)
{
    if (options->facts_count < 0 || options->facts_count > TG_CHECKPOINT_FACTS || options->facts_free < 0 ||
        options->facts_free > options->facts_count)
        return false;
    for (int i = 0; i < options->facts_count; i++) {
        for (int k = 0; k < KEYS; k++)
            if (!strcmp(options->facts[i].key, keys[k]))
                return false;
        for (int k = 0; k < i; k++)
            if (!strcmp(options->facts[i].key, options->facts[k].key))
                return false;
    }
    return true;
}

tg_checkpoint *tg_checkpoint_new(tg_model *model, tg_checkpoint_options options, tg_status *status, char *message)
{
    tg_context *context = tg_variables_context(tg_model_variables(model));
    if (options.every < 0 || !facts_are_sound(&options)) {
        *status = tg_file_fail(message, TG_ERROR_ARGUMENT, options.folder,
                               "a checkpoint has up to %d facts with keys of their own, and steps from 0 between two",
                               TG_CHECKPOINT_FACTS);
        return NULL;
    }
    tg_checkpoint *c = tg_allocate_zero(context, sizeof *c);
    if (!c) {
        *status = tg_file_fail(message, TG_ERROR_MEMORY, options.folder, "out of memory");
        return NULL;
    }
    *c = (tg_checkpoint){
        .model = model, .context = context, .options = options, .history = {.context = context}, .epoch = 1, .lock = -1};
    if (!join(c->last, options.folder, TG_CHECKPOINT_LAST) || !join(c->best, options.folder, TG_CHECKPOINT_BEST))
        *status = tg_file_fail(message, TG_ERROR_ARGUMENT, options.folder, "no folder for checkpoints: the path is too long");
    else
        *status = prepare_folder(c, message);
    if (*status == TG_OK)
        *status = complete_store(c, message);
    if (*status == TG_OK)
        return c;
    tg_checkpoint_free(c);
    return NULL;
}

void tg_checkpoint_free(tg_checkpoint *checkpoint)
{
    if (!checkpoint)
        return;
    tg_history_free(&checkpoint->history);
    if (checkpoint->lock >= 0)
        close(checkpoint->lock);
    tg_release(checkpoint->context, checkpoint, sizeof *checkpoint);
}

const char *tg_checkpoint_warning(const tg_checkpoint *checkpoint) { return checkpoint->warning; }

const tg_history *tg_checkpoint_history(const tg_checkpoint *checkpoint) { return &checkpoint->history; }

/* ---- writing ---- */

tg_status tg_checkpoint_write(tg_checkpoint *c, char *message)
{
    place_text text;
    tg_text_pair pairs[KEYS + TG_CHECKPOINT_FACTS];
    const tg_array history = {HISTORY, {TG_F64, TG_SHAPE(c->history.count, COLUMNS)}, c->history.rows};
    describe(c, &text);
    for (int i = 0; i < KEYS; i++)
        pairs[i] = (tg_text_pair){keys[i], text.values[i]};
    for (int i = 0; i < c->options.facts_count; i++)
        pairs[KEYS + i] = c->options.facts[i];
    tg_safetensors_options options = {
        .all = true, .more = &history, .more_count = 1, .metadata = pairs, .metadata_count = KEYS + c->options.facts_count};
    return tg_safetensors_save(tg_model_variables(c->model), c->last, options, message);
}

tg_status tg_checkpoint_step(tg_checkpoint *c, const tg_fit_step *step, char *message)
{
    c->epoch = step->epoch;
    c->step = step->step;
    c->run_step = step->run_step;
    bool due = c->options.every > 0 && step->run_step % c->options.every == 0;
    return due ? tg_checkpoint_write(c, message) : TG_OK;
}

/* The figure that decides which epoch is the best. */
static double figure(const tg_checkpoint *c, const tg_history_row *row)
{
    return c->options.fit.validation.count > 0 || c->options.fit.validation_source ? row->val_loss : row->loss;
}

static bool newest_is_best(const tg_checkpoint *c)
{
    double newest = figure(c, &c->history.rows[c->history.count - 1]);
    for (int i = 0; i < c->history.count - 1; i++)
        if (newest >= figure(c, &c->history.rows[i])) /* a NaN is not in the way */
            return false;
    return !isnan(newest);
}

tg_status tg_checkpoint_epoch(tg_checkpoint *c, const tg_fit_epoch *epoch, char *message)
{
    tg_status status = tg_history_add(&c->history, epoch);
    if (status != TG_OK)
        return tg_file_fail(message, status, c->last, "out of memory");
    c->epoch = epoch->epoch + 1;
    c->step = 0;
    /* The best before the last: a run that ends between them does this epoch's end again. */
    if (newest_is_best(c)) {
        tg_safetensors_options options = {.metadata = c->options.facts, .metadata_count = c->options.facts_count};
        status = tg_safetensors_save(tg_model_variables(c->model), c->best, options, message);
    }
    return status == TG_OK ? tg_checkpoint_write(c, message) : status;
}

/* ---- going on ---- */

/* What a fact was and is; NULL: not given. An empty one is a switch. */
static tg_status compare(const tg_checkpoint *c, const char *path, tg_text_pair now, const char *was, char *message)
{
    char name[80], value[2][100];
    const char *values[] = {was, now.value};
    if (was && now.value ? !strcmp(was, now.value) : was == now.value)
        return TG_OK;
    if (c->options.fact_name)
        c->options.fact_name(now.key, name, sizeof name);
    else
        snprintf(name, sizeof name, "%s", now.key);
    for (int i = 0; i < 2; i++)
        snprintf(value[i], sizeof value[i], "%.80s", !values[i] ? "not given" : *values[i] ? values[i] : "given");
    return tg_file_fail(message, TG_ERROR_FORMAT, path, "%s was %s in the run that is to go on, and is %s now: it must stay",
                        name, value[0], value[1]);
}

static tg_status check_format(const tg_safetensors *file, const char *path, char *message)
{
    const char *found = tg_safetensors_metadata(file, keys[FORMAT_KEY]);
    if (found && !strcmp(found, FORMAT))
        return TG_OK;
    return tg_file_fail(message, TG_ERROR_FORMAT, path, "metadata format: expected %s, found %.80s", FORMAT,
                        found ? found : "nothing");
}

/* A number as put_number() wrote it, at most `most`. */
static tg_status take_number(const tg_safetensors *file, const char *path, int key, uint64_t most, uint64_t *value, char *message)
{
    const char *text = tg_safetensors_metadata(file, keys[key]);
    char *end = NULL;
    errno = 0;
    bool digit = text && text[0] >= '0' && text[0] <= '9';
    *value = digit ? strtoull(text, &end, 10) : 0;
    if (digit && !*end && errno == 0 && *value <= most)
        return TG_OK;
    return tg_file_fail(message, TG_ERROR_FORMAT, path, "metadata %s: expected a whole number up to %" PRIu64 ", found %.80s",
                        keys[key], most, text ? text : "nothing");
}

/* What a checkpoint's metadata say, once found sound. */
typedef struct resumed {
    uint64_t epoch, step, run_step, store_step;
    double rate;
    tg_history history;
} resumed;

/* What must be the same in the run that goes on. */
static tg_status check_same(const tg_checkpoint *c, const tg_safetensors *file, const char *path, char *message)
{
    static const int same[] = {SEED, ROWS, BATCH, ORDER, ORDER_SEED};
    place_text text;
    tg_status status = check_format(file, path, message);
    describe(c, &text);
    for (size_t i = 0; status == TG_OK && i < sizeof same / sizeof *same; i++)
        status = compare(c, path, (tg_text_pair){keys[same[i]], text.values[same[i]]},
                         tg_safetensors_metadata(file, keys[same[i]]), message);
    for (int i = 0; status == TG_OK && i < c->options.facts_count - c->options.facts_free; i++) {
        tg_text_pair fact = c->options.facts[i];
        status = compare(c, path, fact, tg_safetensors_metadata(file, fact.key), message);
    }
    return status;
}

static tg_status take_place(const tg_checkpoint *c, const tg_safetensors *file, const char *path, resumed *place, char *message)
{
    int64_t steps = steps_of(c);
    tg_status status = take_number(file, path, EPOCH, INT32_MAX, &place->epoch, message);
    if (status == TG_OK)
        status = take_number(file, path, STEP, steps > 0 ? (uint64_t)steps : INT64_MAX, &place->step, message);
    if (status == TG_OK && steps == 0)
        status = take_number(file, path, RUN_STEP, INT64_MAX, &place->run_step, message);
    else
        place->run_step = (place->epoch - 1) * (uint64_t)steps + place->step;
    if (status == TG_OK)
        status = take_number(file, path, STORE_STEP, UINT64_MAX, &place->store_step, message);
    if (status != TG_OK)
        return status;
    const char *rate = tg_safetensors_metadata(file, keys[RATE]);
    char *end = NULL;
    place->rate = rate && *rate ? tg_take_f64(rate, &end) : 0;
    if (!end || *end || !isfinite(place->rate) || place->rate < 0 || place->epoch < 1)
        return tg_file_fail(message, TG_ERROR_FORMAT, path,
                            "metadata: expected an epoch from 1 and a learning rate, found others");
    return TG_OK;
}

static tg_status take_history(const tg_checkpoint *c, tg_safetensors *file, const char *path, resumed *place, char *message)
{
    int count = (int)place->epoch - 1;
    tg_type type = {TG_F64, TG_SHAPE(count, COLUMNS)};
    const tg_safetensor *found = tg_safetensors_find(file, HISTORY);
    if (!found || !tg_shape_equal(found->shape, type.shape)) /* before memory for it is asked for */
        return tg_safetensors_read(file, HISTORY, type, NULL, (size_t)tg_type_bytes(type), message);
    size_t bytes = (size_t)count * sizeof(tg_history_row);
    tg_history_row *rows = count ? tg_allocate(c->context, bytes) : NULL;
    if (count && !rows)
        return tg_file_fail(message, TG_ERROR_MEMORY, path, "out of memory");
    place->history = (tg_history){c->context, rows, count, count};
    return count ? tg_safetensors_read(file, HISTORY, type, rows, bytes, message) : TG_OK;
}

static void warn_of_difference(tg_checkpoint *c, const tg_safetensors *file, const char *path)
{
    place_text here;
    const char *build = tg_safetensors_metadata(file, keys[BUILD]), *isa = tg_safetensors_metadata(file, keys[ISA]);
    describe(c, &here);
    c->warning[0] = '\0';
    if (!build || strcmp(build, here.values[BUILD]))
        tg_message(c->warning, sizeof c->warning,
                   "%.150s was written by another build (%.120s; this is %.120s): the last bits of results may differ", path,
                   build ? build : "unknown", here.values[BUILD]);
    else if (!isa || strcmp(isa, here.values[ISA]))
        tg_message(c->warning, sizeof c->warning,
                   "%.150s was written with the instruction set %.40s, and this is %.40s: the last bits of results may differ",
                   path, isa ? isa : "unknown", here.values[ISA]);
}

static tg_status resume_from(tg_checkpoint *c, tg_safetensors *file, const char *path, tg_fit_options *fit, char *message)
{
    resumed place = {.history = {.context = c->context}};
    if (c->options.source && !c->options.source->begin)
        return tg_file_fail(message, TG_ERROR_ARGUMENT, path,
                            "no run can go on from here: its data source has no function `begin` that finds the place");
    tg_status status = check_same(c, file, path, message);
    if (status == TG_OK)
        status = take_place(c, file, path, &place, message);
    if (status == TG_OK)
        status = take_history(c, file, path, &place, message);
    if (status == TG_OK)
        status = tg_safetensors_load(file, tg_model_variables(c->model), true, HISTORY, message);
    if (status != TG_OK) {
        tg_history_free(&place.history);
        return status;
    }
    tg_history_free(&c->history);
    c->history = place.history;
    c->epoch = fit->first_epoch = (int)place.epoch;
    c->step = fit->first_step = (int64_t)place.step;
    c->run_step = fit->steps_before = (int64_t)place.run_step;
    tg_variables_set_step(tg_model_variables(c->model), place.store_step);
    tg_model_set_learning_rate(c->model, place.rate);
    warn_of_difference(c, file, path);
    return TG_OK;
}

tg_status tg_checkpoint_resume(tg_checkpoint *checkpoint, const char *folder, tg_fit_options *fit, char *message)
{
    char path[PATH_BYTES];
    tg_status status;
    if (!join(path, folder, TG_CHECKPOINT_LAST))
        return tg_file_fail(message, TG_ERROR_ARGUMENT, folder, "the path is too long");
    tg_safetensors *file = tg_safetensors_open(checkpoint->context, path, &status, message);
    if (file)
        status = resume_from(checkpoint, file, path, fit, message);
    tg_safetensors_close(file);
    return status;
}
