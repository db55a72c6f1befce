/* Training on batches made on the fly: a source lends the next one. Learns the sine from noisy points, each seen once. */
#include <math.h>
#include <stdio.h>
#include <tapegrad/tapegrad.h>

typedef struct points { uint32_t random; float x[64], y[64]; } points;
static float uniform(points *p) { return (float)((p->random = p->random * 1664525u + 1013904223u) >> 8) / 8388608 - 1; }

static tg_status next(void *user, tg_batch *batch, char *message) /* `message` takes the sentence of a failure */
{
    points *p = user;
    for (int i = 0; i < 64; i++) {
        p->x[i] = 3.1415927f * uniform(p);
        p->y[i] = sinf(p->x[i]) + 0.1f * uniform(p);
    }
    batch->rows = (tg_rows){p->x, p->y, 64};
    return (void)message, TG_OK;
}

static tg_tensor network(tg_tensor x, void *user) { return (void)user, tg_dense(tg_tanh(tg_dense(x, 16, NULL)), 1, NULL); }
static tg_tensor loss(tg_tensor out, tg_tensor y, void *user) { return (void)user, tg_mean_squared_error(out, y); }
int main(void)
{
    tg_source source = {.next = next, .steps = 4000, .user = &(points){.random = 1}};
    float x[] = {-2.5f, -1.5f, -0.5f, 0.5f, 1.5f}, learned[5];
    tg_context *context = tg_context_new(tg_context_defaults());
    tg_variables *variables = tg_variables_new(context, 1);
    tg_model *model = tg_model_new(variables, (tg_model_options){.input = {TG_F32, TG_SHAPE(1)}, .target = {TG_F32, TG_SHAPE(1)},
                                                                 .network = network, .loss = loss, .optimizer = tg_adam_defaults()});
    bool ok = model && !tg_fit_source(model, &source, tg_fit_defaults()) && !tg_model_predict(model, x, 5, learned, sizeof learned);
    for (int i = 0; ok && i < 5; i++)
        printf("sin(%4.1f) = %4.1f, learned %4.1f\n", x[i], sinf(x[i]), learned[i]);
    if (!ok)
        fprintf(stderr, "%s\n", model ? tg_model_error(model) : "out of memory");
    tg_model_free(model);
    tg_variables_free(variables);
    tg_context_free(context);
    return !ok;
}
