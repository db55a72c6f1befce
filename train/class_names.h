/* Names of a classifier's classes, from a text file or from what is kept with a network. */
#ifndef TG_TRAIN_CLASS_NAMES_H
#define TG_TRAIN_CLASS_NAMES_H

#include "train/byte_array.h"

TG_BEGIN_DECLS

#define TG_MOST_CLASSES 64
/** Bytes of a name at most, without a zero. */
#define TG_CLASS_NAME_BYTES 60
/** Bytes of `count` names as one text. */
#define TG_CLASS_NAMES_TEXT(count) ((count) * (TG_CLASS_NAME_BYTES + 1) + 1)

/** Names in the order of the classes. Free them with tg_class_names_free(). */
typedef struct tg_class_names {
    tg_context *context;
    char *text; /**< what the names point into */
    size_t bytes;
    const char *names[TG_MOST_CLASSES];
} tg_class_names;

/** Reads a text file of `count` names, at most TG_MOST_CLASSES, one a line; blanks around a name, a byte order mark, carriage
    returns and empty lines at the end are left out. Each must be UTF-8 without control characters, have 1 to TG_CLASS_NAME_BYTES bytes, and differ from the
    others. TG_ERROR_IO, TG_ERROR_FORMAT and TG_ERROR_MEMORY put one sentence with file and line into `message`
    [TG_MESSAGE_SIZE]; `names` is then empty. */
TG_API TG_MUST_USE tg_status tg_class_names_read(tg_context *context, const char *path, int count, tg_class_names *names,
                                                 char *message);
/** The same of a text, which is copied; `where` names it in messages. */
TG_API TG_MUST_USE tg_status tg_class_names_take(tg_context *context, const char *text, const char *where, int count,
                                                 tg_class_names *names, char *message);
/** A second call is fine. */
TG_API void tg_class_names_free(tg_class_names *names);

/** The text that tg_class_names_take() takes: names of at most TG_CLASS_NAME_BYTES, one a line. Returns `text`, which has
    TG_CLASS_NAMES_TEXT(count) bytes. */
TG_API char *tg_class_names_text(const char *const *names, int count, char *text);

/** Bytes of a class's number as text. */
#define TG_CLASS_NUMBER 12
/** What to call class i: names[i], or its number, written into `number`, where names, or names[0], is NULL. */
TG_API const char *tg_class_name(const char *const *names, int i, char number[TG_CLASS_NUMBER]);

TG_END_DECLS

#endif
