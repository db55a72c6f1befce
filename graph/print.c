#include "graph/print.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "graph/number_text.h"
#include "graph/safe_text.h"

/* ---- numbers: NumPy's choice of digits ---- */

#define MAX_DIGITS 17 /* identify any f64 */
#define PRECISION 8   /* digits after the point */
#define LINE_WIDTH 75
#define SUMMARY_THRESHOLD 1000
#define EDGE_ITEMS 3

/* |x| = 0.d1d2d3... times 10^(exponent + 1), with d1 not 0 unless x is. */
typedef struct decimal {
    char digits[48];
    int count, exponent;
    bool negative;
} decimal;

/* x rounded to `count` significant digits, as printf writes them. */
static decimal round_digits(double x, int count)
{
    char text[64];
    decimal d = {.negative = signbit(x) != 0};
    tg_format(text, sizeof text, "%.*e", count - 1, fabs(x));
    const char *exponent = strchr(text, 'e');
    for (const char *c = text; c < exponent; c++)
        if (*c >= '0' && *c <= '9')
            d.digits[d.count++] = *c;
    d.exponent = atoi(exponent + 1);
    return d;
}

static decimal trimmed(decimal d)
{
    while (d.count > 1 && d.digits[d.count - 1] == '0')
        d.count--;
    return d;
}

/* The fewest digits that identify x among the values of its dtype. */
static decimal shortest(double x, tg_dtype dtype)
{
    int count = 1;
    for (char text[64]; count < MAX_DIGITS; count++) {
        tg_format(text, sizeof text, "%.*e", count - 1, x);
        if (dtype == TG_F32 ? tg_take_f32(text, NULL) == (float)x : tg_take_f64(text, NULL) == x)
            break;
    }
    return trimmed(round_digits(x, count));
}

/* At most PRECISION digits after the point of the positional form; of the scientific one, if `exponential`. */
static decimal shown(double x, tg_dtype dtype, bool exponential)
{
    decimal d = shortest(x, dtype);
    int most = PRECISION + 1 + (exponential ? 0 : d.exponent);
    return d.count > most ? trimmed(round_digits(x, most > 0 ? most : 1)) : d;
}

/* Writes "-12.5", or "7." where nothing follows the point. */
static void write_positional(const decimal *d, char *text)
{
    if (d->negative)
        *text++ = '-';
    for (int place = d->exponent > 0 ? d->exponent : 0; place >= 0; place--) {
        int i = d->exponent - place;
        *text++ = i >= 0 && i < d->count ? d->digits[i] : '0';
    }
    *text++ = '.';
    for (int i = d->exponent + 1; i < d->count; i++)
        *text++ = i >= 0 ? d->digits[i] : '0';
    *text = '\0';
}

/* Writes "-1.25e-07", or "1.e+00" where nothing follows the point; the exponent has at least `exponent_digits` digits. */
static void write_scientific(const decimal *d, int exponent_digits, char *text, size_t size)
{
    snprintf(text, size, "%s%c.%.*se%c%0*d", d->negative ? "-" : "", d->digits[0], d->count - 1, d->digits + 1,
             d->exponent < 0 ? '-' : '+', exponent_digits, abs(d->exponent));
}

/* ---- the layout of an array ---- */

typedef struct printer {
    FILE *out;
    tg_type type;
    const void *values;
    bool summary; /* show the edges only */
    bool exponential;
    int width;       /* of an integer */
    int left, right; /* characters before and after the point */
    int precision, exponent_digits;
    int column, pending; /* in this line, blanks not yet written included */
} printer;

static double value_at(const printer *p, int64_t i)
{
    switch (p->type.dtype) {
    case TG_F32: return (double)((const float *)p->values)[i];
    case TG_F64: return ((const double *)p->values)[i];
    case TG_I32: return ((const int32_t *)p->values)[i];
    default: return ((const uint8_t *)p->values)[i];
    }
}

/* The k-th index shown along an axis: a summary leaves out those between the edges. */
static int64_t shown_count(const printer *p, int64_t extent)
{
    return p->summary && extent > 2 * EDGE_ITEMS ? 2 * EDGE_ITEMS : extent;
}

static int64_t shown_index(const printer *p, int64_t extent, int64_t k)
{
    return shown_count(p, extent) < extent && k >= EDGE_ITEMS ? extent - 2 * EDGE_ITEMS + k : k;
}

/* Calls `visit` for every element that will be shown, in order; the depth is at most TG_MAX_RANK. */
static void for_each_shown(printer *p, int axis, int64_t at, void (*visit)(printer *, double))
{
    if (axis == p->type.shape.rank) {
        visit(p, value_at(p, at));
        return;
    }
    int64_t extent = p->type.shape.dims[axis], n = shown_count(p, extent);
    for (int64_t k = 0; k < n; k++)
        for_each_shown(p, axis + 1, at * extent + shown_index(p, extent, k), visit);
}

static int larger(int a, int b) { return a > b ? a : b; }

static void measure_integer(printer *p, double x)
{
    char text[32];
    p->width = larger(p->width, tg_format(text, sizeof text, "%.0f", x));
}

static void measure_scientific(printer *p, double x)
{
    if (!isfinite(x))
        return;
    decimal d = shown(x, p->type.dtype, true);
    p->left = larger(p->left, 1 + d.negative);
    p->precision = larger(p->precision, d.count - 1);
    p->exponent_digits = larger(p->exponent_digits, abs(d.exponent) >= 100 ? 3 : 2);
}

static void measure_positional(printer *p, double x)
{
    char text[128];
    if (!isfinite(x))
        return;
    decimal d = shown(x, p->type.dtype, false);
    write_positional(&d, text);
    int point = (int)(strchr(text, '.') - text);
    p->left = larger(p->left, point);
    p->right = larger(p->right, (int)strlen(text) - point - 1);
}

/* NaN and infinities take as many characters as they need, aligned to the right. */
static void measure_nonfinite(printer *p, double x)
{
    if (!isfinite(x))
        p->left = larger(p->left, (isnan(x) || x > 0 ? 3 : 4) - p->right - 1);
}

/* Whether the range of the values asks for the scientific form, judged in the dtype's own arithmetic. */
typedef struct range {
    double least, greatest;
} range;

static void widen(printer *p, range *r, int axis, int64_t at)
{
    if (axis == p->type.shape.rank) {
        double x = fabs(value_at(p, at));
        if (isfinite(x) && x != 0) {
            r->least = fmin(r->least, x);
            r->greatest = fmax(r->greatest, x);
        }
        return;
    }
    int64_t extent = p->type.shape.dims[axis], n = shown_count(p, extent);
    for (int64_t k = 0; k < n; k++)
        widen(p, r, axis + 1, at * extent + shown_index(p, extent, k));
}

static bool wants_exponents(printer *p)
{
    range r = {INFINITY, 0};
    widen(p, &r, 0, 0);
    if (r.greatest == 0)
        return false;
    if (p->type.dtype == TG_F32)
        return r.greatest >= 1e6 || (float)r.least < 0.0001f || (float)r.greatest / (float)r.least > 1000.0f;
    return r.greatest >= 1e8 || r.least < 0.0001 || r.greatest / r.least > 1000.0;
}

static void measure(printer *p)
{
    if (!tg_dtype_is_float(p->type.dtype)) {
        for_each_shown(p, 0, 0, measure_integer);
        return;
    }
    p->exponential = wants_exponents(p);
    for_each_shown(p, 0, 0, p->exponential ? measure_scientific : measure_positional);
    if (p->exponential)
        p->right = p->exponent_digits + 2 + p->precision;
    for_each_shown(p, 0, 0, measure_nonfinite);
}

/* One element, padded so that all have their points in one column. */
static void write_element(const printer *p, double x, char *text, size_t size)
{
    char number[128];
    if (!tg_dtype_is_float(p->type.dtype)) {
        tg_format(text, size, "%*.0f", p->width, x);
    } else if (!isfinite(x)) {
        snprintf(text, size, "%*s", p->left + p->right + 1, isnan(x) ? "nan" : x < 0 ? "-inf" : "inf");
    } else if (p->exponential) {
        decimal d = round_digits(x, p->precision + 1);
        write_scientific(&d, p->exponent_digits, number, sizeof number);
        snprintf(text, size, "%*s", p->left + p->right + 1, number);
    } else {
        decimal d = shown(x, p->type.dtype, false);
        write_positional(&d, number);
        int point = (int)(strchr(number, '.') - number);
        snprintf(text, size, "%*s%-*s", p->left - point, "", p->right + 1 + point, number);
    }
}

static void put(printer *p, const char *text)
{
    fprintf(p->out, "%*s%s", p->pending, "", text);
    p->pending = 0;
}

/* Appends a word to a row, or begins a new line with it; blanks at the end of a line are left out. */
static void put_word(printer *p, const char *text, int indent, int width)
{
    int length = (int)strlen(text), solid = length;
    if (p->column + length > width && p->column > indent) {
        fputc('\n', p->out);
        p->column = p->pending = indent;
    }
    while (solid > 0 && text[solid - 1] == ' ')
        solid--;
    fprintf(p->out, "%*s%.*s", p->pending, "", solid, text);
    p->pending = length - solid;
    p->column += length;
}

static void put_row(printer *p, int axis, int64_t at)
{
    int indent = axis + 1, width = LINE_WIDTH - axis - 1;
    int64_t extent = p->type.shape.dims[axis], n = shown_count(p, extent);
    p->column = indent;
    for (int64_t k = 0; k < n; k++) {
        char text[160];
        if (n < extent && k == EDGE_ITEMS) {
            put_word(p, "...", indent, width);
            p->column++;
            p->pending++;
        }
        write_element(p, value_at(p, at * extent + shown_index(p, extent, k)), text, sizeof text);
        put_word(p, text, indent, width);
        if (k + 1 < n) {
            p->column++;
            p->pending++;
        }
    }
}

static void put_block(printer *p, int axis, int64_t at)
{
    int below = p->type.shape.rank - axis - 1;
    int64_t extent = p->type.shape.dims[axis], n = shown_count(p, extent);
    put(p, "[");
    if (below == 0)
        put_row(p, axis, at);
    for (int64_t k = 0; k < n && below > 0; k++) {
        for (int line = 0; k > 0 && line < below; line++)
            put(p, "\n");
        p->pending = k > 0 ? axis + 1 : 0;
        if (n < extent && k == EDGE_ITEMS) {
            put(p, "...");
            for (int line = 0; line < below; line++)
                put(p, "\n");
            p->pending = axis + 1;
        }
        put_block(p, axis + 1, at * extent + shown_index(p, extent, k));
    }
    put(p, "]");
}

/* A tensor of rank 0 is printed like a number: as many digits as identify it. */
static void put_scalar(const printer *p)
{
    double x = value_at(p, 0), size = fabs(x);
    char text[128];
    if (!tg_dtype_is_float(p->type.dtype)) {
        tg_put(p->out, "%.0f", x);
        return;
    }
    if (!isfinite(x)) {
        fputs(isnan(x) ? "nan" : x < 0 ? "-inf" : "inf", p->out);
        return;
    }
    decimal d = shortest(x, p->type.dtype);
    bool exponential = size != 0 && (size < 1e-4 || size >= (p->type.dtype == TG_F32 ? 1e6 : 1e16));
    if (!exponential) {
        write_positional(&d, text);
        fprintf(p->out, "%s%s", text, d.count > d.exponent + 1 ? "" : "0");
        return;
    }
    fprintf(p->out, "%s%c%s%.*se%+03d", d.negative ? "-" : "", d.digits[0], d.count > 1 ? "." : "", d.count - 1, d.digits + 1,
            d.exponent);
}

tg_status tg_print_values(FILE *out, tg_type type, const void *values)
{
    int64_t count = tg_shape_count(type.shape);
    printer p = {.out = out, .type = type, .values = values, .summary = count > SUMMARY_THRESHOLD};
    if (type.shape.rank == 0) {
        put_scalar(&p);
    } else if (count == 0) {
        fputs("[]", out);
    } else {
        measure(&p);
        put_block(&p, 0, 0);
    }
    return ferror(out) ? TG_ERROR_IO : TG_OK;
}

/* ---- the tape ---- */

enum { ID, OP, FORMULA, INPUTS, TYPE, LAYER, LINE, OF, COLUMNS };

static const char *const headings[COLUMNS] = {"id", "op", "formula", "inputs", "type", "layer", "line", "gradient of"};

char *tg_where_text(tg_where where, char *text, size_t size)
{
    const char *file = where.file ? where.file : "?", *slash = strrchr(file, '/');
    snprintf(text, size, "%s:%d", slash ? slash + 1 : file, where.line);
    return text;
}

static void op_text(const tg_node *node, char *text, size_t size)
{
    char detail[96] = "";
    if (node->op->describe)
        node->op->describe(node->attributes, detail, sizeof detail);
    snprintf(text, size, "%s%s%s%s%s", node->op->name, detail[0] ? " " : "", detail, node->name ? " " : "",
             node->name ? node->name : "");
}

static void inputs_text(const tg_node *node, char *text, size_t size)
{
    size_t at = 0;
    text[0] = '\0';
    for (int32_t i = 0; i < node->n_inputs; i++) {
        if (at + 24 > size) {
            snprintf(text + at, size - at, ", ...");
            return;
        }
        at += (size_t)snprintf(text + at, size - at, "%s%d", i ? ", " : "", (int)node->inputs[i]);
    }
}

static void cell_text(const tg_node *node, int column, char *text, size_t size)
{
    char shape[128];
    text[0] = '\0';
    switch (column) {
    case ID: snprintf(text, size, "%d", (int)node->id); break;
    case OP: op_text(node, text, size); break;
    case FORMULA: snprintf(text, size, "%s", node->op->formula ? node->op->formula : ""); break;
    case INPUTS: inputs_text(node, text, size); break;
    case TYPE:
        snprintf(text, size, "%s %s", tg_dtype_name(node->type.dtype), tg_shape_text(node->type.shape, shape, sizeof shape));
        break;
    case LAYER: snprintf(text, size, "%s", node->scope); break;
    case LINE: tg_where_text(node->where, text, size); break;
    default:
        if (node->forward >= 0 && node->forward != node->id)
            snprintf(text, size, "%d", (int)node->forward);
        else if (node->forward >= 0)
            snprintf(text, size, "removed");
    }
    tg_make_safe(text, size);
}

/* Characters of a UTF-8 text. */
static int text_width(const char *text)
{
    int width = 0;
    for (; *text; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

static void put_cell(FILE *out, int column, const char *text, int width, bool last)
{
    int blanks = width - text_width(text);
    bool to_the_right = column == ID;
    if (last)
        fprintf(out, "%s\n", text);
    else
        fprintf(out, "%*s%s%*s  ", to_the_right ? blanks : 0, "", text, to_the_right ? 0 : blanks, "");
}

tg_status tg_print_tape(FILE *out, const tg_graph *graph)
{
    char text[256];
    int widths[COLUMNS], columns = OF;
    int32_t count = tg_graph_count(graph);
    if (!graph)
        return TG_ERROR_ARGUMENT;
    for (int c = 0; c < COLUMNS; c++)
        widths[c] = text_width(headings[c]);
    for (int32_t id = 0; id < count; id++) {
        const tg_node *node = tg_graph_node(graph, id);
        for (int c = 0; c < COLUMNS; c++) {
            cell_text(node, c, text, sizeof text);
            widths[c] = larger(widths[c], text_width(text));
        }
        columns = node->forward >= 0 ? COLUMNS : columns;
    }
    for (int c = 0; c < columns; c++)
        put_cell(out, c, headings[c], widths[c], c + 1 == columns);
    for (int32_t id = 0; id < count; id++)
        for (int c = 0; c < columns; c++) {
            cell_text(tg_graph_node(graph, id), c, text, sizeof text);
            put_cell(out, c, text, widths[c], c + 1 == columns);
        }
    return ferror(out) ? TG_ERROR_IO : TG_OK;
}
