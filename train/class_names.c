#include "train/class_names.h"

#include <stdio.h>
#include <string.h>

#include "train/text_columns.h"
#include "train/text_file.h"

static const char blanks[] = " \t\r\v\f";

/* Cuts the next line off, in place, and the blanks around it. */
static char *take_line(char **rest)
{
    char *line = *rest, *end = line + strcspn(line, "\n");
    *rest = *end ? end + 1 : end;
    *end = '\0';
    line += strspn(line, blanks);
    for (end = line + strlen(line); end > line && strchr(blanks, end[-1]);)
        *--end = '\0';
    return line;
}

static tg_status refuse(const char *where, int line, const char *why, char *message)
{
    return tg_file_fail(message, TG_ERROR_FORMAT, where, "line %d: expected a class's name, of 1 to %d bytes of UTF-8, found %s",
                        line, TG_CLASS_NAME_BYTES, why);
}

static tg_status check_name(const char *where, const char *const *names, int i, char *message)
{
    int columns = tg_text_columns(names[i]);
    if (!*names[i])
        return refuse(where, i + 1, "none", message);
    if (strlen(names[i]) > TG_CLASS_NAME_BYTES)
        return refuse(where, i + 1, "more", message);
    if (columns <= 0)
        return refuse(where, i + 1, columns < 0 ? "other bytes, or control characters" : "nothing to be seen", message);
    for (int k = 0; k < i; k++)
        if (strcmp(names[k], names[i]) == 0)
            return tg_file_fail(message, TG_ERROR_FORMAT, where,
                                "line %d: expected a name of its own, found that of line %d again", i + 1, k + 1);
    return TG_OK;
}

static void drop_blank_lines_at_the_end(char *text)
{
    size_t length = strlen(text);
    while (length > 0 && (text[length - 1] == '\n' || strchr(blanks, text[length - 1])))
        text[--length] = '\0';
}

/* Cuts names->text up. */
static tg_status cut(const char *where, int count, tg_class_names *names, char *message)
{
    static const char mark[] = "\xEF\xBB\xBF"; /* of the byte order, as some editors write it */
    char *rest = names->text;
    int lines = 0;
    rest += strncmp(rest, mark, strlen(mark)) == 0 ? strlen(mark) : 0;
    drop_blank_lines_at_the_end(rest);
    for (; *rest; lines++) {
        const char *line = take_line(&rest);
        if (lines >= count)
            continue;
        names->names[lines] = line;
        tg_status status = check_name(where, names->names, lines, message);
        if (status != TG_OK)
            return status;
    }
    if (lines == count)
        return TG_OK;
    return tg_file_fail(message, TG_ERROR_FORMAT, where, "expected the names of %d classes, one a line, found %d line%s", count,
                        lines, lines == 1 ? "" : "s");
}

tg_status tg_class_names_read(tg_context *context, const char *path, int count, tg_class_names *names, char *message)
{
    tg_text_file file;
    *names = (tg_class_names){.context = context};
    tg_status status = tg_text_file_read(context, path, &file, message);
    names->text = file.text;
    names->bytes = file.bytes;
    if (status == TG_OK)
        status = cut(path, count, names, message);
    if (status != TG_OK)
        tg_class_names_free(names);
    return status;
}

tg_status tg_class_names_take(tg_context *context, const char *text, const char *where, int count, tg_class_names *names,
                              char *message)
{
    size_t bytes = strlen(text) + 1;
    *names = (tg_class_names){.context = context, .text = tg_allocate(context, bytes), .bytes = bytes};
    if (!names->text)
        return tg_file_fail(message, TG_ERROR_MEMORY, where, "%s", tg_status_text(TG_ERROR_MEMORY));
    memcpy(names->text, text, bytes);
    tg_status status = cut(where, count, names, message);
    if (status != TG_OK)
        tg_class_names_free(names);
    return status;
}

void tg_class_names_free(tg_class_names *names)
{
    if (names->text)
        tg_release(names->context, names->text, names->bytes);
    *names = (tg_class_names){.context = names->context};
}

char *tg_class_names_text(const char *const *names, int count, char *text)
{
    size_t used = 0;
    for (int i = 0; i < count; i++) {
        size_t length = strlen(names[i]);
        memcpy(text + used, names[i], length);
        used += length;
        text[used++] = '\n';
    }
    text[used] = '\0';
    return text;
}

const char *tg_class_name(const char *const *names, int i, char number[TG_CLASS_NUMBER])
{
    if (names && names[0])
        return names[i];
    snprintf(number, TG_CLASS_NUMBER, "%d", i);
    return number;
}
