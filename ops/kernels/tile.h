/* The tile: the one inner kernel of products and convolutions. It keeps a block of rows x vectors of outputs in registers while it
   goes through k, one accumulator for each output, in order of k; so no output's bits depend on how a product was cut into tiles. */
#ifndef TG_OPS_KERNELS_TILE_H
#define TG_OPS_KERNELS_TILE_H

#include <stdbool.h>
#include <stdint.h>

#define TG_TILE_MAX_ROWS 12
#define TG_TILE_MAX_VECTORS 4

/** c[r, j] (+)= sum over k of a[r][k] b[k, j]; k goes through `runs` runs of `run` steps. */
typedef struct tg_tile {
    int32_t rows;                           /**< 1 .. tg_tile_limits.rows[vectors - 1] */
    int32_t vectors;                        /**< 1 .. tg_tile_limits.vectors */
    const float *a[TG_TILE_MAX_ROWS];       /**< where each row's k = 0 lies, before its run's offset is added */
    const uint8_t *bytes[TG_TILE_MAX_ROWS]; /**< of tile_lookup(), instead of `a`: a[r][k] = table[bytes[r][k]] */
    const float *table;                     /**< of 256 */
    int64_t a_step;                         /**< floats from one k to the next within a run */
    const int64_t *offsets;                 /**< [runs] floats from a[r] to the start of each run */
    int64_t runs, run;
    const float *b; /**< `vectors` whole vectors are read at each k */
    int64_t b_step; /**< floats from one k to the next */
    float *c;
    int64_t c_step;  /**< floats from one row to the next */
    int64_t columns; /**< those that are read and written in c: more than vectors - 1 vectors have, at most what `vectors` have */
    bool add;        /**< go on from what c holds; else from +0 */
} tg_tile;

/** 2x2 windows side by side of a convolution's output, summed as by tiles and pooled where they are made: of filters of one panel. */
typedef struct tg_conv_windows {
    int64_t windows;
    const float *in;   /**< the first pixel that the first window's first output reads */
    int64_t step;      /**< floats from one window's to the next's */
    int64_t right;     /**< floats from an output's pixels to those of the one to its right, */
    int64_t below;     /**< and of the one below */
    int64_t runs, run; /**< an output's terms: so many rows, each of so many floats in a row */
    int64_t row_floats;
    int64_t row_count, row_reach; /**< rows that a window's outputs read together, and floats of each */
    bool skips;                   /**< windows of zeros need no sums: the kernel is finite, and row_reach fits a vector */
    const float *kernel;          /**< packed: [runs run, vectors] */
    int32_t vectors;
    int64_t columns, filters; /**< of the panel, of all panels */
    float *values;            /**< [windows, filters] from the panel's first one on; NULL: not wanted */
    uint8_t *positions;       /**< likewise */
} tg_conv_windows;

/** What the registers of an instruction set hold. */
typedef struct tg_tile_limits {
    int32_t width;                     /**< floats in a vector */
    int32_t vectors;                   /**< the widest tile */
    int32_t rows[TG_TILE_MAX_VECTORS]; /**< most rows of a tile of 1, 2, ... vectors */
} tg_tile_limits;

/** A matrix brought into the form that a tile reads: to[r, j] = from[r, j] for j < columns, 0 up to `width`. */
typedef struct tg_pack {
    float *to;         /**< [rows, width], without gaps */
    const float *from; /**< row r begins at r stride; for pack_transposed, column j does at j stride */
    int64_t stride, rows, columns, width;
} tg_pack;

/** Columns cut into panels of up to limits.vectors vectors, as even as can be. */
typedef struct tg_panels {
    int64_t count;
    int64_t vectors; /**< of all panels together */
    int64_t columns;
    int32_t width;
} tg_panels;

/** One panel: its first column, its vectors, its columns (the last panel's vectors may not be full). */
typedef struct tg_panel {
    int64_t first, columns;
    int32_t vectors;
} tg_panel;

static inline tg_panels tg_panels_make(const tg_tile_limits *limits, int64_t columns)
{
    int64_t vectors = (columns + limits->width - 1) / limits->width;
    return (tg_panels){(vectors + limits->vectors - 1) / limits->vectors, vectors, columns, limits->width};
}

static inline tg_panel tg_panels_at(const tg_panels *panels, int64_t i)
{
    int64_t first = panels->vectors * i / panels->count, end = panels->vectors * (i + 1) / panels->count;
    int64_t column = first * panels->width, stop = end * panels->width;
    if (stop > panels->columns)
        stop = panels->columns;
    return (tg_panel){column, stop - column, (int32_t)(end - first)};
}

/** The rows of a tile that all panels have room for. */
static inline int64_t tg_panels_rows(const tg_panels *panels, const tg_tile_limits *limits)
{
    int64_t widest = panels->count ? (panels->vectors + panels->count - 1) / panels->count : 1;
    return limits->rows[widest - 1];
}

#endif
