/* Command-line flags from one table: parsing, checks, suggestions and the help page. */
#ifndef TG_TRAIN_FLAGS_H
#define TG_TRAIN_FLAGS_H

#include <stdio.h>

#include "graph/status.h"

TG_BEGIN_DECLS

typedef enum tg_flag_kind {
    TG_FLAG_SWITCH,   /**< bool: present or not */
    TG_FLAG_INTEGER,  /**< int64_t in [low, high] */
    TG_FLAG_UNSIGNED, /**< uint64_t, any */
    TG_FLAG_REAL,     /**< double in [low, high] */
    TG_FLAG_TEXT,     /**< const char *, into argv or the table */
    TG_FLAG_CHOICE,   /**< int: the position in `choices` */
    TG_FLAG_LIST      /**< tg_integer_list: whole numbers in [low, high], parted by commas */
} tg_flag_kind;

#define TG_MAX_LIST 64
typedef struct tg_integer_list {
    int count;
    int64_t values[TG_MAX_LIST];
} tg_integer_list;

/** One flag, "--name". */
typedef struct tg_flag {
    const char *name;
    tg_flag_kind kind;
    size_t offset;                /**< of the value, of the type that the kind says, in tg_flags.values */
    const char *initial;          /**< the default, as it would be typed; NULL: the value is left as it was */
    const char *argument;         /**< the help page's word for what follows: "N", "DIR"; NULL: the choices, or nothing */
    const char *help;             /**< one or two sentences */
    double low, high;             /**< both 0: no limits */
    bool above_low;               /**< low itself is excluded */
    const char *(*choice)(int i); /**< TG_FLAG_CHOICE: the i-th word, NULL after the last */
} tg_flag;

typedef struct tg_flags {
    const char *program;  /**< "fcnn_mnist" */
    const char *about;    /**< what the program does */
    const char *examples; /**< lines for the help page, or NULL */
    const char *notes;    /**< more lines for its end, such as exit codes, or NULL */
    const tg_flag *flags;
    int count;
    void *values;         /**< the struct that the offsets are into */
    const char *operands; /**< the help page's words for what is no flag: "MODEL FILE..."; NULL: there may be nothing else */
    int *operand_count;   /**< with `operands`: gets their number */
} tg_flags;

typedef enum tg_flags_answer {
    TG_FLAGS_RUN,     /**< all values are set */
    TG_FLAGS_HELP,    /**< --help or -h was given */
    TG_FLAGS_VERSION, /**< --version was given */
    TG_FLAGS_WRONG    /**< `message` says what, in one sentence */
} tg_flags_answer;

/** Sets every value to its default, then to what argv[1 .. argc) says: "--name value" or "--name=value".
    Operands are moved to argv[1 .. *operand_count], in their order; after "--" all are operands. */
TG_API tg_flags_answer tg_flags_parse(const tg_flags *flags, int argc, char **argv, char *message, size_t size);
/** Writes the help page, lines to 80 columns. TG_ERROR_IO if `out` fails. */
TG_API TG_MUST_USE tg_status tg_flags_help(const tg_flags *flags, FILE *out);

/** A flag's value as it would be typed: "100,50", "adam". False, and "", if it is not set: an absent switch, no text, or a number
    without a default that lies outside of the flag's limits. */
TG_API bool tg_flag_text(const tg_flag *flag, const void *values, char *text, size_t size);

/** The number of insertions, deletions, substitutions and swaps of neighbours between two words; at most `limit` + 1. */
TG_API int tg_edit_distance(const char *a, const char *b, int limit);

TG_END_DECLS

#endif
