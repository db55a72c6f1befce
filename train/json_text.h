/* Inside the library: text as JSON holds it. */
#ifndef TG_TRAIN_JSON_TEXT_H
#define TG_TRAIN_JSON_TEXT_H

#include <stddef.h>
#include <stdio.h>

/** Writes text in quotes, escaped where JSON asks for it and where it would steer a terminal (graph/safe_text.h); bytes that are not UTF-8 become U+FFFD. `out` NULL: only counts.
    Returns the number of bytes. */
size_t tg_json_quote(FILE *out, const char *text);

#define TG_REAL_TEXT 40
/** The shortest of 15 to 17 digits that reads back to the same double. Returns `text`. */
char *tg_real_text(double value, char text[TG_REAL_TEXT]);

#endif
