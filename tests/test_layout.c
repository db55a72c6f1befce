#include "op_reference.h"
#include "ops/kernels/copy.h"
#include "workbench.h"

/* ---- the copy kernel ---- */

static uint32_t next_random(uint64_t *state)
{
    uint32_t bits[4];
    tg_philox(99, 0, (*state)++, bits);
    return bits[0];
}

/* A walk over a row-major source with permuted, reversed and skipping axes. */
static tg_copy random_copy(uint64_t *state, int64_t *source_bytes)
{
    static const int64_t elements[] = {1, 4, 8};
    tg_copy copy = {.rank = 1 + (int)(next_random(state) % 4), .element = elements[next_random(state) % 3]};
    int64_t extents[TG_COPY_RANK], stride = copy.element;
    int order[TG_COPY_RANK];
    for (int axis = 0; axis < copy.rank; axis++) {
        extents[axis] = next_random(state) % 12 == 0 ? next_random(state) % 90 : 1 + next_random(state) % 8;
        order[axis] = axis;
    }
    for (int axis = copy.rank - 1; axis > 0; axis--) {
        int other = (int)(next_random(state) % (uint32_t)(axis + 1)), kept = order[axis];
        order[axis] = order[other];
        order[other] = kept;
    }
    for (int axis = copy.rank - 1; axis >= 0; axis--) {
        copy.dims[order[axis]] = extents[axis];
        copy.strides[order[axis]] = stride;
        stride *= extents[axis];
    }
    *source_bytes = stride;
    for (int axis = 0; axis < copy.rank; axis++) {
        uint32_t choice = next_random(state) % 6;
        if (choice == 0 && copy.dims[axis] > 0) {
            copy.offset += (copy.dims[axis] - 1) * copy.strides[axis];
            copy.strides[axis] = -copy.strides[axis];
        } else if (choice == 1) {
            copy.strides[axis] *= 2;
            copy.dims[axis] = (copy.dims[axis] + 1) / 2;
        }
    }
    return copy;
}

START_TEST(copies_walk_as_their_strides_say)
{
    uint64_t state = 0;
    for (int trial = 0; trial < 3000; trial++) {
        int64_t bytes, count = 1;
        tg_copy copy = random_copy(&state, &bytes), plain = copy;
        for (int axis = 0; axis < copy.rank; axis++)
            count *= copy.dims[axis];
        unsigned char *source = malloc((size_t)bytes + 1), *got = calloc((size_t)(count * copy.element) + 1, 1);
        for (int64_t i = 0; i < bytes; i++)
            source[i] = (unsigned char)(i * 37 + i / 251);
        tg_copy_simplify(&copy);
        for (int64_t task = tg_copy_tasks(&copy) - 1; task >= 0; task--)
            tg_copy_run(&copy, source, got, task);
        for (int64_t i = 0; i < count; i++) {
            int64_t rest = i, at = plain.offset;
            for (int axis = plain.rank - 1; axis >= 0; axis--) {
                at += rest % plain.dims[axis] * plain.strides[axis];
                rest /= plain.dims[axis];
            }
            ck_assert_msg(memcmp(got + i * plain.element, source + at, (size_t)plain.element) == 0, "trial %d, element %lld",
                          trial, (long long)i);
        }
        free(source);
        free(got);
    }
}
END_TEST

START_TEST(large_copies_are_cut_into_tasks)
{
    enum { ROWS = 300, COLUMNS = 257 };
    int32_t *source = malloc(ROWS * COLUMNS * sizeof *source), *got = calloc(ROWS * COLUMNS, sizeof *got);
    for (int i = 0; i < ROWS * COLUMNS; i++)
        source[i] = i;
    tg_copy turn = {.rank = 2, .dims = {COLUMNS, ROWS}, .strides = {4, 4 * COLUMNS}, .element = 4};
    tg_copy whole = {.rank = 2, .dims = {ROWS, COLUMNS}, .strides = {4 * COLUMNS, 4}, .element = 4};
    tg_copy_simplify(&turn);
    tg_copy_simplify(&whole);
    ck_assert_int_gt(tg_copy_tasks(&turn), 3);
    ck_assert_int_gt(tg_copy_tasks(&whole), 3);
    for (int64_t task = 0; task < tg_copy_tasks(&turn); task++)
        tg_copy_run(&turn, source, got, task);
    for (int i = 0; i < ROWS * COLUMNS; i++)
        ck_assert_int_eq(got[i], i % ROWS * COLUMNS + i / ROWS);
    for (int64_t task = 0; task < tg_copy_tasks(&whole); task++)
        tg_copy_run(&whole, source, got, task);
    ck_assert_mem_eq(got, source, ROWS * COLUMNS * sizeof *got);
    free(source);
    free(got);
}
END_TEST

/* ---- ops ---- */

static const tg_dtype dtypes[] = {TG_F32, TG_F64, TG_I32, TG_U8};

START_TEST(transposing_moves_axes_of_every_dtype)
{
    const int32_t orders[][4] = {{0, 1, 2, 3}, {3, 2, 1, 0}, {0, 2, 1, 3}, {0, 3, 1, 2},
                                 {1, 0, 3, 2}, {2, 3, 0, 1}, {0, 2, 3, 1}, {1, 2, 3, 0}};
    tg_shape shape = TG_SHAPE(2, 3, 5, 4), turned;
    for (size_t d = 0; d < sizeof dtypes / sizeof *dtypes; d++) {
        workbench b = workbench_open(TG_F32);
        tg_tensor x = workbench_count_up(&b, dtypes[d], shape);
        for (size_t k = 0; k < sizeof orders / sizeof *orders; k++) {
            tg_tensor y = tg_transpose(x, tg_axes_make(4, orders[k]));
            double *got = workbench_eval(y);
            turned = tg_tensor_shape(y);
            for (int64_t i = 0; i < 120; i++) {
                int64_t to[TG_MAX_RANK], from[TG_MAX_RANK], at = 0;
                unravel(turned, i, to);
                for (int axis = 0; axis < 4; axis++)
                    from[orders[k][axis]] = to[axis];
                for (int axis = 0; axis < 4; axis++)
                    at = at * shape.dims[axis] + from[axis];
                ck_assert_double_eq(got[i], (double)at);
            }
            free(got);
        }
        workbench_close(&b);
    }
}
END_TEST

START_TEST(layout_agrees_with_numpy)
{
    workbench b = workbench_open(TG_F32);
    tg_tensor a = workbench_count_up(&b, TG_I32, TG_SHAPE(2, 3)), c = workbench_count_up(&b, TG_I32, TG_SHAPE(7));
    /* a = arange(6).reshape(2, 3): a.T, a[:, ::-1], a[::-1, ::-1], a.reshape(3, -1), a.transpose(-1, 0) */
    workbench_expect(tg_transpose(a, TG_ALL_AXES), 0, 0, 3, 1, 4, 2, 5);
    workbench_expect(tg_flip(a, TG_AXES(1)), 0, 2, 1, 0, 5, 4, 3);
    workbench_expect(tg_flip(a, TG_ALL_AXES), 0, 5, 4, 3, 2, 1, 0);
    workbench_expect_shape(tg_reshape(a, TG_SHAPE(3, -1)), TG_SHAPE(3, 2));
    workbench_expect_shape(tg_transpose(a, TG_AXES(-1, 0)), TG_SHAPE(3, 2));
    /* c = arange(7): c[2:5], c[-3:], c[:-5], c[5:2], c[::3], c[1:100:2], c[-100:1] */
    workbench_expect(tg_slice(c, 0, 2, 5, 1), 0, 2, 3, 4);
    workbench_expect(tg_slice(c, -1, -3, INT64_MAX, 1), 0, 4, 5, 6);
    workbench_expect(tg_slice(c, 0, 0, -5, 1), 0, 0, 1);
    workbench_expect_shape(tg_slice(c, 0, 5, 2, 1), TG_SHAPE(0));
    workbench_expect(tg_slice(c, 0, 0, 7, 3), 0, 0, 3, 6);
    workbench_expect(tg_slice(c, 0, 1, 100, 2), 0, 1, 3, 5);
    workbench_expect(tg_slice(c, 0, -100, 1, 1), 0, 0);
    workbench_expect(tg_slice(c, 0, 6, 7, INT64_MAX), 0, 6);
    /* a[:, 1:], pad(a, ((0, 0), (1, 2)), constant_values=9), concatenate([a, a[:, :1]], 1), broadcast_to(a[:1], (2, 2, 3)) */
    workbench_expect(tg_slice(a, 1, 1, 3, 1), 0, 1, 2, 4, 5);
    workbench_expect(tg_pad(a, 1, 1, 2, 9), 0, 9, 0, 1, 2, 9, 9, 9, 3, 4, 5, 9, 9);
    workbench_expect(tg_pad(a, 0, 1, 0, 0), 0, 0, 0, 0, 0, 1, 2, 3, 4, 5);
    const tg_tensor parts[] = {a, tg_slice(a, 1, 0, 1, 1), a};
    workbench_expect(tg_concat(parts, 3, -1), 0, 0, 1, 2, 0, 0, 1, 2, 3, 4, 5, 3, 3, 4, 5);
    workbench_expect(tg_broadcast_to(tg_slice(a, 0, 0, 1, 1), TG_SHAPE(2, 2, 3)), 0, 0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2);
    workbench_expect(tg_broadcast_to(tg_slice(a, 1, 1, 2, 1), TG_SHAPE(2, 3)), 0, 1, 1, 1, 4, 4, 4);
    workbench_expect(tg_full(a, TG_SHAPE(2, 2), 7), 0, 7, 7, 7, 7);
    workbench_expect_shape(tg_full(a, TG_SHAPE(3, 0), 1), TG_SHAPE(3, 0));
    workbench_close(&b);
}
END_TEST

START_TEST(what_changes_nothing_records_nothing)
{
    workbench b = workbench_open(TG_F32);
    tg_tensor x = workbench_count_up(&b, TG_F32, TG_SHAPE(2, 3));
    ck_assert_int_eq(tg_reshape(x, TG_SHAPE(2, 3)).id, x.id);
    ck_assert_int_eq(tg_reshape(x, TG_SHAPE(-1, 3)).id, x.id);
    ck_assert_int_eq(tg_broadcast_to(x, TG_SHAPE(2, 3)).id, x.id);
    ck_assert_int_eq(tg_transpose(x, TG_AXES(0, 1)).id, x.id);
    ck_assert_int_eq(tg_flip(x, (tg_axes){0}).id, x.id);
    ck_assert_int_eq(tg_graph_count(b.graph), x.id + 1);
    workbench_close(&b);
}
END_TEST

START_TEST(gradients_go_back_where_elements_came_from)
{
    workbench b = workbench_open(TG_F32);
    tg_tensor x = tg_variable(b.graph, "x", TG_F32, TG_SHAPE(7), (tg_init){TG_INIT_CONSTANT, 1, 0});
    tg_tensor weights = workbench_count_up(&b, TG_F32, TG_SHAPE(3));
    workbench_expect(tg_gradient(tg_sum(tg_mul(weights, tg_slice(x, 0, 1, 7, 2)), TG_ALL_AXES), x), 0, 0, 0, 0, 1, 0, 2, 0);
    const tg_tensor twice[] = {x, x};
    tg_tensor joined = tg_mul(tg_concat(twice, 2, 0), workbench_count_up(&b, TG_F32, TG_SHAPE(14)));
    workbench_expect(tg_gradient(tg_sum(joined, TG_ALL_AXES), x), 0, 7, 9, 11, 13, 15, 17, 19);
    tg_tensor wide = tg_mul(tg_broadcast_to(x, TG_SHAPE(2, 7)), workbench_count_up(&b, TG_F32, TG_SHAPE(2, 7)));
    workbench_expect(tg_gradient(tg_sum(wide, TG_ALL_AXES), x), 0, 7, 9, 11, 13, 15, 17, 19);
    tg_tensor padded = tg_mul(tg_pad(x, 0, 2, 1, 5), workbench_count_up(&b, TG_F32, TG_SHAPE(10)));
    workbench_expect(tg_gradient(tg_sum(padded, TG_ALL_AXES), x), 0, 2, 3, 4, 5, 6, 7, 8);
    workbench_expect(tg_gradient(tg_sum(tg_slice(x, 0, 3, 3, 1), TG_ALL_AXES), x), 0, 0, 0, 0, 0, 0, 0, 0);
    workbench_close(&b);
}
END_TEST

START_TEST(mistakes_are_named)
{
    workbench b = workbench_open(TG_F32);
#define X(...) workbench_count_up(&b, TG_F32, TG_SHAPE(__VA_ARGS__))
    workbench_expect_error(&b, tg_reshape(X(3, 4), TG_SHAPE(5, 2)), "reshape of [3, 4] f32: [5, 2] has 10 elements, not 12");
    workbench_expect_error(&b, tg_reshape(X(3, 4), TG_SHAPE(5, -1)), "[5, -1] is no shape that it can have");
    workbench_expect_error(&b, tg_reshape(X(3, 4), TG_SHAPE(-1, -1)), "[-1, -1] is no shape");
    workbench_expect_error(&b, tg_reshape(X(0, 4), TG_SHAPE(0, -1)), "is no shape");
    workbench_expect_error(&b, tg_broadcast_to(X(3, 4), TG_SHAPE(3, 5)),
                           "broadcast_to of [3, 4] f32: it does not broadcast to [3, 5]");
    workbench_expect_error(&b, tg_broadcast_to(X(3, 4), TG_SHAPE(4)), "it does not broadcast to [4]");
    workbench_expect_error(&b, tg_transpose(X(3, 4), TG_AXES(0, 0)), "the axes are no permutation of 0 to 1");
    workbench_expect_error(&b, tg_transpose(X(3, 4), TG_AXES(0)), "a permutation of its 2 axes is needed, not of 1");
    workbench_expect_error(&b, tg_transpose(X(3, 4), TG_AXES(0, 2)), "the axes are no permutation");
    workbench_expect_error(&b, tg_flip(X(3, 4), TG_AXES(2)), "flip of [3, 4] f32: an axis is out of range");
    workbench_expect_error(&b, tg_slice(X(3, 4), 2, 0, 1, 1), "slice of [3, 4] f32: the axis is out of range");
    workbench_expect_error(&b, tg_slice(X(3, 4), 1, 0, 4, -1), "the step is -1, but must be positive (see flip)");
    workbench_expect_error(&b, tg_slice(X(3, 4), 1, 0, 1, 0), "the step is 0");
    workbench_expect_error(&b, tg_pad(X(3, 4), 1, -1, 0, 0), "it cannot add fewer than 0 elements (see slice)");
    workbench_expect_error(&b, tg_pad(X(3, 4), 0, INT64_MAX, INT64_MAX, 0), "more elements than a tensor can have");
    workbench_expect_error(&b, tg_pad(workbench_count_up(&b, TG_U8, TG_SHAPE(2)), 0, 1, 0, 256), "u8 has no value 256");
    workbench_expect_error(&b, tg_pad(workbench_count_up(&b, TG_I32, TG_SHAPE(2)), 0, 1, 0, 0.5), "i32 has no value 0.5");
    tg_tensor different[] = {X(3, 4), X(3, 5)};
    workbench_expect_error(&b, tg_concat(different, 2, 0), "part 1 has extent 5 in axis 1, part 0 has 4");
    tg_tensor ranks[] = {X(3, 4), X(4)};
    workbench_expect_error(&b, tg_concat(ranks, 2, 0), "part 1 differs from part 0 in dtype or rank");
    tg_tensor alone[] = {X(3, 4)};
    workbench_expect_error(&b, tg_concat(alone, 1, 2), "concat of [3, 4] f32: the axis is out of range");
    ck_assert(!tg_ok(tg_concat(alone, 0, 0)));
#undef X
    workbench_close(&b);
}
END_TEST

/* ---- rewrites ---- */

/* What remains of `after` has no node of the op, and the values that it has unsimplified. */
static void expect_gone(tg_tensor x, const char *op)
{
    tg_compile_options plain = tg_compile_defaults(tg_graph_context(x.graph));
    plain.simplify = false;
    size_t bytes = (size_t)tg_type_bytes(tg_tensor_type(x));
    void *values = malloc(bytes + 1), *simple = workbench_bytes(x);
    tg_plan *plan = tg_compile_roots(x.graph, &x, 1, plain);
    ck_assert_msg(plan, "%s", tg_graph_error(x.graph));
    ck_assert_int_eq(tg_run(plan), TG_OK);
    ck_assert_int_eq(tg_read(plan, x, values, bytes), TG_OK);
    ck_assert_mem_eq(values, simple, bytes);
    ck_assert_msg(workbench_nodes(x, op, false) == 0, "a %s remains", op);
    tg_plan_free(plan);
    free(values);
    free(simple);
}

/* Something that a rewrite cannot look through, of the shape. */
static tg_tensor opaque(workbench *b, tg_shape shape, const char *name)
{
    return tg_random_normal(b->graph, name, TG_F32, shape, 0, 1);
}

START_TEST(rewrites_undo_what_need_not_be_done)
{
    workbench b = workbench_open(TG_F32);
    tg_tensor x = opaque(&b, TG_SHAPE(4, 1, 6), "x"), y = opaque(&b, TG_SHAPE(4, 1, 6), "y"), z = opaque(&b, TG_SHAPE(6, 4), "z");
    expect_gone(tg_reshape(tg_reshape(x, TG_SHAPE(24)), TG_SHAPE(4, 1, 6)), "reshape");
    ck_assert_int_eq(workbench_nodes(tg_reshape(tg_reshape(x, TG_SHAPE(24)), TG_SHAPE(6, 4)), "reshape", false), 1);
    expect_gone(tg_transpose(x, TG_AXES(1, 0, 2)), "transpose");
    expect_gone(tg_transpose(tg_transpose(z, TG_ALL_AXES), TG_ALL_AXES), "transpose");
    tg_tensor thrice = tg_transpose(tg_transpose(tg_reshape(x, TG_SHAPE(2, 3, 4)), TG_AXES(1, 2, 0)), TG_AXES(1, 2, 0));
    ck_assert_int_eq(workbench_nodes(thrice, "transpose", false), 1);
    expect_gone(tg_transpose(thrice, TG_AXES(1, 2, 0)), "transpose");
    expect_gone(tg_flip(tg_flip(x, TG_AXES(0, 2)), TG_AXES(2, 0)), "flip");
    expect_gone(tg_flip(x, TG_AXES(1)), "flip");
    ck_assert_int_eq(workbench_nodes(tg_flip(tg_flip(x, TG_AXES(0)), TG_AXES(2)), "flip", false), 1);
    expect_gone(tg_slice(x, 2, 0, 6, 1), "slice");
    ck_assert_int_eq(workbench_nodes(tg_slice(tg_slice(x, 2, 1, 6, 2), 2, 1, 3, 1), "slice", false), 1);
    ck_assert_int_eq(workbench_nodes(tg_slice(tg_slice(x, 2, 1, 6, 2), 2, 3, 3, 1), "slice", false), 1);
    expect_gone(tg_slice(tg_pad(x, 0, 2, 3, 1), 0, 2, 6, 1), "slice");
    expect_gone(tg_slice(tg_pad(x, 0, 2, 3, 1), 0, 2, 6, 1), "pad");
    ck_assert_int_eq(workbench_nodes(tg_slice(tg_pad(x, 0, 2, 3, 1), 0, 1, 6, 1), "pad", false), 1);
    const tg_tensor parts[] = {x, y};
    expect_gone(tg_slice(tg_concat(parts, 2, 2), 2, 6, 12, 1), "slice");
    expect_gone(tg_slice(tg_concat(parts, 2, 2), 2, 7, 12, 2), "concat");
    ck_assert_int_eq(workbench_nodes(tg_slice(tg_concat(parts, 2, 2), 2, 5, 8, 1), "concat", false), 1);
    expect_gone(tg_concat(parts, 1, 0), "concat");
    expect_gone(tg_pad(x, 0, 0, 0, 1), "pad");
    ck_assert_int_eq(workbench_nodes(tg_pad(tg_pad(x, 0, 1, 2, 0), 0, 3, 4, 0), "pad", false), 1);
    ck_assert_int_eq(workbench_nodes(tg_pad(tg_pad(x, 0, 1, 2, 0), 0, 3, 4, 1), "pad", false), 2);
    tg_tensor wide = tg_broadcast_to(tg_broadcast_to(tg_slice(z, 0, 0, 1, 1), TG_SHAPE(3, 4)), TG_SHAPE(2, 3, 4));
    ck_assert_int_eq(workbench_nodes(wide, "broadcast_to", false), 1);
    expect_gone(tg_broadcast_to(tg_reshape(tg_sum(z, TG_AXES(0)), TG_SHAPE(1, 4)), TG_SHAPE(3, 4)), "reshape");
    expect_gone(tg_reshape(tg_broadcast_to(tg_sum(z, TG_ALL_AXES), TG_SHAPE(3, 4)), TG_SHAPE(12)), "reshape");
    workbench_close(&b);
}
END_TEST

/* The elements that the op's node computes in what remains of x. */
static int64_t elements_of(tg_tensor x, const char *op)
{
    tg_plan *plan = tg_compile(x.graph, x);
    ck_assert_msg(plan, "%s", tg_graph_error(x.graph));
    const tg_graph *graph = tg_plan_graph(plan);
    int64_t elements = 0;
    for (int32_t id = 0; id < tg_graph_count(graph); id++)
        if (strcmp(tg_graph_node(graph, id)->op->name, op) == 0)
            elements += tg_shape_count(tg_graph_node(graph, id)->type.shape);
    tg_plan_free(plan);
    return elements;
}

START_TEST(slices_move_through_pointwise_ops)
{
    workbench b = workbench_open(TG_F32);
    tg_tensor x = opaque(&b, TG_SHAPE(5, 6), "x"), row = opaque(&b, TG_SHAPE(6), "row"),
              column = opaque(&b, TG_SHAPE(5, 1), "column");
    tg_tensor y = tg_exp(tg_mul(tg_add(x, row), tg_sub(column, tg_scalar(x, 0.5)))), rows = tg_slice(y, 0, 1, 5, 2),
              columns = tg_slice(y, 1, 4, 6, 1);
    ck_assert_int_eq(elements_of(rows, "exp"), 12);
    ck_assert_int_eq(elements_of(columns, "exp"), 10);
    ck_assert_int_eq(elements_of(columns, "add"), 10);
    expect_gone(rows, "none");
    expect_gone(columns, "none");
    tg_tensor wide = tg_slice(tg_broadcast_to(row, TG_SHAPE(5, 6)), 0, 1, 3, 1),
              narrow = tg_slice(tg_broadcast_to(row, TG_SHAPE(5, 6)), 1, 1, 3, 1);
    ck_assert_int_eq(elements_of(wide, "broadcast_to"), 12);
    ck_assert_int_eq(elements_of(narrow, "broadcast_to"), 10);
    expect_gone(wide, "slice");
    expect_gone(narrow, "none");
    workbench_close(&b);
}
END_TEST

/* A reshape from [1, 1] to rank 0 drops axes, which a broadcast cannot. */
START_TEST(one_element_of_any_rank_is_broadcast)
{
    static const double two[] = {2}, four[] = {1, 2, 3, 4};
    workbench b = workbench_open(TG_F64);
    tg_tensor x = workbench_values(&b, TG_F64, TG_SHAPE(1, 1), two);
    workbench_expect(tg_relu(tg_reshape(tg_broadcast_to(x, TG_SHAPE(3, 1)), TG_SHAPE(3))), 0, 2, 2, 2);
    workbench_expect(tg_broadcast_to(tg_reshape(x, TG_SCALAR), TG_SHAPE(2)), 0, 2, 2);
    workbench_expect(tg_broadcast_to(tg_reshape(x, TG_SHAPE(1)), TG_SHAPE(2)), 0, 2, 2);
    workbench_expect(tg_broadcast_to(tg_reshape(x, TG_SHAPE(1, 1, 1)), TG_SHAPE(1, 2, 1)), 0, 2, 2);
    tg_tensor rows = workbench_values(&b, TG_F64, TG_SHAPE(4), four), table = tg_reshape(rows, TG_SHAPE(1, 4));
    tg_tensor square = tg_square(tg_mean_keep(table, TG_ALL_AXES));
    workbench_expect(tg_gradient(tg_sum(square, TG_ALL_AXES), rows), 1e-15, 1.25, 1.25, 1.25, 1.25);
    tg_tensor pooled = tg_square(tg_global_avg_pool2d(tg_reshape(rows, TG_SHAPE(1, 2, 2, 1))));
    workbench_expect(tg_gradient(tg_sum(pooled, TG_ALL_AXES), rows), 1e-15, 1.25, 1.25, 1.25, 1.25);
    workbench_close(&b);
}
END_TEST

/* Each step has two operands that lead to the step before: rules that go on to both must not come there twice as often. */
START_TEST(rules_go_through_long_chains_once)
{
    enum { STEPS = 60 };
    workbench b = workbench_open(TG_F32);
    tg_tensor x = workbench_random(&b, TG_F32, TG_SHAPE(1, 4, 4, 3), -1, 1, 1), y = x;
    tg_tensor indices = workbench_random(&b, TG_I32, TG_SHAPE(2), 0, 1, 2);
    for (int i = 0; i < STEPS; i++)
        y = tg_add(tg_tanh(y), tg_sin(y));
    tg_tensor positions = tg_max_pool2d_argmax(x, (tg_pool2d_options){.window = {2, 2}});
    tg_tensor ends[] = {tg_slice(y, 1, 0, 2, 1), tg_gather(y, indices),
                        tg_pool_gather2d(y, positions, (tg_pool2d_options){.window = {2, 2}})};
    tg_plan *plan = tg_compile_roots(b.graph, ends, 3, tg_compile_defaults(b.context));
    ck_assert_ptr_nonnull(plan);
    ck_assert_int_le(tg_graph_count(tg_plan_graph(plan)), 20 * STEPS);
    tg_plan_free(plan);
    workbench_close(&b);
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("layout");
    tcase_add_test(tests, copies_walk_as_their_strides_say);
    tcase_add_test(tests, large_copies_are_cut_into_tasks);
    tcase_add_test(tests, transposing_moves_axes_of_every_dtype);
    tcase_add_test(tests, layout_agrees_with_numpy);
    tcase_add_test(tests, what_changes_nothing_records_nothing);
    tcase_add_test(tests, gradients_go_back_where_elements_came_from);
    tcase_add_test(tests, mistakes_are_named);
    tcase_add_test(tests, rewrites_undo_what_need_not_be_done);
    tcase_add_test(tests, slices_move_through_pointwise_ops);
    tcase_add_test(tests, rules_go_through_long_chains_once);
    tcase_add_test(tests, one_element_of_any_rank_is_broadcast);
    return harness_run("layout", tests);
}
