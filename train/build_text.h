/* Inside the library: which build of it this is. */
#ifndef TG_TRAIN_BUILD_TEXT_H
#define TG_TRAIN_BUILD_TEXT_H

#include <stddef.h>

/** The version, the compiler and, on systems with ELF, the linker's build id of the program or library that holds this code: what
    must be the same for two runs to give the same bits. Returns `text`. */
const char *tg_build_text(char *text, size_t size);

#endif
