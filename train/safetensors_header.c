/* The header of a safetensors file, which comes from anywhere and is believed nothing.
   {"__metadata__": {"key": "value"}, "dense/kernel": {"dtype": "F32", "shape": [784, 100], "data_offsets": [0, 313600]}} */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "train/json_reader.h"
#include "train/safetensors_format.h"

/* dtypes whose elements have whole bytes. */
static const struct {
    const char *name;
    int bytes;
} dtypes[] = {{"BOOL", 1}, {"U8", 1},  {"I8", 1},  {"F8_E5M2", 1}, {"F8_E4M3", 1}, {"F8_E8M0", 1},
              {"I16", 2},  {"U16", 2}, {"F16", 2}, {"BF16", 2},    {"I32", 4},     {"U32", 4},
              {"F32", 4},  {"F64", 8}, {"I64", 8}, {"U64", 8},     {"C64", 8}};

const char *tg_safetensors_dtype(tg_dtype dtype)
{
    static const char *const words[TG_DTYPE_COUNT] = {[TG_F32] = "F32", [TG_F64] = "F64", [TG_I32] = "I32", [TG_U8] = "U8"};
    return words[dtype];
}

const char *tg_safetensors_shown(const char *name, char text[100])
{
    snprintf(text, 100, "%.90s%s", name, strlen(name) > 90 ? "..." : "");
    return text;
}

static tg_status out_of_memory(const tg_safetensors *file)
{
    return tg_file_fail(file->stream.message, TG_ERROR_MEMORY, file->path, "out of memory");
}

/* Makes room for one more item. */
static bool grow(tg_context *context, void **items, int32_t count, int32_t *capacity, size_t size)
{
    if (count < *capacity)
        return true;
    int32_t more = *capacity ? 2 * *capacity : 16;
    void *bigger = tg_allocate(context, (size_t)more * size);
    if (!bigger)
        return false;
    if (count)
        memcpy(bigger, *items, (size_t)count * size);
    tg_release(context, *items, (size_t)*capacity * size);
    *items = bigger;
    *capacity = more;
    return true;
}

/* ---- the JSON: false with `status` TG_OK is the reader's failure ---- */

typedef struct parser {
    tg_json_reader json;
    tg_safetensors *file;
    bool has_metadata;
    tg_status status;
} parser;

static bool fail_expected(parser *p, const char *expected)
{
    p->json.expected = expected;
    return false;
}

static bool parse_pair(parser *p, char *key)
{
    tg_safetensors *file = p->file;
    void *items = file->metadata;
    char *value = tg_json_expect(&p->json, ':', "':'") ? tg_json_take_text(&p->json) : NULL;
    if (!value)
        return false;
    if (!grow(file->stream.context, &items, file->metadata_count, &file->metadata_capacity, sizeof *file->metadata)) {
        p->status = out_of_memory(file);
        return false;
    }
    file->metadata = items;
    file->metadata[file->metadata_count++] = (tg_text_pair){key, value};
    return true;
}

static bool parse_metadata(parser *p)
{
    if (p->has_metadata)
        return fail_expected(p, "one " TG_SAFETENSORS_METADATA);
    p->has_metadata = true;
    if (!tg_json_expect(&p->json, '{', "'{'"))
        return false;
    if (tg_json_accept(&p->json, '}'))
        return true;
    do {
        char *key = tg_json_take_text(&p->json);
        if (!key || !parse_pair(p, key))
            return false;
    } while (tg_json_accept(&p->json, ','));
    return tg_json_expect(&p->json, '}', "',' or '}'");
}

static bool parse_shape(parser *p, tg_shape *shape)
{
    *shape = tg_shape_make(0, NULL);
    if (!tg_json_expect(&p->json, '[', "'['"))
        return false;
    if (tg_json_accept(&p->json, ']'))
        return true;
    do {
        if (shape->rank == TG_MAX_RANK)
            return fail_expected(p, "a shape of 8 extents at most");
        if (!tg_json_take_count(&p->json, &shape->dims[shape->rank++]))
            return false;
    } while (tg_json_accept(&p->json, ','));
    return tg_json_expect(&p->json, ']', "',' or ']'");
}

static bool parse_offsets(parser *p, tg_safetensor *tensor)
{
    return tg_json_expect(&p->json, '[', "'['") && tg_json_take_count(&p->json, &tensor->begin) &&
           tg_json_expect(&p->json, ',', "','") && tg_json_take_count(&p->json, &tensor->end) &&
           tg_json_expect(&p->json, ']', "']'");
}

/* Each of the three keys once, in any order. */
static bool parse_tensor(parser *p, tg_safetensor *tensor)
{
    static const char *const keys[] = {"dtype", "shape", "data_offsets"};
    unsigned seen = 0;
    if (!tg_json_expect(&p->json, '{', "'{'"))
        return false;
    do {
        char *key = tg_json_take_text(&p->json), *start = p->json.at;
        int which = 0;
        while (key && which < 3 && strcmp(key, keys[which]))
            which++;
        if (!key || !tg_json_expect(&p->json, ':', "':'"))
            return false;
        if (which == 3 || seen & 1u << which) {
            p->json.at = start;
            return fail_expected(p, "each of dtype, shape and data_offsets once, and nothing else");
        }
        seen |= 1u << which;
        bool good = which == 0   ? (tensor->dtype = tg_json_take_text(&p->json)) != NULL
                    : which == 1 ? parse_shape(p, &tensor->shape)
                                 : parse_offsets(p, tensor);
        if (!good)
            return false;
    } while (tg_json_accept(&p->json, ','));
    if (!tg_json_expect(&p->json, '}', "',' or '}'"))
        return false;
    return seen == 7 || fail_expected(p, "dtype, shape and data_offsets of the tensor before");
}

static bool parse_entry(parser *p)
{
    tg_safetensors *file = p->file;
    void *items = file->tensors;
    tg_safetensor tensor = {.name = tg_json_take_text(&p->json)};
    if (!tensor.name || !tg_json_expect(&p->json, ':', "':'"))
        return false;
    if (!strcmp(tensor.name, TG_SAFETENSORS_METADATA))
        return parse_metadata(p);
    if (!parse_tensor(p, &tensor))
        return false;
    if (!grow(file->stream.context, &items, file->count, &file->capacity, sizeof *file->tensors)) {
        p->status = out_of_memory(file);
        return false;
    }
    file->tensors = items;
    file->tensors[file->count++] = tensor;
    return true;
}

static bool parse_entries(parser *p)
{
    if (p->json.at[0] != '{')
        return fail_expected(p, "'{' at once");
    p->json.at++;
    if (!tg_json_accept(&p->json, '}')) {
        do {
            if (!parse_entry(p))
                return false;
        } while (tg_json_accept(&p->json, ','));
        if (!tg_json_expect(&p->json, '}', "',' or '}'"))
            return false;
    }
    bool whole = tg_json_accept(&p->json, '\0') && p->json.at == p->file->header + p->file->header_bytes - 1;
    return whole || fail_expected(p, "nothing but spaces after the last '}'");
}

/* ---- what it says ---- */

static tg_status fail_tensor(const tg_safetensors *file, const tg_safetensor *tensor, const char *text)
{
    char shown[100];
    return tg_file_fail(file->stream.message, TG_ERROR_FORMAT, file->path, "tensor %s: %s",
                        tg_safetensors_shown(tensor->name, shown), text);
}

static tg_status check_type(const tg_safetensors *file, const tg_safetensor *tensor)
{
    char text[400], shape[200], shown[100];
    size_t i = 0, known = sizeof dtypes / sizeof *dtypes;
    while (i < known && strcmp(dtypes[i].name, tensor->dtype))
        i++;
    if (i == known) {
        snprintf(text, sizeof text, "expected a dtype such as F32, found %s", tg_safetensors_shown(tensor->dtype, shown));
        return fail_tensor(file, tensor, text);
    }
    tg_shape_text(tensor->shape, shape, sizeof shape);
    if (!tg_shape_valid(tensor->shape)) {
        snprintf(text, sizeof text, "expected a shape of fewer than 2^60 elements, found %s", shape);
        return fail_tensor(file, tensor, text);
    }
    int64_t bytes = tg_shape_count(tensor->shape) * dtypes[i].bytes;
    if (tensor->end < tensor->begin || tensor->end - tensor->begin != bytes) {
        snprintf(text, sizeof text, "expected %" PRId64 " bytes for %s %s, found data_offsets [%" PRId64 ", %" PRId64 "]", bytes,
                 tensor->dtype, shape, tensor->begin, tensor->end);
        return fail_tensor(file, tensor, text);
    }
    return TG_OK;
}

static int by_place(const void *left, const void *right)
{
    const tg_safetensor *a = left, *b = right;
    if (a->begin != b->begin)
        return a->begin < b->begin ? -1 : 1;
    return a->end != b->end ? a->end < b->end ? -1 : 1 : strcmp(a->name, b->name);
}

/* The values must lie one after another, from the header to the end of the file. */
static tg_status check_places(tg_safetensors *file)
{
    int64_t at = 0, bytes = file->stream.file_bytes - file->data_start;
    char text[200];
    if (file->count)
        qsort(file->tensors, (size_t)file->count, sizeof *file->tensors, by_place);
    for (int32_t i = 0; i < file->count; i++) {
        const tg_safetensor *tensor = &file->tensors[i];
        if (tensor->begin != at) {
            snprintf(text, sizeof text, "expected its values from byte %" PRId64 " on, where others end, found byte %" PRId64, at,
                     tensor->begin);
            return fail_tensor(file, tensor, text);
        }
        at = tensor->end;
        if (at > bytes) {
            snprintf(text, sizeof text,
                     "expected its values within the file's %" PRId64 " bytes of values, found its end at %" PRId64, bytes, at);
            return fail_tensor(file, tensor, text);
        }
    }
    if (at != bytes)
        return tg_stream_fail_raw(&file->stream, file->data_start + at,
                                  "expected the end of the file, found %" PRId64 " more bytes", bytes - at);
    return TG_OK;
}

static tg_status check_names(tg_safetensors *file)
{
    tg_context *context = file->stream.context;
    char shown[100];
    for (int32_t i = 0; i < file->count; i++) {
        if (tg_name_map_find(&file->names, file->tensors[i].name) >= 0)
            return fail_tensor(file, &file->tensors[i], "expected once, found twice");
        if (!tg_name_map_add(&file->names, context, file->tensors[i].name, i))
            return out_of_memory(file);
    }
    for (int32_t i = 0; i < file->metadata_count; i++) {
        if (tg_name_map_find(&file->keys, file->metadata[i].key) >= 0)
            return tg_file_fail(file->stream.message, TG_ERROR_FORMAT, file->path, "metadata: expected %s once, found it twice",
                                tg_safetensors_shown(file->metadata[i].key, shown));
        if (!tg_name_map_add(&file->keys, context, file->metadata[i].key, i))
            return out_of_memory(file);
    }
    return TG_OK;
}

tg_status tg_safetensors_parse(tg_safetensors *file)
{
    parser p = {.json = {.at = file->header}, .file = file};
    if (!parse_entries(&p)) {
        int64_t byte = TG_SAFETENSORS_PREFIX + (p.json.at - file->header);
        return p.status != TG_OK ? p.status
                                 : tg_stream_fail_raw(&file->stream, byte, "expected %s, found something else", p.json.expected);
    }
    tg_status status = TG_OK;
    for (int32_t i = 0; status == TG_OK && i < file->count; i++)
        status = check_type(file, &file->tensors[i]);
    if (status == TG_OK)
        status = check_places(file);
    return status == TG_OK ? check_names(file) : status;
}
