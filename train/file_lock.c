#include "train/file_lock.h"

#include <errno.h>
#include <sys/file.h>

tg_file_lock tg_lock_file(int descriptor)
{
    if (flock(descriptor, LOCK_EX | LOCK_NB) == 0)
        return TG_LOCK_HELD;
    return errno == EWOULDBLOCK || errno == EAGAIN ? TG_LOCK_TAKEN : TG_LOCK_UNKNOWN;
}
