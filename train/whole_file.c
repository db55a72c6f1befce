#include "train/whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef PATH_MAX
#define PATH_MAX 4096
#endif

static tg_status fail(const char *path, const char *what, char *message, size_t size)
{
    snprintf(message, size, "%s: %s: %s", path, what, strerror(errno));
    return TG_ERROR_IO;
}

/* Writes to an open descriptor, which it closes, and makes sure of every byte. */
static tg_status write_descriptor(int descriptor, bool sync, const char *path, tg_status (*write)(FILE *out, void *user), void *user,
                                  char *message, size_t size)
{
    FILE *out = fdopen(descriptor, "w");
    if (!out) {
        close(descriptor);
        return fail(path, "cannot be opened", message, size);
    }
    errno = 0;
    tg_status status = write(out, user);
    if (status != TG_OK && status != TG_ERROR_IO)
        snprintf(message, size, "%s: %s", path, tg_status_text(status));
    else if (status == TG_ERROR_IO || ferror(out) || fflush(out) != 0 || (sync && fsync(descriptor) != 0))
        status = fail(path, "writing failed", message, size);
    if (fclose(out) != 0 && status == TG_OK)
        status = fail(path, "writing failed", message, size);
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

tg_status tg_write_whole(const char *path, tg_status (*write)(FILE *out, void *user), void *user, char *message, size_t size)
{
    struct stat there;
    char target[PATH_MAX + 1], temporary[PATH_MAX + 64];
    bool exists = stat(path, &there) == 0;
    if (exists && !S_ISREG(there.st_mode)) {
        int descriptor = open(path, O_WRONLY);
        return descriptor < 0 ? fail(path, "cannot be opened", message, size)
                              : write_descriptor(descriptor, false, path, write, user, message, size);
    }
    if (!exists || !realpath(path, target))
        snprintf(target, sizeof target, "%s", path);
    int length = snprintf(temporary, sizeof temporary, "%s.%ld.tmp", target, (long)getpid());
    errno = ENAMETOOLONG;
    int descriptor = length < (int)sizeof temporary && strlen(path) < sizeof target
                         ? open(temporary, O_WRONLY | O_CREAT | O_TRUNC, exists ? there.st_mode & 0777 : 0666)
                         : -1;
    if (descriptor < 0)
        return fail(path, "cannot be created", message, size);
    tg_status status = write_descriptor(descriptor, true, path, write, user, message, size);
    if (status == TG_OK && rename(temporary, target) != 0)
        status = fail(path, "cannot be put in place", message, size);
    if (status == TG_OK)
        sync_folder(target);
    else
        unlink(temporary);
    return status;
}
