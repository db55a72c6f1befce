/* Regression: a network of one hidden layer learns the sine from 65 points. */
#include <math.h>
#include <stdio.h>
#include <tapegrad/tapegrad.h>

int main(void)
{
    float xs[65], ys[65];
    for (int i = 0; i < 65; i++)
        ys[i] = sinf(xs[i] = 3.1415927f * (float)(i - 32) / 32);
    tg_context *context = tg_context_new(tg_context_defaults());
    tg_variables *variables = tg_variables_new(context, 1);
    tg_graph *graph = tg_graph_new(variables, TG_TRAINING);
    if (!graph)
        return 1;
    tg_tensor x = tg_constant(graph, TG_F32, TG_SHAPE(65, 1), xs, sizeof xs);
    tg_tensor t = tg_constant(graph, TG_F32, TG_SHAPE(65, 1), ys, sizeof ys);
    tg_tensor y = tg_dense(tg_tanh(tg_dense(x, 16, NULL)), 1, NULL); /* [65, 1] */
    tg_optimizer adam = tg_adam_defaults();
    adam.learning_rate = 0.02;
    tg_minimize(tg_mean(tg_mean_squared_error(y, t), TG_ALL_AXES), adam);

    tg_plan *step = tg_compile(graph, y);
    bool ok = step != NULL;
    for (int i = 0; i < 1000 && ok; i++)
        ok = !tg_run(step);
    const float *learned = ok ? tg_values(step, y) : NULL;
    for (int i = 4; i < 65 && ok; i += 8)
        printf("sin(%5.2f) = %4.1f, learned %4.1f\n", xs[i], ys[i], learned[i]);
    if (!ok)
        fprintf(stderr, "%s\n", step ? tg_plan_error(step) : tg_graph_error(graph));
    tg_plan_free(step);
    tg_graph_free(graph);
    tg_variables_free(variables);
    tg_context_free(context);
    return !ok;
}
