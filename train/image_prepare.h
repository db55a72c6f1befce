/* Grey images of any size made into what a network trained on MNIST knows. */
#ifndef TG_TRAIN_IMAGE_PREPARE_H
#define TG_TRAIN_IMAGE_PREPARE_H

#include "train/mnist.h"

TG_BEGIN_DECLS

/** Whether the background of image [rows, columns] is bright: the median of its outermost pixels lies nearer to its brightest than
    to its darkest pixel. */
TG_API bool tg_image_is_bright(const uint8_t *image, int64_t rows, int64_t columns);

/** Prepares an image [rows, columns], each at least 1, as MNIST's were (http://yann.lecun.com/exdb/mnist): `invert` makes dark ink
    bright; the background becomes 0 and the fullest ink 255; the box around all ink of at least a quarter of that is scaled, by
    means over areas, until its longer side has 20 pixels, and put where its centre of mass is nearest to the centre of `prepared`
    [28, 28]. False, and all zero, if there is no ink. */
TG_API bool tg_image_prepare(const uint8_t *image, int64_t rows, int64_t columns, bool invert, uint8_t prepared[TG_MNIST_PIXELS]);

TG_END_DECLS

#endif
