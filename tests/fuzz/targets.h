/* Readers as fuzz targets: any bytes end in a value or in one sentence, within the reader's budget of memory, and nothing is left behind. */
#ifndef TG_TESTS_FUZZ_TARGETS_H
#define TG_TESTS_FUZZ_TARGETS_H

#include <stddef.h>
#include <stdint.h>

/** The names, in order; NULL after the last. */
const char *target_name(int i);
/** Gives the bytes to a target, and aborts with a sentence on standard error where a promise does not hold. */
void target_run(int i, const uint8_t *data, size_t size);
/** Makes the check sums right that a change has made wrong, where a target's format has them throughout: a PNG's. */
void target_mend(int i, uint8_t *data, size_t size);

#endif
