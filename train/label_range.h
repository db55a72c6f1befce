/* Inside the library: why a step of a classifier failed with TG_ERROR_RANGE, in the terms of its user's data. */
#ifndef TG_TRAIN_LABEL_RANGE_H
#define TG_TRAIN_LABEL_RANGE_H

#include "train/model.h"

/** Names the first row of a batch that the data does not have, or whose label is none of the model's classes, in `text`. False if there is none, or if the model is no classifier by class numbers. */
bool tg_label_range_text(const tg_model_options *options, tg_batch batch, char *text, size_t size);

#endif
