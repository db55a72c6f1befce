#include "train/safetensors.h"

#include <inttypes.h>
#include <string.h>

#include "graph/rebuild.h"
#include "train/file_kind.h"
#include "train/safetensors_format.h"

/* ---- opening ---- */

static tg_status out_of_memory(const tg_safetensors *file)
{
    return tg_file_fail(file->stream.message, TG_ERROR_MEMORY, file->path, "out of memory");
}

#define A_FILE "a safetensors file (tools/import_weights makes one of Keras's and PyTorch's)"

static tg_status read_header(tg_safetensors *file)
{
    uint8_t prefix[TG_SAFETENSORS_PREFIX];
    uint64_t length = 0;
    int64_t most = file->stream.file_bytes - TG_SAFETENSORS_PREFIX;
    tg_status status = most > 0 ? TG_OK : tg_stream_refuse_kind(&file->stream, TG_FILE_SAFETENSORS, A_FILE);
    if (status == TG_OK)
        status = tg_stream_bytes_at(&file->stream, 0, prefix, sizeof prefix, "the length of a safetensors header");
    if (status != TG_OK)
        return status;
    for (int i = TG_SAFETENSORS_PREFIX - 1; i >= 0; i--)
        length = length << 8 | prefix[i];
    bool sound = length <= (uint64_t)TG_SAFETENSORS_MAX_HEADER && length <= (uint64_t)most && length >= 2;
    status = sound ? TG_OK : tg_stream_refuse_kind(&file->stream, TG_FILE_SAFETENSORS, A_FILE);
    if (status != TG_OK)
        return status;
    if (!sound)
        return tg_stream_fail_raw(&file->stream, 0,
                                  "expected the length of a safetensors header, from 2 to %" PRId64 ", found %" PRIu64,
                                  most < TG_SAFETENSORS_MAX_HEADER ? most : TG_SAFETENSORS_MAX_HEADER, length);
    file->header_bytes = (size_t)length + 1;
    file->header = tg_allocate(file->stream.context, file->header_bytes);
    if (!file->header)
        return out_of_memory(file);
    file->header[length] = '\0';
    file->data_start = TG_SAFETENSORS_PREFIX + (int64_t)length;
    return tg_stream_bytes_at(&file->stream, TG_SAFETENSORS_PREFIX, file->header, (size_t)length, "a safetensors header");
}

tg_safetensors *tg_safetensors_open(tg_context *context, const char *path, tg_status *status, char *message)
{
    tg_safetensors *file = tg_allocate_zero(context, sizeof *file);
    size_t bytes = strlen(path) + 1;
    char *copy = tg_allocate(context, bytes);
    if (!file || !copy) {
        tg_release(context, copy, bytes);
        tg_release(context, file, sizeof *file);
        *status = tg_file_fail(message, TG_ERROR_MEMORY, path, "out of memory");
        return NULL;
    }
    memcpy(copy, path, bytes);
    file->path = copy;
    file->path_bytes = bytes;
    *status = tg_stream_open_raw(&file->stream, context, file->path, message);
    if (*status == TG_OK)
        *status = read_header(file);
    if (*status == TG_OK)
        *status = tg_safetensors_parse(file);
    if (*status == TG_OK)
        return file;
    tg_safetensors_close(file);
    return NULL;
}

void tg_safetensors_close(tg_safetensors *file)
{
    if (!file)
        return;
    tg_context *context = file->stream.context;
    tg_stream_close(&file->stream);
    tg_name_map_free(&file->names, context);
    tg_name_map_free(&file->keys, context);
    tg_release(context, file->metadata, (size_t)file->metadata_capacity * sizeof *file->metadata);
    tg_release(context, file->tensors, (size_t)file->capacity * sizeof *file->tensors);
    tg_release(context, file->header, file->header_bytes);
    tg_release(context, file->path, file->path_bytes);
    tg_release(context, file, sizeof *file);
}

/* ---- looking ---- */

int tg_safetensors_count(const tg_safetensors *file) { return file->count; }

const tg_safetensor *tg_safetensors_at(const tg_safetensors *file, int i)
{
    return i >= 0 && i < file->count ? &file->tensors[i] : NULL;
}

const tg_safetensor *tg_safetensors_find(const tg_safetensors *file, const char *name)
{
    return tg_safetensors_at(file, tg_name_map_find(&file->names, name));
}

const char *tg_safetensors_metadata(const tg_safetensors *file, const char *key)
{
    int32_t at = tg_name_map_find(&file->keys, key);
    return at < 0 ? NULL : file->metadata[at].value;
}

/* ---- reading ---- */

/* The tensor of that name and type; NULL and *status if there is none. */
static const tg_safetensor *require(const tg_safetensors *file, const char *name, tg_type type, tg_status *status)
{
    char wanted[200], found[200], shown[100], shown_dtype[100];
    const tg_safetensor *tensor = tg_safetensors_find(file, name);
    const char *dtype = tg_safetensors_dtype(type.dtype);
    tg_safetensors_shown(name, shown);
    tg_shape_text(type.shape, wanted, sizeof wanted);
    *status = TG_OK;
    if (!tensor) {
        *status = tg_file_fail(file->stream.message, TG_ERROR_FORMAT, file->path,
                               "tensor %s: expected %s %.80s, found no such tensor", shown, dtype, wanted);
    } else if (strcmp(tensor->dtype, dtype) || !tg_shape_equal(tensor->shape, type.shape)) {
        tg_shape_text(tensor->shape, found, sizeof found);
        *status = tg_file_fail(file->stream.message, TG_ERROR_FORMAT, file->path, "tensor %s: expected %s %.80s, found %s %.80s",
                               shown, dtype, wanted, tg_safetensors_shown(tensor->dtype, shown_dtype), found);
    }
    return *status == TG_OK ? tensor : NULL;
}

tg_status tg_safetensors_read(tg_safetensors *file, const char *name, tg_type type, void *values, size_t bytes, char *message)
{
    tg_status status;
    file->stream.message = message;
    if (bytes != (size_t)tg_type_bytes(type))
        return tg_file_fail(message, TG_ERROR_ARGUMENT, file->path, "%zu bytes are not what was asked for", bytes);
    const tg_safetensor *tensor = require(file, name, type, &status);
    return tensor ? tg_stream_bytes_at(&file->stream, file->data_start + tensor->begin, values, bytes, "a tensor's values")
                  : status;
}

static bool chosen(const tg_variable_info *info, bool all) { return info && (all || info->trainable); }

/* The store's variables and the file's tensors must be the same ones. */
static tg_status check_against(tg_safetensors *file, const tg_variables *variables, bool all, const char *besides)
{
    tg_status status = TG_OK;
    char shown[100];
    for (int i = 0; status == TG_OK && i < tg_variables_count(variables); i++) {
        const tg_variable_info *info = tg_variables_at(variables, i);
        if (chosen(info, all))
            require(file, info->name, info->type, &status);
    }
    for (int32_t i = 0; status == TG_OK && i < file->count; i++) {
        const char *name = file->tensors[i].name;
        if (!chosen(tg_variables_find(variables, name), all) && !(besides && !strcmp(name, besides)))
            status = tg_file_fail(file->stream.message, TG_ERROR_FORMAT, file->path,
                                  "tensor %s: expected the model's %s alone, found this, which is none of them",
                                  tg_safetensors_shown(name, shown), all ? "variables" : "weights");
    }
    return status;
}

static void take_over(const tg_safetensors *file, tg_variables *variables, bool all, const char *values)
{
    tg_variables_lock(variables, true);
    for (int32_t i = 0; i < file->count; i++) {
        const tg_safetensor *tensor = &file->tensors[i];
        const tg_variable_info *info = tg_variables_find(variables, tensor->name);
        if (chosen(info, all))
            memcpy(tg_variable_data(info), values + tensor->begin, (size_t)(tensor->end - tensor->begin));
    }
    tg_variables_touch(variables);
    tg_variables_unlock(variables, false);
}

tg_status tg_safetensors_load(tg_safetensors *file, tg_variables *variables, bool all, const char *besides, char *message)
{
    file->stream.message = message;
    tg_status status = check_against(file, variables, all, besides);
    if (status != TG_OK)
        return status;
    size_t bytes = (size_t)(file->stream.file_bytes - file->data_start);
    char *values = tg_allocate(file->stream.context, bytes);
    if (!values)
        return out_of_memory(file);
    status = tg_stream_bytes_at(&file->stream, file->data_start, values, bytes, "the tensors' values");
    if (status == TG_OK)
        take_over(file, variables, all, values);
    tg_release(file->stream.context, values, bytes);
    return status;
}
