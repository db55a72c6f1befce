/* .npy and .npz, NumPy's files for arrays (numpy/lib/format.py): what numpy.save and numpy.savez write and numpy.load reads.
   dtypes: f32 is '<f4', f64 '<f8', i32 '<i4', u8 '|u1'. */
#ifndef TG_TRAIN_NPY_H
#define TG_TRAIN_NPY_H

#include "train/array.h"
#include "train/byte_array.h"

TG_BEGIN_DECLS

/** Writes one array as an .npy file, byte for byte as numpy.save does. A regular file appears under its name when it is complete.
    On failure `message`, of TG_MESSAGE_SIZE bytes, gets one sentence with the path: TG_ERROR_IO. */
TG_API TG_MUST_USE tg_status tg_npy_write(const char *path, tg_array array, char *message);

/** Writes arrays under their names as an .npz file, stored as numpy.savez does: at most 65534 of them, less than 4 GiB in all, no
    name twice (else TG_ERROR_ARGUMENT). Otherwise as tg_npy_write(), and TG_ERROR_MEMORY. */
TG_API TG_MUST_USE tg_status tg_npz_write(tg_context *context, const char *path, const tg_array *arrays, int count,
                                          char *message);

/** Reads an .npy file, or the member `name` of an .npz file, stored or deflated, if `name` is not NULL. The array must be
    little-endian, of one of the four dtypes (bool is read as u8), in C order and whole. `array->name` is `name`; give the values back
    with tg_npy_free(). TG_ERROR_IO, TG_ERROR_FORMAT and TG_ERROR_MEMORY put one sentence with file, byte and expectation
    into `message`, of TG_MESSAGE_SIZE bytes; `array` is then all zero. */
TG_API TG_MUST_USE tg_status tg_npy_read(tg_context *context, const char *path, const char *name, tg_array *array, char *message);
/** Gives back what tg_npy_read() read. An all-zero array is fine. */
TG_API void tg_npy_free(tg_context *context, tg_array *array);

TG_END_DECLS

#endif
