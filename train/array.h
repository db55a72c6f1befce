/* A tensor's values under a name, as files exchange them. */
#ifndef TG_TRAIN_ARRAY_H
#define TG_TRAIN_ARRAY_H

#include "graph/context.h"

TG_BEGIN_DECLS

typedef struct tg_array {
    const char *name;   /**< in an archive; may be NULL elsewhere */
    tg_type type;       /**< never TG_FLOAT */
    const void *values; /**< row-major */
} tg_array;

TG_END_DECLS

#endif
