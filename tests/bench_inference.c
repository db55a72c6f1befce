/* Times prediction by the two networks, through tg_model_predict(): one image, and the 10,000 of the test set in the batches that suit
   best. Prints a JSON line. Usage: bench_inference fcnn|cnn [THREADS] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "models/networks.h"
#include "ops/ops.h"
#include "train/mnist.h"
#include "train/model.h"

#define ONE_AT_A_TIME 200
#define ROUNDS 40
#define SET_ROUNDS 5

static tg_tensor network(tg_tensor pixels, void *user)
{
    const network_settings settings = network_defaults();
    return *(const bool *)user ? cnn(scale_pixels(pixels), &settings) : fcnn(scale_pixels(pixels), &settings);
}

static tg_tensor probabilities(tg_tensor logits, void *user)
{
    return *(const bool *)user ? cnn_probabilities(logits) : fcnn_probabilities(logits);
}

static tg_tensor loss(tg_tensor logits, tg_tensor labels, void *user)
{
    (void)user;
    return tg_cross_entropy(logits, labels);
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static void predict(tg_model *model, const uint8_t *images, int64_t count, float *out)
{
    if (tg_model_predict(model, images, count, out, (size_t)count * CLASSES * sizeof *out) == TG_OK)
        return;
    fprintf(stderr, "bench_inference: %s\n", tg_model_error(model));
    exit(EXIT_FAILURE);
}

static double time_one(tg_model *model, const uint8_t *images, int64_t count, float *out)
{
    double best = 0;
    for (int round = 0; round < ROUNDS; round++) {
        double start = seconds_now();
        for (int64_t i = 0; i < ONE_AT_A_TIME; i++)
            predict(model, images + i % count * TG_MNIST_PIXELS, 1, out);
        double each = (seconds_now() - start) / ONE_AT_A_TIME;
        best = round == 0 || each < best ? each : best;
    }
    return best;
}

static double time_set(tg_model *model, const uint8_t *images, int64_t count, float *out)
{
    double best = 0;
    for (int round = 0; round < SET_ROUNDS; round++) {
        double start = seconds_now();
        predict(model, images, count, out);
        double all = seconds_now() - start;
        best = round == 0 || all < best ? all : best;
    }
    return best;
}

static tg_model *make_model(tg_variables *variables, bool *convolves, int64_t batch)
{
    tg_model_options options = {
        .input = {TG_U8, *convolves ? TG_SHAPE(TG_MNIST_ROWS, TG_MNIST_COLUMNS, 1) : TG_SHAPE(TG_MNIST_PIXELS)},
        .target = {TG_I32, TG_SCALAR},
        .network = network,
        .loss = loss,
        .predict = probabilities,
        .user = convolves,
        .classes = CLASSES,
        .optimizer = tg_adam_defaults(),
        .evaluation_batch = batch};
    return variables ? tg_model_new(variables, options) : NULL;
}

static void bench(tg_context *context, const tg_mnist *data, bool convolves)
{
    static const int64_t batches[] = {100, 250, 500, 1000};
    int64_t count = data->test.count;
    float *out = malloc((size_t)count * CLASSES * sizeof *out);
    double one = 0, set = 0;
    int64_t best = 0;
    for (size_t i = 0; out && i < sizeof batches / sizeof *batches; i++) {
        tg_variables *variables = tg_variables_new(context, 1);
        tg_model *model = make_model(variables, &convolves, batches[i]);
        if (!model)
            exit(EXIT_FAILURE);
        if (i == 0)
            one = time_one(model, data->test.images, count, out);
        double seconds = time_set(model, data->test.images, count, out);
        if (i == 0 || seconds < set)
            set = seconds, best = batches[i];
        tg_model_free(model);
        tg_variables_free(variables);
    }
    free(out);
    printf("{\"peer\": \"tapegrad\", \"model\": \"%s\", \"threads\": %d, \"isa\": \"%s\", \"one_image_us\": %.2f, "
           "\"test_set_ms\": %.2f, "
           "\"test_set_images\": %lld, \"test_set_batch\": %lld}\n",
           convolves ? "cnn" : "fcnn", tg_context_threads(context), tg_isa_name(tg_context_isa(context)), 1e6 * one, 1e3 * set,
           (long long)count, (long long)best);
}

int main(int argc, char **argv)
{
    if (argc < 2 || (strcmp(argv[1], "fcnn") != 0 && strcmp(argv[1], "cnn") != 0)) {
        fprintf(stderr, "usage: bench_inference fcnn|cnn [THREADS]\n");
        return 2;
    }
    char message[TG_MESSAGE_SIZE];
    tg_context_options options = tg_context_defaults();
    options.threads = argc > 2 ? atoi(argv[2]) : 0;
    tg_context *context = tg_context_new(options);
    tg_mnist data = {.train.images = NULL};
    if (!context) {
        tg_context_explain(options, message, sizeof message);
        fprintf(stderr, "bench_inference: %s\n", message);
        return EXIT_FAILURE;
    }
    tg_status status = tg_mnist_load(context, NULL, 1, &data, message);
    if (status == TG_OK)
        bench(context, &data, strcmp(argv[1], "cnn") == 0);
    else
        fprintf(stderr, "bench_inference: %s\n", message);
    tg_mnist_free(&data);
    tg_context_free(context);
    return status == TG_OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
