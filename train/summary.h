/* Summaries: the layers of a graph as a table, as Keras prints it, with multiply-adds. */
#ifndef TG_TRAIN_SUMMARY_H
#define TG_TRAIN_SUMMARY_H

#include <stdio.h>

#include "graph/op.h"

TG_BEGIN_DECLS

/** One outermost layer. */
typedef struct tg_summary_row {
    const tg_layer_info *layer;
    tg_shape shape;     /**< of its output, axis 0 being the batch */
    int64_t parameters; /**< elements of its variables that an optimizer trains */
    int64_t states;     /**< elements of its other variables */
    int64_t bytes, state_bytes;
    double multiply_adds; /**< of its products and convolutions, per row of the batch */
} tg_summary_row;

/** The outermost layers that `output`'s graph has up to `output`, in order; at most `capacity` of them into `rows` (NULL: 0).
    Returns how many there are. Row pointers are valid until the graph is freed or grows. */
TG_API int tg_summary_rows(tg_tensor output, tg_summary_row *rows, int capacity);

typedef struct tg_summary_options {
    const char *title; /**< NULL: "model" */
    bool ascii;        /**< lines of -, | and + instead of Unicode's box drawing */
} tg_summary_options;

/** Writes Keras's table: layers with output shapes, parameters and multiply-adds, and the three totals. TG_ERROR_IO if `out` fails,
    TG_ERROR_GRAPH if `output` is poisoned, TG_ERROR_MEMORY. */
TG_API TG_MUST_USE tg_status tg_summary_write(FILE *out, tg_tensor output, tg_summary_options options);

/** "84,060". Writes at most `size` bytes with the terminating zero and returns `text`. */
TG_API char *tg_count_text(int64_t count, char *text, size_t size);
/** Keras's way to write sizes: "328.36 KB", "0.00 B". */
TG_API char *tg_bytes_text(double bytes, char *text, size_t size);

TG_END_DECLS

#endif
