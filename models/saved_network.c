#include "models/saved_network.h"

#include <stdio.h>
#include <string.h>

#include "ops/ops.h"
#include "train/mnist.h"
#include "train/safetensors.h"
#include "train/stream.h"

/* As many images are predicted at once as evaluation takes. */
#define BATCH 32

static const mnist_program programs[] = {
    {.name = "fcnn_mnist", .model = "fcnn", .flat = true, .hidden = true, .network = fcnn, .probabilities = fcnn_probabilities},
    {.name = "cnn_mnist", .model = "cnn", .network = cnn, .probabilities = cnn_probabilities},
};
#define PROGRAMS (int)(sizeof programs / sizeof *programs)

/* What decides the network, as flags of its program. */
typedef struct needed_setting {
    const char *name;
    int program; /* only this one has it; -1: both */
    bool optional;
} needed_setting;

static const needed_setting needed[] = {
    {"hidden", 0, false},      {"filters", 1, false},        {"kernel-size", 1, false},
    {"activation", -1, false}, {"shuffle-pixels", -1, true},
};
#define NEEDED (int)(sizeof needed / sizeof *needed)

static tg_status find_program(saved_network *saved, const tg_safetensors *file, const char *path, char *message)
{
    const char *model = tg_safetensors_metadata(file, "model");
    for (int i = 0; i < PROGRAMS && model; i++)
        if (strcmp(programs[i].model, model) == 0)
            saved->program = &programs[i];
    if (saved->program)
        return TG_OK;
    return tg_file_fail(message, TG_ERROR_FORMAT, path, "expected fcnn or cnn for \"model\" in the metadata, found %s%.40s%s",
                        model ? "\"" : "", model ? model : "none: was it written by --save?", model ? "\"" : "");
}

/* Reads the metadata as the program's flags, which checks them. */
static tg_status read_metadata(saved_network *saved, const tg_safetensors *file, const char *path, char *message)
{
    char words[NEEDED][1100];
    char *argv[NEEDED + 1] = {NULL};
    int argc = 1;
    for (int i = 0; i < NEEDED; i++) {
        const char *value = tg_safetensors_metadata(file, needed[i].name);
        if (needed[i].program >= 0 && saved->program != &programs[needed[i].program])
            continue;
        if (!value && needed[i].optional)
            continue;
        if (!value || snprintf(words[i], sizeof words[i], "--%s=%s", needed[i].name, value) >= (int)sizeof words[i])
            return tg_file_fail(message, TG_ERROR_FORMAT, path, "expected \"%s\" in the metadata, found %s", needed[i].name,
                                value ? "more than 1,000 bytes" : "none");
        argv[argc++] = words[i];
    }
    if (read_settings(saved->program, argc, argv, &saved->settings) == TG_FLAGS_RUN)
        return TG_OK;
    return tg_file_fail(message, TG_ERROR_FORMAT, path, "metadata: %.300s", saved->settings.message);
}

static tg_status read_classes(saved_network *saved, tg_context *context, const tg_safetensors *file, const char *path,
                              char *message)
{
    char where[TG_MESSAGE_SIZE];
    const char *text = tg_safetensors_metadata(file, "classes");
    size_t length = strlen(path), kept = 300; /* of a long path the end */
    snprintf(where, sizeof where, "%s: classes in the metadata", path + (length > kept ? length - kept : 0));
    return text ? tg_class_names_take(context, text, where, CLASSES, &saved->names, message) : TG_OK;
}

static double dense_weights(double inputs, double units) { return (inputs + 1) * units; }

/* In doubles, which the promises of a hostile file do not overflow. */
static double promised_weights(const saved_network *saved)
{
    const network_settings *n = &saved->network;
    double weights = 0, inputs = saved->program->hidden ? TG_MNIST_PIXELS : 1, extent = TG_MNIST_ROWS;
    double window = (double)(n->kernel_size * n->kernel_size);
    for (int i = 0; saved->program->hidden && i < n->hidden.count; i++) {
        weights += dense_weights(inputs, (double)n->hidden.values[i]);
        inputs = (double)n->hidden.values[i];
    }
    for (int i = 0; !saved->program->hidden && i < n->filters.count; i++) {
        weights += dense_weights(inputs * window, (double)n->filters.values[i]);
        inputs = (double)n->filters.values[i];
        extent = (double)(((int)extent - n->kernel_size + 1) / 2);
    }
    return weights + dense_weights(saved->program->hidden ? inputs : inputs * extent * extent, CLASSES);
}

static tg_status check_size(const saved_network *saved, const tg_safetensors *file, const char *path, char *message)
{
    double promised = promised_weights(saved) * sizeof(float), found = 0;
    for (int i = 0; i < tg_safetensors_count(file); i++)
        found += (double)(tg_safetensors_at(file, i)->end - tg_safetensors_at(file, i)->begin);
    if (promised == found)
        return TG_OK;
    return tg_file_fail(message, TG_ERROR_FORMAT, path,
                        "expected %.0f bytes of weights for the network of the metadata, found %.0f", promised, found);
}

/* ---- the model's functions ---- */

static tg_tensor network(tg_tensor pixels, void *user)
{
    const saved_network *saved = user;
    return saved->program->network(scale_pixels(pixels), &saved->network);
}

static tg_tensor probabilities(tg_tensor logits, void *user)
{
    const saved_network *saved = user;
    return saved->program->probabilities(logits);
}

static tg_tensor loss(tg_tensor logits, tg_tensor labels, void *user)
{
    (void)user;
    return tg_cross_entropy(logits, labels);
}

static tg_status make_model(saved_network *saved, tg_context *context, const char *path, char *message)
{
    tg_model_options options = {
        .input = {TG_U8, saved->program->flat ? TG_SHAPE(TG_MNIST_PIXELS) : TG_SHAPE(TG_MNIST_ROWS, TG_MNIST_COLUMNS, 1)},
        .target = {TG_I32, TG_SCALAR},
        .network = network,
        .loss = loss,
        .predict = probabilities,
        .user = saved,
        .classes = CLASSES,
        .evaluation_batch = BATCH,
        .optimizer = tg_optimizer_defaults(TG_OPTIMIZER_SGD),
    };
    tg_type type;
    saved->variables = tg_variables_new(context, 0);
    saved->model = saved->variables ? tg_model_new(saved->variables, options) : NULL;
    if (!saved->model)
        return tg_file_fail(message, TG_ERROR_MEMORY, path, "%s", tg_status_text(TG_ERROR_MEMORY));
    tg_status status = tg_model_prediction(saved->model, &type); /* makes the variables */
    return status == TG_OK ? TG_OK : tg_file_fail(message, status, path, "%.300s", tg_model_error(saved->model));
}

tg_status saved_network_open(saved_network *saved, tg_context *context, const char *path, char *message)
{
    tg_status status;
    *saved = (saved_network){.program = NULL};
    tg_safetensors *file = tg_safetensors_open(context, path, &status, message);
    if (!file)
        return status;
    status = find_program(saved, file, path, message);
    if (status == TG_OK)
        status = read_metadata(saved, file, path, message);
    if (status == TG_OK)
        status = read_classes(saved, context, file, path, message);
    if (status == TG_OK) {
        saved->network = chosen_network(&saved->settings);
        status = check_size(saved, file, path, message);
    }
    if (status == TG_OK)
        status = make_model(saved, context, path, message);
    if (status == TG_OK)
        status = tg_safetensors_load(file, saved->variables, false, NULL, message);
    tg_safetensors_close(file);
    return status;
}

void saved_network_close(saved_network *saved)
{
    tg_model_free(saved->model);
    tg_variables_free(saved->variables);
    tg_class_names_free(&saved->names);
    *saved = (saved_network){.program = NULL};
}
