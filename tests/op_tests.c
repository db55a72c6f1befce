#include "op_tests.h"

#include "op_test_parts.h"

int64_t sample_elements(const tg_sample *sample)
{
    int64_t elements = 0;
    for (int i = 0; i < sample->n_inputs; i++)
        elements += tg_shape_count(sample->inputs[i].shape);
    return elements;
}

void tg_test_op_with(const tg_op *op, const tg_sample *samples, int n, op_reference reference)
{
    op_test t = {op, samples, n, reference};
    test_contract(&t);
    test_errors(&t);
    test_values(&t);
    test_gradients(&t);
    test_passes(&t);
}

void tg_test_op(const tg_op *op, const tg_sample *samples, int n)
{
    tg_test_op_with(op, samples, n, op_reference_find(op->name));
}
