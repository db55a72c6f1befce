#include "any_graph.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph/philox.h"
#include "harness.h"

uint32_t any_below(any_graph *g, uint32_t n)
{
    uint32_t bits[4];
    tg_philox(g->seed, 0, g->drawn++, bits);
    return bits[0] % n;
}

/* ---- shapes ---- */

int64_t any_extent(any_graph *g)
{
    static const int64_t extents[] = {1, 1, 2, 3, 3, 4, 5, 7, 9, 17};
    return any_below(g, 24) == 0 ? 0 : extents[any_below(g, sizeof extents / sizeof *extents)];
}

tg_shape any_shape(any_graph *g)
{
    tg_shape shape = {.rank = (int32_t)any_below(g, 6)};
    int64_t count = 1;
    for (int32_t axis = 0; axis < shape.rank; axis++) {
        int64_t extent = any_extent(g);
        shape.dims[axis] = count * extent > ANY_MAX_ELEMENTS ? 1 : extent;
        count *= shape.dims[axis];
    }
    return shape;
}

/* ---- tensors ---- */

static tg_tensor pick(any_graph *g, const any_pool *pool)
{
    return pool->at[any_below(g, 2) ? pool->n - 1 - (int)any_below(g, pool->n < 3 ? (uint32_t)pool->n : 3)
                                    : (int)any_below(g, (uint32_t)pool->n)];
}

tg_tensor any_float(any_graph *g) { return pick(g, &g->floats); }

tg_tensor any_shaped(any_graph *g, tg_shape shape)
{
    tg_tensor x = any_float(g);
    tg_shape from = tg_tensor_shape(x), common;
    int64_t have = tg_shape_count(from), want = tg_shape_count(shape);
    if (tg_shape_broadcast(from, shape, &common) && tg_shape_equal(common, shape) && any_below(g, 2))
        return tg_broadcast_to(x, shape);
    tg_tensor flat = tg_reshape(x, TG_SHAPE(have));
    if (have == 0)
        return tg_full(x, shape, any_below(g, 3));
    if (have > want)
        flat = tg_slice(flat, 0, 0, want, 1);
    for (; have < want && have > 0; have *= 2) {
        tg_tensor twice[2] = {flat, any_below(g, 2) ? flat : tg_flip(flat, TG_ALL_AXES)};
        flat = tg_concat(twice, 2, 0);
    }
    return tg_reshape(have > want ? tg_slice(flat, 0, 0, want, 1) : flat, shape);
}

tg_tensor any_indices(any_graph *g, tg_dtype dtype, tg_shape shape, uint32_t n)
{
    int32_t words[ANY_MAX_ELEMENTS * 8];
    uint8_t bytes[ANY_MAX_ELEMENTS * 8];
    int64_t count = tg_shape_count(shape);
    ck_assert_int_le(count, ANY_MAX_ELEMENTS * 8);
    for (int64_t i = 0; i < count; i++)
        bytes[i] = (uint8_t)(words[i] = (int32_t)any_below(g, n));
    size_t size = (size_t)count * tg_dtype_size(dtype);
    return tg_constant(g->graph, dtype, shape, dtype == TG_U8 ? (const void *)bytes : words, size);
}

static void add(any_graph *g, any_pool *pool, tg_tensor made)
{
    pool->at[pool->n < ANY_POOL ? pool->n++ : ANY_LEAVES + (int)any_below(g, ANY_POOL - ANY_LEAVES)] = made;
}

void any_keep(any_graph *g, tg_tensor made)
{
    ck_assert_msg(tg_ok(made), "graph %llu: %s", (unsigned long long)g->seed, tg_graph_error(g->graph));
    tg_dtype dtype = tg_tensor_dtype(made);
    if (tg_shape_count(tg_tensor_shape(made)) > 8 * ANY_MAX_ELEMENTS)
        return;
    add(g, dtype == TG_I32 ? &g->whole : dtype == TG_U8 ? &g->bytes : &g->floats, made);
}

/* ---- leaves ---- */

static double fraction(any_graph *g) { return any_below(g, 1 << 20) * 0x1p-20; }

/* Exact in f32, often equal to another or to zero of either sign. */
static double draw(any_graph *g)
{
    static const double special[] = {0, -0.0, 1e-9, -1e-9, 1, -1, 0.5, 1e-30};
    double whole = (double)any_below(g, 5) - 2;
    if (g->kind == ANY_WHOLE)
        return whole;
    if (any_below(g, 3) == 0)
        return special[any_below(g, sizeof special / sizeof *special)];
    return (float)(whole + (any_below(g, 2) ? 0 : fraction(g)));
}

static void add_leaf(any_graph *g, int i)
{
    tg_dtype dtype = tg_variables_float(tg_graph_variables(g->graph));
    tg_shape shape = i == 0 ? TG_SHAPE(2, 5, 4, 3) : any_shape(g);
    int64_t count = tg_shape_count(shape);
    void *values = g->data[i] = calloc((size_t)count + 1, sizeof(double));
    for (int64_t k = 0; k < count; k++) {
        double value = g->kind == ANY_SMOOTH ? 4 * fraction(g) - 2 : draw(g);
        if (dtype == TG_F32)
            ((float *)values)[k] = (float)value;
        else
            ((double *)values)[k] = value;
    }
    char name[16];
    snprintf(name, sizeof name, "x%d", i);
    g->leaves[i] = i == ANY_LEAVES - 1 ? tg_variable(g->graph, "w", TG_FLOAT, shape, (tg_init){.kind = TG_INIT_CONSTANT})
                                       : tg_input(g->graph, name, TG_FLOAT, shape);
    if (i < ANY_LEAVES - 1)
        ck_assert_int_eq(tg_bind(g->leaves[i], values, (size_t)count * tg_dtype_size(dtype)), TG_OK);
    any_keep(g, g->leaves[i]);
}

void any_graph_reset(const any_graph *g, tg_variables *variables)
{
    tg_tensor w = g->leaves[ANY_LEAVES - 1];
    size_t bytes = (size_t)tg_type_bytes(tg_tensor_type(w));
    tg_variables_set_step(variables, g->seed % 100);
    ck_assert_int_eq(tg_variables_write(variables, "w", g->data[ANY_LEAVES - 1], bytes), TG_OK);
}

/* ---- graphs ---- */

static tg_tensor step(any_graph *g)
{
    switch (any_below(g, 12)) {
    case 0:
    case 1: return any_layout(g);
    case 2: return any_reduction(g);
    case 3: return any_index(g);
    case 4: return any_product(g);
    case 5:
    case 6: return any_window(g);
    default: return any_pointwise(g);
    }
}

/* The gradients in every leaf become roots. */
static void add_gradients(any_graph *g, tg_tensor loss)
{
    tg_tensor gradients[ANY_LEAVES];
    bool ok = tg_gradients_with(loss, g->leaves, ANY_LEAVES, gradients, (tg_gradient_options){.allow_zero = true});
    ck_assert_msg(ok, "graph %llu: %s", (unsigned long long)g->seed, tg_graph_error(g->graph));
    for (int i = 0; i < ANY_LEAVES; i++)
        g->roots[g->n_roots++] = gradients[i];
}

/* Of a weighted sum of two results, and of one of these gradients at times. */
static void differentiate(any_graph *g)
{
    tg_tensor loss = tg_full(g->leaves[0], TG_SCALAR, 0);
    for (int i = 0; i < 2; i++) {
        tg_tensor y = any_float(g);
        loss = tg_add(loss, tg_sum(tg_mul(y, tg_scalar(y, i + 1)), TG_ALL_AXES));
    }
    g->roots[g->n_roots++] = loss;
    add_gradients(g, loss);
    if (any_below(g, 4))
        return;
    tg_tensor first = g->roots[g->n_roots - 1 - (int)any_below(g, ANY_LEAVES)];
    add_gradients(g, tg_sum(tg_mul(first, tg_scalar(first, 0.5)), TG_ALL_AXES));
}

static void take_roots(any_graph *g, const any_pool *pool, int n)
{
    for (int i = pool->n < n ? 0 : pool->n - n; i < pool->n; i++)
        g->roots[g->n_roots++] = pool->at[i];
}

any_graph any_graph_make(tg_variables *variables, uint64_t seed)
{
    any_graph g = {.seed = seed, .kind = (any_kind)(seed % ANY_KINDS), .graph = tg_graph_new(variables, TG_TRAINING)};
    ck_assert_ptr_nonnull(g.graph);
    for (int i = 0; i < ANY_LEAVES; i++)
        add_leaf(&g, i);
    add(&g, &g.whole, any_indices(&g, TG_I32, TG_SHAPE(2, 3), 5));
    add(&g, &g.bytes, any_indices(&g, TG_U8, TG_SHAPE(3, 1, 2), 2));
    int steps = 2 + (int)any_below(&g, 9);
    for (int i = 0; i < steps; i++)
        any_keep(&g, step(&g));
    if (any_below(&g, 4))
        differentiate(&g);
    take_roots(&g, &g.floats, 3);
    take_roots(&g, &g.whole, 1);
    take_roots(&g, &g.bytes, 1);
    tg_tensor last = any_float(&g);
    if (any_below(&g, 4) == 0)
        tg_assign(tg_state(g.graph, "s", TG_FLOAT, tg_tensor_shape(last), (tg_init){.kind = TG_INIT_CONSTANT}), last);
    ck_assert_msg(!tg_graph_error(g.graph), "graph %llu: %s", (unsigned long long)seed, tg_graph_error(g.graph));
    return g;
}

void any_graph_free(any_graph *g)
{
    tg_graph_free(g->graph);
    for (int i = 0; i < ANY_LEAVES; i++)
        free(g->data[i]);
}
