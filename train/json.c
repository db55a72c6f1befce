#include "train/json.h"

#include <math.h>
#include <stdlib.h>

#include "graph/number_text.h"
#include "graph/safe_text.h"
#include "train/json_text.h"

tg_json tg_json_begin(FILE *out)
{
    fprintf(out, "{");
    return (tg_json){out, true};
}

static void put_key(tg_json *json, const char *key)
{
    fputs(json->empty ? "" : ", ", json->out);
    tg_json_quote(json->out, key);
    fputs(": ", json->out);
    json->empty = false;
}

size_t tg_json_quote(FILE *out, const char *text)
{
    size_t bytes = 2;
    if (out)
        fputc('"', out);
    while (*text) {
        char escaped[16];
        int length = tg_utf8_length(text), taken = length ? length : 1;
        const char *shown = escaped;
        unsigned char first = (unsigned char)*text;
        uint32_t code = length ? tg_utf8_code(text, length) : 0;
        if (length == 0)
            length = snprintf(escaped, sizeof escaped, "\\ufffd");
        else if (tg_steers(code) && code > 0xFFFF)
            length = snprintf(escaped, sizeof escaped, "\\u%04x\\u%04x", (unsigned)(0xD7C0 + (code >> 10)),
                              (unsigned)(0xDC00 + (code & 0x3FF)));
        else if (tg_steers(code))
            length = snprintf(escaped, sizeof escaped, "\\u%04x", (unsigned)code);
        else if (first == '"' || first == '\\')
            length = snprintf(escaped, sizeof escaped, "\\%c", first);
        else
            shown = text;
        if (out)
            fwrite(shown, 1, (size_t)length, out);
        bytes += (size_t)length;
        text += taken;
    }
    if (out)
        fputc('"', out);
    return bytes;
}

void tg_json_text(tg_json *json, const char *key, const char *text)
{
    put_key(json, key);
    tg_json_quote(json->out, text);
}

void tg_json_integer(tg_json *json, const char *key, int64_t value)
{
    put_key(json, key);
    fprintf(json->out, "%lld", (long long)value);
}

void tg_json_unsigned(tg_json *json, const char *key, uint64_t value)
{
    put_key(json, key);
    fprintf(json->out, "%llu", (unsigned long long)value);
}

char *tg_real_text(double value, char text[TG_REAL_TEXT])
{
    int digits = 14;
    do
        tg_format(text, TG_REAL_TEXT, "%.*g", ++digits, value);
    while (digits < 17 && tg_take_f64(text, NULL) != value);
    return text;
}

void tg_json_real(tg_json *json, const char *key, double value)
{
    char text[TG_REAL_TEXT];
    put_key(json, key);
    fprintf(json->out, "%s", isfinite(value) ? tg_real_text(value, text) : "null");
}

void tg_json_null(tg_json *json, const char *key)
{
    put_key(json, key);
    fputs("null", json->out);
}

tg_json tg_json_object(tg_json *json, const char *key)
{
    put_key(json, key);
    return tg_json_begin(json->out);
}

void tg_json_close(tg_json *json) { fprintf(json->out, "}"); }

void tg_json_texts(tg_json *json, const char *key, const char *const *texts, int count)
{
    put_key(json, key);
    for (int i = 0; i < count; i++) {
        fputs(i ? ", " : "[", json->out);
        tg_json_quote(json->out, texts[i]);
    }
    fputs(count ? "]" : "[]", json->out);
}

tg_json tg_json_list(tg_json *json, const char *key)
{
    put_key(json, key);
    fprintf(json->out, "[");
    return (tg_json){json->out, true};
}

tg_json tg_json_item(tg_json *list)
{
    fprintf(list->out, "%s", list->empty ? "" : ", ");
    list->empty = false;
    return tg_json_begin(list->out);
}

void tg_json_close_list(tg_json *list) { fprintf(list->out, "]"); }

void tg_json_matrix(tg_json *json, const char *key, const int64_t *values, int rows, int columns)
{
    put_key(json, key);
    fprintf(json->out, "[");
    for (int row = 0; row < rows; row++) {
        fprintf(json->out, row ? ", [" : "[");
        for (int column = 0; column < columns; column++)
            fprintf(json->out, "%s%lld", column ? ", " : "", (long long)values[(int64_t)row * columns + column]);
        fprintf(json->out, "]");
    }
    fprintf(json->out, "]");
}

tg_status tg_json_end(tg_json *json)
{
    tg_json_close(json);
    fprintf(json->out, "\n");
    return fflush(json->out) == 0 && !ferror(json->out) ? TG_OK : TG_ERROR_IO;
}
