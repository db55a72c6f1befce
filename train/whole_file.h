/* Inside the library: files that are written whole or not at all. */
#ifndef TG_TRAIN_WHOLE_FILE_H
#define TG_TRAIN_WHOLE_FILE_H

#include <stdio.h>

#include "graph/status.h"

/** Writes a file by `write`, which answers a status. A regular file appears under its name only when all of it is on the disk, by a
    temporary file beside it, fsync and rename; what stood there before stays if anything fails. Of several that write one path at once,
    threads or processes, the last that ends wins, whole.

    A new file has the permissions that the umask leaves; one that is replaced hands on its own, its group and, where the system allows
    it, its owner, and is refused if it may not be written. A symbolic link stays, and what it points to is replaced or, if nothing is
    there, made. Pipes and devices are written directly. The temporary file is called TARGET.0123456789abcdef.tmp, of random digits: none
    is overwritten and no link of that name is followed. It is locked while it is written, so that those which a killed process left are
    found out, in whatever container it ran, and removed by the next that writes the same path.

    On failure `message` gets one sentence with the path and the system's reason. */
tg_status tg_write_whole(const char *path, tg_status (*write)(FILE *out, void *user), void *user, char *message, size_t size);

/** Whether tg_write_whole() could begin now, for who would lose work otherwise: makes a temporary file and removes it. TG_ERROR_IO puts
    one sentence into `message`. A pipe is not opened. */
tg_status tg_may_write_whole(const char *path, char *message, size_t size);

#endif
