/* Metrics: graph-building functions that accumulate over runs in states (f64, so counts are exact), and functions that read them out.
   Each takes a name and records a layer "metrics/<name>" (so call them outside of other layers), whose states the plans for several
   batch sizes share. */
#ifndef TG_TRAIN_METRICS_H
#define TG_TRAIN_METRICS_H

#include "graph/tape.h"

TG_BEGIN_DECLS

/** The running mean of `values` (floats or u8, any shape): each element counts once, so a last, smaller batch weighs less, as in
    Keras. Records the assigns of "total" and "count". Returns the mean so far, this run included: an f64 scalar. */
TG_API tg_tensor tg_metric_mean_at(tg_where where, tg_tensor values, const char *name);
#define tg_metric_mean(...) tg_metric_mean_at(TG_HERE, __VA_ARGS__)

/** The running share of rows whose largest score is at the label. scores [n, c]; labels [n] (i32 or u8 classes), or [n, c]
    (such as one-hot rows, of which the largest counts). Returns the share so far, an f64 scalar. */
TG_API tg_tensor tg_metric_accuracy_at(tg_where where, tg_tensor scores, tg_tensor labels, const char *name);
#define tg_metric_accuracy(...) tg_metric_accuracy_at(TG_HERE, __VA_ARGS__)

/** The running confusion matrix of the same: element [i, j] counts the rows of class i whose largest score is at j. Records the
    assign of "matrix". Returns it, f64 [c, c]. */
TG_API tg_tensor tg_metric_confusion_at(tg_where where, tg_tensor scores, tg_tensor labels, const char *name);
#define tg_metric_confusion(...) tg_metric_confusion_at(TG_HERE, __VA_ARGS__)

/** Sets a metric's states to 0, to begin anew. A metric that no graph has recorded yet is fine. */
TG_API TG_MUST_USE tg_status tg_metric_reset(tg_variables *variables, const char *name);
/** What a mean or an accuracy has come to; 0 if nothing was counted, as in Keras. TG_ERROR_ARGUMENT if there is no such metric. */
TG_API TG_MUST_USE tg_status tg_metric_read_mean(const tg_variables *variables, const char *name, double *mean);
/** A confusion matrix's counts, row-major [classes, classes]. TG_ERROR_ARGUMENT if there is no such metric of that size. */
TG_API TG_MUST_USE tg_status tg_metric_read_confusion(const tg_variables *variables, const char *name, int64_t *counts,
                                                      int32_t classes);

TG_END_DECLS

#endif
