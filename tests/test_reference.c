/* Training against PyTorch and Keras: from the same initial weights and batches, 20 steps of each network come to the same losses and
   weights, and ten steps of each optimizer to the same weights. The stored values and the scripts that made them: tests/reference. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph/rebuild.h"
#include "models/networks.h"
#include "tapegrad/tapegrad.h"
#include "tests/harness.h"

enum { STEPS = 20, MAX_BATCH = 128, PIXELS = 28 * 28 };

/* ---- the formulas of reference/formula.py ---- */

static uint32_t mix(uint32_t x)
{
    x ^= x >> 16;
    x *= 0x7FEB352Du;
    x ^= x >> 15;
    x *= 0x846CA68Bu;
    return x ^ x >> 16;
}

/* 24 bits of the hash of (stream, i). */
static int32_t random_bits(uint32_t stream, uint32_t i) { return (int32_t)(mix(mix(stream) + i) >> 8); }

static double weight(uint32_t stream, int64_t i, double limit)
{
    return (float)((2 * (random_bits(stream, (uint32_t)i) * 0x1p-24) - 1) * limit);
}

static int32_t label(uint32_t image) { return random_bits(1, image) % 10; }

static void draw(uint32_t image, uint8_t pixels[PIXELS])
{
    int down = random_bits(2, 2 * image) % 5 - 2, right = random_bits(2, 2 * image + 1) % 5 - 2;
    for (int i = 0; i < PIXELS; i++) {
        int row = i / 28 - down, column = i % 28 - right;
        bool inside = row >= 4 && row < 24 && column >= 4 && column < 24;
        bool lit = inside && random_bits(100 + (uint32_t)label(image), (uint32_t)(row / 4 * 7 + column / 4)) % 3 == 0;
        pixels[i] = lit ? (uint8_t)(64 + random_bits(1000 + image, (uint32_t)i) % 192) : 0;
    }
}

/* ---- the stored values ---- */

/* f64, little-endian, from a file of this folder. */
static double *load(const char *name, int64_t count)
{
    char path[256];
    snprintf(path, sizeof path, "tests/reference/%s.f64", name);
    FILE *file = fopen(path, "rb");
    ck_assert_msg(file != NULL, "cannot open %s: run this in the source folder", path);
    double *values = malloc((size_t)count * sizeof *values);
    ck_assert_ptr_nonnull(values);
    for (int64_t i = 0; i < count; i++) {
        uint8_t bytes[8];
        ck_assert_uint_eq(fread(bytes, 1, 8, file), 8);
        uint64_t bits = 0;
        for (int b = 7; b >= 0; b--)
            bits = bits << 8 | bytes[b];
        memcpy(&values[i], &bits, sizeof bits);
    }
    ck_assert_int_eq(fgetc(file), EOF);
    fclose(file);
    return values;
}

/* ---- values of variables, as doubles ---- */

static void read_doubles(const tg_variable_info *variable, double *values)
{
    int64_t n = tg_shape_count(variable->type.shape);
    for (int64_t i = 0; i < n; i++)
        values[i] = variable->type.dtype == TG_F64 ? ((const double *)tg_variable_data(variable))[i]
                                                   : ((const float *)tg_variable_data(variable))[i];
}

static void write_doubles(tg_variables *variables, const tg_variable_info *variable, const double *values)
{
    int64_t n = tg_shape_count(variable->type.shape);
    size_t bytes = (size_t)tg_type_bytes(variable->type);
    if (variable->type.dtype == TG_F64) {
        ck_assert_int_eq(tg_variables_write(variables, variable->name, values, bytes), TG_OK);
        return;
    }
    float *narrow = malloc(bytes);
    ck_assert_ptr_nonnull(narrow);
    for (int64_t i = 0; i < n; i++)
        narrow[i] = (float)values[i];
    ck_assert_int_eq(tg_variables_write(variables, variable->name, narrow, bytes), TG_OK);
    free(narrow);
}

/* An empty store with this working float. */
static tg_variables *store(tg_context *context, tg_dtype dtype)
{
    tg_variables *single = tg_variables_new(context, 1), *variables = tg_variables_cast(single, dtype);
    ck_assert_ptr_nonnull(variables);
    tg_variables_free(single);
    return variables;
}

/* ---- the networks ---- */

typedef struct network {
    const char *name;
    tg_tensor (*build)(tg_tensor image, const network_settings *settings);
    int64_t image[3]; /* of one row; rank 1 or 3 */
    int64_t batch;
    int64_t weights;
    const char *variables[6]; /* in the stored order, which is also that of the streams from 10 on */
} network;

static const network dense_network = {
    .name = "fcnn",
    .build = fcnn,
    .image = {784},
    .batch = 128,
    .weights = 84060,
    .variables = {"dense/kernel", "dense/bias", "dense_1/kernel", "dense_1/bias", "dense_2/kernel", "dense_2/bias"},
};
static const network convolutional_network = {
    .name = "cnn",
    .build = cnn,
    .image = {28, 28, 1},
    .batch = 32,
    .weights = 34826,
    .variables = {"conv2d/kernel", "conv2d/bias", "conv2d_1/kernel", "conv2d_1/bias", "dense/kernel", "dense/bias"},
};

/* Glorot's limit for kernels, 0.1 for biases. */
static double initial_limit(tg_shape shape)
{
    if (shape.rank == 1)
        return 0.1;
    int64_t field = 1;
    for (int axis = 0; axis < shape.rank - 2; axis++)
        field *= shape.dims[axis];
    return sqrt(6.0 / (double)(field * (shape.dims[shape.rank - 2] + shape.dims[shape.rank - 1])));
}

static void set_initial(tg_variables *variables, const char *name, uint32_t stream, double limit)
{
    const tg_variable_info *variable = tg_variables_find(variables, name);
    ck_assert_msg(variable != NULL, "there is no variable %s", name);
    int64_t n = tg_shape_count(variable->type.shape);
    double *values = malloc((size_t)n * sizeof *values);
    ck_assert_ptr_nonnull(values);
    for (int64_t i = 0; i < n; i++)
        values[i] = weight(stream, i, limit);
    write_doubles(variables, variable, values);
    free(values);
}

/* max|a - b| / max|b| of a variable against what is stored. */
static double deviation(const tg_variable_info *variable, const double *stored)
{
    int64_t n = tg_shape_count(variable->type.shape);
    double *values = malloc((size_t)n * sizeof *values), difference = 0, largest = 0;
    ck_assert_ptr_nonnull(values);
    read_doubles(variable, values);
    for (int64_t i = 0; i < n; i++) {
        ck_assert_msg(isfinite(values[i]), "%s[%lld] is %g", variable->name, (long long)i, values[i]);
        difference = fmax(difference, fabs(values[i] - stored[i]));
        largest = fmax(largest, fabs(stored[i]));
    }
    free(values);
    return difference / largest;
}

static void check_weights(const tg_variables *variables, const network *net, const double *stored, double tolerance)
{
    for (int i = 0; i < 6; i++) {
        const tg_variable_info *variable = tg_variables_find(variables, net->variables[i]);
        double off = deviation(variable, stored);
        ck_assert_msg(off <= tolerance, "%s: %s is off by %.3g of its largest weight", net->name, variable->name, off);
        stored += tg_shape_count(variable->type.shape);
    }
}

/* A training step of a network, ready to run. */
typedef struct training {
    const network *net;
    tg_context *context;
    tg_variables *variables;
    tg_graph *graph;
    tg_tensor images, classes, loss;
    tg_plan *plan;
} training;

static training training_begin(const network *net, tg_dtype dtype)
{
    training t = {.net = net, .context = harness_context(2)};
    t.variables = store(t.context, dtype);
    t.graph = tg_graph_new(t.variables, TG_TRAINING);
    int64_t extents[] = {net->batch, net->image[0], net->image[1], net->image[2]};
    t.images = tg_input(t.graph, "images", TG_U8, tg_shape_make(net->image[1] ? 4 : 2, extents));
    t.classes = tg_input(t.graph, "classes", TG_I32, TG_SHAPE(net->batch));
    network_settings settings = network_defaults();
    tg_tensor logits = net->build(scale_pixels(t.images), &settings);
    t.loss = tg_mean(tg_cross_entropy(logits, t.classes), TG_ALL_AXES);
    tg_minimize(t.loss, tg_adam_defaults());
    t.plan = tg_compile(t.graph, t.loss);
    ck_assert_msg(t.plan != NULL, "%s", tg_graph_error(t.graph));
    for (uint32_t i = 0; i < 6; i++) {
        const char *name = net->variables[i];
        set_initial(t.variables, name, 10 + i, initial_limit(tg_variables_find(t.variables, name)->type.shape));
    }
    return t;
}

static void training_end(training *t)
{
    tg_plan_free(t->plan);
    tg_graph_free(t->graph);
    tg_variables_free(t->variables);
    tg_context_free(t->context);
}

static double read_loss(const training *t)
{
    double value;
    float narrow;
    if (tg_tensor_dtype(t->loss) == TG_F64) {
        ck_assert_int_eq(tg_read(t->plan, t->loss, &value, sizeof value), TG_OK);
        return value;
    }
    ck_assert_int_eq(tg_read(t->plan, t->loss, &narrow, sizeof narrow), TG_OK);
    return narrow;
}

/* Runs one step on the images of these numbers. */
static void run_step(const training *t, const double *numbers)
{
    static uint8_t pixels[MAX_BATCH * PIXELS];
    static int32_t labels[MAX_BATCH];
    for (int64_t i = 0; i < t->net->batch; i++) {
        draw((uint32_t)numbers[i], pixels + i * PIXELS);
        labels[i] = label((uint32_t)numbers[i]);
    }
    ck_assert_int_eq(tg_feed(t->plan, t->images, pixels, (size_t)t->net->batch * PIXELS), TG_OK);
    ck_assert_int_eq(tg_feed(t->plan, t->classes, labels, (size_t)t->net->batch * sizeof *labels), TG_OK);
    ck_assert_msg(tg_run(t->plan) == TG_OK, "%s", tg_plan_error(t->plan));
}

static void check_training(const network *net, tg_dtype dtype, double loss_tolerance, double weight_tolerance)
{
    double *stored = load(net->name, STEPS + STEPS * net->batch + net->weights);
    const double *batches = stored + STEPS, *weights = batches + STEPS * net->batch;
    training t = training_begin(net, dtype);
    for (int step = 0; step < STEPS; step++) {
        run_step(&t, batches + step * net->batch);
        double loss = read_loss(&t), off = fabs(loss / stored[step] - 1);
        ck_assert_msg(off <= loss_tolerance, "%s, step %d: loss %.17g, not %.17g: off by %.3g", net->name, step, loss,
                      stored[step], off);
    }
    check_weights(t.variables, net, weights, weight_tolerance);
    training_end(&t);
    free(stored);
}

START_TEST(fcnn_in_f64) { check_training(&dense_network, TG_F64, 1e-9, 1e-9); }
END_TEST

START_TEST(cnn_in_f64) { check_training(&convolutional_network, TG_F64, 1e-9, 1e-9); }
END_TEST

START_TEST(fcnn_in_f32) { check_training(&dense_network, TG_F32, 1e-6, 1e-5); }
END_TEST

START_TEST(cnn_in_f32) { check_training(&convolutional_network, TG_F32, 1e-6, 1e-5); }
END_TEST

/* ---- the optimizers ---- */

static const struct {
    tg_optimizer_kind kind;
    double weight_decay, clip_norm, weights[15];
} optimized[] = {
#include "tests/reference/optimizers.inc"
};

/* A constant f64 tensor of weight(stream, i, 1). */
static tg_tensor stream_constant(tg_graph *graph, uint32_t stream, int64_t rows, int64_t columns)
{
    double values[48];
    for (int64_t i = 0; i < rows * columns; i++)
        values[i] = weight(stream, i, 1);
    return tg_constant(graph, TG_F64, TG_SHAPE(rows, columns), values, (size_t)(rows * columns) * sizeof *values);
}

START_TEST(optimizers_as_in_keras)
{
    tg_context *context = harness_context(1);
    tg_variables *variables = store(context, TG_F64);
    tg_graph *graph = tg_graph_new(variables, TG_TRAINING);
    tg_tensor prediction = tg_dense(stream_constant(graph, 200, 12, 4), 3, "dense");
    tg_tensor loss = tg_mean(tg_mean_squared_error(prediction, stream_constant(graph, 201, 12, 3)), TG_ALL_AXES);
    tg_optimizer optimizer = tg_optimizer_defaults(optimized[_i].kind);
    optimizer.learning_rate = 0.05;
    optimizer.weight_decay = optimized[_i].weight_decay;
    optimizer.clip_norm = optimized[_i].clip_norm;
    tg_minimize(loss, optimizer);
    tg_plan *plan = tg_compile(graph, loss);
    ck_assert_msg(plan != NULL, "%s", tg_graph_error(graph));

    set_initial(variables, "dense/kernel", 202, 1);
    set_initial(variables, "dense/bias", 203, 1);
    for (int step = 0; step < 10; step++)
        ck_assert_msg(tg_run(plan) == TG_OK, "step %d: %s", step, tg_plan_error(plan));
    double kernel = deviation(tg_variables_find(variables, "dense/kernel"), optimized[_i].weights);
    double bias = deviation(tg_variables_find(variables, "dense/bias"), optimized[_i].weights + 12);
    ck_assert_msg(fmax(kernel, bias) <= 1e-12, "%s, decay %g, clip %g: kernel off by %.3g, bias by %.3g",
                  tg_optimizer_name(optimizer.kind), optimizer.weight_decay, optimizer.clip_norm, kernel, bias);

    tg_plan_free(plan);
    tg_graph_free(graph);
    tg_variables_free(variables);
    tg_context_free(context);
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("reference");
    tcase_add_test(tests, fcnn_in_f64);
    tcase_add_test(tests, cnn_in_f64);
    tcase_add_test(tests, fcnn_in_f32);
    tcase_add_test(tests, cnn_in_f32);
    tcase_add_loop_test(tests, optimizers_as_in_keras, 0, (int)(sizeof optimized / sizeof *optimized));
    return harness_run("reference", tests);
}
