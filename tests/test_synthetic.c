#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "train/gzip.h"
#include "train/mnist.h"
#include "train/synthetic.h"

enum { MANY = 5000, FEW = 1000 };

static uint8_t many[MANY][TG_MNIST_PIXELS], few[FEW][TG_MNIST_PIXELS];
static int32_t many_labels[MANY], few_labels[FEW];

static void setup(void)
{
    tg_synthetic_digits(1, "train", MANY, many[0], many_labels);
    tg_synthetic_digits(1, "test", FEW, few[0], few_labels);
}

static void teardown(void) {}

/* These digits are the same wherever the library is built: a change here changes what everybody's runs are compared on. */
START_TEST(the_same_digits_are_drawn_on_every_machine)
{
    ck_assert_uint_eq(tg_crc32(0, few[0], sizeof few), 0xf4f4c416u);
    const int32_t first[10] = {1, 0, 3, 2, 9, 7, 2, 7, 0, 1};
    ck_assert_mem_eq(few_labels, first, sizeof first);
}
END_TEST

START_TEST(digits_depend_on_seed_and_name)
{
    static uint8_t other[FEW][TG_MNIST_PIXELS];
    static int32_t labels[FEW];
    tg_synthetic_digits(1, "test", FEW, other[0], labels);
    ck_assert_mem_eq(other, few, sizeof few);
    ck_assert_mem_eq(labels, few_labels, sizeof labels);
    tg_synthetic_digits(2, "test", FEW, other[0], labels);
    ck_assert_mem_ne(other, few, sizeof few);
    ck_assert_mem_ne(labels, few_labels, sizeof labels);
    tg_synthetic_digits(1, "train", FEW, other[0], labels);
    ck_assert_mem_ne(other, few, sizeof few);
    ck_assert_mem_ne(labels, few_labels, sizeof labels);
    int shared = 0; /* digits of one set that are in the other */
    for (int i = 0; i < FEW; i++)
        for (int k = 0; k < FEW; k++)
            shared += !memcmp(other[i], few[k], sizeof few[k]);
    ck_assert_int_eq(shared, 0);
}
END_TEST

START_TEST(classes_are_balanced_and_shuffled)
{
    static uint8_t images[17][TG_MNIST_PIXELS];
    int32_t labels[17], counts[10] = {0};
    int rises = 0;
    for (int i = 0; i < MANY; i++) {
        if (many_labels[i] < 0 || many_labels[i] > 9)
            ck_abort_msg("label %d", (int)many_labels[i]);
        counts[many_labels[i]]++;
        rises += i && many_labels[i] == (many_labels[i - 1] + 1) % 10;
    }
    for (int k = 0; k < 10; k++)
        ck_assert_int_eq(counts[k], MANY / 10);
    ck_assert_int_lt(rises, MANY / 10 + 150); /* of MANY pairs a tenth, give or take 7 standard deviations */
    tg_synthetic_digits(1, "odd", 17, images[0], labels);
    memset(counts, 0, sizeof counts);
    for (int i = 0; i < 17; i++)
        counts[labels[i]]++;
    for (int k = 0; k < 10; k++)
        ck_assert_int_eq(counts[k], k < 7 ? 2 : 1);
}
END_TEST

/* MNIST's figures: 19 % of pixels inked, mean 0.131; the digit in the middle, empty edges, full ink somewhere. */
START_TEST(images_are_like_mnists)
{
    double inked = 0, sum = 0, edge = 0;
    int pale = 0, astray = 0;
    for (int i = 0; i < MANY; i++) {
        double mass = 0, x = 0, y = 0;
        int darkest = 0;
        for (int p = 0; p < TG_MNIST_PIXELS; p++) {
            int value = many[i][p], row = p / TG_MNIST_COLUMNS, column = p % TG_MNIST_COLUMNS;
            mass += value, x += value * (column + 0.5), y += value * (row + 0.5);
            inked += value > 0;
            edge += (row == 0 || row == 27 || column == 0 || column == 27) && value > 0;
            darkest = value > darkest ? value : darkest;
        }
        sum += mass / 255;
        astray += !(fabs(x / mass - 14) < 4.5 && fabs(y / mass - 14) < 4.5);
        pale += darkest < 150;
    }
    ck_assert_int_eq(astray, 0);
    ck_assert_int_eq(pale, 0);
    const double pixels = (double)MANY * TG_MNIST_PIXELS;
    ck_assert_double_eq_tol(inked / pixels, 0.19, 0.02);
    ck_assert_double_eq_tol(sum / pixels, 0.125, 0.015);
    ck_assert_double_lt(edge / (108.0 * MANY), 0.005);
}
END_TEST

/* The mean image of a class tells most digits apart, as it does with MNIST (82 %), but far from all. */
START_TEST(digits_can_be_told_apart_but_not_trivially)
{
    static double mean[10][TG_MNIST_PIXELS];
    for (int i = 0; i < MANY; i++)
        for (int p = 0; p < TG_MNIST_PIXELS; p++)
            mean[many_labels[i]][p] += many[i][p] / (MANY / 10.0);
    int right = 0;
    for (int i = 0; i < FEW; i++) {
        double best = 1e300;
        int guess = -1;
        for (int k = 0; k < 10; k++) {
            double distance = 0;
            for (int p = 0; p < TG_MNIST_PIXELS; p++)
                distance += (few[i][p] - mean[k][p]) * (few[i][p] - mean[k][p]);
            if (distance < best)
                best = distance, guess = k;
        }
        right += guess == few_labels[i];
    }
    ck_assert_int_gt(right, 65 * FEW / 100);
    ck_assert_int_lt(right, 90 * FEW / 100);
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("synthetic");
    tcase_add_unchecked_fixture(tests, setup, teardown);
    tcase_add_test(tests, the_same_digits_are_drawn_on_every_machine);
    tcase_add_test(tests, digits_depend_on_seed_and_name);
    tcase_add_test(tests, classes_are_balanced_and_shuffled);
    tcase_add_test(tests, images_are_like_mnists);
    tcase_add_test(tests, digits_can_be_told_apart_but_not_trivially);
    return harness_run("synthetic", tests);
}
