/* XOR, which no single layer can learn: two layers, trained by Adam. */
#include <stdio.h>
#include <tapegrad/tapegrad.h>

static const float inputs[4][2] = {{0, 0}, {0, 1}, {1, 0}, {1, 1}}, targets[4][1] = {{0}, {1}, {1}, {0}};

int main(void)
{
    tg_context *context = tg_context_new(tg_context_defaults());
    tg_variables *variables = tg_variables_new(context, 1);
    tg_graph *graph = tg_graph_new(variables, TG_TRAINING);
    if (!graph)
        return 1;
    tg_tensor x = tg_constant(graph, TG_F32, TG_SHAPE(4, 2), inputs, sizeof inputs);
    tg_tensor t = tg_constant(graph, TG_F32, TG_SHAPE(4, 1), targets, sizeof targets);
    tg_tensor h = tg_tanh(tg_dense(x, 8, "hidden"));    /* [4, 8] */
    tg_tensor y = tg_sigmoid(tg_dense(h, 1, "output")); /* [4, 1] */
    tg_optimizer adam = tg_adam_defaults();
    adam.learning_rate = 0.05;
    tg_minimize(tg_mean(tg_mean_squared_error(y, t), TG_ALL_AXES), adam);

    tg_plan *step = tg_compile(graph, y);
    bool ok = step != NULL;
    for (int i = 0; i < 500 && ok; i++)
        ok = !tg_run(step);
    const float *learned = ok ? tg_values(step, y) : NULL;
    for (int i = 0; i < 4 && ok; i++)
        printf("%g xor %g = %.1f\n", inputs[i][0], inputs[i][1], learned[i]);
    if (!ok)
        fprintf(stderr, "%s\n", step ? tg_plan_error(step) : tg_graph_error(graph));
    tg_plan_free(step);
    tg_graph_free(graph);
    tg_variables_free(variables);
    tg_context_free(context);
    return !ok;
}
