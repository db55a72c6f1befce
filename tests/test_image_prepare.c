#include <math.h>
#include <string.h>

#include "harness.h"
#include "train/image_prepare.h"

#define ROWS 100
#define COLUMNS 120

static uint8_t image[ROWS * COLUMNS], prepared[TG_MNIST_PIXELS], other[TG_MNIST_PIXELS];

/* An image of `background` with a rectangle of `ink`. */
static void paint(int background, int ink, int top, int left, int height, int width)
{
    memset(image, background, sizeof image);
    for (int r = top; r < top + height; r++)
        memset(image + r * COLUMNS + left, ink, (size_t)width);
}

/* Row and column of the prepared image's box, its extents, and its centre of mass. */
typedef struct place {
    int top, left, rows, columns;
    double row, column;
} place;

static place find(const uint8_t *pixels)
{
    place p = {28, 28, 0, 0, 0, 0};
    double mass = 0;
    int bottom = 0, right = 0;
    for (int i = 0; i < TG_MNIST_PIXELS; i++) {
        int r = i / 28, c = i % 28;
        if (pixels[i] == 0)
            continue;
        p.top = r < p.top ? r : p.top, p.left = c < p.left ? c : p.left;
        bottom = r + 1, right = c + 1 > right ? c + 1 : right;
        mass += pixels[i], p.row += r * pixels[i], p.column += c * pixels[i];
    }
    p.rows = bottom - p.top, p.columns = right - p.left;
    p.row /= mass, p.column /= mass;
    return p;
}

START_TEST(the_longer_side_becomes_20_and_all_is_centred)
{
    static const int sizes[][4] = {{40, 40, 20, 20}, {80, 40, 20, 10}, {20, 60, 7, 20},
                                   {10, 5, 20, 10},  {1, 1, 20, 20},   {90, 2, 20, 1}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        paint(10, 200, 3, 7, sizes[i][0], sizes[i][1]);
        ck_assert(tg_image_prepare(image, ROWS, COLUMNS, false, prepared));
        place p = find(prepared);
        ck_assert_int_eq(p.rows, sizes[i][2]);
        ck_assert_int_eq(p.columns, sizes[i][3]);
        ck_assert(fabs(p.row - 13.5) <= 0.5 && fabs(p.column - 13.5) <= 0.5);
        ck_assert_uint_eq(prepared[14 * 28 + 14], 255);
    }
}
END_TEST

START_TEST(the_centre_is_that_of_mass)
{
    paint(0, 255, 20, 20, 60, 60); /* a square, then ink fades in its right two thirds */
    for (int r = 20; r < 80; r++)
        memset(image + r * COLUMNS + 40, 100, 40);
    ck_assert(tg_image_prepare(image, ROWS, COLUMNS, false, prepared));
    place p = find(prepared);
    ck_assert_int_eq(p.columns, 20);
    ck_assert_int_gt(p.left, 4);
    ck_assert(fabs(p.column - 13.5) <= 0.5);
}
END_TEST

START_TEST(areas_are_averaged)
{
    paint(0, 255, 10, 10, 40, 40);
    for (int r = 10; r < 50; r++)
        for (int c = 10; c < 50; c += 2)
            image[r * COLUMNS + c] = 55; /* every second column, of which each pixel to come has one */
    image[10 * COLUMNS + 10] = 255;
    ck_assert(tg_image_prepare(image, ROWS, COLUMNS, false, prepared));
    place p = find(prepared);
    ck_assert_uint_eq(prepared[14 * 28 + 14], 155);
    ck_assert_uint_eq(prepared[p.top * 28 + p.left], 205);
}
END_TEST

START_TEST(a_bright_background_is_recognised_and_inverted_alike)
{
    paint(10, 200, 30, 30, 30, 12);
    ck_assert(!tg_image_is_bright(image, ROWS, COLUMNS));
    ck_assert(tg_image_prepare(image, ROWS, COLUMNS, false, prepared));
    for (size_t i = 0; i < sizeof image; i++)
        image[i] = 255 - image[i];
    ck_assert(tg_image_is_bright(image, ROWS, COLUMNS));
    ck_assert(tg_image_prepare(image, ROWS, COLUMNS, true, other));
    ck_assert_mem_eq(prepared, other, sizeof other);
}
END_TEST

START_TEST(the_caller_may_see_it_otherwise)
{
    paint(10, 200, 30, 30, 40, 40); /* as dark ink, the frame */
    ck_assert(tg_image_prepare(image, ROWS, COLUMNS, true, prepared));
    place p = find(prepared);
    ck_assert_uint_eq(prepared[p.top * 28 + p.left], 255);
    ck_assert_int_eq(p.columns, 20);
    ck_assert_uint_eq(prepared[(p.top + 8) * 28 + p.left + 8], 0);
}
END_TEST

START_TEST(without_ink_nothing_is_seen)
{
    static const uint8_t pixel[] = {77};
    for (int grey = 0; grey < 256; grey += 51) {
        memset(image, grey, sizeof image);
        ck_assert(!tg_image_is_bright(image, ROWS, COLUMNS));
        for (int invert = 0; invert < 2; invert++) {
            memset(prepared, 1, sizeof prepared);
            memset(other, 0, sizeof other);
            ck_assert(!tg_image_prepare(image, ROWS, COLUMNS, invert, prepared));
            ck_assert_mem_eq(prepared, other, sizeof other);
        }
    }
    ck_assert(!tg_image_prepare(pixel, 1, 1, false, prepared));
}
END_TEST

START_TEST(faint_noise_does_not_widen_the_box)
{
    paint(0, 255, 30, 30, 40, 40);
    image[0] = image[ROWS * COLUMNS - 1] = 60;
    ck_assert(tg_image_prepare(image, ROWS, COLUMNS, false, prepared));
    place p = find(prepared);
    ck_assert(p.rows == 20 && p.columns == 20 && p.top == 4 && p.left == 4);
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("image_prepare");
    tcase_add_test(tests, the_longer_side_becomes_20_and_all_is_centred);
    tcase_add_test(tests, the_centre_is_that_of_mass);
    tcase_add_test(tests, areas_are_averaged);
    tcase_add_test(tests, a_bright_background_is_recognised_and_inverted_alike);
    tcase_add_test(tests, the_caller_may_see_it_otherwise);
    tcase_add_test(tests, without_ink_nothing_is_seen);
    tcase_add_test(tests, faint_noise_does_not_widen_the_box);
    return harness_run("image_prepare", tests);
}
