/* Memory that the plans of a context share: intermediates and the threads' scratch. Whoever holds it runs. */
#ifndef TG_EXEC_WORKSPACE_H
#define TG_EXEC_WORKSPACE_H

#include "graph/context.h"

typedef struct tg_workspace tg_workspace;

/** The context's, made at first use; NULL if memory is out. */
tg_workspace *tg_workspace_of(tg_context *context);
/** Makes sure of so many bytes for intermediates, and for scratch of each thread. Waits while a plan runs. False if memory is out. */
bool tg_workspace_reserve(tg_workspace *workspace, size_t bytes, size_t scratch_bytes);
/** Enters: until the exit, the memory is the caller's and stays where it is. */
void tg_workspace_enter(tg_workspace *workspace);
void tg_workspace_exit(tg_workspace *workspace);
/** While entered. */
void *tg_workspace_memory(const tg_workspace *workspace);
void *tg_workspace_scratch(const tg_workspace *workspace, int thread);

#endif
