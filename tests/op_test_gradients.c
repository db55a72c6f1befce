/* The generic tests of an op's gradient rule, in f64. */
#include <stdlib.h>
#include <string.h>

#include "autodiff/check.h"
#include "harness.h"
#include "op_test_parts.h"
#include "ops/ops.h"

#define STEP 1e-5           /* losses here are sums of up to 1e4, whose rounding a smaller step would multiply */
#define CHECKED_ELEMENTS 48 /* of each input, evenly spread: differences cost two runs each */

static const tg_gradient_options zeros_allowed = {.allow_zero = true};

/* The op on variables, and its differentiable inputs. */
typedef struct subject {
    op_case c;
    case_values values;
    tg_tensor x[CASE_INPUTS];
    int n;
} subject;

static void subject_begin(subject *s, const op_test *t, tg_context *context, int number)
{
    s->values = case_values_make(t->op, &t->samples[number], 7);
    case_begin(&s->c, context, t->op, &t->samples[number], number, &s->values, TG_F64, true);
    case_record(&s->c);
    s->n = 0;
    uint32_t differentiable = case_differentiable(&s->c);
    for (int i = 0; i < t->samples[number].n_inputs; i++)
        if (differentiable >> i & 1)
            s->x[s->n++] = s->c.inputs[i];
}

static void subject_end(subject *s)
{
    case_end(&s->c);
    case_values_free(&s->values);
}

/* sum(weights y), and sum(weights y^2), whose gradients depend on y. */
static tg_tensor linear_loss(tg_tensor y) { return tg_sum(tg_mul(case_weights(y, 8), y), TG_ALL_AXES); }
static tg_tensor square_loss(tg_tensor y) { return tg_sum(tg_mul(case_weights(y, 9), tg_square(y)), TG_ALL_AXES); }

/* sum over all x of sum(weights dloss/dx): what is differentiated a second time. */
static tg_tensor gradient_loss(subject *s, tg_tensor loss)
{
    tg_tensor gradients[CASE_INPUTS], total = tg_none();
    ck_assert_msg(tg_gradients(loss, s->x, s->n, gradients), "%s: %s", s->c.name, tg_graph_error(s->c.graph));
    for (int i = 0; i < s->n; i++) {
        tg_tensor part = linear_loss(gradients[i]);
        total = i ? tg_add(total, part) : part;
    }
    return total;
}

static void expect_gradients(subject *s, tg_tensor loss, const char *order)
{
    tg_gradient_worst worst[CASE_INPUTS];
    tg_tensor gradients[CASE_INPUTS];
    bool passed;
    ck_assert_msg(tg_gradients_with(loss, s->x, s->n, gradients, zeros_allowed), "%s: %s gradient: %s", s->c.name, order,
                  tg_graph_error(s->c.graph));
    tg_check_options options = {.step = STEP, .max_elements = CHECKED_ELEMENTS};
    tg_status status = tg_check_gradients(loss, s->x, gradients, s->n, options, worst, &passed);
    ck_assert_msg(!status, "%s: %s gradient: %s", s->c.name, order, tg_status_text(status));
    for (int i = 0; i < s->n; i++)
        ck_assert_msg(worst[i].error <= 1e-6, "%s: %s gradient in %s, element %lld: the rule gives %.12g, differences %.12g",
                      s->c.name, order, worst[i].variable, (long long)worst[i].element, worst[i].recorded, worst[i].numeric);
    for (int i = 0; i < s->n; i++)
        ck_assert_msg(worst[i].kinks * 4 <= worst[i].checked || worst[i].checked == 0, "%s: %lld of %lld elements lie at kinks",
                      s->c.name, (long long)worst[i].kinks, (long long)(worst[i].kinks + worst[i].checked));
    ck_assert(passed);
}

/* The gradient of the gradient of a linear loss is zero, everywhere and exactly, if the op says so. */
static void expect_zero_second(subject *s)
{
    tg_tensor seconds[CASE_INPUTS], loss = gradient_loss(s, linear_loss(s->c.output));
    size_t bytes;
    ck_assert_msg(tg_gradients_with(loss, s->x, s->n, seconds, zeros_allowed), "%s: second gradient: %s", s->c.name,
                  tg_graph_error(s->c.graph));
    double *got = case_run(&s->c, seconds, s->n, tg_compile_defaults(s->c.context), &bytes);
    for (size_t i = 0; i < bytes / sizeof *got; i++)
        ck_assert_msg(got[i] == 0, "%s declares a zero second derivative, but has %g", s->c.name, got[i]);
    free(got);
}

/* An op without a gradient says so, by its name. */
static void expect_cut(const op_test *t, tg_context *context, int number)
{
    case_values values = case_values_make(t->op, &t->samples[number], 7);
    for (int i = 0; i < values.n; i++) {
        op_case c;
        case_begin(&c, context, t->op, &t->samples[number], number, &values, TG_F64, true);
        case_record(&c);
        if (tg_dtype_is_float(tg_tensor_dtype(c.inputs[i])) && !(case_differentiable(&c) >> i & 1)) {
            tg_tensor y = c.output;
            if (!tg_dtype_is_float(tg_tensor_dtype(y)))
                y = tg_cast(y, TG_FLOAT);
            tg_tensor gradient = tg_gradient(tg_sum(y, TG_ALL_AXES), c.inputs[i]);
            const char *error = tg_graph_error(c.graph);
            ck_assert_msg(!tg_ok(gradient) && error && strstr(error, t->op->name) && strstr(error, CASE_PLACE),
                          "%s: the gradient that it cuts is not an error that names it, but: %s", c.name, error ? error : "none");
        }
        case_end(&c);
    }
    case_values_free(&values);
}

void test_gradients(const op_test *t)
{
    tg_context *context = case_context(TG_ISA_BEST, 1);
    for (int number = 0; number < t->n_samples; number++) {
        subject s;
        if (sample_elements(&t->samples[number]) > SMALL_SAMPLE)
            continue;
        expect_cut(t, context, number);
        subject_begin(&s, t, context, number);
        if (s.n > 0) {
            expect_gradients(&s, linear_loss(s.c.output), "first");
            expect_gradients(&s, square_loss(s.c.output), "first");
            expect_gradients(&s, gradient_loss(&s, linear_loss(s.c.output)), "second");
            expect_gradients(&s, gradient_loss(&s, square_loss(s.c.output)), "second");
            if (t->op->traits & TG_SECOND_DERIVATIVE_ZERO)
                expect_zero_second(&s);
        }
        subject_end(&s);
    }
    tg_context_free(context);
}
