#include "train/history.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "graph/number_text.h"
#include "train/json_text.h"
#include "train/text_file.h"

static const char header[] = "epoch,accuracy,loss,val_accuracy,val_loss,seconds\n";

enum { COLUMNS = 5 };

static tg_status add_row(tg_history *history, const tg_history_row *row)
{
    if (history->count == history->capacity) {
        int capacity = history->capacity ? 2 * history->capacity : 16;
        tg_history_row *rows = tg_allocate(history->context, (size_t)capacity * sizeof *rows);
        if (!rows)
            return TG_ERROR_MEMORY;
        if (history->count > 0)
            memcpy(rows, history->rows, (size_t)history->count * sizeof *rows);
        tg_release(history->context, history->rows, (size_t)history->capacity * sizeof *rows);
        history->rows = rows;
        history->capacity = capacity;
    }
    history->rows[history->count++] = *row;
    return TG_OK;
}

tg_status tg_history_add(tg_history *history, const tg_fit_epoch *epoch)
{
    tg_history_row row = {.accuracy = epoch->train.accuracy,
                          .loss = epoch->train.loss,
                          .val_accuracy = epoch->validation.accuracy,
                          .val_loss = epoch->validation.loss,
                          .seconds = epoch->total_seconds};
    return add_row(history, &row);
}

void tg_history_free(tg_history *history)
{
    tg_release(history->context, history->rows, (size_t)history->capacity * sizeof *history->rows);
    *history = (tg_history){.context = history->context};
}

tg_status tg_history_write(FILE *out, const tg_history *history)
{
    fputs(header, out);
    for (int i = 0; i < history->count; i++) {
        const tg_history_row *row = &history->rows[i];
        const double values[COLUMNS] = {row->accuracy, row->loss, row->val_accuracy, row->val_loss, row->seconds};
        char text[TG_REAL_TEXT];
        fprintf(out, "%d", i);
        for (int column = 0; column < COLUMNS; column++)
            fprintf(out, ",%s", tg_real_text(values[column], text));
        fputc('\n', out);
    }
    return ferror(out) ? TG_ERROR_IO : TG_OK;
}

/* "3,0.9,0.1,0.9,0.1,2.5\n" at *at, which it moves past it. */
static bool take_row(char **at, int epoch, tg_history_row *row)
{
    double *const values[COLUMNS] = {&row->accuracy, &row->loss, &row->val_accuracy, &row->val_loss, &row->seconds};
    char *end;
    bool good = strtol(*at, &end, 10) == epoch && end != *at;
    for (int column = 0; good && column < COLUMNS; column++) {
        char *from = end + 1;
        good = *end == ',' && *from != '\n' && *from != ' ';
        if (good)
            *values[column] = tg_take_f64(from, &end);
        good = good && end != from;
    }
    if (!good || (*end != '\n' && *end != '\r'))
        return false;
    *at = end + strspn(end, "\r\n");
    return true;
}

tg_status tg_history_read(tg_context *context, const char *path, tg_history *history, char *message)
{
    tg_text_file file;
    *history = (tg_history){.context = context};
    tg_status status = tg_text_file_read(context, path, &file, message);
    if (status != TG_OK)
        return status;
    char *at = file.text;
    if (strncmp(at, header, sizeof header - 1) == 0)
        at += sizeof header - 1;
    else
        status = tg_file_fail(message, TG_ERROR_FORMAT, path, "line 1: expected \"%.*s\"", (int)sizeof header - 2, header);
    while (status == TG_OK && *at) {
        tg_history_row row;
        if (!take_row(&at, history->count, &row))
            status = tg_file_fail(message, TG_ERROR_FORMAT, path, "line %d: expected epoch %d and five numbers, parted by commas",
                                  history->count + 2, history->count);
        else if ((status = add_row(history, &row)) != TG_OK)
            tg_file_fail(message, status, path, "%s", tg_status_text(status));
    }
    tg_text_file_free(&file);
    if (status != TG_OK)
        tg_history_free(history);
    return status;
}
