#include "train/mnist.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "graph/number_text.h"
#include "graph/safe_text.h"
#include "train/file_kind.h"
#include "train/idx.h"
#include "train/npz.h"
#include "train/permutation.h"
#include "train/synthetic.h"

#define PATH_BYTES 4096

/* One of the two sets, under the names that it goes by. */
typedef struct set_names {
    const char *images[2], *labels[2]; /* the original's, and with the dot that some archives have */
    const char *npz_images, *npz_labels;
} set_names;

static const set_names train_names = {
    .images = {"train-images-idx3-ubyte", "train-images.idx3-ubyte"},
    .labels = {"train-labels-idx1-ubyte", "train-labels.idx1-ubyte"},
    .npz_images = "x_train",
    .npz_labels = "y_train",
};

static const set_names test_names = {
    .images = {"t10k-images-idx3-ubyte", "t10k-images.idx3-ubyte"},
    .labels = {"t10k-labels-idx1-ubyte", "t10k-labels.idx1-ubyte"},
    .npz_images = "x_test",
    .npz_labels = "y_test",
};

static const char *const fashion_classes[TG_MNIST_CLASSES] = {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
                                                              "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot"};

/* The first training labels of Fashion-MNIST (https://github.com/zalandoresearch/fashion-mnist). Chance makes others the same once in
   10^64 times. */
static const char fashion_labels[] = "9003027255095579106431484302445366085216679592730333722668335055";

static bool is_fashion(const tg_image_set *train)
{
    int64_t same = 0, known = sizeof fashion_labels - 1;
    while (same < known && same < train->count && train->labels[same] == fashion_labels[same] - '0')
        same++;
    return same == known;
}

static tg_status fail(char *message, const char *path, const char *what, const char *why)
{
    tg_message(message, TG_MESSAGE_SIZE, "%.200s: %s%s", path, what, why);
    return TG_ERROR_IO;
}

/* What cannot be looked at counts as there, so that opening it says why. */
static bool file_exists(const char *path)
{
    struct stat about;
    if (stat(path, &about))
        return errno != ENOENT && errno != ENOTDIR;
    return !S_ISDIR(about.st_mode);
}

static bool join(char path[PATH_BYTES], const char *folder, const char *name, const char *suffix)
{
    int length = snprintf(path, PATH_BYTES, "%s/%s%s", folder, name, suffix);
    return length > 0 && length < PATH_BYTES;
}

/* Plain before packed: it needs no unpacking. */
static bool find_file(const char *folder, const char *const names[2], char path[PATH_BYTES])
{
    for (int i = 0; i < 4; i++)
        if (join(path, folder, names[i % 2], i < 2 ? "" : ".gz") && file_exists(path))
            return true;
    return false;
}

static bool find_npz(const char *folder, char path[PATH_BYTES])
{
    return join(path, folder, "mnist.npz", "") && file_exists(path);
}

static bool has_idx(const char *folder)
{
    char path[PATH_BYTES];
    return find_file(folder, train_names.images, path) || find_file(folder, train_names.labels, path) ||
           find_file(folder, test_names.images, path) || find_file(folder, test_names.labels, path);
}

static bool has_data(const char *folder)
{
    char path[PATH_BYTES];
    return has_idx(folder) || find_npz(folder, path);
}

/* Where the arrays of one data set are. */
typedef struct place {
    tg_context *context;
    const char *folder; /* of IDX files, or NULL */
    const char *npz;    /* if there is no folder */
    char *message;
} place;

static tg_status read_array(const place *from, const char *const names[2], tg_wanted_array wanted, tg_byte_array *array)
{
    char path[PATH_BYTES], what[128];
    if (!from->folder)
        return tg_npz_read(from->context, from->npz, wanted, array, from->message);
    if (find_file(from->folder, names, path))
        return tg_idx_read(from->context, path, wanted, array, from->message);
    snprintf(what, sizeof what, "expected the file %s there, plain or .gz, found none; ", names[0]);
    return fail(from->message, from->folder, what, TG_MNIST_FETCH " gets all four");
}

static tg_status read_set(const place *from, const set_names *names, tg_image_set *set)
{
    tg_byte_array labels = {0}, images = {0};
    tg_wanted_array wanted = {.what = "labels", .name = names->npz_labels, .maximum = TG_MNIST_CLASSES - 1};
    wanted.shape = TG_SHAPE(-1);
    tg_status status = read_array(from, names->labels, wanted, &labels);
    if (status != TG_OK)
        return status;
    set->count = labels.shape.dims[0];
    set->labels = tg_allocate(from->context, (size_t)set->count * sizeof *set->labels);
    if (set->labels)
        for (int64_t i = 0; i < set->count; i++)
            set->labels[i] = labels.data[i];
    tg_byte_array_free(&labels);
    if (!set->labels) {
        snprintf(from->message, TG_MESSAGE_SIZE, "out of memory for %" PRId64 " labels", set->count);
        return TG_ERROR_MEMORY;
    }
    wanted = (tg_wanted_array){.what = "images (one for each label)", .name = names->npz_images, .maximum = UINT8_MAX};
    wanted.shape = TG_SHAPE(set->count, TG_MNIST_ROWS, TG_MNIST_COLUMNS);
    status = read_array(from, names->images, wanted, &images);
    set->images = images.data; /* the set takes them over, and frees them by its own count */
    return status;
}

/* The test set on its way, on a thread of its own. */
typedef struct reading {
    place from;
    tg_image_set *set;
    tg_status status;
    char message[TG_MESSAGE_SIZE];
} reading;

static void *read_test_set(void *arg)
{
    reading *test = arg;
    test->status = read_set(&test->from, &test_names, test->set);
    return NULL;
}

/* Both sets at once, where the context has threads for it: most of the time goes into unpacking. */
static tg_status read_both(const place *from, tg_mnist *data)
{
    reading test = {.from = *from, .set = &data->test};
    pthread_t thread;
    test.from.message = test.message;
    bool apart = tg_context_threads(from->context) > 1 && pthread_create(&thread, NULL, read_test_set, &test) == 0;
    tg_status status = read_set(from, &train_names, &data->train);
    if (apart)
        pthread_join(thread, NULL);
    else if (status == TG_OK)
        read_test_set(&test);
    if (status != TG_OK || test.status == TG_OK)
        return status;
    memcpy(from->message, test.message, sizeof test.message);
    return test.status;
}

static tg_status read_sets(const place *from, tg_mnist *data)
{
    tg_status status = read_both(from, data);
    bool fashion = status == TG_OK && is_fashion(&data->train);
    data->classes = fashion ? fashion_classes : NULL;
    snprintf(data->source, sizeof data->source, "%s%s%.400s", fashion ? "Fashion-MNIST, " : "",
             from->folder ? "IDX files in " : "", from->folder ? from->folder : from->npz);
    return status;
}

/* A file of a kind that is no .npz; others, and damaged ones, are for its reader. */
static tg_status refuse_file(const place *from, const char *path)
{
    tg_stream stream;
    tg_status status = tg_stream_open_raw(&stream, from->context, path, from->message);
    tg_file_kind kind = status == TG_OK ? tg_stream_kind(&stream) : TG_FILE_UNKNOWN;
    tg_stream_close(&stream);
    if (status != TG_OK || kind == TG_FILE_UNKNOWN || kind == TG_FILE_ZIP)
        return status;
    bool idx = kind == TG_FILE_IDX || kind == TG_FILE_GZIP;
    return tg_file_fail(from->message, TG_ERROR_FORMAT, path,
                        "expected a folder with MNIST's four IDX files or mnist.npz, or an .npz file, found %s%s",
                        tg_file_kind_name(kind), idx ? ": name the folder that it lies in" : "");
}

/* Reads what is at `path`: a folder with IDX files or mnist.npz, or an .npz file. `named_by` tells in a message who named it. */
static tg_status read_place(const char *path, const char *named_by, tg_mnist *data, char *message)
{
    struct stat about;
    char npz[PATH_BYTES];
    place from = {.context = data->context, .message = message};
    if (stat(path, &about)) {
        tg_message(message, TG_MESSAGE_SIZE, "%.200s: %s%s; " TG_MNIST_FETCH " gets the files", path, tg_system_reason(errno),
                   named_by);
        return TG_ERROR_IO;
    }
    if (!S_ISDIR(about.st_mode)) {
        tg_status status = refuse_file(&from, path);
        if (status != TG_OK)
            return status;
        from.npz = path;
    } else if (has_idx(path)) {
        from.folder = path;
    } else if (find_npz(path, npz)) {
        from.npz = npz;
    } else {
        return fail(message, path, "expected MNIST's four IDX files or mnist.npz there, found none; " TG_MNIST_FETCH " gets them",
                    named_by);
    }
    return read_sets(&from, data);
}

/* The first of the usual places that has any of the files. */
static bool find_place(char path[PATH_BYTES])
{
    const char *home = getenv("HOME"), *shared = getenv("XDG_DATA_HOME");
    if (shared && shared[0] == '/') { /* the specification has relative ones ignored */
        if (join(path, shared, "tapegrad/mnist", "") && has_data(path))
            return true;
    } else if (home && join(path, home, ".local/share/tapegrad/mnist", "") && has_data(path)) {
        return true;
    }
    if (join(path, ".", "data", "") && has_data(path))
        return true;
    return home && join(path, home, ".keras/datasets/mnist.npz", "") && file_exists(path);
}

static bool allocate_set(tg_context *context, int64_t count, tg_image_set *set)
{
    set->count = count;
    set->images = tg_allocate(context, (size_t)count * TG_MNIST_PIXELS);
    set->labels = tg_allocate(context, (size_t)count * sizeof *set->labels);
    return set->images && set->labels;
}

static tg_status draw(uint64_t seed, tg_mnist *data, char *message)
{
    tg_image_set *train = &data->train, *test = &data->test;
    data->synthetic = true;
    snprintf(data->source, sizeof data->source, "synthetic digits (seed %" PRIu64 ")", seed);
    if (!allocate_set(data->context, 60000, train) || !allocate_set(data->context, 10000, test)) {
        tg_message(message, TG_MESSAGE_SIZE, "out of memory for synthetic digits");
        return TG_ERROR_MEMORY;
    }
    tg_synthetic_digits(seed, "train", train->count, train->images, train->labels);
    tg_synthetic_digits(seed, "test", test->count, test->images, test->labels);
    return TG_OK;
}

tg_status tg_mnist_load(tg_context *context, const char *where, uint64_t seed, tg_mnist *data, char *message)
{
    const char *named_by = "", *variable = getenv("MNIST_DIR");
    char *found = tg_allocate(context, PATH_BYTES); /* several on the stack would be too many */
    *data = (tg_mnist){.context = context};
    message[0] = '\0';
    if (!found) {
        tg_message(message, TG_MESSAGE_SIZE, "%s", tg_status_text(TG_ERROR_MEMORY));
        return TG_ERROR_MEMORY;
    }
    if (!where && variable && variable[0]) {
        where = variable;
        named_by = " (named by $MNIST_DIR)";
    } else if (!where && find_place(found)) {
        where = found;
    }
    bool real = where && strcmp(where, "synthetic");
    tg_status status = real ? read_place(where, named_by, data, message) : draw(seed, data, message);
    tg_release(context, found, PATH_BYTES);
    if (status != TG_OK)
        tg_mnist_free(data);
    return status;
}

static void free_set(tg_context *context, tg_image_set *set)
{
    tg_release(context, set->images, (size_t)set->count * TG_MNIST_PIXELS);
    tg_release(context, set->labels, (size_t)set->count * sizeof *set->labels);
}

static void shuffle(tg_image_set *set, const int32_t order[TG_MNIST_PIXELS])
{
    uint8_t before[TG_MNIST_PIXELS];
    for (int64_t i = 0; i < set->count; i++) {
        uint8_t *image = set->images + i * TG_MNIST_PIXELS;
        memcpy(before, image, sizeof before);
        for (int k = 0; k < TG_MNIST_PIXELS; k++)
            image[k] = before[order[k]];
    }
}

void tg_mnist_shuffle_pixels(tg_mnist *data, uint64_t seed)
{
    int32_t order[TG_MNIST_PIXELS];
    tg_permutation(seed, "mnist/pixels", 0, order, TG_MNIST_PIXELS);
    shuffle(&data->train, order);
    shuffle(&data->test, order);
}

void tg_mnist_free(tg_mnist *data)
{
    if (!data || !data->context)
        return;
    free_set(data->context, &data->train);
    free_set(data->context, &data->test);
    *data = (tg_mnist){0};
}
