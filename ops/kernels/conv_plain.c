/* Convolutions in f64, by their definitions; see ops/kernels/conv.h. */
#include "ops/kernels/conv.h"

/* Where kernel row or column i reads for output o; the position may lie outside the image. */
static int64_t reads(const tg_conv_size *s, int axis, int64_t o, int64_t i)
{
    return o * s->stride[axis] + i * s->dilation[axis] - s->pad[axis];
}

static bool inside(int64_t i, int64_t extent) { return i >= 0 && i < extent; }

/* The output that reads position p with kernel row or column i; -1 if there is none. */
static int64_t read_by(const tg_conv_size *s, int axis, int64_t p, int64_t i)
{
    int64_t reach = p + s->pad[axis] - i * s->dilation[axis];
    return reach >= 0 && reach % s->stride[axis] == 0 && reach / s->stride[axis] < s->out[axis] ? reach / s->stride[axis] : -1;
}

static void clear(double *to, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        to[i] = 0;
}

/* A sum that rounded to -0 becomes +0. */
static void settle(double *to, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        to[i] += 0.0;
}

static void plain_pixel(const tg_conv_size *s, const double *image, const double *kernel, double *out, int64_t oy, int64_t ox)
{
    for (int64_t i = 0; i < s->kernel[0]; i++)
        for (int64_t j = 0; j < s->kernel[1]; j++) {
            int64_t y = reads(s, 0, oy, i), x = reads(s, 1, ox, j);
            if (!inside(y, s->in[0]) || !inside(x, s->in[1]))
                continue;
            for (int64_t c = 0; c < s->channels; c++) {
                double value = image[(y * s->in[1] + x) * s->channels + c];
                const double *row = kernel + ((i * s->kernel[1] + j) * s->channels + c) * s->filters;
                for (int64_t f = 0; f < s->filters; f++)
                    out[f] += value * row[f];
            }
        }
}

void tg_conv_plain(const tg_conv_size *s, const double *in, const double *kernel, double *out, int64_t first, int64_t end)
{
    for (int64_t row = first; row < end; row++)
        for (int64_t x = 0; x < s->out[1]; x++) {
            double *to = out + ((row - first) * s->out[1] + x) * s->filters;
            clear(to, s->filters);
            plain_pixel(s, in + row / s->out[0] * s->in[0] * s->in[1] * s->channels, kernel, to, row % s->out[0], x);
            settle(to, s->filters);
        }
}

static void plain_gradient_pixel(const tg_conv_size *s, const double *image, const double *kernel, double *in, int64_t y,
                                 int64_t x)
{
    for (int64_t i = s->kernel[0] - 1; i >= 0; i--)
        for (int64_t j = s->kernel[1] - 1; j >= 0; j--) {
            int64_t oy = read_by(s, 0, y, i), ox = read_by(s, 1, x, j);
            if (oy < 0 || ox < 0)
                continue;
            const double *gradient = image + (oy * s->out[1] + ox) * s->filters;
            for (int64_t c = 0; c < s->channels; c++) {
                const double *row = kernel + ((i * s->kernel[1] + j) * s->channels + c) * s->filters;
                for (int64_t f = 0; f < s->filters; f++)
                    in[c] += gradient[f] * row[f];
            }
        }
}

void tg_conv_input_gradient_plain(const tg_conv_size *s, const double *gradient, const double *kernel, double *in, int64_t first,
                                  int64_t end)
{
    for (int64_t row = first; row < end; row++)
        for (int64_t x = 0; x < s->in[1]; x++) {
            double *to = in + ((row - first) * s->in[1] + x) * s->channels;
            clear(to, s->channels);
            plain_gradient_pixel(s, gradient + row / s->in[0] * s->out[0] * s->out[1] * s->filters, kernel, to, row % s->in[0],
                                 x);
            settle(to, s->channels);
        }
}

void tg_conv_kernel_gradient_plain(const tg_conv_size *s, const double *in, const double *gradient, double *kernel, int64_t first,
                                   int64_t end)
{
    for (int64_t row = first; row < end; row++) {
        int64_t c = row % s->channels, j = row / s->channels % s->kernel[1], i = row / s->channels / s->kernel[1];
        double *to = kernel + row * s->filters;
        clear(to, s->filters);
        for (int64_t line = 0; line < s->images * s->out[0]; line++) {
            int64_t y = reads(s, 0, line % s->out[0], i);
            for (int64_t ox = 0; ox < s->out[1] && inside(y, s->in[0]); ox++) {
                int64_t x = reads(s, 1, ox, j);
                if (!inside(x, s->in[1]))
                    continue;
                double value = in[((line / s->out[0] * s->in[0] + y) * s->in[1] + x) * s->channels + c];
                for (int64_t f = 0; f < s->filters; f++)
                    to[f] += value * gradient[(line * s->out[1] + ox) * s->filters + f];
            }
        }
        settle(to, s->filters);
    }
}
