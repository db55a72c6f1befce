#include "graph/context.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph/machine.h"
#include "graph/rebuild.h"
#include "graph/safe_text.h"

struct tg_context {
    tg_context_options options; /* as given, allocator filled in */
    int threads;
    tg_isa isa;
    atomic_size_t held, peak;
    pthread_mutex_t lock; /* of the attachments */
    tg_attachment attachments[TG_SLOT_COUNT];
};

static void *libc_allocate(void *user, size_t bytes)
{
    (void)user;
    void *memory = NULL;
    return posix_memalign(&memory, 64, bytes ? bytes : 1) == 0 ? memory : NULL;
}

static void libc_release(void *user, void *memory, size_t bytes)
{
    (void)user;
    (void)bytes;
    free(memory);
}

tg_context_options tg_context_defaults(void)
{
    return (tg_context_options){.threads = 0, .isa = TG_ISA_BEST, .plan_memory = true};
}

const char *tg_version(void) { return TG_VERSION; }

/* The set that the option, or else the environment, asks for; TG_ISA_COUNT with a sentence if it cannot be had. */
static tg_isa choose_isa(tg_isa wanted, char *text, size_t size)
{
    const char *name = getenv("TG_ISA");
    const char *source = "the option isa";
    if (wanted == TG_ISA_BEST && name && *name) {
        source = "the environment variable TG_ISA";
        int isa = 0;
        while (isa < TG_ISA_COUNT && strcmp(name, tg_isa_name((tg_isa)isa)) != 0)
            isa++;
        if (isa == TG_ISA_COUNT) {
            tg_message(text, size, "%s is \"%s\": say baseline, avx2, avx512 or neon, or unset it", source, name);
            return TG_ISA_COUNT;
        }
        wanted = (tg_isa)isa;
    }
    if (wanted == TG_ISA_BEST)
        return tg_machine_best_isa();
    if (!tg_isa_available(wanted)) {
        snprintf(text, size, "%s asks for %s, which this processor or this build does not have: the best here is %s", source,
                 tg_isa_name(wanted), tg_isa_name(tg_machine_best_isa()));
        return TG_ISA_COUNT;
    }
    return wanted;
}

void tg_context_explain(tg_context_options options, char *text, size_t size)
{
    if (size == 0)
        return;
    text[0] = '\0';
    if (options.threads < 0 || options.threads > 1024)
        snprintf(text, size, "%d threads asked for: say 1 to 1024, or 0 for as many as the machine allows", options.threads);
    else
        choose_isa(options.isa, text, size);
}

tg_context *tg_context_new(tg_context_options options)
{
    char why[256] = "";
    if (options.threads < 0 || options.threads > 1024)
        return NULL;
    tg_isa isa = choose_isa(options.isa, why, sizeof why);
    if (isa == TG_ISA_COUNT)
        return NULL;
    if (!options.allocator.allocate)
        options.allocator = (tg_allocator){libc_allocate, libc_release, NULL};
    tg_context *context = options.allocator.allocate(options.allocator.user, sizeof *context);
    if (!context)
        return NULL;
    memset(context, 0, sizeof *context);
    context->options = options;
    context->threads = options.threads ? options.threads : tg_machine_threads();
    context->isa = isa;
    if (pthread_mutex_init(&context->lock, NULL) != 0) {
        options.allocator.release(options.allocator.user, context, sizeof *context);
        return NULL;
    }
    return context;
}

void tg_context_free(tg_context *context)
{
    if (!context)
        return;
    for (int i = 0; i < TG_SLOT_COUNT; i++)
        if (context->attachments[i].object)
            context->attachments[i].release(context->attachments[i].object);
    pthread_mutex_destroy(&context->lock);
    tg_allocator allocator = context->options.allocator;
    allocator.release(allocator.user, context, sizeof *context);
}

int tg_context_threads(const tg_context *context) { return context->threads; }

tg_isa tg_context_isa(const tg_context *context) { return context->isa; }

const tg_context_options *tg_context_settings(const tg_context *context) { return &context->options; }

void *tg_context_attach(tg_context *context, tg_slot slot, tg_attachment (*create)(tg_context *context))
{
    pthread_mutex_lock(&context->lock);
    tg_attachment *attachment = &context->attachments[slot];
    if (!attachment->object)
        *attachment = create(context);
    void *object = attachment->object;
    pthread_mutex_unlock(&context->lock);
    return object;
}

void *tg_allocate(tg_context *context, size_t bytes)
{
    const tg_allocator *allocator = &context->options.allocator;
    void *memory = allocator->allocate(allocator->user, bytes ? bytes : 1);
    if (!memory)
        return NULL;
    size_t held = atomic_fetch_add(&context->held, bytes) + bytes;
    size_t peak = atomic_load(&context->peak);
    while (held > peak && !atomic_compare_exchange_weak(&context->peak, &peak, held))
        ;
    return memory;
}

void *tg_allocate_zero(tg_context *context, size_t bytes)
{
    void *memory = tg_allocate(context, bytes);
    if (memory)
        memset(memory, 0, bytes);
    return memory;
}

void tg_release(tg_context *context, void *memory, size_t bytes)
{
    if (!memory)
        return;
    atomic_fetch_sub(&context->held, bytes);
    context->options.allocator.release(context->options.allocator.user, memory, bytes ? bytes : 1);
}

int32_t tg_capacity_for_one_more(const tg_context *context, int32_t count, int32_t capacity)
{
    enum { MOST_MOVED = 4096 }; /* of a long tape a whole copy for each node would take minutes */
    if (context->options.move_arrays && count < MOST_MOVED)
        return count + 1 + (count + 1 == capacity);
    if (count < capacity)
        return capacity;
    return capacity == 0 ? 32 : capacity <= INT32_MAX / 2 ? 2 * capacity : 0;
}

size_t tg_context_memory(const tg_context *context, size_t *peak)
{
    tg_context *writable = (tg_context *)context; /* C11's atomic_load takes no const object */
    if (peak)
        *peak = atomic_load(&writable->peak);
    return atomic_load(&writable->held);
}
