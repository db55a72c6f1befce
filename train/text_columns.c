#include "train/text_columns.h"

#include <stdint.h>
#include <string.h>

#include "graph/safe_text.h"

typedef struct stretch {
    uint32_t first, last;
    int columns; /* of each character */
} stretch;

/* Unicode's combining marks of general use, East Asian Width W and F by blocks. */
static const stretch stretches[] = {
    {0x300, 0x36F, 0},     {0x1100, 0x115F, 2}, {0x1AB0, 0x1AFF, 0},   {0x1DC0, 0x1DFF, 0},   {0x200B, 0x200D, 0},
    {0x2060, 0x2060, 0},   {0x20D0, 0x20FF, 0}, {0x2E80, 0x303E, 2},   {0x3041, 0xA4CF, 2},   {0xA960, 0xA97F, 2},
    {0xAC00, 0xD7A3, 2},   {0xF900, 0xFAFF, 2}, {0xFE00, 0xFE0F, 0},   {0xFE20, 0xFE2F, 0},   {0xFE30, 0xFE6F, 2},
    {0xFF00, 0xFF60, 2},   {0xFFE0, 0xFFE6, 2}, {0x1F300, 0x1F64F, 2}, {0x1F680, 0x1F6FF, 2}, {0x1F900, 0x1F9FF, 2},
    {0x20000, 0x3FFFD, 2},
};

/* Of the character of `length` bytes; -1: refused. */
static int columns_of(const char *text, int length)
{
    uint32_t code = tg_utf8_code(text, length);
    if (tg_steers(code))
        return -1;
    for (size_t i = 0; i < sizeof stretches / sizeof *stretches; i++)
        if (code >= stretches[i].first && code <= stretches[i].last)
            return stretches[i].columns;
    return 1;
}

int tg_text_columns(const char *text)
{
    int columns = 0;
    for (int length; *text; text += length) {
        length = tg_utf8_length(text);
        int more = length ? columns_of(text, length) : -1;
        if (more < 0)
            return -1;
        columns += more;
    }
    return columns;
}

/* A character as tg_text_fit() shows it. */
typedef struct shown {
    const char *text;
    int bytes, columns, taken; /* taken: bytes of the original */
} shown;

static shown show(const char *text, bool ascii)
{
    int length = tg_utf8_length(text), columns = length ? columns_of(text, length) : -1;
    if (columns >= 0 && !(ascii && length > 1))
        return (shown){text, length, columns, length};
    bool joins = columns == 0; /* an accent, without which the letter is ASCII */
    return (shown){"?", !joins, !joins, length ? length : 1};
}

static bool fits(const char *text, int columns, bool ascii)
{
    shown s;
    for (; *text && columns >= 0; text += s.taken) {
        s = show(text, ascii);
        columns -= s.columns;
    }
    return columns >= 0;
}

char *tg_text_fit(const char *text, int columns, bool ascii, char *out, size_t size)
{
    const char *mark = ascii ? "." : "…";
    bool whole = fits(text, columns, ascii);
    int room = whole ? columns : columns - 1;
    size_t used = 0, kept = whole ? 1 : strlen(mark) + 1;
    shown s;
    for (; *text; text += s.taken, room -= s.columns, used += (size_t)s.bytes) {
        s = show(text, ascii);
        if (s.columns > room || used + (size_t)s.bytes + kept > size)
            break;
        memcpy(out + used, s.text, (size_t)s.bytes);
    }
    while (*text && used > 0 && out[used - 1] == ' ')
        used--;
    out[used] = '\0';
    if (*text && columns > 0 && used + strlen(mark) < size)
        memcpy(out + used, mark, strlen(mark) + 1);
    return out;
}
