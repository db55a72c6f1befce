#include "graph/name_map.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph/keyed_hash.h"
#include "harness.h"

/* The paper's own value, appendix A: key and data are 00 01 02 ..., 15 bytes of data. The others are of its reference program. */
START_TEST(the_hash_is_siphash)
{
    static const struct {
        size_t bytes;
        uint64_t hash;
    } known[] = {{0, 0x726fdb47dd0e0e31}, {1, 0x74f839c593dc67fd}, {8, 0x93f5f5799a932462}, {15, 0xa129ca6149be45e5}};
    const uint64_t key[2] = {0x0706050403020100, 0x0f0e0d0c0b0a0908};
    uint8_t data[16];
    for (int i = 0; i < 16; i++)
        data[i] = (uint8_t)i;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        ck_assert_uint_eq(tg_keyed_hash(key, data, known[i].bytes), known[i].hash);
}
END_TEST

START_TEST(names_are_found)
{
    enum { NAMES = 1000 };
    static char names[NAMES][24];
    tg_context *context = harness_context(1);
    tg_name_map map = {0};
    ck_assert_int_eq(tg_name_map_find(&map, "none"), -1);
    for (int i = 0; i < NAMES; i++) {
        snprintf(names[i], sizeof names[i], "name_%d", i);
        ck_assert(tg_name_map_add(&map, context, names[i], i));
    }
    ck_assert(tg_name_map_add(&map, context, names[7], 7000));
    ck_assert_int_eq(map.count, NAMES);
    for (int i = 0; i < NAMES; i++)
        ck_assert_int_eq(tg_name_map_find(&map, names[i]), i == 7 ? 7000 : i);
    ck_assert_int_eq(tg_name_map_find(&map, "name_1000"), -1);
    ck_assert_int_eq(tg_name_map_find(&map, ""), -1);
    tg_name_map_free(&map, context);
    tg_context_free(context);
}
END_TEST

static uint64_t fnv(const char *name)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (const char *c = name; *c; c++)
        hash = (hash ^ (uint8_t)*c) * 0x100000001b3u;
    return hash ^ hash >> 32;
}

/* The most slots in a row that are taken: so many names may have to be compared. */
static int32_t longest_run(const tg_name_map *map)
{
    int32_t longest = 0, run = 0;
    for (int32_t i = 0; i < 2 * map->capacity; i++) {
        run = map->entries[i % map->capacity].name ? run + 1 : 0;
        longest = run > longest ? run : longest;
    }
    return longest;
}

/* Names that a hash without a key, as a well-known one, puts into one slot of a table for them all. */
START_TEST(chosen_names_do_not_meet_in_one_slot)
{
    enum { NAMES = 1500, SLOTS = 4096 };
    static char names[NAMES][24];
    tg_context *context = harness_context(1);
    tg_name_map map = {0};
    for (int i = 0, n = 0; n < NAMES; i++) {
        snprintf(names[n], sizeof names[n], "%x", i);
        n += fnv(names[n]) % SLOTS == 0;
    }
    for (int i = 0; i < NAMES; i++)
        ck_assert(tg_name_map_add(&map, context, names[i], i));
    ck_assert_int_eq(map.capacity, SLOTS);
    ck_assert_int_lt(longest_run(&map), 150);
    tg_name_map_free(&map, context);
    tg_context_free(context);
}
END_TEST

START_TEST(each_map_has_its_own_key)
{
    tg_context *context = harness_context(1);
    tg_name_map a = {0}, b = {0};
    ck_assert(tg_name_map_add(&a, context, "x", 1) && tg_name_map_add(&b, context, "x", 1));
    ck_assert_mem_ne(a.key, b.key, sizeof a.key);
    tg_name_map_free(&a, context);
    tg_name_map_free(&b, context);
    tg_context_free(context);
}
END_TEST

int main(void)
{
    TCase *tests = harness_case("name_map");
    tcase_add_test(tests, the_hash_is_siphash);
    tcase_add_test(tests, names_are_found);
    tcase_add_test(tests, chosen_names_do_not_meet_in_one_slot);
    tcase_add_test(tests, each_map_has_its_own_key);
    return harness_run("name_map", tests);
}
