#include "exec/schedule.h"
#include "exec/space.h"

static void find_lifetimes(tg_steps *steps)
{
    for (int32_t s = 0; s < steps->count; s++) {
        const tg_step *step = steps->at[s];
        int32_t last = step->first_level + step->phases - 1;
        for (int32_t r = 0; r < step->n_refs; r++) {
            tg_buffer *buffer = &steps->buffers[step->refs[r].buffer];
            buffer->first = step->first_level < buffer->first ? step->first_level : buffer->first;
            buffer->last = last > buffer->last ? last : buffer->last;
        }
    }
}

/* by buffer: the only step (+ 1) that touches it in the last level of its life; -1: there are several. */
static void find_last_users(const tg_steps *steps, int32_t *last_user)
{
    for (int32_t s = 0; s < steps->count; s++) {
        const tg_step *step = steps->at[s];
        for (int32_t r = 0; r < step->n_refs; r++) {
            int32_t at = step->refs[r].buffer;
            if (step->first_level + step->phases - 1 == steps->buffers[at].last && last_user[at] != s + 1)
                last_user[at] = last_user[at] ? -1 : s + 1;
        }
    }
}

/* Whether the step's ref `read` is all of a buffer that it is the last to read. */
static bool dies_here(const tg_steps *steps, const tg_step *step, int32_t read)
{
    const tg_ref *ref = &step->refs[read];
    const tg_buffer *buffer = &steps->buffers[ref->buffer];
    if (ref->writes || buffer->home != TG_HOME_WORKSPACE || ref->bytes != buffer->bytes || buffer->last != step->first_level)
        return false;
    for (int32_t r = 0; r < step->n_refs; r++)
        if (r != read && step->refs[r].buffer == ref->buffer)
            return false;
    return true;
}

/* Lets what a pointwise group writes take the place of what it is the last to read. */
static void reuse_inputs(tg_steps *steps, int32_t *last_user)
{
    for (int32_t s = 0; s < steps->count; s++) {
        tg_step *step = steps->at[s];
        for (int32_t w = 0; w < step->n_refs && step->kind == TG_STEP_PROGRAM; w++) {
            tg_buffer *made = &steps->buffers[step->refs[w].buffer];
            if (!step->refs[w].writes || made->home != TG_HOME_WORKSPACE)
                continue;
            for (int32_t r = 0; r < step->n_refs && made->reuse < 0; r++) {
                int32_t dying = step->refs[r].buffer;
                if (last_user[dying] == s + 1 && steps->buffers[dying].bytes == made->bytes && dies_here(steps, step, r) &&
                    tg_program_overwrites(step->program, r, w)) {
                    made->reuse = dying;
                    last_user[dying] = -1;
                }
            }
        }
    }
}

/* Workspace buffers in the order of their first and of their last levels. */
typedef struct events {
    int32_t *by_first, *by_last;
    int32_t count;
} events;

static bool sort_events(events *order, const tg_steps *steps, int32_t n_levels, tg_pool *pool)
{
    int32_t *first = tg_pool_take(pool, (int64_t)n_levels + 1, sizeof *first),
            *last = tg_pool_take(pool, (int64_t)n_levels + 1, sizeof *last);
    order->by_first = tg_pool_take(pool, steps->n_buffers, sizeof *order->by_first);
    order->by_last = tg_pool_take(pool, steps->n_buffers, sizeof *order->by_last);
    if (!first || !last || !order->by_first || !order->by_last)
        return false;
    for (int32_t i = 0; i < steps->n_buffers; i++)
        if (steps->buffers[i].home == TG_HOME_WORKSPACE && steps->buffers[i].last >= 0) {
            first[steps->buffers[i].first + 1]++;
            last[steps->buffers[i].last + 1]++;
            order->count++;
        }
    for (int32_t level = 0; level < n_levels; level++) {
        first[level + 1] += first[level];
        last[level + 1] += last[level];
    }
    for (int32_t i = 0; i < steps->n_buffers; i++)
        if (steps->buffers[i].home == TG_HOME_WORKSPACE && steps->buffers[i].last >= 0) {
            order->by_first[first[steps->buffers[i].first]++] = i;
            order->by_last[last[steps->buffers[i].last]++] = i;
        }
    return true;
}

/* Gives the workspace's buffers offsets, level by level: what died before a level makes room for what begins in it. */
static void assign_offsets(tg_steps *steps, const events *order, tg_space *space, int32_t *block_of)
{
    int32_t died = 0;
    for (int32_t i = 0; i < order->count; i++) {
        tg_buffer *buffer = &steps->buffers[order->by_first[i]];
        for (; died < order->count && steps->buffers[order->by_last[died]].last < buffer->first; died++)
            if (block_of[order->by_last[died]] >= 0)
                tg_space_give(space, block_of[order->by_last[died]]);
        int32_t *block = &block_of[order->by_first[i]];
        if (buffer->reuse >= 0) {
            *block = block_of[buffer->reuse];
            block_of[buffer->reuse] = -1;
            buffer->offset = steps->buffers[buffer->reuse].offset;
        } else {
            *block = tg_space_take(space, buffer->bytes, &buffer->offset);
        }
    }
}

static bool pack_workspace(tg_layout *layout, tg_steps *steps, tg_layout_options options, tg_pool *pool)
{
    events order = {.count = 0};
    tg_space space;
    int32_t *users = tg_pool_take(pool, steps->n_buffers, sizeof *users);
    int32_t *block_of = tg_pool_take(pool, steps->n_buffers, sizeof *block_of);
    if (!users || !block_of || !sort_events(&order, steps, options.n_levels, pool) ||
        !tg_space_init(&space, pool->context, order.count))
        return false;
    if (options.in_place) {
        find_last_users(steps, users);
        reuse_inputs(steps, users);
    }
    assign_offsets(steps, &order, &space, block_of);
    layout->regions[TG_HOME_WORKSPACE].bytes = space.bytes;
    tg_space_free(&space);
    return true;
}

static int64_t round_up(int64_t bytes) { return (bytes + 63) & ~(int64_t)63; }

static void assign_regions(tg_layout *layout, tg_steps *steps, bool packed)
{
    for (tg_home home = TG_HOME_WORKSPACE; packed && home < TG_HOME_LEAF; home++)
        layout->regions[layout->n_regions++] = (tg_region){home, -1, 0};
    for (int32_t i = 0; i < steps->n_buffers; i++) {
        tg_buffer *buffer = &steps->buffers[i];
        if (buffer->home == TG_HOME_WORKSPACE)
            layout->unplanned_bytes += round_up(buffer->bytes);
        if (buffer->home == TG_HOME_LEAF || !packed) {
            buffer->region = layout->n_regions;
            layout->regions[layout->n_regions++] =
                (tg_region){buffer->home, buffer->home == TG_HOME_LEAF ? buffer->node : -1, buffer->bytes};
            continue;
        }
        buffer->region = buffer->home;
        if (buffer->home != TG_HOME_WORKSPACE) {
            buffer->offset = layout->regions[buffer->home].bytes;
            layout->regions[buffer->home].bytes += round_up(buffer->bytes);
        }
    }
}

bool tg_lay_out(tg_layout *layout, tg_steps *steps, tg_layout_options options, tg_context *context)
{
    *layout =
        (tg_layout){.regions = tg_pool_take(steps->pool, (int64_t)steps->n_buffers + TG_HOME_LEAF, sizeof *layout->regions)};
    if (!layout->regions)
        return false;
    find_lifetimes(steps);
    assign_regions(layout, steps, options.packed);
    if (!options.packed)
        return true;
    tg_pool pool = tg_pool_make(context);
    bool done = pack_workspace(layout, steps, options, &pool);
    tg_pool_free(&pool);
    return done;
}
