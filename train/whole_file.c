#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "graph/keyed_hash.h"
#include "graph/number_text.h"
#include "graph/safe_text.h"
#include "train/file_lock.h"
#include "train/whole_file.h"

#ifndef PATH_MAX
#define PATH_MAX 4096
#endif
#ifndef NAME_MAX
#define NAME_MAX 255
#endif

enum { MOST_LINKS = 40, MOST_TRIES = 100, DIGITS = 16 };
#define ENDING ".tmp"
#define TAIL (1 + DIGITS + (int)sizeof ENDING - 1) /* ".0123456789abcdef.tmp" */

/* One call of tg_write_whole(). */
typedef struct request {
    const char *path;
    tg_status (*write)(FILE *out, void *user);
    void *user;
    char *message;
    size_t size;
} request;

static tg_status fail(const request *r, const char *what)
{
    tg_message(r->message, r->size, "%s: %s: %s", r->path, what, tg_system_reason(errno));
    return TG_ERROR_IO;
}

/* ---- the target ---- */

/* Where a file goes: the path with links at its end followed, and what is there. */
typedef struct target {
    char path[PATH_MAX + 1];
    size_t folder; /* bytes of the path before the name, the slash among them */
    struct stat about;
    bool exists;
} target;

/* Puts the text of the link that stands at t->path in its place, from the link's own folder if it is relative. */
static bool follow_link(target *t)
{
    char text[PATH_MAX + 1];
    ssize_t length = readlink(t->path, text, sizeof text);
    if (length < 0)
        return false;
    size_t kept = length > 0 && text[0] == '/' ? 0 : t->folder;
    if (kept + (size_t)length >= sizeof t->path) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(t->path + kept, text, (size_t)length);
    t->path[kept + (size_t)length] = '\0';
    return true;
}

static bool follow_links(target *t)
{
    struct stat link;
    for (int hops = 0; hops < MOST_LINKS; hops++) {
        const char *slash = strrchr(t->path, '/');
        t->folder = slash ? (size_t)(slash + 1 - t->path) : 0;
        if (lstat(t->path, &link) != 0 || !S_ISLNK(link.st_mode))
            return true;
        if (!follow_link(t))
            return false;
    }
    errno = ELOOP;
    return false;
}

static bool find_target(const char *path, target *t)
{
    struct stat followed;
    errno = *path ? ENAMETOOLONG : ENOENT;
    if (!*path || snprintf(t->path, sizeof t->path, "%s", path) >= (int)sizeof t->path)
        return false;
    t->exists = stat(path, &t->about) == 0;
    if (!t->exists && errno != ENOENT)
        return false;
    if (t->exists && !S_ISREG(t->about.st_mode))
        return true;
    if (!follow_links(t))
        return false;
    /* A link of /proc to a file that was removed leads nowhere else. */
    errno = ENOENT;
    return !t->exists || stat(t->path, &followed) == 0;
}

/* A file that may not be written shall not be replaced either; the system's rules for links of others apply as well. */
static bool may_replace(const char *path)
{
    int descriptor = open(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (descriptor < 0)
        return false;
    close(descriptor);
    return true;
}

/* ---- temporary files ---- */

/* How many bytes of a target's name its temporary files begin with. */
static size_t kept_bytes(const target *t)
{
    size_t length = strlen(t->path + t->folder);
    return length + TAIL <= NAME_MAX ? length : NAME_MAX - TAIL;
}

static bool is_temporary(const target *t, const char *name)
{
    size_t kept = kept_bytes(t);
    return strlen(name) == kept + TAIL && memcmp(name, t->path + t->folder, kept) == 0 && name[kept] == '.' &&
           strspn(name + kept + 1, "0123456789abcdef") == DIGITS && strcmp(name + kept + 1 + DIGITS, ENDING) == 0;
}

static bool same_file(const struct stat *a, const struct stat *b) { return a->st_dev == b->st_dev && a->st_ino == b->st_ino; }

/* Removes a temporary file that nobody writes any more. Whoever writes it holds its lock from its first moment on, or finds out that it
   was removed before that. */
static void remove_stale(const char *path)
{
    struct stat opened, named;
    int descriptor = open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (descriptor < 0)
        return;
    if (fstat(descriptor, &opened) == 0 && S_ISREG(opened.st_mode) && tg_lock_file(descriptor) == TG_LOCK_HELD &&
        lstat(path, &named) == 0 && same_file(&opened, &named))
        unlink(path);
    close(descriptor);
}

static void sweep(const target *t)
{
    char path[PATH_MAX + NAME_MAX + 2];
    snprintf(path, sizeof path, "%.*s", t->folder ? (int)t->folder : 1, t->folder ? t->path : ".");
    DIR *folder = opendir(path);
    if (!folder)
        return;
    for (struct dirent *entry; (entry = readdir(folder));) {
        if (!is_temporary(t, entry->d_name))
            continue;
        snprintf(path, sizeof path, "%.*s%s", (int)t->folder, t->path, entry->d_name);
        remove_stale(path);
    }
    closedir(folder);
}

/* Makes and locks a temporary file beside the target. -1 on failure. */
static int make_temporary(const target *t, char path[PATH_MAX + 1])
{
    for (int tries = 0; tries < MOST_TRIES; tries++) {
        struct stat opened, named;
        int length = snprintf(path, PATH_MAX + 1, "%.*s.%016" PRIx64 ENDING, (int)(t->folder + kept_bytes(t)), t->path,
                              tg_unforeseen_bits());
        errno = ENAMETOOLONG;
        if (length > PATH_MAX)
            return -1;
        int descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
        if (descriptor < 0 && errno == EEXIST)
            continue;
        if (descriptor < 0)
            return -1;
        if (tg_lock_file(descriptor) != TG_LOCK_TAKEN && fstat(descriptor, &opened) == 0 && lstat(path, &named) == 0 &&
            same_file(&opened, &named))
            return descriptor;
        close(descriptor); /* taken for a stale one between its making and its locking */
    }
    errno = EEXIST;
    return -1;
}

/* Hands on owner, group and permissions. Who is no longer of the file's group gets what others get. */
static void take_permissions(int descriptor, const struct stat *former)
{
    struct stat about;
    mode_t mode = former->st_mode & 0777;
    if (fstat(descriptor, &about) != 0)
        return;
    if (about.st_uid != former->st_uid || about.st_gid != former->st_gid)
        if (fchown(descriptor, former->st_uid, former->st_gid) != 0 && fchown(descriptor, (uid_t)-1, former->st_gid) != 0)
            mode = (mode & ~(mode_t)070) | (mode & 07) << 3;
    (void)!fchmod(descriptor, mode);
}

/* ---- writing ---- */

/* Writes to an open descriptor and makes sure of every byte. */
static tg_status fill(const request *r, FILE *out, bool sync)
{
    errno = 0;
    tg_status status = r->write(out, r->user);
    if (status != TG_OK && status != TG_ERROR_IO)
        tg_message(r->message, r->size, "%s: %s", r->path, tg_status_text(status));
    else if (status == TG_ERROR_IO || ferror(out) || fflush(out) != 0 || (sync && fsync(fileno(out)) != 0))
        status = fail(r, "writing failed");
    return status;
}

static FILE *open_stream(const request *r, int descriptor, tg_status *status)
{
    FILE *out = fdopen(descriptor, "w");
    *status = out ? TG_OK : fail(r, "cannot be opened");
    if (!out)
        close(descriptor);
    return out;
}

static tg_status write_directly(const request *r, const char *path)
{
    tg_status status;
    int descriptor = open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC);
    if (descriptor < 0)
        return fail(r, "cannot be opened");
    FILE *out = open_stream(r, descriptor, &status);
    if (!out)
        return status;
    status = fill(r, out, false);
    if (fclose(out) != 0 && status == TG_OK)
        status = fail(r, "writing failed");
    return status;
}

/* Makes a rename in the folder last. A system that cannot sync folders has nothing to be done about it. */
static void sync_folder(target *t)
{
    t->path[t->folder] = '\0';
    int descriptor = open(t->folder ? t->path : ".", O_RDONLY | O_CLOEXEC);
    if (descriptor >= 0) {
        (void)!fsync(descriptor);
        close(descriptor);
    }
}

/* Writes beside the target and puts the result in its place. */
static tg_status replace(const request *r, target *t)
{
    char temporary[PATH_MAX + 1];
    tg_status status;
    sweep(t);
    int descriptor = make_temporary(t, temporary);
    if (descriptor < 0)
        return fail(r, "cannot be created");
    FILE *out = open_stream(r, descriptor, &status);
    if (out) {
        if (t->exists)
            take_permissions(descriptor, &t->about);
        status = fill(r, out, true);
    }
    if (status == TG_OK && rename(temporary, t->path) != 0)
        status = fail(r, "cannot be put in place");
    if (status == TG_OK)
        sync_folder(t);
    else
        unlink(temporary);
    if (out)
        fclose(out); /* the lock lasts until now; all bytes were synced before */
    return status;
}

tg_status tg_write_whole(const char *path, tg_status (*write)(FILE *out, void *user), void *user, char *message, size_t size)
{
    request r = {path, write, user, message, size};
    target t;
    if (!find_target(path, &t))
        return fail(&r, "cannot be found");
    if (t.exists && !S_ISREG(t.about.st_mode))
        return write_directly(&r, t.path);
    if (t.exists && !may_replace(path))
        return fail(&r, "cannot be written");
    return replace(&r, &t);
}

tg_status tg_may_write_whole(const char *path, char *message, size_t size)
{
    request r = {.path = path, .message = message, .size = size};
    char temporary[PATH_MAX + 1];
    target t;
    if (!find_target(path, &t))
        return fail(&r, "cannot be found");
    if (t.exists && S_ISDIR(t.about.st_mode)) {
        errno = EISDIR;
        return fail(&r, "cannot be written");
    }
    if (t.exists && !S_ISREG(t.about.st_mode))
        return access(path, W_OK) == 0 ? TG_OK : fail(&r, "cannot be written");
    if (t.exists && !may_replace(path))
        return fail(&r, "cannot be written");
    int descriptor = make_temporary(&t, temporary);
    if (descriptor < 0)
        return fail(&r, "cannot be created");
    unlink(temporary);
    close(descriptor);
    return TG_OK;
}
