/* The course of a program that trains one network on MNIST: flags, data, summary, training, results. */
#ifndef MODELS_MNIST_PROGRAM_H
#define MODELS_MNIST_PROGRAM_H

#include "models/networks.h"

/** How such a program ends; EXIT_SIGNAL and a signal's number: that interrupted it. */
enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_DATA = 3, EXIT_DIVERGED = 4, EXIT_SIGNAL = 128 };

/** What tells one program from another. */
typedef struct mnist_program {
    const char *name;     /**< "fcnn_mnist" */
    const char *model;    /**< "fcnn" */
    const char *about;    /**< for the help page */
    const char *examples; /**< the same */
    bool flat;            /**< the network takes [n, 784], not [n, 28, 28, 1] */
    bool hidden;          /**< it has hidden layers, for --hidden to set; else convolutions, for --filters and --kernel-size */
    tg_tensor (*network)(tg_tensor image, const network_settings *settings); /**< -> logits */
    tg_tensor (*probabilities)(tg_tensor logits);
} mnist_program;

/** main(): returns the exit status. */
int run_mnist_program(const mnist_program *program, int argc, char **argv);

#endif
