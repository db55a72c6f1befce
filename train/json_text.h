/* Inside the library: text as JSON holds it. */
#ifndef TG_TRAIN_JSON_TEXT_H
#define TG_TRAIN_JSON_TEXT_H

#include <stddef.h>
#include <stdio.h>

/** Bytes of the well-formed UTF-8 character that text begins with (RFC 3629); 0 if it is none. */
int tg_utf8_length(const char *text);
/** Writes text in quotes, escaped where JSON asks for it; bytes that are not UTF-8 become U+FFFD. `out` NULL: only counts.
    Returns the number of bytes. */
size_t tg_json_quote(FILE *out, const char *text);

#define TG_REAL_TEXT 40
/** The shortest of 15 to 17 digits that reads back to the same double. Returns `text`. */
char *tg_real_text(double value, char text[TG_REAL_TEXT]);

#endif
