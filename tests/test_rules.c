/* Every rewrite rule of the library, by itself. A rule without a case here is an error. */
#include "op_rules.h"

#include "graph/rebuild.h"
#include "harness.h"
#include "ops/attributes.h"
#include "ops/op_entries.h"

#define CASE(name, expression)                     \
    static tg_tensor name(const rule_operands *on) \
    {                                              \
        tg_tensor x = on->x, z = on->z;            \
        (void)x, (void)z;                          \
        return expression;                         \
    }
#define NUMBER(value) tg_scalar(on->x, value)

/* ---- pointwise ---- */

CASE(add_zero, tg_add(x, NUMBER(0)))
CASE(add_negative, tg_add(x, tg_neg(z)))
CASE(lerp, tg_add(x, tg_mul(tg_sub(z, x), NUMBER(0.1))))
CASE(sub_constants, tg_sub(NUMBER(2.5), NUMBER(0.1)))
CASE(sub_zero, tg_sub(x, NUMBER(0)))
CASE(zero_sub, tg_sub(NUMBER(0), x))
CASE(sub_negative, tg_sub(x, tg_neg(z)))
CASE(adaptive, tg_sub(x, tg_div(tg_mul(z, NUMBER(0.1)), tg_add(tg_sqrt(tg_abs(z)), NUMBER(1e-7)))))
CASE(mul_one, tg_mul(x, NUMBER(1)))
CASE(mul_minus_one, tg_mul(NUMBER(-1), x))
CASE(mul_negatives, tg_mul(tg_neg(x), tg_neg(z)))
CASE(mul_itself, tg_mul(x, x))
CASE(div_one, tg_div(x, NUMBER(1)))
CASE(one_div, tg_div(NUMBER(1), x))
CASE(div_power, tg_div(x, NUMBER(-8)))
CASE(maximum_same, tg_maximum(x, x))
CASE(maximum_zero, tg_maximum(NUMBER(0), x))
CASE(minimum_same, tg_minimum(x, x))
CASE(neg_neg, tg_neg(tg_neg(x)))
CASE(neg_sub, tg_neg(tg_sub(x, z)))
CASE(abs_neg, tg_abs(tg_neg(x)))
CASE(abs_abs, tg_abs(tg_abs(x)))
CASE(where_same, tg_select(tg_less(x, z), x, x))
CASE(cast_wider, tg_cast(tg_cast(x, TG_F64), TG_F32))
CASE(stop, tg_stop_gradient(x))
CASE(pow_one, tg_pow(x, NUMBER(1)))
CASE(pow_two, tg_pow(x, NUMBER(2)))
CASE(pow_half, tg_pow(tg_abs(x), NUMBER(0.5)))
CASE(pow_minus_one, tg_pow(tg_add(tg_abs(x), NUMBER(0.25)), NUMBER(-1)))
CASE(square_neg, tg_square(tg_neg(x)))
CASE(square_abs, tg_square(tg_abs(x)))
CASE(cos_neg, tg_cos(tg_neg(x)))
CASE(relu_relu, tg_relu(tg_relu(x)))

/* ---- layout ---- */

CASE(reshape_reshape, tg_reshape(tg_reshape(on->table, TG_SHAPE(48)), TG_SHAPE(8, 6)))
CASE(reshape_back, tg_reshape(tg_reshape(on->table, TG_SHAPE(48)), TG_SHAPE(6, 8)))
CASE(reshape_broadcast, tg_reshape(tg_broadcast_to(tg_slice(x, 0, 2, 3, 1), TG_SHAPE(2, 3)), TG_SHAPE(6)))
CASE(broadcast_broadcast, tg_broadcast_to(tg_broadcast_to(x, TG_SHAPE(2, 7)), TG_SHAPE(3, 2, 7)))
CASE(broadcast_reshape, tg_broadcast_to(tg_reshape(x, TG_SHAPE(1, 1, 7)), TG_SHAPE(2, 3, 7)))
CASE(transpose_twice, tg_transpose(tg_transpose(on->image, TG_AXES(1, 0, 3, 2)), TG_AXES(3, 0, 1, 2)))
CASE(transpose_ones, tg_transpose(tg_reshape(on->table, TG_SHAPE(6, 1, 8)), TG_AXES(1, 0, 2)))
CASE(flip_flip, tg_flip(tg_flip(on->table, TG_AXES(0)), TG_AXES(0, 1)))
CASE(slice_slice, tg_slice(tg_slice(on->table, 1, 1, 8, 2), 1, 1, 4, 2))
CASE(slice_pad, tg_slice(tg_pad(on->table, 1, 2, 3, 0.5), 1, 3, 9, 2))
CASE(slice_pointwise, tg_slice(tg_add(tg_exp(on->table), tg_slice(on->table, 0, 0, 1, 1)), 1, 2, 5, 1))
CASE(slice_conv2d, tg_slice(tg_conv2d(on->image, on->kernel, (tg_conv2d_options){{0}}), 1, 1, 6, 2))
CASE(pad_pad, tg_pad(tg_pad(on->table, 1, 1, 2, 0.5), 1, 2, 0, 0.5))

/* By the op itself, where its function records nothing. */
static tg_tensor slice_whole(const rule_operands *on)
{
    tg_slice_attributes all = {.axis = 1, .start = 0, .count = 8, .step = 1};
    return tg_apply(on->table.graph, &tg_op_slice, &on->table, 1, &all, sizeof all);
}

static tg_tensor slice_concat(const rule_operands *on)
{
    tg_tensor parts[3] = {on->table, tg_neg(on->table), on->table};
    return tg_slice(tg_concat(parts, 3, 0), 0, 7, 11, 2);
}

static tg_tensor concat_one(const rule_operands *on)
{
    tg_axis_attributes axis = {1};
    return tg_apply(on->table.graph, &tg_op_concat, &on->table, 1, &axis, sizeof axis);
}

static tg_tensor gather_pointwise(const rule_operands *on)
{
    return tg_gather(tg_add(tg_exp(on->table), tg_slice(on->table, 0, 0, 1, 1)), on->indices);
}

/* ---- reductions, products, losses ---- */

CASE(sum_ones, tg_sum(tg_reshape(on->table, TG_SHAPE(6, 1, 8)), TG_AXES(1)))
CASE(mean_ones, tg_mean(tg_reshape(on->table, TG_SHAPE(6, 1, 8)), TG_AXES(1)))
CASE(max_ones, tg_max(tg_reshape(on->table, TG_SHAPE(6, 1, 8)), TG_AXES(1)))
CASE(min_ones, tg_min(tg_reshape(on->table, TG_SHAPE(6, 1, 8)), TG_AXES(1)))
CASE(sum_sum, tg_sum(tg_sum(on->image, TG_AXES(0, 3)), TG_ALL_AXES))
CASE(sum_unpool, tg_sum(tg_unpool2d(on->pooled, on->places, 9, 8, (tg_pool2d_options){.window = {2, 2}}), TG_AXES(0, 1, 2)))
CASE(sum_pad, tg_sum(tg_pad(on->table, 1, 3, 2, 0), TG_AXES(1)))
CASE(transposed_product,
     tg_matmul(tg_transpose(on->weights, TG_ALL_AXES), tg_cast(tg_transpose(on->bytes, TG_ALL_AXES), TG_FLOAT)))
CASE(product_of_bytes, tg_matmul(tg_div(tg_cast(on->bytes, TG_FLOAT), NUMBER(255)), on->weights))
CASE(one_hot_loss, tg_cross_entropy(tg_slice(on->table, 0, 0, 3, 1), tg_one_hot(on->indices, 8, TG_FLOAT)))

/* ---- convolutions ---- */

static const tg_conv2d_options plain = {.stride = {1, 1}};
static const tg_pool2d_options by_two = {.window = {2, 2}};

/* The gradient of an output [2, 7, 8, 5], unpooled: of an odd height, so that no window reaches the last row. */
static tg_tensor unpooled(const rule_operands *on)
{
    tg_tensor y = tg_slice(on->pooled, 1, 0, 3, 1), places = tg_slice(on->places, 1, 0, 3, 1);
    return tg_unpool2d(y, places, 7, 8, by_two);
}
static tg_tensor padded_output(const rule_operands *on) { return tg_pad(tg_slice(unpooled(on), 1, 0, 6, 1), 1, 1, 0, 0); }

CASE(conv_padded, tg_conv2d(tg_pad(on->image, 1, 1, 2, 0), on->kernel, plain))
CASE(input_gradient_padded, tg_conv2d_input_gradient(padded_output(on), on->kernel, 9, 10, plain))
CASE(input_gradient_trimmed, tg_conv2d_input_gradient(unpooled(on), on->kernel, 9, 10, plain))
CASE(kernel_gradient_padded, tg_conv2d_kernel_gradient(on->image, padded_output(on), 3, 3, plain))
CASE(kernel_gradient_trimmed, tg_conv2d_kernel_gradient(on->image, unpooled(on), 3, 3, plain))
CASE(kernel_gradient_of_padded,
     tg_conv2d_kernel_gradient(tg_pad(on->image, 2, 1, 1, 0),
                               tg_slice(tg_conv2d(tg_pad(on->image, 2, 1, 1, 0), on->kernel, plain), 3, 0, 5, 1), 3, 3, plain))
CASE(pooled_winograd, tg_conv2d_max_pool2d(on->deep, on->filters, plain, by_two))
CASE(positions_winograd, tg_conv2d_max_pool2d_argmax(on->deep, on->filters, plain, by_two))
CASE(taken_winograd, tg_pool_gather2d(tg_conv2d(on->deep, on->filters, plain), positions_winograd(on), by_two))

/* The largest |x| of each 4x4 tile times the sum of |k|, over the channels. */
static tg_tensor winograd_terms(const rule_operands *on)
{
    tg_tensor tiles = tg_max_pool2d_with(on->deep, (tg_pool2d_options){.window = {4, 4}, .stride = {2, 2}});
    return tg_conv2d(tiles, tg_sum_keep(on->filters, TG_AXES(0, 1)), plain);
}
/* Both the value taken and the one that should have been are off. */
CASE(twice_winograd_terms, tg_mul(winograd_terms(on), NUMBER(2)))

/* ---- pooling ---- */

static tg_tensor unpooled_operand(const rule_operands *on) { return tg_unpool2d(on->pooled, on->places, 8, 8, by_two); }
static tg_tensor image_of_five(const rule_operands *on)
{
    return tg_conv2d(on->image, on->kernel, (tg_conv2d_options){.pad_before = {1, 0}});
}

CASE(add_unpooled, tg_add(unpooled_operand(on), unpooled_operand(on)))
CASE(sub_unpooled, tg_sub(tg_unpool2d(tg_exp(on->pooled), on->places, 8, 8, by_two), unpooled_operand(on)))
CASE(mul_unpooled, tg_mul(unpooled_operand(on), image_of_five(on)))
CASE(neg_unpooled, tg_neg(unpooled_operand(on)))
CASE(where_unpooled, tg_select(tg_less(image_of_five(on), NUMBER(0.25)), unpooled_operand(on), NUMBER(0)))
CASE(max_increasing, tg_max_pool2d(tg_sigmoid(tg_add(on->image, tg_slice(x, 0, 0, 3, 1))), 2))
CASE(max_margin, tg_max_pool2d(tg_relu(tg_conv2d(on->image, on->kernel, plain)), 2))
CASE(max_conv, tg_max_pool2d(tg_conv2d(on->image, on->kernel, (tg_conv2d_options){.pad_before = {1, 0}}), 2))
static tg_tensor saturated(const rule_operands *on) { return tg_sigmoid(tg_mul(on->image, NUMBER(100))); }
static tg_tensor shifted(const rule_operands *on) { return tg_add(on->image, NUMBER(1e5)); }
CASE(argmax_saturated, tg_max_pool2d_argmax(saturated(on), by_two))
CASE(taken_saturated, tg_pool_gather2d(saturated(on), argmax_saturated(on), by_two))
CASE(argmax_shifted, tg_max_pool2d_argmax(shifted(on), by_two))
CASE(taken_shifted, tg_pool_gather2d(shifted(on), argmax_shifted(on), by_two))
CASE(argmax_margin, tg_max_pool2d_argmax(tg_conv2d(on->image, on->kernel, plain), by_two))
CASE(argmax_conv, tg_max_pool2d_argmax(tg_conv2d(on->image, on->kernel, (tg_conv2d_options){.pad_before = {1, 0}}), by_two))
CASE(gather_maxima, tg_pool_gather2d(on->image, tg_max_pool2d_argmax(on->image, by_two), by_two))
CASE(gather_unpooled, tg_pool_gather2d(unpooled_operand(on), on->places, by_two))
CASE(gather_of_pointwise, tg_pool_gather2d(tg_mul(image_of_five(on), tg_exp(image_of_five(on))), on->places, by_two))
CASE(gather_margin,
     tg_pool_gather2d(tg_conv2d(on->image, on->kernel, (tg_conv2d_options){.pad_before = {2, 0}}), on->places, by_two))

/* ---- all ---- */

static const rule_case cases[] = {
    {&tg_op_add, "x + 0 -> x", add_zero},
    {&tg_op_add, "a + (-b) -> a - b", add_negative},
    {&tg_op_add, "a + (b - a) t -> lerp(a, b, t)", lerp},
    {&tg_op_add, "f(unpool2d(y)) -> unpool2d(f(y))", add_unpooled},
    {&tg_op_sub, "constant - constant -> constant", sub_constants},
    {&tg_op_sub, "x - 0 -> x", sub_zero},
    {&tg_op_sub, "0 - x -> -x", zero_sub},
    {&tg_op_sub, "a - (-b) -> a + b", sub_negative},
    {&tg_op_sub, "w - m r / (sqrt(v) + e) -> adaptive_step(w, m, r, v)", adaptive},
    {&tg_op_sub, "f(unpool2d(y)) -> unpool2d(f(y))", sub_unpooled},
    {&tg_op_mul, "x 1 -> x", mul_one},
    {&tg_op_mul, "x (-1) -> -x", mul_minus_one},
    {&tg_op_mul, "(-a) (-b) -> a b", mul_negatives},
    {&tg_op_mul, "x x -> x^2", mul_itself},
    {&tg_op_mul, "f(unpool2d(y)) -> unpool2d(f(y))", mul_unpooled},
    {&tg_op_div, "x / 1 -> x", div_one},
    {&tg_op_div, "1 / x -> reciprocal(x)", one_div},
    {&tg_op_div, "x / 2^k -> x 2^-k", div_power},
    {&tg_op_maximum, "maximum(x, x) -> x", maximum_same},
    {&tg_op_maximum, "maximum(x, 0) -> relu(x)", maximum_zero},
    {&tg_op_minimum, "minimum(x, x) -> x", minimum_same},
    {&tg_op_neg, "-(-x) -> x", neg_neg},
    {&tg_op_neg, "-(a - b) -> b - a", neg_sub},
    {&tg_op_neg, "f(unpool2d(y)) -> unpool2d(f(y))", neg_unpooled},
    {&tg_op_abs, "|-x| -> |x|", abs_neg},
    {&tg_op_abs, "||x|| -> |x|", abs_abs},
    {&tg_op_where, "c ? x : x -> x", where_same},
    {&tg_op_where, "f(unpool2d(y)) -> unpool2d(f(y))", where_unpooled},
    {&tg_op_cast, "cast(cast(x, wider)) -> cast(x)", cast_wider},
    {&tg_op_stop_gradient, "stop_gradient(x) -> x", stop},
    {&tg_op_pow, "x^1 -> x", pow_one},
    {&tg_op_pow, "x^2, x^(1/2), x^-1 -> square, sqrt, reciprocal", pow_two},
    {&tg_op_pow, "x^2, x^(1/2), x^-1 -> square, sqrt, reciprocal", pow_half},
    {&tg_op_pow, "x^2, x^(1/2), x^-1 -> square, sqrt, reciprocal", pow_minus_one},
    {&tg_op_square, "(-x)^2, |x|^2 -> x^2", square_neg},
    {&tg_op_square, "(-x)^2, |x|^2 -> x^2", square_abs},
    {&tg_op_cos, "cos(-x) -> cos(x)", cos_neg},
    {&tg_op_relu, "relu(relu(x)) -> relu(x)", relu_relu},
    {&tg_op_reshape, "reshape(reshape(x)) -> reshape(x), or x", reshape_reshape},
    {&tg_op_reshape, "reshape(reshape(x)) -> reshape(x), or x", reshape_back},
    {&tg_op_reshape, "reshape(broadcast_to(x)) -> broadcast_to(x) where x is one element", reshape_broadcast},
    {&tg_op_broadcast_to, "broadcast_to(broadcast_to(x)) -> broadcast_to(x), or x", broadcast_broadcast},
    {&tg_op_broadcast_to, "broadcast_to(broadcast_to(x)) -> broadcast_to(x), or x", broadcast_reshape},
    {&tg_op_transpose, "transpose(transpose(x)) -> transpose(x), or x", transpose_twice},
    {&tg_op_transpose, "transpose that moves extents of 1 -> reshape", transpose_ones},
    {&tg_op_flip, "flip(flip(x)) -> flip(x), or x", flip_flip},
    {&tg_op_slice, "slice of all of x -> x", slice_whole},
    {&tg_op_slice, "slice(slice(x)) -> slice(x)", slice_slice},
    {&tg_op_slice, "slice(pad(x)) -> slice(x)", slice_pad},
    {&tg_op_slice, "slice(concat(x, y)) -> slice(x)", slice_concat},
    {&tg_op_slice, "slice(f(x, y)) -> f(slice(x), slice(y))", slice_pointwise},
    {&tg_op_slice, "slice(conv2d(x, k)) -> conv2d(x, k) of what the slice takes", slice_conv2d},
    {&tg_op_pad, "pad(pad(x)) -> pad(x); pad by nothing -> x", pad_pad},
    {&tg_op_concat, "concat(x) -> x", concat_one},
    {&tg_op_gather, "gather(f(x, y), i) -> f(gather(x, i), gather(y, i))", gather_pointwise},
    {&tg_op_sum, "sum over extents of 1 -> reshape", sum_ones},
    {&tg_op_mean, "reduction over extents of 1 -> reshape", mean_ones},
    {&tg_op_reduce_max, "reduction over extents of 1 -> reshape", max_ones},
    {&tg_op_reduce_min, "reduction over extents of 1 -> reshape", min_ones},
    {&tg_op_sum, "sum(sum(x)) -> sum(x)", sum_sum},
    {&tg_op_sum, "sum(unpool2d(y)) -> sum(y)", sum_unpool},
    {&tg_op_sum, "sum(pad(x)) -> sum(x)", sum_pad},
    {&tg_op_matmul, "matmul(transpose(a), b) -> matmul(a, b) that reads a transposed", transposed_product},
    {&tg_op_matmul, "matmul(f(x), b) -> lookup_matmul(f(0 .. 255), x, b) for bytes x", product_of_bytes},
    {&tg_op_cross_entropy_dense, "cross_entropy_dense(x, one_hot(i)) -> cross_entropy(x, i)", one_hot_loss},
    {&tg_op_conv2d, "conv2d(pad(x), k) -> conv2d(x, k) with padding", conv_padded},
    {&tg_op_conv2d_input_gradient, "conv2d_input_gradient(pad(y), k) -> conv2d_input_gradient(y, k) with less padding",
     input_gradient_padded},
    {&tg_op_conv2d_input_gradient, "conv2d_input_gradient(unpool2d(y), k) without what no window reaches",
     input_gradient_trimmed},
    {&tg_op_conv2d_input_gradient, "conv2d_input_gradient(unpool2d(y, i), k) -> conv2d_input_gradient_unpooled(y, i, k)",
     input_gradient_trimmed},
    {&tg_op_conv2d_kernel_gradient, "conv2d_kernel_gradient(x, pad(y)) -> conv2d_kernel_gradient(x, y) with less padding",
     kernel_gradient_padded},
    {&tg_op_conv2d_kernel_gradient, "conv2d_kernel_gradient(x, unpool2d(y)) without what no window reaches",
     kernel_gradient_trimmed},
    {&tg_op_conv2d_kernel_gradient, "conv2d_kernel_gradient(pad(x), y) -> conv2d_kernel_gradient(x, y) with padding",
     kernel_gradient_of_padded},
    {&tg_op_conv2d_kernel_gradient, "conv2d_kernel_gradient(x, unpool2d(y, i)) -> conv2d_kernel_gradient_unpooled(x, y, i)",
     kernel_gradient_trimmed},
    {&tg_op_conv2d_max_pool2d, "conv2d_max_pool2d(x, k) by Winograd's algorithm, 3x3 and 2x2", pooled_winograd, winograd_terms},
    {&tg_op_conv2d_max_pool2d_argmax, "conv2d_max_pool2d(x, k) by Winograd's algorithm, 3x3 and 2x2", positions_winograd,
     twice_winograd_terms, taken_winograd},
    {&tg_op_max_pool2d, "max_pool2d(f(x)) -> f(max_pool2d(x)), f increasing", max_increasing},
    {&tg_op_max_pool2d, "max_pool2d reads only what its windows cover", max_margin},
    {&tg_op_max_pool2d, "max_pool2d(conv2d(x, k)) -> conv2d_max_pool2d(x, k)", max_conv},
    {&tg_op_max_pool2d_argmax, "max_pool2d_argmax(f(x)) -> max_pool2d_argmax(x), f increasing", argmax_saturated, NULL,
     taken_saturated},
    {&tg_op_max_pool2d_argmax, "max_pool2d_argmax(f(x)) -> max_pool2d_argmax(x), f increasing", argmax_shifted, NULL,
     taken_shifted},
    {&tg_op_max_pool2d_argmax, "max_pool2d_argmax reads only what its windows cover", argmax_margin},
    {&tg_op_max_pool2d_argmax, "max_pool2d_argmax(conv2d(x, k)) -> conv2d_max_pool2d_argmax(x, k)", argmax_conv},
    {&tg_op_pool_gather2d, "pool_gather2d(x, max_pool2d_argmax(x)) -> max_pool2d(x)", gather_maxima},
    {&tg_op_pool_gather2d, "pool_gather2d(unpool2d(y, i), i) -> y", gather_unpooled},
    {&tg_op_pool_gather2d, "pool_gather2d(f(x), i) -> f(pool_gather2d(x, i))", gather_of_pointwise},
    {&tg_op_pool_gather2d, "pool_gather2d reads only what its windows cover", gather_margin},
};

START_TEST(rules_keep_to_their_class)
{
    int count;
    tg_test_rules(tg_op_entries(&count)[_i].op, cases, (int)(sizeof cases / sizeof *cases));
}
END_TEST

int main(void)
{
    int count;
    tg_op_entries(&count);
    TCase *tests = harness_case("rules");
    tcase_add_loop_test(tests, rules_keep_to_their_class, 0, count);
    return harness_run("rules", tests);
}
