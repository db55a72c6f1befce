/* Inside the library: why a run of a model's plan failed, in the terms of the model's user. */
#ifndef TG_TRAIN_RUN_FAILURE_H
#define TG_TRAIN_RUN_FAILURE_H

#include "train/model.h"

/** tg_plan_error(), with the model's functions in place of the plan's, in `text`, which it returns. */
char *tg_run_failure_text(const tg_plan *plan, char *text, size_t size);

/** After TG_ERROR_RANGE: names the first row of a batch that the data does not have, or whose label is none of the model's classes, in `text`. False if there is none, or if the model is no classifier by class numbers. */
bool tg_label_range_text(const tg_model_options *options, tg_batch batch, char *text, size_t size);

#endif
