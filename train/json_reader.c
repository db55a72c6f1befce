#include "train/json_reader.h"

#include <string.h>

#include "graph/safe_text.h"

static bool fail(tg_json_reader *reader, char *at, const char *expected)
{
    reader->at = at;
    reader->expected = expected;
    return false;
}

static void skip_space(tg_json_reader *reader)
{
    while (*reader->at == ' ' || *reader->at == '\t' || *reader->at == '\n' || *reader->at == '\r')
        reader->at++;
}

bool tg_json_accept(tg_json_reader *reader, char wanted)
{
    skip_space(reader);
    if (*reader->at != wanted)
        return false;
    reader->at += wanted != '\0';
    return true;
}

bool tg_json_expect(tg_json_reader *reader, char wanted, const char *expected)
{
    return tg_json_accept(reader, wanted) || fail(reader, reader->at, expected);
}

/* Four hexadecimal digits; -1 if they are none. */
static int32_t hexadecimal(const char *at)
{
    int32_t value = 0;
    for (int i = 0; i < 4; i++) {
        char c = at[i];
        int32_t digit = c >= '0' && c <= '9'   ? c - '0'
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                               : -1;
        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    return value;
}

static char *put_character(char *to, int32_t c)
{
    if (c < 0x80) {
        *to++ = (char)c;
    } else if (c < 0x800) {
        *to++ = (char)(0xC0 | c >> 6);
        *to++ = (char)(0x80 | (c & 63));
    } else if (c < 0x10000) {
        *to++ = (char)(0xE0 | c >> 12);
        *to++ = (char)(0x80 | (c >> 6 & 63));
        *to++ = (char)(0x80 | (c & 63));
    } else {
        *to++ = (char)(0xF0 | c >> 18);
        *to++ = (char)(0x80 | (c >> 12 & 63));
        *to++ = (char)(0x80 | (c >> 6 & 63));
        *to++ = (char)(0x80 | (c & 63));
    }
    return to;
}

/* The character that \uXXXX, or a pair of such that make one, stands for; *from moves behind it. -1 if there is none. */
static int32_t take_code(char **from)
{
    int32_t c = hexadecimal(*from + 2), low = -1;
    if (c <= 0 || (c >= 0xDC00 && c < 0xE000))
        return -1;
    *from += 6;
    if (c < 0xD800 || c >= 0xE000)
        return c;
    if ((*from)[0] == '\\' && (*from)[1] == 'u')
        low = hexadecimal(*from + 2);
    if (low < 0xDC00 || low >= 0xE000)
        return -1;
    *from += 6;
    return 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
}

/* Never writes more bytes than it reads. */
static bool unescape(char **from, char **to)
{
    static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
    char name = (*from)[1];
    if (name == 'u') {
        int32_t c = take_code(from);
        if (c < 0)
            return false;
        *to = put_character(*to, c);
        return true;
    }
    const char *known = name ? strchr(names, name) : NULL;
    if (!known)
        return false;
    *(*to)++ = values[known - names];
    *from += 2;
    return true;
}

char *tg_json_take_text(tg_json_reader *reader)
{
    if (!tg_json_expect(reader, '"', "a string"))
        return NULL;
    char *text = reader->at, *from = text, *to = text;
    while (*from != '"') {
        int length = tg_utf8_length(from);
        const char *expected = length == 0                   ? "a string in UTF-8"
                               : (unsigned char)*from < 0x20 ? "a string that ends, without control characters"
                                                             : NULL;
        if (!expected && *from == '\\') {
            expected = unescape(&from, &to) ? NULL : "an escape of JSON";
        } else if (!expected) {
            memmove(to, from, (size_t)length);
            from += length;
            to += length;
        }
        if (expected) {
            fail(reader, from, expected);
            return NULL;
        }
    }
    *to = '\0';
    reader->at = from + 1;
    return text;
}

bool tg_json_take_count(tg_json_reader *reader, int64_t *value)
{
    static const char expected[] = "a whole number from 0 to 9223372036854775807";
    skip_space(reader);
    char *at = reader->at;
    bool leading_zero = at[0] == '0' && at[1] >= '0' && at[1] <= '9';
    if (*at < '0' || *at > '9' || leading_zero)
        return fail(reader, at, expected);
    for (*value = 0; *at >= '0' && *at <= '9'; at++) {
        int digit = *at - '0';
        if (*value > (INT64_MAX - digit) / 10)
            return fail(reader, reader->at, expected);
        *value = *value * 10 + digit;
    }
    reader->at = at;
    return true;
}
