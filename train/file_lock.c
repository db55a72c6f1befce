#include "train/file_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>

tg_file_lock tg_lock_file(int descriptor)
{
    if (flock(descriptor, LOCK_EX | LOCK_NB) == 0)
        return TG_LOCK_HELD;
    return errno == EWOULDBLOCK || errno == EAGAIN ? TG_LOCK_TAKEN : TG_LOCK_UNKNOWN;
}

int tg_lock_path(const char *path, tg_file_lock *lock)
{
    int descriptor = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666);
    if (descriptor < 0 && errno == EACCES) /* one of another user, who shares the folder */
        descriptor = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (descriptor >= 0)
        *lock = tg_lock_file(descriptor);
    return descriptor;
}
