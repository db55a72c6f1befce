/* Initializers: Keras's rules for the first values of weights, from the weights' shape. */
#ifndef TG_TRAIN_INITIALIZERS_H
#define TG_TRAIN_INITIALIZERS_H

#include "graph/variables.h"

TG_BEGIN_DECLS

/** The rules, with Keras's names and definitions (keras.initializers). n is fan_in, fan_out or their mean; "normal" forms are
    truncated at two standard deviations and widened by 1/0.8796 so that what remains has the deviation given here. */
typedef enum tg_initializer_kind {
    TG_GLOROT_UNIFORM,   /**< uniform within sqrt(6 / (fan_in + fan_out)): Glorot & Bengio 2010 */
    TG_GLOROT_NORMAL,    /**< deviation sqrt(2 / (fan_in + fan_out)) */
    TG_HE_UNIFORM,       /**< uniform within sqrt(6 / fan_in): He et al. 2015 */
    TG_HE_NORMAL,        /**< deviation sqrt(2 / fan_in) */
    TG_LECUN_UNIFORM,    /**< uniform within sqrt(3 / fan_in): LeCun et al. 1998 */
    TG_LECUN_NORMAL,     /**< deviation sqrt(1 / fan_in) */
    TG_RANDOM_UNIFORM,   /**< uniform in [a, b) */
    TG_RANDOM_NORMAL,    /**< mean a, deviation b */
    TG_TRUNCATED_NORMAL, /**< mean a, deviation b before the cut at two deviations */
    TG_CONSTANT,         /**< a */
    TG_ZEROS,
    TG_ONES,
    TG_INITIALIZER_COUNT
} tg_initializer_kind;

typedef struct tg_initializer {
    tg_initializer_kind kind;
    double a, b; /**< as the kind says; else unused */
} tg_initializer;

/** A kind with Keras's own a and b: [-0.05, 0.05) for random_uniform, (0, 0.05) for the normal ones, 0 for constant. */
TG_API tg_initializer tg_initializer_defaults(tg_initializer_kind kind);
/** The distribution that an initializer means for a tensor of this shape. */
TG_API tg_init tg_initializer_for(tg_initializer initializer, tg_shape shape);

/** Keras's fans: [] 1 and 1; [n] n and n; [in, out]; [..., in, out] of a convolution, each times the extents before. */
TG_API void tg_fans(tg_shape shape, double *fan_in, double *fan_out);

/** "glorot_uniform" and so on; NULL if out of range. */
TG_API const char *tg_initializer_name(tg_initializer_kind kind);
/** TG_INITIALIZER_COUNT if there is none of that name. */
TG_API tg_initializer_kind tg_initializer_find(const char *name);

TG_END_DECLS

#endif
