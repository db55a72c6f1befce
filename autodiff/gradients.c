/* Reverse mode: one walk down the tape from y, asking each node on a path from an x for the gradients of its inputs. */
#include "autodiff/autodiff.h"

#include <stdio.h>
#include <string.h>

#include "graph/rebuild.h"
#include "ops/ops.h"

enum {
    FROM_X = 1, /* depends on an x by edges that pass gradients */
    TO_Y = 2,   /* a y depends on it by such edges, through nodes that depend on an x */
    ON_PATH = FROM_X | TO_Y
};

/* One differentiation of several outputs at once: sum over outputs of seed x dy/dx. */
typedef struct sweep {
    tg_graph *graph;
    tg_where where;
    const tg_tensor *outputs, *seeds; /* seeds NULL, or a seed tg_none(): ones */
    int n_outputs;
    const tg_tensor *x;
    int n_x;
    int32_t count;      /* of nodes that are looked at: ids [0, count) */
    int32_t max_inputs; /* of one node */
    int32_t *adjoints;  /* [count] id of the gradient summed up so far, or -1 */
    tg_tensor *inputs;  /* [max_inputs] */
    tg_tensor *results; /* [max_inputs] */
    uint8_t *marks;     /* [count] */
    bool *wanted;       /* [max_inputs] */
    void *memory;
    size_t bytes;
} sweep;

static tg_tensor tensor_at(tg_graph *graph, int32_t id) { return (tg_tensor){.graph = graph, .id = id}; }

/* "matmul 'h' (net.c:12)", for messages. */
static const char *node_text(const tg_node *node, char *text, size_t size)
{
    bool named = node->name != NULL;
    snprintf(text, size, "%s%s%.80s%s (%s:%d)", node->op->name, named ? " '" : "", named ? node->name : "", named ? "'" : "",
             node->where.file, node->where.line);
    return text;
}

/* Why no gradient passes from a node to its input i, or NULL if one does. */
static const char *cut_reason(const tg_graph *graph, const tg_node *node, int32_t i)
{
    const tg_node *input = tg_graph_node(graph, node->inputs[i]);
    if (node->op->traits & TG_CUTS_GRADIENT)
        return "it cuts gradients by definition";
    if (!tg_dtype_is_float(node->type.dtype))
        return "its result is an integer";
    if (!tg_dtype_is_float(input->type.dtype))
        return "that input is an integer";
    if (i < 32 && (node->op->not_differentiable >> i & 1))
        return "it takes no gradient in that input";
    return NULL;
}

static bool sweep_begin(sweep *s)
{
    s->count = 0;
    for (int i = 0; i < s->n_outputs; i++)
        s->count = s->outputs[i].id >= s->count ? s->outputs[i].id + 1 : s->count;
    s->max_inputs = 0;
    for (int32_t id = 0; id < s->count; id++) {
        int32_t n = tg_graph_node(s->graph, id)->n_inputs;
        s->max_inputs = n > s->max_inputs ? n : s->max_inputs;
    }
    size_t nodes = (size_t)s->count, inputs = (size_t)s->max_inputs;
    s->bytes = 2 * inputs * sizeof(tg_tensor) + nodes * sizeof(int32_t) + nodes + inputs;
    s->memory = tg_allocate(tg_graph_context(s->graph), s->bytes);
    if (!s->memory) {
        tg_graph_fail(s->graph, s->where, "gradients: out of memory");
        return false;
    }
    s->inputs = s->memory;
    s->results = s->inputs + inputs;
    s->adjoints = (int32_t *)(s->results + inputs);
    s->marks = (uint8_t *)(s->adjoints + nodes);
    s->wanted = (bool *)(s->marks + nodes);
    memset(s->adjoints, 0xff, nodes * sizeof *s->adjoints);
    memset(s->marks, 0, nodes);
    return true;
}

static void mark_from_x(sweep *s)
{
    for (int i = 0; i < s->n_x; i++)
        if (s->x[i].id < s->count)
            s->marks[s->x[i].id] |= FROM_X;
    for (int32_t id = 0; id < s->count; id++) {
        const tg_node *node = tg_graph_node(s->graph, id);
        for (int32_t i = 0; i < node->n_inputs && !(s->marks[id] & FROM_X); i++)
            if ((s->marks[node->inputs[i]] & FROM_X) && !cut_reason(s->graph, node, i))
                s->marks[id] |= FROM_X;
    }
}

/* Marks what lies between; false if one of its ops has no gradient rule, since a path left out would give a wrong gradient. */
static bool mark_to_y(sweep *s)
{
    for (int i = 0; i < s->n_outputs; i++)
        s->marks[s->outputs[i].id] |= TO_Y;
    for (int32_t id = s->count - 1; id >= 0; id--) {
        const tg_node *node = tg_graph_node(s->graph, id);
        for (int32_t i = 0; i < node->n_inputs && s->marks[id] == ON_PATH; i++) {
            if (!(s->marks[node->inputs[i]] & FROM_X) || cut_reason(s->graph, node, i))
                continue;
            if (!node->op->gradient) {
                char text[512];
                tg_graph_fail(s->graph, s->where, "gradients: %s has no gradient rule", node_text(node, text, sizeof text));
                return false;
            }
            s->marks[node->inputs[i]] |= TO_Y;
        }
    }
    return true;
}

/* The error for an x that no gradient reaches: names the first op that cuts a path from it to an output. Reuses the marks. */
static void fail_unreached(sweep *s, tg_tensor x)
{
    char x_text[512], y_text[512], cut_text[512];
    const char *of = node_text(tg_tensor_node(s->outputs[0]), y_text, sizeof y_text);
    const char *to = node_text(tg_tensor_node(x), x_text, sizeof x_text);
    memset(s->marks, 0, (size_t)s->count);
    for (int i = 0; i < s->n_outputs; i++)
        s->marks[s->outputs[i].id] |= TO_Y;
    for (int32_t id = s->count - 1; id >= 0; id--) {
        const tg_node *node = tg_graph_node(s->graph, id);
        for (int32_t i = 0; i < node->n_inputs && (s->marks[id] & TO_Y); i++)
            s->marks[node->inputs[i]] |= TO_Y;
    }
    if (x.id < s->count)
        s->marks[x.id] |= FROM_X;
    for (int32_t id = x.id + 1; id < s->count; id++) {
        const tg_node *node = tg_graph_node(s->graph, id);
        for (int32_t i = 0; i < node->n_inputs && s->marks[id] == TO_Y; i++) {
            if (!(s->marks[node->inputs[i]] & FROM_X))
                continue;
            const char *reason = cut_reason(s->graph, node, i);
            if (reason) {
                tg_graph_fail(s->graph, s->where,
                              "gradients: nothing of %s reaches %s: %s cuts the path at its input %d, since %s", of, to,
                              node_text(node, cut_text, sizeof cut_text), (int)i, reason);
                return;
            }
            s->marks[id] |= FROM_X;
        }
    }
    tg_graph_fail(s->graph, s->where, "gradients: %s does not depend on %s", of, to);
}

/* Records on behalf of the node `id` from here on; -1: of the caller. */
static void set_origin(sweep *s, int32_t id) { tg_graph_set_origin(s->graph, s->graph, id, true); }

static bool accumulate(sweep *s, int32_t id, tg_tensor gradient)
{
    if (s->adjoints[id] >= 0) {
        set_origin(s, id);
        gradient = tg_add_at(s->where, tensor_at(s->graph, s->adjoints[id]), gradient);
    }
    s->adjoints[id] = gradient.id;
    return tg_ok(gradient);
}

/* Takes a rule's gradient for input i of a node: undoes the input's broadcast, and refuses what is no gradient of it. */
static bool take_result(sweep *s, int32_t id, int32_t i)
{
    tg_tensor result = s->results[i];
    tg_type type = tg_tensor_type(s->inputs[i]), given = tg_tensor_type(result);
    tg_shape common;
    char text[512], given_text[128], type_text[128];
    set_origin(s, -1);
    node_text(tg_graph_node(s->graph, id), text, sizeof text);
    if (!tg_ok(result)) {
        tg_graph_fail(s->graph, s->where, "gradients: the gradient rule of %s gave nothing for input %d", text, (int)i);
        return false;
    }
    if (result.graph != s->graph || given.dtype != type.dtype || !tg_shape_broadcast(type.shape, given.shape, &common) ||
        !tg_shape_equal(common, given.shape)) {
        tg_graph_fail(s->graph, s->where, "gradients: the gradient rule of %s gave %s %s for input %d, which is %s %s", text,
                      tg_dtype_name(given.dtype), tg_shape_text(given.shape, given_text, sizeof given_text), (int)i,
                      tg_dtype_name(type.dtype), tg_shape_text(type.shape, type_text, sizeof type_text));
        return false;
    }
    set_origin(s, id);
    return accumulate(s, s->inputs[i].id, tg_sum_to_shape_at(s->where, result, type.shape));
}

/* Asks the rule of one node, whose own gradient is complete, for those of its inputs. */
static bool pull_back(sweep *s, int32_t id)
{
    const tg_node *node = tg_graph_node(s->graph, id);
    const tg_op *op = node->op;
    int32_t n = node->n_inputs;
    bool any = false;
    for (int32_t i = 0; i < n; i++) {
        s->inputs[i] = tensor_at(s->graph, node->inputs[i]);
        s->results[i] = tg_none();
        s->wanted[i] = s->marks[node->inputs[i]] == ON_PATH && !cut_reason(s->graph, node, i);
        any |= s->wanted[i];
    }
    if (!any)
        return true;
    tg_gradient_args args = {.output = tensor_at(s->graph, id),
                             .gradient = tensor_at(s->graph, s->adjoints[id]),
                             .n_inputs = n,
                             .inputs = s->inputs,
                             .attributes = node->attributes,
                             .wanted = s->wanted};
    set_origin(s, id);
    op->gradient(&args, s->results);
    for (int32_t i = 0; i < n; i++)
        if (s->wanted[i] && !take_result(s, id, i))
            return false;
    return true;
}

static bool plant_seeds(sweep *s)
{
    for (int i = 0; i < s->n_outputs; i++) {
        tg_tensor y = s->outputs[i], seed = s->seeds ? s->seeds[i] : tg_none();
        if (s->marks[y.id] != ON_PATH)
            continue;
        set_origin(s, y.id);
        if (!tg_ok(seed))
            seed = tg_full_at(s->where, y, tg_tensor_shape(y), 1);
        if (!accumulate(s, y.id, seed))
            return false;
    }
    return true;
}

static bool collect(sweep *s, tg_tensor *gradients, bool allow_zero)
{
    for (int i = 0; i < s->n_x; i++) {
        tg_tensor x = s->x[i];
        if (x.id < s->count && s->adjoints[x.id] >= 0) {
            gradients[i] = tensor_at(s->graph, s->adjoints[x.id]);
        } else if (allow_zero) {
            set_origin(s, x.id);
            gradients[i] = tg_full_at(s->where, x, tg_tensor_shape(x), 0);
        } else {
            set_origin(s, -1);
            fail_unreached(s, x);
        }
        if (tg_graph_error(s->graph))
            return false;
    }
    return true;
}

/* Whether what the caller gave can be differentiated at all. */
static bool arguments_valid(const sweep *s)
{
    char text[512], shape[128];
    for (int i = 0; i < s->n_outputs + s->n_x; i++) {
        tg_tensor t = i < s->n_outputs ? s->outputs[i] : s->x[i - s->n_outputs];
        if (tg_graph_error(s->graph))
            return false;
        if (!tg_ok(t) || t.graph != s->graph) {
            tg_graph_fail(s->graph, s->where, "gradients: %s %d is no tensor of this graph", i < s->n_outputs ? "y" : "x",
                          i < s->n_outputs ? i : i - s->n_outputs);
            return false;
        }
        if (!tg_dtype_is_float(tg_tensor_dtype(t))) {
            tg_graph_fail(s->graph, s->where, "gradients: %s is %s; only floats have gradients",
                          node_text(tg_tensor_node(t), text, sizeof text), tg_dtype_name(tg_tensor_dtype(t)));
            return false;
        }
    }
    for (int i = 0; i < s->n_outputs && s->seeds; i++) {
        tg_type y = tg_tensor_type(s->outputs[i]), seed = tg_tensor_type(s->seeds[i]);
        if (s->seeds[i].graph && (!tg_ok(s->seeds[i]) || s->seeds[i].graph != s->graph || !tg_type_equal(y, seed))) {
            tg_graph_fail(s->graph, s->where, "gradients: the seed is no tensor of this graph of y's type, %s %s",
                          tg_dtype_name(y.dtype), tg_shape_text(y.shape, shape, sizeof shape));
            return false;
        }
    }
    return true;
}

static bool differentiate(sweep *s, tg_tensor *gradients, bool allow_zero)
{
    for (int i = 0; i < s->n_x; i++)
        gradients[i] = tensor_at(s->graph, -1);
    if (!s->graph || !arguments_valid(s) || !sweep_begin(s))
        return false;
    mark_from_x(s);
    bool ok = mark_to_y(s) && plant_seeds(s);
    for (int32_t id = s->count - 1; id >= 0 && ok; id--)
        if (s->adjoints[id] >= 0)
            ok = pull_back(s, id);
    ok = ok && collect(s, gradients, allow_zero);
    set_origin(s, -1);
    tg_release(tg_graph_context(s->graph), s->memory, s->bytes);
    for (int i = 0; i < s->n_x && !ok; i++)
        gradients[i] = tensor_at(s->graph, -1);
    return ok;
}

bool tg_gradients_with_at(tg_where where, tg_tensor y, const tg_tensor *x, int n, tg_tensor *gradients,
                          tg_gradient_options options)
{
    sweep s = {.graph = y.graph, .where = where, .outputs = &y, .seeds = &options.seed, .n_outputs = 1, .x = x, .n_x = n};
    return differentiate(&s, gradients, options.allow_zero);
}

bool tg_gradients_at(tg_where where, tg_tensor y, const tg_tensor *x, int n, tg_tensor *gradients)
{
    return tg_gradients_with_at(where, y, x, n, gradients, (tg_gradient_options){0});
}

tg_tensor tg_gradient_at(tg_where where, tg_tensor y, tg_tensor x)
{
    tg_tensor gradient;
    tg_gradients_at(where, y, &x, 1, &gradient);
    return gradient;
}

/* What reverse over reverse has in common: from the gradients of y (times `seed`) in each x to the gradients, in each of
   `targets`, of their inner product with v. */
static bool reverse_over_reverse(sweep *s, tg_tensor seed, const tg_tensor *v, const tg_tensor *targets, int n_targets,
                                 tg_tensor *results)
{
    for (int i = 0; i < s->n_x; i++) {
        if (tg_ok(v[i]) && v[i].graph == s->graph && tg_type_equal(tg_tensor_type(v[i]), tg_tensor_type(s->x[i])))
            continue;
        tg_graph_fail(s->graph, s->where, "gradients: direction %d is no tensor of this graph of its x's type", i);
        return false;
    }
    size_t bytes = (size_t)s->n_x * sizeof(tg_tensor);
    tg_context *context = tg_graph_context(s->graph);
    tg_tensor *first = tg_allocate(context, bytes);
    if (!first) {
        tg_graph_fail(s->graph, s->where, "gradients: out of memory");
        return false;
    }
    s->seeds = &seed;
    bool ok = differentiate(s, first, false);
    /* A first derivative that does not depend on the target is constant there: its own derivative is truly zero. */
    sweep second = {
        .graph = s->graph, .where = s->where, .outputs = first, .seeds = v, .n_outputs = s->n_x, .x = targets, .n_x = n_targets};
    ok = ok && differentiate(&second, results, true);
    tg_release(context, first, bytes);
    return ok;
}

tg_tensor tg_jvp_at(tg_where where, tg_tensor y, const tg_tensor *x, const tg_tensor *v, int n)
{
    if (!tg_ok(y))
        return y;
    /* The vector-Jacobian product u dy/dx is linear in u, so its derivative in u along v is the Jacobian times v for any u. */
    sweep s = {.graph = y.graph, .where = where, .outputs = &y, .n_outputs = 1, .x = x, .n_x = n};
    tg_tensor u = tg_full_at(where, y, tg_tensor_shape(y), 0), product = tensor_at(y.graph, -1);
    reverse_over_reverse(&s, u, v, &u, 1, &product);
    return product;
}

bool tg_hvp_at(tg_where where, tg_tensor y, const tg_tensor *x, const tg_tensor *v, int n, tg_tensor *products)
{
    for (int i = 0; i < n; i++)
        products[i] = tensor_at(y.graph, -1);
    if (!tg_ok(y))
        return false;
    if (tg_tensor_shape(y).rank != 0) {
        char shape[128];
        tg_graph_fail(y.graph, where, "hvp: y must be a scalar, not %s", tg_shape_text(tg_tensor_shape(y), shape, sizeof shape));
        return false;
    }
    sweep s = {.graph = y.graph, .where = where, .outputs = &y, .n_outputs = 1, .x = x, .n_x = n};
    return reverse_over_reverse(&s, tg_none(), v, x, n, products);
}
