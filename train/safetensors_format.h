/* Inside the library: what the reader and the writer of safetensors share. */
#ifndef TG_TRAIN_SAFETENSORS_FORMAT_H
#define TG_TRAIN_SAFETENSORS_FORMAT_H

#include "graph/name_map.h"
#include "train/safetensors.h"
#include "train/stream.h"

#define TG_SAFETENSORS_METADATA "__metadata__"
/* What the format allows a header to have. */
#define TG_SAFETENSORS_MAX_HEADER ((int64_t)100000000)
/* The header's length stands before it in 8 bytes, and is a multiple of 8. */
#define TG_SAFETENSORS_PREFIX 8

struct tg_safetensors {
    tg_stream stream;
    char *path;
    size_t path_bytes;
    char *header; /* names and texts point into it */
    size_t header_bytes;
    int64_t data_start;
    tg_safetensor *tensors;
    int32_t count, capacity;
    tg_text_pair *metadata;
    int32_t metadata_count, metadata_capacity;
    tg_name_map names, keys; /* of tensors; of metadata */
};

/** The format's word for a dtype. */
const char *tg_safetensors_dtype(tg_dtype dtype);
/** Parses file->header and fills in the rest. */
tg_status tg_safetensors_parse(tg_safetensors *file);
/** A name as a message has room for it. */
const char *tg_safetensors_shown(const char *name, char text[100]);

#endif
