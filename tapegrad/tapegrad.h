/* tapegrad: computation graphs with automatic differentiation. This header includes every public one. */
#ifndef TAPEGRAD_H
#define TAPEGRAD_H

#include "autodiff/autodiff.h"
#include "autodiff/check.h"
#include "autodiff/inspect.h"
#include "exec/plan.h"
#include "graph/op.h"
#include "ops/ops.h"
#include "train/array.h"
#include "train/checkpoint.h"
#include "train/fit.h"
#include "train/flags.h"
#include "train/history.h"
#include "train/idx.h"
#include "train/initializers.h"
#include "train/json.h"
#include "train/layers.h"
#include "train/metrics.h"
#include "train/mnist.h"
#include "train/model.h"
#include "train/npy.h"
#include "train/npz.h"
#include "train/optimizers.h"
#include "train/permutation.h"
#include "train/progress.h"
#include "train/report.h"
#include "train/safetensors.h"
#include "train/summary.h"
#include "train/svg.h"
#include "train/synthetic.h"

#endif
