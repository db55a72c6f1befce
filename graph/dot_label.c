#include "graph/dot_label.h"

#include <string.h>

#include "graph/number_text.h"
#include "graph/rebuild.h"

#define SMALL "<font point-size=\"9\" color=\"#5f6672\">"
#define MAX_VALUES 16
#define MAX_ROWS 9 /* of a fused group; what exceeds them is counted */

void tg_dot_text(FILE *out, const char *text)
{
    for (; *text; text++) {
        switch (*text) {
        case '&': fputs("&amp;", out); break;
        case '<': fputs("&lt;", out); break;
        case '>': fputs("&gt;", out); break;
        case '"': fputs("&quot;", out); break;
        default:
            if ((unsigned char)*text >= ' ')
                fputc(*text, out);
        }
    }
}

static void put_bytes(FILE *out, double bytes)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    int unit = 0;
    for (; bytes >= 1000 && unit < 4; unit++)
        bytes /= 1000;
    long tenths = (long)(bytes * 10 + 0.5);
    if (unit == 0 || tenths >= 1000 || tenths % 10 == 0)
        fprintf(out, "%ld %s", (tenths + 5) / 10, units[unit]);
    else
        fprintf(out, "%ld.%ld %s", tenths / 10, tenths % 10, units[unit]);
}

void tg_dot_type(FILE *out, tg_type type)
{
    if (type.dtype != TG_F32)
        fprintf(out, "%s ", tg_dtype_name(type.dtype));
    for (int i = 0; i < type.shape.rank; i++)
        fprintf(out, "%s%lld", i ? "×" : "", (long long)type.shape.dims[i]);
    fputs(type.shape.rank ? " · " : "scalar · ", out);
    put_bytes(out, (double)tg_type_bytes(type));
}

static double value_at(tg_dtype dtype, const void *values, int64_t i)
{
    switch (dtype) {
    case TG_F32: return (double)((const float *)values)[i];
    case TG_F64: return ((const double *)values)[i];
    case TG_I32: return ((const int32_t *)values)[i];
    default: return ((const uint8_t *)values)[i];
    }
}

/* The last component of a path: what a variable is called within its layer. */
static const char *last_part(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static void put_values(FILE *out, const tg_node *node, const tg_dot_options *options)
{
    int64_t count = tg_shape_count(node->type.shape);
    if (!options->values || count < 1 || count > MAX_VALUES)
        return;
    const void *values = options->values(options->values_user, node);
    if (!values)
        return;
    int rank = node->type.shape.rank;
    int64_t row = rank ? node->type.shape.dims[rank - 1] : 1;
    fputs("<br/><font point-size=\"9\" color=\"#0b5345\">", out);
    for (int64_t i = 0; i < count; i++) {
        fputs(i == 0 ? "" : i % row ? "  " : "<br/>", out);
        tg_put(out, "%.4g", value_at(node->type.dtype, values, i));
    }
    fputs("</font>", out);
}

/* What a node takes besides tensors: "(·, 0.5)". */
static void put_scalars(FILE *out, const tg_graph *graph, const tg_dot_boxes *b, const tg_node *node)
{
    bool any = false;
    for (int32_t i = 0; i < node->n_inputs; i++)
        any |= b->box_of[node->inputs[i]] < 0;
    for (int32_t i = 0; i < node->n_inputs && any; i++) {
        double scalar;
        fputs(i ? ", " : " (", out);
        if (b->box_of[node->inputs[i]] < 0 && tg_node_scalar(tg_graph_node(graph, node->inputs[i]), &scalar))
            tg_put(out, "%.4g", scalar);
        else
            fputs("·", out);
    }
    fputs(any ? ")" : "", out);
}

static void put_op(FILE *out, const tg_graph *graph, const tg_dot_boxes *b, const tg_node *node)
{
    bool leaf = node->op->traits & TG_LEAF;
    fputs("<b>", out);
    tg_dot_text(out, leaf && node->name ? last_part(node->name) : node->op->name);
    fputs("</b>", out);
    put_scalars(out, graph, b, node);
}

/* An op's attributes and a name that the user gave, as "stride 2" and "'h'". */
static void put_details(FILE *out, const tg_node *node, const char *before, const char *after)
{
    char text[96] = "";
    if (node->op->describe)
        node->op->describe(node->attributes, text, sizeof text);
    if (text[0]) {
        fputs(before, out);
        tg_dot_text(out, text);
        fputs(after, out);
    }
    if (node->name && !(node->op->traits & TG_LEAF)) {
        fprintf(out, "%s<i>", before);
        tg_dot_text(out, node->name);
        fprintf(out, "</i>%s", after);
    }
}

static void put_note(FILE *out, const tg_node *node, const tg_dot_options *options)
{
    if (!options->notes || !options->notes[node->id])
        return;
    fputs("<br/>" SMALL, out);
    tg_dot_text(out, options->notes[node->id]);
    fputs("</font>", out);
}

double tg_dot_share(const tg_dot_boxes *b, const tg_dot_box *box, const tg_dot_options *options)
{
    double sum = 0;
    for (int32_t id = box->first; id >= 0 && options->shares; id = b->next[id])
        sum += options->shares[id];
    return sum;
}

/* "12.3 %": in black and large enough to be read on every fill. */
static void put_share(FILE *out, double share, const char *before, const char *after)
{
    long tenths = (long)(1000 * share + 0.5);
    if (tenths > 0)
        fprintf(out, "%s<font point-size=\"11\" color=\"#000000\"><b>%ld.%ld %%</b></font>%s", before, tenths / 10, tenths % 10,
                after);
}

static void put_single(FILE *out, const tg_graph *graph, const tg_dot_boxes *b, const tg_dot_box *box,
                       const tg_dot_options *options)
{
    const tg_node *node = tg_graph_node(graph, box->last);
    put_op(out, graph, b, node);
    put_details(out, node, "<br/>" SMALL, "</font>");
    put_values(out, node, options);
    put_note(out, node, options);
    put_share(out, tg_dot_share(b, box, options), "<br/>", "");
}

static void put_group(FILE *out, const tg_graph *graph, const tg_dot_boxes *b, const tg_dot_box *box,
                      const tg_dot_options *options)
{
    int rows = 0;
    fprintf(out,
            "<table border=\"0\" cellspacing=\"0\" cellpadding=\"1\"><tr><td align=\"left\">" SMALL
            "fused, %d ops</font></td></tr><hr/>",
            (int)box->count);
    for (int32_t id = box->first; id >= 0; id = b->next[id]) {
        const tg_node *node = tg_graph_node(graph, id);
        if (box->count > MAX_ROWS && ++rows >= MAX_ROWS && id != box->last)
            continue;
        if (box->count > MAX_ROWS && id == box->last)
            fprintf(out, "<tr><td align=\"left\">" SMALL "… %d more</font></td></tr>", (int)box->count - MAX_ROWS);
        fputs("<tr><td align=\"left\">", out);
        put_op(out, graph, b, node);
        put_details(out, node, " " SMALL, "</font>");
        put_values(out, node, options);
        put_note(out, node, options);
        fputs("</td></tr>", out);
    }
    put_share(out, tg_dot_share(b, box, options), "<tr><td align=\"left\">", "</td></tr>");
    fputs("</table>", out);
}

/* "update kernel" over "adam, 15 ops" over the states that the update keeps. */
static void put_update(FILE *out, const tg_graph *graph, const tg_dot_boxes *b, const tg_dot_box *box,
                       const tg_dot_options *options)
{
    const tg_node *variable = box->variable >= 0 ? tg_graph_node(graph, box->variable) : NULL;
    int ops = 0;
    for (int32_t id = box->first; id >= 0; id = b->next[id])
        ops += !(tg_graph_node(graph, id)->op->traits & TG_LEAF);
    const char *by = tg_graph_node(graph, box->last)->scope;
    fputs(variable ? "<b>update " : "<b>for all updates", out);
    if (variable)
        tg_dot_text(out, last_part(variable->name));
    fputs("</b><br/>" SMALL, out);
    tg_dot_text(out, by);
    fprintf(out, "%s%d op%s</font>", *by ? ", " : "", ops, ops == 1 ? "" : "s");
    const char *separator = "<br/>" SMALL "keeps ";
    bool any = false;
    for (int32_t id = box->first; id >= 0; id = b->next[id]) {
        const tg_node *node = tg_graph_node(graph, id);
        if (!tg_node_variable(graph, node))
            continue;
        fputs(separator, out);
        tg_dot_text(out, last_part(node->name));
        separator = ", ";
        any = true;
    }
    fputs(any ? "</font>" : "", out);
    put_share(out, tg_dot_share(b, box, options), "<br/>", "");
}

void tg_dot_label(FILE *out, const tg_graph *graph, const tg_dot_boxes *b, const tg_dot_box *box, const tg_dot_options *options)
{
    if (box->folded)
        put_update(out, graph, b, box, options);
    else if (box->fused)
        put_group(out, graph, b, box, options);
    else
        put_single(out, graph, b, box, options);
}
