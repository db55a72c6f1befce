#include "train/safetensors.h"

#include "data_files.h"
#include "failing_allocator.h"
#include "graph/philox.h"
#include "graph/rebuild.h"
#include "harness.h"

static char folder[256], message[TG_MESSAGE_SIZE];
static tg_context *context;

/* A store with variables of every dtype, of which two are trainable, and one without elements. */
static tg_variables *make_store(tg_context *owner, uint64_t seed)
{
    tg_init normal = {TG_INIT_NORMAL, 0, 1}, constant = {TG_INIT_CONSTANT, (double)(seed % 100), 0};
    tg_variables *store = tg_variables_new(owner, seed);
    if (!store)
        return NULL;
    bool made = tg_variables_declare(store, "dense/kernel", (tg_type){TG_F32, TG_SHAPE(3, 2)}, normal, true) &&
                tg_variables_declare(store, "dense/bias", (tg_type){TG_F32, TG_SHAPE(2)}, normal, true) &&
                tg_variables_declare(store, "adam/step", (tg_type){TG_F64, TG_SCALAR}, constant, false) &&
                tg_variables_declare(store, "count", (tg_type){TG_I32, TG_SHAPE(1)}, constant, false) &&
                tg_variables_declare(store, "mask", (tg_type){TG_U8, TG_SHAPE(3)}, constant, false) &&
                tg_variables_declare(store, "none", (tg_type){TG_F32, TG_SHAPE(0, 5)}, constant, false);
    if (made)
        return store;
    tg_variables_free(store);
    return NULL;
}

static tg_variables *store, *other;

static void setup(void)
{
    context = begin_in_folder(folder);
    store = make_store(context, 7);
    other = make_store(context, 8);
    ck_assert(store && other);
}

static void teardown(void)
{
    tg_variables_free(store);
    tg_variables_free(other);
    end_in_folder(folder, context);
}

static bool same(const tg_variables *a, const tg_variables *b, int i)
{
    const tg_variable_info *x = tg_variables_at(a, i), *y = tg_variables_at(b, i);
    return memcmp(tg_variable_data(x), tg_variable_data(y), (size_t)tg_type_bytes(x->type)) == 0;
}

static blob read_whole(const char *path)
{
    blob content = {0};
    uint8_t part[4096];
    FILE *in = fopen(path, "rb");
    ck_assert_ptr_nonnull(in);
    for (size_t got; (got = fread(part, 1, sizeof part, in)) > 0;)
        blob_add(&content, part, got);
    fclose(in);
    return content;
}

/* A file with this header, padded or not, and `bytes` bytes of values. */
static blob made_file(const char *header, size_t bytes)
{
    blob b = {0};
    blob_little(&b, strlen(header), 8);
    blob_add(&b, header, strlen(header));
    for (size_t i = 0; i < bytes; i++)
        blob_u8(&b, (int)(i % 251));
    return b;
}

static tg_safetensors *open_blob(blob content, tg_status *status)
{
    const char *path = in_folder(folder, "in.safetensors");
    write_file(path, content);
    message[0] = '\0';
    return tg_safetensors_open(context, path, status, message);
}

static void check_refused(blob content, const char *text)
{
    tg_status status;
    size_t before = tg_context_memory(context, NULL);
    ck_assert_ptr_null(open_blob(content, &status));
    ck_assert_msg(status == TG_ERROR_FORMAT, "%s", message);
    ck_assert_msg(strstr(message, "in.safetensors: ") && strstr(message, text), "expected \"%s\" in: %s", text, message);
    ck_assert_uint_eq(tg_context_memory(context, NULL), before);
}

static void save(const char *path, tg_safetensors_options options)
{
    tg_status status = tg_safetensors_save(store, path, options, message);
    ck_assert_msg(status == TG_OK, "%s", message);
}

/* The bytes that Python's safetensors 0.8 writes for these names, types and this metadata, values apart. */
START_TEST(the_layout_is_the_reference_writers)
{
    static const char expected[] =
        "{\"__metadata__\":{\"network\":\"784 \\\"x\\\"\"},\"adam/step\":{\"dtype\":\"F64\",\"shape\":[],\"data_offsets\":[0,8]},"
        "\"dense/bias\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[8,16]},"
        "\"dense/kernel\":{\"dtype\":\"F32\",\"shape\":[3,2],\"data_offsets\":[16,40]},"
        "\"none\":{\"dtype\":\"F32\",\"shape\":[0,5],\"data_offsets\":[40,40]},"
        "\"count\":{\"dtype\":\"I32\",\"shape\":[1],\"data_offsets\":[40,44]},"
        "\"mask\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[44,47]}}";
    const char *path = in_folder(folder, "out.safetensors");
    save(path, (tg_safetensors_options){.all = true, .metadata = &(tg_text_pair){"network", "784 \"x\""}, .metadata_count = 1});
    blob content = read_whole(path);
    size_t padded = (sizeof expected - 1 + 7) / 8 * 8;
    ck_assert_uint_eq(content.size, 8 + padded + 47);
    ck_assert_uint_eq(content.data[0] | (size_t)content.data[1] << 8, padded);
    ck_assert_mem_eq(content.data + 8, expected, sizeof expected - 1);
    for (size_t i = sizeof expected - 1; i < padded; i++)
        ck_assert_int_eq(content.data[8 + i], ' ');
    ck_assert_mem_eq(content.data + 8 + padded + 16, tg_variable_data(tg_variables_find(store, "dense/kernel")), 24);
    blob_free(&content);
}
END_TEST

START_TEST(all_variables_return_bit_for_bit)
{
    tg_status status;
    const char *path = in_folder(folder, "out.safetensors");
    save(path, (tg_safetensors_options){.all = true});
    tg_safetensors *file = tg_safetensors_open(context, path, &status, message);
    ck_assert_msg(file != NULL, "%s", message);
    ck_assert_int_eq(tg_safetensors_count(file), 6);
    uint64_t before = tg_variables_generation(other);
    ck_assert_msg(tg_safetensors_load(file, other, true, NULL, message) == TG_OK, "%s", message);
    for (int i = 0; i < 6; i++)
        ck_assert(same(store, other, i));
    ck_assert_uint_ne(tg_variables_generation(other), before);
    ck_assert_ptr_null(tg_safetensors_metadata(file, "anything"));
    tg_safetensors_close(file);
}
END_TEST

START_TEST(weights_alone_leave_the_rest)
{
    tg_status status;
    const char *path = in_folder(folder, "out.safetensors");
    save(path, (tg_safetensors_options){.metadata = (tg_text_pair[]){{"a", "1"}, {"b", "\xc3\xa9\n\x01"}}, .metadata_count = 2});
    tg_safetensors *file = tg_safetensors_open(context, path, &status, message);
    ck_assert_msg(file != NULL, "%s", message);
    ck_assert_int_eq(tg_safetensors_count(file), 2);
    ck_assert_str_eq(tg_safetensors_at(file, 0)->name, "dense/bias");
    ck_assert_ptr_null(tg_safetensors_at(file, 2));
    ck_assert_ptr_null(tg_safetensors_at(file, -1));
    ck_assert_str_eq(tg_safetensors_metadata(file, "b"), "\xc3\xa9\n\x01");
    ck_assert_msg(tg_safetensors_load(file, other, false, NULL, message) == TG_OK, "%s", message);
    ck_assert(same(store, other, 0) && same(store, other, 1) && !same(store, other, 2) && !same(store, other, 3));
    ck_assert_int_eq(tg_safetensors_load(file, other, true, NULL, message), TG_ERROR_FORMAT);
    ck_assert_msg(strstr(message, "tensor adam/step: expected F64 [], found no such tensor"), "%s", message);
    tg_safetensors_close(file);
}
END_TEST

START_TEST(tensors_besides_are_read_by_name)
{
    tg_status status;
    const double history[] = {1.5, -2, 0.1, 4};
    double read[4];
    const tg_array more = {"history", {TG_F64, TG_SHAPE(2, 2)}, history};
    const char *path = in_folder(folder, "out.safetensors");
    save(path, (tg_safetensors_options){.all = true, .more = &more, .more_count = 1});
    tg_safetensors *file = tg_safetensors_open(context, path, &status, message);
    ck_assert_msg(file != NULL, "%s", message);
    ck_assert_int_eq(tg_safetensors_read(file, "history", more.type, read, sizeof read, message), TG_OK);
    ck_assert_mem_eq(read, history, sizeof history);
    ck_assert_int_eq(tg_safetensors_read(file, "history", more.type, read, 8, message), TG_ERROR_ARGUMENT);
    ck_assert_int_eq(tg_safetensors_read(file, "history", (tg_type){TG_F32, TG_SHAPE(2, 2)}, read, 16, message), TG_ERROR_FORMAT);
    ck_assert_msg(strstr(message, "tensor history: expected F32 [2, 2], found F64 [2, 2]"), "%s", message);
    ck_assert_int_eq(tg_safetensors_load(file, other, true, NULL, message), TG_ERROR_FORMAT);
    ck_assert_msg(strstr(message, "tensor history: expected the model's variables alone"), "%s", message);
    ck_assert(!same(store, other, 0));
    ck_assert_int_eq(tg_safetensors_load(file, other, true, "history", message), TG_OK);
    ck_assert(same(store, other, 0));
    /* A tensor besides that is a variable not asked for is passed over, whatever its size. */
    ck_assert_int_eq(tg_safetensors_load(file, other, false, "mask", message), TG_ERROR_FORMAT);
    tg_safetensors_close(file);
}
END_TEST

#define KERNEL(type, shape, offsets) "\"dense/kernel\":{\"dtype\":\"" type "\",\"shape\":" shape ",\"data_offsets\":" offsets "}"
#define BIAS "\"dense/bias\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[24,32]}"

START_TEST(other_models_weights_are_refused_whole)
{
    const struct {
        const char *header, *text;
        size_t bytes;
    } cases[] = {
        {"{" BIAS "," KERNEL("I32", "[3,2]", "[0,24]") "}", "tensor dense/kernel: expected F32 [3, 2], found I32 [3, 2]", 32},
        {"{" BIAS "," KERNEL("F32", "[2,3]", "[0,24]") "}", "tensor dense/kernel: expected F32 [3, 2], found F32 [2, 3]", 32},
        {"{" BIAS "," KERNEL("BF16", "[3,4]", "[0,24]") "}", "tensor dense/kernel: expected F32 [3, 2], found BF16 [3, 4]", 32},
        {"{" KERNEL("F32", "[3,2]", "[0,24]") "}", "tensor dense/bias: expected F32 [2], found no such tensor", 24},
        {"{" BIAS "," KERNEL("F32", "[3,2]", "[0,24]") ",\"new\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[32,33]}}",
         "tensor new: expected the model's weights alone", 33},
        {"{" BIAS "," KERNEL("F32", "[3,2]", "[0,24]") ",\"mask\":{\"dtype\":\"U8\",\"shape\":[3],\"data_offsets\":[32,35]}}",
         "tensor mask: expected the model's weights alone", 35},
        {"{}", "found no such tensor", 0},
    };
    tg_variables *untouched = make_store(context, 8);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tg_status status;
        blob content = made_file(cases[i].header, cases[i].bytes);
        tg_safetensors *file = open_blob(content, &status);
        ck_assert_msg(file != NULL, "%s", message);
        ck_assert_int_eq(tg_safetensors_load(file, other, false, NULL, message), TG_ERROR_FORMAT);
        ck_assert_msg(strstr(message, "in.safetensors: ") && strstr(message, cases[i].text), "%s", message);
        for (int v = 0; v < 6; v++)
            ck_assert(same(untouched, other, v));
        tg_safetensors_close(file);
        blob_free(&content);
    }
    tg_variables_free(untouched);
}
END_TEST

#define ENTRY(name, dtype, shape, offsets) \
    "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":" offsets "}"

START_TEST(headers_out_of_order_but_sound_are_read)
{
    const struct {
        const char *header;
        size_t bytes;
        int tensors;
    } cases[] = {
        {"{}", 0, 0},
        {"{}      \n\t\r ", 0, 0},
        {"{\"__metadata__\":{}}", 0, 0},
        {"{ \"b\" : { \"data_offsets\" : [ 4 , 8 ] , \"shape\" : [ 1 ] , \"dtype\" : \"F32\" } , " ENTRY(
             "a", "I64", "[0]", "[4,4]") " , " ENTRY("\\u0061\\ud83d\\ude00\\\\\\/\\n", "U8", "[2,2]", "[0,4]") " }",
         8, 3},
        {"{" ENTRY("", "F16", "[1,1,1,1,1,1,1,1]", "[0,2]") "}", 2, 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        tg_status status;
        blob content = made_file(cases[i].header, cases[i].bytes);
        tg_safetensors *file = open_blob(content, &status);
        ck_assert_msg(file != NULL, "%s", message);
        ck_assert_int_eq(tg_safetensors_count(file), cases[i].tensors);
        if (cases[i].tensors == 3)
            ck_assert_ptr_nonnull(tg_safetensors_find(file, "a\xf0\x9f\x98\x80\\/\n"));
        tg_safetensors_close(file);
        blob_free(&content);
    }
}
END_TEST

START_TEST(unsound_headers_are_named_with_byte_or_tensor)
{
    static const struct {
        const char *header;
        size_t bytes;
        const char *text;
    } cases[] = {
        {" {}", 0, "byte 8: expected '{' at once"},
        {"{}x", 0, "byte 10: expected nothing but spaces after the last '}'"},
        {"[]", 0, "byte 8: expected '{' at once"},
        {"{\"a\"}", 0, "byte 12: expected ':'"},
        {"{\"a\":1}", 0, "byte 13: expected '{'"},
        {"{\"a\":{}}", 0, "byte 14: expected a string"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[]}}", 0, "expected dtype, shape and data_offsets of the tensor before"},
        {"{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\"}}", 0, "expected each of dtype, shape and data_offsets once"},
        {"{\"a\":{\"offset\":1}}", 0, "expected each of dtype, shape and data_offsets once"},
        {"{" ENTRY("a", "F32", "[1]", "[0,4]") ",}", 4, "expected a string"},
        {"{" ENTRY("a", "F32", "[1]", "[0,4]") "", 4, "expected ',' or '}'"},
        {"{" ENTRY("a", "F32", "[1,]", "[0,4]") "}", 4, "expected a whole number from 0"},
        {"{" ENTRY("a", "F32", "[-1]", "[0,4]") "}", 4, "expected a whole number from 0"},
        {"{" ENTRY("a", "F32", "[01]", "[0,4]") "}", 4, "expected a whole number from 0"},
        {"{" ENTRY("a", "F32", "[1.0]", "[0,4]") "}", 4, "expected ',' or ']'"},
        {"{" ENTRY("a", "F32", "[1e0]", "[0,4]") "}", 4, "expected ',' or ']'"},
        {"{" ENTRY("a", "F32", "[9223372036854775808]", "[0,4]") "}", 4, "expected a whole number from 0 to 9223372036854775807"},
        {"{" ENTRY("a", "F32", "[1,1,1,1,1,1,1,1,1]", "[0,4]") "}", 4, "expected a shape of 8 extents at most"},
        {"{" ENTRY("a", "F32", "[1]", "[0,4,8]") "}", 4, "expected ']'"},
        {"{" ENTRY("a", "F32", "[1]", "[0]") "}", 4, "expected ','"},
        {"{" ENTRY("a", "F31", "[1]", "[0,4]") "}", 4, "tensor a: expected a dtype such as F32, found F31"},
        {"{" ENTRY("a", "F32", "[2]", "[0,4]") "}", 4, "tensor a: expected 8 bytes for F32 [2], found data_offsets [0, 4]"},
        {"{" ENTRY("a", "F32", "[1]", "[4,0]") "}", 4, "tensor a: expected 4 bytes for F32 [1], found data_offsets [4, 0]"},
        {"{" ENTRY("a", "F32", "[4611686018427387904,4]", "[0,0]") "}", 0,
         "tensor a: expected a shape of fewer than 2^60 elements"},
        {"{" ENTRY("a", "F32", "[0,4611686018427387904,4]", "[0,0]") "}", 0, "tensor a: expected a shape of fewer than 2^60"},
        {"{" ENTRY("a", "F32", "[1]", "[4,8]") "}", 8, "tensor a: expected its values from byte 0 on"},
        {"{" ENTRY("a", "F32", "[1]", "[0,4]") "," ENTRY("b", "F32", "[1]", "[8,12]") "}", 12,
         "tensor b: expected its values from byte 4 on, where others end, found byte 8"},
        {"{" ENTRY("a", "F32", "[2]", "[0,8]") "," ENTRY("b", "F32", "[1]", "[4,8]") "}", 8,
         "tensor b: expected its values from byte 8"},
        {"{" ENTRY("a", "F32", "[1]", "[0,4]") "," ENTRY("b", "F32", "[1]", "[0,4]") "}", 4,
         "tensor b: expected its values from byte 4"},
        {"{" ENTRY("a", "F32", "[2]", "[0,8]") "}", 7, "tensor a: expected its values within the file's 7 bytes of values"},
        {"{" ENTRY("a", "F32", "[2]", "[0,8]") "}", 9, "expected the end of the file, found 1 more bytes"},
        {"{}", 1, "byte 10: expected the end of the file, found 1 more bytes"},
        {"{" ENTRY("a", "F32", "[1]", "[0,4]") "," ENTRY("\\u0061", "F32", "[1]", "[4,8]") "}", 8,
         "tensor a: expected once, found twice"},
        {"{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}}", 0, "metadata: expected k once, found it twice"},
        {"{\"__metadata__\":{},\"__metadata__\":{}}", 0, "expected one __metadata__"},
        {"{\"__metadata__\":{\"k\":1}}", 0, "expected a string"},
        {"{\"__metadata__\":{\"k\":null}}", 0, "expected a string"},
        {"{\"__metadata__\":\"k\"}", 0, "expected '{'"},
        {"{\"__metadata__\":{\"k\":\"1\"", 0, "expected ',' or '}'"},
        {"{\"a", 0, "byte 11: expected a string that ends, without control characters"},
        {"{\"a\nb\":1}", 0, "byte 11: expected a string that ends, without control characters"},
        {"{\"a\xff\":1}", 0, "byte 11: expected a string in UTF-8"},
        {"{\"\\x\":1}", 0, "byte 10: expected an escape of JSON"},
        {"{\"\\u0000\":1}", 0, "byte 10: expected an escape of JSON"},
        {"{\"\\u12g4\":1}", 0, "expected an escape of JSON"},
        {"{\"\\ud83d\":1}", 0, "expected an escape of JSON"},
        {"{\"\\ud83d\\u0041\":1}", 0, "expected an escape of JSON"},
        {"{\"\\ude00\":1}", 0, "expected an escape of JSON"},
        {"{\"\\", 0, "expected an escape of JSON"},
        {"{" ENTRY("\\u001b[31m", "F3", "[]", "[0,4]") "}", 4, "tensor \\x1B[31m: expected a dtype such as F32, found F3"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        blob content = made_file(cases[i].header, cases[i].bytes);
        check_refused(content, cases[i].text);
        blob_free(&content);
    }
}
END_TEST

START_TEST(lengths_are_checked_before_memory_is_asked_for)
{
    const uint64_t lengths[] = {0, 1, 3, 100000001, UINT64_C(1) << 40, UINT64_MAX, UINT64_C(1) << 63};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        blob content = {0};
        blob_little(&content, lengths[i], 8);
        blob_add(&content, "{}", 2);
        check_refused(content, "byte 0: expected the length of a safetensors header, from 2 to 2, found");
        blob_free(&content);
    }
    check_refused((blob){0},
                  "expected a safetensors file (tools/import_weights makes one of Keras's and PyTorch's), found an empty file");
    for (size_t size = 1; size < 8; size++) {
        blob content = {0};
        blob_add(&content, "\2\0\0\0\0\0\0\0", size);
        check_refused(content, "expected the length of a safetensors header, found the end of the file");
        blob_free(&content);
    }
    tg_status status;
    ck_assert_ptr_null(tg_safetensors_open(context, in_folder(folder, "none"), &status, message));
    ck_assert_int_eq(status, TG_ERROR_IO);
    ck_assert_msg(strstr(message, "none: No such file or directory"), "%s", message);
    ck_assert_ptr_null(tg_safetensors_open(context, folder, &status, message));
    ck_assert_msg(strstr(message, "expected a regular file, found a folder"), "%s", message);
}
END_TEST

START_TEST(a_failing_write_keeps_the_former_file)
{
    const tg_array twice = {"dense/bias", {TG_U8, TG_SHAPE(1)}, "x"}, bad = {"\xff", {TG_U8, TG_SHAPE(1)}, "x"};
    const char *path = in_folder(folder, "out.safetensors");
    save(path, (tg_safetensors_options){0});
    blob before = read_whole(path);
    ck_assert_int_eq(tg_safetensors_save(store, path, (tg_safetensors_options){.more = &twice, .more_count = 1}, message),
                     TG_ERROR_ARGUMENT);
    ck_assert_msg(strstr(message, "out.safetensors: tensor dense/bias: appears twice"), "%s", message);
    ck_assert_int_eq(tg_safetensors_save(store, path, (tg_safetensors_options){.more = &bad, .more_count = 1}, message),
                     TG_ERROR_ARGUMENT);
    if (access("/dev/full", W_OK) == 0) {
        ck_assert_int_eq(tg_safetensors_save(store, "/dev/full", (tg_safetensors_options){0}, message), TG_ERROR_IO);
        ck_assert_msg(strstr(message, "/dev/full: writing failed: No space left on device"), "%s", message);
    }
    ck_assert_int_eq(tg_safetensors_save(store, in_folder(folder, "none/x"), (tg_safetensors_options){0}, message), TG_ERROR_IO);
    blob after = read_whole(path);
    ck_assert_uint_eq(before.size, after.size);
    ck_assert_mem_eq(before.data, after.data, before.size);
    blob_free(&before);
    blob_free(&after);
}
END_TEST

START_TEST(every_allocation_may_fail)
{
    const char *path = in_folder(folder, "out.safetensors");
    bool done = false;
    for (long refuse = 1; !done; refuse++) {
        failing_allocator allocator = {0};
        tg_context_options options = harness_options();
        options.allocator = failing_allocator_interface(&allocator);
        options.threads = 1;
        tg_context *scarce = tg_context_new(options);
        tg_variables *small = make_store(scarce, 3);
        ck_assert_ptr_nonnull(small);
        allocator.refuse = allocator.requests + refuse;
        const tg_text_pair pair = {"k", "v"};
        tg_status status = tg_safetensors_save(
            small, path, (tg_safetensors_options){.all = true, .metadata = &pair, .metadata_count = 1}, message);
        tg_safetensors *file = status == TG_OK ? tg_safetensors_open(scarce, path, &status, message) : NULL;
        if (file)
            status = tg_safetensors_load(file, small, true, NULL, message);
        done = status == TG_OK;
        if (!done) {
            ck_assert_int_eq(status, TG_ERROR_MEMORY);
            ck_assert_msg(strstr(message, "out.safetensors: out of memory"), "%s", message);
        }
        tg_safetensors_close(file);
        tg_variables_free(small);
        tg_context_free(scarce);
        ck_assert_int_eq(allocator.live, 0);
        ck_assert_int_lt(refuse, 40);
    }
}
END_TEST

/* Any damage ends in a sentence, or in a file that is as sound as before. */
START_TEST(no_damage_goes_astray)
{
    const char *path = in_folder(folder, "out.safetensors");
    save(path, (tg_safetensors_options){.all = true, .metadata = &(tg_text_pair){"\xc3\xa9", "\n"}, .metadata_count = 1});
    blob whole = read_whole(path);
    int refused = 0, rounds = 4000;
    for (int i = 0; i < rounds; i++) {
        uint32_t choice[4];
        tg_status status;
        tg_philox(22, 0, (uint64_t)i, choice);
        blob bad = damaged(whole, choice);
        size_t before = tg_context_memory(context, NULL);
        tg_safetensors *file = open_blob(bad, &status);
        if (file) {
            int64_t at = 0;
            for (int k = 0; k < tg_safetensors_count(file); k++) {
                const tg_safetensor *tensor = tg_safetensors_at(file, k);
                ck_assert(tensor->begin == at && tensor->end >= at && tg_shape_valid(tensor->shape));
                at = tensor->end;
            }
            ck_assert_int_le(at, (int64_t)bad.size);
            status = tg_safetensors_load(file, other, true, NULL, message);
        }
        refused += status != TG_OK;
        ck_assert(status == TG_OK || status == TG_ERROR_FORMAT);
        ck_assert_msg(status == TG_OK || strstr(message, "in.safetensors: "), "%s", message);
        tg_safetensors_close(file);
        ck_assert_uint_eq(tg_context_memory(context, NULL), before);
        blob_free(&bad);
    }
    ck_assert_int_gt(refused, rounds / 2);
    blob_free(&whole);
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("safetensors");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, the_layout_is_the_reference_writers);
    tcase_add_test(tests, all_variables_return_bit_for_bit);
    tcase_add_test(tests, weights_alone_leave_the_rest);
    tcase_add_test(tests, tensors_besides_are_read_by_name);
    tcase_add_test(tests, other_models_weights_are_refused_whole);
    tcase_add_test(tests, headers_out_of_order_but_sound_are_read);
    tcase_add_test(tests, unsound_headers_are_named_with_byte_or_tensor);
    tcase_add_test(tests, lengths_are_checked_before_memory_is_asked_for);
    tcase_add_test(tests, a_failing_write_keeps_the_former_file);
    tcase_add_test(tests, every_allocation_may_fail);
    tcase_add_test(tests, no_damage_goes_astray);
    return harness_run("safetensors", tests);
}
