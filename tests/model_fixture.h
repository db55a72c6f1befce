/* A model that counts bytes, made anew for each test. */
#ifndef TG_TESTS_MODEL_FIXTURE_H
#define TG_TESTS_MODEL_FIXTURE_H

#include <stdio.h>
#include <string.h>

#include "harness.h"
#include "ops/ops.h"
#include "train/layers.h"
#include "train/model.h"

/* Rows of four bytes in three classes: the class is how many of the first two bytes exceed 127. */
enum { ROWS = 600, BYTES = 4, CLASSES = 3 };
static uint8_t x[ROWS][BYTES];
static int32_t y[ROWS], order[ROWS];
static const tg_rows data = {x, y, ROWS};

static tg_context *context;
static tg_variables *variables;
static tg_model *model;
static double input_scale; /* of the network's input: where it is huge, training diverges */

static inline tg_tensor network(tg_tensor bytes, void *user)
{
    tg_tensor h = tg_cast(bytes, TG_FLOAT);
    h = tg_mul(h, tg_scalar(h, *(double *)user));
    return tg_dense(tg_activation_layer(tg_dense(h, 8, NULL), TG_ACTIVATION_TANH, NULL), CLASSES, NULL);
}

static inline tg_tensor loss(tg_tensor logits, tg_tensor labels, void *user)
{
    (void)user;
    return tg_cross_entropy(logits, labels);
}

static inline tg_tensor predict(tg_tensor logits, void *user)
{
    (void)user;
    return tg_softmax(logits, -1);
}

static inline tg_model_options options(void)
{
    return (tg_model_options){.input = {TG_U8, TG_SHAPE(BYTES)},
                              .target = {TG_I32, TG_SCALAR},
                              .network = network,
                              .loss = loss,
                              .predict = predict,
                              .user = &input_scale,
                              .classes = CLASSES,
                              .optimizer = tg_adam_defaults(),
                              .evaluation_batch = 128};
}

static inline void setup(void)
{
    for (int i = 0; i < ROWS; i++) {
        for (int k = 0; k < BYTES; k++)
            x[i][k] = (uint8_t)((i * 37 + k * 101 + i * i % 251 * (k + 1)) % 256);
        y[i] = (x[i][0] > 127) + (x[i][1] > 127);
        order[i] = i;
    }
    input_scale = 1.0 / 255;
    context = harness_context(2);
    variables = tg_variables_new(context, 3);
    model = tg_model_new(variables, options());
    ck_assert_ptr_nonnull(model);
}

static inline void teardown(void)
{
    tg_model_free(model);
    tg_model_free(NULL);
    tg_variables_free(variables);
    tg_context_free(context);
}

#define ASSERT_OK(call) ck_assert_msg((call) == TG_OK, "%s", tg_model_error(model))

static inline void assert_error(const char *part)
{
    ck_assert_msg(!strstr(tg_model_error(model), "train/"), "a place in the library: %s", tg_model_error(model));
    ck_assert_msg(strstr(tg_model_error(model), part) != NULL, "\"%s\" lacks \"%s\"", tg_model_error(model), part);
}

#endif
