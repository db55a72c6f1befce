/* Standardisation: columns of data brought to mean 0 and deviation 1 by ops of the graph. What they subtract and divide by is
   fitted on the training rows and stands in the store, so that it is kept with the weights and new rows are treated alike. */
#ifndef TG_TRAIN_STANDARDISE_H
#define TG_TRAIN_STANDARDISE_H

#include "graph/tape.h"
#include "train/table.h"

TG_BEGIN_DECLS

/** Finds the mean and the deviation (of the population) of each column of x, missing values (NaN) left out, and writes them to the
    states "<name>/mean" and "<name>/deviation" [columns] of the store, made if need be. A column that is constant has deviation 1;
    one without values also has mean 0. TG_ERROR_ARGUMENT: no such table, as where tg_csv_x() is asked for more rows than there are;
    no rows or columns, an infinity, a name that is too long or stands for variables of another shape; or TG_ERROR_MEMORY.
    Checkpoints keep states; so does tg_safetensors_save() with `all`. */
TG_API TG_MUST_USE tg_status tg_standardise_fit(tg_variables *variables, const char *name, tg_table x);

/** Puts the mean that was fitted in place of each missing value (NaN) of x: training rows and any others.
    TG_ERROR_ARGUMENT: no such table, or nothing of that name and number of columns was fitted; or TG_ERROR_MEMORY. */
TG_API TG_MUST_USE tg_status tg_standardise_fill(const tg_variables *variables, const char *name, tg_table x);

/** A layer without weights: (x - mean) / deviation, x [..., columns] cast to the working float. `name` is the one that was
    fitted; NULL: numbered, at first "standardise". The identity until it is fitted. */
TG_API tg_tensor tg_standardise_at(tg_where where, tg_tensor x, const char *name);
#define tg_standardise(...) tg_standardise_at(TG_HERE, __VA_ARGS__)

/** The way back, z deviation + mean, which gives a network's output the scale of its targets. NULL: "unstandardise", numbered. */
TG_API tg_tensor tg_unstandardise_at(tg_where where, tg_tensor z, const char *name);
#define tg_unstandardise(...) tg_unstandardise_at(TG_HERE, __VA_ARGS__)

TG_END_DECLS

#endif
