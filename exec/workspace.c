#include "exec/workspace.h"

#include <pthread.h>

#include "graph/rebuild.h"

struct tg_workplace {
    void *memory, *scratch;
    size_t bytes, scratch_bytes; /* of scratch: of each thread, in whole cache lines */
    bool taken;
    tg_workplace *next;
};

struct tg_workspace {
    tg_context *context;
    pthread_mutex_t lock; /* of all that follows */
    pthread_cond_t left;  /* a place has come free */
    int n_reserving;      /* who wait for the first place, which nobody takes until they are through */
    tg_workplace first;
};

static size_t threads(const tg_workspace *workspace) { return (size_t)tg_context_threads(workspace->context); }

static void empty(tg_workspace *workspace, tg_workplace *place)
{
    tg_release(workspace->context, place->memory, place->bytes);
    tg_release(workspace->context, place->scratch, place->scratch_bytes * threads(workspace));
}

static void free_workspace(void *object)
{
    tg_workspace *workspace = object;
    empty(workspace, &workspace->first);
    for (tg_workplace *place = workspace->first.next, *next; place; place = next) {
        next = place->next;
        empty(workspace, place);
        tg_release(workspace->context, place, sizeof *place);
    }
    pthread_cond_destroy(&workspace->left);
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
    if (pthread_cond_init(&workspace->left, NULL) != 0) {
        pthread_mutex_destroy(&workspace->lock);
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

static bool fit(tg_workspace *workspace, tg_workplace *place, size_t bytes, size_t scratch_bytes)
{
    return widen(workspace->context, &place->memory, &place->bytes, bytes, 1) &&
           widen(workspace->context, &place->scratch, &place->scratch_bytes, (scratch_bytes + 63) & ~(size_t)63,
                 threads(workspace));
}

bool tg_workspace_reserve(tg_workspace *workspace, size_t bytes, size_t scratch_bytes)
{
    pthread_mutex_lock(&workspace->lock);
    workspace->n_reserving++;
    while (workspace->first.taken)
        pthread_cond_wait(&workspace->left, &workspace->lock);
    bool done = fit(workspace, &workspace->first, bytes, scratch_bytes);
    workspace->n_reserving--;
    pthread_cond_broadcast(&workspace->left);
    pthread_mutex_unlock(&workspace->lock);
    return done;
}

/* A free place besides the first, or a new one; NULL if memory is out. */
static tg_workplace *take_another(tg_workspace *workspace, size_t bytes, size_t scratch_bytes)
{
    tg_workplace *place = workspace->first.next;
    while (place && place->taken)
        place = place->next;
    if (!place) {
        place = tg_allocate_zero(workspace->context, sizeof *place);
        if (!place)
            return NULL;
        place->next = workspace->first.next;
        workspace->first.next = place;
    }
    return fit(workspace, place, bytes, scratch_bytes) ? place : NULL;
}

tg_workplace *tg_workspace_enter(tg_workspace *workspace, size_t bytes, size_t scratch_bytes)
{
    pthread_mutex_lock(&workspace->lock);
    tg_workplace *place = NULL;
    while (!place) {
        bool free = !workspace->first.taken && workspace->n_reserving == 0;
        place = free ? &workspace->first : take_another(workspace, bytes, scratch_bytes);
        if (!place)
            pthread_cond_wait(&workspace->left, &workspace->lock);
    }
    place->taken = true;
    pthread_mutex_unlock(&workspace->lock);
    return place;
}

void tg_workspace_exit(tg_workspace *workspace, tg_workplace *place)
{
    pthread_mutex_lock(&workspace->lock);
    place->taken = false;
    pthread_cond_broadcast(&workspace->left);
    pthread_mutex_unlock(&workspace->lock);
}

void *tg_workspace_memory(const tg_workplace *place) { return place->memory; }

void *tg_workspace_scratch(const tg_workplace *place, int thread)
{
    return place->scratch ? (char *)place->scratch + (size_t)thread * place->scratch_bytes : NULL;
}
