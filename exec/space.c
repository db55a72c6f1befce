#include "exec/space.h"

/* Blocks cover the space without gaps. No two free ones are neighbours, so there is at most one more of them than of those in use. */
struct tg_space_block {
    int64_t offset, size;
    int32_t before, after;         /* neighbours in the space */
    int32_t bin_before, bin_after; /* in the bin of a free block; bin_after links spare blocks too */
    bool free;
};

/* Bins of free blocks: sizes in units of 64 bytes, eight bins to each power of two. */
static int bin_of(int64_t size)
{
    uint64_t units = (uint64_t)size / 64;
    int power = 0;
    while (units >> power > 15)
        power++;
    return 8 * power + (int)(units >> power);
}

bool tg_space_init(tg_space *space, tg_context *context, int32_t max_live)
{
    *space = (tg_space){.context = context, .spare = -1, .last = -1};
    if (max_live > INT32_MAX / 2 - 2)
        return false;
    space->capacity = 2 * max_live + 2;
    space->blocks = tg_allocate(context, (size_t)space->capacity * sizeof *space->blocks);
    for (int i = 0; i < TG_SPACE_BINS; i++)
        space->bins[i] = -1;
    return space->blocks != NULL;
}

void tg_space_free(tg_space *space)
{
    tg_release(space->context, space->blocks, (size_t)space->capacity * sizeof *space->blocks);
}

static void put_in_bin(tg_space *space, int32_t at)
{
    struct tg_space_block *block = &space->blocks[at];
    int bin = bin_of(block->size);
    block->free = true;
    block->bin_before = -1;
    block->bin_after = space->bins[bin];
    if (block->bin_after >= 0)
        space->blocks[block->bin_after].bin_before = at;
    space->bins[bin] = at;
    space->filled[bin / 64] |= (uint64_t)1 << bin % 64;
}

static void take_from_bin(tg_space *space, int32_t at)
{
    struct tg_space_block *block = &space->blocks[at];
    int bin = bin_of(block->size);
    block->free = false;
    if (block->bin_after >= 0)
        space->blocks[block->bin_after].bin_before = block->bin_before;
    if (block->bin_before >= 0)
        space->blocks[block->bin_before].bin_after = block->bin_after;
    else if ((space->bins[bin] = block->bin_after) < 0)
        space->filled[bin / 64] &= ~((uint64_t)1 << bin % 64);
}

static int32_t new_block(tg_space *space, int64_t offset, int64_t size, int32_t before, int32_t after)
{
    int32_t at = space->spare;
    if (at >= 0)
        space->spare = space->blocks[at].bin_after;
    else
        at = space->n_blocks++;
    space->blocks[at] = (struct tg_space_block){.offset = offset, .size = size, .before = before, .after = after};
    if (before >= 0)
        space->blocks[before].after = at;
    if (after >= 0)
        space->blocks[after].before = at;
    else
        space->last = at;
    return at;
}

/* Adds `from` to its neighbour before it. */
static void join(tg_space *space, int32_t into, int32_t from)
{
    struct tg_space_block *gone = &space->blocks[from];
    space->blocks[into].size += gone->size;
    space->blocks[into].after = gone->after;
    if (gone->after >= 0)
        space->blocks[gone->after].before = into;
    else
        space->last = into;
    gone->bin_after = space->spare;
    space->spare = from;
}

/* The first bin from `bin` on that holds something; -1: none. */
static int filled_bin(const tg_space *space, int bin)
{
    while (bin < TG_SPACE_BINS) {
        if (space->filled[bin / 64] >> bin % 64 & 1)
            return bin;
        bin = space->filled[bin / 64] >> bin % 64 ? bin + 1 : (bin / 64 + 1) * 64;
    }
    return -1;
}

/* A free block of at least this size, about as small as there is one; -1: none. All in higher bins are larger. */
static int32_t find_free(const tg_space *space, int64_t size)
{
    int bin = bin_of(size), tried = 0;
    for (int32_t at = space->bins[bin]; at >= 0 && tried < 16; at = space->blocks[at].bin_after, tried++)
        if (space->blocks[at].size >= size)
            return at;
    bin = filled_bin(space, bin + 1);
    return bin < 0 ? -1 : space->bins[bin];
}

int32_t tg_space_take(tg_space *space, int64_t bytes, int64_t *offset)
{
    int64_t size = bytes < 64 ? 64 : (bytes + 63) / 64 * 64;
    int32_t at = find_free(space, size);
    if (at < 0 && space->last >= 0 && space->blocks[space->last].free) {
        at = space->last;
        take_from_bin(space, at);
        space->bytes += size - space->blocks[at].size;
        space->blocks[at].size = size;
    } else if (at < 0) {
        at = new_block(space, space->bytes, size, space->last, -1);
        space->bytes += size;
    } else {
        take_from_bin(space, at);
        int64_t rest = space->blocks[at].size - size;
        space->blocks[at].size = size;
        if (rest > 0)
            put_in_bin(space, new_block(space, space->blocks[at].offset + size, rest, at, space->blocks[at].after));
    }
    *offset = space->blocks[at].offset;
    return at;
}

void tg_space_give(tg_space *space, int32_t at)
{
    int32_t before = space->blocks[at].before, after = space->blocks[at].after;
    if (after >= 0 && space->blocks[after].free) {
        take_from_bin(space, after);
        join(space, at, after);
    }
    if (before >= 0 && space->blocks[before].free) {
        take_from_bin(space, before);
        join(space, before, at);
        at = before;
    }
    put_in_bin(space, at);
}
