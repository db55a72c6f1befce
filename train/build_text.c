#if defined(__linux__)
#define _GNU_SOURCE /* dl_iterate_phdr */
#include <link.h>
#endif

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "graph/context.h"
#include "train/build_text.h"

#if defined(__VERSION__)
#define COMPILER __VERSION__
#else
#define COMPILER "unknown compiler"
#endif

#if defined(__linux__)
enum { BUILD_ID = 3 }; /* the type of the linker's note, which is named "GNU" */

/* The build id found, as hexadecimal digits. */
typedef struct build_id {
    char digits[65];
} build_id;

static bool holds_this_code(const struct dl_phdr_info *info)
{
    uintptr_t here = (uintptr_t)&tg_build_text;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        if (part->p_type == PT_LOAD && here - (info->dlpi_addr + part->p_vaddr) < part->p_memsz)
            return true;
    }
    return false;
}

static void look_at_notes(const uint8_t *at, size_t bytes, size_t alignment, build_id *id)
{
    ElfW(Nhdr) note;
    while (bytes >= sizeof note) {
        memcpy(&note, at, sizeof note);
        size_t value = (sizeof note + note.n_namesz + alignment - 1) & ~(alignment - 1);
        size_t end = (value + note.n_descsz + alignment - 1) & ~(alignment - 1);
        if (end > bytes)
            return;
        if (note.n_type == BUILD_ID && note.n_namesz == 4 && !memcmp(at + sizeof note, "GNU", 4))
            for (size_t i = 0; i < note.n_descsz && 2 * i + 2 < sizeof id->digits; i++)
                snprintf(id->digits + 2 * i, 3, "%02x", at[value + i]);
        at += end;
        bytes -= end;
    }
}

static int look_at_object(struct dl_phdr_info *info, size_t size, void *user)
{
    (void)size;
    if (!holds_this_code(info))
        return 0;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];
        if (part->p_type == PT_NOTE)
            look_at_notes((const uint8_t *)(info->dlpi_addr + part->p_vaddr), part->p_memsz, part->p_align == 8 ? 8 : 4, user);
    }
    return 1;
}
#endif

const char *tg_build_text(char *text, size_t size)
{
    const char *digits = "";
#if defined(__linux__)
    build_id id = {""};
    dl_iterate_phdr(look_at_object, &id);
    digits = id.digits;
#endif
    snprintf(text, size, "%s, %s%s%s", tg_version(), COMPILER, *digits ? ", " : "", digits);
    return text;
}
