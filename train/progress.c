#include "train/progress.h"

#include <math.h>

#include "graph/number_text.h"

char *tg_step_time_text(double seconds, char *text, size_t size)
{
    if (seconds >= 1 || seconds <= 0)
        tg_format(text, size, "%.0fs/step", seconds);
    else if (seconds >= 1e-3)
        tg_format(text, size, "%.0fms/step", seconds * 1e3);
    else
        tg_format(text, size, "%.0fus/step", seconds * 1e6);
    return text;
}

char *tg_figure_text(double value, char *text, size_t size)
{
    tg_format(text, size, fabs(value) > 1e-3 ? "%.4f" : "%.4e", value);
    return text;
}

tg_status tg_progress_line(FILE *out, const tg_progress *progress)
{
    char text[64];
    if (progress->steps > 0)
        fprintf(out, "%lld/%lld", (long long)progress->step, (long long)progress->steps);
    else
        fprintf(out, "%lld/Unknown", (long long)progress->step);
    tg_put(out, " - %.0fs - %s", progress->seconds, tg_step_time_text(progress->seconds_per_step, text, sizeof text));
    for (int i = 0; i < progress->n_values; i++)
        fprintf(out, " - %s: %s", progress->values[i].name, tg_figure_text(progress->values[i].value, text, sizeof text));
    fprintf(out, "\n");
    return ferror(out) ? TG_ERROR_IO : TG_OK;
}
