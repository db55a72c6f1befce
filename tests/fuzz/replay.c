/* Gives the seeds to their targets, where there is no libFuzzer: replay SEEDS; writes TAP. Each seed is read whole and cut at every
   length of a sample, so that every header ends somewhere. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "targets.h"

enum { CUTS = 64 };

static uint8_t *read_file(const char *path, size_t *size)
{
    FILE *in = fopen(path, "rb");
    uint8_t *data = NULL;
    size_t room = 0, n;
    *size = 0;
    while (in) {
        if (*size == room)
            data = realloc(data, room = room ? 2 * room : 4096);
        if (!data || !(n = fread(data + *size, 1, room - *size, in)))
            break;
        *size += n;
    }
    if (in)
        fclose(in);
    return data;
}

/* Returns how many seeds the folder has. */
static int replay(int target, const char *folder)
{
    char path[4096];
    int seeds = 0;
    snprintf(path, sizeof path, "%s/%s", folder, target_name(target));
    DIR *dir = opendir(path);
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        size_t size;
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s/%s", folder, target_name(target), entry->d_name);
        uint8_t *data = read_file(path, &size);
        for (size_t i = 0; data && i < CUTS; i++)
            target_run(target, data, size * i / CUTS);
        if (data)
            target_run(target, data, size);
        seeds += data != NULL;
        free(data);
    }
    if (dir)
        closedir(dir);
    return seeds;
}

int main(int argc, char **argv)
{
    int count = 0, failed = 0;
    while (target_name(count))
        count++;
    printf("1..%d\n", count);
    for (int i = 0; i < count; i++) {
        fflush(stdout);
        int seeds = argc > 1 ? replay(i, argv[1]) : 0;
        failed += seeds == 0;
        printf("%s %d - %s: %d seeds\n", seeds ? "ok" : "not ok", i + 1, target_name(i), seeds);
    }
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
