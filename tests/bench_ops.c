/* Times every op of the list on each of its samples, and the two networks' own shapes, on each instruction set of this machine, on one
   thread. "peak" is how much of what the machine can do in the same run this is: of its multiply-adds, or of the bandwidth that plain
   loops have over as many bytes, whichever is more.
   bench_ops [NAME...]: only ops and products whose name contains one of these. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench_machine.h"
#include "exec/plan.h"
#include "op_case.h"
#include "ops/ops.h"

/* What an instruction set does at most. */
typedef struct machine {
    tg_isa isa;
    double flops;
} machine;

/* Seconds of one run: the least of several batches, each long against the clock's grain. 0 if a run fails. */
static double time_plan(tg_plan *plan)
{
    double best = 0;
    int64_t runs = 1;
    for (int batch = 0; batch < 7;) {
        double start = bench_clock();
        for (int64_t i = 0; i < runs; i++)
            if (tg_run(plan) != TG_OK)
                return 0;
        double seconds = bench_clock() - start;
        if (seconds < 1e-3) {
            runs *= 2;
            continue;
        }
        if (batch == 0 || seconds / (double)runs < best)
            best = seconds / (double)runs;
        batch++;
    }
    return best;
}

/* The bytes that a run must at least read and write. */
static double bytes_moved(const tg_tensor *inputs, int n, tg_tensor output)
{
    double bytes = (double)tg_type_bytes(tg_tensor_type(output));
    for (int i = 0; i < n; i++)
        bytes += (double)tg_type_bytes(tg_tensor_type(inputs[i]));
    return bytes;
}

static void print_row(const char *name, const char *shapes, double seconds, double flops, double bytes, const machine *m)
{
    char rate[32] = "-";
    double share = bytes / seconds / bench_bandwidth(m->isa, bytes);
    if (flops > 0) {
        double of_flops = flops / seconds / m->flops;
        snprintf(rate, sizeof rate, "%.1f", 1e-9 * flops / seconds);
        share = of_flops > share ? of_flops : share;
    }
    printf("  %-24s %-40s %11.2f %9s %9.1f %6.1f%%\n", name, shapes, 1e6 * seconds, rate, 1e-9 * bytes / seconds, 100 * share);
}

/* "[128, 784] [784, 100]" */
static void describe_shapes(const tg_tensor *inputs, int n, char *text, size_t size)
{
    char shape[64];
    text[0] = 0;
    for (int i = 0; i < n; i++) {
        size_t used = strlen(text);
        snprintf(text + used, size - used, i ? " %s" : "%s", tg_shape_text(tg_tensor_shape(inputs[i]), shape, sizeof shape));
    }
}

/* Compiles the graph as it stands, runs it and prints a row. False, after a message, if that fails. */
static bool bench_tensor(const char *name, const tg_tensor *inputs, int n, tg_tensor output, const machine *m)
{
    if (!tg_ok(output)) {
        printf("  %-24s failed: %s\n", name, output.graph ? tg_graph_error(output.graph) : "no inputs");
        return false;
    }
    tg_compile_options options = tg_compile_defaults(tg_graph_context(output.graph));
    options.simplify = options.fuse = options.check_finite = false;
    tg_plan *plan = tg_compile_roots(output.graph, &output, 1, options);
    double seconds = plan ? time_plan(plan) : 0;
    if (seconds > 0) {
        char shapes[256];
        describe_shapes(inputs, n, shapes, sizeof shapes);
        print_row(name, shapes, seconds, tg_plan_describe(plan).flops, bytes_moved(inputs, n, output), m);
    } else {
        printf("  %-24s failed: %s\n", name, plan ? tg_plan_error(plan) : tg_graph_error(output.graph));
    }
    tg_plan_free(plan);
    return seconds > 0;
}

static bool bench_sample(tg_context *context, const tg_op_entry *entry, tg_sample sample, const machine *m)
{
    sample.distinct = false; /* many distinct values take long to find, and here they need not be */
    case_values values = case_values_make(entry->op, &sample, 1);
    op_case c;
    case_begin(&c, context, entry->op, &sample, 0, &values, TG_F32, false);
    case_record(&c);
    bool passed = bench_tensor(entry->op->name, c.inputs, sample.n_inputs, c.output, m);
    case_end(&c);
    case_values_free(&values);
    return passed;
}

static bool bench_op(tg_context *context, const tg_op_entry *entry, const machine *m)
{
    bool passed = true;
    for (int i = 0; i < entry->n_samples; i++)
        passed = bench_sample(context, entry, entry->samples[i], m) && passed;
    return passed;
}

/* ---- the products of the networks' training steps ---- */

typedef enum kind { MATMUL, CONV2D, CONV2D_INPUT, CONV2D_KERNEL } kind;

typedef struct product {
    const char *name;
    kind kind;
    tg_shape a, b;
    bool transpose_a, transpose_b;
} product;

static const product products[] = {
    {"dense", MATMUL, {2, {128, 784}}, {2, {784, 100}}, false, false},
    {"dense kernel", MATMUL, {2, {128, 784}}, {2, {128, 100}}, true, false},
    {"dense_1", MATMUL, {2, {128, 100}}, {2, {100, 50}}, false, false},
    {"dense_1 input", MATMUL, {2, {128, 50}}, {2, {100, 50}}, false, true},
    {"dense_1 kernel", MATMUL, {2, {128, 100}}, {2, {128, 50}}, true, false},
    {"dense_2", MATMUL, {2, {128, 50}}, {2, {50, 10}}, false, false},
    {"dense_2 input", MATMUL, {2, {128, 10}}, {2, {50, 10}}, false, true},
    {"dense_2 kernel", MATMUL, {2, {128, 50}}, {2, {128, 10}}, true, false},
    {"conv2d", CONV2D, {4, {128, 28, 28, 1}}, {4, {3, 3, 1, 32}}, false, false},
    {"conv2d kernel", CONV2D_KERNEL, {4, {128, 28, 28, 1}}, {4, {128, 26, 26, 32}}, false, false},
    {"conv2d_1", CONV2D, {4, {128, 13, 13, 32}}, {4, {3, 3, 32, 64}}, false, false},
    {"conv2d_1 input", CONV2D_INPUT, {4, {128, 11, 11, 64}}, {4, {3, 3, 32, 64}}, false, false},
    {"conv2d_1 kernel", CONV2D_KERNEL, {4, {128, 13, 13, 32}}, {4, {128, 11, 11, 64}}, false, false},
    {"cnn dense", MATMUL, {2, {128, 1600}}, {2, {1600, 10}}, false, false},
    {"cnn dense input", MATMUL, {2, {128, 10}}, {2, {1600, 10}}, false, true},
    {"cnn dense kernel", MATMUL, {2, {128, 1600}}, {2, {128, 10}}, true, false},
};

static tg_tensor record_product(const product *p, tg_tensor a, tg_tensor b)
{
    tg_conv2d_options plain = {{0}, {0}, {0}, {0}};
    switch (p->kind) {
    case CONV2D: return tg_conv2d(a, b, plain);
    case CONV2D_INPUT: return tg_conv2d_input_gradient(a, b, p->a.dims[1] + 2, p->a.dims[2] + 2, plain);
    case CONV2D_KERNEL: return tg_conv2d_kernel_gradient(a, b, 3, 3, plain);
    default: return tg_matmul_with(a, b, (tg_matmul_options){p->transpose_a, p->transpose_b});
    }
}

/* An input bound to values in [-1, 1), which the caller frees. */
static tg_tensor bound_input(tg_graph *graph, const char *name, tg_shape shape, float **values)
{
    int64_t count = tg_shape_count(shape);
    size_t bytes = (size_t)count * sizeof **values;
    *values = malloc(bytes);
    for (int64_t i = 0; *values && i < count; i++)
        (*values)[i] = (float)(i * 37 % 256 - 128) / 128;
    tg_tensor input = tg_input(graph, name, TG_F32, shape);
    return *values && tg_bind(input, *values, bytes) == TG_OK ? input : tg_none();
}

static bool bench_product(tg_context *context, const product *p, const machine *m)
{
    tg_variables *variables = tg_variables_new(context, 1);
    tg_graph *graph = tg_graph_new(variables, TG_TRAINING);
    float *a, *b;
    tg_tensor inputs[2] = {bound_input(graph, "a", p->a, &a), bound_input(graph, "b", p->b, &b)};
    bool passed = bench_tensor(p->name, inputs, 2, record_product(p, inputs[0], inputs[1]), m);
    tg_graph_free(graph);
    tg_variables_free(variables);
    free(a);
    free(b);
    return passed;
}

static bool chosen(const char *name, int argc, char **argv)
{
    bool any = argc < 2;
    for (int i = 1; i < argc; i++)
        any = any || strstr(name, argv[i]);
    return any;
}

static bool bench_isa(tg_isa isa, int argc, char **argv)
{
    const machine m = {isa, bench_flops(isa)};
    bool passed = true;
    tg_context *context = case_context(isa, 1);
    printf("\n%s: multiply-adds reach %.1f GFLOP/s; plain loops %.0f GB/s in 32 KiB, %.0f in 1 MiB, %.0f in 256 MiB\n",
           tg_isa_name(isa), 1e-9 * m.flops, 1e-9 * bench_bandwidth(isa, 32768), 1e-9 * bench_bandwidth(isa, 1048576),
           1e-9 * bench_bandwidth(isa, 268435456));
    printf("  %-24s %-40s %11s %9s %9s %7s\n", "op", "inputs", "us", "GFLOP/s", "GB/s", "peak");
    int count;
    const tg_op_entry *entries = tg_op_entries(&count);
    for (int i = 0; i < count; i++)
        if (chosen(entries[i].op->name, argc, argv))
            passed = bench_op(context, &entries[i], &m) && passed;
    printf("  the networks' products, batch 128\n");
    for (size_t i = 0; i < sizeof products / sizeof *products; i++)
        if (chosen(products[i].name, argc, argv))
            passed = bench_product(context, &products[i], &m) && passed;
    tg_context_free(context);
    return passed;
}

int main(int argc, char **argv)
{
    bool passed = true;
    setvbuf(stdout, NULL, _IOLBF, 0);
    printf("tapegrad %s, one thread\n", tg_version());
    for (int isa = 0; isa < TG_ISA_COUNT; isa++)
        if (tg_isa_available((tg_isa)isa))
            passed = bench_isa((tg_isa)isa, argc, argv) && passed;
    return passed ? EXIT_SUCCESS : EXIT_FAILURE;
}
