/* Inside the library: finding a member of a zip file (PKWARE's APPNOTE.TXT, with ZIP64; no encryption, one volume). */
#ifndef TG_TRAIN_ZIP_H
#define TG_TRAIN_ZIP_H

#include "train/stream.h"

TG_BEGIN_DECLS

/** Goes on with the member of that name, which must be stored or deflated. The stream was opened by tg_stream_open_raw(). */
tg_status tg_zip_enter(tg_stream *stream, const char *name);

TG_END_DECLS

#endif
