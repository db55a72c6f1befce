#include "train/standardise.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "ops/ops.h"

enum { NAME_SIZE = 256 };
static const tg_init no_mean = {TG_INIT_CONSTANT, 0, 0}, unit_deviation = {TG_INIT_CONSTANT, 1, 0};

/* Of one column. False if it holds an infinity. Two passes, so that a mean far from 0 costs no digits of the deviation. */
static bool find_moments(const float *x, int64_t rows, int64_t columns, double *mean, double *deviation)
{
    double sum = 0, squares = 0;
    int64_t count = 0;
    for (int64_t i = 0; i < rows; i++) {
        float value = x[i * columns];
        if (isinf(value))
            return false;
        sum += isnan(value) ? 0 : (double)value;
        count += !isnan(value);
    }
    *mean = count ? sum / (double)count : 0;
    for (int64_t i = 0; i < rows; i++) {
        double away = (double)x[i * columns] - *mean;
        squares += isnan(away) ? 0 : away * away;
    }
    *deviation = count ? sqrt(squares / (double)count) : 0;
    if ((float)*deviation == 0) /* also if it is too small for f32 */
        *deviation = 1;
    return true;
}

/* "<name>/<what>"; false if it is too long. */
static bool join(char text[NAME_SIZE], const char *name, const char *what)
{
    return snprintf(text, NAME_SIZE, "%s/%s", name, what) < NAME_SIZE;
}

static tg_status declare(tg_variables *variables, const char *name, const char *what, int64_t columns, tg_init init)
{
    char full[NAME_SIZE];
    tg_type type = {TG_FLOAT, TG_SHAPE(columns)};
    if (!join(full, name, what))
        return TG_ERROR_ARGUMENT;
    if (tg_variables_declare(variables, full, type, init, false))
        return TG_OK;
    return tg_variables_find(variables, full) ? TG_ERROR_ARGUMENT : TG_ERROR_MEMORY;
}

/* Writes numbers to a state in the store's working float; `values` are narrowed in place, front to back. */
static tg_status write_state(tg_variables *variables, const char *name, const char *what, double *values, int64_t columns)
{
    char full[NAME_SIZE];
    bool wide = tg_variables_float(variables) == TG_F64;
    size_t size = wide ? sizeof(double) : sizeof(float);
    for (int64_t i = 0; i < columns && !wide; i++) {
        float narrow = (float)values[i];
        memcpy((char *)values + (size_t)i * sizeof narrow, &narrow, sizeof narrow);
    }
    return join(full, name, what) ? tg_variables_write(variables, full, values, (size_t)columns * size) : TG_ERROR_ARGUMENT;
}

tg_status tg_standardise_fit(tg_variables *variables, const char *name, tg_table x)
{
    const int64_t rows = x.rows, columns = x.columns;
    if (!x.values || rows < 1 || columns < 1 || columns > INT64_MAX / 16 / rows)
        return TG_ERROR_ARGUMENT;
    tg_context *context = tg_variables_context(variables);
    size_t bytes = 2 * (size_t)columns * sizeof(double);
    double *mean = tg_allocate(context, bytes), *deviation = mean ? mean + columns : NULL;
    tg_status status = mean ? TG_OK : TG_ERROR_MEMORY;
    for (int64_t i = 0; status == TG_OK && i < columns; i++)
        if (!find_moments(x.values + i, rows, columns, &mean[i], &deviation[i]))
            status = TG_ERROR_ARGUMENT;
    if (status == TG_OK)
        status = declare(variables, name, "mean", columns, no_mean);
    if (status == TG_OK)
        status = declare(variables, name, "deviation", columns, unit_deviation);
    if (status == TG_OK)
        status = write_state(variables, name, "mean", mean, columns);
    if (status == TG_OK)
        status = write_state(variables, name, "deviation", deviation, columns);
    tg_release(context, mean, bytes);
    return status;
}

/* Of missing values, by means in the store's working float. */
static void fill(tg_table x, const void *means, bool wide)
{
    for (int64_t i = 0; i < x.columns; i++) {
        float mean = wide ? (float)((const double *)means)[i] : ((const float *)means)[i];
        for (int64_t row = 0; row < x.rows; row++)
            if (isnan(x.values[row * x.columns + i]))
                x.values[row * x.columns + i] = mean;
    }
}

tg_status tg_standardise_fill(const tg_variables *variables, const char *name, tg_table x)
{
    char full[NAME_SIZE];
    const tg_variable_info *found = join(full, name, "mean") ? tg_variables_find(variables, full) : NULL;
    if (!found || !x.values || x.rows < 0 ||
        !tg_type_equal(found->type, (tg_type){tg_variables_float(variables), TG_SHAPE(x.columns)}))
        return TG_ERROR_ARGUMENT;
    tg_context *context = tg_variables_context(variables);
    size_t bytes = (size_t)tg_type_bytes(found->type);
    void *means = tg_allocate(context, bytes);
    tg_status status = means ? tg_variables_read(variables, full, means, bytes) : TG_ERROR_MEMORY;
    if (status == TG_OK)
        fill(x, means, found->type.dtype == TG_F64);
    tg_release(context, means, bytes);
    return status;
}

/* ---- in a graph ---- */

/* An opened layer's two states. */
typedef struct states {
    tg_tensor mean, deviation;
} states;

/* False if x has no columns; the graph then carries the error. */
static bool begin(tg_where where, tg_tensor x, const char *kind, const char *name, states *s)
{
    if (!tg_ok(x))
        return false;
    tg_shape shape = tg_tensor_shape(x);
    if (shape.rank < 1) {
        tg_graph_fail(x.graph, where, "%s: its input must be [..., columns], not a scalar", kind);
        return false;
    }
    tg_shape columns = TG_SHAPE(shape.dims[shape.rank - 1]);
    tg_layer_begin_at(where, x.graph, kind, name, false);
    s->mean = tg_state_at(where, x.graph, "mean", TG_FLOAT, columns, no_mean);
    s->deviation = tg_state_at(where, x.graph, "deviation", TG_FLOAT, columns, unit_deviation);
    return true;
}

tg_tensor tg_standardise_at(tg_where where, tg_tensor x, const char *name)
{
    states s;
    if (!begin(where, x, "Standardise", name, &s))
        return (tg_tensor){x.graph, -1};
    return tg_layer_end(tg_div_at(where, tg_sub_at(where, tg_cast_at(where, x, TG_FLOAT), s.mean), s.deviation));
}

tg_tensor tg_unstandardise_at(tg_where where, tg_tensor z, const char *name)
{
    states s;
    if (!begin(where, z, "Unstandardise", name, &s))
        return (tg_tensor){z.graph, -1};
    return tg_layer_end(tg_add_at(where, tg_mul_at(where, tg_cast_at(where, z, TG_FLOAT), s.deviation), s.mean));
}
