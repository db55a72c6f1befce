/* Facts about the machine that a context asks for. */
#ifndef TG_GRAPH_MACHINE_H
#define TG_GRAPH_MACHINE_H

#include "graph/context.h"

/** The strongest instruction set that is available. */
tg_isa tg_machine_best_isa(void);
/** The least of the affinity mask, the cgroup's CPU quota and the cores; at least 1. */
int tg_machine_threads(void);

#endif
