/* Memory that the plans of a context share: intermediates and the threads' scratch. A run takes a place of it; as a rule there is one. */
#ifndef TG_EXEC_WORKSPACE_H
#define TG_EXEC_WORKSPACE_H

#include "graph/context.h"

typedef struct tg_workspace tg_workspace;

/** Memory for one run. */
typedef struct tg_workplace tg_workplace;

/** The context's, made at first use; NULL if memory is out. */
tg_workspace *tg_workspace_of(tg_context *context);
/** Makes sure that the first place has so many bytes for intermediates, and for scratch of each thread. Waits while a run is there,
    and no other begins there meanwhile. False if memory is out. */
bool tg_workspace_reserve(tg_workspace *workspace, size_t bytes, size_t scratch_bytes);
/** Takes a place of at least that size, which was reserved: the first unless it is taken. Then it is another, made now if need be,
    or, if there is no memory for one, the first that comes free. Until tg_workspace_exit() it is the caller's. */
tg_workplace *tg_workspace_enter(tg_workspace *workspace, size_t bytes, size_t scratch_bytes);
void tg_workspace_exit(tg_workspace *workspace, tg_workplace *place);
void *tg_workspace_memory(const tg_workplace *place);
void *tg_workspace_scratch(const tg_workplace *place, int thread);

#endif
