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
    const int32_t *labels = batch.rows.y;
    bool classes = labels && options->classes > 0 && tg_type_equal(options->target, (tg_type){TG_I32, TG_SCALAR});
    int64_t count = batch.indices ? batch.index_count : batch.rows.count;
    for (int64_t i = 0; i < count; i++) {
        int64_t row = batch.indices ? batch.indices[i] : i;
        if (row < 0 || row >= batch.rows.count) {
            snprintf(text, size, "the batch takes row %lld, but the data has %lld rows, from 0", (long long)row,
                     (long long)batch.rows.count);
            return true;
        }
        if (classes && (labels[row] < 0 || labels[row] >= options->classes)) {
            snprintf(text, size, "the label of row %lld (from 0) is %d, but the model has %d classes, 0 to %d", (long long)row,
                     (int)labels[row], (int)options->classes, (int)options->classes - 1);
            return true;
        }
    }
    return false;
}
