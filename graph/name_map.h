/* A map from names to small integers, open-addressed, in a context's memory. Names may be anybody's: each map hashes by a key of its
   own. */
#ifndef TG_GRAPH_NAME_MAP_H
#define TG_GRAPH_NAME_MAP_H

#include "graph/context.h"

typedef struct tg_name_entry {
    const char *name; /* NULL: free. Borrowed from the caller. */
    int32_t value;
} tg_name_entry;

typedef struct tg_name_map {
    tg_name_entry *entries;
    int32_t capacity, count; /* capacity is 0 or a power of two */
    uint64_t key[2];         /* from the first name on */
} tg_name_map;

/** The value stored for a name, or -1. */
int32_t tg_name_map_find(const tg_name_map *map, const char *name);
/** Stores a value for a name, in place of any it had; the name must outlive the map. False if memory is out. */
bool tg_name_map_add(tg_name_map *map, tg_context *context, const char *name, int32_t value);
void tg_name_map_free(tg_name_map *map, tg_context *context);

#endif
