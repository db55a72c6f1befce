/* Convolution gradients in pooled form in f64, by their definitions; see ops/kernels/conv_unpooled.h. */
#include <string.h>

#include "ops/kernels/conv_unpooled.h"

/* The output pixel of a pooled element; false if none takes it. */
static bool taken_at(const tg_unpooled_size *s, const int64_t pooled[2], int64_t argmax, int64_t out[2])
{
    out[0] = pooled[0] * s->step[0] + argmax / s->window[1];
    out[1] = pooled[1] * s->step[1] + argmax % s->window[1];
    return argmax < s->window[0] * s->window[1];
}

/* Where an output position meets the image by kernel position i; -1 outside. */
static int64_t meets(const tg_conv_size *s, int axis, int64_t out, int64_t i)
{
    int64_t p = out * s->stride[axis] + i * s->dilation[axis] - s->pad[axis];
    return p < s->in[axis] ? p : -1;
}

void tg_unpooled_kernel_gradient_plain(const tg_unpooled_size *size, const double *in, const double *gradient,
                                       const uint8_t *argmax, double *kernel, int64_t first, int64_t end)
{
    const tg_conv_size *s = &size->conv;
    int64_t pixels = size->pooled[0] * size->pooled[1];
    for (int64_t row = first; row < end; row++) {
        int64_t c = row % s->channels, j = row / s->channels % s->kernel[1], i = row / s->channels / s->kernel[1];
        double *to = kernel + row * s->filters;
        memset(to, 0, (size_t)s->filters * sizeof *to);
        for (int64_t pixel = 0; pixel < s->images * pixels; pixel++) {
            int64_t pooled[2] = {pixel % pixels / size->pooled[1], pixel % size->pooled[1]}, out[2];
            for (int64_t f = 0; f < s->filters; f++) {
                if (!taken_at(size, pooled, argmax[pixel * s->filters + f], out))
                    continue;
                int64_t y = meets(s, 0, out[0], i), x = meets(s, 1, out[1], j);
                if (y >= 0 && x >= 0)
                    to[f] +=
                        in[((pixel / pixels * s->in[0] + y) * s->in[1] + x) * s->channels + c] * gradient[pixel * s->filters + f];
            }
        }
    }
}

/* What one pooled element gives to a row of an image. */
static void give(const tg_conv_size *s, const int64_t out[2], double value, const double *kernel, double *line, int64_t y)
{
    for (int64_t i = 0; i < s->kernel[0]; i++)
        for (int64_t j = 0; j < s->kernel[1] && meets(s, 0, out[0], i) == y; j++) {
            int64_t x = meets(s, 1, out[1], j);
            for (int64_t c = 0; c < s->channels && x >= 0; c++)
                line[x * s->channels + c] += value * kernel[((i * s->kernel[1] + j) * s->channels + c) * s->filters];
        }
}

void tg_unpooled_input_gradient_plain(const tg_unpooled_size *size, const double *gradient, const uint8_t *argmax,
                                      const double *kernel, double *in, int64_t first, int64_t end)
{
    const tg_conv_size *s = &size->conv;
    int64_t pixels = size->pooled[0] * size->pooled[1];
    for (int64_t row = first; row < end; row++) {
        double *line = in + row * s->in[1] * s->channels;
        memset(line, 0, (size_t)(s->in[1] * s->channels) * sizeof *line);
        for (int64_t pixel = 0; pixel < pixels; pixel++) {
            int64_t pooled[2] = {pixel / size->pooled[1], pixel % size->pooled[1]}, out[2];
            int64_t at = (row / s->in[0] * pixels + pixel) * s->filters;
            for (int64_t f = 0; f < s->filters; f++)
                if (taken_at(size, pooled, argmax[at + f], out))
                    give(s, out, gradient[at + f], kernel + f, line, row % s->in[0]);
        }
    }
}
