/* Random graphs of the small ops, for tests that compare what must be equal whatever the passes and threads do. */
#ifndef TG_TESTS_RANDOM_GRAPH_H
#define TG_TESTS_RANDOM_GRAPH_H

#include <stdio.h>

#include "graph/philox.h"
#include "small_ops.h"

#define RANDOM_ROWS 24
#define RANDOM_COLUMNS 40
#define RANDOM_VARIABLES 4

typedef struct random_graph {
    tg_graph *graph;
    tg_tensor x;        /* an input [RANDOM_ROWS, RANDOM_COLUMNS] */
    tg_tensor roots[3]; /* a sum, a matrix, a variable's new value */
    tg_tensor variables[RANDOM_VARIABLES];
    uint64_t seed, drawn;
} random_graph;

static inline uint32_t random_below(random_graph *self, uint32_t n)
{
    uint32_t bits[4];
    tg_philox(self->seed, 0, self->drawn++, bits);
    return bits[0] % n;
}

/* Any of [rows, columns], [1, columns], [rows, 1] and a scalar, from what there is. */
static inline tg_tensor random_smaller(random_graph *self, tg_tensor full)
{
    switch (random_below(self, 6)) {
    case 0: return small_take_rows(full, random_below(self, RANDOM_ROWS), 1);
    case 1: return SMALL_1(small_sum, full);
    case 2:
        return small_shaped(
            &small_reshape, self->graph,
            small_take_rows(small_shaped(&small_reshape, self->graph, full, TG_SHAPE(RANDOM_COLUMNS, RANDOM_ROWS)),
                            random_below(self, RANDOM_COLUMNS), 1),
            TG_SHAPE(RANDOM_ROWS, 1));
    case 3: return tg_scalar(full, 0.5 + random_below(self, 4) * 0.25);
    default: return full;
    }
}

/* One more [rows, columns] from two that there are. Values stay moderate: products are with fractions. */
static inline tg_tensor random_step(random_graph *self, tg_tensor a, tg_tensor b)
{
    tg_shape full = TG_SHAPE(RANDOM_ROWS, RANDOM_COLUMNS), square = TG_SHAPE(RANDOM_COLUMNS, RANDOM_COLUMNS);
    tg_tensor small = tg_scalar(a, 0.125), t = random_smaller(self, b);
    switch (random_below(self, 9)) {
    case 0: return SMALL_2(small_mul, small, SMALL_2(small_add, a, t));
    case 1: return SMALL_2(small_add, SMALL_1(small_neg, a), SMALL_2(small_mul, t, small));
    case 2: return SMALL_3(small_where, SMALL_2(small_less, a, t), a, b);
    case 3: return SMALL_1(small_reverse, a);
    case 4: {
        tg_tensor kernel =
            SMALL_2(small_mul, tg_scalar(a, 0.03),
                    small_shaped(&small_broadcast, self->graph, random_smaller(self, small_take_rows(b, 0, 1)), square));
        return tg_tensor_shape(kernel).rank == 2 ? SMALL_2(small_mul, SMALL_2(small_matmul, a, kernel), tg_scalar(a, 0.25)) : a;
    }
    case 5: return SMALL_3(small_fma, a, small, t);
    case 6: return small_shaped(&small_broadcast, self->graph, t, full);
    case 7: return SMALL_2(small_mul, SMALL_1(small_square, SMALL_2(small_mul, a, small)), small);
    default: return SMALL_2(small_add, SMALL_2(small_mul, a, small), small_shaped(&small_step, self->graph, tg_none(), full));
    }
}

/* Builds `steps` random steps on a store with (or getting) the variables v0, v1, ..., and assigns to all of them but the last. */
static inline random_graph random_graph_make(tg_variables *store, uint64_t seed, int steps)
{
    random_graph self = {.graph = tg_graph_new(store, TG_TRAINING), .seed = seed};
    tg_shape full = TG_SHAPE(RANDOM_ROWS, RANDOM_COLUMNS);
    tg_tensor pool[8 + RANDOM_VARIABLES];
    uint32_t n = 0;
    pool[n++] = self.x = tg_input(self.graph, "x", TG_F32, full);
    for (int i = 0; i < RANDOM_VARIABLES; i++) {
        char name[16];
        snprintf(name, sizeof name, "v%d", i);
        pool[n++] = self.variables[i] = tg_state(self.graph, name, TG_F32, full, (tg_init){TG_INIT_UNIFORM, -1, 1});
    }
    for (int i = 0; i < steps; i++) {
        tg_tensor a = pool[random_below(&self, n)], b = pool[random_below(&self, n)], made = random_step(&self, a, b);
        pool[n < 8 + RANDOM_VARIABLES ? n++ : random_below(&self, n)] = made;
    }
    for (int i = 0; i < RANDOM_VARIABLES - 1; i++)
        self.roots[2] = SMALL_2(small_assign, self.variables[i], pool[random_below(&self, n)]);
    self.roots[0] = SMALL_1(small_sum, pool[random_below(&self, n)]);
    self.roots[1] = pool[random_below(&self, n)];
    return self;
}

#endif
