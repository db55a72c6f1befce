#include <math.h>
#include <stdlib.h>
#include <string.h>

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
    ck_assert_int_eq(sscanf(strstr(text, "class=\"tg-legend\""), "class=\"tg-legend\" x=\"%lf\" y=\"%lf\"", x, y), 2);
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
    ck_assert_int_eq(sscanf(strstr(text, "<rect class=\"tg-f2\""),
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
    ck_assert_int_eq(sscanf(strstr(text, "width="), "width=\"%lf\"", &width), 1);
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
