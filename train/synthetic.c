#include "train/synthetic.h"

#include <math.h>

#include "graph/philox.h"

#define SIDE 28
#define BOX 20.0f    /* the digit's larger extent, as in MNIST */
#define LANES 8      /* pixels of a row that a segment is measured against at a time */
#define MAX_KNOTS 16 /* of a style, with the END */
#define STEPS 5      /* line segments between two knots */

/* A stroke is splines through knots: each knot continues the spline, or also ends it in a corner, or begins another stroke. */
typedef enum knot_kind { END, CURVE, CORNER, LIFT } knot_kind;

typedef struct knot {
    int8_t x, y; /* the digit is about 100 high, y downwards */
    int8_t kind;
} knot;

#define STYLES 4

/* clang-format off */
#define AT(x, y) {x, y, LIFT}
#define TO(x, y) {x, y, CURVE}
#define TURN(x, y) {x, y, CORNER}

/* Ways to write each digit; the rest of a row is END. */
static const knot styles[10][STYLES][MAX_KNOTS] = {
    /* 0 */
    {{AT(50, 2), TO(30, 4), TO(13, 22), TO(6, 50), TO(13, 80), TO(34, 98), TO(56, 88), TO(68, 62), TO(68, 34), TO(56, 10),
      TO(44, 3)},
     {AT(58, 6), TO(38, 0), TO(16, 20), TO(8, 62), TO(28, 100), TO(58, 88), TO(72, 48), TO(62, 12), TO(40, 4)},
     {AT(34, 2), TO(14, 24), TO(10, 66), TO(28, 98), TO(52, 94), TO(66, 62), TO(64, 24), TO(46, 2), TO(26, 8), TO(18, 20)},
     {AT(66, 10), TO(46, 0), TO(22, 10), TO(8, 40), TO(12, 78), TO(36, 99), TO(62, 84), TO(70, 44), TO(56, 12), TO(38, 8)}},
    /* 1 */
    {{AT(52, 0), TO(49, 50), TO(46, 100)},
     {AT(26, 24), TURN(50, 0), TO(50, 50), TO(49, 100)},
     {AT(28, 22), TURN(50, 0), TO(50, 50), TO(50, 99), AT(28, 100), TO(72, 99)},
     {AT(54, 0), TO(51, 33), TO(50, 66), TO(44, 100)}},
    /* 2 */
    {{AT(12, 24), TO(26, 5), TO(48, 1), TO(65, 15), TO(61, 39), TO(38, 68), TURN(9, 97), TO(42, 95), TO(76, 97)},
     {AT(14, 20), TO(34, 2), TO(58, 8), TO(65, 30), TO(48, 60), TO(24, 88), TO(9, 97), TO(8, 82), TO(24, 80), TO(48, 94),
      TO(76, 96)},
     {AT(8, 14), TO(30, 0), TO(58, 6), TO(66, 28), TO(52, 56), TO(30, 78), TURN(12, 98), TO(44, 99), TO(72, 92)},
     {AT(10, 30), TO(20, 8), TO(44, 0), TO(62, 16), TO(56, 46), TO(34, 76), TO(12, 94), TO(20, 84), TO(44, 92), TO(74, 100)}},
    /* 3 */
    {{AT(12, 12), TO(36, 0), TO(60, 10), TO(60, 32), TURN(34, 46), TO(60, 54), TO(70, 76), TO(52, 97), TO(26, 100),
      TO(6, 88)},
     {AT(12, 4), TURN(62, 3), TURN(32, 42), TO(60, 50), TO(69, 74), TO(52, 96), TO(28, 100), TO(8, 92)},
     {AT(8, 18), TO(28, 1), TO(56, 6), TO(62, 28), TO(40, 44), TO(44, 50), TO(68, 66), TO(62, 90), TO(34, 100), TO(4, 90)},
     {AT(14, 8), TO(38, 0), TO(58, 12), TO(54, 34), TO(28, 46), TURN(30, 48), TO(58, 56), TO(64, 78), TO(44, 98), TO(20, 96),
      TO(6, 84)}},
    /* 4 */
    {{AT(20, 4), TURN(12, 54), TO(44, 57), TO(74, 54), AT(58, 0), TO(54, 100)},
     {AT(56, 0), TO(30, 34), TURN(7, 66), TO(76, 64), AT(58, 2), TO(56, 100)},
     {AT(18, 0), TO(11, 36), TO(26, 54), TO(60, 44), AT(66, 4), TO(59, 50), TO(54, 100)},
     {AT(16, 6), TURN(10, 50), TO(36, 54), TO(62, 48), TURN(66, 2), TO(60, 50), TO(56, 100)}},
    /* 5 */
    {{AT(66, 3), TURN(22, 5), TURN(17, 45), TO(42, 38), TO(64, 50), TO(68, 74), TO(50, 96), TO(26, 100), TO(6, 90)},
     {AT(22, 6), TURN(17, 46), TO(44, 40), TO(66, 58), TO(62, 86), TO(38, 100), TO(8, 92), AT(22, 5), TO(72, 1)},
     {AT(70, 0), TURN(26, 4), TO(18, 40), TO(34, 44), TO(56, 52), TO(64, 74), TO(46, 96), TO(24, 100), TO(8, 94)},
     {AT(64, 6), TURN(30, 4), TURN(14, 42), TO(46, 42), TO(62, 62), TO(54, 88), TO(30, 100), TO(6, 96)}},
    /* 6 */
    {{AT(56, 2), TO(32, 18), TO(13, 48), TO(10, 78), TO(28, 99), TO(54, 94), TO(66, 74), TO(52, 56), TO(28, 60), TO(12, 76)},
     {AT(42, 0), TO(22, 30), TO(12, 66), TO(24, 95), TO(50, 98), TO(62, 78), TO(50, 60), TO(28, 64), TO(16, 80)},
     {AT(66, 6), TO(42, 4), TO(20, 28), TO(8, 60), TO(16, 92), TO(42, 100), TO(64, 84), TO(60, 62), TO(38, 54), TO(14, 68)},
     {AT(30, 0), TO(16, 34), TO(12, 72), TO(28, 98), TO(54, 92), TO(60, 68), TO(44, 56), TO(24, 66), TO(18, 82)}},
    /* 7 */
    {{AT(8, 6), TO(38, 6), TURN(68, 4), TO(46, 46), TO(30, 100)},
     {AT(8, 6), TO(38, 5), TURN(70, 3), TO(48, 44), TO(30, 100), AT(22, 54), TO(64, 49)},
     {AT(8, 22), TURN(11, 4), TO(40, 6), TURN(70, 2), TO(52, 44), TO(40, 100)},
     {AT(6, 10), TO(36, 2), TO(64, 8), TO(58, 44), TO(44, 100)}},
    /* 8 */
    {{AT(62, 14), TO(42, 0), TO(18, 10), TO(20, 32), TO(44, 50), TO(64, 72), TO(54, 96), TO(26, 98), TO(10, 80), TO(24, 60),
      TO(46, 46), TO(64, 26), TO(58, 8)},
     {AT(40, 0), TO(18, 12), TO(24, 36), TO(48, 52), TO(64, 76), TO(42, 100), TO(14, 84), TO(22, 60), TO(46, 44), TO(62, 24),
      TO(54, 4), TO(40, 0)},
     {AT(40, 46), TO(18, 34), TO(18, 10), TO(40, 0), TO(60, 12), TO(58, 36), TO(38, 47), AT(38, 47), TO(14, 60), TO(10, 86),
      TO(36, 100), TO(64, 86), TO(62, 60), TO(40, 47)},
     {AT(58, 4), TO(30, 2), TO(18, 20), TO(38, 44), TO(58, 70), TO(46, 98), TO(18, 92), TO(16, 70), TO(38, 50), TO(60, 28),
      TO(64, 6)}},
    /* 9 */
    {{AT(62, 16), TO(42, 1), TO(17, 10), TO(9, 34), TO(28, 50), TO(54, 38), TURN(64, 14), TO(62, 44), TO(58, 72),
      TO(55, 100)},
     {AT(60, 12), TO(36, 2), TO(12, 18), TO(14, 42), TO(36, 50), TO(58, 34), TO(64, 10), TO(66, 46), TO(56, 82), TO(34, 100),
      TO(12, 94)},
     {AT(58, 20), TO(42, 0), TO(18, 10), TO(12, 36), TO(34, 46), TO(56, 28), TURN(60, 8), TO(52, 54), TO(36, 100)},
     {AT(64, 8), TO(36, 0), TO(12, 16), TO(12, 42), TO(38, 52), TO(62, 34), TO(66, 10), TO(64, 40), TO(60, 70), TO(58, 100)}},
};
/* clang-format on */

#undef AT
#undef TO
#undef TURN

/* Random numbers of one digit. No function of libm but sqrt is used here: the others differ from machine to machine. */
typedef struct dice {
    uint64_t key, digit, block;
    uint32_t words[4];
    int left;
} dice;

static uint32_t roll(dice *d)
{
    if (!d->left) {
        tg_philox(d->key, d->digit, d->block++, d->words);
        d->left = 4;
    }
    return d->words[--d->left];
}

static float uniform(dice *d, float low, float high) { return low + (high - low) * (float)tg_philox_uniform(roll(d)); }

/* Nearly normal, with standard deviation 1 and no farther out than 3.5: the sum of four bytes. */
static float normal(dice *d)
{
    uint32_t bits = roll(d);
    int sum = (int)(bits & 255) + (int)(bits >> 8 & 255) + (int)(bits >> 16 & 255) + (int)(bits >> 24);
    return (float)(sum - 510) * (1.0f / 147.8f);
}

typedef struct point {
    float x, y;
} point;

/* A digit as line segments. */
typedef struct strokes {
    int count;
    point from[MAX_KNOTS * STEPS], to[MAX_KNOTS * STEPS];
} strokes;

static float least(float a, float b) { return a < b ? a : b; }
static float most(float a, float b) { return a > b ? a : b; }

/* Catmull and Rom's spline between b and c. */
static point spline(point a, point b, point c, point d, float t)
{
    float t2 = t * t, t3 = t2 * t;
    float wa = -0.5f * t3 + t2 - 0.5f * t, wb = 1.5f * t3 - 2.5f * t2 + 1;
    float wc = -1.5f * t3 + 2 * t2 + 0.5f * t, wd = 0.5f * t3 - 0.5f * t2;
    return (point){wa * a.x + wb * b.x + wc * c.x + wd * d.x, wa * a.y + wb * b.y + wc * c.y + wd * d.y};
}

/* A spline ends at a corner, before a lifted pen, and at the end. */
static bool ends_spline(const knot *k) { return k[0].kind == CORNER || k[1].kind == LIFT || k[1].kind == END; }

/* The strokes of one style, through trembling knots. */
static void write_strokes(dice *d, const knot *knots, strokes *s)
{
    point at[MAX_KNOTS];
    float tremble = uniform(d, 1.0f, 5.5f);
    s->count = 0;
    for (int i = 0; knots[i].kind != END; i++) {
        at[i].x = (float)knots[i].x + tremble * normal(d);
        at[i].y = (float)knots[i].y + tremble * normal(d);
    }
    for (int i = 1; knots[i].kind != END; i++) {
        if (knots[i].kind == LIFT)
            continue;
        point before = at[knots[i - 1].kind == CURVE ? i - 2 : i - 1], after = at[ends_spline(&knots[i]) ? i : i + 1];
        point last = at[i - 1];
        for (int step = 1; step <= STEPS; step++) {
            point next = spline(before, at[i - 1], at[i], after, (float)step / STEPS);
            s->from[s->count] = last;
            s->to[s->count++] = next;
            last = next;
        }
    }
}

/* One hand's way of writing: how all points of a digit move together. */
typedef struct hand {
    float wide, taper, sag, bow, slant; /* proportions; top against bottom, in width and in height; a bent spine; a leaning one */
    float cosine, sine;                 /* of a turn */
} hand;

/* One call a statement: in an initialiser their order would be the compiler's choice. */
static hand pick_hand(dice *d)
{
    hand h;
    h.wide = uniform(d, 0.65f, 1.35f);
    h.taper = 0.18f * normal(d);
    h.sag = 0.12f * normal(d);
    h.bow = 6.0f * normal(d);
    h.slant = 0.15f + 0.25f * normal(d);
    float tangent = 0.12f * normal(d);
    h.cosine = 1 / sqrtf(1 + tangent * tangent);
    h.sine = tangent * h.cosine;
    return h;
}

static point move_point(const hand *h, point p)
{
    float x = (p.x - 38) * h->wide, y = (p.y - 50) * (1.0f / 50); /* from the middle; y in -1..1 */
    x = x * (1 + h->taper * y) + h->bow * y * y;
    y = 50 * (y + h->sag * y * y);
    x -= h->slant * y;
    return (point){x * h->cosine - y * h->sine, x * h->sine + y * h->cosine};
}

/* The hand's way, then the fit into the box and onto the centre. */
static void place_strokes(dice *d, strokes *s)
{
    hand h = pick_hand(d);
    point low = {1e9f, 1e9f}, high = {-1e9f, -1e9f}, mass = {0, 0};
    float ink = 0;
    for (int i = 0; i < s->count; i++) {
        point a = s->from[i] = move_point(&h, s->from[i]), b = s->to[i] = move_point(&h, s->to[i]);
        float length = sqrtf((b.x - a.x) * (b.x - a.x) + (b.y - a.y) * (b.y - a.y));
        mass.x += length * 0.5f * (a.x + b.x);
        mass.y += length * 0.5f * (a.y + b.y);
        ink += length;
        low = (point){least(low.x, least(a.x, b.x)), least(low.y, least(a.y, b.y))};
        high = (point){most(high.x, most(a.x, b.x)), most(high.y, most(a.y, b.y))};
    }
    float scale = (BOX - 2) * uniform(d, 0.85f, 1.07f) / most(high.x - low.x, high.y - low.y);
    float x = 0.5f * SIDE + 0.8f * normal(d) - scale * mass.x / ink;
    float y = 0.5f * SIDE + 0.8f * normal(d) - scale * mass.y / ink;
    for (int i = 0; i < s->count; i++) {
        s->from[i] = (point){scale * s->from[i].x + x, scale * s->from[i].y + y};
        s->to[i] = (point){scale * s->to[i].x + x, scale * s->to[i].y + y};
    }
}

/* For each pixel the squared distance to the nearest segment, in units of the pen's radius there. */
typedef struct field {
    float near[SIDE][SIDE + LANES];
} field;

static int clamp_pixel(float value) { return value < 0 ? 0 : value > SIDE ? SIDE : (int)value; }

static void measure(field *f, point a, point b, float radius, float reach)
{
    float dx = b.x - a.x, dy = b.y - a.y;
    float inverse = 1 / (dx * dx + dy * dy + 1e-6f), weight = 1 / (radius * radius);
    int top = clamp_pixel(least(a.y, b.y) - reach), bottom = clamp_pixel(most(a.y, b.y) + reach + 1);
    int left = clamp_pixel(least(a.x, b.x) - reach), right = clamp_pixel(most(a.x, b.x) + reach + 1);
    for (int row = top; row < bottom; row++) {
        float py = (float)row + 0.5f - a.y;
        for (int column = left; column < right; column += LANES) {
            float *near = f->near[row] + column;
            for (int lane = 0; lane < LANES; lane++) {
                float px = (float)(column + lane) + 0.5f - a.x;
                float t = (px * dx + py * dy) * inverse;
                t = t < 0 ? 0 : t > 1 ? 1 : t;
                float ex = px - t * dx, ey = py - t * dy, value = (ex * ex + ey * ey) * weight;
                near[lane] = value < near[lane] ? value : near[lane];
            }
        }
    }
}

/* A pen drawn along the strokes, pressed now more, now less. */
static void measure_strokes(dice *d, const strokes *s, float radius, float soft, field *f)
{
    for (int row = 0; row < SIDE; row++)
        for (int column = 0; column < SIDE + LANES; column++)
            f->near[row][column] = 1e9f;
    float pressure = uniform(d, 0.8f, 1.2f), change = uniform(d, -0.02f, 0.02f);
    for (int i = 0; i < s->count; i++) {
        float here = radius * pressure;
        measure(f, s->from[i], s->to[i], here, here + soft);
        pressure += change;
        change = pressure > 1.25f ? -0.02f : pressure < 0.75f ? 0.02f : change;
    }
}

static void draw_digit(dice *d, int32_t digit, uint8_t *image)
{
    strokes s;
    field f;
    write_strokes(d, styles[digit][roll(d) % STYLES], &s);
    place_strokes(d, &s);
    float broad = uniform(d, 0, 1);
    broad *= uniform(d, 0, 0.75f); /* broad pens are rare */
    float radius = 0.75f + broad + uniform(d, 0, 0.5f);
    float soft = uniform(d, 1.0f, 1.6f), dark = uniform(d, 235, 275), grain = uniform(d, 0, 0.12f);
    measure_strokes(d, &s, radius, soft, &f);
    for (int row = 0; row < SIDE; row++) {
        for (int column = 0; column < SIDE; column++) {
            float ink = 0.5f - (sqrtf(f.near[row][column]) - 1) * radius / soft;
            if (ink > 0)
                ink = least(ink, 1) * (1 + grain * normal(d)) * dark;
            image[row * SIDE + column] = (uint8_t)least(most(ink, 0), 255);
        }
    }
}

/* Balanced classes in random order: Fisher and Yates. */
static void shuffle_labels(dice *d, int64_t count, int32_t *labels)
{
    for (int64_t i = 0; i < count; i++)
        labels[i] = (int32_t)(i % 10);
    for (int64_t i = count - 1; i > 0; i--) {
        uint64_t bits = (uint64_t)roll(d) << 32;
        int64_t j = (int64_t)((bits | roll(d)) % (uint64_t)(i + 1));
        int32_t swap = labels[i];
        labels[i] = labels[j];
        labels[j] = swap;
    }
}

void tg_synthetic_digits(uint64_t seed, const char *name, int64_t count, uint8_t *images, int32_t *labels)
{
    uint64_t key = tg_philox_key(seed, name);
    dice order = {.key = key, .digit = UINT64_MAX};
    shuffle_labels(&order, count, labels);
    for (int64_t i = 0; i < count; i++) {
        dice d = {.key = key, .digit = (uint64_t)i};
        draw_digit(&d, labels[i], images + i * SIDE * SIDE);
    }
}
