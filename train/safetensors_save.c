#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "graph/number_text.h"
#include "graph/rebuild.h"
#include "graph/safe_text.h"
#include "train/json_text.h"
#include "train/safetensors_format.h"
#include "train/whole_file.h"

/* What is written, in order. */
typedef struct contents {
    tg_variables *variables;
    const tg_safetensors_options *options;
    tg_array *arrays;
    int count;
} contents;

/* A header that is written, or only counted while `out` is NULL. */
typedef struct header {
    FILE *out;
    size_t bytes;
} header;

static void put(header *h, const char *format, ...) TG_PRINTF(2, 3);

static void put(header *h, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int written = h->out ? tg_vput(h->out, format, arguments) : tg_vformat(NULL, 0, format, arguments);
    va_end(arguments);
    h->bytes += written > 0 ? (size_t)written : 0;
}

static void put_text(header *h, const char *text) { h->bytes += tg_json_quote(h->out, text); }

static void put_metadata(header *h, const tg_safetensors_options *options)
{
    const char *between = "";
    put(h, "\"" TG_SAFETENSORS_METADATA "\":{");
    for (int i = 0; i < options->metadata_count; i++) {
        if (!options->metadata[i].value)
            continue;
        put(h, "%s", between);
        between = ",";
        put_text(h, options->metadata[i].key);
        put(h, ":");
        put_text(h, options->metadata[i].value);
    }
    put(h, "}");
}

static void put_header(header *h, const contents *c)
{
    int64_t at = 0;
    put(h, "{");
    if (c->options->metadata_count)
        put_metadata(h, c->options);
    for (int i = 0; i < c->count; i++) {
        tg_type type = c->arrays[i].type;
        put(h, i || c->options->metadata_count ? "," : "");
        put_text(h, c->arrays[i].name);
        put(h, ":{\"dtype\":\"%s\",\"shape\":[", tg_safetensors_dtype(type.dtype));
        for (int axis = 0; axis < type.shape.rank; axis++)
            put(h, "%s%" PRId64, axis ? "," : "", type.shape.dims[axis]);
        put(h, "],\"data_offsets\":[%" PRId64 ",%" PRId64 "]}", at, at + tg_type_bytes(type));
        at += tg_type_bytes(type);
    }
    put(h, "}");
    while (h->bytes % TG_SAFETENSORS_PREFIX)
        put(h, " ");
}

static tg_status write_contents(FILE *out, void *user)
{
    const contents *c = user;
    header counted = {0}, written = {.out = out};
    uint8_t prefix[TG_SAFETENSORS_PREFIX];
    put_header(&counted, c);
    for (int i = 0; i < TG_SAFETENSORS_PREFIX; i++)
        prefix[i] = (uint8_t)((uint64_t)counted.bytes >> (8 * i));
    fwrite(prefix, 1, sizeof prefix, out);
    put_header(&written, c);
    tg_variables_hold(c->variables);
    for (int i = 0; i < c->count && !ferror(out); i++) {
        size_t bytes = (size_t)tg_type_bytes(c->arrays[i].type);
        const void *values = c->arrays[i].values;
        if (!values)
            values = tg_variables_values(c->variables, tg_variables_find(c->variables, c->arrays[i].name));
        if (bytes)
            fwrite(values, 1, bytes, out);
    }
    tg_variables_release(c->variables);
    return ferror(out) ? TG_ERROR_IO : TG_OK;
}

/* The place of a dtype in the reference writer's order, which puts the widest first. */
static int rank_of(tg_dtype dtype)
{
    static const int ranks[TG_DTYPE_COUNT] = {[TG_F64] = 0, [TG_F32] = 1, [TG_I32] = 2, [TG_U8] = 3};
    return ranks[dtype];
}

static int by_dtype_and_name(const void *left, const void *right)
{
    const tg_array *a = left, *b = right;
    int difference = rank_of(a->type.dtype) - rank_of(b->type.dtype);
    return difference ? difference : strcmp(a->name, b->name);
}

static bool is_utf8(const char *text)
{
    int length = 1;
    for (; length && *text; text += length)
        length = tg_utf8_length(text);
    return length;
}

static tg_status check_names(const contents *c, const char *path, char *message)
{
    char shown[100];
    tg_name_map names = {0};
    tg_context *context = tg_variables_context(c->variables);
    tg_status status = TG_OK;
    for (int i = 0; status == TG_OK && i < c->count; i++) {
        const char *name = c->arrays[i].name, *wrong = NULL;
        if (!is_utf8(name) || !strcmp(name, TG_SAFETENSORS_METADATA))
            wrong = "is no name that the format can hold";
        else if (tg_name_map_find(&names, name) >= 0)
            wrong = "appears twice";
        if (wrong)
            status = tg_file_fail(message, TG_ERROR_ARGUMENT, path, "tensor %s: %s", tg_safetensors_shown(name, shown), wrong);
        else if (!tg_name_map_add(&names, context, name, i))
            status = tg_file_fail(message, TG_ERROR_MEMORY, path, "out of memory");
    }
    tg_name_map_free(&names, context);
    return status;
}

/* The first `count` variables, without their values, which are the store's until it is held, and what is saved besides. */
static void collect(contents *c, int count)
{
    for (int i = 0; i < count; i++) {
        const tg_variable_info *info = tg_variables_at(c->variables, i);
        if (c->options->all || info->trainable)
            c->arrays[c->count++] = (tg_array){info->name, info->type, NULL};
    }
    for (int i = 0; i < c->options->more_count; i++)
        c->arrays[c->count++] = c->options->more[i];
    if (c->count)
        qsort(c->arrays, (size_t)c->count, sizeof *c->arrays, by_dtype_and_name);
}

tg_status tg_safetensors_save(tg_variables *variables, const char *path, tg_safetensors_options options, char *message)
{
    tg_context *context = tg_variables_context(variables);
    contents c = {.variables = variables, .options = &options};
    int count = tg_variables_count(variables); /* other threads may declare more meanwhile */
    size_t bytes = (size_t)(count + options.more_count) * sizeof *c.arrays;
    c.arrays = tg_allocate(context, bytes);
    if (!c.arrays)
        return tg_file_fail(message, TG_ERROR_MEMORY, path, "out of memory");
    collect(&c, count);
    tg_status status = check_names(&c, path, message);
    if (status == TG_OK)
        status = tg_write_whole(path, write_contents, &c, message, TG_MESSAGE_SIZE);
    tg_release(context, c.arrays, bytes);
    return status;
}
