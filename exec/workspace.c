#include "exec/workspace.h"

#include <pthread.h>

#include "graph/rebuild.h"

struct tg_workspace {
    tg_context *context;
    pthread_mutex_t lock;
    void *memory, *scratch;
    size_t bytes, scratch_bytes; /* of scratch: of each thread, in whole cache lines */
};

static size_t threads(const tg_workspace *workspace) { return (size_t)tg_context_threads(workspace->context); }

static void free_workspace(void *object)
{
    tg_workspace *workspace = object;
    tg_release(workspace->context, workspace->memory, workspace->bytes);
    tg_release(workspace->context, workspace->scratch, workspace->scratch_bytes * threads(workspace));
    pthread_mutex_destroy(&workspace->lock);
    tg_release(workspace->context, workspace, sizeof *workspace);
}

static tg_attachment make_workspace(tg_context *context)
{
    tg_workspace *workspace = tg_allocate_zero(context, sizeof *workspace);
    if (!workspace)
        return (tg_attachment){NULL, NULL};
    workspace->context = context;
    if (pthread_mutex_init(&workspace->lock, NULL) != 0) {
        tg_release(context, workspace, sizeof *workspace);
        return (tg_attachment){NULL, NULL};
    }
    return (tg_attachment){workspace, free_workspace};
}

tg_workspace *tg_workspace_of(tg_context *context) { return tg_context_attach(context, TG_SLOT_WORKSPACE, make_workspace); }

/* Its contents need not survive; but where there is no memory for more, other plans must keep what they have. */
static bool widen(tg_context *context, void **memory, size_t *bytes, size_t wanted, size_t copies)
{
    if (wanted <= *bytes)
        return true;
    void *wider = wanted <= SIZE_MAX / copies ? tg_allocate(context, wanted * copies) : NULL;
    if (!wider)
        return false;
    tg_release(context, *memory, *bytes * copies);
    *memory = wider;
    *bytes = wanted;
    return true;
}

bool tg_workspace_reserve(tg_workspace *workspace, size_t bytes, size_t scratch_bytes)
{
    pthread_mutex_lock(&workspace->lock);
    bool done = widen(workspace->context, &workspace->memory, &workspace->bytes, bytes, 1) &&
                widen(workspace->context, &workspace->scratch, &workspace->scratch_bytes, (scratch_bytes + 63) & ~(size_t)63,
                      threads(workspace));
    pthread_mutex_unlock(&workspace->lock);
    return done;
}

void tg_workspace_enter(tg_workspace *workspace) { pthread_mutex_lock(&workspace->lock); }

void tg_workspace_exit(tg_workspace *workspace) { pthread_mutex_unlock(&workspace->lock); }

void *tg_workspace_memory(const tg_workspace *workspace) { return workspace->memory; }

void *tg_workspace_scratch(const tg_workspace *workspace, int thread)
{
    return workspace->scratch ? (char *)workspace->scratch + (size_t)thread * workspace->scratch_bytes : NULL;
}
