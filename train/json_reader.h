/* Inside the library: reading JSON (RFC 8259) whose layout is known, strictly and in place. */
#ifndef TG_TRAIN_JSON_READER_H
#define TG_TRAIN_JSON_READER_H

#include <stdbool.h>
#include <stdint.h>

/** Where a reader stands in a text that ends with a zero byte. After a failure `at` is the place, `expected` says of what. */
typedef struct tg_json_reader {
    char *at;
    const char *expected;
} tg_json_reader;

/** Passes over a character, and over white space before it; false if another one stands there. */
bool tg_json_accept(tg_json_reader *reader, char wanted);
/** The same, but another one is a failure: `expected` is the caller's words for what should be there. */
bool tg_json_expect(tg_json_reader *reader, char wanted, const char *expected);
/** A string, unescaped in place and ended with a zero byte; NULL if there is none. A zero byte inside is a failure. */
char *tg_json_take_text(tg_json_reader *reader);
/** A whole number from 0 to INT64_MAX. */
bool tg_json_take_count(tg_json_reader *reader, int64_t *value);

#endif
