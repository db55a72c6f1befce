/* Inside the library: files that are written whole or not at all. */
#ifndef TG_TRAIN_WHOLE_FILE_H
#define TG_TRAIN_WHOLE_FILE_H

#include <stdio.h>

#include "graph/status.h"

/** Writes a file by `write`, which answers a status. A regular file appears under its name only when all of it is on the disk, by a
    temporary file beside it, fsync and rename; what stood there before stays if anything fails. A symbolic link is followed; pipes and
    devices are written directly. On failure `message` gets one sentence with the path and the system's reason. */
tg_status tg_write_whole(const char *path, tg_status (*write)(FILE *out, void *user), void *user, char *message, size_t size);

#endif
