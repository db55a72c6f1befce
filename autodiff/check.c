#include "autodiff/check.h"

#include <math.h>
#include <string.h>

#include "exec/plan.h"
#include "graph/rebuild.h"

#define DEFAULT_STEP 1e-6
#define DEFAULT_TOLERANCE 1e-6
/* One-sided differences that differ by more than this are suspected of a kink between them. */
#define KINK_SUSPICION 1e-4

/* A copy of what the loss and the gradients need, without effects, so that running it changes nothing. */
typedef struct checker {
    tg_variables *variables;
    tg_graph *graph;
    tg_plan *loss_plan, *gradient_plan;
    tg_tensor loss;
    double step;
} checker;

static double larger(double a, double b, double c) { return fmax(a, fmax(fabs(b), fabs(c))); }

/* ---- the copy ---- */

static void mark_needed(const tg_graph *graph, int32_t count, uint8_t *needed)
{
    for (int32_t id = count - 1; id >= 0; id--) {
        const tg_node *node = tg_graph_node(graph, id);
        for (int32_t i = 0; i < node->n_inputs && needed[id]; i++)
            if (!(node->op->traits & TG_EFFECT) || i == 1)
                needed[node->inputs[i]] = 1;
    }
}

/* Copies the needed nodes; an effect's copy is that of the value that it returns. False if memory is out. */
static bool copy_needed(tg_graph *graph, const tg_graph *source, int32_t count, const uint8_t *needed, int32_t *map)
{
    tg_context *context = tg_graph_context(source);
    for (int32_t id = 0; id < count; id++) {
        const tg_node *node = tg_graph_node(source, id);
        if (!needed[id])
            continue;
        if (node->op->traits & TG_EFFECT) {
            map[id] = map[node->inputs[1]];
            continue;
        }
        size_t bytes = (size_t)node->n_inputs * sizeof(tg_tensor);
        tg_tensor *inputs = tg_allocate(context, bytes);
        if (!inputs)
            return false;
        for (int32_t i = 0; i < node->n_inputs; i++)
            inputs[i] = (tg_tensor){graph, map[node->inputs[i]]};
        tg_tensor copy = tg_graph_copy_node(graph, source, node, inputs);
        tg_release(context, inputs, bytes);
        if (!tg_ok(copy))
            return false;
        map[id] = copy.id;
    }
    return true;
}

/* Compiles without passes: what is checked is the tape as it was recorded. */
static tg_plan *compile(tg_graph *graph, const tg_tensor *roots, int n)
{
    tg_compile_options plain = tg_compile_defaults(tg_graph_context(graph));
    plain.simplify = plain.rounds = plain.fuse = false;
    return tg_compile_roots(graph, roots, n, plain);
}

/* Compiles the loss and the gradients, which are mapped to their copies. */
static tg_status compile_copy(checker *c, tg_tensor loss, tg_tensor *gradients, int n)
{
    tg_context *context = tg_variables_context(c->variables);
    int32_t count = loss.id + 1;
    for (int i = 0; i < n; i++)
        count = gradients[i].id >= count ? gradients[i].id + 1 : count;
    size_t bytes = (size_t)count * (sizeof(int32_t) + 1);
    int32_t *map = tg_allocate_zero(context, bytes);
    c->graph = tg_graph_new_like(loss.graph);
    if (!map || !c->graph) {
        tg_release(context, map, bytes);
        return TG_ERROR_MEMORY;
    }
    uint8_t *needed = (uint8_t *)(map + count);
    needed[loss.id] = 1;
    for (int i = 0; i < n; i++)
        needed[gradients[i].id] = 1;
    mark_needed(loss.graph, count, needed);
    bool ok = copy_needed(c->graph, loss.graph, count, needed, map);
    c->loss = (tg_tensor){c->graph, map[loss.id]};
    for (int i = 0; i < n; i++)
        gradients[i] = (tg_tensor){c->graph, map[gradients[i].id]};
    tg_release(context, map, bytes);
    if (ok) {
        c->loss_plan = compile(c->graph, &c->loss, 1);
        c->gradient_plan = compile(c->graph, gradients, n);
    }
    return c->loss_plan && c->gradient_plan ? TG_OK : TG_ERROR_MEMORY;
}

/* ---- differences ---- */

static tg_status loss_at(checker *c, double *element, double value, double *loss)
{
    *element = value;
    tg_variables_touch(c->variables);
    tg_status status = tg_run(c->loss_plan);
    return status ? status : tg_read(c->loss_plan, c->loss, loss, sizeof *loss);
}

/* The slopes of the loss on both sides of an element's value x, at distance h, and across. */
typedef struct slopes {
    double below, above, across;
} slopes;

static tg_status slopes_at(checker *c, double *element, double x, double h, slopes *result)
{
    volatile double left = x - h, right = x + h;
    double at_left, at_x, at_right;
    tg_status status = loss_at(c, element, left, &at_left);
    if (!status)
        status = loss_at(c, element, right, &at_right);
    if (!status)
        status = loss_at(c, element, x, &at_x);
    if (!status)
        *result = (slopes){(at_x - at_left) / (x - left), (at_right - at_x) / (right - x), (at_right - at_left) / (right - left)};
    return status;
}

static double gap_of(slopes s) { return fabs(s.above - s.below); }

/* The numeric derivative in one element. Curvature makes the one-sided slopes differ by an amount that falls as h does;
   where it does not at a half and a quarter of h, there is a kink. */
static tg_status numeric_derivative(checker *c, double *element, double *derivative, bool *kink)
{
    double x = *element, h = c->step * fmax(1, fabs(x));
    slopes wide, narrow;
    *kink = false;
    tg_status status = slopes_at(c, element, x, h, &wide);
    bool suspect = !status && gap_of(wide) > KINK_SUSPICION * larger(1, wide.above, wide.below);
    for (int part = 2; part <= 4 && suspect && !status && !*kink; part *= 2) {
        status = slopes_at(c, element, x, h / part, &narrow);
        *kink = !status && !(fabs(gap_of(narrow) / gap_of(wide) * part - 1) < 0.2);
    }
    *derivative = wide.across;
    *element = x;
    tg_variables_touch(c->variables);
    return status;
}

static tg_status check_variable(checker *c, const tg_variable_info *variable, const double *recorded, int64_t max_elements,
                                tg_gradient_worst *worst)
{
    int64_t count = tg_shape_count(variable->type.shape);
    int64_t checked = max_elements > 0 && max_elements < count ? max_elements : count;
    *worst = (tg_gradient_worst){.variable = variable->name, .element = -1};
    for (int64_t k = 0; k < checked; k++) {
        int64_t i = checked == count ? k : (int64_t)((double)k * (double)count / (double)checked);
        double numeric;
        bool kink;
        tg_status status = numeric_derivative(c, (double *)tg_variable_data(variable) + i, &numeric, &kink);
        if (status)
            return status;
        worst->kinks += kink;
        if (kink)
            continue;
        double error = fabs(recorded[i] - numeric) / larger(1, recorded[i], numeric);
        if (!isfinite(error))
            error = INFINITY;
        if (worst->checked++ == 0 || error > worst->error)
            worst->element = i, worst->recorded = recorded[i], worst->numeric = numeric, worst->error = error;
    }
    return TG_OK;
}

/* ---- the whole ---- */

static const tg_variable_info *variable_of(tg_tensor x)
{
    const tg_node *node = tg_tensor_node(x);
    return node ? tg_node_variable(x.graph, node) : NULL;
}

static bool arguments_valid(tg_tensor loss, const tg_tensor *x, const tg_tensor *gradients, int n)
{
    if (!tg_ok(loss))
        return false;
    tg_where where = tg_tensor_node(loss)->where;
    if (!tg_type_equal(tg_tensor_type(loss), (tg_type){.dtype = TG_F64})) {
        tg_graph_fail(loss.graph, where, "check_gradients: the loss must be an f64 scalar");
        return false;
    }
    for (int i = 0; i < n; i++) {
        const tg_variable_info *variable = x[i].graph == loss.graph ? variable_of(x[i]) : NULL;
        if (!variable || variable->type.dtype != TG_F64)
            tg_graph_fail(loss.graph, where, "check_gradients: x %d is no f64 variable of the loss's graph", i);
        else if (gradients && (!tg_ok(gradients[i]) || gradients[i].graph != loss.graph ||
                               !tg_type_equal(tg_tensor_type(gradients[i]), variable->type)))
            tg_graph_fail(loss.graph, where,
                          "check_gradients: gradient %d is no tensor of the loss's graph with the type of '%s'", i,
                          variable->name);
    }
    return !tg_graph_error(loss.graph);
}

static tg_status check_all(checker *c, tg_tensor loss, const tg_tensor *x, tg_tensor *gradients, int n, tg_check_options options,
                           tg_gradient_worst *worst, bool *passed)
{
    tg_status status = compile_copy(c, loss, gradients, n);
    if (!status)
        status = tg_run(c->gradient_plan);
    for (int i = 0; i < n && !status; i++) {
        status = check_variable(c, variable_of(x[i]), tg_values(c->gradient_plan, gradients[i]), options.max_elements, &worst[i]);
        *passed = *passed && worst[i].error <= (options.tolerance > 0 ? options.tolerance : DEFAULT_TOLERANCE);
    }
    tg_plan_free(c->gradient_plan);
    tg_plan_free(c->loss_plan);
    tg_graph_free(c->graph);
    return status;
}

tg_status tg_check_gradients(tg_tensor loss, const tg_tensor *x, const tg_tensor *gradients, int n, tg_check_options options,
                             tg_gradient_worst *worst, bool *passed)
{
    *passed = false;
    if (!arguments_valid(loss, x, gradients, n))
        return TG_ERROR_GRAPH;
    checker c = {.variables = tg_graph_variables(loss.graph), .step = options.step > 0 ? options.step : DEFAULT_STEP};
    tg_context *context = tg_variables_context(c.variables);
    size_t bytes = (size_t)n * sizeof(tg_tensor);
    tg_tensor *checked = tg_allocate(context, bytes);
    if (!checked)
        return TG_ERROR_MEMORY;
    if (gradients && n)
        memcpy(checked, gradients, bytes);
    tg_status status = TG_ERROR_GRAPH;
    if (gradients || tg_gradients_at(tg_tensor_node(loss)->where, loss, x, n, checked)) {
        *passed = true;
        status = check_all(&c, loss, x, checked, n, options, worst, passed);
        *passed = *passed && !status;
    }
    tg_release(context, checked, bytes);
    return status;
}
