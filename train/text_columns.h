/* Inside the library: how much room text takes where all characters are equally wide, as in a terminal. */
#ifndef TG_TRAIN_TEXT_COLUMNS_H
#define TG_TRAIN_TEXT_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>

/** Columns of text in UTF-8: 0 for an accent that joins the character before it, 2 for the wide ones of East Asia and emoji. -1 if
    it is not UTF-8 or holds what steers a terminal or the direction of writing. */
int tg_text_columns(const char *text);

/** Copies text, cut where it has more than `columns` columns, with "…" in place of the rest. With `ascii` the mark is "." and every
    other character outside of ASCII "?". What tg_text_columns() refuses becomes "?". Returns `out`, of `size` bytes, in which the
    result is whole characters. */
char *tg_text_fit(const char *text, int columns, bool ascii, char *out, size_t size);

#endif
