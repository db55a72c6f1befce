#include "train/image_prepare.h"

#include <math.h>
#include <string.h>

#define BOX 20 /* pixels of the longer side in MNIST */
#define INK 64 /* from here on a pixel counts for the box */

typedef struct levels {
    int darkest, brightest, border; /* border: the median of the outermost pixels */
} levels;

static levels measure(const uint8_t *image, int64_t rows, int64_t columns)
{
    int64_t seen[256] = {0}, total = 0, below = 0;
    levels found = {255, 0, 0};
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t c = 0; c < columns; c++) {
            int pixel = image[r * columns + c];
            found.darkest = pixel < found.darkest ? pixel : found.darkest;
            found.brightest = pixel > found.brightest ? pixel : found.brightest;
            if (r == 0 || c == 0 || r == rows - 1 || c == columns - 1) {
                seen[pixel]++;
                total++;
            }
        }
    }
    while (below + seen[found.border] <= (total - 1) / 2)
        below += seen[found.border++];
    return found;
}

static bool bright(levels l) { return l.border - l.darkest > l.brightest - l.border; }

bool tg_image_is_bright(const uint8_t *image, int64_t rows, int64_t columns) { return bright(measure(image, rows, columns)); }

/* What each grey means: 0 for the background and what lies beyond, 255 for the fullest ink. The outermost pixels tell the background
   unless they lie on the side of the ink. False if there is no ink. */
static bool make_inks(levels l, bool invert, uint8_t inks[256])
{
    int background = bright(l) == invert ? l.border : invert ? l.brightest : l.darkest;
    int range = invert ? background - l.darkest : l.brightest - background;
    for (int grey = 0; grey < 256; grey++) {
        int over = invert ? background - grey : grey - background;
        inks[grey] = range <= 0 || over <= 0 ? 0 : over >= range ? 255 : (uint8_t)((over * 255 + range / 2) / range);
    }
    return range > 0;
}

/* The part of an image with ink in it. */
typedef struct box {
    const uint8_t *image, *inks;
    int64_t columns;                  /* of the image */
    int64_t top, left, bottom, right; /* the last two are outside */
} box;

static void find_box(box *b, int64_t rows)
{
    b->top = rows, b->left = b->columns, b->bottom = b->right = 0;
    for (int64_t r = 0; r < rows; r++) {
        for (int64_t c = 0; c < b->columns; c++) {
            if (b->inks[b->image[r * b->columns + c]] < INK)
                continue;
            b->top = r < b->top ? r : b->top;
            b->left = c < b->left ? c : b->left;
            b->bottom = r + 1;
            b->right = c + 1 > b->right ? c + 1 : b->right;
        }
    }
}

/* How much of the pixel at `i` lies in [begin, end). */
static double overlap(int64_t i, double begin, double end) { return fmin((double)i + 1, end) - fmax((double)i, begin); }

/* The mean ink of a part of the image, whose bounds need not be whole. */
static double mean_ink(const box *b, double top, double bottom, double left, double right)
{
    double sum = 0;
    for (int64_t r = (int64_t)top; r < b->bottom && (double)r < bottom; r++)
        for (int64_t c = (int64_t)left; c < b->right && (double)c < right; c++)
            sum += overlap(r, top, bottom) * overlap(c, left, right) * b->inks[b->image[r * b->columns + c]];
    return sum / ((bottom - top) * (right - left));
}

/* Where a side of `extent` pixels begins so that `centre` comes to the middle, or as near to it as it fits. */
static int place(double centre, int extent)
{
    int at = (int)floor((TG_MNIST_ROWS - 1) / 2.0 - centre + 0.5);
    return at < 0 ? 0 : at + extent > TG_MNIST_ROWS ? TG_MNIST_ROWS - extent : at;
}

static int scaled_side(int64_t side, int64_t longer)
{
    int64_t scaled = (2 * side * BOX + longer) / (2 * longer);
    return scaled < 1 ? 1 : (int)scaled;
}

bool tg_image_prepare(const uint8_t *image, int64_t rows, int64_t columns, bool invert, uint8_t prepared[TG_MNIST_PIXELS])
{
    uint8_t inks[256], small[BOX * BOX];
    double mass = 0, row_moment = 0, column_moment = 0;
    memset(prepared, 0, TG_MNIST_PIXELS);
    if (!make_inks(measure(image, rows, columns), invert, inks))
        return false;
    box b = {.image = image, .inks = inks, .columns = columns};
    find_box(&b, rows);
    int64_t height = b.bottom - b.top, width = b.right - b.left, longer = height > width ? height : width;
    int small_rows = scaled_side(height, longer), small_columns = scaled_side(width, longer);
    double down = (double)height / small_rows, across = (double)width / small_columns;
    for (int r = 0; r < small_rows; r++) {
        for (int c = 0; c < small_columns; c++) {
            double top = (double)b.top + r * down, left = (double)b.left + c * across;
            double ink = mean_ink(&b, top, top + down, left, left + across);
            small[r * BOX + c] = (uint8_t)(fmin(ink, 255) + 0.5);
            mass += ink;
            row_moment += ink * r;
            column_moment += ink * c;
        }
    }
    int first_row = place(row_moment / mass, small_rows), first_column = place(column_moment / mass, small_columns);
    for (int r = 0; r < small_rows; r++)
        memcpy(prepared + (first_row + r) * TG_MNIST_COLUMNS + first_column, small + r * BOX, (size_t)small_columns);
    return true;
}
