/* The command line that runs a program again. */
#ifndef MODELS_COMMAND_H
#define MODELS_COMMAND_H

#include "models/settings.h"

/** What a shell takes to run the same again: what differs from the defaults, the seed, and what the environment decided. `resume`,
    unless NULL: to go on from that folder's checkpoint. NULL if memory is out; else the caller frees it. */
char *command_again(const mnist_program *program, const settings *s, const char *invoked, const char *resume);

#endif
