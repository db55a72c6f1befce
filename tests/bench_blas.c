/* Matrix products of this library against OpenBLAS's, where that is installed, on one thread and two: the shapes of the two networks'
   training steps at batch 128, and squares. The two take turns, and of each the least time counts.
   bench_blas [NAME...]: only products whose name contains one of these. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "bench_machine.h"
#include "tapegrad/tapegrad.h"

#ifdef HAVE_OPENBLAS
#include <cblas.h>
#include <unistd.h>

#define MOST_ROUNDS 600
#define LEAST_ROUNDS 5
#define SECONDS_A_TURN 3e-4
#define SECONDS_A_PRODUCT 3.0

/* c [m, n] = a b, with a [m, k] or, transposed, [k, m], and b likewise. */
typedef struct product {
    const char *name;
    int m, n, k;
    bool transpose_a, transpose_b;
    double bar; /* of OpenBLAS's speed */
} product;

static const product products[] = {
    {"dense", 128, 100, 784, false, false, 1},
    {"dense kernel", 784, 100, 128, true, false, 1},
    {"dense_1", 128, 50, 100, false, false, 1},
    {"dense_1 input", 128, 100, 50, false, true, 1},
    {"dense_1 kernel", 100, 50, 128, true, false, 1},
    {"dense_2", 128, 10, 50, false, false, 1},
    {"dense_2 input", 128, 50, 10, false, true, 1},
    {"dense_2 kernel", 50, 10, 128, true, false, 1},
    {"cnn dense", 128, 10, 1600, false, false, 1},
    {"cnn dense input", 128, 1600, 10, false, true, 1},
    {"cnn dense kernel", 1600, 10, 128, true, false, 1},
    {"large dense", 512, 2048, 2048, false, false, 0.9},
    {"large dense input", 512, 2048, 2048, false, true, 0.9},
    {"large dense kernel", 2048, 2048, 512, true, false, 0.9},
    {"square 256", 256, 256, 256, false, false, 0.9},
    {"square 512", 512, 512, 512, false, false, 0.9},
    {"square 1024", 1024, 1024, 1024, false, false, 0.9},
    {"square 2048", 2048, 2048, 2048, false, false, 0.9},
};

typedef struct contest {
    const product *product;
    int threads;
    float *a, *b, *c;
    tg_plan *plan;
} contest;

static void theirs(const contest *x)
{
    const product *p = x->product;
    cblas_sgemm(CblasRowMajor, p->transpose_a ? CblasTrans : CblasNoTrans, p->transpose_b ? CblasTrans : CblasNoTrans, p->m, p->n,
                p->k, 1, x->a, p->transpose_a ? p->m : p->k, x->b, p->transpose_b ? p->k : p->n, 0, x->c, p->n);
}

static void ours(const contest *x)
{
    if (tg_run(x->plan) != TG_OK) {
        printf("%s: %s\n", x->product->name, tg_plan_error(x->plan));
        exit(EXIT_FAILURE);
    }
}

/* Seconds; on one thread those of the processor, which other programs on the machine disturb less. */
static double clock_for(int threads)
{
    struct timespec now;
    clock_gettime(threads == 1 ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* Seconds of one product, as the mean over a turn. */
static double turn(void (*multiply)(const contest *), const contest *x, int64_t times)
{
    double start = clock_for(x->threads);
    for (int64_t i = 0; i < times; i++)
        multiply(x);
    return (clock_for(x->threads) - start) / (double)times;
}

/* How often a product fits a turn; also warms up. */
static int64_t times_a_turn(void (*multiply)(const contest *), const contest *x)
{
    turn(multiply, x, 1);
    double once = turn(multiply, x, 3);
    return 1 + (int64_t)(SECONDS_A_TURN / once);
}

static void compare(const contest *x, double peak)
{
    const product *p = x->product;
    openblas_set_num_threads(x->threads);
    int64_t n_ours = times_a_turn(ours, x), n_theirs = times_a_turn(theirs, x);
    double best_ours = 1e9, best_theirs = 1e9;
    double begun = bench_clock();
    for (int round = 0; round < MOST_ROUNDS && (round < LEAST_ROUNDS || bench_clock() - begun < SECONDS_A_PRODUCT); round++) {
        double mine = turn(ours, x, n_ours), other = turn(theirs, x, n_theirs);
        best_ours = mine < best_ours ? mine : best_ours;
        best_theirs = other < best_theirs ? other : best_theirs;
    }
    double flops = 2.0 * p->m * p->n * p->k, ratio = best_theirs / best_ours;
    char shape[64];
    snprintf(shape, sizeof shape, "%d x %d x %d%s%s", p->m, p->k, p->n, p->transpose_a ? ", a^T" : "",
             p->transpose_b ? ", b^T" : "");
    printf("  %d  %-18s %-24s %10.2f %10.2f %9.1f %9.1f %6.1f%% %7.2f%s\n", x->threads, p->name, shape, 1e6 * best_ours,
           1e6 * best_theirs, 1e-9 * flops / best_ours, 1e-9 * flops / best_theirs, 100 * flops / best_ours / (peak * x->threads),
           ratio, ratio < p->bar ? "  below" : "");
}

static float *values(int64_t count)
{
    float *array = malloc((size_t)count * sizeof *array);
    for (int64_t i = 0; array && i < count; i++)
        array[i] = (float)(i * 37 % 256 - 128) / 128;
    return array;
}

static bool bench(tg_context *context, const product *p, int threads, double peak)
{
    contest x = {.product = p,
                 .threads = threads,
                 .a = values((int64_t)p->m * p->k),
                 .b = values((int64_t)p->k * p->n),
                 .c = values((int64_t)p->m * p->n)};
    tg_variables *variables = tg_variables_new(context, 1);
    tg_graph *graph = tg_graph_new(variables, TG_EVALUATION);
    tg_tensor a = tg_input(graph, "a", TG_F32, p->transpose_a ? TG_SHAPE(p->k, p->m) : TG_SHAPE(p->m, p->k));
    tg_tensor b = tg_input(graph, "b", TG_F32, p->transpose_b ? TG_SHAPE(p->n, p->k) : TG_SHAPE(p->k, p->n));
    tg_tensor c = tg_matmul_with(a, b, (tg_matmul_options){p->transpose_a, p->transpose_b});
    x.plan = tg_compile(graph, c);
    bool ready = x.a && x.b && x.c && x.plan && tg_feed(x.plan, a, x.a, (size_t)p->m * (size_t)p->k * sizeof(float)) == TG_OK &&
                 tg_feed(x.plan, b, x.b, (size_t)p->k * (size_t)p->n * sizeof(float)) == TG_OK;
    if (ready)
        compare(&x, peak);
    else
        printf("  %d  %s failed: %s\n", threads, p->name,
               graph && tg_graph_error(graph) ? tg_graph_error(graph) : "out of memory");
    tg_plan_free(x.plan);
    tg_graph_free(graph);
    tg_variables_free(variables);
    free(x.a);
    free(x.b);
    free(x.c);
    return ready;
}

static bool chosen(const char *name, int argc, char **argv)
{
    bool any = argc < 2;
    for (int i = 1; i < argc; i++)
        any = any || strstr(name, argv[i]);
    return any;
}

/* OpenBLAS falls back to its oldest kernels on a processor that is younger than it. Asks it for those of this library's instruction
   set then, which it heeds when it is loaded: by starting this program anew. */
static void wake_openblas(char **argv)
{
    static const char *const cores[TG_ISA_COUNT] = {[TG_ISA_AVX2] = "Haswell", [TG_ISA_AVX512] = "SkylakeX"};
    tg_context *context = tg_context_new(tg_context_defaults());
    const char *core = context ? cores[tg_context_isa(context)] : NULL;
    tg_context_free(context);
    if (core && strcmp(openblas_get_corename(), "Prescott") == 0 && !getenv("OPENBLAS_CORETYPE")) {
        setenv("OPENBLAS_CORETYPE", core, 1);
        execv(argv[0], argv);
    }
}

int main(int argc, char **argv)
{
    bool passed = true;
    setvbuf(stdout, NULL, _IOLBF, 0);
    wake_openblas(argv);
    for (int threads = 1; threads <= 2; threads++) {
        tg_context_options options = tg_context_defaults();
        options.threads = threads;
        tg_context *context = tg_context_new(options);
        if (!context)
            return EXIT_FAILURE;
        double peak = bench_flops(tg_context_isa(context));
        if (threads == 1) {
            printf("tapegrad %s, %s, against %s; multiply-adds reach %.1f GFLOP/s on a thread\n", tg_version(),
                   tg_isa_name(tg_context_isa(context)), openblas_get_config(), 1e-9 * peak);
            printf("  threads, product: m x k x n                     us ours    us BLAS   GFLOP/s   of BLAS   peak times as "
                   "fast\n");
        }
        for (size_t i = 0; i < sizeof products / sizeof *products; i++)
            if (chosen(products[i].name, argc, argv))
                passed = bench(context, &products[i], threads, peak) && passed;
        tg_context_free(context);
    }
    return passed ? EXIT_SUCCESS : EXIT_FAILURE;
}

#else

int main(void)
{
    printf(
        "OpenBLAS was not found when this build was configured (Debian: libopenblas-dev): products are compared with nothing.\n");
    return EXIT_SUCCESS;
}

#endif
