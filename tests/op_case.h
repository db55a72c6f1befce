/* One run of one op: its inputs' values, a graph around it, and what comes out. */
#ifndef TG_TESTS_OP_CASE_H
#define TG_TESTS_OP_CASE_H

#include "autodiff/autodiff.h"
#include "exec/plan.h"

#define CASE_INPUTS 4

/** Where the tests pretend to record, so that messages can be searched for it. */
#define CASE_FILE "user_net.c"
#define CASE_PLACE "user_net.c:4321"
#define CASE_HERE ((tg_where){"src/" CASE_FILE, 4321})

/** Values for the inputs of a sample, exact in both float dtypes. */
typedef struct case_values {
    int n;
    int64_t counts[CASE_INPUTS];
    double *values[CASE_INPUTS];
} case_values;

/** Draws them as the sample says; the same seed gives the same ones. Fails the test if there is no room for distinct ones. */
case_values case_values_make(const tg_op *op, const tg_sample *sample, uint64_t seed);
void case_values_free(case_values *values);

/** A context of this instruction set and number of threads. */
tg_context *case_context(tg_isa isa, int threads);

/** A graph with the inputs and, once case_record() was called, the op. */
typedef struct op_case {
    const tg_op *op;
    const tg_sample *sample;
    tg_context *context; /**< not owned */
    tg_variables *variables;
    tg_graph *graph;
    tg_tensor inputs[CASE_INPUTS], output;
    void *data[CASE_INPUTS];
    char name[160]; /**< "matmul, sample 2, f64, avx2": for messages */
} op_case;

/** Records inputs that hold the values: bound inputs or, if `trained`, variables where they are floats. An effect's input 0 is a
    state always. */
void case_begin(op_case *c, tg_context *context, const tg_op *op, const tg_sample *sample, int number, const case_values *values,
                tg_dtype working_float, bool trained);
/** Records the op on the inputs. Fails the test if that is an error. */
void case_record(op_case *c);
void case_end(op_case *c);

/** Compiles and runs the graph; returns the tensors' values one after the other, from malloc(). Fails the test on an error. */
void *case_run(op_case *c, const tg_tensor *roots, int n, tg_compile_options options, size_t *bytes);
/** Element i of values of this dtype. */
double case_element(tg_dtype dtype, const void *values, int64_t i);
/** Bits of the differentiable inputs: floats that the op's gradient rule is for. */
uint32_t case_differentiable(const op_case *c);
/** A constant of the tensor's type, with values in [0.5, 1.5) that depend on the seed. */
tg_tensor case_weights(tg_tensor like, uint64_t seed);

#endif
