/* Losses, one value for each example. */
#include "ops/attributes.h"
#include "ops/axes.h"
#include "ops/kernel_set.h"
#include "ops/kernels/softmax.h"
#include "ops/op_entries.h"
#include "ops/ops.h"
#include "ops/rows.h"

static bool shape_logits(tg_infer *infer)
{
    tg_type logits = infer->inputs[0];
    if (!tg_dtype_is_float(logits.dtype))
        return tg_infer_fail(infer, "the logits are %s, not a float", tg_dtype_name(logits.dtype));
    if (logits.shape.rank != 2 || logits.shape.dims[1] == 0)
        return tg_infer_fail(infer, "the logits must be [examples, classes], with at least one class");
    infer->result = (tg_type){logits.dtype, tg_shape_make(1, logits.shape.dims)};
    return true;
}

static bool shape_sparse(tg_infer *infer)
{
    tg_type labels = infer->inputs[1];
    if (!shape_logits(infer))
        return false;
    if (labels.dtype != TG_I32 || labels.shape.rank != 1 || labels.shape.dims[0] != infer->result.shape.dims[0])
        return tg_infer_fail(infer, "the labels must be i32 classes, one for each of the %lld examples",
                             (long long)infer->result.shape.dims[0]);
    return true;
}

static bool shape_dense(tg_infer *infer)
{
    return shape_logits(infer) &&
           (tg_type_equal(infer->inputs[0], infer->inputs[1]) ||
            tg_infer_fail(infer, "the labels must be i32 classes [examples], or probabilities of the logits' type"));
}

/* The gradient of the losses, to be multiplied with a matrix of the logits' shape. */
static tg_tensor column(const tg_gradient_args *args)
{
    return tg_reshape(args->gradient, TG_SHAPE(tg_tensor_shape(args->gradient).dims[0], 1));
}

/* dlogits = dy (softmax(logits) - one_hot(labels)). */
static void gradient_sparse(const tg_gradient_args *args, tg_tensor *result)
{
    tg_type type = tg_tensor_type(args->inputs[0]);
    tg_tensor labels = tg_one_hot(args->inputs[1], type.shape.dims[1], type.dtype);
    result[0] = tg_mul(tg_sub(tg_softmax(args->inputs[0], -1), labels), column(args));
}

/* dlogits = dy (softmax(logits) (sum of labels) - labels), dlabels = -dy log_softmax(logits). One-hot labels sum to 1. */
static void gradient_dense(const tg_gradient_args *args, tg_tensor *result)
{
    tg_tensor logits = args->inputs[0], labels = args->inputs[1];
    bool one_hot = tg_tensor_node(labels)->op == &tg_op_one_hot;
    if (args->wanted[0]) {
        tg_tensor share = tg_softmax(logits, -1);
        if (!one_hot)
            share = tg_mul(share, tg_sum_keep(labels, TG_AXES(-1)));
        result[0] = tg_mul(tg_sub(share, labels), column(args));
    }
    if (args->wanted[1])
        result[1] = tg_neg(tg_mul(tg_log_softmax(logits, -1), column(args)));
}

/* A one-hot row picks one term, and sums it with zeros. */
static tg_tensor rewrite_one_hot(const tg_rewrite_args *args)
{
    const tg_node *labels = tg_tensor_node(args->inputs[1]);
    if (labels->op != &tg_op_one_hot)
        return tg_none();
    return tg_cross_entropy(args->inputs[0], (tg_tensor){args->graph, labels->inputs[0]});
}

static int64_t extent_sparse(const tg_work *work) { return work->inputs[0].shape.dims[work->inputs[0].shape.rank - 1]; }

static bool labels_in_range(const int32_t *labels, int64_t count, int64_t classes)
{
    for (int64_t i = 0; i < count; i++)
        if (labels[i] < 0 || labels[i] >= classes)
            return false;
    return true;
}

static tg_status run_sparse(const tg_work *work, const tg_buffers *buffers, int phase, int64_t task, void *scratch)
{
    (void)phase, (void)scratch;
    tg_row_range r = tg_row_task(work, task);
    const int32_t *labels = (const int32_t *)buffers->inputs[1] + r.first;
    int64_t from = r.first * r.length;
    if (!labels_in_range(labels, r.count, r.length))
        return TG_ERROR_RANGE;
    if (work->output.dtype == TG_F32)
        tg_kernels_for(work->isa)->cross_entropy_sparse((const float *)buffers->inputs[0] + from, labels, r.count, r.length,
                                                        (float *)buffers->output + r.first);
    else
        tg_cross_entropy_sparse_f64((const double *)buffers->inputs[0] + from, labels, r.count, r.length,
                                    (double *)buffers->output + r.first);
    return TG_OK;
}

static tg_status run_dense(const tg_work *work, const tg_buffers *buffers, int phase, int64_t task, void *scratch)
{
    (void)phase, (void)scratch;
    tg_row_range r = tg_row_task(work, task);
    int64_t from = r.first * r.length;
    if (work->output.dtype == TG_F32)
        tg_kernels_for(work->isa)->cross_entropy_dense((const float *)buffers->inputs[0] + from,
                                                       (const float *)buffers->inputs[1] + from, r.count, r.length,
                                                       (float *)buffers->output + r.first);
    else
        tg_cross_entropy_dense_f64((const double *)buffers->inputs[0] + from, (const double *)buffers->inputs[1] + from, r.count,
                                   r.length, (double *)buffers->output + r.first);
    return TG_OK;
}

/* A maximum, a subtraction, an exponential (counted as 10) and a sum for each logit. */
static double flops_logits(const tg_work *work) { return 13 * (double)tg_shape_count(work->inputs[0].shape); }

static const tg_rewrite_rule dense_rules[] = {
    {"cross_entropy_dense(x, one_hot(i)) -> cross_entropy(x, i)", TG_EXACT, 0, rewrite_one_hot},
};

const tg_op tg_op_cross_entropy = {.name = "cross_entropy",
                                   .formula = "y = log(sum of exp(x)) - x[label]",
                                   .not_differentiable = 1 << 1,
                                   .min_inputs = 2,
                                   .max_inputs = 2,
                                   .tolerance = 256,
                                   .shape = shape_sparse,
                                   .gradient = gradient_sparse,
                                   .flops = flops_logits,
                                   .index_extent = extent_sparse,
                                   .run = run_sparse,
                                   .tasks = tg_row_tasks};
const tg_op tg_op_cross_entropy_dense = {.name = "cross_entropy_dense",
                                         .formula = "y = sum of labels (log(sum of exp(x)) - x)",
                                         .min_inputs = 2,
                                         .max_inputs = 2,
                                         .tolerance = 256,
                                         .shape = shape_dense,
                                         .gradient = gradient_dense,
                                         .rewrites = dense_rules,
                                         .n_rewrites = sizeof dense_rules / sizeof *dense_rules,
                                         .flops = flops_logits,
                                         .run = run_dense,
                                         .tasks = tg_row_tasks};

tg_tensor tg_cross_entropy_at(tg_where where, tg_tensor logits, tg_tensor labels)
{
    const tg_op *op =
        tg_ok(labels) && tg_dtype_is_float(tg_tensor_dtype(labels)) ? &tg_op_cross_entropy_dense : &tg_op_cross_entropy;
    return tg_apply_at(where, logits.graph, op, (tg_tensor[]){logits, labels}, 2, NULL, 0);
}

/* prediction - target; poisoned unless both are examples of one shape. */
static tg_tensor differences(tg_where where, const char *what, tg_tensor prediction, tg_tensor target)
{
    tg_shape shape = tg_tensor_shape(prediction);
    if (tg_ok(prediction) && tg_ok(target) && (shape.rank == 0 || !tg_shape_equal(shape, tg_tensor_shape(target)))) {
        char text[2][200];
        return tg_graph_fail(prediction.graph, where, "%s of %s and %s: both must be [examples, ...], of one shape", what,
                             tg_shape_text(shape, text[0], sizeof text[0]),
                             tg_shape_text(tg_tensor_shape(target), text[1], sizeof text[1]));
    }
    return tg_sub_at(where, prediction, target);
}

/* [n, ...] -> [n] */
static tg_tensor mean_of_each(tg_where where, tg_tensor values)
{
    int32_t rank = tg_tensor_shape(values).rank;
    uint32_t rest = rank > 1 ? ((1u << rank) - 1) & ~1u : 0;
    return rest ? tg_mean_at(where, values, tg_axes_of_mask(rest)) : values;
}

tg_tensor tg_mean_squared_error_at(tg_where where, tg_tensor prediction, tg_tensor target)
{
    return mean_of_each(where, tg_square_at(where, differences(where, "mean_squared_error", prediction, target)));
}

tg_tensor tg_mean_absolute_error_at(tg_where where, tg_tensor prediction, tg_tensor target)
{
    return mean_of_each(where, tg_abs_at(where, differences(where, "mean_absolute_error", prediction, target)));
}
