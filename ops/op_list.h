/* The ops, each with the samples that drive the generic tests and benchmarks: TG_OP(name, SAMPLE(...), ...). An op without a sample
   does not build. Include after defining TG_OP; what the samples are made of is defined in ops/op_list.c:

   F(2, 3)                          a float input [2, 3] in [-2, 2), of the test's working float
   IN(dtype, low, high, dims...)    any other; SCALAR(dtype, low, high) one of rank 0
   SAMPLE(inputs...)                an op without attributes
   SAMPLE_WITH(ATTRIBUTES(struct, values...), inputs...)   one with them; the struct stands in ops/attributes.h
   SOURCE_WITH(attributes)          an op without inputs
   DISTINCT, DISTINCT_WITH          the same; all float values keep away from each other and from 0, for kinks and ties

   The first sample has float inputs, if any has, and no more than a few elements: finite differences visit each, and edge shapes and
   special values take its place. One may have up to 65,536, for benchmarks. */
/* Two operands: of one shape, broadcast both ways, with a scalar, of one element, of none, and longer than vectors and blocks.
   KIND is SAMPLE, or DISTINCT for the small ones of an op with kinks. */
#define BOTH(KIND, A, B)                                                                                           \
    KIND(A(3, 5), B(3, 5)), KIND(A(4, 1, 3), B(2, 1)), KIND(A(2, 3), B(1)), KIND(A(1), B(1)), KIND(A(0, 3), B(3)), \
        KIND(A(37), B(37)), KIND(A(3, 7), B(3, 1)), SAMPLE(A(1029), B(1)), SAMPLE(A(512, 128), B(128))
/* One operand, the same. */
#define ONE(KIND, A) KIND(A(3, 5)), KIND(A(1)), KIND(A(0, 4)), KIND(A(37)), SAMPLE(A(1029)), SAMPLE(A(512, 128))
#define INTEGER(...) IN(TG_I32, -99, 99, __VA_ARGS__)
#define BYTE(...) IN(TG_U8, 0, 255, __VA_ARGS__)
#define CONDITION(...) IN(TG_U8, 0, 2, __VA_ARGS__)
#define POSITIVE(...) IN(TG_FLOAT, 0.5, 3, __VA_ARGS__)
#define WIDE(...) IN(TG_FLOAT, -6, 6, __VA_ARGS__)
TG_OP(add, BOTH(SAMPLE, F, F), SAMPLE(INTEGER(4, 3), INTEGER(3)))
TG_OP(sub, BOTH(SAMPLE, F, F), SAMPLE(INTEGER(4, 3), INTEGER(3)))
TG_OP(mul, BOTH(SAMPLE, F, F), SAMPLE(INTEGER(4, 3), INTEGER(3)))
TG_OP(div, BOTH(SAMPLE, F, POSITIVE))
TG_OP(pow, BOTH(SAMPLE, POSITIVE, F))
TG_OP(maximum, BOTH(DISTINCT, F, F), SAMPLE(INTEGER(4, 3), INTEGER(3)), SAMPLE(BYTE(4, 3), BYTE(3)))
TG_OP(minimum, BOTH(DISTINCT, F, F), SAMPLE(INTEGER(4, 3), INTEGER(3)), SAMPLE(BYTE(4, 3), BYTE(3)))
TG_OP(equal, BOTH(SAMPLE, F, F), SAMPLE(INTEGER(4, 3), INTEGER(3)), SAMPLE(CONDITION(4, 3), CONDITION(3)))
TG_OP(not_equal, BOTH(SAMPLE, F, F), SAMPLE(INTEGER(4, 3), INTEGER(3)), SAMPLE(CONDITION(4, 3), CONDITION(3)))
TG_OP(less, BOTH(SAMPLE, F, F), SAMPLE(INTEGER(4, 3), INTEGER(3)), SAMPLE(CONDITION(4, 3), CONDITION(3)))
TG_OP(less_equal, BOTH(SAMPLE, F, F), SAMPLE(INTEGER(4, 3), INTEGER(3)), SAMPLE(CONDITION(4, 3), CONDITION(3)))
TG_OP(greater, BOTH(SAMPLE, F, F), SAMPLE(INTEGER(4, 3), INTEGER(3)), SAMPLE(CONDITION(4, 3), CONDITION(3)))
TG_OP(greater_equal, BOTH(SAMPLE, F, F), SAMPLE(INTEGER(4, 3), INTEGER(3)), SAMPLE(CONDITION(4, 3), CONDITION(3)))
TG_OP(where, SAMPLE(CONDITION(3, 5), F(3, 5), F(3, 5)), SAMPLE(CONDITION(4, 1, 3), F(2, 1), F(3)),
      SAMPLE(CONDITION(1), F(2, 3), F(1)), SAMPLE(CONDITION(0, 3), F(3), F(1, 1)),
      SAMPLE(CONDITION(1029), F(1029), SCALAR(TG_FLOAT, -2, 2)), SAMPLE(CONDITION(4, 3), INTEGER(4, 3), INTEGER(3)),
      SAMPLE(CONDITION(4, 3), BYTE(4, 3), BYTE(3)), SAMPLE(CONDITION(512, 128), F(512, 128), F(128)))
TG_OP(neg, ONE(SAMPLE, F), SAMPLE(INTEGER(4, 3)))
TG_OP(abs, ONE(DISTINCT, F), SAMPLE(INTEGER(4, 3)))
TG_OP(sign, ONE(DISTINCT, F), SAMPLE(INTEGER(4, 3)))
TG_OP(exp, ONE(SAMPLE, F))
TG_OP(log, ONE(SAMPLE, POSITIVE))
TG_OP(sqrt, ONE(SAMPLE, POSITIVE))
TG_OP(square, ONE(SAMPLE, F), SAMPLE(INTEGER(4, 3)))
TG_OP(sin, ONE(SAMPLE, WIDE))
TG_OP(cos, ONE(SAMPLE, WIDE))
TG_OP(tanh, ONE(SAMPLE, F))
TG_OP(reciprocal, ONE(SAMPLE, POSITIVE))
TG_OP(rsqrt, ONE(SAMPLE, POSITIVE))
TG_OP(erf, ONE(SAMPLE, F))
TG_OP(sigmoid, ONE(SAMPLE, WIDE))
TG_OP(relu, ONE(DISTINCT, F))
TG_OP(gelu, ONE(SAMPLE, F))
TG_OP(silu, ONE(SAMPLE, WIDE))
TG_OP(softplus, ONE(SAMPLE, WIDE))
#define SLOPE ATTRIBUTES(tg_leaky_relu_attributes, 0.2)
TG_OP(leaky_relu, DISTINCT_WITH(SLOPE, F(3, 5)), DISTINCT_WITH(SLOPE, F(1)), DISTINCT_WITH(SLOPE, F(0, 4)),
      DISTINCT_WITH(SLOPE, F(37)), DISTINCT_WITH(ATTRIBUTES(tg_leaky_relu_attributes, 0), F(3, 5)),
      SAMPLE_WITH(SLOPE, F(512, 128)))
#undef SLOPE
#define ALPHA ATTRIBUTES(tg_elu_attributes, 0.7)
TG_OP(elu, DISTINCT_WITH(ALPHA, F(3, 5)), DISTINCT_WITH(ALPHA, F(1)), DISTINCT_WITH(ALPHA, F(0, 4)), DISTINCT_WITH(ALPHA, F(37)),
      DISTINCT_WITH(ATTRIBUTES(tg_elu_attributes, 1), F(3, 5)), SAMPLE_WITH(ALPHA, F(512, 128)))
#undef ALPHA
TG_OP(lerp, SAMPLE(F(3, 5), F(3, 5), F(3, 5)), SAMPLE(F(4, 1, 3), F(2, 1), F(3)), SAMPLE(F(1), F(1), F(1)),
      SAMPLE(F(0, 3), F(3), F(1, 1)), SAMPLE(F(37), F(37), SCALAR(TG_FLOAT, 0, 1)), SAMPLE(F(512, 128), F(512, 128), F(128)))
#define EPSILON ATTRIBUTES(tg_adaptive_step_attributes, 0.125)
TG_OP(adaptive_step, SAMPLE_WITH(EPSILON, F(3, 5), F(3, 5), F(3, 5), POSITIVE(3, 5)),
      SAMPLE_WITH(EPSILON, F(4, 1, 3), F(2, 1), F(3), POSITIVE(1)), SAMPLE_WITH(EPSILON, F(1), F(1), F(1), POSITIVE(1)),
      SAMPLE_WITH(EPSILON, F(0, 3), F(3), F(1, 1), POSITIVE(3)),
      SAMPLE_WITH(ATTRIBUTES(tg_adaptive_step_attributes, 0), F(37), F(37), SCALAR(TG_FLOAT, 0, 1), POSITIVE(37)),
      SAMPLE_WITH(EPSILON, F(512, 128), F(512, 128), SCALAR(TG_FLOAT, 0, 1), POSITIVE(512, 128)))
#undef EPSILON
#define TO(dtype) ATTRIBUTES(tg_cast_attributes, dtype)
TG_OP(cast, SAMPLE_WITH(TO(TG_F64), F(3, 5)), SAMPLE_WITH(TO(TG_F64), F(37)),
      SAMPLE_WITH(TO(TG_I32), IN(TG_FLOAT, -300, 300, 4, 9)), SAMPLE_WITH(TO(TG_U8), IN(TG_FLOAT, -300, 300, 4, 9)),
      SAMPLE_WITH(TO(TG_F32), INTEGER(37)), SAMPLE_WITH(TO(TG_F64), INTEGER(37)),
      SAMPLE_WITH(TO(TG_U8), IN(TG_I32, -300, 300, 37)), SAMPLE_WITH(TO(TG_F64), BYTE(37)), SAMPLE_WITH(TO(TG_I32), BYTE(37)),
      SAMPLE_WITH(TO(TG_F32), BYTE(0, 3)), SAMPLE_WITH(TO(TG_F32), BYTE(512, 128)))
#undef TO
TG_OP(stop_gradient, SAMPLE(F(3, 5)), SAMPLE(F(0, 4)), SAMPLE(INTEGER(37)), SAMPLE(BYTE(37)))
#undef BOTH
#undef ONE
#undef INTEGER
#undef BYTE
#undef CONDITION
#undef POSITIVE
#undef WIDE

#define REDUCE(axes, keep) ATTRIBUTES(tg_reduce_attributes, axes, keep)
TG_OP(sum, SAMPLE_WITH(REDUCE(1 << 0, 0), F(3, 5)), SAMPLE_WITH(REDUCE(1 << 1, 1), F(3, 5)),
      SAMPLE_WITH(REDUCE(1 << 0 | 1 << 1, 0), F(4, 3)), SAMPLE_WITH(REDUCE(1 << 1, 0), F(2, 3, 4)),
      SAMPLE_WITH(REDUCE(1 << 0 | 1 << 2, 1), F(2, 3, 4)), SAMPLE_WITH(REDUCE(1 << 0 | 1 << 2, 0), F(2, 2, 3, 2)),
      SAMPLE_WITH(REDUCE(1 << 0, 0), F(0, 3)), SAMPLE_WITH(REDUCE(1 << 1, 0), F(0, 3)), SAMPLE_WITH(REDUCE(1 << 0, 0), F(1, 5)),
      SAMPLE_WITH(REDUCE(0, 0), SCALAR(TG_FLOAT, -2, 2)), SAMPLE_WITH(REDUCE(0, 0), F(2, 3)),
      SAMPLE_WITH(REDUCE(1 << 0, 0), F(19, 20)), SAMPLE_WITH(REDUCE(1 << 1, 0), F(4, 37)),
      SAMPLE_WITH(REDUCE(1 << 0, 0), IN(TG_I32, -9, 9, 5, 3)), SAMPLE_WITH(REDUCE(1 << 0, 0), F(512, 128)),
      SAMPLE_WITH(REDUCE(1 << 0 | 1 << 1, 0), F(512, 128)))
TG_OP(mean, SAMPLE_WITH(REDUCE(1 << 0, 0), F(3, 5)), SAMPLE_WITH(REDUCE(1 << 0 | 1 << 1, 0), F(4, 3)),
      SAMPLE_WITH(REDUCE(1 << 1, 1), F(2, 3, 4)), SAMPLE_WITH(REDUCE(1 << 1, 0), F(0, 3)),
      SAMPLE_WITH(REDUCE(1 << 1, 0), F(512, 128)))
TG_OP(reduce_max, DISTINCT_WITH(REDUCE(1 << 0, 0), F(3, 5)), DISTINCT_WITH(REDUCE(1 << 0 | 1 << 1, 0), F(4, 3)),
      DISTINCT_WITH(REDUCE(1 << 1, 1), F(2, 3, 4)), DISTINCT_WITH(REDUCE(1 << 0, 0), F(19, 5)),
      DISTINCT_WITH(REDUCE(1 << 1, 0), F(2, 37)), SAMPLE_WITH(REDUCE(1 << 0, 0), IN(TG_U8, 0, 255, 4, 3)),
      SAMPLE_WITH(REDUCE(1 << 1, 0), IN(TG_I32, -9, 9, 4, 3)), SAMPLE_WITH(REDUCE(1 << 1, 0), F(512, 128)))
TG_OP(reduce_min, DISTINCT_WITH(REDUCE(1 << 0, 0), F(3, 5)), DISTINCT_WITH(REDUCE(1 << 0 | 1 << 1, 0), F(4, 3)),
      DISTINCT_WITH(REDUCE(1 << 1, 1), F(2, 3, 4)), DISTINCT_WITH(REDUCE(1 << 0, 0), F(19, 5)),
      DISTINCT_WITH(REDUCE(1 << 1, 0), F(2, 37)), SAMPLE_WITH(REDUCE(1 << 1, 0), F(512, 128)))
#undef REDUCE

#define TO(...) ATTRIBUTES(tg_shape_attributes, COUNT(int64_t, __VA_ARGS__), {__VA_ARGS__})
#define TO_SCALAR ATTRIBUTES(tg_shape_attributes, 0, {0})
TG_OP(reshape, SAMPLE_WITH(TO(2, 6), F(3, 4)), SAMPLE_WITH(TO(24), F(2, 3, 4)), SAMPLE_WITH(TO_SCALAR, F(1, 1)),
      SAMPLE_WITH(TO(1), SCALAR(TG_FLOAT, -2, 2)), SAMPLE_WITH(TO(3, 0), F(0, 5)), SAMPLE_WITH(TO(6), IN(TG_U8, 0, 255, 2, 3)))
TG_OP(broadcast_to, SAMPLE_WITH(TO(3, 5), F(5)), SAMPLE_WITH(TO(4, 3, 2), F(3, 1)),
      SAMPLE_WITH(TO(2, 3), SCALAR(TG_FLOAT, -2, 2)), SAMPLE_WITH(TO(0, 3), F(1, 3)), SAMPLE_WITH(TO(2, 3), IN(TG_U8, 0, 255, 3)),
      SAMPLE_WITH(TO(2, 3), IN(TG_I32, -9, 9, 2, 1)), SAMPLE_WITH(TO(512, 128), F(128)))
#undef TO
#undef TO_SCALAR
#define PERMUTE(rank, ...) ATTRIBUTES(tg_transpose_attributes, rank, {__VA_ARGS__})
TG_OP(transpose, SAMPLE_WITH(PERMUTE(2, 1, 0), F(3, 5)), SAMPLE_WITH(PERMUTE(3, 0, 2, 1), F(2, 3, 4)),
      SAMPLE_WITH(PERMUTE(3, 1, 2, 0), F(2, 3, 4)), SAMPLE_WITH(PERMUTE(4, 1, 0, 3, 2), F(2, 3, 2, 2)),
      SAMPLE_WITH(PERMUTE(2, 1, 0), F(1, 4)), SAMPLE_WITH(PERMUTE(2, 1, 0), F(0, 4)), SAMPLE_WITH(PERMUTE(2, 1, 0), F(33, 2)),
      SAMPLE_WITH(PERMUTE(2, 1, 0), IN(TG_U8, 0, 255, 3, 5)), SAMPLE_WITH(PERMUTE(2, 1, 0), F(512, 128)))
#undef PERMUTE
#define FLIP(axes) ATTRIBUTES(tg_flip_attributes, axes)
TG_OP(flip, SAMPLE_WITH(FLIP(1 << 0), F(3, 5)), SAMPLE_WITH(FLIP(1 << 1), F(3, 5)),
      SAMPLE_WITH(FLIP(1 << 0 | 1 << 2), F(2, 3, 4)), SAMPLE_WITH(FLIP(1 << 0), F(0, 5)), SAMPLE_WITH(FLIP(1 << 0), F(1)),
      SAMPLE_WITH(FLIP(1 << 1), IN(TG_I32, -9, 9, 2, 3)), SAMPLE_WITH(FLIP(1 << 1), F(512, 128)))
#undef FLIP
#define CUT(axis, start, count, step) ATTRIBUTES(tg_slice_attributes, axis, start, count, step)
TG_OP(slice, SAMPLE_WITH(CUT(0, 1, 2, 1), F(4, 3)), SAMPLE_WITH(CUT(1, 1, 2, 1), F(3, 4)),
      SAMPLE_WITH(CUT(1, 0, 3, 2), F(2, 5, 2)), SAMPLE_WITH(CUT(0, 2, 2, 3), F(7)), SAMPLE_WITH(CUT(1, 0, 4, 1), F(3, 4)),
      SAMPLE_WITH(CUT(1, 4, 0, 1), F(3, 4)), SAMPLE_WITH(CUT(1, 2, 1, 1), F(3, 4)), SAMPLE_WITH(CUT(1, 0, 2, 1), F(0, 4)),
      SAMPLE_WITH(CUT(1, 1, 2, 2), IN(TG_U8, 0, 255, 3, 4)), SAMPLE_WITH(CUT(1, 3, 120, 1), F(512, 128)))
#undef CUT
#define PAD(axis, before, after, interior, value) ATTRIBUTES(tg_pad_attributes, axis, before, after, interior, value)
TG_OP(pad, SAMPLE_WITH(PAD(0, 1, 2, 0, 0), F(3, 4)), SAMPLE_WITH(PAD(1, 2, 0, 0, 1.5), F(3, 4)),
      SAMPLE_WITH(PAD(1, 1, 1, 2, 0), F(2, 3, 2)), SAMPLE_WITH(PAD(0, 0, 0, 0, 0), F(3)),
      SAMPLE_WITH(PAD(0, 2, 1, 1, 0), F(0, 3)), SAMPLE_WITH(PAD(0, 1, 1, 3, 0), F(1)),
      SAMPLE_WITH(PAD(1, 1, 2, 1, 7), IN(TG_I32, -9, 9, 2, 3)), SAMPLE_WITH(PAD(1, 4, 4, 0, 0), F(512, 120)))
#undef PAD
#define AXIS(axis) ATTRIBUTES(tg_axis_attributes, axis)
TG_OP(concat, SAMPLE_WITH(AXIS(0), F(2, 3), F(1, 3)), SAMPLE_WITH(AXIS(1), F(2, 3), F(2, 1), F(2, 2)),
      SAMPLE_WITH(AXIS(1), F(2, 1, 2), F(2, 2, 2)), SAMPLE_WITH(AXIS(0), F(3)), SAMPLE_WITH(AXIS(1), F(2, 0), F(2, 3)),
      SAMPLE_WITH(AXIS(1), F(0, 2), F(0, 3)), SAMPLE_WITH(AXIS(0), IN(TG_U8, 0, 255, 3), IN(TG_U8, 0, 255, 2)),
      SAMPLE_WITH(AXIS(1), F(512, 64), F(512, 63)))
TG_OP(argmax, SAMPLE_WITH(AXIS(1), F(3, 5)), SAMPLE_WITH(AXIS(0), F(3, 5)), SAMPLE_WITH(AXIS(1), F(2, 3, 4)),
      SAMPLE_WITH(AXIS(0), F(1, 2)), SAMPLE_WITH(AXIS(1), F(0, 2)), SAMPLE_WITH(AXIS(1), IN(TG_U8, 0, 4, 3, 9)),
      SAMPLE_WITH(AXIS(0), IN(TG_I32, -2, 2, 9, 2)), SAMPLE_WITH(AXIS(1), F(4096, 10)))
TG_OP(argmin, SAMPLE_WITH(AXIS(1), F(3, 5)), SAMPLE_WITH(AXIS(0), F(3, 5)), SAMPLE_WITH(AXIS(1), F(2, 3, 4)),
      SAMPLE_WITH(AXIS(0), F(1, 2)), SAMPLE_WITH(AXIS(1), IN(TG_U8, 0, 4, 3, 9)), SAMPLE_WITH(AXIS(0), IN(TG_I32, -2, 2, 9, 2)),
      SAMPLE_WITH(AXIS(1), F(4096, 10)))
#undef AXIS
TG_OP(softmax, SAMPLE(F(3, 5)), SAMPLE(F(2, 2, 3)), SAMPLE(F(4)), SAMPLE(F(3, 1)), SAMPLE(F(2, 17)), SAMPLE(F(0, 3)),
      SAMPLE(F(2, 0)), SAMPLE(IN(TG_FLOAT, -60, 60, 4, 33)), SAMPLE(F(4096, 10)))
TG_OP(log_softmax, SAMPLE(F(3, 5)), SAMPLE(F(2, 2, 3)), SAMPLE(F(4)), SAMPLE(F(3, 1)), SAMPLE(F(2, 17)), SAMPLE(F(0, 3)),
      SAMPLE(F(2, 0)), SAMPLE(IN(TG_FLOAT, -60, 60, 4, 33)), SAMPLE(F(4096, 10)))
TG_OP(logsumexp, SAMPLE(F(3, 5)), SAMPLE(F(2, 2, 3)), SAMPLE(F(4)), SAMPLE(F(3, 1)), SAMPLE(F(2, 17)), SAMPLE(F(0, 3)),
      SAMPLE(F(2, 0)), SAMPLE(IN(TG_FLOAT, -60, 60, 4, 33)), SAMPLE(F(4096, 10)))
TG_OP(cross_entropy, SAMPLE(F(3, 5), IN(TG_I32, 0, 5, 3)), SAMPLE(F(4, 1), IN(TG_I32, 0, 1, 4)),
      SAMPLE(F(2, 17), IN(TG_I32, 0, 17, 2)), SAMPLE(F(0, 3), IN(TG_I32, 0, 3, 0)),
      SAMPLE(IN(TG_FLOAT, -60, 60, 20, 9), IN(TG_I32, 0, 9, 20)), SAMPLE(F(4096, 10), IN(TG_I32, 0, 10, 4096)))
TG_OP(cross_entropy_dense, SAMPLE(F(3, 5), IN(TG_FLOAT, 0, 1, 3, 5)), SAMPLE(F(4, 1), IN(TG_FLOAT, 0, 1, 4, 1)),
      SAMPLE(F(2, 17), IN(TG_FLOAT, 0, 1, 2, 17)), SAMPLE(F(0, 3), IN(TG_FLOAT, 0, 1, 0, 3)),
      SAMPLE(IN(TG_FLOAT, -9, 9, 2, 9), IN(TG_FLOAT, 0, 0.0625, 2, 9)), SAMPLE(F(3072, 10), IN(TG_FLOAT, 0, 1, 3072, 10)))

TG_OP(gather, SAMPLE(F(5, 3), IN(TG_I32, 0, 5, 4)), SAMPLE(F(4), IN(TG_I32, 0, 4, 2, 3)),
      SAMPLE(F(3, 2, 2), IN(TG_I32, 0, 3, 2, 2)), SAMPLE(F(3, 2), SCALAR(TG_I32, 0, 3)), SAMPLE(F(3, 2), IN(TG_I32, 0, 3, 0)),
      SAMPLE(F(3, 0), IN(TG_I32, 0, 3, 2)), SAMPLE(F(8, 4), IN(TG_I32, 0, 8, 3)),
      SAMPLE(IN(TG_U8, 0, 255, 6, 7), IN(TG_I32, 0, 6, 9)), SAMPLE(F(80, 784), IN(TG_I32, 0, 80, 128)))
#define ROWS(rows) ATTRIBUTES(tg_scatter_add_attributes, rows)
TG_OP(scatter_add, SAMPLE_WITH(ROWS(5), F(4, 3), IN(TG_I32, 0, 5, 4)), SAMPLE_WITH(ROWS(3), F(2, 3), IN(TG_I32, 0, 3, 2, 3)),
      SAMPLE_WITH(ROWS(2), F(3, 2, 2), IN(TG_I32, 0, 2, 3)), SAMPLE_WITH(ROWS(3), F(2), SCALAR(TG_I32, 0, 3)),
      SAMPLE_WITH(ROWS(3), F(0, 2), IN(TG_I32, 0, 3, 0)), SAMPLE_WITH(ROWS(1), F(9), IN(TG_I32, 0, 1, 9)),
      SAMPLE_WITH(ROWS(4), IN(TG_I32, -9, 9, 6, 2), IN(TG_I32, 0, 4, 6)),
      SAMPLE_WITH(ROWS(4000), F(8192), IN(TG_I32, 0, 4000, 8192)), SAMPLE_WITH(ROWS(300), F(128, 500), IN(TG_I32, 0, 300, 128)))
#undef ROWS
#define ONE_HOT(depth, dtype) ATTRIBUTES(tg_one_hot_attributes, depth, dtype)
TG_OP(one_hot, SAMPLE_WITH(ONE_HOT(5, TG_F32), IN(TG_I32, 0, 5, 4)), SAMPLE_WITH(ONE_HOT(3, TG_F64), IN(TG_I32, 0, 3, 2, 2)),
      SAMPLE_WITH(ONE_HOT(3, TG_U8), SCALAR(TG_I32, 0, 3)), SAMPLE_WITH(ONE_HOT(3, TG_I32), IN(TG_I32, 0, 3, 0)),
      SAMPLE_WITH(ONE_HOT(10, TG_F32), IN(TG_I32, 0, 10, 4096)))
#undef ONE_HOT

#define DRAW(a, b, dtype, rank, ...) \
    ATTRIBUTES(tg_random_attributes, UINT64_C(0x0123456789abcdef), a, b, dtype, {rank, {__VA_ARGS__}})
TG_OP(random_uniform, SOURCE_WITH(DRAW(0, 1, TG_F32, 2, 3, 5)), SOURCE_WITH(DRAW(-2, 3, TG_F64, 1, 7)),
      SOURCE_WITH(DRAW(0, 1, TG_F32, 1, 0)), SOURCE_WITH(DRAW(0, 1, TG_F32, 0, 0)), SOURCE_WITH(DRAW(0, 1, TG_F32, 2, 512, 128)))
TG_OP(random_normal, SOURCE_WITH(DRAW(0, 1, TG_F32, 2, 3, 5)), SOURCE_WITH(DRAW(-2, 3, TG_F64, 1, 7)),
      SOURCE_WITH(DRAW(0, 1, TG_F32, 1, 0)), SOURCE_WITH(DRAW(0, 1, TG_F32, 0, 0)), SOURCE_WITH(DRAW(0, 1, TG_F32, 2, 512, 128)))
#undef DRAW
TG_OP(assign, SAMPLE(F(3, 2), F(3, 2)), SAMPLE(SCALAR(TG_FLOAT, -2, 2), SCALAR(TG_FLOAT, -2, 2)), SAMPLE(F(0, 3), F(0, 3)),
      SAMPLE(IN(TG_I32, -9, 9, 4), IN(TG_I32, -9, 9, 4)), SAMPLE(F(256, 128), F(256, 128)))

#define PRODUCT(transpose_a, transpose_b) ATTRIBUTES(tg_matmul_attributes, transpose_a, transpose_b)
TG_OP(matmul, SAMPLE_WITH(PRODUCT(0, 0), F(3, 4), F(4, 5)), SAMPLE_WITH(PRODUCT(1, 0), F(4, 3), F(4, 5)),
      SAMPLE_WITH(PRODUCT(0, 1), F(3, 4), F(5, 4)), SAMPLE_WITH(PRODUCT(1, 1), F(4, 3), F(5, 4)),
      SAMPLE_WITH(PRODUCT(0, 0), F(2, 3, 4), F(4, 2)), SAMPLE_WITH(PRODUCT(0, 0), F(3, 4), F(2, 4, 2)),
      SAMPLE_WITH(PRODUCT(1, 1), F(2, 1, 4, 3), F(3, 2, 4)), SAMPLE_WITH(PRODUCT(1, 0), F(3, 7), F(3, 1)),
      SAMPLE_WITH(PRODUCT(0, 0), F(1, 9), F(9, 17)), SAMPLE_WITH(PRODUCT(0, 0), F(3, 0), F(0, 2)),
      SAMPLE_WITH(PRODUCT(0, 0), F(0, 3), F(3, 2)), SAMPLE_WITH(PRODUCT(0, 1), F(2, 3), F(0, 3)),
      SAMPLE_WITH(PRODUCT(0, 1), F(7, 19), F(37, 19)), SAMPLE_WITH(PRODUCT(1, 0), F(19, 37), F(19, 7)),
      SAMPLE_WITH(PRODUCT(0, 0), F(9, 30), F(30, 261)), SAMPLE_WITH(PRODUCT(0, 0), F(2, 1100), F(1100, 5)),
      SAMPLE_WITH(PRODUCT(0, 0), F(128, 256), F(256, 100)))
#undef PRODUCT
#define LOOKUP(transpose_x) ATTRIBUTES(tg_lookup_attributes, transpose_x)
TG_OP(lookup_matmul, SAMPLE_WITH(LOOKUP(0), F(256), IN(TG_U8, 0, 255, 2, 3), F(3, 2)),
      SAMPLE_WITH(LOOKUP(1), F(256), IN(TG_U8, 0, 255, 3, 2), F(3, 4)),
      SAMPLE_WITH(LOOKUP(0), F(256), IN(TG_U8, 0, 255, 0, 3), F(3, 2)),
      SAMPLE_WITH(LOOKUP(0), F(256), IN(TG_U8, 0, 255, 3, 0), F(0, 2)),
      SAMPLE_WITH(LOOKUP(0), F(256), IN(TG_U8, 0, 255, 9, 70), F(70, 37)),
      SAMPLE_WITH(LOOKUP(1), F(256), IN(TG_U8, 0, 255, 70, 67), F(70, 530)),
      SAMPLE_WITH(LOOKUP(0), F(256), IN(TG_U8, 0, 255, 128, 512), F(512, 100)))
#undef LOOKUP
#define CONV(stride_h, stride_w, dilation_h, dilation_w, above, left, below, right) \
    {stride_h, stride_w}, {dilation_h, dilation_w}, {above, left}, { below, right }
#define CONV2D(...) ATTRIBUTES(tg_conv2d_attributes, CONV(__VA_ARGS__))
TG_OP(conv2d, SAMPLE_WITH(CONV2D(1, 1, 1, 1, 0, 0, 0, 0), F(2, 4, 5, 2), F(3, 2, 2, 3)),
      SAMPLE_WITH(CONV2D(1, 1, 1, 1, 1, 1, 1, 1), F(1, 4, 3, 1), F(3, 3, 1, 2)),
      SAMPLE_WITH(CONV2D(2, 1, 1, 1, 0, 1, 1, 0), F(2, 5, 4, 2), F(2, 3, 2, 1)),
      SAMPLE_WITH(CONV2D(1, 2, 2, 1, 1, 0, 2, 0), F(1, 5, 4, 2), F(3, 2, 2, 2)),
      SAMPLE_WITH(CONV2D(3, 3, 1, 1, 0, 0, 0, 0), F(1, 7, 8, 1), F(2, 2, 1, 2)),
      SAMPLE_WITH(CONV2D(1, 1, 1, 1, -1, 0, 0, -2), F(1, 5, 6, 1), F(2, 2, 1, 3)),
      SAMPLE_WITH(CONV2D(1, 1, 1, 1, 0, 0, 0, 0), F(0, 3, 3, 2), F(2, 2, 2, 2)),
      SAMPLE_WITH(CONV2D(1, 1, 1, 1, 0, 0, 0, 0), F(2, 3, 3, 0), F(2, 2, 0, 2)),
      SAMPLE_WITH(CONV2D(2, 3, 3, 2, 3, 2, 1, 4), F(2, 9, 8, 5), F(3, 2, 5, 33)),
      SAMPLE_WITH(CONV2D(1, 1, 1, 1, 1, 1, 1, 1), F(1, 12, 12, 3), F(3, 3, 3, 7)),
      SAMPLE_WITH(CONV2D(1, 1, 1, 1, 0, 0, 0, 0), F(8, 13, 13, 32), F(3, 3, 32, 64)))
#undef CONV2D
#define CONV2D_GRADIENT(height, width, ...) ATTRIBUTES(tg_conv2d_gradient_attributes, {CONV(__VA_ARGS__)}, {height, width})
TG_OP(conv2d_input_gradient, SAMPLE_WITH(CONV2D_GRADIENT(4, 5, 1, 1, 1, 1, 0, 0, 0, 0), F(2, 2, 4, 3), F(3, 2, 2, 3)),
      SAMPLE_WITH(CONV2D_GRADIENT(4, 3, 1, 1, 1, 1, 1, 1, 1, 1), F(1, 4, 3, 2), F(3, 3, 1, 2)),
      SAMPLE_WITH(CONV2D_GRADIENT(5, 4, 2, 1, 1, 1, 0, 1, 1, 0), F(2, 3, 3, 1), F(2, 3, 2, 1)),
      SAMPLE_WITH(CONV2D_GRADIENT(7, 8, 3, 3, 1, 1, 0, 0, 0, 0), F(1, 2, 3, 2), F(2, 2, 1, 2)),
      SAMPLE_WITH(CONV2D_GRADIENT(5, 6, 1, 1, 1, 1, -1, 0, 0, -2), F(1, 3, 3, 3), F(2, 2, 1, 3)),
      SAMPLE_WITH(CONV2D_GRADIENT(3, 3, 1, 1, 1, 1, 0, 0, 0, 0), F(0, 2, 2, 2), F(2, 2, 2, 2)),
      SAMPLE_WITH(CONV2D_GRADIENT(9, 8, 2, 3, 3, 2, 3, 2, 1, 4), F(2, 4, 4, 5), F(3, 2, 33, 5)),
      SAMPLE_WITH(CONV2D_GRADIENT(9, 9, 4, 2, 2, 4, 2, 1, 2, 3), F(1, 3, 5, 3), F(3, 2, 2, 3)),
      SAMPLE_WITH(CONV2D_GRADIENT(13, 13, 1, 1, 1, 1, 0, 0, 0, 0), F(8, 11, 11, 64), F(3, 3, 32, 64)))
TG_OP(conv2d_kernel_gradient, SAMPLE_WITH(CONV2D_GRADIENT(3, 2, 1, 1, 1, 1, 0, 0, 0, 0), F(2, 4, 5, 2), F(2, 2, 4, 3)),
      SAMPLE_WITH(CONV2D_GRADIENT(3, 3, 1, 1, 1, 1, 1, 1, 1, 1), F(1, 4, 3, 1), F(1, 4, 3, 2)),
      SAMPLE_WITH(CONV2D_GRADIENT(2, 3, 2, 1, 1, 1, 0, 1, 1, 0), F(2, 5, 4, 2), F(2, 3, 3, 1)),
      SAMPLE_WITH(CONV2D_GRADIENT(2, 2, 1, 1, 1, 1, -1, 0, 0, -2), F(1, 5, 6, 1), F(1, 3, 3, 3)),
      SAMPLE_WITH(CONV2D_GRADIENT(2, 2, 1, 1, 1, 1, 0, 0, 0, 0), F(0, 3, 3, 2), F(0, 2, 2, 2)),
      SAMPLE_WITH(CONV2D_GRADIENT(3, 2, 2, 3, 3, 2, 3, 2, 1, 4), F(2, 9, 8, 5), F(2, 4, 4, 33)),
      SAMPLE_WITH(CONV2D_GRADIENT(3, 3, 1, 1, 1, 1, 0, 0, 0, 0), F(20, 4, 4, 2), F(20, 2, 2, 2)),
      SAMPLE_WITH(CONV2D_GRADIENT(3, 3, 1, 1, 1, 1, 0, 0, 0, 0), F(4, 13, 13, 32), F(4, 11, 11, 64)))
#undef CONV2D_GRADIENT

#define WINDOW(height, width, stride_h, stride_w) \
    {height, width}, { stride_h, stride_w }
#define POOL(...) ATTRIBUTES(tg_pool2d_attributes, WINDOW(__VA_ARGS__))
TG_OP(max_pool2d, DISTINCT_WITH(POOL(2, 2, 2, 2), F(2, 4, 4, 2)), DISTINCT_WITH(POOL(2, 2, 2, 2), F(1, 5, 5, 3)),
      DISTINCT_WITH(POOL(3, 2, 1, 1), F(1, 5, 4, 2)), DISTINCT_WITH(POOL(2, 1, 3, 2), F(1, 5, 5, 2)),
      DISTINCT_WITH(POOL(1, 1, 1, 1), F(1, 2, 2, 1)), SAMPLE_WITH(POOL(2, 2, 2, 2), F(0, 4, 4, 2)),
      DISTINCT_WITH(POOL(2, 2, 2, 2), IN(TG_FLOAT, -9, 9, 1, 4, 4, 19)), SAMPLE_WITH(POOL(16, 16, 16, 16), F(1, 16, 16, 2)),
      SAMPLE_WITH(POOL(2, 2, 2, 2), F(2, 26, 26, 32)))
TG_OP(max_pool2d_argmax, DISTINCT_WITH(POOL(2, 2, 2, 2), F(2, 4, 4, 2)), DISTINCT_WITH(POOL(2, 2, 2, 2), F(1, 5, 5, 3)),
      DISTINCT_WITH(POOL(3, 2, 1, 1), F(1, 5, 4, 2)), DISTINCT_WITH(POOL(2, 1, 3, 2), F(1, 5, 5, 2)),
      SAMPLE_WITH(POOL(2, 2, 2, 2), F(0, 4, 4, 2)), SAMPLE_WITH(POOL(2, 2, 2, 2), F(1, 4, 4, 19)),
      SAMPLE_WITH(POOL(16, 16, 16, 16), F(1, 16, 16, 2)), SAMPLE_WITH(POOL(2, 2, 2, 2), F(2, 26, 26, 32)))
TG_OP(pool_gather2d, SAMPLE_WITH(POOL(2, 2, 2, 2), F(2, 4, 4, 2), IN(TG_U8, 0, 4, 2, 2, 2, 2)),
      SAMPLE_WITH(POOL(2, 2, 2, 2), F(1, 5, 5, 3), IN(TG_U8, 0, 4, 1, 2, 2, 3)),
      SAMPLE_WITH(POOL(3, 2, 1, 1), F(1, 5, 4, 2), IN(TG_U8, 0, 6, 1, 3, 3, 2)),
      SAMPLE_WITH(POOL(2, 1, 3, 2), F(1, 5, 5, 2), IN(TG_U8, 0, 2, 1, 2, 3, 2)),
      SAMPLE_WITH(POOL(2, 2, 2, 2), IN(TG_U8, 0, 255, 1, 4, 4, 2), IN(TG_U8, 0, 4, 1, 2, 2, 2)),
      SAMPLE_WITH(POOL(2, 2, 2, 2), IN(TG_I32, -9, 9, 1, 4, 4, 2), IN(TG_U8, 0, 4, 1, 2, 2, 2)),
      SAMPLE_WITH(POOL(2, 2, 2, 2), F(0, 4, 4, 2), IN(TG_U8, 0, 4, 0, 2, 2, 2)),
      SAMPLE_WITH(POOL(2, 2, 2, 2), F(1, 4, 4, 19), IN(TG_U8, 0, 4, 1, 2, 2, 19)),
      SAMPLE_WITH(POOL(2, 2, 2, 2), F(2, 26, 26, 32), IN(TG_U8, 0, 4, 2, 13, 13, 32)))
TG_OP(avg_pool2d, SAMPLE_WITH(POOL(2, 2, 2, 2), F(2, 4, 4, 2)), SAMPLE_WITH(POOL(2, 2, 2, 2), F(1, 5, 5, 3)),
      SAMPLE_WITH(POOL(3, 2, 1, 1), F(1, 5, 4, 2)), SAMPLE_WITH(POOL(2, 1, 3, 2), F(1, 5, 5, 2)),
      SAMPLE_WITH(POOL(2, 2, 2, 2), F(0, 4, 4, 2)), SAMPLE_WITH(POOL(2, 2, 2, 2), F(1, 4, 4, 19)),
      SAMPLE_WITH(POOL(20, 20, 20, 20), F(1, 20, 20, 2)), SAMPLE_WITH(POOL(2, 2, 2, 2), F(2, 26, 26, 32)))
#undef POOL
#define UNPOOL(height, width, ...) ATTRIBUTES(tg_unpool2d_attributes, {WINDOW(__VA_ARGS__)}, {height, width})
TG_OP(unpool2d, SAMPLE_WITH(UNPOOL(4, 4, 2, 2, 2, 2), F(2, 2, 2, 2), IN(TG_U8, 0, 4, 2, 2, 2, 2)),
      SAMPLE_WITH(UNPOOL(5, 5, 2, 2, 2, 2), F(1, 2, 2, 3), IN(TG_U8, 0, 4, 1, 2, 2, 3)),
      SAMPLE_WITH(UNPOOL(5, 4, 3, 2, 1, 1), F(1, 3, 3, 2), IN(TG_U8, 0, 6, 1, 3, 3, 2)),
      SAMPLE_WITH(UNPOOL(5, 5, 2, 1, 3, 2), F(1, 2, 3, 2), IN(TG_U8, 0, 2, 1, 2, 3, 2)),
      SAMPLE_WITH(UNPOOL(4, 4, 2, 2, 2, 2), F(0, 2, 2, 2), IN(TG_U8, 0, 4, 0, 2, 2, 2)),
      SAMPLE_WITH(UNPOOL(4, 4, 2, 2, 2, 2), F(1, 2, 2, 19), IN(TG_U8, 0, 4, 1, 2, 2, 19)),
      SAMPLE_WITH(UNPOOL(26, 26, 2, 2, 2, 2), F(8, 13, 13, 32), IN(TG_U8, 0, 4, 8, 13, 13, 32)))
TG_OP(avg_unpool2d, SAMPLE_WITH(UNPOOL(4, 4, 2, 2, 2, 2), F(2, 2, 2, 2)), SAMPLE_WITH(UNPOOL(5, 5, 2, 2, 2, 2), F(1, 2, 2, 3)),
      SAMPLE_WITH(UNPOOL(5, 4, 3, 2, 1, 1), F(1, 3, 3, 2)), SAMPLE_WITH(UNPOOL(5, 5, 2, 1, 3, 2), F(1, 2, 3, 2)),
      SAMPLE_WITH(UNPOOL(4, 4, 2, 2, 2, 2), F(0, 2, 2, 2)), SAMPLE_WITH(UNPOOL(4, 4, 2, 2, 2, 2), F(1, 2, 2, 19)),
      SAMPLE_WITH(UNPOOL(26, 26, 2, 2, 2, 2), F(8, 13, 13, 32)))
#undef UNPOOL
#define CONV_POOL(conv, ...) ATTRIBUTES(tg_conv2d_pool2d_attributes, {CONV conv}, {WINDOW(__VA_ARGS__)}, 0)
#define WINOGRAD(conv) ATTRIBUTES(tg_conv2d_pool2d_attributes, {CONV conv}, {WINDOW(2, 2, 2, 2)}, 1)
#define VALID (1, 1, 1, 1, 0, 0, 0, 0)
/* Without padding: beside a NaN its zeros may be multiplied or left out, so that the position of a maximum is not defined. */
#define CONV_POOLS                                                                                   \
    SAMPLE_WITH(CONV_POOL(VALID, 2, 2, 2, 2), F(2, 5, 6, 2), F(2, 3, 2, 3)),                         \
        SAMPLE_WITH(CONV_POOL(VALID, 2, 2, 2, 2), F(1, 7, 7, 1), F(3, 3, 1, 2)),                     \
        SAMPLE_WITH(CONV_POOL((2, 1, 1, 2, -1, 0, 0, 0), 3, 2, 1, 1), F(1, 9, 6, 2), F(2, 2, 2, 3)), \
        SAMPLE_WITH(CONV_POOL(VALID, 1, 2, 2, 3), F(1, 6, 8, 1), F(2, 2, 1, 3)),                     \
        SAMPLE_WITH(CONV_POOL(VALID, 2, 2, 2, 2), F(0, 5, 5, 2), F(2, 2, 2, 2)),                     \
        SAMPLE_WITH(CONV_POOL(VALID, 16, 16, 16, 16), F(1, 17, 17, 1), F(2, 2, 1, 19)),              \
        SAMPLE_WITH(CONV_POOL(VALID, 2, 2, 2, 2), F(2, 28, 28, 1), F(3, 3, 1, 32)),                  \
        SAMPLE_WITH(CONV_POOL(VALID, 2, 2, 2, 2), F(8, 12, 12, 32), F(3, 3, 32, 64)),                \
        SAMPLE_WITH(WINOGRAD(VALID), F(1, 6, 6, 2), F(3, 3, 2, 3)),                                  \
        SAMPLE_WITH(WINOGRAD(VALID), F(3, 7, 6, 19), F(3, 3, 19, 21)),                               \
        SAMPLE_WITH(WINOGRAD((1, 1, 1, 1, -1, 0, 0, -1)), F(0, 7, 6, 3), F(3, 3, 3, 70)),            \
        SAMPLE_WITH(WINOGRAD(VALID), F(8, 13, 13, 32), F(3, 3, 32, 64))
TG_OP(conv2d_max_pool2d, CONV_POOLS, SAMPLE_WITH(CONV_POOL((1, 1, 1, 1, 1, 1, 1, 1), 2, 2, 2, 2), F(1, 6, 5, 2), F(3, 3, 2, 5)),
      SAMPLE_WITH(CONV_POOL((2, 1, 1, 2, 0, 1, 1, 0), 3, 2, 1, 1), F(1, 9, 6, 2), F(2, 2, 2, 3)),
      SAMPLE_WITH(WINOGRAD((1, 1, 1, 1, 1, 1, 1, 1)), F(2, 6, 5, 2), F(3, 3, 2, 5)))
TG_OP(conv2d_max_pool2d_argmax, CONV_POOLS)
#undef CONV_POOL
#undef CONV_POOLS
#undef WINOGRAD
#undef VALID
#define UNPOOLED(height, width, from_height, from_width, pool, ...) \
    ATTRIBUTES(tg_conv2d_unpooled_attributes, {{CONV(__VA_ARGS__)}, {height, width}}, {{pool}, {from_height, from_width}})
#define PLAIN 1, 1, 1, 1, 0, 0, 0, 0
#define PLACES(places, ...) IN(TG_U8, 0, places, __VA_ARGS__)
TG_OP(conv2d_input_gradient_unpooled,
      SAMPLE_WITH(UNPOOLED(6, 7, 4, 5, WINDOW(2, 2, 2, 2), PLAIN), F(2, 2, 2, 3), PLACES(4, 2, 2, 2, 3), F(3, 3, 2, 3)),
      SAMPLE_WITH(UNPOOLED(5, 5, 5, 5, WINDOW(2, 2, 2, 2), 1, 1, 1, 1, 1, 1, 1, 1), F(1, 2, 2, 2), PLACES(4, 1, 2, 2, 2),
                  F(3, 3, 1, 2)),
      SAMPLE_WITH(UNPOOLED(7, 8, 4, 6, WINDOW(3, 2, 1, 2), 2, 1, 1, 2, 1, 0, 0, 0), F(1, 2, 3, 2), PLACES(6, 1, 2, 3, 2),
                  F(2, 2, 2, 2)),
      SAMPLE_WITH(UNPOOLED(5, 6, 3, 3, WINDOW(3, 3, 3, 3), 1, 1, 1, 1, -1, 0, 0, -2), F(1, 1, 1, 3), PLACES(9, 1, 1, 1, 3),
                  F(2, 2, 1, 3)),
      SAMPLE_WITH(UNPOOLED(4, 4, 2, 2, WINDOW(2, 2, 2, 2), PLAIN), F(0, 1, 1, 2), PLACES(4, 0, 1, 1, 2), F(3, 3, 2, 2)),
      SAMPLE_WITH(UNPOOLED(8, 8, 4, 4, WINDOW(2, 2, 2, 2), PLAIN), F(1, 2, 2, 33), PLACES(6, 1, 2, 2, 33), F(5, 5, 17, 33)),
      SAMPLE_WITH(UNPOOLED(3, 3, 2, 2, WINDOW(2, 2, 2, 2), PLAIN), F(2, 1, 1, 70), PLACES(4, 2, 1, 1, 70), F(2, 2, 3, 70)),
      SAMPLE_WITH(UNPOOLED(13, 13, 11, 11, WINDOW(2, 2, 2, 2), PLAIN), F(8, 5, 5, 64), PLACES(4, 8, 5, 5, 64), F(3, 3, 32, 64)))
TG_OP(conv2d_kernel_gradient_unpooled,
      SAMPLE_WITH(UNPOOLED(3, 3, 4, 5, WINDOW(2, 2, 2, 2), PLAIN), F(2, 6, 7, 2), F(2, 2, 2, 3), PLACES(4, 2, 2, 2, 3)),
      SAMPLE_WITH(UNPOOLED(3, 3, 5, 5, WINDOW(2, 2, 2, 2), 1, 1, 1, 1, 1, 1, 1, 1), F(1, 5, 5, 1), F(1, 2, 2, 2),
                  PLACES(4, 1, 2, 2, 2)),
      SAMPLE_WITH(UNPOOLED(2, 2, 4, 6, WINDOW(3, 2, 1, 2), 2, 1, 1, 2, 1, 0, 0, 0), F(1, 7, 8, 2), F(1, 2, 3, 2),
                  PLACES(6, 1, 2, 3, 2)),
      SAMPLE_WITH(UNPOOLED(2, 2, 3, 3, WINDOW(3, 3, 3, 3), 1, 1, 1, 1, -1, 0, 0, -2), F(1, 5, 6, 1), F(1, 1, 1, 3),
                  PLACES(9, 1, 1, 1, 3)),
      SAMPLE_WITH(UNPOOLED(3, 3, 2, 2, WINDOW(2, 2, 2, 2), PLAIN), F(0, 4, 4, 2), F(0, 1, 1, 2), PLACES(4, 0, 1, 1, 2)),
      SAMPLE_WITH(UNPOOLED(5, 5, 4, 4, WINDOW(2, 2, 2, 2), PLAIN), F(1, 8, 8, 17), F(1, 2, 2, 33), PLACES(6, 1, 2, 2, 33)),
      SAMPLE_WITH(UNPOOLED(3, 3, 26, 26, WINDOW(2, 2, 2, 2), PLAIN), F(2, 28, 28, 1), F(2, 13, 13, 33), PLACES(5, 2, 13, 13, 33)),
      SAMPLE_WITH(UNPOOLED(5, 5, 2, 2, WINDOW(2, 1, 2, 1), 1, 2, 1, 1, 2, 2, 2, 2), F(3, 2, 3, 9), F(3, 1, 2, 5),
                  PLACES(2, 3, 1, 2, 5)),
      SAMPLE_WITH(UNPOOLED(3, 3, 11, 11, WINDOW(2, 2, 2, 2), PLAIN), F(20, 13, 13, 32), F(20, 5, 5, 64), PLACES(4, 20, 5, 5, 64)))
#undef PLACES
#undef PLAIN
#undef UNPOOLED
#undef WINDOW
#undef CONV
