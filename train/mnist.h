/* MNIST and whatever else has its form: 28x28 grey images of ten classes, 8 bits a pixel, for training and for test.
   Found on this machine, or drawn by tg_synthetic_digits(). */
#ifndef TG_TRAIN_MNIST_H
#define TG_TRAIN_MNIST_H

#include "train/byte_array.h"

TG_BEGIN_DECLS

#define TG_MNIST_ROWS 28
#define TG_MNIST_COLUMNS 28
#define TG_MNIST_PIXELS (TG_MNIST_ROWS * TG_MNIST_COLUMNS)
#define TG_MNIST_CLASSES 10

/** The command that gets the real data, to be named wherever a result is labelled synthetic. */
#define TG_MNIST_FETCH "tools/fetch_mnist"

/** Images with their classes, in the order of the file. Both arrays are 64-byte aligned. */
typedef struct tg_image_set {
    int64_t count;
    uint8_t *images; /**< [count, 28, 28, 1]: 0 is background, 255 full ink */
    int32_t *labels; /**< [count], each in 0..9 */
} tg_image_set;

/** A whole data set. Its arrays live until tg_mnist_free(). */
typedef struct tg_mnist {
    tg_context *context;
    tg_image_set train, test;     /**< of MNIST: 60,000 and 10,000; a validation set is the caller's to cut off */
    bool synthetic;               /**< drawn, not read: every result must say so */
    const char *const *classes;   /**< the names of the ten classes, of Fashion-MNIST; NULL: digits, or unknown */
    char source[TG_MESSAGE_SIZE]; /**< for people: "IDX files in data", "synthetic digits (seed 1)", "Fashion-MNIST, ..." */
} tg_mnist;

/** Loads the data into `data`, whose former contents are ignored.
    `where` (the value of --data) is a folder with the four IDX files, plain or .gz, or with mnist.npz; or an .npz file; or the
    word "synthetic". If it is NULL: $MNIST_DIR, read in the same way; else the first of $XDG_DATA_HOME/tapegrad/mnist
    (~/.local/share/tapegrad/mnist), ./data and ~/.keras/datasets/mnist.npz where any of the files exists; else digits are drawn.
    Fashion-MNIST has the same files; it is told by its first training labels.
    `seed` matters to drawn digits alone. What has been found must be whole: nothing is skipped because it is damaged.
    TG_ERROR_IO (missing, unreadable), TG_ERROR_FORMAT (damaged) and TG_ERROR_MEMORY put one sentence with file, byte and
    expectation into `message`, which has TG_MESSAGE_SIZE bytes; `data` is then all zero. With TG_OK `message` is "". */
TG_API TG_MUST_USE tg_status tg_mnist_load(tg_context *context, const char *where, uint64_t seed, tg_mnist *data, char *message);

/** Puts the pixels of all images into one and the same random order, which depends on `seed` alone: what a network that knows
    nothing of neighbourhood does not feel. */
TG_API void tg_mnist_shuffle_pixels(tg_mnist *data, uint64_t seed);
/** Gives the arrays back to the context. NULL, an all-zero struct and a second call are fine. */
TG_API void tg_mnist_free(tg_mnist *data);

TG_END_DECLS

#endif
