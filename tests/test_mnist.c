#include "data_files.h"
#include "failing_allocator.h"
#include "harness.h"
#include "train/gzip.h"
#include "train/mnist.h"

#define FASHION "/usr/share/datasets/fashion-mnist"

static char folder[256];
static char *real_folder; /* what $MNIST_DIR named when the program began, or NULL */
static tg_context *context;
static char message[TG_MESSAGE_SIZE];
static tg_mnist data;

/* The tests decide themselves what the environment says. */
static void setup(void)
{
    context = begin_in_folder(folder);
    ck_assert_int_eq(unsetenv("MNIST_DIR"), 0);
    ck_assert_int_eq(unsetenv("XDG_DATA_HOME"), 0);
    ck_assert_int_eq(setenv("HOME", in_folder(folder, "home"), 1), 0);
    ck_assert_int_eq(mkdir(in_folder(folder, "here"), 0700), 0);
    ck_assert_int_eq(chdir(in_folder(folder, "here")), 0);
}

static void teardown(void)
{
    tg_mnist_free(&data);
    tg_mnist_free(&data);
    ck_assert_int_eq(chdir("/"), 0);
    end_in_folder(folder, context);
}

/* Makes a folder, and those around it. */
static void make_folders(const char *path)
{
    char part[4096];
    for (size_t i = 1; i <= strlen(path); i++)
        if (path[i] == '/' || !path[i]) {
            snprintf(part, sizeof part, "%.*s", (int)i, path);
            mkdir(part, 0700);
        }
    struct stat about;
    ck_assert_int_eq(stat(path, &about), 0);
}

static void put(const char *place, const char *name, blob content)
{
    write_file(in_folder(place, name), content);
    blob_free(&content);
}

static blob images_file(int64_t count) { return idx_file(TG_SHAPE(count, 28, 28), 251); }
static blob labels_file(int64_t count) { return idx_file(TG_SHAPE(count), 10); }

/* A small set: as many training images as asked for, and four to test. */
static void put_set(const char *where, int64_t count)
{
    char place[4096];
    snprintf(place, sizeof place, "%s", where); /* in_folder() may have made it */
    make_folders(place);
    put(place, "train-images-idx3-ubyte", images_file(count));
    put(place, "train-labels-idx1-ubyte", labels_file(count));
    put(place, "t10k-images-idx3-ubyte", images_file(4));
    put(place, "t10k-labels-idx1-ubyte", labels_file(4));
}

static void put_npz(const char *path, int64_t count)
{
    zip_writer zip = {0};
    const char *members[] = {"x_train.npy", "y_train.npy", "x_test.npy", "y_test.npy"};
    for (int i = 0; i < 4; i++) {
        char dict[128];
        int64_t n = i < 2 ? count : 4;
        blob values = i % 2 ? labels_file(n) : images_file(n);
        size_t header = i % 2 ? 8 : 16;
        snprintf(dict, sizeof dict, "{'descr': '|u1', 'fortran_order': False, 'shape': (%d,%s), }", (int)n,
                 i % 2 ? "" : " 28, 28");
        blob npy = npy_file(dict, (blob){values.data + header, values.size - header});
        zip_add(&zip, members[i], npy);
        blob_free(&values);
        blob_free(&npy);
    }
    blob file = zip_finish(&zip);
    write_file(path, file);
    blob_free(&file);
}

static tg_status load(const char *where)
{
    tg_mnist_free(&data);
    memset(message, 'x', sizeof message);
    return tg_mnist_load(context, where, 5, &data, message);
}

static void check_set(const tg_image_set *set, int64_t count)
{
    ck_assert_int_eq(set->count, count);
    int64_t wrong = 0;
    for (int64_t i = 0; i < count; i++)
        wrong += set->labels[i] != i % 10;
    for (int64_t i = 0; i < count * TG_MNIST_PIXELS; i++)
        wrong += set->images[i] != i % 251;
    ck_assert_int_eq(wrong, 0);
}

static void check_loaded(const char *where, int64_t count, const char *source)
{
    tg_status status = load(where);
    ck_assert_msg(status == TG_OK, "%s", message);
    ck_assert_str_eq(message, "");
    check_set(&data.train, count);
    check_set(&data.test, 4);
    ck_assert(!data.synthetic);
    ck_assert_str_eq(data.source, source);
}

static void check_refused(const char *where, tg_status expected, const char *file, const char *text)
{
    ck_assert_int_eq(load(where), expected);
    ck_assert_msg(strstr(message, file) && strstr(message, text), "expected \"%s\" and \"%s\" in: %s", file, text, message);
    ck_assert_ptr_null(data.train.images);
    ck_assert_ptr_null(data.test.labels);
    ck_assert_uint_eq(tg_context_memory(context, NULL), 0);
}

START_TEST(a_folder_of_idx_files_is_read)
{
    put_set("set", 12);
    check_loaded("set", 12, "IDX files in set");
    ck_assert_uint_eq((uintptr_t)data.train.images % 64, 0);
}
END_TEST

START_TEST(names_with_a_dot_and_packed_files_are_found)
{
    make_folders("set");
    put("set", "train-images.idx3-ubyte", images_file(12));
    put("set", "t10k-labels.idx1-ubyte", labels_file(4));
    if (tg_inflate_available()) {
        blob labels = labels_file(12), images = images_file(4);
        put("set", "train-labels-idx1-ubyte.gz", gzip_file(labels, FIXED_CODES));
        put("set", "t10k-images.idx3-ubyte.gz", gzip_file(images, STORED_BLOCKS));
        blob_free(&labels);
        blob_free(&images);
    } else {
        put("set", "train-labels-idx1-ubyte", labels_file(12));
        put("set", "t10k-images.idx3-ubyte", images_file(4));
    }
    blob nonsense = {0};
    blob_add(&nonsense, "nonsense", 8);
    put("set", "train-images-idx3-ubyte.gz", nonsense); /* the plain file goes before it */
    make_folders("set/t10k-labels-idx1-ubyte");         /* a folder of that name is none of the files */
    check_loaded("set", 12, "IDX files in set");
}
END_TEST

START_TEST(npz_files_are_read)
{
    put_npz("some.npz", 12);
    check_loaded("some.npz", 12, "some.npz");
    make_folders("set");
    put_npz("set/mnist.npz", 13);
    check_loaded("set", 13, "set/mnist.npz");
    put_set("set", 14);
    check_loaded("set", 14, "IDX files in set");
}
END_TEST

START_TEST(a_named_place_must_work)
{
    check_refused("missing", TG_ERROR_IO, "missing: ", "No such file or directory; tools/fetch_mnist gets the files");
    make_folders("empty");
    check_refused("empty", TG_ERROR_IO,
                  "empty: ", "expected MNIST's four IDX files or mnist.npz there, found none; tools/fetch_mnist");
    ck_assert_int_eq(setenv("MNIST_DIR", "nowhere", 1), 0);
    check_refused(NULL, TG_ERROR_IO,
                  "nowhere: ", "No such file or directory (named by $MNIST_DIR); tools/fetch_mnist gets the files");
    check_refused("", TG_ERROR_IO, ": ", "No such file or directory");
    put_set("set", 12);
    check_loaded("set", 12, "IDX files in set"); /* --data goes before $MNIST_DIR */
    ck_assert_int_eq(unlink("set/t10k-labels-idx1-ubyte"), 0);
    check_refused("set", TG_ERROR_IO,
                  "set: ", "expected the file t10k-labels-idx1-ubyte there, plain or .gz, found none; tools/fetch_mnist");
    put_npz("data.txt", 12);
    ck_assert_int_eq(truncate("data.txt", 1000), 0);
    check_refused("data.txt", TG_ERROR_FORMAT, "data.txt: byte 1000: ", "expected the directory of an .npz (zip) file");
}
END_TEST

START_TEST(files_that_do_not_belong_together_are_refused)
{
    put_set("set", 12);
    put("set", "train-labels-idx1-ubyte", images_file(12));
    check_refused("set", TG_ERROR_FORMAT, "set/train-labels-idx1-ubyte: byte 3: ", "as labels have, found 3 (images?)");
    put("set", "train-labels-idx1-ubyte", labels_file(12));
    put("set", "train-images-idx3-ubyte", labels_file(12));
    check_refused("set", TG_ERROR_FORMAT, "set/train-images-idx3-ubyte: byte 3: ", "found 1 (labels?)");
    put("set", "train-images-idx3-ubyte", images_file(11));
    check_refused("set", TG_ERROR_FORMAT, "set/train-images-idx3-ubyte: byte 4: ",
                  "expected the shape [12, 28, 28] of images (one for each label), found [11, 28, 28]");
    put("set", "train-images-idx3-ubyte", idx_file(TG_SHAPE(12, 32, 28), 251));
    check_refused("set", TG_ERROR_FORMAT, "set/train-images-idx3-ubyte: byte 8: ", "found [12, 32, 28]");
    put("set", "train-images-idx3-ubyte", images_file(12));
    put("set", "t10k-labels-idx1-ubyte", idx_file(TG_SHAPE(14), 13));
    check_refused("set", TG_ERROR_FORMAT, "set/t10k-labels-idx1-ubyte: byte 18: ", "expected labels from 0 to 9, found 10");
    put("set", "t10k-labels-idx1-ubyte", labels_file(4));
    check_loaded("set", 12, "IDX files in set");
}
END_TEST

START_TEST(the_usual_places_are_searched_in_order)
{
    char home[4096], shared[4096], source[4200];
    snprintf(home, sizeof home, "%s", getenv("HOME"));
    snprintf(shared, sizeof shared, "%s", in_folder(folder, "shared"));
    make_folders(in_folder(home, ".keras/datasets"));
    put_npz(in_folder(home, ".keras/datasets/mnist.npz"), 11);
    check_loaded(NULL, 11, in_folder(home, ".keras/datasets/mnist.npz"));
    put_set("data", 12);
    check_loaded(NULL, 12, "IDX files in ./data");
    put_set(in_folder(home, ".local/share/tapegrad/mnist"), 13);
    snprintf(source, sizeof source, "IDX files in %s/.local/share/tapegrad/mnist", home);
    check_loaded(NULL, 13, source);
    ck_assert_int_eq(setenv("XDG_DATA_HOME", "relative", 1), 0); /* not to be heeded, by the specification */
    check_loaded(NULL, 13, source);
    ck_assert_int_eq(setenv("XDG_DATA_HOME", shared, 1), 0);
    check_loaded(NULL, 12, "IDX files in ./data");
    put_set(in_folder(shared, "tapegrad/mnist"), 14);
    snprintf(source, sizeof source, "IDX files in %s/tapegrad/mnist", shared);
    check_loaded(NULL, 14, source);
    put_set("named", 15);
    ck_assert_int_eq(setenv("MNIST_DIR", "", 1), 0);
    check_loaded(NULL, 14, source);
    ck_assert_int_eq(setenv("MNIST_DIR", "named", 1), 0);
    check_loaded(NULL, 15, "IDX files in named");
    ck_assert_int_eq(unsetenv("HOME"), 0);
    ck_assert_int_eq(setenv("MNIST_DIR", "", 1), 0);
    check_loaded(NULL, 14, source);
}
END_TEST

/* What has been found but is damaged must not give way to something else unnoticed. */
START_TEST(a_damaged_find_is_not_passed_over)
{
    char place[4096];
    snprintf(place, sizeof place, "%s/.local/share/tapegrad/mnist", getenv("HOME"));
    put_set("data", 12);
    put_set(place, 13);
    ck_assert_int_eq(truncate(in_folder(place, "train-images-idx3-ubyte"), 100), 0);
    check_refused(NULL, TG_ERROR_FORMAT, "mnist/train-images-idx3-ubyte: byte 16: ", "expected 10192 bytes of images");
    ck_assert_int_eq(unlink(in_folder(place, "train-images-idx3-ubyte")), 0);
    check_refused(NULL, TG_ERROR_IO, "tapegrad/mnist: ", "expected the file train-images-idx3-ubyte there");
}
END_TEST

START_TEST(without_data_digits_are_drawn)
{
    for (int asked = 0; asked < 2; asked++) {
        if (asked)
            put_set("data", 12);
        ck_assert_int_eq(load(asked ? "synthetic" : NULL), TG_OK);
        ck_assert(data.synthetic);
        ck_assert_str_eq(data.source, "synthetic digits (seed 5)");
        ck_assert_int_eq(data.train.count, 60000);
        ck_assert_int_eq(data.test.count, 10000);
        int64_t counts[2][TG_MNIST_CLASSES] = {0};
        for (int64_t i = 0; i < 60000; i++)
            counts[0][data.train.labels[i]]++;
        for (int64_t i = 0; i < 10000; i++)
            counts[1][data.test.labels[i]]++;
        for (int k = 0; k < TG_MNIST_CLASSES; k++) {
            ck_assert_int_eq(counts[0][k], 6000);
            ck_assert_int_eq(counts[1][k], 1000);
        }
        ck_assert_mem_ne(data.train.images, data.test.images, (size_t)10 * TG_MNIST_PIXELS);
    }
}
END_TEST

START_TEST(every_allocation_may_fail)
{
    put_set("set", 12);
    for (int drawn = 0; drawn < 2; drawn++) {
        bool succeeded = false;
        for (long refuse = 1; !succeeded; refuse++) {
            failing_allocator allocator = {0};
            tg_context_options options = harness_options();
            options.allocator = failing_allocator_interface(&allocator);
            options.threads = 1;
            tg_context *scarce = tg_context_new(options);
            ck_assert_ptr_nonnull(scarce);
            long live = allocator.live;
            allocator.refuse = allocator.requests + refuse;
            tg_mnist set;
            tg_status status = tg_mnist_load(scarce, drawn ? "synthetic" : "set", 0, &set, message);
            succeeded = status == TG_OK;
            if (!succeeded) {
                ck_assert_int_eq(status, TG_ERROR_MEMORY);
                ck_assert_msg(strstr(message, "out of memory") != NULL, "%s", message);
                ck_assert_ptr_null(set.train.images);
            }
            tg_mnist_free(&set);
            ck_assert_int_eq(allocator.live, live);
            tg_context_free(scarce);
            ck_assert_int_lt(refuse, 40);
        }
    }
}
END_TEST

/* By its first labels alone, whatever follows; one label other, or fewer, and it is another set. */
START_TEST(fashion_mnist_is_recognised)
{
    static const char first[] = "9003027255095579106431484302445366085216679592730333722668335055";
    put_set("set", 70);
    blob labels = labels_file(70);
    for (size_t i = 0; i < sizeof first - 1; i++)
        labels.data[8 + i] = (uint8_t)(first[i] - '0');
    write_file("set/train-labels-idx1-ubyte", labels);
    ck_assert_msg(load("set") == TG_OK, "%s", message);
    ck_assert_str_eq(data.source, "Fashion-MNIST, IDX files in set");
    ck_assert_str_eq(data.classes[0], "T-shirt/top");
    ck_assert_str_eq(data.classes[9], "Ankle boot");
    labels.data[8 + 63] = 4;
    write_file("set/train-labels-idx1-ubyte", labels);
    blob_free(&labels);
    ck_assert_int_eq(load("set"), TG_OK);
    ck_assert_ptr_null(data.classes);
    ck_assert_str_eq(data.source, "IDX files in set");
    put_set("set", 63);
    ck_assert_int_eq(load("set"), TG_OK);
    ck_assert_ptr_null(data.classes);
}
END_TEST

/* One pass over real files where there are any: counts, classes and memory. */
static void check_real(const char *where)
{
    tg_status status = load(where);
    ck_assert_msg(status == TG_OK, "%s", message);
    ck_assert_int_eq(data.train.count, 60000);
    ck_assert_int_eq(data.test.count, 10000);
    size_t peak;
    tg_context_memory(context, &peak);
    ck_assert_uint_lt(peak, 56000000); /* the arrays are 55.2 MB: nothing is held twice */
}

START_TEST(fashion_mnist_is_read)
{
    check_real(FASHION);
    ck_assert_str_eq(data.source, "Fashion-MNIST, IDX files in " FASHION);
    ck_assert_str_eq(data.classes[1], "Trouser");
    for (int k = 0; k < TG_MNIST_CLASSES; k++) {
        int64_t count = 0;
        for (int64_t i = 0; i < 60000; i++)
            count += data.train.labels[i] == k;
        ck_assert_int_eq(count, 6000);
    }
}
END_TEST

START_TEST(mnist_is_read_to_the_last_byte)
{
    check_real(real_folder);
    ck_assert_ptr_null(data.classes);
    const int32_t first[10] = {5, 0, 4, 1, 9, 2, 1, 3, 1, 4};
    ck_assert_mem_eq(data.train.labels, first, sizeof first);
    ck_assert_uint_eq(tg_crc32(0, data.train.images, 60000 * TG_MNIST_PIXELS), 0xf3639b56u);
    ck_assert_uint_eq(tg_crc32(0, data.test.images, 10000 * TG_MNIST_PIXELS), 0xe4ca5f57u);
}
END_TEST

/* Whether the four files are there in a form that this build reads. */
static bool readable(const char *where)
{
    struct stat about;
    char path[5000];
    bool found = false;
    for (int packed = 0; where && packed <= tg_inflate_available(); packed++) {
        snprintf(path, sizeof path, "%s/train-images-idx3-ubyte%s", where, packed ? ".gz" : "");
        found |= !stat(path, &about);
    }
    return found;
}

START_TEST(pixels_are_shuffled_alike_in_all_images)
{
    static uint8_t train[2][TG_MNIST_PIXELS], test[TG_MNIST_PIXELS], other[TG_MNIST_PIXELS];
    int seen[256] = {0}, moved = 0;
    for (int k = 0; k < TG_MNIST_PIXELS; k++) {
        train[0][k] = (uint8_t)(k % 256);
        train[1][k] = test[k] = other[k] = (uint8_t)(k / 256);
    }
    tg_mnist two = {.train = {.count = 2, .images = train[0]}, .test = {.count = 1, .images = test}};
    tg_mnist one = {.test = {.count = 1, .images = other}};
    tg_mnist_shuffle_pixels(&two, 7);
    tg_mnist_shuffle_pixels(&one, 8);
    ck_assert_mem_eq(train[1], test, sizeof test);
    ck_assert_mem_ne(test, other, sizeof test);
    static bool found[TG_MNIST_PIXELS];
    for (int k = 0; k < TG_MNIST_PIXELS; k++) {
        int from = train[1][k] * 256 + train[0][k];
        ck_assert(!found[from]);
        found[from] = true;
        moved += from != k;
        seen[train[0][k]]++;
    }
    ck_assert_int_gt(moved, TG_MNIST_PIXELS - 20);
    ck_assert_int_eq(seen[255], 3);
}
END_TEST

int main(void)
{
    const char *named = getenv("MNIST_DIR");
    real_folder = named ? realpath(named, NULL) : NULL;
    TCase *tests = harness_case("mnist");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, a_folder_of_idx_files_is_read);
    tcase_add_test(tests, names_with_a_dot_and_packed_files_are_found);
    tcase_add_test(tests, npz_files_are_read);
    tcase_add_test(tests, a_named_place_must_work);
    tcase_add_test(tests, files_that_do_not_belong_together_are_refused);
    tcase_add_test(tests, the_usual_places_are_searched_in_order);
    tcase_add_test(tests, a_damaged_find_is_not_passed_over);
    tcase_add_test(tests, without_data_digits_are_drawn);
    tcase_add_test(tests, pixels_are_shuffled_alike_in_all_images);
    tcase_add_test(tests, every_allocation_may_fail);
    tcase_add_test(tests, fashion_mnist_is_recognised);
    if (readable(FASHION))
        tcase_add_test(tests, fashion_mnist_is_read);
    if (readable(real_folder))
        tcase_add_test(tests, mnist_is_read_to_the_last_byte);
    int outcome = harness_run("mnist", tests);
    free(real_folder);
    return outcome;
}
