/* CSV (RFC 4180): tables of numbers below a line of column names, read into the rows that a model trains on. */
#ifndef TG_TRAIN_CSV_H
#define TG_TRAIN_CSV_H

#include "train/source.h"
#include "train/table.h"

TG_BEGIN_DECLS

/** Whether the first line that is not empty names the columns, or is a row and the columns are named "0", "1", ... */
typedef enum tg_csv_header {
    TG_CSV_HEADER_AUTO, /**< it names them, unless each of its fields is a number or missing, and one a number */
    TG_CSV_HEADER_LINE, /**< it names them: pandas' header=0 */
    TG_CSV_HEADER_NONE  /**< it is a row: pandas' header=None */
} tg_csv_header;
/** Columns that a file may have, unless the options say otherwise: each takes memory before there is a value for it. */
#define TG_CSV_COLUMNS 262144

typedef struct tg_csv_options {
    const char *const *targets; /**< names of the columns that become y, in this order */
    int32_t target_count;       /**< 0: there is no y */
    /** Names of the columns that become x, in this order; others are not looked at, so that they may hold text. */
    const char *const *inputs;
    int32_t input_count;  /**< 0: all columns that are no targets */
    int32_t most_columns; /**< of the file; 0: TG_CSV_COLUMNS */
    char separator;       /**< 0: ',' */
    tg_csv_header header;
    int64_t most_bytes; /**< of the file, which is held in memory beside what is read from it; 0: 1 GiB */
} tg_csv_options;

/** What was read: f32, row-major on 64-byte-aligned bases. */
typedef struct tg_csv {
    tg_context *context;
    int64_t rows;
    int32_t inputs, targets;
    bool header;        /**< the first line named the columns */
    float *x;           /**< [rows, inputs]; NaN where a value is missing, which tg_standardise_fill() fills */
    float *y;           /**< [rows, targets], none missing; NULL without targets */
    const char **names; /**< of the columns: inputs, then targets; NULL with an all-zero struct */
    size_t names_bytes; /**< with their text */
} tg_csv;

/** Reads a regular file. Its first line that is not empty names the columns or is a row, see tg_csv_header; every later one has as
    many fields. Fields may stand in double quotes, with "" for a quote; they may then hold separators and line ends. Blanks and tabs
    around a field, around its quotes and inside them are passed over, so a quote after a blank begins a field in quotes (as with
    pandas' skipinitialspace; without it, and in RFC 4180, such a quote would be a part of the field); elsewhere in a field it is
    a character like any other. Lines end with LF, CRLF or CR; empty ones are passed over, and so is a byte order mark. A field of a
    chosen column is a decimal number that f32 holds, or missing: empty, NA, NaN or nan, which a target must not be.
    The memory taken is at most 5 times the file (an empty field is a byte of it and a value of 4) and 100 bytes for each column.
    TG_ERROR_IO, TG_ERROR_FORMAT, TG_ERROR_MEMORY and TG_ERROR_ARGUMENT (a separator that numbers or quotes are made of) put one
    sentence with file, line, column and expectation into `message`, of TG_MESSAGE_SIZE bytes; `csv` is then all zero. With TG_OK
    `message` is "", or one sentence that says that TG_CSV_HEADER_AUTO took the first line for a row. */
TG_API TG_MUST_USE tg_status tg_csv_read(tg_context *context, const char *path, tg_csv_options options, tg_csv *csv,
                                         char *message);
/** The rows first .. first + count - 1, where they lie, for training and evaluation; fewer or none where the table ends before. */
TG_API tg_rows tg_csv_rows(const tg_csv *csv, int64_t first, int64_t count);
/** The inputs, or the targets, of the rows first .. first + count - 1, for tg_standardise_fit() and tg_standardise_fill(): NULL values
    where the table has not all of these rows, or no targets. */
TG_API tg_table tg_csv_x(const tg_csv *csv, int64_t first, int64_t count);
TG_API tg_table tg_csv_y(const tg_csv *csv, int64_t first, int64_t count);
/** Gives everything back to the context. An all-zero struct and a second call are fine. */
TG_API void tg_csv_free(tg_csv *csv);

TG_END_DECLS

#endif
