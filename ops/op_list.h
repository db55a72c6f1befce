/* The ops, each with the samples that drive the generic tests and benchmarks: TG_OP(name, SAMPLE(...), ...). An op without a sample
   does not build. Include after defining TG_OP; what the samples are made of is defined in ops/op_list.c:

   F(2, 3)                          a float input [2, 3] in [-2, 2), of the test's working float
   IN(dtype, low, high, dims...)    any other; SCALAR(dtype, low, high) one of rank 0
   SAMPLE(inputs...)                an op without attributes
   SAMPLE_WITH(ATTRIBUTES(struct, values...), inputs...)   one with them; the struct stands in ops/attributes.h
   DISTINCT, DISTINCT_WITH          the same; all float values keep away from each other and from 0, for kinks and ties

   The first samples of an op are small: finite differences visit each element. The last may have up to 65,536, for benchmarks. */
TG_OP(add, SAMPLE(F(3, 5), F(3, 5)), SAMPLE(F(4, 1, 3), F(2, 1)), SAMPLE(F(0, 3), F(3)))
