#include <string.h>

#include "harness.h"
#include "train/image_text.h"

static const uint8_t image[3][4] = {{0, 255, 0, 255}, {0, 0, 255, 255}, {95, 96, 128, 200}};
static char text[TG_IMAGE_LINE_SIZE(28)];

static const char *line(int i, tg_shading shading) { return tg_image_line(image[0], 3, 4, i, shading, text, sizeof text); }

START_TEST(half_blocks_show_ink)
{
    ck_assert_str_eq(line(0, TG_SHADING_BLOCKS), " ▀▄█");
    ck_assert_str_eq(line(1, TG_SHADING_BLOCKS), " ▀▀▀");
}
END_TEST

START_TEST(shades_are_means)
{
    ck_assert_str_eq(line(0, TG_SHADING_ASCII), " ==@");
    ck_assert_str_eq(line(1, TG_SHADING_ASCII), "..:-");
}
END_TEST

START_TEST(greys_are_of_the_256_colours)
{
    ck_assert_str_eq(line(0, TG_SHADING_GREYS), "\33[38;5;232;48;5;232m▀\33[38;5;255;48;5;232m▀\33[38;5;232;48;5;255m▀"
                                                "\33[38;5;255;48;5;255m▀\33[0m");
    ck_assert(strstr(line(1, TG_SHADING_GREYS), "\33[38;5;243;48;5;232m") != NULL);
}
END_TEST

START_TEST(a_whole_line_fits_its_size_and_a_small_one_is_cut)
{
    uint8_t white[56];
    memset(white, 255, sizeof white);
    tg_image_line(white, 2, 28, 0, TG_SHADING_GREYS, text, sizeof text);
    int blocks = 0;
    for (const char *at = text; (at = strstr(at, "▀")) != NULL; at++)
        blocks++;
    ck_assert_int_eq(blocks, 28);
    for (size_t size = 1; size < 100; size++) {
        memset(text, '#', sizeof text);
        tg_image_line(white, 2, 28, 0, TG_SHADING_GREYS, text, size);
        ck_assert_uint_lt(strlen(text), size);
        ck_assert_int_eq(text[size], '#');
        ck_assert(text[0] == 0 || strcmp(text + strlen(text) - 4, "\33[0m") == 0 || size < 5);
    }
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("image_text");
    tcase_add_test(tests, half_blocks_show_ink);
    tcase_add_test(tests, shades_are_means);
    tcase_add_test(tests, greys_are_of_the_256_colours);
    tcase_add_test(tests, a_whole_line_fits_its_size_and_a_small_one_is_cut);
    return harness_run("image_text", tests);
}
