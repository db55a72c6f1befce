/* Inside the library: the way of an array from a stream into memory, common to the formats that announce a shape first. */
#ifndef TG_TRAIN_BYTE_ARRAY_LOAD_H
#define TG_TRAIN_BYTE_ARRAY_LOAD_H

#include "train/byte_array.h"
#include "train/stream.h"

TG_BEGIN_DECLS

/** The first axis whose extent is not as wanted; 0 if the rank or the whole is not; -1 if all is well. */
int tg_byte_array_wrong_axis(tg_shape found, tg_wanted_array wanted);
/** TG_ERROR_FORMAT for the shape announced at `byte`. */
tg_status tg_byte_array_fail_shape(const tg_stream *stream, int64_t byte, tg_shape found, tg_wanted_array wanted);
/** Reads the rest of the stream, which must be the values of an array of this shape and nothing more. */
tg_status tg_byte_array_load(tg_stream *stream, tg_shape shape, tg_wanted_array wanted, tg_byte_array *array);

TG_END_DECLS

#endif
