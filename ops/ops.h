/* The ops. Semantics follow NumPy and the ONNX operator text: broadcasting from the right, negative axes, half-open slices.
   Each records one node (or a few) and gives its handle; a mistake poisons the handle and stays on the graph.
   No implicit promotion: operands have one dtype; tg_scalar() makes a scalar of a tensor's. NaN propagates unless said otherwise.
   While a plan runs, ops on f32 alone take subnormals (below 1.2e-38) as zeros and make none; ops that read or write f64 keep them. */
#ifndef TG_OPS_OPS_H
#define TG_OPS_OPS_H

#include "graph/op.h"

TG_BEGIN_DECLS

/* At NaN, infinities, zeros and ties ops follow IEEE 754, C99's functions and NumPy; where these say nothing, PyTorch. So 0 times a NaN or an
   infinity is a NaN, also inside of sums and products, and nothing hides a NaN but what chooses: comparisons, where, pow (below), and
   zeros that nobody multiplies (pad, unpool2d, a convolution's padding: what these zeros make beside an infinite or NaN kernel, or in a
   gradient that compilation takes through a pooling, is not specified). A gradient is g times the derivative in the same arithmetic: where it
   is not said otherwise, that is NaN at a NaN, and infinite where the derivative is (log and sqrt at 0). tests/reference/edges.inc has it
   for every op, and says where it is not what JAX gives. */

/* ---- pointwise, broadcasting ---- */

/* On floats. add, sub, mul, neg, abs, sign and square also take i32, and wrap around as NumPy's do; maximum, minimum, comparisons,
   where, cast and stop_gradient take any dtype. */

#define TG_DECLARE_UNARY(name) TG_API tg_tensor tg_##name##_at(tg_where where, tg_tensor x);
#define TG_DECLARE_BINARY(name) TG_API tg_tensor tg_##name##_at(tg_where where, tg_tensor a, tg_tensor b);

TG_DECLARE_BINARY(add) /**< a + b */
TG_DECLARE_BINARY(sub) /**< a - b */
TG_DECLARE_BINARY(mul) /**< a b */
TG_DECLARE_BINARY(div) /**< a / b */
/** a^b, as C99's pow(): 1 where b = 0 or a = 1, even beside a NaN; NaN for a < 0 and a fractional b. First and second derivatives
    are those of a^b, and 0 in a at b = 0 for every a but NaN; infinite where a^b is steep, as in a at (0, 0.5). In b there is none
    for a < 0: NaN. At a = 0 and b >= 0 the gradient in b is 0, as in PyTorch and JAX: log a counts as 0 there, in second
    derivatives too. Where an infinity meets 0 first derivatives are the limits (JAX and PyTorch give NaN): 0 in a and b at
    (inf, -1), (0.5, inf), (2, -inf). */
TG_DECLARE_BINARY(pow)
TG_DECLARE_BINARY(maximum) /**< NaN if either is; at a tie, and beside a NaN, each side takes half the gradient */
TG_DECLARE_BINARY(minimum) /**< the same */
#define tg_add(...) tg_add_at(TG_HERE, __VA_ARGS__)
#define tg_sub(...) tg_sub_at(TG_HERE, __VA_ARGS__)
#define tg_mul(...) tg_mul_at(TG_HERE, __VA_ARGS__)
#define tg_div(...) tg_div_at(TG_HERE, __VA_ARGS__)
#define tg_pow(...) tg_pow_at(TG_HERE, __VA_ARGS__)
#define tg_maximum(...) tg_maximum_at(TG_HERE, __VA_ARGS__)
#define tg_minimum(...) tg_minimum_at(TG_HERE, __VA_ARGS__)

/* Comparisons take any one dtype and give u8 0 or 1; with a NaN all but not_equal give 0. */
TG_DECLARE_BINARY(equal)
TG_DECLARE_BINARY(not_equal)
TG_DECLARE_BINARY(less)
TG_DECLARE_BINARY(less_equal)
TG_DECLARE_BINARY(greater)
TG_DECLARE_BINARY(greater_equal)
#define tg_equal(...) tg_equal_at(TG_HERE, __VA_ARGS__)
#define tg_not_equal(...) tg_not_equal_at(TG_HERE, __VA_ARGS__)
#define tg_less(...) tg_less_at(TG_HERE, __VA_ARGS__)
#define tg_less_equal(...) tg_less_equal_at(TG_HERE, __VA_ARGS__)
#define tg_greater(...) tg_greater_at(TG_HERE, __VA_ARGS__)
#define tg_greater_equal(...) tg_greater_equal_at(TG_HERE, __VA_ARGS__)

/** a where condition (u8) is not 0, else b; all three broadcast. */
TG_API tg_tensor tg_where_at(tg_where where, tg_tensor condition, tg_tensor a, tg_tensor b);
#define tg_select(...) tg_where_at(TG_HERE, __VA_ARGS__)

/** a + (b - a) t, each step rounded: exactly a where t is 0 and b - a is finite, but b where t is 1 only if b - a rounds to nothing. */
TG_API tg_tensor tg_lerp_at(tg_where where, tg_tensor a, tg_tensor b, tg_tensor t);
/** w - m rate / (sqrt(v) + epsilon), each step rounded: what Adam does to a variable. 0 <= epsilon < inf.
    Its gradient in v is not finite at v = 0. */
TG_API tg_tensor tg_adaptive_step_at(tg_where where, tg_tensor w, tg_tensor m, tg_tensor rate, tg_tensor v, double epsilon);
#define tg_lerp(...) tg_lerp_at(TG_HERE, __VA_ARGS__)
#define tg_adaptive_step(...) tg_adaptive_step_at(TG_HERE, __VA_ARGS__)

TG_DECLARE_UNARY(neg)
TG_DECLARE_UNARY(abs)  /**< derivative at 0: 0; at a NaN: NaN */
TG_DECLARE_UNARY(sign) /**< -1, 0 or 1; of a subnormal f32, 0; NaN at NaN; derivative 0 */
TG_DECLARE_UNARY(exp)
TG_DECLARE_UNARY(log)
TG_DECLARE_UNARY(sqrt)
TG_DECLARE_UNARY(square)
TG_DECLARE_UNARY(sin)
TG_DECLARE_UNARY(cos)
TG_DECLARE_UNARY(tanh) /**< derivative 1 - y^2, which is 0 where y rounds to -1 or 1 */
TG_DECLARE_UNARY(reciprocal)
TG_DECLARE_UNARY(rsqrt) /**< 1 / sqrt(x); derivative -y^3 / 2, so inf at -0 (as in PyTorch, not in JAX) */
TG_DECLARE_UNARY(erf)
/** 1 / (1 + exp(-x)), increasing in floating point. Derivative y (1 - y): with all its digits far below 0, and 0 where y rounds to 1. */
TG_DECLARE_UNARY(sigmoid)
TG_DECLARE_UNARY(relu)     /**< NaN at a NaN; derivative 0 at 0, and (as in TensorFlow and JAX, not in PyTorch) at a NaN */
TG_DECLARE_UNARY(gelu)     /**< x Phi(x), exact (erf) form; NaN at -inf, its derivative also at inf */
TG_DECLARE_UNARY(silu)     /**< x sigmoid(x); NaN at -inf, its derivative also at inf */
TG_DECLARE_UNARY(softplus) /**< log(1 + exp(x)), without overflow */
/** x > 0 ? x : slope x; 0 <= slope < inf; derivative at 0 and at a NaN: slope. */
TG_API tg_tensor tg_leaky_relu_at(tg_where where, tg_tensor x, double slope);
/** x > 0 ? x : alpha (exp(x) - 1); 0 <= alpha < inf; derivative at 0: alpha. */
TG_API tg_tensor tg_elu_at(tg_where where, tg_tensor x, double alpha);
#define tg_neg(...) tg_neg_at(TG_HERE, __VA_ARGS__)
#define tg_abs(...) tg_abs_at(TG_HERE, __VA_ARGS__)
#define tg_sign(...) tg_sign_at(TG_HERE, __VA_ARGS__)
#define tg_exp(...) tg_exp_at(TG_HERE, __VA_ARGS__)
#define tg_log(...) tg_log_at(TG_HERE, __VA_ARGS__)
#define tg_sqrt(...) tg_sqrt_at(TG_HERE, __VA_ARGS__)
#define tg_square(...) tg_square_at(TG_HERE, __VA_ARGS__)
#define tg_sin(...) tg_sin_at(TG_HERE, __VA_ARGS__)
#define tg_cos(...) tg_cos_at(TG_HERE, __VA_ARGS__)
#define tg_tanh(...) tg_tanh_at(TG_HERE, __VA_ARGS__)
#define tg_reciprocal(...) tg_reciprocal_at(TG_HERE, __VA_ARGS__)
#define tg_rsqrt(...) tg_rsqrt_at(TG_HERE, __VA_ARGS__)
#define tg_erf(...) tg_erf_at(TG_HERE, __VA_ARGS__)
#define tg_sigmoid(...) tg_sigmoid_at(TG_HERE, __VA_ARGS__)
#define tg_relu(...) tg_relu_at(TG_HERE, __VA_ARGS__)
#define tg_gelu(...) tg_gelu_at(TG_HERE, __VA_ARGS__)
#define tg_silu(...) tg_silu_at(TG_HERE, __VA_ARGS__)
#define tg_softplus(...) tg_softplus_at(TG_HERE, __VA_ARGS__)
#define tg_leaky_relu(...) tg_leaky_relu_at(TG_HERE, __VA_ARGS__)
#define tg_elu(...) tg_elu_at(TG_HERE, __VA_ARGS__)

/** Another dtype (TG_FLOAT: the graph's working float). To integers: truncation; outside the range, or NaN: saturation, NaN to 0.
    The same dtype records nothing. Between floats the gradient is cast back; to or from integers it is cut. */
TG_API tg_tensor tg_cast_at(tg_where where, tg_tensor x, tg_dtype dtype);
#define tg_cast(...) tg_cast_at(TG_HERE, __VA_ARGS__)
/** x, without its gradient. */
TG_DECLARE_UNARY(stop_gradient)
#define tg_stop_gradient(...) tg_stop_gradient_at(TG_HERE, __VA_ARGS__)

/* ---- along an axis ---- */

/** exp(x - max) / sum along one axis. All NaN where a NaN or inf is among them, or only -inf. */
TG_API tg_tensor tg_softmax_at(tg_where where, tg_tensor x, int axis);
TG_API tg_tensor tg_log_softmax_at(tg_where where, tg_tensor x, int axis);
#define tg_softmax(...) tg_softmax_at(TG_HERE, __VA_ARGS__)
#define tg_log_softmax(...) tg_log_softmax_at(TG_HERE, __VA_ARGS__)

/* Reductions over any axes, which disappear (the _keep forms leave extent 1). Over no elements: sum 0, mean NaN, logsumexp -inf;
   max and min are errors. A NaN makes all of them NaN, and with them the gradients of max, min and logsumexp; logsumexp of inf is inf, of
   -inf alone -inf, with gradients of NaN, which are the softmax. */
#define TG_DECLARE_REDUCTION(name)                                              \
    TG_API tg_tensor tg_##name##_at(tg_where where, tg_tensor x, tg_axes axes); \
    TG_API tg_tensor tg_##name##_keep_at(tg_where where, tg_tensor x, tg_axes axes);
TG_DECLARE_REDUCTION(sum)        /**< floats, and i32, which wraps around */
TG_DECLARE_REDUCTION(mean)       /**< the sum divided by the number of terms */
TG_DECLARE_REDUCTION(reduce_max) /**< ties share the gradient equally */
TG_DECLARE_REDUCTION(reduce_min)
TG_DECLARE_REDUCTION(logsumexp)
#define tg_sum(...) tg_sum_at(TG_HERE, __VA_ARGS__)
#define tg_mean(...) tg_mean_at(TG_HERE, __VA_ARGS__)
#define tg_max(...) tg_reduce_max_at(TG_HERE, __VA_ARGS__)
#define tg_min(...) tg_reduce_min_at(TG_HERE, __VA_ARGS__)
#define tg_logsumexp(...) tg_logsumexp_at(TG_HERE, __VA_ARGS__)
#define tg_sum_keep(...) tg_sum_keep_at(TG_HERE, __VA_ARGS__)
#define tg_mean_keep(...) tg_mean_keep_at(TG_HERE, __VA_ARGS__)
#define tg_max_keep(...) tg_reduce_max_keep_at(TG_HERE, __VA_ARGS__)
#define tg_min_keep(...) tg_reduce_min_keep_at(TG_HERE, __VA_ARGS__)
#define tg_logsumexp_keep(...) tg_logsumexp_keep_at(TG_HERE, __VA_ARGS__)
/** i32 index of the first maximum (the first NaN, if there is one) along an axis, which disappears. */
TG_API tg_tensor tg_argmax_at(tg_where where, tg_tensor x, int axis);
TG_API tg_tensor tg_argmin_at(tg_where where, tg_tensor x, int axis);
#define tg_argmax(...) tg_argmax_at(TG_HERE, __VA_ARGS__)
#define tg_argmin(...) tg_argmin_at(TG_HERE, __VA_ARGS__)
/** Sums a tensor down to a shape that broadcasts to its own: what undoes a broadcast. The same shape records nothing. */
TG_API tg_tensor tg_sum_to_shape_at(tg_where where, tg_tensor x, tg_shape shape);
#define tg_sum_to_shape(...) tg_sum_to_shape_at(TG_HERE, __VA_ARGS__)

/* ---- products ---- */

typedef struct tg_matmul_options {
    bool transpose_a, transpose_b; /**< read the last two axes of that side swapped */
} tg_matmul_options;
/** [..., m, k] [..., k, n] -> [..., m, n]; leading axes broadcast; rank >= 2 on both sides. */
TG_API tg_tensor tg_matmul_at(tg_where where, tg_tensor a, tg_tensor b);
TG_API tg_tensor tg_matmul_with_at(tg_where where, tg_tensor a, tg_tensor b, tg_matmul_options options);
#define tg_matmul(...) tg_matmul_at(TG_HERE, __VA_ARGS__)
#define tg_matmul_with(...) tg_matmul_with_at(TG_HERE, __VA_ARGS__)

/** table [256], x u8 [m, k] (or [k, m], if it is read transposed), b [k, n] -> table[x] b [m, n]. Where table[0] is 0 and a sample of x
    has many zeros, their terms are skipped. */
TG_API tg_tensor tg_lookup_matmul_at(tg_where where, tg_tensor table, tg_tensor x, tg_tensor b, bool transpose_x);
#define tg_lookup_matmul(...) tg_lookup_matmul_at(TG_HERE, __VA_ARGS__)

/** Each pair is (height, width). Zero strides and dilations stand for 1. Padding may be negative: it crops. */
typedef struct tg_conv2d_options {
    int64_t stride[2], dilation[2];
    int64_t pad_before[2], pad_after[2]; /**< zeros above and left, below and right */
} tg_conv2d_options;
/** Cross-correlation: x [n, h, w, c] with kernel [kh, kw, c, f] -> [n, oh, ow, f],
    oh = (h + pad - dilation (kh - 1) - 1) / stride + 1, rounded down. */
TG_API tg_tensor tg_conv2d_at(tg_where where, tg_tensor x, tg_tensor kernel, tg_conv2d_options options);
/** Its gradient in x: gradient [n, oh, ow, f], kernel -> [n, h, w, c]. */
TG_API tg_tensor tg_conv2d_input_gradient_at(tg_where where, tg_tensor gradient, tg_tensor kernel, int64_t height, int64_t width,
                                             tg_conv2d_options options);
/** Its gradient in the kernel: x, gradient -> [kh, kw, c, f]. */
TG_API tg_tensor tg_conv2d_kernel_gradient_at(tg_where where, tg_tensor x, tg_tensor gradient, int64_t kernel_height,
                                              int64_t kernel_width, tg_conv2d_options options);
#define tg_conv2d(...) tg_conv2d_at(TG_HERE, __VA_ARGS__)
#define tg_conv2d_input_gradient(...) tg_conv2d_input_gradient_at(TG_HERE, __VA_ARGS__)
#define tg_conv2d_kernel_gradient(...) tg_conv2d_kernel_gradient_at(TG_HERE, __VA_ARGS__)
/** The padding that keeps ceil(extent / stride) outputs, as TensorFlow's "SAME" splits it (the odd one below and right). */
TG_API tg_conv2d_options tg_same_padding(tg_conv2d_options options, int64_t height, int64_t width, int64_t kernel_height,
                                         int64_t kernel_width);

/* ---- pooling ---- */

/** Each pair is (height, width). Zero strides stand for the window's extents. No padding; what does not fill a window is left out. */
typedef struct tg_pool2d_options {
    int64_t window[2], stride[2];
} tg_pool2d_options;
/** x [n, h, w, c] -> [n, oh, ow, c], oh = (h - window) / stride + 1, rounded down. A NaN wins, the first of several; else the first
    maximum in row-major order. The gradient goes to that one element. */
TG_API tg_tensor tg_max_pool2d_with_at(tg_where where, tg_tensor x, tg_pool2d_options options);
/** tg_max_pool2d_with() of a square window that is its own stride. */
TG_API tg_tensor tg_max_pool2d_at(tg_where where, tg_tensor x, int64_t size);
/** u8 position in the window (row x width + column) of what max_pool2d takes; windows up to 256. */
TG_API tg_tensor tg_max_pool2d_argmax_at(tg_where where, tg_tensor x, tg_pool2d_options options);
/** The transpose of taking: [n, oh, ow, c] to [n, height, width, c], each value added at its argmax, 0 elsewhere.
    What one beyond its window gives is not specified, but no other memory is touched. */
TG_API tg_tensor tg_unpool2d_at(tg_where where, tg_tensor y, tg_tensor argmax, int64_t height, int64_t width,
                                tg_pool2d_options options);
/** Takes x [n, h, w, c] at an argmax [n, oh, ow, c]: -> [n, oh, ow, c]. One beyond its window is as in unpool2d. */
TG_API tg_tensor tg_pool_gather2d_at(tg_where where, tg_tensor x, tg_tensor argmax, tg_pool2d_options options);
TG_API tg_tensor tg_avg_pool2d_with_at(tg_where where, tg_tensor x, tg_pool2d_options options);
TG_API tg_tensor tg_avg_pool2d_at(tg_where where, tg_tensor x, int64_t size);
/** The transpose of avg_pool2d: each value spread over its window, divided by the window's size. */
TG_API tg_tensor tg_avg_unpool2d_at(tg_where where, tg_tensor y, int64_t height, int64_t width, tg_pool2d_options options);
/** [n, h, w, c] -> [n, c]: the mean over height and width. */
TG_API tg_tensor tg_global_avg_pool2d_at(tg_where where, tg_tensor x);
/** tg_max_pool2d_with(tg_conv2d(x, kernel)), and its argmax, without the image between them: what compiling makes of these where windows
    do not overlap. */
TG_API tg_tensor tg_conv2d_max_pool2d_at(tg_where where, tg_tensor x, tg_tensor kernel, tg_conv2d_options conv,
                                         tg_pool2d_options pool);
TG_API tg_tensor tg_conv2d_max_pool2d_argmax_at(tg_where where, tg_tensor x, tg_tensor kernel, tg_conv2d_options conv,
                                                tg_pool2d_options pool);
#define tg_conv2d_max_pool2d(...) tg_conv2d_max_pool2d_at(TG_HERE, __VA_ARGS__)
#define tg_conv2d_max_pool2d_argmax(...) tg_conv2d_max_pool2d_argmax_at(TG_HERE, __VA_ARGS__)
#define tg_max_pool2d(...) tg_max_pool2d_at(TG_HERE, __VA_ARGS__)
#define tg_max_pool2d_with(...) tg_max_pool2d_with_at(TG_HERE, __VA_ARGS__)
#define tg_max_pool2d_argmax(...) tg_max_pool2d_argmax_at(TG_HERE, __VA_ARGS__)
#define tg_unpool2d(...) tg_unpool2d_at(TG_HERE, __VA_ARGS__)
#define tg_pool_gather2d(...) tg_pool_gather2d_at(TG_HERE, __VA_ARGS__)
#define tg_avg_pool2d(...) tg_avg_pool2d_at(TG_HERE, __VA_ARGS__)
#define tg_avg_pool2d_with(...) tg_avg_pool2d_with_at(TG_HERE, __VA_ARGS__)
#define tg_avg_unpool2d(...) tg_avg_unpool2d_at(TG_HERE, __VA_ARGS__)
#define tg_global_avg_pool2d(...) tg_global_avg_pool2d_at(TG_HERE, __VA_ARGS__)

/* ---- a convolution's gradients, of a gradient that is unpooled: without the zeros in between ---- */

typedef struct tg_conv2d_unpooled_options {
    tg_conv2d_options conv;
    tg_pool2d_options pool;
    int64_t unpooled[2]; /**< height and width of what y is unpooled to: the convolution's output */
    int64_t extent[2];   /**< height and width of the result: of the kernel, or of the input */
} tg_conv2d_unpooled_options;
/** tg_conv2d_kernel_gradient(x, tg_unpool2d(y, argmax)), but only elements of x that a value of y meets count: a NaN or infinity elsewhere
    does not. An f32 image and its padding are 2^31 - 1 floats at most. Recorded by compilation. */
TG_API tg_tensor tg_conv2d_kernel_gradient_unpooled_at(tg_where where, tg_tensor x, tg_tensor y, tg_tensor argmax,
                                                       tg_conv2d_unpooled_options options);
/** tg_conv2d_input_gradient(tg_unpool2d(y, argmax), kernel), in the same way. */
TG_API tg_tensor tg_conv2d_input_gradient_unpooled_at(tg_where where, tg_tensor y, tg_tensor argmax, tg_tensor kernel,
                                                      tg_conv2d_unpooled_options options);
#define tg_conv2d_kernel_gradient_unpooled(...) tg_conv2d_kernel_gradient_unpooled_at(TG_HERE, __VA_ARGS__)
#define tg_conv2d_input_gradient_unpooled(...) tg_conv2d_input_gradient_unpooled_at(TG_HERE, __VA_ARGS__)

/* ---- layout ---- */

/** The same elements in row-major order; one extent may be -1, to be inferred. The same shape records nothing. */
TG_API tg_tensor tg_reshape_at(tg_where where, tg_tensor x, tg_shape shape);
/** Axis i of the result is axis permutation.axes[i] of x; TG_ALL_AXES reverses them. An order that moves nothing records nothing. */
TG_API tg_tensor tg_transpose_at(tg_where where, tg_tensor x, tg_axes permutation);
/** Broadcasts to exactly this shape. The same shape records nothing. */
TG_API tg_tensor tg_broadcast_to_at(tg_where where, tg_tensor x, tg_shape shape);
/** Half-open [start, stop) with a positive step along one axis; negative positions count from the end, and are clipped as Python's are. */
TG_API tg_tensor tg_slice_at(tg_where where, tg_tensor x, int axis, int64_t start, int64_t stop, int64_t step);
/** Joins n >= 1 tensors that differ only along `axis`. */
TG_API tg_tensor tg_concat_at(tg_where where, const tg_tensor *parts, int n, int axis);
/** before and after: zeros (or what the constant `value` says) along one axis. */
TG_API tg_tensor tg_pad_at(tg_where where, tg_tensor x, int axis, int64_t before, int64_t after, double value);
/** Reverses the axes. */
TG_API tg_tensor tg_flip_at(tg_where where, tg_tensor x, tg_axes axes);
/** A tensor of zeros (of `value`) of like's dtype. */
TG_API tg_tensor tg_full_at(tg_where where, tg_tensor like, tg_shape shape, double value);
#define tg_reshape(...) tg_reshape_at(TG_HERE, __VA_ARGS__)
#define tg_transpose(...) tg_transpose_at(TG_HERE, __VA_ARGS__)
#define tg_broadcast_to(...) tg_broadcast_to_at(TG_HERE, __VA_ARGS__)
#define tg_slice(...) tg_slice_at(TG_HERE, __VA_ARGS__)
#define tg_concat(...) tg_concat_at(TG_HERE, __VA_ARGS__)
#define tg_pad(...) tg_pad_at(TG_HERE, __VA_ARGS__)
#define tg_flip(...) tg_flip_at(TG_HERE, __VA_ARGS__)
#define tg_full(...) tg_full_at(TG_HERE, __VA_ARGS__)

/* ---- by index; an index out of range fails the run with TG_ERROR_RANGE ---- */

/** Rows of x along axis 0: x [r, ...], indices i32 [...i] -> [...i, ...]. Negative indices are out of range. */
TG_API tg_tensor tg_gather_at(tg_where where, tg_tensor x, tg_tensor indices);
/** zeros [rows, ...] with each row of updates [...i, ...] added at its index, in order. */
TG_API tg_tensor tg_scatter_add_at(tg_where where, tg_tensor updates, tg_tensor indices, int64_t rows);
/** indices i32 [...] -> dtype (or TG_FLOAT) [..., depth]: 1 at the index, else 0. */
TG_API tg_tensor tg_one_hot_at(tg_where where, tg_tensor indices, int64_t depth, tg_dtype dtype);
#define tg_gather(...) tg_gather_at(TG_HERE, __VA_ARGS__)
#define tg_scatter_add(...) tg_scatter_add_at(TG_HERE, __VA_ARGS__)
#define tg_one_hot(...) tg_one_hot_at(TG_HERE, __VA_ARGS__)

/* ---- losses: an example each; take tg_mean() over them ---- */

/** logits [n, c], labels: i32 classes [n] or probabilities [n, c] of the logits' dtype -> [n]: -sum of labels log_softmax(logits).
    A label of 0 makes 0 of an infinite term (0 log 0 = 0), but not of a NaN. */
TG_API tg_tensor tg_cross_entropy_at(tg_where where, tg_tensor logits, tg_tensor labels);
/** mean over all but the first axis of (prediction - target)^2: [n, ...] -> [n]. */
TG_API tg_tensor tg_mean_squared_error_at(tg_where where, tg_tensor prediction, tg_tensor target);
/** mean over all but the first axis of |prediction - target|: [n, ...] -> [n]. Its gradient at 0 is 0. */
TG_API tg_tensor tg_mean_absolute_error_at(tg_where where, tg_tensor prediction, tg_tensor target);
#define tg_cross_entropy(...) tg_cross_entropy_at(TG_HERE, __VA_ARGS__)
#define tg_mean_squared_error(...) tg_mean_squared_error_at(TG_HERE, __VA_ARGS__)
#define tg_mean_absolute_error(...) tg_mean_absolute_error_at(TG_HERE, __VA_ARGS__)

/* ---- random: pure functions of (seed of the store, name, step of the run) ---- */

/** Uniform in [low, high), 24 random bits each. `name` (within the open layer's scope) tells streams apart; it is unique in a graph. */
TG_API tg_tensor tg_random_uniform_at(tg_where where, tg_graph *graph, const char *name, tg_dtype dtype, tg_shape shape,
                                      double low, double high);
/** Normal by Box and Muller. */
TG_API tg_tensor tg_random_normal_at(tg_where where, tg_graph *graph, const char *name, tg_dtype dtype, tg_shape shape,
                                     double mean, double deviation);
/** In training: zero with probability `rate`, else x / (1 - rate). In evaluation x itself. 0 <= rate < 1. */
TG_API tg_tensor tg_dropout_at(tg_where where, tg_tensor x, const char *name, double rate);
#define tg_random_uniform(...) tg_random_uniform_at(TG_HERE, __VA_ARGS__)
#define tg_random_normal(...) tg_random_normal_at(TG_HERE, __VA_ARGS__)
#define tg_dropout(...) tg_dropout_at(TG_HERE, __VA_ARGS__)

/* ---- effects ---- */

/** When the run commits, the variable takes the value. Returns the new value. At most one for each variable in a graph. */
TG_API tg_tensor tg_assign_at(tg_where where, tg_tensor variable, tg_tensor value);
#define tg_assign(...) tg_assign_at(TG_HERE, __VA_ARGS__)

/** Every op of the library with its samples; *count of them. */
TG_API const tg_op_entry *tg_op_entries(int *count);

TG_END_DECLS

#endif
