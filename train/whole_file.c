#include "train/whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "graph/number_text.h"

#ifndef PATH_MAX
#define PATH_MAX 4096
#endif

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
    snprintf(r->message, r->size, "%s: %s: %s", r->path, what, tg_system_reason(errno));
    return TG_ERROR_IO;
}

/* Writes to an open descriptor, which it closes, and makes sure of every byte. */
static tg_status write_descriptor(const request *r, int descriptor, bool sync)
{
    FILE *out = fdopen(descriptor, "w");
    if (!out) {
        close(descriptor);
        return fail(r, "cannot be opened");
    }
    errno = 0;
    tg_status status = r->write(out, r->user);
    if (status != TG_OK && status != TG_ERROR_IO)
        snprintf(r->message, r->size, "%s: %s", r->path, tg_status_text(status));
    else if (status == TG_ERROR_IO || ferror(out) || fflush(out) != 0 || (sync && fsync(descriptor) != 0))
        status = fail(r, "writing failed");
    if (fclose(out) != 0 && status == TG_OK)
        status = fail(r, "writing failed");
    return status;
}

/* Makes a rename in the folder of `path` last. A system that cannot sync folders has nothing to be done about it. */
static void sync_folder(const char *path)
{
    char folder[PATH_MAX + 1];
    const char *slash = strrchr(path, '/');
    int length = slash == path ? 1 : slash ? (int)(slash - path) : 0;
    snprintf(folder, sizeof folder, "%.*s", slash ? length : 1, slash ? path : ".");
    int descriptor = open(folder, O_RDONLY);
    if (descriptor >= 0) {
        (void)!fsync(descriptor);
        close(descriptor);
    }
}

/* Writes beside `target` and puts the result in its place. `mode`: the file's permissions, before the umask. */
static tg_status replace(const request *r, const char *target, mode_t mode)
{
    char temporary[PATH_MAX + 64];
    int length = snprintf(temporary, sizeof temporary, "%s.%ld.tmp", target, (long)getpid());
    errno = ENAMETOOLONG;
    int descriptor = length < (int)sizeof temporary ? open(temporary, O_WRONLY | O_CREAT | O_TRUNC, mode) : -1;
    if (descriptor < 0)
        return fail(r, "cannot be created");
    tg_status status = write_descriptor(r, descriptor, true);
    if (status == TG_OK && rename(temporary, target) != 0)
        status = fail(r, "cannot be put in place");
    if (status == TG_OK)
        sync_folder(target);
    else
        unlink(temporary);
    return status;
}

tg_status tg_write_whole(const char *path, tg_status (*write)(FILE *out, void *user), void *user, char *message, size_t size)
{
    request r = {path, write, user, message, size};
    struct stat there;
    char target[PATH_MAX + 1];
    bool exists = stat(path, &there) == 0;
    if (exists && !S_ISREG(there.st_mode)) {
        int descriptor = open(path, O_WRONLY);
        return descriptor < 0 ? fail(&r, "cannot be opened") : write_descriptor(&r, descriptor, false);
    }
    if (exists)
        return realpath(path, target) ? replace(&r, target, there.st_mode & 0777) : fail(&r, "cannot be found");
    return replace(&r, path, 0666);
}
