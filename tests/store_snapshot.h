/* A store's values at one time, to be compared and put back; and what compiling may do. */
#ifndef TG_TESTS_STORE_SNAPSHOT_H
#define TG_TESTS_STORE_SNAPSHOT_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "exec/plan.h"
#include "harness.h"

/* All values of a store, one variable after the other. */
static inline size_t store_bytes(const tg_variables *store)
{
    size_t bytes = 0;
    for (int i = 0; i < tg_variables_count(store); i++)
        bytes += (size_t)tg_type_bytes(tg_variables_at(store, i)->type);
    return bytes;
}

static inline void *snapshot(const tg_variables *store)
{
    char *kept = malloc(store_bytes(store) + 1), *at = kept;
    for (int i = 0; i < tg_variables_count(store); i++) {
        const tg_variable_info *info = tg_variables_at(store, i);
        size_t bytes = (size_t)tg_type_bytes(info->type);
        ck_assert_int_eq(tg_variables_read(store, info->name, at, bytes), TG_OK);
        at += bytes;
    }
    return kept;
}

static inline void restore(tg_variables *store, const void *kept)
{
    const char *at = kept;
    for (int i = 0; i < tg_variables_count(store); i++) {
        const tg_variable_info *info = tg_variables_at(store, i);
        size_t bytes = (size_t)tg_type_bytes(info->type);
        ck_assert_int_eq(tg_variables_write(store, info->name, at, bytes), TG_OK);
        at += bytes;
    }
    tg_variables_set_step(store, 0);
}

static inline bool all_finite(tg_type type, const void *values)
{
    for (int64_t i = 0; i < tg_shape_count(type.shape); i++)
        if ((type.dtype == TG_F32 && !isfinite(((const float *)values)[i])) ||
            (type.dtype == TG_F64 && !isfinite(((const double *)values)[i])))
            return false;
    return true;
}

static inline bool store_is_finite(const tg_variables *store)
{
    char *kept = snapshot(store), *at = kept;
    bool finite = true;
    for (int i = 0; i < tg_variables_count(store); i++) {
        tg_type type = tg_variables_at(store, i)->type;
        finite = finite && all_finite(type, at);
        at += tg_type_bytes(type);
    }
    free(kept);
    return finite;
}

static inline void check_unchanged(const tg_variables *store, const void *kept, const char *what)
{
    void *now = snapshot(store);
    ck_assert_msg(memcmp(now, kept, store_bytes(store)) == 0, "%s: a variable changed", what);
    ck_assert_msg(tg_variables_step(store) == 0, "%s: the step advanced", what);
    free(now);
}

/* All passes, none, and each alone. */
static const tg_compile_options options[] = {
    {.simplify = true, .rounds = true, .fuse = true, .plan_memory = true, .check_finite = true},
    {.check_finite = true},
    {.simplify = true, .check_finite = true},
    {.simplify = true, .rounds = true, .check_finite = true},
    {.fuse = true, .check_finite = true},
    {.plan_memory = true, .check_finite = true},
};

#endif
