#include "models/descriptors.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

void fill_standard_descriptors(void)
{
    for (int descriptor = 0; descriptor <= STDERR_FILENO; descriptor++)
        if (fcntl(descriptor, F_GETFD) < 0 && errno == EBADF) /* the lowest that is free is what open() takes */
            (void)!open("/dev/null", descriptor == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}
