/* Inside the library: the header of NumPy's .npy arrays (numpy/lib/format.py), which is a Python dict. */
#ifndef TG_TRAIN_NPY_HEADER_H
#define TG_TRAIN_NPY_HEADER_H

#include "train/stream.h"

TG_BEGIN_DECLS

/** What a header says, and at which byte of the stream. */
typedef struct tg_npy_header {
    char descr[16];
    bool fortran_order;
    tg_shape shape; /**< its product is not checked */
    int64_t descr_byte, order_byte, shape_byte;
} tg_npy_header;

/** Reads the beginning of an .npy file or member, and leaves the stream at the array's first value. */
tg_status tg_npy_header_read(tg_stream *stream, tg_npy_header *header);

TG_END_DECLS

#endif
