#include "train/summary.h"

#include <string.h>

#include "graph/number_text.h"
#include "graph/safe_text.h"

#define COLUMNS 4

/* ---- figures ---- */

char *tg_count_text(int64_t count, char *text, size_t size)
{
    char digits[32], grouped[48];
    int length = snprintf(digits, sizeof digits, "%lld", (long long)count), at = 0;
    for (int i = 0; i < length; i++) {
        grouped[at++] = digits[i];
        int left = length - 1 - i;
        if (left > 0 && left % 3 == 0 && digits[i] != '-')
            grouped[at++] = ',';
    }
    snprintf(text, size, "%.*s", at, grouped);
    return text;
}

char *tg_bytes_text(double bytes, char *text, size_t size)
{
    static const char *const units[] = {"B", "KB", "MB", "GB", "TB", "PB"};
    size_t unit = 0;
    while (bytes >= 1024 && unit + 1 < sizeof units / sizeof *units) {
        bytes /= 1024;
        unit++;
    }
    tg_format(text, size, "%.2f %s", bytes, units[unit]);
    return text;
}

/* ---- rows ---- */

/* Multiply-adds of a product or convolution; 0 of any other node. */
static double multiply_adds(const tg_graph *graph, const tg_node *node)
{
    enum { MOST = 8 };
    tg_type inputs[MOST];
    if (!(node->op->traits & TG_CONTRACTION) || !node->op->flops || node->n_inputs > MOST)
        return 0;
    for (int32_t i = 0; i < node->n_inputs; i++)
        inputs[i] = tg_graph_node(graph, node->inputs[i])->type;
    tg_work work = {.n_inputs = node->n_inputs,
                    .inputs = inputs,
                    .output = node->type,
                    .attributes = node->attributes,
                    .isa = tg_context_isa(tg_graph_context(graph))};
    return node->op->flops(&work) / 2;
}

/* Adds nodes [first, last) to a row's figures. */
static void add_nodes(const tg_graph *graph, int32_t first, int32_t last, tg_summary_row *row)
{
    for (int32_t id = first; id < last; id++) {
        const tg_node *node = tg_graph_node(graph, id);
        const tg_variable_info *variable = tg_node_variable(graph, node);
        row->multiply_adds += multiply_adds(graph, node);
        if (!variable)
            continue;
        *(variable->trainable ? &row->parameters : &row->states) += tg_shape_count(variable->type.shape);
        *(variable->trainable ? &row->bytes : &row->state_bytes) += tg_type_bytes(variable->type);
    }
}

static tg_summary_row row_of(const tg_graph *graph, const tg_layer_info *layer)
{
    tg_summary_row row = {.layer = layer, .shape = tg_graph_node(graph, layer->output)->type.shape};
    add_nodes(graph, layer->first, layer->last, &row);
    if (row.shape.rank > 0 && row.shape.dims[0] > 0)
        row.multiply_adds /= (double)row.shape.dims[0];
    return row;
}

int tg_summary_rows(tg_tensor output, tg_summary_row *rows, int capacity)
{
    if (!tg_ok(output))
        return 0;
    int n = 0;
    int32_t end = 0; /* of the outermost layer before */
    for (int i = 0; i < tg_graph_layer_count(output.graph); i++) {
        const tg_layer_info *layer = tg_graph_layer(output.graph, i);
        bool nested = layer->last <= end && layer->first < end;
        if (nested || layer->output < 0 || layer->output > output.id)
            continue;
        if (n < capacity)
            rows[n] = row_of(output.graph, layer);
        n++;
        end = layer->last > end ? layer->last : end;
    }
    return n;
}

/* ---- the table ---- */

/* One table's lines and corners: left, fill, middle, right of its four kinds of rule, and the bars of header and body. */
typedef struct box {
    const char *top[4], *under_header[4], *between[4], *bottom[4], *header_bar, *bar;
} box;

static const box unicode_box = {{"┏", "━", "┳", "┓"}, {"┡", "━", "╇", "┩"}, {"├", "─", "┼", "┤"}, {"└", "─", "┴", "┘"}, "┃", "│"};
static const box ascii_box = {{"+", "-", "+", "+"}, {"+", "=", "+", "+"}, {"+", "-", "+", "+"}, {"+", "-", "+", "+"}, "|", "|"};

typedef struct cells {
    char text[COLUMNS][160];
} cells;

static const cells header = {{"Layer (type)", "Output Shape", "Param #", "Mult-Adds"}};
static const int least_width[COLUMNS] = {28, 18, 9, 9};

static void put(FILE *out, const char *text) { fwrite(text, 1, strlen(text), out); }

static void repeat(FILE *out, const char *text, int times)
{
    for (int i = 0; i < times; i++)
        put(out, text);
}

static void put_rule(FILE *out, const char *const glyphs[4], const int *widths)
{
    for (int column = 0; column < COLUMNS; column++) {
        put(out, glyphs[column ? 2 : 0]);
        repeat(out, glyphs[1], widths[column] + 2);
    }
    put(out, glyphs[3]);
    put(out, "\n");
}

/* Characters of UTF-8 text: bytes that do not continue one. */
static int text_width(const char *text)
{
    int width = 0;
    for (; *text; text++)
        width += ((unsigned char)*text & 0xC0) != 0x80;
    return width;
}

static void put_cells(FILE *out, const char *bar, const cells *row, const int *widths)
{
    for (int column = 0; column < COLUMNS; column++) {
        int blank = widths[column] - text_width(row->text[column]);
        bool right = column >= 2;
        put(out, bar);
        repeat(out, " ", 1 + (right ? blank : 0));
        put(out, row->text[column]);
        repeat(out, " ", 1 + (right ? 0 : blank));
    }
    put(out, bar);
    put(out, "\n");
}

/* "(None, 26, 26, 32)": the batch is whatever it will be. */
static void shape_text(tg_shape shape, char *text, size_t size)
{
    size_t at = (size_t)snprintf(text, size, shape.rank > 0 ? "(None" : "(");
    for (int i = 1; i < shape.rank && at < size; i++)
        at += (size_t)snprintf(text + at, size - at, ", %lld", (long long)shape.dims[i]);
    if (at < size)
        snprintf(text + at, size - at, ")");
}

static cells cells_of(const tg_summary_row *row)
{
    cells c;
    snprintf(c.text[0], sizeof c.text[0], "%s (%s)", row->layer->name, row->layer->kind);
    tg_make_safe(c.text[0], sizeof c.text[0]);
    shape_text(row->shape, c.text[1], sizeof c.text[1]);
    tg_count_text(row->parameters + row->states, c.text[2], sizeof c.text[2]);
    tg_count_text((int64_t)row->multiply_adds, c.text[3], sizeof c.text[3]);
    return c;
}

static void put_table(FILE *out, const box *lines, const tg_summary_row *rows, int n)
{
    int widths[COLUMNS];
    memcpy(widths, least_width, sizeof widths);
    for (int i = 0; i < n; i++) {
        cells row = cells_of(&rows[i]);
        for (int column = 0; column < COLUMNS; column++) {
            int width = text_width(row.text[column]);
            widths[column] = width > widths[column] ? width : widths[column];
        }
    }
    put_rule(out, lines->top, widths);
    put_cells(out, lines->header_bar, &header, widths);
    put_rule(out, n ? lines->under_header : lines->bottom, widths);
    for (int i = 0; i < n; i++) {
        cells row = cells_of(&rows[i]);
        put_cells(out, lines->bar, &row, widths);
        put_rule(out, i + 1 < n ? lines->between : lines->bottom, widths);
    }
}

static void put_total(FILE *out, const char *what, int64_t count, int64_t bytes)
{
    char count_text[48], size_text[48];
    tg_count_text(count, count_text, sizeof count_text);
    tg_bytes_text((double)bytes, size_text, sizeof size_text);
    fprintf(out, " %s params: %s (%s)\n", what, count_text, size_text);
}

tg_status tg_summary_write(FILE *out, tg_tensor output, tg_summary_options options)
{
    if (!tg_ok(output))
        return TG_ERROR_GRAPH;
    tg_context *context = tg_graph_context(output.graph);
    int n = tg_summary_rows(output, NULL, 0);
    size_t bytes = (size_t)n * sizeof(tg_summary_row);
    tg_summary_row *rows = tg_allocate(context, bytes), all = {.layer = NULL};
    if (!rows)
        return TG_ERROR_MEMORY;
    tg_summary_rows(output, rows, n);
    add_nodes(output.graph, 0, output.id + 1, &all);

    put(out, "Model: \"");
    tg_put_safe(out, options.title ? options.title : "model");
    put(out, "\"\n");
    put_table(out, options.ascii ? &ascii_box : &unicode_box, rows, n);
    put_total(out, "Total", all.parameters + all.states, all.bytes + all.state_bytes);
    put_total(out, "Trainable", all.parameters, all.bytes);
    put_total(out, "Non-trainable", all.states, all.state_bytes);
    tg_release(context, rows, bytes);
    return ferror(out) ? TG_ERROR_IO : TG_OK;
}
