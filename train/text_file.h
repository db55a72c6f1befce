/* Inside the library: small text files, read whole. */
#ifndef TG_TRAIN_TEXT_FILE_H
#define TG_TRAIN_TEXT_FILE_H

#include "train/stream.h"

/** A file's bytes with a zero byte after them. */
typedef struct tg_text_file {
    tg_context *context;
    char *text;
    size_t bytes; /**< with the zero */
} tg_text_file;

/** Reads a regular file of at most 64 MiB that holds no zero byte. TG_ERROR_IO, TG_ERROR_FORMAT and TG_ERROR_MEMORY put one sentence
    into `message` [TG_MESSAGE_SIZE]. */
tg_status tg_text_file_read(tg_context *context, const char *path, tg_text_file *file, char *message);
/** The same of at most `most` bytes, which `option` changes (text that ends the sentence about a larger file). */
typedef struct tg_text_limit {
    int64_t most;
    const char *option;
} tg_text_limit;
tg_status tg_text_file_read_within(tg_context *context, const char *path, tg_text_limit limit, tg_text_file *file, char *message);
void tg_text_file_free(tg_text_file *file);

#endif
