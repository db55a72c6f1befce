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
    tg_csv_header header;
    char *at;
    int64_t line; /* from 1 */
    int32_t next; /* column of the next field */
    column *columns;
    int32_t count;    /* of columns */
    bool has_numbers; /* the first line */
    bool headless;    /* the first line is a row, and columns are named by their numbers from 0 */
} reader;

enum { EXCERPT = 48, NUMBER = 12 };
#define MOST_BYTES (INT64_C(1) << 30)

/* The start of a field for a message. */
static const char *excerpt(const field *f, char text[EXCERPT])
{
    size_t length = f->length < EXCERPT - 4 ? f->length : EXCERPT - 4;
    memcpy(text, f->text, length);
    strcpy(text + length, length < f->length ? "..." : "");
    return text;
}

/* The name of a column; `number` is room for it where the file gives none. */
static field name_of(const reader *r, int32_t i, char number[NUMBER])
{
    if (!r->headless)
        return r->columns[i].name;
    return (field){
        .text = number, .length = (size_t)snprintf(number, NUMBER, "%d", (int)i), .line = r->columns[i].name.line, .column = i};
}

/* "path: line 7, column 3 (weight): expected ..., found '...'" */
static tg_status fail_field(const reader *r, const field *f, const char *expected)
{
    char name[EXCERPT], found[EXCERPT];
    bool named = !r->headless && f->column < r->count;
    const char *title = named ? excerpt(&r->columns[f->column].name, name) : "";
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

static bool is_blank(char c) { return c == ' ' || c == '\t'; }

static void trim(field *f)
{
    for (; f->length && is_blank(*f->text); f->text++)
        f->length--;
    while (f->length && is_blank(f->text[f->length - 1]))
        f->length--;
}

static char *past_blanks(const reader *r, char *at)
{
    while (is_blank(*at) && *at != r->separator)
        at++;
    return at;
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
    r->at = past_blanks(r, to + 1);
    if (*r->at != r->separator && !ends_line(*r->at))
        return fail_field(r, f, "nothing behind a field in quotes");
    return TG_OK;
}

static tg_status take_field(reader *r, field *f)
{
    *f = (field){.text = r->at, .line = r->line, .column = r->next};
    if (r->next++ == INT32_MAX)
        return fail_field(r, f, "fewer columns");
    char *begin = past_blanks(r, r->at);
    if (*begin == '"') {
        r->at = begin;
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

/* ---- numbers ---- */

static bool is_missing(const field *f)
{
    static const char *const words[] = {"", "NA", "NaN", "nan"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (f->length == strlen(words[i]) && memcmp(f->text, words[i], f->length) == 0)
            return true;
    return false;
}

/* A number of up to seven figures, with or without a point: a whole number and a power of ten that f32 holds exactly, so that one
   division rounds as the long way would. Most fields are such, and read several times as fast. */
static bool is_short_number(const field *f, float *value)
{
    static const float powers[] = {1, 1e1F, 1e2F, 1e3F, 1e4F, 1e5F, 1e6F, 1e7F};
    bool negative = f->length && *f->text == '-', point = false;
    int32_t whole = 0, figures = 0, decimals = 0;
    for (size_t i = negative; i < f->length; i++) {
        char c = f->text[i];
        if (c == '.' && !point) {
            point = true;
            continue;
        }
        if (c < '0' || c > '9' || ++figures > 7)
            return false;
        whole = 10 * whole + (c - '0');
        decimals += point;
    }
    *value = (float)whole / powers[decimals];
    *value = negative ? -*value : *value;
    return figures > 0;
}

/* Whether a field is a number, which may be too large for f32. The text goes on behind the field, but not with anything that a number
   is made of. */
static bool is_number(const field *f, float *value)
{
    if (is_short_number(f, value))
        return true;
    char *end = f->text;
    if (strspn(f->text, "0123456789+-.eE") >= f->length) /* neither hexadecimal nor infinite */
        *value = tg_take_f32(f->text, &end);
    return f->length && end == f->text + f->length;
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

/* Counts the fields of the first line, and finds out whether it is a row. */
static tg_status look_at_first_line(reader *r)
{
    field f = {0};
    float value;
    int32_t count = 0, numbers = 0, missing = 0;
    reader ahead = *r;
    for (; !f.last; count++) {
        tg_status status = count < r->most_columns ? take_field(&ahead, &f) : fail_columns(r);
        if (status != TG_OK)
            return status;
        missing += is_missing(&f);
        numbers += is_number(&f, &value);
    }
    r->has_numbers = numbers > 0;
    r->headless = r->header == TG_CSV_HEADER_NONE || (r->header == TG_CSV_HEADER_AUTO && numbers && numbers + missing == count);
    r->columns = tg_allocate_zero(r->context, (size_t)count * sizeof *r->columns);
    if (!r->columns)
        return tg_file_fail(r->message, TG_ERROR_MEMORY, r->path, "%s", tg_status_text(TG_ERROR_MEMORY));
    r->count = count;
    return TG_OK;
}

/* The names of all columns. */
static tg_status read_header(reader *r)
{
    field f;
    if (!begin_line(r))
        return tg_file_fail(r->message, TG_ERROR_FORMAT, r->path, "expected a line of column names, found none");
    tg_status status = look_at_first_line(r);
    reader ahead = *r;
    for (int32_t i = 0; status == TG_OK && i < r->count; i++) {
        status = take_field(&ahead, &f);
        if (status == TG_OK && !r->headless)
            unquote(&f);
        r->columns[i] = (column){f, -1, -1};
    }
    if (status == TG_OK && !r->headless)
        *r = ahead;
    return status;
}

static bool is_named(const reader *r, int32_t i, const char *name)
{
    char number[NUMBER];
    field own = name_of(r, i, number);
    return own.length == strlen(name) && memcmp(own.text, name, own.length) == 0;
}

/* What to do where the first line was taken for what it is not. */
static const char *header_hint(const reader *r)
{
    static const char others[] = ",;\t|";
    for (size_t i = 0; r->count == 1 && i < sizeof others - 1; i++)
        if (others[i] != r->separator && memchr(r->columns[0].name.text, others[i], r->columns[0].name.length))
            return ": .separator is another";
    if (r->headless)
        return r->header == TG_CSV_HEADER_AUTO
                   ? ", as the line holds numbers alone: .header = TG_CSV_HEADER_LINE takes it for names"
                   : "";
    return r->has_numbers ? ": .header = TG_CSV_HEADER_NONE takes the line for a row" : "";
}

static tg_status fail_unknown(const reader *r, const char *name)
{
    char list[200], text[EXCERPT], number[NUMBER];
    size_t length = 0;
    for (int32_t i = 0; i < r->count && length < sizeof list; i++) {
        field own = name_of(r, i, number);
        length += (size_t)snprintf(list + length, sizeof list - length, "%s%s", i ? ", " : "", excerpt(&own, text));
    }
    return tg_file_fail(r->message, TG_ERROR_FORMAT, r->path, "line %" PRId64 ": expected a column named '%.40s', found %s%s%s",
                        r->columns[0].name.line, name, list, length < sizeof list ? "" : "...", header_hint(r));
}

/* The one column of that name, which must not have been chosen before. */
static tg_status choose(const reader *r, const char *name, column **chosen)
{
    *chosen = NULL;
    for (int32_t i = 0; i < r->count; i++) {
        if (!is_named(r, i, name))
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
                                "line %" PRId64 ": expected %d fields, as the %s has, found %d", line, (int)r.count,
                                r.headless ? "first line" : "header", (int)r.next);
    }
    if (*rows == 0)
        return tg_file_fail(r.message, TG_ERROR_FORMAT, r.path, "expected rows below the line of column names, found none");
    return TG_OK;
}

static tg_status take_value(const reader *r, const field *f, bool may_miss, float *value)
{
    *value = NAN;
    if (is_missing(f))
        return may_miss ? TG_OK : fail_field(r, f, "a target");
    if (!is_number(f, value))
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
    char number[NUMBER];
    csv->names_bytes = (size_t)(csv->inputs + csv->targets) * sizeof *csv->names;
    for (int32_t i = 0; i < r->count; i++)
        csv->names_bytes += name_of(r, i, number).length + 1;
    csv->names = tg_allocate(csv->context, csv->names_bytes);
    csv->x = tg_allocate(csv->context, x_bytes(csv));
    csv->y = csv->targets ? tg_allocate(csv->context, y_bytes(csv)) : NULL;
    return csv->names && csv->x && (csv->y || !csv->targets);
}

/* Puts the text of the names behind the pointers to it. */
static void copy_names(tg_csv *csv, const reader *r)
{
    char *text = (char *)(csv->names + csv->inputs + csv->targets), number[NUMBER];
    for (int32_t i = 0; i < r->count; i++) {
        const column *c = &r->columns[i];
        if (c->input < 0 && c->target < 0)
            continue;
        field own = name_of(r, i, number);
        csv->names[c->input >= 0 ? c->input : csv->inputs + c->target] = text;
        memcpy(text, own.text, own.length);
        text[own.length] = '\0';
        text += own.length + 1;
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
    csv->header = !r->headless;
    copy_names(csv, r);
    return read_rows(r, csv);
}

static void say_what_was_assumed(const reader *r)
{
    if (r->headless && r->header == TG_CSV_HEADER_AUTO)
        (void)!tg_file_fail(r->message, TG_OK, r->path,
                            "line %" PRId64 " holds numbers alone, so it was taken for a row, and the columns are named 0 to %d: "
                            ".header = TG_CSV_HEADER_LINE takes it for names",
                            r->columns[0].name.line, (int)r->count - 1);
}

tg_status tg_csv_read(tg_context *context, const char *path, tg_csv_options options, tg_csv *csv, char *message)
{
    tg_text_file file;
    const tg_text_limit limit = {options.most_bytes > 0 ? options.most_bytes : MOST_BYTES, ": .most_bytes allows more"};
    *csv = (tg_csv){.context = context};
    reader r = {.context = context,
                .path = path,
                .message = message,
                .most_columns = options.most_columns > 0 ? options.most_columns : TG_CSV_COLUMNS,
                .separator = options.separator ? options.separator : ',',
                .header = options.header,
                .line = 1};
    if (strchr("\"\r\n0123456789+-.eE", r.separator))
        return tg_file_fail(message, TG_ERROR_ARGUMENT, path, "numbers, quotes and line ends cannot separate fields");
    tg_status status = tg_text_file_read_within(context, path, limit, &file, message);
    if (status != TG_OK)
        return status;
    message[0] = '\0';
    r.at = file.text + (strncmp(file.text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0);
    status = read_table(&r, &options, csv);
    if (status == TG_OK)
        say_what_was_assumed(&r);
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

static tg_table part_of(const tg_csv *csv, float *values, int32_t columns, int64_t first, int64_t count)
{
    bool there = values && first >= 0 && count >= 0 && first <= csv->rows && count <= csv->rows - first;
    return (tg_table){there ? values + first * columns : NULL, there ? count : 0, columns};
}

tg_table tg_csv_x(const tg_csv *csv, int64_t first, int64_t count) { return part_of(csv, csv->x, csv->inputs, first, count); }

tg_table tg_csv_y(const tg_csv *csv, int64_t first, int64_t count) { return part_of(csv, csv->y, csv->targets, first, count); }

void tg_csv_free(tg_csv *csv)
{
    tg_release(csv->context, csv->x, x_bytes(csv));
    tg_release(csv->context, csv->y, y_bytes(csv));
    tg_release(csv->context, (void *)csv->names, csv->names_bytes);
    *csv = (tg_csv){0};
}
