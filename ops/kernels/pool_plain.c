/* Pooling in f64, by its definitions; see ops/kernels/pool.h. */
#include <string.h>

#include "ops/kernels/pool.h"

/* An element of the result: its number, and of the image's the upper left one of its window. */
typedef struct place {
    int64_t at, corner;
} place;

/* Element `e` of the pooled rows. */
static place place_of(const tg_pool *p, int64_t e)
{
    const tg_pool_size *s = p->size;
    int64_t c = e % s->channels, x = e / s->channels % s->out[1], row = e / s->channels / s->out[1];
    int64_t y = row / s->out[0] * s->in[0] + row % s->out[0] * s->stride[0];
    return (place){e, (y * s->in[1] + x * s->stride[1]) * s->channels + c};
}

/* From a window's first element to that at a position. */
static int64_t offset_of(const tg_pool_size *s, int64_t position)
{
    return (position / s->window[1] * s->in[1] + position % s->window[1]) * s->channels;
}

static int64_t first_element(const tg_pool *p) { return p->first * p->size->out[1] * p->size->channels; }
static int64_t end_element(const tg_pool *p) { return p->end * p->size->out[1] * p->size->channels; }

static int64_t argmax_at(const tg_pool *p, place e)
{
    const double *window = (const double *)p->from + e.corner;
    int64_t best = 0;
    for (int64_t i = 1; i < p->size->window[0] * p->size->window[1]; i++) {
        double v = window[offset_of(p->size, i)], old = window[offset_of(p->size, best)];
        if (old == old && !(v <= old))
            best = i;
    }
    return best;
}

void tg_max_pool_f64(const tg_pool *p)
{
    for (int64_t i = first_element(p); i < end_element(p); i++) {
        place e = place_of(p, i);
        int64_t position = argmax_at(p, e);
        ((double *)p->to)[i] = ((const double *)p->from)[e.corner + offset_of(p->size, position)];
        if (p->positions)
            p->positions[i] = (uint8_t)position;
    }
}

void tg_max_pool_argmax_f64(const tg_pool *p)
{
    for (int64_t i = first_element(p); i < end_element(p); i++)
        ((uint8_t *)p->to)[i] = (uint8_t)argmax_at(p, place_of(p, i));
}

void tg_avg_pool_f64(const tg_pool *p)
{
    int64_t count = p->size->window[0] * p->size->window[1];
    for (int64_t i = first_element(p); i < end_element(p); i++) {
        const double *window = (const double *)p->from + place_of(p, i).corner;
        double sum = 0;
        for (int64_t position = 0; position < count; position++)
            sum += window[offset_of(p->size, position)];
        ((double *)p->to)[i] = sum / (double)count;
    }
}

void tg_pool_gather_plain(const tg_pool *p, int64_t element)
{
    int64_t count = p->size->window[0] * p->size->window[1];
    for (int64_t i = first_element(p); i < end_element(p); i++) {
        char *to = (char *)p->to + i * element;
        if (p->argmax[i] < count)
            memcpy(to, (const char *)p->from + (place_of(p, i).corner + offset_of(p->size, p->argmax[i])) * element,
                   (size_t)element);
        else
            memset(to, 0, (size_t)element);
    }
}

/* The sum over the windows that contain an element of the image; argmax NULL: each gives its value divided by its size. */
static double received(const tg_pool *p, int64_t row, int64_t x, int64_t c)
{
    const tg_pool_size *s = p->size;
    int64_t image = row / s->in[0], y = row % s->in[0], rows[2], columns[2];
    double sum = 0;
    tg_pool_windows(s, 0, y, &rows[0], &rows[1]);
    tg_pool_windows(s, 1, x, &columns[0], &columns[1]);
    for (int64_t oy = rows[0]; oy < rows[1]; oy++)
        for (int64_t ox = columns[0]; ox < columns[1]; ox++) {
            int64_t at = ((image * s->out[0] + oy) * s->out[1] + ox) * s->channels + c;
            int64_t position = (y - oy * s->stride[0]) * s->window[1] + x - ox * s->stride[1];
            double value = ((const double *)p->from)[at];
            if (!p->argmax)
                sum += value / (double)(s->window[0] * s->window[1]);
            else if (p->argmax[at] == position)
                sum += value;
        }
    return sum;
}

static void spread(const tg_pool *p)
{
    const tg_pool_size *s = p->size;
    for (int64_t row = p->first; row < p->end; row++)
        for (int64_t x = 0; x < s->in[1]; x++)
            for (int64_t c = 0; c < s->channels; c++)
                ((double *)p->to)[(row * s->in[1] + x) * s->channels + c] = received(p, row, x, c);
}

void tg_unpool_f64(const tg_pool *p) { spread(p); }
void tg_avg_unpool_f64(const tg_pool *p) { spread(p); }
