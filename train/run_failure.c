#include "train/run_failure.h"

#include <stdio.h>
#include <string.h>

char *tg_run_failure_text(const tg_plan *plan, char *text, size_t size)
{
    static const char of_plans[] = "tg_find_nonfinite()";
    const char *error = tg_plan_error(plan), *named = strstr(error, of_plans);
    if (named)
        snprintf(text, size, "%.*stg_model_find_nonfinite()%s", (int)(named - error), error, named + sizeof of_plans - 1);
    else
        snprintf(text, size, "%s", error);
    return text;
}

bool tg_label_range_text(const tg_model_options *options, tg_batch batch, char *text, size_t size)
{
    const void *labels = batch.rows.y;
    bool bytes = options->target.dtype == TG_U8, integers = bytes || options->target.dtype == TG_I32;
    bool classes = labels && options->classes > 0 && integers && options->target.shape.rank == 0;
    int64_t count = batch.indices ? batch.index_count : batch.rows.count;
    for (int64_t i = 0; i < count; i++) {
        int64_t row = batch.indices ? batch.indices[i] : i;
        if (row < 0 || row >= batch.rows.count) {
            snprintf(text, size, "the batch takes row %lld, but the data has %lld rows, from 0", (long long)row,
                     (long long)batch.rows.count);
            return true;
        }
        int label = !classes ? 0 : bytes ? ((const uint8_t *)labels)[row] : ((const int32_t *)labels)[row];
        if (classes && (label < 0 || label >= options->classes)) {
            snprintf(text, size, "the label of row %lld (from 0) is %d, but the model has %d classes, 0 to %d", (long long)row,
                     label, (int)options->classes, (int)options->classes - 1);
            return true;
        }
    }
    return false;
}
