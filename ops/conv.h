/* Inside the convolution family: how its ops run (ops/conv_run.c) and how they are rewritten (ops/conv_rules.c). */
#ifndef TG_OPS_CONV_H
#define TG_OPS_CONV_H

#include "ops/attributes.h"
#include "ops/kernels/conv.h"
#include "ops/ops.h"

/** What a kernel axis of this extent and dilation spans of the input. */
static inline int64_t tg_conv2d_reach(int64_t kernel, int64_t dilation) { return (kernel - 1) * dilation + 1; }

/** Where the kernel fits along an axis: the output's extent. */
static inline int64_t tg_conv2d_out(const tg_conv2d_attributes *a, int axis, int64_t in, int64_t kernel)
{
    return (in + a->pad_before[axis] + a->pad_after[axis] - tg_conv2d_reach(kernel, a->dilation[axis])) / a->stride[axis] + 1;
}

static inline tg_conv2d_options tg_conv2d_options_of(const tg_conv2d_attributes *a)
{
    return (tg_conv2d_options){.stride = {a->stride[0], a->stride[1]},
                               .dilation = {a->dilation[0], a->dilation[1]},
                               .pad_before = {a->pad_before[0], a->pad_before[1]},
                               .pad_after = {a->pad_after[0], a->pad_after[1]}};
}

int tg_conv2d_phases(const tg_work *work);        /**< of both the output and the input gradient */
uint32_t tg_conv2d_prepares(const tg_work *work); /**< likewise */
int tg_conv2d_kernel_gradient_phases(const tg_work *work);
/** Floats of an image that 32 bits must count; 0 in f64, where nothing is counted so. */
int64_t tg_conv2d_kernel_gradient_unpooled_image(const tg_work *work);
int tg_conv2d_unpooled_phases(const tg_work *work); /**< of both */
uint32_t tg_conv2d_input_gradient_unpooled_prepares(const tg_work *work);
#define TG_CONV2D_RUNS(name)                                   \
    double tg_##name##_flops(const tg_work *work);             \
    int64_t tg_##name##_tasks(const tg_work *work, int phase); \
    size_t tg_##name##_scratch(const tg_work *work);           \
    size_t tg_##name##_shared(const tg_work *work);            \
    tg_status tg_##name##_run(const tg_work *work, const tg_buffers *buffers, int phase, int64_t task, void *scratch);
TG_CONV2D_RUNS(conv2d)
TG_CONV2D_RUNS(conv2d_input_gradient)
TG_CONV2D_RUNS(conv2d_kernel_gradient)
TG_CONV2D_RUNS(conv2d_input_gradient_unpooled)
TG_CONV2D_RUNS(conv2d_kernel_gradient_unpooled)

/* Of conv2d_max_pool2d and its argmax: ops/conv_pool_run.c. */
int tg_conv2d_pool_phases(const tg_work *work);
uint32_t tg_conv2d_pool_prepares(const tg_work *work);
TG_CONV2D_RUNS(conv2d_pool)
#undef TG_CONV2D_RUNS
/** The output of the convolution that is pooled. */
tg_shape tg_conv2d_pool_image(const tg_conv2d_attributes *a, const tg_shape *x, const tg_shape *kernel);

enum { TG_CONV2D_RULES = 1, TG_CONV2D_INPUT_GRADIENT_RULES = 3, TG_CONV2D_KERNEL_GRADIENT_RULES = 4 };
extern const tg_rewrite_rule tg_conv2d_rules[TG_CONV2D_RULES], tg_conv2d_input_gradient_rules[TG_CONV2D_INPUT_GRADIENT_RULES],
    tg_conv2d_kernel_gradient_rules[TG_CONV2D_KERNEL_GRADIENT_RULES];

/** conv2d's shape rule, with its attributes apart. */
bool tg_conv2d_infer(tg_infer *infer, const tg_conv2d_attributes *a);
tg_conv2d_attributes tg_conv2d_normalised(tg_conv2d_options options);
/** The attributes of conv2d as text. */
void tg_conv2d_describe(const tg_conv2d_attributes *a, char *text, size_t size);
/** x, kernel and y = conv2d(x, kernel) as kernels see them. */
tg_conv_size tg_conv2d_size_of(const tg_conv2d_attributes *a, const tg_shape *x, const tg_shape *kernel, const tg_shape *y);

#endif
