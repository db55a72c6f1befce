/* A model's own gradients against finite differences: its loss, recorded as for training but in f64, on a few rows of data. */
#ifndef TG_TRAIN_GRADIENT_CHECK_H
#define TG_TRAIN_GRADIENT_CHECK_H

#include "autodiff/check.h"
#include "train/model.h"

TG_BEGIN_DECLS

typedef struct tg_model_check {
    tg_context *context;
    tg_gradient_worst *worst; /**< of each trainable variable that the loss takes; names are the model's variables' */
    int count;
    bool passed; /**< every error is within tolerance */
} tg_model_check;

/** Checks the gradients of the mean loss of the first `batch` rows of `data`, by tg_check_gradients(), at the variables' present
    values. The model's functions are called with a graph whose working float is f64; rows of f32 are given to them as f64.
    Random nodes draw the same in every run. Works on a copy of the variables: nothing of the model changes. On failure
    tg_model_error() has the sentence, and there is nothing to free. */
TG_API TG_MUST_USE tg_status tg_model_check_gradients(tg_model *model, tg_rows data, int64_t batch, tg_check_options options,
                                                      tg_model_check *check);
TG_API void tg_model_check_free(tg_model_check *check);

TG_END_DECLS

#endif
