/* Data files for tests, made byte by byte: IDX, gzip, npy and zip, whole or (by the caller) damaged. */
#ifndef TG_TESTS_DATA_FILES_H
#define TG_TESTS_DATA_FILES_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness.h"

/** Bytes under construction. Free with blob_free(). */
typedef struct blob {
    uint8_t *data;
    size_t size, capacity;
} blob;

static inline void blob_add(blob *b, const void *more, size_t size)
{
    if (b->size + size >= b->capacity) {
        b->capacity = 2 * (b->size + size) + 16;
        b->data = realloc(b->data, b->capacity);
        ck_assert_ptr_nonnull(b->data);
    }
    if (size)
        memcpy(b->data + b->size, more, size);
    b->size += size;
}

static inline void blob_free(blob *b)
{
    free(b->data);
    *b = (blob){0};
}

static inline void blob_u8(blob *b, int value) { blob_add(b, &(uint8_t){(uint8_t)value}, 1); }

/** `count` bytes of `value`, the least significant first. */
static inline void blob_little(blob *b, uint64_t value, int count)
{
    for (int i = 0; i < count; i++)
        blob_u8(b, (int)(value >> (8 * i) & 255));
}

static inline void blob_big32(blob *b, uint32_t value)
{
    for (int i = 3; i >= 0; i--)
        blob_u8(b, (int)(value >> (8 * i) & 255));
}

/** CRC32 from its definition, bit by bit. */
static inline uint32_t plain_crc32(const uint8_t *data, size_t size)
{
    uint32_t crc = 0xFFFFFFFFu;
    for (size_t i = 0; i < size; i++) {
        crc ^= data[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? 0xEDB88320u ^ crc >> 1 : crc >> 1;
    }
    return ~crc;
}

/* IDX. */

/** An IDX file of bytes: values i % modulus. */
static inline blob idx_file(tg_shape shape, int modulus)
{
    blob b = {0};
    blob_big32(&b, 0x800u | (uint32_t)shape.rank);
    for (int i = 0; i < shape.rank; i++)
        blob_big32(&b, (uint32_t)shape.dims[i]);
    for (int64_t i = 0; i < tg_shape_count(shape); i++)
        blob_u8(&b, (int)(i % modulus));
    return b;
}

/* Deflate: RFC 1951, without a compressor. */

typedef enum packing { STORED_BLOCKS, FIXED_CODES } packing;

typedef struct bit_writer {
    blob *out;
    uint32_t bits;
    int count;
} bit_writer;

static inline void put_bit(bit_writer *w, uint32_t bit)
{
    w->bits |= bit << w->count++;
    if (w->count == 8) {
        blob_u8(w->out, (int)w->bits);
        w->bits = 0;
        w->count = 0;
    }
}

/* Codes go out with their first bit first. */
static inline void put_code(bit_writer *w, uint32_t code, int length)
{
    while (length--)
        put_bit(w, code >> length & 1);
}

/* A literal or length of the fixed code. */
static inline void put_symbol(bit_writer *w, uint32_t symbol)
{
    if (symbol < 144)
        put_code(w, 0x30 + symbol, 8);
    else if (symbol < 256)
        put_code(w, 0x190 + symbol - 144, 9);
    else if (symbol < 280)
        put_code(w, symbol - 256, 7);
    else
        put_code(w, 0xC0 + symbol - 280, 8);
}

static inline void deflate_fixed(blob *out, blob content)
{
    bit_writer w = {.out = out};
    put_bit(&w, 1), put_bit(&w, 1), put_bit(&w, 0); /* the last block, of fixed codes */
    for (size_t i = 0; i < content.size;) {
        size_t run = 0;
        while (i && i + run < content.size && run < 258 && content.data[i + run] == content.data[i - 1])
            run++;
        if (run == 258) {
            put_symbol(&w, 285), put_code(&w, 0, 5);
        } else if (run >= 3) {
            run = run < 10 ? run : 10;
            put_symbol(&w, (uint32_t)(254 + run)), put_code(&w, 0, 5);
        } else {
            put_symbol(&w, content.data[i]);
            run = 1;
        }
        i += run;
    }
    put_symbol(&w, 256);
    while (w.count)
        put_bit(&w, 0);
}

static inline void deflate_stored(blob *out, blob content)
{
    size_t at = 0;
    do {
        size_t part = content.size - at < 1000 ? content.size - at : 1000;
        blob_u8(out, at + part == content.size);
        blob_little(out, part, 2);
        blob_little(out, ~part, 2);
        blob_add(out, content.data + at, part);
        at += part;
    } while (at < content.size);
}

static inline void deflate_bytes(blob *out, blob content, packing how)
{
    if (how == STORED_BLOCKS)
        deflate_stored(out, content);
    else
        deflate_fixed(out, content);
}

/** One gzip member, with a file name in its header as MNIST's have. */
static inline blob gzip_file(blob content, packing how)
{
    blob b = {0};
    blob_add(&b, "\x1f\x8b\x08\x08\0\0\0\0\0\x03images", 17); /* with the name's end */
    deflate_bytes(&b, content, how);
    blob_little(&b, plain_crc32(content.data, content.size), 4);
    blob_little(&b, content.size, 4);
    return b;
}

/* npy and zip. */

/** An .npy file of version 1 with this header dict and these values. */
static inline blob npy_file(const char *dict, blob values)
{
    blob b = {0};
    size_t length = (strlen(dict) + 10) / 64 * 64 + 54; /* header and magic fill a multiple of 64 */
    blob_add(&b, "\x93NUMPY\x01", 8);
    blob_little(&b, length, 2);
    blob_add(&b, dict, strlen(dict));
    while (b.size < 9 + length)
        blob_u8(&b, ' ');
    blob_u8(&b, '\n');
    blob_add(&b, values.data, values.size);
    return b;
}

typedef struct zip_options {
    bool deflated;
    bool zip64;
    packing how;
} zip_options;

/** A zip file under construction: members, then the directory. */
typedef struct zip_writer {
    blob file, directory;
    zip_options options;
    int members;
} zip_writer;

static inline void zip_add(zip_writer *zip, const char *name, blob content)
{
    blob packed = {0};
    if (zip->options.deflated)
        deflate_bytes(&packed, content, zip->options.how);
    else
        blob_add(&packed, content.data, content.size);
    uint64_t crc = plain_crc32(content.data, content.size), local = zip->file.size;
    uint64_t unpacked_field = zip->options.zip64 ? 0xFFFFFFFFu : content.size;
    uint64_t packed_field = zip->options.zip64 ? 0xFFFFFFFFu : packed.size;
    for (int central = 0; central < 2; central++) {
        blob *b = central ? &zip->directory : &zip->file;
        blob_add(b, central ? "PK\1\2\x2d\0" : "PK\3\4", central ? 6 : 4);
        blob_little(b, 45, 2), blob_little(b, 0, 2), blob_little(b, zip->options.deflated ? 8 : 0, 2), blob_little(b, 0, 4);
        blob_little(b, crc, 4), blob_little(b, packed_field, 4), blob_little(b, unpacked_field, 4);
        blob_little(b, strlen(name), 2), blob_little(b, zip->options.zip64 ? 26 : 0, 2);
        if (central)
            blob_little(b, 0, 2), blob_little(b, 0, 8), blob_little(b, local, 4);
        blob_add(b, name, strlen(name));
        if (zip->options.zip64) { /* behind an extra field of another kind */
            blob_little(b, 0x7777, 2), blob_little(b, 2, 2), blob_little(b, 0xABCD, 2);
            blob_little(b, 1, 2), blob_little(b, 16, 2), blob_little(b, content.size, 8), blob_little(b, packed.size, 8);
        }
    }
    blob_add(&zip->file, packed.data, packed.size);
    blob_free(&packed);
    zip->members++;
}

/** Puts the directory behind the members and returns the file. */
static inline blob zip_finish(zip_writer *zip)
{
    uint64_t start = zip->file.size, size = zip->directory.size, end = start + size;
    blob_add(&zip->file, zip->directory.data, zip->directory.size);
    blob *b = &zip->file;
    if (zip->options.zip64) {
        blob_add(b, "PK\6\6", 4), blob_little(b, 44, 8), blob_little(b, 45, 2), blob_little(b, 45, 2), blob_little(b, 0, 8);
        blob_little(b, (uint64_t)zip->members, 8), blob_little(b, (uint64_t)zip->members, 8);
        blob_little(b, size, 8), blob_little(b, start, 8);
        blob_add(b, "PK\6\7", 4), blob_little(b, 0, 4), blob_little(b, end, 8), blob_little(b, 1, 4);
        size = start = 0xFFFFFFFFu;
    }
    blob_add(b, "PK\5\6", 4), blob_little(b, 0, 4);
    blob_little(b, (uint64_t)zip->members, 2), blob_little(b, (uint64_t)zip->members, 2);
    blob_little(b, size, 4), blob_little(b, start, 4), blob_little(b, 0, 2);
    blob_free(&zip->directory);
    return zip->file;
}

/* PNG. */

static inline void png_chunk(blob *out, const char *type, blob content)
{
    blob body = {0};
    blob_add(&body, type, 4);
    blob_add(&body, content.data, content.size);
    blob_big32(out, (uint32_t)content.size);
    blob_add(out, body.data, body.size);
    blob_big32(out, plain_crc32(body.data, body.size));
    blob_free(&body);
}

typedef struct png_options {
    int columns, rows, depth, color; /* color: 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGB and alpha */
    bool interlaced;
    blob palette, transparency; /* of PLTE and tRNS; none: no such chunk */
} png_options;

/** A PNG file of these lines, each with its filter's number in front. */
static inline blob png_file(png_options o, blob lines)
{
    blob b = {0}, header = {0}, packed = {0};
    uint32_t low = 1, high = 0;
    blob_add(&b, "\x89PNG\r\n\x1a\n", 8);
    blob_big32(&header, (uint32_t)o.columns), blob_big32(&header, (uint32_t)o.rows);
    blob_u8(&header, o.depth), blob_u8(&header, o.color), blob_little(&header, 0, 2), blob_u8(&header, o.interlaced);
    png_chunk(&b, "IHDR", header);
    if (o.palette.size)
        png_chunk(&b, "PLTE", o.palette);
    if (o.transparency.size)
        png_chunk(&b, "tRNS", o.transparency);
    blob_add(&packed, "\x78\x01", 2);
    deflate_stored(&packed, lines);
    for (size_t i = 0; i < lines.size; i++) {
        low = (low + lines.data[i]) % 65521;
        high = (high + low) % 65521;
    }
    blob_big32(&packed, high << 16 | low);
    png_chunk(&b, "IDAT", packed);
    png_chunk(&b, "IEND", (blob){0});
    blob_free(&header);
    blob_free(&packed);
    return b;
}

/* Folders and files. */

/** Makes a new folder and puts its path into `folder`, of 256 bytes. */
static inline void make_folder(char *folder)
{
    const char *base = getenv("TMPDIR");
    ck_assert_int_lt(snprintf(folder, 256, "%s/tapegrad-XXXXXX", base && base[0] ? base : "/tmp"), 256);
    ck_assert_ptr_nonnull(mkdtemp(folder));
}

/** The path of `name` in `folder`; good until the call after the next three. */
static inline const char *in_folder(const char *folder, const char *name)
{
    static char paths[4][4096];
    static int next;
    char *path = paths[next++ % 4];
    ck_assert_int_lt(snprintf(path, 4096, "%s/%s", folder, name), 4096);
    return path;
}

static inline void write_file(const char *path, blob content)
{
    remove(path); /* to write over a file makes some file systems wait for the disk */
    FILE *file = fopen(path, "wb");
    ck_assert_ptr_nonnull(file);
    ck_assert(content.size == 0 || fwrite(content.data, 1, content.size, file) == content.size);
    ck_assert_int_eq(fclose(file), 0);
}

static inline void remove_folder(const char *folder)
{
    DIR *listing = opendir(folder);
    ck_assert_ptr_nonnull(listing);
    for (struct dirent *entry; (entry = readdir(listing));) {
        struct stat about;
        char path[5000];
        ck_assert_int_lt(snprintf(path, sizeof path, "%s/%s", folder, entry->d_name), (int)sizeof path);
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
            continue;
        ck_assert_int_eq(lstat(path, &about), 0);
        if (S_ISDIR(about.st_mode))
            remove_folder(path);
        else
            ck_assert_int_eq(unlink(path), 0);
    }
    closedir(listing);
    ck_assert_int_eq(rmdir(folder), 0);
}

/** A new folder, its path in `folder` of 256 bytes, and a context of one thread. End with end_in_folder(). */
static inline tg_context *begin_in_folder(char *folder)
{
    make_folder(folder);
    return harness_context(1);
}

/** Frees the context, in which nothing may be left, and removes the folder with what is in it. */
static inline void end_in_folder(const char *folder, tg_context *context)
{
    ck_assert_uint_eq(tg_context_memory(context, NULL), 0);
    tg_context_free(context);
    remove_folder(folder);
}

/* Damage. */

/** Damages a copy of `whole` in one of several ways, by the bits of `choice`: bytes changed, cut off, put in or appended. */
static inline blob damaged(blob whole, const uint32_t choice[4])
{
    blob b = {0};
    size_t at = choice[1] % whole.size, near = choice[1] % (whole.size < 64 ? whole.size : 64);
    if (choice[0] & 1) /* near the ends, where the headers are */
        at = choice[0] & 2 ? near : whole.size - 1 - near;
    switch (choice[0] >> 2 & 3) {
    case 0: /* cut off */ blob_add(&b, whole.data, at); break;
    case 1: /* put in */
        blob_add(&b, whole.data, at);
        blob_add(&b, &choice[2], 1 + choice[3] % 4);
        blob_add(&b, whole.data + at, whole.size - at);
        break;
    default: /* changed, up to four in a row */
        blob_add(&b, whole.data, whole.size);
        for (size_t i = 0; i <= (choice[0] >> 4 & 3) && at + i < b.size; i++)
            b.data[at + i] = choice[0] & 64 ? (uint8_t)(choice[2] >> (8 * i)) : (choice[0] & 128 ? 0xFF : 0);
    }
    return b;
}

#endif
