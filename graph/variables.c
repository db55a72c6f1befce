#include "graph/variables.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "graph/name_map.h"
#include "graph/philox.h"
#include "graph/rebuild.h"

typedef struct variable {
    tg_variable_info info;
    void *data;
    atomic_bool nonfinite;        /* may take NaNs and infinities */
    bool follows;                 /* declared as TG_FLOAT */
    atomic_uint_fast64_t changed; /* the generation in which it was written last */
    tg_interval bounds;           /* of its value in generation `bounded`; of none (0): unknown */
    uint64_t bounded;
} variable;

struct tg_variables {
    tg_context *context;
    uint64_t seed;
    tg_dtype working_float;
    variable **items;
    int32_t count, capacity;
    tg_name_map names;
    pthread_rwlock_t values;                        /* held while a run reads or writes them */
    pthread_mutex_t list;                           /* of items and names */
    atomic_uint_fast64_t step, generation, touched; /* the last generation in which any value may have changed */
};

/* Without preference a writer would wait for as long as readers overlap. */
static bool init_lock(pthread_rwlock_t *lock)
{
#ifdef __GLIBC__
    pthread_rwlockattr_t attributes;
    if (pthread_rwlockattr_init(&attributes) != 0)
        return false;
    pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    bool done = pthread_rwlock_init(lock, &attributes) == 0;
    pthread_rwlockattr_destroy(&attributes);
    return done;
#else
    return pthread_rwlock_init(lock, NULL) == 0;
#endif
}

tg_variables *tg_variables_new(tg_context *context, uint64_t seed)
{
    tg_variables *variables = context ? tg_allocate_zero(context, sizeof *variables) : NULL;
    if (!variables)
        return NULL;
    variables->context = context;
    variables->seed = seed;
    variables->working_float = TG_F32;
    if (!init_lock(&variables->values)) {
        tg_release(context, variables, sizeof *variables);
        return NULL;
    }
    if (pthread_mutex_init(&variables->list, NULL) != 0) {
        pthread_rwlock_destroy(&variables->values);
        tg_release(context, variables, sizeof *variables);
        return NULL;
    }
    return variables;
}

static void free_item(tg_context *context, variable *item)
{
    tg_release(context, item->data, (size_t)tg_type_bytes(item->info.type));
    tg_release(context, (char *)item->info.name, item->info.name ? strlen(item->info.name) + 1 : 0);
    tg_release(context, item, sizeof *item);
}

void tg_variables_free(tg_variables *variables)
{
    if (!variables)
        return;
    tg_context *context = variables->context;
    for (int32_t i = 0; i < variables->count; i++)
        free_item(context, variables->items[i]);
    tg_release(context, variables->items, (size_t)variables->capacity * sizeof *variables->items);
    tg_name_map_free(&variables->names, context);
    pthread_mutex_destroy(&variables->list);
    pthread_rwlock_destroy(&variables->values);
    tg_release(context, variables, sizeof *variables);
}

tg_context *tg_variables_context(const tg_variables *variables) { return variables->context; }

uint64_t tg_variables_seed(const tg_variables *variables) { return variables->seed; }

tg_dtype tg_variables_float(const tg_variables *variables) { return variables->working_float; }

int tg_variables_count(const tg_variables *variables)
{
    tg_variables *writable = (tg_variables *)variables; /* for its mutex */
    pthread_mutex_lock(&writable->list);
    int count = variables->count;
    pthread_mutex_unlock(&writable->list);
    return count;
}

static variable *item_at(const tg_variables *variables, int i)
{
    tg_variables *writable = (tg_variables *)variables;
    pthread_mutex_lock(&writable->list);
    variable *item = i >= 0 && i < variables->count ? variables->items[i] : NULL;
    pthread_mutex_unlock(&writable->list);
    return item;
}

const tg_variable_info *tg_variables_at(const tg_variables *variables, int i)
{
    const variable *item = item_at(variables, i);
    return item ? &item->info : NULL;
}

const tg_variable_info *tg_variables_find(const tg_variables *variables, const char *name)
{
    tg_variables *writable = (tg_variables *)variables; /* for its mutex */
    pthread_mutex_lock(&writable->list);
    int32_t at = tg_name_map_find(&variables->names, name);
    const tg_variable_info *info = at < 0 ? NULL : &variables->items[at]->info;
    pthread_mutex_unlock(&writable->list);
    return info;
}

/* A standard normal for element i; attempts draw anew. Box and Muller's cosine half. */
static double draw_normal(uint64_t key, int64_t i, uint64_t attempt)
{
    uint32_t bits[4];
    tg_philox(key, attempt, (uint64_t)i, bits);
    double radius = sqrt(-2 * log(1 - tg_philox_uniform(bits[0])));
    return radius * cos(6.283185307179586 * tg_philox_uniform(bits[1]));
}

static double draw(tg_init init, uint64_t key, int64_t i)
{
    uint32_t bits[4];
    double z;
    switch (init.kind) {
    case TG_INIT_UNIFORM: tg_philox(key, 0, (uint64_t)i, bits); return init.a + (init.b - init.a) * tg_philox_uniform(bits[0]);
    case TG_INIT_NORMAL: return init.a + init.b * draw_normal(key, i, 0);
    case TG_INIT_TRUNCATED_NORMAL:
        z = draw_normal(key, i, 0);
        for (uint64_t attempt = 1; fabs(z) > 2; attempt++)
            z = draw_normal(key, i, attempt);
        return init.a + init.b * z;
    case TG_INIT_CONSTANT:
    case TG_INIT_COUNT: break;
    }
    return init.a;
}

static void store(void *data, tg_dtype dtype, int64_t i, double value)
{
    switch (dtype) {
    case TG_F32: ((float *)data)[i] = (float)value; break;
    case TG_F64: ((double *)data)[i] = value; break;
    case TG_I32: ((int32_t *)data)[i] = value < INT32_MAX ? (int32_t)value : INT32_MAX; break; /* rounding may reach the end */
    default: ((uint8_t *)data)[i] = value < UINT8_MAX ? (uint8_t)value : UINT8_MAX; break;
    }
}

/* Normal numbers are made of 32 random bits, and lie within 7 deviations. */
bool tg_init_fits(tg_init init, tg_dtype dtype)
{
    double reach = init.kind == TG_INIT_TRUNCATED_NORMAL ? 2 : 7, low = init.a, high = init.a;
    if ((unsigned)init.kind >= TG_INIT_COUNT)
        return false;
    if (init.kind != TG_INIT_CONSTANT) {
        low = init.kind == TG_INIT_UNIFORM ? fmin(init.a, init.b) : init.a - reach * fabs(init.b);
        high = init.kind == TG_INIT_UNIFORM ? fmax(init.a, init.b) : init.a + reach * fabs(init.b);
        if (!isfinite(init.a) || !isfinite(init.b))
            return false;
    }
    if (dtype != TG_I32 && dtype != TG_U8)
        return true;
    double least = dtype == TG_I32 ? INT32_MIN : 0, greatest = dtype == TG_I32 ? INT32_MAX : UINT8_MAX;
    if (init.kind == TG_INIT_UNIFORM) /* whose end is not reached */
        greatest++;
    return low >= least && high <= greatest && (init.kind != TG_INIT_CONSTANT || init.a == floor(init.a));
}

static void initialise(const tg_variables *variables, variable *item, tg_init init)
{
    uint64_t key = tg_philox_key(variables->seed, item->info.name);
    int64_t count = tg_shape_count(item->info.type.shape);
    for (int64_t i = 0; i < count; i++) {
        double value = draw(init, key, i);
        /* Random values go through f32 in both working floats, so that both start from the same point. */
        store(item->data, item->info.type.dtype, i, init.kind == TG_INIT_CONSTANT ? value : (double)(float)value);
    }
}

static variable *new_item(tg_context *context, const char *name, tg_type type, bool trainable, bool follows)
{
    variable *item = tg_allocate_zero(context, sizeof *item);
    if (!item)
        return NULL;
    size_t length = strlen(name) + 1;
    char *copy = tg_allocate(context, length);
    item->follows = follows;
    item->info = (tg_variable_info){.name = copy, .type = type, .trainable = trainable};
    item->data = tg_allocate_zero(context, (size_t)tg_type_bytes(type));
    if (!copy || !item->data) {
        tg_release(context, item->data, (size_t)tg_type_bytes(type));
        tg_release(context, copy, length);
        tg_release(context, item, sizeof *item);
        return NULL;
    }
    memcpy(copy, name, length);
    return item;
}

static bool append(tg_variables *variables, variable *item)
{
    tg_context *context = variables->context;
    int32_t capacity = tg_capacity_for_one_more(context, variables->count, variables->capacity);
    if (capacity != variables->capacity) {
        variable **items = capacity ? tg_allocate(context, (size_t)capacity * sizeof *items) : NULL;
        if (!items)
            return false;
        if (variables->count)
            memcpy(items, variables->items, (size_t)variables->count * sizeof *items);
        tg_release(context, variables->items, (size_t)variables->capacity * sizeof *items);
        variables->items = items;
        variables->capacity = capacity;
    }
    if (!tg_name_map_add(&variables->names, context, item->info.name, variables->count))
        return false;
    variables->items[variables->count++] = item;
    return true;
}

static const tg_variable_info *declare(tg_variables *variables, const char *name, tg_type type, tg_init init, bool trainable)
{
    bool follows = type.dtype == TG_FLOAT;
    if (follows)
        type.dtype = variables->working_float;
    int32_t at = tg_name_map_find(&variables->names, name);
    if (at >= 0)
        return tg_type_equal(variables->items[at]->info.type, type) ? &variables->items[at]->info : NULL;
    variable *item = tg_init_fits(init, type.dtype) ? new_item(variables->context, name, type, trainable, follows) : NULL;
    if (!item)
        return NULL;
    item->nonfinite = init.kind == TG_INIT_CONSTANT && !isfinite(init.a) && tg_dtype_is_float(type.dtype);
    initialise(variables, item, init);
    if (!append(variables, item)) {
        free_item(variables->context, item);
        return NULL;
    }
    return &item->info;
}

const tg_variable_info *tg_variables_declare(tg_variables *variables, const char *name, tg_type type, tg_init init,
                                             bool trainable)
{
    if (!name || !tg_shape_valid(type.shape))
        return NULL;
    pthread_mutex_lock(&variables->list);
    const tg_variable_info *info = declare(variables, name, type, init, trainable);
    pthread_mutex_unlock(&variables->list);
    return info;
}

static void convert(variable *to, const variable *from)
{
    int64_t count = tg_shape_count(from->info.type.shape);
    if (to->info.type.dtype == from->info.type.dtype)
        memcpy(to->data, from->data, (size_t)tg_type_bytes(from->info.type));
    else
        for (int64_t i = 0; i < count; i++) {
            bool single = from->info.type.dtype == TG_F32;
            store(to->data, to->info.type.dtype, i, single ? ((float *)from->data)[i] : ((double *)from->data)[i]);
        }
}

tg_variables *tg_variables_cast(tg_variables *variables, tg_dtype working_float)
{
    if (!variables || !tg_dtype_is_float(working_float))
        return NULL;
    tg_variables *copy = tg_variables_new(variables->context, variables->seed);
    if (!copy)
        return NULL;
    copy->working_float = working_float;
    tg_variables_set_step(copy, tg_variables_step(variables));
    int count = tg_variables_count(variables); /* of those that are there by now */
    tg_variables_hold(variables);
    for (int i = 0; i < count; i++) {
        const variable *from = item_at(variables, i);
        tg_type type = from->info.type;
        type.dtype = from->follows ? working_float : type.dtype;
        variable *item = new_item(copy->context, from->info.name, type, from->info.trainable, from->follows);
        if (!item || !append(copy, item)) {
            tg_variables_release(variables);
            if (item)
                free_item(copy->context, item);
            tg_variables_free(copy);
            return NULL;
        }
        atomic_store(&item->nonfinite, atomic_load(&((variable *)from)->nonfinite));
        convert(item, from);
    }
    tg_variables_release(variables);
    return copy;
}

tg_status tg_variables_read(const tg_variables *variables, const char *name, void *values, size_t bytes)
{
    const tg_variable_info *info = tg_variables_find(variables, name);
    if (!info || bytes != (size_t)tg_type_bytes(info->type))
        return TG_ERROR_ARGUMENT;
    tg_variables_lock((tg_variables *)variables, false);
    memcpy(values, tg_variable_data(info), bytes);
    tg_variables_unlock((tg_variables *)variables, false);
    return TG_OK;
}

tg_status tg_variables_write(tg_variables *variables, const char *name, const void *values, size_t bytes)
{
    const tg_variable_info *info = tg_variables_find(variables, name);
    if (!info || bytes != (size_t)tg_type_bytes(info->type))
        return TG_ERROR_ARGUMENT;
    tg_variables_lock(variables, true);
    memcpy(tg_variable_data(info), values, bytes);
    tg_variables_note(variables, info);
    atomic_fetch_add(&variables->generation, 1);
    tg_variables_unlock(variables, false);
    return TG_OK;
}

uint64_t tg_variables_step(const tg_variables *variables) { return atomic_load(&((tg_variables *)variables)->step); }

void tg_variables_set_step(tg_variables *variables, uint64_t step) { atomic_store(&variables->step, step); }

uint64_t tg_variables_generation(const tg_variables *variables) { return atomic_load(&((tg_variables *)variables)->generation); }

void tg_variables_touch(tg_variables *variables)
{
    atomic_store(&variables->touched, atomic_fetch_add(&variables->generation, 1) + 1);
}

void tg_variables_note(tg_variables *variables, const tg_variable_info *info)
{
    variable *item = (variable *)info; /* its first member */
    atomic_store(&item->changed, atomic_load(&variables->generation) + 1);
}

uint64_t tg_variables_changed(const tg_variables *variables, const tg_variable_info *info)
{
    uint64_t own = atomic_load(&((variable *)info)->changed), all = atomic_load(&((tg_variables *)variables)->touched);
    return own > all ? own : all;
}

static tg_interval measure(const tg_variable_info *info)
{
    int64_t count = tg_shape_count(info->type.shape);
    const void *data = tg_variable_data(info);
    tg_interval all = {INFINITY, -INFINITY};
    bool none = false;
    for (int64_t i = 0; i < count; i++) {
        double value = info->type.dtype == TG_F32 ? (double)((const float *)data)[i] : ((const double *)data)[i];
        all.low = value < all.low ? value : all.low;
        all.high = value > all.high ? value : all.high;
        none = none || isnan(value);
    }
    return none ? (tg_interval){NAN, NAN} : count ? all : (tg_interval){0, 0};
}

tg_interval tg_variables_bounds(tg_variables *variables, const tg_variable_info *info, bool exact)
{
    variable *item = (variable *)info;
    uint64_t now = tg_variables_changed(variables, info) + 1; /* 0 is none */
    if (exact || item->bounded != now) {
        item->bounds = measure(info);
        item->bounded = now;
    }
    return item->bounds;
}

void tg_variables_set_bounds(tg_variables *variables, const tg_variable_info *info, tg_interval bounds)
{
    variable *item = (variable *)info;
    item->bounds = bounds;
    item->bounded = tg_variables_changed(variables, info) + 1;
}

bool tg_variables_allow_nonfinite(tg_variables *variables, const char *name, bool allowed)
{
    variable *item = (variable *)tg_variables_find(variables, name);
    if (item)
        atomic_store(&item->nonfinite, allowed);
    return item;
}

bool tg_variable_allows_nonfinite(const tg_variable_info *info) { return atomic_load(&((variable *)info)->nonfinite); }

bool tg_variables_allows_nonfinite(const tg_variables *variables, const char *name)
{
    const tg_variable_info *info = tg_variables_find(variables, name);
    return info && tg_variable_allows_nonfinite(info);
}

void *tg_variable_data(const tg_variable_info *info) { return ((const variable *)info)->data; }

void tg_variables_hold(const tg_variables *variables) { tg_variables_lock((tg_variables *)variables, false); }

const void *tg_variables_values(const tg_variables *variables, const tg_variable_info *info)
{
    (void)variables;
    return info ? tg_variable_data(info) : NULL;
}

void tg_variables_release(const tg_variables *variables) { tg_variables_unlock((tg_variables *)variables, false); }

void tg_variables_lock(tg_variables *variables, bool write)
{
    if (write)
        pthread_rwlock_wrlock(&variables->values);
    else
        pthread_rwlock_rdlock(&variables->values);
}

void tg_variables_unlock(tg_variables *variables, bool committed)
{
    if (committed) {
        atomic_fetch_add(&variables->step, 1);
        atomic_fetch_add(&variables->generation, 1);
    }
    pthread_rwlock_unlock(&variables->values);
}
