#include "models/keep.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "graph/number_text.h"
#include "models/command.h"
#include "train/whole_file.h"

/* Settings that another run of the same training may have otherwise, and those that a checkpoint keeps by itself. */
static const char *const free_settings[] = {
    "data",       "classes",     "epochs", "batch-size",   "seed",       "threads",         "dump-graph",
    "dump-stage", "report",      "save",   "load",         "checkpoint", "every",           "resume",
    "json",       "no-progress", "quiet",  "show-samples", "trace",      "check-gradients", "find-learning-rate",
    "profile"};

static bool is_free(const char *name)
{
    for (size_t i = 0; i < sizeof free_settings / sizeof *free_settings; i++)
        if (strcmp(name, free_settings[i]) == 0)
            return true;
    return false;
}

_Static_assert(MOST_SETTINGS < TG_CHECKPOINT_FACTS,
               "every setting may be a fact, and so are the model and, in place of a path, the names of the classes");

static void collect_facts(keeper *k)
{
    const char *unset[MOST_SETTINGS];
    int n = list_settings(k->program, k->settings, k->list), n_unset = list_unset(k->program, k->settings, unset);
    k->facts[k->facts_count++] = (tg_text_pair){"model", k->program->model};
    for (int i = 0; i < n; i++)
        if (!is_free(k->list[i].name))
            k->facts[k->facts_count++] = (tg_text_pair){k->list[i].name, k->list[i].value};
    for (int i = 0; i < n_unset; i++)
        if (!is_free(unset[i]))
            k->facts[k->facts_count++] = (tg_text_pair){unset[i], NULL};
    if (k->classes)
        k->facts[k->facts_count++] = (tg_text_pair){"classes", tg_class_names_text(k->classes, CLASSES, k->classes_text)};
}

/* What a fact, or what a checkpoint compares beside them, is to the program's user. */
static void fact_name(const char *key, char *text, size_t size)
{
    static const char *const others[][2] = {{"model", "the network"},
                                            {"rows", "the number of training images"},
                                            {"batch", "--batch-size"},
                                            {"order", "the order of images"},
                                            {"order_seed", "--seed"}};
    snprintf(text, size, "--%s", key);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strcmp(key, others[i][0]) == 0)
            snprintf(text, size, "%s", others[i][1]);
}

static const char *folder_of(const keeper *k) { return k->settings->checkpoint ? k->settings->checkpoint : k->settings->resume; }

static int fail_to_read(const keeper *k, tg_status status, const char *message)
{
    console_complain(k->console, "%s", message);
    return status == TG_ERROR_IO || status == TG_ERROR_FORMAT ? EXIT_DATA : EXIT_FAILED;
}

static const char *fact(const keeper *k, const char *key)
{
    for (int i = 0; i < k->facts_count; i++)
        if (strcmp(k->facts[i].key, key) == 0)
            return k->facts[i].value;
    return NULL;
}

/* Says what makes another network of the same weights. A file that tells nothing of its network is taken as it is. */
static void warn_of_another_network(const keeper *k, const tg_safetensors *file, const char *path)
{
    static const char *const deciding[] = {"activation", "shuffle-pixels"};
    for (size_t i = 0; i < sizeof deciding / sizeof *deciding && tg_safetensors_metadata(file, "activation"); i++) {
        const char *was = tg_safetensors_metadata(file, deciding[i]), *is = fact(k, deciding[i]);
        if (was && is ? strcmp(was, is) == 0 : was == is)
            continue;
        console_complain(k->console, "warning: %s is of a network with%s --%s%s%.40s, and starts one with%s%s%.40s", path,
                         was ? "" : "out", deciding[i], was ? " " : "", was ? was : "", is ? "" : "out", is ? " " : "",
                         is ? is : "");
    }
}

static int load_weights(keeper *k, const char *path)
{
    char message[TG_MESSAGE_SIZE];
    tg_variables *variables = tg_model_variables(k->model);
    tg_status status;
    tg_safetensors *file = tg_safetensors_open(tg_variables_context(variables), path, &status, message);
    if (file)
        status = tg_safetensors_load(file, variables, false, NULL, message);
    if (status == TG_OK)
        warn_of_another_network(k, file, path);
    tg_safetensors_close(file);
    return status == TG_OK ? EXIT_DONE : fail_to_read(k, status, message);
}

/* The best epoch's weights, which early stopping brings back at the end, are in a file of their own. */
static int load_best(keeper *k, course *c)
{
    char path[4096];
    tg_weights *now = tg_weights_copy(tg_model_variables(k->model));
    if (!now)
        return fail_to_read(k, TG_ERROR_MEMORY, tg_status_text(TG_ERROR_MEMORY));
    snprintf(path, sizeof path, "%s/%s", k->settings->resume, TG_CHECKPOINT_BEST);
    int code = load_weights(k, path);
    if (code == EXIT_DONE) {
        c->best = tg_weights_copy(tg_model_variables(k->model));
        tg_status status = tg_weights_restore(now);
        if (!c->best || status != TG_OK)
            code = fail_to_read(k, TG_ERROR_MEMORY, tg_status_text(TG_ERROR_MEMORY));
    }
    tg_weights_free(now);
    return code;
}

static void warn(const keeper *k)
{
    const char *warning = tg_checkpoint_warning(k->checkpoint);
    if (*warning)
        console_complain(k->console, "warning: %s", warning);
}

static int resume(keeper *k, tg_fit_options *fit, course *c)
{
    char message[TG_MESSAGE_SIZE];
    double rate = tg_model_learning_rate(k->model);
    tg_status status = tg_checkpoint_resume(k->checkpoint, k->settings->resume, fit, message);
    if (status != TG_OK)
        return fail_to_read(k, status, message);
    warn(k);
    console_say(k->console, "Going on from %s: epoch %d, after step %lld.", k->settings->resume, fit->first_epoch,
                (long long)fit->first_step);
    course_again(c, rate, tg_checkpoint_history(k->checkpoint));
    return c->stops && c->stopping.best.epoch > 0 ? load_best(k, c) : EXIT_DONE;
}

static bool trace_step(keeper *k, int64_t step)
{
    char message[TG_MESSAGE_SIZE];
    if (!k->trace || tg_trace_step(k->trace, step, message) == TG_OK)
        return true;
    k->failed = true;
    console_complain(k->console, "%s", message);
    return false;
}

/* Before there are the further variables of a checkpoint, so that a trace is the same with and without. */
static bool open_trace(keeper *k)
{
    char message[TG_MESSAGE_SIZE];
    tg_status status;
    if (!k->settings->trace)
        return true;
    k->trace = tg_trace_open(tg_model_variables(k->model), k->settings->trace, &status, message);
    if (!k->trace)
        console_complain(k->console, "%s", message);
    return k->trace;
}

static int begin(keeper *k, tg_rows train, tg_fit_options *fit, course *c)
{
    char message[TG_MESSAGE_SIZE];
    tg_status status;
    int code = k->settings->load ? load_weights(k, k->settings->load) : EXIT_DONE;
    if (code != EXIT_DONE || !folder_of(k))
        return code;
    tg_checkpoint_options options = {.folder = folder_of(k),
                                     .every = k->settings->every,
                                     .train = train,
                                     .fit = *fit,
                                     .facts = k->facts,
                                     .facts_count = k->facts_count,
                                     .facts_free = k->classes != NULL,
                                     .fact_name = fact_name};
    k->checkpoint = tg_checkpoint_new(k->model, options, &status, message);
    if (!k->checkpoint) {
        console_complain(k->console, "%s", message);
        return EXIT_FAILED;
    }
    warn(k);
    return k->settings->resume ? resume(k, fit, c) : EXIT_DONE;
}

int keep_begin(keeper *k, tg_rows train, tg_fit_options *fit, course *c)
{
    collect_facts(k);
    if (!open_trace(k))
        return EXIT_FAILED;
    int code = begin(k, train, fit, c);
    return code == EXIT_DONE && !k->settings->resume && !trace_step(k, 0) ? EXIT_FAILED : code;
}

static bool has_checkpoint(const keeper *k)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder_of(k), TG_CHECKPOINT_LAST);
    return access(path, F_OK) == 0;
}

static bool written(keeper *k, tg_status status, const char *message)
{
    k->failed = status != TG_OK;
    if (k->failed)
        console_complain(k->console, "%s; %s", message,
                         has_checkpoint(k) ? "the former checkpoint is kept" : "there is no checkpoint before it");
    return !k->failed;
}

bool keep_step(keeper *k, const tg_fit_step *step)
{
    char message[TG_MESSAGE_SIZE];
    if (!trace_step(k, step->run_step))
        return false;
    return !k->checkpoint || written(k, tg_checkpoint_step(k->checkpoint, step, message), message);
}

bool keep_epoch(keeper *k, const tg_fit_epoch *epoch)
{
    char message[TG_MESSAGE_SIZE];
    return !k->checkpoint || written(k, tg_checkpoint_epoch(k->checkpoint, epoch, message), message);
}

bool keep_interrupted(keeper *k, const char *invoked)
{
    char message[TG_MESSAGE_SIZE];
    if (!k->checkpoint) {
        console_complain(k->console, "nothing was kept; with --checkpoint DIR such a run can go on");
        return true;
    }
    if (!written(k, tg_checkpoint_write(k->checkpoint, message), message))
        return false;
    char *command = command_again(k->program, k->settings, invoked, folder_of(k));
    console_complain(k->console, "to go on: %s", command ? command : tg_status_text(TG_ERROR_MEMORY));
    free(command);
    return true;
}

void keep_tell(const keeper *k, const char *where, bool trained)
{
    const char *weights = k->settings->save, *folder = folder_of(k);
    bool checkpoint = k->checkpoint && tg_checkpoint_history(k->checkpoint)->count > 0;
    if (!trained)
        console_complain(k->console, "interrupted %s; nothing was trained", where);
    else if (!weights && !checkpoint)
        console_complain(k->console, "interrupted %s; the weights were not kept, as --save FILE or --checkpoint DIR would have",
                         where);
    else
        console_complain(k->console, "interrupted %s; %s%s%s%s%s", where, weights ? "the weights are in " : "",
                         weights ? weights : "", weights && checkpoint ? ", " : "",
                         checkpoint ? "the last checkpoint is in " : "", checkpoint ? folder : "");
}

static int find(const console *c, const char *path)
{
    if (access(path, R_OK) == 0)
        return EXIT_DONE;
    console_complain(c, "%s: %s", path, tg_system_reason(errno));
    return EXIT_DATA;
}

int keep_found(const console *c, const settings *s)
{
    char path[4096];
    if (s->load)
        return find(c, s->load);
    snprintf(path, sizeof path, "%s/%s", s->resume ? s->resume : "", TG_CHECKPOINT_LAST);
    return s->resume ? find(c, path) : EXIT_DONE;
}

int keep_place(const console *c, const char *path)
{
    char message[TG_MESSAGE_SIZE];
    if (!path || tg_may_write_whole(path, message, sizeof message) == TG_OK)
        return EXIT_DONE;
    console_complain(c, "%s", message);
    return EXIT_FAILED;
}

int keep_weights(keeper *k)
{
    char message[TG_MESSAGE_SIZE];
    if (!k->settings->save)
        return EXIT_DONE;
    tg_safetensors_options options = {.metadata = k->facts, .metadata_count = k->facts_count};
    tg_status status = tg_safetensors_save(tg_model_variables(k->model), k->settings->save, options, message);
    if (status != TG_OK)
        console_complain(k->console, "%s; no weights were saved", message);
    return status == TG_OK ? EXIT_DONE : EXIT_FAILED;
}

void keep_end(keeper *k)
{
    tg_checkpoint_free(k->checkpoint);
    k->checkpoint = NULL;
    tg_trace_close(k->trace);
    k->trace = NULL;
}
