/* The notebook's workflow in one program: load, define, compile, summary, fit, evaluate, predict. See docs/from-keras.md. */
#include <stdio.h>

#include <tapegrad/tapegrad.h>

static tg_tensor network(tg_tensor pixels, void *user) /* u8 [n, 784] -> logits [n, 10] */
{
    (void)user;
    tg_tensor h = tg_cast(pixels, TG_FLOAT);
    h = tg_div(h, tg_scalar(h, 255));
    h = tg_activation_layer(tg_dense(h, 100, NULL), TG_ACTIVATION_SIGMOID, NULL);
    h = tg_activation_layer(tg_dense(h, 50, NULL), TG_ACTIVATION_SIGMOID, NULL);
    return tg_dense(h, 10, NULL);
}

static tg_tensor probabilities(tg_tensor logits, void *user)
{
    (void)user;
    return tg_activation_layer(logits, TG_ACTIVATION_SOFTMAX, NULL);
}

static tg_tensor loss(tg_tensor logits, tg_tensor labels, void *user)
{
    (void)user;
    return tg_cross_entropy(logits, tg_one_hot(labels, 10, TG_FLOAT));
}

static bool on_epoch(void *user, const tg_fit_epoch *epoch)
{
    (void)user;
    printf("epoch %d of %d: validation accuracy %.1f\n", epoch->epoch, epoch->epochs, epoch->validation.accuracy);
    return true;
}

static int complain(const char *message)
{
    fprintf(stderr, "%s\n", message);
    return 1;
}

static int train_and_test(tg_model *model, const tg_mnist *data)
{
    int64_t held_back = data->train.count / 6, n = data->train.count - held_back; /* of MNIST 10,000 and 50,000 */
    tg_rows train = {data->train.images, data->train.labels, n};
    tg_rows valid = {data->train.images + n * TG_MNIST_PIXELS, data->train.labels + n, held_back};
    tg_rows test = {data->test.images, data->test.labels, data->test.count};
    if (held_back < 1)
        return complain("expected at least 6 training images");

    tg_tensor output;
    tg_graph *graph = tg_model_record(model, TG_STAGE_PREDICTION, 0, 1, &output);
    if (!graph || tg_summary_write(stdout, output, (tg_summary_options){.ascii = true}) != TG_OK)
        return complain(tg_model_error(model));
    tg_graph_free(graph);

    tg_fit_options options = tg_fit_defaults(); /* 10 epochs, batches of 128, shuffled */
    options.epochs = 2;
    options.validation = valid;
    options.on_epoch = on_epoch;
    if (tg_fit(model, train, options) != TG_OK)
        return complain(tg_model_error(model));

    tg_scores scores;
    int64_t confusion[10 * 10]; /* rows: true */
    int64_t ones = 0, shown = test.count < 7 ? test.count : 7;
    float probability[7][10];
    if (tg_model_evaluate(model, test, &scores, confusion) != TG_OK ||
        tg_model_predict(model, test.x, shown, probability, (size_t)shown * sizeof *probability) != TG_OK)
        return complain(tg_model_error(model));
    for (int i = 0; i < 10; i++)
        ones += confusion[1 * 10 + i];
    printf("test accuracy %.1f, most ones recognised: %s\n", scores.accuracy, confusion[1 * 10 + 1] > ones / 2 ? "yes" : "no");
    printf("the first test image is a %d: probability %.1f\n", data->test.labels[0], probability[0][data->test.labels[0]]);
    return 0;
}

int main(int argc, char **argv)
{
    tg_context *context = tg_context_new(tg_context_defaults());
    tg_mnist data;
    char message[TG_MESSAGE_SIZE];
    if (tg_mnist_load(context, argc > 1 ? argv[1] : NULL, 1, &data, message) != TG_OK)
        return complain(message); /* file, byte and expectation */

    tg_variables *variables = tg_variables_new(context, 1);
    tg_model *model = tg_model_new(variables, (tg_model_options){
        .input = {TG_U8, TG_SHAPE(784)}, .target = {TG_I32, TG_SCALAR}, .classes = 10,
        .network = network, .predict = probabilities, .loss = loss, .optimizer = tg_adam_defaults()});
    int code = model ? train_and_test(model, &data) : complain("out of memory");

    tg_model_free(model);
    tg_variables_free(variables);
    tg_mnist_free(&data);
    tg_context_free(context);
    return code;
}
