/* libFuzzer's entries. The program's name, fuzz_png, tells the target. */
#include <stdio.h>
#include <string.h>

#include "targets.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t room); /* libFuzzer's own */

static int target;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    const char *name = strrchr(**argv, '_');
    while (name && target_name(target) && strcmp(target_name(target), name + 1) != 0)
        target++;
    if (name && target_name(target))
        return 0;
    fprintf(stderr, "%s: no target is called so\n", **argv);
    return 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    target_run(target, data, size);
    return 0;
}

/* Else nothing but check sums would be tried. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed)
{
    size = LLVMFuzzerMutate(data, size, room);
    if (seed % 8)
        target_mend(target, data, size);
    return size;
}
