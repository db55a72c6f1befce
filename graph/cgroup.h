/* Linux's control groups, as far as they limit the cores that a process may use. */
#ifndef TG_GRAPH_CGROUP_H
#define TG_GRAPH_CGROUP_H

/** The cores that the CPU quotas of this process's control groups allow, rounded up, at least 1; INT32_MAX: there is no quota.
    Groups of version 1 and 2 are looked at, where they are mounted, and all groups above them: the tightest counts. `root` is put
    before each path that is read, "" but in tests. Without such files, as on other systems, there is no quota. */
int tg_cgroup_cores(const char *root);

#endif
