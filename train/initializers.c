#include "train/initializers.h"

#include <math.h>
#include <string.h>

/* The deviation of a standard normal cut at two deviations: scipy.stats.truncnorm.std(-2, 2). */
#define TRUNCATED_DEVIATION 0.87962566103423978

typedef enum fan { FAN_NONE, FAN_IN, FAN_MEAN } fan;

typedef struct rule {
    const char *name;
    double scale; /* of the variance, scale / fan */
    fan fan;
    tg_init_kind kind;
    double a, b; /* the defaults where no fan decides */
} rule;

static const rule rules[TG_INITIALIZER_COUNT] = {
    [TG_GLOROT_UNIFORM] = {"glorot_uniform", 1, FAN_MEAN, TG_INIT_UNIFORM, 0, 0},
    [TG_GLOROT_NORMAL] = {"glorot_normal", 1, FAN_MEAN, TG_INIT_TRUNCATED_NORMAL, 0, 0},
    [TG_HE_UNIFORM] = {"he_uniform", 2, FAN_IN, TG_INIT_UNIFORM, 0, 0},
    [TG_HE_NORMAL] = {"he_normal", 2, FAN_IN, TG_INIT_TRUNCATED_NORMAL, 0, 0},
    [TG_LECUN_UNIFORM] = {"lecun_uniform", 1, FAN_IN, TG_INIT_UNIFORM, 0, 0},
    [TG_LECUN_NORMAL] = {"lecun_normal", 1, FAN_IN, TG_INIT_TRUNCATED_NORMAL, 0, 0},
    [TG_RANDOM_UNIFORM] = {"random_uniform", 0, FAN_NONE, TG_INIT_UNIFORM, -0.05, 0.05},
    [TG_RANDOM_NORMAL] = {"random_normal", 0, FAN_NONE, TG_INIT_NORMAL, 0, 0.05},
    [TG_TRUNCATED_NORMAL] = {"truncated_normal", 0, FAN_NONE, TG_INIT_TRUNCATED_NORMAL, 0, 0.05},
    [TG_CONSTANT] = {"constant", 0, FAN_NONE, TG_INIT_CONSTANT, 0, 0},
    [TG_ZEROS] = {"zeros", 0, FAN_NONE, TG_INIT_CONSTANT, 0, 0},
    [TG_ONES] = {"ones", 0, FAN_NONE, TG_INIT_CONSTANT, 1, 0},
};

static bool exists(tg_initializer_kind kind) { return (unsigned)kind < TG_INITIALIZER_COUNT; }

tg_initializer tg_initializer_defaults(tg_initializer_kind kind)
{
    return exists(kind) ? (tg_initializer){kind, rules[kind].a, rules[kind].b} : (tg_initializer){.kind = kind};
}

void tg_fans(tg_shape shape, double *fan_in, double *fan_out)
{
    double field = 1;
    for (int i = 0; i < shape.rank - 2; i++)
        field *= (double)shape.dims[i];
    double last = shape.rank > 0 ? (double)shape.dims[shape.rank - 1] : 1;
    *fan_in = shape.rank > 1 ? (double)shape.dims[shape.rank - 2] * field : last;
    *fan_out = last * field;
}

tg_init tg_initializer_for(tg_initializer initializer, tg_shape shape)
{
    if (!exists(initializer.kind))
        return (tg_init){.kind = TG_INIT_COUNT};
    const rule *r = &rules[initializer.kind];
    if (initializer.kind == TG_ZEROS || initializer.kind == TG_ONES)
        return (tg_init){TG_INIT_CONSTANT, r->a, 0};
    if (r->fan == FAN_NONE)
        return (tg_init){r->kind, initializer.a, initializer.b};
    double fan_in, fan_out;
    tg_fans(shape, &fan_in, &fan_out);
    double n = r->fan == FAN_IN ? fan_in : (fan_in + fan_out) / 2;
    double variance = r->scale / fmax(1, n);
    if (r->kind == TG_INIT_UNIFORM) {
        double limit = sqrt(3 * variance);
        return (tg_init){TG_INIT_UNIFORM, -limit, limit};
    }
    return (tg_init){TG_INIT_TRUNCATED_NORMAL, 0, sqrt(variance) / TRUNCATED_DEVIATION};
}

const char *tg_initializer_name(tg_initializer_kind kind) { return exists(kind) ? rules[kind].name : NULL; }

tg_initializer_kind tg_initializer_find(const char *name)
{
    int kind = 0;
    while (kind < TG_INITIALIZER_COUNT && strcmp(rules[kind].name, name) != 0)
        kind++;
    return (tg_initializer_kind)kind;
}
