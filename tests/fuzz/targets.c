#define _GNU_SOURCE /* memfd_create */
#include "targets.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#if defined(__linux__)
#include <sys/mman.h>
#endif
#include <unistd.h>

#include "graph/context.h"
#include "graph/number_text.h"
#include "graph/safe_text.h"
#include "train/class_names.h"
#include "train/csv.h"
#include "train/gzip.h"
#include "train/history.h"
#include "train/idx.h"
#include "train/image_file.h"
#include "train/json_reader.h"
#include "train/json_text.h"
#include "train/npy.h"
#include "train/npz.h"
#include "train/pgm.h"
#include "train/png_file.h"
#include "train/report.h"
#include "train/safetensors.h"
#include "train/svg.h"
#include "train/text_columns.h"

#define FILE_BYTES (1 << 18) /* of tg_context_options: what a packed file may become at least */
#define FIXED_BYTES 400000   /* that a reader may take for any file */

/* One input: a context, a file with its bytes, and what its first bytes chose, which are no part of the file. */
typedef struct input {
    tg_context *context;
    const char *path;
    const uint8_t *choice; /* of as many bytes as the target asks for */
    const uint8_t *data;   /* the rest */
    size_t size;
    char message[TG_MESSAGE_SIZE];
    size_t budget; /* beyond FIXED_BYTES; to be set by the target */
} input;

static void broken(const char *promise, const char *text)
{
    fprintf(stderr, "broken promise: %s: %s\n", promise, text);
    abort();
}

static bool is_safe(const char *text)
{
    for (int length; *text; text += length) {
        length = tg_utf8_length(text);
        if (length == 0 || tg_steers(tg_utf8_code(text, length)))
            return false;
    }
    return true;
}

/* A failure has one sentence that may be shown. */
static bool good(const input *in, tg_status status)
{
    if (status != TG_OK && (!*in->message || !is_safe(in->message)))
        broken("a failure is told in a sentence that may be shown", in->message);
    return status == TG_OK;
}

static size_t larger(size_t a, size_t b) { return a > b ? a : b; }

/* ---- arrays and pictures ---- */

static const tg_wanted_array wanted_arrays[] = {
    {.what = "images", .name = "images", .shape = {3, {-1, -1, -1}}, .maximum = 255},
    {.what = "labels", .name = "labels", .shape = {1, {-1}}, .maximum = 9},
    {.what = "values", .name = "x", .shape = {2, {-1, 4}}, .maximum = 255},
};

static tg_wanted_array wanted(const input *in)
{
    return wanted_arrays[in->choice[0] % (sizeof wanted_arrays / sizeof *wanted_arrays)];
}

static size_t packed_budget(const input *in) { return larger(FILE_BYTES, 32 * in->size); }

static void read_idx(input *in)
{
    tg_byte_array array;
    in->budget = packed_budget(in);
    if (good(in, tg_idx_read(in->context, in->path, wanted(in), &array, in->message)))
        tg_byte_array_free(&array);
}

static void read_npz(input *in)
{
    tg_byte_array array;
    in->budget = packed_budget(in);
    if (good(in, tg_npz_read(in->context, in->path, wanted(in), &array, in->message)))
        tg_byte_array_free(&array);
}

static void read_npy(input *in)
{
    tg_array array;
    in->budget = packed_budget(in);
    if (good(in, tg_npy_read(in->context, in->path, in->choice[0] % 2 ? "x" : NULL, &array, in->message)))
        tg_npy_free(in->context, &array);
}

static void read_png(input *in)
{
    tg_byte_array array;
    in->budget = packed_budget(in) + 4 * TG_PNG_EXTENT + 8 * 2 * TG_PNG_EXTENT; /* a row, and libpng's two */
    if (good(in, tg_png_read(in->context, in->path, &array, in->message)))
        tg_byte_array_free(&array);
}

static void read_pgm(input *in)
{
    tg_byte_array array;
    in->budget = in->size;
    if (good(in, tg_pgm_read(in->context, in->path, &array, in->message)))
        tg_byte_array_free(&array);
}

static void read_image(input *in)
{
    tg_image_file file;
    in->budget = packed_budget(in) + 4 * TG_PNG_EXTENT + 8 * 2 * TG_PNG_EXTENT;
    if (good(in, tg_image_file_read(in->context, in->path, &file, in->message)))
        tg_byte_array_free(&file.images);
}

/* ---- weights and tables ---- */

/* Opens, looks at all of it, and reads what fits into a small room. */
static void read_safetensors(input *in)
{
    static double room[64];
    tg_status status;
    in->budget = 17 * in->size;
    tg_safetensors *file = tg_safetensors_open(in->context, in->path, &status, in->message);
    if (!good(in, status))
        return;
    for (int i = 0; i < tg_safetensors_count(file); i++) {
        const tg_safetensor *tensor = tg_safetensors_at(file, i);
        if (tg_safetensors_find(file, tensor->name) != tensor)
            broken("a tensor is found by its name", tensor->name);
        tg_type type = {TG_F32, tensor->shape};
        if (tg_type_bytes(type) <= (int64_t)sizeof room)
            good(in, tg_safetensors_read(file, tensor->name, type, room, (size_t)tg_type_bytes(type), in->message));
    }
    (void)!tg_safetensors_metadata(file, "model");
    tg_safetensors_close(file);
}

static void read_csv(input *in)
{
    static const char separators[] = ",;\t ";
    static const char *const first[] = {"a"};
    tg_csv csv;
    tg_csv_options options = {.most_columns = 1000, .separator = separators[in->choice[0] % 4]};
    options.header = (tg_csv_header)(in->choice[0] / 4 % 3);
    options.targets = first;
    options.target_count = in->choice[0] / 16 % 2;
    in->budget = 5 * in->size + 100 * 1000;
    if (!good(in, tg_csv_read(in->context, in->path, options, &csv, in->message)))
        return;
    for (int64_t i = 0; i < csv.rows * csv.targets; i++)
        if (!isfinite(csv.y[i]))
            broken("a target is a number", in->path);
    tg_csv_free(&csv);
}

static void read_history(input *in)
{
    tg_history history;
    in->budget = 12 * in->size;
    if (good(in, tg_history_read(in->context, in->path, &history, in->message)))
        tg_history_free(&history);
}

/* ---- texts ---- */

static void read_record(input *in)
{
    static tg_run_record record;
    char *text;
    size_t bytes;
    in->budget = in->size;
    if (good(in, tg_run_record_read(in->context, in->path, &record, &text, &bytes, in->message)))
        tg_release(in->context, text, bytes);
}

static void read_names(input *in)
{
    tg_class_names names;
    in->budget = in->size;
    if (!good(in, tg_class_names_read(in->context, in->path, 1 + in->choice[0] % 10, &names, in->message)))
        return;
    for (int i = 0; i <= in->choice[0] % 10; i++)
        if (!is_safe(names.names[i]))
            broken("a name may be shown", in->path);
    tg_class_names_free(&names);
}

/* What makes text safe, and JSON out of it and back. */
static void show_text(input *in)
{
    char *text = malloc(in->size + 1), small[24], *written = NULL, *shown = NULL;
    size_t size = 0;
    memcpy(text, in->data, in->size);
    text[in->size] = '\0';
    FILE *out = open_memstream(&written, &size);
    size_t counted = tg_json_quote(out, text);
    fclose(out);
    tg_json_reader reader = {.at = written};
    if (counted != size || !is_safe(written) || !tg_json_take_text(&reader) || *reader.at)
        broken("a text in JSON is one, and may be shown", "tg_json_quote");
    out = open_memstream(&shown, &size);
    tg_put_safe(out, text);
    fclose(out);
    snprintf(small, sizeof small, "%s", text);
    tg_make_safe(small, sizeof small);
    if (!is_safe(shown) || !is_safe(small))
        broken("what is made safe may be shown", "tg_put_safe");
    tg_text_fit(text, in->choice[0] % 20, in->choice[0] & 64, small, sizeof small);
    if (!is_safe(small) || tg_text_columns(small) > in->choice[0] % 20)
        broken("what is fitted into columns fits, and may be shown", "tg_text_fit");
    (void)!tg_take_f64(text, NULL);
    free(shown);
    out = open_memstream(&shown, &size);
    tg_xml_text(out, text);
    fclose(out);
    if (strpbrk(shown, "<\x1B"))
        broken("text in XML is neither a tag nor a control character", "tg_xml_text");
    free(text);
    free(written);
    free(shown);
}

/* ---- all of them ---- */

static const struct {
    const char *name;
    void (*run)(input *in);
    size_t choices; /* first bytes that are no part of the file */
} targets[] = {{"csv", read_csv, 1},
               {"history", read_history, 0},
               {"idx", read_idx, 1},
               {"image", read_image, 0},
               {"names", read_names, 1},
               {"npy", read_npy, 1},
               {"npz", read_npz, 1},
               {"pgm", read_pgm, 0},
               {"png", read_png, 0},
               {"record", read_record, 0},
               {"safetensors", read_safetensors, 0},
               {"text", show_text, 1}};

const char *target_name(int i) { return i >= 0 && (size_t)i < sizeof targets / sizeof *targets ? targets[i].name : NULL; }

/* A file of its own for this process, in memory where the system has such. Its path lives as long. */
static const char *file_of_process(int *descriptor)
{
    static char path[64];
    static int opened = -1;
    if (opened < 0) {
#if defined(__linux__)
        opened = memfd_create("fuzz", MFD_CLOEXEC);
        snprintf(path, sizeof path, "/proc/self/fd/%d", opened);
#else
        snprintf(path, sizeof path, "/tmp/tapegrad-fuzz-XXXXXX");
        opened = mkstemp(path);
#endif
    }
    *descriptor = opened;
    return path;
}

void target_run(int i, const uint8_t *data, size_t size)
{
    int descriptor;
    size_t peak;
    size_t choices = targets[i].choices;
    input in = {.path = file_of_process(&descriptor)};
    if (size < choices)
        return;
    in.choice = data;
    in.data = data + choices;
    in.size = size - choices;
    if (ftruncate(descriptor, 0) != 0 || pwrite(descriptor, in.data, in.size, 0) != (ssize_t)in.size)
        broken("there is a file to read", in.path);
    tg_context_options options = tg_context_defaults();
    options.threads = 1;
    options.isa = TG_ISA_BASELINE;
    options.file_bytes = FILE_BYTES;
    in.context = tg_context_new(options);
    if (!in.context)
        broken("there is a context", "");
    targets[i].run(&in);
    if (tg_context_memory(in.context, &peak) != 0)
        broken("all memory is given back", targets[i].name);
    if (peak > FIXED_BYTES + in.budget)
        broken("the budget is kept", targets[i].name);
    tg_context_free(in.context);
}

static size_t big32(const uint8_t *at) { return (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3]; }

void target_mend(int i, uint8_t *data, size_t size)
{
    static const uint8_t signature[] = {0x89, 'P', 'N', 'G', 13, 10, 26, 10};
    size_t at = sizeof signature, length;
    if (targets[i].choices > 0 || size < at || memcmp(data, signature, at) != 0)
        return;
    for (; size - at >= 12 && (length = big32(data + at)) <= size - at - 12; at += 12 + length) {
        uint32_t sum = tg_crc32(0, data + at + 4, 4 + length);
        for (int k = 0; k < 4; k++)
            data[at + 8 + length + (size_t)k] = (uint8_t)(sum >> (24 - 8 * k));
    }
}
