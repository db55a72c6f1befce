/* The kernels that are compiled for each instruction set: TG_KERNEL(return_type, name, (parameters)).
   The source defines `return_type TG_SET(name)(parameters)`; callers reach it as tg_kernels_for(isa)->name(...).
   A new kernel is its source (in kernel_sources of ops/kernels/meson.build) and a line here. */

/* Pointwise lane functions on f32: ops/kernels/lanes_*.c. They have the type of an op's block function (graph/op.h). */
#define TG_LANE(name) TG_KERNEL(void, lane_##name, (void *out, const void *const *in, int64_t n, const void *attributes))
TG_LANE(add)
TG_LANE(sub)
TG_LANE(mul)
TG_LANE(div)
TG_LANE(pow)
TG_LANE(maximum)
TG_LANE(minimum)
TG_LANE(equal)
TG_LANE(not_equal)
TG_LANE(less)
TG_LANE(less_equal)
TG_LANE(greater)
TG_LANE(greater_equal)
TG_LANE(where)
TG_LANE(neg)
TG_LANE(abs)
TG_LANE(sign)
TG_LANE(exp)
TG_LANE(log)
TG_LANE(sqrt)
TG_LANE(square)
TG_LANE(sin)
TG_LANE(cos)
TG_LANE(tanh)
TG_LANE(reciprocal)
TG_LANE(rsqrt)
TG_LANE(erf)
TG_LANE(sigmoid)
TG_LANE(relu)
TG_LANE(gelu)
TG_LANE(silu)
TG_LANE(softplus)
TG_LANE(leaky_relu)
TG_LANE(elu)
TG_LANE(lerp)
TG_LANE(adaptive_step)
TG_LANE(cast_from_u8)
TG_LANE(cast_from_i32)
#undef TG_LANE

/* Reductions, in the order that ops/kernels/reduce.h gives. */
TG_KERNEL(void, reduce_rows, (tg_reduce_kind kind, const void *x, int64_t rows, int64_t n, int64_t stride, void *out))
TG_KERNEL(void, reduce_columns, (tg_reduce_kind kind, const void *x, int64_t n, int64_t width, int64_t stride, void *out))

/* Products and convolutions; see ops/kernels/tile.h. */
TG_KERNEL(const tg_tile_limits *, tile_limits, (void))
TG_KERNEL(void, tile, (const tg_tile *tile))
TG_KERNEL(void, tile_lookup, (const tg_tile *tile))
TG_KERNEL(void, pack, (const tg_pack *pack))
TG_KERNEL(void, pack_transposed, (const tg_pack *pack))

/* Products that skip zeros; see ops/kernels/skip.h. */
TG_KERNEL(const tg_tile_limits *, skip_limits, (void))
TG_KERNEL(void, skip_tile, (const tg_skip_tile *tile))
TG_KERNEL(int64_t, nonzeros, (const uint8_t *x, int64_t step, int64_t rows, int64_t columns, uint64_t *masks, int64_t mask_step))
TG_KERNEL(bool, pack_finite, (const tg_pack *pack))

/* Rows of n contiguous logits: see ops/kernels/softmax.h. */
TG_KERNEL(void, softmax, (const float *x, int64_t rows, int64_t n, float *out))
TG_KERNEL(void, log_softmax, (const float *x, int64_t rows, int64_t n, float *out))
TG_KERNEL(void, logsumexp, (const float *x, int64_t rows, int64_t n, float *out))
TG_KERNEL(void, cross_entropy_sparse, (const float *x, const int32_t *labels, int64_t rows, int64_t n, float *out))
TG_KERNEL(void, cross_entropy_dense, (const float *x, const float *labels, int64_t rows, int64_t n, float *out))

/* words[4 i + j] = word j of Philox block first + i, for i < blocks: graph/philox.h. */
TG_KERNEL(void, philox, (uint64_t key, uint64_t counter_high, uint64_t first, int64_t blocks, uint32_t *words))

/* A row of pooled windows; see ops/kernels/tile.h. */
TG_KERNEL(void, conv_windows, (const tg_conv_windows *windows))

/* Winograd's transforms; see ops/kernels/winograd.h. Element i of the 16 goes to, or comes from, i step. */
TG_KERNEL(void, winograd_pixels, (const float *const pixels[16], int64_t channels, float *to, int64_t step))
/* from: 9 weights at a stride for each of `columns` filters; whole vectors are written. */
TG_KERNEL(void, winograd_weights, (const float *from, int64_t stride, int64_t columns, float *to, int64_t step))
TG_KERNEL(void, winograd_maxima, (const float *products, int64_t step, int64_t columns, float *values, uint8_t *positions))

/* Pooling; see ops/kernels/pool.h. */
#define TG_POOL(name) TG_KERNEL(void, name, (const tg_pool *pool))
TG_POOL(max_pool)
TG_POOL(max_pool_argmax)
TG_POOL(pool_gather) /* of floats, or of any four bytes */
TG_POOL(unpool)
TG_POOL(avg_pool)
TG_POOL(avg_unpool)
#undef TG_POOL

/* Convolution gradients in pooled form; see ops/kernels/windows.h. */
TG_KERNEL(const tg_window_limits *, window_limits, (void))
TG_KERNEL(void, window_places, (const tg_window_places *places))
TG_KERNEL(void, window_sums, (const tg_window_sums *sums))
TG_KERNEL(void, window_total, (const tg_window_total *total))
TG_KERNEL(void, window_pack, (tg_window_pack * pack))
TG_KERNEL(void, window_select, (const tg_window_select *select))
TG_KERNEL(void, window_masks, (const tg_pooled *pooled, int64_t pixels, uint64_t *masks))
TG_KERNEL(void, window_kernel, (const tg_window_kernel *kernel))
TG_KERNEL(void, window_leave, (const tg_window_leave *leave))
TG_KERNEL(void, window_spread, (const tg_window_spread *spread))
