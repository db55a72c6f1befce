/* A writer of JSON Lines: one object a line, with numbers that read back to the same bits. */
#ifndef TG_TRAIN_JSON_H
#define TG_TRAIN_JSON_H

#include <stdio.h>

#include "graph/status.h"

TG_BEGIN_DECLS

/** An object being written. Open it with tg_json_begin(). */
typedef struct tg_json {
    FILE *out;
    bool empty; /**< no member yet */
} tg_json;

TG_API tg_json tg_json_begin(FILE *out);
/** Text, keys among it, in UTF-8 is escaped where JSON asks for it and where it would steer a terminal; bytes that are not UTF-8 become U+FFFD. */
TG_API void tg_json_text(tg_json *json, const char *key, const char *text);
TG_API void tg_json_integer(tg_json *json, const char *key, int64_t value);
/** For a seed or a step: up to 2^64 - 1. */
TG_API void tg_json_unsigned(tg_json *json, const char *key, uint64_t value);
/** The shortest of 15 to 17 digits that reads back to the same double; NaN and infinities, which JSON lacks, as null. */
TG_API void tg_json_real(tg_json *json, const char *key, double value);
/** What there is no value of. */
TG_API void tg_json_null(tg_json *json, const char *key);
/** An array of texts. */
TG_API void tg_json_texts(tg_json *json, const char *key, const char *const *texts, int count);
/** A matrix of counts as an array of rows. */
TG_API void tg_json_matrix(tg_json *json, const char *key, const int64_t *values, int rows, int columns);
/** Opens an object as a member of another, which waits until tg_json_close() has closed it. */
TG_API tg_json tg_json_object(tg_json *json, const char *key);
TG_API void tg_json_close(tg_json *json);
/** Opens a list of objects as a member, closed by tg_json_close_list(); adds an object to it, closed by tg_json_close(). */
TG_API tg_json tg_json_list(tg_json *json, const char *key);
TG_API tg_json tg_json_item(tg_json *list);
TG_API void tg_json_close_list(tg_json *list);
/** Closes the outermost object, ends the line and flushes. TG_ERROR_IO if `out` failed. */
TG_API TG_MUST_USE tg_status tg_json_end(tg_json *json);

TG_END_DECLS

#endif
