/* The signals that ask a program to end. */
#ifndef MODELS_INTERRUPT_H
#define MODELS_INTERRUPT_H

#include "train/cancel.h"

/** From now on SIGINT, SIGTERM and SIGHUP ask for an end, once: they request it of `cancel`, which must live as long as the process,
    and a second SIGINT or SIGTERM ends the process. Further hangups are ignored, since a terminal that goes away sends several.
    A signal that is ignored already, as nohup and a shell's background jobs have it, stays so. A closed pipe and a file that may
    not grow show as failing writes. */
void interrupt_watch(tg_cancel *cancel);
/** The signal that came; 0: none. */
int interrupt_signal(void);

#endif
