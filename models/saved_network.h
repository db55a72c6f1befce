/* A network rebuilt from a file of --save: its metadata say which, its tensors are the weights. */
#ifndef MODELS_SAVED_NETWORK_H
#define MODELS_SAVED_NETWORK_H

#include "models/settings.h"
#include "train/class_names.h"
#include "train/model.h"

typedef struct saved_network {
    const mnist_program *program; /**< which of the two networks: its model, flat, network, probabilities */
    settings settings;            /**< those that decide the network, and shuffle_pixels */
    network_settings network;
    tg_class_names names; /**< of the classes; names.names[0] is NULL: digits */
    tg_variables *variables;
    tg_model *model; /**< for tg_model_predict(): u8 [784] or [28, 28, 1] -> f32 [10] probabilities */
} saved_network;

/** Opens the file and rebuilds its network. `saved` must stay where it is. Nothing of the file is trusted: memory for the network is
    asked for when the file holds as many weights as its metadata promise. TG_ERROR_IO, TG_ERROR_FORMAT and TG_ERROR_MEMORY put one
    sentence into `message` [TG_MESSAGE_SIZE]. Close it in any case. */
tg_status saved_network_open(saved_network *saved, tg_context *context, const char *path, char *message);
void saved_network_close(saved_network *saved);

#endif
