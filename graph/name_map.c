#include "graph/name_map.h"

#include <string.h>

#include "graph/keyed_hash.h"
#include "graph/rebuild.h"

/* The entry of a name, or the free one where it belongs. */
static tg_name_entry *locate(const tg_name_map *map, const char *name)
{
    uint32_t mask = (uint32_t)map->capacity - 1;
    uint32_t at = (uint32_t)tg_keyed_hash(map->key, name, strlen(name)) & mask;
    while (map->entries[at].name && strcmp(map->entries[at].name, name) != 0)
        at = (at + 1) & mask;
    return &map->entries[at];
}

int32_t tg_name_map_find(const tg_name_map *map, const char *name)
{
    if (map->capacity == 0)
        return -1;
    const tg_name_entry *entry = locate(map, name);
    return entry->name ? entry->value : -1;
}

static bool move(tg_name_map *map, tg_context *context, int32_t capacity)
{
    tg_name_map wider = {.capacity = capacity, .count = map->count};
    for (int i = 0; i < 2; i++)
        wider.key[i] = map->capacity ? map->key[i] : tg_unforeseen_bits();
    wider.entries = tg_allocate_zero(context, (size_t)wider.capacity * sizeof *wider.entries);
    if (!wider.entries)
        return false;
    for (int32_t i = 0; i < map->capacity; i++)
        if (map->entries[i].name)
            *locate(&wider, map->entries[i].name) = map->entries[i];
    tg_name_map_free(map, context);
    *map = wider;
    return true;
}

bool tg_name_map_add(tg_name_map *map, tg_context *context, const char *name, int32_t value)
{
    bool full = 2 * (map->count + 1) > map->capacity;
    int32_t wider = map->capacity ? 2 * map->capacity : 32;
    if ((full || (tg_context_settings(context)->move_arrays && map->capacity < 4096)) &&
        !move(map, context, full ? wider : map->capacity))
        return false;
    tg_name_entry *entry = locate(map, name);
    map->count += entry->name == NULL;
    *entry = (tg_name_entry){name, value};
    return true;
}

void tg_name_map_free(tg_name_map *map, tg_context *context)
{
    tg_release(context, map->entries, (size_t)map->capacity * sizeof *map->entries);
    *map = (tg_name_map){0};
}
