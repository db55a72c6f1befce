/* Differentiation: gradients recorded onto the tape they differentiate, so that they can be differentiated again. */
#ifndef TG_AUTODIFF_AUTODIFF_H
#define TG_AUTODIFF_AUTODIFF_H

#include "graph/op.h"

TG_BEGIN_DECLS

/** All zero: no options. */
typedef struct tg_gradient_options {
    bool allow_zero; /**< an x that y does not depend on, or only through a cut, gives zeros instead of an error */
    tg_tensor seed;  /**< the gradient of the result with respect to y, of y's type; of no graph: ones */
} tg_gradient_options;

/** Reverse mode: gradients[i] = sum over y of seed dy/dx[i], of x[i]'s type (the seed is ones without options). x may be any
    tensors of y's graph. The graph's error names the op that cut the path if no gradient reaches an x. Returns false then. An op
    on the way that neither has a gradient rule nor declares that it cuts gradients is an error always. */
TG_API bool tg_gradients_at(tg_where where, tg_tensor y, const tg_tensor *x, int n, tg_tensor *gradients);
TG_API bool tg_gradients_with_at(tg_where where, tg_tensor y, const tg_tensor *x, int n, tg_tensor *gradients,
                                 tg_gradient_options options);
#define tg_gradients(...) tg_gradients_at(TG_HERE, __VA_ARGS__)
#define tg_gradients_with(...) tg_gradients_with_at(TG_HERE, __VA_ARGS__)

/** dy/dx for one x. Poisoned on error. */
TG_API tg_tensor tg_gradient_at(tg_where where, tg_tensor y, tg_tensor x);
#define tg_gradient(...) tg_gradient_at(TG_HERE, __VA_ARGS__)

/** Forward mode, by reverse over reverse: the directional derivative sum over i of (dy/dx[i]) v[i], of y's type. */
TG_API tg_tensor tg_jvp_at(tg_where where, tg_tensor y, const tg_tensor *x, const tg_tensor *v, int n);
#define tg_jvp(...) tg_jvp_at(TG_HERE, __VA_ARGS__)

/** Hessian products: products[i] = d/dx[i] of (sum over j of (dy/dx[j]) v[j]), y a scalar. False on error. */
TG_API bool tg_hvp_at(tg_where where, tg_tensor y, const tg_tensor *x, const tg_tensor *v, int n, tg_tensor *products);
#define tg_hvp(...) tg_hvp_at(TG_HERE, __VA_ARGS__)

TG_END_DECLS

#endif
