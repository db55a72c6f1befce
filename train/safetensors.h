/* safetensors: the file format for weights that Python's safetensors package reads and writes: a header in JSON, then the values.
   The variables of a store go out under their names, such as "dense/kernel", and come back all or not at all. */
#ifndef TG_TRAIN_SAFETENSORS_H
#define TG_TRAIN_SAFETENSORS_H

#include "graph/variables.h"
#include "train/array.h"
#include "train/byte_array.h"

TG_BEGIN_DECLS

/** An entry of a file's metadata, which are text only. */
typedef struct tg_text_pair {
    const char *key, *value;
} tg_text_pair;

typedef struct tg_safetensors_options {
    bool all;             /**< every variable, also moments, counters and metrics; else the trainable ones */
    const tg_array *more; /**< tensors besides the store's */
    int more_count;
    const tg_text_pair *metadata; /**< those without a value (NULL) are left out */
    int metadata_count;
} tg_safetensors_options;

/** Writes a store's variables in the order of the format's reference writer: the widest dtype first, then by name. A regular file
    appears under its name when it is complete; until then, and if anything fails, what stood there stays. Waits for runs that
    hold the store. On failure `message`, of TG_MESSAGE_SIZE bytes, gets one sentence with the path: TG_ERROR_IO, TG_ERROR_MEMORY,
    or TG_ERROR_ARGUMENT for a name that is not UTF-8 or appears twice. */
TG_API TG_MUST_USE tg_status tg_safetensors_save(tg_variables *variables, const char *path, tg_safetensors_options options,
                                                 char *message);

/** A file whose header was read and found sound. */
typedef struct tg_safetensors tg_safetensors;

/** A tensor of a file. Valid until the file is closed. */
typedef struct tg_safetensor {
    const char *name;
    const char *dtype; /**< the format's word: "F32", also "BF16" and others that no variable has */
    tg_shape shape;
    int64_t begin, end; /**< its bytes, counted from the first value of the file */
} tg_safetensor;

/** Opens a regular file and checks its header: the length, the JSON (no key twice), dtypes, shapes, and that the tensors' bytes lie
    one after another from the header to the end of the file. NULL on failure: *status is TG_ERROR_IO, TG_ERROR_MEMORY or
    TG_ERROR_FORMAT, and `message`, of TG_MESSAGE_SIZE bytes, has one sentence that names file, tensor or byte, and expectation. */
TG_API tg_safetensors *tg_safetensors_open(tg_context *context, const char *path, tg_status *status, char *message);
TG_API void tg_safetensors_close(tg_safetensors *file);

TG_API int tg_safetensors_count(const tg_safetensors *file);
/** The i-th tensor in the order of the values. NULL if i is out of range. */
TG_API const tg_safetensor *tg_safetensors_at(const tg_safetensors *file, int i);
/** NULL if there is none of that name. */
TG_API const tg_safetensor *tg_safetensors_find(const tg_safetensors *file, const char *name);
/** The value of a key of the metadata; NULL if there is none. Valid until the file is closed. */
TG_API const char *tg_safetensors_metadata(const tg_safetensors *file, const char *key);

/** Reads the tensor of that name and type, `bytes` bytes. Failures as in tg_safetensors_load(). */
TG_API TG_MUST_USE tg_status tg_safetensors_read(tg_safetensors *file, const char *name, tg_type type, void *values, size_t bytes,
                                                 char *message);

/** Gives a store's variables the file's values: all its variables, or the trainable ones. Each must be in the file with the
    same dtype and shape, and nothing else but `besides` (a name, or NULL). The store changes only after all of the file has been
    read. TG_ERROR_FORMAT, TG_ERROR_IO and TG_ERROR_MEMORY put one sentence into `message`, of TG_MESSAGE_SIZE bytes. */
TG_API TG_MUST_USE tg_status tg_safetensors_load(tg_safetensors *file, tg_variables *variables, bool all, const char *besides,
                                                 char *message);

TG_END_DECLS

#endif
