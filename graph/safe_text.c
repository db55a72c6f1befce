#include "graph/safe_text.h"

#include <string.h>

#include "graph/number_text.h"

enum { ESCAPE_BYTES = 16 };

int tg_utf8_length(const char *text)
{
    const unsigned char *bytes = (const unsigned char *)text;
    unsigned first = bytes[0], low = 0x80, high = 0xBF;
    int length = first < 0x80                    ? 1
                 : first >= 0xC2 && first < 0xE0 ? 2
                 : first >= 0xE0 && first < 0xF0 ? 3
                 : first >= 0xF0 && first < 0xF5 ? 4
                                                 : 0;
    if (first == 0xE0)
        low = 0xA0; /* shorter forms exist */
    else if (first == 0xED)
        high = 0x9F; /* surrogates */
    else if (first == 0xF0)
        low = 0x90;
    else if (first == 0xF4)
        high = 0x8F; /* beyond U+10FFFF */
    for (int i = 1; i < length; i++, low = 0x80, high = 0xBF)
        if (bytes[i] < low || bytes[i] > high)
            return 0;
    return length;
}

uint32_t tg_utf8_code(const char *text, int length)
{
    const unsigned char *bytes = (const unsigned char *)text;
    uint32_t code = length == 1 ? bytes[0] : bytes[0] & (0xFFu >> (length + 1));
    for (int i = 1; i < length; i++)
        code = code << 6 | (bytes[i] & 0x3F);
    return code;
}

bool tg_steers(uint32_t code)
{
    static const struct {
        uint32_t first, last;
    } stretches[] = {{0x00, 0x1F},     {0x7F, 0x9F},     {0x061C, 0x061C}, {0x200E, 0x200F},  {0x2028, 0x202E},
                     {0x2066, 0x206F}, {0xFEFF, 0xFEFF}, {0xFFF9, 0xFFFB}, {0xE0000, 0xE007F}};
    for (size_t i = 0; i < sizeof stretches / sizeof *stretches; i++)
        if (code >= stretches[i].first && code <= stretches[i].last)
            return true;
    return false;
}

/* The bytes of a text's first character; if it may not be shown, `escape` gets what stands for it, else "". */
static int look(const char *text, char escape[ESCAPE_BYTES])
{
    int length = tg_utf8_length(text);
    uint32_t code = length ? tg_utf8_code(text, length) : (unsigned char)*text;
    *escape = '\0';
    if (length == 0 || (length == 1 && tg_steers(code)))
        snprintf(escape, ESCAPE_BYTES, "\\x%02X", (unsigned)code);
    else if (tg_steers(code))
        snprintf(escape, ESCAPE_BYTES, "\\u%04X", (unsigned)code);
    return length ? length : 1;
}

/* Of a text that was cut, drops what is left of a character at its end. Returns its length. */
static size_t drop_cut_character(char *text, size_t length)
{
    size_t at = length;
    while (at > 0 && length - at < 3 && ((unsigned char)text[at - 1] & 0xC0) == 0x80)
        at--;
    unsigned char first = at > 0 ? (unsigned char)text[at - 1] : 0;
    size_t whole = first < 0xC2 || first > 0xF4 ? 0 : first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (length - at + 1 < whole)
        length = at - 1;
    text[length] = '\0';
    return length;
}

char *tg_make_safe(char *text, size_t size)
{
    char escape[ESCAPE_BYTES];
    size_t length = size > 0 ? strlen(text) : 0;
    if (length + 1 == size)
        length = drop_cut_character(text, length);
    for (size_t at = 0; at < length;) {
        size_t taken = (size_t)look(text + at, escape), put = strlen(escape);
        if (put > 0 && at + put >= size) {
            text[at] = '\0';
            break;
        }
        if (put > 0) {
            size_t rest = length - at - taken, room = size - 1 - at - put;
            bool cut = rest > room;
            rest = cut ? room : rest;
            memmove(text + at + put, text + at + taken, rest);
            memcpy(text + at, escape, put);
            length = at + put + rest;
            text[length] = '\0';
            length = cut ? drop_cut_character(text, length) : length;
        }
        at += put > 0 ? put : taken;
    }
    return text;
}

void tg_put_safe(FILE *out, const char *text)
{
    char escape[ESCAPE_BYTES];
    for (int taken; *text; text += taken) {
        taken = look(text, escape);
        if (*escape)
            fputs(escape, out);
        else
            fwrite(text, 1, (size_t)taken, out);
    }
}

void tg_vmessage(char *text, size_t size, const char *format, va_list arguments)
{
    tg_vformat(text, size, format, arguments);
    tg_make_safe(text, size);
}

void tg_message(char *text, size_t size, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    tg_vmessage(text, size, format, arguments);
    va_end(arguments);
}
