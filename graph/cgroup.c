#include "graph/cgroup.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PATH_BYTES = 1024, LINE_BYTES = 2048 };

/* A hierarchy of groups that may have quotas. */
typedef struct hierarchy {
    bool unified;            /* version 2 */
    char group[PATH_BYTES];  /* this process's, as the kernel names it */
    char top[PATH_BYTES];    /* the group that is seen at `folder` */
    char folder[PATH_BYTES]; /* where it is mounted */
} hierarchy;

/* The next line without its end, cut if it is too long. */
static bool next_line(FILE *file, char line[LINE_BYTES])
{
    if (!fgets(line, LINE_BYTES, file))
        return false;
    size_t length = strcspn(line, "\n");
    for (int c = line[length] ? '\n' : 0; c != '\n' && c != EOF;)
        c = fgetc(file);
    line[length] = '\0';
    return true;
}

static FILE *open_below(const char *root, const char *path)
{
    char full[2 * PATH_BYTES];
    int length = snprintf(full, sizeof full, "%s%s", root, path);
    return length < (int)sizeof full ? fopen(full, "r") : NULL;
}

/* Whether a list such as "cpu,cpuacct" has the word. */
static bool lists(const char *list, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = list; (at = strstr(at, word)); at += length)
        if ((at == list || at[-1] == ',') && (at[length] == '\0' || at[length] == ','))
            return true;
    return false;
}

/* Of lines "4:cpu,cpuacct:/group" (version 1) and "0::/group" (version 2). */
static bool find_group(const char *root, hierarchy *h)
{
    char line[LINE_BYTES];
    bool found = false;
    FILE *file = open_below(root, "/proc/self/cgroup");
    if (!file)
        return false;
    while (!found && next_line(file, line)) {
        char *controllers = strchr(line, ':'), *group = controllers ? strchr(controllers + 1, ':') : NULL;
        if (!group)
            continue;
        *controllers++ = *group++ = '\0';
        found = h->unified ? strcmp(line, "0") == 0 && !*controllers : lists(controllers, "cpu");
        found = found && snprintf(h->group, PATH_BYTES, "%s", group) < PATH_BYTES;
    }
    fclose(file);
    return found;
}

/* A path of mountinfo(5), in which blanks and the like stand as three octal figures behind a backslash. */
static bool take_path(const char *text, char path[PATH_BYTES])
{
    size_t length = 0;
    for (; *text && length < PATH_BYTES - 1; text++) {
        bool octal = text[0] == '\\' && strspn(text + 1, "01234567") >= 3;
        path[length++] = octal ? (char)((text[1] - '0') * 64 + (text[2] - '0') * 8 + text[3] - '0') : *text;
        text += octal ? 3 : 0;
    }
    path[length] = '\0';
    return !*text;
}

/* Of lines "31 23 0:28 /top /folder options... - cgroup source cpu,rw". */
static bool take_mount(char *line, hierarchy *h)
{
    char *words[5], *rest = NULL, *kind = strstr(line, " - ");
    if (!kind)
        return false;
    *kind = '\0';
    kind = strtok_r(kind + 3, " ", &rest);
    strtok_r(NULL, " ", &rest);
    char *options = strtok_r(NULL, " ", &rest);
    if (!kind || !options || strcmp(kind, h->unified ? "cgroup2" : "cgroup") != 0 || (!h->unified && !lists(options, "cpu")))
        return false;
    for (int i = 0; i < 5; i++)
        if (!(words[i] = strtok_r(i ? NULL : line, " ", &rest)))
            return false;
    return take_path(words[3], h->top) && take_path(words[4], h->folder);
}

/* Whether the group is the one that is mounted, or below it. */
static bool is_below(const hierarchy *h)
{
    size_t top = strlen(h->top);
    bool whole = strcmp(h->top, "/") == 0 || (strncmp(h->group, h->top, top) == 0 && (h->group[top] == '/' || !h->group[top]));
    return whole && !strstr(h->group, "/..");
}

/* The first place where the hierarchy is mounted, and the group is to be seen if that is asked for. */
static bool find_mount(const char *root, hierarchy *h, bool below)
{
    char line[LINE_BYTES];
    bool found = false;
    FILE *file = open_below(root, "/proc/self/mountinfo");
    if (!file)
        return false;
    while (!found && next_line(file, line))
        found = take_mount(line, h) && (!below || is_below(h));
    fclose(file);
    return found;
}

/* The numbers of a file, at most two; how many there are. "max" is none. */
static int read_numbers(const char *root, const char *folder, const char *name, long long numbers[2])
{
    char path[PATH_BYTES + 64], line[LINE_BYTES];
    int count = 0;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = open_below(root, path);
    if (!file)
        return 0;
    if (next_line(file, line)) {
        for (char *at = line, *end; count < 2; at = end, count++) {
            numbers[count] = strtoll(at, &end, 10);
            if (end == at)
                break;
        }
    }
    fclose(file);
    return count;
}

static int cores_of(const char *root, const char *folder, bool unified)
{
    long long numbers[2] = {0, 0}, period[2] = {0, 0};
    int count = unified ? read_numbers(root, folder, "cpu.max", numbers)
                        : (read_numbers(root, folder, "cpu.cfs_quota_us", numbers) > 0) +
                              (read_numbers(root, folder, "cpu.cfs_period_us", period) > 0);
    if (!unified)
        numbers[1] = period[0];
    if (count != 2 || numbers[0] <= 0 || numbers[1] <= 0)
        return INT32_MAX;
    long long cores = numbers[0] / numbers[1] + (numbers[0] % numbers[1] > 0);
    return cores < INT32_MAX ? (int)cores : INT32_MAX;
}

static int cores_in(const char *root, bool unified)
{
    hierarchy h = {.unified = unified};
    char path[2 * PATH_BYTES];
    int cores = INT32_MAX;
    if (!find_group(root, &h) || !(find_mount(root, &h, true) || find_mount(root, &h, false)))
        return cores;
    /* A group that is not to be seen, as a container may know its own by another name, counts as the one that is mounted. */
    char none[] = "", *group = is_below(&h) ? h.group + (strcmp(h.top, "/") == 0 ? 0 : strlen(h.top)) : none;
    for (;;) {
        snprintf(path, sizeof path, "%s%s", h.folder, group);
        int here = cores_of(root, path, unified);
        cores = here < cores ? here : cores;
        char *last = strrchr(group, '/');
        if (!last)
            return cores;
        *last = '\0';
    }
}

int tg_cgroup_cores(const char *root)
{
    int unified = cores_in(root, true), legacy = cores_in(root, false);
    return unified < legacy ? unified : legacy;
}
