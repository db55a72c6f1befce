/* The attribute structs of the library's ops, as their samples in ops/op_list.h name them. None has padding: attributes are compared by bytes. */
#ifndef TG_OPS_ATTRIBUTES_H
#define TG_OPS_ATTRIBUTES_H

#include "graph/op.h"

typedef struct tg_leaky_relu_attributes {
    double slope;
} tg_leaky_relu_attributes;

typedef struct tg_elu_attributes {
    double alpha;
} tg_elu_attributes;

typedef struct tg_cast_attributes {
    int32_t dtype;
} tg_cast_attributes;

#endif
