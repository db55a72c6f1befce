/* A table of numbers, or some rows of one. */
#ifndef TG_TRAIN_TABLE_H
#define TG_TRAIN_TABLE_H

#include "graph/types.h"

/** f32 [rows, columns], row-major, borrowed for the time of a call. */
typedef struct tg_table {
    float *values; /**< NULL: what was asked for is not there, which every function that takes a table refuses */
    int64_t rows, columns;
} tg_table;

#endif
