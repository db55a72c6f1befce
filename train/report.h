/* The report of a classifier's run: a folder with a page to look at, its figures, and tables for other programs. */
#ifndef TG_TRAIN_REPORT_H
#define TG_TRAIN_REPORT_H

#include "exec/plan.h"
#include "train/history.h"

TG_BEGIN_DECLS

/** Grey images with their classes, as in tg_image_set: pixels [count, rows, columns], 0 being background. */
typedef struct tg_report_images {
    const uint8_t *pixels;
    const int32_t *labels;
    int64_t count;
    int rows, columns;
} tg_report_images;

/** What a report tells. All is borrowed. */
typedef struct tg_report {
    tg_run_record record;
    const tg_history *history;
    tg_report_images train, test;
    const float *probabilities; /**< predicted for the test images: [test.count, record.classes] */
    tg_tensor output;           /**< of the network, on a graph for one image, for the table of layers */
    tg_plan_info step;          /**< of a training step */
    int64_t batch;              /**< its images */
    const char *graph_svg;      /**< the network's graph as drawn by Graphviz; NULL: not there */
} tg_report;

/** Makes the folder, and those above it, if it is not there, and makes sure that files can be written there: before a run that
    would be lost otherwise. TG_ERROR_IO puts one sentence into `message`. */
TG_API TG_MUST_USE tg_status tg_report_folder(const char *folder, char *message, size_t size);

/** Writes into the folder, each file whole or not at all: history.csv, metrics.json, the figures samples.svg, accuracy.svg, loss.svg,
    confusion.svg, mistakes.svg, seconds.svg and, if it is there, graph.svg, and last report.html, which holds them all and refers to
    nothing outside of itself. TG_ERROR_IO and TG_ERROR_MEMORY put one sentence into `message`. */
TG_API TG_MUST_USE tg_status tg_report_write(const tg_report *report, const char *folder, char *message, size_t size);

/** A test image that was taken for another class. */
typedef struct tg_mistake {
    int64_t image;
    int32_t said;
    float certainty; /**< the probability of what was said */
} tg_mistake;

/** The mistakes with the greatest certainty, greatest first, of equal ones the first images; at most `capacity`. Returns how many.
    probabilities [count, classes]; a row's answer is the first of its greatest. */
TG_API int tg_confident_mistakes(const float *probabilities, const int32_t *labels, int64_t count, int classes,
                                 tg_mistake *mistakes, int capacity);

/** What a confusion matrix says about a class; a share of nothing is 0. */
typedef struct tg_class_scores {
    double precision; /**< of those taken for the class, the share that is of it */
    double recall;    /**< of those of the class, the share that was taken for it */
    double f1;        /**< their harmonic mean */
    int64_t support;  /**< those of the class */
} tg_class_scores;
TG_API tg_class_scores tg_class_scores_of(const int64_t *confusion, int classes, int index);

TG_END_DECLS

#endif
