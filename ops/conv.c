/* Convolution on NHWC images with HWIO kernels, and its two gradients: three products, each of which has the other two as gradients. */
#include "ops/conv.h"

#include <stdio.h>

#include "ops/op_entries.h"

/* Extents, strides, dilations and paddings beyond this are refused, so that no index overflows. */
static const int64_t largest = INT64_C(1) << 30;

static const char *const axis_names[2] = {"height", "width"};

/* ---- shapes ---- */

typedef struct extents {
    int64_t in[2], kernel[2], out[2];
} extents;

static bool check_options(tg_infer *infer, const tg_conv2d_attributes *a, const extents *size)
{
    for (int axis = 0; axis < 2; axis++) {
        int64_t values[4] = {a->stride[axis], a->dilation[axis], a->pad_before[axis], a->pad_after[axis]};
        static const char *const names[4] = {"stride", "dilation", "padding before", "padding after"};
        for (int i = 0; i < 4; i++)
            if (values[i] < (i < 2 ? 1 : -largest) || values[i] > largest)
                return tg_infer_fail(infer, "the %s of %lld along the %s is out of range", names[i], (long long)values[i],
                                     axis_names[axis]);
        if (size->in[axis] > largest || size->kernel[axis] > largest || size->in[axis] < 0)
            return tg_infer_fail(infer, "the %s is out of range", axis_names[axis]);
        if (size->kernel[axis] < 1)
            return tg_infer_fail(infer, "the kernel's %s is %lld, but must be 1 or more", axis_names[axis],
                                 (long long)size->kernel[axis]);
    }
    return true;
}

/* Fills in the output's extents. */
static bool check_window(tg_infer *infer, const tg_conv2d_attributes *a, extents *size)
{
    if (!check_options(infer, a, size))
        return false;
    int64_t padded[2], spans[2];
    for (int axis = 0; axis < 2; axis++) {
        padded[axis] = size->in[axis] + a->pad_before[axis] + a->pad_after[axis];
        spans[axis] = tg_conv2d_reach(size->kernel[axis], a->dilation[axis]);
        size->out[axis] = tg_conv2d_out(a, axis, size->in[axis], size->kernel[axis]);
    }
    if (spans[0] <= padded[0] && spans[1] <= padded[1])
        return true;
    return tg_infer_fail(infer, "the %lldx%lld kernel%s spans %lldx%lld, more than the padded input's %lldx%lld",
                         (long long)size->kernel[0], (long long)size->kernel[1],
                         a->dilation[0] > 1 || a->dilation[1] > 1 ? ", dilated," : "", (long long)spans[0], (long long)spans[1],
                         (long long)padded[0], (long long)padded[1]);
}

static bool check_operands(tg_infer *infer, const char *first, const char *second)
{
    const tg_type *types = infer->inputs;
    if (!tg_dtype_is_float(types[0].dtype) || types[0].dtype != types[1].dtype)
        return tg_infer_fail(infer, "%s is %s and %s is %s: a convolution takes floats of one dtype", first,
                             tg_dtype_name(types[0].dtype), second, tg_dtype_name(types[1].dtype));
    for (int i = 0; i < 2; i++)
        if (types[i].shape.rank != 4)
            return tg_infer_fail(
                infer,
                "%s has rank %d, but a convolution takes [n, height, width, channels] and [height, width, channels, filters]",
                i ? second : first, types[i].shape.rank);
    return true;
}

static bool equal(tg_infer *infer, const char *what, int64_t first, int64_t second, const char *names)
{
    return first == second || tg_infer_fail(infer, "%s have %lld and %lld %s", names, (long long)first, (long long)second, what);
}

static bool check_gradient(tg_infer *infer, const extents *size, const tg_shape *gradient)
{
    if (gradient->dims[1] == size->out[0] && gradient->dims[2] == size->out[1])
        return true;
    return tg_infer_fail(infer, "the gradient is %lldx%lld, but the convolution's output is %lldx%lld",
                         (long long)gradient->dims[1], (long long)gradient->dims[2], (long long)size->out[0],
                         (long long)size->out[1]);
}

bool tg_conv2d_infer(tg_infer *infer, const tg_conv2d_attributes *a)
{
    const int64_t *x = infer->inputs[0].shape.dims, *k = infer->inputs[1].shape.dims;
    if (!check_operands(infer, "x", "the kernel"))
        return false;
    extents size = {.in = {x[1], x[2]}, .kernel = {k[0], k[1]}};
    if (!equal(infer, "channels", x[3], k[2], "x and the kernel") || !check_window(infer, a, &size))
        return false;
    infer->result = (tg_type){infer->inputs[0].dtype, TG_SHAPE(x[0], size.out[0], size.out[1], k[3])};
    return true;
}

static bool conv2d_shape(tg_infer *infer) { return tg_conv2d_infer(infer, infer->attributes); }

static bool input_gradient_shape(tg_infer *infer)
{
    const tg_conv2d_gradient_attributes *a = infer->attributes;
    const int64_t *g = infer->inputs[0].shape.dims, *k = infer->inputs[1].shape.dims;
    if (!check_operands(infer, "the gradient", "the kernel"))
        return false;
    extents size = {.in = {a->extent[0], a->extent[1]}, .kernel = {k[0], k[1]}};
    if (!equal(infer, "filters", g[3], k[3], "the gradient and the kernel") || !check_window(infer, &a->conv, &size) ||
        !check_gradient(infer, &size, &infer->inputs[0].shape))
        return false;
    infer->result = (tg_type){infer->inputs[0].dtype, TG_SHAPE(g[0], size.in[0], size.in[1], k[2])};
    return true;
}

static bool kernel_gradient_shape(tg_infer *infer)
{
    const tg_conv2d_gradient_attributes *a = infer->attributes;
    const int64_t *x = infer->inputs[0].shape.dims, *g = infer->inputs[1].shape.dims;
    if (!check_operands(infer, "x", "the gradient"))
        return false;
    extents size = {.in = {x[1], x[2]}, .kernel = {a->extent[0], a->extent[1]}};
    if (!equal(infer, "images", x[0], g[0], "x and the gradient") || !check_window(infer, &a->conv, &size) ||
        !check_gradient(infer, &size, &infer->inputs[1].shape))
        return false;
    infer->result = (tg_type){infer->inputs[0].dtype, TG_SHAPE(size.kernel[0], size.kernel[1], x[3], g[3])};
    return true;
}

/* ---- gradients ---- */

/* y = x * k: x' = input_gradient(y', k), k' = kernel_gradient(x, y'). */
static void conv2d_gradient(const tg_gradient_args *args, tg_tensor *result)
{
    tg_tensor x = args->inputs[0], k = args->inputs[1], g = args->gradient;
    tg_shape in = tg_tensor_shape(x), kernel = tg_tensor_shape(k);
    tg_conv2d_options options = tg_conv2d_options_of(args->attributes);
    if (args->wanted[0])
        result[0] = tg_conv2d_input_gradient(g, k, in.dims[1], in.dims[2], options);
    if (args->wanted[1])
        result[1] = tg_conv2d_kernel_gradient(x, g, kernel.dims[0], kernel.dims[1], options);
}

/* z = input_gradient(g, k) is linear in both: g' = z' * k, k' = kernel_gradient(z', g). */
static void input_gradient_gradient(const tg_gradient_args *args, tg_tensor *result)
{
    const tg_conv2d_gradient_attributes *a = args->attributes;
    tg_tensor g = args->inputs[0], k = args->inputs[1], dz = args->gradient;
    tg_shape kernel = tg_tensor_shape(k);
    if (args->wanted[0])
        result[0] = tg_conv2d(dz, k, tg_conv2d_options_of(&a->conv));
    if (args->wanted[1])
        result[1] = tg_conv2d_kernel_gradient(dz, g, kernel.dims[0], kernel.dims[1], tg_conv2d_options_of(&a->conv));
}

/* z = kernel_gradient(x, g): x' = input_gradient(g, z'), g' = x * z'. */
static void kernel_gradient_gradient(const tg_gradient_args *args, tg_tensor *result)
{
    const tg_conv2d_gradient_attributes *a = args->attributes;
    tg_tensor x = args->inputs[0], g = args->inputs[1], dz = args->gradient;
    tg_shape in = tg_tensor_shape(x);
    if (args->wanted[0])
        result[0] = tg_conv2d_input_gradient(g, dz, in.dims[1], in.dims[2], tg_conv2d_options_of(&a->conv));
    if (args->wanted[1])
        result[1] = tg_conv2d(x, dz, tg_conv2d_options_of(&a->conv));
}

/* ---- entries ---- */

void tg_conv2d_describe(const tg_conv2d_attributes *a, char *text, size_t size)
{
    struct {
        const char *name;
        const int64_t *pair;
        int64_t usual;
    } const parts[4] = {
        {"stride", a->stride, 1}, {"dilation", a->dilation, 1}, {"pad before", a->pad_before, 0}, {"pad after", a->pad_after, 0}};
    size_t at = 0;
    if (size > 0)
        text[0] = '\0';
    for (int i = 0; i < 4 && at < size; i++) {
        if (parts[i].pair[0] == parts[i].usual && parts[i].pair[1] == parts[i].usual)
            continue;
        int n = snprintf(text + at, size - at, "%s%s %lldx%lld", at ? ", " : "", parts[i].name, (long long)parts[i].pair[0],
                         (long long)parts[i].pair[1]);
        at += n > 0 ? (size_t)n : 0;
    }
}

static void conv2d_describe(const void *attributes, char *text, size_t size) { tg_conv2d_describe(attributes, text, size); }

static void gradient_describe(const void *attributes, char *text, size_t size)
{
    tg_conv2d_describe(&((const tg_conv2d_gradient_attributes *)attributes)->conv, text, size);
}

const tg_op tg_op_conv2d = {
    .name = "conv2d",
    .formula = "y[n,i,j,f] = sum x[n, s i + d p, s j + d q, c] k[p,q,c,f]",
    .traits = TG_CONTRACTION,
    .min_inputs = 2,
    .max_inputs = 2,
    .tolerance = 8,
    .shape = conv2d_shape,
    .gradient = conv2d_gradient,
    .rewrites = tg_conv2d_rules,
    .n_rewrites = TG_CONV2D_RULES,
    .flops = tg_conv2d_flops,
    .describe = conv2d_describe,
    .run = tg_conv2d_run,
    .phases = tg_conv2d_phases,
    .tasks = tg_conv2d_tasks,
    .scratch_bytes = tg_conv2d_scratch,
    .shared_bytes = tg_conv2d_shared,
    .prepares = tg_conv2d_prepares,
};

const tg_op tg_op_conv2d_input_gradient = {
    .name = "conv2d_input_gradient",
    .formula = "x[n, s i + d p, s j + d q, c] = sum y[n,i,j,f] k[p,q,c,f]",
    .traits = TG_CONTRACTION,
    .min_inputs = 2,
    .max_inputs = 2,
    .tolerance = 8,
    .shape = input_gradient_shape,
    .gradient = input_gradient_gradient,
    .rewrites = tg_conv2d_input_gradient_rules,
    .n_rewrites = TG_CONV2D_INPUT_GRADIENT_RULES,
    .flops = tg_conv2d_input_gradient_flops,
    .describe = gradient_describe,
    .run = tg_conv2d_input_gradient_run,
    .phases = tg_conv2d_phases,
    .tasks = tg_conv2d_input_gradient_tasks,
    .scratch_bytes = tg_conv2d_input_gradient_scratch,
    .shared_bytes = tg_conv2d_input_gradient_shared,
    .prepares = tg_conv2d_prepares,
};

const tg_op tg_op_conv2d_kernel_gradient = {
    .name = "conv2d_kernel_gradient",
    .formula = "k[p,q,c,f] = sum x[n, s i + d p, s j + d q, c] y[n,i,j,f]",
    .traits = TG_CONTRACTION,
    .min_inputs = 2,
    .max_inputs = 2,
    .tolerance = 8,
    .shape = kernel_gradient_shape,
    .gradient = kernel_gradient_gradient,
    .rewrites = tg_conv2d_kernel_gradient_rules,
    .n_rewrites = TG_CONV2D_KERNEL_GRADIENT_RULES,
    .flops = tg_conv2d_kernel_gradient_flops,
    .describe = gradient_describe,
    .run = tg_conv2d_kernel_gradient_run,
    .phases = tg_conv2d_kernel_gradient_phases,
    .tasks = tg_conv2d_kernel_gradient_tasks,
    .scratch_bytes = tg_conv2d_kernel_gradient_scratch,
    .shared_bytes = tg_conv2d_kernel_gradient_shared,
};

/* ---- recording ---- */

tg_conv2d_attributes tg_conv2d_normalised(tg_conv2d_options options)
{
    tg_conv2d_attributes a;
    for (int axis = 0; axis < 2; axis++) {
        a.stride[axis] = options.stride[axis] ? options.stride[axis] : 1;
        a.dilation[axis] = options.dilation[axis] ? options.dilation[axis] : 1;
        a.pad_before[axis] = options.pad_before[axis];
        a.pad_after[axis] = options.pad_after[axis];
    }
    return a;
}

tg_tensor tg_conv2d_at(tg_where where, tg_tensor x, tg_tensor kernel, tg_conv2d_options options)
{
    tg_conv2d_attributes attributes = tg_conv2d_normalised(options);
    return tg_apply_at(where, x.graph, &tg_op_conv2d, (tg_tensor[]){x, kernel}, 2, &attributes, sizeof attributes);
}

tg_tensor tg_conv2d_input_gradient_at(tg_where where, tg_tensor gradient, tg_tensor kernel, int64_t height, int64_t width,
                                      tg_conv2d_options options)
{
    tg_conv2d_gradient_attributes attributes = {tg_conv2d_normalised(options), {height, width}};
    return tg_apply_at(where, gradient.graph, &tg_op_conv2d_input_gradient, (tg_tensor[]){gradient, kernel}, 2, &attributes,
                       sizeof attributes);
}

tg_tensor tg_conv2d_kernel_gradient_at(tg_where where, tg_tensor x, tg_tensor gradient, int64_t kernel_height,
                                       int64_t kernel_width, tg_conv2d_options options)
{
    tg_conv2d_gradient_attributes attributes = {tg_conv2d_normalised(options), {kernel_height, kernel_width}};
    return tg_apply_at(where, x.graph, &tg_op_conv2d_kernel_gradient, (tg_tensor[]){x, gradient}, 2, &attributes,
                       sizeof attributes);
}

tg_conv2d_options tg_same_padding(tg_conv2d_options options, int64_t height, int64_t width, int64_t kernel_height,
                                  int64_t kernel_width)
{
    tg_conv2d_attributes a = tg_conv2d_normalised(options);
    int64_t extent[2] = {height, width}, kernel[2] = {kernel_height, kernel_width};
    for (int axis = 0; axis < 2; axis++) {
        int64_t out = a.stride[axis] > 0 ? (extent[axis] + a.stride[axis] - 1) / a.stride[axis] : 0;
        int64_t all = (out - 1) * a.stride[axis] + tg_conv2d_reach(kernel[axis], a.dilation[axis]) - extent[axis];
        options.pad_before[axis] = all > 0 ? all / 2 : 0;
        options.pad_after[axis] = all > 0 ? all - all / 2 : 0;
    }
    return options;
}
