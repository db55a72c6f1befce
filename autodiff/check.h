/* The gradient checker: recorded gradients against central finite differences. */
#ifndef TG_AUTODIFF_CHECK_H
#define TG_AUTODIFF_CHECK_H

#include "autodiff/autodiff.h"

TG_BEGIN_DECLS

/** The worst element of one variable. error = |recorded - numeric| / max(1, |recorded|, |numeric|). */
typedef struct tg_gradient_worst {
    const char *variable;
    int64_t element; /**< row-major index; -1: the variable is empty */
    double recorded, numeric, error;
    int64_t checked; /**< elements compared */
    int64_t kinks;   /**< elements left out because the one-sided differences disagree */
} tg_gradient_worst;

typedef struct tg_check_options {
    double step;          /**< of the differences; 0: 1e-6 */
    double tolerance;     /**< on `error`; 0: 1e-6 */
    int64_t max_elements; /**< per variable, evenly spread; 0: all */
} tg_check_options;

/** Compares given gradients[i] (or, with gradients NULL, tg_gradients()'s) of the scalar `loss` with finite differences in each
    variable x[i]. The graph's working float must be f64 and its inputs bound. `worst` gets n entries. `*passed` tells whether
    every error is within tolerance. The variables' values are restored. */
TG_API TG_MUST_USE tg_status tg_check_gradients(tg_tensor loss, const tg_tensor *x, const tg_tensor *gradients, int n,
                                                tg_check_options options, tg_gradient_worst *worst, bool *passed);

TG_END_DECLS

#endif
