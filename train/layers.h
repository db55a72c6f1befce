/* Layers: functions that open a layer on the tape, declare its variables there and record what it computes.
   Kinds and, where no name is given, names are Keras's: "dense", "dense_1"; its variables are "dense/kernel" and "dense/bias". */
#ifndef TG_TRAIN_LAYERS_H
#define TG_TRAIN_LAYERS_H

#include "graph/tape.h"
#include "train/initializers.h"

TG_BEGIN_DECLS

/* ---- activations ---- */

/** Activation functions, with Keras's names and constants. */
typedef enum tg_activation_kind {
    TG_ACTIVATION_LINEAR, /**< x */
    TG_ACTIVATION_SIGMOID,
    TG_ACTIVATION_RELU,
    TG_ACTIVATION_TANH,
    TG_ACTIVATION_LEAKY_RELU, /**< slope 0.2 */
    TG_ACTIVATION_ELU,        /**< alpha 1 */
    TG_ACTIVATION_SELU,       /**< 1.0507 elu(x, alpha 1.6733): Klambauer et al. 2017 */
    TG_ACTIVATION_GELU,       /**< the exact (erf) form */
    TG_ACTIVATION_SILU,
    TG_ACTIVATION_SOFTPLUS,
    TG_ACTIVATION_SOFTSIGN,    /**< x / (1 + |x|) */
    TG_ACTIVATION_EXPONENTIAL, /**< exp(x) */
    TG_ACTIVATION_SOFTMAX,     /**< along the last axis */
    TG_ACTIVATION_LOG_SOFTMAX, /**< along the last axis */
    TG_ACTIVATION_COUNT
} tg_activation_kind;

/** "sigmoid" and so on; NULL if out of range. */
TG_API const char *tg_activation_name(tg_activation_kind kind);
/** TG_ACTIVATION_COUNT if there is none of that name. */
TG_API tg_activation_kind tg_activation_find(const char *name);

/** The function alone, without a layer. */
TG_API tg_tensor tg_activate_at(tg_where where, tg_tensor x, tg_activation_kind kind);
#define tg_activate(...) tg_activate_at(TG_HERE, __VA_ARGS__)
/** Keras's layer Activation. `name` may be NULL. */
TG_API tg_tensor tg_activation_layer_at(tg_where where, tg_tensor x, tg_activation_kind kind, const char *name);
#define tg_activation_layer(...) tg_activation_layer_at(TG_HERE, __VA_ARGS__)

/* ---- layers with weights ---- */

typedef struct tg_dense_options {
    int64_t units;
    const char *name; /**< NULL: numbered */
    bool use_bias;
    bool shared;                   /**< the name may stand for a layer of this graph already: the same weights are used again */
    tg_activation_kind activation; /**< applied last, as a part of the layer; zero: linear */
    tg_initializer kernel, bias;   /**< initial values */
} tg_dense_options;
/** Keras's: a bias, Glorot-uniform kernel, zero bias. */
TG_API tg_dense_options tg_dense_defaults(int64_t units, const char *name);
/** activation(x kernel + bias): x [..., in], rank >= 2 -> [..., units]. kernel [in, units], bias [units]. */
TG_API tg_tensor tg_dense_with_at(tg_where where, tg_tensor x, tg_dense_options options);
#define tg_dense_with(...) tg_dense_with_at(TG_HERE, __VA_ARGS__)
/** tg_dense_with() of the defaults. */
TG_API tg_tensor tg_dense_at(tg_where where, tg_tensor x, int64_t units, const char *name);
#define tg_dense(...) tg_dense_at(TG_HERE, __VA_ARGS__)

typedef enum tg_padding {
    TG_PADDING_VALID, /**< none */
    TG_PADDING_SAME   /**< zeros, so that ceil(extent / stride) outputs remain */
} tg_padding;

typedef struct tg_conv2d_layer_options {
    int64_t filters;
    int64_t size[2];     /**< the kernel's height and width */
    int64_t stride[2];   /**< zeros stand for 1 */
    int64_t dilation[2]; /**< zeros stand for 1; with TG_PADDING_SAME only 1 */
    tg_padding padding;
    const char *name; /**< NULL: numbered */
    bool use_bias;
    bool shared;                   /**< as in tg_dense_options */
    tg_activation_kind activation; /**< the same */
    tg_initializer kernel, bias;
} tg_conv2d_layer_options;
/** Keras's: a square kernel, stride 1, valid padding, a bias, Glorot-uniform kernel, zero bias. */
TG_API tg_conv2d_layer_options tg_conv2d_layer_defaults(int64_t filters, int64_t size, const char *name);
/** activation(cross-correlation plus bias): x [n, h, w, c] -> [n, oh, ow, filters]. kernel [size, size, c, filters], bias [filters]. */
TG_API tg_tensor tg_conv2d_layer_with_at(tg_where where, tg_tensor x, tg_conv2d_layer_options options);
#define tg_conv2d_layer_with(...) tg_conv2d_layer_with_at(TG_HERE, __VA_ARGS__)
/** tg_conv2d_layer_with() of the defaults. */
TG_API tg_tensor tg_conv2d_layer_at(tg_where where, tg_tensor x, int64_t filters, int64_t size, const char *name);
#define tg_conv2d_layer(...) tg_conv2d_layer_at(TG_HERE, __VA_ARGS__)

/* ---- layers without weights; `name` may be NULL ---- */

/** Keras's MaxPooling2D with a square window that is its own stride: [n, h, w, c] -> [n, h / size, w / size, c], rounded down. */
TG_API tg_tensor tg_max_pool2d_layer_at(tg_where where, tg_tensor x, int64_t size, const char *name);
#define tg_max_pool2d_layer(...) tg_max_pool2d_layer_at(TG_HERE, __VA_ARGS__)
/** Keras's AveragePooling2D. */
TG_API tg_tensor tg_avg_pool2d_layer_at(tg_where where, tg_tensor x, int64_t size, const char *name);
#define tg_avg_pool2d_layer(...) tg_avg_pool2d_layer_at(TG_HERE, __VA_ARGS__)
/** Keras's GlobalAveragePooling2D: [n, h, w, c] -> [n, c]. */
TG_API tg_tensor tg_global_avg_pool2d_layer_at(tg_where where, tg_tensor x, const char *name);
#define tg_global_avg_pool2d_layer(...) tg_global_avg_pool2d_layer_at(TG_HERE, __VA_ARGS__)
/** Keras's Flatten: [n, ...] -> [n, the product of the rest]. */
TG_API tg_tensor tg_flatten_layer_at(tg_where where, tg_tensor x, const char *name);
#define tg_flatten_layer(...) tg_flatten_layer_at(TG_HERE, __VA_ARGS__)
/** Keras's Dropout: in training zero with probability `rate`, else x / (1 - rate); in evaluation x. 0 <= rate < 1. */
TG_API tg_tensor tg_dropout_layer_at(tg_where where, tg_tensor x, double rate, const char *name);
#define tg_dropout_layer(...) tg_dropout_layer_at(TG_HERE, __VA_ARGS__)

TG_END_DECLS

#endif
