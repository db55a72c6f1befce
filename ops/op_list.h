/* The ops, each with the samples that drive the generic tests and benchmarks: TG_OP(name, SAMPLE...). An op without a sample does not
   build. Include after defining TG_OP and what the samples use (ops/op_list.c), or TG_OP alone with the samples ignored.
   F(2, 3): a float input in [-2, 2); IN(dtype, low, high, dims...): any other; 0-d inputs: SCALAR. */
TG_OP(add, SAMPLE(F(3, 5), F(3, 5)), SAMPLE(F(4, 1, 3), F(2, 1)), SAMPLE(F(0, 3), F(3)))
