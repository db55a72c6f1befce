/* .npz, NumPy's archive: a zip file of .npy members, stored (numpy.savez) or deflated (numpy.savez_compressed). */
#ifndef TG_TRAIN_NPZ_H
#define TG_TRAIN_NPZ_H

#include "train/byte_array.h"

TG_BEGIN_DECLS

/** Reads the array of u8 called `wanted.name` out of an .npz file into `array`, whose former contents are ignored; the other
    members are not read. The array must be as wanted, in C order, and whole, with the CRC32 that the archive gives.
    TG_ERROR_IO (missing, unreadable), TG_ERROR_FORMAT (not as wanted) and TG_ERROR_MEMORY put one sentence with file, byte and
    expectation into `message`, which has TG_MESSAGE_SIZE bytes; `array` is then all zero. */
TG_API TG_MUST_USE tg_status tg_npz_read(tg_context *context, const char *path, tg_wanted_array wanted, tg_byte_array *array,
                                         char *message);

TG_END_DECLS

#endif
