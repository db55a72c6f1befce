/* A training loop by hand: gradients and assigns are ordinary nodes. It fits w x + b to four points of the line 3x - 1. */
#include <stdio.h>
#include <tapegrad/tapegrad.h>

static const float xs[] = {-1, 0, 1, 2}, ts[] = {-4, -1, 2, 5};

int main(void)
{
    tg_context *context = tg_context_new(tg_context_defaults());
    tg_variables *variables = tg_variables_new(context, 0);
    tg_graph *graph = tg_graph_new(variables, TG_TRAINING);
    if (!graph)
        return 1;
    tg_tensor x = tg_input(graph, "x", TG_F32, TG_SHAPE(4)), t = tg_input(graph, "t", TG_F32, TG_SHAPE(4));
    tg_tensor w = tg_variable(graph, "w", TG_F32, TG_SCALAR, (tg_init){TG_INIT_CONSTANT, 0, 0});
    tg_tensor b = tg_variable(graph, "b", TG_F32, TG_SCALAR, (tg_init){TG_INIT_CONSTANT, 0, 0});
    tg_tensor error = tg_sub(tg_add(tg_mul(w, x), b), t);
    tg_tensor loss = tg_mean(tg_square(error), TG_ALL_AXES), rate = tg_scalar(loss, 0.1);
    tg_tensor new_w = tg_assign(w, tg_sub(w, tg_mul(rate, tg_gradient(loss, w))));
    tg_tensor new_b = tg_assign(b, tg_sub(b, tg_mul(rate, tg_gradient(loss, b))));

    float values[3];
    tg_plan *step = tg_compile(graph, loss, new_w, new_b);
    bool ok = step && !tg_feed(step, x, xs, sizeof xs) && !tg_feed(step, t, ts, sizeof ts);
    for (int i = 0; i <= 50 && ok; i++) {
        ok = !tg_run(step) && !tg_read(step, loss, &values[0], 4);
        ok = ok && !tg_read(step, new_w, &values[1], 4) && !tg_read(step, new_b, &values[2], 4);
        if (ok && i % 10 == 0)
            printf("step %2d: loss %.4f, then w = %.4f, b = %.4f\n", i, values[0], values[1], values[2]);
    }
    if (!ok)
        fprintf(stderr, "%s\n", step ? tg_plan_error(step) : tg_graph_error(graph));
    tg_plan_free(step);
    tg_graph_free(graph);
    tg_variables_free(variables);
    tg_context_free(context);
    return !ok;
}
