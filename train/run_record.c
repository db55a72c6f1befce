#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "graph/number_text.h"
#include "train/history.h"
#include "train/json.h"
#include "train/json_reader.h"
#include "train/text_file.h"

tg_status tg_run_record_write(FILE *out, const tg_run_record *record)
{
    tg_json json = tg_json_begin(out);
    tg_json_text(&json, "model", record->model);
    tg_json_real(&json, "test_accuracy", record->test.accuracy);
    tg_json_real(&json, "test_loss", record->test.loss);
    tg_json_text(&json, "data", record->data);
    if (record->note)
        tg_json_text(&json, "note", record->note);
    tg_json_integer(&json, "parameters", record->parameters);
    tg_json_real(&json, "multiply_adds", record->multiply_adds);
    tg_json_real(&json, "seconds", record->seconds);
    tg_json_unsigned(&json, "seed", record->seed);
    tg_json_integer(&json, "threads", record->threads);
    tg_json_text(&json, "isa", record->isa);
    tg_json_text(&json, "version", record->version);
    tg_json_text(&json, "command", record->command);
    tg_json settings = tg_json_object(&json, "settings");
    for (int i = 0; i < record->n_settings; i++)
        tg_json_text(&settings, record->settings[i].name, record->settings[i].value);
    tg_json_close(&settings);
    if (record->names[0])
        tg_json_texts(&json, "classes", record->names, record->classes);
    tg_json_matrix(&json, "confusion", record->confusion, record->classes, record->classes);
    return tg_json_end(&json);
}

/* ---- reading ---- */

static bool fail(tg_json_reader *reader, const char *expected)
{
    reader->expected = expected;
    return false;
}

static bool take_real(tg_json_reader *reader, double *value)
{
    char *end;
    if (tg_json_accept(reader, 'n')) {
        if (strncmp(reader->at, "ull", 3) != 0)
            return fail(reader, "a number or null");
        reader->at += 3;
        *value = NAN;
        return true;
    }
    if (!strchr("-0123456789", *reader->at) || !*reader->at)
        return fail(reader, "a number or null");
    *value = tg_take_f64(reader->at, &end);
    reader->at = end;
    return true;
}

static bool take_unsigned(tg_json_reader *reader, uint64_t *value)
{
    char *end;
    (void)tg_json_accept(reader, '\0'); /* passes over white space */
    if (*reader->at < '0' || *reader->at > '9')
        return fail(reader, "a whole number");
    *value = strtoull(reader->at, &end, 10);
    reader->at = end;
    return true;
}

static bool take_text(tg_json_reader *reader, const char **text)
{
    *text = tg_json_take_text(reader);
    return *text != NULL;
}

/* A square of counts, whose side its first row tells. */
static bool take_confusion(tg_json_reader *reader, tg_run_record *record)
{
    static const char wanted[] = "as many rows of counts as there are columns, at most 64";
    int rows = 0, columns = 0;
    if (!tg_json_expect(reader, '[', wanted))
        return false;
    do {
        int column = 0;
        if (!tg_json_expect(reader, '[', wanted))
            return false;
        do {
            if (column == TG_MOST_CLASSES || (rows > 0 && (column == columns || rows == columns)))
                return fail(reader, wanted);
            if (!tg_json_take_count(reader, &record->confusion[rows * (rows ? columns : 0) + column++]))
                return false;
        } while (tg_json_accept(reader, ','));
        if (!tg_json_expect(reader, ']', wanted) || (rows > 0 && column != columns))
            return fail(reader, wanted);
        columns = column;
        rows++;
    } while (tg_json_accept(reader, ','));
    record->classes = rows;
    return rows == columns ? tg_json_expect(reader, ']', wanted) : fail(reader, wanted);
}

/* An array of texts. How many are found when all is read: the matrix tells how many there must be. */
static bool take_names(tg_json_reader *reader, tg_run_record *record)
{
    static const char wanted[] = "names of classes, at most 64";
    int n = 0;
    if (!tg_json_expect(reader, '[', wanted))
        return false;
    do {
        const char *name = tg_json_take_text(reader);
        if (!name || n == TG_MOST_CLASSES)
            return name ? fail(reader, wanted) : false;
        record->names[n++] = name;
    } while (tg_json_accept(reader, ','));
    memset(record->names + n, 0, (size_t)(TG_MOST_CLASSES - n) * sizeof *record->names);
    return tg_json_expect(reader, ']', wanted);
}

/* Passes over any value that this library writes; `depth` bounds what is nested. */
static bool skip_value(tg_json_reader *reader, int depth)
{
    double number;
    bool object = tg_json_accept(reader, '{');
    if (!object && !tg_json_accept(reader, '['))
        return *reader->at == '"' ? tg_json_take_text(reader) != NULL : take_real(reader, &number);
    char end = object ? '}' : ']';
    if (tg_json_accept(reader, end))
        return true;
    do {
        if (depth == 0)
            return fail(reader, "fewer values inside of others");
        if (object && (!tg_json_take_text(reader) || !tg_json_expect(reader, ':', "a colon")))
            return false;
        if (!skip_value(reader, depth - 1))
            return false;
    } while (tg_json_accept(reader, ','));
    return tg_json_expect(reader, end, object ? "a comma or }" : "a comma or ]");
}

static bool take_member(tg_json_reader *reader, const char *key, tg_run_record *r)
{
    const struct {
        const char *key, **to;
    } texts[] = {{"model", &r->model}, {"data", &r->data},       {"note", &r->note},
                 {"isa", &r->isa},     {"version", &r->version}, {"command", &r->command}};
    const struct {
        const char *key;
        double *to;
    } reals[] = {{"test_accuracy", &r->test.accuracy},
                 {"test_loss", &r->test.loss},
                 {"multiply_adds", &r->multiply_adds},
                 {"seconds", &r->seconds}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (strcmp(key, texts[i].key) == 0)
            return take_text(reader, texts[i].to);
    for (size_t i = 0; i < sizeof reals / sizeof *reals; i++)
        if (strcmp(key, reals[i].key) == 0)
            return take_real(reader, reals[i].to);
    int64_t threads = 0;
    if (strcmp(key, "seed") == 0)
        return take_unsigned(reader, &r->seed);
    if (strcmp(key, "parameters") == 0)
        return tg_json_take_count(reader, &r->parameters);
    if (strcmp(key, "confusion") == 0)
        return take_confusion(reader, r);
    if (strcmp(key, "classes") == 0)
        return take_names(reader, r);
    if (strcmp(key, "threads") != 0)
        return skip_value(reader, 8);
    if (!tg_json_take_count(reader, &threads) || threads > 1 << 20)
        return fail(reader, "a number of threads");
    r->threads = (int)threads;
    return true;
}

static bool take_record(tg_json_reader *reader, tg_run_record *record)
{
    if (!tg_json_expect(reader, '{', "an object"))
        return false;
    do {
        const char *key = tg_json_take_text(reader);
        if (!key || !tg_json_expect(reader, ':', "a colon") || !take_member(reader, key, record))
            return false;
    } while (tg_json_accept(reader, ','));
    return tg_json_expect(reader, '}', "a comma or }") && tg_json_expect(reader, '\0', "the end");
}

static bool names_fit(const tg_run_record *record)
{
    int n = 0;
    while (n < TG_MOST_CLASSES && record->names[n])
        n++;
    return n == 0 || n == record->classes;
}

tg_status tg_run_record_read(tg_context *context, const char *path, tg_run_record *record, char **text, size_t *bytes,
                             char *message)
{
    tg_text_file file;
    memset(record, 0, sizeof *record); /* a literal might be made on the stack first */
    *text = NULL;
    *bytes = 0;
    tg_status status = tg_text_file_read(context, path, &file, message);
    if (status != TG_OK)
        return status;
    tg_json_reader reader = {.at = file.text};
    if (!take_record(&reader, record))
        status = tg_file_fail(message, TG_ERROR_FORMAT, path, "byte %lld: expected %s", (long long)(reader.at - file.text),
                              reader.expected);
    else if (!record->model || !record->data || !record->classes)
        status = tg_file_fail(message, TG_ERROR_FORMAT, path, "expected a run's \"model\", \"data\" and \"confusion\"");
    else if (!names_fit(record))
        status = tg_file_fail(message, TG_ERROR_FORMAT, path, "expected as many \"classes\" as the side of \"confusion\", %d",
                              record->classes);
    if (status == TG_OK) {
        *text = file.text;
        *bytes = file.bytes;
    } else {
        tg_text_file_free(&file);
        memset(record, 0, sizeof *record);
    }
    return status;
}
