#include <math.h>
#include <string.h>

#include "graph/number_text.h"
#include "train/svg_axis.h"
#include "train/svg_draw.h"

/* The figure and the frame of its axes inside. */
enum { WIDTH = 480, HEIGHT = 340, LEFT = 68, RIGHT = 464, TOP = 38, BOTTOM = 286 };
enum { LEGEND_LINE = 20, LEGEND_SAMPLE = 34, MOST_TICKS = 9 };
#define LEGEND_LETTER 7.2 /* how wide a letter of the legend is at most, on the average */

/* What the frame shows. */
typedef struct axes {
    tg_axis x, y;
    bool counted; /* x is 1, 2, ...: there are no ticks below */
} axes;

static double stored(const tg_svg_series *series, const double *first, int i)
{
    double value;
    size_t stride = series->stride ? series->stride : sizeof value;
    memcpy(&value, (const char *)first + (size_t)i * stride, sizeof value);
    return value;
}

static double value_of(const tg_svg_series *series, int i) { return stored(series, series->values, i); }
static double x_value(const tg_svg_series *series, int i) { return series->x ? stored(series, series->x, i) : i + 1; }

static double x_of(const axes *a, double x) { return tg_axis_place(&a->x, x); }
static double y_of(const axes *a, double y) { return tg_axis_place(&a->y, y); }

/* Whether the i-th value is drawn. */
static bool is_shown(const axes *a, const tg_svg_series *series, int i)
{
    return isfinite(value_of(series, i)) && isfinite(x_of(a, x_value(series, i)));
}

/* The range of the values, or [0, 1] if none is finite. */
static void value_range(const tg_svg_chart *chart, int n_series, double *low, double *high)
{
    *low = INFINITY;
    *high = -INFINITY;
    for (int s = 0; s < n_series; s++)
        for (int i = 0; i < chart->series[s].count; i++) {
            double value = value_of(&chart->series[s], i);
            *low = isfinite(value) ? fmin(*low, value) : *low;
            *high = isfinite(value) ? fmax(*high, value) : *high;
        }
    if (*low > *high)
        *low = 0, *high = 1;
}

static tg_axis y_axis(double low, double high, bool bars)
{
    if (bars)
        low = fmin(low, 0), high = fmax(high, 0);
    /* Values so near to each other that their ticks would not differ are given some room. */
    double span = fmax(high - low, fmax(fabs(high), fabs(low)) * 1e-4);
    span = span > 1e-12 ? span : 1;
    double step = tg_nice_step(span / 6), margin = bars ? 0 : 0.03 * span;
    return (tg_axis){.low = floor((low - margin) / step) * step,
                     .high = ceil((high + margin) / step + 1e-9) * step,
                     .from = BOTTOM,
                     .to = TOP,
                     .step = step};
}

/* The range of x, marks included, of what has a place on the axis; false if there is none. */
static bool x_range(const tg_svg_chart *chart, int n_series, double *low, double *high)
{
    double least = chart->log_x ? 0 : -INFINITY;
    *low = INFINITY;
    *high = -INFINITY;
    for (int s = 0; s < n_series + chart->n_marks; s++) {
        int count = s < n_series ? chart->series[s].count : 1;
        for (int i = 0; i < count; i++) {
            double x = s < n_series ? x_value(&chart->series[s], i) : chart->marks[s - n_series].x;
            if (isfinite(x) && x > least) {
                *low = fmin(*low, x);
                *high = fmax(*high, x);
            }
        }
    }
    return *low <= *high;
}

static tg_axis x_axis(const tg_svg_chart *chart, int n_series, bool bars, bool *counted)
{
    double low, high, side;
    *counted = !chart->log_x;
    for (int s = 0; s < n_series; s++)
        *counted = *counted && !chart->series[s].x;
    if (!x_range(chart, n_series, &low, &high))
        low = high = 1;
    if (chart->log_x)
        return tg_log_axis(low, high, LEFT, RIGHT);
    if (*counted) {
        low = 1;
        side = bars || high <= 1 ? 0.6 : 0.03 * (high - 1);
        return (tg_axis){1 - side, high + side, LEFT, RIGHT, fmax(1, tg_nice_step(high / MOST_TICKS)), false};
    }
    side = high > low ? 0.03 * (high - low) : fmax(fabs(high), 1) * 0.5;
    return (tg_axis){low - side, high + side, LEFT, RIGHT, tg_nice_step((high - low + 2 * side) / MOST_TICKS), false};
}

static axes axes_for(const tg_svg_chart *chart, int n_series, bool bars)
{
    double low, high;
    axes a;
    value_range(chart, n_series, &low, &high);
    a.y = y_axis(low, high, bars);
    a.x = x_axis(chart, n_series, bars, &a.counted);
    return a;
}

static void draw_axes(FILE *out, const tg_svg_chart *chart, const axes *a)
{
    char text[TG_TICK_SIZE];
    double value;
    for (int i = 0; tg_axis_tick(&a->y, i, &value, text); i++) {
        double at = y_of(a, value);
        tg_put(out, "<line class=\"tg-grid\" x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\"/>\n", LEFT, at, RIGHT, at);
        tg_svg_text(out, LEFT - 6, at + 4.5, "tg-small tg-end", text);
    }
    for (int i = 0; tg_axis_tick(&a->x, i, &value, text); i++) {
        double at = x_of(a, value);
        if (a->counted && value < 1)
            continue;
        tg_put(out, "<line class=\"tg-grid\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\"/>\n", at, BOTTOM, at, BOTTOM + 5);
        tg_svg_text(out, at, BOTTOM + 19, "tg-small tg-middle", text);
    }
    fprintf(out, "<rect class=\"tg-frame\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\"/>\n", LEFT, TOP, RIGHT - LEFT,
            BOTTOM - TOP);
    tg_svg_text(out, (LEFT + RIGHT) / 2.0, BOTTOM + 42, "tg-label tg-middle", chart->x_label);
    tg_svg_text_upwards(out, 17, (TOP + BOTTOM) / 2.0, chart->y_label);
}

static void draw_curve(FILE *out, const tg_svg_series *series, const axes *a)
{
    int color = series->color % TG_SVG_COLOR_COUNT;
    bool joined = false;
    fprintf(out, "<path class=\"tg-curve tg-s%d%s\" d=\"", color, series->dashed ? " tg-dashed" : "");
    for (int i = 0; i < series->count; i++) {
        bool shown = is_shown(a, series, i);
        if (shown)
            tg_put(out, "%s%.1f %.1f", joined ? "L" : "M", x_of(a, x_value(series, i)), y_of(a, value_of(series, i)));
        joined = shown;
    }
    fprintf(out, "\"/>\n");
    for (int i = 0; i < series->count && series->count <= 30; i++)
        if (is_shown(a, series, i))
            tg_put(out, "<circle class=\"tg-f%d\" cx=\"%.1f\" cy=\"%.1f\" r=\"3\"/>\n", color, x_of(a, x_value(series, i)),
                   y_of(a, value_of(series, i)));
}

static void draw_mark(FILE *out, const tg_svg_mark *mark, const axes *a)
{
    double at = x_of(a, mark->x);
    if (isfinite(at))
        tg_put(out, "<path class=\"tg-curve tg-s%d tg-mark\" d=\"M%.1f %dV%d\"/>\n", mark->color % TG_SVG_COLOR_COUNT, at, TOP,
               BOTTOM);
}

/* ---- the legend ---- */

typedef struct place {
    double left, top, width, height;
} place;

static bool covers(place p, double x, double y)
{
    enum { ROOM = 4 };
    return x > p.left - ROOM && x < p.left + p.width + ROOM && y > p.top - ROOM && y < p.top + p.height + ROOM;
}

/* How much of the curves and marks lies below a legend there. */
static int hidden_by(const tg_svg_chart *chart, const axes *a, place p)
{
    enum { PARTS = 16 };
    int hidden = 0;
    for (int s = 0; s < chart->n_series; s++) {
        const tg_svg_series *series = &chart->series[s];
        for (int i = 0; i < series->count; i++) {
            int next = i + 1 < series->count ? i + 1 : i;
            double x = x_of(a, x_value(series, i)), dx = x_of(a, x_value(series, next)) - x;
            double y = y_of(a, value_of(series, i)), dy = y_of(a, value_of(series, next)) - y;
            for (int part = 0; part < PARTS; part++)
                hidden += covers(p, x + dx * part / PARTS, y + dy * part / PARTS);
        }
    }
    for (int m = 0; m < chart->n_marks; m++)
        for (int part = 0; part < PARTS; part++)
            hidden += covers(p, x_of(a, chart->marks[m].x), TOP + (BOTTOM - TOP) * (part + 0.5) / PARTS);
    return hidden;
}

/* Of the corners, and then the middles of the sides, the first that hides least. */
static place best_place(const tg_svg_chart *chart, const axes *a, double width, double height)
{
    enum { GAP = 8 };
    double right = RIGHT - GAP - width, left = LEFT + GAP, top = TOP + GAP, bottom = BOTTOM - GAP - height;
    double middle_x = (left + right) / 2, middle_y = (top + bottom) / 2;
    const double corners[][2] = {{right, top},      {right, bottom},  {left, top},        {left, bottom},
                                 {right, middle_y}, {left, middle_y}, {middle_x, bottom}, {middle_x, top}};
    place best = {0};
    int least = -1;
    for (size_t i = 0; i < sizeof corners / sizeof *corners; i++) {
        place p = {corners[i][0], corners[i][1], width, height};
        int hidden = hidden_by(chart, a, p);
        if (least < 0 || hidden < least) {
            best = p;
            least = hidden;
        }
    }
    return best;
}

/* The look of a legend's i-th line, of which the marks' are last. */
static const char *legend_line(const tg_svg_chart *chart, int i, int *color, const char **look)
{
    const tg_svg_mark *mark = i < chart->n_series ? NULL : &chart->marks[i - chart->n_series];
    *color = (mark ? mark->color : chart->series[i].color) % TG_SVG_COLOR_COUNT;
    *look = mark ? " tg-mark" : chart->series[i].dashed ? " tg-dashed" : "";
    return mark ? mark->label : chart->series[i].label;
}

static void draw_legend(FILE *out, const tg_svg_chart *chart, const axes *a)
{
    size_t longest = 0;
    const char *look;
    int color, lines = chart->n_series + chart->n_marks;
    for (int i = 0; i < lines; i++) {
        size_t length = strlen(legend_line(chart, i, &color, &look));
        longest = length > longest ? length : longest;
    }
    double width = LEGEND_SAMPLE + 22 + (double)longest * LEGEND_LETTER;
    place p = best_place(chart, a, fmin(width, RIGHT - LEFT - 16), lines * LEGEND_LINE + 8);
    tg_put(out, "<rect class=\"tg-legend\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" rx=\"4\"/>\n", p.left, p.top,
           p.width, p.height);
    for (int i = 0; i < lines; i++) {
        const char *label = legend_line(chart, i, &color, &look);
        double y = p.top + 4 + LEGEND_LINE * (i + 0.5);
        tg_put(out, "<path class=\"tg-curve tg-s%d%s\" d=\"M%.1f %.1fh%d\"/>\n", color, look, p.left + 8, y, LEGEND_SAMPLE);
        tg_svg_text(out, p.left + LEGEND_SAMPLE + 15, y + 4.5, "tg-small", label);
    }
}

/* ---- figures ---- */

tg_status tg_svg_curves(FILE *out, const tg_svg_chart *chart)
{
    axes a = axes_for(chart, chart->n_series, false);
    tg_svg_open(out, WIDTH, HEIGHT, chart->title);
    draw_axes(out, chart, &a);
    for (int s = 0; s < chart->n_series; s++)
        draw_curve(out, &chart->series[s], &a);
    for (int m = 0; m < chart->n_marks; m++)
        draw_mark(out, &chart->marks[m], &a);
    if (chart->n_series + chart->n_marks > 0)
        draw_legend(out, chart, &a);
    return tg_svg_close(out);
}

tg_status tg_svg_bars(FILE *out, const tg_svg_chart *chart)
{
    axes a = axes_for(chart, chart->n_series > 0, true);
    tg_svg_open(out, WIDTH, HEIGHT, chart->title);
    draw_axes(out, chart, &a);
    for (int i = 0; chart->n_series > 0 && i < chart->series->count; i++) {
        double value = value_of(chart->series, i);
        if (isfinite(value))
            tg_put(out, "<rect class=\"tg-f%d\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>\n",
                   chart->series->color % TG_SVG_COLOR_COUNT, x_of(&a, i + 0.65), y_of(&a, fmax(value, 0)),
                   x_of(&a, 1.7) - x_of(&a, 1), fabs(y_of(&a, value) - y_of(&a, 0)));
    }
    return tg_svg_close(out);
}
