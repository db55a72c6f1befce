/* Optimizers: functions that record gradients and updates of all trainable variables as ordinary nodes, in Keras's exact forms. */
#ifndef TG_TRAIN_OPTIMIZERS_H
#define TG_TRAIN_OPTIMIZERS_H

#include "graph/tape.h"

TG_BEGIN_DECLS

/** Update rules for a weight w with gradient g, as Keras 3 writes them. r is the learning rate. */
typedef enum tg_optimizer_kind {
    TG_OPTIMIZER_SGD,      /**< w -= r g */
    TG_OPTIMIZER_MOMENTUM, /**< v = momentum v - r g; w += v */
    TG_OPTIMIZER_NESTEROV, /**< v = momentum v - r g; w += momentum v - r g */
    TG_OPTIMIZER_RMSPROP,  /**< v = rho v + (1 - rho) g^2; w -= r g / sqrt(v + epsilon) */
    /** m += (1 - beta_1)(g - m); v += (1 - beta_2)(g^2 - v); w -= r sqrt(1 - beta_2^t) / (1 - beta_1^t) m / (sqrt(v) + epsilon), at the
        t-th step: Kingma & Ba 2015, with epsilon added to the root of the uncorrected moment (the form before their section 2.1) */
    TG_OPTIMIZER_ADAM,
    TG_OPTIMIZER_ADAMW, /**< Adam with decoupled weight decay: Loshchilov & Hutter 2019 */
    TG_OPTIMIZER_COUNT
} tg_optimizer_kind;

/** An update rule with its settings. Start from one of the defaults: zero means zero. */
typedef struct tg_optimizer {
    tg_optimizer_kind kind;
    double learning_rate;
    tg_tensor
        rate; /**< a float scalar of the graph, such as an input, that takes learning_rate's place; tg_none(): it does not */
    double momentum;       /**< momentum and Nesterov */
    double rho;            /**< RMSprop */
    double beta_1, beta_2; /**< Adam and AdamW */
    double epsilon;        /**< RMSprop, Adam and AdamW */
    double weight_decay;   /**< w -= r weight_decay w before the rule, for every kind; 0: none */
    double clip_norm; /**< gradients whose common Euclidean norm exceeds it are scaled down to it, all by one factor; 0: never */
} tg_optimizer;

/** Keras's settings: r 0.01 for SGD, momentum and Nesterov (with momentum 0.9), else 0.001; rho 0.9; beta 0.9 and 0.999; epsilon 1e-7;
    weight decay 0.004 for AdamW, else none; no clipping. For a kind that does not exist, TG_OPTIMIZER_COUNT included, one that
    tg_minimize() refuses. */
TG_API tg_optimizer tg_optimizer_defaults(tg_optimizer_kind kind);
TG_API tg_optimizer tg_sgd_defaults(void);
TG_API tg_optimizer tg_momentum_defaults(void);
TG_API tg_optimizer tg_nesterov_defaults(void);
TG_API tg_optimizer tg_rmsprop_defaults(void);
TG_API tg_optimizer tg_adam_defaults(void);
TG_API tg_optimizer tg_adamw_defaults(void);

/** "sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw"; NULL if out of range. */
TG_API const char *tg_optimizer_name(tg_optimizer_kind kind);
/** TG_OPTIMIZER_COUNT if there is none of that name. */
TG_API tg_optimizer_kind tg_optimizer_find(const char *name);

/** Records the gradients of the scalar `loss` in all trainable variables that its graph has so far, and the assigns that take one
    step. Moments are states named after optimizer and variable, "adam/dense/kernel/velocity", so that plans for several batch sizes
    share them; so is the count of steps, "adam/iterations". False, with the graph's error set, if a layer is still open, `loss` is no
    scalar, there is no trainable variable, no gradient reaches one, or a setting is out of range. */
TG_API bool tg_minimize_at(tg_where where, tg_tensor loss, tg_optimizer optimizer);
#define tg_minimize(...) tg_minimize_at(TG_HERE, __VA_ARGS__)

TG_END_DECLS

#endif
