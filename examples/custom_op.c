/* An op of one's own, by the public contract: softsign, y = x / (1 + |x|). */
#include <math.h>
#include <stdio.h>
#include <tapegrad/tapegrad.h>

#define BLOCK(dtype, absolute)                                                                     \
    static void dtype##_block(void *out, const void *const *in, int64_t n, const void *attributes) \
    {                                                                                              \
        (void)attributes;                                                                          \
        const dtype *x = in[0];                                                                    \
        for (int64_t i = 0; i < n; i++)                                                            \
            ((dtype *)out)[i] = x[i] / (1 + absolute(x[i]));                                       \
    }
BLOCK(float, fabsf)
BLOCK(double, fabs)
static tg_block_fn block(const tg_work *work) { return work->output.dtype == TG_F32 ? float_block : double_block; }

static void rule(const tg_gradient_args *args, tg_tensor *result) /* dy/dx = 1 / (1 + |x|)^2 */
{
    result[0] = tg_div(args->gradient, tg_square(tg_add(tg_abs(args->inputs[0]), tg_scalar(args->inputs[0], 1))));
}

/* clang-format off */
static const tg_op softsign = {.name = "softsign", .formula = "y = x / (1 + |x|)", .traits = TG_POINTWISE, .min_inputs = 1,
                               .max_inputs = 1, .tolerance = 2, .shape = tg_shape_pointwise, .gradient = rule, .block = block};
/* clang-format on */
int main(void)
{
    tg_context *context = tg_context_new(tg_context_defaults());
    tg_variables *variables = tg_variables_new(context, 0);
    tg_graph *graph = tg_graph_new(variables, TG_EVALUATION);
    tg_tensor x = tg_constant(graph, TG_F32, TG_SHAPE(3), (float[]){-3, 0, 1}, 3 * sizeof(float));
    tg_tensor y = tg_apply(graph, &softsign, &x, 1, NULL, 0);
    bool ok = !tg_print(stdout, y) && !tg_print(stdout, tg_gradient(y, x));
    tg_graph_free(graph);
    tg_variables_free(variables);
    tg_context_free(context);
    return !ok;
}
