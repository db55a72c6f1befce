/* Records, differentiates, compiles and runs a graph on a thread with a small stack, and prints how many nodes it had and the most
   memory that it held. Usage: growth chain|wide NODES. chain: each op takes the last one's result; wide: NODES / 100 chains that have nothing
   to do with one another. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tapegrad/tapegrad.h"

#define STACK_BYTES ((size_t)256 << 10)
#define WIDE_LENGTH 100

typedef struct task {
    const char *kind;
    int nodes;
    bool done;
} task;

static tg_tensor chain(tg_graph *graph, const char *name, int length)
{
    tg_tensor x = tg_variable(graph, name, TG_F32, TG_SHAPE(4), (tg_init){.a = 0.5}), y = x;
    for (int i = 0; i < length; i++)
        y = i % 2 ? tg_sin(y) : tg_mul(y, x);
    return tg_mean(y, TG_ALL_AXES);
}

static tg_tensor wide(tg_graph *graph, int nodes)
{
    tg_tensor sum = tg_none();
    for (int i = 0; i < nodes / WIDE_LENGTH; i++) {
        char name[32];
        snprintf(name, sizeof name, "x%d", i);
        tg_tensor y = chain(graph, name, WIDE_LENGTH);
        sum = i ? tg_add(sum, y) : y;
    }
    return sum;
}

static void *grow(void *arg)
{
    task *t = arg;
    tg_context_options options = tg_context_defaults();
    options.threads = 1;
    tg_context *context = tg_context_new(options);
    tg_variables *variables = tg_variables_new(context, 1);
    tg_graph *graph = tg_graph_new(variables, TG_TRAINING);
    if (graph) {
        tg_tensor loss = strcmp(t->kind, "chain") == 0 ? chain(graph, "x", t->nodes) : wide(graph, t->nodes);
        tg_minimize(loss, tg_sgd_defaults());
        tg_plan *plan = tg_compile(graph, loss);
        t->done = plan && tg_run(plan) == TG_OK;
        if (!t->done)
            fprintf(stderr, "growth: %s\n", plan ? tg_plan_error(plan) : tg_graph_error(graph));
        size_t most;
        tg_context_memory(context, &most);
        printf("{\"nodes\": %d, \"bytes\": %zu}\n", (int)tg_graph_count(graph), most);
        tg_plan_free(plan);
    }
    tg_graph_free(graph);
    tg_variables_free(variables);
    tg_context_free(context);
    return NULL;
}

int main(int argc, char **argv)
{
    task t = {.kind = argc > 1 ? argv[1] : "", .nodes = argc > 2 ? atoi(argv[2]) : 0};
    pthread_attr_t small;
    pthread_t thread;
    if (pthread_attr_init(&small) != 0 || pthread_attr_setstacksize(&small, STACK_BYTES) != 0 ||
        pthread_create(&thread, &small, grow, &t) != 0 || pthread_join(thread, NULL) != 0)
        return EXIT_FAILURE;
    pthread_attr_destroy(&small);
    return t.done ? EXIT_SUCCESS : EXIT_FAILURE;
}
