/* The attribute structs of the library's ops, as their samples in ops/op_list.h name them. None has padding: attributes are compared by bytes. */
#ifndef TG_OPS_ATTRIBUTES_H
#define TG_OPS_ATTRIBUTES_H

#include "graph/op.h"

typedef struct tg_leaky_relu_attributes {
    double slope;
} tg_leaky_relu_attributes;

typedef struct tg_elu_attributes {
    double alpha;
} tg_elu_attributes;

typedef struct tg_adaptive_step_attributes {
    double epsilon;
} tg_adaptive_step_attributes;

typedef struct tg_cast_attributes {
    int32_t dtype;
} tg_cast_attributes;

/* Axes by bit mask; `keep` leaves extent 1. */
typedef struct tg_reduce_attributes {
    uint32_t axes;
    int32_t keep;
} tg_reduce_attributes;

/* One axis, not negative: argmax, argmin, concat. */
typedef struct tg_axis_attributes {
    int32_t axis;
} tg_axis_attributes;

/* The result's shape; extents beyond the rank are 0: reshape, broadcast_to. */
typedef struct tg_shape_attributes {
    int64_t rank, dims[TG_MAX_RANK];
} tg_shape_attributes;

/* Axis i of the result is axis axes[i] of the input; those beyond the rank are 0. */
typedef struct tg_transpose_attributes {
    int32_t rank, axes[TG_MAX_RANK];
} tg_transpose_attributes;

/* Elements start, start + step, ..., `count` of them. */
typedef struct tg_slice_attributes {
    int64_t axis, start, count, step;
} tg_slice_attributes;

/* `interior` elements between each two: the transpose of a slice with step interior + 1. */
typedef struct tg_pad_attributes {
    int64_t axis, before, after, interior;
    double value;
} tg_pad_attributes;

/* By bit mask. */
typedef struct tg_flip_attributes {
    uint32_t axes;
} tg_flip_attributes;

typedef struct tg_scatter_add_attributes {
    int64_t rows;
} tg_scatter_add_attributes;

typedef struct tg_one_hot_attributes {
    int64_t depth, dtype;
} tg_one_hot_attributes;

/* a, b: low and high, or mean and standard deviation. */
typedef struct tg_random_attributes {
    uint64_t key;
    double a, b;
    int64_t dtype;
    tg_shape_attributes shape;
} tg_random_attributes;

/* Read the last two axes of that side swapped. */
typedef struct tg_matmul_attributes {
    int32_t transpose_a, transpose_b;
} tg_matmul_attributes;

typedef struct tg_lookup_attributes {
    int32_t transpose_x;
} tg_lookup_attributes;

/* As tg_conv2d_options, with strides and dilations of 1 or more. */
typedef struct tg_conv2d_attributes {
    int64_t stride[2], dilation[2], pad_before[2], pad_after[2];
} tg_conv2d_attributes;

/* extent: height and width of the input, or of the kernel. */
typedef struct tg_conv2d_gradient_attributes {
    tg_conv2d_attributes conv;
    int64_t extent[2];
} tg_conv2d_gradient_attributes;

/* As tg_pool2d_options, with strides of 1 or more. */
typedef struct tg_pool2d_attributes {
    int64_t window[2], stride[2];
} tg_pool2d_attributes;

/* A convolution whose output is pooled. */
typedef struct tg_conv2d_pool2d_attributes {
    tg_conv2d_attributes conv;
    tg_pool2d_attributes pool;
    int64_t winograd; /* 1: by ops/kernels/winograd.h, in f32 */
} tg_conv2d_pool2d_attributes;

/* extent: height and width of the result. */
typedef struct tg_unpool2d_attributes {
    tg_pool2d_attributes pool;
    int64_t extent[2];
} tg_unpool2d_attributes;

/* A convolution's gradient in the unpooled form of its operand. */
typedef struct tg_conv2d_unpooled_attributes {
    tg_conv2d_gradient_attributes gradient;
    tg_unpool2d_attributes unpool;
} tg_conv2d_unpooled_attributes;

#endif
