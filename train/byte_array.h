/* Arrays of bytes as files hold them, and what a reader wants of one. */
#ifndef TG_TRAIN_BYTE_ARRAY_H
#define TG_TRAIN_BYTE_ARRAY_H

#include "graph/context.h"

TG_BEGIN_DECLS

/** Bytes that a message about a file takes at most, with its terminating zero. */
#define TG_MESSAGE_SIZE 512

/** What a reader wants of an array; anything else is refused before memory is asked for. */
typedef struct tg_wanted_array {
    const char *what; /**< for messages, in the plural: "images" */
    const char *name; /**< in an archive: "x_train" */
    tg_shape shape;   /**< -1 for any extent from 1 on */
    uint8_t maximum;  /**< of the values; 255 allows all */
} tg_wanted_array;

/** An array of bytes, row-major on a 64-byte-aligned base. */
typedef struct tg_byte_array {
    tg_context *context;
    tg_shape shape;
    uint8_t *data;
} tg_byte_array;

/** Gives the bytes back to the context. NULL, an all-zero struct and a second call are fine. */
TG_API void tg_byte_array_free(tg_byte_array *array);

TG_END_DECLS

#endif
