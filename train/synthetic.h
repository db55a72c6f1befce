/* Digits drawn by a procedure: what the programs train on where the real ones are not at hand. */
#ifndef TG_TRAIN_SYNTHETIC_H
#define TG_TRAIN_SYNTHETIC_H

#include "graph/context.h"

TG_BEGIN_DECLS

/** Draws `count` digits in MNIST's form: `images` [count, 28, 28], 0 background and 255 full ink, fitted into a box of about
    20x20 and centred near their centre of mass; `labels` [count], equally many of each class (of the first count % 10 one more),
    shuffled.
    Each digit is a few pen strokes along splines through points that tremble, with random slant, turn, size, position, thickness,
    pressure and noise. What is drawn depends on (seed, name, count) alone, on every machine alike: `name` tells sets apart that
    must not share digits, such as "train" and "test". */
TG_API void tg_synthetic_digits(uint64_t seed, const char *name, int64_t count, uint8_t *images, int32_t *labels);

TG_END_DECLS

#endif
