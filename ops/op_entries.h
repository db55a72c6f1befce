/* tg_op_<name> of every op in ops/op_list.h, for the file that defines it. */
#ifndef TG_OPS_OP_ENTRIES_H
#define TG_OPS_OP_ENTRIES_H

#include "graph/op.h"

#define TG_OP(name, ...) extern const tg_op tg_op_##name;
#include "ops/op_list.h"
#undef TG_OP

#endif
