/* Copies a file by way of the library, for tests/test_exchange.py:
       exchange safetensors IN OUT    exchange npy IN OUT    exchange npz IN OUT NAME... */
#include <stdio.h>
#include <string.h>

#include "train/npy.h"
#include "train/safetensors.h"

static char message[TG_MESSAGE_SIZE];

/* A variable for each tensor. */
static tg_status declare(tg_variables *store, const tg_safetensors *file)
{
    static const char *const words[] = {[TG_F32] = "F32", [TG_F64] = "F64", [TG_I32] = "I32", [TG_U8] = "U8"};
    for (int i = 0; i < tg_safetensors_count(file); i++) {
        const tg_safetensor *tensor = tg_safetensors_at(file, i);
        tg_type type = {.dtype = TG_F32, .shape = tensor->shape};
        while (type.dtype < TG_U8 && strcmp(words[type.dtype], tensor->dtype))
            type.dtype++;
        if (!tg_variables_declare(store, tensor->name, type, (tg_init){0}, false))
            return TG_ERROR_MEMORY;
    }
    return TG_OK;
}

static tg_status copy_safetensors(tg_context *context, const char *in, const char *out)
{
    tg_status status;
    tg_variables *store = tg_variables_new(context, 1);
    tg_safetensors *file = tg_safetensors_open(context, in, &status, message);
    if (file)
        status = declare(store, file);
    if (status == TG_OK)
        status = tg_safetensors_load(file, store, true, NULL, message);
    if (status == TG_OK)
        status = tg_safetensors_save(store, out, (tg_safetensors_options){.all = true}, message);
    tg_safetensors_close(file);
    tg_variables_free(store);
    return status;
}

enum { MOST = 16 };

static tg_status copy_arrays(tg_context *context, const char *in, const char *out, int count, char **names)
{
    tg_array arrays[MOST] = {{0}};
    tg_status status = TG_OK;
    int n = 0;
    do
        status = tg_npy_read(context, in, count ? names[n] : NULL, &arrays[n], message);
    while (++n < count && n < MOST && status == TG_OK);
    if (status == TG_OK)
        status = count ? tg_npz_write(context, out, arrays, n, message) : tg_npy_write(out, arrays[0], message);
    for (int i = 0; i < n; i++)
        tg_npy_free(context, &arrays[i]);
    return status;
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return 2;
    tg_context *context = tg_context_new(tg_context_defaults());
    tg_status status = strcmp(argv[1], "safetensors") ? copy_arrays(context, argv[2], argv[3], argc - 4, argv + 4)
                                                      : copy_safetensors(context, argv[2], argv[3]);
    tg_context_free(context);
    if (status != TG_OK)
        fprintf(stderr, "%s\n", message);
    return status != TG_OK;
}
