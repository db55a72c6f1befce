/* tapegrad: computation graphs with automatic differentiation. This header includes every public one. */
#ifndef TAPEGRAD_H
#define TAPEGRAD_H

#include "autodiff/autodiff.h"
#include "autodiff/check.h"
#include "exec/plan.h"
#include "graph/op.h"
#include "ops/ops.h"

#endif
