#include "train/cancel.h"

/* The builtins of gcc and clang: an _Atomic member would keep the header from C++. A store to an int takes no lock, which is what
   signal handlers need. What was done before a request is seen by those who see it. */

void tg_cancel_request(tg_cancel *cancel) { __atomic_store_n(&cancel->requested, 1, __ATOMIC_RELEASE); }

bool tg_cancel_requested(const tg_cancel *cancel) { return __atomic_load_n(&cancel->requested, __ATOMIC_ACQUIRE) != 0; }

void tg_cancel_clear(tg_cancel *cancel) { __atomic_store_n(&cancel->requested, 0, __ATOMIC_RELEASE); }
