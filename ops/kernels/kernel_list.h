/* The kernels that are compiled for each instruction set: TG_KERNEL(return_type, name, (parameters)).
   The source defines `return_type TG_SET(name)(parameters)`; callers reach it as tg_kernels_for(isa)->name(...).
   A new kernel is its source (in kernel_sources of ops/kernels/meson.build) and a line here. */

/* Pointwise lane functions: ops/kernels/lanes*.c. They have the type of a tg_op's block function. */
#define TG_LANE(name) TG_KERNEL(void, lane_##name, (void *out, const void *const *in, int64_t n, const void *attributes))
#undef TG_LANE

/* Reductions, in the order that ops/kernels/reduce.h gives. */
TG_KERNEL(void, reduce_rows, (tg_reduce_kind kind, const void *x, int64_t rows, int64_t n, int64_t stride, void *out))
TG_KERNEL(void, reduce_columns, (tg_reduce_kind kind, const void *x, int64_t n, int64_t width, int64_t stride, void *out))
