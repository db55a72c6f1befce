/* Cuts convolution gradients in pooled form into tasks and into what registers hold; see ops/kernels/conv_unpooled.h. */
#include "ops/kernels/conv_unpooled.h"

#include <string.h>

#include "ops/kernels/integers.h"

enum {
    MOST_CHUNKS = 8,
    MOST_SELECT_CHUNKS = 32, /* of sums so small that a chunk's costs nothing */
    MOST_GROUPS = 4,
    LEAST_GROUP = 8,          /* filters */
    PARTIAL_FLOATS = 1 << 20, /* at most, of all partial sums together */
    LEAST_TASK_FLOPS = 1 << 18,
    BLOCK_FLOATS = 12 << 10, /* about so many of the input at a time: they stay in the first-level cache */
    SPREAD_TASKS = 64,
    WORD = 64
};

double tg_unpooled_flops(const tg_unpooled_size *size)
{
    const tg_conv_size *s = &size->conv;
    return 2.0 * (double)s->images * (double)size->pooled[0] * (double)size->pooled[1] * (double)s->filters *
           (double)s->kernel[0] * (double)s->kernel[1] * (double)s->channels;
}

static int64_t places_of(const tg_unpooled_size *size) { return size->window[0] * size->window[1]; }
static int64_t pixels_of(const tg_unpooled_size *size) { return size->pooled[0] * size->pooled[1]; }
static int64_t taps_of(const tg_unpooled_size *size) { return size->conv.kernel[0] * size->conv.kernel[1]; }

static bool is_pair(const int64_t pair[2], int64_t value) { return pair[0] == value && pair[1] == value; }

/* The usual case, for which there are kernels of its own: windows of 2x2 places side by side meet 3x3 taps in 4x4 pixels. */
static bool is_square(const tg_unpooled_size *size)
{
    const tg_conv_size *s = &size->conv;
    return is_pair(size->window, 2) && is_pair(size->step, 2) && is_pair(s->kernel, 3) && is_pair(s->stride, 1) &&
           is_pair(s->dilation, 1);
}

/* What windows reach beyond the image: above, left, below, right. */
static void find_margins(const tg_unpooled_size *size, int64_t margin[4])
{
    const tg_conv_size *s = &size->conv;
    for (int axis = 0; axis < 2; axis++) {
        int64_t last_out = (size->pooled[axis] - 1) * size->step[axis] + size->window[axis] - 1;
        int64_t last = last_out * s->stride[axis] + (s->kernel[axis] - 1) * s->dilation[axis] - s->pad[axis];
        margin[axis] = tg_most(0, s->pad[axis]);
        margin[axis + 2] = tg_most(0, last + 1 - s->in[axis]);
    }
}

/* From a window's first place to each, in an image whose pixels and rows have so many floats. */
static void find_places(const tg_unpooled_size *size, int64_t row, int64_t pixel, int64_t *place_at)
{
    for (int64_t i = 0; i < places_of(size); i++)
        place_at[i] = i / size->window[1] * size->conv.stride[0] * row + i % size->window[1] * size->conv.stride[1] * pixel;
}

static tg_pooled pooled_at(const tg_unpooled_size *size, const float *gradient, const uint8_t *argmax, int64_t first,
                           const int64_t *place_at, int64_t row, int64_t pixel)
{
    return (tg_pooled){.gradient = gradient + first,
                       .argmax = argmax + first,
                       .filters = size->conv.filters,
                       .extent = {size->pooled[0], size->pooled[1]},
                       .step = {size->step[0] * size->conv.stride[0] * row, size->step[1] * size->conv.stride[1] * pixel},
                       .place_at = place_at,
                       .places = places_of(size)};
}

/* ---- kernel gradient ---- */

static tg_unpooled_frame make_frame(const tg_unpooled_size *size)
{
    const tg_conv_size *s = &size->conv;
    tg_unpooled_frame f = {0};
    find_margins(size, f.margin);
    f.copies = f.margin[0] > 0 || f.margin[1] > 0 || f.margin[2] > 0 || f.margin[3] > 0;
    f.row = (f.margin[1] + s->in[1] + f.margin[3]) * s->channels;
    f.image = (f.margin[0] + s->in[0] + f.margin[2]) * f.row;
    f.origin = tg_most(0, -s->pad[0]) * f.row + tg_most(0, -s->pad[1]) * s->channels;
    return f;
}

int64_t tg_unpooled_sum_image(const tg_unpooled_size *size) { return make_frame(size).image; }

/* Selecting needs all places of a window within a vector from each tap on. */
static void choose_select(tg_unpooled_sum *u, const tg_window_limits *limits)
{
    const tg_conv_size *s = &u->size.conv;
    u->window_row = ((u->size.window[1] - 1) * s->stride[1] + (s->kernel[1] - 1) * s->dilation[1] + 1) * s->channels;
    u->window_rows = (u->size.window[0] - 1) * s->stride[0] + (s->kernel[0] - 1) * s->dilation[0] + 1;
    u->selects = (u->size.window[0] - 1) * s->stride[0] * u->window_row + (u->size.window[1] - 1) * s->stride[1] * s->channels <
                 limits->width;
    u->tap_blocks = tg_window_tap_blocks(limits, u->depth);
    u->square = u->selects && s->channels == 1 && is_square(&u->size);
}

/* The fewest blocks: each reads all pooled elements again. */
static void choose_blocks(tg_unpooled_sum *u, const tg_window_limits *limits)
{
    int64_t most = INT64_MAX;
    for (int64_t runs = 1; runs <= TG_WINDOW_RUNS && runs <= u->runs; runs++) {
        int64_t vector_blocks = tg_ceil_div(u->vectors, limits->vectors[runs - 1]), run_blocks = tg_ceil_div(u->runs, runs);
        if (vector_blocks * run_blocks < most) {
            most = vector_blocks * run_blocks;
            u->vector_blocks = vector_blocks;
            u->run_blocks = run_blocks;
        }
    }
}

static void cut_sum(tg_unpooled_sum *u)
{
    const tg_conv_size *s = &u->size.conv;
    int64_t tasks = tg_most(1, (int64_t)(tg_unpooled_flops(&u->size) / LEAST_TASK_FLOPS));
    int64_t chunks = tg_least(s->images, u->selects ? MOST_SELECT_CHUNKS : MOST_CHUNKS);
    chunks = tg_least(tg_least(chunks, tasks), PARTIAL_FLOATS / tg_most(1, u->depth * s->filters));
    u->chunks = tg_most(1, chunks);
    u->groups = u->selects ? 1 : tg_most(1, tg_least(tg_least(MOST_GROUPS, tasks / u->chunks), s->filters / LEAST_GROUP));
    u->block_images = u->selects ? 1 : tg_most(1, BLOCK_FLOATS / tg_most(1, u->frame.image));
}

tg_unpooled_sum tg_unpooled_sum_make(const tg_kernels *kernels, const tg_unpooled_size *size)
{
    const tg_window_limits *limits = kernels->window_limits();
    const tg_conv_size *s = &size->conv;
    bool joined = s->dilation[1] == 1;
    tg_unpooled_sum u = {.kernels = kernels, .size = *size, .frame = make_frame(size), .depth = taps_of(size) * s->channels};
    u.runs = joined ? s->kernel[0] : taps_of(size);
    u.run_floats = joined ? s->kernel[1] * s->channels : s->channels;
    u.vectors = tg_most(1, tg_ceil_div(u.run_floats, limits->width));
    choose_select(&u, limits);
    choose_blocks(&u, limits);
    if (!u.selects && u.run_floats < limits->width) {
        u.frame.copies = true;
        u.frame.room = limits->width;
    }
    cut_sum(&u);
    return u;
}

int64_t tg_unpooled_sum_partial(const tg_unpooled_sum *u) { return u->chunks * u->depth * u->size.conv.filters; }
int64_t tg_unpooled_sum_tasks(const tg_unpooled_sum *u) { return u->chunks * u->groups; }

static int64_t window_step(const tg_unpooled_sum *u)
{
    return u->window_rows * u->window_row + u->kernels->window_limits()->width;
}

static int64_t copied_floats(const tg_unpooled_sum *u)
{
    return u->frame.copies ? u->block_images * u->frame.image + u->frame.room : 0;
}

/* Most filters of a group. */
static int64_t group_filters(const tg_unpooled_sum *u) { return tg_ceil_div(u->size.conv.filters, u->groups); }
static int64_t placed(const tg_unpooled_sum *u) { return u->block_images * pixels_of(&u->size) * group_filters(u); }

size_t tg_unpooled_sum_scratch(const tg_unpooled_sum *u)
{
    int64_t pixels = pixels_of(&u->size), taps = u->selects ? u->depth : u->runs;
    size_t bytes = (size_t)(places_of(&u->size) + taps) * sizeof(int64_t) + (size_t)copied_floats(u) * sizeof(float);
    if (u->selects)
        return bytes + (size_t)(pixels * window_step(u)) * sizeof(float) + (size_t)pixels * sizeof(int32_t);
    return bytes + (size_t)placed(u) * (sizeof(float) + sizeof(int32_t));
}

/* Images with the zeros around them. */
static const float *copy_images(const tg_unpooled_sum *u, const float *in, int64_t images, float *copy)
{
    const tg_unpooled_frame *f = &u->frame;
    const tg_conv_size *s = &u->size.conv;
    int64_t row = s->in[1] * s->channels, left = f->margin[1] * s->channels;
    if (!f->copies)
        return in;
    memset(copy, 0, (size_t)(images * f->image + f->room) * sizeof *copy);
    for (int64_t n = 0; n < images; n++)
        for (int64_t y = 0; y < s->in[0]; y++)
            memcpy(copy + n * f->image + (f->margin[0] + y) * f->row + left, in + (n * s->in[0] + y) * row,
                   (size_t)row * sizeof *copy);
    return copy;
}

/* What a task has to work with. */
typedef struct sum_task {
    const float *in, *gradient;
    const uint8_t *argmax;
    float *sums; /* the chunk's */
    int64_t first_filter, end_filter;
    int64_t *place_at, *tap_at;
    float *floats;  /* a copy of the images, if there is one */
    float *windows; /* to select from */
    float *values;  /* [images, pixels, filters of the task] */
    int32_t *at;    /* as many */
    int32_t *order; /* [pixels] */
} sum_task;

/* Where the pooled elements of the task's filters find their windows. */
static void place_windows(const tg_unpooled_sum *u, const sum_task *t, int64_t image, int64_t images)
{
    int64_t pixels = pixels_of(&u->size);
    tg_window_places places = {.filters = t->end_filter - t->first_filter};
    for (int64_t n = 0; n < images; n++) {
        int64_t first = (image + n) * pixels * u->size.conv.filters + t->first_filter;
        places.pooled = pooled_at(&u->size, t->gradient, t->argmax, first, t->place_at, u->frame.row, u->size.conv.channels);
        places.first = (int32_t)(n * u->frame.image);
        places.at = t->at + n * pixels * places.filters;
        places.values = t->values + n * pixels * places.filters;
        u->kernels->window_places(&places);
    }
}

static void sum_along_channels(const tg_unpooled_sum *u, const sum_task *t, int64_t image, int64_t images, bool add)
{
    const tg_conv_size *s = &u->size.conv;
    int64_t width = u->kernels->window_limits()->width;
    const float *in = copy_images(u, t->in + image * s->in[0] * s->in[1] * s->channels, images, t->floats);
    place_windows(u, t, image, images);
    tg_window_sums sums = {.filters = t->end_filter - t->first_filter,
                           .pixels = images * pixels_of(&u->size),
                           .at = t->at,
                           .values = t->values,
                           .lanes = tg_least(width, u->run_floats),
                           .sum_step = u->depth,
                           .run_step = u->run_floats,
                           .add = add};
    for (int64_t i = 0; i < u->run_blocks; i++)
        for (int64_t j = 0; j < u->vector_blocks; j++) {
            int64_t run = u->runs * i / u->run_blocks, vector = u->vectors * j / u->vector_blocks,
                    end = u->vectors * (j + 1) / u->vector_blocks;
            int64_t last = end < u->vectors ? (end - 1) * width : tg_most(0, u->run_floats - width);
            sums.in = in + u->frame.origin + vector * width;
            sums.runs = (int32_t)(u->runs * (i + 1) / u->run_blocks - run);
            sums.vectors = (int32_t)(end - vector);
            sums.run_at = t->tap_at + run;
            sums.last_at = last - vector * width;
            sums.sums = t->sums + t->first_filter * u->depth + run * u->run_floats + vector * width;
            u->kernels->window_sums(&sums);
        }
}

static void sum_along_filters(const tg_unpooled_sum *u, const sum_task *t, int64_t image, int64_t images, bool add)
{
    const tg_conv_size *s = &u->size.conv;
    int64_t width = u->kernels->window_limits()->width, pixels = pixels_of(&u->size);
    tg_window_pack pack = {.square = u->square, .to = t->windows, .window_step = window_step(u), .order = t->order};
    tg_window_select select = {
        .square = u->square, .order = t->order, .windows = t->windows, .window_step = window_step(u), .add = add};
    if (images > 0) {
        tg_pooled in = pooled_at(&u->size, t->gradient, t->argmax, 0, NULL, u->frame.row, s->channels);
        pack.in = copy_images(u, t->in + image * s->in[0] * s->in[1] * s->channels, 1, t->floats) + u->frame.origin;
        memcpy(pack.extent, in.extent, sizeof pack.extent);
        memcpy(pack.step, in.step, sizeof pack.step);
        pack.rows = u->window_rows;
        pack.row_floats = u->window_row;
        pack.in_step = u->frame.row;
        u->kernels->window_pack(&pack);
        select.live = pack.live;
        select.blank = pixels - pack.live;
    }
    for (int64_t f = 0; f < s->filters; f += width)
        for (int64_t i = 0; i < u->tap_blocks; i++) {
            int64_t tap = u->depth * i / u->tap_blocks;
            select.pooled = pooled_at(&u->size, t->gradient, t->argmax, image * pixels * s->filters + f, t->place_at,
                                      u->window_row, s->channels);
            select.columns = tg_least(width, s->filters - f);
            select.taps = (int32_t)(u->depth * (i + 1) / u->tap_blocks - tap);
            select.tap_at = t->tap_at + tap;
            select.sums = t->sums + tap * s->filters + f;
            select.sum_step = s->filters;
            u->kernels->window_select(&select);
        }
}

/* Floats from a window's first tap to each run, or to each tap and channel. */
static void find_taps(const tg_unpooled_sum *u, int64_t *tap_at)
{
    const tg_conv_size *s = &u->size.conv;
    bool joined = u->runs == s->kernel[0];
    for (int64_t i = 0; i < (u->selects ? u->depth : u->runs); i++) {
        int64_t tap = u->selects ? i / s->channels : joined ? i * s->kernel[1] : i, channel = u->selects ? i % s->channels : 0;
        tap_at[i] = tap / s->kernel[1] * s->dilation[0] * (u->selects ? u->window_row : u->frame.row) +
                    tap % s->kernel[1] * s->dilation[1] * s->channels + channel;
    }
}

void tg_unpooled_sum_run(const tg_unpooled_sum *u, const float *in, const float *gradient, const uint8_t *argmax, float *partial,
                         int64_t task, void *scratch)
{
    int64_t chunk = task / u->groups, group = task % u->groups, images = u->size.conv.images, filters = u->size.conv.filters;
    int64_t first = images * chunk / u->chunks, end = images * (chunk + 1) / u->chunks;
    sum_task t = {.in = in, .gradient = gradient, .argmax = argmax, .place_at = scratch};
    t.sums = partial + chunk * u->depth * filters;
    t.first_filter = filters * group / u->groups;
    t.end_filter = filters * (group + 1) / u->groups;
    t.tap_at = t.place_at + places_of(&u->size);
    t.floats = (float *)(t.tap_at + (u->selects ? u->depth : u->runs));
    t.windows = t.values = t.floats + copied_floats(u);
    t.order = (int32_t *)(t.windows + pixels_of(&u->size) * window_step(u));
    t.at = (int32_t *)(t.values + placed(u));
    find_places(&u->size, u->selects ? u->window_row : u->frame.row, u->size.conv.channels, t.place_at);
    find_taps(u, t.tap_at);
    for (int64_t n = first; n == first || n < end; n += u->block_images)
        (u->selects ? sum_along_filters : sum_along_channels)(u, &t, n, tg_least(u->block_images, end - n), n > first);
}

int64_t tg_unpooled_sum_rows(const tg_unpooled_sum *u)
{
    enum { ELEMENTS = 1024, SQUARE = 16 };
    int64_t rows = tg_most(1, ELEMENTS / tg_most(1, u->size.conv.filters));
    return u->selects ? rows : tg_ceil_div(rows, SQUARE) * SQUARE;
}

void tg_unpooled_sum_total(const tg_unpooled_sum *u, const float *partial, float *to, int64_t first, int64_t end)
{
    int64_t filters = u->size.conv.filters;
    if (!u->selects) {
        tg_window_total total = {
            .parts = partial, .chunks = u->chunks, .filters = filters, .depth = u->depth, .first = first, .end = end, .out = to};
        u->kernels->window_total(&total);
        return;
    }
    memset(to + first * filters, 0, (size_t)((end - first) * filters) * sizeof *to);
    for (int64_t chunk = 0; chunk < u->chunks; chunk++, partial += u->depth * filters)
        for (int64_t i = first * filters; i < end * filters; i++)
            to[i] += partial[i];
}

/* ---- input gradient ---- */

tg_unpooled_spread tg_unpooled_spread_make(const tg_kernels *kernels, const tg_unpooled_size *size)
{
    const tg_window_limits *limits = kernels->window_limits();
    tg_unpooled_spread u = {.kernels = kernels, .size = *size, .taps = taps_of(size)};
    find_margins(size, u.margin);
    u.tap_blocks = tg_window_tap_blocks(limits, u.taps);
    u.vectors = tg_ceil_div(size->conv.channels, limits->width);
    u.words = tg_ceil_div(size->conv.filters, WORD);
    u.square = is_square(size) && u.tap_blocks == 1;
    u.images_per_task = tg_most(1, tg_ceil_div(size->conv.images, SPREAD_TASKS));
    return u;
}

/* Pixels of a row, and floats of an image, of one vector of channels, with what windows reach beyond it. */
static int64_t frame_row(const tg_unpooled_spread *u) { return u->margin[1] + u->size.conv.in[1] + u->margin[3]; }
static int64_t frame_floats(const tg_unpooled_spread *u)
{
    return (u->margin[0] + u->size.conv.in[0] + u->margin[2]) * frame_row(u) * u->kernels->window_limits()->width;
}

static int64_t mask_words(const tg_unpooled_spread *u) { return pixels_of(&u->size) * places_of(&u->size) * u->words; }

int64_t tg_unpooled_spread_packed(const tg_unpooled_spread *u)
{
    return u->vectors * u->size.conv.filters * u->taps * u->kernels->window_limits()->width;
}

size_t tg_unpooled_spread_scratch(const tg_unpooled_spread *u)
{
    return (size_t)frame_floats(u) * sizeof(float) + (size_t)(u->images_per_task * mask_words(u)) * sizeof(uint64_t) +
           (size_t)(places_of(&u->size) + u->taps) * sizeof(int64_t);
}

int64_t tg_unpooled_spread_tasks(const tg_unpooled_spread *u) { return tg_ceil_div(u->size.conv.images, u->images_per_task); }

void tg_unpooled_spread_images(const tg_unpooled_spread *u, int64_t task, int64_t *first, int64_t *end)
{
    *first = task * u->images_per_task;
    *end = tg_least(*first + u->images_per_task, u->size.conv.images);
}

void tg_unpooled_spread_pack(const tg_unpooled_spread *u, const float *kernel, float *packed, int64_t i)
{
    const tg_conv_size *s = &u->size.conv;
    int64_t width = u->kernels->window_limits()->width;
    tg_window_kernel k = {.kernel = kernel + i * width * s->filters,
                          .taps = u->taps,
                          .tap_step = s->channels * s->filters,
                          .filters = s->filters,
                          .channels = tg_least(width, s->channels - i * width),
                          .to = packed + i * s->filters * u->taps * width};
    u->kernels->window_kernel(&k);
}

/* One vector of channels of one image from its frame. */
static void leave_frame(const tg_unpooled_spread *u, const float *frame, float *to, int64_t channel)
{
    const tg_conv_size *s = &u->size.conv;
    int64_t width = u->kernels->window_limits()->width;
    tg_window_leave leave = {.from = frame + (u->margin[0] * frame_row(u) + u->margin[1]) * width,
                             .from_step = frame_row(u) * width,
                             .to = to + channel,
                             .channels = s->channels,
                             .rows = s->in[0],
                             .columns = s->in[1],
                             .lanes = tg_least(width, s->channels - channel)};
    u->kernels->window_leave(&leave);
}

void tg_unpooled_spread_run(const tg_unpooled_spread *u, const float *gradient, const uint8_t *argmax, const float *packed,
                            float *to, int64_t task, void *scratch)
{
    const tg_conv_size *s = &u->size.conv;
    int64_t first, end, width = u->kernels->window_limits()->width, row = frame_row(u) * width;
    int64_t pooled_floats = pixels_of(&u->size) * s->filters, image_floats = s->in[0] * s->in[1] * s->channels;
    float *frame = scratch;
    uint64_t *masks = (uint64_t *)(frame + frame_floats(u));
    int64_t *place_at = (int64_t *)(masks + u->images_per_task * mask_words(u)), *tap_at = place_at + places_of(&u->size);
    find_places(&u->size, row, width, place_at);
    for (int64_t t = 0; t < u->taps; t++)
        tap_at[t] = t / s->kernel[1] * s->dilation[0] * row + t % s->kernel[1] * s->dilation[1] * width;
    tg_unpooled_spread_images(u, task, &first, &end);
    tg_window_spread spread = {.words = u->words, .kernel_step = u->taps * width, .row = u->square ? row : 0};
    for (int64_t vector = 0; vector < u->vectors; vector++)
        for (int64_t n = first; n < end; n++) {
            spread.masks = masks + (n - first) * mask_words(u);
            spread.pooled = pooled_at(&u->size, gradient, argmax, n * pooled_floats, place_at, row, width);
            if (vector == 0)
                u->kernels->window_masks(&spread.pooled, pixels_of(&u->size), masks + (n - first) * mask_words(u));
            memset(frame, 0, (size_t)frame_floats(u) * sizeof *frame);
            spread.target = frame + tg_most(0, -s->pad[0]) * row + tg_most(0, -s->pad[1]) * width;
            for (int64_t i = 0; i < u->tap_blocks; i++) {
                int64_t tap = u->taps * i / u->tap_blocks;
                spread.taps = (int32_t)(u->taps * (i + 1) / u->tap_blocks - tap);
                spread.tap_at = tap_at + tap;
                spread.kernel = packed + vector * s->filters * spread.kernel_step + tap * width;
                u->kernels->window_spread(&spread);
            }
            leave_frame(u, frame, to + n * image_floats, vector * width);
        }
}
