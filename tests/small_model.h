/* A small classifier with dropout on 50 rows, for tests of what happens around a model. */
#ifndef TG_TESTS_SMALL_MODEL_H
#define TG_TESTS_SMALL_MODEL_H

#include <string.h>

#include "graph/rebuild.h"
#include "harness.h"
#include "ops/ops.h"
#include "train/fit.h"
#include "train/layers.h"

enum { ROWS = 50, BATCH = 16, STEPS = 4, CLASSES = 2, COLUMNS = 3 };
static float x[ROWS][COLUMNS];
static int32_t y[ROWS];
static const tg_rows data = {x, y, ROWS};

typedef struct bench {
    tg_context *context;
    tg_variables *variables;
    tg_model *model;
} bench;

/* `hidden`: the number of hidden units, an int; NULL: 6. */
static inline tg_tensor small_network(tg_tensor in, void *hidden)
{
    tg_tensor h = tg_activation_layer(tg_dense(in, hidden ? *(int *)hidden : 6, NULL), TG_ACTIVATION_TANH, NULL);
    return tg_dense(tg_dropout_layer(h, 0.25, NULL), CLASSES, NULL);
}

static inline tg_tensor small_loss(tg_tensor logits, tg_tensor labels, void *hidden)
{
    (void)hidden;
    return tg_cross_entropy(logits, labels);
}

static inline void small_rows(void)
{
    for (int i = 0; i < ROWS; i++) {
        for (int k = 0; k < COLUMNS; k++)
            x[i][k] = (float)((i * 29 + k * 53) % 101) / 50 - 1;
        y[i] = x[i][0] + x[i][1] > x[i][2];
    }
}

/* A model that looks at `cancel`, unless that is NULL; NULL where it cannot be made. */
static inline tg_model *small_model(tg_variables *variables, int *hidden, const tg_cancel *cancel)
{
    return tg_model_new(variables, (tg_model_options){.input = {TG_F32, TG_SHAPE(COLUMNS)},
                                                      .target = {TG_I32, TG_SCALAR},
                                                      .network = small_network,
                                                      .loss = small_loss,
                                                      .user = hidden,
                                                      .classes = CLASSES,
                                                      .cancel = cancel,
                                                      .optimizer = tg_adam_defaults()});
}

/* Fills the rows, and makes a model that looks at `cancel`, unless that is NULL. */
static inline bench bench_make(int threads, const tg_cancel *cancel)
{
    bench b = {.context = harness_context(threads)};
    small_rows();
    b.variables = tg_variables_new(b.context, 9);
    b.model = small_model(b.variables, NULL, cancel);
    ck_assert_ptr_nonnull(b.model);
    return b;
}

static inline void bench_drop(bench b)
{
    tg_model_free(b.model);
    tg_variables_free(b.variables);
    tg_context_free(b.context);
}

/* Every variable, and the step, is the same to the bit. */
static inline void check_same_stores(const tg_variables *a, const tg_variables *b)
{
    ck_assert_int_eq(tg_variables_count(a), tg_variables_count(b));
    ck_assert_uint_eq(tg_variables_step(a), tg_variables_step(b));
    for (int i = 0; i < tg_variables_count(a); i++) {
        const tg_variable_info *left = tg_variables_at(a, i), *right = tg_variables_find(b, left->name);
        ck_assert_ptr_nonnull(right);
        ck_assert_msg(memcmp(tg_variable_data(left), tg_variable_data(right), (size_t)tg_type_bytes(left->type)) == 0,
                      "%s differs", left->name);
    }
}

#endif
