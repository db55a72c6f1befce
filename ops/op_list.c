/* The table of ops with their samples, from ops/op_list.h. */
#include "ops/attributes.h"
#include "ops/op_entries.h"
#include "ops/ops.h"

/* clang-format off: it spreads a macro of braces over many lines */
#define COUNT(type, ...) ((int32_t)(sizeof((type[]){__VA_ARGS__}) / sizeof(type)))
#define DIMS(...)                                    \
    {                                                \
        COUNT(int64_t, __VA_ARGS__), { __VA_ARGS__ } \
    }
#define IN(dtype, low, high, ...)           \
    {                                       \
        dtype, DIMS(__VA_ARGS__), low, high \
    }
#define SCALAR(dtype, low, high)   \
    {                              \
        dtype, {0, {0}}, low, high \
    }
#define F(...) IN(TG_FLOAT, -2, 2, __VA_ARGS__)

#define INPUTS(...) \
    COUNT(tg_sample_input, __VA_ARGS__), { __VA_ARGS__ }
#define ATTRIBUTES(type, ...) &(const type){__VA_ARGS__}, sizeof(type)
#define SAMPLE(...)                         \
    {                                       \
        INPUTS(__VA_ARGS__), NULL, 0, false \
    }
#define DISTINCT(...)                      \
    {                                      \
        INPUTS(__VA_ARGS__), NULL, 0, true \
    }
#define SAMPLE_WITH(attributes, ...)           \
    {                                          \
        INPUTS(__VA_ARGS__), attributes, false \
    }
#define DISTINCT_WITH(attributes, ...)        \
    {                                         \
        INPUTS(__VA_ARGS__), attributes, true \
    }
#define SOURCE_WITH(attributes)                          \
    {                                                    \
        0, {{TG_F32, {0, {0}}, 0, 0}}, attributes, false \
    }
/* clang-format on */

#define TG_OP(name, ...) static const tg_sample name##_samples[] = {__VA_ARGS__};
#include "ops/op_list.h"
#undef TG_OP

static const tg_op_entry entries[] = {
#define TG_OP(name, ...) {&tg_op_##name, name##_samples, (int32_t)(sizeof name##_samples / sizeof *name##_samples)},
#include "ops/op_list.h"
#undef TG_OP
};

const tg_op_entry *tg_op_entries(int *count)
{
    *count = (int)(sizeof entries / sizeof *entries);
    return entries;
}
