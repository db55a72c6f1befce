#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "graph/number_text.h"
#include "graph/safe_text.h"
#include "graph/tape_internal.h"

const tg_op tg_op_input = {.name = "input", .formula = "fed", .traits = TG_LEAF};
const tg_op tg_op_variable = {.name = "variable", .formula = "stored", .traits = TG_LEAF};
const tg_op tg_op_constant = {.name = "constant", .formula = "fixed", .traits = TG_LEAF};

bool tg_infer_fail(tg_infer *infer, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    tg_vmessage(infer->message, sizeof infer->message, format, arguments);
    va_end(arguments);
    return false;
}

bool tg_shape_pointwise(tg_infer *infer)
{
    infer->result = infer->inputs[0];
    for (int i = 0; i < infer->n_inputs; i++) {
        if (infer->inputs[i].dtype != infer->inputs[0].dtype)
            return tg_infer_fail(infer, "the operands have the dtypes %s and %s: cast one of them",
                                 tg_dtype_name(infer->inputs[0].dtype), tg_dtype_name(infer->inputs[i].dtype));
        if (!tg_dtype_is_float(infer->inputs[i].dtype))
            return tg_infer_fail(infer, "operand %d is %s, not a float: cast it", i, tg_dtype_name(infer->inputs[i].dtype));
        if (!tg_shape_broadcast(infer->result.shape, infer->inputs[i].shape, &infer->result.shape))
            return tg_infer_fail(infer, "the shapes do not broadcast: extents must be equal, or one of them 1, from the right");
    }
    return true;
}

static tg_tensor poisoned(tg_graph *graph) { return (tg_tensor){graph, -1}; }

static tg_tensor append(tg_graph *graph, tg_where where, const tg_record *record)
{
    size_t input_bytes = (size_t)record->n_inputs * sizeof(int32_t);
    int32_t *inputs = record->n_inputs ? tg_graph_allocate(graph, input_bytes) : NULL;
    const void *attributes = record->attributes ? tg_graph_attributes(graph, record) : NULL;
    if ((record->n_inputs && !inputs) || (record->attributes && !attributes))
        return poisoned(graph);
    for (int32_t i = 0; i < record->n_inputs; i++)
        inputs[i] = record->inputs[i].id;
    tg_node node = {
        .op = record->op,
        .id = graph->nodes.count,
        .n_inputs = record->n_inputs,
        .inputs = inputs,
        .type = record->type,
        .attributes = attributes,
        .attribute_bytes = record->attribute_bytes,
        .name = record->name,
        .scope = graph->has_origin ? graph->origin_scope : graph->scope,
        .where = graph->has_origin ? graph->origin_where : where,
        .forward = graph->has_origin ? graph->origin_forward : -1,
    };
    return tg_graph_append(graph, &graph->nodes, &node, sizeof node) ? (tg_tensor){graph, node.id} : poisoned(graph);
}

tg_tensor tg_graph_record(tg_graph *graph, tg_where where, const tg_record *record)
{
    if (graph->recorder) {
        tg_rewrite_args args = {
            .graph = graph,
            .op = record->op,
            .type = record->type,
            .n_inputs = record->n_inputs,
            .inputs = record->inputs,
            .attributes = record->attributes,
            .attribute_bytes = record->attribute_bytes,
        };
        tg_tensor replacement = graph->recorder(graph->recorder_user, &args);
        if (graph->failed)
            return poisoned(graph);
        if (replacement.id >= 0)
            return replacement;
    }
    return append(graph, where, record);
}

/* " of [128, 784] f32 and [10, 5] f32": what an error says of the operands. */
static void describe_inputs(const tg_infer *infer, char *text, size_t size)
{
    size_t at = 0;
    text[0] = '\0';
    for (int32_t i = 0; i < infer->n_inputs && at < size; i++) {
        char shape[160];
        tg_shape_text(infer->inputs[i].shape, shape, sizeof shape);
        const char *joint = i + 1 == infer->n_inputs ? " and " : ", ";
        int n = snprintf(text + at, size - at, "%s%s %s", i == 0 ? " of " : joint, shape, tg_dtype_name(infer->inputs[i].dtype));
        at += n > 0 ? (size_t)n : 0;
    }
}

/* The first tensor that cannot be an operand on this graph sets the error. */
static bool check_inputs(tg_graph *graph, tg_where where, const tg_op *op, const tg_tensor *inputs, int n_inputs)
{
    if (n_inputs < op->min_inputs || n_inputs > op->max_inputs) {
        tg_graph_fail(graph, where, "%s takes %d to %d inputs, not %d", op->name, op->min_inputs, op->max_inputs, n_inputs);
        return false;
    }
    for (int i = 0; i < n_inputs; i++) {
        const char *theirs = inputs[i].graph ? tg_graph_error(inputs[i].graph) : NULL;
        if (inputs[i].graph == graph && inputs[i].id >= 0 && inputs[i].id < graph->nodes.count)
            continue;
        if (theirs && inputs[i].graph != graph)
            tg_graph_fail(graph, where, "%s: input %d comes from another graph, which has an error: %s", op->name, i, theirs);
        else if (inputs[i].graph && inputs[i].graph != graph)
            tg_graph_fail(graph, where, "%s: input %d comes from another graph; a graph's tensors cannot be mixed with another's",
                          op->name, i);
        else
            tg_graph_fail(graph, where, "%s: input %d is no tensor", op->name, i);
        return false;
    }
    return true;
}

static bool infer_type(tg_graph *graph, tg_where where, const tg_op *op, const tg_tensor *inputs, int n_inputs,
                       const void *attributes, tg_type *result)
{
    tg_type small[8], *types = small;
    if (n_inputs > 8 && !(types = tg_graph_allocate(graph, (size_t)n_inputs * sizeof *types)))
        return false;
    for (int i = 0; i < n_inputs; i++)
        types[i] = tg_graph_own(graph, inputs[i].id)->type;
    tg_infer infer = {.n_inputs = n_inputs, .inputs = types, .attributes = attributes};
    char operands[512];
    if (!op->shape(&infer)) {
        describe_inputs(&infer, operands, sizeof operands);
        tg_graph_fail(graph, where, "%s%s: %s", op->name, operands, infer.message);
        return false;
    }
    if (!tg_shape_valid(infer.result.shape)) {
        char shape[200];
        describe_inputs(&infer, operands, sizeof operands);
        tg_shape_text(infer.result.shape, shape, sizeof shape);
        tg_graph_fail(graph, where, "%s%s: the result's shape %s has a negative extent or more than 2^60 elements", op->name,
                      operands, shape);
        return false;
    }
    *result = infer.result;
    return true;
}

tg_tensor tg_apply_at(tg_where where, tg_graph *graph, const tg_op *op, const tg_tensor *inputs, int n_inputs,
                      const void *attributes, size_t attribute_bytes)
{
    for (int i = 0; i < n_inputs && !graph; i++)
        graph = inputs[i].graph;
    if (!graph || graph->failed)
        return poisoned(graph);
    if (!op)
        return tg_graph_fail(graph, where, "tg_apply: no op was given");
    tg_record record = {
        .op = op, .inputs = inputs, .n_inputs = n_inputs, .attributes = attributes, .attribute_bytes = attribute_bytes};
    if (!check_inputs(graph, where, op, inputs, n_inputs) ||
        !infer_type(graph, where, op, inputs, n_inputs, attributes, &record.type))
        return poisoned(graph);
    return tg_graph_record(graph, where, &record);
}

static bool leaf_type(tg_graph *graph, tg_where where, const char *kind, const char *name, tg_dtype dtype, tg_shape shape,
                      tg_type *type)
{
    if (!graph || graph->failed)
        return false;
    *type = (tg_type){dtype == TG_FLOAT ? tg_variables_float(graph->variables) : dtype, shape};
    if ((unsigned)type->dtype >= TG_DTYPE_COUNT)
        tg_graph_fail(graph, where, "%s \"%s\": dtype %d does not exist", kind, name, (int)dtype);
    else if (!tg_shape_valid(shape)) {
        char text[200];
        tg_graph_fail(graph, where,
                      "%s \"%s\": the shape %s (rank %d) has a negative extent, more than %d axes or more than 2^60 elements",
                      kind, name, tg_shape_text(shape, text, sizeof text), shape.rank, TG_MAX_RANK);
    }
    return !graph->failed;
}

tg_tensor tg_input_at(tg_where where, tg_graph *graph, const char *name, tg_dtype dtype, tg_shape shape)
{
    tg_type type;
    if (!leaf_type(graph, where, "input", name ? name : "", dtype, shape, &type))
        return poisoned(graph);
    if (!name)
        return tg_graph_fail(graph, where, "an input needs a name");
    if (!tg_graph_claim_name(graph, where, "input", name))
        return poisoned(graph);
    tg_input_slot *slot = tg_graph_allocate(graph, sizeof *slot);
    const char *copy = tg_graph_string(graph, name);
    if (!slot || !copy)
        return poisoned(graph);
    *slot = (tg_input_slot){NULL};
    tg_record record = {.op = &tg_op_input, .type = type, .attributes = &slot, .attribute_bytes = sizeof slot, .name = copy};
    return tg_graph_record(graph, where, &record);
}

static tg_input_slot *slot_of(const tg_node *node)
{
    return node && node->op == &tg_op_input ? *(tg_input_slot *const *)node->attributes : NULL;
}

tg_status tg_bind(tg_tensor input, const void *values, size_t bytes)
{
    const tg_node *node = tg_tensor_node(input);
    tg_input_slot *slot = slot_of(node);
    if (!slot || (!values && bytes) || bytes != (size_t)tg_type_bytes(node->type))
        return TG_ERROR_ARGUMENT;
    slot->values = bytes ? values : "";
    return TG_OK;
}

const void *tg_bound(const tg_graph *graph, const tg_node *node)
{
    (void)graph;
    const tg_input_slot *slot = slot_of(node);
    return slot ? slot->values : NULL;
}

tg_tensor tg_constant_at(tg_where where, tg_graph *graph, tg_dtype dtype, tg_shape shape, const void *values, size_t bytes)
{
    tg_type type;
    if (!leaf_type(graph, where, "constant", "", dtype, shape, &type))
        return poisoned(graph);
    if (dtype == TG_FLOAT)
        return tg_graph_fail(graph, where, "constant: say f32 or f64, since its bytes are given");
    if (bytes != (size_t)tg_type_bytes(type)) {
        char text[160];
        return tg_graph_fail(graph, where, "constant %s %s has %lld bytes, not the %zu given",
                             tg_shape_text(shape, text, sizeof text), tg_dtype_name(dtype), (long long)tg_type_bytes(type),
                             bytes);
    }
    if (bytes && !values)
        return tg_graph_fail(graph, where, "constant: its %zu bytes are NULL", bytes);
    tg_record record = {.op = &tg_op_constant, .type = type, .attributes = bytes ? values : "", .attribute_bytes = bytes};
    return tg_graph_record(graph, where, &record);
}

tg_tensor tg_scalar_at(tg_where where, tg_tensor like, double value)
{
    if (!tg_ok(like))
        return poisoned(like.graph);
    tg_dtype dtype = tg_tensor_dtype(like);
    double least = dtype == TG_I32 ? INT32_MIN : 0, greatest = dtype == TG_I32 ? INT32_MAX : UINT8_MAX;
    if (!tg_dtype_is_float(dtype) && !(value >= least && value <= greatest && value == floor(value)))
        return tg_graph_fail(like.graph, where, "scalar: %g is no %s", value, tg_dtype_name(dtype));
    float single = (float)value;
    int32_t whole = dtype == TG_I32 ? (int32_t)value : 0;
    uint8_t byte = dtype == TG_U8 ? (uint8_t)value : 0;
    const void *const bytes[TG_DTYPE_COUNT] = {[TG_F32] = &single, [TG_F64] = &value, [TG_I32] = &whole, [TG_U8] = &byte};
    return tg_constant_at(where, like.graph, dtype, TG_SCALAR, bytes[dtype], tg_dtype_size(dtype));
}

const void *tg_node_constant(const tg_node *node) { return node->op == &tg_op_constant ? node->attributes : NULL; }

bool tg_node_scalar(const tg_node *node, double *value)
{
    const void *bytes = tg_node_constant(node);
    if (!bytes || tg_shape_count(node->type.shape) != 1)
        return false;
    switch (node->type.dtype) {
    case TG_F32: *value = *(const float *)bytes; break;
    case TG_F64: *value = *(const double *)bytes; break;
    case TG_I32: *value = *(const int32_t *)bytes; break;
    default: *value = *(const uint8_t *)bytes; break;
    }
    return true;
}

static void describe_misfit(tg_init init, tg_dtype dtype, char *text, size_t size)
{
    if ((unsigned)init.kind >= TG_INIT_COUNT)
        tg_format(text, size, "there is no initializer of kind %d", (int)init.kind);
    else if (init.kind == TG_INIT_CONSTANT)
        tg_format(text, size, "its initial value %g is no %s", init.a, tg_dtype_name(dtype));
    else
        tg_format(text, size, "its initial values, %s %g and %g, may lie outside %s",
                  init.kind == TG_INIT_UNIFORM ? "uniform between" : "normal of mean and deviation", init.a, init.b,
                  tg_dtype_name(dtype));
}

static const char *why_undeclared(const tg_graph *graph, const char *name, tg_init init, tg_dtype dtype, char *text, size_t size)
{
    const tg_variable_info *there = tg_variables_find(graph->variables, name);
    char shape[160];
    if (there)
        snprintf(text, size, "the store has it as %s %s", tg_shape_text(there->type.shape, shape, sizeof shape),
                 tg_dtype_name(there->type.dtype));
    else if (!tg_init_fits(init, dtype))
        describe_misfit(init, dtype, text, size);
    else
        snprintf(text, size, "out of memory");
    return text;
}

static tg_tensor record_variable(tg_where where, tg_graph *graph, const char *name, tg_type wanted, tg_init init, bool trainable)
{
    char text[256], shape[160];
    const tg_variable_info *info = tg_variables_declare(graph->variables, name, wanted, init, trainable);
    if (!info)
        return tg_graph_fail(graph, where, "variable \"%s\" %s %s: %s", name, tg_shape_text(wanted.shape, shape, sizeof shape),
                             tg_dtype_name(wanted.dtype), why_undeclared(graph, name, init, wanted.dtype, text, sizeof text));
    tg_record record = {
        .op = &tg_op_variable, .type = info->type, .attributes = &info, .attribute_bytes = sizeof info, .name = info->name};
    tg_tensor tensor = tg_graph_record(graph, where, &record);
    if (tg_ok(tensor) && !tg_graph_add_name(graph, "variable", name, tensor.id))
        return poisoned(graph);
    return tensor;
}

typedef struct variable_request {
    const char *name;
    tg_dtype dtype;
    tg_shape shape;
    tg_init init;
    bool trainable, shared;
} variable_request;

static tg_tensor find_or_record(tg_where where, tg_graph *graph, const variable_request *request)
{
    tg_type type;
    if (!leaf_type(graph, where, "variable", request->name ? request->name : "", request->dtype, request->shape, &type))
        return poisoned(graph);
    if (!request->name || !*request->name)
        return tg_graph_fail(graph, where, "a variable needs a name");
    const char *name = tg_graph_scoped(graph, request->name);
    if (!name)
        return poisoned(graph);
    int32_t there = tg_graph_find_name(graph, "variable", name);
    if (there < 0)
        return record_variable(where, graph, name, (tg_type){request->dtype, request->shape}, request->init, request->trainable);
    if (!request->shared)
        return tg_graph_fail(
            graph, where, "variable \"%s\" exists already in this graph: give it another name, or ask for it to be shared", name);
    if (!tg_type_equal(tg_graph_own(graph, there)->type, type)) {
        char mine[160], theirs[160];
        return tg_graph_fail(graph, where, "variable \"%s\" is shared as %s, but was recorded as %s", name,
                             tg_shape_text(type.shape, mine, sizeof mine),
                             tg_shape_text(tg_graph_own(graph, there)->type.shape, theirs, sizeof theirs));
    }
    return (tg_tensor){graph, there};
}

tg_tensor tg_variable_at(tg_where where, tg_graph *graph, const char *name, tg_dtype dtype, tg_shape shape, tg_init init)
{
    return find_or_record(where, graph, &(variable_request){name, dtype, shape, init, .trainable = true});
}

tg_tensor tg_shared_variable_at(tg_where where, tg_graph *graph, const char *name, tg_dtype dtype, tg_shape shape, tg_init init)
{
    return find_or_record(where, graph, &(variable_request){name, dtype, shape, init, .trainable = true, .shared = true});
}

tg_tensor tg_state_at(tg_where where, tg_graph *graph, const char *name, tg_dtype dtype, tg_shape shape, tg_init init)
{
    return find_or_record(where, graph, &(variable_request){name, dtype, shape, init, .trainable = false});
}

const tg_variable_info *tg_node_variable(const tg_graph *graph, const tg_node *node)
{
    (void)graph;
    return node->op == &tg_op_variable ? *(const tg_variable_info *const *)node->attributes : NULL;
}
