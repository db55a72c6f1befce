/* Regression on a CSV file: fuel.csv was made by fuel = 1.5 + 0.002 weight + 0.008 power + 0.0003 (speed - 60)^2, with normal
   noise of deviation 0.2 and a few values missing. Trains on the first four fifths of the rows, with mean squared error, and
   tests on the rest. */
#include <stdio.h>
#include <tapegrad/tapegrad.h>

enum { INPUTS = 3 };

static tg_tensor network(tg_tensor x, void *user) /* f32 [n, 3] -> [n, 1], in litres */
{
    (void)user;
    tg_tensor h = tg_tanh(tg_dense(tg_standardise(x, "inputs"), 16, NULL));
    return tg_unstandardise(tg_dense(h, 1, NULL), "fuel");
}

static tg_tensor loss(tg_tensor outputs, tg_tensor y, void *user)
{
    (void)user;
    return tg_mean_squared_error(outputs, tg_cast(y, TG_FLOAT));
}

static tg_tensor metric(tg_tensor outputs, tg_tensor y, void *user)
{
    (void)user;
    return tg_mean_absolute_error(outputs, tg_cast(y, TG_FLOAT));
}

/* What went wrong, or NULL. */
static const char *train_and_test(tg_model *model, tg_csv *csv)
{
    tg_variables *variables = tg_model_variables(model);
    int64_t n = csv->rows * 4 / 5;
    tg_rows train = tg_csv_rows(csv, 0, n), test = tg_csv_rows(csv, n, csv->rows - n);
    tg_fit_options options = tg_fit_defaults();
    tg_scores scores;
    options.epochs = 100;
    options.batch = 16;

    /* Means and deviations are those of the training part. They are kept in the store, with the weights. */
    tg_status status = tg_standardise_fit(variables, "inputs", tg_csv_x(csv, 0, n));
    status = status ? status : tg_standardise_fit(variables, "fuel", tg_csv_y(csv, 0, n));
    status = status ? status : tg_standardise_fill(variables, "inputs", tg_csv_x(csv, 0, csv->rows));
    status = status ? status : tg_fit(model, train, options);
    status = status ? status : tg_model_evaluate(model, test, &scores, NULL);
    if (!status)
        printf("on %d rows: mean squared error %.1f, mean absolute error %.1f\n", (int)test.count, scores.loss, scores.metric);
    const char *why = tg_model_error(model); /* where it was the model */
    return !status ? NULL : *why ? why : tg_status_text(status);
}

int main(int argc, char **argv)
{
    const char *inputs[] = {"weight, kg", "power, kW", "speed, km/h"}, *target = "fuel, l/100 km", *error = "out of memory";
    tg_csv_options columns = {.inputs = inputs, .input_count = INPUTS, .targets = &target, .target_count = 1};
    tg_csv csv = {0};
    tg_optimizer adam = tg_adam_defaults();
    adam.learning_rate = 0.01;
    tg_context *context = tg_context_new(tg_context_defaults());
    tg_variables *variables = tg_variables_new(context, 1);
    tg_model *model = tg_model_new(variables, (tg_model_options){
        .input = {TG_F32, TG_SHAPE(INPUTS)}, .target = {TG_F32, TG_SHAPE(1)},
        .network = network, .loss = loss, .metric = metric, .optimizer = adam});
    char message[TG_MESSAGE_SIZE] = "";
    if (model && tg_csv_read(context, argc > 1 ? argv[1] : "examples/fuel.csv", columns, &csv, message))
        error = message; /* file, line, column and expectation */
    else if (model && csv.rows < 2)
        error = "expected at least two rows, to train on and to test";
    else if (model)
        error = train_and_test(model, &csv);
    if (*message && error != message)
        fprintf(stderr, "%s\n", message); /* what was assumed of the file */
    if (error)
        fprintf(stderr, "%s\n", error);
    tg_model_free(model);
    tg_csv_free(&csv);
    tg_variables_free(variables);
    tg_context_free(context);
    return error != NULL;
}
