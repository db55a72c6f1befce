/* Gradients are recorded on the same tape, so they have gradients: y = x^3 - 2x, y' = 3x^2 - 2 and y'' = 6x at five points. */
#include <stdio.h>
#include <tapegrad/tapegrad.h>

int main(void)
{
    tg_context *context = tg_context_new(tg_context_defaults());
    tg_variables *variables = tg_variables_new(context, 0);
    tg_graph *graph = tg_graph_new(variables, TG_EVALUATION);
    if (!graph)
        return 1;

    const float points[] = {-2, -1, 0, 1, 2};
    tg_tensor x = tg_constant(graph, TG_F32, TG_SHAPE(5), points, sizeof points);
    tg_tensor y = tg_sub(tg_mul(tg_square(x), x), tg_mul(x, tg_scalar(x, 2)));
    tg_tensor first = tg_gradient(y, x); /* of the sum over y: each y depends on its own x only */
    tg_tensor second = tg_gradient(first, x);

    if (tg_print(stdout, x) || tg_print(stdout, y) || tg_print(stdout, first) || tg_print(stdout, second)) {
        fprintf(stderr, "%s\n", tg_graph_error(graph));
        return 1;
    }
    tg_graph_free(graph);
    tg_variables_free(variables);
    tg_context_free(context);
}
