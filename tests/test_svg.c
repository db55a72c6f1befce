#include <locale.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "graph/number_text.h"
#include "harness.h"
#include "train/png.h"
#include "train/svg.h"

static char *text;
static size_t size;
static FILE *out;

static void setup(void) { out = open_memstream(&text, &size); }

static void teardown(void)
{
    fclose(out);
    free(text);
}

static int scan(const char *from, const char *format, ...)
{
    locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0), former = uselocale(plain);
    va_list arguments;
    va_start(arguments, format);
    int taken = vsscanf(from, format, arguments);
    va_end(arguments);
    uselocale(former);
    freelocale(plain);
    return taken;
}

static int occurrences(const char *what)
{
    int n = 0;
    for (const char *at = text; (at = strstr(at, what)); at += strlen(what))
        n++;
    return n;
}

/* Tags nest, attributes are quoted, and & begins an entity. */
static bool well_formed(const char *at)
{
    char open[32][32];
    int depth = 0;
    for (; *at; at++) {
        if (*at == '&' && !strchr(at, ';'))
            return false;
        if (*at != '<')
            continue;
        bool closes = at[1] == '/';
        const char *name = at + 1 + closes, *end = name + strcspn(name, " />");
        int length = (int)(end - name), quotes = 0;
        for (at = end; *at && (*at != '>' || quotes % 2); at++) {
            quotes += *at == '"';
            if (*at == '<')
                return false;
        }
        if (!*at || quotes % 2 || length == 0 || length > 31)
            return false;
        if (closes && (depth == 0 || strncmp(open[--depth], name, (size_t)length) != 0 || open[depth][length]))
            return false;
        if (!closes && at[-1] != '/')
            snprintf(open[depth++], sizeof *open, "%.*s", length, name);
    }
    return depth == 0;
}

static void check_figure(tg_status status)
{
    ck_assert_int_eq(status, TG_OK);
    fflush(out);
    ck_assert_msg(well_formed(text), "%s", text);
    ck_assert_int_eq(occurrences("<svg "), 1);
    ck_assert_int_eq(occurrences("http"), 1); /* the name space */
    ck_assert_int_eq(occurrences("nan"), 0);
    ck_assert_int_eq(occurrences("inf"), 0);
}

static const double rising[] = {0.5, 0.8, 0.9, 0.93, 0.95, 0.96, 0.97, 0.975}, falling[] = {2, 1, 0.5, 0.3, 0.2, 0.15, 0.12, 0.1};

static tg_svg_chart chart_of(const tg_svg_series *series, int n)
{
    return (tg_svg_chart){.title = "Accuracy", .x_label = "Epoch", .y_label = "Share", .series = series, .n_series = n};
}

START_TEST(curves_have_points_labels_and_a_legend)
{
    const tg_svg_series series[] = {{.label = "train <&>", .values = rising, .count = 8, .dashed = true},
                                    {.label = "valid", .values = rising, .count = 7, .color = TG_SVG_ORANGE}};
    tg_svg_chart chart = chart_of(series, 2);
    check_figure(tg_svg_curves(out, &chart));
    ck_assert_int_eq(occurrences("<circle class=\"tg-f0\""), 8);
    ck_assert_int_eq(occurrences("<circle class=\"tg-f1\""), 7);
    ck_assert_int_eq(occurrences("class=\"tg-curve tg-s0 tg-dashed\""), 2); /* the curve, and its sample in the legend */
    ck_assert_int_eq(occurrences("class=\"tg-curve tg-s1\""), 2);
    ck_assert_int_eq(occurrences(">train &lt;&amp;&gt;<"), 1);
    ck_assert_int_eq(occurrences(">Epoch<"), 1);
    ck_assert_int_eq(occurrences(">Share<"), 1);
}
END_TEST

static void legend_at(const double *values, double *x, double *y)
{
    const tg_svg_series series = {.label = "train", .values = values, .count = 8};
    tg_svg_chart chart = chart_of(&series, 1);
    rewind(out);
    check_figure(tg_svg_curves(out, &chart));
    ck_assert_int_eq(scan(strstr(text, "class=\"tg-legend\""), "class=\"tg-legend\" x=\"%lf\" y=\"%lf\"", x, y), 2);
}

START_TEST(the_legend_is_where_curves_are_not)
{
    double x, y;
    legend_at(rising, &x, &y);
    ck_assert(x > 240 && y > 170);
    teardown();
    setup();
    legend_at(falling, &x, &y);
    ck_assert(x > 240 && y < 170);
}
END_TEST

START_TEST(what_is_not_finite_leaves_a_gap)
{
    const double values[] = {1, NAN, 3, INFINITY, 5, 6};
    const tg_svg_series series = {.label = "loss", .values = values, .count = 6};
    tg_svg_chart chart = chart_of(&series, 1);
    check_figure(tg_svg_curves(out, &chart));
    ck_assert_int_eq(occurrences("<circle"), 4);
    const char *path = strstr(text, "d=\"M"), *end = strchr(path + 3, '"');
    int moves = 0, lines = 0;
    for (const char *at = path + 3; at < end; at++) {
        moves += *at == 'M';
        lines += *at == 'L';
    }
    ck_assert_int_eq(moves, 3);
    ck_assert_int_eq(lines, 1);
}
END_TEST

/* Where the small text `label` in the middle of its place stands; -1: nowhere. */
static double tick_at(const char *label)
{
    char end[64];
    snprintf(end, sizeof end, ">%s</text>", label);
    const char *start = "<text class=\"tg-small tg-middle\" x=\"";
    for (const char *at = text; (at = strstr(at, start)); at++) {
        const char *shown = strchr(at, '>');
        if (strncmp(shown, end, strlen(end)) == 0)
            return tg_take_f64(at + strlen(start), NULL);
    }
    return -1;
}

static void draw_log(double low, double high)
{
    const double rates[] = {low, sqrt(low) * sqrt(high), high};
    const tg_svg_series series = {.label = "loss", .values = falling, .x = rates, .count = 3};
    const tg_svg_mark mark = {"suggested <1>", rates[1], TG_SVG_ORANGE};
    tg_svg_chart chart = chart_of(&series, 1);
    chart.log_x = true;
    chart.marks = &mark;
    chart.n_marks = 1;
    teardown();
    setup();
    check_figure(tg_svg_curves(out, &chart));
}

START_TEST(a_logarithmic_axis_has_its_decades)
{
    double at[8];
    static const char *const labels[] = {"1e-6", "1e-5", "1e-4", "1e-3", "0.01", "0.1", "1", "10"};
    draw_log(1e-6, 10);
    for (int i = 0; i < 8; i++) {
        at[i] = tick_at(labels[i]);
        ck_assert_msg(at[i] > 68 && at[i] < 464, "%s at %g", labels[i], at[i]);
        if (i > 0)
            ck_assert_double_eq_tol(at[i] - at[i - 1], at[1] - at[0], 0.11);
    }
    double x, middle;
    ck_assert_int_eq(scan(strstr(text, "<circle"), "<circle class=\"tg-f0\" cx=\"%lf", &x), 1);
    ck_assert_double_eq_tol(x, at[0], 0.11);
    ck_assert_int_eq(scan(strstr(text, "tg-mark\" d=\""), "tg-mark\" d=\"M%lf", &middle), 1);
    ck_assert_double_eq_tol(middle, (at[0] + at[7]) / 2, 0.11);
    ck_assert_int_eq(occurrences("class=\"tg-curve tg-s1 tg-mark\""), 2); /* the line, and its sample in the legend */
    ck_assert_int_eq(occurrences(">suggested &lt;1&gt;<"), 1);
}
END_TEST

START_TEST(a_logarithmic_axis_suits_its_range)
{
    draw_log(0.03, 0.7);
    ck_assert(tick_at("0.05") > 0 && tick_at("0.1") > 0 && tick_at("0.2") > 0 && tick_at("0.5") > 0);
    ck_assert(tick_at("0.02") < 0 && tick_at("1") < 0);
    draw_log(2e3, 9e3);
    ck_assert(tick_at("2e3") > 0 && tick_at("5e3") > 0 && tick_at("1e3") < 0);
    draw_log(1e-12, 1e12);
    ck_assert(tick_at("1e-12") > 0 && tick_at("1e-9") > 0 && tick_at("1") > 0 && tick_at("1e12") > 0 && tick_at("0.1") < 0);
    draw_log(5, 5);
    ck_assert(tick_at("5") > 0);
    draw_log(1e-300, 1e300);
    ck_assert_int_gt(occurrences("tg-small tg-middle"), 4);
    ck_assert_int_lt(occurrences("tg-small tg-middle"), 12);
}
END_TEST

START_TEST(what_has_no_place_on_a_logarithmic_axis_leaves_a_gap)
{
    const double rates[] = {0, 0.1, -1, 1, INFINITY, 10};
    const tg_svg_series series = {.label = "loss", .values = falling, .x = rates, .count = 6};
    const tg_svg_mark nowhere = {"nowhere", 0, TG_SVG_RED};
    tg_svg_chart chart = chart_of(&series, 1);
    chart.log_x = true;
    chart.marks = &nowhere;
    chart.n_marks = 1;
    check_figure(tg_svg_curves(out, &chart));
    ck_assert_int_eq(occurrences("<circle"), 3);
    ck_assert_int_eq(occurrences("tg-mark\""), 1); /* the sample in the legend */
    const tg_svg_series none = {.label = "loss", .values = falling, .x = rates, .count = 1};
    chart.series = &none;
    teardown();
    setup();
    check_figure(tg_svg_curves(out, &chart));
}
END_TEST

START_TEST(curves_may_have_their_own_x)
{
    const double places[] = {-20, 0, 35};
    const tg_svg_series series = {.label = "loss", .values = falling, .x = places, .count = 3};
    tg_svg_chart chart = chart_of(&series, 1);
    check_figure(tg_svg_curves(out, &chart));
    ck_assert(tick_at("-20") > 0 && tick_at("-10") > tick_at("-20") && tick_at("30") > tick_at("0"));
    double x;
    ck_assert_int_eq(scan(strstr(text, "<circle"), "<circle class=\"tg-f0\" cx=\"%lf", &x), 1);
    ck_assert_double_eq_tol(x, tick_at("-20"), 0.11);
}
END_TEST

START_TEST(values_may_lie_in_records)
{
    const double records[][3] = {{1, 2, 3}, {4, 5, 6}};
    const tg_svg_series apart = {.label = "a", .values = &records[0][1], .stride = sizeof *records, .count = 2};
    const double packed[] = {2, 5};
    const tg_svg_series together = {.label = "a", .values = packed, .count = 2};
    tg_svg_chart chart = chart_of(&apart, 1);
    check_figure(tg_svg_curves(out, &chart));
    char *first = strdup(text);
    teardown();
    setup();
    chart.series = &together;
    check_figure(tg_svg_curves(out, &chart));
    ck_assert_str_eq(text, first);
    free(first);
}
END_TEST

START_TEST(few_and_equal_values_are_fine)
{
    static const double cases[][2] = {{0, 0}, {1, 1}, {1e-300, 1e-300}, {-3, -3}, {1e9, 1e9}, {NAN, NAN}, {0, 1e300}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int count = 0; count <= 2; count++) {
            const tg_svg_series series = {.label = "a", .values = cases[i], .count = count};
            tg_svg_chart chart = chart_of(&series, 1);
            teardown();
            setup();
            check_figure(tg_svg_curves(out, &chart));
            teardown();
            setup();
            check_figure(tg_svg_bars(out, &chart));
        }
    tg_svg_chart empty = chart_of(NULL, 0);
    teardown();
    setup();
    check_figure(tg_svg_curves(out, &empty));
    ck_assert_int_eq(occurrences("tg-legend\""), 0);
}
END_TEST

START_TEST(bars_begin_at_0)
{
    const tg_svg_series series = {.label = "s", .values = falling, .count = 8, .color = TG_SVG_GREEN};
    tg_svg_chart chart = chart_of(&series, 1);
    check_figure(tg_svg_bars(out, &chart));
    ck_assert_int_eq(occurrences("<rect class=\"tg-f2\""), 8);
    double y, height;
    ck_assert_int_eq(scan(strstr(text, "<rect class=\"tg-f2\""),
                          "<rect class=\"tg-f2\" x=\"%*f\" y=\"%lf\" width=\"%*f\" height=\"%lf\"", &y, &height),
                     2);
    ck_assert_double_eq_tol(y + height, 286, 0.2); /* the axis */
}
END_TEST

START_TEST(a_confusion_matrix_shows_every_count)
{
    const int64_t counts[] = {90, 10, 0, 0, 1234567, 3, 0, 0, 0};
    check_figure(tg_svg_confusion(out, "Confusion", counts, 3, NULL));
    ck_assert_int_eq(occurrences("class=\"tg-heat\""), 4);
    ck_assert_int_eq(occurrences(">90<"), 1);
    ck_assert_int_eq(occurrences(">1234567<"), 1);
    ck_assert_int_eq(occurrences(">0<"), 7);                    /* five counts and two names */
    ck_assert_int_eq(occurrences("fill-opacity=\"0.949\""), 1); /* sqrt(90 / 100) */
}
END_TEST

START_TEST(a_confusion_matrix_names_its_classes)
{
    const int64_t counts[] = {90, 10, 0, 0, 7, 3, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5};
    static const char *const names[] = {"a & b", "A name that is far too long", "c", "d"};
    check_figure(tg_svg_confusion(out, "Confusion", counts, 4, names));
    ck_assert_int_eq(occurrences(">a &amp; b<"), 2);
    ck_assert_int_eq(occurrences(">A name that is…<"), 2);
    ck_assert_int_eq(occurrences("rotate(-45)"), 4);
    double width;
    ck_assert_int_eq(scan(strstr(text, "width="), "width=\"%lf\"", &width), 1);
    ck_assert_double_gt(width, 480); /* the names have room on the left */
}
END_TEST

START_TEST(short_names_stand_below_their_columns)
{
    const int64_t counts[] = {1, 2, 3, 4};
    static const char *const names[] = {"cat", "dog"};
    check_figure(tg_svg_confusion(out, "Confusion", counts, 2, names));
    ck_assert_int_eq(occurrences(">cat<"), 2);
    ck_assert_int_eq(occurrences("rotate(-45)"), 0);
}
END_TEST

START_TEST(images_carry_their_captions)
{
    static const uint8_t pixels[4] = {0, 85, 170, 255};
    tg_svg_image images[5] = {{pixels, {"true 4, said 9", "99.9 %"}},
                              {pixels, {"a \"b\"", ""}},
                              {pixels, {"", ""}},
                              {pixels, {"", ""}},
                              {pixels, {"", ""}}};
    const tg_svg_gallery gallery = {.title = "Mistakes", .images = images, .n_images = 5, .rows = 2, .columns = 2};
    check_figure(tg_svg_images(out, &gallery));
    ck_assert_int_eq(occurrences("<image "), 5);
    ck_assert_int_eq(occurrences("data:image/png;base64,"), 5);
    ck_assert_int_eq(occurrences("99.9 %"), 1);
    ck_assert_int_eq(occurrences("a &quot;b&quot;"), 1);
}
END_TEST

START_TEST(long_captions_make_room)
{
    static const uint8_t pixel = 0;
    tg_svg_image images[4] = {
        {&pixel, {"true T-shirt/top: 0.1 %", "said Shirt: 99.9 %"}}, {&pixel, {"", ""}}, {&pixel, {"", ""}}, {&pixel, {"", ""}}};
    const tg_svg_gallery gallery = {.title = "Mistakes", .images = images, .n_images = 4, .rows = 1, .columns = 1};
    check_figure(tg_svg_images(out, &gallery));
    ck_assert_int_eq(occurrences(" y=\"38\""), 3); /* on the first line */
}
END_TEST

/* The same bytes by Python: IHDR, zlib.compress(b"\0\x00\x80\xff", 0) and IEND with their zlib.crc32. */
START_TEST(a_png_is_stored)
{
    static const uint8_t pixels[] = {0, 128, 255};
    tg_png_data_uri(out, pixels, 1, 3);
    fflush(out);
    ck_assert_str_eq(text, "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAMAAAABCAAAAAA+i0toAAAAD0lEQVR4AQEEAPv/"
                           "AACA/wIDAYCdf0zNAAAAAElFTkSuQmCC");
}
END_TEST

START_TEST(text_is_escaped)
{
    tg_xml_text(out, "a<b> & \"c\" 'd' \xc3\xa9 \x01 \xff \xEF\xBF\xBE");
    fflush(out);
    ck_assert_str_eq(text, "a&lt;b&gt; &amp; &quot;c&quot; &#39;d&#39; \xc3\xa9 \xEF\xBF\xBD \xEF\xBF\xBD \xEF\xBF\xBD");
}
END_TEST

START_TEST(a_full_disk_is_told)
{
    const int64_t one = 1;
    FILE *full = fopen("/dev/full", "w");
    if (!full)
        return;
    setvbuf(full, NULL, _IONBF, 0);
    ck_assert_int_eq(tg_svg_confusion(full, "Confusion", &one, 1, NULL), TG_ERROR_IO);
    fclose(full);
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("svg");
    tcase_add_checked_fixture(tests, setup, teardown);
    tcase_add_test(tests, curves_have_points_labels_and_a_legend);
    tcase_add_test(tests, the_legend_is_where_curves_are_not);
    tcase_add_test(tests, what_is_not_finite_leaves_a_gap);
    tcase_add_test(tests, a_logarithmic_axis_has_its_decades);
    tcase_add_test(tests, a_logarithmic_axis_suits_its_range);
    tcase_add_test(tests, what_has_no_place_on_a_logarithmic_axis_leaves_a_gap);
    tcase_add_test(tests, curves_may_have_their_own_x);
    tcase_add_test(tests, values_may_lie_in_records);
    tcase_add_test(tests, few_and_equal_values_are_fine);
    tcase_add_test(tests, bars_begin_at_0);
    tcase_add_test(tests, a_confusion_matrix_shows_every_count);
    tcase_add_test(tests, a_confusion_matrix_names_its_classes);
    tcase_add_test(tests, short_names_stand_below_their_columns);
    tcase_add_test(tests, images_carry_their_captions);
    tcase_add_test(tests, long_captions_make_room);
    tcase_add_test(tests, a_png_is_stored);
    tcase_add_test(tests, text_is_escaped);
    tcase_add_test(tests, a_full_disk_is_told);
    return harness_run("svg", tests);
}
