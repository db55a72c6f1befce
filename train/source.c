#include "train/source.h"

#include "train/permutation.h"

typedef struct rows_source {
    tg_source source; /* first: what users hold */
    tg_context *context;
    tg_rows rows;
    int64_t batch, step; /* that comes next */
    bool in_order;
    uint64_t seed;
    int32_t *order; /* [rows.count] */
} rows_source;

static size_t order_bytes(const rows_source *s) { return (size_t)s->rows.count * sizeof *s->order; }

static tg_status begin_rows(void *user, int epoch, int64_t step, char *message)
{
    rows_source *s = user;
    (void)message;
    if (!s->in_order)
        tg_permutation(s->seed, "fit/order", (uint64_t)epoch, s->order, (int32_t)s->rows.count);
    s->step = step;
    return TG_OK;
}

static tg_status next_rows(void *user, tg_batch *batch, char *message)
{
    rows_source *s = user;
    (void)message;
    int64_t first = s->step++ * s->batch, left = s->rows.count - first;
    if (left > 0)
        *batch = (tg_batch){s->rows, s->order + first, left < s->batch ? left : s->batch};
    return TG_OK;
}

tg_source *tg_rows_source_new(tg_context *context, tg_rows rows, int64_t batch, bool in_order, uint64_t seed)
{
    if (rows.count < 1 || rows.count > INT32_MAX || batch < 1)
        return NULL;
    rows_source *s = tg_allocate_zero(context, sizeof *s);
    if (!s)
        return NULL;
    int64_t size = batch < rows.count ? batch : rows.count;
    *s = (rows_source){.context = context, .rows = rows, .batch = size, .in_order = in_order, .seed = seed};
    s->source = (tg_source){.next = next_rows, .begin = begin_rows, .steps = (rows.count + size - 1) / size, .user = s};
    s->order = tg_allocate(context, order_bytes(s));
    if (!s->order) {
        tg_rows_source_free(&s->source);
        return NULL;
    }
    for (int32_t i = 0; i < rows.count; i++)
        s->order[i] = i;
    return &s->source;
}

void tg_rows_source_free(tg_source *source)
{
    rows_source *s = source ? source->user : NULL;
    if (!s)
        return;
    tg_release(s->context, s->order, order_bytes(s));
    tg_release(s->context, s, sizeof *s);
}
