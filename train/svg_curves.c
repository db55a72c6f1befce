#include <math.h>
#include <string.h>

#include "train/svg_draw.h"

/* The figure and the frame of its axes inside. */
enum { WIDTH = 480, HEIGHT = 340, LEFT = 68, RIGHT = 464, TOP = 38, BOTTOM = 286 };
enum { LEGEND_LINE = 20, LEGEND_SAMPLE = 34, MOST_TICKS = 9 };
#define LEGEND_LETTER 7.2 /* how wide a letter of the legend is at most, on the average */

/* What the frame shows: x from x0 to x1, y from y0 to y1 in steps of y_step. */
typedef struct axes {
    double x0, x1, y0, y1, y_step;
    int x_step;
} axes;

static double value_of(const tg_svg_series *series, int i)
{
    double value;
    size_t stride = series->stride ? series->stride : sizeof value;
    memcpy(&value, (const char *)series->values + (size_t)i * stride, sizeof value);
    return value;
}

static double x_of(const axes *a, double x) { return LEFT + (x - a->x0) / (a->x1 - a->x0) * (RIGHT - LEFT); }
static double y_of(const axes *a, double y) { return BOTTOM - (y - a->y0) / (a->y1 - a->y0) * (BOTTOM - TOP); }

/* The least of 1, 2 and 5 times a power of ten that is at least `rough`. */
static double nice_step(double rough)
{
    double power = pow(10, floor(log10(rough))), part = rough / power;
    return power * (part <= 1.0001 ? 1 : part <= 2.0001 ? 2 : part <= 5.0001 ? 5 : 10);
}

static axes axes_for(const tg_svg_chart *chart, int n_series, bool bars)
{
    double low = INFINITY, high = -INFINITY;
    int count = 1;
    for (int s = 0; s < n_series; s++) {
        for (int i = 0; i < chart->series[s].count; i++) {
            double value = value_of(&chart->series[s], i);
            low = isfinite(value) ? fmin(low, value) : low;
            high = isfinite(value) ? fmax(high, value) : high;
        }
        count = chart->series[s].count > count ? chart->series[s].count : count;
    }
    if (low > high)
        low = 0, high = 1; /* nothing finite */
    if (bars)
        low = fmin(low, 0), high = fmax(high, 0);
    /* Values so near to each other that their ticks would not differ are given some room. */
    double span = fmax(high - low, fmax(fabs(high), fabs(low)) * 1e-4);
    span = span > 1e-12 ? span : 1;
    axes a = {.y_step = nice_step(span / 6)};
    double margin = bars ? 0 : 0.03 * span;
    a.y0 = floor((low - margin) / a.y_step) * a.y_step;
    a.y1 = ceil((high + margin) / a.y_step + 1e-9) * a.y_step;
    a.x_step = (int)fmax(1, nice_step((double)count / MOST_TICKS));
    double side = bars || count == 1 ? 0.6 : 0.03 * (count - 1);
    a.x0 = 1 - side;
    a.x1 = count + side;
    return a;
}

static void draw_axes(FILE *out, const tg_svg_chart *chart, const axes *a)
{
    char text[40];
    int decimals = (int)fmax(0, -floor(log10(a->y_step) + 1e-9)), ticks = (int)lround((a->y1 - a->y0) / a->y_step);
    for (int i = 0; i <= ticks; i++) {
        double y = a->y0 + i * a->y_step, at = y_of(a, y);
        fprintf(out, "<line class=\"tg-grid\" x1=\"%d\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\"/>\n", LEFT, at, RIGHT, at);
        y = fabs(y) < a->y_step / 2 ? 0 : y; /* no -0 */
        if (decimals > 5 || fabs(a->y1) >= 1e6)
            snprintf(text, sizeof text, "%.3g", y);
        else
            snprintf(text, sizeof text, "%.*f", decimals, y);
        tg_svg_text(out, LEFT - 6, at + 4.5, "tg-small tg-end", text);
    }
    for (int x = a->x_step == 1 ? 1 : a->x_step; x <= a->x1; x += a->x_step) {
        fprintf(out, "<line class=\"tg-grid\" x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\"/>\n", x_of(a, x), BOTTOM, x_of(a, x),
                BOTTOM + 5);
        snprintf(text, sizeof text, "%d", x);
        tg_svg_text(out, x_of(a, x), BOTTOM + 19, "tg-small tg-middle", text);
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
        double value = value_of(series, i);
        if (isfinite(value))
            fprintf(out, "%s%.1f %.1f", joined ? "L" : "M", x_of(a, i + 1), y_of(a, value));
        joined = isfinite(value);
    }
    fprintf(out, "\"/>\n");
    for (int i = 0; i < series->count && series->count <= 30; i++)
        if (isfinite(value_of(series, i)))
            fprintf(out, "<circle class=\"tg-f%d\" cx=\"%.1f\" cy=\"%.1f\" r=\"3\"/>\n", color, x_of(a, i + 1),
                    y_of(a, value_of(series, i)));
}

/* ---- the legend ---- */

typedef struct place {
    double left, top, width, height;
} place;

/* How much of the curves lies below a legend there. */
static int hidden_by(const tg_svg_chart *chart, const axes *a, place p)
{
    enum { PARTS = 16, ROOM = 4 };
    int hidden = 0;
    for (int s = 0; s < chart->n_series; s++) {
        const tg_svg_series *series = &chart->series[s];
        for (int i = 0; i < series->count; i++) {
            double from = value_of(series, i), to = i + 1 < series->count ? value_of(series, i + 1) : from;
            for (int part = 0; part < PARTS; part++) {
                double t = (double)part / PARTS, x = x_of(a, i + 1 + (i + 1 < series->count ? t : 0));
                double y = y_of(a, from + t * (to - from));
                hidden += x > p.left - ROOM && x < p.left + p.width + ROOM && y > p.top - ROOM && y < p.top + p.height + ROOM;
            }
        }
    }
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

static void draw_legend(FILE *out, const tg_svg_chart *chart, const axes *a)
{
    size_t longest = 0;
    for (int s = 0; s < chart->n_series; s++)
        longest = strlen(chart->series[s].label) > longest ? strlen(chart->series[s].label) : longest;
    double width = LEGEND_SAMPLE + 22 + (double)longest * LEGEND_LETTER;
    place p = best_place(chart, a, fmin(width, RIGHT - LEFT - 16), chart->n_series * LEGEND_LINE + 8);
    fprintf(out, "<rect class=\"tg-legend\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" rx=\"4\"/>\n", p.left, p.top,
            p.width, p.height);
    for (int s = 0; s < chart->n_series; s++) {
        const tg_svg_series *series = &chart->series[s];
        double y = p.top + 4 + LEGEND_LINE * (s + 0.5);
        fprintf(out, "<path class=\"tg-curve tg-s%d%s\" d=\"M%.1f %.1fh%d\"/>\n", series->color % TG_SVG_COLOR_COUNT,
                series->dashed ? " tg-dashed" : "", p.left + 8, y, LEGEND_SAMPLE);
        tg_svg_text(out, p.left + LEGEND_SAMPLE + 15, y + 4.5, "tg-small", series->label);
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
    if (chart->n_series > 0)
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
            fprintf(out, "<rect class=\"tg-f%d\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>\n",
                    chart->series->color % TG_SVG_COLOR_COUNT, x_of(&a, i + 0.65), y_of(&a, fmax(value, 0)),
                    x_of(&a, 1.7) - x_of(&a, 1), fabs(y_of(&a, value) - y_of(&a, 0)));
    }
    return tg_svg_close(out);
}
