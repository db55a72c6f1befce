/* One instruction set's table, filled from the list. */
#include "ops/kernels/kernels.h"

#define TG_SET_TEXT_OF(set) #set
#define TG_SET_TEXT(set) TG_SET_TEXT_OF(set)

const tg_kernels TG_SET(kernels) = {
    .set = TG_SET_TEXT(TG_KERNEL_SET),
#define TG_KERNEL(type, name, parameters) .name = TG_SET(name),
#include "ops/kernels/kernel_list.h"
#undef TG_KERNEL
};
