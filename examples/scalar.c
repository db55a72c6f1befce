/* f(x, y) = x y + sin(x), with its gradient, at (2, 3). */
#include <stdio.h>
#include <tapegrad/tapegrad.h>

int main(void)
{
    tg_context *context = tg_context_new(tg_context_defaults());
    tg_variables *variables = tg_variables_new(context, 0);
    tg_graph *graph = tg_graph_new(variables, TG_EVALUATION);
    if (!graph)
        return 1;

    const float at_x = 2, at_y = 3;
    tg_tensor x = tg_constant(graph, TG_F32, TG_SCALAR, &at_x, sizeof at_x);
    tg_tensor y = tg_constant(graph, TG_F32, TG_SCALAR, &at_y, sizeof at_y);
    tg_tensor f = tg_add(tg_mul(x, y), tg_sin(x));

    float value, dx, dy;
    if (tg_eval(f, &value, sizeof value) || tg_eval(tg_gradient(f, x), &dx, sizeof dx) ||
        tg_eval(tg_gradient(f, y), &dy, sizeof dy)) {
        fprintf(stderr, "%s\n", tg_graph_error(graph));
        return 1;
    }
    printf("f     = %.4f\ndf/dx = %.4f\ndf/dy = %.4f\n", value, dx, dy);

    tg_graph_free(graph);
    tg_variables_free(variables);
    tg_context_free(context);
}
