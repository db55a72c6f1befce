/* The generic tests of an op's values. */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "op_test_parts.h"

/* ---- what is expected ---- */

typedef struct expectation {
    double *values, *scales; /* [count] */
    int64_t count;
    double tolerance; /* the op's */
} expectation;

static expectation expectation_make(int64_t count, double tolerance)
{
    size_t bytes = (size_t)(count + 1) * sizeof(double);
    return (expectation){calloc(1, bytes), calloc(1, bytes), count, tolerance};
}

static void expectation_free(expectation *e)
{
    free(e->values);
    free(e->scales);
}

/* What the reference makes of a recorded case. */
static expectation expect_reference(const op_test *t, const op_case *c, const case_values *values)
{
    tg_type types[CASE_INPUTS];
    for (int i = 0; i < c->sample->n_inputs; i++)
        types[i] = tg_tensor_type(c->inputs[i]);
    tg_work work = {.n_inputs = c->sample->n_inputs,
                    .inputs = types,
                    .output = tg_tensor_type(c->output),
                    .attributes = c->sample->attributes};
    expectation e = expectation_make(tg_shape_count(work.output.shape), t->op->tolerance);
    t->reference(&work, (const double *const *)values->values, e.values, e.scales);
    return e;
}

/* Without a reference: what the op makes of it in f64, measured by its largest value. */
static expectation expect_f64(const op_test *t, int number, const tg_sample *sample, const case_values *values,
                              tg_context *context)
{
    op_case c;
    size_t bytes;
    case_begin(&c, context, t->op, sample, number, values, TG_F64, false);
    case_record(&c);
    void *got = case_run(&c, &c.output, 1, tg_compile_defaults(context), &bytes);
    expectation e = expectation_make(tg_shape_count(tg_tensor_shape(c.output)), t->op->tolerance);
    double largest = 0;
    for (int64_t i = 0; i < e.count; i++) {
        e.values[i] = case_element(tg_tensor_dtype(c.output), got, i);
        largest = fmax(largest, isfinite(e.values[i]) ? fabs(e.values[i]) : 0);
    }
    for (int64_t i = 0; i < e.count; i++)
        e.scales[i] = largest;
    free(got);
    case_end(&c);
    return e;
}

/* |got - expected| <= tolerance eps scale; results that overflow or sink below the normal range may be infinite or zero. */
static bool close_enough(tg_dtype dtype, double got, double expected, double scale, double tolerance)
{
    if (!tg_dtype_is_float(dtype))
        return got == expected;
    if (scale < 0 && isnan(got))
        return true;
    if (isnan(expected) || isnan(got))
        return isnan(expected) && isnan(got);
    bool single = dtype == TG_F32;
    double eps = single ? FLT_EPSILON : DBL_EPSILON, largest = single ? FLT_MAX : DBL_MAX, least = single ? FLT_MIN : DBL_MIN;
    double rounded = single ? (float)expected : expected;
    if (isinf(rounded))
        return got == rounded ||
               (!isinf(expected) && fabs(got) >= largest * (1 - tolerance * eps) && (got > 0) == (expected > 0));
    if (isinf(got))
        return fabs(expected) >= largest * (1 - tolerance * eps) && (got > 0) == (expected > 0);
    if (tolerance == 0)
        return got == rounded || (fabs(expected) < least && fabs(got) <= least);
    scale = fmax(scale == 0 ? fabs(expected) : fabs(scale), least);
    /* The reference itself is rounded to f64; a result below the normal range may have been flushed to zero. */
    return fabs(got - expected) <= (tolerance + (single ? 0 : 1)) * eps * scale + (single ? least : 0);
}

/* Check's assertions each write to a pipe, so loops over elements abort instead. */
static void compare(const op_case *c, const case_values *values, const void *got, const expectation *e, const char *what)
{
    tg_dtype dtype = tg_tensor_dtype(c->output);
    for (int64_t i = 0; i < e->count; i++) {
        double x = case_element(dtype, got, i);
        bool same = values->n > 0 && values->counts[0] == e->count;
        if (close_enough(dtype, x, e->values[i], e->scales[i], e->tolerance))
            continue;
        ck_abort_msg("%s%s: element %lld is %.17g, not %.17g (off by %.3g, of a scale of %.3g)%s%.9g", c->name, what,
                     (long long)i, x, e->values[i], fabs(x - e->values[i]), e->scales[i],
                     same ? "; input 0 has there " : ", count ", same ? values->values[0][i] : (double)e->count);
    }
}

/* ---- one sample, as it is ---- */

/* Contexts of one instruction set with 1, 2, 3 and 7 threads. */
static const int thread_counts[] = {1, 2, 3, 7};
#define THREADS ((int)(sizeof thread_counts / sizeof *thread_counts))

typedef struct machine {
    tg_context *contexts[THREADS];
} machine;

static void run_sample(const op_test *t, machine *m, int number, const tg_sample *sample, const case_values *values,
                       tg_dtype dtype, const char *what, int threads)
{
    void *first = NULL;
    for (int k = 0; k < threads; k++) {
        op_case c;
        size_t bytes;
        case_begin(&c, m->contexts[k], t->op, sample, number, values, dtype, false);
        case_record(&c);
        void *got = case_run(&c, &c.output, 1, tg_compile_defaults(c.context), &bytes);
        if (k > 0) {
            ck_assert_msg(memcmp(got, first, bytes) == 0, "%s%s: %d threads give other bits than 1", c.name, what,
                          thread_counts[k]);
        } else if (t->reference || dtype == TG_F32) {
            expectation e = t->reference ? expect_reference(t, &c, values) : expect_f64(t, number, sample, values, c.context);
            compare(&c, values, got, &e, what);
            expectation_free(&e);
        }
        case_end(&c);
        free(k ? got : NULL);
        first = k ? first : got;
    }
    free(first);
}

/* ---- NaN ---- */

/* A NaN in the middle of each float input in turn goes where the reference puts it; without one, a pointwise op passes it on. */
static void test_nan(const op_test *t, machine *m, int number)
{
    const tg_sample *sample = &t->samples[number];
    for (int i = 0; i < sample->n_inputs; i++) {
        case_values values = case_values_make(t->op, sample, 2);
        if (sample->inputs[i].dtype == TG_FLOAT && values.counts[i] > 0) {
            values.values[i][values.counts[i] / 2] = NAN;
            if (t->reference) {
                run_sample(t, m, number, sample, &values, TG_F32, ", with a NaN", 1);
                run_sample(t, m, number, sample, &values, TG_F64, ", with a NaN", 1);
            } else if (t->op->traits & TG_POINTWISE) {
                op_case c;
                size_t bytes;
                bool found = false;
                case_begin(&c, m->contexts[0], t->op, sample, number, &values, TG_F32, false);
                case_record(&c);
                void *got = case_run(&c, &c.output, 1, tg_compile_defaults(c.context), &bytes);
                for (int64_t k = 0; k < tg_shape_count(tg_tensor_shape(c.output)); k++)
                    found |=
                        isnan(case_element(tg_tensor_dtype(c.output), got, k)) || !tg_dtype_is_float(tg_tensor_dtype(c.output));
                ck_assert_msg(found, "%s: loses a NaN", c.name);
                free(got);
                case_end(&c);
            }
        }
        case_values_free(&values);
    }
}

/* ---- pointwise ops: shapes and special values that samples need not repeat ---- */

static bool shapes_fit(const op_test *t, machine *m, const tg_sample *sample)
{
    case_values values = case_values_make(t->op, sample, 3);
    op_case c;
    case_begin(&c, m->contexts[0], t->op, sample, -1, &values, TG_F32, false);
    bool fit = tg_ok(tg_apply(c.graph, t->op, c.inputs, sample->n_inputs, sample->attributes, sample->attribute_bytes));
    case_end(&c);
    case_values_free(&values);
    return fit;
}

static void test_edge_shapes(const op_test *t, machine *m)
{
    const tg_shape shapes[][3] = {
        {TG_SHAPE(1), TG_SHAPE(1), TG_SHAPE(1)},
        {TG_SHAPE(0), TG_SHAPE(0), TG_SHAPE(0)},
        {TG_SHAPE(7), TG_SHAPE(7), TG_SHAPE(7)},
        {TG_SHAPE(17), TG_SHAPE(17), TG_SHAPE(17)},
        {TG_SHAPE(1023), TG_SHAPE(1023), TG_SHAPE(1023)},
        {TG_SHAPE(1025), TG_SHAPE(1025), TG_SHAPE(1025)},
        {TG_SHAPE(4099), TG_SHAPE(4099), TG_SHAPE(1)},
        {TG_SHAPE(3, 1, 5), TG_SHAPE(4, 1), TG_SHAPE(4, 5)},
        {TG_SCALAR, TG_SHAPE(7), TG_SCALAR},
        {TG_SHAPE(33), TG_SCALAR, TG_SHAPE(33)},
        {TG_SHAPE(5, 1), TG_SHAPE(1, 5), TG_SHAPE(5)},
        {TG_SHAPE(2, 3, 1, 2), TG_SHAPE(3, 4, 1), TG_SHAPE(2)},
        {TG_SHAPE(2, 0), TG_SHAPE(1), TG_SHAPE(2, 1)},
        {TG_SHAPE(64, 31), TG_SHAPE(31), TG_SHAPE(64, 1)},
    };
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes && t->samples[0].n_inputs <= 3; s++) {
        tg_sample sample = t->samples[0];
        sample.distinct = false;
        for (int i = 0; i < sample.n_inputs; i++)
            sample.inputs[i].shape = shapes[s][i];
        if (!shapes_fit(t, m, &sample)) {
            ck_assert_msg(sample.attribute_bytes > 0, "%s does not take edge shapes %d", t->op->name, (int)s);
            continue;
        }
        case_values values = case_values_make(t->op, &sample, 4);
        run_sample(t, m, -1, &sample, &values, TG_F32, ", an edge shape", 2);
        run_sample(t, m, -1, &sample, &values, TG_F64, ", an edge shape", 2);
        case_values_free(&values);
    }
}

/* Zeros, infinities, NaN and large and small numbers, every pair of them. */
static void test_special_values(const op_test *t, machine *m)
{
    static const double special[] = {0.0,     -0.0,     1,       -1,       0.5,      -0.5,      2,        -3,       20,
                                     -20,     100,      -100,    1000,     -1000,    0x1p100,   -0x1p100, 0x1p-100, -0x1p-100,
                                     FLT_MAX, -FLT_MAX, FLT_MIN, -FLT_MIN, INFINITY, -INFINITY, NAN};
    enum { COUNT = sizeof special / sizeof *special };
    tg_sample sample = t->samples[0];
    sample.distinct = false;
    for (int i = 0; i < sample.n_inputs; i++)
        sample.inputs[i].shape = i == sample.n_inputs - 1   ? TG_SHAPE(COUNT)
                                 : i == sample.n_inputs - 2 ? TG_SHAPE(COUNT, 1)
                                                            : TG_SHAPE(1, 1);
    if (!t->reference || !shapes_fit(t, m, &sample))
        return;
    case_values values = case_values_make(t->op, &sample, 5);
    for (int i = 0; i < sample.n_inputs; i++)
        for (int64_t k = 0; k < values.counts[i] && sample.inputs[i].dtype == TG_FLOAT; k++)
            values.values[i][k] = special[k];
    run_sample(t, m, -1, &sample, &values, TG_F32, ", special values", 1);
    run_sample(t, m, -1, &sample, &values, TG_F64, ", special values", 1);
    case_values_free(&values);
}

/* ---- increasing ---- */

#define RUNS 256
#define RUN_LENGTH 64

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Runs of neighbouring floats over the input's range, sorted; the other inputs hold still. */
static case_values rising_values(const op_test *t, const tg_sample *sample, int input)
{
    case_values values = case_values_make(t->op, sample, 6);
    for (int64_t k = 0; k < values.counts[input]; k++)
        if (k % RUN_LENGTH)
            values.values[input][k] = nextafterf((float)values.values[input][k - 1], INFINITY);
    qsort(values.values[input], (size_t)values.counts[input], sizeof(double), compare_doubles);
    return values;
}

static void test_increasing(const op_test *t, machine *m)
{
    for (int input = 0; input < t->samples[0].n_inputs; input++) {
        tg_sample sample = t->samples[0];
        if (!(t->op->increasing_in >> input & 1))
            continue;
        sample.distinct = false;
        for (int i = 0; i < sample.n_inputs; i++)
            sample.inputs[i].shape = TG_SHAPE(i == input ? RUNS * RUN_LENGTH : 1);
        case_values values = rising_values(t, &sample, input);
        op_case c;
        size_t bytes;
        case_begin(&c, m->contexts[0], t->op, &sample, -1, &values, TG_F32, false);
        case_record(&c);
        void *got = case_run(&c, &c.output, 1, tg_compile_defaults(c.context), &bytes);
        for (int64_t k = 1; k < values.counts[input]; k++) {
            double below = case_element(tg_tensor_dtype(c.output), got, k - 1),
                   y = case_element(tg_tensor_dtype(c.output), got, k);
            if (y < below)
                ck_abort_msg("%s: falls from %.9g to %.9g where input %d rises to %.9g", c.name, below, y, input,
                             values.values[input][k]);
        }
        free(got);
        case_end(&c);
        case_values_free(&values);
    }
}

void test_values(const op_test *t)
{
    for (int isa = 0; isa < TG_ISA_COUNT; isa++) {
        machine m;
        if (!tg_isa_available((tg_isa)isa))
            continue;
        for (int k = 0; k < THREADS; k++)
            m.contexts[k] = case_context((tg_isa)isa, thread_counts[k]);
        for (int s = 0; s < t->n_samples; s++) {
            case_values values = case_values_make(t->op, &t->samples[s], 6);
            run_sample(t, &m, s, &t->samples[s], &values, TG_F32, "", THREADS);
            run_sample(t, &m, s, &t->samples[s], &values, TG_F64, "", THREADS);
            case_values_free(&values);
            if (sample_elements(&t->samples[s]) <= SMALL_SAMPLE && !(t->op->traits & TG_EFFECT)) /* which refuses a NaN */
                test_nan(t, &m, s);
        }
        if (t->op->traits & TG_POINTWISE) {
            test_edge_shapes(t, &m);
            test_special_values(t, &m);
            test_increasing(t, &m);
        }
        for (int k = 0; k < THREADS; k++)
            tg_context_free(m.contexts[k]);
    }
}
