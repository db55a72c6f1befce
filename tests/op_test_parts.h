/* The parts of tg_test_op(), one file each. */
#ifndef TG_TESTS_OP_TEST_PARTS_H
#define TG_TESTS_OP_TEST_PARTS_H

#include "op_case.h"
#include "op_tests.h"

/** Samples above this many elements are not for finite differences and the like. */
#define SMALL_SAMPLE 4096

/** An op under test. */
typedef struct op_test {
    const tg_op *op;
    const tg_sample *samples;
    int n_samples;
    op_reference reference; /**< or NULL */
} op_test;

void test_contract(const op_test *t);  /* op_test_errors.c */
void test_errors(const op_test *t);    /* op_test_errors.c */
void test_values(const op_test *t);    /* op_test_values.c */
void test_gradients(const op_test *t); /* op_test_gradients.c */
void test_passes(const op_test *t);    /* op_test_passes.c */

/** The elements of a sample's inputs. */
int64_t sample_elements(const tg_sample *sample);

#endif
