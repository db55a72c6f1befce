/* Cancelling: a request, from another thread or a signal handler, that long work ends soon. */
#ifndef TG_TRAIN_CANCEL_H
#define TG_TRAIN_CANCEL_H

#include "graph/status.h"

TG_BEGIN_DECLS

/** All zero: nobody has asked. One may serve several models, and must outlive the calls that look at it. Only the functions below
    touch what is in it. */
typedef struct tg_cancel {
    int requested;
} tg_cancel;

/** Asks for an end. It stands until tg_cancel_clear(), so that a request between two calls is not lost. This and
    tg_cancel_requested() may be called by any thread at any time, and by signal handlers. */
TG_API void tg_cancel_request(tg_cancel *cancel);
TG_API bool tg_cancel_requested(const tg_cancel *cancel);
/** Takes the request back, so that what looks at it may work again. */
TG_API void tg_cancel_clear(tg_cancel *cancel);

TG_END_DECLS

#endif
