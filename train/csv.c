#include "train/csv.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "graph/number_text.h"
#include "train/text_file.h"

/* A field as it stands in the text, without the quotes around it and without spaces. */
typedef struct field {
    char *text;
    size_t length;
    bool quoted; /* "" stands for a quote in it */
    bool last;   /* of its line */
    int64_t line;
    int32_t column; /* from 0 */
} field;

/* A column of the file: its name, and where its values go; -1: nowhere. */
typedef struct column {
    field name;
    int32_t input, target;
} column;

typedef struct reader {
    tg_context *context;
    const char *path;
    char *message; /* [TG_MESSAGE_SIZE] */
    int32_t most_columns;
    char separator;
    char *at;
    int64_t line; /* from 1 */
    int32_t next; /* column of the next field */
    column *columns;
    int32_t count; /* of columns */
} reader;

enum { EXCERPT = 48 };

/* The start of a field for a message, without control characters. */
static const char *excerpt(const field *f, char text[EXCERPT])
{
    size_t length = f->length < EXCERPT - 4 ? f->length : EXCERPT - 4;
    for (size_t i = 0; i < length; i++)
        text[i] = (unsigned char)f->text[i] < ' ' || f->text[i] == 127 ? '?' : f->text[i];
    strcpy(text + length, length < f->length ? "..." : "");
    return text;
}

/* "path: line 7, column 3 (weight): expected ..., found '...'" */
static tg_status fail_field(const reader *r, const field *f, const char *expected)
{
    char name[EXCERPT], found[EXCERPT];
    const char *title = f->column < r->count ? excerpt(&r->columns[f->column].name, name) : "";
    return tg_file_fail(r->message, TG_ERROR_FORMAT, r->path, "line %" PRId64 ", column %d%s%s%s: expected %s, found '%s'",
                        f->line, f->column + 1, *title ? " (" : "", title, *title ? ")" : "", expected, excerpt(f, found));
}

static bool ends_line(char c) { return c == '\0' || c == '\n' || c == '\r'; }

/* Passes over a line's end. */
static void end_line(reader *r)
{
    r->at += *r->at == '\r';
    r->at += *r->at == '\n';
    r->line++;
}

/* Whether another line follows, empty ones passed over. */
static bool begin_line(reader *r)
{
    while (*r->at && ends_line(*r->at))
        end_line(r);
    r->next = 0;
    return *r->at;
}

static void trim(field *f)
{
    for (; f->length && (*f->text == ' ' || *f->text == '\t'); f->text++)
        f->length--;
    while (f->length && (f->text[f->length - 1] == ' ' || f->text[f->length - 1] == '\t'))
        f->length--;
}

static tg_status take_quoted(reader *r, field *f)
{
    char *to = r->at + 1;
    for (; *to && (*to != '"' || to[1] == '"'); to++) {
        bool carriage_return = *to == '\r' && to[1] != '\n';
        r->line += *to == '\n' || carriage_return;
        to += *to == '"';
    }
    f->text = r->at + 1;
    f->length = (size_t)(to - f->text);
    f->quoted = true;
    if (!*to)
        return fail_field(r, f, "a quote at the end of the field");
    r->at = to + 1;
    if (*r->at != r->separator && !ends_line(*r->at))
        return fail_field(r, f, "nothing behind a field in quotes");
    return TG_OK;
}

static tg_status take_field(reader *r, field *f)
{
    *f = (field){.text = r->at, .line = r->line, .column = r->next++};
    if (*r->at == '"') {
        tg_status status = take_quoted(r, f);
        if (status != TG_OK)
            return status;
    } else {
        while (*r->at != r->separator && !ends_line(*r->at))
            r->at++;
        f->length = (size_t)(r->at - f->text);
    }
    trim(f);
    f->last = *r->at != r->separator;
    if (f->last)
        end_line(r);
    else
        r->at++;
    return TG_OK;
}

/* ---- the header ---- */

static void unquote(field *f)
{
    size_t length = 0;
    for (size_t i = 0; i < f->length; i++) {
        f->text[length++] = f->text[i];
        i += f->quoted && f->text[i] == '"';
    }
    f->length = length;
    f->quoted = false;
}

static tg_status fail_columns(const reader *r)
{
    return tg_file_fail(r->message, TG_ERROR_FORMAT, r->path,
                        "line %" PRId64 ": more than %d columns; another separator, or raise tg_csv_options.most_columns",
                        r->line, (int)r->most_columns);
}

/* The names of all columns. */
static tg_status read_header(reader *r)
{
    field f = {0};
    if (!begin_line(r))
        return tg_file_fail(r->message, TG_ERROR_FORMAT, r->path, "expected a line of column names, found none");
    const reader start = *r;
    int32_t count = 0;
    for (; !f.last; count++) {
        tg_status status = count < r->most_columns ? take_field(r, &f) : fail_columns(r);
        if (status != TG_OK)
            return status;
    }
    *r = start;
    r->columns = tg_allocate_zero(r->context, (size_t)count * sizeof *r->columns);
    if (!r->columns)
        return tg_file_fail(r->message, TG_ERROR_MEMORY, r->path, "%s", tg_status_text(TG_ERROR_MEMORY));
    r->count = count;
    for (int32_t i = 0; i < count; i++) {
        tg_status status = take_field(r, &f);
        if (status != TG_OK)
            return status;
        unquote(&f);
        r->columns[i] = (column){f, -1, -1};
    }
    return TG_OK;
}

static bool is_named(const column *c, const char *name)
{
    return c->name.length == strlen(name) && memcmp(c->name.text, name, c->name.length) == 0;
}

static tg_status fail_unknown(const reader *r, const char *name)
{
    char list[200], text[EXCERPT];
    size_t length = 0;
    for (int32_t i = 0; i < r->count && length < sizeof list; i++)
        length +=
            (size_t)snprintf(list + length, sizeof list - length, "%s%s", i ? ", " : "", excerpt(&r->columns[i].name, text));
    return tg_file_fail(r->message, TG_ERROR_FORMAT, r->path, "line %" PRId64 ": expected a column named '%.40s', found %s%s",
                        r->columns[0].name.line, name, list, length < sizeof list ? "" : "...");
}

/* The one column of that name, which must not have been chosen before. */
static tg_status choose(const reader *r, const char *name, column **chosen)
{
    *chosen = NULL;
    for (int32_t i = 0; i < r->count; i++) {
        if (!is_named(&r->columns[i], name))
            continue;
        if (*chosen)
            return fail_field(r, &r->columns[i].name, "each chosen name once in the header");
        *chosen = &r->columns[i];
    }
    if (!*chosen)
        return fail_unknown(r, name);
    if ((*chosen)->input >= 0 || (*chosen)->target >= 0)
        return fail_field(r, &(*chosen)->name, "each column to be chosen once");
    return TG_OK;
}

static tg_status choose_columns(const reader *r, const tg_csv_options *options, tg_csv *csv)
{
    column *chosen;
    tg_status status = TG_OK;
    for (; status == TG_OK && csv->targets < options->target_count; csv->targets++) {
        status = choose(r, options->targets[csv->targets], &chosen);
        if (status == TG_OK)
            chosen->target = csv->targets;
    }
    for (; status == TG_OK && csv->inputs < options->input_count; csv->inputs++) {
        status = choose(r, options->inputs[csv->inputs], &chosen);
        if (status == TG_OK)
            chosen->input = csv->inputs;
    }
    for (int32_t i = 0; status == TG_OK && options->input_count == 0 && i < r->count; i++)
        if (r->columns[i].target < 0)
            r->columns[i].input = csv->inputs++;
    if (status == TG_OK && csv->inputs == 0)
        return tg_file_fail(r->message, TG_ERROR_FORMAT, r->path,
                            "line %" PRId64 ": expected a column besides the targets, found none", r->columns[0].name.line);
    return status;
}

/* ---- the rows ---- */

/* Makes sure that each line has its fields before memory for them is asked for. */
static tg_status count_rows(reader r, int64_t *rows)
{
    for (*rows = 0; begin_line(&r); ++*rows) {
        field f = {0};
        int64_t line = r.line;
        while (!f.last) {
            tg_status status = take_field(&r, &f);
            if (status != TG_OK)
                return status;
        }
        if (r.next != r.count)
            return tg_file_fail(r.message, TG_ERROR_FORMAT, r.path,
                                "line %" PRId64 ": expected %d fields, as the header has, found %d", line, (int)r.count,
                                (int)r.next);
    }
    if (*rows == 0)
        return tg_file_fail(r.message, TG_ERROR_FORMAT, r.path, "expected rows below the line of column names, found none");
    return TG_OK;
}

static bool is_missing(const field *f)
{
    static const char *const words[] = {"", "NA", "NaN", "nan"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (f->length == strlen(words[i]) && memcmp(f->text, words[i], f->length) == 0)
            return true;
    return false;
}

/* A number; the text goes on behind the field, but not with anything that a number is made of. */
static tg_status take_value(const reader *r, const field *f, bool may_miss, float *value)
{
    *value = NAN;
    if (is_missing(f))
        return may_miss ? TG_OK : fail_field(r, f, "a target");
    char *end = f->text;
    if (strspn(f->text, "0123456789+-.eE") >= f->length) /* neither hexadecimal nor infinite */
        *value = tg_take_f32(f->text, &end);
    if (end != f->text + f->length)
        return fail_field(r, f, "a number");
    return isfinite(*value) ? TG_OK : fail_field(r, f, "a number that f32 holds");
}

static tg_status read_rows(reader *r, tg_csv *csv)
{
    for (int64_t row = 0; row < csv->rows && begin_line(r); row++) {
        for (int32_t i = 0; i < r->count; i++) {
            const column *c = &r->columns[i];
            field f;
            tg_status status = take_field(r, &f);
            if (status == TG_OK && c->input >= 0)
                status = take_value(r, &f, true, &csv->x[row * csv->inputs + c->input]);
            if (status == TG_OK && c->target >= 0)
                status = take_value(r, &f, false, &csv->y[row * csv->targets + c->target]);
            if (status != TG_OK)
                return status;
        }
    }
    return TG_OK;
}

/* ---- the table ---- */

static size_t x_bytes(const tg_csv *csv) { return (size_t)csv->rows * (size_t)csv->inputs * sizeof *csv->x; }
static size_t y_bytes(const tg_csv *csv) { return (size_t)csv->rows * (size_t)csv->targets * sizeof *csv->y; }

static bool allocate(tg_csv *csv, const reader *r)
{
    csv->names_bytes = (size_t)(csv->inputs + csv->targets) * sizeof *csv->names;
    for (int32_t i = 0; i < r->count; i++)
        csv->names_bytes += r->columns[i].name.length + 1;
    csv->names = tg_allocate(csv->context, csv->names_bytes);
    csv->x = tg_allocate(csv->context, x_bytes(csv));
    csv->y = csv->targets ? tg_allocate(csv->context, y_bytes(csv)) : NULL;
    return csv->names && csv->x && (csv->y || !csv->targets);
}

/* Puts the text of the names behind the pointers to it. */
static void copy_names(tg_csv *csv, const reader *r)
{
    char *text = (char *)(csv->names + csv->inputs + csv->targets);
    for (int32_t i = 0; i < r->count; i++) {
        const column *c = &r->columns[i];
        if (c->input < 0 && c->target < 0)
            continue;
        csv->names[c->input >= 0 ? c->input : csv->inputs + c->target] = text;
        memcpy(text, c->name.text, c->name.length);
        text[c->name.length] = '\0';
        text += c->name.length + 1;
    }
}

static tg_status read_table(reader *r, const tg_csv_options *options, tg_csv *csv)
{
    tg_status status = read_header(r);
    if (status == TG_OK)
        status = choose_columns(r, options, csv);
    if (status == TG_OK)
        status = count_rows(*r, &csv->rows);
    if (status != TG_OK)
        return status;
    if (!allocate(csv, r))
        return tg_file_fail(r->message, TG_ERROR_MEMORY, r->path, "out of memory for %" PRId64 " rows", csv->rows);
    copy_names(csv, r);
    return read_rows(r, csv);
}

tg_status tg_csv_read(tg_context *context, const char *path, tg_csv_options options, tg_csv *csv, char *message)
{
    tg_text_file file;
    *csv = (tg_csv){.context = context};
    reader r = {.context = context,
                .path = path,
                .message = message,
                .most_columns = options.most_columns > 0 ? options.most_columns : TG_CSV_COLUMNS,
                .separator = options.separator ? options.separator : ',',
                .line = 1};
    if (strchr("\"\r\n0123456789+-.eE", r.separator))
        return tg_file_fail(message, TG_ERROR_ARGUMENT, path, "numbers, quotes and line ends cannot separate fields");
    tg_status status = tg_text_file_read(context, path, &file, message);
    if (status != TG_OK)
        return status;
    r.at = file.text + (strncmp(file.text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0);
    status = read_table(&r, &options, csv);
    tg_release(context, r.columns, (size_t)r.count * sizeof *r.columns);
    tg_text_file_free(&file);
    if (status != TG_OK)
        tg_csv_free(csv);
    return status;
}

tg_rows tg_csv_rows(const tg_csv *csv, int64_t first, int64_t count)
{
    first = first < 0 ? 0 : first < csv->rows ? first : csv->rows;
    count = count < csv->rows - first ? count : csv->rows - first;
    return (tg_rows){csv->x ? csv->x + first * csv->inputs : NULL, csv->y ? csv->y + first * csv->targets : NULL,
                     count > 0 ? count : 0};
}

void tg_csv_free(tg_csv *csv)
{
    tg_release(csv->context, csv->x, x_bytes(csv));
    tg_release(csv->context, csv->y, y_bytes(csv));
    tg_release(csv->context, (void *)csv->names, csv->names_bytes);
    *csv = (tg_csv){0};
}
